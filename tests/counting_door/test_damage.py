"""Damage anywhere is one sentence, and never a shorter list of reads."""

from __future__ import annotations

import gzip
import os
import shutil
import struct
import tomllib
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from threading import active_count

import pytest

from mrdtrack.counting import bgzf
from mrdtrack.counting.reads_file import Region, open_reads
from mrdtrack.errors import AlignmentsError
from tests.counting_door.made_reads import (
    EOF,
    bam_bytes,
    block,
    inflate_all,
    random_reads,
    raw_records,
    record,
    split_records,
    write_bam,
)


def read_all(path: Path, regions: list[Region] | None = None) -> list[bytes]:
    reads = open_reads(path, None)
    records: list[bytes] = []
    for chunk in reads.chunks(regions, 2):
        records += split_records(chunk.tobytes())
    return records


def refused(path: Path, regions: list[Region] | None = None) -> str:
    with pytest.raises(AlignmentsError) as caught:
        read_all(path, regions)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert caught.value.remedy
    return sentence


def not_trusted(path: Path) -> str:
    """See that the index is left aside with a warning, and every read still comes."""
    reads = open_reads(path, None)
    assert not reads.has_index
    warnings = [f.message for f in reads.findings if f.code == "INDEX_UNUSABLE"]
    assert len(warnings) == 1
    assert read_all(path) == raw_records(path)
    return warnings[0]


@pytest.mark.parametrize("inflate", [bgzf.inflate_block, bgzf.inflate_with_zlib])
def test_both_inflaters_verify(
    tmp_path: Path, inflate: bgzf.Inflate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bgzf, "inflate_block", inflate)
    path = write_bam(tmp_path / "a.bam", random_reads(1, 2000), index="")
    whole = raw_records(path)
    assert read_all(path) == whole
    data = path.read_bytes()
    size = struct.unpack_from("<H", data, 16)[0] + 1
    for at in (size - 8, size - 5, size - 4, size - 3, 30, len(data) - 60):
        wrong = bytearray(data)
        wrong[at] ^= 0x10
        path.write_bytes(wrong)
        assert str(path) in refused(path)


def test_zlib_stands_in_for_libdeflate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bgzf, "find_spec", lambda _: None)
    assert bgzf._choose_inflate() is bgzf.inflate_with_zlib


@pytest.mark.parametrize("wanted", [3, 5])
def test_zlib_judges_length(wanted: int) -> None:
    with pytest.raises(ValueError, match="end where it should"):
        bgzf.inflate_with_zlib(memoryview(block(b"four")), wanted)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    path = write_bam(tmp_path / "a.bam", random_reads(2, 400), index="")
    data = path.read_bytes()
    for size in {*range(1, 60), *range(60, len(data), 997), len(data) - 1}:
        path.write_bytes(data[:size])
        assert refused(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data[:-28], "no BGZF EOF marker: the file is truncated"),
        (lambda data: data[:-28] + b"more" + EOF, "no BGZF block starts here"),
        (lambda data: data[:-28] + block(b"")[:20] + EOF, "truncated|too short|block"),
        (lambda data: data[:-28] + block(b"abc") + EOF, "ends inside record 41"),
    ],
)
def test_what_stands_before_the_end(
    tmp_path: Path, change: Callable[[bytes], bytes], words: str
) -> None:
    path = tmp_path / "a.bam"
    data = bam_bytes([record()] * 40)
    path.write_bytes(data)
    assert len(read_all(path)) == 40
    path.write_bytes(change(data))
    with pytest.raises(AlignmentsError, match=words):
        read_all(path)


def test_blocks_with_other_extra_fields(tmp_path: Path) -> None:
    path = tmp_path / "a.bam"
    data = bam_bytes([record()] * 3)
    plain = data[:-28]
    size = struct.pack("<H", len(plain) + 5)
    extra = b"XY\x02\0zz" + b"BC\x02\0" + size
    odd = plain[:10] + struct.pack("<H", len(extra)) + extra + plain[18:]
    path.write_bytes(odd + EOF)
    assert len(read_all(path)) == 3
    path.write_bytes(odd.replace(b"BC", b"CB") + EOF)
    assert "gzip, but not BGZF" in refused(path)


@pytest.mark.parametrize("inflate", [bgzf.inflate_block, bgzf.inflate_with_zlib])
def test_a_block_that_claims_to_be_empty(
    tmp_path: Path, inflate: bgzf.Inflate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bgzf, "inflate_block", inflate)
    path = tmp_path / "a.bam"
    good = bam_bytes([record()] * 3)[:-28]
    path.write_bytes(good + block(record()) + EOF)
    assert len(read_all(path)) == 4
    path.write_bytes(good + block(record())[:-4] + bytes(4) + EOF)
    assert f"block at byte {len(good)}" in refused(path)


def test_a_block_that_claims_too_much(tmp_path: Path) -> None:
    path = tmp_path / "a.bam"
    good = bam_bytes([record()] * 3)[:-28]
    path.write_bytes(good + block(b"")[:-4] + struct.pack("<I", 70_000) + EOF)
    assert "more than 64 kB" in refused(path)
    short = bytearray(block(b""))
    short[16:18] = struct.pack("<H", 20)
    path.write_bytes(good + short + EOF)
    assert "too short" in refused(path)


RECORDS = [
    (record(size=20), "has an impossible size"),
    (record(size=-1), "has an impossible size"),
    (record(size=1 << 27), "has an impossible size"),
    (record(b"", sequence=b"\x12\x48\0"), "has no proper name"),
    (record(b"name"), "has no proper name"),
    (record(n_bases=-1), "do not fit"),
    (record(n_bases=9), "do not fit"),
    (record(contig=1), "names a contig that the header does not have"),
    (record(contig=-2), "names a contig"),
    (record(position=1000), "starts outside its contig"),
    (record(position=-2), "starts outside its contig"),
    (record(mate=(1, 0)), "has a mate outside"),
    (record(mate=(-2, 0)), "has a mate outside"),
    (record(cigar=(4 << 4 | 9,)), "unknown CIGAR operation"),
    (record(cigar=(5 << 4,)), "does not fit its sequence"),
]


@pytest.mark.parametrize(("wrong", "words"), RECORDS)
def test_records_that_contradict_themselves(
    tmp_path: Path, wrong: bytes, words: str
) -> None:
    path = tmp_path / "a.bam"
    path.write_bytes(bam_bytes([record()] * 30 + [wrong, record()]))
    sentence = refused(path)
    assert words in sentence
    assert "record 31" in sentence


def test_records_that_are_odd_but_right(tmp_path: Path) -> None:
    odd = [
        record(sequence=b"", n_bases=0, qualities=b"", cigar=()),
        record(sequence=b"", n_bases=0, qualities=b"", cigar=(50 << 4,)),
        record(cigar=()),
        record(b"\0"),
        record(b"n" * 254 + b"\0"),
        record(qualities=b"\xff" * 4),
        record(position=999),
        record(mate=(0, -644_414)),
        record(contig=-1, position=-1, flag=4),
        record(tags=b"not a tag at all"),
        record(cigar=(4 << 4 | 4, 9 << 4 | 3)),
    ]
    path = tmp_path / "a.bam"
    path.write_bytes(bam_bytes(odd))
    assert read_all(path) == odd


def test_a_huge_record_over_many_blocks(tmp_path: Path) -> None:
    huge = record(tags=b"ZZZ" + b"y" * 9_000_000 + b"\0")
    path = tmp_path / "a.bam"
    path.write_bytes(bam_bytes([record(), huge, record()]))
    assert read_all(path) == [record(), huge, record()]


def test_a_file_that_grows_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "a.bam"
    path.write_bytes(bam_bytes([record()] * 3))
    chunks = open_reads(path, None).chunks(None)
    next(chunks)
    os.utime(path, (1, 1))
    with pytest.raises(AlignmentsError, match="changed while it was read"):
        list(chunks)


def test_a_file_that_vanishes(tmp_path: Path) -> None:
    path = tmp_path / "a.bam"
    path.write_bytes(bam_bytes([record()] * 3))
    reads = open_reads(path, None)
    path.unlink()
    with pytest.raises(AlignmentsError, match="cannot be read"):
        list(reads.chunks(None))


@pytest.fixture
def indexed(tmp_path: Path) -> Path:
    return write_bam(tmp_path / "a.bam", random_reads(4, 3000))


SOME = [Region(0, 20_100, 20_200), Region(1, 0, 90_000)]


def test_an_index_older_than_its_file(indexed: Path) -> None:
    os.utime(indexed.with_suffix(".bam.bai"), (1, 1))
    reads = open_reads(indexed, None)
    assert reads.has_index
    assert [finding.code for finding in reads.findings] == ["INDEX_OLDER"]


def test_an_index_of_another_file(indexed: Path, tmp_path: Path) -> None:
    other = write_bam(tmp_path / "b.bam", random_reads(5, 2900))
    shutil.copy(other.with_suffix(".bam.bai"), indexed.with_suffix(".bam.bai"))
    assert "belongs to another file" in not_trusted(indexed)


def test_an_index_from_before_the_file_grew(indexed: Path, tmp_path: Path) -> None:
    first = random_reads(4, 3000)[:2000]
    short = write_bam(tmp_path / "b.bam", first)
    shutil.copy(short.with_suffix(".bam.bai"), indexed.with_suffix(".bam.bai"))
    assert "belongs to another file" in not_trusted(indexed)


def test_an_index_of_an_empty_file(indexed: Path, tmp_path: Path) -> None:
    empty = write_bam(tmp_path / "b.bam", [])
    assert read_all(empty, SOME) == []
    shutil.copy(empty.with_suffix(".bam.bai"), indexed.with_suffix(".bam.bai"))
    assert "belongs to another file" in not_trusted(indexed)


def test_an_index_of_other_contigs(indexed: Path) -> None:
    index = indexed.with_suffix(".bam.bai")
    data = bytearray(index.read_bytes())
    data[4] += 1
    index.write_bytes(data)
    assert "belongs to another file" in not_trusted(indexed)


@pytest.mark.parametrize("kind", ["bai", "csi"])
def test_no_truncated_index_is_trusted(tmp_path: Path, kind: str) -> None:
    path = write_bam(tmp_path / "a.bam", random_reads(6, 800), index=kind)
    index = path.with_suffix(f".bam.{kind}")
    data = index.read_bytes() if kind == "bai" else inflate_all(index)
    for size in range(0, len(data) - 8, 41):
        cut = data[:size]
        whole = kind == "bai" or len(cut) < 8
        index.write_bytes(cut if whole else block(cut) + EOF)
        assert "the index" in not_trusted(path)


def changed_index(index: Path, at: int, value: bytes) -> None:
    data = bytearray(index.read_bytes())
    data[at : at + len(value)] = value
    index.write_bytes(data)


@pytest.mark.parametrize(
    ("at", "value", "words"),
    [
        (8, struct.pack("<i", -5), "truncated"),
        (12, struct.pack("<I", 50_000), "contradicts itself"),
        (16, struct.pack("<i", -1), "truncated"),
        (20, struct.pack("<q", -1), "contradicts itself"),
        (28, struct.pack("<q", 1 << 60), "another file"),
    ],
)
def test_an_index_that_lies(indexed: Path, at: int, value: bytes, words: str) -> None:
    changed_index(indexed.with_suffix(".bam.bai"), at, value)
    assert words in not_trusted(indexed)


def read_whole_instead(path: Path, regions: list[Region]) -> None:
    """See that an index that turns out wrong is left aside, and every read comes."""
    reads = open_reads(path, None)
    assert reads.has_index
    records: list[bytes] = []
    for chunk in reads.chunks(regions, 1):
        records += split_records(chunk.tobytes())
    assert records == raw_records(path)
    assert [finding.code for finding in reads.findings] == ["INDEX_UNUSABLE"]


@pytest.mark.parametrize("shift", [1, 5, 300])
def test_an_index_that_points_beside_records(indexed: Path, shift: int) -> None:
    index = indexed.with_suffix(".bam.bai")
    data = bytearray(index.read_bytes())
    (begin,) = struct.unpack_from("<q", data, 20)
    changed_index(index, 20, struct.pack("<q", begin + shift))
    regions = [Region(0, start, start + 16_000) for start in range(0, 300_000, 16_000)]
    read_whole_instead(indexed, regions)


def test_an_index_that_points_beside_blocks(indexed: Path) -> None:
    index = indexed.with_suffix(".bam.bai")
    data = bytearray(index.read_bytes())
    (begin,) = struct.unpack_from("<q", data, 20)
    changed_index(index, 20, struct.pack("<q", begin + (3 << 16)))
    regions = [Region(0, 0, 300_000)]
    (end,) = struct.unpack_from("<q", data, 28)
    if end < begin + (3 << 16):
        changed_index(index, 28, struct.pack("<q", end + (3 << 16)))
    read_whole_instead(indexed, regions)


def test_a_csi_of_impossible_shape(tmp_path: Path) -> None:
    path = write_bam(tmp_path / "a.bam", random_reads(7, 100), index="csi")
    index = path.with_suffix(".bam.csi")
    data = inflate_all(index)
    for shape, words in (
        ((40, 5, 0), "impossible way"),
        ((14, 60, 0), "impossible way"),
        ((14, 5, 1 << 20), "truncated"),
    ):
        index.write_bytes(
            block(data[:4] + struct.pack("<3i", *shape) + data[16:]) + EOF
        )
        assert words in not_trusted(path)
    index.write_bytes(b"neither one nor the other of them")
    assert "neither BAI nor CSI" in not_trusted(path)
    index.write_bytes(block(data))
    assert "damaged" in not_trusted(path)


def test_an_index_too_large_to_be_one(
    indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mrdtrack.counting.index_file.MAX_INDEX", 20)
    assert "too large" in not_trusted(indexed)


def test_an_inflated_index_too_large_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_bam(tmp_path / "a.bam", random_reads(7, 100), index="csi")
    monkeypatch.setattr(
        "mrdtrack.counting.index_file.MAX_INDEX",
        path.with_suffix(".bam.csi").stat().st_size + 1,
    )
    assert "too large" in not_trusted(path)


def test_reads_out_of_order_behind_an_index(tmp_path: Path) -> None:
    swapped = random_reads(8, 300)
    path = write_bam(tmp_path / "a.bam", swapped)
    index = path.with_suffix(".bam.bai").read_bytes()
    assert open_reads(path, None).has_index
    first, second = swapped[10], swapped[11]
    assert first.reference_start != second.reference_start
    swapped[10], swapped[11] = second, first
    write_bam(path, swapped, index="")
    path.with_suffix(".bam.bai").write_bytes(index)
    assert "out of order" in refused(path)


def test_a_damaged_block_on_the_index_path(indexed: Path) -> None:
    data = bytearray(indexed.read_bytes())
    data[len(data) // 3] ^= 1
    indexed.write_bytes(data)
    assert refused(indexed, [Region(0, 0, 300_000), Region(1, 0, 90_000)])


def outcome_of(path: Path, reference: Path | None) -> str:
    """Read everything; give the complaint, or nothing."""
    try:
        for chunk in open_reads(path, reference).chunks(None, 2):
            split_records(chunk.tobytes())
    except AlignmentsError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "folder", ["sam_invalid", "sam_valid_odd", "quickcheck", "derived_by_us"]
)
def test_the_malformed_cases(shared_cases: Path, folder: str, tmp_path: Path) -> None:
    case = shared_cases / "s19_malformed"
    groups = [
        group
        for group in tomllib.loads((case / "case.toml").read_text())["files"]
        if group.get("glob", "").startswith(f"{folder}/")
    ]
    assert groups
    for group in groups:
        reference = case / group["reference"] if "reference" in group else None
        for path in sorted((case / folder).iterdir()):
            if fnmatch(path.name, "*.[bc][ar]ai"):
                continue
            rule = group.get("rules", {}).get(path.name, group["rule"])
            sentence = outcome_of(path, reference)
            assert not sentence or path.name in sentence
            outcome = "reject" if sentence else "accept"
            if rule in {"reject", "warned", "accept"}:
                wanted = "reject" if rule == "warned" else rule
                assert outcome == wanted, path.name


def test_truncated_gzip_of_fastq(tmp_path: Path) -> None:
    path = tmp_path / "a.fastq.gz"
    text = b"".join(
        b"@r%d\n%s\n+\n%s\n" % (number, b"ACGT" * 25, os.urandom(50).hex().encode())
        for number in range(3000)
    )
    whole = gzip.compress(text)
    path.write_bytes(whole)
    assert len(read_all(path)) == 3000
    for size in (len(whole) // 2, len(whole) - 1, len(whole) - 9):
        path.write_bytes(whole[:size])
        assert refused(path)
    flipped = bytearray(whole)
    flipped[-6] ^= 4
    path.write_bytes(flipped)
    assert refused(path)


def test_a_pass_that_is_given_up_ends_its_threads(tmp_path: Path) -> None:
    path = write_bam(tmp_path / "a.bam", random_reads(2, 30_000), index="")
    before = active_count()
    chunks = open_reads(path, None).chunks(None, 4)
    next(chunks)
    del chunks
    assert active_count() == before


def test_an_inflater_that_gives_too_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.bam"
    path.write_bytes(bam_bytes([record()] * 3))
    monkeypatch.setattr(bgzf, "inflate_block", lambda *_: b"")
    assert "shorter than it says" in refused(path)


def test_an_index_that_cannot_be_read(
    indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_bytes = Path.read_bytes

    def fail(path: Path) -> bytes:
        if path.suffix == ".bai":
            raise OSError(5, "Input/output error")
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", fail)
    assert "cannot be read (Input/output error)" in not_trusted(indexed)


def test_a_damaged_block_behind_the_last_read(indexed: Path) -> None:
    data = bytearray(indexed.read_bytes())
    data[-28 - 20] ^= 1
    indexed.write_bytes(data)
    assert "checksum" in refused(indexed) or "wrong" in refused(indexed)
