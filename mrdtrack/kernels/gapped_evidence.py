"""Evidence of reads with an indel of their own near a marker.

Only reads that no single diagonal settles come here: few of short reads, most of long
ones. They are aligned to every haplotype of the marker with gaps, and judged by the
same rules as the others.
"""

from __future__ import annotations

import numpy as np

from mrdtrack.kernels._compile import kernel, read_i32
from mrdtrack.kernels.arrays import (
    ELSEWHERE,
    FITS_NEITHER,
    SMALL_INDEL,
    Bytes,
    Floats,
    Ints,
    Placement,
    ReadScores,
    Targets,
)
from mrdtrack.kernels.evidence import (
    CLIP_PHRED,
    MAX_HAPLOTYPES,
    NEAR,
    NEITHER_PHRED,
    TELLING_PHRED,
    TIE_PHRED,
    UNEXPLAINED,
    UNREACHED,
    base_score,
    crossings,
    decides,
    is_clear_other,
    known_bases,
)
from mrdtrack.kernels.gapped import (
    GAP_EXTEND,
    align_haplotype,
    count_gaps,
    gap_price,
    is_spliced,
)

OTHER_GAP = 40.0
"""Price of the gaps at a join from which a read holds another one."""
GAP_NEAR = 2
"""Bases beside a mark within which a gap belongs to it."""


@kernel
def stretch_of(
    scores: ReadScores, strand: int, length: int, place: Ints, stretch: Ints
) -> None:
    """Write begin and end of an alignment on the haplotype, then on the read.

    Unknown bases at its ends are not of it.
    """
    row = strand * scores.stride
    stretch[:] = 0
    seen = False
    for i in range(length):
        if place[i] < 0 or scores.codes[row + i] > 3:
            continue
        if not seen:
            stretch[0], stretch[2] = place[i], i
            seen = True
        stretch[1], stretch[3] = place[i] + 1, i + 1


@kernel
def gap_play(codes: Bytes, low: int, high: int, least: int, most: int) -> Placement:
    """Say how far a gap of the bases [low, high) may be moved and mean the same.

    `codes` are those of the sequence that has the bases, within [least, most). The
    result holds the steps to the left and to the right as `begin` and `end`.
    """
    left, right = 0, 0
    while low - left > least and codes[low - left - 1] == codes[high - left - 1]:
        left += 1
    while high + right < most and codes[high + right] == codes[low + right]:
        right += 1
    return Placement(left, right, 0, 0)


@kernel
def gaps_at(
    scores: ReadScores,
    strand: int,
    targets: Targets,
    haplotype: int,
    place: Ints,
    stretch: Ints,
    low: int,
    high: int,
    opening: float,
) -> float:
    """Price the gaps of an alignment that touch haplotype positions [low, high).

    One in a repeat stands anywhere in it: what may be moved to the marks is there.
    """
    first, row = targets.base_start[haplotype], strand * scores.stride
    total = 0.0
    before, at = stretch[0] - 1, stretch[2] - 1
    for i in range(stretch[2], stretch[3]):
        j = place[i]
        if j < 0:
            continue
        size = max(i - at, j - before) - 1
        if size > 0:
            if i - at > 1:
                codes, begin, end = scores.codes, row + at + 1, row + i
                least, most = row + stretch[2], row + stretch[3]
            else:
                codes, begin, end = targets.bases, first + before + 1, first + j
                least, most = first + stretch[0], first + stretch[1]
            play = gap_play(codes, begin, end, least, most)
            if before - play.begin < high and j + play.end >= low:
                total += opening + GAP_EXTEND * (size - 1)
        before, at = j, i
    return total


@kernel
def mismatch_at(
    scores: ReadScores,
    strand: int,
    targets: Targets,
    haplotype: int,
    place: Ints,
    stretch: Ints,
    low: int,
    high: int,
) -> float:
    """Give the phred by which aligned bases miss haplotype positions [low, high)."""
    first = targets.base_start[haplotype]
    row = strand * scores.stride
    missed = 0.0
    for i in range(stretch[2], stretch[3]):
        if not low <= place[i] < high:
            continue
        gain = scores.match[row + i]
        got = base_score(
            int(scores.codes[row + i]),
            int(targets.bases[first + place[i]]),
            gain,
            scores.mismatch[row + i],
        )
        missed += gain - got
    return missed


@kernel
def clearly_differs_gapped(
    scores: ReadScores,
    strand: int,
    targets: Targets,
    haplotype: int,
    place: Ints,
    stretch: Ints,
) -> bool:
    """Tell whether an aligned read has a clear other base among a haplotype's own."""
    first, row = targets.base_start[haplotype], strand * scores.stride
    low, high = targets.own_low[haplotype], targets.own_high[haplotype]
    for i in range(stretch[2], stretch[3]):
        if not low <= place[i] < high:
            continue
        if is_clear_other(scores, row + i, int(targets.bases[first + place[i]])):
            return True
    return False


@kernel
def misfit_gapped(
    scores: ReadScores,
    strand: int,
    length: int,
    targets: Targets,
    haplotype: int,
    place: Ints,
    stretch: Ints,
    novel: int,
    opening: float,
    spliced: bool,
) -> tuple[float, float]:
    """Give the phred an alignment misses at the marks inside it, and that of its gaps.

    A tail of `UNEXPLAINED` bases or more that begins near a mark counts too, unless the
    read is `spliced`.
    """
    size = targets.base_start[haplotype + 1] - targets.base_start[haplotype]
    tail_before = min(stretch[2], stretch[0])
    tail_after = min(length - stretch[3], size - stretch[1])
    if spliced:
        tail_before, tail_after = 0, 0
    row = strand * scores.stride
    before = known_bases(scores, row + stretch[2] - tail_before, row + stretch[2])
    after = known_bases(scores, row + stretch[3], row + stretch[3] + tail_after)
    worst, worst_gap = 0.0, 0.0
    for k in range(targets.mark_start[haplotype], targets.mark_start[haplotype + 1]):
        low, high = targets.mark_low[k], targets.mark_high[k]
        if stretch[0] - tail_before > low - 1 or stretch[1] + tail_after < high + 1:
            continue
        gaps = gaps_at(
            scores,
            strand,
            targets,
            haplotype,
            place,
            stretch,
            low - GAP_NEAR,
            high + GAP_NEAR,
            opening,
        )
        missed = gaps
        if novel:
            missed += mismatch_at(
                scores, strand, targets, haplotype, place, stretch, low - 1, high + 1
            )
        if before >= UNEXPLAINED and low - NEAR <= stretch[0] < high + NEAR:
            missed += CLIP_PHRED
        if after >= UNEXPLAINED and low - NEAR < stretch[1] <= high + NEAR:
            missed += CLIP_PHRED
        worst, worst_gap = max(worst, missed), max(worst_gap, gaps)
    return worst, worst_gap


@kernel
def telling_gapped(
    scores: ReadScores,
    targets: Targets,
    better: int,
    place: Ints,
    strand: int,
    worse: int,
    other: Ints,
    other_strand: int,
    length: int,
) -> float:
    """Weigh the errors that would turn one aligned haplotype into the other one."""
    first, second = targets.base_start[better], targets.base_start[worse]
    row = strand * scores.stride
    told = 0.0
    for i in range(length):
        code = int(scores.codes[row + i])
        if place[i] < 0 or code > 3 or scores.match[row + i] <= 0.0:
            continue
        if code != int(targets.bases[first + place[i]]):
            continue
        at = other[i] if strand == other_strand else -1
        if at < 0 or code != int(targets.bases[second + at]):
            told += scores.match[row + i] - scores.mismatch[row + i]
    return told


@kernel
def weigh_gapped(
    data: Bytes,
    record: int,
    targets: Targets,
    marker: int,
    scores: ReadScores,
    diagonals: Ints,
) -> tuple[float, int]:
    """Weigh a record on all haplotypes of a marker, with gaps of its own.

    Returns the phred evidence and the bits of the marks crossed, FITS_NEITHER or
    ELSEWHERE, as `weights.weigh_haplotypes` does.
    """
    first, last = targets.hap_start[marker], targets.hap_start[marker + 1]
    event, anchor = targets.event[marker], targets.anchor[marker]
    threshold, cap = targets.threshold[marker], targets.cap[marker]
    length = read_i32(data, record + 20)
    opening = gap_price(count_gaps(data, record), length)
    places = np.full((MAX_HAPLOTYPES, 2, length), -1, np.int64)
    stretches = np.zeros((MAX_HAPLOTYPES, 4), np.int64)
    strands = np.zeros(MAX_HAPLOTYPES, np.int64)
    phred = np.zeros(MAX_HAPLOTYPES)
    for h in range(first, last):
        phred[h - first], strands[h - first] = align_haplotype(
            data, record, targets, h, scores, opening, diagonals, places[h - first]
        )
        stretch_of(
            scores,
            strands[h - first],
            length,
            places[h - first, 0],
            stretches[h - first],
        )
    lead = phred[0] - phred[1:].max()
    evidence = min(max(lead, -cap), cap)
    bits, reaches = 0, False
    missed, gaps = UNREACHED, 0.0
    other_bases = True
    for h in range(first, last):
        n = h - first
        tied = phred[n] >= phred.max() - TIE_PHRED
        decided = n > 0 and phred[n] >= phred[0] + threshold
        if phred[n] <= 0.0 or not (tied or decided):
            continue
        placed = Placement(stretches[n, 0], stretches[n, 1], 0, strands[n])
        crossed, touches = crossings(targets, h, placed, event, anchor)
        bits |= crossed
        reaches = reaches or touches
        if tied:
            miss, gap = misfit_gapped(
                scores,
                strands[n],
                length,
                targets,
                h,
                places[n, 0],
                stretches[n],
                targets.novel[marker],
                opening,
                is_spliced(data, record),
            )
            if miss < missed:
                missed, gaps = miss, gap
            other_bases = other_bases and clearly_differs_gapped(
                scores, strands[n], targets, h, places[n, 0], stretches[n]
            )
    another = event > SMALL_INDEL and gaps >= OTHER_GAP
    unlike = missed >= max(NEITHER_PHRED, abs(evidence))
    if missed < UNREACHED and (unlike or another or other_bases):
        return 0.0, FITS_NEITHER
    if not reaches:
        return 0.0, ELSEWHERE
    return settle_gapped(
        scores, targets, marker, places, strands, phred, length, evidence, bits
    )


@kernel
def settle_gapped(
    scores: ReadScores,
    targets: Targets,
    marker: int,
    places: Ints,
    strands: Ints,
    phred: Floats,
    length: int,
    evidence: float,
    bits: int,
) -> tuple[float, int]:
    """Take evidence back that is not anchored, or that too few bases tell."""
    if not decides(evidence, bits, targets.threshold[marker]):
        return 0.0, bits
    if evidence > 0.0 and targets.event[marker] > SMALL_INDEL:
        first = targets.hap_start[marker]
        ref = 1 + int(phred[1:].argmax())
        told = telling_gapped(
            scores,
            targets,
            first,
            places[0, 0],
            strands[0],
            first + ref,
            places[ref, 0],
            strands[ref],
            length,
        )
        if told < TELLING_PHRED:
            return 0.0, bits
    return evidence, bits
