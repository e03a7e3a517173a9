"""Visits from counts: say only what matters."""

from __future__ import annotations

from typing import Any, Literal

from scipy import special

from mrdtrack.follow_up.timeline import TimelineVisit
from mrdtrack.levels.result import (
    Call,
    Level,
    MarkerResult,
    Metric,
    Software,
    Specimen,
    VisitResult,
)


def garwood(alt: int, molecules: int) -> tuple[float, float]:
    """Exact 95 % interval of a rate."""
    low = float(special.gammaincinv(alt, 0.025)) if alt else 0.0
    return low / molecules, float(special.gammaincinv(alt + 1, 0.975)) / molecules


def lod95(molecules: int, asked: int = 2) -> float:
    """Level at which `asked` molecules are seen with probability 0.95."""
    return float(special.gammaincinv(asked, 0.95)) / molecules


def marker_result(
    name: str = "M1",
    alt: int | None = 0,
    molecules: int = 10_000,
    *,
    gene: str | None = None,
    kind: Literal["small_variant", "duplication", "breakpoint", "sequence"] = (
        "small_variant"
    ),
    role: Literal["level", "report_only"] = "level",
    group: str | None = None,
    assessable: bool = True,
    asked: int = 2,
    hgvs: str | None = None,
) -> MarkerResult:
    """One marker of one visit; `alt` None where it could not be assessed."""
    seen = assessable and alt is not None
    count = (alt or 0) if seen else None
    low, high = garwood(alt or 0, molecules)
    call: Call = "not_evaluable"
    if seen:
        call = "quantified" if (alt or 0) >= asked else "not_detected"
    return MarkerResult(
        marker=name,
        kind=kind,
        alt=count,
        ref=molecules - (alt or 0) if seen else None,
        ambiguous=0 if seen else None,
        other=0 if seen else None,
        molecules=molecules if seen else None,
        molecule_mode="umi",
        denominator_kind="molecules_at_locus",
        denominator=molecules if seen else None,
        error_class="A[C>T]G",
        assessable=seen,
        reason="" if seen else "no molecule reached the marker",
        role=role,
        group=group,
        gene=gene,
        hgvs=hgvs,
        fraction=(alt or 0) / molecules if seen and alt else None,
        fraction_low=low if seen else None,
        fraction_high=high if seen else None,
        lod95=lod95(molecules, asked) if seen else None,
        call=call,
    )


def visit_result(
    sample: str,
    date: str | None,
    *markers: MarkerResult,
    patient: str = "P001",
    disease: str = "AML",
    specimen: Specimen | None = "bone_marrow",
    timepoint: str | None = None,
    metric: Metric = "vaf_gdna",
    required: float = 1e-4,
    call: Call | None = None,
    asked: int = 2,
    loq_molecules: int = 10,
) -> VisitResult:
    """One visit; level, interval and limit follow from the pooled counts."""
    used = [m for m in markers if m.role == "level" and m.assessable]
    alt = sum(m.alt or 0 for m in used)
    molecules = sum(m.denominator or 0 for m in used)
    limit = lod95(molecules, asked) if molecules else None
    found = call or _call(alt, limit, required, asked, loq_molecules)
    low, high = garwood(alt, molecules) if molecules else (None, None)
    detected = found in ("quantified", "detected_below_loq")
    return VisitResult(
        sample=sample,
        patient=patient,
        disease=disease,
        assembly="GRCh38",
        date=date,
        specimen=specimen,
        timepoint=timepoint,
        molecule_mode="umi",
        markers=markers,
        level=Level(
            metric=metric,
            value=alt / molecules if detected and molecules else None,
            low=low if detected else (0.0 if molecules else None),
            high=high,
            call=found,
            reason="" if molecules else "no marker could be assessed",
            p_value=1e-6 if detected else (1.0 if molecules else None),
            lob=None,
            lod95=limit,
            loq=None,
            required_sensitivity=required,
            input_genomes=None,
            limited_by="depth" if molecules else None,
            markers_used=len(used),
        ),
        quality=(),
        software=Software(version="0"),
    )


def _call(
    alt: int, limit: float | None, required: float, asked: int, loq_molecules: int
) -> Call:
    if limit is None:
        return "not_evaluable"
    if alt >= loq_molecules:
        return "quantified"
    if alt >= asked:
        return "detected_below_loq"
    return "not_detected" if limit <= required else "insufficient_sensitivity"


def simple_visit(
    sample: str, date: str, alt: int, molecules: int = 100_000, **more: Any
) -> VisitResult:
    """One visit with one marker."""
    return visit_result(sample, date, marker_result("M1", alt, molecules), **more)


def external_visit(
    date: str,
    value: float | None,
    *,
    metric: str = "ratio_pct_abl1",
    specimen: Specimen | None = "bone_marrow",
    call: Call | None = None,
    lod: float | None = None,
    target: str | None = "NPM1",
    timepoint: str | None = None,
    abl1_copies: float | None = None,
    low: float | None = None,
    high: float | None = None,
    sample: str | None = None,
) -> TimelineVisit:
    """One result of another method."""
    if call is None:
        call = "not_detected" if value is None else "quantified"
    return TimelineVisit(
        sample=sample or f"{metric} {target} {date} {specimen}",
        date=date,
        specimen=specimen,
        timepoint=timepoint,
        source="external",
        method="RT-qPCR",
        target=target,
        metric=metric,
        value=value,
        low=low,
        high=high,
        lod95=lod,
        loq=None,
        required_sensitivity=None,
        call=call,
        abl1_copies=abl1_copies,
    )
