"""The files of one patient's timeline, in the formats asked for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args

from mrdtrack.follow_up.timeline import Timeline
from mrdtrack.reports.html import html
from mrdtrack.reports.output_files import safe_name, write_files
from mrdtrack.reports.patient_view import patient_view
from mrdtrack.reports.tables import model_json
from mrdtrack.reports.timeline_table import timeline_tsv
from mrdtrack.reports.timeline_view import timeline_view
from mrdtrack.reports.view import View
from mrdtrack.reports.words import Language, words

Format = Literal["json", "tsv", "html", "pdf", "fhir"]
FORMATS: tuple[Format, ...] = get_args(Format)
DEFAULT_FORMATS: tuple[Format, ...] = ("json", "tsv", "html")
Audience = Literal["clinician", "patient"]


def write_timeline(  # noqa: PLR0913  (one an option of the command)
    timeline: Timeline,
    folder: Path,
    formats: Iterable[Format] = DEFAULT_FORMATS,
    *,
    language: Language = "en",
    audience: Audience = "clinician",
    force: bool = False,
) -> list[Path]:
    """Write `PATIENT.timeline.*` into the folder; all of them or none.

    The patient's page is `PATIENT.patient.html` (or `.pdf`).

    Raises:
        OutputError: a file exists, the folder cannot be written, or an extra that a
            format needs is not installed.
    """
    files = timeline_files(timeline, formats, language=language, audience=audience)
    return write_files(folder, files, force=force)


def timeline_files(
    timeline: Timeline,
    formats: Iterable[Format] = DEFAULT_FORMATS,
    *,
    language: Language = "en",
    audience: Audience = "clinician",
) -> dict[str, bytes]:
    """Make the files by name; see `write_timeline`."""
    asked = set(formats)
    name = safe_name(timeline.patient)
    page = {"clinician": "timeline", "patient": "patient"}[audience]
    files: dict[str, bytes] = {}
    if "json" in asked:
        files[f"{name}.timeline.json"] = model_json(timeline)
    if "tsv" in asked:
        files[f"{name}.timeline.tsv"] = timeline_tsv(timeline)
    if "html" in asked:
        files[f"{name}.{page}.html"] = html(compose(timeline, language, audience))
    if "pdf" in asked:
        from mrdtrack.reports.pdf import pdf

        attached = None
        if audience == "clinician":
            attached = (f"{name}.timeline.json", model_json(timeline))
        files[f"{name}.{page}.pdf"] = pdf(
            compose(timeline, language, audience), attached
        )
    if "fhir" in asked:
        from mrdtrack.reports.fhir import fhir_bundle

        files[f"{name}.timeline.fhir.json"] = fhir_bundle(timeline)
    return files


def compose(timeline: Timeline, language: Language, audience: Audience) -> View:
    """Compose the view for a reader."""
    made = {"clinician": timeline_view, "patient": patient_view}[audience]
    return made(timeline, words(language))
