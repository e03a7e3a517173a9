"""How likely the alleles of two samples are, were they one person's, or not.

At each germline position a sample has counts of two alleles. Two samples of one person
share a genotype; those of strangers draw theirs from the population, those of siblings
partly from the same parents (Li and Sacks, Biometrics 1954;10:347,
doi:10.2307/3001590). A sample into which another person's molecules got shows the
mixture of two genotypes.

Three things that are no other person must not look like one:

* wrong bases, at the rate that the two bases that are no allele show, and commoner at
  some positions than at others;
* an uneven balance of the alleles, by capture or PCR;
* lost or gained alleles of the leukaemia's own genome, of which a near-haploid clone
  shows hardly anything else: each sample may have any share of such positions.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

_PERCENT: Final = (
    *(0, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5),
    *(6.5, 8, 10, 12.5, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85),
    *(90, 93, 95, 97, 98, 99, 99.5),
)
SHARES: Final = np.array(_PERCENT) / 100
"""Shares of the second sample's molecules that are another person's."""
SAME: Final = 0
STRANGER: Final = len(SHARES)
SIBLING: Final = STRANGER + 1
N_COLUMNS: Final = SIBLING + 1
"""Columns of the likelihoods: one for each of `SHARES`, then stranger and sibling."""

ALTERED: Final = np.array([0.02, 0.3, 0.95])
"""Shares of the heterozygous positions whose balance a sample's clone has upset."""
ALTERED_PRIOR: Final = np.array([0.9, 0.095, 0.005])
BALANCE_SD: Final = 0.07
"""Spread of a heterozygous position's share by capture and PCR."""
SHARE_SPREAD: Final = 0.1
"""Relative spread of a contamination over positions."""
NOISY: Final = 0.02
NOISE: Final = 0.01
"""Share of the positions that show a wrong allele in this share of the molecules."""
MOST_ERROR: Final = 0.02
"""What is commoner in the first sample is no error but an allele."""
OUTLIERS_PANEL: Final = np.array([0.001])
"""Share of the panel's positions that tell nothing (an artefact, a rare mutation)."""
OUTLIERS_FOUND: Final = np.array([0.05, 0.5, 0.95])
OUTLIERS_PRIOR: Final = np.array([0.8, 0.1, 0.1])
"""The same of positions found in the reads: few, or as many as of hypermutated ones,
which may be the leukaemia's own mutations and go with it."""
MUTATION_GONE: Final = 0.9
"""Share of such mutations of which the second sample shows next to nothing."""
ASSUMED_ERROR: Final = 5e-4
ASSUMED_BASES: Final = 2000.0
"""The error rate before any base was seen, and the bases that it weighs as much as."""
ERROR_FACTOR: Final = 1.5
"""An allele may be made by a commoner error than the bases that are no allele."""

_FREQUENCIES: Final = np.linspace(0.05, 0.95, 10)
REGIMES: Final = np.array(
    [
        [0.1] * 10,
        [0, 0, 0, 0.2, 0.3, 0.3, 0.2, 0, 0, 0],
        [0.5, 0.25, 0.1, 0.05, 0.025, 0.025, 0.0125, 0.0125, 0.0125, 0.0125],
    ]
)
"""How common the alternative alleles of a panel may be: anything, chosen to be near a
half, mostly rare. A share for each of ten frequencies from 0.05 to 0.95."""


class Alleles(NamedTuple):
    """Molecules of two alleles at N positions, and how rarely a base is wrong."""

    alt: Floats  # [N]
    total: Floats  # [N] of both alleles
    error: float


def error_rate(other_bases: int, bases: int) -> float:
    """Estimate how often a molecule shows a given wrong base.

    Args:
        other_bases: molecules that show one of the two bases that are no allele.
        bases: molecules at all positions.
    """
    seen = other_bases / 2 + ASSUMED_ERROR * ASSUMED_BASES
    return float(ERROR_FACTOR * seen / (bases + ASSUMED_BASES))


def _hardy_weinberg() -> Floats:
    """Give the genotype shares at each frequency: [frequency, genotype]."""
    p = _FREQUENCIES
    return np.stack([(1 - p) ** 2, 2 * p * (1 - p), p**2], axis=1)


def _strangers() -> Floats:
    """Joint genotypes of strangers: [regime, genotype, genotype]."""
    genotypes = _hardy_weinberg()
    return np.asarray(np.einsum("rp,pg,po->rgo", REGIMES, genotypes, genotypes))


def _siblings() -> Floats:
    """Joint genotypes of siblings: two, one or no allele by descent (1/4, 1/2, 1/4)."""
    p = _FREQUENCIES
    q = 1 - p
    one = np.zeros((len(p), 3, 3))
    one[:, 0, 0], one[:, 0, 1] = q**3, q**2 * p
    one[:, 1, 0], one[:, 1, 1], one[:, 1, 2] = q**2 * p, p * q, q * p**2
    one[:, 2, 1], one[:, 2, 2] = q * p**2, p**3
    both = _hardy_weinberg()[:, :, None] * np.eye(3)
    related = np.einsum("rp,pgo->rgo", REGIMES, both / 4 + one / 2)
    return np.asarray(related + _strangers() / 4)


STRANGERS: Final = _strangers()
SIBLINGS: Final = _siblings()


def _beta_binomial(
    alt: Floats, total: Floats, mean: Floats, variance: Floats
) -> Floats:
    """Log-probability of counts whose share is beta distributed; shapes broadcast."""
    size = mean * (1 - mean) / variance - 1
    a, b = mean * size, (1 - mean) * size
    ways = -special.betaln(alt + 1, total - alt + 1) - np.log1p(total)
    told: Floats = special.betaln(alt + a, total - alt + b) - special.betaln(a, b)
    return told + ways


class _Shares(NamedTuple):
    """Mean and variance of the alternative share, by genotype; altered ones apart."""

    mean: Floats  # [N, 3]
    variance: Floats  # [N, 3]
    altered_variance: Floats  # [N, 3]


def _shares(error: Floats) -> _Shares:
    """Give the shares for errors [N, 2]: false alternative, false reference bases."""
    on_ref, on_alt = error[:, 0], error[:, 1]
    half = np.full(len(error), 0.5)
    return _Shares(
        mean=np.stack([on_ref, half, 1 - on_alt], axis=1),
        variance=np.stack([on_ref**2, half * 0 + BALANCE_SD**2, on_alt**2], axis=1),
        altered_variance=np.stack([on_ref**2, half / 4, on_alt**2], axis=1),
    )


def informed_errors(first: Alleles, error: float) -> Floats:
    """Let the first sample tell where the second will err: [N, 2].

    A position that shows a wrong allele in one visit (a homologue, a long run beside
    it) shows it in the others too.
    """
    prior = 1 / error
    wrong = np.stack([first.alt, first.total - first.alt], axis=1)
    return np.minimum(
        (1 + wrong) / (prior + first.total[:, None]), max(MOST_ERROR, error)
    )


def person_likelihoods(seen: Alleles) -> Floats:
    """Likelihood of one person's counts by share of altered positions and genotype.

    Returns:
        [N, len(ALTERED), 3]
    """
    alt, total = seen.alt[:, None], seen.total[:, None]
    told = []
    for error in (seen.error, max(NOISE, seen.error)):
        shares = _shares(np.full((len(seen.alt), 2), error))
        plain = np.exp(_beta_binomial(alt, total, shares.mean, shares.variance))
        upset = np.exp(_beta_binomial(alt, total, shares.mean, shares.altered_variance))
        weight = ALTERED[:, None]
        told.append((1 - weight) * plain[:, None, :] + weight * upset[:, None, :])
    return np.asarray((1 - NOISY) * told[0] + NOISY * told[1])


def mixture_likelihoods(seen: Alleles, error: Floats) -> Floats:
    """Likelihood of counts of two persons' molecules, with errors [N, 2].

    Returns:
        [N, len(ALTERED), 3 (the first person's genotype), 3 (the other's), share]
    """
    shares = _shares(error)
    part = SHARES[None, None, None, :]
    host, guest = shares.mean[:, :, None, None], shares.mean[:, None, :, None]
    mean = (1 - part) * host + part * guest
    rough = (SHARE_SPREAD * part * (1 - part) * (guest - host)) ** 2
    guest_variance = part**2 * shares.variance[:, None, :, None] + rough
    alt, total = seen.alt[:, None, None, None], seen.total[:, None, None, None]
    told = []
    for own in (shares.variance, shares.altered_variance):
        variance = (1 - part) ** 2 * own[:, :, None, None] + guest_variance
        told.append(np.exp(_beta_binomial(alt, total, mean, variance))[:, None])
    weight = ALTERED[:, None, None, None]
    return np.asarray((1 - weight) * told[0] + weight * told[1])


def site_likelihoods(first: Alleles, second: Alleles, outliers: Floats) -> Floats:
    """Log-likelihood of each position under each hypothesis.

    Args:
        first: the sample that the person is known by.
        second: the sample that is asked about.
        outliers: [O] shares of positions that tell nothing, one after the other.

    Returns:
        [N, O, regime, len(ALTERED), len(ALTERED), N_COLUMNS]: shares of altered
        positions of the first and the second sample, then the hypotheses.
    """
    of_first = person_likelihoods(first)
    mixtures = mixture_likelihoods(second, informed_errors(first, second.error))
    of_second = mixtures[:, :, :, 0, SAME]
    mixed = np.einsum(
        "rnago,nbgoc->nrabc",
        np.einsum("rgo,nag->rnago", STRANGERS, of_first),
        mixtures,
        optimize=True,
    )
    others = np.stack(
        [
            np.einsum("rgo,nag,nbo->nrab", joint, of_first, of_second, optimize=True)
            for joint in (STRANGERS, SIBLINGS)
        ],
        axis=-1,
    )
    told = np.concatenate([mixed, others], axis=-1)[:, None]
    # An artefact, or a mutation of the leukaemia: any share or that of a heterozygous
    # position at first, then mostly none.
    shown = (1 / (first.total + 1) + of_first[:, 0, 1]) / 2
    left = MUTATION_GONE * of_second[:, 0, 0] + (1 - MUTATION_GONE) / (second.total + 1)
    anything = shown * left
    share = outliers[:, None, None, None, None]
    silent = share * anything[:, None, None, None, None, None]
    return np.asarray(np.log((1 - share) * told + silent))


def sum_over_clones(told: Floats, outliers_prior: Floats) -> Floats:
    """Weigh what is not asked for: [..., O, regime, A, A, K] to [..., K].

    That is how many positions tell nothing, how common alleles are, and what the
    clones altered.
    """
    prior = (
        np.log(outliers_prior)[:, None, None, None, None]
        + np.log(ALTERED_PRIOR)[:, None, None]
        + np.log(ALTERED_PRIOR)[None, :, None]
    )
    summed = special.logsumexp(told + prior, axis=(-5, -4, -3, -2))
    return np.asarray(summed - np.log(len(REGIMES)))
