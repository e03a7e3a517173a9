"""Laws of counting, on random reads of every class of marker.

The reads are drawn from wild type and mutant alike, with errors, low qualities, mates,
duplicates and clips, so that each class and filter gets its share.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mrdtrack.counts import MarkerCounts, SampleCounts
from tests.counting.builders import (
    GENOME,
    Read,
    bases,
    breakpoint_of,
    classes,
    count,
    duplication,
    make_panel,
    turned,
    unlike,
    variant,
)

SEEDS = (1, 2, 3)
ONE, TWO = GENOME["chr1"], GENOME["chr2"]
SNV_AT, INSERTED_AT, DELETED, DOUBLED, JOINED = 300, 500, (700, 725), (900, 945), 1300
SNV_ALT = unlike(ONE[SNV_AT])
INSERTED = "TCTG"

# mutant sequence, its first reference position, and where it leaves the reference
MUTANTS = (
    (ONE[SNV_AT - 150 : SNV_AT] + SNV_ALT + ONE[SNV_AT + 1 : SNV_AT + 150], SNV_AT, ""),
    (ONE[350:500] + INSERTED + ONE[500:650], INSERTED_AT, "4I"),
    (ONE[550:700] + ONE[725:875], DELETED[0], "25D"),
    (ONE[795:945] + ONE[900:1050], DOUBLED[1], "S"),
    (ONE[1150:1300] + TWO[400:550], JOINED, "S"),
)


def cigar_of(kind: str, before: int, length: int) -> str | None:
    """Write the alignment of a mutant read that has `before` bases before the event."""
    if kind == "S" and 0 < before < length:
        return f"{before}M{length - before}S"
    if kind == "4I" and 0 < before < length - 4:
        return f"{before}M4I{length - before - 4}M"
    if kind == "25D" and 0 < before < length:
        return f"{before}M25D{length - before}M"
    return None


def random_reads(seed: int) -> list[Read]:
    """Draw pairs of 100-base reads over the markers."""
    rng = np.random.default_rng(seed)
    reads = []
    for number in range(240):
        sequence, event, kind = MUTANTS[number % len(MUTANTS)]
        before = int(rng.integers(5, 94))
        start = event - before
        letters = sequence[150 - before : 250 - before]
        cigar = cigar_of(kind, before, 100)
        if rng.random() < 0.6:
            letters, cigar = ONE[start : start + 100], None
        read = Read(
            name=f"r{number}",
            bases=with_errors(letters, rng),
            start=start,
            cigar=cigar,
            quality=[int(q) for q in rng.choice([12, 30, 37], 100)],
            flag=int(rng.choice([99, 99, 163, 99 + 1024, 99 + 512])),
            mapping_quality=int(rng.choice([60, 60, 60, 3])),
        )
        mate = replace(
            read,
            bases=with_errors(ONE[start + 60 : start + 160], rng),
            start=start + 60,
            cigar=None,
            flag=read.flag ^ 0xF0,
        )
        reads += [read, mate] if rng.random() < 0.7 else [replace(read, flag=0)]
    return reads


def with_errors(letters: str, rng: np.random.Generator) -> str:
    hit = rng.random(len(letters)) < 0.01
    return "".join(
        unlike(base) if wrong else base
        for base, wrong in zip(letters, hit, strict=True)
    )


def markers() -> list[dict[str, Any]]:
    low, high = DELETED
    return [
        variant(SNV_AT, ONE[SNV_AT], SNV_ALT),
        variant(INSERTED_AT - 1, ONE[499], ONE[499] + INSERTED),
        variant(low - 1, ONE[low - 1 : high], ONE[low - 1]),
        duplication(*DOUBLED),
        breakpoint_of(("chr1", JOINED, "+"), ("chr2", 401, "-")),
    ]


def counted(folder: Path, reads: list[Read], **more: Any) -> SampleCounts:
    folder.mkdir(exist_ok=True)
    return count(folder, reads, make_panel(*markers()), **more)


@pytest.mark.parametrize("seed", SEEDS)
def test_classes_and_filters_add_up_to_the_records(tmp_path: Path, seed: int) -> None:
    seen: Counter[str] = Counter()
    for row in counted(tmp_path, random_reads(seed)).markers:
        told = sum(n for n in classes(row) if n is not None)
        assert told == row.molecules
        seen += Counter(row.filters)
        assert row.filters["records"] == sum(
            n for name, n in row.filters.items() if name not in {"records"}
        )
        assert row.alt
        assert row.ref
    assert min(seen[name] for name in ("duplicate", "qc_fail", "not_at_marker")) > 0


@pytest.mark.parametrize("seed", SEEDS)
def test_order_and_container_of_the_reads_change_nothing(
    tmp_path: Path, seed: int
) -> None:
    reads = random_reads(seed)
    rows = counted(tmp_path, reads).markers
    mixed = [reads[i] for i in np.random.default_rng(seed).permutation(len(reads))]
    assert counted(tmp_path, mixed, name="m.sam", indexed=False).markers == rows
    assert counted(tmp_path, reads, name="c.cram").markers == rows


@pytest.mark.parametrize("seed", SEEDS)
def test_a_file_cut_in_two_adds_up(tmp_path: Path, seed: int) -> None:
    reads = random_reads(seed)
    halves = [
        [read for read in reads if int(read.name[1:]) % 2 == part] for part in (0, 1)
    ]
    whole = counted(tmp_path, reads).markers
    first, second = (
        counted(tmp_path / str(i), half, molecules="fragments").markers
        for i, half in enumerate(halves)
    )
    for row, a, b in zip(whole, first, second, strict=True):
        added = np.add(np.array(classes(a)), np.array(classes(b)))
        assert classes(row) == tuple(added.tolist())
        assert Counter(row.filters) == Counter(a.filters) + Counter(b.filters)


@pytest.mark.parametrize("seed", SEEDS)
def test_swapping_both_alleles_of_a_substitution_swaps_their_counts(
    tmp_path: Path, seed: int
) -> None:
    reads = random_reads(seed)
    row = counted(tmp_path, reads).markers[0]
    changed = ONE[:SNV_AT] + SNV_ALT + ONE[SNV_AT + 1 :]
    (swapped,) = count(
        tmp_path,
        reads,
        make_panel(variant(SNV_AT, SNV_ALT, ONE[SNV_AT])),
        genome={**GENOME, "chr1": changed},
    ).markers
    assert (swapped.alt, swapped.ref) == (row.ref, row.alt)
    assert (swapped.ambiguous, swapped.other) == (row.ambiguous, row.other)


def with_insertion_as_reference(read: Read) -> Read:
    """Align a read to the genome that has the insertion."""
    gap = len(INSERTED)
    if read.start >= INSERTED_AT:
        return replace(read, start=read.start + gap)
    if f"M{gap}I" in (read.cigar or ""):
        return replace(read, cigar=None)
    before, length = INSERTED_AT - read.start, len(read.bases)
    told = min(len(INSERTED), length - before)
    if (
        read.cigar is None
        and read.bases[before:][:told] != INSERTED[:told]
        and told > 0
    ):
        return replace(read, cigar=f"{before}M{gap}D{length - before}M")
    return read


@pytest.mark.parametrize("seed", SEEDS)
def test_swapping_both_alleles_of_an_insertion_swaps_their_counts(
    tmp_path: Path, seed: int
) -> None:
    reads = random_reads(seed)
    row = counted(tmp_path, reads).markers[1]
    longer = (ONE[:INSERTED_AT] + INSERTED + ONE[INSERTED_AT:])[: len(ONE)]
    before = ONE[INSERTED_AT - 1]
    (swapped,) = count(
        tmp_path,
        [with_insertion_as_reference(read) for read in reads],
        make_panel(variant(INSERTED_AT - 1, before + INSERTED, before)),
        genome={**GENOME, "chr1": longer},
    ).markers
    assert (swapped.alt, swapped.ref) == (row.ref, row.alt)
    assert (swapped.ambiguous, swapped.other) == (row.ambiguous, row.other)
    assert row.alt
    assert row.ref


def turned_read(read: Read) -> Read:
    """Read both the genome and a record on the other strand."""
    pieces = re.findall(r"(\d+)([MIDS])", read.cigar or f"{len(read.bases)}M")
    spanned = sum(int(size) for size, kind in pieces if kind in "MD")
    quality = read.quality
    assert not isinstance(quality, int)
    return replace(
        read,
        bases=turned(read.bases),
        quality=list(quality)[::-1],
        start=len(ONE) - read.start - spanned,
        cigar="".join(size + kind for size, kind in reversed(pieces)),
        flag=read.flag ^ (0x30 if read.flag & 1 else 0x10),
    )


def turned_markers() -> list[dict[str, Any]]:
    one, size, other = turned(ONE), len(ONE), len(TWO)
    at, low, high = size - 1 - SNV_AT, size - DELETED[1], size - DELETED[0]
    put = size - INSERTED_AT
    return [
        variant(at, one[at], turned(SNV_ALT)),
        variant(put - 1, one[put - 1], one[put - 1] + turned(INSERTED)),
        variant(low - 1, one[low - 1 : high], one[low - 1]),
        duplication(size - DOUBLED[1], size - DOUBLED[0]),
        breakpoint_of(("chr2", other - 400, "+"), ("chr1", size - JOINED + 1, "-")),
    ]


def other_strand(row: MarkerCounts) -> MarkerCounts:
    """Say what a row becomes when everything is read on the other strand.

    The sides of a breakpoint are named in the order of the contigs.
    """
    left, right = row.ref_left, row.ref_right
    if row.kind != "breakpoint":
        left, right = right, left
    return row.model_copy(
        update={
            "alt_forward": row.alt_reverse,
            "alt_reverse": row.alt_forward,
            "ref_forward": row.ref_reverse,
            "ref_reverse": row.ref_forward,
            "ref_left": left,
            "ref_right": right,
        }
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_other_strand_of_everything_changes_only_the_strands(
    tmp_path: Path, seed: int
) -> None:
    reads = random_reads(seed)
    rows = counted(tmp_path, reads).markers
    genome = {name: turned(letters) for name, letters in GENOME.items()}
    other = count(
        tmp_path,
        [turned_read(read) for read in reads],
        make_panel(*turned_markers()),
        genome=genome,
    ).markers
    unsaid = {"error_class", "filters"}
    for row, mirrored in zip(rows, other, strict=True):
        wanted = other_strand(row).model_dump(exclude=unsaid)
        assert mirrored.model_dump(exclude=unsaid) == wanted


@pytest.mark.parametrize("seed", SEEDS)
def test_spellings_of_one_event_have_one_count(tmp_path: Path, seed: int) -> None:
    reads = random_reads(seed)
    low, high = DOUBLED
    copy = bases("chr1", low, high)
    one_copy = variant(low - 1, ONE[low - 1], ONE[low - 1] + copy)
    behind = variant(high - 1, ONE[high - 1], ONE[high - 1] + copy)
    first, last = DELETED
    lost = breakpoint_of(("chr1", first, "+"), ("chr1", last + 1, "-"))
    padded = variant(
        SNV_AT - 2,
        ONE[SNV_AT - 2 : SNV_AT + 3],
        ONE[SNV_AT - 2 : SNV_AT] + SNV_ALT + ONE[SNV_AT + 1 : SNV_AT + 3],
    )
    snv, _, deletion, doubled, _ = counted(tmp_path, reads).markers
    for row, marker in (
        (doubled, one_copy),
        (doubled, behind),
        (deletion, lost),
        (snv, padded),
    ):
        (again,) = count(tmp_path, reads, make_panel(marker)).markers
        assert classes(again) == classes(row)
        assert again.denominator == row.denominator
