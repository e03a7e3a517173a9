"""Two FASTQ files of one sample: read as pairs, each fragment one molecule."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import pytest

from mrdtrack.counting.count import count_reads
from mrdtrack.counting.fastq_pairs import SampleReads, pair_files
from mrdtrack.counting.settings import CountingSettings
from mrdtrack.errors import AlignmentsError
from tests.counting.builders import make_panel, turned

CLONE = "TGTGCGAGAGACCCTTATTATCATGATAGTAACTATGACCTCCACCACTGG"
OTHER = "TGTGCGAAAGATCGGGGTTGTAGTAGTACCAGCTGCTATACTTTTGACTACTGG"


def write(path: Path, reads: Sequence[tuple[str, str]]) -> Path:
    text = "".join(f"@{name}\n{s}\n+\n{'I' * len(s)}\n" for name, s in reads)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("s_R1.fastq.gz", "s_R2.fastq.gz"),
        ("s_1.fq", "s_2.fq"),
        ("s_S1_L001_R1_001.fastq", "s_S1_L001_R2_001.fastq"),
    ],
)
def test_files_that_differ_by_one_and_two_are_a_pair(
    tmp_path: Path, first: str, second: str
) -> None:
    one = write(tmp_path / first, [("a/1 x", CLONE)])
    two = write(tmp_path / second, [("a/2 x", OTHER)])
    assert pair_files([one, two]) == [SampleReads(one, two)]
    assert pair_files([two, one]) == [SampleReads(one, two)]


def test_other_files_stay_single(tmp_path: Path) -> None:
    one = write(tmp_path / "s_R1.fastq", [("a", CLONE)])
    two = write(tmp_path / "s_R2.fastq", [("b", CLONE)])
    empty = write(tmp_path / "t_R1.fastq", [])
    none = write(tmp_path / "t_R2.fastq", [])
    damaged = tmp_path / "u_R1.fastq.gz"
    damaged.write_bytes(b"\x1f\x8bno")
    twin = tmp_path / "u_R2.fastq.gz"
    twin.write_bytes(b"\x1f\x8bno")
    files = [one, two, empty, none, damaged, twin, tmp_path / "x.bam"]
    assert pair_files(files) == [SampleReads(path) for path in files]


def test_a_fragment_is_one_molecule_whichever_mate_holds_the_clone(
    tmp_path: Path,
) -> None:
    pairs = [
        ("both", CLONE, turned(CLONE)),
        ("first", CLONE, OTHER[:40]),
        ("second", OTHER[:40], turned(CLONE)),
        ("none", OTHER, OTHER),
    ]
    one = write(tmp_path / "s_R1.fastq", [(n, a) for n, a, _ in pairs])
    two = write(tmp_path / "s_R2.fastq", [(n, b) for n, _, b in pairs])
    panel = make_panel({"kind": "sequence", "sequence": CLONE})
    counts = count_reads(SampleReads(one, two), panel, None, CountingSettings())
    (row,) = counts.markers
    assert (counts.sample, row.alt, row.denominator) == ("s", 3, 4)


def test_mates_out_of_step_are_refused(tmp_path: Path) -> None:
    one = write(tmp_path / "s_R1.fastq", [("a", CLONE), ("b", CLONE)])
    two = write(tmp_path / "s_R2.fastq", [("a", CLONE)])
    panel = make_panel({"kind": "sequence", "sequence": CLONE})
    with pytest.raises(AlignmentsError, match=r"s_R1\.fastq"):
        count_reads(SampleReads(one, two), panel, None, CountingSettings())
