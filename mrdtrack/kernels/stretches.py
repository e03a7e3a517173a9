"""What each record shows in the stretches of reference where no marker is.

A record leaves one row for each stretch it overlaps: a code for each position, the
base in the low three bits (4 where it says nothing) and the indel behind it above.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import bare, kernel, read_i32, read_u32
from mrdtrack.kernels.arrays import (
    DUPLICATE,
    FILTERED,
    SPLIT,
    UNMAPPED,
    Bytes,
    Ints,
    Ints32,
    Meetings,
)
from mrdtrack.kernels.bam_records import (
    cigar_span,
    overlapping_end,
    quality_start,
    sequence_start,
)
from mrdtrack.kernels.bases import decode_bases, make_codes

NOTHING = np.uint8(4)
LONGEST_INDEL = 9
DROPPED = (FILTERED & ~DUPLICATE) | SPLIT | UNMAPPED
"""Bits of the records that tell nothing of the background."""


class StretchArrays(NamedTuple):
    """Disjoint stretches of the reference, sorted; contigs are those of the reads."""

    contig: Ints  # [S]
    low: Ints  # [S]
    high: Ints  # [S]
    first: Ints  # [S + 1] number of a stretch's first position among all P
    expected: Bytes  # [P] code of the reference base


class BackgroundRows(NamedTuple):
    """What each record shows in each stretch it overlaps."""

    row: Ints32  # [N] of the record in `Facts`, never falling
    stretch: Ints32  # [N]
    offset: Ints32  # [N] first position, counted from the stretch's own
    code_start: Ints  # [N + 1]
    codes: Bytes  # one a position


@kernel
def indel_code(operation: int, size: int) -> int:
    """Code an insertion (operation 1) or deletion (2)."""
    if size > LONGEST_INDEL:
        return 0
    return size if operation == 1 else 10 + size


@kernel
def write_codes(
    data: Bytes,
    record: int,
    least: Bytes,
    low: int,
    high: int,
    bases: Bytes,
    codes: Bytes,
    begin: int,
) -> None:
    """Write the codes of a record for reference positions [low, high).

    `bases` are those of the read; `least` [1] is the least base quality, as a byte like
    all that it meets, so that many bases are compared at once.
    """
    limit = least[0]
    quality = quality_start(data, record)
    at, n_operations = cigar_span(data, record)
    position = read_i32(data, record + 8)
    query = 0
    for i in range(high - low):
        codes[begin + i] = NOTHING
    for k in range(n_operations):
        word = read_u32(data, at + 4 * k)
        operation, size = word & 15, word >> 4
        if operation in (0, 7, 8):
            start, end = max(position, low), min(position + size, high)
            first = query + start - position
            into = begin + start - low
            for i in range(end - start):
                base, good = bases[first + i], data[quality + first + i] >= limit
                codes[into + i] = base if good else NOTHING
            position += size
            query += size
        elif operation in (1, 2):
            at_base = begin + position - 1 - low
            if low < position <= high and codes[at_base] < NOTHING:
                codes[at_base] += 8 * indel_code(operation, size)
        if operation in (1, 4):
            query += size
        elif operation in (2, 3):
            position += size


@kernel
def ends_behind(stretches: StretchArrays, s: int, contig: int, position: int) -> bool:
    """Tell whether a stretch ends behind a position (or lies on a later contig)."""
    if stretches.contig[s] != contig:
        return bool(stretches.contig[s] > contig)
    return bool(stretches.high[s] > position)


@kernel
def first_stretch(
    stretches: StretchArrays, n: int, contig: int, position: int, guess: int
) -> int:
    """Find the first stretch that ends behind a position.

    In a sorted file it is nearly always that of the record before, the `guess`.
    """
    behind = guess == n or ends_behind(stretches, guess, contig, position)
    if behind and (
        guess == 0 or not ends_behind(stretches, guess - 1, contig, position)
    ):
        return guess
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if ends_behind(stretches, middle, contig, position):
            high = middle
        else:
            low = middle + 1
    return low


@kernel
def tell_rows(
    data: Bytes,
    stretches: StretchArrays,
    records: Ints,
    rows: BackgroundRows,
) -> None:
    """Write where the rows lie, and where their codes begin."""
    raw = bare(data)
    rows.code_start[0] = 0
    for i in range(rows.row.shape[0]):
        this, s = records[rows.row[i]], rows.stretch[i]
        low = max(read_i32(raw, this + 8), stretches.low[s])
        high = min(overlapping_end(raw, this), stretches.high[s])
        rows.offset[i] = low - stretches.low[s]
        rows.code_start[i + 1] = rows.code_start[i] + high - low


@kernel
def tell_codes(
    data: Bytes,
    stretches: StretchArrays,
    records: Ints,
    least: Bytes,
    bases: Bytes,
    rows: BackgroundRows,
    codes: Bytes,
) -> None:
    """Write the codes of the rows."""
    raw, quality, read, into = bare(data), bare(least), bare(bases), bare(codes)
    decoded = -1
    for i in range(rows.row.shape[0]):
        this = records[rows.row[i]]
        if this != decoded:
            decoded = this
            decode_bases(raw, sequence_start(raw, this), read_i32(raw, this + 20), read)
        low = rows.offset[i] + stretches.low[rows.stretch[i]]
        begin = rows.code_start[i]
        high = low + rows.code_start[i + 1] - begin
        write_codes(raw, this, quality, low, high, read, into, begin)


@kernel
def read_stretches(
    data: Bytes,
    stretches: StretchArrays,
    min_quality: int,
    records: Ints,
    met: Meetings,
    longest: int,
) -> BackgroundRows:
    """Read what records of a chunk show in the stretches that they meet.

    `longest` is the most bases such a record has.
    """
    n = met.row.shape[0]
    code_start = np.empty(n + 1, np.int64)
    told = BackgroundRows(
        met.row,
        met.place,
        np.empty(n, np.int32),
        code_start,
        np.empty(0, np.uint8),
    )
    tell_rows(data, stretches, records, told)
    rows = BackgroundRows(
        told.row,
        told.stretch,
        told.offset,
        code_start,
        np.empty(code_start[n], np.uint8),
    )
    least = np.full(1, min(max(min_quality, 0), 255), np.uint8)
    bases = make_codes(longest)
    tell_codes(data, stretches, records, least, bases, rows, rows.codes)
    return rows
