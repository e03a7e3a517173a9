"""Whose cells a sample holds after a transplant: patient, donor, or both."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from scipy import special

from mrdtrack.levels.identity_model import (
    ALTERED_PRIOR,
    OUTLIERS_PANEL,
    REGIMES,
    SAME,
    SHARES,
    SIBLINGS,
    STRANGERS,
    Alleles,
    Floats,
    informed_errors,
    mixture_likelihoods,
    person_likelihoods,
)
from mrdtrack.levels.identity_pairs import Evidence, key_of, pair_up
from mrdtrack.levels.identity_verdict import (
    ACCEPT,
    CONTAMINATION_DROP,
    REFUSE,
    ShareOfOther,
    profile_share,
)

DONOR_SHARES: Final = np.append(SHARES, 1.0)


class Chimerism(NamedTuple):
    """Share of a sample's molecules that are the donor's.

    `log10_ratio`: of patient and donor over anyone else. `fits` and `is_other` are its
    verdicts; between them nothing is said. `shows_donor`: a mixture fits clearly
    better than the patient alone.
    """

    share: ShareOfOther
    log10_ratio: float
    n_positions: int
    shows_donor: bool

    @property
    def fits(self) -> bool:
        """Say whether patient and donor explain the sample."""
        return self.log10_ratio >= ACCEPT

    @property
    def is_other(self) -> bool:
        """Say whether somebody else must be in the sample."""
        return self.log10_ratio <= REFUSE


def judge_chimerism(patient: Evidence, donor: Evidence, sample: Evidence) -> Chimerism:
    """Judge a sample as a mixture of the patient's and the donor's molecules."""
    of_donor = {key_of(counts): counts for counts in donor.alleles}
    panel = [
        c for c in patient.alleles if c.source == "panel" and key_of(c) in of_donor
    ]
    listed = {key_of(counts) for counts in sample.alleles}
    shared = [counts for counts in panel if key_of(counts) in listed]
    first, second = pair_up(Evidence(shared), sample).panel
    third = pair_up(Evidence(shared), donor).panel[1]
    told = _sites(first, second, third).sum(axis=0)
    prior = np.log(ALTERED_PRIOR)[:, None, None] + np.log(ALTERED_PRIOR)[None, :, None]
    columns = special.logsumexp(told + prior, axis=(0, 1, 2)) - np.log(len(REGIMES))
    mixed = columns[:-1]
    ours = special.logsumexp(mixed) - np.log(len(mixed))
    return Chimerism(
        share=profile_share(DONOR_SHARES, mixed),
        log10_ratio=float((ours - columns[-1]) / np.log(10)),
        n_positions=int(np.sum((first.total > 0) & (second.total > 0))),
        shows_donor=bool(mixed[1:].max() - mixed[SAME] >= CONTAMINATION_DROP),
    )


def _sites(first: Alleles, second: Alleles, donor: Alleles) -> Floats:
    """Log-likelihoods [N, regime, A, A, donor's shares, then another person]."""
    joint = (STRANGERS + SIBLINGS) / 2
    known = np.einsum(
        "rgd,nag,nd->rnagd",
        joint,
        person_likelihoods(first),
        person_likelihoods(donor)[:, 0],
    )
    mixtures = mixture_likelihoods(second, informed_errors(first, second.error))
    alone = mixtures[:, :, :, 0, SAME]
    mixed = np.einsum("rnagd,nbgdc->nrabc", known, mixtures, optimize=True)
    pure = np.einsum("rnagd,nbd->nrab", known, alone, optimize=True)
    anyone = STRANGERS.sum(axis=1)
    other = np.einsum("rnagd,ro,nbo->nrab", known, anyone, alone, optimize=True)
    told = np.concatenate([mixed, pure[..., None], other[..., None]], axis=-1)
    nothing = 1 / ((first.total + 1) * (second.total + 1) * (donor.total + 1))
    share = float(OUTLIERS_PANEL[0])
    silent = share * nothing[:, None, None, None, None]
    return np.asarray(np.log((1 - share) * told + silent))
