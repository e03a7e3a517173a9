"""Facts of a record that every reader of a chunk asks for."""

from __future__ import annotations

import numpy as np

from mrdtrack.kernels._compile import kernel, read_i32, read_u8, read_u16
from mrdtrack.kernels.arrays import (
    DUPLICATE,
    HAS_DEPTH,
    LOW_MAPPING_QUALITY,
    PAIRED,
    QC_FAIL,
    REVERSE,
    SECOND_OF_PAIR,
    SECONDARY,
    SPLIT,
    UNMAPPED,
    Bytes,
    Ints,
    ReadFilter,
)
from mrdtrack.kernels.bam_records import (
    find_tag,
    hash_name,
    record_end,
    tag_text_span,
)
from mrdtrack.kernels.umi import pack_umi


@kernel
def flag_bits(flag: int) -> int:
    """Translate the SAM flags that say how a record was sequenced and judged."""
    bits = 0
    if flag & 0x1:
        bits |= PAIRED
    if flag & 0x81 == 0x81:
        bits |= SECOND_OF_PAIR
    if flag & 0x4:
        bits |= UNMAPPED
    if flag & 0x10:
        bits |= REVERSE
    if flag & 0x200:
        bits |= QC_FAIL
    if flag & 0x400:
        bits |= DUPLICATE
    if flag & 0x800:
        bits |= SPLIT
    return bits


@kernel
def record_bits(data: Bytes, record: int, read_filter: ReadFilter) -> int:
    """Translate the flags, mapping quality and tags of a record.

    A secondary record with an SA tag is a split alignment (as `bwa mem -M` writes it).
    """
    flag = read_u16(data, record + 18)
    bits = flag_bits(flag)
    low = read_u8(data, record + 13) < read_filter.min_mapping_quality
    if low and not flag & 0x4:
        bits |= LOW_MAPPING_QUALITY
    if flag & 0x100:
        bits |= SPLIT if find_tag(data, record, 83, 65) >= 0 else SECONDARY
    if find_tag(data, record, 99, 68) >= 0:
        bits |= HAS_DEPTH
    return bits


@kernel
def name_key(data: Bytes, record: int) -> int:
    """Give the hash of the read name as a signed number, 63 bits of it."""
    return int(hash_name(data, record) >> 1)


@kernel
def read_umi(data: Bytes, record: int, read_filter: ReadFilter) -> int:
    """Give the packed UMI of a record from the first of the tags it has, else 0."""
    for t in range(read_filter.umi_tags.shape[0] // 2):
        first, second = read_filter.umi_tags[2 * t], read_filter.umi_tags[2 * t + 1]
        tag = find_tag(data, record, first, second)
        if tag >= 0:
            start, end = tag_text_span(data, tag)
            if end > start >= 0:
                return pack_umi(data, start, end)
    return 0


@kernel
def fragment_start(data: Bytes, record: int) -> int:
    """Give the leftmost position of the fragment that a record knows of."""
    position = read_i32(data, record + 8)
    flag = read_u16(data, record + 18)
    mate = read_i32(data, record + 28)
    same_contig = read_i32(data, record + 24) == read_i32(data, record + 4)
    if flag & 0x1 and not flag & 0x8 and same_contig and 0 <= mate < position:
        return mate
    return position


@kernel
def enlarged_ints(values: Ints) -> Ints:
    """Copy to an array of twice the size."""
    larger = np.zeros(2 * values.shape[0], np.int64)
    larger[: values.shape[0]] = values
    return larger


@kernel
def longest_read(data: Bytes) -> int:
    """Give the most bases a record of the chunk has."""
    longest = 0
    record = 0
    while record < data.shape[0]:
        longest = max(longest, read_i32(data, record + 20))
        record = record_end(data, record)
    return longest
