"""The patient's samples: visit results read, checked and put in date order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ValidationError

from mrdtrack.errors import FaultList, ResultError
from mrdtrack.follow_up.facts import check_iso_date, list_faults
from mrdtrack.follow_up.timeline import TimelineVisit
from mrdtrack.levels.result import SCHEMA, VisitResult

_MOST_FAULTS = 10


def read_visit(path: Path) -> VisitResult:
    """Read one visit result.

    Raises:
        ResultError: it is no JSON, or of another schema.
        FaultList: keys or values are wrong; the first ten are told.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ResultError(
            str(path), "is not JSON", "give a SAMPLE.mrd.json that mrdtrack wrote"
        ) from error
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        raise ResultError(
            str(path),
            f"is not a visit result ({SCHEMA}) but {str(schema)[:60]!r}",
            "give a SAMPLE.mrd.json, or write it again with this version",
        )
    try:
        return VisitResult.model_validate(content)
    except ValidationError as error:
        faults = list_faults(error)
        raise FaultList(
            str(path), faults[:_MOST_FAULTS], "write the result again with mrdtrack"
        ) from error


def read_visits(paths: Iterable[Path]) -> tuple[VisitResult, ...]:
    """Read a patient's visit results, in date order.

    Raises:
        ResultError: a file is wrong; patients or diseases are mixed; a sample, or a
            tissue on one day, comes twice; a result has no date.
    """
    named = [(str(path), read_visit(path)) for path in paths]
    check_visits(named)
    return tuple(sorted((visit for _, visit in named), key=_order))


def _order(visit: VisitResult) -> tuple[str, str, str]:
    return (visit.date or "", visit.specimen or "", visit.sample)


def check_visits(named: Sequence[tuple[str, VisitResult]]) -> None:
    """Refuse results that cannot stand in one timeline.

    Args:
        named: where each result is from, and the result.

    Raises:
        ResultError: as `read_visits` says.
    """
    if not named:
        raise ResultError("timeline", "has no visit result", "give at least one")
    first_where, first = named[0]
    samples: dict[str, str] = {}
    days: dict[tuple[str | None, str | None, str], str] = {}
    for where, visit in named:
        _check_date(where, visit)
        _check_same_patient(where, visit, first_where, first)
        if visit.sample in samples:
            raise ResultError(
                where,
                f"sample {visit.sample} is also in {samples[visit.sample]}",
                "give each sample once",
            )
        samples[visit.sample] = where
        day = (visit.date, visit.specimen, visit.level.metric)
        if day in days:
            raise ResultError(
                where,
                f"{visit.specimen or 'a sample'} of {visit.date} on "
                f"{visit.level.metric} is also in {days[day]}",
                "give one result for each tissue and day",
            )
        days[day] = where


def _check_date(where: str, visit: VisitResult) -> None:
    if visit.date is None:
        raise ResultError(
            where,
            f"sample {visit.sample} has no date",
            "run quantify with --date YYYY-MM-DD",
        )
    try:
        check_iso_date(visit.date)
    except ValueError as error:
        raise ResultError(
            where, f"date: {error}", "run quantify with --date YYYY-MM-DD"
        ) from error


def _check_same_patient(
    where: str, visit: VisitResult, first_where: str, first: VisitResult
) -> None:
    if visit.patient != first.patient:
        raise ResultError(
            where,
            f"is of patient {visit.patient}, but {first_where} of {first.patient}",
            "give the results of one patient",
        )
    if visit.disease != first.disease:
        raise ResultError(
            where,
            f"names the disease {visit.disease}, but {first_where} {first.disease}",
            "use one panel for one disease",
        )


def draft_visit(result: VisitResult) -> TimelineVisit:
    """Turn a visit result into a timeline visit, before any kinetics."""
    level = result.level
    return TimelineVisit(
        sample=result.sample,
        date=result.date or "",
        specimen=result.specimen,
        timepoint=result.timepoint,
        source="mrdtrack",
        metric=level.metric,
        value=level.value,
        low=level.low,
        high=level.high,
        lod95=level.lod95,
        loq=level.loq,
        required_sensitivity=level.required_sensitivity,
        limited_by=level.limited_by,
        p_value=level.p_value,
        call=level.call,
        reason=level.reason,
        reason_codes=level.reason_codes,
        markers=result.markers,
        groups=tuple(group for group in result.groups if group.in_level),
        quality=result.quality,
    )
