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
    Candidates,
    Ints,
    Observations,
    ReadFilter,
)
from mrdtrack.kernels.bam_records import record_end, sequence_start
from mrdtrack.kernels.record_facts import (
    enlarged_ints,
    longest_read,
    name_key,
    read_umi,
    record_bits,
)

MATCHED_PHRED = 1000
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
    """Matches of a chunk, and the fragments it holds."""

    observations: Observations
    umis: Ints  # [F] UMI of each fragment, 0 without one


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
def best_markers(edits: Ints, index: SequenceIndex, markers: Ints) -> tuple[int, int]:
    """Write the sequences held with the fewest edits; give their number and the edits.

    The two patterns of a sequence stand side by side in the index.
    """
    fewest = edits.min()
    n = 0
    if fewest == BAD_EDITS:
        return 0, fewest
    for p in range(edits.shape[0]):
        m = index.pattern_marker[p]
        if edits[p] == fewest and (n == 0 or markers[n - 1] != m):
            markers[n] = m
            n += 1
    return n, fewest


@kernel
def find_sequences(data: Bytes, index: SequenceIndex) -> tuple[Candidates, Ints]:
    """List the primary records of a chunk and the sequences they hold best.

    The second array gives the evidence of each: `MATCHED_PHRED` less the edits, or 0
    where a record holds several sequences equally well.
    """
    n_patterns = index.pattern_marker.shape[0]
    edits = np.zeros(n_patterns, np.int64)
    tried = np.zeros(n_patterns, np.int64)
    held = np.zeros(n_patterns, np.int64)
    codes = np.zeros(longest_read(data), np.int64)
    row = np.zeros(4 * index.max_edits.max() + 1, np.int64)
    records = np.zeros(256, np.int64)
    markers = np.zeros(256, np.int64)
    evidence = np.zeros(256, np.int64)
    n = 0
    record = 0
    while record < data.shape[0]:
        this = record
        record = record_end(data, this)
        if read_u16(data, this + 18) & 0x900:
            continue
        length = decode_codes(data, this, codes)
        if not match_patterns(codes, length, index, edits, tried, row):
            continue
        n_held, fewest = best_markers(edits, index, held)
        for j in range(n_held):
            if n == records.shape[0]:
                records = enlarged_ints(records)
                markers = enlarged_ints(markers)
                evidence = enlarged_ints(evidence)
            records[n] = this
            markers[n] = held[j]
            evidence[n] = MATCHED_PHRED - fewest if n_held == 1 else 0
            n += 1
    return Candidates(records[:n].copy(), markers[:n].copy()), evidence[:n].copy()


@kernel
def fragment_umis(data: Bytes, read_filter: ReadFilter) -> Ints:
    """Give the UMI of each fragment of a chunk, 0 without one.

    A fragment is counted at its first (or only) primary record that is neither a
    duplicate nor failed quality control.
    """
    umis = np.zeros(1024, np.int64)
    n = 0
    record = 0
    while record < data.shape[0]:
        this = record
        record = record_end(data, this)
        flag = read_u16(data, this + 18)
        if flag & 0xF00 or flag & 0x81 == 0x81:
            continue
        if n == umis.shape[0]:
            umis = enlarged_ints(umis)
        umis[n] = read_umi(data, this, read_filter)
        n += 1
    return umis[:n].copy()


@kernel
def scan_sequences(
    data: Bytes, index: SequenceIndex, read_filter: ReadFilter
) -> ScanResult:
    """Find the sequences in all primary records of a chunk of whole records.

    A read belongs to the sequence it holds with the fewest edits; one that holds
    several equally well gives each an observation with evidence 0.
    """
    found, evidence = find_sequences(data, index)
    n = found.record.shape[0]
    said = Observations(
        found.marker,
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        evidence.astype(np.float64),
        np.zeros(n, np.int64),
    )
    for i in range(n):
        record = found.record[i]
        bits = record_bits(data, record, read_filter) & ~LOW_MAPPING_QUALITY
        said.name[i] = name_key(data, record)
        said.umi[i] = read_umi(data, record, read_filter)
        said.flags[i] = bits | (HAS_UMI if said.umi[i] != 0 else 0)
    return ScanResult(said, fragment_umis(data, read_filter))
