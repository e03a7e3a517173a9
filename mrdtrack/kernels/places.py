"""Where a chunk of records begins and ends on the reference."""

from __future__ import annotations

from typing import NamedTuple

from mrdtrack.kernels._compile import bare, kernel, read_i32
from mrdtrack.kernels.arrays import Bytes
from mrdtrack.kernels.bam_records import UNPLACED, comes_before, record_end


class ChunkPlaces(NamedTuple):
    """Places of the first and the last record; reads without a place stand last."""

    first_contig: int
    first_position: int
    last_contig: int
    last_position: int
    in_order: bool


@kernel
def walk_places(data: Bytes, n_bytes: int) -> ChunkPlaces:
    """Walk the records of a chunk that holds at least one."""
    first_contig = read_i32(data, 4) & UNPLACED
    first_position = read_i32(data, 8)
    contig, position = first_contig, first_position
    in_order = True
    record = 0
    while record < n_bytes:
        here, there = read_i32(data, record + 4) & UNPLACED, read_i32(data, record + 8)
        if comes_before(here, there, contig, position):
            in_order = False
        contig, position = here, there
        record = record_end(data, record)
    return ChunkPlaces(first_contig, first_position, contig, position, in_order)


@kernel
def chunk_places(data: Bytes) -> ChunkPlaces:
    """Say where a chunk of at least one whole record begins and ends."""
    return walk_places(bare(data), data.shape[0])
