"""Probabilities of counts whose rate is a mixture of Gammas, as whole tables.

The predictive distribution of a marker's count is such a mixture: background rate
unknown (mixture over its posterior), varying between samples (Gamma), plus signal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mrdtrack.levels.exact_bounds import FloatArray, IntArray
from mrdtrack.levels.light_scipy import special

LARGEST_SHAPE = 1e9
SMALLEST_MEAN = 1e-15
_DIRECT_MEAN = 500.0
_REACH = 37.0
"""Minus the log of what of a component is left away: less than rounding takes."""
_NARROW = 64


class RateMixture(NamedTuple):
    """Background of M markers, each a mixture of G Gammas.

    `weight`, `rate` (a molecule) and `shape`: [M, G]; unused places weigh 0. `nodes`:
    probability of each mean of the shared class [C, T]; `given_node`: weights of the
    components given that node [M, T, G]; `class_of`: class of each marker [M].
    """

    weight: FloatArray
    rate: FloatArray
    shape: FloatArray
    class_of: IntArray
    nodes: FloatArray
    given_node: FloatArray


def count_table(mean: FloatArray, shape: FloatArray, largest: int) -> FloatArray:
    """Return P(X = 0..largest) of negative binomials, on a new last axis.

    By the recurrence P(k+1)/P(k) = (k+s)/(k+1) m/(m+s) from P(0); by log-gammas where
    P(0) would underflow.
    """
    m = np.maximum(np.asarray(mean, dtype=np.float64), SMALLEST_MEAN)
    s = np.minimum(np.asarray(shape, dtype=np.float64), LARGEST_SHAPE)
    m, s = np.broadcast_arrays(m, s)
    log_zero = -s * np.log1p(m / s)
    deep = log_zero < -_DIRECT_MEAN
    table = np.empty((*m.shape, largest + 1))
    k = np.arange(largest, dtype=np.float64)
    odds = np.where(deep, 0.0, m / (m + s))
    table[..., 0] = np.exp(np.maximum(log_zero, -_DIRECT_MEAN))
    np.add(s[..., None], k, out=table[..., 1:])
    table[..., 1:] *= odds[..., None]
    table[..., 1:] /= k + 1.0
    np.cumprod(table, axis=-1, out=table)
    if deep.any():
        table[deep] = _log_table(m[deep], s[deep], log_zero[deep], largest)
    return table


def _log_table(
    mean: FloatArray, shape: FloatArray, log_zero: FloatArray, largest: int
) -> FloatArray:
    """Return the same by the recurrence in logs, where P(0) underflows."""
    k = np.arange(largest, dtype=np.float64)
    odds = np.log(mean / (mean + shape))
    log_p = np.empty((len(mean), largest + 1))
    log_p[:, 0] = log_zero
    log_p[:, 1:] = np.log((k + shape[:, None]) / (k + 1.0)) + odds[:, None]
    result: FloatArray = np.exp(np.cumsum(log_p, axis=1))
    return result


def mixed_table(
    weight: FloatArray, mean: FloatArray, shape: FloatArray, largest: int
) -> FloatArray:
    """Return P(X = 0..largest) of mixtures of negative binomials [..., G], new axis."""
    weight, mean, shape = np.broadcast_arrays(weight, mean, shape)
    size = mean.shape[-1]
    flat = weight.ravel()
    rows = np.flatnonzero(flat > 0)
    result = np.zeros((weight.size // size, largest + 1))
    for part, table in _pieces(mean.ravel()[rows], shape.ravel()[rows], largest):
        weighted = table * flat[rows[part], None]
        owner = rows[part] // size
        first = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
        result[owner[first], : table.shape[1]] += np.add.reduceat(weighted, first)
    return result.reshape(*weight.shape[:-1], largest + 1)


def component_table(mean: FloatArray, shape: FloatArray, largest: int) -> FloatArray:
    """Return `count_table`, written only where the components lie."""
    mean, shape = np.broadcast_arrays(mean, shape)
    result = np.zeros((mean.size, largest + 1))
    for part, table in _pieces(mean.ravel(), shape.ravel(), largest):
        result[part, : table.shape[1]] = table
    return result.reshape(*mean.shape, largest + 1)


def _pieces(
    mean: FloatArray, shape: FloatArray, largest: int
) -> Iterator[tuple[IntArray, FloatArray]]:
    """Yield components of about equal reach, and their table as far as they reach.

    1e-16 of a component lies elsewhere: in a wide mixture most end long before the one
    that reaches furthest, and some begin beyond the last count.
    """
    variance = mean * (1.0 + mean / shape)
    side = np.sqrt(2.0 * _REACH * variance)
    reach = mean + _REACH * (1.0 + mean / shape) + side
    reach[mean - side > largest] = -2.0
    before, width = -1.0, _NARROW if largest > 2 * _NARROW else largest
    while before < largest:
        last = width >= largest
        part = np.flatnonzero((reach > before) & (last | (reach <= width)))
        if len(part):
            yield part, count_table(mean[part], shape[part], min(width, largest))
        before, width = float(width), max(width, 1) * 2


def log_count_probability(
    count: FloatArray, mean: FloatArray, shape: FloatArray
) -> FloatArray:
    """Return log P(X = count) without the term of `count` alone, broadcast.

    The term left out, -log(count!), is the same under every mean and shape.
    """
    s = np.minimum(shape, LARGEST_SHAPE)
    log_p = -s * np.log1p(mean / s)
    log_p = np.broadcast_to(log_p, np.broadcast_shapes(log_p.shape, np.shape(count)))
    seen = np.broadcast_to(count > 0, log_p.shape)
    if seen.any():
        k = np.broadcast_to(count, log_p.shape)[seen]
        m = np.broadcast_to(mean, log_p.shape)[seen]
        t = np.broadcast_to(s, log_p.shape)[seen]
        log_p = np.array(log_p)
        log_p[seen] += rising(k, t) + k * np.log(m / (m + t))
    return log_p


def rising(count: FloatArray, shape: FloatArray) -> FloatArray:
    """Return log Gamma(shape + count) - log Gamma(shape), safe for large shapes."""
    direct = special.gammaln(shape + count) - special.gammaln(shape)
    large = shape > 1e6 * (1.0 + count)
    series = count * np.log(shape) + count * (count - 1.0) / (2.0 * shape)
    result: FloatArray = np.where(large, series, direct)
    return result


def condensed(
    weight: FloatArray, mean: FloatArray, shape: FloatArray, parts: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Merge neighbouring components [M, G] into a few, keeping mean and variance.

    Components of about equal weight are joined; returns weight, mean and shape.
    """
    size = weight.shape[1]
    if size <= parts:
        return weight, mean, shape
    starts = np.linspace(0, size, parts, endpoint=False).astype(int)
    total = np.add.reduceat(weight, starts, axis=1)
    safe = np.maximum(total, 1e-300)
    first = np.add.reduceat(weight * mean, starts, axis=1) / safe
    second = np.add.reduceat(weight * mean**2 * (1 + 1 / shape), starts, axis=1) / safe
    first = np.where(total > 1e-200, first, SMALLEST_MEAN)
    variance = np.maximum(second - first**2, first**2 / LARGEST_SHAPE)
    return total, first, first**2 / variance


def with_signal(
    background: FloatArray, shape: FloatArray, signal: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return mean and shape of background plus Poisson signal, variance kept."""
    mean = background + signal
    ratio = mean / np.maximum(background, SMALLEST_MEAN)
    return mean, np.minimum(shape * ratio * ratio, LARGEST_SHAPE)


def largest_count(
    mean: FloatArray, shape: FloatArray, weight: FloatArray, tail: float
) -> IntArray:
    """Return for each row a count that the null passes with probability < `tail`.

    A Bernstein-like bound for each component [M, G], by what its weight leaves over.
    """
    log_tail = np.maximum(np.log(np.maximum(weight, 1e-300) / tail), 0.0)
    spread = 1.0 + mean / shape
    bound = mean + np.sqrt(2.0 * log_tail * mean * spread) + log_tail * spread
    bound = np.where(log_tail > 0, bound, 0.0)
    result: IntArray = np.ceil(np.maximum(bound.max(axis=-1), 8.0)).astype(np.int64)
    return result
