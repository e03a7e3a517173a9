"""Reads and neighbours that mislead counters: splicing, germline, other alleles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.counting.builders import (
    GENOME,
    Read,
    breakpoint_of,
    classes,
    count,
    duplication,
    make_panel,
    unlike,
    variant,
    wild,
)

ONE, TWO = GENOME["chr1"], GENOME["chr2"]
AT = 300
ALT = unlike(ONE[AT])
SNV = variant(AT, ONE[AT], ALT)
DOUBLED = (900, 945)


def told(folder: Path, reads: list[Read], marker: dict[str, Any]) -> tuple[Any, ...]:
    (row,) = count(folder, reads, make_panel(marker)).markers
    return classes(row)


def spliced(name: str, exon: str, start: int, gap: int, second: str) -> Read:
    cigar = f"{len(exon)}M{gap}N{len(second)}M"
    return Read(name=name, bases=exon + second, start=start, cigar=cigar)


def test_a_spliced_read_is_counted_in_its_exons_and_not_in_its_intron(
    tmp_path: Path,
) -> None:
    behind = ONE[500:550]
    reads = [
        spliced("alt", ONE[270:AT] + ALT + ONE[AT + 1 : 320], 270, 180, behind),
        spliced("ref", ONE[270:320], 270, 180, behind),
        spliced("over", ONE[200:250], 200, 250, behind),
    ]
    assert told(tmp_path, reads, SNV) == (1, 1, 0, 0)


def test_a_spliced_read_shows_a_duplication_in_its_exon(tmp_path: Path) -> None:
    low, high = DOUBLED
    joined = ONE[high - 40 : high] + ONE[low : low + 20]
    reads = [
        Read(
            name="alt",
            bases=ONE[700:740] + joined,
            start=700,
            cigar=f"40M{high - 40 - 740}N40M20S",
        ),
    ]
    alt, ref, _, other = told(tmp_path, reads, duplication(*DOUBLED))
    assert (alt, ref, other) == (1, 0, 0)


@pytest.mark.parametrize(
    "marker",
    [
        duplication(*DOUBLED),
        variant(869, ONE[869], ONE[869] + "TCTG"),
        variant(884, ONE[884:910], ONE[884]),
        breakpoint_of(("chr1", 890, "+"), ("chr2", 401, "-")),
    ],
)
def test_a_marker_in_an_intron_is_not_reached(
    tmp_path: Path, marker: dict[str, Any]
) -> None:
    reads = [spliced("over", ONE[800:860], 800, 140, ONE[1000:1050])]
    assert told(tmp_path, reads, marker) == (0, 0, 0, 0)


def test_a_third_allele_in_an_exon_is_seen_in_a_spliced_read(tmp_path: Path) -> None:
    exon = ONE[800:870] + "GATTACA" + ONE[870:900]
    cigar = "70M7I30M100N50M"
    other = Read(name="o", bases=exon + ONE[1000:1050], start=800, cigar=cigar)
    marker = variant(869, ONE[869], ONE[869] + "TCTG")
    assert told(tmp_path, [other], marker) == (0, 0, 0, 1)


def test_the_other_base_of_two_at_one_place_is_another_allele(tmp_path: Path) -> None:
    third = unlike(ONE[AT], ALT)
    reads = [
        wild("alt", 250, 350, {AT: ALT}),
        wild("third", 250, 350, {AT: third}),
        wild("ref", 250, 350),
    ]
    assert told(tmp_path, reads, SNV) == (1, 1, 0, 1)
    assert told(tmp_path, reads, variant(AT, ONE[AT], third)) == (1, 1, 0, 1)


@pytest.mark.parametrize("end", [AT + 3, AT + 1])
def test_a_base_two_from_the_end_of_a_read_is_heard(tmp_path: Path, end: int) -> None:
    reads = [
        wild("alt", end - 100, end, {AT: ALT}),
        wild("ref", end - 100, end),
        wild("first", AT, AT + 100, {AT: ALT}),
    ]
    assert told(tmp_path, reads, SNV) == (2, 1, 0, 0)


@pytest.mark.parametrize("beside", [-12, -6, 6, 12])
def test_a_germline_base_in_the_flank_hides_no_class(
    tmp_path: Path, beside: int
) -> None:
    """The patient's own SNP lies on mutant and wild-type molecules alike."""

    def changed(at: int) -> str:
        place = at + beside
        return ONE[:place] + unlike(ONE[place]) + ONE[place + 1 :]

    def pair(mutant: str, start: int, cigar: str, wild_type: str) -> list[Read]:
        return [
            Read(name="alt", bases=mutant, start=start, cigar=cigar),
            Read(name="ref", bases=wild_type, start=start),
        ]

    one = changed(500)
    inserted = one[440:500] + "TCTG" + one[500:560]
    reads = pair(inserted, 440, "60M4I60M", one[440:560])
    marker = variant(499, ONE[499], ONE[499] + "TCTG")
    assert told(tmp_path, reads, marker) == (1, 1, 0, 0)

    one = changed(700)
    reads = pair(one[640:700] + one[725:785], 640, "60M25D60M", one[640:760])
    marker = variant(699, ONE[699:725], ONE[699])
    assert told(tmp_path, reads, marker) == (1, 1, 0, 0)

    one = changed(1300)
    reads = pair(one[1240:1300] + TWO[400:460], 1240, "60M60S", one[1240:1360])
    marker = breakpoint_of(("chr1", 1300, "+"), ("chr2", 401, "-"))
    assert told(tmp_path, reads, marker) == (1, 1, 0, 0)

    low, high = DOUBLED
    one = changed(high)
    reads = pair(
        one[high - 60 : high] + one[low : low + 60], high - 60, "60M60S", one[860:980]
    )
    alt, _, ambiguous, other = told(tmp_path, reads, duplication(low, high))
    assert (alt, ambiguous, other) == (1, 0, 0)


def test_members_of_a_family_that_disagree_show_nothing(tmp_path: Path) -> None:
    reads = [
        wild(
            f"{family}{i}",
            250,
            350,
            {AT: ALT} if i < n_alt else None,
            tags={"RX": umi},
        )
        for family, umi, n_alt in (
            ("split", "ACGTACGTACGT", 2),
            ("mostly", "TTGCATTGCAAC", 3),
            ("none", "GGACTTCAGCTA", 0),
        )
        for i in range(4)
    ]
    (row,) = count(tmp_path, reads, make_panel(SNV), molecules="umi").markers
    assert classes(row) == (1, 1, 1, 0)
