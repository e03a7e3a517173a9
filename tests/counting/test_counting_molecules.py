"""Molecules: fragments, reads, UMI families and consensus reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mrdtrack.counting.molecules import choose_grouping
from mrdtrack.counting.tally import is_amplicon
from mrdtrack.counting.told import join_observations
from tests.counting.builders import (
    GENOME,
    Read,
    classes,
    count,
    make_panel,
    snv,
    unlike,
    wild,
)

AT = 300
ALT = unlike(GENOME["chr1"][AT])
THIRD = unlike(GENOME["chr1"][AT], ALT)
PANEL = make_panel(snv(AT))
LONG = "ACGTTGCAACGTAC"


def tagged(name: str, umi: str, base: str | None = None, start: int = 250) -> Read:
    changes = {} if base is None else {AT: base}
    return wild(name, start, start + 100, changes, tags={"RX": umi})


def family(umi: str, votes: Sequence[str | None], start: int = 250) -> list[Read]:
    return [
        tagged(f"{umi}-{start}-{i}", umi, base, start) for i, base in enumerate(votes)
    ]


def test_a_family_is_one_molecule_and_votes(tmp_path: Path) -> None:
    reads = [
        *family("ACGTACGT", [ALT, ALT, ALT]),
        *family("GGTTCCAA", [None, None, ALT]),
        *family("TTTTGGGG", [ALT, None]),
        *family("CATGCATG", [THIRD]),
        *family("GAGAGAGA", [None]),
    ]
    counts = count(tmp_path, reads, PANEL)
    assert counts.molecule_mode == "umi"
    (row,) = counts.markers
    assert classes(row) == (1, 2, 1, 1)
    assert row.filters["records"] == row.filters["records_used"] == 10
    assert counts.family_sizes == {1: 2, 2: 1, 3: 2}


def test_duplicate_flags_mean_nothing_where_umis_are_counted(tmp_path: Path) -> None:
    reads = [tagged("a", "ACGTACGT", ALT), tagged("b", "GGTTCCAA")]
    reads.append(wild("c", 250, 350, flag=1024, tags={"RX": "TTCCTTCC"}))
    (row,) = count(tmp_path, reads, PANEL).markers
    assert classes(row) == (1, 2, 0, 0)
    assert row.filters["duplicate"] == 0


def test_small_families_are_left_out_and_counted(tmp_path: Path) -> None:
    reads = [
        *family("ACGTACGT", [ALT, ALT, ALT]),
        *family("GGTTCCAA", [None, None]),
        *family("TTAATTAA", [ALT]),
    ]
    (row,) = count(tmp_path, reads, PANEL, min_family_size=2).markers
    assert classes(row) == (1, 1, 0, 0)
    assert row.filters["small_family"] == 1


def test_an_error_in_the_umi_joins_the_commoner(tmp_path: Path) -> None:
    """Directional: a parent needs at least 2 n - 1 copies of the child's n."""
    reads = [
        *family("ACGTACGT", [ALT] * 3),
        *family("ACGTACGA", [ALT] * 2),
        *family("TTGGAACC", [ALT] * 2),
        *family("TTGGAACG", [ALT] * 2),
    ]
    (row,) = count(tmp_path, reads, PANEL).markers
    assert row.alt == 3


def test_short_umis_count_with_their_position_and_long_ones_alone(
    tmp_path: Path,
) -> None:
    short = [*family("ACGTACGT", [ALT], 250), *family("ACGTACGT", [ALT], 270)]
    short.append(tagged("other", "GGGGTTTT"))
    assert count(tmp_path, short, PANEL).markers[0].alt == 2
    long = [*family(LONG, [ALT], 250), *family(LONG, [ALT], 270)]
    long.append(tagged("other", LONG[::-1]))
    assert count(tmp_path, long, PANEL).markers[0].alt == 1


def test_a_constant_umi_is_no_umi(tmp_path: Path) -> None:
    reads = [
        replace(tagged(f"r{i}", "ACGTACGT", ALT if i < 4 else None), flag=1 | 8 | 64)
        for i in range(60)
    ]
    automatic = count(tmp_path, reads, PANEL)
    assert automatic.molecule_mode == "fragments"
    assert classes(automatic.markers[0]) == (4, 56, 0, 0)
    asked = count(tmp_path, reads, PANEL, molecules="umi")
    assert asked.molecule_mode == "fragments"
    assert [f.code for f in asked.quality if f.severity == "warning"] == [
        "constant_umi"
    ]
    assert asked.markers == automatic.markers


def test_the_users_tag_holds_the_umi(tmp_path: Path) -> None:
    reads = [
        wild(f"r{i}", 250, 350, tags={"RX": f"ACGTACG{x}", "BX": "GATTACA" + x})
        for i, x in enumerate("AAACCC")
    ]
    counts = count(tmp_path, reads, PANEL, umi_tag="BX", molecules="umi")
    assert counts.markers[0].ref == 2
    nothing = count(tmp_path, reads, PANEL, umi_tag="ZZ", molecules="umi")
    assert nothing.markers[0].ref == 6


def test_consensus_reads_are_molecules(tmp_path: Path) -> None:
    reads = [
        wild(f"c{i}", 250, 350, {AT: ALT} if i == 0 else {}, tags={"cD": 5, "MI": "7"})
        for i in range(4)
    ]
    counts = count(tmp_path, reads, PANEL)
    assert counts.molecule_mode == "consensus"
    assert classes(counts.markers[0]) == (1, 3, 0, 0)


def test_the_mode_is_chosen_from_the_reads(tmp_path: Path) -> None:
    single = [wild("a", 250, 350)]
    assert count(tmp_path, single, PANEL).molecule_mode == "reads"
    paired = [wild("a", 250, 350, flag=1 | 8 | 64)]
    assert count(tmp_path, paired, PANEL).molecule_mode == "fragments"
    assert count(tmp_path, [], PANEL).molecule_mode == "fragments"


def test_without_reads_nothing_is_said_of_duplicates() -> None:
    grouping = choose_grouping(join_observations([]), "umi")
    assert grouping.mode == "umi"
    assert grouping.findings == ()


@pytest.mark.parametrize(
    ("starts", "expected"),
    [([5] * 20, True), ([5] * 19, False), ([5] * 10 + list(range(10, 20)), False)],
)
def test_an_amplicon_is_told_by_its_starts(starts: list[int], expected: bool) -> None:
    assert is_amplicon(np.array(starts, np.int64)) is expected
