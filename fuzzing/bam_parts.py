"""Take BAM files apart and put them together again, right or wrong as asked.

Layouts are those of the SAM specification, sections 4.1 (BGZF) and 4.2 (BAM).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fuzzing.changes import EXTREME_BYTES, Pick, change_bytes, change_text

EOF = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
FIXED = {
    "contig": (4, "<i"),
    "position": (8, "<i"),
    "name length": (12, "<B"),
    "mapping quality": (13, "<B"),
    "bin": (14, "<H"),
    "n_cigar": (16, "<H"),
    "flag": (18, "<H"),
    "l_seq": (20, "<i"),
    "mate contig": (24, "<i"),
    "mate position": (28, "<i"),
    "template length": (32, "<i"),
}


class BamParts(NamedTuple):
    """Inflated BAM: the bytes of the header, and each record's."""

    header: bytes
    records: tuple[bytes, ...]


def block(data: bytes, level: int = 1) -> bytes:
    """Make one BGZF block."""
    squeezer = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = squeezer.compress(data) + squeezer.flush()
    head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0"
    size = struct.pack("<H", len(body) + 25)
    return head + size + body + struct.pack("<II", zlib.crc32(data), len(data))


def blocks_of(data: bytes) -> list[bytes]:
    """Cut a BGZF file into its blocks."""
    found, at = [], 0
    while at < len(data):
        size = struct.unpack_from("<H", data, at + 16)[0] + 1
        found.append(data[at : at + size])
        at += size
    return found


def inflate(data: bytes) -> bytes:
    """Inflate a BGZF file."""
    return b"".join(zlib.decompress(one, wbits=31) for one in blocks_of(data))


def split_bam(data: bytes) -> BamParts:
    """Take a BAM file apart."""
    inflated = inflate(data)
    at = 8 + struct.unpack_from("<i", inflated, 4)[0]
    (n_contigs,) = struct.unpack_from("<i", inflated, at)
    at += 4
    for _ in range(n_contigs):
        at += 8 + struct.unpack_from("<i", inflated, at)[0]
    return BamParts(inflated[:at], tuple(split_records(inflated[at:])))


def split_records(data: bytes) -> list[bytes]:
    """Cut bytes into records by their sizes; what does not fit is one last piece."""
    records, at = [], 0
    while at < len(data):
        size = struct.unpack_from("<i", data.ljust(at + 4, b"\0"), at)[0]
        stop = at + 4 + size if size >= 0 else len(data)
        records.append(data[at:stop])
        at = max(stop, at + 1)
    return records


def compress(data: bytes, size: int = 60_000) -> bytes:
    """Make a BGZF file of blocks of this size, and its end marker."""
    return (
        b"".join(block(data[at : at + size]) for at in range(0, len(data), size)) + EOF
    )


def join_bam(parts: BamParts, size: int = 60_000) -> bytes:
    """Put a BAM file together."""
    return compress(parts.header + b"".join(parts.records), size)


def compress_by_records(parts: BamParts, n_records: int) -> bytes:
    """Make blocks that start with a record each, as htslib does."""
    pieces = [parts.header]
    pieces += [
        b"".join(parts.records[at : at + n_records])
        for at in range(0, len(parts.records), n_records)
    ]
    return b"".join(map(block, pieces)) + EOF


def change_records(parts: BamParts, pick: Pick) -> BamParts:
    """Change a few records by their fields, or their order."""
    records = list(parts.records)
    for _ in range(pick.choice((1, 1, 1, 2, 5))):
        at = pick.randrange(len(records))
        how = pick.randrange(10)
        if how < 5:
            records[at] = _change_field(records[at], pick)
        elif how == 5:
            records[at] = change_bytes(records[at], pick)
        elif how == 6:
            records[at] = _change_tags(records[at], pick)
        elif how == 7:
            records[at] = _change_size(records[at], pick)
        elif how == 8:
            records.insert(pick.randrange(len(records)), records[at])
        elif len(records) > 1:
            del records[at]
    return BamParts(parts.header, tuple(records))


def _resized(body: bytes) -> bytes:
    return struct.pack("<i", len(body)) + body


def _change_field(record: bytes, pick: Pick) -> bytes:
    """Give one field of fixed place another value; or one CIGAR word, or a quality."""
    changed = bytearray(record)
    name = pick.choice([*FIXED, "cigar", "quality", "base"])
    if name in FIXED:
        at, kind = FIXED[name]
        if len(changed) < 36:
            return record
        size = struct.calcsize(kind)
        value = pick.choice(EXTREME_BYTES) * size
        if pick.random() < 0.4:
            now = struct.unpack_from(kind, changed, at)[0]
            value = struct.pack("<q", now + pick.choice((-1, 1, 4, 200)))
        changed[at : at + size] = value[:size]
        return bytes(changed)
    return _change_inside(changed, name, pick)


def _change_inside(changed: bytearray, name: str, pick: Pick) -> bytes:
    if len(changed) < 40:
        return bytes(changed)
    n_cigar, n_bases = struct.unpack_from("<H2xi", changed, 16)
    cigar = 36 + changed[12]
    bases = cigar + 4 * n_cigar
    starts = {
        "cigar": (cigar, 4 * n_cigar),
        "base": (bases, (n_bases + 1) // 2),
        "quality": (bases + (n_bases + 1) // 2, n_bases),
    }
    start, size = starts[name]
    if size <= 0 or start >= len(changed):
        return bytes(changed)
    at = start + pick.randrange(size)
    if name == "cigar":
        word = pick.choice((0, 9, 15, 0xFFFFFFFF, 0xF0000000, (1 << 28) | 2, 0x13))
        changed[at - at % 4 : at - at % 4 + 4] = struct.pack("<I", word)
        return bytes(changed)
    stop = start + size if pick.random() < 0.3 else at + 1
    value = pick.choice((0, 255, 254, 127, 93, pick.randrange(256)))
    changed[at:stop] = bytes([value]) * (stop - at)
    return bytes(changed)


TAGS = (
    b"RXZ\0",
    b"RXZ" + b"N" * 9 + b"\0",
    b"RXZ" + b"A" * 4000 + b"\0",
    b"RXi\1\0\0\0",
    b"MIZ-1/A\0",
    b"MIBc\xff\xff\xff\x7f",
    b"MIBI\4\0\0\0",
    b"cDf\0\0\xc0\x7f",
    b"cDi\xff\xff\xff\xff",
    b"cMBs\2\0\0\0\1\0\xff\xff",
    b"cEf\0\0\x80\x7f",
    b"aDi\0\0\0\0",
    b"RGZnobody\0",
    b"RGA\0",
    b"SAZchr1,1,+,100M,60,0;\0",
    b"SAZchr1,-5,?,*,999,x;;;\0",
    b"CGBI\xff\xff\xff\xff",
    b"NMi\0\0\0\x80",
    b"MDZ999999999999999999999\0",
    b"ZZZno end",
    b"Q",
    b"ZZ?what",
)


def _change_tags(record: bytes, pick: Pick) -> bytes:
    """Add a tag behind or before the others; the size is right again."""
    body = record[4:]
    if len(body) < 36:
        return record
    n_cigar, n_bases = struct.unpack_from("<H2xi", body, 12)
    tags = 32 + body[8] + 4 * n_cigar + (n_bases + 1) // 2 + n_bases
    at = pick.choice((tags, len(body)))
    return _resized(body[:at] + pick.choice(TAGS) + body[at:])


def _change_size(record: bytes, pick: Pick) -> bytes:
    """Let a record claim another size, or be of another size than before."""
    if pick.random() < 0.5:
        (size,) = struct.unpack_from("<i", record.ljust(4, b"\0"))
        claimed = pick.choice((0, 31, 32, 33, -1, 1 << 26, 1 << 30, size - 1, size + 1))
        return struct.pack("<i", claimed) + record[4:]
    return _resized(record[4 : 4 + pick.randrange(len(record))])


def change_header(parts: BamParts, pick: Pick) -> BamParts:
    """Change the text, the list of contigs, or the numbers in front of them."""
    (size,) = struct.unpack_from("<i", parts.header, 4)
    text, contigs = parts.header[8 : 8 + size], parts.header[8 + size :]
    claimed: int | None = None
    how = pick.randrange(5)
    if how < 2:
        text = change_text(text.decode(), pick)
    elif how == 2:
        contigs = change_bytes(contigs, pick)
    elif how == 3:
        claimed = pick.choice((-1, 0, 1 << 28, (1 << 31) - 1, len(text) - 1))
    else:
        number = pick.choice((-1, 0, 1, 1 << 24, (1 << 31) - 1))
        contigs = struct.pack("<i", number) + contigs[4:]
    claimed = len(text) if claimed is None else claimed
    header = b"BAM\x01" + struct.pack("<i", claimed) + text + contigs
    return BamParts(header, parts.records)


def change_blocks(data: bytes, pick: Pick) -> bytes:
    """Drop, repeat, swap, cut or mislabel whole blocks; checksums stay right."""
    blocks = blocks_of(data)
    at, to = pick.randrange(len(blocks)), pick.randrange(len(blocks))
    how = pick.randrange(6)
    if how == 0:
        del blocks[at]
    elif how == 1:
        blocks.insert(to, blocks[at])
    elif how == 2:
        blocks[at], blocks[to] = blocks[to], blocks[at]
    elif how == 3:
        changed = bytearray(blocks[at])
        where = pick.choice((0, 2, 3, 10, 12, 14, 16, len(changed) - 8))
        where = min(where + pick.randrange(2), len(changed) - 1)
        changed[where] = pick.choice((0, 255, changed[where] ^ 1))
        blocks[at] = bytes(changed)
    elif how == 4:
        changed = bytearray(blocks[at])
        changed[-4:] = struct.pack("<I", pick.choice((0, 1, 65536, 65537, 1 << 31)))
        blocks[at] = bytes(changed)
    else:
        blocks.insert(at, pick.choice((block(b""), EOF, block(b"\0" * 65000), b"\x1f")))
    return b"".join(blocks)


def changed_records(before: Sequence[bytes], after: Iterable[bytes]) -> int:
    """Count the records that are in one list and not in the other."""
    left: dict[bytes, int] = {}
    for one in before:
        left[one] = left.get(one, 0) + 1
    for one in after:
        left[one] = left.get(one, 0) - 1
    return sum(map(abs, left.values()))
