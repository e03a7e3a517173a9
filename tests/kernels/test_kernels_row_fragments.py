"""Fragments of rows, against a dictionary."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.kernels.row_fragments import UNHEARD, row_fragments

ROW = st.tuples(
    st.integers(0, 2),
    st.integers(UNHEARD, 4),
    st.integers(0, 3),
    st.integers(0, 300),
)


@given(st.lists(ROW, max_size=40), st.booleans())
def test_fragments_of_rows(rows: list[tuple[int, int, int, int]], plain: bool) -> None:
    heard = [i for i, row in enumerate(rows) if row[1] != UNHEARD]
    order = sorted(heard, key=lambda i: rows[i][:2])
    expected: dict[tuple[int, int], tuple[int, int]] = {}
    for i in order:
        place, name, umi, start = rows[i]
        before = expected.get((place, name), (umi, start))
        expected[place, name] = max(before[0], umi), min(before[1], start)
    run = row_fragments.py_func if plain else row_fragments
    n = len(rows)
    made = run(
        np.array([row[0] for row in rows], np.int32),
        np.array([row[1] for row in rows], np.int32),
        np.arange(n, dtype=np.int32)[::-1].copy(),
        np.array([row[2] for row in rows[::-1]], np.int64),
        np.array([row[3] for row in rows[::-1]], np.int64),
        np.array(order, np.int32),
    )
    keys = list(expected)
    assert made.place.tolist() == [place for place, _ in keys]
    assert list(zip(made.umi, made.start, strict=True)) == list(expected.values())
    numbers = [keys.index(row[:2]) if row[1] != UNHEARD else UNHEARD for row in rows]
    assert made.number.tolist() == numbers
