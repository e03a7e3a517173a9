"""Realistic inputs of the reports, made in code."""

from __future__ import annotations

from typing import Any

from mrdtrack.counts import BackgroundSite, BackgroundSites, SampleCounts
from mrdtrack.levels.result import Call, Level, MarkerResult, Software, VisitResult
from mrdtrack.panel.model import Panel

PANEL = Panel.model_validate(
    {
        "schema": "mrdtrack-panel/1",
        "patient": "P001",
        "disease": "AML",
        "assembly": "GRCh38",
        "marker": [
            {
                "id": "NPM1-A",
                "kind": "small_variant",
                "contig": "chr5",
                "position": 171410539,
                "ref": "C",
                "alt": "CTCTG",
                "gene": "NPM1",
            },
            {
                "id": "FLT3-ITD",
                "kind": "duplication",
                "contig": "chr13",
                "start": 28034105,
                "end": 28034125,
                "inserted": "GA",
                "gene": "FLT3",
            },
            {
                "id": "KMT2A-AFF1",
                "kind": "breakpoint",
                "left": {"contig": "chr11", "position": 118484000, "strand": "+"},
                "right": {"contig": "chr4", "position": 87090000, "strand": "-"},
                "inserted": "GA",
            },
            {"id": "IGH-1", "kind": "sequence", "sequence": "TGTGCGAGAGACCCTTATTAT"},
            {
                "id": "DNMT3A-R882H",
                "kind": "small_variant",
                "contig": "chr2",
                "position": 25234373,
                "ref": "C",
                "alt": "T",
                "gene": "DNMT3A",
                "role": "report_only",
            },
        ],
    }
)


def marker_result(marker: str = "NPM1-A", **given: Any) -> MarkerResult:
    """Make one marker: detected, unless `given` says otherwise."""
    fields: dict[str, Any] = {
        "marker": marker,
        "kind": "small_variant",
        "alt": 42,
        "ref": 10_000,
        "ambiguous": 3,
        "other": 1,
        "molecules": 10_046,
        "molecule_mode": "umi",
        "denominator_kind": "molecules_at_locus",
        "denominator": 10_042,
        "error_class": "ins4:h1",
        "assessable": True,
        "fraction": 42 / 10_042,
        "fraction_low": 0.00301592653589793,
        "fraction_high": 0.00565,
        "p_value": 3.2e-40,
        "lod95": 3.1e-4,
        "call": "quantified",
        "filters": {"low_mapping_quality": 4, "duplicate": 120},
    }
    return MarkerResult(**(fields | given))


def absent_marker(marker: str = "FLT3-ITD", **given: Any) -> MarkerResult:
    """Make a marker that was looked for and not found."""
    fields: dict[str, Any] = {
        "kind": "duplication",
        "alt": 0,
        "ref": 9_000,
        "ambiguous": 0,
        "other": 0,
        "molecules": 9_000,
        "denominator_kind": "flank",
        "denominator": 9_000,
        "error_class": "junction",
        "fraction": 0.0,
        "fraction_low": 0.0,
        "fraction_high": 4.1e-4,
        "p_value": 1.0,
        "lod95": 3.3e-4,
        "call": "not_detected",
    }
    return marker_result(marker, **(fields | given))


def unseen_marker(marker: str = "KMT2A-AFF1", **given: Any) -> MarkerResult:
    """Make a marker that could not be assessed."""
    fields: dict[str, Any] = {
        "kind": "breakpoint",
        "alt": None,
        "ref": None,
        "ambiguous": None,
        "other": None,
        "molecules": None,
        "denominator": None,
        "error_class": "junction",
        "assessable": False,
        "reason": "no read reaches the breakpoint",
        "fraction": None,
        "fraction_low": None,
        "fraction_high": None,
        "p_value": None,
        "lod95": None,
        "call": "not_evaluable",
        "filters": {},
    }
    return marker_result(marker, **(fields | given))


def all_markers() -> tuple[MarkerResult, ...]:
    """Make the five markers of `PANEL`: every kind, role and state."""
    return (
        marker_result(gene="NPM1", alt_forward=20, alt_reverse=22),
        absent_marker(gene="FLT3", ref_left=9_100, ref_right=8_900),
        unseen_marker(),
        absent_marker(
            "IGH-1", kind="sequence", call="insufficient_sensitivity", lod95=0.02
        ),
        marker_result("DNMT3A-R882H", role="report_only", gene="DNMT3A"),
    )


def level(call: Call = "quantified", **given: Any) -> Level:
    """Make a level of 0.42 %, unless `given` says otherwise."""
    fields: dict[str, Any] = {
        "metric": "vaf_gdna",
        "value": 0.0042,
        "low": 0.0030,
        "high": 0.0056,
        "call": call,
        "p_value": 1e-40,
        "lob": 8.0e-5,
        "lod95": 1.6e-4,
        "loq": 4.0e-4,
        "required_sensitivity": 1e-3,
        "input_genomes": 30_000.0,
        "limited_by": "depth",
        "markers_used": 2,
    }
    return Level(**(fields | given))


def visit_result(sample: str = "P001-V1", **given: Any) -> VisitResult:
    """Make the result of one sample."""
    fields: dict[str, Any] = {
        "sample": sample,
        "patient": "P001",
        "disease": "AML",
        "assembly": "GRCh38",
        "date": "2025-03-12",
        "specimen": "bone_marrow",
        "timepoint": "after induction",
        "molecule_mode": "umi",
        "markers": all_markers(),
        "level": level(),
        "quality": (
            {"code": "low_depth", "severity": "warning", "message": "depth is low"},
        ),
        "family_sizes": {10: 5, 2: 7},
        "parameters": {"alpha": 0.05, "min_base_quality": 20},
        "panel_digest": "sha256:0123456789abcdef",
        "software": Software(version="0.1.0"),
    }
    return VisitResult(**(fields | given))


def sample_counts() -> SampleCounts:
    """Make counts with two background positions."""
    return SampleCounts(
        sample="P001-V1",
        molecule_mode="umi",
        markers=(),
        background=BackgroundSites.of(
            (
                BackgroundSite(
                    contig="chr5",
                    position=171410500,
                    ref="C",
                    alt="T",
                    error_class="A[C>T]G",
                    alt_molecules=1,
                    molecules=9_999,
                ),
                BackgroundSite(
                    contig="chr5",
                    position=171410501,
                    ref="A",
                    alt="+1",
                    error_class="ins1:h4",
                    alt_molecules=0,
                    molecules=9_998,
                ),
            )
        ),
    )
