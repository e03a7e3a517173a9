"""Counts of duplications, deletions and translocations, whatever the aligner wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mrdtrack.counts import MarkerCounts
from tests.counting.builders import (
    GENOME,
    Read,
    bases,
    breakpoint_of,
    classes,
    count,
    duplication,
    make_panel,
    turned,
    variant,
    wild,
)

ONE, TWO = GENOME["chr1"], GENOME["chr2"]


def one_row(folder: Path, reads: list[Read], marker: dict[str, Any]) -> MarkerCounts:
    (row,) = count(folder, reads, make_panel(marker)).markers
    assert row.molecules == sum(n or 0 for n in classes(row))
    claimed = {k: n for k, n in row.filters.items() if k != "records"}
    assert row.filters["records"] == sum(claimed.values())
    return row


def cut(letters: str, at: int, before: int, after: int) -> str:
    """Take bases on either side of a place."""
    return letters[at - before : at + after]


@pytest.mark.parametrize("size", [21, 75])
def test_a_duplication_in_every_spelling_of_the_aligner(
    tmp_path: Path, size: int
) -> None:
    start, end = 800, 800 + size
    mutant = ONE[:end] + ONE[start:]
    reads = [
        Read(
            name="insertion",
            bases=cut(mutant, end, 40 + size, size + 40),
            start=start - 40,
            cigar=f"{40 + size}M{size}I40M",
        ),
        Read(
            name="clip-right",
            bases=cut(mutant, end, 60, 60),
            start=end - 60,
            cigar="60M60S",
        ),
        Read(
            name="clip-left",
            bases=cut(mutant, end, 60, 60),
            start=start,
            cigar="60S60M",
        ),
        wild("spanning", start - 60, end + 60),
        wild("inside", start + 2, end - 2),
        wild("left-edge", start - 60, start + 12),
        wild("right-edge", end - 12, end + 60),
    ]
    row = one_row(tmp_path, reads, duplication(start, end))
    assert (row.alt, row.ref) == (3, 1)
    assert row.other == 0
    assert row.denominator_kind == "flank"
    assert row.error_class == "junction"
    assert (row.denominator or 0) >= 3


def test_a_read_that_ends_in_the_duplication_is_never_reference(tmp_path: Path) -> None:
    reads = [
        *(wild(f"in{i}", 760 + i, 860 + i) for i in range(0, 12, 3)),
        *(wild(f"out{i}", 805 + i, 905 + i) for i in range(0, 12, 3)),
    ]
    row = one_row(tmp_path, reads, duplication(800, 875))
    assert classes(row) == (0, 0, 8, 0)
    assert (row.ref_left, row.ref_right) == (4, 4)
    assert (row.denominator, row.assessable) == (4, True)


def test_a_duplication_without_reads_at_its_edges(tmp_path: Path) -> None:
    row = one_row(tmp_path, [wild("in", 803, 870)], duplication(800, 875))
    assert not row.assessable
    assert row.reason.startswith("no molecule")


def test_a_filler_is_part_of_the_duplication(tmp_path: Path) -> None:
    filler = "ATTCGTG"
    mutant = ONE[:875] + filler + ONE[800:]
    reads = [
        Read(name="with", bases=cut(mutant, 875, 50, 57), start=825, cigar="50M57S"),
        Read(
            name="without",
            bases=ONE[825:875] + ONE[800:850],
            start=825,
            cigar="50M50S",
        ),
        wild("ref", 740, 940),
    ]
    row = one_row(tmp_path, reads, duplication(800, 875, filler))
    assert (row.alt, row.ref) == (1, 1)
    base = ONE[874]
    spelt = variant(874, base, base + filler + bases("chr1", 800, 875))
    assert classes(one_row(tmp_path, reads, spelt)) == classes(row)


def test_a_short_duplication_with_a_long_filler_is_a_junction(tmp_path: Path) -> None:
    filler = "CATTGCAGA"
    mutant = ONE[:809] + filler + ONE[800:]
    reads = [
        Read(name="alt", bases=mutant[750:868], start=750, cigar="59M18I41M"),
        wild("ref", 750, 868),
    ]
    row = one_row(tmp_path, reads, duplication(800, 809, filler))
    assert (row.alt, row.ref, row.error_class) == (1, 1, "junction")


def test_an_amplicon_over_the_duplication_counts_what_spans_it(tmp_path: Path) -> None:
    mutant = ONE[:821] + ONE[800:]
    reads = [wild(f"ref{i}", 740, 880) for i in range(30)]
    reads += [
        Read(name=f"alt{i}", bases=mutant[740:901], start=740, cigar="81M21I59M")
        for i in range(3)
    ]
    row = one_row(tmp_path, reads, duplication(800, 821))
    assert classes(row) == (3, 30, 0, 0)
    assert (row.denominator_kind, row.denominator) == ("molecules_at_locus", 33)


def test_a_duplication_too_long_to_span_has_no_reference_reads(tmp_path: Path) -> None:
    mutant = ONE[:1700] + ONE[500:]
    reads = [
        Read(name="alt", bases=cut(mutant, 1700, 50, 50), start=1650, cigar="50M50S"),
        *(wild(f"left{i}", 440 + i, 560 + i) for i in range(3)),
        *(wild(f"right{i}", 1640 + i, 1760 + i) for i in range(3)),
    ]
    row = one_row(tmp_path, reads, duplication(500, 1700))
    assert classes(row) == (1, 0, 6, 0)
    assert (row.denominator_kind, row.denominator) == ("flank", 3)


@pytest.mark.parametrize("size", [20, 52, 300])
def test_a_deletion(tmp_path: Path, size: int) -> None:
    start, end = 800, 800 + size
    mutant = ONE[:start] + ONE[end:]
    held = cut(mutant, start, 50, 50)
    reads = [
        Read(name="gap", bases=held, start=750, cigar=f"50M{size}D50M"),
        Read(name="skip", bases=held, start=750, cigar=f"50M{size}N50M"),
        Read(name="clip-right", bases=held, start=750, cigar="50M50S"),
        Read(name="clip-left", bases=held, start=end, cigar="50S50M"),
        *(wild(f"left{i}", start - 50 - i, start + 50) for i in range(2)),
        *(wild(f"right{i}", end - 50, end + 50 + i) for i in range(2)),
    ]
    row = one_row(
        tmp_path, reads, variant(start - 1, ONE[start - 1 : end], ONE[start - 1])
    )
    assert row.alt == 4
    assert row.ref == 4
    assert row.denominator_kind == "molecules_at_locus"
    if size >= 52:
        assert (row.ref_left, row.ref_right, row.denominator) == (2, 2, 6)


def test_unequal_sides_of_a_breakpoint_take_the_deeper(tmp_path: Path) -> None:
    marker = breakpoint_of(("chr1", 800, "+"), ("chr2", 401, "-"))
    reads = [wild(f"l{i}", 750 - i, 850) for i in range(7)]
    reads += [wild(f"r{i}", 350, 450 + i, contig="chr2") for i in range(3)]
    reads += [
        Read(name="alt", bases=ONE[750:800] + TWO[400:450], start=750, cigar="50M50S")
    ]
    row = one_row(tmp_path, reads, marker)
    assert (row.ref_left, row.ref_right) in {(7, 3), (3, 7)}
    assert row.denominator == 1 + 7


STRANDS = [("+", "-"), ("+", "+"), ("-", "-"), ("-", "+")]


def kept(side: str, strand: str, contig: str, position: int, size: int) -> str:
    """Give the bases kept at one end, as the joined sequence reads them."""
    letters = GENOME[contig]
    if (side, strand) in {("left", "+"), ("right", "+")}:
        held = letters[position - size : position]
        return held if side == "left" else turned(held)
    held = letters[position - 1 : position - 1 + size]
    return turned(held) if side == "left" else held


@pytest.mark.parametrize(("left", "right"), STRANDS)
@pytest.mark.parametrize("filler", ["", "GA"])
def test_a_translocation_in_every_orientation(
    tmp_path: Path, left: str, right: str, filler: str
) -> None:
    marker = breakpoint_of(("chr1", 800, left), ("chr2", 400, right), filler)
    one = kept("left", left, "chr1", 800, 50)
    two = kept("right", right, "chr2", 400, 50)
    joined = one + filler + two
    as_chr1 = joined if left == "+" else turned(joined)
    as_chr2 = joined if right == "-" else turned(joined)
    clip = 50 + len(filler)
    at_one = (750, f"50M{clip}S") if left == "+" else (799, f"{clip}S50M")
    at_two = (399, f"{clip}S50M") if right == "-" else (350, f"50M{clip}S")
    reverse = 16 * ((left == "+") != (right == "-"))
    one_tag = {
        "SA": f"chr2,{at_two[0] + 1},{'-' if reverse else '+'},{at_two[1]},60,0;"
    }
    two_tag = {"SA": f"chr1,{at_one[0] + 1},+,{at_one[1]},60,0;"}

    def on_one(name: str, **more: Any) -> Read:
        start, cigar = at_one
        return Read(name=name, bases=as_chr1, start=start, cigar=cigar, **more)

    def on_two(name: str, **more: Any) -> Read:
        start, cigar = at_two
        return Read(
            name=name, bases=as_chr2, contig="chr2", start=start, cigar=cigar, **more
        )

    reads = [
        on_one("clip-one"),
        on_two("clip-two"),
        on_one("split", tags=one_tag),
        on_two("split", tags=two_tag, flag=2048 | reverse),
        on_one("secondary", tags=one_tag),
        on_two("secondary", tags=two_tag, flag=256 | reverse),
        wild("anchored", 640, 740, flag=1 | 8 | 64, mate=("chr1", 640)),
        Read(
            name="anchored",
            bases=joined,
            start=640,
            flag=1 | 4 | 128,
            mapping_quality=0,
            mate=("chr1", 640),
        ),
        wild("ref-one", 750, 850),
        wild("ref-two", 350, 450, contig="chr2"),
    ]
    row = one_row(tmp_path, reads, marker)
    assert row.alt == 5
    assert row.ref == 2
    assert row.denominator == 5 + 1
    assert row.kind == "breakpoint"


def test_a_record_that_is_only_secondary_is_not_heard(tmp_path: Path) -> None:
    marker = breakpoint_of(("chr1", 800, "+"), ("chr2", 401, "-"))
    held = ONE[750:800] + TWO[400:450]
    reads = [Read(name="s", bases=held, start=750, cigar="50M50S", flag=256)]
    row = one_row(tmp_path, reads, marker)
    assert classes(row) == (0, 0, 0, 0)
    assert row.filters["secondary"] == 1


def unlike_in_all(one: str, other: str) -> bool:
    return all(a != b for a, b in zip(one, other, strict=False))


@pytest.mark.parametrize(
    ("beyond", "quality", "counted"), [(2, 37, 0), (4, 37, 1), (4, 12, 0)]
)
def test_few_good_bases_beyond_a_junction_carry_it(
    tmp_path: Path, beyond: int, quality: int, counted: int
) -> None:
    to = next(
        at for at in range(400, 500) if unlike_in_all(ONE[799:803], TWO[at - 1 :])
    )
    marker = breakpoint_of(("chr1", 800, "+"), ("chr2", to + 1, "-"))
    read = Read(
        name="short",
        bases=ONE[720:800] + TWO[to : to + beyond],
        start=720,
        cigar=f"80M{beyond}S",
        quality=[37] * 80 + [quality] * beyond,
    )
    row = one_row(tmp_path, [read], marker)
    assert (row.alt, row.ref) == (counted, 0)


def test_an_adapter_at_a_junction_is_no_evidence(tmp_path: Path) -> None:
    """Where the mutant sequence goes on like an adapter, a few bases prove nothing."""
    marker = breakpoint_of(("chr1", 800, "+"), ("chr2", 401, "-"), inserted="AGATC")
    adapter = "AGATCGGAAGAGC"
    reads = [
        Read(
            name=f"adapter{n}",
            bases=ONE[720:800] + adapter[:n],
            start=720,
            cigar=f"80M{n}S",
        )
        for n in (3, 5, 6)
    ]
    held = ONE[720:800] + "AGATC" + TWO[400:404]
    reads.append(Read(name="junction", bases=held, start=720, cigar="80M9S"))
    assert one_row(tmp_path, reads, marker).alt == 1
