"""Some markers of one sample under one null: tables, p-values, numbers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from mrdtrack.counts import MarkerCounts, SampleCounts
from mrdtrack.levels.background_model import Background, MarkerKey, level_background
from mrdtrack.levels.carry_over import RunCarryOver
from mrdtrack.levels.controls import Controls
from mrdtrack.levels.detection import (
    Evidence,
    LevelCounts,
    NullTable,
    evidence,
    null_table,
)
from mrdtrack.levels.exact_bounds import FloatArray
from mrdtrack.levels.level_interval import LikelihoodStore
from mrdtrack.levels.level_markers import informative
from mrdtrack.levels.limits import Limits, Sampling, limits, marker_limits
from mrdtrack.levels.marker_results import (
    MarkerKnowledge,
    MarkerNumbers,
    marker_numbers,
)
from mrdtrack.levels.memo import Memo
from mrdtrack.levels.negative_binomials import RateMixture
from mrdtrack.levels.neighbours import SiteCounts
from mrdtrack.levels.visit_facts import LevelSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """What other samples say about one sample, ready for use.

    `run`: what of each marker may come over from other samples of the run. What samples
    have in common is kept: `backgrounds`, `designs` (some 100 kB each), `intervals`.
    """

    controls: Controls = field(default_factory=Controls)
    run: RunCarryOver = field(default_factory=RunCarryOver)
    backgrounds: Memo = field(default_factory=lambda: Memo(64))
    designs: Memo = field(default_factory=lambda: Memo(128))
    intervals: Memo = field(default_factory=lambda: Memo(16_384))


class Design(NamedTuple):
    """What is known of some markers before their molecules are looked at.

    `key` tells it from every other design of the run.
    """

    key: Hashable
    background: Background
    table: NullTable
    limits: Limits
    marker_lod95: FloatArray
    likelihoods: LikelihoodStore


class JudgedMarkers(NamedTuple):
    """The markers at `places` of a sample, and what the test says of them."""

    places: tuple[int, ...]
    design: Design
    counts: LevelCounts
    found: Evidence
    numbers: MarkerNumbers

    @property
    def table(self) -> NullTable:
        """The null of these markers."""
        return self.design.table

    @property
    def background(self) -> Background:
        """The background of these markers."""
        return self.design.background


def judged_markers(
    sample: SampleCounts,
    places: Sequence[int],
    own_sites: SiteCounts,
    settings: LevelSettings,
    context: RunContext,
) -> JudgedMarkers | None:
    """Judge the markers at some places of a sample together (None: there are none)."""
    if not places:
        return None
    markers = [sample.markers[place] for place in places]
    keys = tuple(_key(marker, sample.sample, settings, context) for marker in markers)
    counts = level_counts(markers, settings.design_factor)
    known = (
        keys,
        sample.molecule_mode,
        own_sites.name,
        counts.molecules.tobytes(),
        counts.ratio.tobytes(),
        settings,
    )

    def background() -> Background:
        return level_background(
            keys,
            sample.molecule_mode,
            own_sites,
            context.controls,
            settings.design_factor,
        )

    design = context.designs.get(
        known,
        lambda: _design(
            context.backgrounds.get((*known[:3], settings), background),
            counts,
            settings,
            known,
        ),
    )
    found = evidence(design.table, counts.alt)
    numbers = marker_numbers(
        design.table,
        counts.alt.astype(np.float64),
        found.p_marker,
        settings,
        MarkerKnowledge(design.marker_lod95, design.background.assumed),
    )
    return JudgedMarkers(tuple(places), design, counts, found, numbers)


def _design(
    background: Background,
    counts: LevelCounts,
    settings: LevelSettings,
    key: Hashable,
) -> Design:
    table = null_table(
        counts.molecules, counts.ratio, background.mixture, settings.alpha
    )
    sampling = Sampling(settings.input_genomes, settings.min_molecules, settings.loq_cv)
    return Design(
        key,
        background,
        table,
        limits(table, settings.alpha, sampling),
        marker_limits(table, settings.alpha, sampling),
        LikelihoodStore(table),
    )


def _key(
    marker: MarkerCounts, sample: str, settings: LevelSettings, context: RunContext
) -> MarkerKey:
    declared = settings.declared_rate + context.run.into(sample, marker.marker).rate
    return MarkerKey(marker.marker, marker.error_class, declared)


def level_counts(markers: Sequence[MarkerCounts], design_factor: float) -> LevelCounts:
    """Return the counts of markers as independent molecules.

    Signal ratios are relative: where all markers have the same one it is 1, so that
    the level is then the fraction itself.
    """
    alt = np.array([marker.alt or 0 for marker in markers], dtype=np.float64)
    molecules = np.array([informative(marker) for marker in markers], dtype=np.float64)
    ratio = np.array([marker.signal_ratio for marker in markers], dtype=np.float64)
    if (ratio == ratio[0]).all():
        ratio = np.ones(len(ratio))
    molecules = np.maximum(molecules / design_factor, 1.0)
    alt = np.minimum(np.floor(alt / design_factor + 0.5), np.ceil(molecules))
    return LevelCounts(alt.astype(np.int64), molecules, ratio)


def without_marker(
    judged: JudgedMarkers, left_out: int, alpha: float
) -> tuple[NullTable, LevelCounts, Evidence]:
    """Judge the same markers again without one of them."""
    kept = np.delete(np.arange(len(judged.places)), left_out)
    mixture = judged.table.mixture
    subset = RateMixture(
        mixture.weight[kept],
        mixture.rate[kept],
        mixture.shape[kept],
        mixture.class_of[kept],
        mixture.nodes,
        mixture.given_node[kept],
    )
    size = np.bincount(subset.class_of[subset.class_of >= 0])
    present = np.flatnonzero(size > 1).tolist()
    renumbered = np.array(
        [present.index(c) if c in present else -1 for c in subset.class_of.tolist()],
        dtype=np.int64,
    )
    subset = subset._replace(class_of=renumbered, nodes=mixture.nodes[present])
    alt, molecules, ratio = judged.counts
    counts = LevelCounts(alt[kept], molecules[kept], ratio[kept])
    table = null_table(counts.molecules, counts.ratio, subset, alpha)
    return table, counts, evidence(table, counts.alt)
