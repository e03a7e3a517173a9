"""What rules must know of the patient beside the results, and who was treated when."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, ValidationError

from mrdtrack.errors import FaultList, ResultError
from mrdtrack.follow_up.timeline import Treatment
from mrdtrack.models import FileModel
from mrdtrack.panel.model import Disease

SCHEMA: Literal["mrdtrack-facts/1"] = "mrdtrack-facts/1"
TREATMENT_COLUMNS = ("start", "end", "name", "kind")


def check_iso_date(value: str) -> str:
    """Refuse what is not a calendar day written YYYY-MM-DD."""
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"{value[:40]!r} is not a day written YYYY-MM-DD") from error
    if day.isoformat() != value:
        raise ValueError(f"{value[:40]!r} is not a day written YYYY-MM-DD")
    return value


IsoDate = Annotated[str, AfterValidator(check_iso_date)]


class Dates(FileModel):
    """The days rules count from. What the treatments tell need not stand here."""

    diagnosis: IsoDate | None = None
    treatment_start: IsoDate | None = None
    remission: IsoDate | None = None
    relapse: IsoDate | None = None
    end_of_treatment: IsoDate | None = None
    transplant: IsoDate | None = None
    tki_start: IsoDate | None = None
    tki_stop: IsoDate | None = None


class Blasts(FileModel):
    """Blasts in the marrow on one day, in percent."""

    date: IsoDate
    percent: Annotated[float, Field(ge=0, le=100)]


class LaboratorySettings(FileModel):
    """What the laboratory decides for itself, since no confirmed source does.

    `abl1_copies_min`: a negative RT-qPCR result with at least so many ABL1 copies is
    adequate. Without it only the result's own limit of detection counts.
    """

    abl1_copies_min: Annotated[int, Field(ge=1)] | None = None


class Facts(FileModel):
    """Disease facts of one patient (`mrdtrack-facts/1`, TOML).

    What is absent is unknown, never "no". `patient` and `disease` are needed only where
    every result is another method's.

    `altered` names genes and lesions altered at diagnosis (`NOTCH1`, `KMT2A-r`,
    `IKZF1del`), `tested` those looked for; an altered one counts as tested.
    `emergent_high_risk_aca`: high-risk chromosome aberrations that came up later (CML).
    `detectable_at_diagnosis` says of a gene whether the follow-up assay saw it then.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True
    )

    schema_: Literal["mrdtrack-facts/1"] = Field(default=SCHEMA, alias="schema")
    patient: str | None = None
    disease: Disease | None = None
    age_group: Literal["child", "adult"] | None = None
    arm: str | None = None
    transcript: str | None = None
    philadelphia: bool | None = None
    cd19: bool | None = None
    apl_high_risk: bool | None = None
    arsenic: bool | None = None
    genetic_risk: Literal["low", "high"] | None = None
    eln_risk: Literal["favourable", "intermediate", "poor"] | None = None
    resistance_mutation: bool | None = None
    emergent_high_risk_aca: bool | None = None
    imaging_negative: bool | None = None
    positive_at_end_of_treatment: bool | None = None
    cml_phase: Literal["CP1", "other"] | None = None
    salvage_needed: bool | None = None
    wbc_g_per_l: Annotated[float, Field(ge=0)] | None = None
    altered: tuple[str, ...] = ()
    tested: tuple[str, ...] = ()
    rare_marker: tuple[str, ...] = ()
    detectable_at_diagnosis: dict[str, bool] = {}
    dates: Dates = Dates()
    blasts: tuple[Blasts, ...] = ()
    laboratory: LaboratorySettings = LaboratorySettings()


def read_facts(path: Path) -> Facts:
    """Read a facts file.

    Raises:
        ResultError: it is no TOML.
        FaultList: keys or values are wrong; all are told.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ResultError(
            str(path), f"is not TOML ({error})", "write it as the documentation shows"
        ) from error
    try:
        return Facts.model_validate(content)
    except ValidationError as error:
        raise FaultList(
            str(path), list_faults(error), "correct the facts file"
        ) from error


def list_faults(error: ValidationError) -> list[str]:
    """Say each fault of a model with its place."""
    return [
        f"{'.'.join(str(part) for part in fault['loc']) or 'file'}: {fault['msg']}"
        for fault in error.errors()
    ]


def read_rows(path: Path, needed: Iterable[str]) -> list[tuple[int, dict[str, str]]]:
    """Read a CSV's rows with their line numbers; `;` and decimal commas are accepted.

    Raises:
        ResultError: a column is missing, or the file is no text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ResultError(
            str(path), "is not text in UTF-8", "save it as CSV in UTF-8"
        ) from error
    head = text.split("\n", 1)[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter, strict=True)
    try:
        columns = reader.fieldnames or ()
    except csv.Error as error:
        raise ResultError(
            f"{path}, line 1", f"is no CSV ({error})", "correct the line"
        ) from error
    missing = [name for name in needed if name not in columns]
    if missing:
        raise ResultError(
            str(path),
            f"has no column {', '.join(missing)}",
            f"give the columns {','.join(needed)}",
        )
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        for row in reader:
            if None in row or None in row.values():
                raise ResultError(
                    f"{path}, line {reader.line_num}",
                    "has not as many fields as the header",
                    "correct the line",
                )
            cells = {name: (cell or "").strip() for name, cell in row.items()}
            if any(cells.values()):
                rows.append((reader.line_num, cells))
    except csv.Error as error:
        raise ResultError(
            f"{path}, line {reader.line_num}",
            f"is no CSV ({error})",
            "correct the line",
        ) from error
    return rows


def read_treatments(path: Path) -> tuple[Treatment, ...]:
    """Read the treatments: `start,end,name,kind`; `end` may be empty (ongoing).

    Raises:
        ResultError: a column is missing, a date is wrong, an end lies before its start.
    """
    treatments = []
    for line, row in read_rows(path, TREATMENT_COLUMNS):
        where = f"{path}, line {line}"
        for name in ("start", "end"):
            _check_day(where, name, row[name], required=name == "start")
        if row["end"] and row["end"] < row["start"]:
            raise ResultError(
                where,
                f"the end {row['end']} lies before the start {row['start']}",
                "correct the dates",
            )
        treatments.append(
            Treatment(
                start=row["start"],
                end=row["end"] or None,
                name=row["name"],
                kind=row["kind"].lower().replace(" ", "_"),
            )
        )
    return tuple(sorted(treatments, key=lambda t: (t.start, t.name, t.kind)))


def _check_day(where: str, name: str, value: str, *, required: bool) -> None:
    if not value and not required:
        return
    try:
        check_iso_date(value)
    except ValueError as error:
        raise ResultError(
            where, f"{name}: {error}", "write dates as YYYY-MM-DD"
        ) from error


def gather_anchors(facts: Facts, treatments: Iterable[Treatment]) -> dict[str, str]:
    """Gather the days rules count from: as the facts say, else as treatments tell.

    The transplant is the last one of kind `transplant`; TKI treatment starts with the
    first of kind `tki` and has stopped only if every one of them has an end; treatment
    ends with the last consolidation, if every one of them has ended.
    """
    told = {name: day for name, day in facts.dates if day is not None}
    by_kind: dict[str, list[Treatment]] = {}
    for treatment in treatments:
        by_kind.setdefault(treatment.kind, []).append(treatment)
    derived: dict[str, str | None] = {}
    if by_kind.get("transplant"):
        derived["transplant"] = max(t.start for t in by_kind["transplant"])
    if by_kind.get("tki"):
        derived["tki_start"] = min(t.start for t in by_kind["tki"])
        derived["tki_stop"] = _last_end(by_kind["tki"])
    if by_kind.get("consolidation"):
        derived["end_of_treatment"] = _last_end(by_kind["consolidation"])
    if by_kind.get("induction"):
        derived["treatment_start"] = min(t.start for t in by_kind["induction"])
    anchors = {name: day for name, day in derived.items() if day is not None}
    return dict(sorted({**anchors, **told}.items()))


def _last_end(treatments: list[Treatment]) -> str | None:
    ends = [t.end for t in treatments if t.end is not None]
    return max(ends) if len(ends) == len(treatments) else None
