"""Adapters and dark cycles at the ends of reads become unknown, genomic ends do not."""

from __future__ import annotations

import pytest

from mrdtrack.kernels.evidence import known_bases
from mrdtrack.kernels.tails import silence_tail
from tests import naive
from tests.kernels.test_kernels_evidence import decoded
from tests.kernels.test_kernels_sequences import chunk_of
from tests.naive import Read

INSERT = "ACGTTGCATCAGGATCCTAGCTTGACCAGT"
TRUSEQ = "AGATCGGAAGAGCACACGTC"


def silenced(read: Read, *, plain: bool) -> tuple[int, str]:
    """Give the number of bases made unknown, and the read as it is heard then."""
    scores, _ = decoded(read)
    n = len(read.bases)
    run = silence_tail.py_func if plain else silence_tail
    number = run(chunk_of([read]), 0, n, scores)
    letters = ["ACGTN"[code] for code in scores.codes[: 2 * scores.stride]]
    heard = "".join(letters[:n])
    turned = "".join(letters[scores.stride : scores.stride + n])
    assert turned == naive.reverse_complement(heard)
    assert known_bases(scores, 0, n) == sum(base != "N" for base in heard)
    return number, heard


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize(
    ("tail", "number"),
    [
        (TRUSEQ, 20),
        (TRUSEQ[:7], 7),
        (TRUSEQ[:5], 0),
        ("AGATCGCAAGAGCACACG", 18),
        ("AGTTCGCATGAGCACACG", 0),
        ("CTGTCTCTTATACACATC", 18),
        ("G" * 12, 12),
        ("GGGGGGTGGGGG", 12),
        ("G" * 9, 0),
        ("GGGTGGGTGGTG", 0),
        ("TTGACCATTGCATCCA", 0),
    ],
)
def test_the_tail_of_a_read(tail: str, number: int, plain: bool) -> None:
    letters = INSERT + tail
    forward = Read(letters, (("M", len(INSERT)), ("S", len(tail))))
    heard = letters[: len(letters) - number] + "N" * number
    assert silenced(forward, plain=plain) == (number, heard)
    backward = Read(
        naive.reverse_complement(letters),
        (("S", len(tail)), ("M", len(INSERT))),
        flag=16,
    )
    turned = naive.reverse_complement(heard)
    assert silenced(backward, plain=plain) == (number, turned)


def test_an_adapter_that_fits_the_reference_for_some_bases() -> None:
    letters = INSERT + TRUSEQ
    read = Read(letters, (("M", len(INSERT) + 3), ("S", len(TRUSEQ) - 3)))
    assert silenced(read, plain=False) == (20, INSERT + "N" * 20)


@pytest.mark.parametrize(
    "cigar",
    [
        (("M", 50),),
        (("S", 20), ("M", 30)),
        (("M", 46), ("S", 4)),
    ],
)
def test_bases_that_were_aligned_or_read_first_are_kept(
    cigar: tuple[tuple[str, int], ...],
) -> None:
    read = Read(INSERT + TRUSEQ, cigar)
    assert silenced(read, plain=False) == (0, read.bases)
