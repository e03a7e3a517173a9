"""`mrdtrack validate`: a laboratory's own blanks and dilutions in, its limits out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import special

from mrdtrack import __version__
from mrdtrack.lab.leave_one_out import FalsePositives, left_out_controls
from mrdtrack.lab.pages import lab_page
from mrdtrack.lab.plot import Axes, Series, log_plot
from mrdtrack.lab.validate import KnownResult, Validation, read_known, validated
from mrdtrack.levels.counts_tables import read_counts
from mrdtrack.levels.site_tables import read_sites
from mrdtrack.levels.table_samples import TableSamples
from mrdtrack.levels.visit_facts import LevelSettings
from mrdtrack.reports.output_files import write_files
from mrdtrack.reports.tables import Json, json_bytes

SCHEMA = "mrdtrack-validation/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateRequest:
    """What is validated.

    `levels`: tables as `mrdtrack levels` writes them; `truth`: a TSV of `sample`,
    `true_level` (0 for a blank) and, if wished, `lot`. With `control_counts` (and
    `control_background`) each control is also judged against the others.
    """

    levels: tuple[Path, ...]
    truth: Path
    output: Path
    control_counts: tuple[Path, ...] = ()
    control_background: tuple[Path, ...] = ()
    cv_goal: float = 0.3
    total_error_goal: float = 0.7
    alpha: float | None = None
    force: bool = False


def validate(request: ValidateRequest) -> Validation:
    """Write the limits of the assay as JSON and as a page with plots.

    Raises:
        InputError: a table is wrong, or an output exists and `force` is not given.
    """
    results = read_known(request.levels, request.truth)
    found = validated(results, request.cv_goal, request.total_error_goal)
    left_out = _left_out(request)
    content = _content(found, left_out)
    page = lab_page(
        "validation",
        {
            "headline": _headline(found),
            "warnings": found.warnings,
            "limits": _limits(found, left_out, request),
            "levels": found.levels,
            "detection_figure": _detection(found),
            "linearity_figure": _linearity(results) if found.line else "",
        },
    )
    files = {"validation.json": json_bytes(content), "validation.html": page}
    write_files(request.output, files, force=request.force)
    return found


def _left_out(request: ValidateRequest) -> FalsePositives | None:
    if not request.control_counts:
        return None
    where = ", ".join(str(path) for path in request.control_counts)
    held = TableSamples(read_counts(request.control_counts), None, where)
    sites = read_sites(request.control_background, set(held.table.samples))
    samples = [held.sample(number) for number in range(len(held))]
    controls = [
        sample.model_copy(update={"background": sites.background(sample.sample)})
        for sample in samples
    ]
    settings = LevelSettings(
        alpha=LevelSettings().alpha if request.alpha is None else request.alpha
    )
    return left_out_controls(controls, settings, __version__)


def _content(found: Validation, left_out: FalsePositives | None) -> dict[str, Json]:
    return {
        "schema": SCHEMA,
        "blanks": found.blanks,
        "lots": found.lots,
        "false_positive_blanks": found.false_positives,
        "lob": found.lob,
        "lob_parametric": found.lob_parametric,
        "lod95": None if found.lod is None else dict(found.lod._asdict()),
        "lod_parametric": found.lod_parametric,
        "loq_cv": found.loq_cv,
        "loq_total_error": found.loq_total_error,
        "linearity": None if found.line is None else dict(found.line._asdict()),
        "levels": [dict(row._asdict()) for row in found.levels],
        "warnings": list(found.warnings),
        "controls_left_out": None
        if left_out is None
        else {
            "controls": left_out.controls,
            "detected": list(left_out.detected),
            "rate": left_out.rate,
            "low": left_out.low,
            "high": left_out.high,
        },
    }


def _said(value: float | None) -> str:
    return "not reached" if value is None else f"{value:.2e}"


def _headline(found: Validation) -> str:
    if found.lod is None:
        return "The study does not reach a limit of detection."
    return (
        f"A level of {found.lod.lod95:.2e} is detected with 95 % probability "
        f"(95 % interval {found.lod.low:.2e} to {found.lod.high:.2e})."
    )


def _limits(
    found: Validation, left_out: FalsePositives | None, request: ValidateRequest
) -> list[tuple[str, str, str]]:
    rows = [
        ("LoB", _said(found.lob), f"rank 0.5 + 0.95 N of {found.blanks} blanks"),
        ("LoB", _said(found.lob_parametric), "parametric"),
        ("LoD95", _said(found.lod.lod95 if found.lod else None), "probit"),
        ("LoD", _said(found.lod_parametric), "parametric: LoB + c SD"),
        ("LoQ", _said(found.loq_cv), f"CV at most {request.cv_goal:.0%}"),
        (
            "LoQ",
            _said(found.loq_total_error),
            f"bias + 2 CV at most {request.total_error_goal:.0%}",
        ),
        (
            "false positives",
            f"{found.false_positives} of {found.blanks}",
            "blanks that were detected",
        ),
    ]
    if found.lod is not None:
        fit = f"{found.lod.chi_square:.2f}, {found.lod.degrees} degrees of freedom"
        rows.append(("probit fit", f"p = {found.lod.p_fit:.2g}", f"chi-square {fit}"))
    if found.line is not None:
        rows.append(
            (
                "linearity",
                f"slope {found.line.slope:.3f}, R2 {found.line.r_squared:.3f}",
                f"log10; farthest from the truth {found.line.worst_log10:.2f} log10",
            )
        )
    if left_out is not None:
        rows.append(
            (
                "controls detected",
                f"{len(left_out.detected)} of {left_out.controls}",
                f"each against the others; 95 % interval {left_out.low:.1%} to "
                f"{left_out.high:.1%}",
            )
        )
    return rows


def _detection(found: Validation) -> str:
    if not found.levels:
        return ""
    seen = Series(
        "seen",
        [row.level for row in found.levels],
        [row.detected / row.replicates for row in found.levels],
        points=True,
    )
    series = [seen]
    if found.lod is not None:
        low, high = np.log10(seen.x[0]), np.log10(seen.x[-1])
        grid = np.linspace(low, high, 60)
        chance = special.ndtr(
            1.6448536 + found.lod.slope * (grid - np.log10(found.lod.lod95))
        )
        series.append(Series("probit", (10.0**grid).tolist(), chance.tolist()))
    return log_plot(series, Axes("true level", "detected", y_linear=True))


def _linearity(results: list[KnownResult]) -> str:
    shown = [result for result in results if result.true_level > 0 and result.level > 0]
    truth = sorted({result.true_level for result in shown})
    points = Series(
        "found",
        [result.true_level for result in shown],
        [result.level for result in shown],
        points=True,
    )
    return log_plot(
        [points, Series("equal", truth, truth)], Axes("true level", "measured level")
    )
