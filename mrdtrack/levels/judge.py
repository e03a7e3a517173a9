"""From the counts of one sample to its level, limits and calls."""

from __future__ import annotations

from collections.abc import Sequence

from mrdtrack.counts import GroupCounts, MarkerCounts, SampleCounts
from mrdtrack.findings import REASONS
from mrdtrack.levels.carry_over import run_carry_over
from mrdtrack.levels.controls import Controls, gathered_controls, joined_controls
from mrdtrack.levels.discordance import discordance
from mrdtrack.levels.exact_bounds import clopper_pearson
from mrdtrack.levels.group_choice import choose_groups
from mrdtrack.levels.judged_markers import (
    JudgedMarkers,
    RunContext,
    judged_markers,
)
from mrdtrack.levels.level_interval import level_estimate
from mrdtrack.levels.level_markers import informative, level_markers
from mrdtrack.levels.marker_results import marker_call, marker_rows
from mrdtrack.levels.neighbours import SiteCounts, site_counts
from mrdtrack.levels.plausibility import implausible
from mrdtrack.levels.result import (
    GroupResult,
    Level,
    MarkerResult,
    Metric,
    Software,
    VisitResult,
)
from mrdtrack.levels.sample_quality import sample_findings
from mrdtrack.levels.visit_facts import LevelSettings, VisitFacts

_HETEROZYGOUS = "twice the fraction: heterozygous, copy-neutral, diploid loci"


def run_context(
    controls: Sequence[SampleCounts] = (),
    background: Controls | None = None,
    run_mates: Sequence[SampleCounts] = (),
    settings: LevelSettings | None = None,
) -> RunContext:
    """Prepare what other samples say, once for all samples of a run.

    `background`: controls held in a background file (`read_background`). `run_mates`:
    all samples of the sequencing run, the judged ones included.
    """
    gathered = gathered_controls(controls)
    if background is not None:
        gathered = joined_controls([gathered, background])
    mates = run_carry_over(run_mates, settings or LevelSettings())
    return RunContext(controls=gathered, run=mates)


def judge_sample(
    counts: SampleCounts,
    facts: VisitFacts,
    settings: LevelSettings,
    context: RunContext | None = None,
) -> VisitResult:
    """Judge one sample: a row for every marker, and the level they share."""
    sites = site_counts(counts.sample, counts.background)
    return judge_with_sites(counts, sites, facts, settings, context or RunContext())


def judge_with_sites(
    counts: SampleCounts,
    sites: SiteCounts,
    facts: VisitFacts,
    settings: LevelSettings,
    context: RunContext,
) -> VisitResult:
    """Judge one sample by background sites that are given apart."""
    judged = _with_groups(counts)
    groups = choose_groups(judged, sites, settings, context)
    chosen = level_markers(judged.markers, facts, settings, groups.together)
    shown = tuple(
        place
        for place, marker in enumerate(judged.markers)
        if informative(marker) and place not in chosen.places
    )
    level_part = judged_markers(judged, chosen.places, sites, settings, context)
    shown_part = judged_markers(judged, shown, sites, settings, context)
    level = _level(judged.markers, chosen.metric, level_part, settings, context)
    parts = [part for part in (level_part, shown_part) if part is not None]
    rows = marker_rows(
        judged.markers,
        [part.places for part in parts],
        [part.numbers for part in parts],
        settings,
    )
    n_markers = len(counts.markers)
    return VisitResult(
        sample=counts.sample,
        patient=facts.patient,
        disease=facts.disease,
        assembly=facts.assembly,
        date=facts.date,
        specimen=facts.specimen,
        timepoint=facts.timepoint,
        molecule_mode=counts.molecule_mode,
        markers=rows[:n_markers],
        groups=tuple(
            _group_result(group, row, groups.together)
            for group, row in zip(counts.groups, rows[n_markers:], strict=True)
        ),
        level=level,
        quality=(
            *counts.quality,
            *implausible(counts),
            *groups.findings,
            *chosen.findings,
            *sample_findings(judged, level_part, level, settings, context),
        ),
        identity=counts.identity,
        searched=counts.searched,
        family_sizes=counts.family_sizes,
        library=counts.library,
        parameters=_parameters(settings, context),
        panel_digest=facts.panel_digest,
        software=Software(version=facts.software_version),
    )


def _with_groups(counts: SampleCounts) -> SampleCounts:
    """Put the joint counts of groups behind the markers."""
    if not counts.groups:
        return counts
    return counts.model_copy(update={"markers": counts.judged, "groups": ()})


def _group_result(
    group: GroupCounts, row: MarkerResult, together: frozenset[str]
) -> GroupResult:
    told = {name: getattr(row, name) for name in MarkerResult.model_fields}
    return GroupResult(**told, members=group.members, in_level=group.marker in together)


def _level(
    markers: Sequence[MarkerCounts],
    metric: Metric,
    judged: JudgedMarkers | None,
    settings: LevelSettings,
    context: RunContext,
) -> Level:
    if judged is None:
        return _no_level(markers, metric, settings)
    seen = judged.design.limits
    value, low, high = context.intervals.get(
        (judged.design.key, judged.counts.alt.tobytes()),
        lambda: _interval(judged, settings),
    )
    found = judged.found
    call = marker_call(
        found.p_value,
        int(judged.counts.alt.sum()),
        quantifiable=value >= seen.loq,
        sensitive=seen.lod95 <= settings.sensitivity,
        settings=settings,
    )
    names = tuple(markers[place].marker for place in judged.places)
    apart = discordance(judged, names, (value, low, high), settings)
    level = Level(
        metric=metric,
        value=value,
        low=low,
        high=high,
        call=call,
        p_value=found.p_value,
        lob=seen.lob,
        lod95=seen.lod95,
        loq=seen.loq,
        required_sensitivity=settings.sensitivity,
        input_genomes=settings.input_genomes,
        limited_by=seen.limited_by,
        markers_used=len(judged.places),
        p_without_top_marker=apart.p_without_top,
        without_discordant=apart.without,
    )
    return level.model_copy(update=_cells(level))


def _no_level(
    markers: Sequence[MarkerCounts], metric: Metric, settings: LevelSettings
) -> Level:
    reasons = dict.fromkeys(marker.reason for marker in markers if marker.reason)
    codes = dict.fromkeys(m.reason_code or m.reason for m in markers if m.reason)
    if not markers:
        why = "empty_panel"
    elif any(informative(marker) for marker in markers):
        why = "none_may_drive"
    else:
        why = "none_informative"
    told = f"{REASONS[why]} ({'; '.join(reasons)})" if reasons else REASONS[why]
    return Level(
        metric=metric,
        value=None,
        low=None,
        high=None,
        call="not_evaluable",
        reason=told,
        reason_codes=(why, *codes),
        p_value=None,
        lob=None,
        lod95=None,
        loq=None,
        required_sensitivity=settings.sensitivity,
        input_genomes=settings.input_genomes,
        limited_by=None,
        markers_used=0,
    )


def _interval(
    judged: JudgedMarkers, settings: LevelSettings
) -> tuple[float, float, float]:
    """Return level, lower and upper bound; exact binomial for one bare marker."""
    if len(judged.places) == 1 and judged.background.assumed[0]:
        alt, molecules, _ = judged.counts
        low, high = clopper_pearson(alt[0], molecules[0], settings.confidence)
        return float(alt[0] / molecules[0]), float(low), float(high)
    estimate = level_estimate(
        judged.table,
        judged.counts,
        judged.found,
        judged.design.likelihoods,
        settings.confidence,
    )
    return estimate.value, estimate.low, min(estimate.high, 1.0)


def _cells(level: Level) -> dict[str, float | str]:
    if level.metric not in ("vaf_gdna", "fusion_gdna_frac"):
        return {}
    told = {
        "cell_fraction": level.value,
        "cell_fraction_low": level.low,
        "cell_fraction_high": level.high,
    }
    doubled: dict[str, float | str] = {
        name: min(2.0 * value, 1.0) for name, value in told.items() if value is not None
    }
    return doubled | {"cell_fraction_assumption": _HETEROZYGOUS}


def _parameters(
    settings: LevelSettings, context: RunContext
) -> dict[str, str | int | float | bool | None]:
    return {
        "alpha": settings.alpha,
        "confidence": settings.confidence,
        "loq_cv": settings.loq_cv,
        "min_molecules": settings.min_molecules,
        "design_factor": settings.design_factor,
        "declared_rate": settings.declared_rate,
        "controls": len(context.controls.names),
    }
