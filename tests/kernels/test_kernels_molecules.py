"""Fragments and families, against plain rules."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.kernels.arrays import FITS_NEITHER, JUNCTION, SUBSTITUTION, Observations
from mrdtrack.kernels.families import merge_families
from mrdtrack.kernels.molecules import Molecules, merge_fragments
from tests import naive
from tests.naive import Row

KINDS = ["alt", "ref", "ambiguous", "other"]
LIMIT = 10.0
EVENTS = [SUBSTITUTION, JUNCTION]

rows_of = st.lists(
    st.builds(
        Row,
        marker=st.integers(0, 1),
        name=st.integers(0, 4),
        evidence=st.sampled_from([-30.0, -10.0, -3.0, 0.0, 4.0, 10.0, 50.0]),
        neither=st.booleans(),
    ),
    max_size=16,
)


def merged(rows: list[Row], *, plain: bool = False) -> Molecules:
    n = len(rows)
    observations = Observations(
        np.array([row.marker for row in rows], np.int64),
        np.array([row.name for row in rows], np.int64),
        np.zeros(n, np.int64),
        np.arange(n, dtype=np.int64),
        np.array([row.evidence for row in rows], np.float64),
        np.array([FITS_NEITHER * row.neither for row in rows], np.int64),
    )
    order = np.lexsort((observations.name, observations.marker)).astype(np.int64)
    run = merge_fragments.py_func if plain else merge_fragments
    limits = np.full(2, LIMIT)
    return run(observations, order, limits, np.array(EVENTS, np.int64))


def place(row: Row) -> tuple[int, int]:
    return row.marker, row.name


@given(rows_of)
def test_fragments_have_the_class_of_the_plain_rules(rows: list[Row]) -> None:
    expected = [
        (marker, naive.merge_fragment(list(group), LIMIT, EVENTS[marker] == 0))
        for (marker, _), group in groupby(sorted(rows, key=place), key=place)
    ]
    for plain in (False, True):
        found = merged(rows, plain=plain)
        kinds = [KINDS[kind] for kind in found.kind]
        assert list(zip(found.marker.tolist(), kinds, strict=True)) == expected
        assert int(found.size.sum()) == len(rows)


@given(rows_of)
def test_order_of_records_changes_no_class(rows: list[Row]) -> None:
    assert merged(rows).kind.tolist() == merged(rows[::-1]).kind.tolist()


@given(rows_of)
def test_evidence_of_the_other_sign_swaps_alt_and_ref(rows: list[Row]) -> None:
    turned = [row._replace(evidence=-row.evidence) for row in rows]
    swapped = [[1, 0, 2, 3][kind] for kind in merged(rows).kind]
    assert merged(turned).kind.tolist() == swapped


def families_of(
    members: list[tuple[int, int]], least: int, *, plain: bool = False
) -> Molecules:
    """Merge fragments given as (family, kind), in the order of families."""
    n = len(members)
    zeros = np.zeros(n, np.int64)
    fragments = Molecules(
        zeros,
        zeros,
        zeros,
        zeros,
        np.full(n, 99.0),
        np.array([kind for _, kind in members], np.int64),
        zeros,
        zeros,
        zeros,
    )
    numbers = np.array([number for number, _ in members], np.int64)
    run = merge_families.py_func if plain else merge_families
    return run(fragments, np.arange(n, dtype=np.int64), numbers, least)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=20),
    st.integers(1, 3),
)
def test_families_vote(members: list[tuple[int, int]], least: int) -> None:
    members = sorted(members)
    families = [
        [KINDS[kind] for _, kind in group]
        for _, group in groupby(members, key=lambda member: member[0])
    ]
    kept = [family for family in families if len(family) >= least]
    for plain in (False, True):
        found = families_of(members, least, plain=plain)
        assert [KINDS[kind] for kind in found.kind] == [naive.vote(f) for f in kept]
        assert found.size.tolist() == [len(family) for family in kept]
        assert found.evidence.tolist() == [40.0 * len(family) for family in kept]
