"""Claims: what each record says of each marker it comes near."""

from __future__ import annotations

import numpy as np

from mrdtrack.kernels._compile import bare, kernel, read_i32, read_u8
from mrdtrack.kernels.arrays import (
    ELSEWHERE,
    LOW_QUALITY,
    SUBSTITUTION,
    Bytes,
    Claims,
    Ints,
    ReadFilter,
    ReadScores,
    Targets,
)
from mrdtrack.kernels.bam_records import quality_start
from mrdtrack.kernels.near_records import NearRecords
from mrdtrack.kernels.weights import (
    Changes,
    Scratch,
    has_haplotypes,
    make_scores,
    make_scratch,
    weigh_record,
    weigh_substitution,
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
def weigh_claims(
    data: Bytes,
    targets: Targets,
    read_filter: ReadFilter,
    records: Ints,
    claims: Claims,
    scores: ReadScores,
    scratch: Scratch,
) -> None:
    """Write the evidence and bits of the claims."""
    raw, here, listen = bare(data), bare(targets), bare(read_filter)
    read, free = bare(scores), bare(scratch)
    said = bare(claims)
    changes = Changes(
        here.change_start, here.change_position, here.change_alt, here.change_ref
    )
    match_phred, mismatch_phred = listen.match_phred, listen.mismatch_phred
    decoded = -1
    for i in range(claims.row.shape[0]):
        record, marker = records[said.row[i]], int(np.int64(said.marker[i]))
        evidence, heard = 0.0, ELSEWHERE
        if here.event[marker] == SUBSTITUTION:
            evidence, heard = weigh_substitution(
                raw, record, changes, marker, match_phred, mismatch_phred
            )
        if heard == ELSEWHERE and has_haplotypes(here, marker):
            evidence, heard, decoded = weigh_record(
                raw, record, here, marker, listen, free, read, decoded
            )
        if heard & ELSEWHERE and is_mostly_silent(raw, record, listen):
            heard |= LOW_QUALITY
        said.evidence[i] = evidence
        said.bits[i] = heard


@kernel
def weigh_records(
    data: Bytes,
    targets: Targets,
    read_filter: ReadFilter,
    near: NearRecords,
) -> Claims:
    """Weigh the records of a chunk for the markers they come near.

    A record in a marker's window that does not reach the marker makes a claim with the
    bit ELSEWHERE.
    """
    n = near.markers.row.shape[0]
    claims = Claims(
        near.markers.row,
        near.markers.place,
        np.empty(n, np.float64),
        np.empty(n, np.uint8),
    )
    scores, scratch = make_scores(near.longest), make_scratch()
    weigh_claims(data, targets, read_filter, near.record, claims, scores, scratch)
    return claims
