"""From likelihoods to a verdict: one person, with what share of another, or not."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mrdtrack.levels.identity_model import SAME, SHARES, SIBLING, STRANGER

Floats = NDArray[np.float64]
Verdict = Literal["same_person", "contaminated", "other_person", "undecided"]

ACCEPT: Final = 3.0
"""log10 of the likelihood ratio from which samples are taken for one person's."""
REFUSE: Final = -3.0
"""log10 of the likelihood ratio below which they are taken for two persons'."""
MOST_CONTAMINATION: Final = 0.5
"""A sample that is more than half another's is not the patient's."""
CONTAMINATION_DROP: Final = 6.9
"""Log-likelihood by which a contamination must fit better than none (p = 0.0001)."""
INTERVAL_DROP: Final = 1.92
"""Half the chi-square quantile of one degree: a 95 % profile-likelihood interval."""
_CLEAN: Final = 0.9
_MOSTLY_OTHER: Final = 0.02


class ShareOfOther(NamedTuple):
    """Share of the molecules that are another person's, with its 95 % interval."""

    value: float
    low: float
    high: float


class Judged(NamedTuple):
    """What the likelihoods of two samples say.

    `log10_ratio`: of one person (perhaps contaminated) over another person.
    `related`: another person who is more likely a sibling than a stranger.
    """

    verdict: Verdict
    log10_ratio: float
    related: bool
    share: ShareOfOther


def log10_ratio(told: Floats) -> Floats:
    """Weigh one person, contaminated or not, against another: [..., K] to [...]."""
    mine = SHARES <= MOST_CONTAMINATION
    weights = np.where(mine, (1 - _CLEAN) / (mine.sum() - 1), 0.0)
    weights[SAME] = _CLEAN
    others = np.append(
        np.where(mine, 0.0, _MOSTLY_OTHER / (~mine).sum()),
        np.full(2, (1 - _MOSTLY_OTHER) / 2),
    )
    of_mine = special.logsumexp(told[..., :STRANGER], b=weights, axis=-1)
    of_others = special.logsumexp(told, b=others, axis=-1)
    return np.asarray((of_mine - of_others) / np.log(10))


def is_contaminated(told: Floats) -> NDArray[np.bool_]:
    """Tell whether a contamination fits clearly better than none: [..., K] to [...]."""
    best = told[..., SAME + 1 : STRANGER].max(axis=-1)
    return np.asarray(best - told[..., SAME] >= CONTAMINATION_DROP)


def share_of_other(told: Floats) -> ShareOfOther:
    """Estimate the share of another person's molecules by its profile likelihood."""
    return profile_share(SHARES, told[:STRANGER])


def profile_share(shares: Floats, profile: Floats) -> ShareOfOther:
    """Give the likeliest share, and where the profile has dropped on either side."""
    top = int(profile.argmax())
    limit = profile[top] - INTERVAL_DROP
    low, high = top, top
    while low > 0 and profile[low - 1] >= limit:
        low -= 1
    while high < len(shares) - 1 and profile[high + 1] >= limit:
        high += 1
    return ShareOfOther(
        value=float(shares[top]),
        low=_crossing(shares, profile, low, low - 1, limit),
        high=_crossing(shares, profile, high, high + 1, limit),
    )


def _crossing(
    shares: Floats, profile: Floats, inside: int, outside: int, limit: float
) -> float:
    """Interpolate where the profile meets the limit; the end of the grid without."""
    if not 0 <= outside < len(shares):
        return float(shares[inside])
    part = (profile[inside] - limit) / (profile[inside] - profile[outside])
    return float(shares[inside] + part * (shares[outside] - shares[inside]))


def judge(told: Floats) -> Judged:
    """Judge the summed log-likelihoods [K] of two samples."""
    ratio = float(log10_ratio(told))
    verdict: Verdict = "undecided"
    if ratio <= REFUSE:
        verdict = "other_person"
    elif ratio >= ACCEPT:
        verdict = "contaminated" if is_contaminated(told) else "same_person"
    return Judged(
        verdict=verdict,
        log10_ratio=ratio,
        related=bool(told[SIBLING] > told[STRANGER]),
        share=share_of_other(told),
    )
