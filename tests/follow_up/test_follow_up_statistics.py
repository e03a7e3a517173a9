"""Intervals keep their promise; tests agree with the slow, obvious way."""

from __future__ import annotations

from functools import cache
from math import comb, log, log10

import numpy as np
import pytest
from scipy import special

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


@cache
def seen_by_chance(alt: int, molecules: int) -> Evidence:
    return evidence(alt, molecules)


@pytest.mark.parametrize(
    ("doubling_days", "visits", "every_days", "first_level", "molecules"),
    [
        (30.0, 8, 30, 3e-6, 50_000),
        (36.0, 10, 60, 1e-7, 200_000),
        (-30.0, 8, 30, 4e-4, 50_000),
    ],
)
def test_times_are_covered_with_half_the_visits_below_lod(
    doubling_days: float,
    visits: int,
    every_days: int,
    first_level: float,
    molecules: int,
) -> None:
    """1,000 courses of known doubling (or halving) time, half of the visits undetected.

    95 % less three standard errors of 1,000 trials; exact counts make an interval a
    little too wide rather than too narrow, by less than two in a hundred here.
    """
    trials = 1000
    random = np.random.default_rng(5)
    days = np.arange(visits) * float(every_days)
    truth = first_level * 2 ** (days / doubling_days)
    covered = fitted = silent = 0
    for counts in random.poisson(molecules * truth, (trials, visits)):
        seen = [seen_by_chance(int(k), molecules) for k in counts]
        silent += sum(e.form == "censored" for e in seen)
        fit = fit_course(list(days), seen)
        if fit is None:
            continue
        fitted += 1
        found = tell_doubling_time(fit) or tell_halving_time(fit)
        if found is not None:
            low, high = found.low or 0.0, found.high or 1e9
            covered += low <= abs(doubling_days) <= high
    assert 0.4 < silent / (trials * visits) < 0.6
    assert fitted > 0.99 * trials
    error = (0.95 * 0.05 / trials) ** 0.5
    assert 0.95 - 3 * error <= covered / fitted <= 0.97 + 3 * error


def test_pairwise_doubling_times_are_covered() -> None:
    """Two visits 40 days apart, doubling every 14 days."""
    random = np.random.default_rng(8)
    covered = 0
    for first, second in random.poisson((4.0, 4.0 * 2 ** (40 / 14)), (1000, 2)):
        pair = [
            seen_by_chance(int(first), 100_000),
            seen_by_chance(int(second), 100_000),
        ]
        fit = fit_course([0.0, 40.0], pair)
        if fit is None:
            covered += 1
            continue
        low = fit.slope_low if fit.slope_low is not None else -9.0
        high = fit.slope_high if fit.slope_high is not None else 9.0
        covered += low <= log(2) / 14 <= high
    assert covered / 1000 >= 0.95 - 3 * (0.95 * 0.05 / 1000) ** 0.5


def test_the_time_to_a_threshold_is_covered() -> None:
    """300 rising courses: the day the next level is reached lies in the interval."""
    random = np.random.default_rng(9)
    days = np.arange(8) * 30.0
    truth = 3e-6 * 2 ** (days / 30.0)
    reached = told = 0
    for counts in random.poisson(50_000 * truth, (300, 8)):
        fit = fit_course(list(days), [seen_by_chance(int(k), 50_000) for k in counts])
        ahead = None if fit is None else tell_time_to_level(fit, truth[-1] * 4)
        if ahead is not None:
            told += 1
            reached += (ahead.low or 0) <= 60 <= (ahead.high or 1e9)
    assert told > 280
    assert reached / told >= 0.95 - 3 * (0.95 * 0.05 / 300) ** 0.5


def test_the_interval_is_where_the_likelihood_says() -> None:
    """Against a slow search: both ends lie where the profile has fallen by 1.92."""
    days = np.array([0.0, 30.0, 60.0, 90.0, 120.0])
    seen = [evidence(k, 50_000) for k in (0, 0, 4, 9, 30)]
    fit = fit_course(list(days), seen)
    assert fit is not None
    at = days - days.max()
    levels = np.linspace(-14, -4, 4001)

    def log_likelihood(slope: float) -> float:
        total = np.zeros_like(levels)
        for time, visit in zip(at, seen, strict=True):
            x = visit.exposure * np.exp(levels + slope * time)
            if visit.form == "counts":
                total += visit.count * np.log(x) - x
            else:
                missed = special.gammaincc(visit.count, x)
                total += np.log(np.maximum(missed, 1e-300))
        return float(total.max())

    slopes = np.linspace(-0.005, 0.13, 2701)
    profile = np.array([log_likelihood(s) for s in slopes])
    inside = slopes[profile >= profile.max() - 3.841458820694124 / 2]
    assert fit.slope == pytest.approx(slopes[profile.argmax()], abs=2e-4)
    assert fit.slope_low == pytest.approx(inside.min(), abs=2e-4)
    assert fit.slope_high == pytest.approx(inside.max(), abs=2e-4)


def test_many_strange_courses_are_fitted_or_refused() -> None:
    """Steep, level, lone and weak courses: an interval around the slope, or none."""
    random = np.random.default_rng(3)
    for _ in range(300):
        visits = int(random.integers(2, 12))
        days = np.cumsum(random.integers(1, 90, visits)).astype(float)
        doubling = random.choice([-60, -5, 2, 11, 100, 1e6])
        truth = 10 ** random.uniform(-6, -2) * 2 ** ((days - days[0]) / doubling)
        counts = random.poisson(50_000 * np.clip(truth, 0, 0.9))
        fit = fit_course(list(days), [evidence(int(k), 50_000) for k in counts])
        if fit is None:
            assert not counts[counts > 1].size
            continue
        assert fit.slope_low is None or fit.slope_low <= fit.slope
        assert fit.slope_high is None or fit.slope_high >= fit.slope


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
