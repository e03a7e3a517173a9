"""The within-sample background: non-marker positions around the markers."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mrdtrack.counting.molecules import Grouping, Named
from mrdtrack.counting.plan import REACH, CountingPlan
from mrdtrack.counting.settings import CountingSettings
from mrdtrack.counting.targets import encode_bases
from mrdtrack.counting.umi_families import umi_families
from mrdtrack.kernels.arrays import DUPLICATE
from mrdtrack.kernels.background import BackgroundCounts, tally_rows
from mrdtrack.kernels.groups import group_rows, sorted_rows
from mrdtrack.kernels.row_fragments import row_fragments
from mrdtrack.kernels.stretches import BackgroundRows, StretchArrays
from mrdtrack.panel.haplotypes import MarkerHaplotypes
from mrdtrack.panel.reference import Reference

MARGIN = 2
"""Bases around an indel marker that are part of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretches:
    """The stretches, their reference bases, and which positions are a marker's.

    `bases` has one more base on either side of each stretch than its positions.
    """

    arrays: StretchArrays
    contigs: tuple[str, ...]
    bases: tuple[str, ...]
    of_marker: NDArray[np.bool_]
    indel_sizes: tuple[int, ...]


def lay_stretches(plan: CountingPlan, reference: Reference | None) -> Stretches:
    """Choose the positions around the located markers, and the germline ones."""
    places: list[tuple[str, int, int]] = []
    own: list[tuple[str, int, int]] = []
    for _, haplotypes in plan.located:
        for contig, low, high in _marker_places(haplotypes):
            margin = 0 if haplotypes.event == "substitution" else MARGIN
            places.append((contig, low - REACH, high + REACH))
            own.append((contig, low - margin, high + margin))
    germline = [(p.contig, p.position - 1, p.position) for p in plan.identity]
    places += germline
    own += germline
    merged = _merged(places, plan.contigs, reference)
    first = np.concatenate(([0], np.cumsum([high - low for _, low, high in merged])))
    of_marker = np.zeros(int(first[-1]), bool)
    lows = [(plan.contigs[contig], low) for contig, low, _ in merged]
    for contig, start, end in own:  # each lies in one stretch, or in none
        index = bisect_left(lows, (plan.contigs[contig], end)) - 1
        if index >= 0 and merged[index][0] == contig:
            _, low, high = merged[index]
            shift = int(first[index]) - low
            of_marker[max(start, low) + shift : min(end, high) + shift] = True
    bases = tuple(_around(reference, *place) for place in merged)
    return Stretches(
        arrays=StretchArrays(
            contig=np.array([plan.contigs[c] for c, _, _ in merged], np.int64),
            low=np.array([low for _, low, _ in merged], np.int64),
            high=np.array([high for _, _, high in merged], np.int64),
            first=first.astype(np.int64),
            expected=encode_bases("".join(around[1:-1] for around in bases)),
        ),
        contigs=tuple(contig for contig, _, _ in merged),
        bases=bases,
        of_marker=of_marker,
        indel_sizes=_indel_sizes(plan),
    )


def _marker_places(haplotypes: MarkerHaplotypes) -> list[tuple[str, int, int]]:
    """Give where a marker lies: one interval, or one at either side."""
    adjacency = haplotypes.adjacency
    left, right, shift = adjacency.left, adjacency.right, adjacency.homology
    if len(haplotypes.refs) == 1:
        low = min(left.boundary, right.boundary)
        return [(left.contig, low, max(left.boundary, right.boundary) + shift)]
    return [
        (side.contig, side.boundary - shift, side.boundary + shift)
        for side in (left, right)
    ]


def _indel_sizes(plan: CountingPlan) -> tuple[int, ...]:
    """Give the signed sizes of indels whose background is wanted; 1 and -1 always."""
    sizes = {1, -1}
    for _, haplotypes in plan.located:
        if haplotypes.event == "small_indel":
            adjacency = haplotypes.adjacency
            sizes.add(len(adjacency.inserted) - adjacency.skipped)
    return tuple(sorted(size for size in sizes if 0 < abs(size) < 10))


def _merged(
    places: list[tuple[str, int, int]],
    contigs: dict[str, int],
    reference: Reference | None,
) -> list[tuple[str, int, int]]:
    """Merge overlapping places, in the order of the reads' contigs."""
    merged: list[tuple[str, int, int]] = []
    for contig, low, high in sorted(places, key=lambda p: (contigs[p[0]], p[1], p[2])):
        length = reference.length(contig) if reference is not None else high
        start, end = max(low, 1), min(high, length - 1)
        if merged and merged[-1][0] == contig and start <= merged[-1][2]:
            start, end = merged[-1][1], max(merged.pop()[2], end)
        if start < end:
            merged.append((contig, start, end))
    return merged


def _around(reference: Reference | None, contig: str, low: int, high: int) -> str:
    return "" if reference is None else reference.fetch(contig, low - 1, high + 1)


def add_positions(
    before: BackgroundCounts | None, more: BackgroundCounts
) -> BackgroundCounts:
    """Add up two tallies."""
    if before is None:
        return more
    return BackgroundCounts(before.bases + more.bases, before.indels + more.indels)


def tally_positions(
    stretches: Stretches,
    named: Named,
    rows: BackgroundRows,
    grouping: Grouping,
    settings: CountingSettings,
) -> BackgroundCounts:
    """Count the molecules that show each base and indel at each position.

    The rows of the records `named` are grouped as the claims are.
    """
    facts, min_size = named.facts, settings.min_family_size
    heard = np.ones(len(facts.bits), np.uint8)
    if not grouping.keep_duplicates:
        heard = (facts.bits & DUPLICATE == 0).astype(np.uint8)
    number = named.number[rows.row]
    order = group_rows(
        rows.stretch, number, heard[rows.row], len(stretches.contigs), named.n_names
    )
    if grouping.mode != "umi":
        return tally_rows(rows, order, number, number, stretches.arrays, 1)
    fragments = row_fragments(
        rows.stretch, number, rows.row, facts.umi, facts.start, order
    )
    families = umi_families(fragments.place, fragments.umi, fragments.start)
    family = np.zeros(len(number), np.int32)
    family[order] = families.number[fragments.number[order]]
    order = sorted_rows(family, order, len(family))
    return tally_rows(rows, order, family, fragments.number, stretches.arrays, min_size)
