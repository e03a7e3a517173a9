"""Advice on markers before follow-up: each finding where it belongs only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.lab.simulate_reference import InventedReference
from mrdtrack.panel.advice import (
    ReadsFacts,
    advise,
    denominator_of,
    edits_between,
)
from mrdtrack.panel.model import SCHEMA, Panel
from mrdtrack.panel.reference import Reference

JUNCTION = "TGTGCGAGAGACCCTTATTATCATGATAGTAACTATGACCTCCACCACTGG"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Reference]:
    """A reference with a repeat at 500 and 1500, and a run of eight at 1000."""
    invented = InventedReference({"c1": 3000}, seed=21)
    invented.place("c1", 999, "GAAAAAAAAC")
    invented.place("c1", 1500, invented.fetch("c1", 440, 560))
    invented.write(tmp_path / "r.fa")
    with Reference(tmp_path / "r.fa") as reference:
        yield reference


def panel_of(*markers: dict[str, Any]) -> Panel:
    return Panel.model_validate(
        {"schema": SCHEMA, "patient": "P", "marker": list(markers)}
    )


def sequence(name: str, bases: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": "sequence", "sequence": bases, **more}


def snv(name: str, position: int, ref: str, **more: Any) -> dict[str, Any]:
    alt = {"A": "C", "C": "G", "G": "T", "T": "A"}[ref]
    place = {"contig": "c1", "position": position, "ref": ref, "alt": alt}
    return {"id": name, "kind": "small_variant", **place, **more}


def itd(name: str, start: int, end: int) -> dict[str, Any]:
    place = {"contig": "c1", "start": start, "end": end}
    return {"id": name, "kind": "duplication", **place}


def codes(*args: Any, **kwargs: Any) -> set[str]:
    found = {advice.code for advice in advise(*args, **kwargs)}
    return found - {"background_class", "denominator"}


def test_a_sound_marker_is_only_described(opened: Reference) -> None:
    panel = panel_of(snv("a", 2500, opened.fetch("c1", 2499, 2500)))
    assert codes(panel, opened, ReadsFacts(150)) == set()
    assert codes(panel) == set()
    told = {advice.code: advice.message for advice in advise(panel)}
    assert "molecules_at_locus" in told["denominator"]
    assert "class trans" in told["background_class"]


def test_repeats_runs_and_common_variants(opened: Reference) -> None:
    repeated = panel_of(snv("a", 500, opened.fetch("c1", 499, 500)))
    assert codes(repeated, opened) == {"repetitive"}
    run = snv("a", 1004, opened.fetch("c1", 1003, 1004))
    assert codes(panel_of(run), opened) == set()
    assert codes(panel_of({**run, "alt": "AA"}), opened) == {"homopolymer"}
    plain = panel_of(snv("a", 2500, opened.fetch("c1", 2499, 2500)))
    common = {"c1": [100, 2510]}
    assert codes(plain, opened, None, common) == {"near_common_variant"}


def test_a_marker_at_the_end_of_its_contig_is_judged(opened: Reference) -> None:
    panel = panel_of(snv("a", 3000, opened.fetch("c1", 2999, 3000)))
    assert codes(panel, opened) == set()


def test_a_join_in_a_long_repeat_has_homology(opened: Reference) -> None:
    """The copy of 440-560 stands at 1500: joining both ends leaves 60 bases alike."""
    ends = {
        "left": {"contig": "c1", "position": 500, "strand": "+"},
        "right": {"contig": "c1", "position": 1561, "strand": "-"},
    }
    panel = panel_of({"id": "b", "kind": "breakpoint", **ends})
    assert "long_homology" in codes(panel, opened)


def test_reads_that_cannot_carry_or_span(opened: Reference) -> None:
    panel = panel_of(itd("itd", 2000, 2149), sequence("igh", JUNCTION, locus="IGH"))
    assert codes(panel, opened, ReadsFacts(250)) == set()
    assert codes(panel, opened, ReadsFacts(150)) == {"duplication_too_long_to_span"}
    assert codes(panel, opened, ReadsFacts(40)) == {
        "duplication_too_long_to_span",
        "reads_too_short",
    }
    joined = panel_of(sequence("fusion", JUNCTION, join=20))
    assert codes(joined, opened, ReadsFacts(40)) == set()
    tiny = panel_of(snv("a", 2500, opened.fetch("c1", 2499, 2500)))
    assert codes(tiny, opened, ReadsFacts(20)) == {"reads_too_short"}


def test_denominators() -> None:
    panel = panel_of(
        itd("itd", 2000, 2149),
        sequence("igh", JUNCTION, locus="IGH"),
        sequence("fusion", JUNCTION),
    )
    kinds = [denominator_of(marker, 150) for marker in panel.marker]
    assert kinds == ["flank", "locus_reads", "molecules_at_locus"]
    assert denominator_of(panel.marker[0], None) == "molecules_at_locus"


def test_clonotypes_that_are_short_or_near_each_other() -> None:
    near = JUNCTION[:20] + JUNCTION[21:]
    panel = panel_of(
        sequence("a", JUNCTION), sequence("b", near), sequence("c", "ACGTACGTTGCA")
    )
    found = [advice for advice in advise(panel) if advice.severity == "warning"]
    assert [(advice.marker, advice.code) for advice in found] == [
        ("c", "short_sequence"),
        ("b", "near_another_clonotype"),
    ]
    assert "1 edit from 'a'" in found[1].message


def test_neighbours_without_a_group() -> None:
    alone = panel_of(snv("a", 100, "A"), snv("b", 180, "A"), snv("c", 400, "A"))
    assert codes(alone) == {"not_independent"}
    assert codes(alone, None, ReadsFacts(50)) == set()
    group = panel_of(snv("a", 100, "A", group="g"), snv("b", 180, "A", group="g"))
    assert codes(group) == set()


@given(st.text("ACGT", max_size=12), st.text("ACGT", max_size=12))
def test_edits_are_those_of_the_plain_recursion(first: str, second: str) -> None:
    def slow(a: str, b: str) -> int:
        if not a or not b:
            return len(a) + len(b)
        if a[0] == b[0]:
            return slow(a[1:], b[1:])
        return 1 + min(slow(a[1:], b), slow(a, b[1:]), slow(a[1:], b[1:]))

    first, second = first[:6], second[:6]
    distance = slow(first, second)
    expected = distance if distance <= 2 else None
    assert edits_between(first, second, most=2) == expected
