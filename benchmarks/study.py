"""Is the test calibrated, is its limit of detection true, do its intervals cover?

    python -m benchmarks.study [--designs N] [--samples N] [--only TEXT]
        [--part calibration,sensitivity,coverage,intervals] [--seed TEXT]

For each scenario designs are drawn; for each design the test is prepared once and many
samples are judged: without disease (false-positive rate), at the LoD95 it prints
(detection), and at levels of 0 to 1,000 molecules (coverage; `intervals` is the same at
depths of 1,000 to 1,000,000). The LoD95 is compared with that of a test that knows
every error rate and its spread between samples, and with that of one who knows the
classes but not the markers.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from benchmarks.study_scenarios import (
    INTERVAL_SCENARIOS,
    SCENARIOS,
    Design,
    Floats,
    Ints,
    Scenario,
    draw_design,
    draw_samples,
)
from mrdtrack.levels.background_model import level_background
from mrdtrack.levels.detection import (
    BINS,
    LevelCounts,
    NullTable,
    evidence,
    null_table,
)
from mrdtrack.levels.level_interval import (
    LevelEstimate,
    LikelihoodStore,
    level_estimate,
)
from mrdtrack.levels.level_search import level_at
from mrdtrack.levels.limits import Sampling, limits
from mrdtrack.levels.negative_binomials import (
    RateMixture,
    count_table,
    log_count_probability,
    with_signal,
)
from mrdtrack.levels.power import critical_values
from mrdtrack.levels.score_sums import TruncatedSums, on_lattice

Hits = NDArray[np.bool_]

ALPHAS = (0.05, 0.01, 0.001)
SIGNALS = (0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)


class Calibration(NamedTuple):
    """False-positive rates at `ALPHAS` with their standard errors."""

    rate: tuple[float, ...]
    error: tuple[float, ...]


class Sensitivity(NamedTuple):
    """Median printed LoD95, its detection, and how it compares (geometric means).

    `ratio`: over the LoD95 of a test that knows every rate; `over_told`: over that of
    this test when it is told the class means and spreads, and only the markers' own
    rates are left for it to learn. The second is what better estimates could gain.
    """

    lod95: float
    detection: float
    ratio: float
    over_told: float


class Coverage(NamedTuple):
    """Share of intervals that hold the truth, and mean width over the knowing one's."""

    signal: float
    coverage: float
    error: float
    width: float


def prepared(design: Design, alpha: float = 0.01) -> NullTable:
    """Return the null table of a design, from what the test is given."""
    factor = design.scenario.design_factor
    background = level_background(
        design.keys, "umi", design.sites, design.controls, factor
    )
    molecules = np.maximum(design.molecules / factor, 1.0)
    return null_table(molecules, np.ones(len(molecules)), background.mixture, alpha)


def judged_counts(design: Design, counts: Ints) -> Ints:
    """Return counts as independent molecules, as the test takes them."""
    factor = design.scenario.design_factor
    if factor == 1.0:
        return counts
    return np.floor(counts / factor + 0.5).astype(np.int64)


def designs(
    scenario: Scenario, name: str, size: int
) -> Iterator[tuple[Design, np.random.Generator]]:
    """Draw designs of a scenario, always the same for a name."""
    seed = zlib.crc32(name.encode())
    for i in range(size):
        rng = np.random.default_rng([seed, i])
        yield draw_design(scenario, rng), rng


def rejection(table: NullTable, counts: Ints, alpha: float) -> Hits:
    """Say for each sample [R, M] whether the test rejects: by its critical values."""
    critical = critical_values(table, alpha)
    places = np.minimum(counts, table.largest)
    score = table.score[np.arange(counts.shape[1]), places].sum(axis=1)
    single = (counts >= critical.counts).any(axis=1)
    rejected: Hits = single | (score >= critical.statistic)
    return rejected


def calibration(name: str, scenario: Scenario, size: int, samples: int) -> Calibration:
    """Return the false-positive rates of a scenario."""
    found: list[list[float]] = []
    for design, rng in designs(scenario, name, size):
        table = prepared(design)
        counts = judged_counts(design, draw_samples(design, 0.0, samples, rng))
        found.append([float(rejection(table, counts, a).mean()) for a in ALPHAS])
    rates = np.array(found)
    error = rates.std(axis=0, ddof=1) / np.sqrt(size)
    return Calibration(tuple(rates.mean(axis=0)), tuple(error))


def sensitivity(name: str, scenario: Scenario, size: int, samples: int) -> Sensitivity:
    """Return the median LoD95 of a scenario, its detection, and its ratio."""
    lods, detected, known, told = [], [], [], []
    for design, rng in designs(scenario, name, size):
        table = prepared(design)
        lod = limits(table, 0.01, Sampling(None, 1, 0.3)).lod95
        counts = judged_counts(design, draw_samples(design, lod, samples, rng))
        lods.append(lod)
        detected.append(float(rejection(table, counts, 0.01).mean()))
        known.append(knowing_lod95(design))
        told.append(limits(told_table(design), 0.01, Sampling(None, 1, 0.3)).lod95)
    means = [float(np.mean(np.log(values))) for values in (lods, known, told)]
    return Sensitivity(
        float(np.median(lods)),
        float(np.mean(detected)),
        float(np.exp(means[0] - means[1])),
        float(np.exp(means[0] - means[2])),
    )


def knowing_lod95(design: Design, alpha: float = 0.01) -> float:
    """Return the LoD95 of the likelihood-ratio test that knows rates and spread.

    Point likelihood ratio at the level of signal-to-noise z_alpha + 1.645, its exact
    null on a lattice, power by convolution.
    """
    s = design.scenario
    molecules = np.maximum(design.molecules / s.design_factor, 1.0)
    noise = (molecules * (design.rate + s.bleed))[:, None]
    shape = np.full_like(noise, 1 / s.transient_cv**2)
    wanted = float(special.ndtri(1 - alpha) + 1.645) ** 2
    grid = np.geomspace(1e-8, 1e-1, 2000)
    signal = molecules * grid[:, None]
    spread2 = noise[:, 0] + noise[:, 0] ** 2 * s.transient_cv**2
    ratio = (signal**2 / (spread2 + signal)).sum(axis=1)
    level = float(np.interp(wanted, ratio, grid))
    size = int((noise + 12 * np.sqrt(noise * (1 + noise / shape)) + 60).max())
    null = count_table(noise[:, 0], shape[:, 0], size)
    mean, with_shape = with_signal(noise, shape, (molecules * level)[:, None])
    score = np.log(np.maximum(count_table(mean[:, 0], with_shape[:, 0], size), 1e-250))
    score = np.maximum.accumulate(score - np.log(np.maximum(null, 1e-250)), axis=1)
    score -= score[:, :1]
    width = ((null * score).sum() + score.max()) / (BINS - 1)
    lattice = np.minimum(score / width + 0.5, BINS - 1).astype(np.int64)
    sums = TruncatedSums(BINS)
    spectrum = sums.transformed(on_lattice(null, lattice, BINS)).prod(axis=0)
    density = sums.back(spectrum)
    below = np.cumsum(density)
    border = int(np.argmax(1 - np.concatenate([[0.0], below]) <= alpha))
    sums = TruncatedSums(border)

    def power(levels: Floats) -> Floats:
        missed = []
        for f in levels:
            mean, with_shape = with_signal(noise, shape, (molecules * f)[:, None])
            table = count_table(mean[:, 0], with_shape[:, 0], size)
            rows = on_lattice(table, np.minimum(lattice, border), border + 1)
            spectrum = sums.transformed(rows[:, :border]).prod(axis=0)
            missed.append(float(sums.back(spectrum).sum()))
        return 1.0 - np.array(missed)

    return level_at(power, (0.95,), level, 0.3)[0]


def coverage(
    name: str, scenario: Scenario, signals: Sequence[float], size: int, samples: int
) -> list[Coverage]:
    """Return how often intervals hold levels of so many expected molecules.

    Widths are compared with those of one who knows the rates, on a tenth of the
    samples and only where there are controls: else each sample has rates of its own.
    """
    held = np.zeros((len(signals), size))
    widths = np.zeros((len(signals), 2))
    for d, (design, rng) in enumerate(designs(scenario, name, size)):
        tables = prepared(design), knowing_table(design)
        stores = [LikelihoodStore(either) for either in tables]
        for i, signal in enumerate(signals):
            level = min(signal / float(tables[0].molecules.sum()), 1.0)
            counts = judged_counts(design, draw_samples(design, level, samples, rng))
            compared = len(counts) // 10 + 1 if scenario.controls else 0
            for j, alt in enumerate(counts):
                found = _interval(tables[0], stores[0], alt)
                held[i, d] += found.low <= level <= found.high
                if j < compared:
                    known = _interval(tables[1], stores[1], alt)
                    widths[i] += found.high - found.low, known.high - known.low
    share = held / samples
    error = share.std(axis=1, ddof=1) / np.sqrt(size)
    with np.errstate(invalid="ignore"):
        width = widths[:, 0] / widths[:, 1]
    return [
        Coverage(*map(float, row))
        for row in zip(signals, share.mean(axis=1), error, width, strict=True)
    ]


def _interval(table: NullTable, store: LikelihoodStore, alt: Ints) -> LevelEstimate:
    sample = LevelCounts(alt, table.molecules, table.ratio)
    return level_estimate(table, sample, evidence(table, alt), store)


def knowing_table(design: Design, alpha: float = 0.01) -> NullTable:
    """Return the null table of one who knows the markers' rates and their spread."""
    s = design.scenario
    size = s.markers
    one = np.ones((size, 1))
    mixture = RateMixture(
        weight=one,
        rate=(design.rate + s.bleed)[:, None],
        shape=np.full((size, 1), 1 / s.transient_cv**2),
        class_of=np.full(size, -1, dtype=np.int64),
        nodes=np.zeros((0, 1)),
        given_node=one[:, None, :],
    )
    molecules = np.maximum(design.molecules / s.design_factor, 1.0)
    return null_table(molecules, np.ones(size), mixture, alpha)


def told_table(design: Design, alpha: float = 0.01) -> NullTable:
    """Return the null table of one who knows class means and spreads, not own rates."""
    s = design.scenario
    x = np.arange(-8.0, 6.0, 0.2)
    if s.family == "gamma":
        k = 1 / s.site_cv**2
        prior = np.exp(k * x - k * np.exp(x))
    else:
        variance = np.log1p(s.site_cv**2)
        prior = np.exp(-0.5 * (x + variance / 2) ** 2 / variance)
    tau2 = s.transient_cv**2
    weight = np.tile(prior, (s.markers, 1))
    for i, key in enumerate(design.keys):
        own = design.controls.of(key.marker)
        expected = own.molecules / s.design_factor * design.control_rate[i]
        mean = np.exp(x)[:, None] * expected
        alt = np.floor(own.alt / s.design_factor + 0.5)
        lik = log_count_probability(alt, mean, np.full_like(mean, 1 / tau2))
        weight[i] *= np.exp(lik.sum(axis=1) - lik.sum(axis=1).max())
    rate = design.class_rate[:, None] * np.exp(x) + s.bleed
    size = s.markers
    mixture = RateMixture(
        weight=weight / weight.sum(axis=1, keepdims=True),
        rate=rate,
        shape=np.full_like(rate, 1 / tau2),
        class_of=np.full(size, -1, dtype=np.int64),
        nodes=np.zeros((0, 1)),
        given_node=weight[:, None, :],
    )
    molecules = np.maximum(design.molecules / s.design_factor, 1.0)
    return null_table(molecules, np.ones(size), mixture, alpha)


def main(arguments: Sequence[str]) -> None:
    """Print the tables of the study as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--designs", type=int, default=200)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--only", default="", help="scenarios with this in their name")
    parser.add_argument("--part", default="calibration,sensitivity,coverage,intervals")
    parser.add_argument("--seed", default="", help="another text draws other designs")
    asked = parser.parse_args(arguments)
    chosen = {n: s for n, s in SCENARIOS.items() if asked.only in n}
    deep = {n: s for n, s in INTERVAL_SCENARIOS.items() if asked.only in n}
    if "calibration" in asked.part:
        _print_calibration(chosen, asked)
    if "sensitivity" in asked.part:
        _print_sensitivity(chosen, asked)
    if "coverage" in asked.part:
        _print_coverage(chosen, asked, max(asked.designs // 4, 2), 10)
    if "intervals" in asked.part:
        _print_coverage(deep, asked, max(asked.designs // 2, 2), 20)


def _print_calibration(
    chosen: Mapping[str, Scenario], asked: argparse.Namespace
) -> None:
    print("| scenario | at 0.05 | at 0.01 | at 0.001 |\n|---|---|---|---|")
    for name, scenario in chosen.items():
        found = calibration(name + asked.seed, scenario, asked.designs, asked.samples)
        cells = [
            f"{rate:.4f} ± {error:.4f}"
            for rate, error in zip(found.rate, found.error, strict=True)
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _print_sensitivity(
    chosen: Mapping[str, Scenario], asked: argparse.Namespace
) -> None:
    print("\n| scenario | LoD95 | detected at it | over knowing | over told |")
    print("|---|---|---|---|---|")
    for name, scenario in chosen.items():
        size = max(asked.designs // 4, 2)
        seen = sensitivity(name + asked.seed, scenario, size, asked.samples)
        told = f"{seen.lod95:.3g} | {seen.detection:.3f} | {seen.ratio:.2f}"
        print(f"| {name} | {told} | {seen.over_told:.2f} |", flush=True)


def _print_coverage(
    chosen: Mapping[str, Scenario], asked: argparse.Namespace, size: int, samples: int
) -> None:
    print(f"\n| scenario | {' | '.join(f'{s:g}' for s in SIGNALS)} |")
    print("|---|" + "---|" * len(SIGNALS))
    for name, scenario in chosen.items():
        rows = coverage(name + asked.seed, scenario, SIGNALS, size, samples)
        cells = [
            f"{row.coverage:.3f}" + (f" ({row.width:.2f})" if row.width > 0 else "")
            for row in rows
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
