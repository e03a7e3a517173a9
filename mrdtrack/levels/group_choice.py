"""Whether a level rests on a group's joint count or on one marker of the group."""

from __future__ import annotations

from typing import NamedTuple

from mrdtrack.counts import GroupCounts, QualityFinding, SampleCounts
from mrdtrack.findings import finding
from mrdtrack.levels.judged_markers import JudgedMarkers, RunContext, judged_markers
from mrdtrack.levels.level_markers import excluded, informative, most_informative
from mrdtrack.levels.neighbours import SiteCounts
from mrdtrack.levels.visit_facts import LevelSettings

DOUBT = 0.01
"""Part of alpha at which one marker of a group speaks against the joint count.

So much is added to the false positives at most, for each marker of the group."""


class GroupChoice(NamedTuple):
    """The joint counts a level rests on, by name, and what was found on the way."""

    together: frozenset[str]
    findings: tuple[QualityFinding, ...]


def choose_groups(
    sample: SampleCounts,
    sites: SiteCounts,
    settings: LevelSettings,
    context: RunContext,
) -> GroupChoice:
    """Choose a group's joint count where it sees lower levels than its best marker.

    `sample` holds the joint counts among its markers. Not chosen is one that cannot be
    assessed, that holds a marker kept out of the level, or that a marker contradicts:
    detected beyond doubt, where the joint count detects nothing and cannot be as high.
    """
    together: set[str] = set()
    findings: list[QualityFinding] = []
    for place, group in enumerate(sample.markers):
        if not isinstance(group, GroupCounts):
            continue
        members = [
            p
            for p, marker in enumerate(sample.markers)
            if marker.marker in group.members
            and informative(marker)
            and not excluded(marker, settings)
        ]
        if not group.assessable or len(members) < len(group.members):
            reason = group.reason_code or "group_member_out"
            findings.append(_told("group_uncounted", group, reason=reason))
            continue
        joint = judged_markers(sample, (place,), sites, settings, context)
        apart = judged_markers(sample, members, sites, settings, context)
        if joint is None or apart is None:
            continue
        said = _compared(group, sample, joint, apart, settings)
        if said.code == "group_counted_together":
            together.add(group.marker)
        findings.append(said)
    return GroupChoice(frozenset(together), tuple(findings))


def _compared(
    group: GroupCounts,
    sample: SampleCounts,
    joint: JudgedMarkers,
    apart: JudgedMarkers,
    settings: LevelSettings,
) -> QualityFinding:
    """Say which of them the level rests on, and why."""
    together, alone = joint.numbers, apart.numbers
    strongest = int(alone.p_value.argmin())
    doubt = alone.p_value[strongest] <= DOUBT * settings.alpha
    nothing = together.p_value[0] > settings.alpha
    if doubt and nothing and together.high[0] < alone.low[strongest]:
        return finding(
            "group_contradicted",
            "warning",
            group=group.group or "",
            marker=sample.markers[apart.places[strongest]].marker,
        )
    best = most_informative(sample.markers, apart.places)
    limits = {
        "rate": float(together.lod95[0]),
        "rate_alone": float(alone.lod95[apart.places.index(best)]),
    }
    better = limits["rate"] <= limits["rate_alone"]
    return finding(
        "group_counted_together" if better else "group_less_sensitive",
        "info",
        group=group.group or "",
        markers=group.members,
        marker=sample.markers[best].marker,
        **limits,
    )


def _told(code: str, group: GroupCounts, **values: str) -> QualityFinding:
    return finding(
        code, "info", group=group.group or "", markers=group.members, **values
    )
