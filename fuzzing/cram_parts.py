"""Change the containers and blocks of a CRAM file, with its checksums right again.

Layouts are those of the CRAM specification 3.0, sections 7 and 8: every container
header and every block ends with the CRC-32 of its own bytes.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from fuzzing.changes import Pick, change_bytes

DEFINITION = 26


class Block(NamedTuple):
    """A block: its bytes before the CRC, and where its data starts in them."""

    body: bytes
    data: int


class Container(NamedTuple):
    """A container: what follows its length, and its blocks."""

    header: bytes
    blocks: tuple[Block, ...]


def read_itf8(data: bytes, at: int) -> tuple[int, int]:
    """Read one ITF-8 number; give it with the offset after it."""
    first = data[at]
    n_more = 0
    while n_more < 4 and first & (0x80 >> n_more):
        n_more += 1
    if n_more == 4:
        value = (first & 15) << 28 | data[at + 1] << 20 | data[at + 2] << 12
        return value | data[at + 3] << 4 | data[at + 4] & 15, at + 5
    value = first & (0x7F >> n_more)
    for more in data[at + 1 : at + 1 + n_more]:
        value = value << 8 | more
    return value, at + 1 + n_more


def _skip_ltf8(data: bytes, at: int) -> int:
    first, n_more = data[at], 0
    while n_more < 8 and first & (0x80 >> n_more):
        n_more += 1
    return at + 1 + n_more


def split_cram(data: bytes) -> tuple[bytes, list[Container]]:
    """Take a CRAM 3 file apart: its definition, and its containers."""
    at, containers = DEFINITION, []
    while at < len(data):
        (length,) = struct.unpack_from("<i", data, at)
        header_end = _header_end(data, at + 4)
        first = header_end + 4
        blocks = _split_blocks(data[first : first + length])
        containers.append(Container(data[at + 4 : header_end], blocks))
        at = first + length
    return data[:DEFINITION], containers


def _header_end(data: bytes, at: int) -> int:
    for _ in range(4):  # reference, start, span, number of records
        _, at = read_itf8(data, at)
    at = _skip_ltf8(data, _skip_ltf8(data, at))  # record counter, bases
    _, at = read_itf8(data, at)  # number of blocks
    n_landmarks, at = read_itf8(data, at)
    for _ in range(n_landmarks):
        _, at = read_itf8(data, at)
    return at


def _split_blocks(data: bytes) -> tuple[Block, ...]:
    blocks, at = [], 0
    while at + 5 < len(data):
        _, where = read_itf8(data, at + 2)
        size, where = read_itf8(data, where)
        _, where = read_itf8(data, where)
        blocks.append(Block(data[at : where + size], where - at))
        at = where + size + 4
    return tuple(blocks)


def join_cram(definition: bytes, containers: list[Container]) -> bytes:
    """Put a CRAM file together; lengths and checksums are made right."""
    out = [definition]
    for container in containers:
        blocks = b"".join(
            block.body + struct.pack("<I", zlib.crc32(block.body))
            for block in container.blocks
        )
        head = struct.pack("<i", len(blocks)) + container.header
        out += [head, struct.pack("<I", zlib.crc32(head)), blocks]
    return b"".join(out)


def change_cram(data: bytes, pick: Pick) -> bytes:
    """Change one container: its header, the bytes of a block, or their number."""
    definition, containers = split_cram(data)
    at = pick.randrange(len(containers))
    header, blocks = containers[at]
    how = pick.randrange(8)
    if how == 0:
        header = change_bytes(header, pick)
    elif how == 1:
        blocks = tuple(block for block in blocks if pick.random() < 0.7)
    elif how == 2:
        del containers[at]
        return join_cram(definition, containers)
    elif how == 3:
        return change_bytes(data, pick)
    elif blocks:
        blocks = _change_block(blocks, pick)
    containers[at] = Container(header, blocks)
    return join_cram(definition, containers)


def _change_block(blocks: tuple[Block, ...], pick: Pick) -> tuple[Block, ...]:
    number = pick.randrange(len(blocks))
    body, start = blocks[number]
    head, inside = body[:start], body[start:]
    if pick.random() < 0.3:
        head = change_bytes(head, pick)
    else:
        inside = change_bytes(inside, pick)
    return (*blocks[:number], Block(head + inside, start), *blocks[number + 1 :])
