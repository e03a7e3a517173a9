"""Results of other methods (RT-qPCR, flow, digital PCR), each on its own metric."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Final

from mrdtrack.errors import ResultError
from mrdtrack.follow_up.facts import check_iso_date, read_rows
from mrdtrack.follow_up.timeline import TimelineVisit
from mrdtrack.levels.result import Call, Specimen
from mrdtrack.protocols.vocabulary import METRICS, OWN_METRICS

COLUMNS: Final = ("date", "specimen", "metric", "value", "lod", "call", "method")
OPTIONAL_COLUMNS: Final = (
    "sample",
    "timepoint",
    "target",
    "low",
    "high",
    "loq",
    "abl1_copies",
)

_SPECIMENS: Final[dict[str, Specimen | None]] = {
    "bone_marrow": "bone_marrow",
    "bm": "bone_marrow",
    "marrow": "bone_marrow",
    "moelle": "bone_marrow",
    "peripheral_blood": "peripheral_blood",
    "pb": "peripheral_blood",
    "blood": "peripheral_blood",
    "sang": "peripheral_blood",
    "other": "other",
    "autre": "other",
    "": None,
}
_CALLS: Final[dict[str, Call]] = {
    "quantified": "quantified",
    "positive": "quantified",
    "detected_below_loq": "detected_below_loq",
    "pnq": "detected_below_loq",
    "not_detected": "not_detected",
    "negative": "not_detected",
    "undetected": "not_detected",
    "insufficient_sensitivity": "insufficient_sensitivity",
    "not_evaluable": "not_evaluable",
}


def read_external(path: Path) -> tuple[TimelineVisit, ...]:
    """Read results of other methods, in the order of the file.

    A row's `value`, `lod`, `low`, `high` and `loq` are in the metric's own unit. An
    empty `call` is filled where value and limit leave no doubt.

    Raises:
        ResultError: a column, a word or a number is wrong; a row tells nothing.
    """
    rows = read_rows(path, COLUMNS)
    if not rows:
        raise ResultError(str(path), "holds no result", "give rows, or leave it out")
    unknown = set(rows[0][1]) - set(COLUMNS) - set(OPTIONAL_COLUMNS)
    if unknown:
        raise ResultError(
            str(path),
            f"has unknown columns {', '.join(sorted(unknown))}",
            f"known are {', '.join(COLUMNS + OPTIONAL_COLUMNS)}",
        )
    visits: list[TimelineVisit] = []
    seen: dict[tuple[str, ...], int] = {}
    for line, row in rows:
        visit = _read_row(f"{path}, line {line}", row)
        key = (
            visit.date,
            visit.specimen or "",
            visit.metric,
            visit.method or "",
            visit.target or "",
        )
        if key in seen:
            raise ResultError(
                f"{path}, line {line}",
                f"repeats the measurement of line {seen[key]}",
                "give each measurement once",
            )
        seen[key] = line
        visits.append(visit)
    return tuple(visits)


def _read_row(where: str, row: Mapping[str, str]) -> TimelineVisit:
    try:
        day = check_iso_date(row["date"])
    except ValueError as error:
        raise ResultError(
            where, f"date: {error}", "write dates as YYYY-MM-DD"
        ) from error
    specimen = _word(where, "specimen", row["specimen"].lower(), _SPECIMENS)
    metric = row["metric"]
    if metric not in METRICS:
        raise ResultError(
            where, f"metric {metric[:40]!r} is unknown", f"use {', '.join(METRICS)}"
        )
    numbers = {
        name: _number(where, name, row.get(name, ""), metric)
        for name in ("value", "lod", "low", "high", "loq")
    }
    if metric == "log10_reduction":
        call = _read_reduction_call(where, row["call"].lower(), numbers["value"])
    else:
        call = _read_call(where, row["call"].lower(), numbers["value"], numbers["lod"])
    value = None if call in ("not_detected", "not_evaluable") else numbers["value"]
    method = row["method"] or None
    target = row.get("target") or None
    return TimelineVisit(
        sample=row.get("sample")
        or " ".join(filter(None, (method or metric, target, day, specimen))),
        date=day,
        specimen=specimen,
        timepoint=row.get("timepoint") or None,
        source="external",
        method=method,
        target=target,
        metric=metric,
        value=value,
        low=numbers["low"],
        high=numbers["high"],
        lod95=numbers["lod"],
        loq=numbers["loq"],
        required_sensitivity=None,
        call=call,
        abl1_copies=_number(where, "abl1_copies", row.get("abl1_copies", ""), ""),
    )


def _word(
    where: str, name: str, word: str, known: Mapping[str, Specimen | None]
) -> Specimen | None:
    if word not in known:
        raise ResultError(
            where,
            f"{name} {word[:40]!r} is unknown",
            f"use {', '.join(sorted(filter(None, known)))}",
        )
    return known[word]


def _number(where: str, name: str, text: str, metric: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError as error:
        raise ResultError(
            where, f"{name} {text[:40]!r} is no number", "give a number or nothing"
        ) from error
    if not isfinite(value) or (value < 0 and metric != "log10_reduction"):
        raise ResultError(
            where, f"{name} {text[:40]!r} is no possible level", "correct the number"
        )
    if metric in OWN_METRICS and value > 1:
        raise ResultError(
            where,
            f"{name} {text[:40]} is above 1",
            f"give {metric} as a fraction from 0 to 1",
        )
    return value


def _read_reduction_call(where: str, word: str, value: float | None) -> Call | None:
    if word not in ("", "quantified") or value is None:
        raise ResultError(
            where,
            "gives a log10 reduction without a value, or with a call",
            "give the value, and leave the call empty",
        )
    return "quantified"


def _read_call(
    where: str, word: str, value: float | None, lod: float | None
) -> Call | None:
    call = _CALLS.get(word)
    if word and call is None:
        raise ResultError(
            where, f"call {word[:40]!r} is unknown", f"use {', '.join(_CALLS)}"
        )
    if call is None:
        if value is None:
            raise ResultError(
                where, "has neither value nor call", "give one, or leave the row out"
            )
        if value == 0:
            raise ResultError(
                where,
                "gives the value 0 without a call",
                "say not_detected, and give the limit of detection",
            )
        return "quantified" if lod is None or value >= lod else "detected_below_loq"
    if call == "quantified" and not value:
        raise ResultError(
            where, "is quantified but gives no value above 0", "give the value"
        )
    return call
