"""The reference FASTA: what it gives, what it refuses, and what it leaves alone."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pysam
import pytest

from mrdtrack.errors import ReferenceMismatch
from mrdtrack.panel.reference import Reference, absent_contig
from tests.counting.builders import GENOME, write_reference


def test_bases_are_those_of_the_file_in_upper_case(tmp_path: Path) -> None:
    path = write_reference(tmp_path / "r.fa", {"c": "acgtACGT", "d": "GG"})
    with Reference(path) as reference:
        assert reference.lengths == {"c": 8, "d": 2}
        assert reference.fetch("c", 2, 6) == "GTAC"
        assert reference.fetch("c", -5, 3) == "ACG"
        assert reference.fetch("c", 6, 90) == "GT"
        assert reference.fetch("c", 5, 5) == ""
        assert reference.fetch("c", 50, 60) == ""
        assert reference.md5("c") == hashlib.md5(b"ACGTACGT").hexdigest()  # noqa: S324 - the SAM specification's checksum


def test_no_index_is_left_beside_the_file(tmp_path: Path) -> None:
    path = write_reference(tmp_path / "r.fa")
    with Reference(path) as reference:
        assert reference.fetch("chr2", 0, 1000) == GENOME["chr2"]
        scratch = reference._scratch
        assert scratch is not None
        assert Path(scratch.name).is_dir()
    assert [p.name for p in tmp_path.iterdir()] == ["r.fa"]
    assert not Path(scratch.name).exists()


def test_an_index_beside_the_file_is_used(tmp_path: Path) -> None:
    path = write_reference(tmp_path / "r.fa")
    pysam.faidx(str(path))
    with Reference(path) as reference:
        assert reference._scratch is None
        assert reference.fetch("chr1", 10, 80) == GENOME["chr1"][10:80]


@pytest.mark.parametrize("indexed", [False, True])
def test_a_bgzip_compressed_reference_is_read(tmp_path: Path, indexed: bool) -> None:
    path = tmp_path / "r.fa.gz"
    pysam.tabix_compress(str(write_reference(tmp_path / "r.fa")), str(path))
    if indexed:
        pysam.faidx(str(path))
    before = sorted(p.name for p in tmp_path.iterdir())
    with Reference(path) as reference:
        assert reference.fetch("chr1", 900, 1000) == GENOME["chr1"][900:1000]
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_what_is_no_reference_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReferenceMismatch, match="there is no such reference file"):
        Reference(tmp_path / "absent.fa")
    zipped = tmp_path / "r.fa.gz"
    plain = write_reference(tmp_path / "r.fa").read_bytes()
    zipped.write_bytes(gzip.compress(plain))
    with pytest.raises(ReferenceMismatch, match="`bgzip`, not `gzip`"):
        Reference(zipped)
    noise = tmp_path / "noise.fa"
    noise.write_bytes(b"nothing of the kind\n")
    with pytest.raises(ReferenceMismatch, match="cannot be read as FASTA"):
        Reference(noise)


def test_a_file_shorter_than_its_index_is_damaged(tmp_path: Path) -> None:
    path = write_reference(tmp_path / "r.fa")
    pysam.faidx(str(path))
    path.write_bytes(path.read_bytes()[:600])
    with (
        Reference(path) as reference,
        pytest.raises(ReferenceMismatch, match=r"contig chr1 cannot be read"),
    ):
        reference.fetch("chr1", 0, 1900)


def test_an_absent_contig_is_named_with_the_other_spelling(tmp_path: Path) -> None:
    path = write_reference(tmp_path / "r.fa", {"1": "ACGT", "chr2": "ACGT"})
    with Reference(path) as reference:
        with pytest.raises(ReferenceMismatch, match="it is called '1' there"):
            reference.length("chr1")
        with pytest.raises(ReferenceMismatch, match="it is called 'chr2' there"):
            reference.fetch("2", 0, 1)
        with pytest.raises(ReferenceMismatch, match="of one assembly"):
            reference.length("chr3")


def test_the_mitochondrion_has_three_names() -> None:
    problem, remedy = absent_contig("chrM", {"MT": 16_569}, "reads")
    assert problem == "contig 'chrM' is not in the reads"
    assert remedy.startswith("it is called 'MT' there")
    assert "'MT'" in absent_contig("M", {"MT": 16_569}, "reads")[1]
    assert "'M'" in absent_contig("chrM", {"M": 16_569}, "reads")[1]
