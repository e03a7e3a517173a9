"""Is the test calibrated, is its limit of detection true, do its intervals cover?

    python -m benchmarks.study [--designs N] [--samples N] [--only TEXT]
        [--part calibration,sensitivity,coverage] [--seed TEXT]

For each scenario designs are drawn; for each design the test is prepared once and many
samples are judged: without disease (false-positive rate), at the LoD95 it prints
(detection), and at levels of 0 to 1,000 molecules (coverage). The LoD95 is compared
with that of a test that knows every error rate and its spread between samples.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from benchmarks.study_scenarios import (
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
    on_lattice,
)
from mrdtrack.levels.level_interval import LikelihoodStore, level_estimate
from mrdtrack.levels.limits import (
    Sampling,
    critical_values,
    level_at,
    limits,
    truncated_mass,
    truncated_sum,
)
from mrdtrack.levels.negative_binomials import RateMixture, count_table, with_signal

Hits = NDArray[np.bool_]

ALPHAS = (0.05, 0.01, 0.001)
SIGNALS = (0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)


class Calibration(NamedTuple):
    """False-positive rates at `ALPHAS` with their standard errors."""

    rate: tuple[float, ...]
    error: tuple[float, ...]


class Sensitivity(NamedTuple):
    """Median printed LoD95, its detection, and geometric mean over the knowing one."""

    lod95: float
    detection: float
    ratio: float


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
    lods, detected, known = [], [], []
    for design, rng in designs(scenario, name, size):
        table = prepared(design)
        lod = limits(table, 0.01, Sampling(None, 1, 0.3)).lod95
        counts = judged_counts(design, draw_samples(design, lod, samples, rng))
        lods.append(lod)
        detected.append(float(rejection(table, counts, 0.01).mean()))
        known.append(knowing_lod95(design))
    ratio = float(np.exp(np.mean(np.log(lods)) - np.mean(np.log(known))))
    return Sensitivity(float(np.median(lods)), float(np.mean(detected)), ratio)


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
    density = truncated_sum(on_lattice(null, lattice, BINS)[None])[0]
    below = np.cumsum(density)
    border = int(np.argmax(1 - np.concatenate([[0.0], below]) <= alpha))

    def power(levels: Floats) -> Floats:
        missed = []
        for f in levels:
            mean, with_shape = with_signal(noise, shape, (molecules * f)[:, None])
            table = count_table(mean[:, 0], with_shape[:, 0], size)
            rows = on_lattice(table, np.minimum(lattice, border), border + 1)
            missed.append(truncated_mass(rows[None, :, :border])[0])
        return 1.0 - np.array(missed)

    return level_at(power, (0.95,), level, 0.3)[0]


def coverage(
    name: str, scenario: Scenario, signal: float, size: int, samples: int
) -> Coverage:
    """Return how often intervals hold a level of so many expected molecules."""
    held: list[float] = []
    widths = np.zeros(2)
    for design, rng in designs(scenario, name, size):
        tables = prepared(design), knowing_table(design)
        table = tables[0]
        level = signal / float(table.molecules.sum())
        stores = [LikelihoodStore(either) for either in tables]
        counts = judged_counts(design, draw_samples(design, level, samples, rng))
        inside = 0
        for alt in counts:
            sample = LevelCounts(alt, table.molecules, table.ratio)
            found = [
                level_estimate(either, sample, evidence(either, alt), store)
                for either, store in zip(tables, stores, strict=True)
            ]
            inside += found[0].low <= level <= found[0].high
            widths += [estimate.high - estimate.low for estimate in found]
        held.append(inside / samples)
    error = float(np.std(held, ddof=1) / np.sqrt(size))
    width = float(widths[0] / widths[1])
    return Coverage(signal, float(np.mean(held)), error, width)


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


def main(arguments: Sequence[str]) -> None:
    """Print the tables of the study as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--designs", type=int, default=200)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--only", default="")
    parser.add_argument("--part", default="calibration,sensitivity,coverage")
    parser.add_argument("--seed", default="", help="another text draws other designs")
    asked = parser.parse_args(arguments)
    chosen = {n: s for n, s in SCENARIOS.items() if asked.only in n}
    if "calibration" in asked.part:
        print("| scenario | at 0.05 | at 0.01 | at 0.001 |\n|---|---|---|---|")
        for name, scenario in chosen.items():
            found = calibration(
                name + asked.seed, scenario, asked.designs, asked.samples
            )
            cells = [
                f"{rate:.4f} ± {error:.4f}"
                for rate, error in zip(found.rate, found.error, strict=True)
            ]
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
    if "sensitivity" in asked.part:
        print("\n| scenario | LoD95 | detected at it | over the knowing test |")
        print("|---|---|---|---|")
        for name, scenario in chosen.items():
            seen = sensitivity(
                name + asked.seed, scenario, max(asked.designs // 4, 2), asked.samples
            )
            told = f"{seen.lod95:.3g} | {seen.detection:.3f} | {seen.ratio:.2f}"
            print(f"| {name} | {told} |", flush=True)
    if "coverage" in asked.part:
        print(f"\n| scenario | {' | '.join(f'{s:g}' for s in SIGNALS)} |")
        print("|---|" + "---|" * len(SIGNALS))
        for name, scenario in chosen.items():
            cells = []
            for signal in SIGNALS:
                held = coverage(
                    name + asked.seed, scenario, signal, max(asked.designs // 5, 2), 10
                )
                cells.append(f"{held.coverage:.3f} ({held.width:.2f})")
            print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
