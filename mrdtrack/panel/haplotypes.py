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
from typing import Literal, Protocol

from mrdtrack.errors import PanelError
from mrdtrack.panel.model import Breakpoint, BreakpointEnd, Duplication, SmallVariant

FLANK = 100
"""Bases of reference on either side of an event that a read is compared with."""
SPANNING_LIMIT = 1000
"""A longer duplication cannot be spanned by a read: it has no `ref` haplotype."""
JUNCTION_LENGTH = 10
"""Indels of so many bases are judged as junctions, shorter ones as small variants."""
MAX_SHIFT = 2000
"""Repeats longer than this are not followed when an event is shifted."""

EventClass = Literal[
    "substitution", "small_indel", "insertion", "deletion", "duplication", "junction"
]

_COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def reverse_complement(bases: str) -> str:
    """Read a sequence on the other strand."""
    return bases.translate(_COMPLEMENT)[::-1]


class Bases(Protocol):
    """What haplotypes need of a reference."""

    def fetch(self, contig: str, start: int, end: int) -> str:
        """Give the bases of [start, end), 0-based, cut at the contig's ends."""

    def length(self, contig: str) -> int:
        """Give the length of a contig."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an adjacency: a boundary on a contig, read forwards or backwards.

    Base `i` is that of the reference `boundary + i` when `step` is 1, and the
    complement of `boundary - 1 - i` when it is -1. On a left side the bases before 0
    are kept, on a right side those from 0 on.
    """

    contig: str
    boundary: int
    step: Literal[1, -1]

    def window(self, start: int, end: int, reference: Bases) -> str:
        """Give bases start to end, N beyond the ends of the contig."""
        if self.step == 1:
            low, high = self.boundary + start, self.boundary + end
        else:
            low, high = self.boundary - end, self.boundary - start
        length = reference.length(self.contig)
        bases = reference.fetch(self.contig, low, high)
        bases = "N" * min(max(-low, 0), high - low) + bases
        bases += "N" * (high - low - len(bases)) if high > length else ""
        return bases if self.step == 1 else reverse_complement(bases)

    def moved(self, by: int) -> Side:
        """Give the side with its boundary moved by so many bases of its reading."""
        return replace(self, boundary=self.boundary + by * self.step)

    def flipped(self) -> Side:
        """Give the same boundary read on the other strand."""
        return replace(self, step=-1 if self.step == 1 else 1)


@dataclass(frozen=True, slots=True)
class Adjacency:
    """Left side, inserted bases, right side; leftmost of `homology + 1` equal forms.

    Shifting both boundaries by up to `homology` bases to the right leaves the
    sequence as it is (microhomology, or the repeat an indel lies in).
    """

    left: Side
    right: Side
    inserted: str
    homology: int = 0

    @property
    def collinear(self) -> bool:
        """Whether both sides lie on one contig and strand."""
        same_contig = self.left.contig == self.right.contig
        return same_contig and self.left.step == self.right.step == 1

    @property
    def skipped(self) -> int:
        """Reference bases left out (negative: repeated); for collinear sides only."""
        return self.right.boundary - self.left.boundary


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
    return _one_sided(adjacency, event, reference)


def adjacency_of(
    marker: SmallVariant | Duplication | Breakpoint, reference: Bases
) -> Adjacency:
    """Say the marker as an adjacency, checked against the reference."""
    match marker:
        case SmallVariant():
            start = marker.position - 1
            end = start + len(marker.ref)
            _check_inside(marker.id, marker.contig, end, reference)
            _check_ref_allele(marker, reference)
            left, right = Side(marker.contig, start, 1), Side(marker.contig, end, 1)
            return Adjacency(left, right, marker.alt)
        case Duplication():
            _check_inside(marker.id, marker.contig, marker.end, reference)
            left = Side(marker.contig, marker.end, 1)
            right = Side(marker.contig, marker.start - 1, 1)
            return Adjacency(left, right, marker.inserted)
        case Breakpoint():
            for end_ in (marker.left, marker.right):
                _check_inside(marker.id, end_.contig, end_.position, reference)
            return _oriented(
                _left_side(marker.left), _right_side(marker.right), marker.inserted
            )


def _check_inside(marker: str, contig: str, end: int, reference: Bases) -> None:
    length = reference.length(contig)
    if end > length:
        raise PanelError(
            f"marker {marker!r}",
            f"position {end} lies beyond the end of {contig} ({length} bases)",
            "check the position and the assembly",
        )


def _check_ref_allele(marker: SmallVariant, reference: Bases) -> None:
    start, size = marker.position - 1, len(marker.ref)
    found = reference.fetch(marker.contig, start, start + size)
    if found == marker.ref:
        return
    hint = "check the position and the assembly"
    for shift in (1, -1):
        low = start + shift
        if low >= 0 and reference.fetch(marker.contig, low, low + size) == marker.ref:
            hint = (
                f"the allele fits at {marker.position + shift}: "
                "is the position 0-based or off by one?"
            )
    raise PanelError(
        f"marker {marker.id!r} at {marker.contig}:{marker.position}",
        f"REF is {marker.ref[:40]} in the panel and {found[:40] or 'nothing'} "
        "in the reference",
        hint,
    )


def _left_side(end: BreakpointEnd) -> Side:
    if end.strand == "+":
        return Side(end.contig, end.position, 1)
    return Side(end.contig, end.position - 1, -1)


def _right_side(end: BreakpointEnd) -> Side:
    if end.strand == "-":
        return Side(end.contig, end.position - 1, 1)
    return Side(end.contig, end.position, -1)


def _oriented(left: Side, right: Side, inserted: str) -> Adjacency:
    """Write an adjacency from the strand that all its spellings agree on."""
    as_given = Adjacency(left, right, inserted)
    turned = Adjacency(right.flipped(), left.flipped(), reverse_complement(inserted))
    if as_given.collinear or turned.collinear:
        return as_given if as_given.collinear else turned
    return min(as_given, turned, key=_reading_order)


def _reading_order(adjacency: Adjacency) -> tuple[str, int, int]:
    left = adjacency.left
    return left.contig, left.boundary, -left.step


def normalise(adjacency: Adjacency, reference: Bases) -> Adjacency:
    """Give the one form that all equivalent spellings share.

    Inserted bases that the left side's reference continues with, then those that the
    right side's reference is preceded by, become reference; without inserted bases
    left over, both boundaries are moved to the leftmost place.
    """
    left, right, inserted = adjacency.left, adjacency.right, adjacency.inserted
    beyond = left.window(0, len(inserted), reference)
    kept = _shared_prefix(inserted, beyond)
    left, inserted = left.moved(kept), inserted[kept:]
    before = right.window(-len(inserted), 0, reference)
    kept = _shared_prefix(inserted[::-1], before[::-1])
    right, inserted = right.moved(-kept), inserted[: len(inserted) - kept]
    if inserted:
        return Adjacency(left, right, inserted)
    back = _shift(left, right, reference, -1)
    left, right = left.moved(-back), right.moved(-back)
    return Adjacency(left, right, "", _shift(left, right, reference, 1))


def _shared_prefix(a: str, b: str) -> int:
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y or x == "N":
            break
        count += 1
    return count


def _shift(left: Side, right: Side, reference: Bases, way: Literal[1, -1]) -> int:
    """Count the bases by which both boundaries can move and change nothing."""
    size, total = 64, 0
    while total < MAX_SHIFT:
        low, high = (total, total + size) if way == 1 else (-total - size, -total)
        a, b = left.window(low, high, reference), right.window(low, high, reference)
        same = _shared_prefix(a[::way], b[::way])
        total += same
        if same < size:
            break
    return min(total, MAX_SHIFT)


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
