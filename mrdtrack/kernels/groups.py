"""Which rows have the same read name, and the order that brings them together.

Names are numbered as they come, so in a sorted file the numbers run along with the
rows, and sorting by them hardly leaves the cache.
"""

from __future__ import annotations

import numpy as np

from mrdtrack.kernels._compile import bare, kernel
from mrdtrack.kernels.arrays import Bytes, Ints, Ints32


@kernel
def table_size(n: int) -> int:
    """Give a power of two that leaves half of a table for `n` rows empty."""
    size = 16
    while size < 2 * n:
        size *= 2
    return size


@kernel
def fill_numbers(name: Ints, n: int, table: Ints32, mask: int, number: Ints32) -> int:
    """Number the names of rows; give how many names there are.

    `table` [mask + 1] holds a row of each name, -1 where it is empty.
    """
    n_names = 0
    for row in range(n):
        key = name[row]
        if row > 0 and name[row - 1] == key:
            number[row] = number[row - 1]
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
    return n_names


@kernel
def number_into(name: Ints, table: Ints32, number: Ints32) -> int:
    """Number names with a table that the caller has made."""
    return fill_numbers(
        bare(name),
        name.shape[0],
        bare(table),
        table.shape[0] - 1,
        bare(number),
    )


@kernel
def number_names(name: Ints) -> tuple[Ints32, int]:
    """Number the read names [N] of rows, in order of appearance.

    Returns the number of each row, and how many there are.
    """
    table = np.full(table_size(name.shape[0]), -1, np.int32)
    number = np.empty(name.shape[0], np.int32)
    n_names = number_into(name, table, number)
    return number, n_names


@kernel
def sort_by(
    key: Ints32, rows: Ints32, n: int, first: Ints32, n_keys: int, order: Ints32
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
def sort_into(key: Ints32, rows: Ints32, first: Ints32, order: Ints32) -> None:
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
def sorted_rows(key: Ints32, rows: Ints32, n_keys: int) -> Ints32:
    """Sort rows by a key of 0 to `n_keys` - 1, those of one key in the order given."""
    order = np.empty(rows.shape[0], np.int32)
    sort_into(key, rows, np.zeros(n_keys + 1, np.int32), order)
    return order


@kernel
def heard_rows(heard: Bytes) -> Ints32:
    """List the rows that are heard."""
    n = 0
    for row in range(heard.shape[0]):
        n += 1 if heard[row] else 0
    rows = np.empty(n, np.int32)
    n = 0
    for row in range(heard.shape[0]):
        if heard[row]:
            rows[n] = row
            n += 1
    return rows


@kernel
def group_rows(
    place: Ints32, number: Ints32, heard: Bytes, n_places: int, n_names: int
) -> Ints32:
    """List the rows that are heard by place and then by number."""
    by_name = sorted_rows(number, heard_rows(heard), n_names)
    return sorted_rows(place, by_name, n_places)
