"""The background: how many molecules show what at positions where no marker is.

Rows are merged by the same rules as the evidence: a fragment's records are one
observation, and a family's fragments vote. Whole rows are merged and counted at once;
only positions where something else than the reference stands are looked at one by one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import bare, kernel
from mrdtrack.kernels.arrays import Bytes, Ints
from mrdtrack.kernels.stretches import (
    NOTHING,
    BackgroundRows,
    StretchArrays,
)

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
AGREEMENT = 2.0 / 3.0


class BackgroundCounts(NamedTuple):
    """Molecules by base and by indel at each of P positions."""

    bases: Ints  # [P, 4]
    indels: Ints  # [P, INDEL_CODES]


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
    rows: BackgroundRows, order: Ints, at: int, end: int, room: Room
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


@kernel
def settle_stretch(
    stretches: StretchArrays, stretch: int, recent: Bytes, as_expected: Ints
) -> None:
    """Add what is recent to the counts of a stretch."""
    first = stretches.first[stretch]
    for i in range(stretches.first[stretch + 1] - first):
        as_expected[first + i] += recent[i]
        recent[i] = NO_INDEL


@kernel
def fragment_end(order: Ints, at: int, end: int, fragment: Ints) -> int:
    """Find where the rows of the fragment of order[at] end, at `end` at the latest."""
    this = fragment[order[at]]
    at += 1
    while at < end and fragment[order[at]] == this:
        at += 1
    return at


@kernel
def count_fragment(
    rows: BackgroundRows,
    order: Ints,
    at: int,
    end: int,
    first: int,
    expected: Bytes,
    room: Room,
    counts: FlatCounts,
) -> None:
    """Count the fragment of the rows order[at:end] as a molecule."""
    recent, bases, indels = room.recent, counts.bases, counts.indels
    if end - at == 1:
        row = order[at]
        span, begin = span_of(rows, row), rows.code_start[row]
        count_codes(rows.codes, begin, span, first, expected, recent, bases, indels)
        return
    span = merge_rows(rows, order, at, end, room)
    codes = room.fragment
    count_codes(codes, span.low, span, first, expected, recent, bases, indels)
    clear(codes, span)


@kernel
def shown_at(
    rows: BackgroundRows, order: Ints, at: int, end: int, position: int
) -> np.uint8:
    """Give the merged code of the fragment order[at:end] at one position."""
    code = np.uint8(NOTHING)
    for i in range(at, end):
        span = span_of(rows, order[i])
        if span.low <= position < span.high:
            begin = rows.code_start[order[i]] + position - span.low
            code = merged_code(code, rows.codes[begin])
    return code


@kernel
def settle(votes: Ints, position: int, counts: FlatCounts) -> None:
    """Count what enough fragments of a family agree on at one position."""
    total = votes[0] + votes[1] + votes[2] + votes[3]
    for base in range(4):
        if votes[base] >= AGREEMENT * total:
            counts.bases[4 * position + base] += 1
    for indel in range(1, INDEL_CODES):
        if votes[4 + indel] >= AGREEMENT * total:
            counts.indels[INDEL_CODES * position + indel] += 1


@kernel
def settle_disputes(
    rows: BackgroundRows,
    order: Ints,
    at: int,
    end: int,
    fragment: Ints,
    span: Span,
    first: int,
    room: Room,
    counts: FlatCounts,
) -> None:
    """Let the fragments of a family vote where they differ."""
    for position in range(span.low, span.high):
        if room.family[position] != DISPUTED:
            continue
        for k in range(4 + INDEL_CODES):
            room.votes[k] = 0
        i = at
        while i < end:
            following = fragment_end(order, i, end, fragment)
            code = shown_at(rows, order, i, following, position)
            if code & 7 < NOTHING:
                room.votes[code & 7] += 1
                room.votes[4 + (code >> 3)] += 1
            i = following
        settle(room.votes, first + position, counts)


@kernel
def count_family(
    rows: BackgroundRows,
    order: Ints,
    at: int,
    end: int,
    fragment: Ints,
    first: int,
    expected: Bytes,
    room: Room,
    counts: FlatCounts,
) -> None:
    """Count the family of the rows order[at:end] as a molecule."""
    low, high = span_of(rows, order[at])
    i = at
    while i < end:
        following = fragment_end(order, i, end, fragment)
        span = merge_rows(rows, order, i, following, room)
        add_fragment(room, span)
        clear(room.fragment, span)
        low, high = min(low, span.low), max(high, span.high)
        i = following
    whole = Span(low, high)
    count_codes(
        room.family,
        low,
        whole,
        first,
        expected,
        room.recent,
        counts.bases,
        counts.indels,
    )
    settle_disputes(rows, order, at, end, fragment, whole, first, room, counts)
    clear(room.family, whole)


@kernel
def count_molecules(
    rows: BackgroundRows,
    order: Ints,
    n: int,
    family: Ints,
    fragment: Ints,
    stretches: StretchArrays,
    min_size: int,
    room: Room,
    counts: FlatCounts,
) -> None:
    """Count family by family."""
    at, before, n_recent = 0, 0, 0
    while at < n:
        stretch, this = rows.stretch[order[at]], family[order[at]]
        if n_recent == FULL or stretch != before:
            settle_stretch(stretches, before, room.recent, counts.as_expected)
            before, n_recent = stretch, 0
        n_recent += 1
        first = stretches.first[stretch]
        size, end = 0, at
        while (
            end < n
            and family[order[end]] == this
            and rows.stretch[order[end]] == stretch
        ):
            if end == at or fragment[order[end]] != fragment[order[end - 1]]:
                size += 1
            end += 1
        if size >= min_size and size == 1:
            count_fragment(
                rows, order, at, end, first, stretches.expected, room, counts
            )
        elif size >= min_size:
            count_family(
                rows,
                order,
                at,
                end,
                fragment,
                first,
                stretches.expected,
                room,
                counts,
            )
        at = end
    settle_stretch(stretches, before, room.recent, counts.as_expected)


@kernel
def tally_into(
    rows: BackgroundRows,
    order: Ints,
    family: Ints,
    fragment: Ints,
    stretches: StretchArrays,
    min_size: int,
    room: Room,
    counts: FlatCounts,
) -> None:
    """Count in room that the caller has made."""
    count_molecules(
        bare(rows),
        bare(order),
        order.shape[0],
        bare(family),
        bare(fragment),
        bare(stretches),
        min_size,
        bare(room),
        bare(counts),
    )


@kernel
def tally_rows(
    rows: BackgroundRows,
    order: Ints,
    family: Ints,
    fragment: Ints,
    stretches: StretchArrays,
    min_size: int,
) -> BackgroundCounts:
    """Count molecules by base and indel.

    `order` sorts the rows by stretch, family and fragment; `family` and `fragment`
    number them. Families of fewer than `min_size` fragments are left out.
    """
    n = stretches.expected.shape[0]
    width = 0
    for s in range(stretches.low.shape[0]):
        width = max(width, stretches.high[s] - stretches.low[s])
    room = Room(
        np.full(width, NOTHING, np.uint8),
        np.full(width, NOTHING, np.uint8),
        np.zeros(width, np.uint8),
        np.zeros(4 + INDEL_CODES, np.int64),
    )
    counts = FlatCounts(
        np.zeros(4 * n, np.int64),
        np.zeros(INDEL_CODES * n, np.int64),
        np.zeros(n, np.int64),
    )
    tally_into(rows, order, family, fragment, stretches, min_size, room, counts)
    for p in range(n):
        base = int(stretches.expected[p])
        if base < NOTHING:
            counts.bases[4 * p + base] += counts.as_expected[p]
    return BackgroundCounts(
        counts.bases.reshape((n, 4)), counts.indels.reshape((n, INDEL_CODES))
    )
