"""The files of one run's page, in the formats asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from mrdtrack.follow_up.visits import draft_visit
from mrdtrack.levels.result import VisitResult
from mrdtrack.reports.batch import CarryOver, batch_view
from mrdtrack.reports.html import html
from mrdtrack.reports.level_text import is_negative
from mrdtrack.reports.multiqc import custom_content
from mrdtrack.reports.output_files import safe_name
from mrdtrack.reports.tables import Cell, tsv
from mrdtrack.reports.words import Language, words

BatchFormat = Literal["html", "pdf", "tsv", "multiqc"]
BATCH_FORMATS: tuple[BatchFormat, ...] = get_args(BatchFormat)
DEFAULT_BATCH_FORMATS: tuple[BatchFormat, ...] = ("html", "tsv", "multiqc")
BATCH_COLUMNS = (
    "sample",
    "patient",
    "date",
    "specimen",
    "timepoint",
    "metric",
    "call",
    "level",
    "level_low",
    "level_high",
    "lod95",
    "loq",
    "required_sensitivity",
    "p_value",
    "limited_by",
    "markers_used",
    "reason",
    "carry_over",
    "carry_over_from",
    "warnings",
)


def batch_files(
    run: str,
    results: Sequence[VisitResult],
    carry_over: Sequence[CarryOver] = (),
    formats: Iterable[BatchFormat] = DEFAULT_BATCH_FORMATS,
    language: Language = "en",
) -> dict[str, bytes]:
    """Make `RUN.batch.html`, `.pdf` and `.tsv`, and `RUN_mqc.json` for MultiQC.

    Raises:
        OutputError: the extra that a format needs is not installed.
    """
    asked = set(formats)
    name = safe_name(run)
    files: dict[str, bytes] = {}
    view = batch_view(run, results, carry_over, words(language))
    if "html" in asked:
        files[f"{name}.batch.html"] = html(view)
    if "pdf" in asked:
        from mrdtrack.reports.pdf import pdf

        files[f"{name}.batch.pdf"] = pdf(view)
    if "tsv" in asked:
        files[f"{name}.batch.tsv"] = batch_tsv(results, carry_over)
    if "multiqc" in asked:
        files |= custom_content(results)
    return files


def batch_tsv(
    results: Sequence[VisitResult], carry_over: Sequence[CarryOver] = ()
) -> bytes:
    """Write one row a sample, with the largest share that may have come over.

    Where nothing was detected `level` and `level_low` are empty: read `lod95`.
    """
    most: dict[str, CarryOver] = {}
    for item in carry_over:
        known = most.get(item.to_sample)
        if item.fraction and (known is None or item.fraction > known.fraction):
            most[item.to_sample] = item
    rows = (_row(result, most.get(result.sample)) for result in results)
    return tsv(BATCH_COLUMNS, rows)


def _row(result: VisitResult, carried: CarryOver | None) -> dict[str, Cell]:
    level = result.level
    seen = bool(level.value) and not is_negative(draft_visit(result))
    warned = [found.code for found in result.quality if found.severity != "info"]
    return {
        "sample": result.sample,
        "patient": result.patient,
        "date": result.date,
        "specimen": result.specimen,
        "timepoint": result.timepoint,
        "metric": level.metric,
        "call": level.call,
        "level": level.value if seen else None,
        "level_low": level.low if seen else None,
        "level_high": level.high,
        "lod95": level.lod95,
        "loq": level.loq,
        "required_sensitivity": level.required_sensitivity,
        "p_value": level.p_value,
        "limited_by": level.limited_by,
        "markers_used": level.markers_used,
        "reason": level.reason,
        "carry_over": carried.fraction if carried else None,
        "carry_over_from": carried.from_sample if carried else None,
        "warnings": ";".join(warned),
    }
