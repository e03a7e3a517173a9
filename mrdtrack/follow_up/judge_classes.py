"""Rules that name a class: depth of response, and the user's own index."""

from __future__ import annotations

from math import log10

from mrdtrack.follow_up.facts import Facts
from mrdtrack.follow_up.judge_levels import NO_VALUE, tell_too_weak, try_level
from mrdtrack.follow_up.readings import Reading
from mrdtrack.follow_up.verdicts import (
    Case,
    Confidence,
    Fired,
    Missing,
    Verdict,
    find_eligible,
    number_reading,
    say_reading,
)
from mrdtrack.follow_up.wording import Sentence
from mrdtrack.protocols.measured_rules import (
    ClassesRule,
    IndexRule,
    IndexTerm,
    ResponseClass,
)
from mrdtrack.protocols.rule_parts import LevelTest


def judge_classes(rule: ClassesRule, case: Case) -> list[Verdict]:
    """Name the deepest class of each reading."""
    eligible = find_eligible(rule, case)
    verdicts = list(eligible.verdicts)
    for reading in eligible.readings:
        for depth in rule.classes:
            confidence = _belongs(depth, reading)
            if confidence is None:
                continue
            said = say_reading(reading)
            verdicts.append(
                Fired(
                    visit=reading.visit,
                    confidence=confidence,
                    detail=Sentence(
                        f"{said.en}: {depth.en}", f"{said.fr} : {depth.fr}"
                    ),
                    change=Sentence(
                        "a level of another class", "un niveau d'une autre classe"
                    ),
                    call=Sentence(depth.en, depth.fr),
                    reading=reading,
                    threshold=depth.at_most or depth.below,
                    metric=reading.visit.metric,
                    numbers=number_reading(reading),
                )
            )
            break
        else:
            if not reading.detected:
                verdicts.append(
                    Missing(
                        missing=tell_too_weak(
                            reading,
                            rule.classes[-1].at_most or rule.classes[-1].below or 0,
                        ),
                        visit=reading.visit,
                    )
                )
    return verdicts


def _belongs(depth: ResponseClass, reading: Reading) -> Confidence | None:
    bound = depth.at_most if depth.at_most is not None else depth.below or 0.0
    if reading.detected:
        test = LevelTest(at_most=depth.at_most, below=depth.below)
        answer = try_level(test, reading)
        return None if isinstance(answer, Sentence) else answer
    copies = reading.visit.abl1_copies
    if depth.abl1_copies_min is not None:
        seen = copies is not None and copies >= depth.abl1_copies_min
        return "interval" if seen else None
    within = reading.limit is not None and reading.limit <= bound
    return "interval" if within else None


def judge_index(rule: IndexRule, case: Case) -> list[Verdict]:
    """Judge a linear index with the user's own coefficients."""
    eligible = find_eligible(rule, case)
    verdicts = list(eligible.verdicts)
    for reading in eligible.readings:
        total = rule.intercept
        lacking: Sentence | None = None
        for term in rule.terms:
            quantity = _quantity(term, reading, case.facts)
            if isinstance(quantity, Sentence):
                lacking = quantity
                break
            total += term.coefficient * quantity
        if lacking is not None:
            verdicts.append(Missing(missing=lacking, visit=reading.visit))
        elif total >= rule.at_least:
            verdicts.append(
                Fired(
                    visit=reading.visit,
                    confidence="estimate",
                    detail=Sentence(
                        f"index {total:.2f}, at or above {rule.at_least:g}",
                        f"index {total:.2f}, à {rule.at_least:g} ou plus".replace(
                            ".", ","
                        ),
                    ),
                    change=Sentence(
                        "an index below the cut-off", "un index sous le seuil"
                    ),
                    reading=reading,
                    threshold=rule.at_least,
                    metric=reading.visit.metric,
                    numbers={**number_reading(reading), "index": total},
                )
            )
    return verdicts


def _quantity(term: IndexTerm, reading: Reading, facts: Facts) -> float | Sentence:
    if term.quantity == "log10_level":
        return log10(reading.value) if reading.value else NO_VALUE
    if term.quantity == "log10_wbc":
        if not facts.wbc_g_per_l:
            return Sentence("white cells at diagnosis", "les leucocytes au diagnostic")
        return log10(facts.wbc_g_per_l)
    if facts.genetic_risk is None:
        return Sentence("the genetic risk", "le risque génétique")
    return 1.0 if facts.genetic_risk == "high" else 0.0
