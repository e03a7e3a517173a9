"""The exact null, scores, p-values and limits of a sample's markers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from mrdtrack.levels.detection import (
    WIDE_TABLE,
    NullTable,
    evidence,
    holm,
    null_table,
)
from mrdtrack.levels.exact_bounds import negative_binomial_tail
from mrdtrack.levels.level_search import level_at
from mrdtrack.levels.limits import (
    Sampling,
    limits,
    loq_level,
    marker_level_at,
    marker_limits,
)
from mrdtrack.levels.negative_binomials import (
    RateMixture,
    condensed,
    count_table,
    log_count_probability,
    mixed_table,
    rising,
    with_signal,
)
from mrdtrack.levels.power import Power, critical_counts, critical_values
from mrdtrack.levels.score_sums import TruncatedSums

Floats = NDArray[np.float64]


def plain_mixture(rates: list[float], shape: float = 4.0) -> RateMixture:
    size = len(rates)
    one = np.ones((size, 1))
    return RateMixture(
        weight=one,
        rate=np.array(rates)[:, None],
        shape=np.full((size, 1), shape),
        class_of=np.full(size, -1, dtype=np.int64),
        nodes=np.zeros((0, 1)),
        given_node=one[:, None, :],
    )


def plain_table(
    rates: list[float], molecules: list[float], shape: float = 4.0, alpha: float = 0.01
) -> NullTable:
    mixture = plain_mixture(rates, shape)
    return null_table(np.array(molecules), np.ones(len(rates)), mixture, alpha)


def shared_table() -> NullTable:
    nodes = np.array([[0.25, 0.5, 0.25]])
    rate = np.array([[1e-5, 3e-5, 9e-5]] * 3)
    mixture = RateMixture(
        weight=np.array([[0.25, 0.5, 0.25]] * 3),
        rate=rate,
        shape=np.full((3, 3), 5.0),
        class_of=np.array([0, 0, -1]),
        nodes=nodes,
        given_node=np.array([np.eye(3)] * 3),
    )
    return null_table(np.full(3, 30_000.0), np.ones(3), mixture, 0.01)


@pytest.mark.parametrize(
    ("mean", "shape"), [(0.2, 0.7), (9.0, 3.0), (900.0, 1e6), (2000.0, 4.0)]
)
def test_count_table_is_negative_binomial(mean: float, shape: float) -> None:
    size = int(mean + 40 * np.sqrt(mean)) + 40
    table = count_table(np.array(mean), np.array(shape), size)
    exact = stats.nbinom.pmf(np.arange(size + 1), shape, shape / (shape + mean))
    assert np.allclose(table, exact, rtol=1e-6, atol=1e-300)


def test_mixtures_are_the_sum_of_their_components() -> None:
    rng = np.random.default_rng(2)
    mean = np.exp(rng.normal(1.0, 3.0, (2, 3, 9)))
    shape, weight = rng.gamma(4.0, 5.0, (2, 3, 9)), rng.dirichlet(np.ones(9), (2, 3))
    weight[0, 0, :4] = 0.0
    for largest in (0, 5, 100, 700):
        table = count_table(mean, shape, largest)
        whole = (table * weight[..., None]).sum(axis=-2)
        assert np.allclose(mixed_table(weight, mean, shape, largest), whole, atol=1e-14)


def test_log_probability_agrees_with_the_table() -> None:
    k = np.arange(30.0)
    found = log_count_probability(k, np.array(4.0), np.array(2.5))
    table = np.log(count_table(np.array(4.0), np.array(2.5), 29))
    rest = found - table
    expected = np.cumsum(np.log(np.maximum(k, 1.0)))
    assert np.allclose(rest, expected)


def test_rising_is_safe_for_large_shapes() -> None:
    assert float(rising(np.array(3.0), np.array(1e9))) == pytest.approx(3 * np.log(1e9))
    assert float(rising(np.array(3.0), np.array(2.0))) == pytest.approx(np.log(24))


def test_condensing_keeps_mean_and_variance() -> None:
    rng = np.random.default_rng(1)
    weight = rng.dirichlet(np.ones(12))[None]
    mean, shape = np.sort(rng.gamma(2, 1, 12))[None], np.full((1, 12), 3.0)
    w, m, s = condensed(weight, mean, shape, 4)
    assert w.shape == (1, 4)
    assert (w * m).sum() == pytest.approx((weight * mean).sum())
    second = (w * m**2 * (1 + 1 / s)).sum()
    assert second == pytest.approx((weight * mean**2 * (1 + 1 / shape)).sum())
    assert condensed(weight, mean, shape, 12)[0] is weight


def test_signal_keeps_the_variance_of_the_background() -> None:
    mean, shape = with_signal(np.array(2.0), np.array(4.0), np.array(3.0))
    assert float(mean) == 5.0
    assert float(mean**2 / shape) == pytest.approx(2.0**2 / 4.0)


@pytest.mark.parametrize(
    "table", [plain_table([3e-5, 1e-5], [4e4, 9e4]), shared_table()]
)
def test_null_distribution_is_that_of_all_counts_enumerated(table: NullTable) -> None:
    size = 60
    markers = len(table.largest)
    mixture = table.mixture
    at_least = np.zeros(4000)
    given = [
        count_table(table.background[i], mixture.shape[i], size) for i in range(markers)
    ]
    nodes = mixture.nodes[0] if len(mixture.nodes) else np.ones(1)
    for t, weight in enumerate(nodes):
        rows = []
        for i in range(markers):
            chosen = mixture.weight[i]
            if mixture.class_of[i] >= 0:
                chosen = mixture.given_node[i, t]
            pmf = chosen @ given[i]
            score = table.score[i][np.minimum(np.arange(size + 1), table.largest[i])]
            rows.append((pmf, score))
        first = np.zeros(4000)
        for (p, s), (q, r) in itertools.product(
            zip(*rows[0], strict=True), zip(*rows[1], strict=True)
        ):
            if p * q > 1e-16:
                first[s + r] += p * q
        for pmf, score in rows[2:]:
            joined = np.zeros(4000)
            for p, s in zip(pmf, score, strict=True):
                joined[s:] += p * first[: 4000 - s]
            first = joined
        at_least += weight * np.cumsum(first[::-1])[::-1]
    for b in range(0, 1500, 37):
        assert table.at_least[b] == pytest.approx(at_least[b], abs=2e-6)


def test_scores_rise_and_nothing_is_no_evidence() -> None:
    table = plain_table([2e-5] * 5, [5e4] * 5)
    assert (np.diff(table.score, axis=1) >= 0).all()
    found = evidence(table, np.zeros(5, dtype=np.int64))
    assert found.p_value == 1.0
    assert found.p_marker.tolist() == [1.0] * 5


def test_one_marker_has_the_exact_tail() -> None:
    table = plain_table([2e-5], [5e4])
    for k in (1, 3, 8, 40, 5000):
        found = evidence(table, np.array([k]))
        assert found.p_value == pytest.approx(
            max(float(negative_binomial_tail(k, 1.0, 4.0)), 1e-300), rel=1e-9
        )


def test_more_molecules_are_more_evidence() -> None:
    table = plain_table([2e-5] * 4, [5e4] * 4)
    p = [evidence(table, np.array([k, k, k, k])).p_value for k in range(8)]
    assert all(a >= b for a, b in itertools.pairwise(p))
    assert p[-1] < 1e-8


def test_one_strong_marker_among_lost_ones_is_seen() -> None:
    table = plain_table([2e-5] * 30, [5e4] * 30)
    alt = np.zeros(30, dtype=np.int64)
    alt[4] = 25
    assert evidence(table, alt).p_value < 1e-4


def test_holm_against_its_definition() -> None:
    p = np.array([0.01, 0.04, 0.03, 0.005])
    assert holm(p).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.zeros(0)).tolist() == []


def test_truncated_sums_forget_what_is_beyond() -> None:
    rng = np.random.default_rng(5)
    rows = rng.dirichlet(np.ones(9), (2, 5))
    full = rows[:, 0]
    for i in range(1, 5):
        full = np.array(
            [np.convolve(a, b) for a, b in zip(full, rows[:, i], strict=True)]
        )
    sums = TruncatedSums(9)
    summed = sums.back(sums.transformed(rows).prod(axis=1))
    assert np.allclose(summed, full[:, :9])
    assert TruncatedSums(0).size == 0


@pytest.mark.parametrize(
    "table",
    [
        plain_table([2e-5], [5e4]),
        plain_table([2e-5, 4e-5, 1e-5], [5e4, 3e4, 9e4]),
        plain_table([1e-9] * 3, [3e5] * 3, 1.0),
        shared_table(),
    ],
)
def test_detection_at_the_lod95_is_95_of_100(table: NullTable) -> None:
    critical = critical_values(table, 0.01)
    seen = limits(table, 0.01, Sampling(None, 1, 0.3))
    at = Power(table, critical)(np.array([seen.lod95]))
    assert float(at[0]) == pytest.approx(0.95, abs=0.002)
    assert seen.lob < seen.lod95 <= seen.loq
    rng = np.random.default_rng(3)
    size, mixture = 20_000, table.mixture
    markers = len(table.largest)
    shared = rng.choice(mixture.weight.shape[1], size, p=mixture.weight[0])
    counts = np.empty((size, markers), dtype=np.int64)
    for i in range(markers):
        part = rng.choice(mixture.weight.shape[1], size, p=mixture.weight[i])
        part = shared if mixture.class_of[i] >= 0 else part
        mean = table.background[i][part]
        shape = mixture.shape[i][part]
        counts[:, i] = rng.poisson(rng.gamma(shape, mean / shape))
        counts[:, i] += rng.poisson(table.molecules[i] * seen.lod95, size)
    place = np.minimum(counts, table.largest)
    score = table.score[np.arange(markers), place].sum(axis=1)
    hit = (score >= critical.statistic) | (counts >= critical.counts).any(axis=1)
    assert hit.mean() == pytest.approx(0.95, abs=0.008)


def test_no_molecule_needed_means_always_detected() -> None:
    table = plain_table([2e-5], [5e4])
    critical = critical_values(table, 0.01)._replace(counts=np.array([0]))
    assert Power(table, critical)(np.array([1e-9])).tolist() == [1.0]


def test_lod_is_never_below_sampling_or_input() -> None:
    table = plain_table([1e-12], [1e5])
    depth = limits(table, 0.01, Sampling(None, 1, 0.3))
    assert depth.lod95 == pytest.approx(2.9957e-5, rel=1e-3)
    assert depth.limited_by == "depth"
    two = limits(table, 0.01, Sampling(None, 2, 0.3))
    assert two.lod95 == pytest.approx(4.744e-5, rel=1e-3)
    tube = limits(table, 0.01, Sampling(3000.0, 1, 0.3))
    assert tube.lod95 == pytest.approx(2.9957 / 3000, rel=1e-3)
    assert tube.limited_by == "input"
    assert limits(
        plain_table([1e-3], [1e5]), 0.01, Sampling(None, 1, 0.3)
    ).limited_by == ("background")


def test_loq_without_background_is_eleven_molecules() -> None:
    table = plain_table([1e-12], [1e5])
    assert loq_level(table, Sampling(None, 1, 0.3)) == pytest.approx(11.1e-5, rel=0.01)
    assert loq_level(table, Sampling(1e4, 1, 0.3)) > 11.1e-4


def test_markers_have_their_own_limits() -> None:
    table = plain_table([1e-9, 1e-4], [1e5, 1e5])
    lod = marker_limits(table, 0.01, Sampling(None, 1, 0.3))
    assert lod[0] == pytest.approx(2.9957e-5, rel=1e-3)
    assert lod[1] > 1e-4
    for i, k in enumerate(critical_counts(table, 0.01)):
        mean, shape = with_signal(
            table.background[i], table.mixture.shape[i], np.array([lod[i] * 1e5])
        )
        assert float(negative_binomial_tail(k, mean, shape)[0]) == pytest.approx(
            0.95, abs=1e-3
        )
    tube = marker_limits(table, 0.01, Sampling(1000.0, 1, 0.3))
    assert (tube >= 2.99e-3).all()


def test_fraction_is_zero_where_background_suffices() -> None:
    table = plain_table([1e-3], [1e5])
    assert marker_level_at(table, np.array([3.0]), 0.025).tolist() == [0.0]


def test_levels_are_found_outside_the_first_ladder() -> None:
    def probability(level: Floats) -> Floats:
        result: Floats = np.asarray(stats.norm.cdf(3 * np.log(level / 1e-3)))
        return result

    found = level_at(probability, (0.5, 0.95), 1e-6, 0.2)
    assert found == pytest.approx([1e-3, 1e-3 * np.exp(1.6449 / 3)], rel=1e-3)
    assert level_at(probability, (0.5,), 0.5, 0.2) == pytest.approx([1e-3], rel=1e-3)
    never = level_at(np.zeros_like, (0.95,), 1e-3, 0.3)
    assert never == [pytest.approx(1.0)]
    always = level_at(np.ones_like, (0.95,), 1e-3, 0.3)
    assert always[0] < 1e-8


@pytest.mark.parametrize("spacing", [0.002, 0.03, 0.4])
@pytest.mark.parametrize("start", [1e-8, 2e-4, 0.5])
def test_levels_far_from_the_start_are_found_with_few_questions(
    start: float, spacing: float
) -> None:
    asked = []

    def probability(level: Floats) -> Floats:
        asked.extend(level.tolist())
        result: Floats = np.asarray(stats.norm.cdf(2 * np.log(level / 3e-5)))
        return result

    found = level_at(probability, (0.025, 0.5), start, spacing)
    assert found == pytest.approx([3e-5 * np.exp(-1.959964 / 2), 3e-5], rel=1e-6)
    assert len(asked) <= 35


def test_levels_just_above_what_noise_alone_gives_are_found() -> None:
    asked = []

    def probability(level: Floats) -> Floats:
        asked.extend(level.tolist())
        signal = stats.norm.cdf(2 * np.log(level / 3e-5))
        result: Floats = np.asarray(0.0243 + (1 - 0.0243) * signal)
        return result

    found = level_at(probability, (0.025,), 4e-5, 0.013)
    share = (0.025 - 0.0243) / (1 - 0.0243)
    expected = 3e-5 * np.exp(stats.norm.ppf(share) / 2)
    assert found == pytest.approx([expected], rel=1e-5)
    assert len(asked) <= 16


def test_wide_backgrounds_end_their_tables_early() -> None:
    wide = plain_table([1e-3], [1e5], 0.2)
    narrow = plain_table([1e-4], [1e5], 1e6)
    assert narrow.largest[0] < WIDE_TABLE < wide.largest[0]
    tails = [
        stats.nbinom.sf(
            t.largest[0],
            t.mixture.shape[0, 0],
            1 / (1 + t.background[0, 0] / t.mixture.shape[0, 0]),
        )
        for t in (wide, narrow)
    ]
    assert 1e-9 < tails[0] < 1e-5
    assert tails[1] < 1e-7


def test_thirty_markers_cost_little() -> None:
    table = plain_table([2e-5] * 30, [5e4] * 30)
    assert limits(table, 0.01, Sampling(None, 1, 0.3)).lod95 < 3e-5
