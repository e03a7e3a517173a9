"""Molecules: which records are heard, and which of them are one molecule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mrdtrack.counting.joint_molecules import with_joint_fragments
from mrdtrack.counting.umi_families import Crowding, crowding_of, umi_families
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
    Claims,
    Facts,
    Floats,
    Ints,
    Ints32,
    Observations,
)
from mrdtrack.kernels.families import MergedFamilies, merge_families
from mrdtrack.kernels.fragments import count_filtered, merge_fragments
from mrdtrack.kernels.groups import heard_rows, number_names, sorted_rows
from mrdtrack.kernels.molecules import Molecules

DUPLICATE_SHARE = 0.8
"""Share of duplicate flags from which reads are taken for those of an amplicon."""
TAGGED_SHARE = 0.9
"""Share of the reads that must carry a tag for it to decide the molecule mode."""
CONSTANT_UMI_FRAGMENTS = 50
"""So many fragments with one and the same UMI: it is no UMI."""

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


Filters = tuple[dict[str, int], ...]
"""How many records (or fragments) each filter took from each marker."""


class Named(NamedTuple):
    """Records, and the fragment that each of them is of."""

    facts: Facts
    number: Ints32  # [R] of the record's fragment, below `n_names`
    n_names: int


class Fragments(NamedTuple):
    """The fragments of all markers, and what filters took."""

    molecules: Molecules
    filters: Filters


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedMolecules:
    """Molecules, and how many records (or fragments) each filter took from a marker."""

    molecules: Molecules
    filters: Filters
    family_sizes: dict[int, int]
    crowding: Crowding


class MarkerRules(NamedTuple):
    """What decides the molecules of M markers.

    `threshold` and `event` are as in `arrays.Targets`; `group_of` numbers the groups of
    markers (-1: in none) whose molecules are counted jointly as well.
    """

    threshold: Floats  # [M]
    event: Ints  # [M]
    group_of: Ints | None = None  # [M]


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


def named_records(facts: Facts, grouping: Grouping) -> Named:
    """Number the fragments of records by their names.

    Where each read is a molecule, mates get names of their own.
    """
    if grouping.mode == "reads":
        second = (facts.bits & SECOND_OF_PAIR != 0).astype(np.int64)
        facts = facts._replace(name=facts.name ^ second)
    return Named(facts, *number_names(facts.name))


def merged_fragments(
    named: Named, claims: Claims, rules: MarkerRules, grouping: Grouping
) -> Fragments:
    """Filter the records, and merge the claims of each fragment.

    Joint molecules of groups stand behind those of the markers.
    """
    facts, number, n_names = named
    threshold, event, group_of = rules
    filters = _count_filtered(facts, claims, grouping, len(event))
    filtered = _filtered_bits(grouping)
    heard = (facts.bits & filtered == 0).astype(np.uint8)
    order = sorted_rows(number, heard_rows(heard), n_names)
    whole = group_of is not None or grouping.mode == "umi"
    molecules = merge_fragments(
        facts, claims, order, number, filtered, threshold, event, whole
    )
    if group_of is not None:
        molecules = with_joint_fragments(molecules, group_of)
    return Fragments(molecules, filters)


def group_molecules(
    fragments: Fragments, grouping: Grouping, min_family_size: int
) -> GroupedMolecules:
    """Take each fragment for a molecule, or merge them into UMI families."""
    molecules, filters = fragments
    if grouping.mode != "umi":
        return GroupedMolecules(
            molecules=molecules, filters=filters, family_sizes={}, crowding=Crowding()
        )
    families = umi_families(molecules.marker, molecules.umi, molecules.start)
    rows = np.arange(len(families.number), dtype=np.int32)
    by_family = sorted_rows(families.number, rows, len(rows))
    del rows  # the molecules take the memory
    merged = merge_families(molecules, by_family, families.number, min_family_size)
    n = int(np.searchsorted(merged.molecules.marker, np.int32(len(filters))))
    counts = np.bincount(merged.size[:n])
    return GroupedMolecules(
        molecules=merged.molecules,
        filters=_with_small_families(filters, molecules, merged, min_family_size),
        family_sizes={int(k): int(counts[k]) for k in np.flatnonzero(counts)},
        crowding=crowding_of(families),
    )


def _with_small_families(
    filters: Filters, fragments: Molecules, merged: MergedFamilies, min_size: int
) -> Filters:
    """Add how many fragments of each marker are of families that were too small."""
    n = len(filters)
    small = [0] * n
    if min_size > 1:
        before = np.bincount(fragments.marker, minlength=n)
        of_marker = merged.molecules.marker
        joined = np.bincount(of_marker, weights=merged.size, minlength=n)
        small = (before - joined.astype(np.int64))[:n].tolist()
    return tuple(
        {**own, "small_family": lost} for own, lost in zip(filters, small, strict=True)
    )


def _filter_bits(grouping: Grouping) -> Ints:
    """Give the bits that filter a record, in the order of `FILTER_BITS`; 0: unused."""
    kept = DUPLICATE if grouping.keep_duplicates else 0
    return np.array([bit & ~kept for _, bit in FILTER_BITS], np.int64)


def _filtered_bits(grouping: Grouping) -> int:
    return int(np.bitwise_or.reduce(_filter_bits(grouping)))


def _count_filtered(
    facts: Facts, claims: Claims, grouping: Grouping, n_markers: int
) -> Filters:
    """Count the records of each marker, those each filter takes, and those heard."""
    counts = np.zeros((n_markers, len(FILTER_BITS) + 1), np.int64)
    count_filtered(facts, claims, _filter_bits(grouping), counts)
    names = (*(name for name, _ in FILTER_BITS), "records_used")
    return tuple(
        {"records": sum(row), **dict(zip(names, row, strict=True))}
        for row in counts.tolist()
    )
