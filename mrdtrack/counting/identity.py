"""Germline alleles: at the panel's positions, and where the reads show common ones.

Both come from the background's tally, which counts the molecules that show each base
at each position; nothing is read for them alone but the panel's positions.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mrdtrack.counting.background import Stretches
from mrdtrack.counts import IdentityCounts, SearchedStretch
from mrdtrack.kernels.arrays import Ints
from mrdtrack.kernels.background import BackgroundCounts
from mrdtrack.panel.model import IdentityPosition

COMMON_SHARE: Final = 0.15
"""Share from which an allele is taken for one the person has, not for an error."""
LEAST_MOLECULES: Final = 20
MOST_FOUND: Final = 300
"""Positions kept; more tell no more of who it is, and too much of who he or she is."""
BASES: Final = "ACGT"

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class GermlineAlleles:
    """What the reads show of the person, and where more was looked for."""

    identity: tuple[IdentityCounts, ...]
    searched: tuple[SearchedStretch, ...]


def germline_alleles(
    positions: Sequence[IdentityPosition],
    stretches: Stretches,
    counts: BackgroundCounts | None,
) -> GermlineAlleles:
    """Count the alleles at the panel's positions, and find others in the reads.

    `counts` None: no read came near, so every count is 0.
    """
    given = tuple(_given(position, stretches, counts) for position in positions)
    if counts is None:
        return GermlineAlleles(identity=given, searched=())
    depth = counts.bases.sum(axis=1)
    free = (depth >= LEAST_MOLECULES) & ~stretches.of_marker
    places = _common(stretches, counts, depth, free)
    # By a checksum of the place, so that all visits keep nearly the same ones; absent
    # ones then say nothing, so nothing is claimed to have been searched.
    found = [_found(place, stretches, counts) for place in places.tolist()]
    last = sorted(map(_checksum, found))[:MOST_FOUND][-1:]
    kept = tuple(held for held in found if [_checksum(held)] <= last)
    whole = len(kept) == len(found)
    return GermlineAlleles(
        identity=given + kept,
        searched=_searched(stretches, depth, free) if whole else (),
    )


def _given(
    position: IdentityPosition, stretches: Stretches, counts: BackgroundCounts | None
) -> IdentityCounts:
    seen = dict.fromkeys(BASES, 0)
    place = _place(position, stretches)
    if counts is not None and place is not None:
        seen = dict(zip(BASES, counts.bases[place].tolist(), strict=True))
    return IdentityCounts(
        contig=position.contig,
        position=position.position,
        ref=position.ref,
        alt=position.alt,
        genotype=position.genotype,
        ref_molecules=seen[position.ref],
        alt_molecules=seen[position.alt],
        other_molecules=sum(seen.values()) - seen[position.ref] - seen[position.alt],
    )


def _place(position: IdentityPosition, stretches: Stretches) -> int | None:
    """Find a position's place among all positions of the stretches.

    The stretches are sorted by contig and disjoint; those of one contig stand together.
    """
    if position.contig not in stretches.contigs:
        return None
    start = stretches.contigs.index(position.contig)
    size = stretches.contigs.count(position.contig)
    lows = stretches.arrays.low[start : start + size]
    at = position.position - 1
    index = start + int(np.searchsorted(lows, at, side="right")) - 1
    if index < start or at >= stretches.arrays.high[index]:
        return None
    return int(stretches.arrays.first[index] + at - stretches.arrays.low[index])


def _common(
    stretches: Stretches, counts: BackgroundCounts, depth: Ints, free: Mask
) -> Ints:
    """List the places of free positions at which another allele is common."""
    others = counts.bases.copy()
    known = np.flatnonzero(stretches.arrays.expected < len(BASES))
    others[known, stretches.arrays.expected[known]] = 0
    common = np.zeros(len(depth), bool)
    common[known] = True
    common &= free & (others.max(axis=1, initial=0) >= COMMON_SHARE * depth)
    return np.flatnonzero(common)


def _found(
    place: int, stretches: Stretches, counts: BackgroundCounts
) -> IdentityCounts:
    """Describe a position by its reference and its commonest other base."""
    index = int(np.searchsorted(stretches.arrays.first, place, side="right")) - 1
    shift = place - int(stretches.arrays.first[index])
    ref = int(stretches.arrays.expected[place])
    seen = counts.bases[place].tolist()
    alt = max((base for base in range(4) if base != ref), key=lambda base: seen[base])
    return IdentityCounts(
        contig=stretches.contigs[index],
        position=int(stretches.arrays.low[index]) + shift + 1,
        ref=BASES[ref],
        alt=BASES[alt],
        genotype=None,
        ref_molecules=seen[ref],
        alt_molecules=seen[alt],
        other_molecules=sum(seen) - seen[ref] - seen[alt],
        source="reads",
    )


def _checksum(held: IdentityCounts) -> tuple[int, str, int]:
    name = f"{held.contig}:{held.position}"
    return zlib.crc32(name.encode()), held.contig, held.position


def _searched(
    stretches: Stretches, depth: Ints, free: Mask
) -> tuple[SearchedStretch, ...]:
    """Give the runs of positions that were read deeply enough to be searched."""
    first = stretches.arrays.first
    opens = np.zeros(len(free) + 1, bool)
    opens[first] = True
    behind = np.concatenate(([False], free[:-1])) & ~opens[:-1]
    ahead = np.concatenate((free[1:], [False])) & ~opens[1:]
    starts, ends = np.flatnonzero(free & ~behind), np.flatnonzero(free & ~ahead)
    if len(starts) == 0:
        return ()
    lowest = np.minimum.reduceat(np.where(free, depth, depth.max()), starts)
    index = np.searchsorted(first, starts, side="right") - 1
    shift = stretches.arrays.low[index] - first[index] + 1
    columns = (index, starts + shift, ends + shift, lowest)
    return tuple(
        SearchedStretch(contig=stretches.contigs[i], start=start, end=end, molecules=n)
        for i, start, end, n in zip(*(c.tolist() for c in columns), strict=True)
    )
