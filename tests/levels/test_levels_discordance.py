"""One marker against the rest: the level is judged again without it."""

from __future__ import annotations

import pytest

from mrdtrack.levels.judge import judge_sample
from mrdtrack.levels.result import LevelWithout, VisitResult
from mrdtrack.levels.visit_facts import LevelSettings
from tests.levels.made_samples import FACTS, made_marker, made_sample, made_sites

SITES = made_sites([0] * 190 + [1] * 10, 10_000)


def judged(*alt: int, molecules: int = 10_000) -> VisitResult:
    markers = [made_marker(f"m{i}", k, molecules) for i, k in enumerate(alt)]
    return judge_sample(made_sample("s", markers, SITES), FACTS, LevelSettings())


def told(result: VisitResult) -> LevelWithout:
    assert result.level.without_discordant is not None
    said = [q for q in result.quality if q.code == "level_without_marker"]
    assert [q.values["marker"] for q in said] == [
        result.level.without_discordant.marker
    ]
    return result.level.without_discordant


def test_an_artefact_among_markers_without_disease() -> None:
    result = judged(0, 0, 60, 0, 1, 0)
    rest = told(result)
    assert rest.marker == "m2"
    assert rest.p_value > 0.01
    assert rest.call == "insufficient_sensitivity"
    assert rest.low == 0.0
    assert result.level.p_without_top_marker == rest.p_value
    assert "one_marker_alone" in [q.code for q in result.quality]


def test_an_artefact_above_a_true_level() -> None:
    result = judged(20, 22, 3000, 19, 25, 18)
    rest = told(result)
    assert rest.marker == "m2"
    assert rest.call == "quantified"
    assert rest.low < 20.8e-4 < rest.high
    assert result.level.value is not None
    assert rest.value < result.level.value < 0.3
    assert "one_marker_alone" not in [q.code for q in result.quality]


def test_a_lost_subclone_is_left_out_of_the_second_level() -> None:
    result = judged(100, 0, 110, 95, 105)
    rest = told(result)
    assert rest.marker == "m1"
    assert rest.value == pytest.approx(1.025e-2, rel=0.02)
    assert "marker_lost" in [q.code for q in result.quality]


def test_of_two_lost_markers_the_lower_is_left_out() -> None:
    assert told(judged(1000, 30, 1000, 0, 1000, 990)).marker == "m3"


@pytest.mark.parametrize("alt", [(0, 0, 0), (50, 48, 61), (300,)])
def test_markers_that_agree_have_one_level(alt: tuple[int, ...]) -> None:
    result = judged(*alt)
    assert result.level.without_discordant is None
    assert "level_without_marker" not in [q.code for q in result.quality]
