"""The records of a chunk that come near markers or stretches, found in one walk."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import bare, kernel, read_i32, read_u16
from mrdtrack.kernels.arrays import (
    SMALL_INDEL,
    Bytes,
    Ints,
    Ints32,
    Meetings,
    ReadFilter,
    Targets,
)
from mrdtrack.kernels.bam_records import (
    UNPLACED,
    comes_before,
    overlapping_end,
    record_end,
)
from mrdtrack.kernels.record_facts import record_bits
from mrdtrack.kernels.stretches import DROPPED, StretchArrays, first_stretch

BYTES_A_MEETING = 64
"""Bytes of records for which room for one meeting is made at first."""
MATE_REACH = 600
"""Bases from a window within which an unmapped read may be placed by its mate."""


class ChunkPlaces(NamedTuple):
    """Places of the first and the last record; reads without a place stand last."""

    first_contig: int
    first_position: int
    last_contig: int
    last_position: int
    in_order: bool


class NearRecords(NamedTuple):
    """Records of a chunk that come near something; `longest` is their most bases."""

    record: Ints  # [R] offset in the chunk, rising
    markers: Meetings
    stretches: Meetings
    longest: int
    places: ChunkPlaces


class Room(NamedTuple):
    """Room for what a walk finds."""

    record: Ints
    marker_row: Ints32
    marker: Ints32
    stretch_row: Ints32
    stretch: Ints32


@kernel
def starts_before(targets: Targets, w: int, contig: int, end: int) -> bool:
    """Tell whether a window starts before `end` on the contig, or on an earlier one."""
    if targets.window_contig[w] != contig:
        return bool(targets.window_contig[w] < contig)
    return bool(targets.window_low[w] < end)


@kernel
def last_window(
    targets: Targets, n_windows: int, contig: int, end: int, guess: int
) -> int:
    """Find the last window that starts before `end` on the contig (or before it).

    In a sorted file it is nearly always that of the record before, the `guess`.
    """
    if guess < 0 or starts_before(targets, guess, contig, end):
        following = guess + 1
        if following == n_windows or not starts_before(targets, following, contig, end):
            return guess
    low, high = 0, n_windows
    while low < high:
        middle = (low + high) // 2
        if starts_before(targets, middle, contig, end):
            low = middle + 1
        else:
            high = middle
    return low - 1


class Walk(NamedTuple):
    """How far a walk over the records of a chunk has come."""

    record: int  # offset of the next
    n_near: int
    n_markers: int
    n_stretches: int
    window: int  # last one that starts before the record went by
    stretch: int  # first one that ends behind it
    longest: int
    contig: int  # of the record before, as an unsigned number
    position: int
    in_order: bool


@kernel
def make_room(n: int) -> Room:
    """Make room for `n` of each."""
    return Room(
        np.empty(n, np.int64),
        np.empty(n, np.int32),
        np.empty(n, np.int32),
        np.empty(n, np.int32),
        np.empty(n, np.int32),
    )


@kernel
def enlarged(room: Room) -> Room:
    """Copy to twice the room."""
    n = room.record.shape[0]
    larger = make_room(2 * n)
    larger.record[:n] = room.record
    larger.marker_row[:n] = room.marker_row
    larger.marker[:n] = room.marker
    larger.stretch_row[:n] = room.stretch_row
    larger.stretch[:n] = room.stretch
    return larger


@kernel
def meet_markers(
    data: Bytes,
    record: int,
    targets: Targets,
    last: int,
    reach: int,
    room: Room,
    row: int,
    n: int,
) -> int:
    """List the markers whose windows up to the `last` a record reaches, behind `n`."""
    contig, position = read_i32(data, record + 4), read_i32(data, record + 8)
    w = last if position >= 0 else -1
    while (
        w >= 0
        and targets.window_contig[w] == contig
        and targets.window_reach[w] + reach > position
    ):
        m = targets.window_marker[w]
        placed_by_mate = reach > 0 and targets.event[m] <= SMALL_INDEL
        if targets.window_high[w] + reach > position and not placed_by_mate:
            room.marker_row[n], room.marker[n] = row, m
            n += 1
        w -= 1
    return n


@kernel
def meet_stretches(
    data: Bytes,
    record: int,
    end: int,
    stretches: StretchArrays,
    n_stretches: int,
    first: int,
    read_filter: ReadFilter,
    room: Room,
    row: int,
    n: int,
) -> int:
    """List the stretches from the `first` on that a record covers, behind `n`."""
    contig = read_i32(data, record + 4)
    s = first
    while s < n_stretches and stretches.contig[s] == contig and stretches.low[s] < end:
        if s == first and record_bits(data, record, read_filter) & DROPPED:
            break
        room.stretch_row[n], room.stretch[n] = row, s
        n += 1
        s += 1
    return n


@kernel
def walk_on(
    data: Bytes,
    n_bytes: int,
    targets: Targets,
    n_windows: int,
    stretches: StretchArrays,
    n_stretches: int,
    read_filter: ReadFilter,
    room: Room,
    most: int,
    walk: Walk,
) -> Walk:
    """Walk on, as far as there is room for `most` of each."""
    record, n, n_markers, n_covered, last, first, longest, _, _, in_order = walk
    before, place = walk.contig, walk.position
    while record < n_bytes and n < most:
        if n_markers + n_windows > most or n_covered + n_stretches > most:
            break
        this = record
        record = record_end(data, this)
        contig, position = read_i32(data, this + 4), read_i32(data, this + 8)
        if comes_before(contig & UNPLACED, position, before, place):
            in_order = False
        before, place = contig & UNPLACED, position
        n_bases = read_i32(data, this + 20)
        if contig < 0 or n_bases == 0:
            continue
        reach = MATE_REACH if read_u16(data, this + 18) & 0x4 else 0
        end = overlapping_end(data, this)
        last = last_window(targets, n_windows, contig, end + reach, last)
        met = meet_markers(data, this, targets, last, reach, room, n, n_markers)
        first = first_stretch(stretches, n_stretches, contig, position, first)
        covered = meet_stretches(
            data,
            this,
            end,
            stretches,
            n_stretches,
            first,
            read_filter,
            room,
            n,
            n_covered,
        )
        if met > n_markers or covered > n_covered:
            room.record[n] = this
            n += 1
            n_markers, n_covered = met, covered
            longest = max(longest, n_bases)
    return Walk(
        record, n, n_markers, n_covered, last, first, longest, before, place, in_order
    )


@kernel
def walk_records(
    data: Bytes,
    targets: Targets,
    stretches: StretchArrays,
    read_filter: ReadFilter,
    room: Room,
    walk: Walk,
) -> Walk:
    """Walk on in room that the caller has made."""
    return walk_on(
        bare(data),
        data.shape[0],
        bare(targets),
        targets.window_low.shape[0],
        bare(stretches),
        stretches.low.shape[0],
        bare(read_filter),
        bare(room),
        room.record.shape[0],
        walk,
    )


@kernel
def find_near(
    data: Bytes, targets: Targets, stretches: StretchArrays, read_filter: ReadFilter
) -> NearRecords:
    """Find the records in windows of markers, and the aligned ones over stretches.

    `data` holds one record at least.
    """
    n_places = targets.window_low.shape[0] + stretches.low.shape[0]
    room = make_room(data.shape[0] // BYTES_A_MEETING + n_places + 1)
    contig, position = read_i32(data, 4) & UNPLACED, read_i32(data, 8)
    walk = Walk(0, 0, 0, 0, -1, 0, 0, contig, position, True)
    while walk.record < data.shape[0]:
        walk = walk_records(data, targets, stretches, read_filter, room, walk)
        if walk.record < data.shape[0]:
            room = enlarged(room)
    return NearRecords(
        room.record[: walk.n_near].copy(),
        Meetings(
            room.marker_row[: walk.n_markers].copy(),
            room.marker[: walk.n_markers].copy(),
        ),
        Meetings(
            room.stretch_row[: walk.n_stretches].copy(),
            room.stretch[: walk.n_stretches].copy(),
        ),
        walk.longest,
        ChunkPlaces(contig, position, walk.contig, walk.position, walk.in_order),
    )
