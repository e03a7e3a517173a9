"""One observation for each record and each marker it comes near."""

from __future__ import annotations

import numpy as np

from mrdtrack.kernels._compile import bare, kernel, read_i32, read_u8
from mrdtrack.kernels.arrays import (
    ELSEWHERE,
    LOW_QUALITY,
    NO_QUALITIES,
    Bytes,
    Candidates,
    Facts,
    Observations,
    ReadFilter,
    ReadScores,
    Targets,
)
from mrdtrack.kernels.bam_records import quality_start
from mrdtrack.kernels.evidence import lacks_qualities
from mrdtrack.kernels.weights import (
    Scratch,
    make_scores,
    make_scratch,
    weigh_record,
)


@kernel
def is_mostly_silent(data: Bytes, record: int, read_filter: ReadFilter) -> bool:
    """Tell whether more than half of a record's bases are of too low a quality."""
    n = read_i32(data, record + 20)
    quality = quality_start(data, record)
    heard = 0
    for i in range(n):
        if read_filter.match_phred[read_u8(data, quality + i)] > 0.0:
            heard += 1
            if 2 * heard >= n:
                return False
    return n > 0


@kernel
def weigh_candidates(
    data: Bytes,
    targets: Targets,
    read_filter: ReadFilter,
    found: Candidates,
    facts: Facts,
    scores: ReadScores,
    scratch: Scratch,
    said: Observations,
) -> None:
    """Write what each candidate record says of its marker into `said`."""
    raw, here, listen = bare(data), bare(targets), bare(read_filter)
    read, free = bare(scores), bare(scratch)
    known = bare(facts)
    row, decoded = -1, -1
    bits = 0
    for i in range(found.record.shape[0]):
        record, marker = found.record[i], found.marker[i]
        if row < 0 or known.record[row] != record:
            row += 1
            while known.record[row] != record:
                row += 1
            bits = known.bits[row]
            bits |= NO_QUALITIES if lacks_qualities(raw, record) else 0
        evidence, heard, decoded = weigh_record(
            raw, record, here, marker, listen, free, read, decoded
        )
        if heard & ELSEWHERE and is_mostly_silent(raw, record, listen):
            heard |= LOW_QUALITY
        said.evidence[i] = evidence
        said.name[i] = known.name[row]
        said.umi[i] = known.umi[row]
        said.start[i] = known.start[row]
        said.flags[i] = bits | heard


@kernel
def observe_records(
    data: Bytes,
    targets: Targets,
    read_filter: ReadFilter,
    found: Candidates,
    facts: Facts,
    longest: int,
) -> Observations:
    """Weigh the records of a chunk for the markers they come near.

    A record in a marker's window that does not reach the marker gives an observation
    with the bit ELSEWHERE. `longest` is the most bases a record of the chunk has.
    """
    n = found.record.shape[0]
    said = Observations(
        found.marker,
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.float64),
        np.empty(n, np.int64),
    )
    scores, scratch = make_scores(longest), make_scratch()
    weigh_candidates(data, targets, read_filter, found, facts, scores, scratch, said)
    return said
