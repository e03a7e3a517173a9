"""Results in MultiQC: a module by entry point, and a custom-content file.

MultiQC calls `module` (group `multiqc.modules.v1`) after `register` (group
`multiqc.hooks.v1`, hook `config_loaded`) has told it which files to look for. It is no
dependency of mrdtrack: it is looked up when it calls. A sample without MRD has no value
in the level's column, only its limit of detection and its call.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib import import_module
from typing import Any

from mrdtrack.levels.result import VisitResult
from mrdtrack.reports import phrases
from mrdtrack.reports.inert_text import shortened
from mrdtrack.reports.level_text import DETECTED, LONGEST_NAME
from mrdtrack.reports.tables import Json, json_bytes, stable

NAME = "mrdtrack"
PATTERN = "*.mrd.json"
FILE_NAME = "mrdtrack_mqc.json"
_INFO = "Measurable residual disease from patient-specific markers."
_LEVEL_FORMAT = "{:.1e}"
HEADERS: dict[str, dict[str, str]] = {
    "mrd_level": {
        "title": "MRD level",
        "description": "Level where MRD was detected; empty where it was not",
        "format": _LEVEL_FORMAT,
        "scale": "Reds",
    },
    "mrd_lod95": {
        "title": "MRD LoD",
        "description": "Limit of detection (95 %) of this sample",
        "format": _LEVEL_FORMAT,
        "scale": "Blues",
    },
    "mrd_call": {
        "title": "MRD call",
        "description": "Quantified, detected, not detected, insufficient sensitivity "
        "or not evaluable",
    },
    "mrd_markers": {
        "title": "Markers",
        "description": "Markers used for the level",
        "format": "{:,.0f}",
        "scale": "Greens",
    },
}

Rows = dict[str, dict[str, str | float | int]]


def rows(results: Iterable[VisitResult]) -> Rows:
    """Make one row a sample; MultiQC does not escape names, so they are escaped."""
    return {_shown(result.sample): _row(result) for result in results}


def _row(result: VisitResult) -> dict[str, str | float | int]:
    level = result.level
    row: dict[str, str | float | int] = {
        "mrd_call": phrases.CALLS[level.call],
        "mrd_markers": level.markers_used,
    }
    if level.call in DETECTED and level.value:
        row["mrd_level"] = stable(level.value)
    if level.lod95:
        row["mrd_lod95"] = stable(level.lod95)
    return row


def _shown(text: str) -> str:
    return escape(shortened(text, LONGEST_NAME))


def custom_content(results: Iterable[VisitResult]) -> dict[str, bytes]:
    """Make the file that a MultiQC without this module shows all the same."""
    content: dict[str, Json] = {
        "id": f"{NAME}_run",
        "section_name": NAME,
        "description": _INFO,
        "plot_type": "table",
        "pconfig": {"id": f"{NAME}_run_levels", "title": f"{NAME}: MRD levels"},
        "headers": HEADERS,
        "data": rows(results),
    }
    return {FILE_NAME: json_bytes(content)}


def register() -> None:
    """Tell MultiQC which files are results."""
    config = import_module("multiqc").config
    config.update_dict(config.sp, {f"{NAME}/result": {"fn": PATTERN}})


def module() -> Any:
    """Make MultiQC's module of the results that it found.

    A file of that name that is no result of mrdtrack is passed over.
    """
    base = import_module("multiqc.base_module")
    made = base.BaseMultiqcModule(name=NAME, anchor=NAME, info=_INFO)
    results = []
    for found in made.find_log_files(f"{NAME}/result"):
        result = _read(found["f"])
        if result is not None:
            results.append(result)
            made.add_software_version(result.software.version, _shown(result.sample))
            made.add_data_source(found, _shown(result.sample))
    data = made.ignore_samples(rows(results))
    if not data:
        raise base.ModuleNoSamplesFound
    made.general_stats_addcols(data, HEADERS)
    table = import_module("multiqc.plots.table")
    made.add_section(
        name="MRD levels",
        anchor=f"{NAME}-levels",
        plot=table.plot(
            data, HEADERS, {"id": f"{NAME}_levels", "title": f"{NAME}: MRD levels"}
        ),
    )
    made.write_data_file(data, f"multiqc_{NAME}")
    return made


def _read(text: str) -> VisitResult | None:
    try:
        return VisitResult.model_validate_json(text)
    except ValueError:
        return None
