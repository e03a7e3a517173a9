"""Counts where reads have gaps of their own, or go on in an adapter."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest

from tests.counting.builders import (
    GENOME,
    Read,
    breakpoint_of,
    classes,
    count,
    duplication,
    make_panel,
    variant,
)

ONE, TWO = GENOME["chr1"], GENOME["chr2"]


def without(letters: str, *places: int) -> str:
    """Drop single bases."""
    return "".join(base for i, base in enumerate(letters) if i not in places)


def test_a_read_that_lost_a_base_beside_the_join_is_counted(tmp_path: Path) -> None:
    joined = ONE[740:800] + TWO[400:460]
    reads = [
        Read(name="alt", bases=without(joined, 66), start=740, cigar="60M59S"),
        Read(name="alt2", bases=without(joined, 30), start=740, cigar="30M1D29M60S"),
        Read(
            name="ref",
            bases=without(ONE[740:860], 66),
            start=740,
            cigar="66M1D53M",
        ),
    ]
    marker = breakpoint_of(("chr1", 800, "+"), ("chr2", 401, "-"))
    (row,) = count(tmp_path, reads, make_panel(marker)).markers
    assert classes(row) == (2, 1, 0, 0)


def gapped(name: str, letters: str, lost: tuple[int, ...], insertion: int) -> Read:
    """Make a read of chr1 from 500 without some bases, as an aligner writes it.

    `insertion` bases stand at 300 of the letters and nowhere in the reference.
    """
    steps = ["D" if i in lost else "M" for i in range(len(letters))]
    steps[300 : 300 + insertion] = ["I"] * insertion
    runs = [(letter, len(list(run))) for letter, run in groupby(steps)]
    cigar = "".join(f"{size}{letter}" for letter, size in runs)
    return Read(name=name, bases=without(letters, *lost), start=500, cigar=cigar)


def test_a_long_read_with_many_gaps_tells_a_small_insertion(tmp_path: Path) -> None:
    mutant = ONE[500:800] + "TCTG" + ONE[800:1100]
    lost = (40, 90, 150, 210, 270, 293, 312, 350, 420, 480, 540)
    reads = [
        gapped("alt", mutant, lost, 4),
        gapped("ref", ONE[500:1104], lost, 0),
    ]
    marker = variant(799, ONE[799], ONE[799] + "TCTG")
    (row,) = count(tmp_path, reads, make_panel(marker)).markers
    assert classes(row) == (1, 1, 0, 0)


@pytest.mark.parametrize("longer", [-3, 3])
def test_a_duplication_of_another_length_is_another_allele(
    tmp_path: Path, longer: int
) -> None:
    other = ONE[: 845 + longer] + ONE[800:]
    reads = [
        Read(
            name=f"other{i}",
            bases=other[785 + i : 905 + i],
            start=785 + i,
            cigar=f"{60 + longer - i}M{60 - longer + i}S",
        )
        for i in range(0, 20, 5)
    ]
    (row,) = count(tmp_path, reads, make_panel(duplication(800, 845))).markers
    assert (row.alt, row.ref) == (0, 0)
    assert row.other == 4


@pytest.mark.parametrize("tail", ["AGATCGGAAGAGCACACGTCTGAAC", "G" * 24])
def test_an_adapter_beside_the_join_is_no_other_allele(
    tmp_path: Path, tail: str
) -> None:
    reads = [
        Read(
            name="ref",
            bases=ONE[740:820] + tail,
            start=740,
            cigar=f"80M{len(tail)}S",
        ),
        Read(
            name="short",
            bases=ONE[740:800] + tail,
            start=740,
            cigar=f"60M{len(tail)}S",
        ),
        Read(
            name="other",
            bases=ONE[740:800] + "TTGACCATTGCATCCAGGTCAATC",
            start=740,
            cigar="60M24S",
        ),
    ]
    marker = breakpoint_of(("chr1", 800, "+"), ("chr2", 401, "-"))
    (row,) = count(tmp_path, reads, make_panel(marker)).markers
    assert classes(row) == (0, 1, 0, 1)


def test_a_run_one_base_short_beside_an_inserted_base_is_another_allele(
    tmp_path: Path,
) -> None:
    """A read of Genome in a Bottle (varlociraptor, test_giab_08) as an aligner left it.

    The marker puts a G into GGGGGCGGG behind the C. The read has GGGGCGGGG: it lacks
    a base beside the marker, or is the reference with C and G changed over.
    """
    before, after = "TCTCCGCCCACTGCGGTGGGGGAGT", "CTCAGGG"
    genome = GENOME["chr1"]
    low = 1000
    reference = genome[:low] + before + "GGGGGCGGG" + after + genome[low:]
    start = low - 60
    shown = {"alt": "GGGGGCGGGG", "ref": "GGGGGCGGG", "other": "GGGGCGGGG"}
    reads = [
        Read(
            name=name,
            bases=(reference[start:low] + before + letters + after + genome[low:])[
                :120
            ],
            start=start,
            cigar="91M1I28M" if name == "alt" else None,
        )
        for name, letters in shown.items()
    ]
    place = low + len(before) + 5
    marker = variant(place, "C", "CG")
    chromosomes = {**GENOME, "chr1": reference[: len(genome)]}
    (row,) = count(tmp_path, reads, make_panel(marker), genome=chromosomes).markers
    assert classes(row) == (1, 1, 0, 1)
