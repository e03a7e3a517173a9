"""Where an aligner would put a simulated read: CIGAR, clips, split records.

The rules follow the scoring of bwa-mem (match 1, mismatch -4, gap -6 - length, clip -5;
Li 2013, arXiv:1303.3997): a gap is written where the shorter side pays for it, a short
overhang is drawn out over mismatches or clipped, and a clipped part of 30 bases or more
is a record of its own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrdtrack.lab.simulate_model import Allele, Bases, Codes, Segment, encode

MATCH, INSERTION, DELETION, SOFT_CLIP, HARD_CLIP = 0, 1, 2, 4, 5
MISMATCH_COST = 4
GAP_OPEN = 6
CLIP_COST = 5
MAX_GAP = 100
MIN_SCORE = 30

Cigar = tuple[tuple[int, int], ...]


class Placement(NamedTuple):
    """One record of a read; `cigar` in reference direction, with soft clips.

    `query` and `expected` are the aligned query positions (in SEQ direction) and the
    reference codes there; `n_gap_bases` is what insertions and deletions add to NM.
    """

    contig: str
    position: int
    end: int
    forward: bool
    cigar: Cigar
    query: NDArray[np.int64]
    expected: Codes
    n_gap_bases: int


class _Block(NamedTuple):
    """A gapless stretch: allele [a, b) on reference from `position`, one strand."""

    start: int
    end: int
    contig: str
    position: int
    forward: bool

    @property
    def reference_end(self) -> int:
        """The end of the stretch on the reference."""
        return self.position + self.end - self.start


class _Part(NamedTuple):
    """Stretches joined by gaps on one contig and strand, in allele order."""

    blocks: tuple[_Block, ...]

    @property
    def start(self) -> int:
        """Where the part begins on the allele."""
        return self.blocks[0].start

    @property
    def end(self) -> int:
        """Where the part ends on the allele."""
        return self.blocks[-1].end


class Aligner:
    """Places intervals of one allele; equal intervals are placed once."""

    def __init__(self, allele: Allele, reference: Bases | None) -> None:
        self._codes = allele.codes
        self._reference = reference
        self._blocks = _blocks_of(allele.segments)
        self._known: dict[tuple[int, int], tuple[Placement, ...]] = {}

    def place(self, start: int, end: int) -> tuple[Placement, ...]:
        """Give the records of allele [start, end), the primary first.

        Empty where the read stays unmapped.
        """
        key = (start, end)
        if key not in self._known:
            self._known[key] = self._place(start, end)
        return self._known[key]

    def _place(self, start: int, end: int) -> tuple[Placement, ...]:
        if self._reference is None:
            return ()
        blocks = [cut for b in self._blocks if (cut := _cut(b, start, end))]
        free = blocks
        found: list[Placement] = []
        while free:
            seed = max(free, key=lambda b: b.end - b.start)
            part = self._extend(_grow(seed, blocks), start, end)
            if part.end - part.start < MIN_SCORE:
                break
            found.append(self._record(part, start, end))
            free = [b for b in free if b.end <= part.start or b.start >= part.end]
        return tuple(found)

    def _extend(self, part: _Part, start: int, end: int) -> _Part:
        """Draw the ends of a part out over mismatches where that pays."""
        blocks = list(part.blocks)
        n_right = self._overhang(blocks[-1], end - part.end, at_end=True)
        blocks[-1] = _lengthened(blocks[-1], 0, n_right)
        n_left = self._overhang(blocks[0], part.start - start, at_end=False)
        blocks[0] = _lengthened(blocks[0], n_left, 0)
        return _Part(tuple(blocks))

    def _overhang(self, block: _Block, length: int, *, at_end: bool) -> int:
        """Give how many bases beyond a stretch are worth aligning without a gap."""
        if length <= 0:
            return 0
        longer = _lengthened(block, *((0, length) if at_end else (length, 0)))
        expected = self._expected(longer)
        if len(expected) < longer.end - longer.start:
            return 0
        same = self._codes[longer.start : longer.end] == expected
        outside = same[-length:] if at_end else same[:length][::-1]
        scores = np.cumsum(np.where(outside, 1, -MISMATCH_COST))
        scores[-1] += CLIP_COST
        best = int(np.argmax(scores))
        return best + 1 if scores[best] > 0 else 0

    def _expected(self, block: _Block) -> Codes:
        """Give the reference codes of a stretch in allele direction."""
        if self._reference is None or block.position < 0:
            return np.zeros(0, dtype=np.uint8)
        codes = encode(
            self._reference.fetch(block.contig, block.position, block.reference_end)
        )
        if block.forward:
            return codes
        return np.where(codes < 4, 3 - codes, codes)[::-1].astype(np.uint8)

    def _record(self, part: _Part, start: int, end: int) -> Placement:
        blocks = part.blocks
        forward = blocks[0].forward
        operations: list[tuple[int, int]] = [(SOFT_CLIP, part.start - start)]
        query, expected, n_gap = [], [], 0
        for number, block in enumerate(blocks):
            if number:
                gap = _gap(blocks[number - 1], block)
                operations.append(gap)
                n_gap += gap[1]
            operations.append((MATCH, block.end - block.start))
            query.append(np.arange(block.start, block.end) - start)
            expected.append(self._expected(block))
        operations.append((SOFT_CLIP, end - part.end))
        positions, codes = np.concatenate(query), np.concatenate(expected)
        if not forward:
            operations.reverse()
            positions = (end - start - 1 - positions)[::-1]
            codes = np.where(codes < 4, 3 - codes, codes)[::-1].astype(np.uint8)
        return Placement(
            contig=blocks[0].contig,
            position=min(block.position for block in blocks),
            end=max(block.reference_end for block in blocks),
            forward=forward,
            cigar=tuple(op for op in operations if op[1]),
            query=positions,
            expected=codes,
            n_gap_bases=n_gap,
        )


def _blocks_of(segments: tuple[Segment, ...]) -> list[_Block]:
    """Turn segments with coordinates into stretches; neighbours that touch are one."""
    found: list[_Block] = []
    offset = 0
    for segment in segments:
        length = len(segment.bases)
        if segment.contig is not None:
            block = _Block(
                offset, offset + length, segment.contig, segment.start, segment.forward
            )
            if found and _touch(found[-1], block):
                last = found.pop()
                block = block._replace(
                    start=last.start, position=min(last.position, block.position)
                )
            found.append(block)
        offset += length
    return found


def _touch(first: _Block, second: _Block) -> bool:
    if (first.contig, first.forward) != (second.contig, second.forward):
        return False
    if first.end != second.start:
        return False
    if first.forward:
        return first.reference_end == second.position
    return second.reference_end == first.position


def _cut(block: _Block, start: int, end: int) -> _Block | None:
    """Give the part of a stretch inside allele [start, end)."""
    low, high = max(block.start, start), min(block.end, end)
    if low >= high:
        return None
    return _lengthened(block, low - block.start, high - block.end, inwards=True)


def _lengthened(
    block: _Block, at_start: int, at_end: int, *, inwards: bool = False
) -> _Block:
    """Move the ends of a stretch on allele and reference together.

    `at_start` bases are added before (with `inwards`: cut), `at_end` added after.
    """
    before = -at_start if inwards else at_start
    shift = before if block.forward else at_end
    return block._replace(
        start=block.start - before,
        end=block.end + at_end,
        position=block.position - shift,
    )


def _grow(seed: _Block, blocks: list[_Block]) -> _Part:
    """Join the seed with its neighbours by gaps, where an aligner would."""
    place = blocks.index(seed)
    joined = [seed]
    for block in blocks[place + 1 :]:
        pair = _joined(joined[-1], block)
        if pair is None:
            break
        joined[-1:] = pair
    for block in reversed(blocks[:place]):
        pair = _joined(block, joined[0])
        if pair is None:
            break
        joined[:1] = pair
    return _Part(tuple(joined))


def _joined(first: _Block, second: _Block) -> tuple[_Block, _Block] | None:
    """Give two stretches with one gap between, None where that does not pay.

    Where the second begins before the first ends on the reference (a tandem
    duplication), the first gives way, and what it loses is the insertion.
    """
    if (first.contig, first.forward) != (second.contig, second.forward):
        return None
    ahead = _reference_gap(first, second)
    if ahead < 0:
        if first.end - first.start + ahead < 1:
            return None
        first = _lengthened(first, 0, ahead)
    size = max(second.start - first.end, _reference_gap(first, second))
    inserted_and_deleted = second.start > first.end and _reference_gap(first, second)
    shorter = min(first.end - first.start, second.end - second.start)
    if size > MAX_GAP or inserted_and_deleted or shorter <= size + GAP_OPEN - CLIP_COST:
        return None
    return first, second


def _reference_gap(first: _Block, second: _Block) -> int:
    if first.forward:
        return second.position - first.reference_end
    return first.position - second.reference_end


def _gap(first: _Block, second: _Block) -> tuple[int, int]:
    inserted = second.start - first.end
    if inserted:
        return INSERTION, inserted
    return DELETION, _reference_gap(first, second)
