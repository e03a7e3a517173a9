"""Is there disease: likelihood-ratio scores, their exact null, p-values.

Score of a marker with k molecules: S(k) = log(0.05 + 0.95 sum_j w_j p1(k; f_j)/p0(k))
over a ladder of levels, made monotone. The sample's statistic is the sum over its
markers; its null distribution is the convolution of the markers' score distributions on
a lattice, so it holds no simulation error. Predictive null p0: negative-binomial
mixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mrdtrack.levels.class_batches import ClassBatch, class_batches
from mrdtrack.levels.exact_bounds import (
    FloatArray,
    IntArray,
    negative_binomial_tail,
)
from mrdtrack.levels.light_scipy import special
from mrdtrack.levels.negative_binomials import (
    RateMixture,
    condensed,
    largest_count,
    mixed_table,
    with_signal,
)
from mrdtrack.levels.score_sums import on_lattice, spectrum_of_sum

LOST_FLOOR = 0.05
RUNGS = 6
RUNG_STEP = 3.0
RUNG_WEIGHT = 0.15
SHARED_PART = 0.9
"""Share of alpha that the summed statistic gets; the rest goes to the best marker."""
BINS = 2048
_CIRCLE = 2 * BINS
_LEAST_NODE = 1e-7
NULL_TAIL = 1e-7
WIDE_NULL_TAIL = 1e-5
WIDE_TABLE = 400
LADDER_PARTS = 6
LARGEST_TABLE = 20_000
SMALLEST_P = 1e-300
_FFT_NOISE = 1e-14


class LevelCounts(NamedTuple):
    """Marker molecules, informative molecules and expected signal ratio [M]."""

    alt: IntArray
    molecules: FloatArray
    ratio: FloatArray


class NullTable(NamedTuple):
    """The null of one sample's design, for any counts.

    `background` mean count and `shape` [M, G]; `largest` [M] last count of each table;
    `null` [M, K] (last place: the tail) and lattice `score` [M, K]; `at_least` [B]:
    P(statistic >= b); `design_level`: the level at which signal over noise is
    z_alpha + 1.645.
    """

    molecules: FloatArray
    ratio: FloatArray
    mixture: RateMixture
    background: FloatArray
    largest: IntArray
    null: FloatArray
    score: IntArray
    at_least: FloatArray
    design_level: float
    bin_width: float


class Evidence(NamedTuple):
    """p-values: combined, of the sum, of the best marker, and of each marker [M]."""

    p_value: float
    p_shared: float
    p_best: float
    p_marker: FloatArray
    statistic: int


def design_level(
    molecules: FloatArray, ratio: FloatArray, mixture: RateMixture, alpha: float
) -> float:
    """Return the level whose signal-to-noise equals z_alpha + 1.645 (bisection)."""
    log_rate = np.log(mixture.rate)
    mean = (mixture.weight * log_rate).sum(axis=1)
    second = (mixture.weight * (log_rate**2 + np.log1p(1 / mixture.shape))).sum(axis=1)
    cv2 = np.expm1(np.clip(second - mean**2, 1e-3, 3.0))
    noise = molecules * np.exp(mean)
    noise = noise + noise**2 * cv2
    target = float(special.ndtri(1 - alpha) + 1.645) ** 2
    low, high = np.log(1e-9), 0.0
    for _ in range(40):
        middle = (low + high) / 2
        signal = molecules * ratio * np.exp(middle)
        enough = float((signal**2 / (noise + signal)).sum()) > target
        low, high = (low, middle) if enough else (middle, high)
    return float(np.exp((low + high) / 2))


def null_table(
    molecules: FloatArray, ratio: FloatArray, mixture: RateMixture, alpha: float
) -> NullTable:
    """Return scores and exact null distributions of a sample's markers."""
    background = molecules[:, None] * mixture.rate
    largest = _last_counts(background, mixture)
    size = int(largest.max())
    level = design_level(molecules, ratio, mixture, alpha)
    null = _with_tail(
        mixed_table(mixture.weight, background, mixture.shape, size), largest
    )
    signal = ladder_table(molecules * ratio * level, background, mixture, largest)
    floor = np.maximum(null, 1e-200)
    score = np.log(LOST_FLOOR + (1 - LOST_FLOOR) * np.maximum(signal, 1e-200) / floor)
    beyond = np.arange(size + 1) > largest[:, None]
    score = np.maximum.accumulate(np.where(beyond, -np.inf, score), axis=1)
    score = score - score[:, :1]
    width = float((null * score).sum() + score.max()) / (BINS - 1)
    width = max(width, 1e-12)
    lattice = np.minimum(np.floor(score / width + 0.5), BINS - 1).astype(np.int64)
    table = NullTable(
        molecules,
        ratio,
        mixture,
        background,
        largest,
        null,
        lattice,
        np.ones(1),
        level,
        width,
    )
    return table._replace(at_least=_null_tail(table))


def _last_counts(background: FloatArray, mixture: RateMixture) -> IntArray:
    """Return the count of each marker from which on all counts score alike [M].

    Passed with 1e-7; with 1e-5 where the background is so uncertain that this takes
    hundreds of molecules (a marker's own p-value stays exact beyond).
    """
    narrow, wide = (
        largest_count(background, mixture.shape, mixture.weight, tail) + 30
        for tail in (NULL_TAIL, WIDE_NULL_TAIL)
    )
    largest = np.where(narrow > WIDE_TABLE, np.maximum(wide, WIDE_TABLE), narrow)
    return np.minimum(largest, LARGEST_TABLE)


def _with_tail(table: FloatArray, largest: IntArray) -> FloatArray:
    """Put what lies at or beyond the last count of a marker into that place."""
    k = np.arange(table.shape[-1])
    below = np.where(k < largest[..., None], table, 0.0)
    tail = np.maximum(1.0 - below.sum(axis=-1), 1e-18)
    result: FloatArray = np.where(k == largest[..., None], tail[..., None], below)
    return result


def ladder_table(
    design_signal: FloatArray,
    background: FloatArray,
    mixture: RateMixture,
    largest: IntArray,
) -> FloatArray:
    """Return the counts' probabilities averaged over the ladder of levels [M, K].

    The background is condensed to a few components here: it shapes the score only,
    whose null distribution stays exact.
    """
    size = int(largest.max())
    weight, background, shape = condensed(
        mixture.weight, background, mixture.shape, LADDER_PARTS
    )
    total = np.zeros((len(design_signal), size + 1))
    weights = RUNG_WEIGHT ** np.arange(RUNGS)
    for rung, share in enumerate(weights / weights.sum()):
        signal = design_signal[:, None] * RUNG_STEP**rung
        mean, with_shape = with_signal(background, shape, signal)
        table = mixed_table(weight, mean, with_shape, size)
        total += share * _with_tail(table, largest)
    return total


def _null_tail(table: NullTable) -> FloatArray:
    """Return P(statistic >= b) under the null, b on the lattice."""
    alone = table.mixture.class_of < 0
    rows = on_lattice(table.null[alone], table.score[alone], _CIRCLE)
    spectrum = spectrum_of_sum(rows, _of_classes(table), np.fft.rfft)
    density = np.maximum(np.fft.irfft(spectrum, _CIRCLE), 0.0)
    result: FloatArray = np.minimum(np.cumsum(density[::-1])[::-1], 1.0)
    return result


def _of_classes(table: NullTable) -> Iterator[tuple[ClassBatch, FloatArray]]:
    """Give the rows of each class's markers given its nodes."""
    last = table.null.shape[1] - 1
    for batch in class_batches(table.mixture, _LEAST_NODE, _CIRCLE):
        given = batch.given_nodes(table.background, table.mixture.shape, last)
        given = _with_tail(given, table.largest[batch.of_row])
        yield batch, on_lattice(given, table.score[batch.of_row], _CIRCLE)


def evidence(table: NullTable, alt: IntArray) -> Evidence:
    """Return the p-values of the counts of one sample."""
    markers = len(alt)
    tail = negative_binomial_tail(alt[:, None], table.background, table.mixture.shape)
    p_marker = np.clip((table.mixture.weight * tail).sum(axis=1), SMALLEST_P, 1.0)
    place = np.minimum(alt, table.largest)
    statistic = int(table.score[np.arange(markers), place].sum())
    best = float(p_marker.min())
    if markers == 1:
        return Evidence(best, best, best, p_marker, statistic)
    shared = float(table.at_least[min(statistic, len(table.at_least) - 1)])
    shared = max(shared, _FFT_NOISE)
    p_best = float(-np.expm1(markers * np.log1p(-min(best, 1 - 1e-16))))
    combined = min(1.0, shared / SHARED_PART, p_best / (1 - SHARED_PART))
    return Evidence(combined, shared, p_best, p_marker, statistic)


def holm(p_values: FloatArray) -> FloatArray:
    """Return p-values adjusted for their number.

    Holm 1979, https://www.jstor.org/stable/4615733.
    """
    order = np.argsort(p_values, kind="stable")
    factor = np.arange(len(p_values), 0, -1)
    adjusted = np.maximum.accumulate(np.minimum(p_values[order] * factor, 1.0))
    result = np.empty_like(adjusted)
    result[order] = adjusted
    return result
