"""The records of a chunk that lie in the windows of markers."""

from __future__ import annotations

import numpy as np

from mrdtrack.kernels._compile import kernel, read_i32, read_u16
from mrdtrack.kernels.arrays import SMALL_INDEL, Bytes, Candidates, Targets
from mrdtrack.kernels.bam_records import overlapping_end, record_end
from mrdtrack.kernels.record_facts import enlarged_ints

MATE_REACH = 600
"""Bases from a window within which an unmapped read may be placed by its mate."""


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


@kernel
def find_candidates(
    data: Bytes, n_bytes: int, targets: Targets, n_windows: int
) -> Candidates:
    """List the records of a chunk that lie in windows of markers."""
    records = np.zeros(1024, np.int64)
    markers = np.zeros(1024, np.int64)
    n = 0
    record = 0
    last = -1
    while record < n_bytes:
        this = record
        record = record_end(data, this)
        contig = read_i32(data, this + 4)
        position = read_i32(data, this + 8)
        if contig < 0 or position < 0 or read_i32(data, this + 20) == 0:
            continue
        unmapped = read_u16(data, this + 18) & 0x4 != 0
        reach = MATE_REACH if unmapped else 0
        end = overlapping_end(data, this) + reach
        last = last_window(targets, n_windows, contig, end, last)
        for w in range(last, -1, -1):
            if targets.window_contig[w] < contig:
                break
            if targets.window_reach[w] + reach <= position:
                break
            m = targets.window_marker[w]
            placed_by_mate = unmapped and targets.event[m] <= SMALL_INDEL
            if targets.window_high[w] + reach <= position or placed_by_mate:
                continue
            if n == records.shape[0]:
                records, markers = enlarged_ints(records), enlarged_ints(markers)
            records[n] = this
            markers[n] = m
            n += 1
    return Candidates(records[:n].copy(), markers[:n].copy())
