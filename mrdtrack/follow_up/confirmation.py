"""A second sample confirms, or is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from mrdtrack.follow_up.readings import Reading
from mrdtrack.follow_up.series import count_days
from mrdtrack.follow_up.timeline import ScheduleItem, TimelineVisit
from mrdtrack.follow_up.verdicts import (
    Fired,
    Missing,
    Verdict,
    number_reading,
    say_reading,
)
from mrdtrack.follow_up.wording import Sentence, say_visit
from mrdtrack.levels.result import Specimen
from mrdtrack.protocols.rule_parts import Confirmation


def confirm_event(
    first: Fired,
    confirm: Confirmation,
    readings: Sequence[Reading],
    call: Sentence,
) -> list[Verdict]:
    """Ask a second sample of an event; definitive only once it agrees.

    Args:
        first: the event, with the rule's own actions.
        confirm: what confirms it.
        readings: the patient's readings of the rule, in date order.
        call: the rule's category, which holds only once confirmed.
    """
    if _is_waived(first, confirm):
        return [first]
    asked = _ask_again(first, confirm, call)
    later = [r for r in readings if r.visit.date > first.visit.date]
    inside = [r for r in later if _is_inside(first.visit, r, confirm)]
    for reading in inside:
        if _agrees(reading, confirm):
            return [asked, _fire_confirmed(first, reading, confirm)]
    judged = [r for r in inside if _tissue_counts(r, confirm)]
    if judged:
        return [asked, _not_confirmed(judged[-1])]
    late = [
        r for r in later if _agrees(r, confirm) and not _too_early(first, r, confirm)
    ]
    if late:
        return [_say_late(asked, late[0], confirm), _due(first, confirm)]
    return [asked, _due(first, confirm)]


def _is_waived(first: Fired, confirm: Confirmation) -> bool:
    reading = first.reading
    if reading is None or reading.value is None or reading.visit.specimen is None:
        return False
    needed = confirm.waive_at_least.get(reading.visit.specimen)
    return needed is not None and reading.value >= needed


def _is_inside(first: TimelineVisit, reading: Reading, confirm: Confirmation) -> bool:
    days = count_days(first.date, reading.visit.date)
    return confirm.from_days <= days <= confirm.within_days


def _too_early(first: Fired, reading: Reading, confirm: Confirmation) -> bool:
    return count_days(first.visit.date, reading.visit.date) < confirm.from_days


def _tissue_counts(reading: Reading, confirm: Confirmation) -> bool:
    specimen = reading.visit.specimen
    counts = specimen in confirm.at_least or specimen in confirm.above
    return counts and reading.state != "not_evaluable"


def _agrees(reading: Reading, confirm: Confirmation) -> bool:
    if not reading.detected or reading.value is None:
        return False
    at_least = _find(confirm.at_least, reading)
    above = _find(confirm.above, reading)
    if at_least is not None:
        return reading.value >= at_least
    return above is not None and reading.value > above


def _find(levels: Mapping[Specimen, float], reading: Reading) -> float | None:
    specimen = reading.visit.specimen
    return None if specimen is None else levels.get(specimen)


def _ask_again(first: Fired, confirm: Confirmation, call: Sentence) -> Fired:
    days = confirm.within_days
    return replace(
        first,
        actions=confirm.before,
        call=Sentence(f"{call.en}: to be confirmed", f"{call.fr} : à confirmer"),
        days=days,
        detail=Sentence(
            f"{first.detail.en}; to be confirmed on a second sample within {days} days",
            f"{first.detail.fr} ; à confirmer sur un second prélèvement dans les "
            f"{days} jours",
        ),
    )


def _fire_confirmed(first: Fired, second: Reading, confirm: Confirmation) -> Fired:
    days = count_days(first.visit.date, second.visit.date)
    said = say_reading(second)
    when = say_visit(first.visit.sample, first.visit.date, "en")
    when_fr = say_visit(first.visit.sample, first.visit.date, "fr")
    sure = first.confidence == "interval" and _agrees_surely(second, confirm)
    numbers = {f"first_{name}": value for name, value in first.numbers.items()}
    return replace(
        first,
        visit=second.visit,
        confidence="interval" if sure else "estimate",
        reading=second,
        earlier=first.visit,
        days=days,
        detail=Sentence(
            f"{said.en}; this confirms, {days} days later, {when}: {first.detail.en}",
            f"{said.fr} ; confirme, {days} jours après, {when_fr} : {first.detail.fr}",
        ),
        numbers={**number_reading(second), **numbers},
    )


def _agrees_surely(reading: Reading, confirm: Confirmation) -> bool:
    """Tell whether the whole interval of a second sample agrees."""
    low = reading.low
    return low is not None and _agrees(replace(reading, value=low), confirm)


def _not_confirmed(second: Reading) -> Missing:
    said = say_reading(second)
    return Missing(
        missing=Sentence(
            f"a confirmation: the second sample did not reach the level ({said.en})",
            f"une confirmation : le second prélèvement n'atteint pas le niveau "
            f"({said.fr})",
        ),
        visit=second.visit,
    )


def _say_late(asked: Fired, late: Reading, confirm: Confirmation) -> Fired:
    days = count_days(asked.visit.date, late.visit.date)
    when = say_visit(late.visit.sample, late.visit.date, "en")
    when_fr = say_visit(late.visit.sample, late.visit.date, "fr")
    return replace(
        asked,
        detail=Sentence(
            f"{asked.detail.en}; {when} reached the level too, but {days} days later "
            f"and so outside the {confirm.within_days} days",
            f"{asked.detail.fr} ; {when_fr} atteint aussi le niveau, mais {days} jours "
            f"après, donc hors des {confirm.within_days} jours",
        ),
    )


def _due(first: Fired, confirm: Confirmation) -> ScheduleItem:
    day = date.fromisoformat(first.visit.date) + timedelta(days=confirm.within_days)
    tissues = [*confirm.at_least, *confirm.above]
    when = say_visit(first.visit.sample, first.visit.date, "en")
    when_fr = say_visit(first.visit.sample, first.visit.date, "fr")
    return ScheduleItem(
        kind="confirmation_due",
        due=day.isoformat(),
        specimen=tissues[0] if len(tissues) == 1 else first.visit.specimen,
        because=f"the finding of {when} is to be confirmed on a second sample",
        because_fr=(
            f"le résultat de {when_fr} est à confirmer sur un second prélèvement"
        ),
    )
