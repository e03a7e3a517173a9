"""Amplicon data whose duplicate flags were used, though all its reads are alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from mrdtrack.counting.molecules import Grouping
from mrdtrack.counting.tally import is_amplicon
from mrdtrack.counts import QualityFinding
from mrdtrack.findings import finding
from mrdtrack.kernels.arrays import DUPLICATE, ELSEWHERE, Observations

DROPPED_SHARE: Final = 0.2
"""Share of duplicates from which their loss matters."""


def dropped_duplicates(
    observations: Observations, markers: Sequence[str], grouping: Grouping
) -> tuple[QualityFinding, ...]:
    """Find markers in amplicons of which many reads were left out as duplicates.

    `markers` are the names by their number in the observations.
    """
    duplicate = observations.flags & DUPLICATE != 0
    if grouping.keep_duplicates or not duplicate.any():
        return ()
    at_marker = observations.flags & ELSEWHERE == 0
    told, lost, seen = [], 0, 0
    for number, name in enumerate(markers):
        own = at_marker & (observations.marker == number)
        dropped = int(np.sum(duplicate & own))
        if dropped <= DROPPED_SHARE * int(np.sum(own)):
            continue
        if is_amplicon(observations.start[own]):
            told.append(name)
            lost, seen = lost + dropped, seen + int(np.sum(own))
    if not told:
        return ()
    return (
        finding(
            "amplicon_duplicates_dropped",
            "warning",
            markers=tuple(told),
            share=lost / seen,
        ),
    )
