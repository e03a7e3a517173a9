"""The cells of a table that tell of one level: value, interval, limit, result."""

from __future__ import annotations

from mrdtrack.follow_up.timeline import TimelineVisit
from mrdtrack.levels.result import MarkerResult
from mrdtrack.reports import level_text, phrases
from mrdtrack.reports.finding_text import reason
from mrdtrack.reports.level_text import MISSING, exact
from mrdtrack.reports.view import Text
from mrdtrack.reports.words import Words


def marker_as_visit(marker: MarkerResult, visit: TimelineVisit) -> TimelineVisit:
    """See one marker of a visit as if the visit had nothing else.

    So a marker's level, limit and call are written by the same words as the sample's.
    """
    return TimelineVisit(
        sample=visit.sample,
        date=visit.date,
        specimen=visit.specimen,
        timepoint=None,
        source="mrdtrack",
        metric=visit.metric,
        value=marker.fraction,
        low=marker.fraction_low,
        high=marker.fraction_high,
        lod95=marker.lod95,
        loq=None,
        required_sensitivity=visit.required_sensitivity,
        call=marker.call,
    )


def interval_cell(words: Words, visit: TimelineVisit) -> Text:
    """Write the 95 % interval, or a dash."""
    if visit.call == "not_evaluable":
        return Text(text=MISSING)
    shown = level_text.interval(words, visit.low, visit.high, visit.metric)
    value = exact(visit.high) if shown != MISSING else None
    return Text(text=shown, value=value, keep=True)


def result_cell(words: Words, visit: TimelineVisit) -> Text:
    """Write the call with its reason; of one that lacks sensitivity, what limits it."""
    call = level_text.call(words, visit)
    text = call.text
    if visit.limited_by and visit.call == "insufficient_sensitivity":
        text = f"{text}, {words.say(phrases.LIMITED_BY[visit.limited_by])}"
    if not visit.reason:
        return Text(text=text, tone=call.tone)
    why = reason(words, visit.reason, visit.reason_codes)
    text = words.say("{head}: {message}", head=text, message=why.text)
    return Text(text=text, tone=call.tone, language=why.language)


def count_cell(words: Words, number: int | None) -> Text:
    """Write a count of molecules, or a dash."""
    if number is None:
        return Text(text=MISSING)
    return Text(text=words.integer(number), value=str(number))
