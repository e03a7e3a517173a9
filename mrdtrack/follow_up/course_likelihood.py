"""All visits of a course as one log-likelihood, with its derivatives and profiles.

ln f(t) = a + b t; `eta` is ln f at each visit. The log-likelihood is concave in a and
b, so damped Newton steps along any line climb to its one peak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, pi

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mrdtrack.follow_up.likelihood import Evidence

Floats = NDArray[np.float64]

_LEAST_SPREAD = 0.1
"""Least spread (ln units) of values without an interval: no series is exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
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
        hidden = self.is_censored > 0
        total = np.zeros(eta.shape[:-1])
        if self.is_point.any():
            z = (self.log_level - eta) / self.spread
            total = total - 0.5 * (z * z) @ self.is_point
            if hidden.any():
                total = total + special.log_ndtr(z[..., hidden]).sum(axis=-1)
            return np.asarray(total, dtype=np.float64)
        log_x = np.minimum(self.log_exposure + eta, 300)
        x = np.exp(log_x)
        total = total + (self.count * log_x - x) @ self.is_counts
        if hidden.any():
            missed = _log_missed(self.count[hidden], x[..., hidden])
            total = total + missed.sum(axis=-1)
        return np.asarray(total, dtype=np.float64)

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


def _log_missed(count: Floats, x: Floats) -> Floats:
    """Give ln P(Poisson(x) < c), by its leading term where that underflows."""
    missed = np.log(np.maximum(special.gammaincc(count, x), 1e-300))
    deep = missed < -680
    if np.any(deep):
        tail = (count - 1) * np.log(np.maximum(x, 1e-300)) - x - special.gammaln(count)
        missed = np.where(deep, tail, missed)
    return np.asarray(missed, dtype=np.float64)


def _censored_derivatives(count: Floats, x: Floats) -> tuple[Floats, Floats]:
    """Differentiate ln P(Poisson(x) < c) in ln x, once and twice."""
    missed = special.gammaincc(count, x)
    log_density = count * np.log(np.maximum(x, 1e-300)) - x - special.gammaln(count)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.exp(log_density - np.log(missed))
    ratio = np.where(missed > 1e-290, ratio, np.maximum(x - count + 1, 1.0))
    return -ratio, -np.maximum(ratio * (count - x + ratio), 0.0)


def gather_terms(days: Sequence[float], evidence: Sequence[Evidence]) -> Terms | None:
    """Gather the visits; None where values without an interval are too few or mixed."""
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
    return Terms(
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


def maximise_along(
    terms: Terms, base: Floats, direction: Floats, start: Floats
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


def profile_slopes(terms: Terms, slopes: Floats) -> tuple[Floats, Floats]:
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
    return maximise_along(terms, base, np.ones_like(base), start)
