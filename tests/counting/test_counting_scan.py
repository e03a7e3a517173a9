"""`--scan`: reads that hold a marker's join, wherever the aligner put them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mrdtrack.counting.plan import plan_counting
from mrdtrack.counting.reads_file import open_reads
from mrdtrack.counts import MarkerCounts
from mrdtrack.panel.reference import Reference
from tests.counting.builders import (
    GENOME,
    Read,
    bases,
    breakpoint_of,
    classes,
    count,
    duplication,
    make_panel,
    snv,
    turned,
    variant,
    wild,
    write_reads,
    write_reference,
)

SIZE = 150
RNG = np.random.default_rng(3)
FILLER = "GATTACAGGCATCCTAGGTACCATGCAAGT"
INSERTED = "".join("ACGT"[code] for code in RNG.integers(0, 4, 60))
DECOY = {**GENOME, "decoy": "".join("ACGT"[c] for c in RNG.integers(0, 4, 1000))}

EVENTS: dict[str, tuple[dict[str, Any], str, int]] = {
    "ITD of 150": (
        duplication(800, 950),
        bases("chr1", 500, 950) + bases("chr1", 800, 1250),
        450,
    ),
    "ITD with a filler": (
        duplication(800, 860, FILLER),
        bases("chr1", 500, 860) + FILLER + bases("chr1", 800, 1250),
        360,
    ),
    "deletion": (
        variant(799, bases("chr1", 799, 1100), bases("chr1", 799, 800)),
        bases("chr1", 400, 800) + bases("chr1", 1100, 1500),
        400,
    ),
    "insertion": (
        variant(799, bases("chr1", 799, 800), bases("chr1", 799, 800) + INSERTED),
        bases("chr1", 400, 800) + INSERTED + bases("chr1", 800, 1200),
        400,
    ),
    "translocation": (
        breakpoint_of(("chr1", 900, "+"), ("chr2", 401, "-"), "GATC"),
        bases("chr1", 500, 900) + "GATC" + bases("chr2", 400, 800),
        400,
    ),
    "inversion": (
        breakpoint_of(("chr1", 900, "+"), ("chr1", 1500, "+")),
        bases("chr1", 500, 900) + turned(bases("chr1", 1100, 1500)),
        400,
    ),
}


def mutant_reads(allele: str, join: int, n: int) -> list[str]:
    """Cut reads that hold the filler and 12 bases on either side, both strands."""
    first = join + len(FILLER) + 15 - SIZE
    starts = np.linspace(first, join - 15, n).astype(int).tolist()
    reads = [allele[start : start + SIZE] for start in starts]
    return [turned(read) if i % 2 else read for i, read in enumerate(reads)]


def lost(name: str, letters: str, **more: Any) -> Read:
    """Make a read without a place."""
    return Read(
        name=name,
        bases=letters,
        contig=None,
        **{"flag": 4, "mapping_quality": 0, **more},
    )


def misplaced(name: str, letters: str, **more: Any) -> Read:
    """Make a read that is clipped to 40 bases on a decoy contig."""
    given = {"cigar": f"60S40M{len(letters) - 100}S", "tags": {"NM": 6}, **more}
    return Read(name=name, bases=letters, contig="decoy", start=200, **given)


def wild_reads() -> list[Read]:
    return [
        wild(f"w{contig}{at}", at, at + SIZE, contig=contig)
        for contig in ("chr1", "chr2")
        for at in range(0, len(GENOME[contig]) - SIZE, 5)
    ]


def row_of(
    folder: Path, reads: Sequence[Read], marker: dict[str, Any], **settings: Any
) -> MarkerCounts:
    counts = count(
        folder,
        reads,
        make_panel(marker),
        genome=DECOY,
        contigs={name: len(letters) for name, letters in DECOY.items()},
        **settings,
    )
    return counts.markers[0]


@pytest.mark.whole_samples
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("place", [lost, misplaced])
def test_mutant_reads_that_lie_elsewhere_are_found(
    tmp_path: Path, event: str, place: Any
) -> None:
    marker, allele, join = EVENTS[event]
    stray = [
        place(f"m{i}", letters)
        for i, letters in enumerate(mutant_reads(allele, join, 40))
    ]
    reads = [*wild_reads(), *stray]
    here = row_of(tmp_path, reads, marker)
    scanned = row_of(tmp_path, reads, marker, scan=True)
    assert (here.alt, scanned.alt) == (0, 40)
    assert (scanned.ref, scanned.other) == (here.ref, here.other)
    assert here.denominator is not None
    assert scanned.denominator is not None
    assert here.denominator <= scanned.denominator <= here.denominator + 40
    assert (scanned.alt_forward, scanned.alt_reverse) in {(20, 20), (40, 0), (0, 40)}


@pytest.mark.parametrize("event", EVENTS)
def test_wild_type_reads_give_no_false_molecule(tmp_path: Path, event: str) -> None:
    marker = EVENTS[event][0]
    letters = [read.bases for read in wild_reads()]
    reads = [
        *wild_reads(),
        *(lost(f"l{i}", one) for i, one in enumerate(letters)),
        *(misplaced(f"e{i}", turned(one)) for i, one in enumerate(letters)),
    ]
    here = row_of(tmp_path, reads, marker)
    scanned = row_of(tmp_path, reads, marker, scan=True)
    assert scanned.alt == 0
    assert scanned == here


ITD, ALLELE, JOIN = EVENTS["ITD of 150"]
(MUTANT,) = mutant_reads(ALLELE, JOIN, 1)


@pytest.mark.parametrize(
    ("cigar", "edits", "found"),
    [
        ("150M", 0, 0),
        ("150M", 2, 0),
        ("150M", 4, 1),
        ("140M10S", 0, 1),
        ("150M", None, 0),
    ],
)
def test_a_read_that_its_own_place_explains_is_not_taken(
    tmp_path: Path, cigar: str, edits: int | None, found: int
) -> None:
    tags = {} if edits is None else {"NM": edits}
    read = misplaced("m", MUTANT, cigar=cigar, tags=tags)
    row = row_of(tmp_path, [*wild_reads(), read], ITD, scan=True)
    assert row.alt == found


def test_a_fragment_counts_once_with_its_other_records(tmp_path: Path) -> None:
    first, last = 1 | 64, 1 | 128
    second = mutant_reads(ALLELE, JOIN, 3)[2]
    home = bases("chr1", 700, 850)
    reads = [
        lost("both", MUTANT, flag=4 | 8 | first),
        lost("both", turned(second), flag=4 | 8 | last),
        misplaced("mate", MUTANT, flag=first, mate=("chr1", 700)),
        Read(name="mate", bases=home, start=700, flag=last, mate=("decoy", 200)),
        misplaced("again", MUTANT, flag=1024),
        misplaced("repeat", MUTANT, mapping_quality=3),
        misplaced("extra", MUTANT, flag=2048),
    ]
    row = row_of(tmp_path, reads, ITD, scan=True)
    assert row.alt == 2
    assert (row.filters["duplicate"], row.filters["low_mapping_quality"]) == (1, 1)
    loose = row_of(tmp_path, reads, ITD, scan=True, min_mapping_quality=0)
    assert loose.alt == 3


def test_copies_without_a_place_are_one_family(tmp_path: Path) -> None:
    umis = ["ACGTAC", "ACGTAC", "GGTTCA"]
    reads = [lost(f"m{i}", MUTANT, tags={"RX": umi}) for i, umi in enumerate(umis)]
    reads += [lost("other", mutant_reads(ALLELE, JOIN, 5)[4], tags={"RX": umis[0]})]
    row = row_of(tmp_path, reads, ITD, scan=True, molecules="umi")
    assert row.alt == 3


def test_reads_of_any_chunk_are_counted_with_the_marker(tmp_path: Path) -> None:
    """The marker lies long behind when the reads without a place come."""
    stray = [lost(f"m{i}", MUTANT) for i in range(5)]
    deep = [wild(f"d{i}", 700, 850) for i in range(3000)]
    marker_row = row_of(tmp_path, [*deep, *wild_reads(), *stray], ITD, scan=True)
    assert marker_row.alt == 5


def test_only_a_scan_looks_for_joins_and_only_for_those_that_stray(
    tmp_path: Path,
) -> None:
    panel = make_panel(snv(300), EVENTS["deletion"][0], EVENTS["ITD with a filler"][0])
    reads = write_reads(tmp_path / "a.bam", wild_reads())
    with Reference(write_reference(tmp_path / "r.fa")) as reference:
        opened = open_reads(reads, None)
        plain = plan_counting(panel, opened, reference)
        scanning = plan_counting(panel, opened, reference, scan=True)
    assert (plain.joins, plain.sequence_index) == ((), None)
    assert [join.marker for join in scanning.joins] == [1, 2, 2]
    assert scanning.sequence_index is not None
    assert scanning.sequence_index.k == 12


def test_a_scan_changes_nothing_of_small_variants(tmp_path: Path) -> None:
    reads = [wild(f"w{i}", 200 + i, 350 + i) for i in range(50)]
    marker = snv(300)
    assert classes(row_of(tmp_path, reads, marker)) == classes(
        row_of(tmp_path, reads, marker, scan=True)
    )
