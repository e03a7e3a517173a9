"""Where everything of the timeline chart stands, in SVG units.

The drawing's meaning is fixed: log scale; an interval bar and a tick at the limit of
detection for each visit; tissue by shape; not detected an open triangle at its limit;
insufficient sensitivity an open square at its limit; not evaluable a cross below the
axis; the line broken where a visit says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from mrdtrack.follow_up.timeline import Timeline, TimelineVisit, Treatment
from mrdtrack.reports.inert_text import shortened
from mrdtrack.reports.level_text import DETECTED, FRACTIONS

_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)
_LANE = 18.0
_LABEL = 13.0
_MARGIN = 14.0  # keeps the first and last visit off the ends of the axis
_ONE_DAY = frozenset({"transplant", "hsct", "dli"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One visit in the drawing; heights are None where there is no such number.

    `shape` is `detected`, `not_detected`, `insufficient` or `not_evaluable`.
    """

    visit: TimelineVisit
    shape: str
    x: float
    y: float
    low: float | None
    high: float | None
    lod: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One span of treatment; `label` stands `inside`, `before` or `after` it."""

    name: str
    x: float
    y: float
    width: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A protocol's threshold on the metric of the axis, and the height of its label."""

    y: float
    value: float
    label_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """The whole drawing."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    metric: str
    decades: tuple[tuple[float, int], ...]
    months: tuple[tuple[float, str], ...]
    marks: tuple[Mark, ...]
    lines: tuple[tuple[str | None, tuple[tuple[float, float], ...]], ...]
    bars: tuple[Bar, ...]
    thresholds: tuple[Threshold, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Days:
    first: date
    days: float
    left: float
    right: float

    def x(self, day: date) -> float:
        share = (day - self.first).days / self.days
        room = self.right - self.left - 2 * _MARGIN
        return round(self.left + _MARGIN + share * room, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    across: _Days
    top: float
    bottom: float
    low: int
    high: int

    def y(self, value: float) -> float:
        share = (self.high - math.log10(value)) / (self.high - self.low)
        inside = min(max(share, 0.0), 1.0)
        return round(self.top + inside * (self.bottom - self.top), 1)


def chart_metric(timeline: Timeline) -> str | None:
    """Choose the axis: mrdtrack's own metric that most visits are on."""
    names = [visit.metric for visit in timeline.visits if visit.metric in FRACTIONS]
    return max(sorted(set(names)), key=names.count) if names else None


def geometry(timeline: Timeline, metric: str, width: float) -> Geometry:
    """Lay the chart of one metric out in a given width (units are CSS pixels)."""
    visits = [visit for visit in timeline.visits if visit.metric == metric]
    thresholds = _thresholds(timeline, metric)
    days = [date.fromisoformat(visit.date) for visit in visits]
    first, last = min(days), max(days)
    low, high = _decades(visits, thresholds)
    narrow = width < 600
    across = _Days(
        first=first,
        days=max((last - first).days, 1),
        left=54.0 if narrow else 64.0,
        right=width - (40.0 if narrow else 104.0),
    )
    bars = _bars(timeline, first, last, across.x)
    top = max((bar.y for bar in bars), default=0.0) + 34.0
    scale = _Scale(
        across=across,
        top=top,
        bottom=top + (240.0 if narrow else 280.0),
        low=low,
        high=high,
    )
    marks = tuple(_mark(visit, scale) for visit in visits)
    return Geometry(
        width=width,
        height=scale.bottom + 62.0,
        left=across.left,
        right=across.right,
        top=scale.top,
        bottom=scale.bottom,
        metric=metric,
        decades=tuple((scale.y(10.0**e), e) for e in range(low, high + 1)),
        months=_months(first, last, across, 4 if narrow else 8),
        marks=marks,
        lines=_lines(marks),
        bars=bars,
        thresholds=_placed(thresholds, scale),
    )


def _thresholds(timeline: Timeline, metric: str) -> list[float]:
    """Give the thresholds of the metric, and those that the kinetics head for."""
    found = {item.value for item in timeline.thresholds if item.metric == metric}
    found |= {
        course.threshold
        for course in timeline.kinetics
        if course.metric == metric and course.threshold
    }
    return sorted(found)


def _placed(values: list[float], scale: _Scale) -> tuple[Threshold, ...]:
    """Place thresholds; a label keeps clear of the one below it."""
    placed: list[Threshold] = []
    for value in values:
        y = scale.y(value)
        free = placed[-1].label_y - _LABEL if placed else y
        placed.append(Threshold(y=y, value=value, label_y=round(min(y, free), 1)))
    return tuple(placed)


def _decades(visits: list[TimelineVisit], more: list[float]) -> tuple[int, int]:
    values = [
        value
        for visit in visits
        for value in (visit.value, visit.low, visit.high, visit.lod95)
        if value
    ]
    logs = [math.log10(value) for value in [*values, *more]] or [-5.0, 0.0]
    low, high = math.floor(min(logs)), math.ceil(max(logs))
    if any(math.log10(value) < low + 0.1 for value in more):
        low -= 1  # a threshold is told from the axis
    low = max(low, -9)
    return (low, high) if high - low >= 2 else (low - 1, high + 1)


def _mark(visit: TimelineVisit, scale: _Scale) -> Mark:
    shape = _shape(visit)
    height = {
        "detected": visit.value,
        "not_detected": visit.lod95,
        "insufficient": visit.lod95,
    }.get(shape)
    whole = shape == "detected" and visit.low is not None and visit.high is not None
    return Mark(
        visit=visit,
        shape=shape,
        x=scale.across.x(date.fromisoformat(visit.date)),
        y=scale.y(height) if height else scale.bottom + 14.0,
        low=scale.y(visit.low or 10.0**scale.low) if whole else None,
        high=scale.y(visit.high) if whole and visit.high else None,
        lod=scale.y(visit.lod95) if visit.lod95 else None,
    )


def _shape(visit: TimelineVisit) -> str:
    if visit.value and (visit.call in DETECTED or visit.call is None):
        return "detected"
    if visit.lod95 and visit.call == "not_detected":
        return "not_detected"
    if visit.lod95 and visit.call == "insufficient_sensitivity":
        return "insufficient"
    return "not_evaluable"


def _lines(
    marks: tuple[Mark, ...],
) -> tuple[tuple[str | None, tuple[tuple[float, float], ...]], ...]:
    """Join the visits of one tissue and source, and break where one says nothing."""
    series = sorted({(m.visit.specimen or "", m.visit.source) for m in marks})
    lines = []
    for specimen, source in series:
        run: list[tuple[float, float]] = []
        of_series = [
            m
            for m in marks
            if (m.visit.specimen or "", m.visit.source) == (specimen, source)
        ]
        for mark in [*of_series, None]:
            if mark is not None and mark.shape in {"detected", "not_detected"}:
                run.append((mark.x, mark.y))
                continue
            if len(run) > 1:
                lines.append((specimen or None, tuple(run)))
            run = []
    return tuple(lines)


def _months(
    first: date, last: date, across: _Days, most: int
) -> tuple[tuple[float, str], ...]:
    count = (last.year - first.year) * 12 + last.month - first.month
    step = next((s for s in _MONTH_STEPS if count / s <= most), _MONTH_STEPS[-1])
    ticks = []
    for number in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        year, month = divmod(number, 12)
        day = date(year, month + 1, 1)
        if number % step == 0 and first <= day <= last:
            ticks.append((across.x(day), f"{year:04d}-{month + 1:02d}"))
    return tuple(ticks) or ((across.x(first), first.isoformat()),)


def _bars(
    timeline: Timeline, first: date, last: date, x_of: Callable[[date], float]
) -> tuple[Bar, ...]:
    """Cut the treatments to the days shown, and stack what would overlap.

    A label that does not fit into its bar stands beside it, where there is more room.
    """
    ends_of_lanes: list[float] = []
    bars = []
    right = x_of(last)
    for treatment in sorted(timeline.treatments, key=lambda t: (t.start, t.name)):
        start, end = _span(treatment, last)
        if start > last or end < first:
            continue
        x = x_of(max(start, first))
        width = max(round(x_of(min(end, last)) - x, 1), 4.0)
        text = shortened(treatment.name, 24 if x_of(last) < 600 else 36)
        room = len(text) * 6.2 + 8
        inside = room < width
        before = not inside and x + width + room > right + 30
        begin = x - room if before else x
        lane = next(
            (i for i, used in enumerate(ends_of_lanes) if used <= begin),
            len(ends_of_lanes),
        )
        ends_of_lanes[lane : lane + 1] = [
            x + width if inside or before else x + width + room
        ]
        place = "inside" if inside else "before" if before else "after"
        bars.append(Bar(name=text, x=x, y=_lane_y(lane), width=width, label=place))
    return tuple(bars)


def _span(treatment: Treatment, last: date) -> tuple[date, date]:
    """Give first and last day; without an end it lasts, but a transplant is one day."""
    start = date.fromisoformat(treatment.start)
    if treatment.end:
        return start, date.fromisoformat(treatment.end)
    return start, start if treatment.kind in _ONE_DAY else last


def _lane_y(lane: int) -> float:
    return 8.0 + _LANE * lane
