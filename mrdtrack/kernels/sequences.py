"""Find given sequences in all records of a chunk, within a few edits, on both strands.

Each sequence is cut into one piece more than edits are allowed, so a match holds at
least one piece unchanged (the pigeonhole principle). The first `k` bases of every
piece of a sequence and of its reverse complement are seeds; a bitmap of all seeds is
asked once a base, and a hit is verified by a banded alignment of the whole sequence.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import kernel, read_i32, read_u8, read_u16
from mrdtrack.kernels.arrays import (
    HAS_UMI,
    LOW_MAPPING_QUALITY,
    Bytes,
    Ints,
    Observations,
    ReadFilter,
)
from mrdtrack.kernels.bam_records import record_end, sequence_start
from mrdtrack.kernels.observations import (
    enlarged_ints,
    longest_read,
    name_key,
    read_umi,
    record_bits,
)

MATCHED_PHRED = 1000.0
"""Evidence of a read that holds a sequence; the number of edits is taken off."""
BAD_EDITS = 1000
_CODE_OF_NIBBLE = np.array([4, 0, 1, 4, 2, 4, 4, 4, 3, 4, 4, 4, 4, 4, 4, 4], np.int64)


class SequenceIndex(NamedTuple):
    """Sequences to be found: P patterns (each sequence on both strands), S seeds."""

    k: int
    bitmap: Bytes  # [4^k / 8] one bit a k-mer
    seed_kmer: Ints  # [S] sorted
    seed_pattern: Ints  # [S]
    seed_offset: Ints  # [S] where the seed stands in its pattern
    pattern_start: Ints  # [P + 1]
    bases: Bytes  # codes of all patterns
    pattern_marker: Ints  # [P] the sequence a pattern belongs to
    max_edits: Ints  # [P]
    join: Ints  # [P] first base after the join, -1 without one
    join_anchor: int  # bases needed on either side of a join


class ScanResult(NamedTuple):
    """Matches of a chunk, and how many fragments (and which UMIs) it holds."""

    observations: Observations
    n_fragments: int
    umis: Ints  # [n_fragments] UMIs of the fragments, 0 without one


@kernel
def decode_codes(data: Bytes, record: int, codes: Ints) -> int:
    """Write the base codes of a record; give their number."""
    n = read_i32(data, record + 20)
    sequence = sequence_start(data, record)
    for i in range(n):
        pair = read_u8(data, sequence + i // 2)
        codes[i] = _CODE_OF_NIBBLE[(pair >> 4) if i % 2 == 0 else (pair & 15)]
    return n


@kernel
def edits_to_hold(
    codes: Ints, n: int, index: SequenceIndex, pattern: int, begin: int, row: Ints
) -> int:
    """Give the edits by which a pattern near read position `begin` differs.

    The pattern is aligned whole to a stretch of the read that may begin and end up to
    `max_edits` bases off; BAD_EDITS when it needs more edits.
    """
    first = index.pattern_start[pattern]
    size = index.pattern_start[pattern + 1] - first
    limit = index.max_edits[pattern]
    width = 4 * limit + 1
    # row[d] holds the cost of the pattern so far ending at read base
    # begin + i + d - 2 * limit
    for d in range(width):
        row[d] = 0 if limit <= d <= 3 * limit else BAD_EDITS
        if not 0 <= begin + d - 2 * limit <= n:
            row[d] = BAD_EDITS
    for i in range(size):
        wanted = int(index.bases[first + i])
        best = BAD_EDITS
        left = BAD_EDITS
        for d in range(width):
            at = begin + i + d - 2 * limit
            cost = BAD_EDITS
            if 0 <= at < n:
                cost = row[d] + (0 if codes[at] == wanted else 1)
            if d + 1 < width and -1 <= at < n:
                cost = min(cost, row[d + 1] + 1)
            if 0 <= at < n:
                cost = min(cost, left + 1)
            row[d] = cost
            left = cost
            best = min(best, cost)
        if best > limit:
            return BAD_EDITS
    found = BAD_EDITS
    for d in range(width):
        found = min(found, row[d])
    return found if found <= limit else BAD_EDITS


@kernel
def edits_over_join(
    codes: Ints, n: int, index: SequenceIndex, pattern: int, begin: int
) -> int:
    """Give the mismatches of a read that holds a pattern's join but not its ends."""
    join = index.join[pattern]
    first = index.pattern_start[pattern]
    size = index.pattern_start[pattern + 1] - first
    low, high = max(0, -begin), min(size, n - begin)
    anchor = index.join_anchor
    if join < 0 or low > join - anchor or high < join + anchor:
        return BAD_EDITS
    edits = 0
    for i in range(low, high):
        if codes[begin + i] != index.bases[first + i]:
            edits += 1
            if edits > index.max_edits[pattern]:
                return BAD_EDITS
    return edits


@kernel
def first_seed(index: SequenceIndex, kmer: int) -> int:
    """Find the first seed with this k-mer."""
    low, high = 0, index.seed_kmer.shape[0]
    while low < high:
        middle = (low + high) // 2
        if index.seed_kmer[middle] < kmer:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def match_patterns(
    codes: Ints, n: int, index: SequenceIndex, edits: Ints, tried: Ints, row: Ints
) -> bool:
    """Write the fewest edits by which a read holds each pattern; tell if any is held.

    `edits` [P] is BAD_EDITS where the read does not hold the pattern. `tried` [P] is
    scratch: the place where a pattern was last verified.
    """
    k = index.k
    mask = (1 << (2 * k)) - 1
    kmer, valid = 0, 0
    touched = False
    for i in range(n):
        code = codes[i]
        if code > 3:
            valid = 0
            continue
        kmer = ((kmer << 2) | code) & mask
        valid += 1
        if valid < k or not (index.bitmap[kmer >> 3] >> (kmer & 7)) & 1:
            continue
        s = first_seed(index, kmer)
        while s < index.seed_kmer.shape[0] and index.seed_kmer[s] == kmer:
            if not touched:
                touched = True
                edits[:] = BAD_EDITS
                tried[:] = -(1 << 40)
            pattern = index.seed_pattern[s]
            begin = i - k + 1 - index.seed_offset[s]
            s += 1
            if tried[pattern] == begin or edits[pattern] == 0:
                continue
            tried[pattern] = begin
            found = edits_to_hold(codes, n, index, pattern, begin, row)
            if found == BAD_EDITS and index.join[pattern] >= 0:
                found = edits_over_join(codes, n, index, pattern, begin)
            edits[pattern] = min(edits[pattern], found)
    return touched


@kernel
def scan_sequences(
    data: Bytes, index: SequenceIndex, read_filter: ReadFilter
) -> ScanResult:
    """Find the sequences in all primary records of a chunk of whole records.

    A read belongs to the sequence it holds with the fewest edits; one that holds
    several equally well gives each an observation with evidence 0.
    """
    size = 256
    marker_of = np.zeros(size, np.int64)
    name_of = np.zeros(size, np.int64)
    umi_of = np.zeros(size, np.int64)
    evidence_of = np.zeros(size, np.int64)
    flags_of = np.zeros(size, np.int64)
    umis = np.zeros(size, np.int64)
    n_patterns = index.pattern_marker.shape[0]
    edits = np.zeros(n_patterns, np.int64)
    tried = np.zeros(n_patterns, np.int64)
    codes = np.zeros(longest_read(data), np.int64)
    row = np.zeros(4 * int(index.max_edits.max()) + 1, np.int64)
    n_fragments = 0
    n = 0
    record = 0
    while record < data.shape[0]:
        this = record
        record = record_end(data, this)
        flag = read_u16(data, this + 18)
        if flag & 0x900:
            continue
        if not flag & 0x600 and (not flag & 0x1 or not flag & 0x80):
            if n_fragments == umis.shape[0]:
                umis = enlarged_ints(umis)
            umis[n_fragments] = read_umi(data, this, read_filter)
            n_fragments += 1
        length = decode_codes(data, this, codes)
        if not match_patterns(codes, length, index, edits, tried, row):
            continue
        fewest = BAD_EDITS
        for p in range(n_patterns):
            fewest = min(fewest, edits[p])
        if fewest == BAD_EDITS:
            continue
        first_marker = -1
        tie = False
        for p in range(n_patterns):
            if edits[p] == fewest:
                m = index.pattern_marker[p]
                tie = tie or (first_marker >= 0 and m != first_marker)
                first_marker = m
        bits = record_bits(data, this, read_filter)
        bits = bits & ~LOW_MAPPING_QUALITY
        umi = read_umi(data, this, read_filter)
        written = -1
        for p in range(n_patterns):
            if edits[p] != fewest or index.pattern_marker[p] == written:
                continue
            written = index.pattern_marker[p]
            if n == marker_of.shape[0]:
                marker_of = enlarged_ints(marker_of)
                name_of = enlarged_ints(name_of)
                umi_of = enlarged_ints(umi_of)
                evidence_of = enlarged_ints(evidence_of)
                flags_of = enlarged_ints(flags_of)
            marker_of[n] = written
            name_of[n] = name_key(data, this)
            umi_of[n] = umi
            evidence_of[n] = 0 if tie else int(MATCHED_PHRED) - fewest
            flags_of[n] = bits | (HAS_UMI if umi != 0 else 0)
            n += 1
    observations = Observations(
        marker_of[:n].copy(),
        name_of[:n].copy(),
        umi_of[:n].copy(),
        np.zeros(n, np.int64),
        evidence_of[:n].astype(np.float64),
        flags_of[:n].copy(),
    )
    return ScanResult(
        observations, n_fragments, umis[:n_fragments].copy()
    )
