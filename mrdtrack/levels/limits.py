"""What this sample could have seen: LoB, LoD95 and LoQ of the very test in force.

The power at a level is the exact probability that the test of `detection` rejects, by
the same convolution under that level. LoD95 is the level at 0.95, never the critical
value, and never below what sampling allows: 2.996 molecules, or genomes in the tube.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import fft, special

from mrdtrack.levels.class_batches import class_batches
from mrdtrack.levels.detection import (
    SHARED_PART,
    NullTable,
    on_lattice,
    with_shape,
)
from mrdtrack.levels.exact_bounds import (
    FloatArray,
    IntArray,
    negative_binomial_tail,
    poisson_mean_detected,
)
from mrdtrack.levels.level_search import SMALLEST_LEVEL, level_at, probit
from mrdtrack.levels.negative_binomials import mixed_table, with_signal
from mrdtrack.levels.result import LimitedBy

_LEAST_NODE = 1e-5
_START = 0.55
"""Where LoB and LoD95 lie around, as a share of the design level."""


class Critical(NamedTuple):
    """The test's borders: lattice statistic, and count of each marker [M]."""

    statistic: int
    counts: IntArray


class Limits(NamedTuple):
    """LoB, LoD95 and LoQ as levels (0 to 1), and what binds the LoD95."""

    lob: float
    lod95: float
    loq: float
    limited_by: LimitedBy


class Sampling(NamedTuple):
    """What the counts cannot know: genomes in the tube, fewest molecules asked."""

    input_genomes: float | None
    min_molecules: int
    loq_cv: float


def critical_values(table: NullTable, alpha: float) -> Critical:
    """Return the smallest statistic, and smallest counts, that the test rejects."""
    markers = len(table.largest)
    marker_alpha = alpha
    statistic = 2 * len(table.at_least)
    if markers > 1:
        marker_alpha = -np.expm1(np.log1p(-alpha * (1 - SHARED_PART)) / markers)
        rejected = np.flatnonzero(table.at_least <= alpha * SHARED_PART)
        statistic = int(rejected[0]) if len(rejected) else len(table.at_least)
    return Critical(statistic, critical_counts(table, marker_alpha))


def critical_counts(table: NullTable, alpha: float) -> IntArray:
    """Return for each marker the smallest count whose tail is at most alpha [M]."""
    tail = np.cumsum(table.null[:, ::-1], axis=1)[:, ::-1]
    reached = tail <= alpha
    found = np.where(reached.any(axis=1), reached.argmax(axis=1), table.largest + 1)
    return found.astype(np.int64)


def detection_probability(
    table: NullTable, level: FloatArray, critical: Critical
) -> FloatArray:
    """Return the exact probability of a detection at some levels [F]."""
    below = table.score < critical.statistic
    stop = np.minimum(critical.counts, below.sum(axis=1))
    size = int(stop.max())
    if size == 0:
        return np.ones(len(level))
    signal = (table.molecules * table.ratio)[None, :, None] * level[:, None, None]
    mean, shape = with_signal(table.background, table.mixture.shape, signal)
    alone = np.flatnonzero(table.mixture.class_of < 0)
    given = mixed_table(
        table.mixture.weight[alone], mean[:, alone], shape[:, alone], size - 1
    )
    given = _below(given, stop[alone])
    if len(stop) == 1:
        missed = given[:, 0].sum(axis=-1)
    else:
        classes = _class_parts(table, mean, stop, critical.statistic)
        missed = np.zeros(len(level))
        for f in range(len(level)):  # one by one, since the rows of all take much room
            own = _rows(given[f], table.score[alone], critical.statistic)
            rows = np.concatenate([own, classes[f]])
            missed[f] = truncated_mass(rows[None])[0]
    result: FloatArray = np.clip(1.0 - missed, 0.0, 1.0)
    return result


def _below(given: FloatArray, stop: IntArray) -> FloatArray:
    """Blank the counts at which a marker, or the sum, rejects [..., M, K]."""
    result: FloatArray = np.where(
        np.arange(given.shape[-1]) < stop[..., None], given, 0.0
    )
    return result


def _class_parts(
    table: NullTable,
    mean: FloatArray,
    stop: IntArray,
    border: int,
) -> FloatArray:
    """Return the summed score, not rejected, of each class of markers [F, C, B]."""
    last = int(stop.max()) - 1
    parts = np.zeros((len(mean), len(table.mixture.nodes), border))
    batches = class_batches(table.mixture, _LEAST_NODE, border)
    for at_level, of_level in zip(mean, parts, strict=True):
        shape = with_shape(table, at_level)
        for batch in batches:
            given = batch.given_nodes(at_level, shape, last)
            given = _below(given, stop[batch.of_row])
            summed = truncated_sum(_rows(given, table.score[batch.of_row], border))
            for c, nodes, of_node in batch.by_class(summed):
                of_level[c] = nodes @ of_node
    return parts


def _rows(given: FloatArray, score: IntArray, border: int) -> FloatArray:
    """Put probabilities [..., K] on the lattice below the border [..., border]."""
    capped = np.minimum(score[..., : given.shape[-1]], border)
    return on_lattice(given, capped, border + 1)[..., :border]


def truncated_sum(rows: FloatArray) -> FloatArray:
    """Convolve rows [F, M, B] over M, forgetting all sums of B or more: [F, B].

    By one transform a row. Rows are damped by exp(-t b), so that sums which come round
    the circle count 1e-12 of themselves; the result is undamped.
    """
    size = rows.shape[-1]
    if rows.shape[1] == 1:
        return rows[:, 0]
    length = fft.next_fast_len(2 * size, real=True)
    damping = np.exp(np.arange(size) * (np.log(1e-12) / length))
    spectrum = fft.rfft(rows * damping, length, axis=-1).prod(axis=1)
    summed = fft.irfft(spectrum, length, axis=-1)[..., :size]
    result: FloatArray = summed / damping
    return result


def truncated_mass(rows: FloatArray) -> FloatArray:
    """Return the mass of sums below B of independent rows [F, M, B]: [F]."""
    mass: FloatArray = truncated_sum(rows).sum(axis=-1)
    return mass


def limits(table: NullTable, alpha: float, sampling: Sampling) -> Limits:
    """Return LoB, LoD95 and LoQ of a sample, and what binds the LoD95.

    `depth`: the molecules alone would give most of the LoD95; `input`: the DNA in the
    tube; `background`: the error rate and what is not known of it.
    """
    critical = critical_values(table, alpha)

    def probability(level: FloatArray) -> FloatArray:
        return detection_probability(table, level, critical)

    start = _START * table.design_level
    lob, lod = level_at(probability, (0.5, 0.95), start, 0.35)
    mean = float(poisson_mean_detected(sampling.min_molecules))
    depth_bound = mean / float((table.molecules * table.ratio).sum())
    input_bound = mean / sampling.input_genomes if sampling.input_genomes else 0.0
    lod95 = min(max(lod, depth_bound, input_bound), 1.0)
    if input_bound >= max(lod, depth_bound):
        limited: LimitedBy = "input"
    else:
        limited = "depth" if lod <= 2.0 * depth_bound else "background"
    loq = max(lod95, loq_level(table, sampling))
    return Limits(min(lob, lod95), lod95, min(loq, 1.0), limited)


def loq_level(table: NullTable, sampling: Sampling) -> float:
    """Return the smallest level whose relative standard error meets the goal.

    Error by the information of all markers (variance: Poisson signal, background and
    its spread), and by the genomes that went in.
    """
    weight, rate = table.mixture.weight, table.mixture.rate
    mean = (weight * rate).sum(axis=1)
    second = (weight * rate**2 * (1 + 1 / table.mixture.shape)).sum(axis=1)
    noise = table.molecules * mean
    noise = noise + table.molecules**2 * np.maximum(second - mean**2, 0.0)
    unit = table.molecules * table.ratio
    level = np.geomspace(SMALLEST_LEVEL, 1.0, 400)
    signal = level[:, None] * unit
    variance = 1.0 / (unit**2 / (noise + signal)).sum(axis=1)
    relative2 = variance / level**2
    if sampling.input_genomes:
        relative2 = relative2 + 1.0 / (sampling.input_genomes * level)
    log_level = np.interp(
        -2 * np.log(sampling.loq_cv), -np.log(relative2), np.log(level)
    )
    return float(np.exp(log_level))


def marker_limits(table: NullTable, alpha: float, sampling: Sampling) -> FloatArray:
    """Return the LoD95 of each marker, as its own fraction, by its own test [M]."""
    critical = np.maximum(critical_counts(table, alpha), 1).astype(np.float64)
    lod = marker_level_at(table, critical, 0.95)
    bound = float(poisson_mean_detected(sampling.min_molecules))
    lod = np.maximum(lod, bound / table.molecules)
    if sampling.input_genomes:
        lod = np.maximum(lod, bound / sampling.input_genomes)
    return np.minimum(lod, 1.0)


def marker_level_at(
    table: NullTable, at_least: FloatArray, probability: float
) -> FloatArray:
    """Return the fractions at which so many molecules are seen so often [M].

    By secants on the probit over log fraction; 0 where background alone suffices.
    """
    noise = (table.mixture.weight * table.background).sum(axis=1)
    seen = poisson_mean_detected(at_least, probability)
    wanted = float(special.ndtri(probability))
    x0 = np.log(np.maximum(seen - noise, 0.3 * seen)) - 0.4 / np.sqrt(at_least)
    x1 = x0 + 0.8 / np.sqrt(at_least)
    y0, y1 = (_marker_probit(table, x, at_least) for x in (x0, x1))
    for _ in range(12):
        slope = np.maximum((y1 - y0) / np.where(x1 == x0, 1.0, x1 - x0), 0.1)
        step = np.clip((wanted - y1) / slope, -1.0, 1.0)
        x0, y0 = x1, y1
        x1 = x1 + step
        y1 = _marker_probit(table, x1, at_least)
        if np.abs(y1 - wanted).max() < 1e-4:
            break
    fraction = np.minimum(np.exp(x1) / table.molecules, 1.0)
    alone = _marker_probit(table, np.full_like(x1, -60.0), at_least) >= wanted
    result: FloatArray = np.where(alone, 0.0, fraction)
    return result


def _marker_probit(
    table: NullTable, log_signal: FloatArray, at_least: FloatArray
) -> FloatArray:
    mean, shape = with_signal(
        table.background, table.mixture.shape, np.exp(log_signal)[:, None]
    )
    seen = negative_binomial_tail(at_least[:, None], mean, shape)
    return probit((table.mixture.weight * seen).sum(axis=1))
