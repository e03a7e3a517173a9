"""Posterior of a marker's error rate from the sites of its class and its controls.

Model of a site's rate: mu exp(t + s z - s^2/2), z standard normal; t is the offset of
the class mean, s the spread between sites, both on grids. Between samples a site's
rate varies as a Gamma of shape 1/tau^2. What comes out is a mixture of Gammas for each
marker, which keeps the node t that markers of one class share.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.levels.exact_bounds import FloatArray, IntArray
from mrdtrack.levels.negative_binomials import log_count_probability
from mrdtrack.levels.neighbours import ClassSites

LOG_RATE = np.arange(-8.0, 6.51, 0.15)
"""Grid of the log rate over the class mean."""
SPREAD = np.array([0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 1.05, 1.25, 1.5, 1.8])
"""Grid of the spread s between sites (sd of the log rate)."""
SPREAD_PRIOR = (0.6, 0.6)
"""Median and log-sd of the log-normal prior of s."""
NODES = 9
NODE_SPAN = 3.2
CLASS_SHIFT_SD = 0.6
"""How far (log scale) a class mean moves between runs, beside the shift of all."""
UNSEEN_SHIFT = np.arange(-2.7, 2.71, 0.3)
"""Grid of the log shift of controls without sites, one for all their markers."""
UNSEEN_SHIFT_PRIOR = ((0.8, 0.3), (0.2, 1.2))
"""Weight and log-sd: runs that are alike, and damaged ones."""
UNSEEN_CLASS_SD = 0.2
"""How far (log scale) single classes of such controls move besides."""
MEAN_SPREAD = 0.6
"""Spread of sites that the grid of class means is laid out for."""
TAU_WITHOUT_CONTROLS = 0.1
TAU_PRIOR = 0.3
TAU_PRIOR_WEIGHT = 10.0
TAU_RANGE = (0.05, 1.2)
_MEAN_PRIOR_POWER = 0.5
_KEEP = 1e-8
MOST_ERRORS = 0.2
"""No error is commoner: what so many molecules show is another allele or a repeat."""
_EDGES = np.concatenate(
    [np.arange(-8.0, -3, 1.0), np.arange(-3.0, -1.5, 0.5), np.arange(-1.5, 7.0, 0.3)]
)
"""Where neighbouring components are merged, as log rate over the class mean."""


class ClassRates(NamedTuple):
    """What the sites of one class say.

    `mean`: rate of the class in the sample; `control_mean` [m] in each control (empty:
    no sites there); `mean_cv2`: squared uncertainty of how the sample's class mean
    relates to the controls'; `weight` [T, J]: joint weight of node t and log rate.
    `unseen`: whether the node is the shift of controls whose sites are not known, which
    the markers of all classes share.
    """

    mean: float
    control_mean: FloatArray
    mean_cv2: float
    weight: FloatArray
    unseen: bool = False


class MarkerRate(NamedTuple):
    """Mixture of one marker: `weight`, `rate`, `shape` [G]; `by_node` [T, G]."""

    weight: FloatArray
    rate: FloatArray
    shape: FloatArray
    by_node: FloatArray


def transient_spread(classes: list[ClassSites], controls: int) -> float:
    """Return tau, the spread of one site's rate between samples (CV).

    By moments over the sites of all classes, shrunk to 0.3 with the weight of ten
    sites; 0.1 without controls, where it cannot be told from the spread of sites.
    """
    if controls == 0:
        return TAU_WITHOUT_CONTROLS
    excess = pairs = 0.0
    for sites in classes:
        a, b = _moment_excess(sites)
        excess, pairs = excess + a, pairs + b
    prior = TAU_PRIOR_WEIGHT
    tau2 = (max(excess, 0.0) + prior * TAU_PRIOR**2) / (pairs + prior)
    return float(np.clip(np.sqrt(tau2), *TAU_RANGE))


def _moment_excess(sites: ClassSites) -> tuple[float, float]:
    """Return weighted excess variance over samples, and its weight, of one class."""
    alt, molecules = sites
    if alt.shape[0] == 0 or alt.shape[1] < 2:
        return 0.0, 0.0
    if alt.shape[0] > 5:
        others = molecules.sum(axis=0) - molecules
        rate = (alt.sum(axis=0) - alt + 0.5) / np.maximum(others, 1.0)
    else:
        rate = (alt.sum(axis=0) + 0.5) / np.maximum(molecules.sum(axis=0), 1.0)
    expected = molecules * rate
    total, mean = alt.sum(axis=1), expected.sum(axis=1)
    use = (total >= 2) & (mean > 0)
    if not use.any():
        return 0.0, 0.0
    alt, total = alt[use], total[use, None]
    share = expected[use] / mean[use, None]
    share2 = (share**2).sum(axis=1, keepdims=True)
    squares = ((alt - share * total) ** 2).sum(axis=1, keepdims=True)
    factor = (share**2 * ((1 - share) ** 2 + share2 - share**2)).sum(
        axis=1, keepdims=True
    )
    weight = 1.0 / (1.0 + TAU_PRIOR**2 * total * share2) ** 2
    excess = weight * (squares - total * (1 - share2))
    pairs = weight * total * (total - 1) * factor / (1 + TAU_PRIOR**2 * share2)
    return float(excess.sum()), float(pairs.sum())


def run_shift(classes: list[ClassSites]) -> float:
    """Return how many times the controls' rates all classes of the sample have.

    A damaged run shifts all classes; prior weight of one molecule at no shift.
    """
    seen = expected = 1.0
    for sites in classes:
        controls = sites.molecules[:, 1:].sum()
        if controls > 0:
            rate = (sites.alt[:, 1:].sum() + 0.5) / controls
            seen += float(sites.alt[:, 0].sum())
            expected += float(sites.molecules[:, 0].sum() * rate)
    return seen / expected


def class_rates(sites: ClassSites, tau: float, shift: float = 1.0) -> ClassRates:
    """Return the posterior of the rates of a class that has sites.

    `shift`: how many times the controls' rates the sample's other classes have.
    """
    with_controls = sites.alt.shape[1] > 1 and sites.molecules[:, 1:].sum() > 0
    if with_controls:
        return _rates_with_controls(sites, tau, shift)
    alt, molecules = sites.alt[:, 0], sites.molecules[:, 0]
    mean = (alt.sum() + 0.5) / molecules.sum()
    shape = np.full(len(alt), 1.0 / tau**2)
    weight = _grid_weight(alt, molecules * mean, shape)
    return ClassRates(float(mean), np.zeros(0), 0.0, weight)


def _rates_with_controls(sites: ClassSites, tau: float, shift: float) -> ClassRates:
    sample_alt, sample_n = sites.alt[:, 0].sum(), sites.molecules[:, 0].sum()
    control_alt, control_n = sites.alt[:, 1:], sites.molecules[:, 1:]
    pooled = (control_alt.sum() + 0.5) / control_n.sum()
    prior = 1.0 / CLASS_SHIFT_SD**2
    control_mean = pooled * (prior + control_alt.sum(axis=0))
    control_mean /= prior + pooled * control_n.sum(axis=0)
    shifted = pooled * shift
    mean = shifted * (prior + sample_alt) / (prior + sample_n * shifted)
    mean_cv2 = 1.0 / (prior + sample_alt) + 1.0 / (control_alt.sum() + 0.5)
    mean_cv2 += tau**2 / max(len(sites.alt), 1)
    expected = sites.molecules * np.concatenate([[mean], control_mean])
    total = expected.sum(axis=1)
    shape = total**2 / (tau**2 * (expected**2).sum(axis=1))
    weight = _grid_weight(sites.alt.sum(axis=1), total, shape)
    return ClassRates(float(mean), control_mean, float(mean_cv2), weight)


def _grid_weight(
    alt: FloatArray, expected: FloatArray, shape: FloatArray
) -> FloatArray:
    """Return the joint posterior weight [T, J] of the class offset and a log rate."""
    sd = np.sqrt(1.0 / (alt.sum() + 0.5) + MEAN_SPREAD / max(len(alt), 1))
    offset = np.linspace(-NODE_SPAN, NODE_SPAN, NODES) * sd
    t, s = offset[:, None, None], SPREAD[None, :, None]
    z = (LOG_RATE - (t - s**2 / 2)) / s
    site = np.exp(-0.5 * z * z)
    site /= site.sum(axis=-1, keepdims=True)
    log_weight = _MEAN_PRIOR_POWER * np.broadcast_to(t, (NODES, len(SPREAD), 1))[..., 0]
    spread_z = (np.log(SPREAD) - np.log(SPREAD_PRIOR[0])) / SPREAD_PRIOR[1]
    log_weight = log_weight - 0.5 * spread_z**2
    if len(alt):
        kinds, kind = _kinds(alt, expected, shape)  # shallow sites are of few kinds
        lik = log_count_probability(
            kinds[0, :, None], kinds[1, :, None] * np.exp(LOG_RATE), kinds[2, :, None]
        )
        lik = np.exp(lik - lik.max(axis=1, keepdims=True))
        # No matrix product: a threaded one stalls where other programs hold the cores.
        mixed = np.einsum("lj,rj->lr", lik, site.reshape(-1, len(LOG_RATE)))
        log_weight = log_weight + np.log(mixed + 1e-300)[kind].sum(axis=0).reshape(
            NODES, len(SPREAD)
        )
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    result: FloatArray = np.einsum("ts,tsj->tj", weight, site)
    return result


def _kinds(*values: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the different sites [V, K] by V values each [L], and the kind of each."""
    sites = np.stack(values)
    order = np.lexsort(sites)
    ordered = sites[:, order]
    new = np.ones(len(order), bool)
    new[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
    kind = np.zeros(len(order), np.int64)
    kind[order] = np.cumsum(new) - 1
    return ordered[:, new], kind


def marker_rate(
    rates: ClassRates,
    own_alt: FloatArray,
    own_molecules: FloatArray,
    tau: float,
    declared: float,
) -> MarkerRate:
    """Return the mixture of one marker: class posterior times its own controls."""
    weight, mean_cv2 = rates.weight, rates.mean_cv2
    if own_molecules.sum() > 0:
        if len(rates.control_mean):
            expected, shift = own_molecules * rates.control_mean, np.zeros(1)
        else:
            expected, shift = own_molecules * rates.mean, np.zeros(1)
        if rates.unseen:
            shift, mean_cv2 = UNSEEN_SHIFT, mean_cv2 + UNSEEN_CLASS_SD**2
        total = float(expected.sum())
        shape = total**2 / (tau**2 * float((expected**2).sum()))
        lik = log_count_probability(
            np.array(own_alt.sum()),
            total * np.exp(LOG_RATE + shift[:, None]),
            np.array(shape),
        )
        weight = weight * np.exp(lik - lik.max())
    weight = weight / weight.sum()
    possible = rates.mean * np.exp(LOG_RATE) <= max(MOST_ERRORS, 2 * rates.mean)
    keep = (weight.sum(axis=0) > _KEEP) & possible
    weight = weight[:, keep] / weight[:, keep].sum()
    rate = rates.mean * np.exp(LOG_RATE[keep])
    shape = 1.0 / ((1 + tau**2) * (1 + mean_cv2) - 1)
    part = np.searchsorted(_EDGES, LOG_RATE[keep] + 1e-9)
    starts = np.flatnonzero(np.diff(part, prepend=-1))
    return _thinned(weight, rate, shape, starts, declared)


def _thinned(
    weight: FloatArray,
    rate: FloatArray,
    shape: float,
    starts: IntArray,
    declared: float,
) -> MarkerRate:
    """Merge neighbouring components, keeping mean and variance; add a declared rate."""
    starts = starts if len(rate) > 12 else np.arange(len(rate))
    total = weight.sum(axis=0)
    merged = np.add.reduceat(total, starts)
    first = np.add.reduceat(total * rate, starts) / merged
    second = np.add.reduceat(total * rate**2 * (1 + 1 / shape), starts) / merged
    variance = second - first**2 + declared**2
    first = first + declared
    by_node = np.add.reduceat(weight, starts, axis=1)
    return MarkerRate(merged, first, first**2 / variance, by_node)


def assumed_rates(mean: float, log_sd: float) -> ClassRates:
    """Return a class about which there are no data: log-normal, one node."""
    z = (LOG_RATE + log_sd**2 / 2) / log_sd
    site = np.exp(-0.5 * z * z)
    return ClassRates(mean, np.zeros(0), 0.0, (site / site.sum())[None, :])


def with_unseen_shift(rates: ClassRates) -> ClassRates:
    """Return the rates of a class for controls about whose sites nothing is known.

    The node of the class is averaged over; the node is now how many times the sample's
    rates the controls have, which one run does to all classes alike.
    """
    prior = np.sum(
        [
            share / sd * np.exp(-0.5 * (UNSEEN_SHIFT / sd) ** 2)
            for share, sd in UNSEEN_SHIFT_PRIOR
        ],
        axis=0,
    )
    weight = (prior / prior.sum())[:, None] * rates.weight.sum(axis=0)
    return rates._replace(weight=weight, unseen=True)
