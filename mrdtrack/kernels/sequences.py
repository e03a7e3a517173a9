"""Find given sequences in all records of a chunk, within a few edits, on both strands.

How a read is matched with the sequences stands in `sequence_matches`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import bare, kernel, read_u16
from mrdtrack.kernels.arrays import (
    LOW_MAPPING_QUALITY,
    Bytes,
    Candidates,
    Floats,
    Ints,
    Observations,
    ReadFilter,
)
from mrdtrack.kernels.bam_records import record_end
from mrdtrack.kernels.bases import UNKNOWN_BASE, code_of_letter, make_codes
from mrdtrack.kernels.record_facts import (
    enlarged_ints,
    longest_read,
    read_facts,
    read_umi,
)
from mrdtrack.kernels.sequence_matches import (
    BAD_EDITS,
    NOWHERE,
    UNKNOWN_PAIR,
    SequenceIndex,
    Trial,
    match_patterns,
)
from mrdtrack.kernels.sequence_words import may_match

MATCHED_PHRED = 1000
"""Evidence of a read that holds a sequence; the number of edits is taken off."""
RELATED_PHRED = 950
"""That of one that holds a stem after other bases: less than any sequence has."""
LEAST_RECORD = 37
"""Bytes that every record has."""


class ScanResult(NamedTuple):
    """Matches of a chunk, and the fragments it holds."""

    observations: Observations
    n_fragments: int  # F
    umis: Ints  # [F] UMI of each fragment, 0 without one; none where tags do not matter


@kernel
def held_sequences(tries: Trial, index: SequenceIndex) -> int:
    """Write the sequences that a read holds and the edits of each; give their number.

    They come in the order of their numbers, each once: a sequence has two patterns, and
    a join perhaps four.
    """
    n = 0
    for i in range(tries.state[1]):
        p = tries.touched[i]
        if tries.edits[p] == BAD_EDITS:
            continue
        m = index.pattern_marker[p]
        at = n
        while at > 0 and tries.held[at - 1] > m:
            at -= 1
        if at > 0 and tries.held[at - 1] == m:
            tries.held_edits[at - 1] = min(tries.held_edits[at - 1], tries.edits[p])
            continue
        for j in range(n, at, -1):
            tries.held[j] = tries.held[j - 1]
            tries.held_edits[j] = tries.held_edits[j - 1]
        tries.held[at] = m
        tries.held_edits[at] = tries.edits[p]
        n += 1
    return n


@kernel
def settle_rivals(
    name: Ints, marker: Ints, evidence: Floats, kin: Bytes, n_sequences: int
) -> Floats:
    """Give each match the evidence it has left among the matches of its name.

    Of `n_sequences` sequences, `kin` tells which pairs (a table, row by row) are no
    rivals. A name belongs to the sequence it holds with most evidence, and to kin of
    that: other matches get -1, and equal matches of rivals 0. Names are sorted.
    """
    left = evidence.copy()
    first = 0
    while first < len(name):
        last = first + 1
        while last < len(name) and name[last] == name[first]:
            last += 1
        for i in range(first, last):
            own, rival = evidence[i], -1.0
            for j in range(first, last):
                if marker[j] == marker[i]:
                    own = max(own, evidence[j])
                elif not kin[marker[i] * n_sequences + marker[j]]:
                    rival = max(rival, evidence[j])
            if evidence[i] < own or own < rival:
                left[i] = -1.0
            elif own == rival:
                left[i] = 0.0
        first = last
    return left


@kernel
def find_sequences(
    data: Bytes, index: SequenceIndex, trial: Trial
) -> tuple[Candidates, Ints]:
    """List the primary records of a chunk and the sequences they hold.

    The second array gives the evidence of each: `MATCHED_PHRED` less the edits, or
    `RELATED_PHRED` where the marker is a stem.
    """
    raw, here, tries = bare(data), bare(index), bare(trial)
    records = np.zeros(256, np.int64)
    markers = np.zeros(256, np.int64)
    evidence = np.zeros(256, np.int64)
    n = 0
    record = 0
    while record < data.shape[0]:
        this = record
        record = record_end(raw, this)
        if read_u16(raw, this + 18) & 0x900:
            continue
        if not may_match(raw, this, here.known):
            continue
        if not match_patterns(raw, this, here, tries):
            continue
        for j in range(held_sequences(tries, here)):
            if n == records.shape[0]:
                records = enlarged_ints(records)
                markers = enlarged_ints(markers)
                evidence = enlarged_ints(evidence)
            records[n] = this
            markers[n] = tries.held[j]
            held = MATCHED_PHRED if markers[n] < here.n_sequences else RELATED_PHRED
            evidence[n] = held - tries.held_edits[j]
            n += 1
    return Candidates(records[:n].copy(), markers[:n].copy()), evidence[:n].copy()


@kernel
def fragment_umis(
    data: Bytes, n_bytes: int, read_filter: ReadFilter, found: Ints, umis: Ints
) -> int:
    """Count the fragments of a chunk; where tags matter, write the UMI of each.

    A fragment is counted at its first (or only) primary record that is neither a
    duplicate nor failed quality control.
    """
    n = 0
    record = 0
    while record < n_bytes:
        this = record
        record = record_end(data, this)
        flag = read_u16(data, this + 18)
        if flag & 0xF00 or flag & 0x81 == 0x81:
            continue
        if read_filter.n_tags > 0:
            umis[n] = read_umi(data, this, read_filter, found)
        n += 1
    return n


@kernel
def tell_matches(
    data: Bytes, read_filter: ReadFilter, found: Ints, records: Ints, said: Observations
) -> None:
    """Write the facts of the records that hold a sequence."""
    raw, listen, tags = bare(data), bare(read_filter), bare(found)
    for i in range(records.shape[0]):
        facts = read_facts(raw, records[i], listen, tags)
        said.name[i] = facts.name
        said.umi[i] = facts.umi
        said.start[i] = 0
        said.flags[i] = facts.bits & ~LOW_MAPPING_QUALITY


@kernel
def scan_chunk(
    data: Bytes,
    index: SequenceIndex,
    read_filter: ReadFilter,
    trial: Trial,
    tags: Ints,
    umis: Ints,
) -> tuple[ScanResult, Candidates]:
    """Find sequences and joins in a chunk, in room that the caller has made."""
    held, edits = find_sequences(data, index, trial)
    joined = held.marker >= index.first_join
    joins = Candidates(held.record[joined], held.marker[joined] - index.first_join)
    found = Candidates(held.record[~joined], held.marker[~joined])
    evidence = edits[~joined]
    n = found.record.shape[0]
    said = Observations(
        found.marker,
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        evidence.astype(np.float64),
        np.empty(n, np.int64),
    )
    tell_matches(data, read_filter, tags, found.record, said)
    n_fragments = fragment_umis(
        bare(data), data.shape[0], bare(read_filter), bare(tags), bare(umis)
    )
    n_kept = n_fragments if read_filter.n_tags > 0 else 0
    return ScanResult(said, n_fragments, umis[:n_kept].copy()), joins


@kernel
def scan_sequences(
    data: Bytes, index: SequenceIndex, read_filter: ReadFilter
) -> tuple[ScanResult, Candidates]:
    """Find sequences and joins in all primary records of a chunk of whole records.

    Records that may hold the join of a located marker are candidates for it.
    """
    n_patterns = index.pattern_marker.shape[0]
    pairs = np.empty(256, np.uint8)
    for both in range(256):
        first, second = code_of_letter(both >> 4), code_of_letter(both & 15)
        known = first < UNKNOWN_BASE and second < UNKNOWN_BASE
        pairs[both] = (first << 2) | second if known else UNKNOWN_PAIR
    trial = Trial(
        np.full(n_patterns, BAD_EDITS),
        np.full(n_patterns, NOWHERE),
        np.empty(n_patterns, np.int64),
        np.empty(n_patterns, np.int64),
        np.empty(n_patterns, np.int64),
        make_codes(longest_read(bare(data), data.shape[0])),
        np.empty(index.row_size, np.int64),
        pairs,
        np.array([-1, 0]),
    )
    n_fragments = data.shape[0] // LEAST_RECORD + 1 if read_filter.n_tags > 0 else 0
    return scan_chunk(
        data,
        index,
        read_filter,
        trial,
        np.empty(read_filter.tags.shape[0], np.int64),
        np.empty(n_fragments, np.int64),
    )
