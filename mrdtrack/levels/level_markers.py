"""Which markers the level rests on, which are only shown, and on what metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mrdtrack.counts import GroupCounts, MarkerCounts, QualityFinding
from mrdtrack.findings import finding
from mrdtrack.levels.result import Metric
from mrdtrack.levels.visit_facts import LevelSettings, VisitFacts

GENOMIC = frozenset({"molecules_at_locus", "flank"})
CALIBRATED = frozenset({"spike_in", "input_cells"})
_LYMPHOID_CELLS = frozenset({"CLL", "MM"})


class LevelMarkers(NamedTuple):
    """The places of the level's markers in the table, its metric, what was left out."""

    places: tuple[int, ...]
    metric: Metric
    findings: tuple[QualityFinding, ...]


def informative(marker: MarkerCounts) -> int:
    """Return the molecules that a marker's fraction is taken of (0: none).

    The denominator where the counts give one, else the molecules that could tell; never
    fewer than the marker-bearing ones.
    """
    if marker.alt is None or not marker.assessable:
        return 0
    if marker.denominator is not None:
        return max(marker.denominator, marker.alt) if marker.denominator > 0 else 0
    return marker.alt + (marker.ref or 0) + (marker.other or 0)


def level_markers(
    markers: Sequence[MarkerCounts],
    facts: VisitFacts,
    settings: LevelSettings,
    together: frozenset[str] = frozenset(),
) -> LevelMarkers:
    """Choose the markers of the level.

    Out stay: markers without an informative molecule; role `report_only`; genes of
    clonal haematopoiesis (DNMT3A, TET2, ASXL1) unless the settings name the marker;
    of markers in one `group` (one molecule) all but the most informative, or all where
    the group's joint count is named in `together`; and markers whose denominator is of
    another sort than that of the rest.
    """
    findings = list(_told_exclusions(markers, settings))
    places = [
        place
        for place, marker in enumerate(markers)
        if _may_drive(marker, settings, together)
    ]
    places = _one_of_each_group(markers, places, findings)
    places = _comparable(markers, places, findings)
    return LevelMarkers(
        tuple(places), _metric([markers[p] for p in places], facts), tuple(findings)
    )


def _may_drive(
    marker: MarkerCounts, settings: LevelSettings, together: frozenset[str]
) -> bool:
    if isinstance(marker, GroupCounts):
        return marker.marker in together
    return informative(marker) > 0 and not excluded(marker, settings)


def excluded(marker: MarkerCounts, settings: LevelSettings) -> str:
    """Return why a marker may not drive the level: "role", "gene", or nothing."""
    if marker.marker in settings.level_markers:
        return ""
    if marker.role == "report_only":
        return "role"
    known = marker.gene is not None and marker.gene.upper() in settings.excluded_genes
    return "gene" if known else ""


def _told_exclusions(
    markers: Sequence[MarkerCounts], settings: LevelSettings
) -> Iterator[QualityFinding]:
    why = {"role": "marker_report_only", "gene": "marker_clonal_haematopoiesis"}
    for reason, code in why.items():
        names = [
            f"{m.marker} ({m.gene})" if reason == "gene" else m.marker
            for m in markers
            if informative(m)
            and not isinstance(m, GroupCounts)
            and excluded(m, settings) == reason
        ]
        if names:
            yield finding(code, "info", markers=tuple(names))


def _one_of_each_group(
    markers: Sequence[MarkerCounts],
    places: Sequence[int],
    findings: list[QualityFinding],
) -> list[int]:
    groups: dict[str, list[int]] = {}
    for place in places:
        group = markers[place].group
        if group is not None:
            groups.setdefault(group, []).append(place)
    dropped: set[int] = set()
    for group, members in groups.items():
        if len(members) < 2:
            continue
        joint = [p for p in members if isinstance(markers[p], GroupCounts)]
        if joint:
            dropped.update(p for p in members if p not in joint)
            continue
        best = most_informative(markers, members)
        others = [p for p in members if p != best]
        dropped.update(others)
        findings.append(
            finding(
                "markers_on_one_molecule",
                "info",
                markers=tuple(markers[p].marker for p in others),
                marker=markers[best].marker,
                group=group,
            )
        )
    return [place for place in places if place not in dropped]


def most_informative(markers: Sequence[MarkerCounts], places: Sequence[int]) -> int:
    """Return the place of the marker with the most informative molecules."""
    return max(places, key=lambda p: (informative(markers[p]), -p))


def _sort_of(marker: MarkerCounts) -> int:
    if marker.denominator_kind in GENOMIC:
        return 0
    return 1 if marker.denominator_kind in CALIBRATED else 2


def _comparable(
    markers: Sequence[MarkerCounts],
    places: Sequence[int],
    findings: list[QualityFinding],
) -> list[int]:
    sorts = {_sort_of(markers[place]) for place in places}
    if len(sorts) < 2:
        return list(places)
    kept = [place for place in places if _sort_of(markers[place]) == min(sorts)]
    others = [place for place in places if place not in kept]
    kinds = {markers[place].denominator_kind for place in others}
    findings.append(
        finding(
            "other_denominator",
            "info",
            markers=tuple(markers[place].marker for place in others),
            denominators=tuple(sorted(kinds)),
        )
    )
    return kept


def _metric(markers: Sequence[MarkerCounts], facts: VisitFacts) -> Metric:
    """Return the metric; a share of reads is never called a share of cells."""
    if not markers:
        return "vaf_gdna"
    sort = _sort_of(markers[0])
    if sort == 2:
        return "locus_read_frac"
    if sort == 1:
        return "cells_frac" if facts.disease in _LYMPHOID_CELLS else "igtr_frac"
    if all(marker.kind == "breakpoint" for marker in markers):
        return "fusion_gdna_frac"
    return "vaf_gdna"
