"""A log-linear course through the visits: doubling time and time to a level.

ln f(t) = a + b t. Each visit adds its own likelihood (`likelihood.py`): counts as
Poisson, non-detects as the probability of not detecting, values without an interval as
normal on the log scale with the spread found around the line. The log-likelihood is
concave in a and b: Newton steps find its peak, and the ends of the profile interval of
the slope; those of the days to a level are found on a grid, with the slope maximised.

Sources: profile likelihood, Venzon DJ, Moolgavkar SH, Appl Stat 1988;37:87 (doi
10.2307/2347496); censored regression, Tobin J, Econometrica 1958;26:24 (doi
10.2307/1907382).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from scipy import special

from mrdtrack.follow_up.change import compare_counts
from mrdtrack.follow_up.course_likelihood import (
    Floats,
    Terms,
    gather_terms,
    maximise_along,
    profile_slopes,
)
from mrdtrack.follow_up.likelihood import Evidence
from mrdtrack.follow_up.timeline import Estimate

CHI2_95 = 3.841458820694124
ONE_SEEN = 7.377758908227871
"""-2 ln(0.025)"""
LN2 = log(2)

_STEEPEST = LN2 / 0.5
"""No course doubles, or halves, in less than half a day."""
_FARTHEST_DAYS = 7300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A fitted course.

    Times are in days, `slope` in ln units a day with its 95 % profile interval; an open
    side is None. `misfit_p` tests the counts against the line. `log_level_at_end` is
    ln f at the last visit.
    """

    slope: float
    slope_low: float | None
    slope_high: float | None
    log_level_at_end: float
    misfit_p: float | None
    visits: int
    _terms: Terms
    _best: float
    _cut: float


def fit_course(days: Sequence[float], evidence: Sequence[Evidence]) -> Fit | None:
    """Fit the log-linear course; None where the visits cannot carry one.

    At least two visits must have been detected, or one and a non-detect (then one side
    of the interval is open); values without an interval need three.

    Args:
        days: day of each visit, increasing.
        evidence: each visit's likelihood.
    """
    if len(days) < 2 or all(e.form == "censored" for e in evidence):
        return None
    terms = gather_terms(days, evidence)
    if terms is None:
        return None
    slope = _find_peak(terms)
    intercepts, values = profile_slopes(terms, np.array([slope]))
    intercept, best = float(intercepts[0]), float(values[0])
    cut = _cut(terms)
    if len(days) == 2 and all(e.form == "counts" for e in evidence):
        low, high = _bound_pair(days[1] - days[0], evidence[0], evidence[1])
    else:
        low, high = _find_ends(terms, slope, intercept, best - cut / 2)
    return Fit(
        slope=slope,
        slope_low=low,
        slope_high=high,
        log_level_at_end=intercept,
        misfit_p=_misfit(terms, intercept + slope * terms.days),
        visits=len(days),
        _terms=terms,
        _best=best,
        _cut=cut,
    )


def _bound_pair(
    days: float, first: Evidence, second: Evidence
) -> tuple[float | None, float | None]:
    """Bound the slope between two counted visits by the exact ratio of their rates.

    The profile of few molecules is too narrow with two visits (0.92 instead of 0.95 at
    4 and 29 molecules); the conditional interval never is.
    """
    low, high = compare_counts(
        (first.count, first.exposure), (second.count, second.exposure)
    )
    return (
        None if not low or days <= 0 else log(low) / days,
        None if not high or days <= 0 else log(high) / days,
    )


def _cut(terms: Terms) -> float:
    """Give the fall of twice the log-likelihood at the ends of a 95 % interval.

    With one visit detected the peak lies at an endless slope, where chi-square does not
    hold: the end is where the others were missed with a probability of 0.025.
    """
    points = int(terms.is_point.sum())
    if not points:
        return CHI2_95 if terms.is_counts.sum() > 1 else ONE_SEEN
    return float(special.stdtrit(points - 2, 0.975)) ** 2


def _find_peak(terms: Terms) -> float:
    """Find the best slope by damped Newton steps in intercept and slope together.

    The log-likelihood is concave, so a step that climbs less than it should is halved.
    Where it still climbs at the steepest slope looked at, that slope is the answer.
    """
    at = np.array(_start_of(terms))
    design = np.stack([np.ones_like(terms.days), terms.days])
    value = float(terms.log_likelihood(at @ design))
    for _ in range(40):
        first, second = terms.derivatives((at @ design)[None, :])
        gradient = design @ first[0]
        bend = (design * second[0]) @ design.T
        spread = bend[0, 0] * bend[1, 1] - bend[0, 1] ** 2
        if spread <= 1e-12 * bend[0, 0] * bend[1, 1]:
            break
        step = np.array(
            [
                bend[0, 1] * gradient[1] - bend[1, 1] * gradient[0],
                bend[0, 1] * gradient[0] - bend[0, 0] * gradient[1],
            ]
        )
        step /= spread
        step *= min(1.0, 3.0 / max(float(np.abs(step @ design).max()), 1e-12))
        gain = -np.inf
        for _ in range(30):
            gain = float(terms.log_likelihood((at + step) @ design)) - value
            if gain >= 0:
                break
            step = step / 2
        if gain <= 1e-10:
            return float(np.clip(at[1], -_STEEPEST, _STEEPEST))
        at, value = at + step, value + gain
        if abs(at[1]) > _STEEPEST:
            break
    return _choose_edge(terms, float(at[1]), value)


def _start_of(terms: Terms) -> tuple[float, float]:
    """Give intercept and slope of the detected visits alone, or a level course."""
    seen = terms.is_censored == 0
    days, logs = terms.days[seen], terms.log_level[seen]
    weight = np.maximum(terms.count[seen], 0.1) * terms.is_counts[seen]
    weight = weight + terms.is_point[seen]
    centre = float(weight @ days / weight.sum())
    level = float(weight @ logs / weight.sum())
    spread = float(weight @ (days - centre) ** 2)
    slope = float(weight @ ((days - centre) * logs)) / spread if spread > 0 else 0.0
    slope = float(np.clip(slope, -_STEEPEST, _STEEPEST))
    return level - slope * centre, slope


def _choose_edge(terms: Terms, slope: float, value: float) -> float:
    """Choose between a slope and the steepest ones, by their profiles."""
    tried = np.array([-_STEEPEST, _STEEPEST])
    _, edges = profile_slopes(terms, tried)
    best = int(np.argmax(edges))
    inside = abs(slope) <= _STEEPEST and value > edges[best]
    return slope if inside else float(tried[best])


def _find_ends(
    terms: Terms, slope: float, intercept: float, level: float
) -> tuple[float | None, float | None]:
    """Find where the profile falls to `level` on either side of its peak.

    None where it stays above up to the steepest slope.
    """
    ends = _solve_ends(terms, slope, intercept, level)
    if not np.isfinite(ends).all():
        ends = _search_ends(terms, slope, level, ends)
    low, high = (float(x) if np.isfinite(x) else None for x in ends)
    return low, high


def _solve_ends(terms: Terms, slope: float, intercept: float, level: float) -> Floats:
    """Solve for both ends: log-likelihood at `level`, its intercept derivative 0.

    Venzon and Moolgavkar's Newton steps, from where a parabola would fall to `level`.
    An end that is not reached is NaN.
    """
    sides = np.array([-1.0, 1.0])
    centre, reach = _guess_reach(terms, slope, intercept, level)
    b = slope + sides * reach
    a = intercept - (b - slope) * centre
    found = np.zeros(2, dtype=np.bool_)
    for _ in range(25):
        eta = a[:, None] + b[:, None] * terms.days
        off = level - terms.log_likelihood(eta)
        first, second = terms.derivatives(eta)
        in_a, in_b = first.sum(axis=-1), first @ terms.days
        found = (np.abs(off) < 1e-6) & (np.abs(in_a) < 1e-4)
        if np.all(found | (np.abs(b) > _STEEPEST)):
            break
        in_aa, in_ab = second.sum(axis=-1), second @ terms.days
        scale = in_a * in_ab - in_b * in_aa
        scale = np.where(np.abs(scale) < 1e-300, 1e-300, scale)
        step_a = (off * in_ab + in_b * in_a) / scale
        step_b = -(in_a * in_a + off * in_aa) / scale
        moved = np.abs(step_a[:, None] + step_b[:, None] * terms.days).max(axis=-1)
        shorter = np.minimum(1.0, 3.0 / np.maximum(moved, 1e-12))
        a, b = a + shorter * step_a, b + shorter * step_b
    inside = found & (np.abs(b) < _STEEPEST) & ((b - slope) * sides > 0)
    return np.where(inside, b, np.nan)


def _guess_reach(
    terms: Terms, slope: float, intercept: float, level: float
) -> tuple[float, float]:
    """Guess how far from the peak the ends lie, as if the profile were a parabola."""
    eta = intercept + slope * terms.days
    _, second = terms.derivatives(eta[None, :])
    bend = -second[0]
    total = max(float(bend.sum()), 1e-12)
    centre = float(bend @ terms.days) / total
    information = max(float(bend @ (terms.days - centre) ** 2), 1e-12)
    fall = max(float(terms.log_likelihood(eta)) - level, 1e-12)
    return centre, min(float(np.sqrt(2 * fall / information)), _STEEPEST)


def _search_ends(terms: Terms, slope: float, level: float, known: Floats) -> Floats:
    """Search for the ends that are not known, by halving; NaN where there is none."""
    inner, outer = np.full(2, slope), np.array([-_STEEPEST, _STEEPEST])
    _, edges = profile_slopes(terms, outer)
    sought = np.isnan(known) & (edges < level) & (outer != slope)
    for _ in range(60 if sought.any() else 0):
        tried = (inner + outer) / 2
        _, values = profile_slopes(terms, tried)
        above = values >= level
        inner, outer = np.where(above, tried, inner), np.where(above, outer, tried)
        if np.all(np.abs(outer - inner) <= 1e-6 * np.abs(outer)):
            break
    return np.where(sought, (inner + outer) / 2, known)


def _misfit(terms: Terms, eta: Floats) -> float | None:
    """Test the counts against the line: deviance, chi-square on visits less two."""
    seen = terms.is_counts > 0
    degrees = int(seen.sum()) - 2
    if degrees < 1:
        return None
    expected = np.exp(terms.log_exposure[seen] + eta[seen])
    count = terms.count[seen]
    deviance = 2 * float(
        (special.xlogy(count, count / expected) - count + expected).sum()
    )
    return float(special.chdtrc(degrees, max(deviance, 0.0)))


def tell_doubling_time(fit: Fit) -> Estimate | None:
    """Turn a rising slope into a doubling time (days); None where it does not rise.

    An open upper side means that a level course cannot be excluded.
    """
    if fit.slope <= 0:
        return None
    low = LN2 / fit.slope_high if fit.slope_high else None
    rises = fit.slope_low is not None and fit.slope_low > 0
    high = LN2 / fit.slope_low if rises and fit.slope_low else None
    if low is None and high is not None:
        return Estimate(value=high, relation="<=")
    if low is None:
        return None
    return Estimate(value=LN2 / fit.slope, low=low, high=high)


def tell_halving_time(fit: Fit) -> Estimate | None:
    """Turn a falling slope into a halving time (days); None where it does not fall."""
    if fit.slope >= 0:
        return None
    low = LN2 / -fit.slope_low if fit.slope_low else None
    falls = fit.slope_high is not None and fit.slope_high < 0
    high = LN2 / -fit.slope_high if falls and fit.slope_high else None
    if low is None and high is not None:
        return Estimate(value=high, relation="<=")
    if low is None:
        return None
    return Estimate(value=LN2 / -fit.slope, low=low, high=high)


def tell_time_to_level(fit: Fit, level: float) -> Estimate | None:
    """Tell the days from the last visit until a rising course reaches a level.

    With a 95 % profile interval: for each number of days the slope that makes the line
    reach the level then is maximised over. None where the course does not rise, the
    level is behind it or more than twenty years off.
    """
    if fit.slope <= 0:
        return None
    value = (log(level) - fit.log_level_at_end) / fit.slope
    if not 0 < value <= _FARTHEST_DAYS:
        return None
    tried = np.concatenate(
        [value * np.linspace(0.02, 1, 50), value * np.geomspace(1, 40, 80)[1:]]
    )
    direction = fit._terms.days - tried[:, None]
    base = np.full_like(direction, log(level))
    start = np.full(tried.size, fit.slope)
    slopes, profile = maximise_along(fit._terms, base, direction, start)
    inside = (profile >= fit._best - fit._cut / 2) & (slopes > 0)
    if not inside.any():
        return Estimate(value=value)
    low, high = float(tried[inside].min()), float(tried[inside].max())
    return Estimate(
        value=value,
        low=low if low > tried[0] else 0.0,
        high=high if high < min(tried[-1], _FARTHEST_DAYS) else None,
    )
