"""Which markers are proposed, in what order, and what is said of them as a set."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from mrdtrack.panel.importers.outcome import Candidate, Elsewhere
from mrdtrack.panel.importers.selection import (
    advise_selection,
    background_of,
    propose,
)
from mrdtrack.panel.model import Marker

MARKERS: TypeAdapter[Marker] = TypeAdapter(Marker)


def variant(ref: str = "C", alt: str = "A", **more: Any) -> Candidate:
    place = {"kind": "small_variant", "contig": "c", "position": 5}
    fields = {"id": f"{ref}>{alt}", **place, "ref": ref, "alt": alt, **more}
    return Candidate(MARKERS.validate_python(fields), "record 1")


def clone(name: str, locus: str | None, share: float, **more: Any) -> Candidate:
    fields = {"id": name, "kind": "sequence", "sequence": "ACGT" * 10, "locus": locus}
    return Candidate(MARKERS.validate_python({**fields, **more}), "line 2", share=share)


@pytest.mark.parametrize(
    ("ref", "alt", "class_"),
    [
        ("C", "T", "transition"),
        ("CA", "TA", "transition"),
        ("ACG", "ATG", "transition"),
        ("CA", "AA", "transversion"),
        ("CA", "TG", "multi-base"),
        ("CA", "C", "indel"),
        ("C", "CTCTG", "indel"),
        ("C", "C" + "ACGTA" * 3, "junction"),
    ],
)
def test_the_background_class_is_that_of_the_bases_that_change(
    ref: str, alt: str, class_: str
) -> None:
    assert background_of(variant(ref, alt).marker) == class_


def test_cleaner_classes_lead_and_small_clones_follow() -> None:
    found = propose(
        [
            variant("C", "T", vaf_at_diagnosis=0.45),
            variant("C", "CTCTG", vaf_at_diagnosis=0.44),
            variant("C", "C" + "ACGTA" * 4, vaf_at_diagnosis=0.07),
            variant("C", "A", vaf_at_diagnosis=0.2),
            variant("C", "G", vaf_at_diagnosis=0.02),
        ]
    )
    assert [proposal.rank for proposal in found] == [3, 1, 4, 2, None]
    assert "a subclone beside 0.45" in found[3].reason
    assert "subclone" not in found[1].reason
    assert "may vanish by itself" in found[4].reason


def test_genes_are_told_with_what_is_known_of_them() -> None:
    found = propose(
        [
            variant("C", "A", gene="TET2"),
            variant("C", "G", gene="NRAS"),
            variant("A", "C", gene="DDX41"),
            variant("A", "T", role="report_only"),
        ]
    )
    reasons = [proposal.reason for proposal in found]
    assert "clonal haematopoiesis" in reasons[0]
    assert "NRAS mutations can be lost at relapse" in reasons[1]
    assert "DDX41 variants can be germline" in reasons[2]
    assert reasons[3] == "it is to be reported only"
    assert [proposal.rank for proposal in found] == [None, 1, 2, None]


def test_what_another_sample_shows_is_told() -> None:
    seen = variant()._replace(elsewhere=Elsewhere("normal", 0.25))
    trace = variant("A", "C")._replace(elsewhere=Elsewhere("normal", 0.24))
    found = propose([seen, trace])
    assert [proposal.rank for proposal in found] == [None, 1]
    assert "normal shows it at 0.24" in found[1].reason


def test_shares_are_measured_within_their_own_locus() -> None:
    found = propose(
        [
            clone("a", "IGH", 0.9, untemplated=12),
            clone("b", "IGH", 0.2, untemplated=1),
            clone("c", "TRG", 0.2),
        ]
    )
    assert "12 untemplated bases" in found[0].reason
    assert "a subclone beside 0.9; 1 untemplated base in" in found[1].reason
    assert "subclone" not in found[2].reason


@pytest.mark.parametrize(
    ("candidates", "told"),
    [
        ([variant(gene="TET2")], "no marker is proposed"),
        ([variant()], "is the only marker proposed"),
        (
            [variant(gene="FLT3"), variant("A", "C", gene="NRAS")],
            "all markers proposed are signalling mutations",
        ),
        ([variant(gene="FLT3"), variant("A", "C", gene="NPM1")], None),
        ([clone("a", "IGH", 0.9), clone("b", "IGH", 0.5)], "are of IGH: two loci"),
        ([clone("a", "IGH", 0.9), clone("b", "TRG", 0.5)], None),
        ([clone("a", None, 0.9), clone("b", None, 0.5)], None),
        ([clone("a", "IGH", 0.9), variant()], None),
    ],
)
def test_what_the_set_lacks_is_said(
    candidates: list[Candidate], told: str | None
) -> None:
    found = advise_selection(candidates, propose(candidates))
    assert [told in sentence for sentence in found if told] == ([True] if told else [])
    assert bool(found) == bool(told)
