"""Samples made by hand for the tests of levels."""

from __future__ import annotations

from typing import Any

from mrdtrack.counts import (
    NO_BACKGROUND,
    BackgroundSite,
    BackgroundSites,
    MarkerCounts,
    SampleCounts,
)
from mrdtrack.levels.visit_facts import VisitFacts

FACTS = VisitFacts(patient="P1", software_version="0")


def made_marker(name: str, alt: int, molecules: int, **told: Any) -> MarkerCounts:
    values: dict[str, Any] = {
        "kind": "small_variant",
        "ref": molecules - alt,
        "ambiguous": 0,
        "other": 0,
        "molecules": molecules,
        "molecule_mode": "fragments",
        "denominator_kind": "molecules_at_locus",
        "denominator": None,
        "error_class": "A[C>T]G",
        "assessable": True,
    }
    return MarkerCounts(marker=name, alt=alt, **(values | told))


def junction(name: str, alt: int, molecules: int, **told: Any) -> MarkerCounts:
    values: dict[str, Any] = {"kind": "breakpoint", "error_class": "junction"}
    return made_marker(name, alt, molecules, **(values | told))


def made_sites(
    alts: list[int], molecules: int, error_class: str = "A[C>T]G", start: int = 1
) -> BackgroundSites:
    return BackgroundSites.of(
        BackgroundSite(
            contig="chr1",
            position=start + i,
            ref="C",
            alt="T",
            error_class=error_class,
            alt_molecules=alt,
            molecules=molecules,
        )
        for i, alt in enumerate(alts)
    )


def made_sample(
    name: str, markers: list[MarkerCounts], sites: BackgroundSites = NO_BACKGROUND
) -> SampleCounts:
    return SampleCounts(
        sample=name,
        molecule_mode="fragments",
        markers=tuple(markers),
        background=sites,
    )
