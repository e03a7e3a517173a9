"""The background: how many molecules show what at positions where no marker is.

Rows are merged by the same rules as the evidence: a fragment's records are one
observation, and a family's fragments vote.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import bare, kernel
from mrdtrack.kernels.arrays import Bytes, Ints, Ints32
from mrdtrack.kernels.bases import PIECE
from mrdtrack.kernels.position_codes import (
    DISPUTED,
    FULL,
    INDEL_CODES,
    NO_INDEL,
    FlatCounts,
    Room,
    Span,
    add_fragment,
    clear,
    count_codes,
    merge_rows,
    merged_code,
    span_of,
)
from mrdtrack.kernels.stretches import NOTHING, BackgroundRows, StretchArrays

AGREEMENT = 2.0 / 3.0


class BackgroundCounts(NamedTuple):
    """Molecules by base and by indel at each of P positions."""

    bases: Ints  # [P, 4]
    indels: Ints  # [P, INDEL_CODES]


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
def fragment_end(order: Ints32, at: int, end: int, fragment: Ints32) -> int:
    """Find where the rows of the fragment of order[at] end, at `end` at the latest."""
    this = fragment[order[at]]
    at += 1
    while at < end and fragment[order[at]] == this:
        at += 1
    return at


@kernel
def count_fragment(
    rows: BackgroundRows,
    order: Ints32,
    at: int,
    end: int,
    first: int,
    room: Room,
    counts: FlatCounts,
) -> None:
    """Count the fragment of the rows order[at:end] as a molecule."""
    span = merge_rows(rows, order, at, end, room)
    count_codes(room.fragment, span, first, room, counts)
    clear(room.fragment, span)


@kernel
def shown_at(
    rows: BackgroundRows, order: Ints32, at: int, end: int, position: int
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
    order: Ints32,
    at: int,
    end: int,
    fragment: Ints32,
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
    order: Ints32,
    at: int,
    end: int,
    fragment: Ints32,
    first: int,
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
    count_codes(room.family, whole, first, room, counts)
    settle_disputes(rows, order, at, end, fragment, whole, first, room, counts)
    clear(room.family, whole)


@kernel
def count_molecules(
    rows: BackgroundRows,
    order: Ints32,
    n: int,
    family: Ints32,
    fragment: Ints32,
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
            count_fragment(rows, order, at, end, first, room, counts)
        elif size >= min_size:
            count_family(rows, order, at, end, fragment, first, room, counts)
        at = end
    settle_stretch(stretches, before, room.recent, counts.as_expected)


@kernel
def tally_into(
    rows: BackgroundRows,
    order: Ints32,
    family: Ints32,
    fragment: Ints32,
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
    order: Ints32,
    family: Ints32,
    fragment: Ints32,
    stretches: StretchArrays,
    min_size: int,
) -> BackgroundCounts:
    """Count molecules by base and indel.

    `order` sorts the rows by stretch, family and fragment; `family` and `fragment`
    number them. Families of fewer than `min_size` fragments are left out. Behind the
    codes of the rows there is room for a piece.
    """
    n = stretches.expected.shape[0]
    width = 0
    for s in range(stretches.low.shape[0]):
        width = max(width, stretches.high[s] - stretches.low[s])
    room = Room(
        np.full(width + PIECE, NOTHING, np.uint8),
        np.full(width + PIECE, NOTHING, np.uint8),
        np.zeros(width + PIECE, np.uint8),
        np.append(stretches.expected, np.zeros(PIECE, np.uint8)),
        np.arange(PIECE).astype(np.uint8),
        np.zeros(PIECE, np.uint8),
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
