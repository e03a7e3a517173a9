"""Fragments of rows sorted by place and name, and what their records say of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import bare, kernel
from mrdtrack.kernels.arrays import Ints, Ints32
from mrdtrack.kernels.molecules import count_groups

UNHEARD = -1
"""The number of a row that is left out."""


class RowFragments(NamedTuple):
    """The fragments of N rows, F of them, and their place, UMI and start."""

    number: Ints32  # [N] of each row's fragment, UNHEARD where it is left out
    place: Ints32  # [F]
    umi: Ints  # [F]
    start: Ints  # [F]


@kernel
def fill_fragments(
    place: Ints32,
    name: Ints32,
    record: Ints32,
    umi: Ints,
    start: Ints,
    order: Ints32,
    n_rows: int,
    made: RowFragments,
) -> None:
    """Fill in the fragments."""
    n = 0
    for at in range(n_rows):
        row = order[at]
        before = order[max(at - 1, 0)]
        own_umi, own_start = umi[record[row]], start[record[row]]
        if at == 0 or place[row] != place[before] or name[row] != name[before]:
            made.place[n], made.umi[n], made.start[n] = place[row], own_umi, own_start
            n += 1
        made.umi[n - 1] = max(made.umi[n - 1], own_umi)
        made.start[n - 1] = min(made.start[n - 1], own_start)
        made.number[row] = n - 1


@kernel
def row_fragments(
    place: Ints32, name: Ints32, record: Ints32, umi: Ints, start: Ints, order: Ints32
) -> RowFragments:
    """List the fragments of rows.

    Args:
        place: of each row.
        name: number of each row's name.
        record: of each row, in `umi` and `start`.
        umi: of each record, packed.
        start: of each record.
        order: the rows that are heard, by place and name.
    """
    n = count_groups(place, name, order)
    made = RowFragments(
        np.full(place.shape[0], UNHEARD, np.int32),
        np.empty(n, np.int32),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
    )
    fill_fragments(
        bare(place),
        bare(name),
        bare(record),
        bare(umi),
        bare(start),
        bare(order),
        order.shape[0],
        bare(made),
    )
    return made
