"""Rules on several methods of one day: negative by all, or at odds with each other."""

from __future__ import annotations

from collections.abc import Sequence

from mrdtrack.follow_up.judge_levels import tell_too_weak
from mrdtrack.follow_up.readings import (
    Reading,
    gather_readings,
    is_adequate_negative,
)
from mrdtrack.follow_up.situation import is_in_window, meets_conditions
from mrdtrack.follow_up.verdicts import (
    Case,
    Fired,
    Missing,
    Verdict,
    say_reading,
)
from mrdtrack.follow_up.wording import Sentence, say_metric
from mrdtrack.protocols.context_rules import (
    AllNegativeRule,
    DiscordanceRule,
    Technology,
)
from mrdtrack.protocols.rule_parts import MarkerSelection

_LEVEL = MarkerSelection(kind="level")
_MUTATION = MarkerSelection(kind="mutation")
_ITD = MarkerSelection(kind="flt3_itd")


def judge_all_negative(rule: AllNegativeRule, case: Case) -> list[Verdict]:
    """Judge each day on which the rule's technologies were used."""
    by_day: dict[str, list[tuple[Technology, Reading]]] = {}
    positive: set[str] = set()
    for technology in rule.technologies:
        selection = _MUTATION if technology.metric == "vaf_gdna" else _LEVEL
        for reading in _gather(selection, technology.metric, case):
            by_day.setdefault(reading.visit.date, []).append((technology, reading))
    for reading in _gather(_ITD, "vaf_gdna", case):
        if reading.detected:
            by_day.pop(reading.visit.date, None)
            positive.add(reading.visit.date)
    if not by_day and not positive:
        lacking = Sentence(
            "a result of one of the rule's technologies",
            "un résultat d'une des techniques de la règle",
        )
        return [Missing(missing=lacking)]
    verdicts: list[Verdict] = []
    for _, used in sorted(by_day.items()):
        answer = is_in_window(rule.window, used[0][1].visit, case.anchors)
        if isinstance(answer, Sentence):
            return [Missing(missing=answer)]
        if answer == "yes":
            verdicts += _judge_day(used, case)
    return verdicts


def _gather(selection: MarkerSelection, metric: str, case: Case) -> list[Reading]:
    readings = gather_readings(
        case.visits, selection, metric, case.exclusions, case.facts
    )
    return [r for r in readings if not case.is_diagnosis(r.visit)]


def _judge_day(used: Sequence[tuple[Technology, Reading]], case: Case) -> list[Verdict]:
    for technology, reading in used:
        if reading.state == "not_evaluable":
            return [Missing(missing=reading.reason, visit=reading.visit)]
        if reading.detected:
            top = reading.ceiling
            if technology.not_detected_only or top is None or top >= technology.below:
                return []
        elif not is_adequate_negative(reading, technology.below, case.facts):
            weak = tell_too_weak(reading, technology.below)
            return [Missing(missing=weak, visit=reading.visit)]
    last = used[-1][1]
    said = [(reading.visit.metric, say_reading(reading)) for _, reading in used]
    return [
        Fired(
            visit=last.visit,
            confidence="interval",
            detail=Sentence(
                "; ".join(f"{say_metric(m, 'en')}: {s.en}" for m, s in said),
                " ; ".join(f"{say_metric(m, 'fr')} : {s.fr}" for m, s in said),
            ),
            change=Sentence(
                "a positive, or too weak a, result of one technology",
                "un résultat positif, ou trop peu sensible, d'une technique",
            ),
            reading=last,
        )
    ]


def judge_discordance(rule: DiscordanceRule, case: Case) -> list[Verdict]:
    """Judge days on which the lead and another method disagree on detection."""
    answer = meets_conditions(rule.conditions, case.facts)
    if answer == "no":
        return []
    leads = gather_readings(
        case.visits, _LEVEL, rule.lead_metric, case.exclusions, case.facts
    )
    target = MarkerSelection(kind="transcript", genes=(rule.other_target,))
    pairs = [
        (lead, other)
        for lead in leads
        for metric in rule.other_metrics
        for other in gather_readings(
            case.visits, target, metric, case.exclusions, case.facts
        )
        if lead.visit.date == other.visit.date
        and lead.visit.specimen == other.visit.specimen
        and not case.is_diagnosis(lead.visit)
    ]
    if isinstance(answer, Sentence) and pairs:
        return [Missing(missing=answer)]
    return [
        _fire_discordance(lead, other)
        for lead, other in pairs
        if lead.detected != other.detected
        and all(_is_told(reading) for reading in (lead, other))
    ]


def _is_told(reading: Reading) -> bool:
    negative = reading.visit.call == "not_detected" and reading.limit is not None
    return reading.detected or negative


def _fire_discordance(lead: Reading, other: Reading) -> Fired:
    first, second = say_reading(lead), say_reading(other)
    return Fired(
        visit=lead.visit,
        confidence="estimate",
        detail=Sentence(
            f"{say_metric(lead.visit.metric, 'en')}: {first.en}; "
            f"{say_metric(other.visit.metric, 'en')}: {second.en}",
            f"{say_metric(lead.visit.metric, 'fr')} : {first.fr} ; "
            f"{say_metric(other.visit.metric, 'fr')} : {second.fr}",
        ),
        change=Sentence("results that agree", "des résultats concordants"),
        reading=lead,
    )
