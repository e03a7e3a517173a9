"""Haplotypes: every marker as one adjacency, and the sequences that tell it apart.

A marker of any kind but `sequence` says that the reference up to one boundary is
followed by some inserted bases and then by the reference from another boundary:

* SNV, MNV, small indel: both boundaries on one contig, a few bases apart;
* deletion: the right boundary lies further on; tandem duplication: it lies before;
* fusion or inversion: the boundaries lie on different contigs or strands.

`normalise` brings every spelling of one event to the same adjacency, so equivalent
spellings give the same haplotypes and the same counts. Positions are 0-based here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from mrdtrack.panel.adjacency import (
    Adjacency,
    Bases,
    Side,
    adjacency_of,
    normalise,
)
from mrdtrack.panel.model import Breakpoint, Duplication, SmallVariant

FLANK = 100
"""Bases of reference on either side of an event that a read is compared with."""
SPANNING_LIMIT = 1000
"""A longer duplication cannot be spanned by a read: it has no `ref` haplotype."""
FAR_END = 1000
"""Bases beyond an insertion within which reads of the wild type are followed."""
JUNCTION_LENGTH = 10
"""Indels of so many bases are judged as junctions, shorter ones as small variants."""
EventClass = Literal[
    "substitution", "small_indel", "insertion", "deletion", "duplication", "junction"
]


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a stretch of a haplotype stands on the reference.

    Haplotype base `offset + i` is that of reference `start + i`, or for a reversed
    anchor the complement of `end - 1 - i`.
    """

    contig: str
    start: int
    end: int
    offset: int
    reverse: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on a haplotype that a molecule must cross: [start, end) and its name."""

    side: Literal["junction", "left", "right"]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Haplotype:
    """A local sequence, where it stands on the reference, and its marks."""

    bases: str
    anchors: tuple[Anchor, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class MarkerHaplotypes:
    """The alternative haplotype of a marker and its reference haplotypes.

    `ref_is_wild_type` is False where reads that fit the reference haplotypes may
    come from the mutant allele too (duplications too long to span).
    """

    adjacency: Adjacency
    event: EventClass
    alt: Haplotype
    refs: tuple[Haplotype, ...]
    ref_is_wild_type: bool


def build_haplotypes(
    marker: SmallVariant | Duplication | Breakpoint, reference: Bases
) -> MarkerHaplotypes:
    """Turn a marker into its haplotypes.

    Raises:
        PanelError: the marker's REF allele or positions do not fit the reference.
        ReferenceMismatch: its contig is not in the reference.
    """
    adjacency = normalise(adjacency_of(marker, reference), reference)
    event = classify(adjacency)
    if event == "duplication":
        return _duplication(adjacency, reference)
    if event in {"deletion", "junction"}:
        return _two_sided(adjacency, event, reference)
    if event == "insertion":
        return _insertion(adjacency, reference)
    return _one_sided(adjacency, event, reference)


def classify(adjacency: Adjacency) -> EventClass:
    """Name the class of event that decides how molecules are judged."""
    if not adjacency.collinear:
        return "junction"
    skipped, n_inserted = adjacency.skipped, len(adjacency.inserted)
    if skipped == n_inserted and skipped < 2 * JUNCTION_LENGTH:
        return "substitution"
    if abs(skipped) < JUNCTION_LENGTH and n_inserted < JUNCTION_LENGTH:
        return "small_indel"
    if skipped <= -JUNCTION_LENGTH:
        return "duplication"
    if skipped >= JUNCTION_LENGTH:
        return "deletion"
    return "insertion"


def _anchor(side: Side, start: int, end: int, offset: int) -> Anchor:
    """Place bases start to end of a side at `offset` of a haplotype."""
    if side.step == 1:
        low, high = side.boundary + start, side.boundary + end
    else:
        low, high = side.boundary - end, side.boundary - start
    return Anchor(side.contig, low, high, offset, reverse=side.step == -1)


def _joined(
    adjacency: Adjacency, flank: int, reference: Bases, more: tuple[Mark, ...] = ()
) -> Haplotype:
    """Build the alternative haplotype with so many bases on either side."""
    left, right = adjacency.left, adjacency.right
    after = adjacency.homology + flank
    middle = flank + len(adjacency.inserted)
    bases = left.window(-flank, 0, reference) + adjacency.inserted
    bases += right.window(0, after, reference)
    anchors = (
        _anchor(left, -flank, adjacency.homology, 0),
        _anchor(right, 0, after, middle),
    )
    if adjacency.inserted:
        anchors = (_anchor(left, -flank, 0, 0), anchors[1])
    mark = Mark("junction", flank, middle + adjacency.homology)
    return Haplotype(bases, anchors, (mark, *more))


def _straight(
    side: Side, start: int, end: int, reference: Bases, *marks: Mark
) -> Haplotype:
    """Build a reference haplotype from bases start to end of a side."""
    bases = side.window(start, end, reference)
    return Haplotype(bases, (_anchor(side, start, end, 0),), marks)


def _one_sided(
    adjacency: Adjacency, event: EventClass, reference: Bases
) -> MarkerHaplotypes:
    """One reference haplotype over the whole event."""
    start = min(adjacency.left.boundary, adjacency.right.boundary)
    end = max(adjacency.left.boundary, adjacency.right.boundary) + adjacency.homology
    side = Side(adjacency.left.contig, start, 1)
    mark = Mark("left", FLANK, FLANK + end - start)
    ref = _straight(side, -FLANK, end - start + FLANK, reference, mark)
    flank = FLANK + max(-adjacency.skipped, 0)
    alt = _joined(adjacency, flank, reference)
    return MarkerHaplotypes(adjacency, event, alt, (ref,), ref_is_wild_type=True)


def _insertion(adjacency: Adjacency, reference: Bases) -> MarkerHaplotypes:
    """The wild type at the insertion's place, and where its far end would come.

    Mutant molecules show either end of the inserted bases, wild-type ones the place
    between them. How many more the former are is told by the wild-type molecules that
    cross the place (`left`) and not so far beyond as the insertion is long (`right`).
    """
    start = min(adjacency.left.boundary, adjacency.right.boundary)
    end = max(adjacency.left.boundary, adjacency.right.boundary)
    side = Side(adjacency.left.contig, start, 1)
    longer = min(len(adjacency.inserted), FAR_END)
    flank = FLANK + longer
    size = end - start
    marks = (
        Mark("left", flank, flank + size),
        Mark("right", flank + longer, flank + longer + size),
    )
    ref = _straight(side, -flank, size + flank, reference, *marks)
    alt = _joined(adjacency, flank + max(-adjacency.skipped, 0), reference)
    return MarkerHaplotypes(adjacency, "insertion", alt, (ref,), ref_is_wild_type=True)


def _two_sided(
    adjacency: Adjacency, event: EventClass, reference: Bases
) -> MarkerHaplotypes:
    """Two reference haplotypes: what either side continues with in the wild type."""
    end = adjacency.homology + FLANK
    left_mark = Mark("left", FLANK, end)
    right_mark = Mark("right", FLANK, end)
    left = _straight(adjacency.left, -FLANK, end, reference, left_mark)
    right = _straight(adjacency.right, -FLANK, end, reference, right_mark)
    alt = _joined(adjacency, FLANK, reference)
    left_mark = Mark("left", FLANK, end)
    return MarkerHaplotypes(adjacency, event, alt, (left, right), ref_is_wild_type=True)


def _duplication(adjacency: Adjacency, reference: Bases) -> MarkerHaplotypes:
    """The wild-type span; or both its edges where no read can span it."""
    length, homology = -adjacency.skipped, adjacency.homology
    if length > SPANNING_LIMIT:
        sides = _two_sided(adjacency, "duplication", reference)
        return replace(sides, ref_is_wild_type=False)
    flank = length + FLANK
    middle = flank + len(adjacency.inserted)
    edges = (
        Mark("left", FLANK, FLANK + homology),
        Mark("right", middle + length, middle + length + homology),
    )
    alt = _joined(adjacency, flank, reference, edges)
    end = length + homology + FLANK
    marks = (
        Mark("left", FLANK, FLANK + homology),
        Mark("right", FLANK + length, FLANK + length + homology),
    )
    ref = _straight(adjacency.right, -FLANK, end, reference, *marks)
    return MarkerHaplotypes(
        adjacency, "duplication", alt, (ref,), ref_is_wild_type=True
    )
