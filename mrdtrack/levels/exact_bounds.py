"""Exact bounds of counts: binomial, Poisson, and what sampling allows.

Everything here is a closed form of `scipy.special`; nothing depends on a background.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mrdtrack.levels.light_scipy import special

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

PICOGRAMS_A_GENOME = 3.3
"""Mass of one haploid human genome in picograms (Dolezel et al. 2003,
doi:10.1002/cyto.a.10013, rounded as laboratories use it)."""


def clopper_pearson(
    alt: ArrayLike, molecules: ArrayLike, confidence: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Return the exact two-sided binomial interval of `alt` in `molecules`.

    Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404. The inverse incomplete beta
    is NaN at its edges, so 0 of n and n of n are set here. 0 molecules give [0, 1].
    """
    k = np.asarray(alt, dtype=np.float64)
    n = np.asarray(molecules, dtype=np.float64)
    tail = (1.0 - confidence) / 2.0
    with np.errstate(invalid="ignore"):
        low = special.betaincinv(k, n - k + 1.0, tail)
        high = special.betaincinv(k + 1.0, n - k, 1.0 - tail)
    return np.where(k <= 0, 0.0, low), np.where(k >= n, 1.0, high)


def poisson_bounds(
    count: ArrayLike, confidence: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Return the exact two-sided interval of a Poisson mean.

    Garwood 1936, doi:10.1093/biomet/28.3-4.437.
    """
    k = np.asarray(count, dtype=np.float64)
    tail = (1.0 - confidence) / 2.0
    low = special.gammaincinv(np.maximum(k, 1e-300), tail)
    high: FloatArray = np.asarray(special.gammainccinv(k + 1.0, tail), np.float64)
    return np.where(k <= 0, 0.0, low), high


def poisson_mean_detected(minimum: ArrayLike, probability: float = 0.95) -> FloatArray:
    """Return the Poisson mean at which `minimum` or more are seen so often.

    2.996, 4.744 and 6.296 for one, two and three molecules at 95 %.
    """
    least = np.asarray(minimum, dtype=np.float64)
    result: FloatArray = np.asarray(special.gammaincinv(least, probability))
    return result


def haploid_genomes(nanograms: float) -> float:
    """Return the haploid genomes in so many nanograms of human DNA."""
    return nanograms * 1000.0 / PICOGRAMS_A_GENOME


def negative_binomial_tail(
    at_least: ArrayLike, mean: ArrayLike, shape: ArrayLike
) -> FloatArray:
    """Return P(X >= k) of a Poisson count whose mean is Gamma(mean, shape).

    Closed form by the incomplete beta, exact in the deep tail where differences of
    log-gammas are not. 1 at k = 0.
    """
    k = np.asarray(at_least, dtype=np.float64)
    m = np.asarray(mean, dtype=np.float64)
    s = np.asarray(shape, dtype=np.float64)
    tail = special.betainc(np.maximum(k, 1e-300), s, m / (m + s))
    return np.where(k <= 0, 1.0, tail)
