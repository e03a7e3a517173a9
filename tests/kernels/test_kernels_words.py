"""Reads are left out by a few words only if they cannot hold a sequence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.counting.sequence_index import JoinPattern, build_sequence_index
from mrdtrack.counting.sequence_words import known_words
from mrdtrack.counting.settings import CountingSettings, build_read_filter
from mrdtrack.kernels.arrays import Bytes
from mrdtrack.kernels.bam_records import record_end, sequence_start
from mrdtrack.kernels.sequence_words import KnownWords, may_match
from mrdtrack.kernels.sequences import scan_sequences
from mrdtrack.panel.model import Sequence
from tests import naive
from tests.naive import Read

RNG = np.random.default_rng(7)
LETTERS = "ACMGRSVTWYHKDBN"


def random_bases(n: int) -> str:
    return "".join("ACGT"[code] for code in RNG.integers(0, 4, n))


def record_of(bases: str) -> Bytes:
    """Give the bytes of a record that ends with its qualities."""
    packed = naive.pack_record(Read(bases, (), -1, "r", 4, -1))
    return np.frombuffer(bytearray(packed), np.uint8)


def may_hold(bases: str, known: KnownWords) -> bool:
    record = record_of(bases)
    told = {run(record, 0, known) for run in (may_match, may_match.py_func)}
    assert len(told) == 1
    return told.pop()


def looked_at(n: int, known: KnownWords) -> list[int]:
    """Give where the words of a read of `n` bases start."""
    return list(range(0, n - known.size + 1, 2 * known.step))


@given(
    st.integers(10, 40).flatmap(
        lambda n: st.sets(
            st.text("ACGT", min_size=n, max_size=n), min_size=1, max_size=3
        )
    ),
    st.text(LETTERS, max_size=20),
    st.text(LETTERS, max_size=20),
)
def test_a_read_with_a_stretch_anywhere_is_never_left_out(
    stretches: set[str], before: str, after: str
) -> None:
    known = known_words(stretches)
    assert known.step > 0
    for stretch in stretches:
        assert may_hold(before + stretch + after, known)


@pytest.mark.parametrize("length", range(6, 25))
def test_all_letters_of_a_word_count_and_none_behind_it(length: int) -> None:
    stretch = random_bases(length)
    known = known_words({stretch})
    for place in range(2 * known.step):
        word = stretch[place : place + known.size]
        assert may_hold(word + "N" * 16, known)
        others = [
            word[:at] + unlike + word[at + 1 :]
            for at in range(len(word))
            for unlike in {*LETTERS} - {word[at]}
        ]
        assert sum(may_hold(other, known) for other in others) <= len(others) / 20


@pytest.mark.parametrize(
    ("length", "n", "step", "size"),
    [
        (6, 1, 2, 5),
        (12, 1, 6, 7),
        (12, 100, 4, 9),
        (12, 2000, 2, 11),
        (13, 3000, 2, 12),
        (14, 3000, 2, 13),
        (15, 3000, 4, 12),
        (17, 3000, 6, 12),
        (19, 3000, 6, 14),
        (20, 3000, 8, 13),
        (22, 3000, 8, 15),
        (23, 3000, 8, 16),
        (60, 20, 8, 16),
    ],
)
def test_step_and_word_fit_the_stretches(
    length: int, n: int, step: int, size: int
) -> None:
    known = known_words({random_bases(length) for _ in range(n)})
    assert (2 * known.step, known.size) == (step, size)
    assert size + step - 1 <= length


def test_where_any_read_would_have_a_known_word_none_is_left_out() -> None:
    few, many = ({random_bases(8) for _ in range(n)} for n in (40, 100))
    assert known_words(few).step == 1
    assert known_words(many).step == 0
    assert may_hold("N" * 20, known_words(many))
    assert not may_hold("N" * 20, known_words(few))
    assert known_words(set()).step == 0


def test_random_reads_are_left_out() -> None:
    known = known_words({random_bases(30) for _ in range(500)})
    reads = [random_bases(150) for _ in range(400)]
    assert sum(may_hold(read, known) for read in reads) < 40


@given(st.integers(0, 40), st.integers(0, 2), st.integers(6, 40))
def test_no_word_is_loaded_from_beyond_its_record(
    n: int, n_names: int, length: int
) -> None:
    known = known_words({random_bases(length)})
    record = record_of(random_bases(n))
    for start in looked_at(n, known):
        assert sequence_start(record, 0) + start // 2 + 8 <= record_end(record, 0)


def one(bases: str, edits: int = 1, join: int | None = None) -> Sequence:
    return Sequence(kind="sequence", id="s", sequence=bases, max_edits=edits, join=join)


@pytest.mark.parametrize(
    ("size", "edits", "join", "n", "stretch"),
    [
        (60, 0, None, 2, 60),
        (60, 1, None, 4, 30),
        (61, 1, None, 4, 30),
        (60, 2, None, 6, 20),
        (39, 2, None, 6, 13),
        (38, 2, None, 6, 12),
        (60, 0, 30, 4, 24),
        (60, 1, 30, 6, 12),
        (60, 2, 30, 12, 8),
        (60, 1, 11, 4, 12),
    ],
)
def test_a_match_has_one_piece_of_the_sequence_unchanged(
    size: int, edits: int, join: int | None, n: int, stretch: int
) -> None:
    bases = random_bases(size)
    known = build_sequence_index([one(bases, edits, join)]).known
    expected = known_words({random_bases(stretch) for _ in range(n)})
    assert (known.step, known.size) == (expected.step, expected.size)
    piece = size // (edits + 1)
    for strand in (bases, naive.reverse_complement(bases)):
        for number in range(edits + 1):
            start = number * piece
            assert may_hold(strand[start : start + stretch], known)


def test_a_join_of_a_located_marker_is_known_by_its_seeds() -> None:
    bases = random_bases(24)
    join = JoinPattern(0, bases, 12, frozenset({bases[3:15]}))
    for sequences in ([], [one(random_bases(60))]):
        known = build_sequence_index(sequences, [join]).known
        for at in {*range(1, 12)} - {3}:
            assert may_hold(bases[at : at + 12], known)


WHOLE = random_bases(140)
LEFT_OUT = build_sequence_index(
    [
        one(WHOLE[5:65]),
        one(WHOLE[30:85], 2, 30),
        Sequence(kind="sequence", id="v", sequence=WHOLE[60:130], stem=40),
    ],
    [JoinPattern(0, WHOLE[70:94], 12, frozenset({WHOLE[72:84], WHOLE[75:87]}))],
)
WALKED = LEFT_OUT._replace(known=known_words(set()))
changes_of = st.lists(
    st.tuples(st.integers(0, 139), st.sampled_from([*"ACGTN", "", "GG"])), max_size=8
)


@given(changes_of, st.integers(0, 80), st.integers(60, 140), st.booleans())
def test_the_scan_finds_as_much_as_when_no_read_is_left_out(
    changes: list[tuple[int, str]], low: int, high: int, turned: bool
) -> None:
    letters = [*WHOLE]
    for at, letter in changes:
        letters[at] = letter
    part = "".join(letters[low:high])
    read = naive.reverse_complement(part) if turned else part
    record = record_of(read)
    listen = build_read_filter(CountingSettings())
    assert LEFT_OUT.known.step > 0
    (scan, joins), (walked, walked_joins) = (
        scan_sequences(record, index, listen) for index in (LEFT_OUT, WALKED)
    )
    for found, expected in zip(
        [*scan.observations, *joins],
        [*walked.observations, *walked_joins],
        strict=True,
    ):
        assert found.tolist() == expected.tolist()
