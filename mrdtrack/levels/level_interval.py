"""The level and its interval, with the background and its uncertainty.

Integrated likelihood of the level over heterogeneity between markers (Gamma) and a 2 %
chance that a marker is lost. Upper bound: 97.5 % point under a flat prior, which is
Garwood's for a clean marker. Lower bound: 0 where p > 0.025, else by inverting the
test itself, and by the 2.5 % point under the prior 1/f (Garwood's) where the evidence
is overwhelming.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

from mrdtrack.levels.detection import Evidence, LevelCounts, NullTable
from mrdtrack.levels.exact_bounds import FloatArray
from mrdtrack.levels.limits import critical_values, detection_probability, level_at
from mrdtrack.levels.negative_binomials import (
    LARGEST_SHAPE,
    condensed,
    log_count_probability,
    rising,
)

HETEROGENEITY = np.array([0.0, 0.15, 0.3, 0.5, 0.8])
HETEROGENEITY_WEIGHT = np.array([0.35, 0.25, 0.2, 0.12, 0.08])
LOST_CHANCE = 0.02
OVERWHELMING_P = 1e-7
PARTS = 6
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


def level_likelihood(
    table: NullTable, counts: LevelCounts, level: FloatArray
) -> FloatArray:
    """Return the log-likelihood of levels under each heterogeneity [S, F].

    Negative binomial of background mixture plus signal; beta-binomial of the same
    variance where a marker is frequent, since a fraction ends at 1.
    """
    several = len(counts.alt) > 1
    spread = HETEROGENEITY if several else HETEROGENEITY[:1]
    weight, background, shape = condensed(
        table.mixture.weight, table.background, table.mixture.shape, PARTS
    )
    unit = (counts.molecules * counts.ratio)[:, None, None, None]
    signal = unit * np.maximum(level, 1e-15)[None, None, :, None]
    mean = background[:, None, None, :] + signal
    noise2 = (background**2 / shape)[:, None, None, :]
    variance = noise2 + (signal * spread[None, :, None, None]) ** 2
    alt = counts.alt.astype(np.float64)[:, None, None, None]
    molecules = counts.molecules[:, None, None, None]
    density = _log_density(alt, molecules, mean, variance)
    log_weight = np.log(np.maximum(weight, 1e-300))[:, None, None, :]
    log_p = special.logsumexp(density + log_weight, axis=-1)
    if several:
        absent = _log_density(
            alt[..., 0, :],
            molecules[..., 0, :],
            background[:, None, :],
            (background**2 / shape)[:, None, :],
        )
        log_absent = special.logsumexp(absent + log_weight[:, 0], axis=-1)
        log_p = np.logaddexp(
            log_p + np.log1p(-LOST_CHANCE),
            log_absent[:, :, None] + np.log(LOST_CHANCE),
        )
    result: FloatArray = np.maximum(log_p, -1e5).sum(axis=0)
    return result


def _log_density(
    alt: FloatArray, molecules: FloatArray, mean: FloatArray, variance: FloatArray
) -> FloatArray:
    shape = np.minimum(mean**2 / np.maximum(variance, 1e-300), LARGEST_SHAPE)
    if float((alt / molecules).max()) < _BINOMIAL_FROM:
        return log_count_probability(alt, mean, shape)
    fraction = np.minimum(mean / molecules, 1 - 1e-12)
    size = fraction * (1 - fraction) / np.maximum(variance / molecules**2, 1e-300) - 1
    size = np.clip(size, 1e-6, LARGEST_SHAPE)
    a, b = fraction * size, (1 - fraction) * size
    alt, molecules, a, b = np.broadcast_arrays(alt, molecules, a, b)
    return rising(alt, a) + rising(molecules - alt, b) - rising(molecules, a + b)


def level_estimate(
    table: NullTable, counts: LevelCounts, found: Evidence, confidence: float = 0.95
) -> LevelEstimate:
    """Return the level of a sample with its interval."""
    tail = (1.0 - confidence) / 2.0
    curve = _curve(table, counts)
    level, likelihood = curve
    value = float(level[int(np.argmax(likelihood))])
    high = _quantile(level, likelihood, 1.0 - tail)
    low = _lower(table, counts, found, curve, tail)
    return LevelEstimate(value, min(low, value), max(high, value), curve)


def _curve(table: NullTable, counts: LevelCounts) -> LevelLikelihood:
    """Evaluate the likelihood on a coarse grid, then finely where it matters."""
    unit = counts.molecules * counts.ratio
    noise = (table.mixture.weight * table.background).sum(axis=1)
    excess = np.maximum(counts.alt - noise, 0.0)
    whole = float(excess.sum() + 10.0) / float(unit.sum())
    single = float(((excess + 3.0) / unit).max())
    top = min(max(8 * whole, 3 * single), 1.0 / float(counts.ratio.max()))
    bottom = min(1e-2 / float(unit.sum()), top / 1e3)
    weight = HETEROGENEITY_WEIGHT if len(unit) > 1 else np.ones(1)

    def likelihood(level: FloatArray) -> FloatArray:
        log_l = level_likelihood(table, counts, level)
        result: FloatArray = special.logsumexp(log_l, axis=0, b=weight[:, None])
        return result

    coarse = np.concatenate([[0.0], np.geomspace(bottom, top, 40)])
    log_l = likelihood(coarse)
    kept = np.flatnonzero(log_l > log_l.max() - 20.0)
    first, last = max(kept[0] - 1, 0), min(kept[-1] + 1, len(coarse) - 1)
    near = max(coarse[first], bottom)
    fine = np.concatenate(
        [
            coarse[first : last + 1],
            np.geomspace(near, coarse[last], 40),
            np.linspace(coarse[first], coarse[last], 60),
        ]
    )
    fine = np.unique(fine)
    log_l = likelihood(fine)
    return LevelLikelihood(fine, np.exp(log_l - log_l.max()))


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
    critical = critical_values(table, found.p_value * (1 + 1e-9))
    peak = max(float(level[int(np.argmax(likelihood))]), 1e-8)
    molecules = float(counts.alt.sum()) + 1.0

    def probability(at: FloatArray) -> FloatArray:
        return detection_probability(table, at, critical)

    start = peak * float(np.exp(-2.0 / np.sqrt(molecules)))
    return level_at(probability, (tail,), start, 1.2 / float(np.sqrt(molecules)))[0]
