"""Rules on conversion: negative and positive again, or never negative and rising."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from mrdtrack.follow_up.confirmation import confirm_event
from mrdtrack.follow_up.facts import Facts
from mrdtrack.follow_up.judge_levels import fire_level, try_level
from mrdtrack.follow_up.readings import Reading, is_adequate_negative
from mrdtrack.follow_up.verdicts import (
    Case,
    Confidence,
    Fired,
    Missing,
    Verdict,
    find_eligible,
    number_reading,
    say_reading,
    say_since,
)
from mrdtrack.follow_up.wording import Sentence, say_level, say_number
from mrdtrack.protocols.measured_rules import ConversionRule, NeverNegativeRule

_PASSED = frozenset({"interval", "estimate"})

_NO_EARLIER = Sentence(
    "an earlier adequate sample of the same tissue",
    "un prélèvement adéquat antérieur du même tissu",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    """What came before a reading in the same tissue.

    `negative` is the last adequate negative, `since` the readings after it; `nadir` is
    the lowest detected level where there never was a negative.
    """

    negative: Reading | None
    since: tuple[Reading, ...]
    nadir: Reading | None


def _is_negative(
    reading: Reading, below: float | None, required: float, facts: Facts
) -> bool:
    if not reading.detected:
        return is_adequate_negative(reading, required, facts)
    return below is not None and reading.value is not None and reading.value < below


def _look_back(
    reading: Reading,
    readings: Sequence[Reading],
    below: float | None,
    required: float,
    facts: Facts,
) -> _Past:
    before = [
        r
        for r in readings
        if r.visit.date < reading.visit.date
        and r.visit.specimen == reading.visit.specimen
        and r.state != "not_evaluable"
    ]
    negative: Reading | None = None
    since: list[Reading] = []
    for earlier in before:
        if _is_negative(earlier, below, required, facts):
            negative, since = earlier, []
        else:
            since.append(earlier)
    seen = [r for r in before if r.detected and r.value is not None]
    nadir = min(seen, key=lambda r: r.value or 0.0) if seen else None
    return _Past(
        negative=negative,
        since=tuple(since),
        nadir=None if negative is not None else nadir,
    )


def _rise(nadir: Reading | None, reading: Reading) -> float | None:
    if nadir is None or not nadir.value or not reading.value:
        return None
    return log10(reading.value / nadir.value)


def judge_conversion(rule: ConversionRule, case: Case) -> list[Verdict]:
    """Judge conversions from an adequate negative, and rises of the never negative.

    The first reading that passes after a negative is the event; those after it are
    asked to confirm it.
    """
    eligible = find_eligible(rule, case)
    verdicts = list(eligible.verdicts)
    every = case.read(rule)
    for reading in eligible.readings:
        answer = try_level(rule.test, reading)
        if isinstance(answer, Sentence):
            verdicts.append(Missing(missing=answer, visit=reading.visit))
        elif answer is not None:
            verdicts += _judge_event(rule, reading, answer, every, case.facts)
    return verdicts


def _judge_event(
    rule: ConversionRule,
    reading: Reading,
    confidence: Confidence,
    every: Sequence[Reading],
    facts: Facts,
) -> list[Verdict]:
    past = _look_back(
        reading, every, rule.negative_below, rule.required_sensitivity, facts
    )
    event = _find_event(rule, reading, past, confidence)
    if isinstance(event, Fired):
        if rule.confirm is None:
            return [event]
        call = Sentence(rule.en.call, rule.fr.call)
        return confirm_event(event, rule.confirm, every, call)
    return [] if event is None else [Missing(missing=event, visit=reading.visit)]


def _find_event(
    rule: ConversionRule, reading: Reading, past: _Past, confidence: Confidence
) -> Fired | Sentence | None:
    if past.negative is None:
        return _find_rise(rule, reading, past, confidence)
    if any(try_level(rule.test, r) in _PASSED for r in past.since):
        return None
    return say_since(
        fire_level(reading, rule.test, confidence),
        past.negative,
        Sentence("after an adequate negative", "après un négatif adéquat"),
    )


def _find_rise(
    rule: ConversionRule, reading: Reading, past: _Past, confidence: Confidence
) -> Fired | Sentence | None:
    """Find the event of a tissue never negative, if the rule knows one."""
    rise = _rise(past.nadir, reading)
    if rise is None or past.nadir is None:
        return _NO_EARLIER
    needed = rule.never_negative_log10
    known = any(_was_event(rule, r, past.nadir) for r in past.since)
    if needed is None or rise < needed or known:
        return None
    return say_since(
        fire_level(reading, rule.test, confidence), past.nadir, _say_rise(rise)
    )


def _was_event(rule: ConversionRule, earlier: Reading, nadir: Reading) -> bool:
    """Tell whether an earlier reading already was the event of a never-negative."""
    rise = _rise(nadir, earlier)
    return (
        earlier.visit.date > nadir.visit.date
        and rise is not None
        and rise >= (rule.never_negative_log10 or 0)
        and try_level(rule.test, earlier) in _PASSED
    )


def _say_rise(rise: float) -> Sentence:
    return Sentence(
        f"never negative, {say_number(rise, 'en')} log10 over the nadir",
        f"jamais négatif, {say_number(rise, 'fr')} log10 au-dessus du nadir",
    )


def judge_never_negative(rule: NeverNegativeRule, case: Case) -> list[Verdict]:
    """Fill the source's gap for tissues that were never negative."""
    eligible = find_eligible(rule, case)
    verdicts = list(eligible.verdicts)
    every = case.read(rule)
    for reading in eligible.readings:
        specimen = reading.visit.specimen
        threshold = rule.threshold.get(specimen) if specimen is not None else None
        if not reading.detected or reading.value is None or threshold is None:
            continue
        past = _look_back(
            reading, every, rule.negative_below, rule.required_sensitivity, case.facts
        )
        rise = _rise(past.nadir, reading)
        if rise is None or past.nadir is None:
            continue
        above = reading.value >= threshold
        if _names_case(rule, above=above, rises=rise >= rule.log10_rise):
            verdicts.append(_fire_gap(rule, reading, past.nadir, rise, threshold))
    return verdicts


def _names_case(rule: NeverNegativeRule, *, above: bool, rises: bool) -> bool:
    return {
        "rise_below": rises and not above,
        "rise_above": rises and above,
        "stable_above": above and not rises,
    }[rule.case]


def _fire_gap(
    rule: NeverNegativeRule,
    reading: Reading,
    nadir: Reading,
    rise: float,
    threshold: float,
) -> Fired:
    said, how = say_reading(reading), _say_rise(rise)
    metric = reading.visit.metric
    where = "below" if rule.case == "rise_below" else "at or above"
    where_fr = "au-dessous de" if rule.case == "rise_below" else "à ou au-dessus de"
    return Fired(
        visit=reading.visit,
        confidence="estimate",
        detail=Sentence(
            f"{said.en}, {where} {say_level(threshold, metric, 'en')}; {how.en}",
            f"{said.fr}, {where_fr} {say_level(threshold, metric, 'fr')} ; {how.fr}",
        ),
        change=Sentence(
            "an adequate negative of this tissue, or another course",
            "un négatif adéquat de ce tissu, ou une autre évolution",
        ),
        reading=reading,
        threshold=threshold,
        metric=metric,
        earlier=nadir.visit,
        numbers={**number_reading(reading), "log10_over_nadir": rise},
    )
