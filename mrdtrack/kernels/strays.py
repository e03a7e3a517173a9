"""Records that hold the join of a marker, and lie nowhere near it.

An aligner clips what it cannot align, or puts the read elsewhere or nowhere. Such a
read is tried everywhere on the haplotypes of the marker, and heard where it clearly
shows the alternative one and its own alignment explains it much less well.
"""

from __future__ import annotations

import numpy as np

from mrdtrack.kernels._compile import (
    bare,
    kernel,
    read_i32,
    read_u16,
    read_u32,
)
from mrdtrack.kernels.arrays import (
    NO_QUALITIES,
    REVERSE,
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
    find_tag,
    overlapping_end,
    tag_integer,
)
from mrdtrack.kernels.evidence import (
    CLIP_PHRED,
    TELLING_PHRED,
    decode_read,
    lacks_qualities,
)
from mrdtrack.kernels.near_records import MATE_REACH
from mrdtrack.kernels.record_facts import longest_read, read_facts
from mrdtrack.kernels.tails import silence_tail
from mrdtrack.kernels.weights import (
    Scratch,
    judge_placements,
    make_scores,
    make_scratch,
    place_read,
    placement_of,
)

EDIT_PHRED = 20.0
"""Least that a mismatch or gap takes from an alignment."""
STRAY_START = 1 << 40
"""Beyond every position: the leftmost one of a fragment is that of its mate, if any."""


@kernel
def is_near(
    data: Bytes, record: int, targets: Targets, n_windows: int, marker: int
) -> bool:
    """Tell whether a record lies in a window of a marker, where it is heard anyway."""
    contig, position = read_i32(data, record + 4), read_i32(data, record + 8)
    if contig < 0 or position < 0:
        return False
    reach = MATE_REACH if read_u16(data, record + 18) & 0x4 else 0
    end = overlapping_end(data, record) + reach
    for w in range(n_windows):
        if targets.window_marker[w] != marker or targets.window_contig[w] != contig:
            continue
        if targets.window_low[w] < end and targets.window_high[w] + reach > position:
            return True
    return False


@kernel
def own_phred(data: Bytes, record: int, scores: ReadScores) -> float:
    """Score a decoded record, at best, where its aligner put it.

    As on a haplotype: what its bases may score against random sequence, less its ends
    and, by the number of edits that it tells, mismatches and gaps.
    """
    if read_u16(data, record + 18) & 0x4:
        return 0.0
    at, n_operations = cigar_span(data, record)
    query, gaps, gap_bases, unlike = 0, 0, 0, 0
    total = 0.0
    for c in range(n_operations):
        word = read_u32(data, at + 4 * c)
        operation, size = word & 15, word >> 4
        if operation in (0, 7, 8):
            for i in range(query, query + size):
                total += scores.match[i] if scores.codes[i] < 4 else 0.0
            unlike += size if operation == 8 else 0
        elif operation in (1, 2):
            gaps += 1
            gap_bases += size
        elif operation in (4, 5):
            total -= CLIP_PHRED
        if operation in (0, 1, 4, 7, 8):
            query += size
    tag = find_tag(data, record, 78, 77)
    told = tag_integer(data, tag) - gap_bases if tag >= 0 else 0
    return total - EDIT_PHRED * (gaps + max(told, unlike, 0))


@kernel
def weigh_stray(
    data: Bytes,
    record: int,
    targets: Targets,
    marker: int,
    read_filter: ReadFilter,
    scores: ReadScores,
    scratch: Scratch,
) -> tuple[float, int]:
    """Weigh a record for a marker it does not lie at: evidence and bits.

    The evidence is 0 unless the record clearly shows the alternative haplotype.
    """
    decode_read(data, record, read_filter, scores)
    silence_tail(data, record, read_i32(data, record + 20), scores)
    if not place_read(data, record, targets, marker, scores, scratch, True):
        return 0.0, 0
    if scratch.phred[0] < own_phred(data, record, scores) + TELLING_PHRED:
        return 0.0, 0
    evidence, heard = judge_placements(data, record, targets, marker, scores, scratch)
    return (evidence, heard) if evidence >= targets.threshold[marker] else (0.0, 0)


@kernel
def is_turned(
    data: Bytes, record: int, targets: Targets, marker: int, strand: int
) -> bool:
    """Tell whether the read would lie on the reverse strand, were it at the marker."""
    first = targets.anchor_start[targets.hap_start[marker]]
    turned = read_u16(data, record + 18) & 16 != 0
    if strand:
        turned = not turned
    return not turned if targets.anchor_reverse[first] else turned


@kernel
def weigh_strays(
    data: Bytes,
    targets: Targets,
    read_filter: ReadFilter,
    found: Candidates,
    tags: Ints,
    scores: ReadScores,
    scratch: Scratch,
    said: Observations,
) -> int:
    """Write what the records say that are heard; give their number."""
    raw, here, listen = bare(data), bare(targets), bare(read_filter)
    read, free, wanted = bare(scores), bare(scratch), bare(tags)
    n_windows = targets.window_low.shape[0]
    n = 0
    for i in range(found.record.shape[0]):
        record, marker = found.record[i], found.marker[i]
        if is_near(raw, record, here, n_windows, marker):
            continue
        evidence, heard = weigh_stray(raw, record, here, marker, listen, read, free)
        if evidence <= 0.0:
            continue
        facts = read_facts(raw, record, listen, wanted)
        placed = placement_of(free.placements, 0)
        bits = (facts.bits & ~REVERSE) | heard
        if is_turned(raw, record, here, marker, placed.strand):
            bits |= REVERSE
        said.marker[n] = marker
        said.name[n] = facts.name
        said.umi[n] = facts.umi
        said.start[n] = STRAY_START + placed.shift
        said.evidence[n] = evidence
        said.flags[n] = bits | (NO_QUALITIES if lacks_qualities(raw, record) else 0)
        n += 1
    return n


@kernel
def observe_strays(
    data: Bytes, targets: Targets, read_filter: ReadFilter, found: Candidates
) -> Observations:
    """Weigh the records of a chunk that hold joins of markers they do not lie at."""
    n = found.record.shape[0]
    said = Observations(
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.float64),
        np.empty(n, np.int64),
    )
    longest = longest_read(bare(data), data.shape[0]) if n > 0 else 0
    scores, scratch = make_scores(longest), make_scratch()
    tags = np.empty(read_filter.tags.shape[0], np.int64)
    heard = weigh_strays(data, targets, read_filter, found, tags, scores, scratch, said)
    return Observations(
        said.marker[:heard].copy(),
        said.name[:heard].copy(),
        said.umi[:heard].copy(),
        said.start[:heard].copy(),
        said.evidence[:heard].copy(),
        said.flags[:heard].copy(),
    )
