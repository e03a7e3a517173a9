"""`mrdtrack plan`: markers, depth and DNA in, the expected LoD95 out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mrdtrack.errors import InputError
from mrdtrack.lab.pages import lab_page
from mrdtrack.lab.plan import (
    DEPTH_FACTORS,
    MARKER_NUMBERS,
    USUAL_RATES,
    PlannedAssay,
    PlannedLimit,
    planned_limit,
)
from mrdtrack.lab.plot import Axes, Series, log_plot
from mrdtrack.levels.visit_facts import genomes_of
from mrdtrack.panel.file import read_panel
from mrdtrack.reports.output_files import write_files
from mrdtrack.reports.tables import Json, json_bytes, tsv

COLUMNS = ("markers", "depth", "lob", "lod95", "loq", "limited_by")
SCHEMA = "mrdtrack-plan/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What is planned.

    `markers` or a `panel` to count them in; `depth`: informative molecules a marker;
    `error_rate` (a molecule) or the usual one of `molecules`.
    """

    output: Path
    depth: float
    markers: int | None = None
    panel: Path | None = None
    input_ng: float | None = None
    input_genomes: float | None = None
    molecules: Literal["reads", "umi", "duplex", "junction"] = "umi"
    error_rate: float | None = None
    controls: int = 0
    alpha: float | None = None
    force: bool = False


def plan(request: PlanRequest) -> PlannedLimit:
    """Write the expected limits as JSON, TSV and a page with a plot.

    Raises:
        InputError: neither or both of markers and panel are given, or an output exists.
    """
    assay = _assay(request)
    asked = planned_limit(assay)
    numbers = sorted({*MARKER_NUMBERS, assay.markers})
    rows = [
        planned_limit(replace(assay, markers=number, depth=assay.depth * factor))
        for number in numbers
        for factor in DEPTH_FACTORS
    ]
    told = {
        "error_rate": assay.error_rate,
        "controls": assay.controls,
        "input_genomes": assay.input_genomes,
        "alpha": assay.alpha,
    }
    content: dict[str, Json] = {
        "schema": SCHEMA,
        "assumptions": told,
        "asked": asked.model_dump(),
        "limits": [row.model_dump() for row in rows],
    }
    files = {
        "plan.json": json_bytes(content),
        "plan.tsv": tsv(COLUMNS, [row.model_dump() for row in rows]),
        "plan.html": lab_page(
            "plan",
            {
                "asked": asked,
                "rows": rows,
                "assumptions": _assumptions(assay),
                "figure": _figure(rows, numbers),
            },
        ),
    }
    write_files(request.output, files, force=request.force)
    return asked


def _assay(request: PlanRequest) -> PlannedAssay:
    if (request.markers is None) == (request.panel is None):
        raise InputError(
            "plan", "markers and panel are both or neither given", "give one of them"
        )
    markers = request.markers
    if markers is None and request.panel is not None:
        used = [m for m in read_panel(request.panel).marker if m.role == "level"]
        markers = len(used)
    if not markers or markers < 1:
        raise InputError("plan", "there is no marker to plan with", "give 1 or more")
    rate = request.error_rate
    return PlannedAssay(
        markers=markers,
        depth=request.depth,
        error_rate=USUAL_RATES[request.molecules] if rate is None else rate,
        controls=request.controls,
        input_genomes=genomes_of(request.input_ng, request.input_genomes),
        alpha=0.01 if request.alpha is None else request.alpha,
    )


def _assumptions(assay: PlannedAssay) -> str:
    dna = (
        "unlimited DNA"
        if assay.input_genomes is None
        else f"{assay.input_genomes:,.0f} haploid genomes in the tube"
    )
    return (
        f"Error rate {assay.error_rate:.1e} a molecule, {assay.controls} control "
        f"samples, {dna}, significance {assay.alpha:g}. The real limit is computed "
        "from each sample's own background and depth."
    )


def _figure(rows: list[PlannedLimit], numbers: list[int]) -> str:
    series = []
    for number in numbers:
        chosen = [row for row in rows if row.markers == number]
        series.append(
            Series(
                f"{number}",
                [row.depth for row in chosen],
                [row.lod95 for row in chosen],
            )
        )
    return log_plot(series, Axes("informative molecules a marker", "LoD95 by markers"))
