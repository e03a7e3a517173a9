"""What is read for a region: all of its reads, and not much else."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable
from pathlib import Path

import pysam
import pytest

from fuzzing.bam_parts import compress, compress_by_records, inflate, join_bam
from fuzzing.bam_parts import split_bam as parts_of
from fuzzing.index_parts import Index, join_index, record_offsets
from fuzzing.index_parts import split_index as index_of
from mrdtrack.counting import bgzf
from mrdtrack.counting.index_proof import REACH
from mrdtrack.counting.reads_file import Region, open_reads
from tests.counting_door.made_reads import CONTIGS, made_header, raw_records, write_bam
from tests.counting_door.test_regions import names, overlapping, taken

RECORDS_A_BLOCK = 10
WINDOW = 1 << 14


def short_read(
    name: str, contig: int, start: int, cigar: str = "100M"
) -> pysam.AlignedSegment:
    read = pysam.AlignedSegment(made_header())
    read.query_name, read.flag = name, 4 if cigar == "*" else 0
    read.reference_id, read.reference_start = contig, start
    read.mapping_quality, read.cigarstring = 60, None if cigar == "*" else cigar
    pick = random.Random(name)  # noqa: S311 - test data, no secret
    read.query_sequence = "".join(pick.choices("ACGT", k=100))
    read.query_qualities = array("B", pick.choices(range(2, 41), k=100))
    return read


def spread_reads(n_reads: int) -> list[pysam.AlignedSegment]:
    """Reads all over two contigs, with an empty stretch and unmapped mates."""
    pick = random.Random(5)  # noqa: S311 - test data, no secret
    reads = []
    for number in range(n_reads):
        contig = pick.randrange(2)
        start = pick.randrange(CONTIGS[contig][1] - 100)
        if contig == 0 and 200_000 < start < 240_000:
            start -= 100_000
        reads.append(short_read(f"r{number}", contig, start))
        if number % 50 == 0:
            reads.append(short_read(f"m{number}", contig, start, "*"))
    return reads


def write_blocks(
    path: Path, reads: list[pysam.AlignedSegment], kind: str, *, odd: bool = False
) -> Path:
    """Write reads into small blocks, which are so many that a test can count them."""
    reads.sort(key=lambda read: (read.reference_id, read.reference_start))
    parts = parts_of(write_bam(path, reads, index="").read_bytes())
    path.write_bytes(
        join_bam(parts, 1001) if odd else compress_by_records(parts, RECORDS_A_BLOCK)
    )
    pysam.index(*(("-c",) if kind == "csi" else ()), str(path))
    return path


def change_index(path: Path, change: Callable[[Index], None]) -> None:
    """Write the index beside a file anew, with lies."""
    place = next(path.parent.glob(f"{path.name}.?*i"))
    is_csi = place.suffix == ".csi"
    index = index_of(inflate(place.read_bytes()) if is_csi else place.read_bytes())
    change(index)
    data = join_index(index)
    place.write_bytes(compress(data) if is_csi else data)


def count_inflated(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the blocks that are inflated from now on."""
    sizes: list[int] = []
    plain = bgzf.inflate_block

    def counted(block: memoryview, size: int) -> bytes | bytearray:
        sizes.append(size)
        return plain(block, size)

    monkeypatch.setattr(bgzf, "inflate_block", counted)
    return sizes


def test_few_blocks_are_inflated_for_a_region(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_blocks(tmp_path / "a.bam", spread_reads(8000), "bai")
    n_window = 8000 * WINDOW // 300_000 // 2 // RECORDS_A_BLOCK
    reads = open_reads(path, None)
    inflated = count_inflated(monkeypatch)
    regions = [Region(0, start, start + 100) for start in range(30_000, 190_000, 7900)]
    per_region = []
    for region in regions:
        inflated.clear()
        assert overlapping(path, [region]) <= set(names(taken(reads, [region])))
        per_region.append(len(inflated))
    n_header = 1
    assert max(per_region) < 2.5 * n_window + n_header + 6
    assert sum(per_region) / len(regions) < 1.4 * n_window + n_header + 6
    inflated.clear()
    taken(reads, regions)
    assert len(inflated) < sum(per_region)


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("kind", ["bai", "csi"])
def test_reads_at_the_borders(tmp_path: Path, kind: str, *, odd: bool) -> None:
    made = spread_reads(3000)
    made += [short_read(f"first{n}", 0, 0) for n in range(40)]
    made += [short_read(f"next{n}", 1, 0) for n in range(40)]
    path = write_blocks(tmp_path / "a.bam", made, kind, odd=odd)
    regions = [
        Region(0, 0, 1),
        Region(0, 60, 300),
        Region(0, 199_980, 200_050),
        Region(0, 220_000, 220_100),
        Region(0, 239_950, 240_200),
        Region(0, 299_850, 300_000),
        Region(1, 0, 50),
        Region(1, 45_000, 45_001),
        Region(1, 89_800, 90_000),
        Region(2, 0, 5000),
    ]
    for wanted in (*([region] for region in regions), regions):
        reads = open_reads(path, None)
        found = names(taken(reads, wanted))
        assert overlapping(path, wanted) <= set(found)
        assert len(found) == len(set(found))
        assert reads.findings == ()


@pytest.mark.parametrize("kind", ["bai", "csi"])
@pytest.mark.parametrize("start", [33_000, 60_000])
def test_deep_targets_next_to_a_region_are_not_read(
    tmp_path: Path, kind: str, start: int
) -> None:
    made = []
    for target in (10_000, 33_000, 90_000):
        made += [short_read(f"t{target}.{n}", 0, target + n // 50) for n in range(2000)]
    made += [short_read(f"last{n}", 2, n // 2) for n in range(2000)]
    path = write_blocks(tmp_path / "a.bam", made, kind)
    for region, at_most in (
        (Region(0, start, start + 100), 2020),
        (Region(1, 5000, 5100), 20),
    ):
        found = names(taken(open_reads(path, None), [region]))
        assert overlapping(path, [region]) <= set(found)
        assert len(found) <= at_most


@pytest.mark.parametrize("kind", ["bai", "csi"])
def test_a_read_that_skips_far_comes_without_what_it_skips(
    tmp_path: Path, kind: str
) -> None:
    made = spread_reads(4000)
    made.append(short_read("far", 0, 20_000, "50M140000N50M"))
    path = write_blocks(tmp_path / "a.bam", made, kind)
    reads = open_reads(path, None)
    found = names(taken(reads, [Region(0, 160_060, 160_070)]))
    assert "far/0" in found
    assert overlapping(path, [Region(0, 160_060, 160_070)]) <= set(found)
    assert len(found) < 0.3 * len(raw_records(path))


def test_an_offset_beside_a_record_has_the_index_left_aside(tmp_path: Path) -> None:
    path = write_blocks(tmp_path / "a.bam", spread_reads(2000), "bai")

    def shift(index: Index) -> None:
        index.contigs[0].windows[6] += 1

    change_index(path, shift)
    reads = open_reads(path, None)
    assert taken(reads, [Region(0, 6 * WINDOW + 3000, 6 * WINDOW + 3100)])
    assert [finding.code for finding in reads.findings] == ["INDEX_UNUSABLE"]


@pytest.mark.parametrize("contig", [0, 1])
@pytest.mark.parametrize("kind", ["bai", "csi"])
def test_reads_at_one_place_before_which_an_index_is_silent(
    tmp_path: Path, kind: str, contig: int
) -> None:
    made = [*spread_reads(500), *(short_read(f"same{n}", contig, 0) for n in range(90))]
    path = write_blocks(tmp_path / "a.bam", made, kind)
    offsets = record_offsets(path.read_bytes())
    same = [
        offset
        for offset, name in zip(offsets, names(raw_records(path)), strict=True)
        if name.startswith("same")
    ]

    def forget(index: Index) -> None:
        part = index.contigs[contig]
        part.windows[:] = [max(one, same[60]) for one in part.windows]
        for one in part.bins:
            one.loffset = max(one.loffset, same[60])
            one.chunks = [(max(b, same[60]), max(e, same[60])) for b, e in one.chunks]

    change_index(path, forget)
    found = names(taken(open_reads(path, None), [Region(contig, 0, 50)]))
    assert {f"same{n}/0" for n in range(90)} <= set(found)


def test_a_lie_about_bounds_loses_no_read_that_starts_near(tmp_path: Path) -> None:
    path = write_blocks(tmp_path / "a.bam", spread_reads(4000), "bai")
    offsets = record_offsets(path.read_bytes())
    region = Region(0, 6 * WINDOW + 3000, 6 * WINDOW + 3100)
    expected = overlapping(path, [region])

    def raise_bounds(index: Index) -> None:
        later = offsets[len(offsets) // 2]
        windows = index.contigs[0].windows
        windows[5:8] = [later] * 3

    change_index(path, raise_bounds)
    assert REACH < 3000
    assert expected <= set(names(taken(open_reads(path, None), [region])))
