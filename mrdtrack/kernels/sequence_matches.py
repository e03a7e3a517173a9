"""Match a read with given sequences, within a few edits, on both strands.

Each sequence is cut into one piece more than edits are allowed, so a match holds at
least one piece unchanged (the pigeonhole principle). The first `k` bases of every
piece of a sequence and of its reverse complement are seeds; a bitmap of all seeds is
asked once a base, and a hit is verified by a banded alignment of the whole sequence.
Reads are walked by their packed bytes, two bases a step.
"""

from __future__ import annotations

from typing import NamedTuple

from mrdtrack.kernels._compile import kernel, read_i32, read_u8
from mrdtrack.kernels.arrays import Bytes, Ints
from mrdtrack.kernels.bam_records import sequence_start
from mrdtrack.kernels.bases import UNKNOWN_BASE, decode_bases, read_base

BAD_EDITS = 1000
NOWHERE = -(1 << 40)
UNKNOWN_PAIR = 16
COARSE_MASK = (1 << 18) - 1
"""The last nine bases of a k-mer."""


class SequenceIndex(NamedTuple):
    """Sequences to be found: P patterns (each sequence on both strands), S seeds."""

    k: int
    n_seeds: int
    n_patterns: int
    coarse: Bytes  # [2^15] one bit for the last 9 bases of a k-mer
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


class Trial(NamedTuple):
    """What is known of the read in hand, and room for the work on it."""

    edits: Ints  # [P] fewest by which it holds a pattern
    tried: Ints  # [P] where a pattern was last verified
    held: Ints  # [P] sequences it holds
    held_edits: Ints  # [P] and the fewest edits of each
    codes: Bytes  # its bases
    row: Ints  # [4 max_edits + 1] of the alignment
    pairs: Bytes  # [256] code of two bases in a byte, UNKNOWN_PAIR if one is unknown
    state: Ints  # [1] offset of the read that edits, tried and codes are of


@kernel
def edits_to_hold(
    codes: Bytes, n: int, index: SequenceIndex, pattern: int, begin: int, row: Ints
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
    codes: Bytes, n: int, index: SequenceIndex, pattern: int, begin: int
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
    low, high = 0, index.n_seeds
    while low < high:
        middle = (low + high) // 2
        if index.seed_kmer[middle] < kmer:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def is_seed(index: SequenceIndex, kmer: int) -> bool:
    """Ask the small bitmap, which stays in the nearest cache, then the exact one."""
    short = kmer & COARSE_MASK
    if not (index.coarse[short >> 3] >> (short & 7)) & 1:
        return False
    return bool((index.bitmap[kmer >> 3] >> (kmer & 7)) & 1)


@kernel
def try_seed(
    codes: Bytes, n: int, index: SequenceIndex, kmer: int, end: int, trial: Trial
) -> None:
    """Verify every pattern that has this k-mer, which ends before read base `end`."""
    s = first_seed(index, kmer)
    while s < index.n_seeds and index.seed_kmer[s] == kmer:
        pattern = index.seed_pattern[s]
        begin = end - index.k - index.seed_offset[s]
        s += 1
        if trial.tried[pattern] == begin or trial.edits[pattern] == 0:
            continue
        trial.tried[pattern] = begin
        found = edits_to_hold(codes, n, index, pattern, begin, trial.row)
        if found == BAD_EDITS and index.join[pattern] >= 0:
            found = edits_over_join(codes, n, index, pattern, begin)
        trial.edits[pattern] = min(trial.edits[pattern], found)


@kernel
def take_seed(
    data: Bytes, record: int, index: SequenceIndex, kmer: int, end: int, trial: Trial
) -> None:
    """Verify a seed; the first one of a read has it decoded, and clears the trial."""
    n = read_i32(data, record + 20)
    if trial.state[0] != record:
        trial.state[0] = record
        decode_bases(data, sequence_start(data, record), n, trial.codes)
        for p in range(index.n_patterns):
            trial.edits[p] = BAD_EDITS
            trial.tried[p] = NOWHERE
    try_seed(trial.codes, n, index, kmer, end, trial)


@kernel
def walk_pairs(data: Bytes, record: int, index: SequenceIndex, trial: Trial) -> bool:
    """Try the seeds of a read two bases a step; False where a base is unknown."""
    n = read_i32(data, record + 20)
    sequence = sequence_start(data, record)
    k, mask = index.k, (1 << (2 * index.k)) - 1
    wide = (mask << 2) | 3
    kmer = 0
    for j in range(n >> 1):
        pair = int(trial.pairs[read_u8(data, sequence + j)])
        if pair == UNKNOWN_PAIR:
            return False
        kmer = ((kmer << 4) | pair) & wide
        end = 2 * j + 2
        if end > k and is_seed(index, kmer >> 2):
            take_seed(data, record, index, kmer >> 2, end - 1, trial)
        if end >= k and is_seed(index, kmer & mask):
            take_seed(data, record, index, kmer & mask, end, trial)
    if n & 1:
        code = read_base(data, sequence, n - 1)
        kmer = ((kmer << 2) | code) & mask
        if code == UNKNOWN_BASE:
            return False
        if n >= k and is_seed(index, kmer):
            take_seed(data, record, index, kmer, n, trial)
    return True


@kernel
def walk_bases(data: Bytes, record: int, index: SequenceIndex, trial: Trial) -> None:
    """Try the seeds of a read base by base; none may hold an unknown base."""
    sequence = sequence_start(data, record)
    k, mask = index.k, (1 << (2 * index.k)) - 1
    kmer, valid = 0, 0
    for i in range(read_i32(data, record + 20)):
        code = read_base(data, sequence, i)
        if code == UNKNOWN_BASE:
            valid = 0
            continue
        kmer = ((kmer << 2) | code) & mask
        valid += 1
        if valid >= k and is_seed(index, kmer):
            take_seed(data, record, index, kmer, i + 1, trial)


@kernel
def match_patterns(
    data: Bytes, record: int, index: SequenceIndex, trial: Trial
) -> bool:
    """Write the fewest edits by which a read holds each pattern; tell if one was tried.

    `trial.edits` is BAD_EDITS where the read does not hold the pattern.
    """
    trial.state[0] = -1
    if not walk_pairs(data, record, index, trial):
        trial.state[0] = -1
        walk_bases(data, record, index, trial)
    return bool(trial.state[0] == record)
