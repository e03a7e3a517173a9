"""Places of UMIs, against a sort of pairs."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.kernels.umi import HASHED, LENGTH_SHIFT
from mrdtrack.kernels.umi_places import LONG_UMI, Places, list_places

FRAGMENT = st.tuples(
    st.integers(0, 3),
    st.sampled_from([0, 8, LONG_UMI - 1, LONG_UMI, HASHED]),
    st.one_of(st.integers(0, 9), st.integers(0, 250_000_000)),
)


def listed(fragments: list[tuple[int, int, int]], *, plain: bool) -> Places:
    marker = np.array([f[0] for f in fragments], np.int32)
    umi = np.array([f[1] << LENGTH_SHIFT for f in fragments], np.int64)
    start = np.array([f[2] for f in fragments], np.int64)
    return (list_places.py_func if plain else list_places)(marker, umi, start)


@given(st.lists(FRAGMENT, max_size=60), st.booleans())
def test_places_are_those_of_a_stable_sort(
    fragments: list[tuple[int, int, int]], plain: bool
) -> None:
    fragments = sorted(fragments, key=lambda f: f[0])
    pairs = [(m, 0 if n >= LONG_UMI else at) for m, n, at in fragments]
    order = sorted(range(len(pairs)), key=lambda i: pairs[i])
    begin = [
        k for k, i in enumerate(order) if k == 0 or pairs[i] != pairs[order[k - 1]]
    ]
    places = listed(fragments, plain=plain)
    assert places.order.tolist() == order
    assert places.begin.tolist() == [*begin, len(order)]
