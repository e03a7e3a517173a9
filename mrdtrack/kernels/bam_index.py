"""Look up in a BAI or CSI index which parts of a BAM file hold the reads of a region.

Offsets into the BAM file are virtual: byte of the block in the file, times 65,536, plus
byte inside the inflated block (SAM specification, sections 4.1.1 and 5).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrdtrack.kernels._compile import bare, kernel, read_i32, read_i64, read_u32

MAX_OFFSET = (1 << 63) - 1

INDEX_WHOLE = 0
INDEX_TRUNCATED = 1
INDEX_OUTSIDE_FILE = 2
INDEX_CONTRADICTS = 3


class IndexLayout(NamedTuple):
    """Where each contig's part of an index starts, and where its reads lie.

    `starts` has one byte offset a contig; `edges` two virtual offsets, of its first
    read and behind its last one (-1: there are none).
    """

    starts: NDArray[np.int64]
    edges: NDArray[np.int64]
    fault: int


class IndexShape(NamedTuple):
    """How an index divides a contig: 14 and 5 for every BAI (`has_loffset` False)."""

    min_shift: int
    depth: int
    has_loffset: bool


@kernel
def meta_bin(depth: int) -> int:
    """Give the number of the bin that holds counts instead of chunks."""
    return ((1 << (3 * (depth + 1))) - 1) // 7 + 1


class Walk(NamedTuple):
    """Offset after what was walked, a fault, least and largest virtual offset seen."""

    offset: int
    fault: int
    first: int
    last: int


@kernel
def check_chunks(
    data: NDArray[np.uint8], offset: int, n_chunks: int, file_size: int
) -> Walk:
    """Check the chunks of one bin: in order, and inside the file.

    Early samtools let the last chunk end behind the end-of-file block, at the very end.
    """
    first = -1
    last = -1
    fault = INDEX_WHOLE
    for _ in range(n_chunks):
        begin = read_i64(data, offset)
        end = read_i64(data, offset + 8)
        offset += 16
        if begin < 0 or end < begin:
            fault = INDEX_CONTRADICTS
        elif end > file_size << 16:
            fault = max(fault, INDEX_OUTSIDE_FILE)
        first = begin if first < 0 else min(first, begin)
        last = max(last, end)
    return Walk(offset, fault, first, last)


@kernel
def check_bins(
    data: NDArray[np.uint8],
    offset: int,
    n_bytes: int,
    shape: IndexShape,
    file_size: int,
) -> Walk:
    """Check the bins of one contig; `offset` is that of their number."""
    head = 16 if shape.has_loffset else 8
    meta = meta_bin(shape.depth)
    first = -1
    last = -1
    n_bins = read_i32(data, offset) if offset + 4 <= n_bytes else -1
    fault = INDEX_WHOLE if n_bins >= 0 else INDEX_TRUNCATED
    offset += 4
    for _ in range(n_bins):
        chunks = offset + head
        n_chunks = read_i32(data, chunks - 4) if chunks <= n_bytes else -1
        if n_chunks < 0 or chunks + 16 * n_chunks > n_bytes:
            return Walk(offset, INDEX_TRUNCATED, first, last)
        number = read_u32(data, offset)
        offset = chunks + 16 * n_chunks
        if number == meta:
            continue
        seen = check_chunks(data, chunks, n_chunks, file_size)
        fault = max(fault, seen.fault if number < meta else INDEX_CONTRADICTS)
        if seen.first >= 0:
            first = seen.first if first < 0 else min(first, seen.first)
            last = max(last, seen.last)
    return Walk(offset, fault, first, last)


@kernel
def windows_end(data: NDArray[np.uint8], offset: int, n_bytes: int) -> int:
    """Give the offset after a linear index; beyond `n_bytes` where it does not fit."""
    if offset + 4 > n_bytes:
        return n_bytes + 1
    n_windows = read_i32(data, offset)
    return n_bytes + 1 if n_windows < 0 else offset + 4 + 8 * n_windows


@kernel
def lay_out_index(
    data: NDArray[np.uint8],
    offset: int,
    n_contigs: int,
    shape: IndexShape,
    file_size: int,
) -> IndexLayout:
    """Walk a whole index once, and check that every offset lies inside the file.

    Args:
        data: the bytes of the index, inflated where it is a CSI.
        offset: of the first contig's part.
        n_contigs: that the index claims to have; at least 4 bytes each must be there.
        shape: of the index.
        file_size: of the BAM file in bytes.
    """
    starts = np.zeros(n_contigs, dtype=np.int64)
    edges = np.full((n_contigs, 2), -1, dtype=np.int64)
    raw = bare(data)
    n_bytes = data.shape[0]
    for contig in range(n_contigs):
        starts[contig] = offset
        seen = check_bins(raw, offset, n_bytes, shape, file_size)
        offset = seen.offset
        if seen.fault != INDEX_WHOLE:
            return IndexLayout(starts, edges, seen.fault)
        edges[contig, 0] = seen.first
        edges[contig, 1] = seen.last
        if not shape.has_loffset:
            offset = windows_end(raw, offset, n_bytes)
            if offset > n_bytes:
                return IndexLayout(starts, edges, INDEX_TRUNCATED)
    return IndexLayout(starts, edges, INDEX_WHOLE)


@kernel
def bin_start(number: int, shape: IndexShape) -> int:
    """Give the first position of a bin."""
    level = 0
    first = 0
    while level < shape.depth and number >= first + (1 << (3 * level)):
        first += 1 << (3 * level)
        level += 1
    return (number - first) << (shape.min_shift + 3 * (shape.depth - level))


@kernel
def bin_end(number: int, shape: IndexShape) -> int:
    """Give the position after the last one of a bin."""
    level = 0
    first = 0
    while level < shape.depth and number >= first + (1 << (3 * level)):
        first += 1 << (3 * level)
        level += 1
    return (number - first + 1) << (shape.min_shift + 3 * (shape.depth - level))


@kernel
def linear_bound(data: NDArray[np.uint8], offset: int, start: int) -> int:
    """Give the linear index's lower bound for reads that reach over `start`.

    `offset` is that of the number of windows, 16,384 positions each. Old writers leave
    windows without reads at 0: then the bound is that of a window before.
    """
    n_windows = read_i32(data, offset)
    window = min(start >> 14, n_windows - 1)
    while window >= 0:
        bound = read_i64(data, offset + 4 + 8 * window)
        if bound > 0:
            return bound
        window -= 1
    return 0


@kernel
def known_offsets(
    data: NDArray[np.uint8], offset: int, stop: int, shape: IndexShape
) -> NDArray[np.int64]:
    """List all virtual offsets that an index has for one contig, in its own order.

    They are those of chunks and of the linear index (CSI: `loffset`); 0 is none.

    Args:
        data: the bytes of an index that `lay_out_index` has found whole.
        offset: where the contig's part starts.
        stop: where it ends at the latest.
        shape: of the index.
    """
    raw = bare(data)
    head = 16 if shape.has_loffset else 8
    found = np.empty((stop - offset) >> 3, dtype=np.int64)
    n_found = 0
    at = offset + 4
    for _ in range(read_i32(raw, offset)):
        n_values = 2 * read_i32(raw, at + head - 4)
        if read_u32(raw, at) != meta_bin(shape.depth):
            if shape.has_loffset:
                found[n_found] = read_i64(raw, at + 4)
                n_found += 1
            for index in range(n_values):
                found[n_found] = read_i64(raw, at + head + 8 * index)
                n_found += 1
        at += head + 8 * n_values
    if not shape.has_loffset:
        for window in range(read_i32(raw, at)):
            found[n_found] = read_i64(raw, at + 4 + 8 * window)
            n_found += 1
    return found[:n_found]


class Bounds(NamedTuple):
    """Virtual offsets between which all reads of a region start; chunks to look at."""

    lowest: int
    highest: int
    n_chunks: int


@kernel
def bound_region(
    data: NDArray[np.uint8], offset: int, start: int, end: int, shape: IndexShape
) -> Bounds:
    """Bound where reads that overlap [start, end) can start in the file.

    Not before the lower bound of the linear index (CSI: of any bin that starts before
    the region), nor after the first read of a bin that starts behind the region.
    """
    head = 16 if shape.has_loffset else 8
    meta = meta_bin(shape.depth)
    lowest = 0
    highest = MAX_OFFSET
    n_found = 0
    at = offset + 4
    for _ in range(read_i32(data, offset)):
        number = read_u32(data, at)
        n_chunks = read_i32(data, at + head - 4)
        if number != meta and n_chunks > 0:
            position = bin_start(number, shape)
            if position >= end:
                highest = min(highest, read_i64(data, at + head))
            elif bin_end(number, shape) > start:
                n_found += n_chunks
            if shape.has_loffset and position <= start:
                lowest = max(lowest, read_i64(data, at + 4))
        at += head + 16 * n_chunks
    if not shape.has_loffset:
        lowest = linear_bound(data, at, start)
    return Bounds(lowest, highest, n_found)


class Found(NamedTuple):
    """Chunks, begin and end a row; no read of the region starts before `lowest`."""

    chunks: NDArray[np.int64]
    lowest: int


@kernel
def find_chunks(
    data: NDArray[np.uint8], offset: int, start: int, end: int, shape: IndexShape
) -> Found:
    """Find the chunks that can hold reads that overlap [start, end) of one contig.

    Args:
        data: the bytes of an index that `lay_out_index` has found whole.
        offset: where the contig's part starts.
        start: of the region, 0-based.
        end: of the region, exclusive.
        shape: of the index.

    Returns:
        Virtual offsets, the chunks in the order of the index.
    """
    raw = bare(data)
    head = 16 if shape.has_loffset else 8
    bounds = bound_region(raw, offset, start, end, shape)
    found = np.empty((bounds.n_chunks, 2), dtype=np.int64)
    n_found = 0
    at = offset + 4
    for _ in range(read_i32(raw, offset)):
        number = read_u32(raw, at)
        n_chunks = read_i32(raw, at + head - 4)
        at += head
        overlaps = bin_start(number, shape) < end and bin_end(number, shape) > start
        if number < meta_bin(shape.depth) and overlaps:
            for chunk in range(n_chunks):
                begin = read_i64(raw, at + 16 * chunk)
                stop = read_i64(raw, at + 16 * chunk + 8)
                if stop > bounds.lowest and begin < bounds.highest:
                    found[n_found, 0] = begin
                    found[n_found, 1] = stop
                    n_found += 1
        at += 16 * n_chunks
    return Found(found[:n_found], bounds.lowest)
