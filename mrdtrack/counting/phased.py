"""Phased markers: which of a panel's groups are counted together, and their counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mrdtrack.counting.joint_molecules import LEAST_SHOWN
from mrdtrack.counting.molecules import GroupedMolecules
from mrdtrack.counts import GroupCounts, MarkerCounts
from mrdtrack.joint_counts import JointNumbers, joint_counts
from mrdtrack.kernels.arrays import Ints
from mrdtrack.kernels.molecules import ALT, AMBIGUOUS, OTHER, REF
from mrdtrack.kernels.near_records import MATE_REACH
from mrdtrack.panel.haplotypes import MarkerHaplotypes
from mrdtrack.panel.model import Marker, SmallVariant

SMALL = frozenset({"substitution", "small_indel"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasedGroup:
    """Markers of one group that may drive a level, in panel order.

    `places` are theirs among the located markers; empty where they cannot be counted
    together, with the code of the reason in `why_not`.
    """

    name: str
    members: tuple[str, ...]
    places: tuple[int, ...] = ()
    why_not: str = ""


def phased_groups(
    markers: Sequence[Marker], located: Sequence[tuple[Marker, MarkerHaplotypes]]
) -> tuple[PhasedGroup, ...]:
    """Gather the groups of a panel; members of `role = "report_only"` stay apart."""
    by_name: dict[str, list[Marker]] = {}
    for marker in markers:
        if marker.group is not None and marker.role == "level":
            by_name.setdefault(marker.group, []).append(marker)
    place_of = {marker.id: place for place, (marker, _) in enumerate(located)}
    found = []
    for name, members in by_name.items():
        if len(members) < LEAST_SHOWN:
            continue
        places = tuple(place_of[m.id] for m in members if m.id in place_of)
        haplotypes = [located[place][1] for place in places]
        why_not = _why_not(members, haplotypes)
        found.append(
            PhasedGroup(
                name=name,
                members=tuple(member.id for member in members),
                places=() if why_not else places,
                why_not=why_not,
            )
        )
    return tuple(found)


def _why_not(members: Sequence[Marker], haplotypes: Sequence[MarkerHaplotypes]) -> str:
    """Say by its code why members cannot be counted together, if so."""
    if any(not isinstance(member, SmallVariant) for member in members):
        return "group_not_small"
    if len(haplotypes) < len(members):
        return "not_aligned"
    if any(one.event not in SMALL for one in haplotypes):
        return "group_not_small"
    spans = sorted(_span(one) for one in haplotypes)
    for (contig, _, end), (next_contig, start, _) in pairwise(spans):
        if contig != next_contig or start - end > MATE_REACH:
            return "group_apart"
        if start < end:
            return "group_overlaps"
    return ""


def _span(haplotypes: MarkerHaplotypes) -> tuple[str, int, int]:
    """Give the reference positions [start, end) that an event may change."""
    sides = haplotypes.adjacency.left, haplotypes.adjacency.right
    start, end = sorted(side.boundary for side in sides)
    end += haplotypes.adjacency.homology
    return sides[0].contig, start, max(end, start + 1)


def group_of_markers(groups: Sequence[PhasedGroup], n_markers: int) -> Ints:
    """Give the number of the group that each located marker is counted in, or -1."""
    of_marker = np.full(n_markers, -1, np.int64)
    for number, group in enumerate(groups):
        of_marker[list(group.places)] = number
    return of_marker


def tally_group(
    group: PhasedGroup,
    index: int,
    grouped: GroupedMolecules,
    rows: Mapping[int, MarkerCounts],
) -> GroupCounts:
    """Count the molecules of one group, which are those of marker `index`.

    `rows` are the counts of the located markers, by their places.
    """
    chosen = grouped.molecules.marker == index
    counts = np.bincount(grouped.molecules.kind[chosen], minlength=4)
    numbers = JointNumbers(*(int(counts[k]) for k in (ALT, REF, AMBIGUOUS, OTHER)))
    return joint_counts(group.name, [rows[place] for place in group.places], numbers)
