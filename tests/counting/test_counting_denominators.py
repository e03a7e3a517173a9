"""Denominators of long insertions and of amplicons."""

from __future__ import annotations

from pathlib import Path

from tests.counting.builders import (
    GENOME,
    Read,
    count,
    duplication,
    make_panel,
    variant,
    wild,
)

ONE, TWO = GENOME["chr1"], GENOME["chr2"]


def test_an_insertion_counts_as_many_more_of_the_wild_type(tmp_path: Path) -> None:
    inserted = "CATTGCAGAGTCCATACGTTGGACA"
    mutant = ONE[:800] + inserted + ONE[800:]
    reads = [
        Read(name="left", bases=mutant[740:816], start=740, cigar="60M16S"),
        Read(name="right", bases=mutant[810:885], start=800, cigar="15S60M"),
        wild("place", 740, 820),
        wild("beyond", 740, 860),
    ]
    marker = variant(799, ONE[799], ONE[799] + inserted)
    (row,) = count(tmp_path, reads, make_panel(marker)).markers
    assert (row.alt, row.ref) == (2, 2)
    assert row.denominator == 2 + 2 + 1


def test_an_amplicon_whose_reads_cannot_show_the_duplication(tmp_path: Path) -> None:
    reads = [wild(f"l{i}", 740, 880) for i in range(30)]
    reads += [wild(f"r{i}", 850, 990, flag=16) for i in range(25)]
    (row,) = count(tmp_path, reads, make_panel(duplication(800, 950))).markers
    assert not row.assessable
    assert row.denominator == 0
    assert row.reason.startswith("no molecule could tell")


def test_an_amplicon_where_only_mutant_reads_show_the_join(tmp_path: Path) -> None:
    mutant = ONE[:950] + ONE[800:]
    reads = [wild(f"w{i}", 740, 962) for i in range(30)]
    reads += [
        Read(name=f"m{i}", bases=mutant[740:962], start=740, cigar="210M12S")
        for i in range(10)
    ]
    (row,) = count(tmp_path, reads, make_panel(duplication(800, 950))).markers
    assert (row.alt, row.ref) == (10, 30)
    assert row.denominator == 40
