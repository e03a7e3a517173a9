"""Quality findings and reasons in the reader's language, by their codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mrdtrack.counts import QualityFinding, Severity
from mrdtrack.findings import FINDINGS, MOST_NAMES, REASONS, Value
from mrdtrack.levels.result import MarkerResult
from mrdtrack.reports import phrases
from mrdtrack.reports.inert_text import shortened
from mrdtrack.reports.level_text import LONGEST_SENTENCE, name, sentence
from mrdtrack.reports.view import Text
from mrdtrack.reports.words import SEMICOLON, Words

_CODED: dict[str, dict[str, str]] = {
    "mode": phrases.MODES,
    "reason": REASONS,
    "denominators": phrases.DENOMINATORS,
    "specimens": {code or "": text for code, text in phrases.SPECIMENS.items()}
    | {"not_told": phrases.SPECIMENS[None]},
}


_ORDER: tuple[Severity, ...] = ("error", "warning", "info")


class About(NamedTuple):
    """A finding and the sample it is about (none: the whole)."""

    sample: str
    found: QualityFinding


def findings(
    words: Words, told: Sequence[About], samples: Sequence[str], everyone: str
) -> tuple[Text, ...]:
    """Say each finding once, with the samples it is about; the gravest first.

    Where it is about all `samples`, `everyone` stands for them.
    """
    about: dict[tuple[Severity, Text], list[str]] = {}
    for sample, found in told:
        said = finding_sentence(words, found)
        about.setdefault((found.severity, said), []).append(sample)
    lines = []
    for severity, said in sorted(about, key=lambda key: _ORDER.index(key[0])):
        named = list(dict.fromkeys(filter(None, about[severity, said])))
        everywhere = len(named) > 1 and set(named) == set(samples)
        shown = everyone if everywhere else _listed(words, [name(one) for one in named])
        lines.append(_finding(words, severity, said, shown))
    return tuple(lines)


def finding(words: Words, found: QualityFinding) -> Text:
    """Say one finding with its severity."""
    return _finding(words, found.severity, finding_sentence(words, found), "")


def _finding(words: Words, severity: Severity, said: Text, about: str) -> Text:
    graveness = words.say(phrases.SEVERITIES[severity])
    head = f"{about}, {graveness}" if about else graveness
    return Text(
        text=words.say("{head}: {message}", head=head, message=said.text),
        language=said.language,
        tone="none" if severity == "info" else "watch",
    )


def finding_sentence(words: Words, found: QualityFinding) -> Text:
    """Say what was found; a code that is not known keeps its English message."""
    if found.code not in FINDINGS:
        return sentence(words, found.message)
    values = {key: _said(words, key, value) for key, value in found.values.items()}
    try:
        text = words.say(FINDINGS[found.code], **values)
    except KeyError:  # the file holds the code, but not the values of its sentence
        return sentence(words, found.message)
    if not FINDINGS[found.code].startswith("{"):  # a name stays as it is
        text = text[:1].lower() + text[1:]
    return Text(text=text)


def _said(words: Words, key: str, value: Value) -> str:
    if isinstance(value, tuple):
        return _listed(words, [_named(words, key, item) for item in value])
    if isinstance(value, str):
        return _day(words, value) if key == "day" else _named(words, key, value)
    if isinstance(value, int):
        return words.integer(value)
    return words.percent(value) if key == "share" else words.probability(value)


def _day(words: Words, text: str) -> str:
    try:
        return words.long_date(text)
    except ValueError:
        return name(text)


def _named(words: Words, key: str, text: str) -> str:
    known = _CODED.get(key, {})
    return words.say(known[text]) if text in known else name(text)


def _listed(words: Words, names: Sequence[str]) -> str:
    shown = ", ".join(names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    if more <= 0:
        return shown
    return words.say_plural(
        "{names} and {number} more", "{names} and {number} more", more, names=shown
    )


def reason(words: Words, english: str, codes: Sequence[str]) -> Text:
    """Say why there is no result: the first reason, and in brackets those below it."""
    if not codes:
        return sentence(words, english)
    parts = [words.say(REASONS[code]) if code in REASONS else code for code in codes]
    strange = any(code not in REASONS for code in codes) and words.language != "en"
    rest = SEMICOLON[words.language].join(parts[1:])
    text = f"{parts[0]} ({rest})" if rest else parts[0]
    return Text(
        text=shortened(text, LONGEST_SENTENCE), language="en" if strange else None
    )


def marker_reason(words: Words, marker: MarkerResult) -> Text:
    """Say why a marker could not be assessed."""
    codes = (marker.reason_code,) if marker.reason_code else ()
    return reason(words, marker.reason, codes)
