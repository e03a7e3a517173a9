"""The level and its interval, with the background and its uncertainty.

Integrated likelihood of the level over heterogeneity between markers (Gamma) and a 2 %
chance that a marker is lost. Upper bound: 97.5 % point under a flat prior, which is
Garwood's for a clean marker; exactly that where no molecule was seen. Lower bound: 0
where p > 0.025, else by inverting the test itself, and by the 2.5 % point under the
prior 1/f (Garwood's) where the evidence is overwhelming.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mrdtrack.levels.detection import Evidence, LevelCounts, NullTable
from mrdtrack.levels.exact_bounds import FloatArray, poisson_bounds
from mrdtrack.levels.level_search import level_at
from mrdtrack.levels.negative_binomials import (
    LARGEST_SHAPE,
    condensed,
    log_count_probability,
    rising,
)
from mrdtrack.levels.power import Power, critical_values

HETEROGENEITY = np.array([0.0, 0.15, 0.3, 0.5, 0.8])
HETEROGENEITY_WEIGHT = np.array([0.35, 0.25, 0.2, 0.12, 0.08])
LOST_CHANCE = 0.02
OVERWHELMING_P = 1e-7
PARTS = 5
_BINOMIAL_FROM = 0.02


class LevelLikelihood(NamedTuple):
    """Integrated likelihood (largest 1) on a grid of levels [F]."""

    level: FloatArray
    likelihood: FloatArray


class LevelEstimate(NamedTuple):
    """The level and its interval (0 to 1), and the likelihood they come from."""

    value: float
    low: float
    high: float
    curve: LevelLikelihood


def marker_likelihood(
    table: NullTable, counts: LevelCounts, level: FloatArray
) -> FloatArray:
    """Return each marker's log-likelihood under each heterogeneity [M, S, F].

    Negative binomial of background mixture plus signal; where a marker is frequent,
    since a fraction ends at 1, beta-binomial whose first parameter is the Gamma's
    shape: as rarely near 0 as the Gamma is (of the same variance it would be U-shaped).
    """
    several = len(table.molecules) > 1
    spread = HETEROGENEITY if several else HETEROGENEITY[:1]
    weight, background, shape = condensed(
        table.mixture.weight, table.background, table.mixture.shape, PARTS
    )
    unit = (counts.molecules * counts.ratio)[:, None, None, None]
    signal = unit * np.maximum(level, 1e-15)
    noise = background[:, :, None, None]
    mean = noise + signal
    variance = (background**2 / shape)[:, :, None, None]
    variance = variance + (signal * spread[:, None]) ** 2
    alt = counts.alt.astype(np.float64)[:, None, None, None]
    molecules = counts.molecules[:, None, None, None]
    log_weight = np.log(np.maximum(weight, 1e-300))[:, :, None, None]
    density = _log_density(alt, molecules, mean, variance) + log_weight
    log_p = _log_sum(density)
    if several:
        noise2 = (background**2 / shape)[:, :, None, None]
        absent = _log_sum(_log_density(alt, molecules, noise, noise2) + log_weight)
        log_p = np.logaddexp(
            log_p + np.log1p(-LOST_CHANCE), absent + np.log(LOST_CHANCE)
        )
    result: FloatArray = np.maximum(log_p, -1e5)
    return result


def _log_sum(density: FloatArray) -> FloatArray:
    """Return the log of the sum of exponentials over the second axis."""
    top = density.max(axis=1)
    result: FloatArray = top + np.log(np.exp(density - top[:, None]).sum(axis=1))
    return result


class LikelihoodStore:
    """Likelihoods of one design's markers on one grid, kept for each count seen."""

    def __init__(self, table: NullTable) -> None:
        unit = float((table.molecules * table.ratio).sum())
        reach = max(table.design_level, 10.0 / unit)
        self._table = table
        self.level = np.unique(
            np.concatenate(
                [
                    [0.0],
                    np.geomspace(1e-2 / unit, 12 * reach, 36),
                    np.linspace(0.0, 4 * reach, 50),
                ]
            )
        )
        self._kept: dict[tuple[int, int], FloatArray] = {}

    def log_likelihood(self, counts: LevelCounts) -> FloatArray:
        """Return the log-likelihood of a sample's levels [S, F]."""
        keys = list(enumerate(counts.alt.tolist()))
        if any(key not in self._kept for key in keys):
            values = marker_likelihood(self._table, counts, self.level)
            self._kept.update(zip(keys, values, strict=True))
        result: FloatArray = np.sum([self._kept[key] for key in keys], axis=0)
        return result


def _log_density(
    alt: FloatArray, molecules: FloatArray, mean: FloatArray, variance: FloatArray
) -> FloatArray:
    shape = np.minimum(mean**2 / np.maximum(variance, 1e-300), LARGEST_SHAPE)
    if float((alt / molecules).max()) < _BINOMIAL_FROM:
        return log_count_probability(alt, mean, shape)
    fraction = np.minimum(mean / molecules, 1 - 1e-12)
    size = np.clip(shape / fraction, 1e-6, LARGEST_SHAPE)
    a, b = fraction * size, (1 - fraction) * size
    alt, molecules, a, b = np.broadcast_arrays(alt, molecules, a, b)
    return rising(alt, a) + rising(molecules - alt, b) - rising(molecules, a + b)


def level_estimate(
    table: NullTable,
    counts: LevelCounts,
    found: Evidence,
    store: LikelihoodStore,
    confidence: float = 0.95,
) -> LevelEstimate:
    """Return the level of a sample with its interval."""
    tail = (1.0 - confidence) / 2.0
    curve = _curve(table, counts, store)
    level, likelihood = curve
    if not counts.alt.any():
        none_seen = float(poisson_bounds(0, confidence)[1])
        molecules = float((counts.molecules * counts.ratio).sum())
        return LevelEstimate(0.0, 0.0, none_seen / molecules, curve)
    value = _peak(level, likelihood)
    high = _quantile(level, likelihood, 1.0 - tail)
    low = _lower(table, counts, found, curve, tail)
    if found.p_value > tail:
        return LevelEstimate(value, 0.0, max(high, value), curve)
    value = max(value, min(low, high))
    return LevelEstimate(value, min(low, value), max(high, value), curve)


def _peak(level: FloatArray, likelihood: FloatArray) -> float:
    """Return the level of the largest likelihood, by a parabola through its top."""
    top = int(np.argmax(likelihood))
    if top in (0, len(level) - 1) or likelihood[top - 1 : top + 2].min() <= 0:
        return float(level[top])
    x, y = level[top - 1 : top + 2], np.log(likelihood[top - 1 : top + 2])
    left, right = (y[1] - y[0]) / (x[1] - x[0]), (y[2] - y[1]) / (x[2] - x[1])
    if right >= left:
        return float(level[top])
    bend = (right - left) / (x[2] - x[0])
    peak = (x[0] + x[1]) / 2 - left / (2 * bend)
    return float(np.clip(peak, x[0], x[2]))


def _curve(
    table: NullTable, counts: LevelCounts, store: LikelihoodStore
) -> LevelLikelihood:
    """Return the likelihood on the design's grid, or finely where that is too coarse.

    The design's grid suffices where the likelihood ends inside it and is wide, and no
    marker's own fraction lies near its end.
    """
    weight = HETEROGENEITY_WEIGHT if len(counts.alt) > 1 else np.ones(1)

    def mixed(log_l: FloatArray) -> FloatArray:
        top = float(log_l.max())
        result: FloatArray = top + np.log(
            np.maximum((np.exp(log_l - top) * weight[:, None]).sum(axis=0), 1e-300)
        )
        return result

    def likelihood(level: FloatArray) -> FloatArray:
        return mixed(marker_likelihood(table, counts, level).sum(axis=0))

    level, log_l = store.level, mixed(store.log_likelihood(counts))
    wide = int((log_l > log_l.max() - 2.0).sum()) >= 8
    highest = float((counts.alt / (counts.molecules * counts.ratio)).max())
    inside = 2.0 * highest < level[-1] and log_l[-1] < log_l.max() - 18.0
    if not (wide and inside):
        level = _near(counts, likelihood)
        log_l = likelihood(level)
    return LevelLikelihood(level, np.exp(log_l - log_l.max()))


def _near(
    counts: LevelCounts, likelihood: Callable[[FloatArray], FloatArray]
) -> FloatArray:
    """Return a grid of levels where the likelihood is not negligible."""
    unit = counts.molecules * counts.ratio
    excess = counts.alt.astype(np.float64)
    whole = float(excess.sum() + 10.0) / float(unit.sum())
    single = float(((excess + 3.0) / unit).max())
    top = min(max(8 * whole, 3 * single), 1.0 / float(counts.ratio.max()))
    bottom = min(1e-2 / float(unit.sum()), top / 1e3)
    coarse = np.concatenate([[0.0], np.geomspace(bottom, top, 40)])
    for _ in range(2):
        log_l = likelihood(coarse)
        kept = np.flatnonzero(log_l > log_l.max() - 20.0)
        first, last = max(kept[0] - 1, 0), min(kept[-1] + 1, len(coarse) - 1)
        near = max(coarse[first], bottom)
        coarse = np.unique(
            np.concatenate(
                [
                    [coarse[first]],
                    np.geomspace(near, coarse[last], 30),
                    np.linspace(coarse[first], coarse[last], 50),
                ]
            )
        )
    return coarse


def _quantile(level: FloatArray, density: FloatArray, probability: float) -> float:
    area = (density[1:] + density[:-1]) / 2 * np.diff(level)
    cumulated = np.concatenate([[0.0], np.cumsum(area)])
    return float(np.interp(probability * cumulated[-1], cumulated, level))


def _lower(
    table: NullTable,
    counts: LevelCounts,
    found: Evidence,
    curve: LevelLikelihood,
    tail: float,
) -> float:
    if found.p_value > tail:
        return 0.0
    level, likelihood = curve
    within = bool((counts.alt <= table.largest - 5).all())
    if found.p_value <= OVERWHELMING_P or not within:
        unit = float((counts.molecules * counts.ratio).sum())
        return _quantile(level, likelihood / np.maximum(level, 1e-2 / unit), tail)
    power = Power(table, critical_values(table, found.p_value * (1 + 1e-9)))
    peak = max(float(level[int(np.argmax(likelihood))]), 1e-8)
    molecules = float(counts.alt.sum()) + 1.0
    start = peak * float(np.exp(-2.0 / np.sqrt(molecules)))
    return level_at(power, (tail,), start, 1.2 / float(np.sqrt(molecules)))[0]
