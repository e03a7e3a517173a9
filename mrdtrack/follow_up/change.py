"""The change between two visits: ratio, exact interval, test, chance of one log10."""

from __future__ import annotations

from math import log10

from scipy import special

from mrdtrack.follow_up.likelihood import (
    ZERO_COUNT_TWO_SIDED,
    Evidence,
    bound_level,
    level_rows,
    weigh_visit,
)
from mrdtrack.follow_up.series import NOT_DETECTED, is_detected
from mrdtrack.follow_up.timeline import Change, Estimate, TimelineVisit
from mrdtrack.follow_up.wording import NOTHING, Sentence


def compare_counts(
    earlier: tuple[float, float], later: tuple[float, float]
) -> tuple[float | None, float | None]:
    """Bound the ratio of two Poisson rates, exactly.

    Given the sum of both counts, the later one is binomial with probability
    N2 r / (N1 + N2 r); the Clopper-Pearson bounds of that probability give those of r.
    Source: Przyborowski J, Wilenski H, Biometrika 1940;31:313 (doi
    10.1093/biomet/31.3-4.313).

    Args:
        earlier: count and exposure of the earlier visit.
        later: those of the later visit.

    Returns:
        The 95 % bounds of the ratio later/earlier; None where open.
    """
    (first, exposure_1), (second, exposure_2) = earlier, later
    scale = exposure_1 / exposure_2
    low = high = None
    if second > 0:
        share = float(special.betaincinv(second, first + 1, 0.025))
        low = scale * share / (1 - share)
    if first > 0:
        share = float(special.betaincinv(second + 1, first, 0.975))
        high = scale * share / (1 - share)
    return low, high


def judge_equal(earlier: tuple[int, int], later: tuple[int, int]) -> float | None:
    """Test two counts for one rate: exact conditional test, two-sided p.

    Twice the smaller binomial tail, at most 1; None where neither visit has a molecule.

    Args:
        earlier: marker-bearing molecules and molecules looked at.
        later: those of the later visit.
    """
    total = earlier[0] + later[0]
    if total == 0 or earlier[1] == 0 or later[1] == 0:
        return None
    share = later[1] / (earlier[1] + later[1])
    upper = special.betainc(later[0], earlier[0] + 1, share) if later[0] else 1.0
    lower = special.betainc(earlier[0], later[0] + 1, 1 - share) if earlier[0] else 1.0
    return float(min(1.0, 2 * min(upper, lower)))


def chance_of_rise(earlier: Evidence, later: Evidence, fold: float) -> float | None:
    """Give the probability that the level rose at least `fold` times.

    From the two integrated likelihoods with Jeffreys' prior: the binomial share has a
    Beta(K2 + 1/2, K1 + 1/2) distribution. A visit without detection stands as a count
    of 0 over its exposure. None where a visit has no likelihood.
    """
    if "point" in (earlier.form, later.form):
        return None
    first, second = _as_counts(earlier), _as_counts(later)
    share = second[1] * fold / (first[1] + second[1] * fold)
    return float(special.betaincc(second[0] + 0.5, first[0] + 0.5, share))


def _as_counts(evidence: Evidence) -> tuple[float, float]:
    if evidence.form == "censored":
        return 0.0, ZERO_COUNT_TWO_SIDED / evidence.level
    return evidence.count, evidence.exposure


def estimate_change(earlier: TimelineVisit, later: TimelineVisit) -> Change:
    """Estimate the change from one visit of a series to a later one.

    Positive is a rise. Where one of the two lies below its limit of detection only a
    bound is given; where both do, or a visit is not evaluable, the reason.
    """
    log10_change, reason = _log10_change(earlier, later)
    first, second = weigh_visit(earlier), weigh_visit(later)
    chance = None
    if first is not None and second is not None:
        chance = chance_of_rise(first, second, 10.0)
    counts = common_counts(earlier, later)
    return Change(
        from_sample=earlier.sample,
        log10=log10_change,
        p_value=judge_equal(*counts) if counts else None,
        probability_rise_1_log10=chance,
        reason=reason.en,
        reason_fr=reason.fr,
    )


def _log10_change(
    earlier: TimelineVisit, later: TimelineVisit
) -> tuple[Estimate | None, Sentence]:
    if is_detected(earlier) and is_detected(later):
        return _both_detected(earlier, later)
    if is_detected(later) and earlier.call in NOT_DETECTED:
        bound = bound_level(earlier)
        if bound and later.value:
            return _bounded(log10(later.value / bound), ">=", later, bound)
    elif is_detected(earlier) and later.call in NOT_DETECTED:
        bound = bound_level(later)
        if bound and earlier.value:
            return _bounded(log10(bound / earlier.value), "<=", earlier, bound)
    elif earlier.call in NOT_DETECTED and later.call in NOT_DETECTED:
        return None, Sentence(
            "not detected at either visit", "non détectée aux deux visites"
        )
    return None, Sentence(
        "one of the two visits has no level and no limit",
        "l'une des deux visites n'a ni niveau ni seuil",
    )


def _bounded(
    value: float, relation: str, detected: TimelineVisit, bound: float
) -> tuple[Estimate | None, Sentence]:
    """Bound a change one side of which was not detected, if the bound says anything."""
    if relation == ">=":
        if value <= 0:
            return None, Sentence(
                "no rise demonstrated: the level lies within what the earlier visit "
                "could have missed",
                "pas d'augmentation démontrée : le niveau reste dans ce que la visite "
                "précédente a pu ne pas voir",
            )
        low = log10(detected.low / bound) if detected.low else None
        return Estimate(value=value, relation=">=", low=low), NOTHING
    if value >= 0:
        return None, Sentence(
            "no fall demonstrated: the limit of this visit is not below the earlier "
            "level",
            "pas de baisse démontrée : le seuil de cette visite n'est pas inférieur au "
            "niveau précédent",
        )
    high = log10(bound / detected.low) if detected.low else None
    return Estimate(value=value, relation="<=", high=high), NOTHING


def _both_detected(
    earlier: TimelineVisit, later: TimelineVisit
) -> tuple[Estimate | None, Sentence]:
    if not earlier.value or not later.value:
        return None, Sentence(
            "a visit is positive without a value", "une visite est positive sans valeur"
        )
    value = log10(later.value / earlier.value)
    first, second = weigh_visit(earlier), weigh_visit(later)
    low = high = None
    if first and second and first.form == second.form == "counts":
        low, high = compare_counts(
            (first.count, first.exposure), (second.count, second.exposure)
        )
    return (
        Estimate(
            value=value,
            low=log10(low) if low else None,
            high=log10(high) if high else None,
        ),
        NOTHING,
    )


def common_counts(
    earlier: TimelineVisit, later: TimelineVisit
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Pool the counts of the level's markers that both visits could assess.

    Returns:
        Molecules with the marker and molecules looked at, of both visits; None where
        there are no counts.
    """
    together = {g.group for g in earlier.groups} & {g.group for g in later.groups}
    first = {
        m.marker: m
        for m in level_rows(earlier, together)
        if m.role == "level" and m.assessable
    }
    pooled = [0, 0, 0, 0]
    groups: dict[str, tuple[int, int, int, int]] = {}
    for marker in level_rows(later, together):
        before = first.get(marker.marker)
        if before is None or marker.role != "level" or not marker.assessable:
            continue
        entry = (
            before.denominator or 0,
            before.alt or 0,
            marker.denominator or 0,
            marker.alt or 0,
        )
        name = f"group:{marker.group}" if marker.group else f"marker:{marker.marker}"
        groups[name] = max(groups.get(name, entry), entry)
    for entry in groups.values():
        pooled = [total + part for total, part in zip(pooled, entry, strict=True)]
    if not pooled[0] or not pooled[2]:
        return None
    return (pooled[1], pooled[0]), (pooled[3], pooled[2])


def estimate_reduction(
    baseline: TimelineVisit, visit: TimelineVisit
) -> tuple[Estimate | None, Sentence]:
    """Estimate the log10 reduction from the baseline to a visit of the same series.

    LR = log10(M0) - log10(Mt); not detected: at least log10(M0/bound), the bound being
    `bound_level`. A bound that shows no reduction is told as such, never as a
    negative "at least".
    """
    change, reason = _log10_change(baseline, visit)
    if change is None:
        if visit.call in NOT_DETECTED and bound_level(visit) is not None:
            reason = Sentence(
                "no reduction demonstrated: this visit could have missed a level as "
                "high as the baseline's",
                "pas de réduction démontrée : cette visite a pu ne pas voir un niveau "
                "aussi élevé que le niveau de référence",
            )
        return None, reason
    low = -change.high if change.high is not None else None
    high = -change.low if change.low is not None else None
    relation = ">=" if change.relation == "<=" else "="
    return Estimate(value=-change.value, relation=relation, low=low, high=high), NOTHING
