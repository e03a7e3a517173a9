"""A log-linear course through the visits: doubling time and time to a level.

ln f(t) = a + b t. Each visit adds its own likelihood (`likelihood.py`): counts as
Poisson, non-detects as the probability of not detecting, values without an interval as
normal on the log scale with the spread found around the line. The log-likelihood is
concave in a and b, so the profile intervals are found on a grid of slopes (or of days
to the level) with the other parameter maximised.

Sources: profile likelihood, Venzon DJ, Moolgavkar SH, Appl Stat 1988;37:87 (doi
10.2307/2347496); censored regression, Tobin J, Econometrica 1958;26:24 (doi
10.2307/1907382).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, pi

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mrdtrack.follow_up.likelihood import Evidence
from mrdtrack.follow_up.timeline import Estimate

Floats = NDArray[np.float64]

CHI2_95 = 3.841458820694124
LN2 = log(2)

_SHORTEST_DAYS, _LONGEST_DAYS = 0.5, 40_000.0
_FARTHEST_DAYS = 7300.0
_LEAST_SPREAD = 0.1
"""Least spread (ln units) of values without an interval: no series is exact."""


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
    _terms: _Terms
    _best: float
    _cut: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """All visits as arrays: time (days, 0 at the last visit) and its likelihood."""

    days: Floats
    is_counts: Floats
    is_censored: Floats
    is_point: Floats
    count: Floats
    log_exposure: Floats
    log_level: Floats
    spread: float

    def log_likelihood(self, eta: Floats) -> Floats:
        """Sum the log-likelihoods; `eta` is ln f, visits along the last axis."""
        x = np.exp(np.clip(self.log_exposure + eta, -700, 300))
        counts = self.count * (self.log_exposure + eta) - x
        missed = np.log(np.maximum(special.gammaincc(self.count, x), 1e-300))
        deep = missed < -680
        if np.any(deep):
            tail = (self.count - 1) * np.log(np.maximum(x, 1e-300)) - x
            missed = np.where(deep, tail - special.gammaln(self.count), missed)
        z = (self.log_level - eta) / self.spread
        points = -0.5 * z * z
        below = special.log_ndtr(z)
        censored = np.where(self.is_point.any(), below, missed)
        total = (
            self.is_counts * counts
            + self.is_censored * censored
            + self.is_point * points
        )
        return np.asarray(total.sum(axis=-1), dtype=np.float64)

    def derivatives(self, eta: Floats) -> tuple[Floats, Floats]:
        """Give each visit's first and second derivative in `eta`."""
        x = np.exp(np.minimum(self.log_exposure + eta, 300))
        first = self.is_counts * (self.count - x)
        second = self.is_counts * -x
        hidden = self.is_censored > 0
        points = bool(self.is_point.any())
        if hidden.any() and points:
            z = (self.log_level[hidden] - eta[:, hidden]) / self.spread
            hazard = np.exp(-0.5 * z * z - 0.5 * log(2 * pi) - special.log_ndtr(z))
            first[:, hidden] = -hazard / self.spread
            second[:, hidden] = -hazard * (z + hazard) / self.spread**2
        elif hidden.any():
            first[:, hidden], second[:, hidden] = _censored_derivatives(
                self.count[hidden], x[:, hidden]
            )
        if points:
            first = first + self.is_point * (self.log_level - eta) / self.spread**2
            second = second - self.is_point / self.spread**2
        return first, second


def _censored_derivatives(count: Floats, x: Floats) -> tuple[Floats, Floats]:
    """Differentiate ln P(Poisson(x) < c) in ln x, once and twice."""
    missed = special.gammaincc(count, x)
    log_density = count * np.log(np.maximum(x, 1e-300)) - x - special.gammaln(count)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.exp(log_density - np.log(missed))
    ratio = np.where(missed > 1e-290, ratio, np.maximum(x - count + 1, 1.0))
    return -ratio, -np.maximum(ratio * (count - x + ratio), 0.0)


def _gather_terms(days: Sequence[float], evidence: Sequence[Evidence]) -> _Terms | None:
    forms = np.array([e.form for e in evidence])
    level = np.array([e.level for e in evidence])
    exposure = np.array([max(e.exposure, 1e-300) for e in evidence])
    spread = 1.0
    if (forms == "point").any():
        if (forms == "counts").any():
            return None
        found = _find_spread(np.asarray(days), np.log(level), forms == "point")
        if found is None:
            return None
        spread = found
    times = np.asarray(days, dtype=np.float64)
    return _Terms(
        days=times - times.max(),
        is_counts=(forms == "counts").astype(np.float64),
        is_censored=(forms == "censored").astype(np.float64),
        is_point=(forms == "point").astype(np.float64),
        count=np.array([max(e.count, 1e-9) for e in evidence]),
        log_exposure=np.log(exposure),
        log_level=np.log(level),
        spread=spread,
    )


def _find_spread(days: Floats, logs: Floats, seen: NDArray[np.bool_]) -> float | None:
    """Find the residual spread (ln units) around the line of the detected values."""
    days, logs = days[seen], logs[seen]
    if days.size < 3 or np.ptp(days) == 0:
        return None
    centred = days - days.mean()
    slope = float(centred @ logs / (centred @ centred))
    rest = logs - logs.mean() - slope * centred
    return max(float(np.sqrt(rest @ rest / (days.size - 2))), _LEAST_SPREAD)


def _maximise_along(
    terms: _Terms, base: Floats, direction: Floats, start: Floats
) -> tuple[Floats, Floats]:
    """Maximise along many lines at once: eta = base + s direction.

    Damped Newton; each line is concave, so a step that is cut short still climbs.

    Args:
        terms: the visits.
        base: lines x visits.
        direction: lines x visits.
        start: first s of each line.

    Returns:
        The best s and the log-likelihood there, of each line.
    """
    s = start.astype(np.float64).copy()
    longest = 3.0 / np.maximum(np.abs(direction).max(axis=-1), 1e-12)
    moving = np.arange(s.size)
    for _ in range(60):
        along = direction[moving]
        first, second = terms.derivatives(base[moving] + s[moving, None] * along)
        slope = (first * along).sum(axis=-1)
        bend = (second * along**2).sum(axis=-1)
        limit = longest[moving]
        step = np.clip(-slope / np.minimum(bend, -1e-12), -limit, limit)
        s[moving] += step
        moving = moving[np.abs(step) > 1e-5 * limit]
        if not moving.size:
            break
    return s, terms.log_likelihood(base + s[:, None] * direction)


def _profile_slopes(terms: _Terms, slopes: Floats) -> tuple[Floats, Floats]:
    """Maximise over the intercept for each slope: intercepts and log-likelihoods.

    The start is the closed form without the non-detects: all molecules seen over all
    that were looked at, or the mean of the values.
    """
    base = slopes[:, None] * terms.days
    if terms.is_point.any():
        seen = terms.is_point > 0
        start = (terms.log_level[seen] - base[:, seen]).mean(axis=-1)
    else:
        seen = terms.is_counts > 0
        expected = terms.log_exposure[seen] + base[:, seen]
        top = expected.max(axis=-1)
        total = top + np.log(np.exp(expected - top[:, None]).sum(axis=-1))
        start = np.log(terms.count[seen].sum()) - total
    return _maximise_along(terms, base, np.ones_like(base), start)


def _slope_grid() -> Floats:
    steep = LN2 / np.geomspace(_SHORTEST_DAYS, _LONGEST_DAYS, 13)
    return np.concatenate([-steep, [0.0], steep[::-1]])


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
    terms = _gather_terms(days, evidence)
    if terms is None:
        return None
    slopes = _slope_grid()
    _, values = _profile_slopes(terms, slopes)
    slopes, values = _refine_peak(terms, slopes, values)
    top = int(np.argmax(values))
    best, slope = float(values[top]), float(slopes[top])
    cut = _cut(terms)
    intercept = float(_profile_slopes(terms, np.array([slope]))[0][0])
    low, high = _find_crossings(terms, slopes, values, best - cut / 2)
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


def _cut(terms: _Terms) -> float:
    """Give the fall of twice the log-likelihood at the ends of a 95 % interval."""
    points = int(terms.is_point.sum())
    if not points:
        return CHI2_95
    return float(special.stdtrit(points - 2, 0.975)) ** 2


def _refine_peak(
    terms: _Terms, slopes: Floats, values: Floats
) -> tuple[Floats, Floats]:
    for _ in range(3):
        top = int(np.argmax(values))
        left, right = max(top - 1, 0), min(top + 1, slopes.size - 1)
        finer = np.linspace(slopes[left], slopes[right], 15)[1:-1]
        _, more = _profile_slopes(terms, finer)
        slopes = np.concatenate([slopes, finer])
        values = np.concatenate([values, more])
        order = np.argsort(slopes)
        slopes, values = slopes[order], values[order]
    return slopes, values


def _find_crossings(
    terms: _Terms, slopes: Floats, values: Floats, level: float
) -> tuple[float | None, float | None]:
    """Find where the profile falls to `level` on either side of its peak."""
    top = int(np.argmax(values))
    below = np.flatnonzero(values < level)
    left, right = below[below < top], below[below > top]
    low = None if not left.size else (slopes[left[-1]], slopes[left[-1] + 1])
    high = None if not right.size else (slopes[right[0]], slopes[right[0] - 1])
    for _ in range(2):
        low, high = _narrow(terms, low, high, level)
    return (
        None if low is None else float(sum(low) / 2),
        None if high is None else float(sum(high) / 2),
    )


_Bracket = tuple[float, float] | None


def _narrow(
    terms: _Terms, low: _Bracket, high: _Bracket, level: float
) -> tuple[_Bracket, _Bracket]:
    """Narrow both brackets (outer, inner) on one grid each, in one pass."""
    open_ones = [bracket for bracket in (low, high) if bracket is not None]
    if not open_ones:
        return low, high
    grids = np.array([np.linspace(inner, outer, 15) for outer, inner in open_ones])
    _, profile = _profile_slopes(terms, grids.ravel())
    narrowed: list[_Bracket] = []
    for grid, under in zip(grids, profile.reshape(grids.shape) < level, strict=True):
        place = max(int(np.argmax(under)) if under.any() else grid.size - 1, 1)
        narrowed.append((float(grid[place]), float(grid[place - 1])))
    found = iter(narrowed)
    return (
        None if low is None else next(found),
        None if high is None else next(found),
    )


def _misfit(terms: _Terms, eta: Floats) -> float | None:
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
    slopes, profile = _maximise_along(fit._terms, base, direction, start)
    inside = (profile >= fit._best - fit._cut / 2) & (slopes > 0)
    if not inside.any():
        return Estimate(value=value)
    low, high = float(tried[inside].min()), float(tried[inside].max())
    return Estimate(
        value=value,
        low=low if low > tried[0] else 0.0,
        high=high if high < min(tried[-1], _FARTHEST_DAYS) else None,
    )
