"""Facts of a record that every reader of a chunk asks for."""

from __future__ import annotations

import numpy as np

from mrdtrack.kernels._compile import kernel, read_i32, read_u8, read_u16
from mrdtrack.kernels.arrays import (
    DUPLICATE,
    HAS_DEPTH,
    HAS_UMI,
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
    RecordFacts,
)
from mrdtrack.kernels.bam_records import (
    find_tag,
    hash_name,
    record_end,
    tag_end,
    tag_text_span,
    tags_start,
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
def walk_tags(data: Bytes, record: int, read_filter: ReadFilter, found: Ints) -> None:
    """Write into `found` [T] where each wanted tag stands, -1 for those absent.

    Each tag lies inside the record. One behind a malformed one is not found.
    """
    for t in range(read_filter.n_tags):
        found[t] = -1
    limit = record_end(data, record)
    tag = tags_start(data, record)
    while tag + 4 <= limit:
        after = tag_end(data, tag, limit)
        if after < 0:
            return
        letters = read_u16(data, tag)
        for t in range(read_filter.n_tags):
            if found[t] < 0 and read_filter.tags[t] == letters:
                found[t] = tag
        tag = after


@kernel
def record_bits(data: Bytes, record: int, read_filter: ReadFilter) -> int:
    """Translate the flags and mapping quality of a record.

    A secondary record with an SA tag is a split alignment (as `bwa mem -M` writes it).
    """
    flag = read_u16(data, record + 18)
    bits = flag_bits(flag)
    low = read_u8(data, record + 13) < read_filter.min_mapping_quality
    if low and not flag & 0x4:
        bits |= LOW_MAPPING_QUALITY
    if flag & 0x100:
        bits |= SPLIT if find_tag(data, record, 83, 65) >= 0 else SECONDARY
    return bits


@kernel
def name_key(data: Bytes, record: int) -> int:
    """Give the hash of the read name as a signed number, 63 bits of it."""
    return int(np.int64(hash_name(data, record) >> 1))


@kernel
def first_umi(data: Bytes, read_filter: ReadFilter, found: Ints) -> int:
    """Give the packed UMI from the first of the tags found that holds text, else 0."""
    for t in range(1, read_filter.n_tags):
        if found[t] >= 0:
            start, end = tag_text_span(data, found[t])
            if end > start >= 0:
                return pack_umi(data, start, end)
    return 0


@kernel
def read_umi(data: Bytes, record: int, read_filter: ReadFilter, found: Ints) -> int:
    """Give the packed UMI of a record, 0 without one; `found` is scratch."""
    if read_filter.n_tags == 0:
        return 0
    walk_tags(data, record, read_filter, found)
    return first_umi(data, read_filter, found)


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
def read_facts(
    data: Bytes, record: int, read_filter: ReadFilter, found: Ints
) -> RecordFacts:
    """Read what a record says of itself; `found` [T] is scratch."""
    bits = record_bits(data, record, read_filter)
    umi = 0
    if read_filter.n_tags > 0:
        walk_tags(data, record, read_filter, found)
        umi = first_umi(data, read_filter, found)
        bits |= HAS_DEPTH if found[0] >= 0 else 0
        bits |= HAS_UMI if umi != 0 else 0
    return RecordFacts(name_key(data, record), umi, fragment_start(data, record), bits)


@kernel
def enlarged_ints(values: Ints) -> Ints:
    """Copy to an array of twice the size."""
    larger = np.zeros(2 * values.shape[0], np.int64)
    larger[: values.shape[0]] = values
    return larger


@kernel
def longest_read(data: Bytes, n_bytes: int) -> int:
    """Give the most bases a record of the chunk has."""
    longest = 0
    record = 0
    while record < n_bytes:
        longest = max(longest, read_i32(data, record + 20))
        record = record_end(data, record)
    return longest
