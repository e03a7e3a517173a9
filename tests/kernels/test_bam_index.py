"""The index kernels against a plain reading of the specification."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fuzzing.index_parts import split_index
from mrdtrack.kernels.bam_index import (
    INDEX_WHOLE,
    IndexShape,
    bin_end,
    bin_start,
    find_chunks,
    known_offsets,
    lay_out_index,
    meta_bin,
)
from tests.counting_door.made_reads import inflate_all, random_reads, write_bam


def bins_over(start: int, end: int, min_shift: int, depth: int) -> set[int]:
    """List all bins that overlap a region (SAM specification, section 5.3)."""
    bins: set[int] = set()
    first = 0
    for level in range(depth + 1):
        shift = min_shift + 3 * (depth - level)
        bins.update(range(first + (start >> shift), first + ((end - 1) >> shift) + 1))
        first += 1 << (3 * level)
    return bins


def plain_chunks(
    data: bytes, contig: int, start: int, end: int
) -> list[tuple[int, int]]:
    """List the chunks of a BAI's bins over a region, with no bound at all."""
    wanted, at = bins_over(start, end, 14, 5), 8
    found: list[tuple[int, int]] = []
    for number in range(contig + 1):
        (n_bins,) = struct.unpack_from("<i", data, at)
        at += 4
        for _ in range(n_bins):
            bin_number, n_chunks = struct.unpack_from("<Ii", data, at)
            at += 8
            for _ in range(n_chunks):
                if number == contig and bin_number in wanted:
                    found.append(struct.unpack_from("<qq", data, at))
                at += 16
        (n_windows,) = struct.unpack_from("<i", data, at)
        at += 4 + 8 * n_windows
    return found


@pytest.fixture
def index(tmp_path: Path) -> tuple[NDArray[np.uint8], int]:
    path = write_bam(tmp_path / "a.bam", random_reads(1, 3000))
    data = bytearray(path.with_suffix(".bam.bai").read_bytes())
    return np.frombuffer(data, dtype=np.uint8), path.stat().st_size


BAI = IndexShape(14, 5, False)


def test_bins_are_those_of_the_specification() -> None:
    for shape in (BAI, IndexShape(12, 3, True)):
        shift, depth, _ = shape
        pick = random.Random(1)  # noqa: S311 - test data, no secret
        n_bins = ((1 << 3 * (depth + 1)) - 1) // 7
        for _ in range(300):
            number = pick.randrange(n_bins)
            start = bin_start(number, shape)
            end = bin_end(number, shape)
            assert start == bin_start.py_func(number, shape)
            assert end == bin_end.py_func(number, shape)
            assert number in bins_over(start, start + 1, shift, depth)
            assert number in bins_over(end - 1, end, shift, depth)
            assert number not in bins_over(end, end + 1, shift, depth)


def test_chunks_are_bounded_but_never_lost(
    index: tuple[NDArray[np.uint8], int],
) -> None:
    data, size = index
    layout = lay_out_index(data, 8, 3, BAI, size)
    assert layout.fault == INDEX_WHOLE
    plain = lay_out_index.py_func(data, 8, 3, BAI, size)
    assert plain.starts.tolist() == layout.starts.tolist()
    assert plain.edges.tolist() == layout.edges.tolist()
    assert plain.fault == layout.fault
    pick = random.Random(2)  # noqa: S311 - test data, no secret
    for _ in range(60):
        contig, start = pick.randrange(3), pick.randrange(300_000)
        region = (int(layout.starts[contig]), start, start + pick.randrange(1, 30_000))
        found = find_chunks(data, *region, BAI).chunks
        assert found.tolist() == find_chunks.py_func(data, *region, BAI).chunks.tolist()
        every = plain_chunks(data.tobytes(), contig, region[1], region[2])
        assert {tuple(row) for row in found.tolist()} <= set(every)


def test_old_indexes_leave_windows_empty(
    index: tuple[NDArray[np.uint8], int],
) -> None:
    data, size = index
    layout = lay_out_index(data, 8, 3, BAI, size)
    raw = bytearray(data.tobytes())
    at = int(layout.starts[1]) - 8 * ((300_000 >> 14) + 1)
    wanted = find_chunks(
        data, int(layout.starts[0]), 20_000, 20_500, BAI
    ).chunks.tolist()
    while at < int(layout.starts[1]):
        raw[at : at + 8] = bytes(8)
        at += 8
    emptied = np.frombuffer(raw, dtype=np.uint8)
    for find in (find_chunks, find_chunks.py_func):
        found = find(
            emptied, int(layout.starts[0]), 20_000, 20_500, BAI
        ).chunks.tolist()
        assert all(row in found for row in wanted)


@pytest.mark.parametrize("kind", ["bai", "csi"])
def test_every_offset_of_a_contig_is_known(tmp_path: Path, kind: str) -> None:
    path = write_bam(tmp_path / "a.bam", random_reads(4, 3000), index=kind)
    place = path.with_suffix(f".bam.{kind}")
    raw = bytearray(place.read_bytes() if kind == "bai" else inflate_all(place))
    data, parts = np.frombuffer(raw, dtype=np.uint8), split_index(bytes(raw))
    depth = 5 if kind == "bai" else struct.unpack_from("<i", raw, 8)[0]
    shape = IndexShape(14, depth, kind == "csi")
    at = len(parts.head) + 4
    starts = lay_out_index(data, at, 3, shape, path.stat().st_size).starts.tolist()
    for start, stop, contig in zip(
        starts, [*starts[1:], len(raw)], parts.contigs, strict=True
    ):
        expected = list(contig.windows)
        for one in contig.bins:
            if one.number != meta_bin.py_func(depth):
                expected += [n for chunk in one.chunks for n in chunk]
                expected += [one.loffset] if kind == "csi" else []
        for find in (known_offsets, known_offsets.py_func):
            assert sorted(find(data, start, stop, shape)) == sorted(expected)


def test_csi_and_bai_lead_to_the_same_reads(tmp_path: Path) -> None:
    path = write_bam(tmp_path / "a.bam", random_reads(4, 3000), index="csi")
    size = path.stat().st_size
    raw = bytearray(inflate_all(path.with_suffix(".bam.csi")))
    data = np.frombuffer(raw, dtype=np.uint8)
    shape = IndexShape(14, struct.unpack_from("<i", raw, 8)[0], True)
    (aux,) = struct.unpack_from("<i", raw, 12)
    for lay_out in (lay_out_index, lay_out_index.py_func):
        layout = lay_out(data, 20 + aux, 3, shape, size)
        assert layout.fault == INDEX_WHOLE
        (first, second), *others = layout.edges.tolist()
        assert 0 < first < second == others[0][0] < others[0][1]
        assert others[1] == [-1, -1]
        for find in (find_chunks, find_chunks.py_func):
            chunks = find(data, int(layout.starts[1]), 60_000, 60_200, shape).chunks
            assert len(chunks)
            assert (chunks[:, 0] < chunks[:, 1]).all()
