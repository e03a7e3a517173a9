"""Visits that stand out beside the others are told."""

from __future__ import annotations

import pytest

from mrdtrack.follow_up.build import build_timeline
from mrdtrack.levels.result import VisitResult
from tests.follow_up.follow_up_builders import (
    marker_result,
    simple_visit,
    visit_result,
)

DAYS = [f"2020-0{month}-01" for month in range(1, 8)]


def told(results: list[VisitResult]) -> dict[str, list[str]]:
    course = build_timeline(results)
    ours = {"depth_unlike_others", "jump_by_one_marker"}
    return {
        v.sample: [f.code for f in v.quality if f.code in ours]
        for v in course.visits
        if any(f.code in ours for f in v.quality)
    }


def visits(depths: list[int], first: int = 900) -> list[VisitResult]:
    return [
        simple_visit(f"S{i}", DAYS[i], first if i == 0 else 0, molecules=depth)
        for i, depth in enumerate(depths)
    ]


@pytest.mark.parametrize(
    ("depths", "found"),
    [
        ([5000, 50_000, 60_000, 40_000], {}),
        ([5000, 50_000, 60_000, 9_000], {"S3": ["depth_unlike_others"]}),
        ([5000, 50_000, 400_000, 60_000], {"S2": ["depth_unlike_others"]}),
        ([5000, 50_000, 1_000], {}),
    ],
)
def test_depth_beside_the_other_visits(
    depths: list[int], found: dict[str, list[str]]
) -> None:
    assert told(visits(depths)) == found


def test_molecules_of_another_sort_are_not_compared() -> None:
    results = visits([5000, 50_000, 60_000, 3_000])
    results[3] = results[3].model_copy(update={"molecule_mode": "consensus"})
    assert told(results) == {}


def test_the_finding_says_how_many() -> None:
    course = build_timeline(visits([5000, 50_000, 60_000, 3_000]))
    (found,) = [f for f in course.visits[3].quality if f.code.startswith("depth")]
    assert found.values == {"n_molecules": 3000, "n_usual": 55_000}


@pytest.mark.parametrize(
    ("second", "found"),
    [(500, {"S2": ["jump_by_one_marker"]}), (5, {})],
)
def test_a_jump_that_one_marker_tells(second: int, found: dict[str, list[str]]) -> None:
    """Three markers at diagnosis; then one of them rises alone, or all a little."""

    def at(number: int, *alt: int) -> VisitResult:
        markers = [marker_result(f"M{i}", a, 50_000) for i, a in enumerate(alt)]
        return visit_result(f"S{number}", DAYS[number], *markers)

    results = [at(0, 9000, 9100, 9050), at(1, 4, 5, 6), at(2, second, 5, 6)]
    assert told(results) == found


def test_a_jump_of_all_markers_is_none() -> None:
    def at(number: int, *alt: int) -> VisitResult:
        markers = [marker_result(f"M{i}", a, 50_000) for i, a in enumerate(alt)]
        return visit_result(f"S{number}", DAYS[number], *markers)

    results = [at(0, 9000, 9100, 9050), at(1, 4, 5, 6), at(2, 500, 510, 490)]
    assert told(results) == {}
