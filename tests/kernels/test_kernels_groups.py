"""Numbers of names and orders of rows, against dictionaries and `sorted`."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.kernels.groups import group_rows, number_names, sorted_rows

rows_of = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from([0, 1, 2, 1 << 32, 3 << 40, (1 << 63) - 1]),
        st.booleans(),
    ),
    max_size=60,
)


@given(rows_of)
def test_names_are_numbered_as_they_come(rows: list[tuple[int, int, bool]]) -> None:
    name = np.array([row[1] for row in rows], np.int64)
    known: dict[int, int] = {}
    expected = [known.setdefault(key, len(known)) for _, key, _ in rows]
    for run in (number_names, number_names.py_func):
        number, n_names = run(name)
        assert number.tolist() == expected
        assert n_names == len(known)


@given(rows_of)
def test_rows_are_grouped_by_place_and_name(rows: list[tuple[int, int, bool]]) -> None:
    place = np.array([row[0] for row in rows], np.int32)
    name = np.array([row[1] for row in rows], np.int64)
    heard = np.array([row[2] for row in rows], np.uint8)
    number, n_names = number_names(name)
    kept = [i for i in range(len(rows)) if heard[i]]
    expected = sorted(kept, key=lambda i: (place[i], number[i], i))
    for run in (group_rows, group_rows.py_func):
        assert run(place, number, heard, 4, n_names).tolist() == expected


@given(st.lists(st.integers(0, 5), max_size=40))
def test_sorting_keeps_the_order_of_equals(keys: list[int]) -> None:
    key = np.array(keys, np.int32)
    rows = np.arange(len(keys), dtype=np.int32)[::-1].copy()
    expected = sorted(rows.tolist(), key=lambda row: keys[row])
    for run in (sorted_rows, sorted_rows.py_func):
        assert run(key, rows, 6).tolist() == expected
