"""UMI families: where their UMIs are many, few, or read with errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.counting.umi_families import (
    Crowding,
    crowded,
    crowding_of,
    umi_families,
)
from mrdtrack.kernels.arrays import Ints, Ints32
from mrdtrack.kernels.families import Families
from mrdtrack.kernels.umi import LENGTH_SHIFT, pack_umi
from tests.counting.builders import count, make_panel, snv, wild

TO_BASES = str.maketrans("0123", "ACGT")


def packed(umi: str) -> int:
    data = np.frombuffer(umi.encode(), np.uint8)
    return int(pack_umi(data, 0, len(data)))


def numbers_of(umis: Sequence[str], starts: Sequence[int] | None = None) -> Ints32:
    words = np.array([packed(umi) if umi else 0 for umi in umis], np.int64)
    places = np.array(starts or [0] * len(umis), np.int64)
    return umi_families(np.zeros(len(umis), np.int32), words, places).number


def test_fragments_without_umi_are_families_of_their_own() -> None:
    assert len(set(numbers_of(["", "", "ACGT", "ACGT"]).tolist())) == 3
    assert len(numbers_of([])) == 0


def test_umis_that_cannot_be_packed_are_compared_whole() -> None:
    ones = ["A" * 40, "A" * 40, "A" * 39 + "C", "molecule7", "molecule7"]
    assert len(set(numbers_of(ones).tolist())) == 3


def test_separators_of_dual_umis_do_not_matter() -> None:
    assert packed("ACGT-TTGA") == packed("ACGTTTGA") == packed("ACGT+TTGA/B")


@given(
    st.lists(
        st.tuples(st.text("AC", min_size=3, max_size=3), st.integers(0, 1)),
        min_size=1,
        max_size=40,
    )
)
def test_families_do_not_depend_on_the_order(
    fragments: list[tuple[str, int]],
) -> None:
    umis, starts = [f[0] for f in fragments], [f[1] for f in fragments]
    forwards = numbers_of(umis, starts)
    backwards = numbers_of(umis[::-1], starts[::-1])[::-1]

    def partition(numbers: Ints32) -> set[frozenset[int]]:
        return {
            frozenset(np.flatnonzero(numbers == n).tolist()) for n in numbers.tolist()
        }

    assert partition(forwards) == partition(backwards)
    for group in partition(forwards):
        assert len({starts[i] for i in group}) == 1
    for i, one in enumerate(fragments):
        for j, other in enumerate(fragments):
            if one == other:
                assert forwards[i] == forwards[j]


def families_of(words: Ints, n_bases: int) -> Families:
    """Part fragments of one place by UMIs that are given as numbers."""
    one, nowhere = np.zeros(len(words), np.int32), np.zeros(len(words), np.int64)
    return umi_families(one, words | n_bases << LENGTH_SHIFT, nowhere)


@pytest.mark.parametrize(
    ("n_bases", "molecules"), [(8, 60_000), (8, 5_000), (10, 50_000), (12, 60_000)]
)
def test_umis_of_many_molecules_are_not_joined_by_chance(
    n_bases: int, molecules: int
) -> None:
    rng = np.random.default_rng(7)
    words = rng.integers(0, 4**n_bases, molecules)
    families = families_of(words, n_bases)
    distinct = len(np.unique(words))
    assert len(np.unique(families.number)) == pytest.approx(distinct, rel=0.002)
    share = crowding_of(families).share
    assert share == pytest.approx(distinct / 4**n_bases)


@pytest.mark.parametrize(("n_bases", "molecules"), [(10, 300), (12, 3_000)])
@pytest.mark.parametrize("copies", [3, 20])
def test_copies_whose_umi_was_misread_are_joined(
    n_bases: int, molecules: int, copies: int
) -> None:
    rng = np.random.default_rng(8)
    true = rng.choice(4**n_bases, molecules, replace=False)
    words = np.repeat(true, copies)
    wrong = rng.random(len(words)) < 1e-3 * n_bases
    change = rng.integers(1, 4, len(words)) << 2 * rng.integers(0, n_bases, len(words))
    words = np.where(wrong, words ^ change, words)
    assert len(np.unique(words)) > 1.02 * molecules
    families = families_of(words, n_bases)
    assert len(np.unique(families.number)) == pytest.approx(molecules, rel=0.01)


def test_crowding_is_told_from_five_percent_on() -> None:
    half, none = Crowding(100.0, 10.0), Crowding(100.0, 0.0)
    assert half.and_of(none).share == pytest.approx(0.05)
    assert Crowding().share == 0.0
    assert crowded(Crowding(), Crowding(100.0, 4.9)) == ()
    (said,) = crowded(none, half.and_of(none))
    assert said.code == "umi_saturated"
    assert said.severity == "warning"


@pytest.mark.parametrize(("n_bases", "said"), [(3, True), (6, False)])
def test_reads_whose_umis_are_too_few_say_so(
    tmp_path: Path, n_bases: int, said: bool
) -> None:
    umis = [np.base_repr(64 + i, 4)[1:].translate(TO_BASES) for i in range(0, 64, 4)]
    reads = [
        wild(f"r{i}", 250, 350, tags={"RX": umi.ljust(n_bases, "G")})
        for i, umi in enumerate(umis)
    ]
    counts = count(tmp_path, reads, make_panel(snv(300)), molecules="umi")
    assert counts.markers[0].molecules == len(umis)
    codes = [finding.code for finding in counts.quality]
    assert ("umi_saturated" in codes) is said
