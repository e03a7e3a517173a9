"""The joint counts of a group of markers, as the bench or a counts table tells them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from mrdtrack.counts import GroupCounts, MarkerCounts
from mrdtrack.findings import REASONS

ERROR_CLASS: Final = "mnv"
"""What joint alleles are judged by: several bases changed at once, as in an MNV.

Errors at several places of one molecule are far rarer than at one (Kurtz et al. 2021,
doi:10.1038/s41587-021-00981-w). How rare is not told by the non-marker positions, so
the class claims no more of them than is claimed of an MNV; controls can tell."""


class JointNumbers(NamedTuple):
    """The molecules of a group that show two or more of its markers."""

    alt: int
    ref: int
    ambiguous: int
    other: int


def joint_counts(
    group: str,
    members: Sequence[MarkerCounts],
    counted: JointNumbers | None,
    why_not: str = "group_not_shown",
) -> GroupCounts:
    """Make the joint counts of a group from those of its members.

    `why_not` is the reason (a code) where nothing was `counted`.
    """
    told = 0 if counted is None else counted.alt + counted.ref + counted.other
    numbers = (
        dict.fromkeys(JointNumbers._fields) if counted is None else counted._asdict()
    )
    genes = {member.gene for member in members}
    return GroupCounts(
        marker=f"group:{group}",
        kind="small_variant",
        **numbers,
        molecules=None if counted is None else sum(counted),
        molecule_mode=members[0].molecule_mode,
        denominator_kind="molecules_at_locus",
        denominator=None if counted is None else told,
        error_class=ERROR_CLASS,
        assessable=told > 0,
        reason="" if told else REASONS[why_not],
        reason_code="" if told else why_not,
        group=group,
        gene=genes.pop() if len(genes) == 1 else None,
        signal_ratio=min(member.signal_ratio for member in members),
        members=tuple(member.marker for member in members),
    )
