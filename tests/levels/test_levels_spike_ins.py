"""Spike-ins: Vidjil's published values, and the estimator that mends its flaws."""

from __future__ import annotations

import numpy as np
import pytest

from mrdtrack.levels.spike_ins import (
    POOLED,
    VIDJIL_UNIVERSAL,
    Copies,
    SpikeIn,
    cells_of,
    copies_of,
    family_factors,
    level_of,
    vidjil_coefficients,
    vidjil_normalised_reads,
)


def published(found: dict[str, int]) -> list[SpikeIn]:
    """Give the table of Vidjil's own tests: reads at 160 copies only."""
    return [
        SpikeIn(family, copies, found.get(family, 0) if copies == 160 else 0)
        for family in (f"VH{n}" for n in range(1, 8))
        for copies in ((40, 160) if family in {"VH4", "VH7"} else (10, 40, 160))
    ]


def test_vidjils_first_published_value() -> None:
    """Sample 2 of its tests: IGH with 693,999 and 4,408 reads, a clone of 2."""
    coefficients = vidjil_coefficients(published({"VH2": 25527, "VH4": 16303}))
    universal = coefficients[VIDJIL_UNIVERSAL]
    assert universal == pytest.approx(0.02677504183600287, abs=1e-14)
    value = vidjil_normalised_reads(2, None, coefficients, 693999 + 4408)
    assert f"{value:.13f}".startswith("0.3739975328")
    amplification = (693999 + 4408) / (25527 + 16303)
    assert amplification == pytest.approx(16.69631843174755)


def test_vidjils_second_published_value() -> None:
    """Sample 3: IGK with 472,546 reads, a clone of 269."""
    coefficients = vidjil_coefficients(published({"VH5": 7282}))
    value = vidjil_normalised_reads(269, "VK9", coefficients, 472546)
    assert f"{value:.13f}".startswith("195.5076337269")


def test_vidjil_gives_no_coefficient_for_a_diagnostic_sample() -> None:
    assert vidjil_coefficients(published({"VH2": 100})) == {}
    assert vidjil_coefficients([]) == {}


def test_vidjils_families_fit_alone_where_they_can() -> None:
    spikes = [SpikeIn("A", 10, 100), SpikeIn("A", 40, 400), SpikeIn("A", 160, 1600)]
    poor = [SpikeIn("B", 10, 900), SpikeIn("B", 40, 10), SpikeIn("B", 160, 300)]
    flat = [SpikeIn("C", 10, 500), SpikeIn("C", 40, 500)]
    coefficients = vidjil_coefficients([*spikes, *poor, *flat])
    assert coefficients["A"] == pytest.approx(0.1)
    assert coefficients["B"] == coefficients[VIDJIL_UNIVERSAL]
    assert coefficients["C"] == coefficients[VIDJIL_UNIVERSAL]


def test_the_factor_is_the_ratio_of_sums() -> None:
    spikes = [SpikeIn("A", 10, 95), SpikeIn("A", 40, 410), SpikeIn("B", 40, 0)]
    factors = family_factors(spikes)
    assert set(factors) == {"A", POOLED}
    assert factors["A"].copies_per_read == pytest.approx(50 / 505)
    assert factors[POOLED].copies_per_read == pytest.approx(90 / 505)
    assert family_factors([SpikeIn("A", 10, 0)]) == {}


def test_no_reads_have_an_upper_bound_only() -> None:
    factor = family_factors([SpikeIn("A", 200, 4000)])["A"]
    none = copies_of(0, factor)
    assert (none.value, none.low) == (0, 0)
    assert 3.6 < none.high < 3.8


def test_reads_beyond_the_molecules_do_not_narrow_the_interval() -> None:
    shallow = family_factors([SpikeIn("A", 200, 400)])["A"]
    deep = family_factors([SpikeIn("A", 200, 400_000)])["A"]
    few, many = copies_of(20, shallow), copies_of(20_000, deep)
    assert few.value == many.value == 10
    assert many.low == pytest.approx(few.low)
    assert many.high == pytest.approx(few.high)


def test_spike_ins_that_disagree_widen_the_interval() -> None:
    good = [SpikeIn("A", 10, 100), SpikeIn("A", 40, 400), SpikeIn("A", 160, 1600)]
    bad = [SpikeIn("A", 10, 400), SpikeIn("A", 40, 1200), SpikeIn("A", 160, 500)]
    narrow = copies_of(400, family_factors(good)["A"])
    wide = copies_of(400, family_factors(bad)["A"])
    assert narrow.value == wide.value
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


@pytest.mark.parametrize("left_out", [10, 40, 160])
def test_each_spike_in_lies_in_the_interval_of_the_others(left_out: int) -> None:
    """Expected copies 10, 40 and 160 are covered, as often as is said, or more."""
    rng = np.random.default_rng(3)
    n_covered, n_trials = 0, 600
    for _ in range(n_trials):
        spikes = [
            SpikeIn("A", copies, int(rng.poisson(30 * rng.poisson(copies))))
            for copies in (10, 40, 160)
        ]
        own = next(spike for spike in spikes if spike.copies == left_out)
        others = [spike for spike in spikes if spike.copies != left_out]
        interval = copies_of(own.reads, family_factors(others)["A"])
        n_covered += interval.low <= left_out <= interval.high
    assert n_covered / n_trials > 0.94


def test_levels_are_shares_of_cells() -> None:
    assert cells_of(660) == pytest.approx(100_000)
    level = level_of(Copies(10, 5, 2e5), 100_000)
    assert level == Copies(1e-4, 5e-5, 1.0)


def test_one_spike_molecule_bounds_nothing_from_above() -> None:
    factor = family_factors([SpikeIn("A", 1, 1), SpikeIn("A", 1000, 0)])["A"]
    assert copies_of(10, factor).high > 1e4
