"""Reads by region: what the obvious loop finds, no matter the index or the threads."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pysam
import pytest

from mrdtrack.counting.reads_file import ReadsFile, Region, open_reads
from mrdtrack.errors import AlignmentsError
from mrdtrack.kernels.bam_records import cigar_span, overlapping_end
from tests.counting_door.made_reads import (
    CONTIGS,
    made_header,
    random_reads,
    raw_records,
    split_records,
    write_bam,
)


def taken(
    reads: ReadsFile, regions: list[Region] | None, threads: int = 1
) -> list[bytes]:
    records: list[bytes] = []
    for chunk in reads.chunks(regions, threads):
        assert chunk.dtype == np.uint8
        assert chunk.flags.c_contiguous
        assert chunk.flags.writeable
        records += split_records(chunk.tobytes())
    return records


def names(records: list[bytes]) -> list[str]:
    return [
        record[36 : 35 + record[12]].decode() + f"/{record[18] + 256 * record[19]}"
        for record in records
    ]


def without_bins(records: list[bytes]) -> list[bytes]:
    """Leave out the bin: writers differ on it for reads without a place."""
    return [record[:14] + record[16:] for record in records]


def overlapping(path: Path, regions: list[Region]) -> set[str]:
    found = set()
    with pysam.AlignmentFile(str(path)) as file:
        for contig, start, end in regions:
            for read in file.fetch(CONTIGS[contig][0], start, end):
                found.add(f"{read.query_name}/{read.flag}")
    return found


def random_regions(seed: int) -> list[Region]:
    pick = random.Random(seed)  # noqa: S311 - test data, no secret
    regions = [Region(0, 0, 1), Region(0, 299_990, 300_000), Region(2, 0, 5_000)]
    for _ in range(pick.randrange(6)):
        contig = pick.randrange(2)
        start = pick.randrange(CONTIGS[contig][1])
        regions.append(Region(contig, start, start + pick.randrange(1, 900)))
    regions.append(Region(0, 20_150, 20_250))
    return regions


@pytest.mark.parametrize("index", ["bai", "csi"])
@pytest.mark.parametrize("seed", range(4))
def test_regions_find_what_a_plain_loop_finds(
    tmp_path: Path, index: str, seed: int
) -> None:
    path = write_bam(tmp_path / "a.bam", random_reads(seed, 6000), index=index)
    reads = open_reads(path, None)
    assert reads.has_index
    whole = raw_records(path)
    order = {record: number for number, record in enumerate(whole)}
    for trial in range(12):
        regions = random_regions(100 * seed + trial)
        records = taken(reads, regions)
        places = [order[record] for record in records]
        assert places == sorted(set(places))
        assert overlapping(path, regions) <= set(names(records))
        assert taken(reads, regions, threads=3) == records
        assert taken(reads, regions[::-1] + regions) == records


def test_an_index_path_reads_a_part_only(tmp_path: Path) -> None:
    path = write_bam(tmp_path / "a.bam", random_reads(9, 20_000))
    reads = open_reads(path, None)
    n_all = len(raw_records(path))
    assert 0 < len(taken(reads, [Region(1, 50_000, 50_100)])) < n_all / 5


def test_an_index_whose_last_chunk_ends_with_the_file(tmp_path: Path) -> None:
    placed = [read for read in random_reads(4, 3000) if read.reference_id >= 0]
    path = write_bam(tmp_path / "a.bam", placed)
    place = path.with_suffix(".bam.bai")
    index, size = place.read_bytes(), path.stat().st_size
    before = ((size - 28) << 16).to_bytes(8, "little")
    assert before in index
    regions = [Region(0, 20_150, 20_250), Region(0, 299_990, 300_000), Region(1, 0, 9)]
    expected = taken(open_reads(path, None), regions)
    place.write_bytes(index.replace(before, (size << 16).to_bytes(8, "little")))
    reads = open_reads(path, None)
    assert reads.has_index
    assert taken(reads, regions) == expected
    place.write_bytes(index.replace(before, (size + 1 << 16).to_bytes(8, "little")))
    assert not open_reads(path, None).has_index


def test_no_region_and_empty_regions(tmp_path: Path) -> None:
    path = write_bam(tmp_path / "a.bam", random_reads(1, 300))
    reads = open_reads(path, None)
    assert taken(reads, []) == []
    assert taken(reads, [Region(0, 500, 500), Region(0, -5, 0)]) == []


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_whole_file_comes_whole(tmp_path: Path, threads: int) -> None:
    path = write_bam(tmp_path / "a.bam", random_reads(2, 30_000))
    assert taken(open_reads(path, None), None, threads) == raw_records(path)


@pytest.mark.parametrize("order", ["unsorted", "queryname"])
def test_an_index_of_unsorted_reads_is_not_used(tmp_path: Path, order: str) -> None:
    path = write_bam(tmp_path / "a.bam", random_reads(3, 200), order=order)
    assert path.with_suffix(".bam.bai").exists()
    reads = open_reads(path, None)
    assert not reads.has_index
    assert len(taken(reads, None)) == 220
    with pytest.raises(AlignmentsError, match="no index"):
        taken(reads, [Region(0, 0, 100)])


def test_cram_and_sam_give_the_records_of_bam(tmp_path: Path) -> None:
    made = random_reads(5, 3000)
    bam = open_reads(write_bam(tmp_path / "a.bam", made), None)
    cram = open_reads(write_bam(tmp_path / "a.cram", made), None)
    sam = open_reads(write_bam(tmp_path / "a.sam", made, index=""), None)
    assert [reads.format for reads in (bam, cram, sam)] == ["bam", "cram", "sam"]
    assert (cram.has_index, sam.has_index) == (True, False)
    assert cram.header.contigs == sam.header.contigs == bam.header.contigs
    expected = names(taken(bam, None))
    assert names(taken(cram, None, threads=2)) == expected
    assert without_bins(taken(sam, None)) == without_bins(taken(bam, None))
    regions = random_regions(6)
    wanted = overlapping(bam.path, regions)
    found = names(taken(cram, regions))
    assert wanted <= set(found)
    assert [name for name in expected if name in set(found)] == found
    assert taken(cram, [Region(0, 5, 5)]) == []
    with pytest.raises(AlignmentsError, match="no index"):
        taken(sam, regions)


def test_a_real_cram_by_region(shared_cases: Path) -> None:
    case = shared_cases / "s01_ctdna_lymphoma_series"
    bam = open_reads(case / "T1.bam", None)
    cram = open_reads(case / "T1.cram", case / "ref.fa.gz")
    contig = "chr14"
    where = [(106_327_400, 106_327_480), (106_327_900, 106_327_950)]
    by_bam = taken(bam, [Region(bam.header.contigs.index(contig), *w) for w in where])
    by_cram = taken(
        cram, [Region(cram.header.contigs.index(contig), *w) for w in where]
    )
    with pysam.AlignmentFile(str(case / "T1.bam")) as file:
        wanted = {
            f"{read.query_name}/{read.flag}"
            for start, end in where
            for read in file.fetch(contig, start, end)
        }
    assert wanted
    assert wanted <= set(names(by_cram)) & set(names(by_bam))


def test_a_long_cigar_is_found_in_its_tag(tmp_path: Path) -> None:
    read = pysam.AlignedSegment(made_header())
    read.query_name, read.reference_id, read.reference_start = "long", 0, 1000
    read.flag = 0
    read.query_sequence = "ACGT" * 20_000
    read.cigartuples = [(0, 1), (1, 1)] * 40_000
    path = write_bam(tmp_path / "a.bam", [read])
    reads = open_reads(path, None)
    (only,) = taken(reads, [Region(0, 1500, 1501)])
    assert only == raw_records(path)[0]
    data = np.frombuffer(bytearray(only), dtype=np.uint8)
    for locate, reach in (
        (cigar_span, overlapping_end),
        (cigar_span.py_func, overlapping_end.py_func),
    ):
        start, n_operations = locate(data, 0)
        assert n_operations == 80_000
        assert only[start : start + 8] == b"\x10\0\0\0\x11\0\0\0"
        assert reach(data, 0) == 41_000


def test_contigs_beyond_the_reach_of_bai(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_bam(tmp_path / "a.bam", random_reads(8, 100))
    monkeypatch.setattr(
        "mrdtrack.counting.index_file.ReadsIndex.covers", lambda *_: False
    )
    reads = open_reads(path, None)
    assert not reads.has_index
    assert [finding.code for finding in reads.findings] == ["INDEX_TOO_SHORT"]
