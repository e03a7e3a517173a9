"""Read BGZF: compressed blocks of up to 64 kB, inflated and verified one by one.

Every block is a gzip member of its own with its size in the header (SAM specification,
section 4.1). libdeflate inflates it and verifies its CRC-32 and its length; where that
library is missing, zlib does the same at less than half the speed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from struct import Struct
from typing import NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from mrdtrack.errors import AlignmentsError

Inflate = Callable[[memoryview, int], bytes | bytearray]

EOF_MARKER = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
BLOCK_MAGIC = b"\x1f\x8b\x08\x04"
MAX_BLOCK = 65536
READ_SIZE = 262144
BATCH_SIZE = 1048576
HEADROOM = 65536

_HEAD = Struct("<4s6xH2sHH")
_SUBFIELD = Struct("<2sH")
_SIZE = Struct("<I")


class Damage(Exception):
    """A block is not what it should be; `offset` is its byte in the file.

    `misplaced` says that an index pointed there, so that the index may be to blame.
    """

    def __init__(self, offset: int, problem: str, *, misplaced: bool = False) -> None:
        self.offset = offset
        self.problem = problem
        self.misplaced = misplaced
        super().__init__(f"block at byte {offset}: {problem}")


class Readable(Protocol):
    """What blocks are read from: a file or a pipe."""

    def read(self, size: int, /) -> bytes:
        """Give up to `size` bytes; none at the end."""


def inflate_with_zlib(block: memoryview, size: int) -> bytes:
    """Inflate one gzip member with the standard library.

    Raises:
        ValueError: the block is damaged.
    """
    inflater = zlib.decompressobj(wbits=31)
    try:
        inflated = inflater.decompress(block, size + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not inflater.eof or len(inflated) != size:
        raise ValueError("the block does not end where it should")
    return inflated


def _choose_inflate() -> Inflate:
    """Take libdeflate where it is installed, else zlib."""
    if find_spec("deflate") is None:
        return inflate_with_zlib
    deflate = import_module("deflate")
    decompress, damage = deflate.gzip_decompress, deflate.DeflateError

    def inflate_with_libdeflate(block: memoryview, size: int) -> bytes | bytearray:
        if size == 0:  # asked for no bytes, libdeflate checks nothing
            return inflate_with_zlib(block, size)
        try:
            return cast("bytearray", decompress(block, size))
        except damage:
            raise ValueError("its checksum or its data are wrong") from None

    return inflate_with_libdeflate


inflate_block: Inflate = _choose_inflate()


class Seekable(Readable, Protocol):
    """What spans are read from."""

    def seek(self, offset: int, /) -> int:
        """Go to a byte."""


class Block(NamedTuple):
    """One block in a batch: where it starts and ends, and its inflated size."""

    start: int
    end: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Compressed blocks that are inflated together.

    `offset` is where `data` starts in the file; of the inflated bytes `skip` are left
    out in front, and everything from `cut` on (-1: nothing). `opens` and `closes` mark
    the first and the last batch of a span.
    """

    data: bytes
    blocks: tuple[Block, ...]
    offset: int
    skip: int = 0
    cut: int = -1
    opens: bool = False
    closes: bool = False


def _block_size(data: bytes, start: int, offset: int) -> int:
    """Give the bytes of the block at `start` (0: its header is not all there).

    Raises:
        Damage: there is no BGZF block.
    """
    if len(data) - start < 18:
        if not BLOCK_MAGIC.startswith(data[start : start + 4]):
            raise Damage(offset, "no BGZF block starts here")
        return 0
    magic, extra, name, length, size = _HEAD.unpack_from(data, start)
    if magic != BLOCK_MAGIC:
        raise Damage(offset, "no BGZF block starts here")
    if extra == 6 and name == b"BC" and length == 2:
        return int(size) + 1
    return _search_block_size(data, start, offset, extra)


def _search_block_size(data: bytes, start: int, offset: int, extra: int) -> int:
    """Find the block's size among several extra fields."""
    at, stop = start + 12, start + 12 + extra
    if stop > len(data):
        return 0
    while at + 4 <= stop:
        name, length = _SUBFIELD.unpack_from(data, at)
        if name == b"BC" and length == 2 and at + 6 <= stop:
            return int.from_bytes(data[at + 4 : at + 6], "little") + 1
        at += 4 + length
    raise Damage(offset, "it is gzip, but not BGZF")


def split_blocks(data: bytes, offset: int, start: int = 0) -> tuple[Block, ...]:
    """List the whole blocks of `data` from `start` on, up to 1 MB of inflated bytes.

    Args:
        data: bytes of a file.
        offset: of the first byte in the file.
        start: where a block starts in `data`.

    Raises:
        Damage: something else stands where a block should.
    """
    blocks: list[Block] = []
    total, n_bytes = 0, len(data)
    while start < n_bytes and total < BATCH_SIZE:
        n_block = _block_size(data, start, offset + start)
        if n_block == 0 or start + n_block > n_bytes:
            break
        if n_block < 26:
            raise Damage(offset + start, "the block is too short to be one")
        (size,) = _SIZE.unpack_from(data, start + n_block - 4)
        if size > MAX_BLOCK:
            raise Damage(offset + start, "the block claims more than 64 kB")
        blocks.append(Block(start, start + n_block, size))
        total += size
        start += n_block
    return tuple(blocks)


def inflate_batch(batch: Batch) -> NDArray[np.uint8]:
    """Inflate a batch behind `HEADROOM` free bytes.

    Raises:
        Damage: a block is damaged.
    """
    total = sum(block.size for block in batch.blocks)
    inflated = np.empty(HEADROOM + total, dtype=np.uint8)
    target, source = inflated.data, memoryview(batch.data)
    at = HEADROOM
    for block in batch.blocks:
        try:
            piece = inflate_block(source[block.start : block.end], block.size)
        except ValueError as error:
            raise Damage(batch.offset + block.start, str(error)) from None
        if len(piece) != block.size:
            raise Damage(
                batch.offset + block.start, "the block is shorter than it says"
            )
        target[at : at + block.size] = piece
        at += block.size
    return inflated


def read_batches(source: Readable) -> Iterator[Batch]:
    """Read a whole file or pipe in batches.

    Raises:
        Damage: it ends inside a block, or without the empty block that marks the end.
    """
    pending, offset, start, tail = b"", 0, 0, b""
    at_end = False
    while True:
        if not at_end and len(pending) - start < READ_SIZE:
            piece = source.read(READ_SIZE)
            at_end = not piece
            pending, offset, start = pending[start:] + piece, offset + start, 0
        blocks = split_blocks(pending, offset, start)
        if not blocks:
            if not at_end:
                continue
            break
        start = blocks[-1].end
        yield Batch(data=pending, blocks=blocks, offset=offset)
        tail = pending[max(start - len(EOF_MARKER), 0) : start]
    if start < len(pending):
        raise Damage(offset + start, "the file ends inside this block: it is truncated")
    if tail != EOF_MARKER:
        raise Damage(offset + start, "no BGZF EOF marker: the file is truncated")


def read_span(file: Seekable, begin: int, end: int) -> Iterator[Batch]:
    """Read the blocks between two virtual offsets, `end` exclusive.

    Raises:
        Damage: they do not lie between `begin` and `end` as an index would have it.
    """
    at, last = begin >> 16, end >> 16
    skip, opens = begin & 0xFFFF, True
    file.seek(at)
    pending, closes = b"", begin == end
    while not closes:
        wanted = min(READ_SIZE, last + MAX_BLOCK - at) - len(pending)
        pending += file.read(max(wanted, 0))
        blocks = _blocks_until(pending, at, end, opens=opens)
        stop = at + blocks[-1].end
        within = end & 0xFFFF
        closes = at + blocks[-1].start == last if within else stop == last
        if skip > blocks[0].size or (stop > last and not closes):
            raise Damage(at, "no block starts where the index says", misplaced=True)
        cut = -1
        if closes and within:
            cut = sum(block.size for block in blocks[:-1]) + within
        yield Batch(
            data=pending,
            blocks=blocks,
            offset=at,
            skip=skip,
            cut=cut,
            opens=opens,
            closes=closes,
        )
        pending, at, skip, opens = pending[blocks[-1].end :], stop, 0, False


def _blocks_until(
    pending: bytes, at: int, end: int, *, opens: bool
) -> tuple[Block, ...]:
    """List the blocks at byte `at` that hold something before the offset `end`."""
    try:
        blocks = split_blocks(pending, at)
    except Damage as damage:
        raise Damage(damage.offset, damage.problem, misplaced=opens) from None
    blocks = tuple(block for block in blocks if (at + block.start) << 16 < end)
    if not blocks:
        raise Damage(at, "the file ends before the index does", misplaced=True)
    return blocks


def damaged_file(name: str, damage: Damage) -> AlignmentsError:
    """Say that a file is damaged, where, and what to do."""
    return AlignmentsError(
        name, str(damage), "copy the file again from where it was made, or remake it"
    )
