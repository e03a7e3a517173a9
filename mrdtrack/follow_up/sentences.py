"""The words of a flag: what a verdict found, in the rule's words, in both languages."""

from __future__ import annotations

from mrdtrack.follow_up.verdicts import Fired, say_interval
from mrdtrack.follow_up.wording import (
    Language,
    Sentence,
    say_level,
    say_metric,
    say_specimen,
    say_visit,
)
from mrdtrack.protocols.rule_bases import Rule
from mrdtrack.protocols.rule_parts import PLACEHOLDERS, Wording
from mrdtrack.protocols.vocabulary import INTENSIFYING

_SPANS = Sentence(
    "The interval spans the threshold: take another sample.",
    "L'intervalle recouvre le seuil : refaire un prélèvement.",
)
_NO_INTERVAL = Sentence(
    "The imported value has no interval.", "La valeur importée n'a pas d'intervalle."
)


def fill_in(fired: Fired, language: Language) -> dict[str, str]:
    """Fill every name a rule's sentence may hold."""
    english = language == "en"
    reading = fired.reading
    metric = fired.metric or fired.visit.metric
    unknown = "not known" if english else "inconnu"

    def level(value: float | None) -> str:
        return unknown if value is None else say_level(value, metric, language)

    values = {
        "visit": say_visit(fired.visit.sample, fired.visit.date, language),
        "specimen": say_specimen(fired.visit.specimen, language),
        "metric": say_metric(metric, language),
        "value": level(reading.value if reading else None),
        "interval": say_interval(reading.low, reading.high, metric, language)
        if reading
        else "",
        "limit": level(reading.limit if reading else None),
        "threshold": level(fired.threshold),
        "required": level(fired.threshold),
        "earlier": say_visit(fired.earlier.sample, fired.earlier.date, language)
        if fired.earlier
        else unknown,
        "days": unknown if fired.days is None else str(fired.days),
        "detail": fired.detail.en if english else fired.detail.fr,
    }
    if set(values) != PLACEHOLDERS:
        raise AssertionError("the names of rules' sentences have changed")
    return values


def say_because(rule: Rule, fired: Fired) -> Sentence:
    """Say why a rule fired."""
    return Sentence(_because(rule.en, fired, "en"), _because(rule.fr, fired, "fr"))


def _because(words: Wording, fired: Fired, language: Language) -> str:
    if words.because is not None and not fired.aside:
        text = _fill(words.because, fired, language)
    else:
        text = _say_found(fired, language)
    if words.remark is not None and not fired.aside:
        text = f"{text} {_fill(words.remark, fired, language)}"
    doubt = say_doubt(fired)
    if doubt is not None:
        text = f"{text} {doubt.en if language == 'en' else doubt.fr}"
    return text


def _fill(text: str, fired: Fired, language: Language) -> str:
    return text.format_map(fill_in(fired, language)) if "{" in text else text


def _say_found(fired: Fired, language: Language) -> str:
    english = language == "en"
    colon = ":" if english else " :"
    visit = say_visit(fired.visit.sample, fired.visit.date, language)
    tissue = say_specimen(fired.visit.specimen, language)
    metric = ""
    if fired.reading is not None:
        metric = f", {say_metric(fired.metric or fired.visit.metric, language)}"
    detail = fired.detail.en if english else fired.detail.fr
    return f"{visit}, {tissue}{metric}{colon} {detail}."


def say_doubt(fired: Fired) -> Sentence | None:
    """Say what keeps a flag at the estimate alone."""
    reading = fired.reading
    if fired.confidence == "interval" or reading is None or not reading.detected:
        return None
    if reading.low is None and reading.high is None:
        return _NO_INTERVAL if reading.visit.source == "external" else None
    return _SPANS if fired.threshold is not None else None


def needs_repeat(fired: Fired, actions: tuple[str, ...]) -> bool:
    """Tell whether an intensifying flag whose interval spans asks for a sample too."""
    return (
        say_doubt(fired) == _SPANS
        and bool(INTENSIFYING & set(actions))
        and "REPEAT_SAMPLE" not in actions
    )


def say_change(rule: Rule, fired: Fired) -> Sentence:
    """Say what would change a flag."""
    sentences = []
    for words, language in ((rule.en, "en"), (rule.fr, "fr")):
        lang: Language = "en" if language == "en" else "fr"
        if words.would_change_if is not None and not fired.aside:
            sentences.append(_fill(words.would_change_if, fired, lang))
        else:
            sentences.append(fired.change.en if lang == "en" else fired.change.fr)
    return Sentence(*sentences)
