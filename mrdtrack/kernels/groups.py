"""Which rows have the same read name, and the order that brings them together.

Names are numbered as they come, so in a sorted file the numbers run along with the
rows, and sorting by them hardly leaves the cache.
"""

from __future__ import annotations

import numpy as np

from mrdtrack.kernels._compile import bare, kernel
from mrdtrack.kernels.arrays import Bytes, Ints, Ints32

UNHEARD = -1
"""The number of a row that is left out."""


@kernel
def table_size(n: int) -> int:
    """Give a power of two that leaves half of a table for `n` rows empty."""
    size = 16
    while size < 2 * n:
        size *= 2
    return size


@kernel
def fill_numbers(
    name: Ints, heard: Bytes, n: int, table: Ints, mask: int, number: Ints
) -> int:
    """Number the names of the heard rows; give how many names there are.

    `table` [mask + 1] holds a row of each name, -1 where it is empty.
    """
    n_names = 0
    before = -1
    for row in range(n):
        if not heard[row]:
            number[row] = UNHEARD
            continue
        key = name[row]
        if before >= 0 and name[before] == key:
            number[row] = number[before]
            continue
        slot = (key ^ (key >> 32)) & mask
        while table[slot] >= 0 and name[table[slot]] != key:
            slot = (slot + 1) & mask
        if table[slot] < 0:
            table[slot] = row
            number[row] = n_names
            n_names += 1
        else:
            number[row] = number[table[slot]]
        before = row
    return n_names


@kernel
def number_into(name: Ints, heard: Bytes, table: Ints, number: Ints) -> int:
    """Number names with a table that the caller has made."""
    return fill_numbers(
        bare(name),
        bare(heard),
        name.shape[0],
        bare(table),
        table.shape[0] - 1,
        bare(number),
    )


@kernel
def number_names(name: Ints, heard: Bytes) -> tuple[Ints, int]:
    """Number the read names [N] of the rows that are heard, in order of appearance.

    Returns the number of each row (UNHEARD where it is not) and how many there are.
    """
    table = np.full(table_size(name.shape[0]), -1, np.int64)
    number = np.empty(name.shape[0], np.int64)
    n_names = number_into(name, heard, table, number)
    return number, n_names


@kernel
def sort_by(
    key: Ints | Ints32, rows: Ints, n: int, first: Ints, n_keys: int, order: Ints
) -> None:
    """Sort rows by a key of 0 to `n_keys` - 1, those of one key in the order given.

    `first` [n_keys + 1] is room, all zero.
    """
    for i in range(n):
        first[key[rows[i]] + 1] += 1
    for k in range(n_keys):
        first[k + 1] += first[k]
    for i in range(n):
        k = key[rows[i]]
        order[first[k]] = rows[i]
        first[k] += 1


@kernel
def sort_into(key: Ints | Ints32, rows: Ints, first: Ints, order: Ints) -> None:
    """Sort rows by a key with room that the caller has made."""
    sort_by(
        bare(key),
        bare(rows),
        rows.shape[0],
        bare(first),
        first.shape[0] - 1,
        bare(order),
    )


@kernel
def sorted_rows(key: Ints | Ints32, rows: Ints, n_keys: int) -> Ints:
    """Sort rows by a key of 0 to `n_keys` - 1, those of one key in the order given."""
    order = np.empty(rows.shape[0], np.int64)
    sort_into(key, rows, np.zeros(n_keys + 1, np.int64), order)
    return order


@kernel
def heard_rows(number: Ints) -> Ints:
    """List the rows that have a number."""
    rows = np.empty(number.shape[0], np.int64)
    n = 0
    for row in range(number.shape[0]):
        if number[row] != UNHEARD:
            rows[n] = row
            n += 1
    return rows[:n].copy()


@kernel
def group_rows(place: Ints32, number: Ints, n_places: int, n_names: int) -> Ints:
    """List the rows that have a number by place and then by number."""
    by_name = sorted_rows(number, heard_rows(number), n_names)
    return sorted_rows(place, by_name, n_places)
