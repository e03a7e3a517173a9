"""Molecules: which records are heard, and which of them are one molecule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrdtrack.counting.joint_molecules import with_joint_fragments
from mrdtrack.counts import MoleculeMode, QualityFinding
from mrdtrack.findings import finding
from mrdtrack.kernels.arrays import (
    DUPLICATE,
    ELSEWHERE,
    HAS_DEPTH,
    HAS_UMI,
    LOW_MAPPING_QUALITY,
    LOW_QUALITY,
    PAIRED,
    QC_FAIL,
    SECOND_OF_PAIR,
    SECONDARY,
    Floats,
    Ints,
    Observations,
)
from mrdtrack.kernels.families import merge_families, number_families
from mrdtrack.kernels.groups import group_rows, number_names, sorted_rows
from mrdtrack.kernels.molecules import Molecules, merge_fragments
from mrdtrack.kernels.umi import LENGTH_SHIFT

Chosen = NDArray[np.bool_] | NDArray[np.int64] | slice

DUPLICATE_SHARE = 0.8
"""Share of duplicate flags from which reads are taken for those of an amplicon."""
TAGGED_SHARE = 0.9
"""Share of the reads that must carry a tag for it to decide the molecule mode."""
CONSTANT_UMI_FRAGMENTS = 50
"""So many fragments with one and the same UMI: it is no UMI."""
LONG_UMI = 12
"""UMIs of so many bases tell molecules apart without their positions."""

FILTER_BITS = (
    ("qc_fail", QC_FAIL),
    ("duplicate", DUPLICATE),
    ("secondary", SECONDARY),
    ("low_mapping_quality", LOW_MAPPING_QUALITY),
    ("low_base_quality", LOW_QUALITY),
    ("not_at_marker", ELSEWHERE),
)
"""Filters in the order in which they claim a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """How molecules are told apart in one sample."""

    mode: MoleculeMode
    keep_duplicates: bool
    findings: tuple[QualityFinding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedMolecules:
    """Molecules, and how many records (or fragments) each filter took from a marker."""

    molecules: Molecules
    filters: tuple[dict[str, int], ...]
    family_sizes: dict[int, int]


class MarkerRules(NamedTuple):
    """What decides the molecules of M markers.

    `threshold` and `event` are as in `arrays.Targets`; `group_of` numbers the groups of
    markers (-1: in none) whose molecules are counted jointly as well.
    """

    threshold: Floats  # [M]
    event: Ints  # [M]
    group_of: Ints | None = None  # [M]


def join_observations(parts: Sequence[Observations]) -> Observations:
    """Put the observations of all chunks together, in file order."""
    if not parts:
        empty = np.zeros(0, np.int64)
        return Observations(
            empty, empty.copy(), empty.copy(), empty.copy(), np.zeros(0), empty.copy()
        )
    return Observations(
        *(np.concatenate(column) for column in zip(*parts, strict=True))
    )


def pick(part: Observations, chosen: Chosen) -> Observations:
    """Pick some observations."""
    return Observations(
        marker=part.marker[chosen],
        name=part.name[chosen],
        umi=part.umi[chosen],
        start=part.start[chosen],
        evidence=part.evidence[chosen],
        flags=part.flags[chosen],
    )


def choose_grouping(
    observations: Observations, requested: MoleculeMode | None
) -> Grouping:
    """Choose the molecule mode from the reads' own tags and flags, unless requested."""
    findings: list[QualityFinding] = []
    flags = observations.flags
    mode = requested or _mode_of(observations)
    if requested in {None, "umi"} and _is_constant(observations):
        mode = "fragments" if requested == "umi" else mode
        findings.append(finding("constant_umi", "warning", mode=mode))
    duplicates = float(np.mean(flags & DUPLICATE != 0)) if len(flags) else 0.0
    keep = mode == "umi" or duplicates > DUPLICATE_SHARE
    if keep and mode != "umi":
        findings.append(finding("duplicates_kept", "warning", share=duplicates))
    return Grouping(mode=mode, keep_duplicates=keep, findings=tuple(findings))


def _mode_of(observations: Observations) -> MoleculeMode:
    flags = observations.flags
    if len(flags) == 0:
        return "fragments"
    if np.mean(flags & HAS_DEPTH != 0) >= TAGGED_SHARE:
        return "consensus"
    if np.mean(flags & HAS_UMI != 0) >= TAGGED_SHARE and not _is_constant(observations):
        return "umi"
    return "fragments" if np.any(flags & PAIRED) else "reads"


def _is_constant(observations: Observations) -> bool:
    tagged = observations.flags & HAS_UMI != 0
    umis = observations.umi[tagged]
    if len(umis) == 0 or np.any(umis != umis[0]):
        return False
    return len(np.unique(observations.name[tagged])) >= CONSTANT_UMI_FRAGMENTS


def group_molecules(
    observations: Observations,
    rules: MarkerRules,
    grouping: Grouping,
    min_family_size: int,
) -> GroupedMolecules:
    """Filter the records and merge them into molecules.

    Joint molecules of groups stand behind those of the markers.
    """
    threshold, event, group_of = rules
    n_markers = len(event)
    heard, filters = _filter_records(observations, grouping, n_markers)
    names = observations.name
    if grouping.mode == "reads":
        second = (observations.flags & SECOND_OF_PAIR != 0).astype(np.int64)
        observations = observations._replace(name=names ^ second)
    number, n_names = number_names(observations.name, heard.astype(np.uint8))
    order = group_rows(observations.marker, number, n_markers, n_names)
    molecules = merge_fragments(observations, order, threshold, event)
    if group_of is not None:
        molecules = with_joint_fragments(molecules, group_of)
    sizes: dict[int, int] = {}
    if grouping.mode == "umi":
        before = np.bincount(molecules.marker, minlength=n_markers)
        molecules = _families(molecules, min_family_size)
        joined = np.bincount(
            molecules.marker, weights=molecules.size, minlength=n_markers
        )
        for index in range(n_markers):
            filters[index]["small_family"] = int(before[index] - joined[index])
        counts = np.bincount(molecules.size[molecules.marker < n_markers])
        sizes = {int(size): int(counts[size]) for size in np.flatnonzero(counts)}
    return GroupedMolecules(
        molecules=molecules, filters=tuple(filters), family_sizes=sizes
    )


def _filter_records(
    observations: Observations, grouping: Grouping, n_markers: int
) -> tuple[NDArray[np.bool_], list[dict[str, int]]]:
    """Tell which records are heard; count the others by the first filter they meet."""
    heard = np.ones(len(observations.marker), bool)
    records = np.bincount(observations.marker, minlength=n_markers)
    filters: list[dict[str, int]] = [{"records": int(n)} for n in records]
    for name, bit in FILTER_BITS:
        if bit == DUPLICATE and grouping.keep_duplicates:
            hit = np.zeros(len(heard), bool)
        else:
            hit = heard & (observations.flags & bit != 0)
        heard &= ~hit
        counts = np.bincount(observations.marker[hit], minlength=n_markers)
        for index in range(n_markers):
            filters[index][name] = int(counts[index])
    used = np.bincount(observations.marker[heard], minlength=n_markers)
    for index in range(n_markers):
        filters[index]["records_used"] = int(used[index])
    return heard, filters


def _families(fragments: Molecules, min_size: int) -> Molecules:
    """Merge fragments into UMI families, marker by marker."""
    family = family_numbers(fragments.marker, fragments.umi, fragments.start)
    rows = np.arange(len(family), dtype=np.int64)
    by_family = sorted_rows(family, rows, len(family))
    return merge_families(fragments, by_family, family, min_size)


def family_numbers(marker: Ints, umi: Ints, start: Ints) -> Ints:
    """Number the UMI families of fragments; fragments of one family share a number.

    Short UMIs repeat by chance, so they count together with the position. Fragments
    without a UMI are families of their own. Families are numbered marker by marker.
    """
    length = umi >> LENGTH_SHIFT
    place = np.where((length < LONG_UMI) & (length > 0), start, 0)
    order = np.lexsort((place, marker))
    marker, place = marker[order], place[order]
    moved = (np.diff(marker) != 0) | (np.diff(place) != 0)
    begin = np.concatenate(([0], np.flatnonzero(moved) + 1, [len(order)]))
    return number_families(order, begin, umi)
