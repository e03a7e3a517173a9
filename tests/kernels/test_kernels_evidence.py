"""Diagonals, stretches and read places against walks and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.counting.settings import CountingSettings, build_read_filter
from mrdtrack.counting.targets import encode_bases
from mrdtrack.kernels.arrays import ReadScores, Targets
from mrdtrack.kernels.evidence import (
    CLIP_PHRED,
    MAX_DIAGONALS,
    add_diagonal,
    decode_read,
    find_diagonals,
    score_diagonal,
    score_everywhere,
)
from mrdtrack.kernels.weights import read_position
from tests import naive
from tests.kernels.test_kernels_sequences import chunk_of
from tests.naive import Read

FILTER = build_read_filter(CountingSettings())
FITS, FAILS = float(FILTER.match_phred[30]), float(FILTER.mismatch_phred[30])
Anchor = tuple[int, int, int, int, bool]


def ints(values: list[int]) -> np.typing.NDArray[np.int64]:
    return np.array(values, np.int64)


def targets_of(haplotype: str, anchors: list[Anchor]) -> Targets:
    """Lay out one marker with one haplotype and no marks."""
    none = ints([])
    return Targets(
        event=ints([5]),
        threshold=np.array([60.0]),
        cap=np.array([1e6]),
        anchor=ints([8]),
        novel=np.zeros(1, np.uint8),
        hap_start=ints([0, 1]),
        base_start=ints([0, len(haplotype)]),
        own_low=ints([0]),
        own_high=ints([0]),
        bases=encode_bases(haplotype),
        anchor_start=ints([0, len(anchors)]),
        anchor_contig=ints([a[0] for a in anchors]),
        anchor_low=ints([a[1] for a in anchors]),
        anchor_high=ints([a[2] for a in anchors]),
        anchor_offset=ints([a[3] for a in anchors]),
        anchor_reverse=np.array([a[4] for a in anchors], np.uint8),
        mark_start=ints([0, 0]),
        mark_side=np.zeros(0, np.uint8),
        mark_low=none,
        mark_high=none,
        change_start=ints([0, 0]),
        change_position=none,
        change_alt=np.zeros(0, np.uint8),
        change_ref=np.zeros(0, np.uint8),
        window_contig=none,
        window_low=none,
        window_high=none,
        window_reach=none,
        window_marker=none,
    )


def decoded(read: Read, *, plain: bool = False) -> tuple[ReadScores, bool]:
    size = 2 * len(read.bases)
    scores = ReadScores(
        np.zeros(size, np.uint8), np.zeros(size), np.zeros(size), len(read.bases)
    )
    run = decode_read.py_func if plain else decode_read
    return scores, run(chunk_of([read]), 0, FILTER, scores)


def whole(bases: str, quality: int = 30) -> Read:
    return Read(bases, (("M", len(bases)),), quality=quality)


@given(st.text("ACGTN", min_size=1, max_size=20))
def test_decoded_read_and_its_other_strand(bases: str) -> None:
    for plain in (False, True):
        scores, unknown = decoded(whole(bases), plain=plain)
        both = [
            "".join("ACGTN"[code] for code in row)
            for row in scores.codes.reshape(2, -1)
        ]
        assert both == [bases, naive.reverse_complement(bases)]
        assert not unknown


def test_read_without_qualities_scores_as_one_of_20() -> None:
    scores, unknown = decoded(whole("ACG", 255))
    assert unknown
    assert (scores.match == FILTER.match_phred[20]).all()


@given(
    st.text("ACN", min_size=1, max_size=14),
    st.text("ACN", min_size=1, max_size=14),
    st.integers(-15, 15),
    st.integers(0, 1),
)
def test_best_stretch_is_that_of_brute_force(
    read: str, haplotype: str, shift: int, strand: int
) -> None:
    scores, _ = decoded(whole(read))
    turned = naive.reverse_complement(read) if strand else read
    expected = naive.best_stretch(
        turned, haplotype, shift, fits=FITS, fails=FAILS, clip=CLIP_PHRED
    )
    targets = targets_of(haplotype, [])
    for run in (score_diagonal, score_diagonal.py_func):
        score, begin, end = run(scores, strand, len(read), targets, 0, shift)
        assert score == pytest.approx(expected.score)
        if score == 0.0:
            continue
        low = max(0, -shift)
        high = min(len(read), len(haplotype) - shift)
        assert "N" not in turned[begin : begin + 1] + turned[end - 1 : end]
        while begin > low and turned[begin - 1] == "N":
            begin -= 1
        while end < high and turned[end] == "N":
            end += 1
        claimed = naive.stretch_score(
            turned, haplotype, shift, (begin, end), fits=FITS, fails=FAILS
        )
        claimed -= CLIP_PHRED * ((begin > low) + (end < high))
        assert claimed == pytest.approx(score)


@st.composite
def aligned_read(draw: st.DrawFn) -> Read:
    cigar = tuple(
        draw(
            st.lists(
                st.tuples(st.sampled_from("MIDNS=X"), st.integers(1, 6)),
                min_size=1,
                max_size=5,
            )
        )
    )
    length = sum(size for letter, size in cigar if letter in "MIS=X")
    return Read("A" * length, cigar, draw(st.integers(0, 20)))


@given(
    aligned_read(),
    st.lists(
        st.builds(
            lambda contig, low, size, offset, reverse: (
                contig,
                low,
                low + size,
                offset,
                reverse,
            ),
            st.integers(0, 1),
            st.integers(0, 40),
            st.integers(1, 12),
            st.integers(0, 9),
            st.booleans(),
        ),
        max_size=3,
    ),
)
def test_diagonals_are_those_of_a_walk(read: Read, anchors: list[Anchor]) -> None:
    for run in (find_diagonals, find_diagonals.py_func):
        diagonals = np.zeros(2 * MAX_DIAGONALS, np.int64)
        count = run(chunk_of([read]), 0, targets_of("A", anchors), 0, diagonals)
        found = [
            (int(shift), int(strand))
            for shift, strand in diagonals.reshape(-1, 2)[:count]
        ]
        assert len(set(found)) == count
        assert set(found) == naive.diagonals(read, anchors)


def test_no_more_diagonals_than_there_is_room_for() -> None:
    diagonals = np.zeros(2 * MAX_DIAGONALS, np.int64)
    count = 0
    for shift in range(MAX_DIAGONALS + 1):
        count = add_diagonal(diagonals, count, shift, 1)
    assert count == MAX_DIAGONALS
    assert add_diagonal(diagonals, count, 5, 1) == count
    assert diagonals[::2].tolist() == list(range(MAX_DIAGONALS))


@given(st.text("ACN", min_size=1, max_size=8), st.text("ACN", min_size=1, max_size=8))
def test_reads_without_a_place_are_tried_everywhere(read: str, haplotype: str) -> None:
    expected = max(
        naive.best_stretch(
            turned, haplotype, shift, fits=FITS, fails=FAILS, clip=CLIP_PHRED
        ).score
        for turned in (read, naive.reverse_complement(read))
        for shift in range(-len(read), len(haplotype))
    )
    scores, _ = decoded(whole(read))
    for run in (score_everywhere, score_everywhere.py_func):
        best, placement = run(scores, len(read), targets_of(haplotype, []), 0)
        assert best == pytest.approx(expected)
        found, begin, end = score_diagonal(
            scores,
            placement.strand,
            len(read),
            targets_of(haplotype, []),
            0,
            placement.shift,
        )
        assert best == 0.0 or (found, begin, end) == (
            best,
            placement.begin,
            placement.end,
        )


@given(aligned_read(), st.integers(0, 60))
def test_read_place_is_that_of_a_walk(read: Read, reference: int) -> None:
    expected = naive.read_place(read, reference)
    for run in (read_position, read_position.py_func):
        assert run(chunk_of([read]), 0, reference) == expected
