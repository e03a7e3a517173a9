"""Germline alleles: at the panel's positions, and where the reads show common ones.

Both come from the background's tally, which counts the molecules that show each base
at each position; nothing is read for them alone but the panel's positions.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from mrdtrack.counting.background import Stretches
from mrdtrack.counts import IdentityCounts, SearchedStretch
from mrdtrack.kernels.background import BackgroundCounts
from mrdtrack.panel.model import IdentityPosition

COMMON_SHARE: Final = 0.15
"""Share from which an allele is taken for one the person has, not for an error."""
LEAST_MOLECULES: Final = 20
MOST_FOUND: Final = 300
"""Positions kept; more tell no more of who it is, and too much of who he or she is."""
BASES: Final = "ACGT"


@dataclass(frozen=True, slots=True, kw_only=True)
class GermlineAlleles:
    """What the reads show of the person, and where more was looked for."""

    identity: tuple[IdentityCounts, ...]
    searched: tuple[SearchedStretch, ...]


class Site(NamedTuple):
    """One position (0-based) and the molecules that show each base there."""

    contig: str
    position: int
    ref: str
    molecules: tuple[int, int, int, int]


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
    found = [site for site in _free_sites(stretches, counts) if _is_common(site)]
    # By a checksum of the place, so that all visits keep nearly the same ones; absent
    # ones then say nothing, so nothing is claimed to have been searched.
    kept = set(sorted(found, key=_checksum)[:MOST_FOUND])
    whole = len(kept) == len(found)
    searched = tuple(_searched(stretches, counts)) if whole else ()
    found = [site for site in found if site in kept]
    return GermlineAlleles(
        identity=given + tuple(_found(site) for site in found), searched=searched
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
    """Find a position's place among all positions of the stretches."""
    arrays = stretches.arrays
    for index, contig in enumerate(stretches.contigs):
        shift = position.position - 1 - int(arrays.low[index])
        size = int(arrays.high[index] - arrays.low[index])
        if contig == position.contig and 0 <= shift < size:
            return int(arrays.first[index]) + shift
    return None


def _free_sites(stretches: Stretches, counts: BackgroundCounts) -> Iterator[Site]:
    """Give the positions that are no marker's and that enough molecules show."""
    deep = counts.bases.sum(axis=1) >= LEAST_MOLECULES
    for index, contig in enumerate(stretches.contigs):
        first, last = stretches.arrays.first[index : index + 2].tolist()
        low = int(stretches.arrays.low[index])
        free = deep[first:last] & ~stretches.of_marker[first:last]
        for shift in np.flatnonzero(free).tolist():
            a, c, g, t = counts.bases[first + shift].tolist()
            ref = stretches.bases[index][shift + 1]
            yield Site(contig, low + shift, ref, (a, c, g, t))


def _is_common(site: Site) -> bool:
    alt = _commonest_alt(site)
    share = site.molecules[BASES.index(alt)] / sum(site.molecules)
    return site.ref in BASES and share >= COMMON_SHARE


def _commonest_alt(site: Site) -> str:
    others = [base for base in BASES if base != site.ref]
    return max(others, key=lambda base: site.molecules[BASES.index(base)])


def _checksum(site: Site) -> tuple[int, str, int]:
    name = f"{site.contig}:{site.position}"
    return zlib.crc32(name.encode()), site.contig, site.position


def _found(site: Site) -> IdentityCounts:
    alt = _commonest_alt(site)
    of_ref = site.molecules[BASES.index(site.ref)]
    of_alt = site.molecules[BASES.index(alt)]
    return IdentityCounts(
        contig=site.contig,
        position=site.position + 1,
        ref=site.ref,
        alt=alt,
        genotype=None,
        ref_molecules=of_ref,
        alt_molecules=of_alt,
        other_molecules=sum(site.molecules) - of_ref - of_alt,
        source="reads",
    )


def _searched(
    stretches: Stretches, counts: BackgroundCounts
) -> Iterator[SearchedStretch]:
    """Give the runs of positions that were read deeply enough to be searched."""
    run: list[Site] = []
    for site in _free_sites(stretches, counts):
        if run and (site.contig, site.position - 1) != (
            run[-1].contig,
            run[-1].position,
        ):
            yield _run(run)
            run = []
        run.append(site)
    if run:
        yield _run(run)


def _run(sites: Sequence[Site]) -> SearchedStretch:
    return SearchedStretch(
        contig=sites[0].contig,
        start=sites[0].position + 1,
        end=sites[-1].position + 1,
        molecules=min(sum(site.molecules) for site in sites),
    )
