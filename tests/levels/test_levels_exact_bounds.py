"""Exact bounds against closed forms and forty-digit arithmetic."""

from __future__ import annotations

import mpmath  # type: ignore[import-untyped]  # has no stubs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.levels.exact_bounds import (
    clopper_pearson,
    haploid_genomes,
    negative_binomial_tail,
    poisson_bounds,
    poisson_mean_detected,
)


@pytest.mark.parametrize(
    ("alt", "low", "high"),
    [
        (0, 0.0, 3.6888e-5),
        (1, 2.53e-7, 5.57e-5),
        (10, 4.795e-5, 1.839e-4),
    ],
)
def test_clopper_pearson_check_values(alt: int, low: float, high: float) -> None:
    found = clopper_pearson(alt, 100_000)
    assert float(found[0]) == pytest.approx(low, rel=2e-3)
    assert float(found[1]) == pytest.approx(high, rel=2e-3)


def test_clopper_pearson_at_its_edges() -> None:
    low, high = clopper_pearson([0, 7, 0, 10_000_000], [7, 7, 0, 10_000_000])
    assert low.tolist()[:3] == [0.0, pytest.approx(0.025 ** (1 / 7)), 0.0]
    assert high.tolist() == [pytest.approx(1 - 0.025 ** (1 / 7)), 1.0, 1.0, 1.0]
    assert np.isfinite(low).all()


def test_one_sided_bound_of_none_seen() -> None:
    assert float(clopper_pearson(0, 100_000, 0.90)[1]) == pytest.approx(
        2.9957e-5, rel=1e-4
    )


@given(st.integers(1, 60), st.floats(0.001, 0.5))
def test_clopper_pearson_is_where_the_tails_are_the_error(n: int, share: float) -> None:
    k = int(n * share)
    low, high = (float(bound) for bound in clopper_pearson(k, n))
    below = mpmath.fsum(
        mpmath.binomial(n, j)
        * mpmath.mpf(high) ** j
        * (1 - mpmath.mpf(high)) ** (n - j)
        for j in range(k + 1)
    )
    assert float(below) == pytest.approx(0.025, rel=1e-6)
    if k:
        above = 1 - mpmath.fsum(
            mpmath.binomial(n, j)
            * mpmath.mpf(low) ** j
            * (1 - mpmath.mpf(low)) ** (n - j)
            for j in range(k)
        )
        assert float(above) == pytest.approx(0.025, rel=1e-6)


def test_garwood_bounds() -> None:
    low, high = poisson_bounds([0, 1, 10])
    assert low.tolist() == [
        0.0,
        pytest.approx(0.02532, rel=1e-3),
        pytest.approx(4.795, rel=1e-3),
    ]
    assert high.tolist() == pytest.approx([3.6889, 5.5716, 18.39], rel=1e-3)


def test_means_detected_in_95_of_100() -> None:
    found = poisson_mean_detected([1, 2, 3]).tolist()
    assert found == pytest.approx([2.996, 4.744, 6.296], abs=6e-4)


def test_genomes_of_dna() -> None:
    assert haploid_genomes(100) == pytest.approx(30_303, abs=0.5)


@pytest.mark.parametrize(
    ("k", "mean", "shape"),
    [(1, 0.3, 2.0), (12, 1.0, 3.0), (80, 5.0, 0.4), (3, 1e-4, 1.0)],
)
def test_negative_binomial_tails(k: int, mean: float, shape: float) -> None:
    with mpmath.workdps(40):
        p = mpmath.mpf(shape) / (mpmath.mpf(shape) + mpmath.mpf(mean))
        below = mpmath.fsum(
            mpmath.rf(shape, j) / mpmath.factorial(j) * p**shape * (1 - p) ** j
            for j in range(k)
        )
        exact = float(1 - below)
    assert float(negative_binomial_tail(k, mean, shape)) == pytest.approx(
        exact, rel=1e-9
    )
    assert float(negative_binomial_tail(0, mean, shape)) == 1.0
