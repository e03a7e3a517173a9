"""The timeline as a table for programs: one row a visit."""

from __future__ import annotations

from mrdtrack.follow_up.timeline import Estimate, Timeline, TimelineVisit
from mrdtrack.reports.level_text import is_negative
from mrdtrack.reports.tables import Cell, tsv

COLUMNS = (
    "patient",
    "sample",
    "date",
    "specimen",
    "timepoint",
    "source",
    "method",
    "target",
    "metric",
    "value",
    "low",
    "high",
    "lod95",
    "loq",
    "required_sensitivity",
    "p_value",
    "call",
    "reason",
    "baseline",
    "nadir",
    "log10_reduction_relation",
    "log10_reduction",
    "log10_reduction_low",
    "log10_reduction_high",
    "change_from_sample",
    "change_log10_relation",
    "change_log10",
    "change_log10_low",
    "change_log10_high",
    "flags",
)
_COPIED = (
    "sample",
    "date",
    "specimen",
    "timepoint",
    "source",
    "method",
    "target",
    "metric",
    "low",
    "high",
    "lod95",
    "loq",
    "required_sensitivity",
    "p_value",
    "call",
    "reason",
    "baseline",
    "nadir",
)


def timeline_tsv(timeline: Timeline) -> bytes:
    """Write one row a visit, in date order.

    Where nothing was detected `value` and `low` are empty: a reader takes `lod95`,
    and no zero passes for a level.
    """
    flags: dict[str, list[str]] = {}
    for flag in timeline.flags:
        flags.setdefault(flag.visit, []).append(f"{flag.rule}:{flag.action}")
    rows = (
        _row(timeline.patient, visit, flags.get(visit.sample, []))
        for visit in timeline.visits
    )
    return tsv(COLUMNS, rows)


def _row(patient: str, visit: TimelineVisit, flags: list[str]) -> dict[str, Cell]:
    row: dict[str, Cell] = {name: getattr(visit, name) for name in _COPIED}
    row["patient"] = patient
    row["value"] = visit.value
    if is_negative(visit) or not visit.value:
        row["value"] = row["low"] = None
    row["flags"] = ";".join(flags)
    row |= _estimate("log10_reduction", visit.log10_reduction)
    change = visit.change_from_previous
    if change is not None:
        row["change_from_sample"] = change.from_sample
        row |= _estimate("change_log10", change.log10)
    return row


def _estimate(name: str, estimate: Estimate | None) -> dict[str, Cell]:
    if estimate is None:
        return {}
    return {
        f"{name}_relation": estimate.relation,
        name: estimate.value,
        f"{name}_low": estimate.low,
        f"{name}_high": estimate.high,
    }
