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


class LostDuplicates:
    """Finds markers in amplicons of which many reads were left out as duplicates."""

    def __init__(self) -> None:
        """Know of none."""
        self._told: list[int] = []
        self._lost = 0
        self._seen = 0

    def add(self, observations: Observations, grouping: Grouping) -> None:
        """Look at all observations of some markers."""
        duplicate = observations.flags & DUPLICATE != 0
        if grouping.keep_duplicates or not duplicate.any():
            return
        at_marker = observations.flags & ELSEWHERE == 0
        for number in np.flatnonzero(np.bincount(observations.marker)).tolist():
            own = at_marker & (observations.marker == number)
            n_own, dropped = int(np.sum(own)), int(np.sum(duplicate & own))
            if dropped > DROPPED_SHARE * n_own and is_amplicon(observations.start[own]):
                self._told.append(number)
                self._lost += dropped
                self._seen += n_own

    def findings(
        self, markers: Sequence[str], grouping: Grouping
    ) -> tuple[QualityFinding, ...]:
        """Tell them; `markers` are the names by their number in the observations."""
        if grouping.keep_duplicates or not self._told:
            return ()
        return (
            finding(
                "amplicon_duplicates_dropped",
                "warning",
                markers=tuple(markers[number] for number in sorted(self._told)),
                share=self._lost / self._seen,
            ),
        )
