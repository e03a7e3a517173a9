"""The timeline of s01's shape, from result values alone."""

from __future__ import annotations

from math import log10

import pytest

from mrdtrack.errors import ResultError
from mrdtrack.follow_up.build import Given, build_timeline
from tests.follow_up.follow_up_builders import simple_visit


def test_a_negative_after_a_baseline_gives_a_bounded_reduction() -> None:
    course = build_timeline(
        [
            simple_visit("T2", "2020-06-15", 0, 6028, disease="other"),
            simple_visit("T1", "2020-01-15", 13, 3474, disease="other"),
        ]
    )
    assert [v.sample for v in course.visits] == ["T1", "T2"]
    first, second = course.visits
    assert first.baseline
    assert first.log10_reduction is None
    assert second.call == "insufficient_sensitivity"
    assert second.log10_reduction is not None
    assert second.log10_reduction.relation == ">="
    bound = max(second.lod95 or 0, second.high or 0)
    assert second.log10_reduction.value == pytest.approx(log10(13 / 3474 / bound))
    assert second.log10_reduction.value > 0


def test_a_bound_that_shows_no_reduction_is_told_not_printed() -> None:
    course = build_timeline(
        [
            simple_visit("T1", "2020-01-15", 13, 3474, disease="other"),
            simple_visit("T2", "2020-06-15", 0, 500, disease="other"),
        ]
    )
    last = course.visits[-1]
    assert last.log10_reduction is None
    assert last.log10_reduction_reason.startswith("no reduction demonstrated")
    assert last.log10_reduction_reason_fr.startswith("pas de réduction démontrée")


def test_a_baseline_that_is_no_sample_is_refused() -> None:
    with pytest.raises(ResultError, match="T9"):
        build_timeline([simple_visit("T1", "2020-01-15", 13)], Given(baseline="T9"))
