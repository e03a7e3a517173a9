"""A single result, and each of its markers, seen as a visit of a timeline.

So every format writes levels, limits and calls by the same words.
"""

from __future__ import annotations

from mrdtrack.follow_up.timeline import TimelineVisit
from mrdtrack.levels.result import MarkerResult, VisitResult


def as_visit(result: VisitResult) -> TimelineVisit:
    """See a sample's level as a visit."""
    level = result.level
    return TimelineVisit(
        sample=result.sample,
        date=result.date or "",
        specimen=result.specimen,
        timepoint=result.timepoint,
        source="mrdtrack",
        metric=level.metric,
        value=level.value,
        low=level.low,
        high=level.high,
        lod95=level.lod95,
        loq=level.loq,
        required_sensitivity=level.required_sensitivity,
        call=level.call,
        reason=level.reason,
        quality=result.quality,
        markers=result.markers,
    )


def marker_as_visit(marker: MarkerResult, visit: TimelineVisit) -> TimelineVisit:
    """See one marker of a visit as if the visit had nothing else."""
    return TimelineVisit(
        sample=visit.sample,
        date=visit.date,
        specimen=visit.specimen,
        timepoint=None,
        source="mrdtrack",
        metric=visit.metric,
        value=marker.fraction,
        low=marker.fraction_low,
        high=marker.fraction_high,
        lod95=marker.lod95,
        loq=None,
        required_sensitivity=visit.required_sensitivity,
        call=marker.call,
    )
