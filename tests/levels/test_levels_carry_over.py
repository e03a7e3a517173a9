"""Carry-over between the samples of a run."""

from __future__ import annotations

import pytest

from mrdtrack.counts import SampleCounts
from mrdtrack.levels.carry_over import run_carry_over
from mrdtrack.levels.judge import judge_sample, run_context
from mrdtrack.levels.visit_facts import LevelSettings
from tests.levels.made_samples import FACTS, junction, made_sample

PLAIN = LevelSettings()


def two(low: int, high: int = 90_000) -> list[SampleCounts]:
    return [
        made_sample("low", [junction("j", low, 300_000)]),
        made_sample("high", [junction("j", high, 100_000)]),
    ]


def codes(samples: list[SampleCounts], *, run: bool) -> set[str]:
    context = run_context(run_mates=samples if run else ())
    result = judge_sample(samples[0], FACTS, PLAIN, context)
    return {finding.code for finding in result.quality}


def test_molecules_that_another_sample_explains() -> None:
    samples = two(20)
    alone = judge_sample(samples[0], FACTS, PLAIN)
    together = judge_sample(samples[0], FACTS, PLAIN, run_context(run_mates=samples))
    assert alone.level.call in {"quantified", "detected_below_loq"}
    assert together.level.call == "insufficient_sensitivity"
    assert "explained_by_carry_over" in codes(samples, run=True)
    assert "carry_over_unchecked" in codes(samples, run=False)


def test_far_more_than_carry_over_is_detected() -> None:
    samples = two(3000)
    context = run_context(run_mates=samples)
    result = judge_sample(samples[0], FACTS, PLAIN, context)
    assert result.level.call == "quantified"
    assert judge_sample(samples[1], FACTS, PLAIN, context).level.call == "quantified"


def test_the_share_is_told_usual_or_estimated() -> None:
    samples = two(0)
    assert run_carry_over(samples, PLAIN).into("low", "j").rate == pytest.approx(9e-5)
    dual = LevelSettings(dual_indexed=True)
    assert run_carry_over(samples, dual).into("low", "j").rate == pytest.approx(9e-6)
    told = LevelSettings(carry_over=1e-3)
    assert run_carry_over(samples, told).into("low", "j").rate == pytest.approx(9e-4)
    assert run_carry_over(samples, PLAIN).into("high", "j").rate == 0.0
    assert run_carry_over(samples[:1], PLAIN).levels == {}


def test_private_markers_tell_the_share() -> None:
    many = [f"p{i}" for i in range(10)]
    source = made_sample("a", [junction(name, 50_000, 100_000) for name in many])
    receiver = made_sample(
        "b", [junction(name, 15, 100_000) for name in many] + [junction("q", 0, 0)]
    )
    found = run_carry_over([source, receiver], PLAIN)
    assert found.estimated
    assert found.share == pytest.approx(3e-4, rel=0.02)
    kept = made_sample("b", [junction(name, 20_000, 100_000) for name in many])
    assert not run_carry_over([source, kept], PLAIN).estimated
