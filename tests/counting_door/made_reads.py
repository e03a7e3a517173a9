"""Small files of reads, made on the spot, and the slow way to read them."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pysam

CONTIGS = (("chrA", 300_000), ("chrB", 90_000), ("chrEmpty", 5_000))
CIGARS = ("100M", "30S70M", "40M5I55M", "50M2000N50M", "45M10D55M", "100M30H", "1M99S")


def made_header() -> pysam.AlignmentHeader:
    """Make the header of the files written here."""
    names, lengths = [name for name, _ in CONTIGS], [length for _, length in CONTIGS]
    return pysam.AlignmentHeader.from_references(names, lengths)


def random_reads(seed: int, n_reads: int) -> list[pysam.AlignedSegment]:
    """Sorted reads: mates, unmapped mates with a place, huge and empty ones."""
    pick = random.Random(seed)  # noqa: S311 - test data, no secret
    header = made_header()
    reads = []
    for number in range(n_reads):
        read = pysam.AlignedSegment(header)
        read.query_name = f"r{number}" + "x" * pick.choice((0, 0, 5, 200))
        contig = pick.randrange(2)
        read.reference_id = contig
        read.reference_start = pick.randrange(CONTIGS[contig][1] - 3000)
        if pick.random() < 0.5:
            read.reference_start = pick.randrange(20_000, 20_400)
        read.flag = pick.choice((0, 16, 99, 147, 1024, 2048))
        read.mapping_quality = pick.randrange(61)
        if pick.random() < 0.1:
            read.flag = 4
            read.cigarstring = None
        else:
            read.cigarstring = pick.choice(CIGARS)
        if pick.random() > 0.05:
            read.query_sequence = "".join(pick.choices("ACGTN", k=100))
            read.query_qualities = pysam.qualitystring_to_array("F" * 100)
        read.set_tag("RX", "ACGT")
        read.set_tag("ZZ", "y" * pick.choice((0, 1, 300)))
        reads.append(read)
    reads.sort(key=lambda read: (read.reference_id, read.reference_start))
    for number in range(n_reads // 10):
        read = pysam.AlignedSegment(header)
        read.query_name, read.flag = f"u{number}", 4
        read.query_sequence = "ACGT" * 10
        reads.append(read)
    return reads


def write_bam(
    path: Path,
    reads: Iterable[pysam.AlignedSegment],
    *,
    order: str = "coordinate",
    index: str = "bai",
    lines: Sequence[str] = (),
) -> Path:
    """Write a BAM file (or CRAM or SAM, by its ending) and its index."""
    text = f"@HD\tVN:1.6\tSO:{order}\n"
    text += "".join(f"@SQ\tSN:{name}\tLN:{length}\n" for name, length in CONTIGS)
    text += "".join(f"{line}\n" for line in lines)
    mode = {".bam": "wb", ".sam": "w", ".cram": "wc"}[path.suffix]
    options = ["no_ref=1"] if path.suffix == ".cram" else None
    with pysam.AlignmentFile(
        str(path), mode, text=text, format_options=options
    ) as file:
        for read in reads:
            file.write(read)
    if index == "bai":
        pysam.index(str(path))
    elif index == "csi":
        pysam.index("-c", str(path))
    return path


def split_records(data: bytes) -> list[bytes]:
    """Cut bytes into raw records, the obvious way."""
    records, at = [], 0
    while at < len(data):
        (size,) = struct.unpack_from("<i", data, at)
        records.append(data[at : at + 4 + size])
        at += 4 + size
    assert at == len(data)
    return records


def inflate_all(path: Path) -> bytes:
    """Inflate a BAM file as one would any gzip file."""
    data, inflated = path.read_bytes(), b""
    while data:
        inflater = zlib.decompressobj(wbits=31)
        inflated += inflater.decompress(data)
        data = inflater.unused_data
    return inflated


def raw_records(path: Path) -> list[bytes]:
    """List all raw records of a BAM file, the obvious way."""
    inflated = inflate_all(path)
    (at,) = struct.unpack_from("<i", inflated, 4)
    at += 8
    (n_contigs,) = struct.unpack_from("<i", inflated, at)
    at += 4
    for _ in range(n_contigs):
        (size,) = struct.unpack_from("<i", inflated, at)
        at += 8 + size
    return split_records(inflated[at:])


def block(data: bytes, level: int = 6) -> bytes:
    """Make one BGZF block."""
    squeezer = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = squeezer.compress(data) + squeezer.flush()
    head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0"
    size = struct.pack("<H", len(body) + 25)
    return head + size + body + struct.pack("<II", zlib.crc32(data), len(data))


EOF = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def bam_bytes(
    records: Sequence[bytes],
    *,
    contigs: Sequence[tuple[bytes, int]] = ((b"c\0", 1000),),
    text: bytes = b"",
    block_size: int = 60_000,
) -> bytes:
    """Make a BAM file of raw records, header and blocks, however wrong they are."""
    head = b"BAM\x01" + struct.pack("<i", len(text)) + text
    head += struct.pack("<i", len(contigs))
    for name, length in contigs:
        head += struct.pack("<i", len(name)) + name + struct.pack("<i", length)
    body = head + b"".join(records)
    return b"".join(map(block, _slices(body, block_size))) + EOF


def _slices(body: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


def record(
    name: bytes = b"read\0",
    *,
    contig: int = 0,
    position: int = 10,
    cigar: Sequence[int] = ((4 << 4),),
    sequence: bytes = b"\x12\x48",
    n_bases: int = 4,
    qualities: bytes = b"\x1e\x1e\x1e\x1e",
    tags: bytes = b"",
    mate: tuple[int, int] = (-1, -1),
    flag: int = 0,
    size: int | None = None,
) -> bytes:
    """Make one raw record, however wrong."""
    body = struct.pack(
        "<iiBBHHHiiii",
        contig,
        position,
        len(name),
        60,
        4680,
        len(cigar),
        flag,
        n_bases,
        *mate,
        0,
    )
    body += name + b"".join(struct.pack("<I", word) for word in cigar)
    body += sequence + qualities + tags
    return struct.pack("<i", len(body) if size is None else size) + body
