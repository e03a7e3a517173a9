"""The weight of one record for one marker: from haplotype scores to evidence."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import kernel, read_i32, read_u8, read_u16, read_u32
from mrdtrack.kernels.arrays import (
    CROSSES_JUNCTION,
    ELSEWHERE,
    FITS_NEITHER,
    INSIDE_READ,
    SMALL_INDEL,
    SUBSTITUTION,
    Bytes,
    Floats,
    Ints,
    Placement,
    ReadFilter,
    ReadScores,
    Targets,
)
from mrdtrack.kernels.bam_records import (
    cigar_span,
    quality_start,
    sequence_start,
)
from mrdtrack.kernels.bases import read_base
from mrdtrack.kernels.evidence import (
    CLEAR_PHRED,
    MAX_DIAGONALS,
    MAX_HAPLOTYPES,
    NEITHER_PHRED,
    TELLING_PHRED,
    TIE_PHRED,
    UNKNOWN_QUALITY,
    UNREACHED,
    clearly_differs,
    crossings,
    decides,
    decode_read,
    find_diagonals,
    lacks_qualities,
    misfit,
    score_everywhere,
    score_haplotype,
    telling_phred,
)
from mrdtrack.kernels.gapped import has_gap, is_broken, is_spliced
from mrdtrack.kernels.gapped_evidence import weigh_gapped
from mrdtrack.kernels.tails import silence_tail

RESCUE_PHRED = 100.0
"""Score on the alternative haplotype from which a read without a place is looked at."""
READ_END = 6
"""Bases at either end of a read in which end repair and misalignment make errors."""


class Changes(NamedTuple):
    """The changed bases of substitutions, as in `Targets`, few enough to hand on."""

    start: Ints
    position: Ints
    alt: Bytes
    ref: Bytes


class Scratch(NamedTuple):
    """Room for the work on one record and one marker."""

    diagonals: Ints  # [2 MAX_DIAGONALS] shift and strand
    placements: Ints  # [4 MAX_HAPLOTYPES] one for each haplotype
    phred: Floats  # [MAX_HAPLOTYPES] its score


@kernel
def make_scores(longest: int) -> ReadScores:
    """Make room for one decoded read of up to `longest` bases."""
    return ReadScores(
        np.empty(2 * longest, np.uint8),
        np.empty(2 * longest, np.float64),
        np.empty(2 * longest, np.float64),
        longest,
    )


@kernel
def make_scratch() -> Scratch:
    """Make room for the placements of one read."""
    return Scratch(
        np.empty(2 * MAX_DIAGONALS, np.int64),
        np.empty(4 * MAX_HAPLOTYPES, np.int64),
        np.empty(MAX_HAPLOTYPES, np.float64),
    )


@kernel
def read_position(data: Bytes, record: int, reference: int) -> int:
    """Give the read base aligned to a reference position; -1 none, -2 deleted."""
    at, n_operations = cigar_span(data, record)
    position = read_i32(data, record + 8)
    query = 0
    if reference < position:
        return -1
    for k in range(n_operations):
        word = read_u32(data, at + 4 * k)
        operation, size = word & 15, word >> 4
        if operation in (0, 7, 8):
            if reference < position + size:
                return query + reference - position
            position += size
            query += size
        elif operation in (1, 4):
            query += size
        elif operation in (2, 3):
            if reference < position + size:
                return -2 if operation == 2 else -1
            position += size
    return -1


@kernel
def weigh_substitution(
    data: Bytes,
    record: int,
    changes: Changes,
    marker: int,
    match_phred: Floats,
    mismatch_phred: Floats,
) -> tuple[float, int]:
    """Weigh the bases of a record at the changed positions of a substitution.

    Returns the phred evidence and the bits CROSSES_JUNCTION with INSIDE_READ,
    FITS_NEITHER or ELSEWHERE.
    """
    sequence, quality = sequence_start(data, record), quality_start(data, record)
    unknown = lacks_qualities(data, record)
    miss_alt, miss_ref = 0.0, 0.0
    not_alt, not_ref = False, False
    seen = 0
    inside = 0
    deleted = False
    last = read_i32(data, record + 20) - READ_END
    for k in range(changes.start[marker], changes.start[marker + 1]):
        wanted, normal = changes.alt[k], changes.ref[k]
        place = read_position(data, record, changes.position[k])
        deleted = deleted or place == -2
        if place < 0:
            continue
        seen += 1
        code = read_base(data, sequence, place)
        q = UNKNOWN_QUALITY if unknown else read_u8(data, quality + place)
        gain = match_phred[q] - mismatch_phred[q]
        gain = gain if code < 4 else 0.0
        if gain > 0.0 and READ_END <= place < last:
            inside = INSIDE_READ
        miss_alt += 0.0 if code == wanted else gain
        miss_ref += 0.0 if code == normal else gain
        not_alt = not_alt or (code != wanted and gain >= CLEAR_PHRED)
        not_ref = not_ref or (code != normal and gain >= CLEAR_PHRED)
    if deleted:
        return 0.0, FITS_NEITHER
    if seen == 0:
        return 0.0, ELSEWHERE
    evidence = miss_ref - miss_alt
    missed = min(miss_alt, miss_ref)
    unlike = missed >= NEITHER_PHRED and missed >= abs(evidence)
    if unlike or (not_alt and not_ref):
        return 0.0, FITS_NEITHER
    return evidence, CROSSES_JUNCTION | inside


@kernel
def has_haplotypes(targets: Targets, marker: int) -> bool:
    """Tell whether reads that do not align over a marker may still show it.

    Not so for the substitution of one base; several may make an aligner clip.
    """
    k = targets.mark_start[targets.hap_start[marker]]
    single = targets.mark_high[k] - targets.mark_low[k] == 1
    return targets.event[marker] != SUBSTITUTION or not single


@kernel
def placement_of(placements: Ints, k: int) -> Placement:
    """Give the placement on a marker's haplotype number `k`."""
    at = 4 * k
    return Placement(
        placements[at], placements[at + 1], placements[at + 2], placements[at + 3]
    )


@kernel
def place_read(
    data: Bytes,
    record: int,
    targets: Targets,
    marker: int,
    scores: ReadScores,
    scratch: Scratch,
    anywhere: bool,
) -> bool:
    """Score a record on all haplotypes of a marker; write placements and scores.

    Where no alignment tells its place, it is tried `anywhere` on them. Tells whether
    that makes sense: such a read must fit the alternative one well.
    """
    first, last = targets.hap_start[marker], targets.hap_start[marker + 1]
    for h in range(first, last):
        phred, placement = place_on_haplotype(
            data, record, targets, h, scores, scratch.diagonals, anywhere
        )
        scratch.phred[h - first] = phred
        at = 4 * (h - first)
        scratch.placements[at] = placement.begin
        scratch.placements[at + 1] = placement.end
        scratch.placements[at + 2] = placement.shift
        scratch.placements[at + 3] = placement.strand
        if h == first and phred < RESCUE_PHRED and anywhere:
            return False
    return True


@kernel
def best_reference(phred: Floats, n: int) -> int:
    """Give the first of the reference haplotypes 1 to `n` - 1 that scores most."""
    best = 1
    for k in range(2, n):
        if phred[k] > phred[best]:
            best = k
    return best


@kernel
def weigh_haplotypes(
    data: Bytes,
    record: int,
    targets: Targets,
    marker: int,
    scores: ReadScores,
    scratch: Scratch,
) -> tuple[float, int]:
    """Weigh a record on all haplotypes of a marker.

    Returns the phred evidence and the bits of the marks crossed, FITS_NEITHER or
    ELSEWHERE.
    """
    unmapped = read_u16(data, record + 18) & 4 != 0
    if not place_read(data, record, targets, marker, scores, scratch, unmapped):
        return 0.0, ELSEWHERE
    return judge_placements(data, record, targets, marker, scores, scratch)


@kernel
def judge_placements(
    data: Bytes,
    record: int,
    targets: Targets,
    marker: int,
    scores: ReadScores,
    scratch: Scratch,
) -> tuple[float, int]:
    """Weigh a record that has been placed on all haplotypes of a marker."""
    first = targets.hap_start[marker]
    n = targets.hap_start[marker + 1] - first
    event, threshold = targets.event[marker], targets.threshold[marker]
    phred = scratch.phred
    best_ref = best_reference(phred, n)
    lead = phred[0] - phred[best_ref]
    cap = targets.cap[marker]
    evidence = min(max(lead, -cap), cap)
    top = max(phred[0], phred[best_ref])
    length = read_i32(data, record + 20)
    novel, spliced = targets.novel[marker], is_spliced(data, record)
    bits = 0
    reaches = False
    missed = UNREACHED
    other_bases = True
    for k in range(n):
        decided = k > 0 and phred[k] >= phred[0] + threshold
        tied = phred[k] >= top - TIE_PHRED
        if phred[k] <= 0.0 or not (tied or decided):
            continue
        h, placement = first + k, placement_of(scratch.placements, k)
        crossed, touches = crossings(
            targets, h, placement, event, targets.anchor[marker]
        )
        bits |= crossed
        reaches = reaches or touches
        if tied:
            miss = misfit(scores, length, targets, h, placement, novel, spliced)
            missed = min(missed, miss)
            if other_bases and not clearly_differs(scores, targets, h, placement):
                other_bases = False
    told_apart = abs(evidence) if novel else abs(lead)
    unlike = missed >= max(NEITHER_PHRED, told_apart)
    if missed < UNREACHED and (unlike or other_bases):
        return 0.0, FITS_NEITHER
    if not reaches:
        return 0.0, ELSEWHERE
    if not decides(evidence, bits, threshold):
        return 0.0, bits
    if evidence > 0.0 and not differs_enough(
        scores, targets, marker, scratch.placements, best_ref
    ):
        return 0.0, bits
    return evidence, bits


@kernel
def differs_enough(
    scores: ReadScores, targets: Targets, marker: int, placements: Ints, ref: int
) -> bool:
    """Tell whether errors alone could hardly make a read that shows a junction."""
    if targets.event[marker] <= SMALL_INDEL:
        return True
    first = targets.hap_start[marker]
    here, there = placement_of(placements, 0), placement_of(placements, ref)
    told = telling_phred(scores, targets, first, here, first + ref, there)
    return told >= TELLING_PHRED


@kernel
def place_on_haplotype(
    data: Bytes,
    record: int,
    targets: Targets,
    haplotype: int,
    scores: ReadScores,
    diagonals: Ints,
    anywhere: bool,
) -> tuple[float, Placement]:
    """Give a record's best score on a haplotype, and its placement.

    It is tried `anywhere`, or where its alignment says.
    """
    length = read_i32(data, record + 20)
    if anywhere:
        return score_everywhere(scores, length, targets, haplotype)
    count = find_diagonals(data, record, targets, haplotype, diagonals)
    return score_haplotype(scores, length, targets, haplotype, diagonals, count)


@kernel
def needs_gaps(
    data: Bytes, record: int, evidence: float, heard: int, threshold: float
) -> bool:
    """Tell whether a record must be aligned with gaps: its diagonals settle nothing."""
    if read_u16(data, record + 18) & 0x4 or abs(evidence) >= threshold:
        return False
    if heard & FITS_NEITHER:
        return True
    return has_gap(data, record) if heard == ELSEWHERE else is_broken(data, record)


@kernel
def weigh_record(
    data: Bytes,
    record: int,
    targets: Targets,
    marker: int,
    read_filter: ReadFilter,
    scratch: Scratch,
    scores: ReadScores,
    decoded: int,
) -> tuple[float, int, int]:
    """Weigh one record on the haplotypes of a marker.

    Returns evidence and bits, and the record decoded last.
    """
    if decoded != record:
        decode_read(data, record, read_filter, scores)
        silence_tail(data, record, read_i32(data, record + 20), scores)
    evidence, heard = weigh_haplotypes(data, record, targets, marker, scores, scratch)
    if needs_gaps(data, record, evidence, heard, targets.threshold[marker]):
        gapped, bits = weigh_gapped(
            data, record, targets, marker, scores, scratch.diagonals
        )
        if bits != ELSEWHERE:
            evidence, heard = gapped, bits
    return evidence, heard, record
