"""What became of each marker: lost, stable, rising, falling, emerging, or unclear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mrdtrack.counts import QualityFinding
from mrdtrack.findings import finding
from mrdtrack.follow_up.change import judge_equal
from mrdtrack.follow_up.series import Series, is_detected
from mrdtrack.follow_up.timeline import MarkerCourse, TimelineVisit
from mrdtrack.follow_up.wording import Sentence
from mrdtrack.levels.result import MarkerResult

ALPHA = 0.01
"""Level of the test of one marker; nothing here drives a flag."""

EXPECTED_TO_BE_SEEN = 4.605170185988091
"""-ln(0.01): so many expected molecules are missed by chance once in a hundred."""


Status = Literal["stable", "lost", "rising", "falling", "emerging", "unclear"]


class _Counted(NamedTuple):
    alt: int
    molecules: int


def describe_markers(series: Series) -> tuple[MarkerCourse, ...]:
    """Describe each marker of a series, in panel order of its first appearance."""
    visits = [v for v in series.visits if v.markers]
    if len(visits) < 2:
        return ()
    seen: dict[str, MarkerResult] = {}
    for visit in visits:
        for marker in visit.markers:
            seen.setdefault(marker.marker, marker)
    return tuple(_describe_marker(marker, visits) for marker in seen.values())


def _count(visit: TimelineVisit, name: str) -> _Counted | None:
    for marker in visit.markers:
        if marker.marker == name and marker.assessable:
            if marker.alt is None or not marker.denominator:
                return None
            return _Counted(marker.alt, marker.denominator)
    return None


def _describe_marker(
    marker: MarkerResult, visits: Sequence[TimelineVisit]
) -> MarkerCourse:
    counted = [(v, c) for v in visits if (c := _count(v, marker.marker)) is not None]
    status, because = _judge(marker.marker, counted)
    return MarkerCourse(
        marker=marker.marker,
        gene=marker.gene,
        role=marker.role,
        status=status,
        because=because.en,
        because_fr=because.fr,
    )


def _judge(
    name: str, counted: Sequence[tuple[TimelineVisit, _Counted]]
) -> tuple[Status, Sentence]:
    if len(counted) < 2:
        return "unclear", Sentence(
            "assessed at fewer than two visits", "évalué à moins de deux visites"
        )
    first, (last_visit, last) = counted[0][1], counted[-1]
    told = _tell_counts(first, counted[-2][1], last)
    if _is_lost(name, first, last_visit, last):
        return "lost", Sentence(
            f"absent while the other markers are seen: {told.en}",
            f"absent alors que les autres marqueurs sont vus : {told.fr}",
        )
    if first.alt == 0 and last.alt == 0:
        return "unclear", Sentence(
            f"no molecule at the first nor the last visit: {told.en}",
            f"aucune molécule à la première ni à la dernière visite : {told.fr}",
        )
    lowest = min((c for _, c in counted[:-1]), key=_share)
    return _judge_direction(first, lowest, last), told


def _judge_direction(first: _Counted, lowest: _Counted, last: _Counted) -> Status:
    if _share(last) > _share(lowest) and _differs(lowest, last):
        return "emerging" if first.alt == 0 else "rising"
    if _share(last) < _share(first) and _differs(first, last):
        return "falling"
    return "stable"


def _share(counted: _Counted) -> float:
    return counted.alt / counted.molecules


def _differs(earlier: _Counted, later: _Counted) -> bool:
    p_value = judge_equal(earlier, later)
    return p_value is not None and p_value < ALPHA


def _is_lost(
    name: str, first: _Counted, last_visit: TimelineVisit, last: _Counted
) -> bool:
    """Tell whether a marker is absent where the clone should show it."""
    if last.alt > 0 or first.alt == 0 or not is_detected(last_visit):
        return False
    alt = molecules = 0
    for marker in last_visit.markers:
        if marker.marker == name or marker.role != "level" or not marker.assessable:
            continue
        alt += marker.alt or 0
        molecules += marker.denominator or 0
    if not molecules:
        return False
    return last.molecules * alt / molecules >= EXPECTED_TO_BE_SEEN


def _tell_counts(first: _Counted, previous: _Counted, last: _Counted) -> Sentence:
    en = (
        f"{first.alt} of {first.molecules} molecules first, {previous.alt} of "
        f"{previous.molecules} before, {last.alt} of {last.molecules} last"
    )
    fr = (
        f"{first.alt} molécules sur {first.molecules} d'abord, {previous.alt} sur "
        f"{previous.molecules} avant, {last.alt} sur {last.molecules} à la fin"
    )
    return Sentence(en, fr)


def find_disagreement(
    baseline: TimelineVisit | None, visit: TimelineVisit
) -> QualityFinding | None:
    """Find whether the markers of one visit tell different levels.

    Each marker against the rest: its share of the marker-bearing molecules now, against
    its share at the baseline (Fisher's exact test) or, without a baseline, against its
    share of the molecules looked at (exact binomial test); Bonferroni over the markers.
    Source: Fisher RA, J R Stat Soc 1922;85:87 (doi 10.2307/2340521).
    """
    now = _level_counts(visit)
    if len(now) < 2 or not is_detected(visit):
        return None
    before = _level_counts(baseline) if baseline is not None else {}
    smallest, culprit = 1.0, ""
    for name in now:
        p_value = _marker_p(name, now, before)
        if p_value < smallest:
            smallest, culprit = p_value, name
    corrected = smallest * len(now)
    if corrected >= ALPHA:
        return None
    return finding("marker_disagreement", "warning", marker=culprit, p_value=corrected)


def _level_counts(visit: TimelineVisit) -> dict[str, _Counted]:
    return {
        m.marker: _Counted(m.alt, m.denominator)
        for m in visit.markers
        if m.role == "level" and m.assessable and m.alt is not None and m.denominator
    }


def _marker_p(
    name: str, now: dict[str, _Counted], before: dict[str, _Counted]
) -> float:
    shared = [other for other in now if other != name and other in before]
    if name in before and shared:
        first_rest = sum(before[other].alt for other in shared)
        if before[name].alt and first_rest:
            rest = sum(now[other].alt for other in shared)
            table = (before[name].alt, first_rest, now[name].alt, rest)
            return fisher_exact(*table) if _could_differ(*table) else 1.0
    alt = sum(c.alt for c in now.values())
    molecules = sum(c.molecules for c in now.values())
    others = alt - now[name].alt
    p_value = judge_equal(_Counted(others, molecules - now[name].molecules), now[name])
    return 1.0 if p_value is None else p_value


def _could_differ(a: int, b: int, c: int, d: int) -> bool:
    """Tell quickly whether the exact test of a table could come near 0.01.

    Pearson's chi-square below 1 (p = 0.32) never does; the exact test is dear where
    the diagnosis has thousands of molecules.
    """
    total = a + b + c + d
    product = (a + b) * (c + d) * (a + c) * (b + d)
    return product == 0 or total * (a * d - b * c) ** 2 / product >= 1


def fisher_exact(a: int, b: int, c: int, d: int) -> float:
    """Test a 2 x 2 table (rows a b / c d) for equal shares: twice the smaller tail."""
    row, column, total = c + d, a + c, a + b + c + d
    low, high = max(0, row + column - total), min(row, column)
    k = np.arange(low, high + 1, dtype=np.float64)
    logs = (
        _log_choose(column, k)
        + _log_choose(total - column, row - k)
        - _log_choose(total, row)
    )
    probability = np.exp(logs)
    place = c - low
    tail = min(float(probability[: place + 1].sum()), float(probability[place:].sum()))
    return min(1.0, 2 * tail)


def _log_choose(n: float, k: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(
        special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    )
