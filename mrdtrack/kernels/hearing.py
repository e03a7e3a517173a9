"""What the records of a chunk say: of the markers, and of the stretches around them.

Most records near a marker lie in a stretch too, so what they say of themselves, their
name and tags, is read once for both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import bare, kernel
from mrdtrack.kernels.arrays import (
    Bytes,
    Facts,
    Ints,
    Observations,
    ReadFilter,
    Targets,
)
from mrdtrack.kernels.candidates import find_candidates
from mrdtrack.kernels.observations import observe_records
from mrdtrack.kernels.record_facts import longest_read, read_facts
from mrdtrack.kernels.stretches import (
    BackgroundRows,
    StretchArrays,
    find_overlaps,
    read_stretches,
)


class HeardRecords(NamedTuple):
    """What the records of one chunk said."""

    observations: Observations
    rows: BackgroundRows


@kernel
def joined_offsets(first: Ints, second: Ints) -> Ints:
    """Join two rising lists of records, each record once."""
    joined = np.empty(first.shape[0] + second.shape[0], np.int64)
    n, i, j = 0, 0, 0
    while i < first.shape[0] or j < second.shape[0]:
        ahead = j == second.shape[0]
        if not ahead and i < first.shape[0]:
            ahead = first[i] <= second[j]
        record = first[i] if ahead else second[j]
        if n == 0 or joined[n - 1] != record:
            joined[n] = record
            n += 1
        i, j = (i + 1, j) if ahead else (i, j + 1)
    return joined[:n].copy()


@kernel
def tell_facts(data: Bytes, read_filter: ReadFilter, tags: Ints, facts: Facts) -> None:
    """Read what the records at `facts.record` say of themselves."""
    raw, listen, found, told = bare(data), bare(read_filter), bare(tags), bare(facts)
    for i in range(facts.record.shape[0]):
        told.name[i], told.umi[i], told.start[i], told.bits[i] = read_facts(
            raw, told.record[i], listen, found
        )


@kernel
def hear_records(
    data: Bytes,
    targets: Targets,
    stretches: StretchArrays,
    read_filter: ReadFilter,
    min_quality: int,
) -> HeardRecords:
    """Weigh records for the markers they come near, and read the stretches they cover.

    `data` holds whole, validated BAM records.
    """
    raw, n_bytes = bare(data), data.shape[0]
    candidates = find_candidates(
        raw, n_bytes, bare(targets), targets.window_low.shape[0]
    )
    overlaps = find_overlaps(
        raw, n_bytes, bare(stretches), stretches.low.shape[0], bare(read_filter)
    )
    record = joined_offsets(candidates.record, overlaps.record)
    n = record.shape[0]
    facts = Facts(
        record,
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
    )
    tell_facts(data, read_filter, np.empty(read_filter.tags.shape[0], np.int64), facts)
    longest = longest_read(raw, n_bytes) if n > 0 else 0
    return HeardRecords(
        observe_records(data, targets, read_filter, candidates, facts, longest),
        read_stretches(data, stretches, min_quality, overlaps, facts, longest),
    )
