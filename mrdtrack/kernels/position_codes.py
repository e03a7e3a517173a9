"""Codes of positions: merged by fragment and family, and counted, many at once.

All codes are bytes. Only positions where something else than the reference stands are
looked at one by one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import kernel
from mrdtrack.kernels.arrays import Bytes, Ints, Ints32
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
BLOCK = 64
"""Positions among which what is not the reference is looked for one by one."""
FULL = 255
"""Molecules after which a byte that counts them is full."""


class FlatCounts(NamedTuple):
    """The counts while they grow."""

    bases: Ints  # [4 P] other than the expected one
    indels: Ints  # [INDEL_CODES P]
    as_expected: Ints  # [P] the reference base and no indel


class Room(NamedTuple):
    """Room for one fragment and one family, codes by position; W is the widest stretch.

    Between uses all are NOTHING. What is `recent` is counted in bytes, so that many
    positions are counted at once, and added to the counts before a byte is full.
    """

    fragment: Bytes  # [W]
    family: Bytes  # [W]
    recent: Bytes  # [W] molecules of the stretch at hand that are as expected, so far
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
def add_row(rows: BackgroundRows, row: int, fragment: Bytes) -> None:
    """Merge a record into its fragment."""
    begin, at = rows.code_start[row], rows.offset[row]
    for i in range(rows.code_start[row + 1] - begin):
        fragment[at + i] = merged_code(fragment[at + i], rows.codes[begin + i])


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
        add_row(rows, order[i], room.fragment)
    return Span(low, high)


@kernel
def clear(codes: Bytes, span: Span) -> None:
    """Set codes to NOTHING."""
    for i in range(span.low, span.high):
        codes[i] = NOTHING


@kernel
def add_fragment(room: Room, span: Span) -> None:
    """Let a fragment into its family: where fragments differ, it is DISPUTED."""
    for i in range(span.low, span.high):
        shown, before = room.fragment[i], room.family[i]
        silent = shown & BASE_BITS >= NOTHING
        now = before if silent or shown == before else DISPUTED
        room.family[i] = shown if before == NOTHING and not silent else now


@kernel
def count_one(code: int, position: int, bases: Ints, indels: Ints) -> None:
    """Count what a molecule shows at one position, unless it is nothing."""
    base, indel = code & 7, code >> 3
    if base < NOTHING:
        bases[4 * position + base] += 1
        if indel > 0:
            indels[INDEL_CODES * position + indel] += 1


@kernel
def count_codes(
    codes: Bytes,
    begin: int,
    span: Span,
    first: int,
    expected: Bytes,
    recent: Bytes,
    bases: Ints,
    indels: Ints,
) -> None:
    """Count the codes of a molecule that covers a span of the stretch at `first`.

    Those of the reference are counted apart, many at once.
    """
    shift = begin - span.low
    for low in range(span.low, span.high, BLOCK):
        high = min(low + BLOCK, span.high)
        odd = NO_INDEL
        for i in range(low, high):
            code, wanted = codes[shift + i], expected[first + i]
            recent[i] += ONE if code == wanted else NO_INDEL
            told = ONE if code != NOTHING else NO_INDEL
            odd |= told if code != wanted else NO_INDEL
        for i in range(low, high if odd != NO_INDEL else low):
            if codes[shift + i] != expected[first + i]:
                count_one(int(codes[shift + i]), first + i, bases, indels)
