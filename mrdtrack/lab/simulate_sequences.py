"""Simulated molecules of sequence markers: the clonotype, and its locus around it."""

from __future__ import annotations

import numpy as np

from mrdtrack.lab.simulate_model import Allele, Join, Segment, encode
from mrdtrack.panel.model import Sequence

N_OTHER_CLONOTYPES = 40
JOIN_ANCHOR = 12


def sequence_alleles(
    marker: Sequence, fraction: float, margin: int, reach: int
) -> list[Allele]:
    """Build the marker's own molecule, and others of the same locus around it.

    The flanks are invented from the marker's name. The others share the flanks and the
    outer bases of the junction (V and J), and differ between: a polyclonal locus.
    """
    rng = np.random.default_rng(np.frombuffer(marker.id.encode(), dtype=np.uint8))
    flank = margin + reach
    before, after = _invented(rng, flank), _invented(rng, flank)
    found = []
    if fraction > 0:
        start, end = flank, flank + len(marker.sequence)
        anchor = 0
        if marker.join is not None:
            start = end = flank + marker.join
            anchor = JOIN_ANCHOR
        join = Join(marker.id, start, end, substituted=False, anchor=anchor)
        bases = before + marker.sequence + after
        found.append(_unplaced(marker.id, bases, reach, fraction, join))
    edge = min(10, len(marker.sequence) // 4)
    for number in range(N_OTHER_CLONOTYPES if fraction < 1 else 0):
        length = max(len(marker.sequence) - 2 * edge + int(rng.integers(-9, 10)), 12)
        middle = _invented(rng, length)
        core = marker.sequence[:edge] + middle + marker.sequence[-edge:]
        name = f"{marker.id} other {number + 1}"
        share = (1 - fraction) / N_OTHER_CLONOTYPES
        found.append(_unplaced(name, before + core + after, reach, share))
    return found


def _invented(rng: np.random.Generator, length: int) -> str:
    return "".join("ACGT"[code] for code in rng.integers(0, 4, length))


def _unplaced(name: str, bases: str, reach: int, share: float, *joins: Join) -> Allele:
    return Allele(
        name=name,
        segments=(Segment(None, 0, 0, True, bases),),
        codes=encode(bases),
        joins=joins,
        window=(reach, len(bases) - reach),
        share=share,
    )
