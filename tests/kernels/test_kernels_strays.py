"""Reads that hold a join and lie elsewhere: by kernels, by plain Python, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.counting.join_patterns import join_patterns
from mrdtrack.counting.sequence_index import build_sequence_index
from mrdtrack.counting.settings import CountingSettings, build_read_filter
from mrdtrack.counting.targets import build_targets
from mrdtrack.kernels.arrays import REVERSE, Observations, ReadScores
from mrdtrack.kernels.evidence import decode_read
from mrdtrack.kernels.sequences import scan_sequences
from mrdtrack.kernels.strays import STRAY_START, observe_strays, own_phred
from mrdtrack.panel.haplotypes import build_haplotypes
from mrdtrack.panel.model import Breakpoint, SmallVariant
from tests import naive
from tests.counting.builders import GENOME, Text, bases, breakpoint_of, turned
from tests.kernels.test_kernels_sequences import chunk_of
from tests.naive import Read

FILTER = build_read_filter(CountingSettings())
MATCH = float(FILTER.match_phred[30])
CONTIGS = {name: index for index, name in enumerate(GENOME)}
DELETED = SmallVariant(
    id="deletion",
    kind="small_variant",
    contig="chr1",
    position=800,
    ref=bases("chr1", 799, 1100),
    alt=bases("chr1", 799, 800),
)
JOINED = Breakpoint.model_validate(
    {"id": "fusion", **breakpoint_of(("chr1", 900, "+"), ("chr2", 401, "+"))}
)
HAPLOTYPES = [build_haplotypes(marker, Text(GENOME)) for marker in (DELETED, JOINED)]
TARGETS = build_targets(HAPLOTYPES, CONTIGS)
INDEX = build_sequence_index([], join_patterns(HAPLOTYPES))
DELETION = bases("chr1", 600, 800) + bases("chr1", 1100, 1300)
FUSION = bases("chr1", 700, 900) + turned(bases("chr2", 201, 401))


def observed(reads: list[Read]) -> list[tuple[float, ...]]:
    chunk = chunk_of(reads)
    said = []
    for scan, observe in (
        (scan_sequences, observe_strays),
        (scan_sequences.py_func, observe_strays.py_func),
    ):
        result, joins = scan(chunk, INDEX, FILTER)
        assert len(result.observations.marker) == 0
        said.append(observe(chunk, TARGETS, FILTER, joins))
    compiled, plain = ([*zip(*rows(one), strict=True)] for one in said)
    assert compiled == plain
    return compiled


def rows(said: Observations) -> list[list[float]]:
    return [column.tolist() for column in said]


@given(
    st.sampled_from([DELETION, FUSION, bases("chr1", 600, 1000)]),
    st.tuples(st.integers(30, 190), st.integers(60, 160)),
    st.lists(st.tuples(st.integers(0, 159), st.sampled_from("ACGTN")), max_size=4),
    st.booleans(),
    st.sampled_from([None, (("M", 0),), (("S", 30), ("M", -30))]),
)
def test_kernels_and_plain_python_agree(
    allele: str,
    part: tuple[int, int],
    changes: list[tuple[int, str]],
    reverse: bool,
    cigar: tuple[tuple[str, int], ...] | None,
) -> None:
    letters = allele[part[0] : sum(part)]
    for at, base in changes:
        place = at % len(letters)
        letters = letters[:place] + base + letters[place + 1 :]
    letters = naive.reverse_complement(letters) if reverse else letters
    read = Read(letters, (), -1, flag=4, contig=-1)
    if cigar is not None:
        spelt = tuple(
            (operation, n if n > 0 else len(letters) + n) for operation, n in cigar
        )
        read = Read(letters, spelt, 100, contig=1)
    for row in observed([read]):
        assert row[4] >= 36.0


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("allele", "marker"), [(DELETION, 0), (FUSION, 1)])
def test_a_read_is_placed_on_the_haplotype_of_its_marker(
    allele: str, marker: int, reverse: bool
) -> None:
    letters = allele[120:240]
    letters = turned(letters) if reverse else letters
    (row,) = observed([Read(letters, (), -1, flag=4, contig=-1)])
    assert (row[0], row[3]) == (marker, STRAY_START + 20)
    assert bool(int(row[5]) & REVERSE) == reverse
    stored = Read(turned(letters), (), -1, flag=4 | 16, contig=-1)
    (same,) = observed([stored])
    assert bool(int(same[5]) & REVERSE) == reverse


def test_reads_at_the_marker_are_left_to_the_others() -> None:
    letters = DELETION[120:240]
    for contig, position in ((0, 720), (0, 1110), (1, 300)):
        for flag, cigar in ((4, ()), (0, (("M", 80), ("S", 40)))):
            read = Read(letters, cigar, position, flag=flag, contig=contig)
            assert len(observed([read])) == (contig == 1)


def test_wild_types_and_short_ends_are_not_heard() -> None:
    for letters in (
        bases("chr1", 700, 850),
        bases("chr1", 1050, 1200),
        DELETION[60:202],
        DELETION[198:340],
        "ACGT" * 30,
    ):
        assert observed([Read(letters, (), -1, flag=4, contig=-1)]) == []


@given(
    st.lists(
        st.tuples(st.sampled_from("MIDSN=X"), st.integers(1, 30)),
        min_size=1,
        max_size=5,
    )
)
def test_the_score_of_an_alignment_is_that_of_its_parts(
    cigar: list[tuple[str, int]],
) -> None:
    used = sum(size for operation, size in cigar if operation in "MIS=X")
    read = Read("A" * max(used, 1), tuple(cigar), 10)
    chunk = chunk_of([read])
    n = len(read.bases)
    scores = ReadScores(np.zeros(2 * n, np.uint8), np.zeros(2 * n), np.zeros(2 * n), n)
    decode_read(chunk, 0, FILTER, scores)
    expected = sum(MATCH * size for operation, size in cigar if operation in "M=X")
    expected -= 20 * sum(size for operation, size in cigar if operation == "X")
    expected -= 20 * sum(operation in "IDS" for operation, _ in cigar)
    for run in (own_phred, own_phred.py_func):
        assert run(chunk, 0, scores) == pytest.approx(expected)
