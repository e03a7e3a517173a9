"""Prove by the reads themselves what an index says, since a BAI has no checksum.

An index that was altered may still look whole and leave reads out. So it is taken as a
list of places where records start, no more: what is read for a region begins at a
record that starts well before it, and ends at the next known one that starts behind it.
In a sorted file nothing between the two can be left out. Where the index does not lead
to two such records it is not used at all.

What remains on its word alone are reads that start more than `REACH` bases before a
region and still reach into it: long reads, and reads that skip introns.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from struct import Struct
from types import TracebackType

from mrdtrack.counting.bam_header import HeaderBytes, read_header
from mrdtrack.counting.bgzf import (
    BLOCK_MAGIC,
    HEADROOM,
    MAX_BLOCK,
    Batch,
    Damage,
    inflate_batch,
    read_batches,
    split_blocks,
)
from mrdtrack.kernels.bam_index import Found

REACH = 1000
"""Bases before a region from which reads are looked for whatever an index says."""

NEAR_BLOCKS = 4
MANY_BLOCKS = 8
HELD_BLOCKS = 8
_HEAD = Struct("<Iii")
_UNPLACED = 1 << 32

Place = tuple[int, int]
START: Place = (-1, 0)
END: Place = (_UNPLACED, 0)


class Unproven(Exception):
    """An index does not lead to records that bound a region."""


class RecordPlaces:
    """Looks up where the records of a BAM file stand, by their virtual offsets."""

    def __init__(self, path: Path) -> None:
        """Open a BAM file whose header has been found right."""
        self._size = path.stat().st_size
        self._file = path.open("rb")
        self.first, self._n_contigs = self._read_header(str(path))
        self._places: dict[int, Place] = {}
        self._block = lru_cache(HELD_BLOCKS)(self._inflated_block)

    def __enter__(self) -> RecordPlaces:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def _read_header(self, name: str) -> tuple[int, int]:
        """Give the virtual offset of the first record, and the number of contigs."""
        blocks: list[tuple[int, int]] = []

        def pieces() -> Iterator[bytes]:
            for batch in read_batches(self._file):
                for block in batch.blocks:
                    blocks.append((batch.offset + block.start, block.size))
                    only = replace(batch, blocks=(block,))
                    yield inflate_batch(only)[HEADROOM:].tobytes()

        source = HeaderBytes(name, pieces())
        n_contigs = len(read_header(source).contigs)
        left = sum(size for _, size in blocks) - len(source.rest())
        for start, size in blocks:
            if left < size:
                return (start << 16) + left, n_contigs
            left -= size
        start, size = blocks[-1]
        return (start << 16) + size, n_contigs

    def place(self, offset: int) -> Place:
        """Give contig and position of the record at an offset; `END` behind the last.

        Raises:
            Unproven: no record starts there.
        """
        if offset not in self._places:
            self._places[offset] = self._look_up(offset)
        return self._places[offset]

    def before(self, offset: int) -> list[tuple[int, Place]]:
        """List the records before this one in its block, or in the block before.

        Nothing is listed where a block does not start with a record, as some writers
        have it, since then its records cannot be told.
        """
        block, within = offset >> 16, offset & 0xFFFF
        if within == 0:
            found = self._block_before(block)
            if found is None:
                return []
            block, inflated = found
            within = len(inflated)
        else:
            inflated = self._block(block)
        records = list(self._walk(block << 16, inflated[:within]))
        if not records or records[-1][0] != (block << 16) + within:
            return []
        return records[:-1]

    def _look_up(self, offset: int) -> Place:
        if offset == self._size << 16:
            return END
        within = offset & 0xFFFF
        inflated = self._block(offset >> 16)
        if within + 12 > len(inflated):
            blocks = self._blocks(offset >> 16, MANY_BLOCKS)
            inflated = _inflated(blocks)
            if len(inflated) == within and _end_of(blocks) == self._size:
                return END
        return self._checked(inflated[within : within + 12])

    def _checked(self, head: bytes) -> Place:
        """Read contig and position at the start of a record."""
        if len(head) < 12:
            raise Unproven
        size, contig, position = _HEAD.unpack(head)
        if size < 33 or not -1 <= contig < self._n_contigs or position < -1:
            raise Unproven
        return END if contig < 0 else (contig, position)

    def _walk(self, start: int, data: bytes) -> Iterator[tuple[int, Place]]:
        """Give the offset and place of each record; last the offset behind them."""
        at = 0
        while at + 12 <= len(data):
            try:
                place = self._checked(data[at : at + 12])
            except Unproven:
                return
            yield start + at, place
            at += 4 + int.from_bytes(data[at : at + 4], "little")
        yield start + at, END

    def _blocks(self, block: int, n_blocks: int) -> Batch:
        """Read a few blocks; none at the end of the file."""
        self._file.seek(block)
        data = self._file.read(n_blocks * MAX_BLOCK)
        try:
            blocks = split_blocks(data, block)[:n_blocks]
        except Damage:
            raise Unproven from None
        if not blocks and block != self._size:
            raise Unproven
        return Batch(data=data, blocks=blocks, offset=block)

    def _inflated_block(self, block: int) -> bytes:
        """Inflate one block."""
        return _inflated(self._blocks(block, 1))

    def _block_before(self, block: int) -> tuple[int, bytes] | None:
        """Find the block that ends where this one starts."""
        start = max(block - MAX_BLOCK, 0)
        self._file.seek(start)
        data = self._file.read(block - start)
        at = data.rfind(BLOCK_MAGIC)
        while at >= 0:
            try:
                (only,) = split_blocks(data[at:], start + at)
                batch = Batch(data=data[at:], blocks=(only,), offset=start + at)
                if at + only.end == len(data):
                    return start + at, inflate_batch(batch)[HEADROOM:].tobytes()
            except (Damage, ValueError):
                pass
            at = data.rfind(BLOCK_MAGIC, 0, at)
        return None


def _inflated(blocks: Batch) -> bytes:
    """Inflate blocks.

    Raises:
        Unproven: one of them is damaged.
    """
    try:
        return inflate_batch(blocks)[HEADROOM:].tobytes()
    except Damage:
        raise Unproven from None


def _end_of(batch: Batch) -> int:
    """Give the byte of the file behind the last of some blocks."""
    return batch.offset + (batch.blocks[-1].end if batch.blocks else 0)


def proven_span(
    start: Place, end: Place, found: Found, known: list[int], places: RecordPlaces
) -> tuple[int, int]:
    """Give virtual offsets between which all reads that start in a region lie.

    Args:
        start: of the region.
        end: of the region, exclusive.
        found: what the index says of the region; it only tells where to look: back
            from the first known record inside, or from the one before where reads lie
            so thick that there is none.
        known: where records start, in order: from the first of the file to the end of
            those with a place.
        places: of the records.

    Raises:
        Unproven: the index does not lead to them.
    """
    low = max(bisect_right(known, found.lowest) - 1, 0)
    high = _first_behind(low, end, known, places)
    at = bisect_left(known, start, low, high, key=places.place)
    starts_inside = at < high or not len(found.chunks)
    begin = _back_before(at if starts_inside else max(at - 1, 0), start, known, places)
    return begin, known[high]


def _first_behind(
    low: int, bound: Place, known: list[int], places: RecordPlaces
) -> int:
    """Go on to a record that stands at or behind `bound`, or behind the last placed."""
    high, step = low, 1
    while known[high] < known[-1] and places.place(known[high]) < bound:
        low, high, step = high + 1, min(high + step, len(known) - 1), 2 * step
    return bisect_left(known, bound, low, high, key=places.place)


def _back_before(at: int, bound: Place, known: list[int], places: RecordPlaces) -> int:
    """Go back to a record that stands before `bound`, or to the first of all."""
    begin = known[at]
    for _ in range(NEAR_BLOCKS):
        if begin == known[0] or places.place(begin) < bound:
            return begin
        records = places.before(begin)
        if not records:
            break
        good = [offset for offset, place in records if place < bound]
        if good:
            return good[-1]
        begin = records[0][0]
    at, step = bisect_left(known, begin), 1
    while at > 0 and places.place(known[at]) >= bound:
        at, step = max(at - step, 0), 2 * step
    return known[at]
