"""What a reader of a level must know about how it came about."""

from __future__ import annotations

from collections.abc import Sequence

from mrdtrack.counts import QualityFinding, SampleCounts
from mrdtrack.findings import finding
from mrdtrack.levels.discordance import lost_markers
from mrdtrack.levels.judged_markers import JudgedMarkers, RunContext
from mrdtrack.levels.neighbours import FEW_SITES
from mrdtrack.levels.result import Level
from mrdtrack.levels.visit_facts import LevelSettings


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
    lost = [names[place] for place in lost_markers(judged, level.low or 0.0)]
    rest = level.without_discordant
    if lost and (rest is None or rest.marker in lost):
        found.append(finding("marker_lost", "warning", markers=tuple(lost)))
    if rest is not None:
        found.append(
            finding(
                "level_without_marker",
                "warning",
                marker=rest.marker,
                rate=rest.value,
                low=rest.low,
                high=rest.high,
                p_without=rest.p_value,
            )
        )
    return found


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
    if background.controls_without_sites:
        found.append(finding("controls_without_sites", "warning"))
    if not context.controls.names:
        found.append(finding("no_controls", "info"))
    return found
