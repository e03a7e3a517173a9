"""Rules on one sample's level: level, negative, insufficient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mrdtrack.follow_up.confirmation import confirm_event
from mrdtrack.follow_up.facts import Facts
from mrdtrack.follow_up.readings import (
    Reading,
    is_adequate_negative,
)
from mrdtrack.follow_up.series import DETECTED, NOT_DETECTED
from mrdtrack.follow_up.verdicts import (
    Case,
    Confidence,
    Fired,
    Missing,
    Verdict,
    filter_readings,
    find_eligible,
    number_reading,
    say_reading,
)
from mrdtrack.follow_up.wording import Sentence, say_level
from mrdtrack.protocols.measured_rules import (
    InsufficientRule,
    LevelRule,
    NegativeRule,
)
from mrdtrack.protocols.rule_parts import LevelTest

Answer = Confidence | None | Sentence
"""How surely a test passes; None that it fails; a sentence what is missing."""

NO_VALUE = Sentence("a value of the level", "une valeur du niveau")
NO_LIMIT = Sentence(
    "the limit of detection of the sample", "le seuil de détection du prélèvement"
)

TOO_WEAK = Sentence(
    "sensitivity: nothing was detected, by a sample that could not see what was asked",
    "sensibilité : rien de détecté, par un prélèvement qui ne pouvait voir ce qui "
    "était demandé",
)


def tell_too_weak(reading: Reading, asked: float) -> Sentence:
    """Say that a sample could not have seen what the rule asks for."""
    if reading.limit is None:
        return NO_LIMIT
    metric = reading.visit.metric
    has = (
        say_level(reading.limit, metric, "en"),
        say_level(reading.limit, metric, "fr"),
    )
    needs = (say_level(asked, metric, "en"), say_level(asked, metric, "fr"))
    return Sentence(
        f"sensitivity: the sample's limit is {has[0]}, {needs[0]} is needed",
        f"sensibilité : le seuil du prélèvement est {has[1]}, il faut {needs[1]}",
    )


def try_level(test: LevelTest, reading: Reading) -> Answer:
    """Try a level test on a reading."""
    if not reading.detected:
        return _try_not_detected(test, reading)
    if test.detection not in ("any", "detected", reading.state):
        return None
    if test.at_least_lod:
        lacking = _lacks_lod(reading)
        if lacking is not None:
            return lacking
    if test.lower is None and test.upper is None:
        return "interval"
    return NO_VALUE if reading.value is None else _compare(test, reading, reading.value)


def _lacks_lod(reading: Reading) -> Sentence | None:
    """Say what stands against a detected level at or above the limit of detection."""
    if reading.value is None:
        return NO_VALUE
    if reading.limit is None:
        return NO_LIMIT
    if reading.value < reading.limit:
        return Sentence(
            "a clearer result: detected, but below the limit of detection",
            "un résultat plus net : détectée, mais sous le seuil de détection",
        )
    return None


def _compare(test: LevelTest, reading: Reading, value: float) -> Confidence | None:
    sure = True
    if test.lower is not None:
        strict = test.at_least is None
        if not (value > test.lower if strict else value >= test.lower):
            return None
        low = reading.low
        sure = low is not None and (low > test.lower if strict else low >= test.lower)
    if test.upper is not None:
        strict = test.at_most is None
        if not (value < test.upper if strict else value <= test.upper):
            return None
        high = reading.ceiling
        sure &= high is not None and (
            high < test.upper if strict else high <= test.upper
        )
    return "interval" if sure else "estimate"


def _try_not_detected(test: LevelTest, reading: Reading) -> Answer:
    if test.detection == "any" and test.upper is not None:
        return _try_bound(reading, test.upper) if test.lower is None else None
    if test.lower is None:
        weak = reading.visit.call == "insufficient_sensitivity"
        return TOO_WEAK if weak and test.detection == "detected" else None
    enough = reading.limit is not None and reading.limit <= test.lower
    return None if enough else tell_too_weak(reading, test.lower)


def _try_bound(reading: Reading, upper: float) -> Answer:
    if reading.bound is None:
        return NO_LIMIT
    return "interval" if reading.bound <= upper else tell_too_weak(reading, upper)


def say_test(test: LevelTest, metric: str) -> Sentence:
    """Say what a level test asks for."""
    parts: list[tuple[str, str]] = []
    words = (
        (test.at_least, "at or above {}", "à {} ou plus"),
        (test.above, "above {}", "au-dessus de {}"),
        (test.below, "below {}", "au-dessous de {}"),
        (test.at_most, "at or below {}", "à {} ou moins"),
    )
    for bound, en, fr in words:
        if bound is not None:
            parts.append(
                (
                    en.format(say_level(bound, metric, "en")),
                    fr.format(say_level(bound, metric, "fr")),
                )
            )
    if test.at_least_lod:
        parts.append(
            ("at or above the limit of detection", "au seuil de détection ou plus")
        )
    if not parts:
        return Sentence("detected", "détectée")
    return Sentence(" and ".join(p[0] for p in parts), " et ".join(p[1] for p in parts))


def fire_level(reading: Reading, test: LevelTest, confidence: Confidence) -> Fired:
    """State that a level passed a test."""
    said, asked = say_reading(reading), say_test(test, reading.visit.metric)
    return Fired(
        visit=reading.visit,
        confidence=confidence,
        detail=Sentence(f"{said.en}, {asked.en}", f"{said.fr}, {asked.fr}"),
        change=Sentence(
            f"a level that is not {asked.en}", f"un niveau qui ne soit pas {asked.fr}"
        ),
        reading=reading,
        threshold=test.lower if test.lower is not None else test.upper,
        metric=reading.visit.metric,
        numbers=number_reading(reading),
    )


def judge_level(rule: LevelRule, case: Case) -> list[Verdict]:
    """Judge each reading on its own; a confirmation is asked of later readings."""
    if rule.without_metric is not None and _is_measured(rule.without_metric, case):
        return []
    eligible = find_eligible(rule, case)
    verdicts = list(eligible.verdicts)
    for reading in eligible.readings:
        answer: Answer
        weak = rule.required_lod is not None and (
            reading.limit is None or reading.limit > rule.required_lod
        )
        if weak and rule.required_lod is not None:
            answer = tell_too_weak(reading, rule.required_lod)
        else:
            answer = try_level(rule.test, reading)
        if isinstance(answer, Sentence):
            verdicts.append(Missing(missing=answer, visit=reading.visit))
        elif answer is not None:
            fired = fire_level(reading, rule.test, answer)
            if rule.confirm is None:
                verdicts.append(fired)
            else:
                call = Sentence(rule.en.call, rule.fr.call)
                verdicts += confirm_event(fired, rule.confirm, case.read(rule), call)
    return verdicts


def _is_measured(metric: str, case: Case) -> bool:
    """Tell whether an evaluable result on a metric exists after the diagnosis."""
    return any(
        v.metric == metric and v.call in DETECTED | NOT_DETECTED
        for v in case.visits
        if not case.is_diagnosis(v)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Negative:
    """A reading that is negative; `proven` where a de-escalation may rest on it."""

    reading: Reading
    proven: bool


def _try_negative(
    rule: NegativeRule, reading: Reading, facts: Facts
) -> _Negative | Sentence | None:
    required = rule.required_sensitivity
    if not reading.detected:
        if not is_adequate_negative(reading, required, facts):
            return tell_too_weak(reading, required)
        return _try_markers(rule, reading)
    if rule.below is None or reading.value is None or reading.value >= rule.below:
        return None
    proven = reading.ceiling is not None and reading.ceiling < rule.below
    return _Negative(reading=reading, proven=proven)


def _try_markers(rule: NegativeRule, reading: Reading) -> _Negative | Sentence:
    if rule.min_markers > 1:
        limits = [m.lod95 for m in reading.markers if m.assessable]
        enough = [x for x in limits if x is not None and x <= rule.required_sensitivity]
        if len(enough) < rule.min_markers:
            needed = rule.min_markers
            return Sentence(
                f"{needed} markers that each reach the sensitivity "
                f"(there are {len(enough)})",
                f"{needed} marqueurs atteignant chacun la sensibilité "
                f"(il y en a {len(enough)})",
            )
    return _Negative(reading=reading, proven=True)


def judge_negative(rule: NegativeRule, case: Case) -> list[Verdict]:
    """Judge negativity at one time point, or at all of several."""
    eligible = find_eligible(rule, case)
    verdicts = list(eligible.verdicts)
    for reading in eligible.readings:
        found = _try_negative(rule, reading, case.facts)
        if isinstance(found, Sentence):
            verdicts.append(Missing(missing=found, visit=reading.visit))
        elif found is not None:
            verdicts += _also_negative(rule, found, case)
    return verdicts


def _also_negative(rule: NegativeRule, first: _Negative, case: Case) -> list[Verdict]:
    """Ask the further time points of a rule; fire at the last."""
    negatives = [first]
    for window in rule.also:
        readings, missing = filter_readings(
            case.read(rule), window, rule.specimen, case
        )
        if not readings:
            lacking = Sentence(
                "a result at the further time point", "un résultat au second point"
            )
            return [*missing, Missing(missing=lacking, visit=first.reading.visit)]
        found = _try_negative(rule, readings[-1], case.facts)
        if isinstance(found, Sentence):
            return [Missing(missing=found, visit=readings[-1].visit)]
        if found is None:
            return []
        negatives.append(found)
    return _fire_negative(rule, negatives)


def _fire_negative(rule: NegativeRule, negatives: Sequence[_Negative]) -> list[Verdict]:
    last = max(negatives, key=lambda n: n.reading.visit.date).reading
    proven = all(n.proven for n in negatives)
    said = say_reading(last)
    metric = last.visit.metric
    required = rule.required_sensitivity
    asked = (say_level(required, metric, "en"), say_level(required, metric, "fr"))
    more = (" at every time point", " à chaque point") if rule.also else ("", "")
    actions = rule.actions
    verdicts: list[Verdict] = []
    if not proven:
        actions = tuple(a for a in actions if a != "DEESCALATE_DISCUSS")
        if actions != rule.actions:
            lacking = Sentence(
                "an adequate negative, or an upper limit below the threshold, before "
                "a de-escalation is discussed",
                "un négatif adéquat, ou une borne supérieure sous le seuil, avant de "
                "discuter une désescalade",
            )
            verdicts.append(Missing(missing=lacking, visit=last.visit))
    if actions:
        verdicts.append(
            Fired(
                visit=last.visit,
                confidence="interval" if proven else "estimate",
                detail=Sentence(
                    f"{said.en}{more[0]}; a sensitivity of {asked[0]} is asked for",
                    f"{said.fr}{more[1]} ; une sensibilité de {asked[1]} est demandée",
                ),
                change=Sentence(
                    "a detected level, or a sample that could not see so little",
                    "un niveau détecté, ou un prélèvement ne pouvant voir si peu",
                ),
                reading=last,
                threshold=rule.below or required,
                metric=metric,
                actions=actions,
                numbers=number_reading(last),
            )
        )
    return verdicts


def judge_insufficient(rule: InsufficientRule, case: Case) -> list[Verdict]:
    """Judge samples that saw nothing and could not have seen enough."""
    eligible = find_eligible(rule, case)
    verdicts = list(eligible.verdicts)
    required = rule.required_sensitivity
    for reading in eligible.readings:
        if reading.detected or is_adequate_negative(reading, required, case.facts):
            continue
        said, weak = say_reading(reading), tell_too_weak(reading, required)
        verdicts.append(
            Fired(
                visit=reading.visit,
                confidence="interval",
                detail=Sentence(f"{said.en}; {weak.en}", f"{said.fr} ; {weak.fr}"),
                change=Sentence(
                    "a sample, or a marker, with the sensitivity needed",
                    "un prélèvement, ou un marqueur, de sensibilité suffisante",
                ),
                reading=reading,
                threshold=required,
                metric=reading.visit.metric,
                numbers=number_reading(reading),
            )
        )
    return verdicts
