"""Amplicon data whose duplicate flags were used, though all its reads are alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from mrdtrack.counting.molecules import Grouping
from mrdtrack.counting.tally import is_amplicon
from mrdtrack.counting.told import Told
from mrdtrack.counts import QualityFinding
from mrdtrack.findings import finding
from mrdtrack.kernels.arrays import DUPLICATE, ELSEWHERE

DROPPED_SHARE: Final = 0.2
"""Share of duplicates from which their loss matters."""


class LostDuplicates:
    """Finds markers in amplicons of which many reads were left out as duplicates."""

    def __init__(self) -> None:
        """Know of none."""
        self._told: list[int] = []
        self._lost = 0
        self._seen = 0

    def add(self, told: Told, grouping: Grouping) -> None:
        """Look at all claims of some markers."""
        facts, claims = told
        if grouping.keep_duplicates or not (facts.bits & DUPLICATE).any():
            return
        duplicate = facts.bits[claims.row] & DUPLICATE != 0
        at_marker = (facts.bits[claims.row] | claims.bits) & ELSEWHERE == 0
        for number in np.flatnonzero(np.bincount(claims.marker)).tolist():
            own = at_marker & (claims.marker == number)
            n_own, dropped = int(np.sum(own)), int(np.sum(duplicate & own))
            starts = facts.start[claims.row[own]]
            if dropped > DROPPED_SHARE * n_own and is_amplicon(starts):
                self._told.append(number)
                self._lost += dropped
                self._seen += n_own

    def findings(
        self, markers: Sequence[str], grouping: Grouping
    ) -> tuple[QualityFinding, ...]:
        """Tell them; `markers` are the names by their number in the claims."""
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
