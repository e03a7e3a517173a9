"""An index that lies and looks whole: every read of a region comes all the same."""

from __future__ import annotations

import random
from pathlib import Path

import pysam
import pytest

from fuzzing.bam_parts import compress, compress_by_records, inflate, join_bam
from fuzzing.bam_parts import split_bam as parts_of
from fuzzing.changes import seeded
from fuzzing.index_parts import Index, change_index, join_index, record_offsets
from fuzzing.index_parts import split_index as index_of
from mrdtrack.counting.index_proof import END, RecordPlaces, Unproven
from mrdtrack.counting.reads_file import Region, open_reads
from mrdtrack.errors import AlignmentsError
from tests.counting_door.made_reads import (
    bam_bytes,
    raw_records,
    record,
    split_records,
    write_bam,
)
from tests.counting_door.test_regions import names, overlapping, random_regions


def reads_like_short_ones(seed: int, n_reads: int) -> list[pysam.AlignedSegment]:
    """Sorted reads of 100 bases, thick around 20,000 and thin elsewhere."""
    from tests.counting_door.made_reads import made_header

    pick = random.Random(seed)  # noqa: S311 - test data, no secret
    header = made_header()
    reads = []
    for number in range(n_reads):
        read = pysam.AlignedSegment(header)
        read.query_name, read.flag = f"r{number}", pick.choice((0, 16))
        read.reference_id = pick.randrange(2)
        thick = pick.random() < 0.4
        low, high = (19_000, 20_400) if thick else (0, 88_000)
        read.reference_start = pick.randrange(low, high)
        read.mapping_quality, read.cigarstring = 60, "100M"
        read.query_sequence = "".join(pick.choices("ACGT", k=100))
        reads.append(read)
    reads.sort(key=lambda read: (read.reference_id, read.reference_start))
    return reads


@pytest.mark.parametrize("blocks", ["aligned", "odd", "large"])
@pytest.mark.parametrize("kind", ["bai", "csi"])
def test_no_lie_of_an_index_loses_a_read(
    tmp_path: Path, kind: str, blocks: str
) -> None:
    path = write_bam(tmp_path / "a.bam", reads_like_short_ones(1, 900), index="")
    parts = parts_of(path.read_bytes())
    path.write_bytes(
        compress_by_records(parts, 7)
        if blocks == "aligned"
        else join_bam(parts, 1000 if blocks == "odd" else 60_000)
    )
    pysam.index(*(("-c",) if kind == "csi" else ()), str(path))
    index = path.with_suffix(f".bam.{kind}")
    right = index.read_bytes() if kind == "bai" else inflate(index.read_bytes())
    offsets = record_offsets(path.read_bytes())
    wanted = []
    for trial in range(10):
        regions = random_regions(trial)
        wanted.append((regions, overlapping(path, regions)))
    left_aside = 0
    for trial in range(60):
        regions, expected = wanted[trial % 10]
        lie: Index = index_of(right)
        change_index(lie, offsets, seeded(trial))
        data = join_index(lie)
        index.write_bytes(data if kind == "bai" else compress(data))
        reads = open_reads(path, None)
        records: list[bytes] = []
        for chunk in reads.chunks(regions if reads.has_index else None):
            records += split_records(chunk.tobytes())
        assert expected <= set(names(records))
        left_aside += any(f.code == "INDEX_UNUSABLE" for f in reads.findings)
    assert 0 < left_aside < 60


def test_a_block_of_a_wrong_size_is_no_end_of_the_file(tmp_path: Path) -> None:
    """A block that claims to reach beyond the file hides no read without a word."""
    path = write_bam(tmp_path / "a.bam", reads_like_short_ones(3, 300), index="")
    path.write_bytes(compress_by_records(parts_of(path.read_bytes()), 7))
    pysam.index(str(path))
    right = path.read_bytes()
    starts = sorted({offset >> 16 for offset in record_offsets(right)})
    wanted = [
        [Region(contig, at, at + 2500)]
        for contig in (0, 1)
        for at in range(0, 88_000, 4000)
    ]
    expected = [overlapping(path, regions) for regions in wanted]
    refused = 0
    for start in starts:
        path.write_bytes(right[: start + 16] + b"\xff\xff" + right[start + 18 :])
        for regions, names_there in zip(wanted, expected, strict=True):
            try:
                chunks = list(open_reads(path, None).chunks(regions))
            except AlignmentsError:
                refused += 1
                continue
            found = [one for chunk in chunks for one in split_records(chunk.tobytes())]
            assert names_there <= set(names(found))
    assert 0 < refused < len(starts) * len(wanted)


def test_places_of_records(tmp_path: Path) -> None:
    records = [record(position=at) for at in range(10, 40)]
    unplaced = record(contig=-1, position=-1, flag=4)
    path = tmp_path / "a.bam"
    for size in (60_000, 100, 70):
        path.write_bytes(bam_bytes([*records, unplaced], block_size=size))
        offsets = record_offsets(path.read_bytes())
        with RecordPlaces(path) as places:
            assert places.first == offsets[0]
            found = [places.place(offset) for offset in offsets]
            assert found == [*((0, at) for at in range(10, 40)), END]
            with pytest.raises(Unproven):
                places.place(offsets[3] + 5)
            with pytest.raises(Unproven):
                places.place(5 << 16)
            with pytest.raises(Unproven):
                places.place(1 << 40)


def test_records_before_a_record(tmp_path: Path) -> None:
    path = tmp_path / "a.bam"
    records = [record(position=at) for at in range(10, 40)]
    parts = parts_of(bam_bytes(records))
    path.write_bytes(compress_by_records(parts, 5))
    offsets = record_offsets(path.read_bytes())
    with RecordPlaces(path) as places:
        inside = places.before(offsets[8])
        assert inside == [(offset, places.place(offset)) for offset in offsets[5:8]]
        across = places.before(offsets[10])
        assert across == [(offset, places.place(offset)) for offset in offsets[5:10]]
    path.write_bytes(join_bam(parts, 101))
    offsets = record_offsets(path.read_bytes())
    with RecordPlaces(path) as places:
        assert places.before(offsets[8]) == []


def test_a_file_without_records(tmp_path: Path) -> None:
    path = write_bam(tmp_path / "a.bam", [])
    with RecordPlaces(path) as places:
        assert places.place(places.first) == END
        assert places.before(0) == []
    assert list(open_reads(path, None).chunks([Region(0, 5, 50)])) == []


def test_reads_of_a_region_before_all_others(tmp_path: Path) -> None:
    path = write_bam(tmp_path / "a.bam", reads_like_short_ones(2, 300))
    reads = open_reads(path, None)
    chunks = list(reads.chunks([Region(0, 0, 30)]))
    found = [one for chunk in chunks for one in split_records(chunk.tobytes())]
    assert overlapping(path, [Region(0, 0, 30)]) <= set(names(found))
    assert len(found) < 0.6 * len(raw_records(path))
    assert reads.findings == ()
