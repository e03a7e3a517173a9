"""Series: visits that may be compared, since tissue, metric and method are the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from mrdtrack.follow_up.timeline import TimelineVisit
from mrdtrack.levels.result import Specimen
from mrdtrack.protocols.vocabulary import name_time_point

DETECTED = frozenset({"quantified", "detected_below_loq"})
NOT_DETECTED = frozenset({"not_detected", "insufficient_sensitivity"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesKey:
    """What visits must share to be compared: "same tissue, same assay"."""

    specimen: Specimen | None
    metric: str
    source: Literal["mrdtrack", "external"]
    method: str | None
    target: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Visits of one key in date order; `baseline` and `nadir` are places in it."""

    key: SeriesKey
    visits: tuple[TimelineVisit, ...]
    baseline: int | None
    baseline_is_diagnosis: bool
    nadir: int | None


def is_detected(visit: TimelineVisit) -> bool:
    """Tell whether leukaemia was seen, quantifiable or not."""
    return visit.call in DETECTED


def is_adequate(visit: TimelineVisit) -> bool:
    """Tell whether a visit can be a nadir.

    Detected with a value, or not detected by a sample whose limit of detection is
    known and met what was required of it.
    """
    if is_detected(visit):
        return visit.value is not None and visit.value > 0
    return visit.call == "not_detected" and visit.lod95 is not None


def count_days(earlier: str, later: str) -> int:
    """Count the days between two ISO dates."""
    return (date.fromisoformat(later) - date.fromisoformat(earlier)).days


def split_series(
    visits: Sequence[TimelineVisit], baseline_sample: str | None = None
) -> tuple[Series, ...]:
    """Split visits in date order into series, each with its baseline and nadir.

    The baseline is the sample named, else the one labelled as diagnosis, else the
    first evaluable sample of the series if leukaemia was detected in it. A named sample
    counts as one of the diagnosis unless its label says another time point.
    """
    grouped: dict[SeriesKey, list[TimelineVisit]] = {}
    for visit in visits:
        key = SeriesKey(
            specimen=visit.specimen,
            metric=visit.metric,
            source=visit.source,
            method=visit.method,
            target=visit.target,
        )
        grouped.setdefault(key, []).append(visit)
    return tuple(
        _build_series(key, tuple(members), baseline_sample)
        for key, members in grouped.items()
    )


def _build_series(
    key: SeriesKey, visits: tuple[TimelineVisit, ...], baseline_sample: str | None
) -> Series:
    baseline, is_diagnosis = _find_baseline(visits, baseline_sample)
    return Series(
        key=key,
        visits=visits,
        baseline=baseline,
        baseline_is_diagnosis=is_diagnosis,
        nadir=find_nadir(visits),
    )


def _find_baseline(
    visits: Sequence[TimelineVisit], baseline_sample: str | None
) -> tuple[int | None, bool]:
    usable = [
        place
        for place, visit in enumerate(visits)
        if is_detected(visit) and visit.value is not None and visit.value > 0
    ]
    for place in usable:
        if visits[place].sample == baseline_sample:
            label = name_time_point(visits[place].timepoint)
            return place, label in (None, "diagnosis")
    for place in usable:
        if name_time_point(visits[place].timepoint) == "diagnosis":
            return place, True
    evaluable = [
        place
        for place, visit in enumerate(visits)
        if is_detected(visit) or visit.call in NOT_DETECTED
    ]
    if evaluable and evaluable[0] in usable:
        return evaluable[0], False
    return None, False


def find_nadir(visits: Sequence[TimelineVisit]) -> int | None:
    """Find the lowest adequate sample of a series; the earliest among equals.

    A sample without detection lies below every detected one, whatever its limit; among
    several the one that could see least leukaemia is the nadir.
    """
    ranked = [
        (is_detected(visit), _depth(visit), place)
        for place, visit in enumerate(visits)
        if is_adequate(visit)
    ]
    return min(ranked)[2] if ranked else None


def _depth(visit: TimelineVisit) -> float:
    shown = visit.value if is_detected(visit) else visit.lod95
    return shown if shown is not None else float("inf")
