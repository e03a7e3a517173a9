"""Walk raw BAM records: whether their lengths fit, and where their parts lie.

A record starts with its `block_size`; all offsets here are those of that first byte in
a chunk of inflated bytes (SAM specification, section 4.2). Fields, tags and names may
be read without a check once `check_records` has passed the chunk.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrdtrack.kernels._compile import (
    bare,
    kernel,
    mix_u64,
    read_f32,
    read_i32,
    read_i64,
    read_u8,
    read_u16,
    read_u32,
    read_u64,
)

__all__ = [
    "CheckedRecords",
    "bare",
    "check_records",
    "cigar_span",
    "find_tag",
    "hash_name",
    "overlapping_end",
    "quality_start",
    "read_f32",
    "read_i32",
    "read_i64",
    "read_u8",
    "read_u16",
    "read_u32",
    "read_u64",
    "record_end",
    "sequence_start",
    "tag_array_span",
    "tag_float",
    "tag_integer",
    "tag_text_span",
    "tags_start",
]

CONTIG = 4
POSITION = 8
NAME_LENGTH = 12
MAPPING_QUALITY = 13
N_CIGAR = 16
FLAG = 18
SEQUENCE_LENGTH = 20
MATE_CONTIG = 24
TEMPLATE_LENGTH = 32
NAME = 36

UNMAPPED = 0x4
UNPLACED = 0xFFFFFFFF
MAX_BLOCK_SIZE = 1 << 26

CONSUMES_QUERY = 0b110010011
CONSUMES_REFERENCE = 0b110001101
SOFT_CLIP = 4
SKIP = 3

FAULT_NONE = 0
FAULT_BLOCK_SIZE = 1
FAULT_NAME = 2
FAULT_LENGTHS = 3
FAULT_CONTIG = 4
FAULT_POSITION = 5
FAULT_MATE = 6
FAULT_CIGAR_OPERATION = 7
FAULT_CIGAR_LENGTH = 8
FAULT_ORDER = 9

NOT_AN_INTEGER = -(1 << 62)


class CheckedRecords(NamedTuple):
    """What `check_records` found in a chunk.

    `stop` is the end of the last whole record, or the start of the faulty one.
    `last_contig` is 2^32 - 1 for reads without a place, which stand last in a file.
    """

    n_records: int
    stop: int
    fault: int
    last_contig: int
    last_position: int


@kernel
def record_end(data: NDArray[np.uint8], record: int) -> int:
    """Give the offset after a record: that of the next one."""
    return record + 4 + read_i32(data, record)


@kernel
def cigar_start(data: NDArray[np.uint8], record: int) -> int:
    """Give the offset of the CIGAR field (a placeholder for very long CIGARs)."""
    return record + NAME + read_u8(data, record + NAME_LENGTH)


@kernel
def sequence_start(data: NDArray[np.uint8], record: int) -> int:
    """Give the offset of the 4-bit bases, two a byte, high half first."""
    return cigar_start(data, record) + 4 * read_u16(data, record + N_CIGAR)


@kernel
def quality_start(data: NDArray[np.uint8], record: int) -> int:
    """Give the offset of the base qualities, one byte each; 0xFF means absent."""
    n_bases = read_i32(data, record + SEQUENCE_LENGTH)
    return sequence_start(data, record) + ((n_bases + 1) >> 1)


@kernel
def tags_start(data: NDArray[np.uint8], record: int) -> int:
    """Give the offset of the first tag."""
    return quality_start(data, record) + read_i32(data, record + SEQUENCE_LENGTH)


@kernel
def element_width(kind: int) -> int:
    """Give the bytes of one number of a tag type; 0 for what is no number."""
    if kind in (65, 67, 99):  # A C c
        return 1
    if kind in (83, 115):  # S s
        return 2
    if kind in (73, 102, 105):  # I f i
        return 4
    return 0


@kernel
def tag_end(data: NDArray[np.uint8], tag: int, limit: int) -> int:
    """Give the offset after a tag; -1 when it does not end before `limit`."""
    if tag + 4 > limit:
        return -1
    kind = read_u8(data, tag + 2)
    if kind in (72, 90):  # H Z
        stop = tag + 3
        while stop < limit and read_u8(data, stop) != 0:
            stop += 1
        return stop + 1 if stop < limit else -1
    if kind == 66:  # B
        if tag + 8 > limit:
            return -1
        width = element_width(read_u8(data, tag + 3))
        stop = tag + 8 + width * read_u32(data, tag + 4)
    else:
        width = element_width(kind)
        stop = tag + 3 + width
    return stop if width > 0 and stop <= limit else -1


@kernel
def find_tag(data: NDArray[np.uint8], record: int, tag0: int, tag1: int) -> int:
    """Find a tag by its two letters: offset of the first letter, or -1.

    The whole tag lies inside the record. A tag behind a malformed one is not found.
    """
    limit = record_end(data, record)
    tag = tags_start(data, record)
    wanted = tag0 | (tag1 << 8)
    while tag + 4 <= limit:
        after = tag_end(data, tag, limit)
        if after < 0:
            return -1
        if read_u16(data, tag) == wanted:
            return tag
        tag = after
    return -1


@kernel
def tag_integer(data: NDArray[np.uint8], tag: int) -> int:
    """Give the value of an integer tag that `find_tag` found, else NOT_AN_INTEGER."""
    kind = read_u8(data, tag + 2)
    value = NOT_AN_INTEGER
    if kind == 67:  # C
        value = read_u8(data, tag + 3)
    elif kind == 99:  # c
        value = ((read_u8(data, tag + 3) + 128) & 255) - 128
    elif kind == 83:  # S
        value = read_u16(data, tag + 3)
    elif kind == 115:  # s
        value = ((read_u16(data, tag + 3) + 32768) & 65535) - 32768
    elif kind == 73:  # I
        value = read_u32(data, tag + 3)
    elif kind == 105:  # i
        value = read_i32(data, tag + 3)
    return value


@kernel
def tag_float(data: NDArray[np.uint8], tag: int) -> float:
    """Give the value of a number tag that `find_tag` found, else NaN."""
    if read_u8(data, tag + 2) == 102:  # f
        return read_f32(data, tag + 3)
    value = tag_integer(data, tag)
    return np.nan if value == NOT_AN_INTEGER else float(value)


@kernel
def tag_text_span(data: NDArray[np.uint8], tag: int) -> tuple[int, int]:
    """Give where the text of a Z, H or A tag starts and ends; (-1, -1) for others."""
    kind = read_u8(data, tag + 2)
    start = tag + 3
    if kind == 65:  # A
        return start, start + 1
    if kind not in (72, 90):  # H Z
        return -1, -1
    stop = start
    while read_u8(data, stop) != 0:
        stop += 1
    return start, stop


@kernel
def tag_array_span(data: NDArray[np.uint8], tag: int) -> tuple[int, int, int]:
    """Give first element's offset, number of elements and element type of a B tag.

    The type is the letter's code (99 `c`, 67 `C`, 115 `s`, 83 `S`, 105 `i`, 73 `I`,
    102 `f`); (-1, 0, 0) for other tags.
    """
    if read_u8(data, tag + 2) != 66:
        return -1, 0, 0
    return tag + 8, read_u32(data, tag + 4), read_u8(data, tag + 3)


@kernel
def cigar_span(data: NDArray[np.uint8], record: int) -> tuple[int, int]:
    """Give offset and number of the CIGAR operations, 4 bytes each.

    More than 65,535 operations stand in the tag CG, and the field holds a placeholder
    `<l_seq>S<span>N` (SAM specification, section 4.2.2).
    """
    start = cigar_start(data, record)
    n_operations = read_u16(data, record + N_CIGAR)
    if n_operations != 2:
        return start, n_operations
    n_bases = read_i32(data, record + SEQUENCE_LENGTH)
    if read_u32(data, start) != ((n_bases << 4) | SOFT_CLIP):
        return start, n_operations
    if (read_u32(data, start + 4) & 15) != SKIP:
        return start, n_operations
    tag = find_tag(data, record, 67, 71)
    if tag < 0 or read_u8(data, tag + 2) != 66 or read_u8(data, tag + 3) != 73:
        return start, n_operations
    return tag + 8, read_u32(data, tag + 4)


@kernel
def overlapping_end(data: NDArray[np.uint8], record: int) -> int:
    """Give the reference position after a read's last aligned base (0-based).

    A read without aligned bases counts as one base long, as in an index.
    """
    cigar, n_operations = cigar_span(data, record)
    span = 0
    for index in range(n_operations):
        word = read_u32(data, cigar + 4 * index)
        if (CONSUMES_REFERENCE >> (word & 15)) & 1:
            span += word >> 4
    return read_i32(data, record + POSITION) + max(span, 1)


@kernel
def hash_name(data: NDArray[np.uint8], record: int) -> int:
    """Hash the read name to 64 bits (unsigned), without its closing zero byte."""
    n_bytes = read_u8(data, record + NAME_LENGTH) - 1
    start = record + NAME
    state = mix_u64(n_bytes, 0)
    if n_bytes < 8:
        for index in range(n_bytes):
            state = mix_u64(state, read_u8(data, start + index))
        return mix_u64(mix_u64(state, 1), 2)
    for index in range(n_bytes >> 3):
        state = mix_u64(state, read_u64(data, start + 8 * index))
    state = mix_u64(state, read_u64(data, start + n_bytes - 8))
    return mix_u64(mix_u64(state, 1), 2)


@kernel
def cigar_fault(data: NDArray[np.uint8], record: int, n_bases: int) -> int:
    """Say what is wrong with the CIGAR of a record whose lengths fit."""
    cigar, n_operations = cigar_span(data, record)
    query = 0
    for index in range(n_operations):
        word = read_u32(data, cigar + 4 * index)
        operation = word & 15
        if operation > 8:
            return FAULT_CIGAR_OPERATION
        if (CONSUMES_QUERY >> operation) & 1:
            query += word >> 4
    if n_operations > 0 and n_bases > 0 and query != n_bases:
        return FAULT_CIGAR_LENGTH
    return FAULT_NONE


@kernel
def mate_fault(data: NDArray[np.uint8], record: int, n_contigs: int) -> int:
    """Say whether the mate of a read lies outside the contigs of the header.

    Its position may be anything: slices of files that were moved to a shorter reference
    hold negative ones, and nothing is counted at a mate's place.
    """
    contig = read_i32(data, record + MATE_CONTIG)
    return FAULT_MATE if contig < -1 or contig >= n_contigs else FAULT_NONE


@kernel
def record_fault(data: NDArray[np.uint8], record: int, block_size: int) -> int:
    """Say what is wrong inside one whole record of `block_size` bytes after its size.

    Its place is left to the caller, who knows the contigs.
    """
    name_length = read_u8(data, record + NAME_LENGTH)
    n_bases = read_i32(data, record + SEQUENCE_LENGTH)
    if n_bases < 0:
        return FAULT_LENGTHS
    n_operations = read_u16(data, record + N_CIGAR)
    needed = 32 + name_length + 4 * n_operations + ((n_bases + 1) >> 1) + n_bases
    if needed > block_size:
        return FAULT_LENGTHS
    if name_length == 0 or read_u8(data, record + NAME + name_length - 1) != 0:
        return FAULT_NAME
    return cigar_fault(data, record, n_bases)


@kernel
def comes_before(contig: int, position: int, other: int, other_position: int) -> bool:
    """Say whether a place stands before another one in a sorted file."""
    return contig < other or (contig == other and position < other_position)


@kernel
def check_records(
    data: NDArray[np.uint8],
    lengths: NDArray[np.int64],
    in_order: bool,
    last_contig: int,
    last_position: int,
) -> CheckedRecords:
    """Check every record of a chunk, up to the first fault or the last whole record.

    Args:
        data: inflated bytes that start with a record and may end inside one.
        lengths: of the header's contigs.
        in_order: records must be sorted by contig and position.
        last_contig: of the record before the chunk, as an unsigned number; 0 at first.
        last_position: of the record before the chunk; -1 at first.
    """
    n_bytes = data.shape[0]
    n_contigs = lengths.shape[0]
    raw = bare(data)
    record = 0
    n_records = 0
    fault = FAULT_NONE
    while record + 4 <= n_bytes:
        block_size = read_i32(raw, record)
        if block_size < 33 or block_size > MAX_BLOCK_SIZE:
            fault = FAULT_BLOCK_SIZE
            break
        if record + 4 + block_size > n_bytes:
            break
        fault = record_fault(raw, record, block_size)
        mate = mate_fault(raw, record, n_contigs)
        fault = max(fault, mate)
        contig = read_i32(raw, record + CONTIG)
        position = read_i32(raw, record + POSITION)
        if contig < -1 or contig >= n_contigs:
            fault = FAULT_CONTIG
        elif position < -1 or (contig >= 0 and position >= lengths[contig]):
            fault = FAULT_POSITION
        contig = contig & UNPLACED
        if fault != FAULT_NONE:
            break
        if in_order and comes_before(contig, position, last_contig, last_position):
            fault = FAULT_ORDER
            break
        last_contig = contig
        last_position = position
        n_records += 1
        record += 4 + block_size
    return CheckedRecords(n_records, record, fault, last_contig, last_position)
