"""Limits of an assay from a laboratory's own blanks and dilutions, after CLSI EP17-A2.

CLSI EP17-A2 (2012); simple forms: Armbruster and Pry 2008, PMID 18852857. Counts near
0 are not Gaussian, so the non-parametric LoB and the probit LoD come first; the
parametric forms are given beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

FloatArray = NDArray[np.float64]

BLANK_QUANTILE = 0.95
LEAST_LEVELS = 5
MOST_LOTS_APART = 3
_Z = 1.6448536269514722


class Fit(NamedTuple):
    """LoD by probit: level detected in 95 of 100, its 95 % interval, and the fit.

    `p_fit`: chance of a worse fit (Pearson chi-square); `slope` a decade of level.
    """

    lod95: float
    low: float
    high: float
    slope: float
    chi_square: float
    degrees: int
    p_fit: float


class LevelPrecision(NamedTuple):
    """Replicates of one level: how many, detected, mean, CV and bias of the level."""

    level: float
    replicates: int
    detected: int
    mean: float
    cv: float | None
    bias: float


class Line(NamedTuple):
    """Measured against true level, both as log10: slope, intercept, R squared."""

    slope: float
    intercept: float
    r_squared: float
    worst_log10: float


def ranked_lob(blanks: Sequence[float]) -> float:
    """Return the LoB at rank 0.5 + 0.95 N of the sorted blanks, interpolated."""
    ordered = np.sort(np.asarray(blanks, dtype=np.float64))
    rank = 0.5 + BLANK_QUANTILE * len(ordered)
    places = np.arange(1, len(ordered) + 1, dtype=np.float64)
    return float(np.interp(rank, places, ordered))


def lob_of_lots(lots: Mapping[str, Sequence[float]]) -> float:
    """Return the non-parametric LoB: the highest of up to three lots, else pooled."""
    filled = [values for values in lots.values() if len(values)]
    if len(filled) <= MOST_LOTS_APART:
        return max(ranked_lob(values) for values in filled)
    return ranked_lob([value for values in filled for value in values])


def corrected_z(results: int, samples: int) -> float:
    """Return 1.645 corrected for the bias of a standard deviation."""
    return 1.645 / (1 - 1 / (4 * (results - samples)))


def parametric_lob(samples: Sequence[Sequence[float]]) -> float | None:
    """Return mean + c SD of the blanks, None with too few replicates."""
    values = np.concatenate(
        [np.asarray(sample, dtype=np.float64) for sample in samples]
    )
    if len(values) - len(samples) < 1:
        return None
    sd = float(values.std(ddof=1))
    return float(values.mean()) + corrected_z(len(values), len(samples)) * sd


def pooled_sd(samples: Sequence[Sequence[float]]) -> float | None:
    """Return sqrt(sum((n - 1) s^2) / sum(n - 1)), None without replicates."""
    used = [np.asarray(sample, dtype=np.float64) for sample in samples]
    used = [sample for sample in used if len(sample) > 1]
    if not used:
        return None
    freedom = sum(len(sample) - 1 for sample in used)
    squares = sum((len(sample) - 1) * float(sample.var(ddof=1)) for sample in used)
    return float(np.sqrt(squares / freedom))


def parametric_lod(lob: float, low_samples: Sequence[Sequence[float]]) -> float | None:
    """Return LoB + c SD of low-level samples, None without replicates."""
    sd = pooled_sd(low_samples)
    results = sum(len(sample) for sample in low_samples)
    if sd is None or results <= len(low_samples):
        return None
    return lob + corrected_z(results, len(low_samples)) * sd


def probit_lod(
    levels: Sequence[float], detected: Sequence[int], replicates: Sequence[int]
) -> Fit | None:
    """Return the LoD95 by probit of detection on log10 level (maximum likelihood).

    Interval by Fieller's theorem (Finney 1971, Probit Analysis); None where hits do not
    rise with the level, or all or nothing was detected.
    """
    x = np.log10(np.asarray(levels, dtype=np.float64))
    hits = np.asarray(detected, dtype=np.float64)
    n = np.asarray(replicates, dtype=np.float64)
    if len(np.unique(x)) < 2 or hits.sum() in (0.0, n.sum()):
        return None
    middle = float(np.average(x, weights=n))
    beta = np.array([float(special.ndtri(hits.sum() / n.sum())), 1.0])
    design = np.stack([np.ones_like(x), x - middle], axis=1)
    for _ in range(200):
        score, information, _ = _scored(design, beta, hits, n)
        step = np.linalg.solve(information + 1e-9 * np.eye(2), score)
        beta = beta + np.clip(step, -2.0, 2.0)
        if float(np.abs(step).max()) < 1e-10:
            break
    _, information, p = _scored(design, beta, hits, n)
    if beta[1] <= 0 or beta[1] > 200:
        return None
    covariance: FloatArray = np.linalg.inv(information).astype(np.float64)
    low, high = (
        float(10.0 ** min(middle + bound, 0.0))
        for bound in _fieller(beta.astype(np.float64), covariance)
    )
    chi = float(((hits - n * p) ** 2 / (n * p * (1 - p))).sum())
    degrees = max(len(x) - 2, 0)
    p_fit = float(special.gammaincc(degrees / 2, chi / 2)) if degrees else 1.0
    lod = 10 ** float(middle + (_Z - beta[0]) / beta[1])
    return Fit(lod, low, high, float(beta[1]), chi, degrees, p_fit)


def _scored(
    design: FloatArray, beta: FloatArray, hits: FloatArray, n: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return score, expected information and hit chances of a probit model."""
    eta = design @ beta
    p = np.clip(special.ndtr(eta), 1e-10, 1 - 1e-10)
    density = np.exp(-0.5 * eta**2) / np.sqrt(2 * np.pi)
    weight = n * np.maximum(density, 1e-12) ** 2 / (p * (1 - p))
    score = design.T @ (density * (hits - n * p) / (p * (1 - p)))
    return score, design.T @ (design * weight[:, None]), p


def _fieller(beta: FloatArray, covariance: FloatArray) -> tuple[float, float]:
    """Return the 95 % bounds of where the line reaches probit 1.645."""
    z2 = 1.959963984540054**2
    a = beta[1] ** 2 - z2 * covariance[1, 1]
    centre = _Z - beta[0]
    b = -2 * (centre * beta[1] + z2 * covariance[0, 1])
    c = centre**2 - z2 * covariance[0, 0]
    root = b * b - 4 * a * c
    if a <= 0 or root < 0:
        return -np.inf, np.inf
    return (
        float((-b - np.sqrt(root)) / (2 * a)),
        float((-b + np.sqrt(root)) / (2 * a)),
    )


def precision(
    level: float, values: Sequence[float], detected: Sequence[bool]
) -> LevelPrecision:
    """Return how replicates of one level agree with each other and with the truth."""
    found = np.asarray(values, dtype=np.float64)
    mean = float(found.mean())
    cv = float(found.std(ddof=1) / mean) if len(found) > 1 and mean > 0 else None
    return LevelPrecision(
        level, len(found), int(sum(detected)), mean, cv, mean / level - 1.0
    )


def loq_by_cv(levels: Sequence[LevelPrecision], goal: float) -> float | None:
    """Return the lowest level from which on every level meets the CV goal."""
    found = None
    for level in sorted(levels, key=lambda row: -row.level):
        if level.cv is None or level.cv > goal or level.detected < level.replicates:
            break
        found = level.level
    return found


def loq_by_total_error(levels: Sequence[LevelPrecision], goal: float) -> float | None:
    """Return the lowest level from which on |bias| + 2 CV stays within the goal."""
    found = None
    for level in sorted(levels, key=lambda row: -row.level):
        if level.cv is None or abs(level.bias) + 2 * level.cv > goal:
            break
        found = level.level
    return found


def linearity(true: Sequence[float], measured: Sequence[float]) -> Line | None:
    """Return the straight line through log10 of true and measured levels."""
    x, y = np.asarray(true, np.float64), np.asarray(measured, np.float64)
    use = (x > 0) & (y > 0)
    x, y = np.log10(x[use]), np.log10(y[use])
    if len(np.unique(x)) < 2:
        return None
    slope, intercept = np.polyfit(x, y, 1)
    rest = y - (slope * x + intercept)
    spread = float(((y - y.mean()) ** 2).sum())
    r_squared = 1.0 - float((rest**2).sum()) / spread if spread > 0 else 0.0
    return Line(float(slope), float(intercept), r_squared, float(np.abs(y - x).max()))
