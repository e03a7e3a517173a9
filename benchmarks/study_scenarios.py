"""Null scenarios of the statistics study: what a laboratory's noise may be like.

Each scenario draws designs (depths, true error rates, non-marker positions, controls)
and, for one design, any number of samples without disease or at a given level.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrdtrack.counts import BackgroundSite, BackgroundSites
from mrdtrack.levels.background_model import MarkerKey
from mrdtrack.levels.controls import Controls, MarkerControls
from mrdtrack.levels.neighbours import SiteCounts, site_counts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One kind of noise.

    `rate`: median error rate of the classes, which spread by `class_sd` (log); `depth`:
    median molecules a marker (log-sd 0.3); `site_cv` and `family`: spread between sites
    of one class; `transient_cv`: of one site between samples; `shift`: damage of the
    sample's run against its controls; `copies`: mean reads of one molecule (1: none);
    `shared_class`: all markers in one class; `bleed`: a rate that comes on top of the
    sample's markers, declared to the test.
    """

    markers: int = 10
    sites: int = 100
    controls: int = 0
    rate: float = 2e-5
    depth: float = 50_000
    site_cv: float = 0.8
    family: str = "lognormal"
    transient_cv: float = 0.25
    class_sd: float = 0.7
    control_sd: float = 0.2
    shift: float = 1.0
    copies: float = 1.0
    shared_class: bool = False
    control_sites: bool = True
    bleed: float = 0.0

    @property
    def design_factor(self) -> float:
        """Variance over mean of the reads of one molecule."""
        return 1.0 if self.copies <= 1 else 1.0 + self.copies


class Design(NamedTuple):
    """One drawn design: what the test is given, and the truth it does not know.

    `molecules`, `class_rate`, `rate` [M]: depth, mean of the markers' class, own rate;
    `control_rate` [M, m]: mean of the markers' class in each control.
    """

    scenario: Scenario
    molecules: Ints
    class_rate: Floats
    rate: Floats
    control_rate: Floats
    keys: tuple[MarkerKey, ...]
    sites: SiteCounts
    controls: Controls


UMI = Scenario()
RAW = Scenario(rate=4e-4, depth=30_000)
DUPLEX = Scenario(rate=5e-7)
JUNCTION = Scenario(rate=1e-7, depth=300_000, markers=3)
COPIES = Scenario(rate=1e-4, copies=3.0)

SCENARIOS: dict[str, Scenario] = {
    "UMI, no control": UMI,
    "UMI, no control, Gamma sites": replace(UMI, family="gamma"),
    "UMI, 3 controls": replace(UMI, controls=3),
    "UMI, 10 controls": replace(UMI, controls=10),
    "UMI, 30 controls": replace(UMI, controls=30),
    "1 marker, no control": replace(UMI, markers=1),
    "1 marker, 3 controls": replace(UMI, markers=1, controls=3),
    "1 marker, 10 controls": replace(UMI, markers=1, controls=10),
    "2 markers, no control": replace(UMI, markers=2),
    "2 markers, 3 controls": replace(UMI, markers=2, controls=3),
    "5 markers, 10 controls": replace(UMI, markers=5, controls=10),
    "30 markers, no control": replace(UMI, markers=30),
    "30 markers, 10 controls": replace(UMI, markers=30, controls=10),
    "heavy tail, no control": replace(UMI, site_cv=1.3),
    "heavy tail, 10 controls": replace(UMI, site_cv=1.3, controls=10),
    "30 neighbours, no control": replace(UMI, sites=30),
    "30 neighbours, heavy, 3 ctl": replace(UMI, sites=30, site_cv=1.3, controls=3),
    "raw reads, no control": RAW,
    "raw reads, 10 controls": replace(RAW, controls=10),
    "duplex, no control": DUPLEX,
    "duplex, 10 controls": replace(DUPLEX, controls=10),
    "deep, 10 controls": replace(UMI, depth=500_000, markers=5, controls=10),
    "shallow raw reads, no control": replace(RAW, depth=2_000),
    "unstable runs, 10 controls": replace(UMI, transient_cv=0.5, controls=10),
    "damaged 5-fold, 10 controls": replace(UMI, shift=5.0, controls=10),
    "one class, no control": replace(UMI, shared_class=True),
    "one class, duplex, no control": replace(DUPLEX, shared_class=True),
    "one class, 10 controls": replace(UMI, shared_class=True, controls=10),
    "controls without sites": replace(UMI, controls=10, control_sites=False),
    "damaged, controls without sites": replace(
        UMI, shift=5.0, controls=10, control_sites=False
    ),
    "3 reads a molecule, no control": COPIES,
    "3 reads a molecule, 10 controls": replace(COPIES, controls=10),
    "junctions, no control": JUNCTION,
    "junctions, 10 controls": replace(JUNCTION, controls=10),
    "declared bleed, 10 controls": replace(UMI, bleed=1e-5, controls=10),
}

INTERVAL_DEPTHS = (1_000, 10_000, 100_000, 1_000_000)
INTERVAL_SCENARIOS: dict[str, Scenario] = {
    f"{name}, {depth:,} molecules": replace(scenario, depth=float(depth))
    for name, scenario in {
        "1 marker, no control": replace(UMI, markers=1),
        "1 marker, 10 controls": replace(UMI, markers=1, controls=10),
        "UMI, no control": UMI,
        "UMI, 10 controls": replace(UMI, controls=10),
        "raw reads, 10 controls": replace(RAW, controls=10),
    }.items()
    for depth in INTERVAL_DEPTHS
}


def spread(
    rng: np.random.Generator, cv: float, family: str, size: int | tuple[int, ...]
) -> Floats:
    """Draw factors of mean 1 and the given coefficient of variation."""
    if cv <= 0:
        return np.ones(size)
    if family == "gamma":
        return rng.gamma(1 / cv**2, cv**2, size)
    variance = np.log1p(cv**2)
    return np.exp(rng.normal(-variance / 2, np.sqrt(variance), size))


def reads_of(rng: np.random.Generator, mean: Floats, copies: float) -> Ints:
    """Draw counts; with copies, molecules first and then the reads of each."""
    if copies <= 1:
        return rng.poisson(mean)
    return rng.poisson(rng.poisson(mean / copies) * copies)


def depths(rng: np.random.Generator, median: Floats | Ints, sd: float) -> Ints:
    """Draw depths around their medians, at least 1."""
    drawn = np.round(median * np.exp(rng.normal(0, sd, np.shape(median))))
    return np.maximum(drawn, 1).astype(np.int64)


def draw_design(scenario: Scenario, rng: np.random.Generator) -> Design:
    """Draw one design of a scenario."""
    s, m = scenario, scenario.controls
    classes = 1 if s.shared_class else s.markers
    of = np.zeros(s.markers, np.int64) if s.shared_class else np.arange(s.markers)
    mean = s.rate * np.exp(rng.normal(0, s.class_sd, classes))
    molecules = depths(rng, np.full(s.markers, s.depth), 0.3)
    own = spread(rng, s.site_cv, s.family, s.markers)
    control_mean = np.exp(rng.normal(0, s.control_sd, (classes, m)))
    control_depth = np.exp(rng.normal(0, 0.3, m))
    own_n = depths(rng, molecules[:, None] * control_depth, 0.2)
    transient = spread(rng, s.transient_cv, "gamma", (s.markers, m))
    control_rate = (mean[of] * own)[:, None] * transient * control_mean[of]
    own_k = reads_of(rng, own_n * control_rate, s.copies)
    sites: list[BackgroundSite] = []
    of_controls: list[list[BackgroundSite]] = [[] for _ in range(m)]
    for c in range(classes):
        site = spread(rng, s.site_cv, s.family, s.sites)
        n = depths(rng, np.full(s.sites, float(molecules[of == c].mean())), 0.2)
        here = mean[c] * site * spread(rng, s.transient_cv, "gamma", s.sites) * s.shift
        k = reads_of(rng, n * here, s.copies)
        sites += _as_sites(f"c{c}", k, n)
        q = depths(rng, n[:, None] * control_depth, 0.2)
        there = (mean[c] * site)[:, None] * control_mean[c]
        there = there * spread(rng, s.transient_cv, "gamma", (s.sites, m))
        k_there = reads_of(rng, q * there, s.copies)
        for j in range(m if s.control_sites else 0):
            of_controls[j] += _as_sites(f"c{c}", k_there[:, j], q[:, j])
    controls = Controls(
        names=tuple(f"control {j}" for j in range(m)),
        sites=tuple(
            site_counts(f"control {j}", BackgroundSites.of(of_controls[j]))
            for j in range(m)
        ),
        markers={
            f"m{i}": MarkerControls(own_k[i].astype(float), own_n[i].astype(float))
            for i in range(s.markers if m else 0)
        },
    )
    return Design(
        scenario,
        molecules,
        mean[of] * s.shift,
        mean[of] * own * s.shift,
        mean[of, None] * control_mean[of],
        tuple(MarkerKey(f"m{i}", f"c{of[i]}", s.bleed) for i in range(s.markers)),
        site_counts("sample", BackgroundSites.of(sites)),
        controls,
    )


def _as_sites(error_class: str, alt: Ints, molecules: Ints) -> list[BackgroundSite]:
    pairs = zip(alt.tolist(), molecules.tolist(), strict=True)
    return [
        BackgroundSite("chr1", i + 1, "C", "T", error_class, *pair)
        for i, pair in enumerate(pairs)
    ]


def draw_samples(
    design: Design, level: float, size: int, rng: np.random.Generator
) -> Ints:
    """Draw marker counts of samples of one design [size, M].

    Where no control tells the markers' own rates, each sample draws them anew.
    """
    s = design.scenario
    shape = (size, s.markers)
    rate = np.broadcast_to(design.rate, shape)
    if s.controls == 0:
        rate = design.class_rate * spread(rng, s.site_cv, s.family, shape)
    rate = rate * spread(rng, s.transient_cv, "gamma", shape)
    mean = design.molecules * rate
    counts = reads_of(rng, mean, s.copies)
    if s.copies <= 1:
        counts += rng.binomial(design.molecules, np.full(shape, min(level, 1.0)))
    else:
        counts += reads_of(rng, np.full(shape, level) * design.molecules, s.copies)
    if s.bleed:
        bleed = s.bleed * rng.gamma(4, 0.25, shape)
        counts += rng.poisson(design.molecules * bleed)
    return np.minimum(counts, design.molecules).astype(np.int64)
