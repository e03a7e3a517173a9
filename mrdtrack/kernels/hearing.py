"""What the records of a chunk say: of the markers, and of the stretches around them.

Most records near a marker lie in a stretch too, so what they say of themselves, their
name and tags, is read once for both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import bare, kernel
from mrdtrack.kernels.arrays import (
    NO_QUALITIES,
    Bytes,
    Claims,
    Facts,
    Ints,
    ReadFilter,
    Targets,
)
from mrdtrack.kernels.claims import weigh_records
from mrdtrack.kernels.evidence import lacks_qualities
from mrdtrack.kernels.near_records import ChunkPlaces, find_near
from mrdtrack.kernels.record_facts import read_facts
from mrdtrack.kernels.stretches import (
    BackgroundRows,
    StretchArrays,
    read_stretches,
)


class HeardRecords(NamedTuple):
    """What the records of one chunk said."""

    facts: Facts
    claims: Claims
    rows: BackgroundRows
    places: ChunkPlaces


@kernel
def tell_facts(
    data: Bytes, records: Ints, read_filter: ReadFilter, tags: Ints, facts: Facts
) -> None:
    """Read what records say of themselves."""
    raw, listen, found, told = bare(data), bare(read_filter), bare(tags), bare(facts)
    for i in range(records.shape[0]):
        record = records[i]
        told.name[i], told.umi[i], told.start[i], bits = read_facts(
            raw, record, listen, found
        )
        told.bits[i] = bits | (NO_QUALITIES if lacks_qualities(raw, record) else 0)


@kernel
def hear_records(
    data: Bytes,
    targets: Targets,
    stretches: StretchArrays,
    read_filter: ReadFilter,
    min_quality: int,
) -> HeardRecords:
    """Weigh records for the markers they come near, and read the stretches they cover.

    `data` holds whole, validated BAM records, one at least.
    """
    near = find_near(data, targets, stretches, read_filter)
    n = near.record.shape[0]
    facts = Facts(
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int32),
    )
    tags = np.empty(read_filter.tags.shape[0], np.int64)
    tell_facts(data, near.record, read_filter, tags, facts)
    return HeardRecords(
        facts,
        weigh_records(data, targets, read_filter, near),
        read_stretches(
            data, stretches, min_quality, near.record, near.stretches, near.longest
        ),
        near.places,
    )
