"""Counts of small variants: what each read says, and what it must not say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mrdtrack.counting.tally import signal_ratio
from mrdtrack.counts import MarkerCounts
from mrdtrack.panel.model import SmallVariant, Zygosity
from tests.counting.builders import (
    GENOME,
    RUN,
    Read,
    bases,
    classes,
    count,
    make_panel,
    snv,
    unlike,
    variant,
    wild,
)

AT = 300
REF = GENOME["chr1"][AT]
ALT = unlike(REF)
THIRD = unlike(REF, ALT)
COPY = GENOME["chr1"][AT - 4 : AT]
"""What stands before the place: inserted there it is a duplication, as in NPM1."""


def one_row(
    folder: Path, reads: list[Read], marker: dict[str, Any], **settings: Any
) -> MarkerCounts:
    counts = count(folder, reads, make_panel(marker), **settings)
    (row,) = counts.markers
    assert row.filters["records"] == sum(
        n for name, n in row.filters.items() if name not in {"records", "small_family"}
    )
    return row


def test_an_snv_is_counted_base_by_base(tmp_path: Path) -> None:
    reads = [
        wild("alt", 250, 350, {AT: ALT}),
        wild("alt-reverse", 260, 360, {AT: ALT}, flag=16),
        *(wild(f"ref{i}", 251 + i, 350 + i) for i in range(4)),
        wild("ref-reverse", 260, 360, flag=16),
        wild("third", 255, 350, {AT: THIRD}),
        wild("poor", 256, 350, {AT: ALT}, quality=10),
        wild("elsewhere", 400, 480),
    ]
    row = one_row(tmp_path, reads, snv(AT))
    assert classes(row) == (2, 5, 1, 1)
    assert row.molecules == 9
    assert (row.alt_forward, row.alt_reverse) == (1, 1)
    assert (row.ref_forward, row.ref_reverse) == (4, 1)
    assert (row.denominator, row.denominator_kind) == (8, "molecules_at_locus")
    before, after = GENOME["chr1"][AT - 1], GENOME["chr1"][AT + 1]
    assert row.error_class == f"{before}[{REF}>{ALT}]{after}"
    assert row.assessable
    assert row.reason == ""


def test_the_first_and_the_last_base_of_a_read_count(tmp_path: Path) -> None:
    reads = [
        wild("first", AT, AT + 100, {AT: ALT}),
        wild("last", AT - 99, AT + 1, {AT: ALT}),
        wild("first-ref", AT, AT + 100),
        wild("last-ref", AT - 99, AT + 1),
        wild("too-late", AT + 1, AT + 100),
        wild("too-early", AT - 99, AT),
    ]
    assert classes(one_row(tmp_path, reads, snv(AT))) == (2, 2, 0, 0)


def test_a_deletion_over_the_place_is_neither_allele(tmp_path: Path) -> None:
    held = bases("chr1", 250, 297) + bases("chr1", 304, 350)
    reads = [
        Read(name="gone", bases=held, start=250, cigar="47M7D46M"),
        wild("ref", 250, 350),
    ]
    assert classes(one_row(tmp_path, reads, snv(AT))) == (0, 1, 0, 1)


def test_a_base_that_is_not_called_says_nothing(tmp_path: Path) -> None:
    reads = [wild("n", 250, 350, {AT: "N"}), wild("ref", 250, 350)]
    row = one_row(tmp_path, reads, snv(AT))
    assert (row.alt, row.ref) == (0, 1)


def test_a_change_of_two_bases_needs_both(tmp_path: Path) -> None:
    both = {AT: ALT, AT + 1: unlike(GENOME["chr1"][AT + 1])}
    marker = variant(AT, bases("chr1", AT, AT + 2), "".join(both.values()))
    reads = [
        wild("both", 250, 350, both),
        wild("half", 250, 350, {AT: ALT}),
        wild("ref", 250, 350),
    ]
    row = one_row(tmp_path, reads, marker)
    assert row.error_class == "mnv"
    assert (row.alt, row.ref) == (1, 1)
    assert (row.ambiguous or 0) + (row.other or 0) == 1


def inserted(name: str, start: int, end: int, letters: str) -> Read:
    """Make a read of [start, end) with letters put in before AT."""
    held = bases("chr1", start, AT) + letters + bases("chr1", AT, end)
    cigar = f"{AT - start}M{len(letters)}I{end - AT}M"
    return Read(name=name, bases=held, start=start, cigar=cigar)


@pytest.mark.parametrize(
    ("own", "shown"),
    [
        ("CCTG", "TCTG"),
        ("TCTG", "CCTG"),
        ("TCTGACGT", "TCTGACCT"),
        ("T", "G"),
        (COPY, unlike(COPY[0]) + COPY[1:]),
        (COPY, COPY[:-1] + unlike(COPY[-1])),
    ],
)
def test_an_insertion_of_other_bases_is_another_allele(
    tmp_path: Path, own: str, shown: str
) -> None:
    """NPM1 types A and D differ in one of four bases; a poor base tells nothing."""
    base = GENOME["chr1"][AT - 1]
    (differs,) = [i for i in range(len(own)) if own[i] != shown[i]]
    qualities = [37] * (100 + len(own))
    qualities[50 + differs] = 11
    reads = [
        *(inserted(f"own{i}", 250 + i, 350, own) for i in range(3)),
        *(inserted(f"other{i}", 250 + i, 350, shown) for i in range(40)),
        wild("ref", 250, 350),
    ]
    row = one_row(tmp_path, reads, variant(AT - 1, base, base + own))
    assert classes(row) == (3, 1, 0, 40)
    poor = [replace(inserted("poor", 250, 350, shown), quality=qualities)]
    row = one_row(tmp_path, poor, variant(AT - 1, base, base + own))
    assert row.alt == 1


@pytest.mark.parametrize("changed", ["two of three", "a third base"])
def test_part_of_a_change_is_another_allele(tmp_path: Path, changed: str) -> None:
    places = (AT, AT + 1, AT + 2)
    alt = {at: unlike(GENOME["chr1"][at]) for at in places}
    shown = dict(alt)
    if changed == "two of three":
        del shown[AT + 1]
    else:
        shown[AT + 1] = unlike(GENOME["chr1"][AT + 1], alt[AT + 1])
    quality = [36] * 100
    quality[51] = 34
    reads = [
        wild("alt", 250, 350, alt),
        wild("other", 250, 350, shown, quality=quality),
        wild("ref", 250, 350),
    ]
    marker = variant(AT, bases("chr1", AT, AT + 3), "".join(alt.values()))
    assert classes(one_row(tmp_path, reads, marker)) == (1, 1, 0, 1)


def test_a_small_insertion(tmp_path: Path) -> None:
    letters = "TCTG"
    base = GENOME["chr1"][AT - 1]
    reads = [
        inserted("alt", 250, 350, letters),
        replace(inserted("clipped", 250, 350, letters), cigar="50M54S"),
        *(wild(f"ref{i}", 250 + i, 350 + i) for i in range(3)),
        inserted("other", 250, 350, "GACCAGA"),
        wild("ends-short", 220, AT + 1),
    ]
    row = one_row(tmp_path, reads, variant(AT - 1, base, base + letters))
    assert (row.alt, row.ref, row.ambiguous) == (2, 3, 1)
    assert row.other == 1
    assert row.error_class.startswith("ins4:h")


def test_a_deletion_in_a_run_of_equal_bases(tmp_path: Path) -> None:
    low, high = RUN
    held = bases("chr1", 560, low) + bases("chr1", low + 1, 650)
    reads = [
        Read(name="left", bases=held, start=560, cigar=f"{low - 560}M1D{649 - low}M"),
        Read(
            name="right", bases=held, start=560, cigar=f"{high - 561}M1D{650 - high}M"
        ),
        *(wild(f"ref{i}", 560 + i, 650) for i in range(3)),
        wild("inside", 530, high - 1),
    ]
    row = one_row(tmp_path, reads, variant(high - 2, "AA", "A"))
    assert classes(row) == (2, 3, 0, 0)
    assert row.filters["not_at_marker"] == 1
    assert row.error_class == "del1:h8"


@pytest.mark.parametrize("size", [10, 17])
def test_a_long_insertion_is_a_junction(tmp_path: Path, size: int) -> None:
    letters = "TTGCAGGATCCATGACC"[:size]
    base = GENOME["chr1"][AT - 1]
    reads = [
        inserted("alt", 250, 350, letters),
        replace(
            inserted("clipped-left", 250, 350, letters),
            start=AT,
            cigar=f"{50 + size}S50M",
        ),
        wild("ref", 240, 350),
        wild("short", 210, AT + 2),
    ]
    row = one_row(tmp_path, reads, variant(AT - 1, base, base + letters))
    assert classes(row) == (2, 1, 1, 0)
    assert row.error_class == "junction"


def test_a_delins_that_keeps_the_length_has_a_class(tmp_path: Path) -> None:
    row = one_row(
        tmp_path,
        [wild("ref", 250, 350)],
        variant(AT, bases("chr1", AT, AT + 3), turned_over(AT, 3)),
    )
    assert (row.ref, row.error_class) == (1, "mnv")


def turned_over(start: int, size: int) -> str:
    return "".join(unlike(base) for base in bases("chr1", start, start + size))


def test_a_marker_that_no_read_reaches_is_not_assessable(tmp_path: Path) -> None:
    row = one_row(tmp_path, [wild("far", 900, 1000)], snv(AT))
    assert not row.assessable
    assert row.reason == "no molecule reached the marker"
    assert row.denominator == 0


def test_bases_below_the_least_quality_are_named_as_the_reason(tmp_path: Path) -> None:
    ref = bases("chr1", AT, AT + 1)
    reads = [wild(f"poor{i}", 250, 350, quality=10) for i in range(3)]
    insertion = variant(AT, ref, ref + "ACGTACGTACGTACG")
    row = one_row(tmp_path, [*reads, wild("far", 500, 600)], insertion)
    assert row.reason_code == "low_base_quality"
    assert row.filters["low_base_quality"] == 3
    assert row.filters["records_used"] == 0
    heard = one_row(tmp_path, reads, insertion, min_base_quality=7)
    assert (heard.ref, heard.reason) == (3, "")


def test_reads_that_cannot_tell_leave_it_not_assessable(tmp_path: Path) -> None:
    row = one_row(tmp_path, [wild("poor", 250, 350, quality=3)], snv(AT))
    assert classes(row) == (0, 0, 1, 0)
    assert not row.assessable
    assert row.reason == "no molecule could tell the marker from the reference"


def pair(name: str, first: dict[int, str], second: dict[int, str]) -> list[Read]:
    return [
        wild(name, 230, 330, first, flag=99, mate=("chr1", 270)),
        wild(name, 270, 370, second, flag=147, mate=("chr1", 230)),
    ]


def test_mates_that_overlap_are_one_molecule(tmp_path: Path) -> None:
    reads = [
        *pair("agree", {AT: ALT}, {AT: ALT}),
        *pair("ref", {}, {}),
        *pair("contradict", {AT: ALT}, {}),
    ]
    counts = count(tmp_path, reads, make_panel(snv(AT)))
    (row,) = counts.markers
    assert counts.molecule_mode == "fragments"
    assert classes(row) == (1, 1, 1, 0)
    assert row.filters["records"] == row.filters["records_used"] == 6
    assert (row.alt_forward, row.alt_reverse) == (1, 0)


def test_mates_are_two_where_reads_are_counted(tmp_path: Path) -> None:
    reads = [*pair("agree", {AT: ALT}, {AT: ALT}), *pair("contradict", {AT: ALT}, {})]
    counts = count(tmp_path, reads, make_panel(snv(AT)), molecules="reads")
    assert counts.molecule_mode == "reads"
    assert classes(counts.markers[0]) == (3, 1, 0, 0)


def test_filters_claim_each_record_once(tmp_path: Path) -> None:
    reads = [
        wild("good", 250, 350),
        wild("fail", 250, 350, flag=512),
        wild("fail-and-duplicate", 250, 350, flag=512 | 1024),
        wild("duplicate", 250, 350, flag=1024),
        wild("secondary", 250, 350, flag=256),
        wild("low", 250, 350, mapping_quality=5),
        wild("low-duplicate", 250, 350, flag=1024, mapping_quality=5),
    ]
    row = one_row(tmp_path, reads, snv(AT))
    assert row.molecules == 1
    assert {name: row.filters[name] for name in ("qc_fail", "duplicate")} == {
        "qc_fail": 2,
        "duplicate": 2,
    }
    assert row.filters["secondary"] == 1
    assert row.filters["low_mapping_quality"] == 1
    assert row.filters["records"] == 7
    assert row.filters["records_used"] == 1


def test_thresholds_are_the_users(tmp_path: Path) -> None:
    reads = [wild("a", 250, 350, {AT: ALT}, quality=12, mapping_quality=5)]
    panel = make_panel(snv(AT))
    assert classes(count(tmp_path, reads, panel).markers[0]) == (0, 0, 0, 0)
    heard = count(tmp_path, reads, panel, min_mapping_quality=5)
    assert classes(heard.markers[0]) == (0, 0, 1, 0)
    clear = count(tmp_path, reads, panel, min_mapping_quality=5, min_base_quality=12)
    assert classes(clear.markers[0]) == (1, 0, 0, 0)


def test_duplicate_flags_of_amplicons_are_not_used(tmp_path: Path) -> None:
    reads = [wild(f"d{i}", 250, 350, flag=1024) for i in range(9)]
    reads += [wild("first", 250, 350, {AT: ALT})]
    counts = count(tmp_path, reads, make_panel(snv(AT)))
    assert classes(counts.markers[0]) == (1, 9, 0, 0)
    (finding,) = [f for f in counts.quality if f.code == "duplicates_kept"]
    assert finding.message.startswith("90% of the reads")
    reads += [wild(f"more{i}", 250, 350) for i in range(3)]
    counts = count(tmp_path, reads, make_panel(snv(AT)))
    assert classes(counts.markers[0]) == (1, 3, 0, 0)
    assert not [f for f in counts.quality if f.code == "duplicates_kept"]


def test_where_the_reference_is_unknown_nothing_is_assessed(tmp_path: Path) -> None:
    from mrdtrack.counting.count import count_reads
    from mrdtrack.counting.settings import CountingSettings
    from mrdtrack.panel.reference import Reference
    from tests.counting.builders import write_reads, write_reference

    genome = dict(GENOME)
    one = genome["chr1"]
    genome["chr1"] = one[:270] + "N" * 26 + one[296:]
    fasta = write_reference(tmp_path / "n.fa", genome)
    path = write_reads(tmp_path / "none.bam", [])
    base = one[AT - 2]
    marker = variant(AT - 2, base, base + "ACGTGACTGACCATG")
    with Reference(fasta) as reference:
        counts = count_reads(path, make_panel(marker), reference, CountingSettings())
    (row,) = counts.markers
    assert row.reason == "the reference is unknown (N) at the marker"
    assert counts.sample == "none"


@pytest.mark.parametrize(
    ("zygosity", "ratio"),
    [(None, 1.0), ("heterozygous", 1.0), ("homozygous", 2.0), ("hemizygous", 2.0)],
)
def test_zygosity_says_how_much_a_cell_shows(
    zygosity: Zygosity | None, ratio: float
) -> None:
    marker = SmallVariant(
        id="m",
        kind="small_variant",
        contig="chr1",
        position=5,
        ref="A",
        alt="C",
        zygosity=zygosity,
    )
    assert signal_ratio(marker) == ratio
