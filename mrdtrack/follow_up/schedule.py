"""When the next sample is due, and of which tissue."""

from __future__ import annotations

from datetime import date, timedelta

from mrdtrack.follow_up.readings import plain_name
from mrdtrack.follow_up.series import NOT_DETECTED, is_detected
from mrdtrack.follow_up.situation import is_in_window, meets_conditions
from mrdtrack.follow_up.timeline import ScheduleItem, TimelineVisit
from mrdtrack.follow_up.verdicts import Case, Missing, Verdict, ask_tissue
from mrdtrack.follow_up.wording import (
    Sentence,
    say_date,
    say_specimen,
    say_time_point,
)
from mrdtrack.protocols.context_rules import DueSample, DueSeries, ScheduleRule


def judge_schedule(rule: ScheduleRule, case: Case) -> list[Verdict]:
    """Judge which samples of a schedule are due, overdue, or of the wrong tissue."""
    visits = [v for v in case.visits if _is_of(rule, v, case)]
    if not visits and not _is_patient_of(rule, case):
        return []
    answer = meets_conditions(rule.conditions, case.facts)
    if isinstance(answer, Sentence):
        return [Missing(missing=answer)]
    if answer == "no":
        return []
    verdicts: list[Verdict] = []
    for point in rule.points:
        verdicts += _judge_point(point, visits, case)
    for series in rule.series:
        verdicts += _judge_series(rule, series, visits, case)
    return verdicts


def _is_of(rule: ScheduleRule, visit: TimelineVisit, case: Case) -> bool:
    if visit.metric not in rule.metrics or case.is_diagnosis(visit):
        return False
    target = plain_name(visit.target or case.facts.transcript or "")
    return not rule.genes or target in {plain_name(gene) for gene in rule.genes}


def _is_patient_of(rule: ScheduleRule, case: Case) -> bool:
    known = {plain_name(gene) for gene in case.facts.altered}
    known.add(plain_name(case.facts.transcript or ""))
    return bool(known & {plain_name(gene) for gene in rule.genes})


def _judge_point(
    point: DueSample, visits: list[TimelineVisit], case: Case
) -> list[Verdict]:
    """Judge a sample of a time point: there, of another tissue, or still to come."""
    there = [v for v in visits if is_in_window(point.window, v, case.anchors) == "yes"]
    if any(v.specimen == point.specimen for v in there):
        return []
    if there:
        known = [v for v in there if v.specimen is not None]
        return list(ask_tissue(known[0], (point.specimen,))) if known else []
    start = case.anchors.get(point.anchor or "")
    if start is None or case.as_of < _add(start, point.from_days):
        return []
    return [_point_item(point, _add(start, point.to_days), case.as_of)]


def _point_item(point: DueSample, due: str, as_of: str) -> ScheduleItem:
    tissue = say_specimen(point.specimen, "en"), say_specimen(point.specimen, "fr")
    point_en, point_fr = say_time_point(point.timepoint)
    return ScheduleItem(
        kind="overdue" if due < as_of else "due",
        due=due,
        specimen=point.specimen,
        because=f"{tissue[0]} of {point_en}: no result up to {say_date(as_of, 'en')}",
        because_fr=(
            f"{tissue[1]}, {point_fr} : pas de résultat au {say_date(as_of, 'fr')}"
        ),
    )


def _judge_series(
    rule: ScheduleRule, series: DueSeries, visits: list[TimelineVisit], case: Case
) -> list[Verdict]:
    anchor = series.window.anchor
    start = case.anchors.get(anchor) if anchor is not None else None
    if anchor is None or start is None:
        answer = is_in_window(series.window, case.visits[-1], case.anchors)
        return [Missing(missing=answer)] if isinstance(answer, Sentence) else []
    useful = [v for v in visits if is_detected(v) or v.call in NOT_DETECTED]
    due = _next_due(series, useful, start)
    last_day = series.window.to_days
    end = None if last_day is None else _add(start, last_day)
    first = _add(start, series.window.from_days)
    if case.as_of < first or (end is not None and (due > end or case.as_of > end)):
        return []
    return [_due_item(rule, series, due, overdue=due < case.as_of)]


def _next_due(series: DueSeries, visits: list[TimelineVisit], start: str) -> str:
    """Give the day the next sample is due: after the last of either tissue."""
    days = [_add(start, series.window.from_days + series.every_days)]
    for visit in visits:
        if visit.specimen == series.specimen:
            days.append(_add(visit.date, series.every_days))
        elif visit.specimen == series.alternative and series.alternative_every_days:
            days.append(_add(visit.date, series.alternative_every_days))
    return max(days)


def _add(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def _due_item(
    rule: ScheduleRule, series: DueSeries, due: str, *, overdue: bool
) -> ScheduleItem:
    tissue = say_specimen(series.specimen, "en"), say_specimen(series.specimen, "fr")
    other = other_fr = ""
    if series.alternative and series.alternative_every_days:
        days = series.alternative_every_days
        other = f" (or {say_specimen(series.alternative, 'en')} every {days} days)"
        other_fr = (
            f" (ou {say_specimen(series.alternative, 'fr')} tous les {days} jours)"
        )
    return ScheduleItem(
        kind="overdue" if overdue else "due",
        due=due,
        specimen=series.specimen,
        because=(
            f"{rule.en.call}: {tissue[0]} every {series.every_days} days{other}, due "
            f"{say_date(due, 'en')}"
        ),
        because_fr=(
            f"{rule.fr.call} : {tissue[1]} tous les {series.every_days} jours"
            f"{other_fr}, attendu le {say_date(due, 'fr')}"
        ),
        rule=rule.id,
    )
