"""The course of each series: reductions, changes, doubling, relapse, forecast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mrdtrack.follow_up.change import estimate_change, estimate_reduction
from mrdtrack.follow_up.course import describe_markers
from mrdtrack.follow_up.likelihood import weigh_visit
from mrdtrack.follow_up.regression import (
    Fit,
    fit_course,
    tell_doubling_time,
    tell_halving_time,
    tell_time_to_level,
)
from mrdtrack.follow_up.series import (
    Series,
    SeriesKey,
    count_days,
    is_adequate,
    is_detected,
)
from mrdtrack.follow_up.timeline import Estimate, Kinetics, TimelineVisit
from mrdtrack.follow_up.wording import NOTHING, Sentence, say_number, say_visit

CONFIRM_WITHIN_DAYS = 28
"""ELN-DAVID 2025: a molecular relapse is confirmed within 4 weeks."""

MISFIT_ALPHA = 0.01

_NO_BASELINE = Sentence(
    "no baseline of this tissue, metric and method",
    "pas de référence de ce tissu, de cette métrique et de cette technique",
)
_BEFORE_BASELINE = Sentence("before the baseline", "avant la référence")


class Threshold(NamedTuple):
    """The level a course is forecast to, and the rule it stands in."""

    level: float
    rule: str


FindThreshold = Callable[[SeriesKey, float], Threshold | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Phase:
    """A stretch of the course that is fitted: rising since the nadir, or falling."""

    fit: Fit | None
    method: str
    conditions: tuple[Sentence, ...]


def add_series_facts(series: Series) -> tuple[TimelineVisit, ...]:
    """Fill reduction, change, baseline and nadir into a series' visits."""
    filled = []
    previous: TimelineVisit | None = None
    for place, visit in enumerate(series.visits):
        update: dict[str, object] = {
            "baseline": place == series.baseline,
            "nadir": place == series.nadir and len(series.visits) > 1,
        }
        # A metric that already is a reduction is compared with nothing.
        if series.key.metric != "log10_reduction":
            if series.baseline is None or place < series.baseline:
                lacking = _NO_BASELINE if series.baseline is None else _BEFORE_BASELINE
                update["log10_reduction_reason"] = lacking.en
                update["log10_reduction_reason_fr"] = lacking.fr
            elif place > series.baseline:
                reduction, reason = estimate_reduction(
                    series.visits[series.baseline], visit
                )
                update["log10_reduction"] = reduction
                update["log10_reduction_reason"] = reason.en
                update["log10_reduction_reason_fr"] = reason.fr
            if previous is not None:
                update["change_from_previous"] = estimate_change(previous, visit)
        filled.append(visit.model_copy(update=update))
        if weigh_visit(visit) is not None:
            previous = visit
    return tuple(filled)


def describe_series(
    series: Series, find_threshold: FindThreshold | None = None
) -> Kinetics | None:
    """Describe a series of at least two visits as a whole."""
    if len(series.visits) < 2 or series.key.metric == "log10_reduction":
        return None
    rising, falling = _fit_rising(series), _fit_falling(series)
    doubling = tell_doubling_time(rising.fit) if rising.fit else None
    halving = tell_halving_time(falling.fit) if falling.fit else None
    conversion, relapse = tell_conversion(series.visits)
    threshold, forecast = _forecast(series, rising.fit, doubling, find_threshold)
    conditions = [*_state_conditions(series)]
    if doubling is not None:
        conditions.extend(rising.conditions)
    if halving is not None:
        conditions.extend(falling.conditions)
    return Kinetics(
        specimen=series.key.specimen,
        metric=series.key.metric,
        source=series.key.source,
        method=series.key.method,
        target=series.key.target,
        baseline_sample=_sample(series, series.baseline),
        baseline_is_diagnosis=series.baseline_is_diagnosis,
        nadir_sample=_sample(series, series.nadir),
        doubling_time_days=doubling,
        doubling_time_method=rising.method if doubling is not None else "",
        halving_time_days=halving,
        conversion=conversion.en,
        conversion_fr=conversion.fr,
        molecular_relapse=relapse.en,
        molecular_relapse_fr=relapse.fr,
        time_to_threshold_days=forecast,
        threshold=threshold.level if threshold else None,
        threshold_rule=threshold.rule if threshold else None,
        markers=describe_markers(series),
        conditions=tuple(c.en for c in conditions),
        conditions_fr=tuple(c.fr for c in conditions),
    )


def _sample(series: Series, place: int | None) -> str | None:
    return None if place is None else series.visits[place].sample


def _fit_rising(series: Series) -> _Phase:
    """Fit from the nadir on; a run of non-detects at the nadir enters whole."""
    if series.nadir is None:
        return _Phase(fit=None, method="", conditions=())
    start = series.nadir
    visits = series.visits
    while (
        start > 0
        and not is_detected(visits[series.nadir])
        and visits[start - 1].call == "not_detected"
    ):
        start -= 1
    return _fit_phase(visits[start:])


def _fit_falling(series: Series) -> _Phase:
    if series.baseline is None or series.nadir is None:
        return _Phase(fit=None, method="", conditions=())
    return _fit_phase(series.visits[series.baseline : series.nadir + 1])


def _fit_phase(visits: Sequence[TimelineVisit]) -> _Phase:
    weighed = [(v, e) for v in visits if (e := weigh_visit(v)) is not None]
    if len(weighed) < 2:
        return _Phase(fit=None, method="", conditions=())
    days = [float(count_days(weighed[0][0].date, v.date)) for v, _ in weighed]
    fit = fit_course(days, [e for _, e in weighed])
    if fit is None or days[-1] == 0:
        return _Phase(fit=None, method="", conditions=())
    seen = sum(is_detected(v) for v, _ in weighed)
    method = "pairwise" if len(weighed) == 2 else "censored_regression"
    first, last = weighed[0][0], weighed[-1][0]
    conditions = [
        Sentence(
            f"log-linear course over {len(weighed)} visits ({seen} detected) from "
            f"{say_visit(first.sample, first.date, 'en')} to "
            f"{say_visit(last.sample, last.date, 'en')}",
            f"évolution log-linéaire sur {len(weighed)} visites ({seen} détectées) de "
            f"{say_visit(first.sample, first.date, 'fr')} à "
            f"{say_visit(last.sample, last.date, 'fr')}",
        )
    ]
    if fit.misfit_p is not None and fit.misfit_p < MISFIT_ALPHA:
        conditions.append(
            Sentence(
                "the visits do not lie on one log-linear course (p = "
                f"{say_number(fit.misfit_p, 'en')}): the interval is too narrow",
                "les visites ne suivent pas une évolution log-linéaire (p = "
                f"{say_number(fit.misfit_p, 'fr')}) : l'intervalle est trop étroit",
            )
        )
    return _Phase(fit=fit, method=method, conditions=tuple(conditions))


def _forecast(
    series: Series,
    fit: Fit | None,
    doubling: Estimate | None,
    find_threshold: FindThreshold | None,
) -> tuple[Threshold | None, Estimate | None]:
    """Forecast the days to the next threshold, if the rise itself is shown."""
    last = series.visits[-1]
    if fit is None or doubling is None or find_threshold is None or not last.value:
        return None, None
    if not is_detected(last):
        return None, None
    threshold = find_threshold(series.key, last.value)
    if threshold is None:
        return None, None
    return threshold, tell_time_to_level(fit, threshold.level)


def tell_conversion(visits: Sequence[TimelineVisit]) -> tuple[Sentence, Sentence]:
    """Tell the last conversion from an adequate negative, and whether it was confirmed.

    Returns:
        The conversion, and what it means for molecular relapse; both empty where there
        was none. A conversion is a relapse only once a second sample of the same
        tissue, within 28 days, confirms it.
    """
    negative: TimelineVisit | None = None
    first: int | None = None
    was_negative: TimelineVisit | None = None
    for place, visit in enumerate(visits):
        if is_detected(visit):
            if negative is not None and first is None:
                first, was_negative = place, negative
        elif visit.call == "not_detected" and is_adequate(visit):
            negative, first = visit, None
    if first is None or was_negative is None:
        return NOTHING, NOTHING
    positive = visits[first]
    conversion = Sentence(
        f"not detected in {say_visit(was_negative.sample, was_negative.date, 'en')}, "
        f"detected in {say_visit(positive.sample, positive.date, 'en')}",
        f"non détectée dans {say_visit(was_negative.sample, was_negative.date, 'fr')}, "
        f"détectée dans {say_visit(positive.sample, positive.date, 'fr')}",
    )
    return conversion, _tell_confirmation(visits, first)


def _tell_confirmation(visits: Sequence[TimelineVisit], first: int) -> Sentence:
    positive = visits[first]
    for later in visits[first + 1 :]:
        days = count_days(positive.date, later.date)
        if not is_detected(later):
            continue
        seen = say_visit(later.sample, later.date, "en")
        seen_fr = say_visit(later.sample, later.date, "fr")
        if days <= CONFIRM_WITHIN_DAYS:
            return Sentence(
                f"confirmed by {seen} within {days} days",
                f"confirmée par {seen_fr} en {days} jours",
            )
        return Sentence(
            f"seen again in {seen}, {days} days later: outside the confirmation window "
            f"of {CONFIRM_WITHIN_DAYS} days",
            f"revue dans {seen_fr}, {days} jours après : hors du délai de "
            f"confirmation de {CONFIRM_WITHIN_DAYS} jours",
        )
    return Sentence(
        f"suspected: to be confirmed on a second sample within "
        f"{CONFIRM_WITHIN_DAYS} days",
        f"suspectée : à confirmer sur un second prélèvement dans les "
        f"{CONFIRM_WITHIN_DAYS} jours",
    )


def _state_conditions(series: Series) -> list[Sentence]:
    """State what a series' figures rest on."""
    conditions = []
    if series.baseline is None:
        conditions.append(
            Sentence(
                "no baseline: the series does not begin with a detected level",
                "pas de référence : la série ne commence pas par un niveau détecté",
            )
        )
    elif not series.baseline_is_diagnosis:
        first = series.visits[series.baseline]
        conditions.append(
            Sentence(
                f"the baseline {say_visit(first.sample, first.date, 'en')} is the "
                "first sample of the series, not labelled as diagnosis",
                f"la référence {say_visit(first.sample, first.date, 'fr')} est le "
                "premier prélèvement de la série, non indiqué comme diagnostic",
            )
        )
    if series.baseline:
        first = series.visits[series.baseline]
        conditions.append(
            Sentence(
                f"the baseline {say_visit(first.sample, first.date, 'en')} is not the "
                "first sample of the series: what came before is not counted",
                f"la référence {say_visit(first.sample, first.date, 'fr')} n'est pas "
                "le premier prélèvement de la série : ce qui précède n'est pas compté",
            )
        )
    panels = {tuple(m.marker for m in visit.markers) for visit in series.visits}
    if len(panels) > 1:
        conditions.append(
            Sentence(
                "the visits were judged on different markers; tests of change use the "
                "markers they share",
                "les visites reposent sur des marqueurs différents ; les tests "
                "d'évolution utilisent les marqueurs communs",
            )
        )
    modes = {m.molecule_mode for visit in series.visits for m in visit.markers}
    if len(modes) > 1:
        named = ", ".join(sorted(modes))
        conditions.append(
            Sentence(
                f"molecules were counted in different ways ({named})",
                f"les molécules ont été comptées de façons différentes ({named})",
            )
        )
    return conditions
