"""Adjacencies: every located marker as two sides of the reference that are joined.

A marker of any kind but `sequence` says that the reference up to one boundary is
followed by some inserted bases and then by the reference from another boundary.
`normalise` brings every spelling of one event to the same adjacency. Positions are
0-based here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Protocol

from mrdtrack.errors import PanelError
from mrdtrack.panel.model import Breakpoint, BreakpointEnd, Duplication, SmallVariant

MAX_SHIFT = 2000
"""Repeats longer than this are not followed when an event is shifted."""

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
