"""Places at which UMIs are compared: fragments of one marker that start together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import kernel
from mrdtrack.kernels.arrays import Ints, Ints32
from mrdtrack.kernels.umi import LENGTH_SHIFT

LONG_UMI = 12
"""UMIs of so many bases tell molecules apart without their positions."""
WIDE = 8
"""So many positions for each fragment are too many to count one by one."""


class Places(NamedTuple):
    """Fragments by place: `begin` says where each place begins in `order`, and ends."""

    order: Ints32  # [N]
    begin: Ints32  # [B + 1]


@kernel
def place_of(umi: int, start: int) -> int:
    """Give where a fragment's UMI counts: short ones repeat by chance elsewhere."""
    return 0 if umi >> LENGTH_SHIFT >= LONG_UMI else start


@kernel
def count_places(place: Ints, low: int, high: int, first: int, count: Ints) -> None:
    """Add to `count`, which holds zeros, how many stand before each position."""
    for i in range(low, high):
        count[place[i] - first + 1] += 1
    for k in range(1, count.shape[0]):
        count[k] += count[k - 1]


@kernel
def sort_places(place: Ints, low: int, high: int, order: Ints32) -> None:
    """Sort the rows [low, high) by place into `order`, those of one place as given."""
    first = last = place[low]
    for i in range(low, high):
        first, last = min(first, place[i]), max(last, place[i])
    if last - first > WIDE * (high - low):
        sorted_rows = np.argsort(place[low:high], kind="mergesort")
        for i in range(high - low):
            order[low + i] = low + sorted_rows[i]
        return
    count = np.zeros(last - first + 2, np.int64)
    count_places(place, low, high, first, count)
    for i in range(low, high):
        order[low + count[place[i] - first]] = i
        count[place[i] - first] += 1


@kernel
def begin_places(marker: Ints32, place: Ints, order: Ints32, begin: Ints32) -> int:
    """Write where each place begins in `order`; give their number."""
    n = 0
    for i in range(order.shape[0]):
        this, before = order[i], order[max(i - 1, 0)]
        if i == 0 or marker[this] != marker[before] or place[this] != place[before]:
            begin[n] = i
            n += 1
    begin[n] = order.shape[0]
    return n


@kernel
def list_places(marker: Ints32, umi: Ints, start: Ints) -> Places:
    """List fragments by marker and place.

    Args:
        marker: of each fragment, never falling.
        umi: of each fragment, packed.
        start: of each fragment.
    """
    n = marker.shape[0]
    place = np.empty(n, np.int64)
    for i in range(n):
        place[i] = place_of(umi[i], start[i])
    order = np.empty(n, np.int32)
    low = 0
    while low < n:
        high = low + 1
        while high < n and marker[high] == marker[low]:
            high += 1
        sort_places(place, low, high, order)
        low = high
    begin = np.empty(n + 1, np.int32)
    n_places = begin_places(marker, place, order, begin)
    return Places(order, begin[: n_places + 1].copy())
