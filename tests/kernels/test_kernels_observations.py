"""What records say of markers: plain rules, laws, and one compilation a kernel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.counting.settings import CountingSettings, build_read_filter
from mrdtrack.counting.targets import build_targets
from mrdtrack.counting.told import Told, observations_of, told_by
from mrdtrack.kernels import (
    arrays,
    background,
    families,
    fragments,
    groups,
    hearing,
    molecules,
    sequences,
    strays,
)
from mrdtrack.kernels._compile import jit_is_disabled
from mrdtrack.kernels.arrays import (
    CROSSES_JUNCTION,
    ELSEWHERE,
    FITS_NEITHER,
    INSIDE_READ,
    REVERSE,
    Observations,
    Targets,
)
from mrdtrack.kernels.hearing import hear_records
from mrdtrack.kernels.stretches import StretchArrays
from mrdtrack.kernels.weights import READ_END
from mrdtrack.panel.haplotypes import build_haplotypes
from mrdtrack.panel.model import Breakpoint, BreakpointEnd, SmallVariant
from tests import naive
from tests.counting import builders
from tests.kernels import test_kernels_sequences as made_sequences
from tests.kernels import test_kernels_strays as made_strays
from tests.kernels.test_kernels_evidence import aligned_read
from tests.kernels.test_kernels_sequences import chunk_of
from tests.naive import Read

FILTER = build_read_filter(CountingSettings())
GAIN = float(FILTER.match_phred[30] - FILTER.mismatch_phred[30])
GENOME = "".join(np.random.default_rng(7).choice(list("ACGT"), 1200))
SNV = 25
EVENT = 600
INSERTED = "GATTACAGATTACCAGT"
COLUMNS = Observations._fields


class Plain:
    """A reference of one contig."""

    def __init__(self, bases: str) -> None:
        self.bases = bases

    def fetch(self, contig: str, start: int, end: int) -> str:
        return self.bases[max(start, 0) : end]

    def length(self, contig: str) -> int:
        return len(self.bases)


NOWHERE = np.zeros(0, np.int64)
NO_STRETCHES = StretchArrays(
    NOWHERE, NOWHERE, NOWHERE, np.zeros(1, np.int64), np.zeros(0, np.uint8)
)


def variant(position: int, ref: str, alt: str) -> SmallVariant:
    return SmallVariant(
        kind="small_variant",
        id=f"v{position}",
        contig="c",
        position=position + 1,
        ref=ref,
        alt=alt,
    )


def targets_of(genome: str, markers: Sequence[SmallVariant]) -> Targets:
    built = [build_haplotypes(marker, Plain(genome)) for marker in markers]
    return build_targets(built, {"c": 0})


def observe(reads: list[Read], targets: Targets) -> Observations:
    chunk = chunk_of(reads)
    facts, claims, *_ = hear_records(chunk, targets, NO_STRETCHES, FILTER, 20)
    return observations_of(Told(facts, claims), slice(None))


def other_base(base: str) -> str:
    return "CGTA"["ACGT".index(base)]


REF = GENOME[SNV]
ALT = other_base(REF)
SNV_TARGETS = targets_of(GENOME, [variant(SNV, REF, ALT)])
SWAPPED = targets_of(GENOME[:SNV] + ALT + GENOME[SNV + 1 :], [variant(SNV, ALT, REF)])


@st.composite
def random_read(draw: st.DrawFn) -> Read:
    read = draw(aligned_read())
    size = len(read.bases)
    return read._replace(bases=draw(st.text("ACGTN", min_size=size, max_size=size)))


def expected_substitution(read: Read) -> tuple[float, int]:
    place = naive.read_place(read, SNV)
    if place == -2:
        return 0.0, FITS_NEITHER
    if place == -1:
        return 0.0, ELSEWHERE
    base = read.bases[place]
    if base == "N":
        return 0.0, CROSSES_JUNCTION
    if base not in (REF, ALT):
        return 0.0, FITS_NEITHER
    away = min(place, len(read.bases) - 1 - place)
    inside = INSIDE_READ if away >= READ_END else 0
    return (GAIN if base == ALT else -GAIN), CROSSES_JUNCTION | inside


@given(random_read())
def test_substitution_is_settled_by_its_base(read: Read) -> None:
    evidence, heard = expected_substitution(read)
    chunk = chunk_of([read])
    for run in (hear_records, hear_records.py_func):
        _, found, *_ = run(chunk, SNV_TARGETS, NO_STRETCHES, FILTER, 20)
        if len(found.marker) == 0:
            assert heard == ELSEWHERE or not read.bases
            continue
        assert found.evidence[0] == pytest.approx(evidence)
        told = CROSSES_JUNCTION | FITS_NEITHER | ELSEWHERE | INSIDE_READ
        assert found.bits[0] & told == heard


@pytest.mark.parametrize(
    ("away", "inside"), [(0, 0), (5, 0), (6, INSIDE_READ), (20, INSIDE_READ)]
)
@pytest.mark.parametrize("from_left", [True, False])
def test_bases_near_an_end_are_not_inside(
    away: int, inside: int, *, from_left: bool
) -> None:
    at = 300
    targets = targets_of(GENOME, [variant(at, GENOME[at], other_base(GENOME[at]))])
    start = at - away if from_left else at - 49 + away
    (flags,) = observe([read_of(GENOME, start, "50M")], targets).flags
    assert flags & (CROSSES_JUNCTION | INSIDE_READ) == CROSSES_JUNCTION | inside


@given(st.lists(random_read(), max_size=4))
def test_swapping_ref_and_alt_turns_the_evidence(reads: list[Read]) -> None:
    found, swapped = observe(reads, SNV_TARGETS), observe(reads, SWAPPED)
    assert found.evidence.tolist() == pytest.approx((-swapped.evidence).tolist())
    assert found.flags.tolist() == swapped.flags.tolist()


@given(st.lists(random_read(), max_size=4))
def test_order_of_reads_changes_nothing(reads: list[Read]) -> None:
    there, back = observe(reads, SNV_TARGETS), observe(reads[::-1], SNV_TARGETS)
    for column in COLUMNS:
        assert getattr(there, column).tolist() == getattr(back, column)[::-1].tolist()


LONGER = GENOME[:EVENT] + INSERTED + GENOME[EVENT:]
BEFORE = GENOME[EVENT - 1]
INSERTION = targets_of(GENOME, [variant(EVENT - 1, BEFORE, BEFORE + INSERTED)])
DELETION = targets_of(LONGER, [variant(EVENT - 1, BEFORE + INSERTED, BEFORE)])
N_IN = len(INSERTED)


def read_of(bases: str, start: int, cigar: str, **fields: Any) -> Read:
    parts: list[tuple[str, int]] = []
    number = ""
    for letter in cigar:
        if letter.isdigit():
            number += letter
        else:
            parts.append((letter, int(number)))
            number = ""
    size = sum(count for letter, count in parts if letter in "MIS")
    return Read(bases[start : start + size], tuple(parts), start, **fields)


def test_long_reads_tell_an_insertion_from_its_absence() -> None:
    with_it = read_of(LONGER, EVENT - 50, f"50M{N_IN}I50M")
    without = read_of(GENOME, EVENT - 50, "100M")
    clipped = read_of(LONGER, EVENT - 60, "60M40S")
    found = observe([with_it, without, clipped], INSERTION)
    limit = INSERTION.threshold[0]
    assert (found.evidence[[0, 2]] >= limit).all()
    assert found.evidence[1] <= -limit


def test_an_insertion_and_its_deletion_swap_their_counts() -> None:
    inserted = [
        read_of(LONGER, EVENT - 50, f"50M{N_IN}I50M"),
        read_of(GENOME, EVENT - 50, "100M"),
    ]
    deleted = [
        read_of(LONGER, EVENT - 50, f"{100 + N_IN}M"),
        read_of(GENOME, EVENT - 50, f"50M{N_IN}D50M"),
    ]
    first = np.sign(observe(inserted, INSERTION).evidence)
    second = np.sign(observe(deleted, DELETION).evidence)
    assert first.tolist() == [1.0, -1.0]
    assert second.tolist() == [-1.0, 1.0]


def test_other_strand_changes_only_strands() -> None:
    turned = naive.reverse_complement(GENOME)
    at = len(GENOME) - EVENT
    before = turned[at - 1]
    extra = naive.reverse_complement(INSERTED)
    other = targets_of(turned, [variant(at - 1, before, before + extra)])
    reads = [
        read_of(LONGER, EVENT - 50, f"50M{N_IN}I50M"),
        read_of(GENOME, EVENT - 50, "100M"),
    ]
    mirrored = [
        read._replace(
            bases=naive.reverse_complement(read.bases),
            cigar=read.cigar[::-1],
            position=at - 50,
            flag=0x10,
        )
        for read in reads
    ]
    there, back = observe(reads, INSERTION), observe(mirrored, other)
    assert there.evidence.tolist() == pytest.approx(back.evidence.tolist())
    sides = CROSSES_JUNCTION | FITS_NEITHER | ELSEWHERE
    assert (there.flags & sides).tolist() == (back.flags & sides).tolist()
    assert (back.flags & REVERSE != 0).all()


def test_far_reads_are_not_heard_and_near_ones_say_elsewhere() -> None:
    near = read_of(GENOME, EVENT - 70, "40M")
    far = [read_of(GENOME, 40, "60M"), read_of(GENOME, EVENT, "40M", contig=1)]
    found = observe([near, *far], INSERTION)
    assert len(found.marker) <= 1
    assert (found.flags & ELSEWHERE != 0).all()
    assert (found.evidence == 0.0).all()


@pytest.mark.parametrize("reverse", [False, True])
def test_unmapped_read_beside_its_mate_is_rescued(reverse: bool) -> None:
    junction = GENOME[: EVENT - 200] + GENOME[EVENT:]
    lost = GENOME[EVENT - 201 : EVENT]
    targets = targets_of(GENOME, [variant(EVENT - 201, lost, lost[0])])
    bases = junction[EVENT - 250 : EVENT - 150]
    bases = naive.reverse_complement(bases) if reverse else bases
    placed = Read(bases, (), EVENT - 260, flag=0x5)
    noise = Read("ACGT" * 25, (), EVENT - 260, flag=0x5)
    found = observe([placed, noise], targets)
    assert found.evidence[0] >= targets.threshold[0]
    assert found.flags[1] & ELSEWHERE


def test_substitution_of_two_bases_is_read_from_both() -> None:
    ref = GENOME[EVENT : EVENT + 2]
    alt = "".join(other_base(base) for base in ref)
    targets = targets_of(GENOME, [variant(EVENT, ref, alt)])
    changed = GENOME[:EVENT] + alt + GENOME[EVENT + 2 :]
    half = GENOME[:EVENT] + alt[0] + GENOME[EVENT + 1 :]
    reads = [read_of(g, EVENT - 50, "100M") for g in (changed, GENOME, half)]
    found = observe(reads, targets)
    assert found.evidence.tolist() == pytest.approx([2 * GAIN, -2 * GAIN, 0.0])
    assert found.flags[2] & FITS_NEITHER


def test_inversion_is_seen_on_its_other_strand() -> None:
    ends = [
        BreakpointEnd(contig="c", position=at, strand="+")
        for at in (EVENT, EVENT + 400)
    ]
    marker = Breakpoint(kind="breakpoint", id="inv", left=ends[0], right=ends[1])
    built = build_haplotypes(marker, Plain(GENOME))
    targets = build_targets([built], {"c": 0})
    beyond = naive.reverse_complement(GENOME[EVENT + 340 : EVENT + 400])
    joined = GENOME[EVENT - 60 : EVENT] + beyond
    read = Read(joined, (("M", 60), ("S", 60)), EVENT - 60)
    far_half = Read(
        naive.reverse_complement(joined), (("M", 60), ("S", 60)), EVENT + 340
    )
    plain = read_of(GENOME, EVENT - 60, "120M")
    short = Read(joined[:62], (("M", 60), ("S", 2)), EVENT - 60)
    foreign = Read(joined[:60] + "ACGT" * 15, (("M", 60), ("S", 60)), EVENT - 60)
    found = observe([read, far_half, plain, short, foreign], targets)
    limit = targets.threshold[0]
    assert (found.evidence[:2] >= limit).all()
    assert found.evidence[2] <= -limit
    assert abs(found.evidence[3]) < limit
    assert found.evidence[4] == 0.0
    assert found.flags[4] & FITS_NEITHER


def test_more_reads_than_a_buffer_holds() -> None:
    reads = [read_of(GENOME, SNV, "5M") for _ in range(1100)]
    assert len(observe(reads, SNV_TARGETS).marker) == 1100


def test_bits_of_claims_fit_into_a_byte_that_those_of_records_leave_free() -> None:
    of_claims = [
        arrays.CROSSES_JUNCTION,
        arrays.CROSSES_LEFT,
        arrays.CROSSES_RIGHT,
        INSIDE_READ,
        FITS_NEITHER,
        ELSEWHERE,
        arrays.LOW_QUALITY,
    ]
    of_records = [
        arrays.SECOND_OF_PAIR,
        REVERSE,
        arrays.DUPLICATE,
        arrays.QC_FAIL,
        arrays.SECONDARY,
        arrays.LOW_MAPPING_QUALITY,
        arrays.PAIRED,
        arrays.UNMAPPED,
        arrays.NO_QUALITIES,
        arrays.SPLIT,
        arrays.HAS_UMI,
        arrays.HAS_DEPTH,
    ]
    every = [*of_claims, *of_records]
    assert all(bit.bit_count() == 1 for bit in every)
    assert len(set(every)) == len(every)
    assert sum(of_claims) < 1 << 8 <= min(of_records)
    assert sum(of_records) < 1 << 31


@given(st.lists(st.tuples(st.integers(-1, 1), st.integers(0, 2)), min_size=1))
def test_a_chunk_says_where_it_begins_and_ends(places: list[tuple[int, int]]) -> None:
    """Reads without a place stand last; those without bases have one too."""
    reads = [
        Read("A" * (at % 2), (("M", at % 2),), at if contig >= 0 else -1, contig=contig)
        for contig, at in places
    ]
    unsigned = [(read.contig & 0xFFFFFFFF, read.position) for read in reads]
    expected = (*unsigned[0], *unsigned[-1], unsigned == sorted(unsigned))
    for run in (hear_records, hear_records.py_func):
        heard = run(chunk_of(reads), SNV_TARGETS, NO_STRETCHES, FILTER, 20)
        assert tuple(heard.places) == expected


def test_observations_become_claims_of_the_same_columns() -> None:
    """Those of other types would be another kernel's, compiled while a user waits."""
    facts, claims, *_ = hear_records(
        chunk_of([read_of(GENOME, SNV, "5M")]), SNV_TARGETS, NO_STRETCHES, FILTER, 20
    )
    told = Told(facts, claims)
    again = told_by(observations_of(told, slice(None)))
    assert [c.dtype for c in again.facts] == [c.dtype for c in facts]
    assert [c.dtype for c in again.claims] == [c.dtype for c in claims]
    assert again.facts.bits.tolist() == [facts.bits[0] | claims.bits[0]]


def test_every_kernel_is_compiled_once(tmp_path: Path) -> None:
    tagged = builders.wild("a", 250, 350, tags={"RX": "ACGTACGT"})
    builders.count(tmp_path, [tagged], builders.make_panel(builders.snv(300)))
    molecules.majority(np.zeros(1, np.int64))
    made_sequences.scan([made_sequences.unaligned("A" * 24)], ["A" * 24], 1)
    made_strays.observed([Read("A", (), -1, flag=4, contig=-1)])
    kernels: list[Any] = [
        hear_records,
        sequences.scan_sequences,
        strays.observe_strays,
        groups.number_names,
        groups.group_rows,
        molecules.majority,
        background.tally_rows,
        fragments.count_filtered,
        fragments.merge_fragments,
        families.merge_families,
    ]
    assert hearing.hear_records is hear_records
    for kernel in kernels:
        if jit_is_disabled():
            assert kernel.py_func is kernel
        else:
            assert len(kernel.signatures) == 1, kernel.__name__
