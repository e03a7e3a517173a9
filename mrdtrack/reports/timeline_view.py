"""The timeline report as a view: the answer first, then what it rests on."""

from __future__ import annotations

from datetime import date

from mrdtrack.follow_up.timeline import Timeline, TimelineVisit
from mrdtrack.reports import level_text, phrases
from mrdtrack.reports.conclusion import last_visits, new_flags, no_flag
from mrdtrack.reports.finding_text import reason
from mrdtrack.reports.level_text import DETECTED, name
from mrdtrack.reports.timeline_sections import disease, sections
from mrdtrack.reports.view import Fact, Text, Tone, View
from mrdtrack.reports.words import Words

_URGENCY = ("quantified", "detected_below_loq", "insufficient_sensitivity")
_TONE_ORDER: tuple[Tone, ...] = ("alert", "watch", "calm", "none")
_CONCLUSIVE = DETECTED | {"not_detected"}


def timeline_view(timeline: Timeline, words: Words) -> View:
    """Compose the whole report in one language."""
    newest = sorted(last_visits(timeline), key=_urgency)
    actions = _actions(timeline)
    title = words.say("Measurable residual disease: timeline")
    patient = name(timeline.patient)
    last_date = newest[0].date if newest else ""
    return View(
        language=words.language,
        title=title,
        tone=_tone(newest, actions),
        headline=headline(words, newest),
        headline_more=_more(words, timeline, newest, actions),
        identity=_identity(words, timeline),
        sections=sections(words, timeline),
        running=words.say(
            "Patient {patient} (pseudonym), data to {date}, research use only",
            patient=patient,
            date=last_date or level_text.MISSING,
        ),
        page_of=words.say("page {page} of {pages}", page="{page}", pages="{pages}"),
        date=last_date,
        patient=patient,
        skip=words.say("Skip to the report"),
    )


def _urgency(visit: TimelineVisit) -> int:
    return _URGENCY.index(visit.call) if visit.call in _URGENCY else len(_URGENCY)


def _actions(timeline: Timeline) -> list[str]:
    found = {flag.action for flag in new_flags(timeline)}
    return sorted(found - {"NO_RULE"}, key=phrases.ACTION_ORDER.index)


def _tone(newest: list[TimelineVisit], actions: list[str]) -> Tone:
    tones: list[Tone] = [level_text.CALL_TONES[visit.call] for visit in newest]
    tones += [phrases.TONES[action] for action in actions]
    return min(tones, key=_TONE_ORDER.index, default="none")


def headline(words: Words, newest: list[TimelineVisit]) -> str:
    """Say the answer in one line."""
    if not newest:
        return words.say("No visit: nothing can be said.")
    return " ".join(answer(words, visit) for visit in newest)


def answer(words: Words, visit: TimelineVisit) -> str:
    """Say what one visit found, never a negative without its limit."""
    where = {
        "specimen": level_text.specimen(words, visit.specimen),
        "date": words.long_date(visit.date),
    }
    if level_text.is_negative(visit):
        return _negative_answer(words, visit, where)
    if visit.value and visit.call != "not_evaluable":
        shown = level_text.with_percent(words, visit.value, visit.metric)
        if visit.call == "detected_below_loq":
            return words.say(
                "MRD detected, not quantifiable, in {specimen} on {date}: about "
                "{level}.",
                level=shown,
                **where,
            )
        return words.say(
            "MRD detected in {specimen} on {date}: {level}.", level=shown, **where
        )
    if visit.reason:
        return words.say(
            "No result for {specimen} of {date}: not evaluable ({reason}).",
            reason=reason(words, visit.reason, visit.reason_codes).text,
            **where,
        )
    return words.say("No result for {specimen} of {date}: not evaluable.", **where)


def _negative_answer(words: Words, visit: TimelineVisit, where: dict[str, str]) -> str:
    if not visit.lod95:
        return words.say(
            "No conclusion for {specimen} of {date}: its limit of detection is not "
            "stated.",
            **where,
        )
    lod = level_text.with_percent(words, visit.lod95, visit.metric)
    if visit.call != "insufficient_sensitivity":
        return words.say(
            "MRD not detected in {specimen} on {date}, with a limit of detection of "
            "{lod}.",
            lod=lod,
            **where,
        )
    return words.say(
        "No conclusion for {specimen} of {date}: no MRD seen, but the sample could not "
        "have shown less than {lod}.",
        lod=lod,
        **where,
    )


def _more(
    words: Words,
    timeline: Timeline,
    newest: list[TimelineVisit],
    actions: list[str],
) -> tuple[Text, ...]:
    lines = []
    if actions:
        said = ", ".join(words.say(phrases.ACTIONS[action]) for action in actions)
        text = words.say("For the multidisciplinary meeting: {actions}.", actions=said)
    else:
        text = (
            words.say("No rule raises a flag at this visit.")
            if timeline.protocols
            else no_flag(words, timeline)
        )
    lines.append(Text(text=text))
    since = newest[0].date if newest else ""
    lines += [
        Text(text=_other_answer(words, visit))
        for visit in timeline.visits
        if visit.source == "external" and visit.date >= since and visit not in newest
    ]
    if not any(visit.call in _CONCLUSIVE for visit in newest):
        before = [
            visit
            for visit in timeline.visits
            if visit.source == "mrdtrack" and visit.call in _CONCLUSIVE
        ]
        if before:
            text = words.say(
                "Last conclusive result: {answer}", answer=answer(words, before[-1])
            )
            lines.append(Text(text=text))
    return tuple(lines)


def _other_answer(words: Words, visit: TimelineVisit) -> str:
    """Say what another method found on the newest day or since."""
    what = [name(visit.method), name(visit.target), words.long_date(visit.date)]
    call = level_text.call(words, visit)
    shown = level_text.level(words, visit).text
    found = call.text if level_text.is_negative(visit) else f"{shown}, {call.text}"
    return words.say(
        "Other method ({what}), {specimen}: {result}.",
        what=", ".join(part for part in what if part != level_text.MISSING),
        specimen=level_text.specimen(words, visit.specimen),
        result=found if call.text != level_text.MISSING else shown,
    )


def _identity(words: Words, timeline: Timeline) -> tuple[Fact, ...]:
    days = sorted({visit.date for visit in timeline.visits})
    facts = [
        (words.say("Patient (pseudonym)"), name(timeline.patient)),
        (words.say("Disease"), disease(words, timeline.disease)),
    ]
    if days:
        samples = words.say_plural(
            "{number} result", "{number} results", len(timeline.visits)
        )
        period = words.say("{first} to {last}", first=days[0], last=days[-1])
        facts += [
            (words.say("Period"), period),
            (words.say("Results"), samples),
            (words.say("Time of follow-up"), _months(words, days[0], days[-1])),
        ]
    return tuple(Fact(label=label, text=Text(text=text)) for label, text in facts)


def _months(words: Words, first: str, last: str) -> str:
    days = (date.fromisoformat(last) - date.fromisoformat(first)).days
    return words.say_plural("{number} day", "{number} days", days)
