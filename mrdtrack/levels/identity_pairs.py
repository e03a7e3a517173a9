"""Two samples' germline alleles, brought together position by position."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np

from mrdtrack.counts import IdentityCounts, SearchedStretch
from mrdtrack.levels.identity_model import (
    OUTLIERS_FOUND,
    OUTLIERS_PANEL,
    OUTLIERS_PRIOR,
    Alleles,
    Floats,
    error_rate,
    site_likelihoods,
    sum_over_clones,
)
from mrdtrack.levels.identity_verdict import Judged, judge

LEAST_DEPTH: Final = 10
"""Molecules below which a position is not counted among those compared."""
GIVEN_DEPTH: Final = 100
"""Molecules that a genotype written in the panel stands for."""
UNSEEN_DEPTH: Final = 20
"""Molecules that "no common allele at a searched position" stands for, at most."""
GENOTYPE_SHARES: Final = {"0/0": 0.0, "0/1": 0.5, "1/1": 1.0}

Key = tuple[str, int, str, str]


class Evidence(NamedTuple):
    """A sample's germline alleles, and where it was searched for more."""

    alleles: Sequence[IdentityCounts]
    searched: Sequence[SearchedStretch] = ()


class Compared(NamedTuple):
    """What two samples' alleles say, from how many positions both show.

    `told` are the log-likelihoods [N_COLUMNS] that the judgement rests on.
    """

    judged: Judged
    n_positions: int
    told: Floats


class Pairs(NamedTuple):
    """Positions of both samples: those of the panel, and those found in the reads."""

    panel: tuple[Alleles, Alleles]
    found: tuple[Alleles, Alleles]

    @property
    def n_positions(self) -> int:
        """Number of positions that both samples cover."""
        return sum(
            int(np.sum((a.total >= LEAST_DEPTH) & (b.total >= LEAST_DEPTH)))
            for a, b in (self.panel, self.found)
        )


def compare(first: Evidence, second: Evidence) -> Compared:
    """Judge whether the second sample is of the person that the first is of."""
    pairs = pair_up(first, second)
    told = summed(pairs)
    return Compared(judge(told), pairs.n_positions, told)


def summed(pairs: Pairs) -> Floats:
    """Sum the log-likelihoods of all positions: [N_COLUMNS]."""
    panel = site_likelihoods(*pairs.panel, OUTLIERS_PANEL).sum(axis=0)
    found = site_likelihoods(*pairs.found, OUTLIERS_FOUND).sum(axis=0)
    return sum_over_clones(panel + found, OUTLIERS_PRIOR)


def pair_up(first: Evidence, second: Evidence) -> Pairs:
    """Bring together what two samples show at the positions of the first.

    A position found in the reads of the first and not listed in the second, which was
    searched there, shows next to none of the allele. Positions that only the second
    lists are left out, as are those on Y, where a person's sex decides.
    """
    seen = {key_of(c): c for c in second.alleles}
    panel: list[tuple[float, float, float, float]] = []
    found: list[tuple[float, float, float, float]] = []
    for counts in first.alleles:
        other = seen.get(key_of(counts))
        if other is not None:
            there = (other.alt_molecules, other.alt_molecules + other.ref_molecules)
        elif counts.source == "reads" and _searched(counts, second.searched):
            there = (0, UNSEEN_DEPTH)
        else:
            continue
        here = (counts.alt_molecules, counts.alt_molecules + counts.ref_molecules)
        if not is_on_y(counts):
            (panel if counts.source == "panel" else found).append((*here, *there))
    errors = sample_error(first.alleles), sample_error(second.alleles)
    return Pairs(_alleles(panel, errors), _alleles(found, errors))


def key_of(counts: IdentityCounts) -> Key:
    """Name a position with its alleles."""
    return counts.contig, counts.position, counts.ref, counts.alt


def is_on_y(counts: IdentityCounts) -> bool:
    """Tell whether a position lies on the Y chromosome."""
    return counts.contig.removeprefix("chr") == "Y"


def _searched(counts: IdentityCounts, stretches: Sequence[SearchedStretch]) -> bool:
    return any(
        stretch.contig == counts.contig
        and stretch.start <= counts.position <= stretch.end
        and stretch.molecules >= UNSEEN_DEPTH
        for stretch in stretches
    )


def _alleles(
    rows: list[tuple[float, float, float, float]], errors: tuple[float, float]
) -> tuple[Alleles, Alleles]:
    table = np.array(rows, np.float64).reshape(-1, 4)
    return (
        Alleles(table[:, 0], table[:, 1], errors[0]),
        Alleles(table[:, 2], table[:, 3], errors[1]),
    )


def sample_error(alleles: Iterable[IdentityCounts]) -> float:
    """Estimate a sample's error rate from the bases that are no allele."""
    other = bases = 0
    for counts in alleles:
        if counts.source == "panel":
            other += counts.other_molecules
            bases += (
                counts.ref_molecules + counts.alt_molecules + counts.other_molecules
            )
    return error_rate(other, bases)


def given_genotypes(alleles: Iterable[IdentityCounts]) -> Evidence:
    """Take the genotypes that the panel gives for a sample of the patient."""
    told = []
    for counts in alleles:
        if counts.genotype is not None:
            alt = round(GIVEN_DEPTH * GENOTYPE_SHARES[counts.genotype])
            told.append(
                counts.model_copy(
                    update={
                        "alt_molecules": alt,
                        "ref_molecules": GIVEN_DEPTH - alt,
                        "other_molecules": 0,
                    }
                )
            )
    return Evidence(tuple(told))
