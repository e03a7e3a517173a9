"""The background against dictionaries of positions and bases."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.counting.settings import CountingSettings, build_read_filter
from mrdtrack.counting.targets import build_targets, encode_bases
from mrdtrack.kernels.arrays import Bytes
from mrdtrack.kernels.background import BackgroundCounts, tally_rows
from mrdtrack.kernels.bases import PIECE
from mrdtrack.kernels.groups import group_rows, number_names
from mrdtrack.kernels.hearing import hear_records
from mrdtrack.kernels.stretches import StretchArrays, indel_code
from tests import naive
from tests.kernels.test_kernels_sequences import chunk_of
from tests.naive import Read

FILTER = build_read_filter(CountingSettings())
LOWS, HIGHS = [10, 30], [20, 36]


def ints(values: list[int]) -> np.typing.NDArray[np.int64]:
    return np.array(values, np.int64)


def stretches_of(lows: list[int], highs: list[int], expected: Bytes) -> StretchArrays:
    first = np.cumsum([0, *(h - low for low, h in zip(lows, highs, strict=True))])
    contigs = ints([0] * len(lows))
    return StretchArrays(contigs, ints(lows), ints(highs), first, expected)


EXPECTED = np.array([0, 1, 2, 3] * 4, np.uint8)
NO_TARGETS = build_targets([], {})
STRETCHES = stretches_of(LOWS, HIGHS, EXPECTED)


def tally(
    reads: list[Read],
    least: int = 1,
    stretches: StretchArrays = STRETCHES,
    *,
    one_family: bool = False,
    plain: bool = False,
) -> BackgroundCounts:
    hear = hear_records.py_func if plain else hear_records
    count = tally_rows.py_func if plain else tally_rows
    facts, _, rows, _ = hear(chunk_of(reads), NO_TARGETS, stretches, FILTER, 20)
    rows = rows._replace(codes=np.append(rows.codes, np.zeros(PIECE, np.uint8)))
    of_record, n_names = number_names(facts.name)
    number = of_record[rows.row]
    heard = np.ones(len(number), np.uint8)
    order = group_rows(rows.stretch, number, heard, 2, n_names)
    family = np.zeros_like(number) if one_family else number
    return count(rows, order, family, number, stretches, least)


def shown(
    counts: BackgroundCounts, stretches: StretchArrays = STRETCHES
) -> dict[tuple[int, str], int]:
    ends = zip(stretches.low.tolist(), stretches.high.tolist(), strict=True)
    places = [p for low, high in ends for p in range(low, high)]
    return {
        (places[row], "ACGT"[base]): int(counts.bases[row, base])
        for row, base in np.argwhere(counts.bases).tolist()
    }


def expected(
    reads: list[Read], stretches: StretchArrays = STRETCHES
) -> dict[tuple[int, str], int]:
    ends = zip(stretches.low.tolist(), stretches.high.tolist(), strict=True)
    return {
        key: number
        for low, high in ends
        for key, number in naive.background_bases(reads, low, high).items()
    }


@st.composite
def aligned_reads(draw: st.DrawFn) -> list[Read]:
    reads = []
    for _ in range(draw(st.integers(0, 6))):
        sizes = draw(st.lists(st.integers(1, 9), min_size=2, max_size=4))
        cigar: list[tuple[str, int]] = []
        for size in sizes:
            between = draw(st.sampled_from("IDNS")) if cigar else "S"
            between = "D" if between == "S" and cigar else between
            cigar += [(between, draw(st.integers(1, 4))), ("M", size)]
        length = sum(size for letter, size in cigar if letter in "MIS")
        bases = draw(st.text("ACGTN", min_size=length, max_size=length))
        name = draw(st.sampled_from("abc"))
        reads.append(Read(bases, tuple(cigar), draw(st.integers(0, 34)), name))
    return reads


@given(aligned_reads())
def test_bases_are_those_of_dictionaries(reads: list[Read]) -> None:
    for plain in (False, True):
        assert shown(tally(reads, plain=plain)) == expected(reads)


@given(aligned_reads())
def test_order_of_reads_changes_nothing(reads: list[Read]) -> None:
    first, second = tally(reads), tally(reads[::-1])
    assert first.bases.tolist() == second.bases.tolist()
    assert first.indels.tolist() == second.indels.tolist()


def test_indels_stand_behind_their_base() -> None:
    cigars = [(("M", 4), (letter, 2), ("M", 4)) for letter in "ID"]
    for cigar, code in zip(cigars, (2, 12), strict=True):
        length = 10 if code == 2 else 8
        counts = tally([Read("A" * length, cigar, 11)])
        assert np.argwhere(counts.indels).tolist() == [[4, code]]


def test_long_indels_have_no_code() -> None:
    assert [indel_code(1, 9), indel_code(2, 9), indel_code(1, 10)] == [9, 19, 0]


def test_filtered_reads_and_poor_bases_say_nothing() -> None:
    good = Read("ACGTA", (("M", 5),), 12)
    poor = [
        good._replace(flag=0x200),
        good._replace(flag=0x100),
        good._replace(flag=0x800),
        good._replace(mapping_quality=1),
        good._replace(quality=19),
        good._replace(contig=1),
        good._replace(contig=-1),
    ]
    for read in poor:
        assert shown(tally([read])) == {}
    assert len(shown(tally([good]))) == 5


def test_families_vote_and_small_ones_are_left_out() -> None:
    cigar = (("M", 1),)
    reads = [
        Read(base, cigar, 12, name) for base, name in zip("AAC", "xyz", strict=True)
    ]
    assert shown(tally(reads, one_family=True)) == {(12, "A"): 1}
    assert shown(tally(reads[1:], one_family=True)) == {}
    assert shown(tally(reads[:2], 3, one_family=True)) == {}


def test_more_reads_than_a_buffer_holds() -> None:
    reads = [Read("G", (("M", 1),), 12, f"r{i}") for i in range(1100)]
    assert shown(tally(reads)) == {(12, "G"): 1100}
    reads += [Read("A", (("M", 1),), 12, f"a{i}") for i in range(600)]
    reads += [Read("C", (("M", 1),), 31, f"s{i}") for i in range(300)]
    assert shown(tally(reads)) == {(12, "G"): 1100, (12, "A"): 600, (31, "C"): 300}


REFERENCE = "ACGTTGCAGGATCCATTACGGATA" * 12
WIDE = stretches_of(
    [10, 60],
    [40, 236],
    encode_bases(REFERENCE[10:40] + "N" * 12 + REFERENCE[72:236]),
)
"""A stretch of less than a piece before a longer one that begins with unknown bases."""


@st.composite
def long_reads(draw: st.DrawFn) -> list[Read]:
    reads = []
    for _ in range(draw(st.integers(1, 8))):
        start, length = draw(st.integers(0, 150)), draw(st.integers(20, 138))
        bases = list(REFERENCE[start : start + length])
        for at in draw(st.lists(st.integers(0, length - 1), max_size=4)):
            bases[at] = draw(st.sampled_from("ACGTN"))
        name = draw(st.sampled_from("abcd"))
        reads.append(Read("".join(bases), (("M", length),), start, name))
    return reads


@given(long_reads())
def test_long_reads_are_counted_in_pieces(reads: list[Read]) -> None:
    for plain in (False, True):
        found = tally(reads, stretches=WIDE, plain=plain)
        assert shown(found, WIDE) == expected(reads, WIDE)


@given(long_reads())
def test_families_of_long_reads_vote_position_by_position(reads: list[Read]) -> None:
    counts = [
        tally(reads, stretches=WIDE, one_family=True, plain=plain)
        for plain in (False, True)
    ]
    by_position: dict[int, dict[str, int]] = {}
    for (position, base), number in expected(reads, WIDE).items():
        by_position.setdefault(position, {})[base] = number
    agreed = {
        (position, base): 1
        for position, votes in by_position.items()
        for base, number in votes.items()
        if 3 * number >= 2 * sum(votes.values())
    }
    assert [shown(found, WIDE) for found in counts] == [agreed, agreed]


def test_what_differs_far_from_what_differs_is_counted() -> None:
    stretches = stretches_of([0], [200], np.zeros(200, np.uint8))
    bases = np.array(list("A" * 200))
    bases[[0, 63, 64, 65, 127, 128, 199]] = list("CGTCGTC")
    bases[[1, 150]] = "N"
    reads = [Read("".join(bases), (("M", 200),), 0)]
    for plain in (False, True):
        counts = tally(reads, stretches=stretches, plain=plain)
        for position, base in enumerate(bases):
            expected = np.array([base == letter for letter in "ACGT"])
            assert counts.bases[position].tolist() == expected.tolist()
