"""One observation for each record and each marker it comes near."""

from __future__ import annotations

import numpy as np

from mrdtrack.kernels._compile import kernel, read_i32, read_u16, read_u32
from mrdtrack.kernels.arrays import (
    CROSSES_JUNCTION,
    CROSSES_LEFT,
    CROSSES_RIGHT,
    ELSEWHERE,
    FITS_NEITHER,
    HAS_UMI,
    INSIDE_READ,
    NO_QUALITIES,
    SMALL_INDEL,
    SUBSTITUTION,
    Bytes,
    Candidates,
    Ints,
    Observations,
    ReadFilter,
    ReadScores,
    Targets,
)
from mrdtrack.kernels.bam_records import (
    cigar_span,
    overlapping_end,
    record_end,
)
from mrdtrack.kernels.evidence import (
    all_diagonals,
    crossings,
    decode_read,
    find_diagonals,
    misfit,
    score_haplotype,
    telling_bases,
)
from mrdtrack.kernels.record_facts import (
    enlarged_ints,
    fragment_start,
    longest_read,
    name_key,
    read_umi,
    record_bits,
)

NEITHER_PHRED = 20.0
"""A read this far from its better haplotype may fit neither."""
MATE_REACH = 600
"""Bases from a window within which an unmapped read may be placed by its mate."""
RESCUE_PHRED = 100.0
"""Score on the alternative haplotype from which an unmapped read is looked at."""
TELLING_BASES = 3
"""Bases in which a read must differ from every reference to show a junction."""
TIE_PHRED = 0.5
"""Haplotypes whose scores differ by less fit a read equally well."""
READ_END = 6
"""Bases at either end of a read in which end repair and misalignment make errors."""
UNREACHED = 1e9
MAX_DIAGONALS = 64
MAX_HAPLOTYPES = 3


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
    targets: Targets,
    marker: int,
    scores: ReadScores,
) -> tuple[float, int]:
    """Weigh the bases of a record at the changed positions of a substitution.

    Returns the phred evidence and the bits CROSSES_JUNCTION with INSIDE_READ,
    FITS_NEITHER or ELSEWHERE.
    """
    alt, ref = targets.hap_start[marker], targets.hap_start[marker] + 1
    mark = targets.mark_start[alt]
    flank = targets.mark_low[mark]
    size = targets.mark_high[mark] - flank
    alt_at, ref_at = targets.base_start[alt] + flank, targets.base_start[ref] + flank
    low = targets.anchor_low[targets.anchor_start[ref]] + flank
    miss_alt, miss_ref = 0.0, 0.0
    seen = 0
    inside = 0
    deleted = False
    last = read_i32(data, record + 20) - READ_END
    for i in range(size):
        wanted, normal = targets.bases[alt_at + i], targets.bases[ref_at + i]
        if wanted == normal:
            continue
        place = read_position(data, record, low + i)
        deleted = deleted or place == -2
        if place < 0:
            continue
        seen += 1
        code = scores.codes[0, place]
        gain = scores.match[0, place] - scores.mismatch[0, place] if code < 4 else 0.0
        if gain > 0.0 and READ_END <= place < last:
            inside = INSIDE_READ
        miss_alt += 0.0 if code == wanted else gain
        miss_ref += 0.0 if code == normal else gain
    if deleted:
        return 0.0, FITS_NEITHER
    if seen == 0:
        return 0.0, ELSEWHERE
    evidence = miss_ref - miss_alt
    missed = min(miss_alt, miss_ref)
    if missed >= NEITHER_PHRED and missed >= abs(evidence):
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
def decides(evidence: float, bits: int, threshold: float) -> bool:
    """Tell whether evidence about an indel or junction is anchored on both sides."""
    if evidence >= threshold:
        return bits & CROSSES_JUNCTION != 0
    if evidence <= -threshold:
        return bits & (CROSSES_LEFT | CROSSES_RIGHT) != 0
    return True


@kernel
def weigh_haplotypes(
    data: Bytes,
    record: int,
    targets: Targets,
    marker: int,
    scores: ReadScores,
    diagonals: Ints,
    placements: Ints,
) -> tuple[float, int]:
    """Weigh a record on all haplotypes of a marker.

    Returns the phred evidence and the bits of the marks crossed, FITS_NEITHER or
    ELSEWHERE.
    """
    first, last = targets.hap_start[marker], targets.hap_start[marker + 1]
    event = targets.event[marker]
    phred = np.zeros(MAX_HAPLOTYPES)
    for h in range(first, last):
        phred[h - first] = place_on_haplotype(
            data, record, targets, h, scores, diagonals, placements[h - first]
        )
        if h == first and phred[0] < RESCUE_PHRED and read_u16(data, record + 18) & 4:
            return 0.0, ELSEWHERE
    cap = targets.cap[marker]
    evidence = min(max(phred[0] - phred[1:].max(), -cap), cap)
    length = read_i32(data, record + 20)
    novel = targets.novel[marker]
    bits = 0
    reaches = False
    missed = UNREACHED
    for h in range(first, last):
        decided = h > first and phred[h - first] >= phred[0] + targets.threshold[marker]
        tied = phred[h - first] >= phred.max() - TIE_PHRED
        if phred[h - first] <= 0.0 or not (tied or decided):
            continue
        placement = placements[h - first]
        crossed, touches = crossings(
            targets, h, placement, event, targets.anchor[marker]
        )
        bits |= crossed
        reaches = reaches or touches
        if tied:
            missed = min(missed, misfit(scores, length, targets, h, placement, novel))
    lead = phred[0] - phred[1:].max()
    told_apart = abs(evidence) if novel else abs(lead)
    if UNREACHED > missed >= max(NEITHER_PHRED, told_apart):
        return 0.0, FITS_NEITHER
    if not reaches:
        return 0.0, ELSEWHERE
    if not decides(evidence, bits, targets.threshold[marker]):
        return 0.0, bits
    best_ref = 1 + int(phred[1:].argmax())
    if evidence > 0.0 and not differs_enough(
        scores, targets, marker, placements, best_ref
    ):
        return 0.0, bits
    return evidence, bits


@kernel
def differs_enough(
    scores: ReadScores, targets: Targets, marker: int, placements: Ints, ref: int
) -> bool:
    """Tell whether a read differs from the reference in the bases a junction needs."""
    if targets.event[marker] <= SMALL_INDEL:
        return True
    first = targets.hap_start[marker]
    told = telling_bases(
        scores, targets, first, placements[0], first + ref, placements[ref]
    )
    return told >= TELLING_BASES


@kernel
def place_on_haplotype(
    data: Bytes,
    record: int,
    targets: Targets,
    haplotype: int,
    scores: ReadScores,
    diagonals: Ints,
    placement: Ints,
) -> float:
    """Give a record's best score on a haplotype; write its placement.

    Unmapped reads are tried everywhere, mapped ones where their alignment says.
    """
    length = read_i32(data, record + 20)
    if read_u16(data, record + 18) & 0x4:
        tried = all_diagonals(length, targets, haplotype)
        count = tried.shape[0]
    else:
        tried = diagonals
        count = find_diagonals(data, record, targets, haplotype, diagonals)
    return score_haplotype(scores, length, targets, haplotype, tried, count, placement)


@kernel
def last_window(targets: Targets, contig: int, end: int) -> int:
    """Find the last window that starts before `end` on the contig (or before it)."""
    low, high = 0, targets.window_low.shape[0]
    while low < high:
        middle = (low + high) // 2
        before = targets.window_contig[middle] < contig
        here = targets.window_contig[middle] == contig
        if before or (here and targets.window_low[middle] < end):
            low = middle + 1
        else:
            high = middle
    return low - 1


@kernel
def find_candidates(data: Bytes, targets: Targets) -> Candidates:
    """List the records of a chunk that lie in windows of markers."""
    records = np.zeros(1024, np.int64)
    markers = np.zeros(1024, np.int64)
    n = 0
    record = 0
    while record < data.shape[0]:
        this = record
        record = record_end(data, this)
        contig = read_i32(data, this + 4)
        position = read_i32(data, this + 8)
        if contig < 0 or position < 0 or read_i32(data, this + 20) == 0:
            continue
        unmapped = read_u16(data, this + 18) & 0x4 != 0
        reach = MATE_REACH if unmapped else 0
        end = overlapping_end(data, this) + reach
        for w in range(last_window(targets, contig, end), -1, -1):
            if targets.window_contig[w] < contig:
                break
            if targets.window_reach[w] + reach <= position:
                break
            m = targets.window_marker[w]
            placed_by_mate = unmapped and targets.event[m] <= SMALL_INDEL
            if targets.window_high[w] + reach <= position or placed_by_mate:
                continue
            if n == records.shape[0]:
                records, markers = enlarged_ints(records), enlarged_ints(markers)
            records[n] = this
            markers[n] = m
            n += 1
    return Candidates(records[:n].copy(), markers[:n].copy())


@kernel
def observe_records(
    data: Bytes, targets: Targets, read_filter: ReadFilter
) -> Observations:
    """Weigh all records of a chunk for all markers they come near.

    `data` holds whole, validated BAM records. A record in a marker's window that does
    not reach the marker gives an observation with the bit ELSEWHERE.
    """
    found = find_candidates(data, targets)
    n = found.record.shape[0]
    said = Observations(
        found.marker,
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.float64),
        np.zeros(n, np.int64),
    )
    longest = longest_read(data) if n > 0 else 0
    scores = ReadScores(
        np.zeros((2, longest), np.int64),
        np.zeros((2, longest), np.float64),
        np.zeros((2, longest), np.float64),
    )
    diagonals = np.zeros((MAX_DIAGONALS, 2), np.int64)
    placements = np.zeros((MAX_HAPLOTYPES, 4), np.int64)
    decoded, bits = -1, 0
    for i in range(n):
        record, marker = found.record[i], found.marker[i]
        if record != decoded:
            decoded = record
            bits = record_bits(data, record, read_filter)
            if decode_read(data, record, read_filter, scores):
                bits |= NO_QUALITIES
        heard = ELSEWHERE
        if targets.event[marker] == SUBSTITUTION:
            said.evidence[i], heard = weigh_substitution(
                data, record, targets, marker, scores
            )
        if heard == ELSEWHERE and has_haplotypes(targets, marker):
            said.evidence[i], heard = weigh_haplotypes(
                data, record, targets, marker, scores, diagonals, placements
            )
        said.name[i] = name_key(data, record)
        said.umi[i] = read_umi(data, record, read_filter)
        said.start[i] = fragment_start(data, record)
        said.flags[i] = bits | heard | (HAS_UMI if said.umi[i] != 0 else 0)
    return said
