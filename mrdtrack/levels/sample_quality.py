"""What a reader of a level must know about how it came about."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mrdtrack.counts import QualityFinding, SampleCounts, Severity
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


def _finding(code: str, severity: Severity, message: str) -> QualityFinding:
    return QualityFinding(code=code, severity=severity, message=message)


def _listed(names: Sequence[str], most: int = 6) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


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
            _finding(
                "one_marker_alone",
                "warning",
                f"The detection rests on {top} alone: without it p = {without:.2g} "
                f"(with it {judged.found.p_value:.2g}). An artefact of this marker or "
                "a subclone that survived would look the same.",
            )
        )
    lost = _lost_markers(names, judged, level)
    if lost:
        found.append(
            _finding(
                "marker_lost",
                "warning",
                f"{_listed(lost)}: fewer molecules than the level of the others lets "
                "expect (lost subclone, or a marker that was never clonal).",
            )
        )
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
        return [
            _finding(
                "carry_over_unchecked",
                "info",
                "No other sample of the sequencing run was given, so carry-over "
                "between samples could not be checked.",
            )
        ]
    sources = {name: context.run.into(sample, name) for name in names}
    told = [
        f"{name} (as much as {carried.rate:.1e} from {carried.source})"
        for name, alt in zip(names, judged.counts.alt, strict=True)
        if alt > 0 and (carried := sources[name]).rate > 0
    ]
    if not told or judged.found.p_value <= settings.alpha:
        return []
    return [
        _finding(
            "explained_by_carry_over",
            "warning",
            f"{_listed(told)}: the molecules seen may have come over from other "
            "samples of the run.",
        )
    ]


def _background(
    names: Sequence[str], judged: JudgedMarkers, context: RunContext
) -> list[QualityFinding]:
    background = judged.background
    found = []
    bare = [n for n, a in zip(names, background.assumed, strict=True) if a]
    if bare:
        found.append(
            _finding(
                "background_assumed",
                "warning",
                f"{_listed(bare)}: neither non-marker positions nor controls tell the "
                "error rate, a usual one is assumed; the p-value is only as good as "
                "that.",
            )
        )
    few = [
        name
        for name, sites, assumed in zip(
            names, background.sites, background.assumed, strict=True
        )
        if sites < FEW_SITES and not assumed
    ]
    if few:
        found.append(
            _finding(
                "few_background_sites",
                "info",
                f"{_listed(few)}: fewer than {FEW_SITES} non-marker positions of the "
                "error class (or of the wider classes it belongs to).",
            )
        )
    noise = (judged.table.mixture.weight * judged.table.background).sum(axis=1)
    if context.controls.names and len(names) > 1 and float(noise.mean()) < FEW_ERRORS:
        found.append(
            _finding(
                "few_errors_known",
                "info",
                "Errors are so rare here that sites and controls hold few of them: in "
                "simulations of such samples the false-positive rate at 0.01 was 0.013 "
                "to 0.015.",
            )
        )
    if not context.controls.names:
        found.append(
            _finding(
                "no_controls",
                "info",
                "Judged without control samples: errors special to one position are "
                "only known through its class, and the limit of detection is higher.",
            )
        )
    return found
