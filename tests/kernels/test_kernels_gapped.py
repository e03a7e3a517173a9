"""Alignment with gaps against a twin that tries every gap."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mrdtrack.kernels.evidence import CLIP_PHRED, MAX_DIAGONALS
from mrdtrack.kernels.gapped import (
    GAP_EXTEND,
    GAP_LEAST,
    GAP_OPEN,
    WIDEST,
    align_band,
    align_haplotype,
    cluster_band,
    count_gaps,
    gap_price,
    is_broken,
)
from mrdtrack.kernels.gapped_evidence import gap_play, gaps_at, stretch_of
from tests import naive
from tests.kernels.test_kernels_evidence import (
    FAILS,
    FITS,
    decoded,
    ints,
    targets_of,
    whole,
)
from tests.kernels.test_kernels_sequences import chunk_of
from tests.naive import Read

FLANK = "ACGTTGCATCAGGATCCTAGCTTGACCAGT"


def pair_scores(read: str, haplotype: str) -> list[list[float]]:
    """Score every base of a read on every base of a haplotype."""
    return [
        [0.0 if "N" in (a, b) else FITS if a == b else FAILS for b in haplotype]
        for a in read
    ]


def price_of(place: Sequence[int], read: str, haplotype: str, opening: float) -> float:
    """Add up an alignment as it is written."""
    scores = pair_scores(read, haplotype)
    aligned = [(i, j) for i, j in enumerate(place) if j >= 0]
    total = sum(scores[i][j] for i, j in aligned)
    for (i, j), (k, m) in pairwise(aligned):
        size = max(k - i, m - j) - 1
        total -= opening + GAP_EXTEND * (size - 1) if size else 0.0
    first, last = aligned[0], aligned[-1]
    total -= CLIP_PHRED if first[0] and first[1] else 0.0
    inside = last[0] < len(read) - 1 and last[1] < len(haplotype) - 1
    return total - (CLIP_PHRED if inside else 0.0)


bases = st.text("ACGTN", min_size=1, max_size=10)


@settings(max_examples=60)
@given(bases, bases, st.sampled_from([3.0, 11.0, 45.0]), st.booleans())
def test_the_best_alignment_with_gaps(
    read: str, haplotype: str, opening: float, plain: bool
) -> None:
    scores, _ = decoded(whole(read))
    targets = targets_of(haplotype, [])
    place = np.zeros(len(read), np.int64)
    n, size = len(read), len(haplotype)
    run = align_band.py_func if plain else align_band
    got = run(scores, 0, n, targets, 0, -n, size, opening, place)
    expected = naive.gapped_score(
        pair_scores(read, haplotype), CLIP_PHRED, opening, GAP_EXTEND
    )
    assert got == pytest.approx(expected)
    if got > 0:
        told = price_of(place.tolist(), read, haplotype, opening)
        assert told == pytest.approx(expected)
    else:
        assert np.all(place == -1)


def test_a_deletion_is_placed_base_by_base() -> None:
    read = FLANK[:14] + FLANK[16:]
    scores, _ = decoded(whole(read))
    place = np.zeros(len(read), np.int64)
    targets = targets_of(FLANK, [])
    score = align_band(scores, 0, len(read), targets, 0, -3, 5, 45.0, place)
    assert score == pytest.approx(28 * FITS - 55.0)
    assert place.tolist() == [*range(14), *range(16, 30)]
    stretch = np.zeros(4, np.int64)
    stretch_of(scores, 0, len(read), place, stretch)
    assert stretch.tolist() == [0, 30, 0, 28]
    where = (scores, 0, targets, 0, place, stretch)
    assert gaps_at(*where, 13, 15, 45.0) == 55.0
    assert gaps_at(*where, 18, 20, 45.0) == 0.0


def test_an_insertion_leaves_its_bases_without_a_place() -> None:
    read = FLANK[:15] + "TT" + FLANK[15:]
    scores, _ = decoded(whole(read))
    place = np.zeros(len(read), np.int64)
    targets = targets_of(FLANK, [])
    score = align_band(scores, 0, len(read), targets, 0, -5, 3, 45.0, place)
    assert score == pytest.approx(30 * FITS - 55.0)
    assert int(np.sum(place == -1)) == 2


def test_a_record_is_aligned_around_its_own_diagonals() -> None:
    read = FLANK[2:14] + FLANK[15:28]
    record = Read(read, (("M", 12), ("D", 1), ("M", 13)), position=102)
    data = chunk_of([record])
    scores, _ = decoded(record)
    targets = targets_of(FLANK, [(0, 100, 130, 0, False)])
    places = np.zeros((2, len(read)), np.int64)
    room = np.zeros(2 * MAX_DIAGONALS, np.int64)
    assert count_gaps(data, 0) == 1
    score, strand = align_haplotype(data, 0, targets, 0, scores, 45.0, room, places)
    assert score == pytest.approx(25 * FITS - 45.0)
    assert strand == 0
    assert places[0].tolist() == [*range(2, 14), *range(15, 28)]


@pytest.mark.parametrize(
    ("cigar", "broken"),
    [
        ((("M", 30),), False),
        ((("S", 9), ("M", 21)), False),
        ((("M", 20), ("S", 10)), True),
        ((("M", 20), ("D", 1), ("M", 10)), True),
        ((("M", 20), ("I", 1), ("M", 9)), True),
        ((("M", 20), ("N", 100), ("M", 10)), False),
    ],
)
def test_a_gap_or_a_long_clip_breaks_an_alignment(
    cigar: tuple[tuple[str, int], ...], broken: bool
) -> None:
    data = chunk_of([Read(FLANK[:30], cigar)])
    assert is_broken(data, 0) == broken
    assert is_broken.py_func(data, 0) == broken


def test_gaps_are_cheaper_in_a_read_that_has_many() -> None:
    assert gap_price(0, 150) == gap_price(2, 30) == GAP_OPEN
    assert gap_price(4, 400) == pytest.approx(20.0)
    assert gap_price(90, 100) == GAP_LEAST
    assert gap_price(3, 1_000_000) == GAP_OPEN


def test_near_diagonals_share_a_band_that_is_not_too_wide() -> None:
    shifts = [*range(0, 2 * WIDEST, 10), 1000]
    diagonals = ints([value for shift in shifts for value in (shift, 0)])
    diagonals[-1] = 1
    done = np.zeros(len(shifts), np.uint8)
    low, high = cluster_band(diagonals, len(shifts), 0, done)
    assert (low, high) == (-10, WIDEST + 10)
    assert done.sum() == WIDEST // 10 + 1


@given(
    letters=st.text(alphabet="AC", min_size=2, max_size=12),
    ends=st.tuples(st.integers(0, 11), st.integers(1, 12)),
)
@settings(max_examples=60)
def test_a_gap_may_be_moved_where_the_rest_stays_the_same(
    letters: str, ends: tuple[int, int]
) -> None:
    low = min(ends[0], len(letters) - 1)
    high = min(max(ends[1], low + 1), len(letters))
    size = high - low
    rest = letters[:low] + letters[high:]
    same = {
        at
        for at in range(len(letters) - size + 1)
        if letters[:at] + letters[at + size :] == rest
    }
    codes = np.array(["ACGT".index(base) for base in letters], np.uint8)
    play = gap_play(codes, low, high, 0, len(letters))
    moved = set(range(low - play.begin, low + play.end + 1))
    assert low in moved
    assert moved <= same
    assert low - play.begin - 1 not in same
    assert low + play.end + 1 not in same


def test_a_gap_in_a_repeat_is_at_a_mark_beside_the_repeat() -> None:
    haplotype = FLANK[:12] + "G" * 6 + "CATGTTACCAGTTGAC"
    read = FLANK[:12] + "G" * 5 + "CATGTTACCAGTTGAC"
    scores, _ = decoded(whole(read))
    place, stretch = np.zeros(len(read), np.int64), np.zeros(4, np.int64)
    targets = targets_of(haplotype, [])
    align_band(scores, 0, len(read), targets, 0, -3, 5, 45.0, place)
    stretch_of(scores, 0, len(read), place, stretch)
    where = (scores, 0, targets, 0, place, stretch)
    assert gaps_at(*where, 18, 19, 45.0) == 45.0
    assert gaps_at(*where, 12, 13, 45.0) == 45.0
    assert gaps_at(*where, 19, 20, 45.0) == 0.0
