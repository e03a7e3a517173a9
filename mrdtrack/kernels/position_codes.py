"""Codes of positions: merged by fragment and family, and counted, many at once.

All codes are bytes. Whole pieces of them leave no rest to be done one by one, so there
is room for a piece behind every place where codes are kept. Only positions where
something else than the reference stands are looked at one by one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import kernel, read_u64
from mrdtrack.kernels.arrays import Bytes, Ints, Ints32
from mrdtrack.kernels.bases import PIECE
from mrdtrack.kernels.stretches import NOTHING, BackgroundRows

INDEL_CODES = 20
"""Indel codes: 1 to 9 bases inserted, 10 + (1 to 9) bases deleted, 0 none or longer."""
CONFLICT = np.uint8(5)
"""The base of a fragment whose records differ."""
DISPUTED = np.uint8(6)
"""The base of a family whose fragments differ."""
BASE_BITS, INDEL_BITS, NO_INDEL = np.uint8(0b111), np.uint8(0b11111000), np.uint8(0)
ONE = np.uint8(1)
"""Parts of a code. All these are bytes, so that many codes are merged at once."""
FULL = 255
"""Molecules after which a byte that counts them is full."""


class FlatCounts(NamedTuple):
    """The counts while they grow."""

    bases: Ints  # [4 P] other than the expected one
    indels: Ints  # [INDEL_CODES P]
    as_expected: Ints  # [P] the reference base and no indel


class Room(NamedTuple):
    """Room for one fragment and one family, codes by position; W is the widest stretch.

    Between uses all codes are NOTHING. What is `recent` is counted in bytes, so that
    many positions are counted at once, and added to the counts before a byte is full.
    """

    fragment: Bytes  # [W + PIECE]
    family: Bytes  # [W + PIECE]
    recent: Bytes  # [W + PIECE] molecules of the stretch at hand that are as expected
    expected: Bytes  # [P + PIECE] code of the reference base of all positions
    lane: Bytes  # [PIECE] 0, 1, 2, ...
    odd: Bytes  # [PIECE] whether something else than the reference is there
    votes: Ints  # [4 + INDEL_CODES]


class Span(NamedTuple):
    """Where a fragment or family lies in its stretch."""

    low: int
    high: int


@kernel
def merged_code(first: np.uint8, second: np.uint8) -> np.uint8:
    """Merge the codes of two records of a fragment: what differs is nothing."""
    differ = first ^ second
    base = first & BASE_BITS if differ & BASE_BITS == NO_INDEL else CONFLICT
    indel = first & INDEL_BITS if differ & INDEL_BITS == NO_INDEL else NO_INDEL
    merged = first if second == NOTHING else base | indel
    return second if first == NOTHING else merged


@kernel
def add_row(rows: BackgroundRows, row: int, fragment: Bytes, lane: Bytes) -> None:
    """Merge a record into its fragment; codes behind its own are nothing to it."""
    begin, end, at = rows.code_start[row], rows.code_start[row + 1], rows.offset[row]
    for first in range(0, end - begin, PIECE):
        left = np.uint8(min(end - begin - first, PIECE))
        for i in range(PIECE):
            code = rows.codes[begin + first + i] if lane[i] < left else NOTHING
            before = fragment[at + first + i]
            fragment[at + first + i] = merged_code(before, code)


@kernel
def span_of(rows: BackgroundRows, row: int) -> Span:
    """Give where a row lies."""
    at = rows.offset[row]
    return Span(at, at + rows.code_start[row + 1] - rows.code_start[row])


@kernel
def merge_rows(
    rows: BackgroundRows, order: Ints32, at: int, end: int, room: Room
) -> Span:
    """Merge the rows order[at:end] of a fragment into `room.fragment`."""
    low, high = span_of(rows, order[at])
    for i in range(at, end):
        span = span_of(rows, order[i])
        low, high = min(low, span.low), max(high, span.high)
        add_row(rows, order[i], room.fragment, room.lane)
    return Span(low, high)


@kernel
def clear(codes: Bytes, span: Span) -> None:
    """Set codes to NOTHING."""
    for i in range(span.low, span.high):
        codes[i] = NOTHING


@kernel
def add_fragment(room: Room, span: Span) -> None:
    """Let a fragment into its family: where fragments differ, it is DISPUTED."""
    fragment, family = room.fragment, room.family
    for low in range(span.low, span.high, PIECE):
        for i in range(low, low + PIECE):
            shown, before = fragment[i], family[i]
            silent = shown & BASE_BITS >= NOTHING
            now = before if silent or shown == before else DISPUTED
            family[i] = shown if before == NOTHING and not silent else now


@kernel
def count_one(code: int, position: int, counts: FlatCounts) -> None:
    """Count what a molecule shows at one position, unless it is nothing."""
    base, indel = code & 7, code >> 3
    if base < NOTHING:
        counts.bases[4 * position + base] += 1
        if indel > 0:
            counts.indels[INDEL_CODES * position + indel] += 1


@kernel
def count_odd(
    codes: Bytes, low: int, first: int, odd: Bytes, counts: FlatCounts
) -> None:
    """Count the codes of a piece that are marked as odd, few if any."""
    for word in range(0, PIECE, 8):
        if read_u64(odd, word) != 0:
            for i in range(word, word + 8):
                if odd[i] != NO_INDEL:
                    count_one(int(codes[low + i]), first + low + i, counts)


@kernel
def count_codes(
    codes: Bytes, span: Span, first: int, room: Room, counts: FlatCounts
) -> None:
    """Count the codes of a molecule that covers a span of the stretch at `first`.

    Those of the reference are counted apart, many at once.
    """
    expected, recent, odd = room.expected, room.recent, room.odd
    for low in range(span.low, span.high, PIECE):
        for i in range(PIECE):
            code, wanted = codes[low + i], expected[first + low + i]
            told = ONE if code != NOTHING else NO_INDEL
            known = told if code == wanted else NO_INDEL
            recent[low + i] += known
            odd[i] = told ^ known
        count_odd(codes, low, first, odd, counts)
