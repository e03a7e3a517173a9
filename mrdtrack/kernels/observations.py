"""One observation for each record and each marker it comes near."""

from __future__ import annotations

import numpy as np

from mrdtrack.kernels._compile import kernel, read_i32, read_u8, read_u16, read_u32
from mrdtrack.kernels.arrays import (
    CROSSES_JUNCTION,
    CROSSES_LEFT,
    CROSSES_RIGHT,
    DUPLICATE,
    ELSEWHERE,
    FITS_NEITHER,
    HAS_DEPTH,
    HAS_UMI,
    LOW_MAPPING_QUALITY,
    NO_QUALITIES,
    PAIRED,
    QC_FAIL,
    REVERSE,
    SECOND_OF_PAIR,
    SECONDARY,
    SMALL_INDEL,
    SPLIT,
    SUBSTITUTION,
    UNMAPPED,
    Bytes,
    Floats,
    Ints,
    Observations,
    ReadFilter,
    Targets,
)
from mrdtrack.kernels.bam_records import (
    cigar_span,
    find_tag,
    hash_name,
    overlapping_end,
    record_end,
    tag_text_span,
)
from mrdtrack.kernels.evidence import (
    all_diagonals,
    crossings,
    decode_read,
    find_diagonals,
    misfit,
    score_haplotype,
)
from mrdtrack.kernels.umi import pack_umi

NEITHER_PHRED = 20.0
"""A read this far from its better haplotype may fit neither."""
MATE_REACH = 600
"""Bases from a window within which an unmapped read may be placed by its mate."""
RESCUE_PHRED = 100.0
"""Score on the alternative haplotype from which an unmapped read is looked at."""
TIE_PHRED = 0.5
"""Haplotypes whose scores differ by less fit a read equally well."""
MAX_DIAGONALS = 64
MAX_HAPLOTYPES = 3


@kernel
def record_bits(data: Bytes, record: int, read_filter: ReadFilter) -> int:
    """Translate the flags, mapping quality and depth tag of a record."""
    flag = read_u16(data, record + 18)
    bits = 0
    if flag & 0x1:
        bits |= PAIRED
        if flag & 0x80:
            bits |= SECOND_OF_PAIR
    if flag & 0x10:
        bits |= REVERSE
    if flag & 0x200:
        bits |= QC_FAIL
    if flag & 0x400:
        bits |= DUPLICATE
    if flag & 0x4:
        bits |= UNMAPPED
    elif read_u8(data, record + 13) < read_filter.min_mapping_quality:
        bits |= LOW_MAPPING_QUALITY
    if flag & 0x800:
        bits |= SPLIT
    if flag & 0x100:
        bits |= SPLIT if find_tag(data, record, 83, 65) >= 0 else SECONDARY
    if find_tag(data, record, 99, 68) >= 0:
        bits |= HAS_DEPTH
    return bits


@kernel
def name_key(data: Bytes, record: int) -> int:
    """Give the hash of the read name as a signed number, 63 bits of it."""
    return np.int64(hash_name(data, record) >> 1)


@kernel
def read_umi(data: Bytes, record: int, read_filter: ReadFilter) -> int:
    """Give the packed UMI of a record from the first of the tags it has, else 0."""
    for t in range(read_filter.umi_tags.shape[0] // 2):
        first, second = read_filter.umi_tags[2 * t], read_filter.umi_tags[2 * t + 1]
        tag = find_tag(data, record, first, second)
        if tag >= 0:
            start, end = tag_text_span(data, tag)
            if end > start >= 0:
                return pack_umi(data, start, end)
    return 0


@kernel
def fragment_start(data: Bytes, record: int) -> int:
    """Give the leftmost position of the fragment that a record knows of."""
    position = read_i32(data, record + 8)
    flag = read_u16(data, record + 18)
    mate = read_i32(data, record + 28)
    same_contig = read_i32(data, record + 24) == read_i32(data, record + 4)
    if flag & 0x1 and not flag & 0x8 and same_contig and 0 <= mate < position:
        return mate
    return position


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
        if operation == 0 or operation == 7 or operation == 8:
            if reference < position + size:
                return query + reference - position
            position += size
            query += size
        elif operation == 1 or operation == 4:
            query += size
        elif operation == 2 or operation == 3:
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
    codes: Ints,
    match: Floats,
    mismatch: Floats,
) -> tuple[float, int]:
    """Weigh the bases of a record at the changed positions of a substitution.

    Returns the phred evidence and the bits FITS_NEITHER or ELSEWHERE.
    """
    alt, ref = targets.hap_start[marker], targets.hap_start[marker] + 1
    mark = targets.mark_start[alt]
    flank = targets.mark_low[mark]
    size = targets.mark_high[mark] - flank
    alt_at, ref_at = targets.base_start[alt] + flank, targets.base_start[ref] + flank
    low = targets.anchor_low[targets.anchor_start[ref]] + flank
    evidence, miss_alt, miss_ref = 0.0, 0.0, 0.0
    seen = 0
    deleted = False
    for i in range(size):
        wanted, normal = targets.bases[alt_at + i], targets.bases[ref_at + i]
        if wanted == normal:
            continue
        place = read_position(data, record, low + i)
        if place == -2:
            deleted = True
        if place < 0:
            continue
        seen += 1
        code = codes[0, place]
        if code > 3:
            continue
        gain = match[0, place] - mismatch[0, place]
        if code == wanted:
            evidence += gain
            miss_ref += gain
        elif code == normal:
            evidence -= gain
            miss_alt += gain
        else:
            miss_alt += gain
            miss_ref += gain
    if deleted:
        return 0.0, FITS_NEITHER
    if seen == 0:
        return 0.0, ELSEWHERE
    missed = min(miss_alt, miss_ref)
    if missed >= NEITHER_PHRED and missed >= abs(evidence):
        return 0.0, FITS_NEITHER
    return evidence, CROSSES_JUNCTION


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
    codes: Ints,
    match: Floats,
    mismatch: Floats,
    diagonals: Ints,
    placements: Ints,
) -> tuple[float, int]:
    """Weigh a record on all haplotypes of a marker.

    Returns the phred evidence and the bits of the marks crossed, FITS_NEITHER or
    ELSEWHERE.
    """
    length = read_i32(data, record + 20)
    unmapped = read_u16(data, record + 18) & 0x4
    first, last = targets.hap_start[marker], targets.hap_start[marker + 1]
    event = targets.event[marker]
    scores = np.zeros(MAX_HAPLOTYPES)
    for h in range(first, last):
        if unmapped:
            everywhere = all_diagonals(length, targets, h)
            scores[h - first] = score_haplotype(
                codes, match, mismatch, length, targets, h,
                everywhere, everywhere.shape[0], placements[h - first],
            )
            if h == first and scores[0] < RESCUE_PHRED:
                return 0.0, ELSEWHERE
        else:
            count = find_diagonals(data, record, targets, h, diagonals)
            scores[h - first] = score_haplotype(
                codes, match, mismatch, length, targets, h,
                diagonals, count, placements[h - first],
            )
    best_ref = 0.0
    for h in range(first + 1, last):
        best_ref = max(best_ref, scores[h - first])
    cap = targets.cap[marker]
    evidence = min(max(scores[0] - best_ref, -cap), cap)
    best = max(scores[0], best_ref)
    bits = 0
    reaches = False
    missed = 1e9
    for h in range(first, last):
        if scores[h - first] <= 0.0 or scores[h - first] < best - TIE_PHRED:
            continue
        placement = placements[h - first]
        crossed, touches = crossings(targets, h, placement, event)
        bits |= crossed
        reaches = reaches or touches
        missed = min(
            missed,
            misfit(codes, match, mismatch, length, targets, h, placement),
        )
    if missed < 1e9 and missed >= NEITHER_PHRED and missed >= abs(evidence):
        return 0.0, FITS_NEITHER
    if not reaches:
        return 0.0, ELSEWHERE
    if not decides(evidence, bits, targets.threshold[marker]):
        return 0.0, bits
    return evidence, bits


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
def enlarged_ints(values: Ints) -> Ints:
    """Copy to an array of twice the size."""
    larger = np.zeros(2 * values.shape[0], np.int64)
    larger[: values.shape[0]] = values
    return larger


@kernel
def longest_read(data: Bytes) -> int:
    """Give the most bases a record of the chunk has."""
    longest = 0
    record = 0
    while record < data.shape[0]:
        longest = max(longest, read_i32(data, record + 20))
        record = record_end(data, record)
    return longest


@kernel
def observe_records(
    data: Bytes, targets: Targets, read_filter: ReadFilter
) -> Observations:
    """Weigh all records of a chunk for all markers they come near.

    `data` holds whole, validated BAM records. A record in a marker's window that does
    not reach the marker gives an observation with the bit ELSEWHERE.
    """
    size = 1024
    marker_of = np.zeros(size, np.int64)
    name_of = np.zeros(size, np.int64)
    umi_of = np.zeros(size, np.int64)
    start_of = np.zeros(size, np.int64)
    evidence_of = np.zeros(size, np.float64)
    flags_of = np.zeros(size, np.int64)
    longest = longest_read(data)
    codes = np.zeros((2, longest), np.int64)
    match = np.zeros((2, longest), np.float64)
    mismatch = np.zeros((2, longest), np.float64)
    diagonals = np.zeros((MAX_DIAGONALS, 2), np.int64)
    placements = np.zeros((MAX_HAPLOTYPES, 4), np.int64)
    n = 0
    record = 0
    while record < data.shape[0]:
        this = record
        record = record_end(data, this)
        contig = read_i32(data, this + 4)
        position = read_i32(data, this + 8)
        if contig < 0 or position < 0 or read_i32(data, this + 20) == 0:
            continue
        end = overlapping_end(data, this)
        unmapped = read_u16(data, this + 18) & 0x4
        reach = MATE_REACH if unmapped else 0
        decoded = False
        bits = 0
        for w in range(last_window(targets, contig, end + reach), -1, -1):
            if targets.window_contig[w] < contig:
                break
            if targets.window_reach[w] + reach <= position:
                break
            if targets.window_high[w] + reach <= position:
                continue
            marker = targets.window_marker[w]
            event = targets.event[marker]
            if unmapped and (event == SUBSTITUTION or event == SMALL_INDEL):
                continue
            if not decoded:
                decoded = True
                bits = record_bits(data, this, read_filter)
                if decode_read(data, this, read_filter, codes, match, mismatch):
                    bits |= NO_QUALITIES
            if event == SUBSTITUTION:
                evidence, said = weigh_substitution(
                    data, this, targets, marker, codes, match, mismatch
                )
            else:
                evidence, said = weigh_haplotypes(
                    data, this, targets, marker, codes, match, mismatch,
                    diagonals, placements,
                )
            if n == marker_of.shape[0]:
                marker_of = enlarged_ints(marker_of)
                start_of = enlarged_ints(start_of)
                flags_of = enlarged_ints(flags_of)
                name_of = enlarged_ints(name_of)
                umi_of = enlarged_ints(umi_of)
                evidence_of = enlarged_ints(evidence_of.view(np.int64)).view(np.float64)
            umi = read_umi(data, this, read_filter)
            marker_of[n] = marker
            name_of[n] = name_key(data, this)
            umi_of[n] = umi
            start_of[n] = fragment_start(data, this)
            evidence_of[n] = evidence
            flags_of[n] = bits | said | (HAS_UMI if umi != 0 else 0)
            n += 1
    return Observations(
        marker_of[:n].copy(),
        name_of[:n].copy(),
        umi_of[:n].copy(),
        start_of[:n].copy(),
        evidence_of[:n].copy(),
        flags_of[:n].copy(),
    )
