"""Tags and names of records, compiled and plain, against pysam and plain loops."""

from __future__ import annotations

import array
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mrdtrack.kernels import bam_records
from mrdtrack.kernels.bam_records import (
    NOT_AN_INTEGER,
    check_records,
    find_tag,
    hash_name,
    overlapping_end,
    quality_start,
    record_end,
    sequence_start,
    tag_array_span,
    tag_float,
    tag_integer,
    tag_text_span,
    tags_start,
)
from tests.counting_door.made_reads import (
    random_reads,
    raw_records,
    record,
    write_bam,
)

BOTH = ["compiled", "plain"]


def form(name: str, how: str) -> Callable[..., Any]:
    """Give a kernel compiled, or as plain Python."""
    compiled = getattr(bam_records, name)
    chosen: Callable[..., Any] = compiled if how == "compiled" else compiled.py_func
    return chosen


def bytes_of(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(bytearray(data), dtype=np.uint8)


TAGS: dict[str, tuple[Any, Any]] = {
    "XA": ("c", "A"),
    "Xc": (-5, "c"),
    "XC": (200, "C"),
    "Xs": (-500, "s"),
    "XS": (60_000, "S"),
    "Xi": (-70_000, "i"),
    "XI": (4_000_000_000, "I"),
    "Xf": (0.5, "f"),
    "XZ": ("some text", "Z"),
    "XE": ("", "Z"),
    "XH": ("1AE301", "H"),
}


@pytest.fixture
def tagged(tmp_path: Path) -> NDArray[np.uint8]:
    read = random_reads(1, 1)[0]
    for tag, (value, kind) in TAGS.items():
        read.set_tag(tag, value, value_type=kind)
    for kind in "bBhHiIf":
        read.set_tag(f"Y{kind}", array.array(kind, [1, 2, 3]))
    path = write_bam(tmp_path / "a.bam", [read], index="")
    return bytes_of(raw_records(path)[0])


@pytest.mark.parametrize("how", BOTH)
def test_every_kind_of_tag(tagged: NDArray[np.uint8], how: str) -> None:
    for tag, (value, _) in TAGS.items():
        at = form("find_tag", how)(tagged, 0, ord(tag[0]), ord(tag[1]))
        assert tagged[at : at + 2].tobytes() == tag.encode()
        start, stop = form("tag_text_span", how)(tagged, at)
        integer = form("tag_integer", how)(tagged, at)
        number = form("tag_float", how)(tagged, at)
        assert form("tag_array_span", how)(tagged, at) == (-1, 0, 0)
        if isinstance(value, str):
            assert tagged[start:stop].tobytes().decode() == value
            assert integer == NOT_AN_INTEGER
            assert math.isnan(number)
        else:
            assert (start, stop) == (-1, -1)
            assert number == value
            assert integer == (value if isinstance(value, int) else NOT_AN_INTEGER)
    assert form("find_tag", how)(tagged, 0, ord("N"), ord("O")) == -1


@pytest.mark.parametrize("how", BOTH)
def test_every_kind_of_array(tagged: NDArray[np.uint8], how: str) -> None:
    letters = dict(zip("bBhHiIf", "cCsSiIf", strict=True))
    for kind, letter in letters.items():
        at = form("find_tag", how)(tagged, 0, ord("Y"), ord(kind))
        start, count, element = form("tag_array_span", how)(tagged, at)
        assert (count, element) == (3, ord(letter))
        values = array.array(kind)
        values.frombytes(tagged[start : start + 3 * values.itemsize].tobytes())
        assert list(values) == [1, 2, 3]


@pytest.mark.parametrize("how", BOTH)
@pytest.mark.parametrize(
    "tags",
    [
        b"NM",
        b"NMC",
        b"NMi\1\2",
        b"NMZno end",
        b"NM?\0\0\0\0\0",
        b"NMBi\1\0\0",
        b"NMBi\xff\xff\xff\xff\0\0",
        b"NMBZ\1\0\0\0\0",
        b"XX?1NMC\1",
    ],
)
def test_malformed_tags_are_not_found(tags: bytes, how: str) -> None:
    data = bytes_of(record(tags=tags) + b"\1" * 20)
    assert form("find_tag", how)(data, 0, ord("N"), ord("M")) == -1


@given(st.binary(max_size=60), st.integers(65, 70), st.integers(65, 70))
def test_a_found_tag_lies_inside_its_record(tags: bytes, one: int, two: int) -> None:
    tags += bytes([one, two, 67, 9])
    data = bytes_of(record(tags=tags) + record())
    found = find_tag(data, 0, one, two)
    assert found == find_tag.py_func(data, 0, one, two)
    end = record_end(data, 0)
    assert found == -1 or tags_start(data, 0) <= found <= end - 4


@pytest.mark.parametrize("how", BOTH)
def test_where_the_parts_lie(how: str, tmp_path: Path) -> None:
    reads = random_reads(3, 40)
    path = write_bam(tmp_path / "a.bam", reads, index="")
    for read, raw in zip(reads, raw_records(path), strict=True):
        data = bytes_of(raw)
        assert form("record_end", how)(data, 0) == len(raw)
        at = form("quality_start", how)(data, 0)
        qualities = read.query_qualities
        if qualities is not None:
            assert list(data[at : at + len(qualities)]) == list(qualities)
        at = form("sequence_start", how)(data, 0)
        sequence = read.query_sequence or ""
        codes = [
            data[at + n // 2] >> (4 - n % 2 * 4) & 15 for n in range(len(sequence))
        ]
        assert "".join("=ACMGRSVTWYHKDBN"[code] for code in codes) == sequence
        end = form("overlapping_end", how)(data, 0)
        assert end == (read.reference_end or read.reference_start + 1)


def test_names_hash_alike_compiled_and_plain() -> None:
    for size in (0, 1, 7, 8, 9, 15, 16, 17, 100, 254):
        data = bytes_of(record(b"x" * size + b"\0"))
        assert int(hash_name(data, 0)) == hash_name.py_func(data, 0)


def test_names_of_a_run_do_not_collide() -> None:
    names = [
        f"M{lane}:1:{tile}:{x}:{y}"
        for lane in range(2)
        for tile in (1101, 2101)
        for x in range(1000, 11_000, 100)
        for y in range(1000, 20_000, 97)
    ]
    names += [f"{n:x}" for n in range(60_000)]
    hashes = {int(hash_name(bytes_of(record(n.encode() + b"\0")), 0)) for n in names}
    assert len(hashes) == len(set(names))
    assert len({value & 0xFFFF for value in hashes}) > 57_000
    assert len({value >> 48 for value in hashes}) > 57_000


LENGTHS = np.array([1000, 500], dtype=np.int64)


@given(
    st.lists(
        st.tuples(st.integers(-2, 2), st.integers(-2, 1001), st.integers(-1, 6)),
        max_size=5,
    ),
    st.booleans(),
    st.integers(0, 90),
)
def test_compiled_and_plain_checks_agree(
    fields: list[tuple[int, int, int]], ordered: bool, cut: int
) -> None:
    raw = b"".join(
        record(contig=contig, position=position, n_bases=n_bases)
        for contig, position, n_bases in fields
    )
    data = bytes_of(raw[: len(raw) - cut])
    arguments = (data, LENGTHS, ordered, 0, -1)
    assert check_records(*arguments) == check_records.py_func(*arguments)


def test_order_is_judged_over_chunks_and_unplaced_reads_stand_last() -> None:
    placed = bytes_of(record(contig=1, position=5))
    unplaced = bytes_of(record(contig=-1, position=-1))
    first = check_records(unplaced, LENGTHS, True, 0, -1)
    assert first.fault == bam_records.FAULT_NONE
    assert first.last_contig == bam_records.UNPLACED
    after = check_records(placed, LENGTHS, True, first.last_contig, first.last_position)
    assert after.fault == bam_records.FAULT_ORDER
    assert check_records(placed, LENGTHS, True, 1, 6).fault == bam_records.FAULT_ORDER
    assert check_records(placed, LENGTHS, True, 1, 5).n_records == 1
    assert check_records(placed, LENGTHS, False, 1, 6).n_records == 1


def test_a_long_cigar_that_contradicts_the_sequence() -> None:
    def made(operations: list[int]) -> NDArray[np.uint8]:
        words = b"".join(struct.pack("<I", word) for word in operations)
        tag = b"CGBI" + struct.pack("<i", len(operations)) + words
        return bytes_of(record(cigar=(4 << 4 | 4, 7 << 4 | 3), tags=tag))

    good = made([2 << 4, 3 << 4 | 2, 2 << 4])
    for check in (check_records, check_records.py_func):
        assert check(good, LENGTHS, True, 0, -1).n_records == 1
        wrong = check(made([2 << 4]), LENGTHS, True, 0, -1)
        assert wrong.fault == bam_records.FAULT_CIGAR_LENGTH
    assert overlapping_end(good, 0) == 17
    assert sequence_start(good, 0) < quality_start(good, 0) < tags_start(good, 0)
    assert tag_text_span(good, find_tag(good, 0, 67, 71)) == (-1, -1)
    assert tag_array_span(good, find_tag(good, 0, 67, 71))[1] == 3
    assert tag_integer(good, find_tag(good, 0, 67, 71)) == NOT_AN_INTEGER
    assert math.isnan(tag_float(good, find_tag(good, 0, 67, 71)))
