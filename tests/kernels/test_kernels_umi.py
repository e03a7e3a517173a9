"""UMIs: packing and joining, against letters and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.kernels.families import number_families
from mrdtrack.kernels.umi import HASHED, LENGTH_SHIFT, base_code, pack_umi
from tests import naive

LETTERS = "ACGTacgtN-+_:/"


def pack(text: str, *, plain: bool = False) -> int:
    data = np.frombuffer(bytearray(text.encode()), np.uint8)
    if plain:
        return int(pack_umi.py_func(data, 0, len(data)))
    return int(pack_umi(data, 0, len(data)))


@given(st.text(LETTERS, min_size=1, max_size=32))
def test_packed_umi_holds_its_bases(text: str) -> None:
    bases = naive.umi_bases(text)
    word = pack(text)
    assert word == pack(text, plain=True)
    if bases is None:
        assert word >> LENGTH_SHIFT == HASHED
    else:
        expected = 0
        for base in bases:
            expected = 4 * expected + "ACGT".index(base)
        assert word == len(bases) << LENGTH_SHIFT | expected


@pytest.mark.parametrize("other", ["ACGTN", "NACGT", "ACGNT"])
def test_hashed_umis_differ(other: str) -> None:
    assert pack("ACNGT") != pack(other)


def test_base_codes_of_all_letters() -> None:
    for letter in range(256):
        upper = chr(letter).upper()
        expected = "ACGT".index(upper) if upper in set("ACGT") else 4
        assert base_code(letter) == expected


@given(
    st.dictionaries(
        st.one_of(
            st.text("ACG", min_size=2, max_size=3),
            st.text("ACG", min_size=2, max_size=3).map(lambda t: t + "TTTT"),
            st.text("ACG", min_size=2, max_size=3).map(lambda t: t + 9 * "T"),
            st.text("AT", min_size=28, max_size=28),
        ),
        st.integers(1, 9),
        max_size=14,
    ),
    st.booleans(),
)
def test_clusters_are_those_of_brute_force(counts: dict[str, int], plain: bool) -> None:
    fragments = [text for text in sorted(counts) for _ in range(counts[text])]
    root = naive.directional_roots({t: counts[t] for t in sorted(counts, key=pack)})
    expected = {
        frozenset(i for i, text in enumerate(fragments) if root[text] == leader)
        for leader in set(root.values())
    }
    assert families_of(fragments, plain=plain) == expected


def families_of(fragments: list[str], *, plain: bool = False) -> set[frozenset[int]]:
    """Part the fragments of one place into families."""
    n = len(fragments)
    umi = np.array([pack(text) if text else 0 for text in fragments], np.int64)
    run = number_families.py_func if plain else number_families
    order = np.arange(n, dtype=np.int32)[::-1].copy()
    numbers = run(order, np.array([0, n], np.int32), umi).number
    return {frozenset(np.flatnonzero(numbers == x).tolist()) for x in set(numbers)}


def test_hashed_umis_are_not_joined() -> None:
    hashed = ["N" + "ACGT" * 2] * 9 + ["N" + "ACGT" * 2 + "A"]
    ones = [*hashed, "ACGT" * 3, "", "ACGT" * 2 + "ACGA", ""]
    assert {len(family) for family in families_of(ones)} == {9, 1, 2}
    assert len(families_of(ones)) == 5


def test_places_keep_their_families_apart() -> None:
    umi = np.full(5, pack("ACGT"), np.int64)
    order = np.array([4, 0, 3, 1, 2], np.int32)
    families = number_families(order, np.array([0, 2, 3, 5], np.int32), umi)
    numbers = families.number.tolist()
    assert numbers[4] == numbers[0] < numbers[3] < numbers[1] == numbers[2]
    assert families.distinct.tolist() == [1, 1, 1]
    assert families.taken.tolist() == [0.0, 0.0, 0.0]


def test_the_share_of_all_umis_that_a_place_has() -> None:
    texts = ["ACG", "ACG", "TTT", "N", "N", "ACNT", "GGGG", "CCCC", ""]
    umi = np.array([pack(text) if text else 0 for text in texts], np.int64)
    order = np.arange(9, dtype=np.int32)
    families = number_families(order, np.array([0, 3, 6, 9], np.int32), umi)
    assert families.distinct.tolist() == [2, 2, 2]
    assert families.taken.tolist() == [2 / 64, 0.0, 2 / 256]


def test_umis_of_other_lengths_take_no_more_than_all() -> None:
    umi = np.array([pack(text) for text in ["A", *"CGT", "AC", "GT"]], np.int64)
    order = np.arange(6, dtype=np.int32)
    families = number_families(order, np.array([0, 6], np.int32), umi)
    assert families.distinct.tolist() == [6]
    assert families.taken.tolist() == [1.0]
