"""What this sample could have seen: LoB, LoD95 and LoQ of the very test in force.

LoD95 is the level at which its power is 0.95, never the critical value, and never below
what sampling allows: 2.996 molecules, or genomes in the tube.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.levels.detection import NullTable
from mrdtrack.levels.exact_bounds import (
    FloatArray,
    negative_binomial_tail,
    poisson_mean_detected,
)
from mrdtrack.levels.level_search import SMALLEST_LEVEL, level_at, probit
from mrdtrack.levels.light_scipy import special
from mrdtrack.levels.negative_binomials import with_signal
from mrdtrack.levels.power import Power, critical_counts, critical_values
from mrdtrack.levels.result import LimitedBy

_START = 0.55
"""Where LoB and LoD95 lie around, as a share of the design level."""


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


def limits(table: NullTable, alpha: float, sampling: Sampling) -> Limits:
    """Return LoB, LoD95 and LoQ of a sample, and what binds the LoD95.

    `depth`: the molecules alone would give most of the LoD95; `input`: the DNA in the
    tube; `background`: the error rate and what is not known of it.
    """
    power = Power(table, critical_values(table, alpha))
    start = _START * table.design_level
    lob, lod = level_at(power, (0.5, 0.95), start, 0.35)
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
