"""Every class of marker, with UMIs and without: levels lie in their intervals.

The short form of `benchmarks/simulated_levels.py`.
"""

from __future__ import annotations

import pytest
from scipy.stats import binom

from benchmarks.simulated_levels import (
    LEVEL,
    Plan,
    Recovered,
    run,
    simulated_panel,
    summary,
    table,
)

pytestmark = pytest.mark.whole_samples

PLAN = Plan(
    assays=("capture", "umi"), levels=(0.3, 0.03), replicates=2, depth=400, seed=3
)


@pytest.fixture(scope="module")
def recovered(tmp_path_factory: pytest.TempPathFactory) -> list[Recovered]:
    return run(PLAN, simulated_panel(), tmp_path_factory.mktemp("recovery"))


@pytest.mark.parametrize("assay", PLAN.assays)
def test_levels_lie_in_their_intervals_at_the_nominal_rate(
    recovered: list[Recovered], assay: str
) -> None:
    """Fewer than so many covered would be one chance in a thousand at 95 %."""
    own = [one for one in recovered if one.assay == assay and one.marker != LEVEL]
    n_markers = len(simulated_panel().marker)
    assert len(own) == n_markers * len(PLAN.levels) * PLAN.replicates
    assert summary(own).n_covered >= binom.ppf(0.001, len(own), 0.95)


def test_every_class_is_recovered_without_bias(recovered: list[Recovered]) -> None:
    """Over all samples: within 5 standard deviations of counting, or within 4 %."""
    for marker in simulated_panel().marker:
        own = [one for one in recovered if one.marker == marker.id]
        asked = sum(one.asked for one in own)
        variance = sum(one.asked * (1 - one.asked) / PLAN.depth for one in own)
        least = max(5 * variance**0.5 / asked, 0.04)
        assert abs(summary(own).ratio - 1) < least, marker.id


def test_the_level_of_a_sample_is_that_of_its_markers(
    recovered: list[Recovered],
) -> None:
    own = [one for one in recovered if one.marker == LEVEL]
    assert len(own) == len(PLAN.assays) * len(PLAN.levels) * PLAN.replicates
    assert sum(one.is_covered for one in own) >= len(own) - 2
    assert abs(summary(own).ratio - 1) < 0.05


def test_the_page_tells_every_marker(recovered: list[Recovered]) -> None:
    text = table(PLAN, recovered)
    for marker in simulated_panel().marker:
        assert f"| {marker.id} |" in text
    assert "intervals hold the level" in text
