"""UMIs: packing and joining, against letters and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.kernels.molecules import cluster_umis, find_word
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
            st.text("AT", min_size=28, max_size=28),
        ),
        st.integers(1, 9),
        max_size=14,
    ),
    st.booleans(),
)
def test_clusters_are_those_of_brute_force(counts: dict[str, int], plain: bool) -> None:
    by_word = {pack(text): text for text in counts}
    texts = [by_word[word] for word in sorted(by_word)]
    words = np.array(sorted(by_word), np.int64)
    numbers = np.array([counts[text] for text in texts], np.int64)
    root = np.zeros(len(texts), np.int64)
    run = cluster_umis.py_func if plain else cluster_umis
    run(words, numbers, 0, len(texts), root)
    expected = naive.directional_roots({text: counts[text] for text in texts})
    given_roots = {text: texts[at] for text, at in zip(texts, root, strict=True)}
    assert given_roots == expected


def test_hashed_umis_are_not_joined() -> None:
    words = np.array([HASHED << LENGTH_SHIFT, HASHED << LENGTH_SHIFT | 1], np.int64)
    root = np.zeros(2, np.int64)
    cluster_umis(words, np.array([9, 1], np.int64), 0, 2, root)
    assert root.tolist() == [0, 1]


@given(st.sets(st.integers(0, 40)), st.integers(0, 40))
def test_find_word(members: set[int], wanted: int) -> None:
    words = sorted(members)
    found = find_word(np.array(words, np.int64), 0, len(words), wanted)
    assert found == (words.index(wanted) if wanted in members else -1)
