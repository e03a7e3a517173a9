"""Counting as the reads go by against counting at the end, which holds all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mrdtrack.counting import count as count_module
from mrdtrack.counting import gathering as gathering_module
from mrdtrack.counting.chunk_work import Work, unchanged
from mrdtrack.counting.freed_memory import give_back_memory, keep_freed_memory
from mrdtrack.counting.gathering import Pending
from mrdtrack.counting.held import Held, join_shown, nothing_held, split_held
from mrdtrack.counting.index_file import Region
from mrdtrack.counting.reads_file import ReadsFile, open_reads
from mrdtrack.counting.relay import relay
from mrdtrack.counting.told import (
    MOST_RECORDS,
    Mask,
    join_claims,
    join_rows,
    told_by,
)
from mrdtrack.counts import SampleCounts
from mrdtrack.errors import InputError
from mrdtrack.kernels.arrays import Bytes, Claims, Facts, Observations
from mrdtrack.kernels.bases import PIECE
from mrdtrack.kernels.stretches import BackgroundRows
from tests.counting.builders import (
    Read,
    bases,
    breakpoint_of,
    count,
    make_panel,
    snv,
    wild,
)

PANEL = make_panel(
    {**snv(300), "group": "near"},
    {**snv(340), "group": "near"},
    breakpoint_of(("chr1", 500, "+"), ("chr2", 600, "-")),
    {**snv(1500), "group": "far"},
    {**snv(1200), "group": "far"},
    {**snv(1580), "group": "far"},
    snv(200, "chr2"),
)


def random_reads(seed: int, *, umis: bool) -> list[Read]:
    """Draw pairs over both contigs, some of them duplicates, failed or unmapped."""
    rng = np.random.default_rng(seed)
    reads = []
    for i in range(400):
        contig, size = ("chr1", 2000) if rng.random() < 0.7 else ("chr2", 1000)
        start = int(rng.integers(0, size - 160))
        tags = {"RX": "".join(rng.choice(list("ACGT"), 6))} if umis else {}
        for at, flag in ((start, 99), (start + 50, 147)):
            extra = int(rng.choice([0, 0, 0, 0, 0x400, 0x200]))
            changes = {at + 7: "A"} if rng.random() < 0.3 else {}
            read = wild(
                f"r{i}", at, at + 100, changes, contig=contig, flag=flag | extra
            )
            reads.append(replace(read, tags=tags))
    return reads


def one_by_one(chunks: Iterator[Bytes]) -> Iterator[Bytes]:
    """Cut chunks into chunks of a few records."""
    for chunk in chunks:
        starts, at = [0], 0
        while at < len(chunk):
            at += 4 + int.from_bytes(chunk[at : at + 4].tobytes(), "little")
            starts.append(at)
        for low, high in zip(starts[:-1:3], [*starts[3::3], starts[-1]], strict=False):
            if high > low:
                yield chunk[low:high].copy()


@pytest.fixture
def in_small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ReadsFile.worked

    def cut(
        self: ReadsFile, regions: Sequence[Region] | None, work: Work[Any]
    ) -> Iterator[Any]:
        chunks = whole(self, regions, Work(unchanged, unchanged, 1))
        return relay(one_by_one(chunks), unchanged, work.take, work.work, work.threads)

    monkeypatch.setattr(ReadsFile, "worked", cut)


def counted(folder: Path, reads: list[Read], **settings: Any) -> SampleCounts:
    folder.mkdir(exist_ok=True)
    return count(folder, reads, PANEL, **settings)


@pytest.mark.usefixtures("in_small_chunks")
@pytest.mark.parametrize("molecules", ["fragments", "reads", "umi", None])
@pytest.mark.parametrize("scan", [False, True])
def test_counting_by_the_way_is_counting_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, molecules: str | None, scan: bool
) -> None:
    reads = random_reads(5, umis=molecules != "reads")
    monkeypatch.setattr(gathering_module, "DECIDING_ROWS", 40)
    settings = {"molecules": molecules, "scan": scan}
    at_end = counted(tmp_path / "end", reads, **settings)
    monkeypatch.setattr(gathering_module, "HELD_ROWS", 0)
    passed = []
    take = Pending.take

    def watched(self: Pending, place: tuple[int, int]) -> Mask:
        new = take(self, place)
        passed.append(int(new.sum()))
        return new

    monkeypatch.setattr(Pending, "take", watched)
    by_the_way = counted(tmp_path / "way", reads, **settings)
    assert by_the_way == at_end
    assert [group.assessable for group in at_end.groups] == [True, True]
    assert sum(n > 0 for n in passed) > 3
    assert sum(row.molecules or 0 for row in at_end.markers) > 50


@pytest.mark.usefixtures("in_small_chunks")
@pytest.mark.parametrize("molecules", ["fragments", "umi"])
def test_any_number_of_threads_counts_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, molecules: str
) -> None:
    reads = random_reads(8, umis=True)
    monkeypatch.setattr(gathering_module, "DECIDING_ROWS", 40)
    monkeypatch.setattr(gathering_module, "HELD_ROWS", 0)
    held = {"kind": "sequence", "sequence": bases("chr1", 700, 740)}
    panel = make_panel(snv(300), snv(200, "chr2"), held)
    told = [
        count(tmp_path, reads, panel, molecules=molecules, threads=threads)
        for threads in (1, 2, 4)
    ]
    assert told[1] == told[0]
    assert told[2] == told[0]


@pytest.mark.usefixtures("in_small_chunks")
def test_a_file_that_only_claims_to_be_sorted_is_read_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = random_reads(6, umis=False)
    expected = counted(tmp_path / "sorted", reads)
    order = np.random.default_rng(1).permutation(len(reads)).tolist()
    shuffled = [reads[i] for i in order]
    monkeypatch.setattr(gathering_module, "HELD_ROWS", 0)
    monkeypatch.setattr(gathering_module, "DECIDING_ROWS", 0)

    def claims(path: Path, reference: Path | None, mate: Path | None) -> ReadsFile:
        opened = open_reads(path, reference, mate)
        opened.header = replace(opened.header, sort_order="coordinate")
        return opened

    monkeypatch.setattr(count_module, "open_reads", claims)
    found = counted(tmp_path / "mixed", shuffled, indexed=False)
    assert found.markers == expected.markers
    assert found.background == expected.background


def test_unsorted_from_the_start_is_held_to_the_end(tmp_path: Path) -> None:
    reads = random_reads(7, umis=False)
    expected = counted(tmp_path / "sorted", reads)
    found = counted(tmp_path / "mixed", reads[::-1], indexed=False)
    assert found.markers == expected.markers


def test_places_are_passed_once() -> None:
    pending = Pending(np.array([0, 0, 1]), np.array([10, 20, 5]))
    assert pending.take((0, 9)).tolist() == [False, False, False]
    assert pending.take((0, 10)).tolist() == [True, False, False]
    assert pending.take((1, 4)).tolist() == [False, True, False]
    assert pending.rest().tolist() == [False, False, True]
    assert pending.take((0xFFFFFFFF, -1)).tolist() == [False, False, True]


def held_part() -> Held:
    """Hold three records: each has a claim, and they show rows of 2, 1 and 3 codes."""
    each, narrow = np.arange(3), np.arange(3, dtype=np.int32)
    claims = Claims(
        narrow, np.array([0, 1, 0], np.int32), np.zeros(3), np.zeros(3, np.uint8)
    )
    rows = BackgroundRows(
        row=narrow,
        stretch=np.array([0, 1, 0], np.int32),
        offset=narrow,
        code_start=np.array([0, 2, 3, 6]),
        codes=np.array([1, 1, 2, 3, 3, 3], np.uint8),
    )
    return Held(Facts(each + 7, each, each, narrow), claims, rows)


def chosen(*markers_or_stretches: bool) -> Mask:
    return np.array(markers_or_stretches)


def test_what_is_held_is_parted() -> None:
    held = held_part()
    taken, kept = split_held([held], chosen(True, False), chosen(False, True))
    assert [part.claims.row.tolist() for part in (*taken, *kept)] == [[0, 2], [1]]
    assert [part.rows.row.tolist() for part in (*taken, *kept)] == [[1], [0, 2]]
    codes = [part.rows.codes.tolist() for part in (*taken, *kept)]
    assert codes == [[2], [1, 1, 3, 3, 3]]
    assert kept[0].rows.code_start.tolist() == [0, 2, 5]
    both, none = chosen(True, True), chosen(False, False)
    assert split_held([held], both, both) == ([held], [])
    assert split_held([held], none, none) == ([], [held])
    taken, kept = split_held([held], none, both)
    assert [len(part.claims.row) for part in (*taken, *kept)] == [0, 3]
    assert [len(part.rows.row) for part in (*taken, *kept)] == [3, 0]


def types_of(held: Held) -> list[str]:
    return [column.dtype.str for part in held for column in part]


def test_what_is_held_is_joined_with_the_facts_of_its_records() -> None:
    part, parts = held_part(), [held_part(), held_part()]
    claims = join_claims([part.claims, part.claims], [3, 3])
    facts, rows = join_shown(parts)
    assert parts == []
    assert facts.name[rows.row].tolist() == [7, 8, 9, 7, 8, 9]
    assert facts.name[claims.row].tolist() == [7, 8, 9, 7, 8, 9]
    assert claims.marker.tolist() == [0, 1, 0, 0, 1, 0]
    assert rows.code_start.tolist() == [0, 2, 3, 6, 8, 9, 12]
    assert rows.codes[:-PIECE].tolist() == 2 * part.rows.codes.tolist()
    for found in (Held(facts, claims, rows), nothing_held()):
        assert types_of(found) == types_of(part)


def test_more_records_than_four_bytes_number_are_refused() -> None:
    rows = [np.zeros(1, np.int32)] * 2
    assert join_rows(rows, [MOST_RECORDS - 1, 1]).tolist() == [0, MOST_RECORDS - 1]
    with pytest.raises(InputError, match="sort the reads by position"):
        join_rows(rows, [MOST_RECORDS, 1])
    with pytest.raises(InputError, match="fewer markers at once"):
        join_rows([np.broadcast_to(rows[0], MOST_RECORDS + 1)], [1])
    many = np.broadcast_to(np.zeros(1, np.int64), MOST_RECORDS + 1)
    with pytest.raises(InputError, match="sort the reads by position"):
        told_by(Observations(many, many, many, many, np.zeros(1), many))


def test_memory_is_kept_where_the_c_library_can_be_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Foreign:
        """A C library without mallopt."""

    assert keep_freed_memory() in {True, False}
    monkeypatch.setattr("ctypes.CDLL", lambda name: Foreign())
    assert keep_freed_memory() is False
    give_back_memory()
