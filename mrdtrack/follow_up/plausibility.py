"""Visits that are hardly believable beside the others of the same patient."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

from mrdtrack.counts import QualityFinding
from mrdtrack.findings import finding
from mrdtrack.follow_up.timeline import TimelineVisit
from mrdtrack.levels.result import VisitResult

DEPTH_FOLD: Final = 5.0
"""A visit with so many times fewer, or more, molecules than the others usually have."""
LEAST_OTHERS: Final = 2
JUMP: Final = 1.0
"""log10 of a rise that markers should agree on (one log is a molecular relapse)."""
_DISAGREEMENTS: Final = frozenset({"marker_disagreement", "one_marker_alone"})


def add_plausibility(
    visits: Sequence[TimelineVisit], results: Sequence[VisitResult]
) -> list[TimelineVisit]:
    """Tell what stands out beside the patient's other visits."""
    depths = _depths(visits, results)
    return [
        visit.model_copy(
            update={"quality": visit.quality + _depth(visit, depths) + _jump(visit)}
        )
        for visit in visits
    ]


def _depths(
    visits: Sequence[TimelineVisit], results: Sequence[VisitResult]
) -> dict[str, tuple[str, float]]:
    """Give molecule mode and median depth of the visits that may be compared.

    A diagnosis is often sequenced otherwise than the follow-up, so a baseline is none.
    """
    baselines = {visit.sample for visit in visits if visit.baseline}
    usable = {visit.sample for visit in visits if visit.call != "not_evaluable"}
    found: dict[str, tuple[str, float]] = {}
    for result in results:
        counted = [
            marker.denominator
            for marker in result.markers
            if marker.role == "level" and marker.assessable and marker.denominator
        ]
        if counted and result.sample in usable - baselines:
            found[result.sample] = (result.molecule_mode, statistics.median(counted))
    return found


def _depth(
    visit: TimelineVisit, depths: dict[str, tuple[str, float]]
) -> tuple[QualityFinding, ...]:
    if visit.sample not in depths or visit.source != "mrdtrack":
        return ()
    mode, own = depths[visit.sample]
    others = [
        depth
        for sample, (other, depth) in depths.items()
        if sample != visit.sample and other == mode
    ]
    if len(others) < LEAST_OTHERS:
        return ()
    usual = statistics.median(others)
    if usual / DEPTH_FOLD < own < usual * DEPTH_FOLD:
        return ()
    return (
        finding(
            "depth_unlike_others",
            "warning",
            n_molecules=round(own),
            n_usual=round(usual),
        ),
    )


def _jump(visit: TimelineVisit) -> tuple[QualityFinding, ...]:
    change = visit.change_from_previous
    if change is None or change.log10 is None or change.log10.value < JUMP:
        return ()
    if not _DISAGREEMENTS & {found.code for found in visit.quality}:
        return ()
    return (
        finding(
            "jump_by_one_marker",
            "warning",
            n_fold=round(10**change.log10.value),
            sample=change.from_sample,
        ),
    )
