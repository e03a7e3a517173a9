"""Levels, limits and calls as a reader sees them: never a bare zero or negative."""

from __future__ import annotations

from typing import get_args

from mrdtrack.follow_up.timeline import Estimate, TimelineVisit
from mrdtrack.levels.result import Metric
from mrdtrack.protocols.vocabulary import name_time_point
from mrdtrack.reports import phrases
from mrdtrack.reports.inert_text import shortened
from mrdtrack.reports.tables import stable
from mrdtrack.reports.view import Text, Tone
from mrdtrack.reports.words import NARROW_SPACE, TIMES, Words

MISSING = "\u2013"
FRACTIONS = frozenset(get_args(Metric))
LONGEST_NAME = 60
LONGEST_SENTENCE = 600

CALL_TONES: dict[str | None, Tone] = {
    "quantified": "alert",
    "detected_below_loq": "watch",
    "not_detected": "calm",
    "insufficient_sensitivity": "watch",
    "not_evaluable": "none",
    None: "none",
}
DETECTED = frozenset({"quantified", "detected_below_loq"})
NEGATIVE = frozenset({"not_detected", "insufficient_sensitivity"})


def name(text: str | None) -> str:
    """Show a name from an input file, or a dash."""
    return shortened(text, LONGEST_NAME) if text else MISSING


def sentence(words: Words, english: str, french: str = "") -> Text:
    """Show a sentence from an input in the reader's language where it has one."""
    chosen = words.sentence(english, french)
    other = None if chosen.language == words.language else chosen.language
    return Text(text=shortened(chosen.text, LONGEST_SENTENCE), language=other)


def amount(words: Words, value: float, metric: str) -> str:
    """Write a positive value on its metric: a power of ten, or with its unit."""
    if metric in FRACTIONS:
        return words.power(value)
    unit = phrases.UNITS.get(metric)
    shown = words.plain(value)
    if unit is None:
        return shown
    if unit == "%":
        return f"{shown}{words.percent_sign}"
    return f"{shown}{NARROW_SPACE}{words.say(unit)}"


def with_percent(words: Words, value: float, metric: str) -> str:
    """Write a value, and in percent too where its metric is a fraction."""
    shown = amount(words, value, metric)
    return f"{shown} ({words.percent(value)})" if metric in FRACTIONS else shown


def exact(value: float | None) -> str | None:
    """Write a number just as the JSON holds it."""
    return None if value is None else repr(stable(value))


def below(words: Words, limit: float, metric: str) -> str:
    """Write what lies below a limit: `< 1.6e-4` with a raised exponent."""
    return f"<{NARROW_SPACE}{amount(words, limit, metric)}"


def is_negative(visit: TimelineVisit) -> bool:
    """Tell whether nothing was seen: by its call, or by a value of zero without one."""
    return visit.call in NEGATIVE or (visit.call is None and visit.value == 0)


def level(words: Words, visit: TimelineVisit) -> Text:
    """Write the level: a number, below which limit, or a dash."""
    if is_negative(visit):
        if visit.lod95:
            shown = below(words, visit.lod95, visit.metric)
            return Text(text=shown, value=exact(visit.lod95))
        return Text(text=MISSING)
    if visit.value and visit.call != "not_evaluable":
        shown = amount(words, visit.value, visit.metric)
        return Text(text=shown, value=exact(visit.value))
    return Text(text=MISSING)


def interval(words: Words, low: float | None, high: float | None, metric: str) -> str:
    """Write a 95 % interval; one that begins at zero is an upper bound."""
    if high is None or high <= 0:
        return MISSING
    shown_high = amount(words, high, metric)
    if not low:
        return f"≤{NARROW_SPACE}{shown_high}"
    shown_low = amount(words, low, metric)
    mantissa, _, power = shown_high.partition(TIMES)
    if power and shown_low.endswith(TIMES + power):
        mantissas = f"{shown_low.partition(TIMES)[0]}{MISSING}{mantissa}"
        return f"({mantissas}){TIMES}{power}"
    return words.say("{low} to {high}", low=shown_low, high=shown_high)


def limit(words: Words, value: float | None, metric: str) -> Text:
    """Write a limit of detection or quantification."""
    if not value:
        return Text(text=MISSING)
    return Text(text=amount(words, value, metric), value=exact(value))


def call(words: Words, visit: TimelineVisit) -> Text:
    """Write the call; a negative one with the limit it stands on."""
    tone = CALL_TONES[visit.call]
    if is_negative(visit):
        return Text(text=_negative(words, visit), tone=tone)
    if visit.call is None:
        return Text(text=MISSING)
    return Text(text=words.say(phrases.CALLS[visit.call]), tone=tone)


def _negative(words: Words, visit: TimelineVisit) -> str:
    if not visit.lod95:
        return words.say("no conclusion: limit of detection not stated")
    lod = amount(words, visit.lod95, visit.metric)
    if visit.call != "insufficient_sensitivity":
        return words.say("not detected (LoD {lod})", lod=lod)
    if not visit.required_sensitivity:
        return words.say("insufficient sensitivity (LoD {lod})", lod=lod)
    return words.say(
        "insufficient sensitivity (LoD {lod}, required {required})",
        lod=lod,
        required=amount(words, visit.required_sensitivity, visit.metric),
    )


def bounded(words: Words, estimate: Estimate | None, digits: int = 2) -> Text:
    """Write an estimate with its relation and interval: `≥ 3.2`, `1.4 (1.1 to 1.7)`."""
    if estimate is None:
        return Text(text=MISSING)
    shown = _signed(words, estimate.value, digits)
    value = exact(estimate.value)
    if estimate.relation != "=":
        sign = {">=": "≥", "<=": "≤"}[estimate.relation]
        return Text(text=f"{sign}{NARROW_SPACE}{shown}", value=value)
    if estimate.low is not None and estimate.high is not None:
        shown = words.say(
            "{value} ({low} to {high})",
            value=shown,
            low=_signed(words, estimate.low, digits),
            high=_signed(words, estimate.high, digits),
        )
    return Text(text=shown, value=value)


def _signed(words: Words, value: float, digits: int) -> str:
    if value < 0:
        return f"\u2212{words.plain(-value, digits)}"
    return words.plain(value, digits)


def time_point(words: Words, visit: TimelineVisit) -> str:
    """Write the label of a visit's time point, translated where it is a known one."""
    known = name_time_point(visit.timepoint)
    if known in phrases.TIME_POINTS:
        return words.say(phrases.TIME_POINTS[known])
    return name(visit.timepoint) if visit.timepoint else ""


def visit_label(words: Words, visit: TimelineVisit) -> str:
    """Name a visit by its sample and time point."""
    shown = time_point(words, visit)
    return f"{name(visit.sample)} · {shown}" if shown else name(visit.sample)


def specimen(words: Words, code: str | None) -> str:
    """Write a specimen's name."""
    return words.say(phrases.SPECIMENS[code])


def metric(words: Words, code: str) -> str:
    """Write a metric's name; one that is not known keeps its own."""
    return words.say(phrases.METRICS[code]) if code in phrases.METRICS else name(code)
