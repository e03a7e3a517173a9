"""Fragments and families, against plain rules."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.counting.told import told_by
from mrdtrack.kernels.arrays import FITS_NEITHER, JUNCTION, SUBSTITUTION, Observations
from mrdtrack.kernels.families import MergedFamilies, merge_families
from mrdtrack.kernels.fragments import count_filtered, merge_fragments
from mrdtrack.kernels.groups import number_names, sorted_rows
from mrdtrack.kernels.molecules import Molecules, majority
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
        umi=st.integers(0, 2),
        start=st.integers(0, 9),
    ),
    max_size=16,
)


def merged(rows: list[Row], *, plain: bool = False, whole: bool = True) -> Molecules:
    n = len(rows)
    observations = Observations(
        np.array([row.marker for row in rows], np.int64),
        np.array([row.name for row in rows], np.int64),
        np.array([row.umi for row in rows], np.int64),
        np.array([row.start for row in rows], np.int64),
        np.array([row.evidence for row in rows], np.float64),
        np.array([FITS_NEITHER * row.neither for row in rows], np.int64),
    )
    facts, claims = told_by(observations)
    number, n_names = number_names(facts.name)
    order = sorted_rows(number, np.arange(n, dtype=np.int32), n_names)
    run = merge_fragments.py_func if plain else merge_fragments
    limits = np.full(2, LIMIT)
    events = np.array(EVENTS, np.int64)
    return run(facts, claims, order, number, 0, limits, events, whole)


def by_appearance(rows: list[Row]) -> list[Row]:
    """Sort rows by marker, then by the first appearance of their name."""
    names = list(dict.fromkeys(row.name for row in rows))
    return sorted(rows, key=lambda row: (row.marker, names.index(row.name)))


def place(row: Row) -> tuple[int, int]:
    return row.marker, row.name


@given(rows_of)
def test_fragments_have_the_class_of_the_plain_rules(rows: list[Row]) -> None:
    expected = [
        (marker, naive.merge_fragment(list(group), LIMIT, EVENTS[marker] == 0))
        for (marker, _), group in groupby(by_appearance(rows), key=place)
    ]
    for plain in (False, True):
        found = merged(rows, plain=plain)
        kinds = [KINDS[kind] for kind in found.kind]
        assert list(zip(found.marker.tolist(), kinds, strict=True)) == expected


@given(rows_of)
def test_fragments_keep_the_first_umi_and_the_leftmost_start(rows: list[Row]) -> None:
    groups = [list(group) for _, group in groupby(by_appearance(rows), key=place)]
    for plain in (False, True):
        found = merged(rows, plain=plain)
        assert found.name.tolist() == [group[0].name for group in groups]
        assert found.start.tolist() == [min(r.start for r in group) for group in groups]
        assert found.umi.tolist() == [
            next((row.umi for row in group if row.umi), 0) for group in groups
        ]


@given(rows_of)
def test_what_no_later_merging_asks_for_is_left_out(rows: list[Row]) -> None:
    for plain in (False, True):
        whole, tallied = (
            merged(rows, plain=plain, whole=asked) for asked in (True, False)
        )
        for name in ("marker", "start", "kind", "crosses", "reverse"):
            assert np.array_equal(getattr(whole, name), getattr(tallied, name))
        for name in ("name", "umi", "evidence"):
            assert len(getattr(whole, name)) == len(whole.marker)
            assert len(getattr(tallied, name)) == 0


@given(rows_of)
def test_order_of_records_changes_no_class(rows: list[Row]) -> None:
    there, back = merged(rows), merged(rows[::-1])
    classes = [
        dict(zip(zip(m.marker, m.name, strict=True), m.kind, strict=True))
        for m in (there, back)
    ]
    assert classes[0] == classes[1]


@given(rows_of)
def test_evidence_of_the_other_sign_swaps_alt_and_ref(rows: list[Row]) -> None:
    turned = [row._replace(evidence=-row.evidence) for row in rows]
    swapped = [[1, 0, 2, 3][kind] for kind in merged(rows).kind]
    assert merged(turned).kind.tolist() == swapped


def families_of(
    members: list[tuple[int, int]], least: int, *, plain: bool = False
) -> MergedFamilies:
    """Merge fragments given as (family, kind), in the order of families."""
    n = len(members)
    zeros, bits = np.zeros(n, np.int64), np.zeros(n, np.uint8)
    fragments = Molecules(
        marker=np.zeros(n, np.int32),
        start=zeros,
        kind=np.array([kind for _, kind in members], np.uint8),
        crosses=bits,
        reverse=bits,
        name=zeros,
        umi=zeros,
        evidence=np.zeros(0),
    )
    numbers = np.array([number for number, _ in members], np.int32)
    run = merge_families.py_func if plain else merge_families
    return run(fragments, np.arange(n, dtype=np.int32), numbers, least)


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
        kinds = [KINDS[kind] for kind in found.molecules.kind]
        assert kinds == [naive.vote(f) for f in kept]
        assert found.size.tolist() == [len(family) for family in kept]


@given(st.lists(st.integers(0, 3), max_size=20))
def test_majority_is_what_more_than_half_are(values: list[int]) -> None:
    found = [value for value in range(4) if 2 * values.count(value) > len(values)]
    for run in (majority, majority.py_func):
        told = run(np.array(values, np.int64))
        assert not found or told == found[0]


def test_records_are_counted_by_the_first_filter_they_meet() -> None:
    bits = np.array([0, 1, 3, 6, 4], np.int64)
    zeros = np.zeros(5, np.int64)
    observations = Observations(
        np.array([0, 0, 0, 0, 1]), zeros, zeros, zeros, np.zeros(5), bits
    )
    for run in (count_filtered, count_filtered.py_func):
        counts = np.zeros((2, 4), np.int64)
        run(*told_by(observations), np.array([1, 2, 4]), counts)
        assert counts.tolist() == [[2, 1, 0, 1], [0, 0, 1, 0]]
