"""Rules on a course: reduction, rise, several time points, a level held, tempo."""

from __future__ import annotations

from collections.abc import Sequence

from mrdtrack.follow_up.change import compare_counts
from mrdtrack.follow_up.facts import Facts
from mrdtrack.follow_up.judge_levels import NO_VALUE, tell_too_weak, try_level
from mrdtrack.follow_up.readings import Reading, is_adequate_negative
from mrdtrack.follow_up.series import count_days
from mrdtrack.follow_up.timeline import Estimate
from mrdtrack.follow_up.verdicts import (
    Case,
    Fired,
    Missing,
    Verdict,
    filter_readings,
    find_eligible,
    number_reading,
    say_interval,
    say_reading,
    say_since,
)
from mrdtrack.follow_up.wording import Sentence, say_level, say_number, say_visit
from mrdtrack.protocols.measured_rules import (
    LogReductionRule,
    RisingRule,
    SustainedRule,
    TempoRule,
    TimePointsRule,
)


def judge_log_reduction(rule: LogReductionRule, case: Case) -> list[Verdict]:
    """Judge the log10 reduction from the diagnosis, imported or computed."""
    imported = find_eligible(rule, case)
    computed = find_eligible(rule.model_copy(update={"metric": rule.of_metric}), case)
    if not imported.readings and not computed.readings:
        return list(computed.verdicts)
    verdicts: list[Verdict] = []
    for reading in imported.readings:
        if reading.value is None:
            verdicts.append(Missing(missing=NO_VALUE, visit=reading.visit))
            continue
        found = Estimate(value=reading.value, low=reading.low, high=reading.high)
        verdicts += _judge_reduction(rule, reading, found)
    for reading in computed.readings:
        if not _from_diagnosis(reading, case):
            lacking = Sentence(
                "a sample of the diagnosis, same tissue and method",
                "un prélèvement du diagnostic, même tissu et même technique",
            )
            verdicts.append(Missing(missing=lacking, visit=reading.visit))
        elif reading.visit.log10_reduction is None:
            lacking = Sentence(
                reading.visit.log10_reduction_reason or "a log10 reduction",
                reading.visit.log10_reduction_reason_fr or "une réduction en log10",
            )
            verdicts.append(Missing(missing=lacking, visit=reading.visit))
        else:
            verdicts += _judge_reduction(rule, reading, reading.visit.log10_reduction)
    return verdicts


def _from_diagnosis(reading: Reading, case: Case) -> bool:
    """Tell whether the reduction of a reading counts from a sample of the diagnosis."""
    return any(
        v.baseline
        and case.is_diagnosis(v)
        and (v.specimen, v.metric, v.method, v.target, v.source)
        == (
            reading.visit.specimen,
            reading.visit.metric,
            reading.visit.method,
            reading.visit.target,
            reading.visit.source,
        )
        for v in case.visits
    )


def _judge_reduction(
    rule: LogReductionRule, reading: Reading, found: Estimate
) -> list[Verdict]:
    goal = rule.at_least or rule.above or rule.below or 0.0
    passes = (
        found.value >= goal
        if rule.at_least is not None
        else found.value > goal
        if rule.above is not None
        else found.value < goal
    )
    if found.relation == ">=" and (rule.below is not None or not passes):
        if found.value >= goal:
            return []
        return [
            Missing(
                missing=Sentence(
                    "sensitivity: the reduction is at least "
                    f"{say_number(found.value, 'en')} log10, whether it is "
                    f"{say_number(goal, 'en')} cannot be told",
                    "sensibilité : la réduction est d'au moins "
                    f"{say_number(found.value, 'fr')} log10, impossible de dire si "
                    f"elle atteint {say_number(goal, 'fr')}",
                ),
                visit=reading.visit,
            )
        ]
    if not passes:
        return []
    return [_fire_reduction(rule, reading, found, goal)]


def _fire_reduction(
    rule: LogReductionRule, reading: Reading, found: Estimate, goal: float
) -> Fired:
    edge = found.high if rule.below is not None else found.low
    if rule.below is not None:
        sure = edge is not None and edge < goal
        asked = ("below", "inférieure à")
    else:
        sure = found.relation == ">=" or (edge is not None and edge >= goal)
        strict = rule.above is not None
        asked = ("above", "supérieure à") if strict else ("of at least", "d'au moins")
    sign = "≥ " if found.relation == ">=" else ""
    en = f"log10 reduction {sign}{say_number(found.value, 'en')}"
    fr = f"réduction de {sign}{say_number(found.value, 'fr')} log10"
    metric = "log10_reduction"
    return Fired(
        visit=reading.visit,
        confidence="interval" if sure else "estimate",
        detail=Sentence(
            f"{en}{say_interval(found.low, found.high, metric, 'en')}, {asked[0]} "
            f"{say_number(goal, 'en')}",
            f"{fr}{say_interval(found.low, found.high, metric, 'fr')}, {asked[1]} "
            f"{say_number(goal, 'fr')}",
        ),
        change=Sentence(
            f"a reduction that is not {asked[0]} {say_number(goal, 'en')} log10",
            f"une réduction qui ne soit pas {asked[1]} {say_number(goal, 'fr')} log10",
        ),
        reading=reading,
        threshold=goal,
        metric=metric,
        numbers={"log10_reduction": found.value},
    )


def judge_rising(rule: RisingRule, case: Case) -> list[Verdict]:
    """Judge rises between successive samples of one tissue by their counts."""
    eligible = find_eligible(rule, case)
    verdicts = list(eligible.verdicts)
    last: dict[str | None, Reading] = {}
    for reading in eligible.readings:
        earlier = last.get(reading.visit.specimen)
        last[reading.visit.specimen] = reading
        if earlier is None:
            continue
        first, second = _shared_counts(earlier, reading)
        if not first[1] or not second[1] or second[0] < 1:
            continue
        low = compare_counts(first, second)[0]
        if low is None or low <= 1:
            continue
        said = say_reading(reading)
        fold = say_number(low, "en"), say_number(low, "fr")
        fired = Fired(
            visit=reading.visit,
            confidence="interval",
            detail=Sentence(
                f"{said.en}, risen at least {fold[0]}-fold (95 % CI)",
                f"{said.fr}, en hausse d'au moins {fold[1]} fois (IC 95 %)",
            ),
            change=Sentence(
                "a further sample without a rise", "un nouveau prélèvement sans hausse"
            ),
            reading=reading,
            metric=reading.visit.metric,
            numbers={**number_reading(reading), "fold_low": low},
        )
        since = Sentence("since the sample before", "depuis le prélèvement précédent")
        verdicts.append(say_since(fired, earlier, since))
    return verdicts


def _shared_counts(
    earlier: Reading, later: Reading
) -> tuple[tuple[int, int], tuple[int, int]]:
    before = {m.marker: m for m in earlier.markers if m.assessable}
    totals = [0, 0, 0, 0]
    for marker in later.markers:
        first = before.get(marker.marker)
        if first is None or not marker.assessable:
            continue
        counts = (first.alt, first.denominator, marker.alt, marker.denominator)
        totals = [t + (c or 0) for t, c in zip(totals, counts, strict=True)]
    return (totals[0], totals[1]), (totals[2], totals[3])


def judge_time_points(rule: TimePointsRule, case: Case) -> list[Verdict]:
    """Judge several time points together; all must pass, at the last the rule fires."""
    readable = find_eligible(rule, case)
    if not readable.readings:
        return list(readable.verdicts)
    passed: list[Reading] = []
    surely = True
    for point in rule.points:
        specimens = point.specimen or rule.specimen
        readings, _ = filter_readings(case.read(rule), point.window, specimens, case)
        if not readings:
            lacking = Sentence(
                "a result at every time point of the rule",
                "un résultat à chaque point de la règle",
            )
            return [Missing(missing=lacking)]
        answer = try_level(point.test, readings[-1])
        if isinstance(answer, Sentence):
            return [Missing(missing=answer, visit=readings[-1].visit)]
        if answer is None:
            return []
        surely &= answer == "interval"
        passed.append(readings[-1])
    if rule.one_detected and not any(r.detected for r in passed):
        return []
    return [_fire_points(passed, surely=surely)]


def _fire_points(passed: Sequence[Reading], *, surely: bool) -> Fired:
    last = max(passed, key=lambda r: r.visit.date)
    en = "; ".join(
        f"{say_visit(r.visit.sample, r.visit.date, 'en')}: {say_reading(r).en}"
        for r in passed
    )
    fr = " ; ".join(
        f"{say_visit(r.visit.sample, r.visit.date, 'fr')} : {say_reading(r).fr}"
        for r in passed
    )
    return Fired(
        visit=last.visit,
        confidence="interval" if surely else "estimate",
        detail=Sentence(en, fr),
        change=Sentence(
            "another level at one of these time points",
            "un autre niveau à l'un de ces points",
        ),
        reading=last,
        metric=last.visit.metric,
        numbers=number_reading(last),
    )


def judge_sustained(rule: SustainedRule, case: Case) -> list[Verdict]:
    """Judge whether every sample up to the last stayed at or below a level."""
    eligible = find_eligible(rule, case)
    verdicts = list(eligible.verdicts)
    stop = case.anchors.get("tki_stop")
    readings = eligible.readings
    if not readings or (stop is not None and readings[-1].visit.date > stop):
        return verdicts
    if rule.treated_more_than_days is not None:
        start = case.anchors.get("tki_start")
        if start is None:
            lacking = Sentence("the start of the TKI", "la date de début du TKI")
            return [*verdicts, Missing(missing=lacking)]
        if count_days(start, readings[-1].visit.date) <= rule.treated_more_than_days:
            return verdicts
    for held in rule.held:
        run = _find_run(readings, held.at_most, rule, case.facts)
        if len(run) < rule.min_samples:
            continue
        days = count_days(run[0].visit.date, run[-1].visit.date)
        if days > held.more_than_days:
            return [*verdicts, _fire_sustained(run, held.at_most, days)]
    if not readings[-1].detected:
        weakest = max(held.at_most for held in rule.held)
        if not is_adequate_negative(readings[-1], weakest, case.facts):
            weak = tell_too_weak(readings[-1], weakest)
            verdicts.append(Missing(missing=weak, visit=readings[-1].visit))
    return verdicts


def _find_run(
    readings: Sequence[Reading], level: float, rule: SustainedRule, facts: Facts
) -> list[Reading]:
    """Find the last stretch of readings whose upper limits stay within a level."""
    run: list[Reading] = []
    for reading in reversed(readings):
        if reading.detected:
            top = None if rule.not_detected_only else reading.ceiling
            stays = top is not None and top <= level
        else:
            stays = is_adequate_negative(reading, level, facts)
        if not stays or (run and _is_gap(reading, run[-1], rule)):
            break
        run.append(reading)
    return run[::-1]


def _is_gap(earlier: Reading, later: Reading, rule: SustainedRule) -> bool:
    longest = rule.longest_gap_days
    days = count_days(earlier.visit.date, later.visit.date)
    return longest is not None and days > longest


def _fire_sustained(run: Sequence[Reading], level: float, days: int) -> Fired:
    last = run[-1]
    metric = last.visit.metric
    return Fired(
        visit=last.visit,
        confidence="interval",
        detail=Sentence(
            f"{len(run)} samples over {days} days, each shown to be at or below "
            f"{say_level(level, metric, 'en')}",
            f"{len(run)} prélèvements sur {days} jours, chacun à "
            f"{say_level(level, metric, 'fr')} ou moins de façon démontrée",
        ),
        change=Sentence(
            "a sample above the level, or one that could not see it",
            "un prélèvement au-dessus du niveau, ou incapable de le voir",
        ),
        reading=last,
        threshold=level,
        metric=metric,
        days=days,
        numbers={**number_reading(last), "days": float(days)},
    )


def judge_tempo(rule: TempoRule, case: Case) -> list[Verdict]:
    """Judge doubling and halving times of the rule's metric."""
    eligible = find_eligible(rule, case)
    verdicts = list(eligible.verdicts)
    inside = {r.visit.sample: r for r in eligible.readings}
    for course in case.kinetics:
        found = (
            course.doubling_time_days
            if rule.course == "doubling"
            else course.halving_time_days
        )
        if found is None or found.value >= rule.below_days:
            continue
        members = [
            r
            for r in inside.values()
            if (r.visit.metric, r.visit.specimen, r.visit.method, r.visit.target)
            == (course.metric, course.specimen, course.method, course.target)
        ]
        if not members or course.metric != rule.metric:
            continue
        last = members[-1]
        days = say_number(found.value, "en"), say_number(found.value, "fr")
        word = (
            ("doubling", "doublement")
            if rule.course == "doubling"
            else (
                "halving",
                "demi-réduction",
            )
        )
        verdicts.append(
            Fired(
                visit=last.visit,
                confidence="interval"
                if found.high is not None and found.high < rule.below_days
                else "estimate",
                detail=Sentence(
                    f"{word[0]} time {days[0]} days",
                    f"temps de {word[1]} {days[1]} jours",
                ),
                change=Sentence("a slower course", "une évolution plus lente"),
                reading=last,
                threshold=rule.below_days,
                metric=rule.metric,
                numbers={"days": found.value},
            )
        )
    return verdicts
