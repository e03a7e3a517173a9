"""What reads are like, and amplicons whose duplicates were left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mrdtrack.counting import library as library_module
from mrdtrack.counting.library import LibraryMeasure
from mrdtrack.counts import Library, SampleCounts
from mrdtrack.kernels.arrays import Bytes
from mrdtrack.kernels.read_lengths import NOT_MEASURED, read_lengths
from tests.counting.builders import GENOME, Read, count, make_panel, snv, unlike, wild
from tests.kernels.test_kernels_sequences import chunk_of
from tests.naive import Read as Plain

AT = 300
PANEL = make_panel(snv(AT))


def measured(folder: Path, reads: list[Read], name: str = "s.bam") -> Library:
    return count(folder, reads, PANEL, name=name).library


def test_reads_tell_their_length_only(tmp_path: Path) -> None:
    reads = [wild(f"r{i}", 260, 320 + i % 3) for i in range(9)]
    assert measured(tmp_path, reads) == Library(read_length=61, fragment_length=None)
    assert measured(tmp_path, [], "none.bam") == Library()


def lengths_of(
    reads: list[Plain], places: list[tuple[int, int, int]], most: int
) -> Iterator[list[int]]:
    columns = np.array(places, np.int64).reshape(-1, 3).T.copy()
    chunk = chunk_of(reads)
    for run in (read_lengths, read_lengths.py_func):
        found = run(chunk, columns[0], columns[1], columns[2], most)
        yield [int(length) for length in found[:, 0]]


def test_only_near_records_are_measured_as_the_plain_way_says() -> None:
    rng = np.random.default_rng(2)
    reads = [
        Plain(
            bases="A" * int(rng.integers(0, 40)),
            cigar=(),
            position=int(rng.integers(0, 900)),
            contig=int(rng.integers(0, 3)),
            flag=int(rng.choice([0, 16, 4, 256, 512, 2048])),
        )
        for _ in range(600)
    ]
    reads = [r._replace(cigar=(("M", len(r.bases)),) if r.bases else ()) for r in reads]
    places = [(0, 100, 150), (0, 400, 401), (2, 0, 500)]

    def near(read: Plain) -> bool:
        end = read.position + max(len(read.bases), 1)
        return not read.flag & 4 and any(
            contig == read.contig and low < end and read.position < high
            for contig, low, high in places
        )

    good = [r for r in reads if r.bases and not r.flag & NOT_MEASURED]
    wanted = [len(r.bases) for r in good if near(r)]
    assert 20 < len(wanted) < len(good)
    for told in lengths_of(reads, places, 1000):
        assert told == wanted
    for told in lengths_of(reads, places, 5):
        assert told == wanted[:5]
    for told in lengths_of(reads, [], 1000):
        assert told == [len(r.bases) for r in good]


def chunk_of_pairs(spans: list[int], flag: int) -> Bytes:
    """Write records of pairs that span so many bases."""
    reads = [Plain("A" * 50, (("M", 50),), 10, flag=flag) for _ in spans]
    data, at = chunk_of(reads), 0
    for span in spans:
        data[at + 32 : at + 36] = np.frombuffer(span.to_bytes(4, "little"), np.uint8)
        at += 4 + int.from_bytes(data[at : at + 4].tobytes(), "little")
    return data


@pytest.mark.parametrize(
    ("spans", "flag", "fragment"),
    [
        ([170] * 40 + [70] * 30, 99, 170),
        ([170] * 40 + [0] * 9, 99, None),  # too few pairs
        ([170] * 70, 65, None),  # no proper pairs
    ],
)
def test_pairs_tell_their_fragments(
    spans: list[int], flag: int, fragment: int | None
) -> None:
    nowhere = np.zeros(0, np.int64)
    measure = LibraryMeasure(nowhere, nowhere, nowhere)
    chunk = chunk_of_pairs(spans, flag)
    measure.look_at(chunk)
    assert measure.library() == Library(read_length=50, fragment_length=fragment)


def test_the_first_records_are_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_module, "MOST_READS", 3)
    reads = [wild(f"r{i}", 260, 310) for i in range(3)]
    reads += [wild(f"l{i}", 270, 330) for i in range(30)]
    assert measured(tmp_path, reads).read_length == 50


def amplicon(n: int, duplicates: int, *, start: int = 260) -> list[Read]:
    alt = unlike(GENOME["chr1"][AT])
    return [
        wild(
            f"a{i}",
            start,
            start + 80,
            {AT: alt} if i % 9 == 0 else {},
            flag=1024 if i < duplicates else 0,
        )
        for i in range(n)
    ]


def told_dropped(counts: SampleCounts) -> list[str]:
    return [
        f.message for f in counts.quality if f.code == "amplicon_duplicates_dropped"
    ]


@pytest.mark.parametrize(
    ("duplicates", "share"), [(0, None), (15, None), (60, "60%"), (90, None)]
)
def test_duplicates_of_an_amplicon(
    tmp_path: Path, duplicates: int, share: str | None
) -> None:
    """Of 100: few do not matter, above 80 the flags are not used."""
    found = told_dropped(count(tmp_path, amplicon(100, duplicates), PANEL))
    assert len(found) == (share is not None)
    if share is not None:
        assert found[0].startswith("m1: the reads start at one position")
        assert share in found[0]


def test_duplicates_of_a_capture_are_no_matter(tmp_path: Path) -> None:
    reads = [
        wild(f"r{i}", 225 + i % 70, 325 + i % 70, flag=1024 if i % 2 else 0)
        for i in range(140)
    ]
    assert told_dropped(count(tmp_path, reads, PANEL)) == []
