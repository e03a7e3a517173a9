"""What a reader of a level must know about how it came about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mrdtrack.counts import QualityFinding, SampleCounts
from mrdtrack.findings import finding
from mrdtrack.levels.exact_bounds import clopper_pearson
from mrdtrack.levels.judged_markers import JudgedMarkers, RunContext
from mrdtrack.levels.neighbours import FEW_SITES
from mrdtrack.levels.result import Level
from mrdtrack.levels.visit_facts import LevelSettings

FEW_ERRORS = 0.1
"""Expected error molecules a marker below which the study found the test too bold."""


def sample_findings(
    counts: SampleCounts,
    judged: JudgedMarkers | None,
    level: Level,
    settings: LevelSettings,
    context: RunContext,
) -> tuple[QualityFinding, ...]:
    """Return the findings of the statistics, most important first."""
    if judged is None:
        return ()
    names = [counts.markers[place].marker for place in judged.places]
    found = [
        *_discordance(names, judged, level, settings),
        *_background(names, judged, context),
        *_carried_over(counts.sample, names, judged, settings, context),
    ]
    return tuple(found)


def _discordance(
    names: Sequence[str],
    judged: JudgedMarkers,
    level: Level,
    settings: LevelSettings,
) -> list[QualityFinding]:
    without = level.p_without_top_marker
    found = []
    if without is not None and without > settings.alpha:
        top = names[int(judged.found.p_marker.argmin())]
        found.append(
            finding(
                "one_marker_alone",
                "warning",
                marker=top,
                p_without=without,
                p_value=float(judged.found.p_value),
            )
        )
    lost = _lost_markers(names, judged, level)
    if lost:
        found.append(finding("marker_lost", "warning", markers=tuple(lost)))
    return found


def _lost_markers(
    names: Sequence[str], judged: JudgedMarkers, level: Level
) -> list[str]:
    """Name markers whose own interval lies a third below the level's lower bound."""
    if level.low is None or level.low <= 0 or len(names) < 2:
        return []
    alt, molecules, ratio = judged.counts
    confidence = 1 - 0.02 / len(names)
    high = clopper_pearson(alt, molecules, confidence)[1] / ratio
    lost = np.flatnonzero(high < level.low * 2 / 3)
    return [names[int(i)] for i in lost]


def _carried_over(
    sample: str,
    names: Sequence[str],
    judged: JudgedMarkers,
    settings: LevelSettings,
    context: RunContext,
) -> list[QualityFinding]:
    """Tell of molecules that other samples of the run may explain."""
    if not context.run.levels:
        return [finding("carry_over_unchecked", "info")]
    told = {
        name: carried
        for name, alt in zip(names, judged.counts.alt, strict=True)
        if alt > 0 and (carried := context.run.into(sample, name)).rate > 0
    }
    if not told or judged.found.p_value <= settings.alpha:
        return []
    return [
        finding(
            "explained_by_carry_over",
            "warning",
            markers=tuple(told),
            samples=tuple(sorted({carried.source for carried in told.values()})),
            rate=max(float(carried.rate) for carried in told.values()),
        )
    ]


def _background(
    names: Sequence[str], judged: JudgedMarkers, context: RunContext
) -> list[QualityFinding]:
    background = judged.background
    found = []
    bare = [n for n, a in zip(names, background.assumed, strict=True) if a]
    if bare:
        found.append(finding("background_assumed", "warning", markers=tuple(bare)))
    few = [
        name
        for name, sites, assumed in zip(
            names, background.sites, background.assumed, strict=True
        )
        if sites < FEW_SITES and not assumed
    ]
    if few:
        found.append(
            finding(
                "few_background_sites",
                "info",
                markers=tuple(few),
                n_positions=FEW_SITES,
            )
        )
    noise = (judged.table.mixture.weight * judged.table.background).sum(axis=1)
    if context.controls.names and len(names) > 1 and float(noise.mean()) < FEW_ERRORS:
        found.append(finding("few_errors_known", "info"))
    if not context.controls.names:
        found.append(finding("no_controls", "info"))
    return found
