"""Intervals keep their promise; tests agree with the slow, obvious way."""

from __future__ import annotations

from math import comb, log, log10

import numpy as np
import pytest

from mrdtrack.follow_up.change import (
    chance_of_rise,
    compare_counts,
    estimate_reduction,
    judge_equal,
)
from mrdtrack.follow_up.course import fisher_exact
from mrdtrack.follow_up.likelihood import (
    Evidence,
    effective_count,
    needed_molecules,
    weigh_visit,
)
from mrdtrack.follow_up.regression import (
    fit_course,
    tell_doubling_time,
    tell_halving_time,
    tell_time_to_level,
)
from mrdtrack.follow_up.visits import draft_visit
from tests.follow_up.follow_up_builders import garwood, simple_visit


def evidence(alt: int, molecules: int) -> Evidence:
    found = weigh_visit(
        draft_visit(simple_visit("s", "2020-01-01", alt, molecules, loq_molecules=2))
    )
    assert found is not None
    return found


def test_effective_counts_are_the_counts_without_background() -> None:
    for alt in (2, 10, 300, 40_000):
        low, high = garwood(alt, 50_000)
        assert effective_count(log(high / low), "both") == pytest.approx(alt, rel=1e-3)
    assert needed_molecules(4.744) == pytest.approx(2, abs=0.01)
    assert needed_molecules(2.996) == pytest.approx(1, abs=0.01)


def test_the_exact_test_is_the_binomial_one() -> None:
    first, second = (3, 1000), (9, 1500)
    share = 1500 / 2500
    tail = sum(comb(12, k) * share**k * (1 - share) ** (12 - k) for k in range(9, 13))
    low = sum(comb(12, k) * share**k * (1 - share) ** (12 - k) for k in range(10))
    assert judge_equal(first, second) == pytest.approx(min(1, 2 * min(tail, low)))
    assert judge_equal((0, 10), (0, 10)) is None


def test_fisher_agrees_with_enumeration() -> None:
    total = comb(20, 10)
    tail = sum(comb(10, k) * comb(10, 10 - k) for k in range(8, 11)) / total
    assert fisher_exact(2, 8, 8, 2) == pytest.approx(2 * tail)


def test_ratio_interval_covers() -> None:
    random = np.random.default_rng(11)
    covered = 0
    for first, second in zip(
        random.poisson(8, 2000), random.poisson(40, 2000), strict=True
    ):
        low, high = compare_counts((first, 1e4), (second, 2e4))
        covered += (low or 0) <= 2.5 <= (high or 1e9)
    assert covered / 2000 >= 0.945


def test_chance_of_one_log() -> None:
    low, high = evidence(10, 100_000), evidence(1000, 100_000)
    chance = chance_of_rise(low, high, 10)
    assert chance is not None
    assert chance > 0.999
    back = chance_of_rise(high, low, 10)
    assert back is not None
    assert back < 1e-6


def test_reduction_of_a_negative_is_bounded_by_its_limit() -> None:
    first = draft_visit(simple_visit("a", "2020-01-01", 400, 100_000))
    last = draft_visit(simple_visit("b", "2020-06-01", 0, 100_000))
    found, _ = estimate_reduction(first, last)
    assert found is not None
    assert found.relation == ">="
    bound = max(last.lod95 or 0, last.high or 0)
    assert found.value == pytest.approx(log10(4e-3 / bound))


def test_doubling_time_is_covered_with_half_the_visits_below_lod() -> None:
    """400 courses of known doubling time (30 days), about half of visits undetected."""
    random = np.random.default_rng(5)
    days = np.arange(8) * 30.0
    truth = 3e-6 * 2 ** (days / 30.0)
    covered = fitted = silent = reached = 0
    for _ in range(400):
        seen = [evidence(int(k), 50_000) for k in random.poisson(50_000 * truth)]
        silent += sum(e.form == "censored" for e in seen)
        fit = fit_course(list(days), seen)
        if fit is None:
            continue
        fitted += 1
        found = tell_doubling_time(fit)
        if found is not None:
            low, high = found.low or 0.0, found.high or 1e9
            covered += low <= 30 <= high
            ahead = tell_time_to_level(fit, truth[-1] * 4)
            assert ahead is not None
            reached += (ahead.low or 0) <= 60 <= (ahead.high or 1e9)
    assert 0.35 < silent / 3200 < 0.6
    assert fitted > 390
    # 95 % less three standard errors of 400 trials
    assert covered / fitted >= 0.95 - 3 * (0.95 * 0.05 / 400) ** 0.5
    assert reached / fitted >= 0.95 - 3 * (0.95 * 0.05 / 400) ** 0.5


def test_a_course_known_on_one_side_is_bounded_on_one_side() -> None:
    seen = [evidence(0, 50_000), evidence(0, 50_000), evidence(40, 50_000)]
    fit = fit_course([0.0, 30.0, 60.0], seen)
    assert fit is not None
    found = tell_doubling_time(fit)
    assert found is not None
    assert found.low is None
    assert tell_halving_time(fit) is None


def test_values_without_an_interval_need_three_visits() -> None:
    points = [
        Evidence(form="point", level=level, count=0, exposure=0)
        for level in (0.01, 0.02, 0.041, 0.08)
    ]
    assert fit_course([0, 10], points[:2]) is None
    fit = fit_course([0, 10, 20, 30], points)
    assert fit is not None
    found = tell_doubling_time(fit)
    assert found is not None
    assert found.value == pytest.approx(10, rel=0.03)
    assert fit_course([0, 1], [evidence(0, 10)] * 2) is None
