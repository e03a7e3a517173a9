"""The Y chromosome in the reads: there, not there, or not to be told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from mrdtrack.counts import IdentityCounts
from mrdtrack.levels.identity_pairs import is_on_y

LEAST_DEPTH: Final = 20.0
"""Mean depth of the other germline positions below which Y cannot be missed."""
PRESENT: Final = 0.1
"""Depth on Y, by that elsewhere, from which it is there (a man's is 0.5)."""
ABSENT: Final = 0.01
"""Depth below which it is not: what reads of X that stray to Y leave."""

YChromosome = Literal["present", "absent"]


def y_chromosome(alleles: Iterable[IdentityCounts]) -> YChromosome | None:
    """Tell whether a sample shows the Y chromosome at the panel's positions.

    A clone can lose the Y chromosome, so between two samples of a man it may differ.
    """
    on_y: list[int] = []
    elsewhere: list[int] = []
    for counts in alleles:
        if counts.source == "panel":
            depth = counts.ref_molecules + counts.alt_molecules
            (on_y if is_on_y(counts) else elsewhere).append(depth)
    if not on_y or not elsewhere:
        return None
    usual = sum(elsewhere) / len(elsewhere)
    if usual < LEAST_DEPTH:
        return None
    ratio = sum(on_y) / len(on_y) / usual
    if ratio >= PRESENT:
        return "present"
    return "absent" if ratio <= ABSENT else None
