"""Sequence markers: reads that hold them, whatever their strand and place."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mrdtrack.counting.count import count_reads
from mrdtrack.counting.sequence_index import build_sequence_index
from mrdtrack.counting.settings import CountingSettings
from mrdtrack.counts import MarkerCounts, SampleCounts
from mrdtrack.errors import PanelError
from mrdtrack.panel.model import Panel
from mrdtrack.panel.model import Sequence as SequenceMarker
from tests.counting.builders import (
    Read,
    bases,
    classes,
    count,
    make_panel,
    snv,
    turned,
    unlike,
)

CLONE = "TGTGCGAGAGACCCTTATTATCATGATAGTAACTATGACCTCCACCACTGG"
OTHER = "TGTGCGAAAGATCGGGGTTGTAGTAGTACCAGCTGCTATACTTTTGACTACTGG"
LEFT, RIGHT = "ACCTGAGAGA", "GGGGCCAAGG"


def clone(sequence: str = CLONE, **more: Any) -> dict[str, Any]:
    return {"kind": "sequence", "sequence": sequence, **more}


def loose(name: str, letters: str, **more: Any) -> Read:
    """Make a read without a place."""
    given = {"flag": 4, "mapping_quality": 0, **more}
    return Read(name=name, bases=letters, contig=None, **given)


def held(name: str, letters: str, **more: Any) -> Read:
    return loose(name, LEFT + letters + RIGHT, **more)


def rows_of(
    folder: Path, reads: Sequence[Read], panel: Panel, **settings: Any
) -> tuple[MarkerCounts, ...]:
    return count(folder, reads, panel, indexed=False, **settings).markers


def changed(letters: str, at: int) -> str:
    return letters[:at] + unlike(letters[at]) + letters[at + 1 :]


def test_a_clone_is_found_on_both_strands_within_one_edit(tmp_path: Path) -> None:
    reads = [
        held("exact", CLONE),
        loose("turned", turned(LEFT + CLONE + RIGHT)),
        held("substituted", changed(CLONE, 20)),
        held("deleted", CLONE[:30] + CLONE[31:]),
        held("inserted", CLONE[:40] + unlike(CLONE[40]) + CLONE[40:]),
        held("two-off", changed(changed(CLONE, 10), 40)),
        loose("cut", LEFT + CLONE[:40]),
        loose("unknown", "N" * 80),
        held("unrelated", OTHER),
    ]
    (row,) = rows_of(tmp_path, reads, make_panel(clone(locus="IGH")))
    assert classes(row) == (5, 0, 0, 0)
    assert (row.denominator_kind, row.denominator) == ("locus_reads", 9)
    assert (row.alt_forward, row.alt_reverse) == (5, 0)
    assert (row.kind, row.gene, row.error_class) == ("sequence", "IGH", "junction")


@pytest.mark.parametrize(("allowed", "found"), [(0, 1), (1, 2), (2, 3)])
def test_the_edits_are_the_markers(tmp_path: Path, allowed: int, found: int) -> None:
    reads = [
        held("zero", CLONE),
        held("one", changed(CLONE, 20)),
        held("two", changed(changed(CLONE, 8), 26)),
    ]
    (row,) = rows_of(tmp_path, reads, make_panel(clone(max_edits=allowed)))
    assert row.alt == found


def test_a_read_belongs_to_the_clone_it_fits_best(tmp_path: Path) -> None:
    near = changed(CLONE, 25)
    reads = [
        held("first", CLONE),
        held("second", near),
        held("second-too", changed(near, 45)),
    ]
    one, two = rows_of(tmp_path, reads, make_panel(clone(), clone(near, gene="G")))
    assert (classes(one), classes(two)) == ((1, 0, 0, 0), (2, 0, 0, 0))
    assert (one.gene, two.gene) == (None, "G")


def test_what_fits_two_clones_is_ambiguous_for_both(tmp_path: Path) -> None:
    letters = [b for b in "ACGT" if b != CLONE[25]]
    first, second, read = (CLONE[:25] + b + CLONE[26:] for b in letters)
    rows = rows_of(
        tmp_path, [held("tie", read)], make_panel(clone(first), clone(second))
    )
    assert [classes(row) for row in rows] == [(0, 0, 1, 0), (0, 0, 1, 0)]


def test_sequences_of_which_one_holds_the_other_are_no_rivals(tmp_path: Path) -> None:
    near = changed(CLONE, 25)
    panel = make_panel(
        clone(), clone(turned(CLONE)[5:40]), clone(CLONE[30:]), clone(near)
    )
    reads = [held("first", CLONE), held("second", near)]
    reads.append(loose("stem", OTHER[:30] + CLONE[30:]))
    rows = rows_of(tmp_path, reads, panel)
    assert [classes(row) for row in rows] == [
        (1, 0, 0, 0),
        (1, 0, 0, 0),
        (3, 0, 0, 0),
        (1, 0, 0, 0),
    ]


def test_mates_that_hold_different_clones_are_ambiguous(tmp_path: Path) -> None:
    first, last = 4 | 1 | 8 | 64, 4 | 1 | 8 | 128
    reads = [
        held("mixed", CLONE, flag=first),
        held("mixed", OTHER, flag=last),
        held("both", CLONE, flag=first),
        held("both", CLONE, flag=last),
        held("best", CLONE, flag=first),
        held("best", changed(OTHER, 20), flag=last),
    ]
    one, two = rows_of(tmp_path, reads, make_panel(clone(), clone(OTHER)))
    assert classes(one) == (2, 0, 1, 0)
    assert classes(two) == (0, 0, 1, 0)
    assert one.denominator == two.denominator == 3


def test_a_join_must_be_reached_over(tmp_path: Path) -> None:
    left, right = bases("chr1", 100, 140), bases("chr2", 300, 340)
    panel = make_panel(clone(left + right, join=40, max_edits=1))
    reads = [
        loose("whole", left + right),
        loose("over", left[-15:] + right + "ACGT"),
        loose("over-turned", turned(left[-20:] + right[:20])),
        loose("one-off", changed(left[-20:] + right[:20], 5)),
        loose("two-off", changed(changed(left[-20:] + right[:20], 5), 34)),
        loose("short", left + right[:11]),
        loose("wild", left + bases("chr1", 140, 180)),
    ]
    (row,) = rows_of(tmp_path, reads, panel)
    assert row.alt == 4


def test_umi_families_of_a_clone(tmp_path: Path) -> None:
    reads = [
        held("a1", CLONE, tags={"RX": "ACGTACGTACGT"}),
        held("a2", CLONE, tags={"RX": "ACGTACGTACGT"}),
        held("b", CLONE, tags={"RX": "GGTTGGTTGGTT"}),
        held("c1", "T" * 50, tags={"RX": "CATCATCATCAT"}),
        held("c2", "T" * 50, tags={"RX": "CATCATCATCAT"}),
    ]
    counts = count(tmp_path, reads, make_panel(clone()), indexed=False)
    (row,) = counts.markers
    assert counts.molecule_mode == "umi"
    assert (row.alt, row.denominator) == (2, 3)
    assert counts.family_sizes == {1: 1, 2: 1}


def test_records_that_are_no_molecule_are_not_read_twice(tmp_path: Path) -> None:
    reads = [
        held("one", CLONE),
        held("duplicate", CLONE, flag=4 | 1024),
        held("failed", CLONE, flag=4 | 512),
        held("extra", CLONE, flag=4 | 2048),
    ]
    (row,) = rows_of(tmp_path, reads, make_panel(clone()))
    assert (row.alt, row.denominator) == (1, 1)
    assert (row.filters["duplicate"], row.filters["qc_fail"]) == (1, 1)


def write_fastq(path: Path, reads: Sequence[Read]) -> Path:
    text = "".join(f"@{r.name}\n{r.bases}\n+\n{'I' * len(r.bases)}\n" for r in reads)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def count_fastq(path: Path, panel: Panel) -> SampleCounts:
    return count_reads(path, panel, None, CountingSettings())


@pytest.mark.parametrize("name", ["s.fastq", "s.fq", "s.fastq.gz"])
def test_fastq_gives_what_bam_gives(tmp_path: Path, name: str) -> None:
    reads = [held("a", CLONE), held("b", OTHER), held("c", changed(CLONE, 9))]
    panel = make_panel(clone())
    counts = count_fastq(write_fastq(tmp_path / name, reads), panel)
    assert counts.sample == "s"
    (row,) = counts.markers
    (as_bam,) = rows_of(tmp_path, reads, panel)
    assert (classes(row), row.denominator) == (classes(as_bam), 3)


def test_an_empty_file_is_not_assessable(tmp_path: Path) -> None:
    (row,) = rows_of(tmp_path, [], make_panel(clone()))
    assert not row.assessable
    assert row.reason == "the file holds no read"
    assert row.alt == 0


def test_markers_with_a_position_need_aligned_reads(tmp_path: Path) -> None:
    panel = make_panel(snv(300), clone(), snv(310))
    path = write_fastq(tmp_path / "s.fastq", [held("a", CLONE)])
    first, second, third = count_fastq(path, panel).markers
    assert (first.marker, second.marker, third.marker) == ("m1", "m2", "m3")
    assert second.alt == 1
    for row in (first, third):
        assert not row.assessable
        assert classes(row) == (None, None, None, None)
        assert row.denominator is None
        assert row.reason.startswith("the reads are not aligned")


@pytest.mark.parametrize(
    ("sequence", "more"),
    [("ACGTACGTACG", {}), ("ACGTA", {"max_edits": 0}), (CLONE[:30], {"max_edits": 4})],
)
def test_a_sequence_too_short_for_its_edits_is_refused(
    sequence: str, more: dict[str, Any]
) -> None:
    marker = make_panel(clone(sequence, **more)).marker[0]
    assert isinstance(marker, SequenceMarker)
    if len(sequence) >= 30:
        assert build_sequence_index([marker]).k == 6
        return
    with pytest.raises(PanelError, match=r"marker 'm1': its sequence of \d+ bases"):
        build_sequence_index([marker])


def test_the_index_names_its_seeds_in_order() -> None:
    markers = [
        m for m in make_panel(clone(), clone(OTHER, join=20)).marker
        if isinstance(m, SequenceMarker)
    ]  # fmt: skip
    index = build_sequence_index(markers)
    assert np.all(np.diff(index.seed_kmer) >= 0)
    assert index.join.tolist() == [-1, -1, 20, len(OTHER) - 20]
    assert index.pattern_marker.tolist() == [0, 0, 1, 1]
    for kmer in index.seed_kmer.tolist():
        assert index.bitmap[kmer >> 3] >> (kmer & 7) & 1


@pytest.mark.parametrize("length", [40, 60])
def test_reads_too_short_for_a_sequence_say_nothing_of_it(
    tmp_path: Path, length: int
) -> None:
    """No read of 40 bases can hold 51 of them: that is no zero."""
    reads = [loose(f"r{i}", bases("chr1", i, i + length)) for i in range(30)]
    (row,) = rows_of(tmp_path, reads, make_panel(clone()))
    told = (row.assessable, row.reason_code, row.alt)
    assert told == ((False, "reads_too_short", None) if length == 40 else (True, "", 0))


def test_a_join_is_asked_for_in_short_reads_too(tmp_path: Path) -> None:
    held_join = loose("alt", CLONE[5:45])
    reads = [held_join, *(loose(f"r{i}", bases("chr1", i, i + 40)) for i in range(30))]
    (row,) = rows_of(tmp_path, reads, make_panel(clone(join=25)))
    assert row.assessable
    assert row.alt == 1
