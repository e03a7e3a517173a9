"""What a file of reads says about itself, and files that are no reads at all."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mrdtrack.counting import other_formats
from mrdtrack.counting.bam_header import (
    MAX_TEXT,
    LengthConflict,
    ReadGroup,
    reference_lengths,
)
from mrdtrack.counting.other_formats import CHILD, Encoded, decode
from mrdtrack.counting.reads_file import length_conflicts, open_reads
from mrdtrack.errors import AlignmentsError
from mrdtrack.panel.reference import Reference
from tests.counting_door.made_reads import (
    EOF,
    bam_bytes,
    block,
    random_reads,
    record,
    split_records,
    write_bam,
)

TEXT = (
    "@HD\tVN:1.6\tSO:coordinate\n"
    "@SQ\tSN:c\tLN:1000\tM5:ABCDEF\n"
    "@RG\tID:one\tSM:P1\tLB:lib\n"
    "@RG\tID:two\tSM:P1\n"
    "@PG\tID:bwa\tPN:bwa\tVN:0.7\tCL:/opt/bin/bwa mem -R x=/a/b/c.fa /home/me/r.fq\n"
    "@PG\tID:other\n"
    "@CO\tanything\n"
)


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def refused(path: Path, reference: Path | None = None) -> str:
    with pytest.raises(AlignmentsError) as caught:
        list(open_reads(path, reference).chunks(None))
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_header_in_full(tmp_path: Path) -> None:
    data = bam_bytes([record()], text=TEXT.encode() + b"\0\0")
    reads = open_reads(write(tmp_path / "a.bam", data), None)
    header = reads.header
    assert reads.is_aligned
    assert not reads.has_index
    assert header.contigs == ("c",)
    assert header.lengths == (1000,)
    assert header.md5s == ("abcdef",)
    assert header.sort_order == "coordinate"
    assert header.read_groups == (
        ReadGroup("one", "P1", "lib"),
        ReadGroup("two", "P1", ""),
    )
    assert header.programs == ("bwa 0.7 bwa mem -R x=c.fa r.fq", "other")
    assert header.text == TEXT
    assert reads.findings == ()


def test_a_header_without_text(tmp_path: Path) -> None:
    reads = open_reads(write(tmp_path / "a.bam", bam_bytes([record()])), None)
    assert reads.header.md5s == (None,)
    assert reads.header.sort_order == ""
    assert reads.header.read_groups == ()


def test_repeated_read_groups(tmp_path: Path) -> None:
    repeated = TEXT + "@RG\tID:two\tSM:P1\n"
    path = write(tmp_path / "a.bam", bam_bytes([], text=repeated.encode()))
    reads = open_reads(path, None)
    assert [finding.code for finding in reads.findings] == ["READ_GROUP_REPEATED"]
    assert len(reads.header.read_groups) == 2
    contradicting = TEXT + "@RG\tID:two\tSM:P2\n"
    write(path, bam_bytes([], text=contradicting.encode()))
    assert "'P1' and 'P2'" in refused(path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (bam_bytes([], contigs=[(b"c\0", 5), (b"c\0", 6)]), "'c' is listed twice"),
        (bam_bytes([], contigs=[(b"c\0", -5)]), "length of a contig is given as -5"),
        (bam_bytes([], text=TEXT.replace("1000", "999").encode()), "disagree on 'c'"),
        (bam_bytes([], text=b"@SQ\tSN:d\tLN:1000\n"), "disagree on 'd'"),
        (block(b"BAM\x01" + struct.pack("<i", -1)) + EOF, "given as -1"),
        (block(b"BAM\x01" + struct.pack("<i", MAX_TEXT + 1)) + EOF, "given as"),
        (block(b"BAM\x01" + struct.pack("<i", MAX_TEXT)) + EOF, "inside its header"),
        (block(b"BAM\x01" + struct.pack("<ii", 0, 1 << 25)) + EOF, "number of contigs"),
        (block(b"BAM\x01" + struct.pack("<iii", 0, 1, 1 << 20)) + EOF, "name is given"),
        (block(b"") + block(b"BAM\x01") + EOF, "no data behind"),
        (block(b"BAM\x01")[:-1] + EOF, "first compressed block|block at byte"),
    ],
)
def test_headers_that_are_wrong(tmp_path: Path, data: bytes, words: str) -> None:
    path = write(tmp_path / "a.bam", data)
    with pytest.raises(AlignmentsError, match=words):
        open_reads(path, None)


def test_a_stream_that_is_no_bam(tmp_path: Path) -> None:
    sent = block(b"not a bam") + EOF
    script = f"import sys; sys.stdout.buffer.write({sent!r})"
    path = write(tmp_path / "a.sam", TEXT.encode())
    original = other_formats.CHILD
    other_formats.CHILD = script
    try:
        assert "does not start as BAM does" in refused(path)
        other_formats.CHILD = f"{script[:-1]}[:20])"
        assert "truncated" in refused(path)
    finally:
        other_formats.CHILD = original


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b">seq\nACGT\n", "it is FASTA"),
        (b"hello\n", "in no format of reads"),
        (b"BAM\x01raw", "in no format of reads"),
        (b"\x1f\x8b\x08\x00not gzip", "first compressed block is damaged|no data"),
        (EOF, "no data behind its compression"),
        (b"CRAM\x07\x00" + b"x" * 60, "CRAM version 7.0"),
        (b"CRAM", "CRAM version 0.0"),
        (b"CRAM\x03\x00" + b"x" * 60, "no CRAM EOF container"),
    ],
)
def test_files_that_are_no_reads(tmp_path: Path, data: bytes, words: str) -> None:
    path = write(tmp_path / "a.bam", data)
    with pytest.raises(AlignmentsError, match=words):
        open_reads(path, None)


def test_things_that_are_no_files(tmp_path: Path) -> None:
    assert "it is a folder" in refused(tmp_path)
    assert "there is no such file" in refused(tmp_path / "missing.bam")
    os.mkfifo(tmp_path / "pipe.bam")
    assert "no regular file" in refused(tmp_path / "pipe.bam")
    assert "cannot be opened" in refused(tmp_path / ("x" * 300))


def reference(tmp_path: Path, contigs: dict[str, int]) -> Path:
    path = tmp_path / "ref.fa"
    path.write_text(">x\nACGT\n")
    lines = [f"{name}\t{length}\t7\t60\t61" for name, length in contigs.items()]
    Path(f"{path}.fai").write_text("\n".join(lines))
    return path


def test_reads_of_another_assembly(tmp_path: Path) -> None:
    path = write_bam(tmp_path / "a.bam", random_reads(1, 20))
    same = {"chrA": 300_000, "chrB": 90_000, "chrEmpty": 5_000, "more": 4}
    reads = open_reads(path, reference(tmp_path, same))
    lengths = reference_lengths(tmp_path / "ref.fa")
    assert lengths == same
    assert length_conflicts(reads.header, lengths) == ()
    one = open_reads(path, reference(tmp_path, same | {"chrEmpty": 4_000}))
    lengths = reference_lengths(tmp_path / "ref.fa")
    assert lengths is not None
    assert length_conflicts(one.header, lengths) == (
        LengthConflict("chrEmpty", 5_000, 4_000),
    )
    two = reference(tmp_path, {"chrA": 299_999, "chrB": 90_001, "chrEmpty": 5_000})
    assert "'chrA' has 300000 bases in the reads and 299999 in" in refused(path, two)
    extract = reference(tmp_path, {"chrA": 140_000, "chrB": 900})
    assert open_reads(path, extract).has_index
    assert "'chrA' against 'A'" in refused(path, reference(tmp_path, {"A": 300_000}))
    Path(f"{tmp_path}/ref.fa.fai").unlink()
    assert reference_lengths(tmp_path / "ref.fa") is None
    assert open_reads(path, tmp_path / "ref.fa").has_index


def test_fastq_of_all_kinds(tmp_path: Path) -> None:
    path = write(tmp_path / "a.fq", b"@r1 more\nACGTN\n+\nIIII#\n@r2\n\n+\n\n")
    reads = open_reads(path, None)
    assert reads.format == "fastq"
    assert not reads.is_aligned
    assert not reads.has_index
    (chunk,) = reads.chunks(None, 4)
    first, second = split_records(chunk.tobytes())
    assert first[36:39] == b"r1\0"
    assert struct.unpack_from("<i", first, 20) == (5,)
    assert struct.unpack_from("<i", second, 20) == (0,)


@pytest.mark.parametrize(
    "text",
    [b"@r1\nACGT\n+\nII\n", b"@r1\nACGT\n", b"@r1\nACGT\n+\nIIII\nr2\nAC\n+\nII\n"],
)
def test_fastq_that_is_wrong(tmp_path: Path, text: bytes) -> None:
    refused(write(tmp_path / "a.fq", text))


def test_sam_without_header_and_sam_in_gzip(tmp_path: Path) -> None:
    line = "r\t4\t*\t0\t0\t*\t*\t0\t0\tACGT\tIIII\n"
    plain = write(tmp_path / "a.sam", line.encode())
    assert open_reads(plain, None).format == "sam"
    assert sum(map(len, open_reads(plain, None).chunks(None))) > 0
    packed = write(tmp_path / "b.sam.gz", block((TEXT + line).encode()) + EOF)
    reads = open_reads(packed, None)
    assert reads.format == "sam"
    assert reads.header.contigs == ("c",)


def test_cram_and_its_reference(shared_cases: Path, tmp_path: Path) -> None:
    case = shared_cases / "s01_ctdna_lymphoma_series"
    cram = case / "T1.cram"
    sentence = refused(cram)
    assert "needs the reference" in sentence
    assert "--reference" in sentence
    other = tmp_path / "other.fa"
    other.write_text(">chr14\n" + "ACGT" * 30 + "\n")
    with pytest.raises(AlignmentsError, match=r"120 in the reference other\.fa"):
        open_reads(cram, other)
    assert not Path(f"{other}.fai").exists()
    with Reference(case / "ref.fa.gz") as fasta:
        bases = fasta.fetch("chr14", 0, fasta.length("chr14"))
    start, end = 106_327_300, 106_328_200
    changed = bases[start:end].translate(str.maketrans("ACGT", "CATG"))
    other.write_text(f">chr14\n{bases[:start]}{changed}{bases[end:]}\n")
    with pytest.raises(AlignmentsError, match="the reference is not the one"):
        list(open_reads(cram, other).chunks(None))


def test_a_decoder_that_crashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    monkeypatch.setattr(other_formats, "CHILD", crash)
    sentence = refused(write(tmp_path / "a.sam", TEXT.encode()))
    assert f"crashed, signal {signal.SIGSEGV.value}" in sentence


def test_a_decoder_that_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(other_formats, "CHILD", "raise SystemExit(3)")
    sentence = refused(write(tmp_path / "a.sam", TEXT.encode()))
    assert "no reason given" in sentence


def test_the_sentence_names_the_line(tmp_path: Path) -> None:
    text = TEXT + "r\t4\t*\t0\t0\t*\t*\t0\tmuch\tACGT\tIIII\n"
    sentence = refused(write(tmp_path / "a.sam", text.encode()))
    assert "line 8" in sentence
    assert "\\n" not in sentence


def test_a_pass_that_is_given_up_leaves_no_process(tmp_path: Path) -> None:
    path = write_bam(tmp_path / "a.sam", random_reads(1, 30_000), index="")
    with decode(Encoded(path, None, is_cram=False)) as source:
        assert source.read(10)
        process = source._process
        assert process.poll() is None
    assert process.returncode == -signal.SIGKILL


def test_the_decoder_dies_with_its_parent(tmp_path: Path) -> None:
    slow = CHILD.replace(
        "import pysam\n", "import time\ntime.sleep(60)\nimport pysam\n"
    )
    script = (
        "import os, subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {slow!r}],"
        " stdin=subprocess.PIPE)\n"
        "print(child.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False
    )
    child = int(done.stdout)
    for _ in range(100):
        status = Path(f"/proc/{child}/stat")
        if not status.exists() or status.read_text().split()[2] == "Z":
            return
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the decoder outlived its parent")


def test_no_network_and_no_reference_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REF_PATH", "http://example.org/%s")
    monkeypatch.setenv("HTTPS_PROXY", "http://example.org")
    tell = "import os, sys; sys.exit('stderr=' + repr(sorted(os.environ.items())))"
    monkeypatch.setattr(other_formats, "CHILD", tell)
    with (
        decode(Encoded(tmp_path / "a.sam", None, is_cram=False)) as source,
        pytest.raises(AlignmentsError) as caught,
    ):
        source.read(1)
    assert "example.org" not in str(caught.value)
    assert "127.0.0.1:9" in str(caught.value)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("[E::aux_parse] bad tag.\nmore", "bad tag"),
        ("[E::x] bad\n[W::sam_read1_sam] Parse error at line 7", "bad, line 7"),
        ("error 1: stdout=None, stderr=samtools view: cannot\\nmore'", "cannot"),
        ("error 1: stdout=None, stderr=[main_samview] cannot. \\n'", "cannot"),
        ("", "no reason given"),
    ],
)
def test_what_htslib_says_in_one_sentence(words: str, complaint: str) -> None:
    assert other_formats._first_complaint(words) == complaint
