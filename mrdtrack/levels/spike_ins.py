"""Copies of a clone from spike-ins of known copies, family by family.

A family's primers amplify its spike-ins as they amplify its clones, so the ratio of
copies to reads is the family's own:

    factor = sum(copies) / sum(reads),   copies = reads x factor.

The ratio of sums is not dominated by the most concentrated spike-in, as a regression
of copies on reads is, and it has an exact interval. Reads beyond the molecules that
went in are copies of them and add no information: both counts enter the interval as
molecules, `min(reads, copies)`, divided by the scatter between the family's own
spike-ins where they agree less well than counting predicts. The interval of a ratio of
two Poisson means is that of a binomial share (Przyborowski and Wilenski 1940,
doi:10.1093/biomet/31.3-4.313; Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404).

`vidjil_*` repeat Vidjil's script (`spike-normalization.py`, S0.08) for comparison, with
what is known to be wrong with it: 100,000 cells are built in, the regression runs
through reads and hangs on the 160-copy point, families are summed where the fallback
averages, and no interval is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from mrdtrack.levels.light_scipy import special

PICOGRAM_PER_CELL = 6.6
CONFIDENCE = 0.95
LEAST_COPIES = 1e-9
POOLED = "pooled"
VIDJIL_UNIVERSAL = "UNI"
VIDJIL_CELLS = 100_000
VIDJIL_MIN_READS = 20
VIDJIL_MIN_R2 = 0.8


class SpikeIn(NamedTuple):
    """One spike-in of a tube: its primer family, copies put in and reads found."""

    family: str
    copies: float
    reads: int


class FamilyFactor(NamedTuple):
    """Copies a read of one family stands for.

    `molecules` are the spike-in molecules the factor rests on, `scatter` is the
    variance between the family's spike-ins over that of counting, at least 1.
    """

    family: str
    copies: float
    reads: int
    molecules: float
    scatter: float

    @property
    def copies_per_read(self) -> float:
        """The factor."""
        return self.copies / self.reads


class Copies(NamedTuple):
    """Copies of a clone in the tube, with their 95 % interval."""

    value: float
    low: float
    high: float


def family_factors(spikes: Iterable[SpikeIn]) -> dict[str, FamilyFactor]:
    """Give the factor of every family with reads, and that of all (`pooled`)."""
    families: dict[str, list[SpikeIn]] = {}
    for spike in spikes:
        families.setdefault(spike.family, []).append(spike)
        families.setdefault(POOLED, []).append(spike)
    return {
        family: _factor(family, members)
        for family, members in families.items()
        if any(spike.reads for spike in members)
    }


def _factor(family: str, spikes: Sequence[SpikeIn]) -> FamilyFactor:
    copies = sum(spike.copies for spike in spikes)
    reads = sum(spike.reads for spike in spikes)
    molecules = min(float(reads), copies)
    return FamilyFactor(family, copies, reads, molecules, _scatter(spikes, molecules))


def _scatter(spikes: Sequence[SpikeIn], molecules: float) -> float:
    """Give Pearson's chi-square over its degrees of freedom, on molecules."""
    copies = sum(spike.copies for spike in spikes)
    reads = sum(spike.reads for spike in spikes)
    if len(spikes) < 2:
        return 1.0
    chi2 = 0.0
    for spike in spikes:
        expected = molecules * spike.copies / copies
        observed = molecules * spike.reads / reads
        chi2 += (observed - expected) ** 2 / expected
    return max(chi2 / (len(spikes) - 1), 1.0)


def copies_of(reads: int, factor: FamilyFactor) -> Copies:
    """Give the copies of a clone of one family in the same tube."""
    value = reads * factor.copies_per_read
    own = min(float(reads), value) / factor.scatter
    spikes = factor.molecules / factor.scatter
    tail = (1 - CONFIDENCE) / 2
    low = _odds(float(special.betaincinv(own, spikes + 1, tail))) if reads else 0.0
    high = _odds(float(special.betaincinv(own + 1, spikes, 1 - tail)))
    return Copies(value, _no_dust(low * factor.copies), high * factor.copies)


def _no_dust(copies: float) -> float:
    """Give 0 for a bound that no tube could tell from it."""
    return copies if copies > LEAST_COPIES else 0.0


def _odds(share: float) -> float:
    return share / (1 - share) if share < 1 else float("inf")


def cells_of(input_ng: float) -> float:
    """Give the cells of an amount of DNA: 6.6 pg each."""
    return input_ng * 1000 / PICOGRAM_PER_CELL


def level_of(copies: Copies, input_cells: float) -> Copies:
    """Give the share of cells; a rearrangement stands once in a cell of the clone."""
    return Copies(*(min(number / input_cells, 1.0) for number in copies))


def vidjil_coefficients(spikes: Sequence[SpikeIn]) -> dict[str, float]:
    """Give Vidjil's coefficient of every family; empty for a diagnostic sample.

    A regression of copies on reads through the origin, one point a number of copies:
    mean reads for all families together, summed reads for each. A family with one
    point, few reads or a poor fit takes that of all.
    """
    steps = sorted({spike.copies for spike in spikes})
    means = [_mean([s.reads for s in spikes if s.copies == step]) for step in steps]
    if not means or max(means) <= VIDJIL_MIN_READS:
        return {}
    universal = _slope(steps, means)
    found = {VIDJIL_UNIVERSAL: universal}
    for family in {spike.family for spike in spikes}:
        own = [spike for spike in spikes if spike.family == family]
        points = sorted({spike.copies for spike in own})
        sums = [float(sum(s.reads for s in own if s.copies == p)) for p in points]
        poor = len(sums) < 2 or max(sums) <= VIDJIL_MIN_READS
        if poor or _r2(points, sums) <= VIDJIL_MIN_R2:
            found[family] = universal
        else:
            found[family] = _slope(points, sums)
    return found


def vidjil_normalised_reads(
    reads: int,
    family: str | None,
    coefficients: Mapping[str, float],
    locus_reads: int,
) -> float:
    """Give Vidjil's normalised reads of a clone of the prevalent locus."""
    universal = coefficients[VIDJIL_UNIVERSAL]
    coefficient = coefficients.get(family or VIDJIL_UNIVERSAL, universal)
    return reads * coefficient * locus_reads / VIDJIL_CELLS


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values)


def _slope(copies: Sequence[float], reads: Sequence[float]) -> float:
    products = sum(c * r for c, r in zip(copies, reads, strict=True))
    return products / sum(r * r for r in reads)


def _r2(copies: Sequence[float], reads: Sequence[float]) -> float:
    """Give the squared correlation, that of a model with an intercept."""
    n = len(copies)
    mean_c, mean_r = sum(copies) / n, sum(reads) / n
    pairs = list(zip(copies, reads, strict=True))
    covariance = sum((c - mean_c) * (r - mean_r) for c, r in pairs)
    variances = sum((c - mean_c) ** 2 for c in copies) * sum(
        (r - mean_r) ** 2 for r in reads
    )
    return covariance**2 / variances if variances else 0.0
