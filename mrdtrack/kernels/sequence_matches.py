"""Match a read with given sequences, within a few edits, on both strands.

Each sequence is cut into one piece more than edits are allowed, so a match holds at
least one piece unchanged (the pigeonhole principle). The first `k` bases of every
piece of a sequence and of its reverse complement are seeds. In a read that may have an
unchanged piece (`sequence_words`) a bitmap of all seeds is asked once a base, and a hit
is verified by a banded alignment of the whole sequence. Reads are walked by their
packed bytes, two bases a step.
"""

from __future__ import annotations

from typing import NamedTuple

from mrdtrack.kernels._compile import kernel, read_i32, read_u8
from mrdtrack.kernels.arrays import Bytes, Ints
from mrdtrack.kernels.bam_records import quality_start, sequence_start
from mrdtrack.kernels.bases import UNKNOWN_BASE, decode_bases, read_base
from mrdtrack.kernels.sequence_words import KnownWords

BAD_EDITS = 1000
NOWHERE = -(1 << 40)
UNKNOWN_PAIR = 16
COARSE_MASK = (1 << 18) - 1
"""The last nine bases of a k-mer."""


class SequenceIndex(NamedTuple):
    """Sequences to be found: P patterns (each sequence on both strands), S seeds."""

    known: KnownWords  # of the stretches of which a match leaves one unchanged at least
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
    join_anchor: Ints  # [P] bases needed on either side of the join
    n_sequences: int  # markers from here on are stems, in the order of their sequences
    first_join: int  # and from here on joins of the located markers, by their number
    flank_step: Ints  # [P] way from a stem to the bases before it, 0 where no stem
    flank_start: Ints  # [P + 1]
    flanks: Bytes  # codes of the bases before each stem, the nearest first
    flank_anchor: int  # bases that a read needs before a stem
    flank_edits: int  # edits beyond `max_edits` by which they must differ
    flank_quality: int  # least base quality of a difference
    row_size: int  # room that an alignment needs


class Trial(NamedTuple):
    """What is known of the read in hand, and room for the work on it."""

    edits: Ints  # [P] fewest by which it holds a pattern
    tried: Ints  # [P] where a pattern was last verified
    touched: Ints  # [P] the patterns that were verified at all
    held: Ints  # [P] sequences it holds
    held_edits: Ints  # [P] and the fewest edits of each
    codes: Bytes  # its bases
    row: Ints  # [index.row_size] of the alignment
    pairs: Bytes  # [256] code of two bases in a byte, UNKNOWN_PAIR if one is unknown
    state: Ints  # [2] offset of the read that codes are of; number of touched patterns


@kernel
def edits_along(
    codes: Bytes,
    n: int,
    bases: Bytes,
    first: int,
    size: int,
    origin: int,
    step: int,
    slack: int,
    limit: int,
    row: Ints,
) -> int:
    """Give the edits by which bases[first:first + size] differ from a read.

    They are laid along the read from base `origin` on, towards its end (`step` 1) or
    its beginning (-1); the stretch may begin up to `slack` bases off, and ends where
    it fits best. BAD_EDITS when they need more than `limit` edits.
    """
    band = slack + limit
    width = 2 * band + 1
    # the bases of the read that lie along the way are [low, high), from the origin
    low = -origin if step > 0 else origin - n + 1
    high = n - origin if step > 0 else origin + 1
    # row[d] holds the cost of the bases so far ending before base i + d - band
    for d in range(width):
        row[d] = 0 if limit <= d <= limit + 2 * slack else BAD_EDITS
        if not low <= d - band <= high:
            row[d] = BAD_EDITS
    for i in range(size):
        wanted = int(bases[first + i])
        best = BAD_EDITS
        left = BAD_EDITS
        for d in range(width):
            at = i + d - band
            cost = BAD_EDITS
            if low <= at < high:
                cost = row[d] + (0 if codes[origin + step * at] == wanted else 1)
            if d + 1 < width and low - 1 <= at < high:
                cost = min(cost, row[d + 1] + 1)
            if low <= at < high:
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
    return edits_along(codes, n, index.bases, first, size, begin, 1, limit, limit, row)


@kernel
def edits_over_join(
    codes: Bytes, n: int, index: SequenceIndex, pattern: int, begin: int
) -> int:
    """Give the mismatches of a read that holds a pattern's join but not its ends."""
    join = index.join[pattern]
    first = index.pattern_start[pattern]
    size = index.pattern_start[pattern + 1] - first
    low, high = max(0, -begin), min(size, n - begin)
    anchor = index.join_anchor[pattern]
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
def is_replaced(
    data: Bytes,
    record: int,
    n: int,
    index: SequenceIndex,
    pattern: int,
    begin: int,
    trial: Trial,
) -> bool:
    """Tell whether other bases than the sequence's own stand before a stem in a read.

    The read must reach far enough beyond the stem, and differ there by more edits than
    a poor copy of the sequence would; one more for every base of low quality.
    """
    step = index.flank_step[pattern]
    size = index.pattern_start[pattern + 1] - index.pattern_start[pattern]
    origin = begin + size if step > 0 else begin - 1
    reach = n - origin if step > 0 else begin
    if reach < index.flank_anchor:
        return False
    first = index.flank_start[pattern]
    slack = index.max_edits[pattern]
    size = min(index.flank_start[pattern + 1] - first, reach - slack)
    limit = slack + index.flank_edits - 1
    quality = quality_start(data, record) + origin
    for i in range(size):
        if read_u8(data, quality + step * i) < index.flank_quality:
            limit += 1
    found = edits_along(
        trial.codes, n, index.flanks, first, size, origin, step, slack, limit, trial.row
    )
    return found == BAD_EDITS


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
    data: Bytes,
    record: int,
    n: int,
    index: SequenceIndex,
    kmer: int,
    end: int,
    trial: Trial,
) -> None:
    """Verify every pattern that has this k-mer, which ends before read base `end`."""
    s = first_seed(index, kmer)
    while s < index.n_seeds and index.seed_kmer[s] == kmer:
        pattern = index.seed_pattern[s]
        begin = end - index.k - index.seed_offset[s]
        s += 1
        if trial.tried[pattern] == begin or trial.edits[pattern] == 0:
            continue
        if trial.tried[pattern] == NOWHERE:
            trial.touched[trial.state[1]] = pattern
            trial.state[1] += 1
        trial.tried[pattern] = begin
        found = edits_to_hold(trial.codes, n, index, pattern, begin, trial.row)
        if found == BAD_EDITS and index.join[pattern] >= 0:
            found = edits_over_join(trial.codes, n, index, pattern, begin)
        is_stem = index.flank_step[pattern] != 0 and found != BAD_EDITS
        if is_stem and not is_replaced(data, record, n, index, pattern, begin, trial):
            found = BAD_EDITS
        trial.edits[pattern] = min(trial.edits[pattern], found)


@kernel
def take_seed(
    data: Bytes, record: int, index: SequenceIndex, kmer: int, end: int, trial: Trial
) -> None:
    """Verify a seed; the first one of a read has it decoded."""
    n = read_i32(data, record + 20)
    if trial.state[0] != record:
        trial.state[0] = record
        decode_bases(data, sequence_start(data, record), n, trial.codes)
    try_seed(data, record, n, index, kmer, end, trial)


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
def forget_read(trial: Trial) -> None:
    """Clear what was found in the read before."""
    for i in range(trial.state[1]):
        trial.edits[trial.touched[i]] = BAD_EDITS
        trial.tried[trial.touched[i]] = NOWHERE
    trial.state[1] = 0


@kernel
def match_patterns(
    data: Bytes, record: int, index: SequenceIndex, trial: Trial
) -> bool:
    """Write the fewest edits by which a read holds each pattern; tell if one was tried.

    `trial.edits` is BAD_EDITS where the read does not hold the pattern.
    """
    forget_read(trial)
    if not walk_pairs(data, record, index, trial):
        walk_bases(data, record, index, trial)
    return bool(trial.state[1] > 0)
