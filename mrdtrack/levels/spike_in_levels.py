"""The level of a clone, as a share of cells, by the spike-ins of its tube.

The limit of detection is that of sampling: the level of which a tube of so many cells
shows a read with a probability of 95 %. A copy gives reads as a Poisson process of its
family's mean, so it shows with probability 1 - exp(-reads a copy), and the clone's
copies themselves are a Poisson number: lod95 = -ln(0.05) / (cells x that probability).
Whether reads of a clone are more than its background is asked by `quantify`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from mrdtrack.levels.result import Call
from mrdtrack.levels.spike_ins import (
    POOLED,
    VIDJIL_CELLS,
    VIDJIL_UNIVERSAL,
    FamilyFactor,
    copies_of,
    level_of,
    vidjil_normalised_reads,
)

METRIC: Final = "igtr_frac"
DENOMINATOR: Final = "spike_in"
LOQ_COPIES = 5.0
"""Molecules from which a level is called quantified: a relative error below 45 %."""
POWER = 0.95
COLUMNS: Final = (
    *("sample", "clone", "locus", "reads", "estimator", "family", "copies_per_read"),
    *("copies", "copies_low", "copies_high", "metric", "denominator_kind"),
    *("denominator", "level", "level_low", "level_high", "lod95", "call", "reason"),
    *("locus_reads", "normalised_reads"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedClone:
    """A clone and its reads in a tube; `genes` names the genes it is made of."""

    name: str
    reads: int
    genes: str = ""
    locus: str = ""
    family: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneLevel:
    """A clone's copies and its share of cells; None where it cannot be told.

    `denominator` is cells. `locus_reads` and `normalised_reads` are Vidjil's alone.
    """

    clone: str
    locus: str
    reads: int
    estimator: str
    family: str
    call: Call
    copies_per_read: float | None = None
    copies: float | None = None
    copies_low: float | None = None
    copies_high: float | None = None
    denominator: float | None = None
    level: float | None = None
    level_low: float | None = None
    level_high: float | None = None
    lod95: float | None = None
    reason: str = ""
    locus_reads: int | None = None
    normalised_reads: float | None = None
    metric: str = METRIC
    denominator_kind: str = DENOMINATOR


def clone_level(
    clone: CountedClone,
    factors: Mapping[str, FamilyFactor],
    input_cells: float | None,
    required_sensitivity: float,
) -> CloneLevel:
    """Give the level of a clone by the factor of its family, else of all together."""
    family = _family(clone, factors)
    factor = factors.get(family)
    if factor is None:
        return CloneLevel(
            clone=clone.name,
            locus=clone.locus,
            reads=clone.reads,
            estimator="ratio",
            family="",
            call="not_evaluable",
            reason="no spike-in has a read",
        )
    copies = copies_of(clone.reads, factor)
    shown = -math.expm1(-1 / factor.copies_per_read)
    level, lod95 = None, None
    if input_cells is not None:
        level = level_of(copies, input_cells)
        lod95 = min(-math.log(1 - POWER) / (input_cells * shown), 1.0)
    call, reason = _call(clone.reads, copies.value, lod95, required_sensitivity)
    return CloneLevel(
        clone=clone.name,
        locus=clone.locus,
        reads=clone.reads,
        estimator="ratio",
        family=family,
        call=call,
        copies_per_read=factor.copies_per_read,
        copies=copies.value,
        copies_low=copies.low,
        copies_high=_finite(copies.high),
        denominator=input_cells,
        level=level.value if level else None,
        level_low=level.low if level else None,
        level_high=level.high if level else None,
        lod95=lod95,
        reason=reason,
    )


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _call(
    reads: int, copies: float, lod95: float | None, required: float
) -> tuple[Call, str]:
    if lod95 is None:
        return "not_evaluable", "the DNA that went in is not told (--input-ng)"
    if reads:
        enough = min(float(reads), copies) >= LOQ_COPIES
        return ("quantified" if enough else "detected_below_loq"), ""
    if lod95 <= required:
        return "not_detected", ""
    return (
        "insufficient_sensitivity",
        f"the limit of detection {lod95:.2g} does not meet {required:.2g}",
    )


def _family(clone: CountedClone, known: Mapping[str, object]) -> str:
    """Choose the family: the one told, else that of a gene, else all together."""
    by_name = {family.upper(): family for family in known}
    for name in [clone.family or "", *family_names(clone.genes)]:
        if name.upper() in by_name:
            return by_name[name.upper()]
    return POOLED


_SUBGROUP = re.compile(r"(IG[HKL]|TR[ABDG])([VD])(\d+)")


def family_names(genes: str) -> Iterator[str]:
    """Give what the family of a clone's first gene may be called, the nearest first.

    By subgroup (`IGHV3`), or as BIOMED-2 names its primers (`VH3`; van Dongen et al.
    2003, doi:10.1038/sj.leu.2403202), where one primer (`VGf1`) serves TRGV1 to TRGV8.
    Vidjil's labels count TRGV9 to `VG9`.
    """
    match = _SUBGROUP.search(genes)
    if match is None:
        return
    locus, segment, number = match.groups()
    yield match[0]
    name = f"{segment}{locus[2]}{number}" if segment == "V" else f"DD{number}"
    if name == "DD2" and "DD3" in genes:
        yield "DD2-dd3"
    if locus == "TRG" and int(number) <= 8:
        yield "VGf1"
    yield name


_VIDJIL_SUBGROUPS = {"IGHV": 7, "IGKV": 3, "IGLV": 2, "TRDV": 3, "TRGV": 11}
"""How far Vidjil's script knows the subgroups; others take the universal factor."""


def vidjil_family(name: str, known: Mapping[str, object]) -> str:
    """Give the family that Vidjil's script reads off the head of a clone's name."""
    match = _SUBGROUP.match(name)
    if match is None:
        return VIDJIL_UNIVERSAL
    locus, segment, number = match.groups()
    if int(number) > _VIDJIL_SUBGROUPS.get(locus + segment, 0) and match[0] != "TRDD2":
        return VIDJIL_UNIVERSAL
    family = list(family_names(name))[1]
    return family if family in known else VIDJIL_UNIVERSAL


def vidjil_level(
    clone: CountedClone, coefficients: Mapping[str, float], locus_reads: int
) -> CloneLevel:
    """Give the level that Vidjil's script gives: 100,000 cells, and no interval."""
    family = vidjil_family(clone.name, coefficients)
    coefficient = coefficients[family]
    copies = clone.reads * coefficient
    return CloneLevel(
        clone=clone.name,
        locus=clone.locus,
        reads=clone.reads,
        estimator="vidjil",
        family=family,
        call="quantified" if clone.reads else "not_evaluable",
        copies_per_read=coefficient,
        copies=copies,
        denominator=VIDJIL_CELLS,
        level=copies / VIDJIL_CELLS,
        reason="as Vidjil's script: 100,000 cells assumed, no interval, no limit",
        locus_reads=locus_reads,
        normalised_reads=vidjil_normalised_reads(
            clone.reads, family, coefficients, locus_reads
        ),
    )
