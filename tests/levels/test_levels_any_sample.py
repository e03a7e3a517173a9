"""Whatever a sample is like, its numbers are possible and in order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrdtrack.counts import (
    NO_BACKGROUND,
    BackgroundSite,
    BackgroundSites,
    MarkerCounts,
    SampleCounts,
)
from mrdtrack.levels.judge import judge_sample, run_context
from mrdtrack.levels.result import VisitResult
from mrdtrack.levels.visit_facts import LevelSettings
from tests.levels.made_samples import FACTS, made_marker, made_sample, made_sites

CLASSES = (
    "A[C>T]G", "C[C>A]T", "del1:h1", "del1:h14", "ins3:h1", "mnv", "junction",
    "substitution", "a laboratory's own", "del1:h20",
)  # fmt: skip
NEEDED = {1: 2.9957, 2: 4.7438, 3: 6.2957}
DETECTED = ("quantified", "detected_below_loq")


def drawn_markers(rng: np.random.Generator, size: int) -> list[MarkerCounts]:
    """Markers of depths 1 to 1,000,000, some at a half or at all molecules."""
    shared = 10 ** rng.uniform(0, 6)
    level = rng.choice([0, 0, 1e-6, 1e-4, 1e-2, 0.5, 1.0])
    markers = []
    for i in range(size):
        depth = shared if rng.random() < 0.5 else 10 ** rng.uniform(0, 6)
        molecules = max(1, int(depth))
        fraction = min(level * rng.choice([0, 1, 1, 2]), 1.0)
        noise = rng.poisson(molecules * rng.choice([0, 1e-6, 1e-4]))
        alt = min(molecules, int(rng.binomial(molecules, fraction) + noise))
        markers.append(
            made_marker(
                f"m{i}",
                alt,
                molecules,
                error_class=str(rng.choice(CLASSES)),
                signal_ratio=float(rng.choice([1, 1, 1, 2])),
            )
        )
    return markers


def drawn_sample(rng: np.random.Generator, size: int) -> SampleCounts:
    markers = drawn_markers(rng, size)
    sites: list[BackgroundSite] = []
    for i, name in enumerate({marker.error_class for marker in markers}):
        molecules = max(1, int(10 ** rng.uniform(0, 6)))
        rate = 10 ** rng.uniform(-7, -2)
        found = rng.poisson(molecules * rate, int(rng.choice([0, 1, 5, 30, 150])))
        alts = np.minimum(found, molecules).tolist()
        sites += made_sites(alts, molecules, name, start=1000 * i + 1)
    return made_sample("s", markers, BackgroundSites.of(sites))


def drawn_control(
    rng: np.random.Generator, sample: SampleCounts, name: str
) -> SampleCounts:
    markers = [
        made_marker(
            marker.marker,
            min(int(rng.poisson(total * 10 ** rng.uniform(-7, -3))), total),
            total,
            error_class=marker.error_class,
        )
        for marker in sample.markers
        if (total := marker.molecules or 0) and rng.random() < 0.9
    ]
    return made_sample(
        name, markers, sample.background if rng.random() < 0.5 else NO_BACKGROUND
    )


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 1, 2, 3, 6]),
    st.sampled_from([0, 0, 1, 3]),
    st.builds(
        LevelSettings,
        min_molecules=st.sampled_from([1, 2, 3]),
        design_factor=st.sampled_from([1.0, 4.0]),
        input_genomes=st.sampled_from([None, 3.0, 20_000.0]),
    ),
)
def test_any_sample_is_judged_sensibly(
    seed: int, size: int, controls: int, asked: LevelSettings
) -> None:
    rng = np.random.default_rng(seed)
    sample = drawn_sample(rng, size)
    others = [drawn_control(rng, sample, f"c{i}") for i in range(controls)]
    check(judge_sample(sample, FACTS, asked, run_context(others)), asked)


def check(result: VisitResult, asked: LevelSettings) -> None:
    level, needed = result.level, NEEDED[asked.min_molecules]
    numbers = [level.low, level.value, level.high, level.lob, level.lod95, level.loq]
    low, value, high, lob, lod95, loq = (
        number if number is not None else math.nan for number in numbers
    )
    assert 0.0 <= low <= value <= high <= 1.0
    assert 0.0 <= lob <= lod95 <= loq <= 1.0
    ratios = [marker.signal_ratio for marker in result.markers]
    if len(set(ratios)) == 1:
        ratios = [1.0] * len(ratios)
    depths = [
        max((m.molecules or 0) / asked.design_factor, 1.0) for m in result.markers
    ]
    whole = sum(n * ratio for n, ratio in zip(depths, ratios, strict=True))
    assert lod95 >= min(1.0, needed / max(whole, 1.0)) * 0.9999
    if asked.input_genomes:
        assert lod95 >= min(1.0, needed / asked.input_genomes) * 0.9999
    assert level.p_value is not None
    assert 0.0 < level.p_value <= 1.0
    if level.call in DETECTED:
        assert value > 0.0
        assert low > 0.0
    if not any(marker.alt for marker in result.markers):
        assert level.call not in DETECTED
        assert value == 0.0
    for row, depth in zip(result.markers, depths, strict=True):
        assert row.fraction is not None
        assert row.fraction_low is not None
        assert row.fraction_high is not None
        assert row.fraction_low <= row.fraction <= row.fraction_high
        assert row.lod95 is not None
        assert min(1.0, needed / max(depth, 1.0)) * 0.9999 <= row.lod95 <= 1.0


@pytest.mark.parametrize("molecules", [1, 5, 30, 1000, 1_000_000])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_one_marker_without_background(molecules: int, share: float) -> None:
    sample = made_sample("s", [made_marker("m", round(molecules * share), molecules)])
    check(judge_sample(sample, FACTS, LevelSettings()), LevelSettings())


def test_markers_at_a_half_and_at_nothing() -> None:
    markers = [made_marker(f"m{i}", 500 * (i % 2), 1000) for i in range(6)]
    sample = made_sample("s", markers, made_sites([0] * 100, 1000))
    result = judge_sample(sample, FACTS, LevelSettings())
    check(result, LevelSettings())
    assert result.level.call == "quantified"
    assert "marker_lost" in [found.code for found in result.quality]
