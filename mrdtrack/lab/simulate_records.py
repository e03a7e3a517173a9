"""Simulated reads as alignment records: BAM with its index, and FASTQ.

Records are built as the SAM specification lays them out (section 4.2,
https://samtools.github.io/hts-specs/SAMv1.pdf) and written through BGZF.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pysam

from mrdtrack.lab.simulate_alignment import HARD_CLIP, SOFT_CLIP, Placement

PAIRED, PROPER, UNMAPPED, MATE_UNMAPPED = 0x1, 0x2, 0x4, 0x8
REVERSE, MATE_REVERSE, FIRST, SECOND = 0x10, 0x20, 0x40, 0x80
SECONDARY, DUPLICATE, SUPPLEMENTARY = 0x100, 0x400, 0x800

MAPPING_QUALITY = 60
MAX_INSERT = 1000
_OPERATIONS = "MIDNSHP=X"
_CODES = bytes(range(5))
_HEX_NIBBLES = bytes.maketrans(_CODES, b"1248f")
_LETTERS = bytes.maketrans(_CODES, b"ACGTN")
_OTHER_STRAND = bytes.maketrans(_CODES, bytes((3, 2, 1, 0, 4)))
_FASTQ_SCORES = bytes.maketrans(bytes(range(94)), bytes(range(33, 127)))


class Split(NamedTuple):
    """How an aligner marks the second part of a split read (`bwa -M`: secondary)."""

    flag: Literal[0x100, 0x800] = 0x800
    clip: Literal["hard", "soft"] = "hard"


class SimulatedRead(NamedTuple):
    """One sequenced read; base codes and qualities in the direction of the allele."""

    name: str
    codes: bytes
    qualities: bytes
    reverse: bool
    mate: int
    placements: tuple[Placement, ...]
    duplicate: bool
    tags: bytes


class Record(NamedTuple):
    """A finished record and its place in the sort order."""

    contig: int
    position: int
    data: bytes


class Contigs:
    """The reference dictionary of a BAM."""

    def __init__(self, lengths: dict[str, int]) -> None:
        self.lengths = lengths
        self.index = {name: number for number, name in enumerate(lengths)}

    def header(self, sample: str) -> bytes:
        """Give the BAM header block for one sample, sorted by coordinate."""
        lines = ["@HD\tVN:1.6\tSO:coordinate"]
        lines += [f"@SQ\tSN:{name}\tLN:{n}" for name, n in self.lengths.items()]
        lines += [f"@RG\tID:{sample}\tSM:{sample}\tPL:ILLUMINA", ""]
        text = "\n".join(lines).encode()
        parts = [b"BAM\1", struct.pack("<i", len(text)), text]
        parts.append(struct.pack("<i", len(self.lengths)))
        for name, length in self.lengths.items():
            raw = name.encode() + b"\0"
            parts += [struct.pack("<i", len(raw)), raw, struct.pack("<i", length)]
        return b"".join(parts)


def records_of(
    template: Sequence[SimulatedRead], contigs: Contigs, split: Split
) -> list[Record]:
    """Give all records of one template: one single read, or two mates."""
    found = []
    for number, read in enumerate(template):
        mate = template[1 - number] if len(template) == 2 else None
        found.extend(_records(read, mate, contigs, split))
    return found


def write_bam(
    path: Path, records: Iterable[Record], contigs: Contigs, sample: str
) -> None:
    """Write records sorted by coordinate, with the index beside."""
    ordered = sorted(records, key=_sort_key)
    with pysam.BGZFile(str(path), "wb", None) as file:
        file.write(contigs.header(sample))
        for first in range(0, len(ordered), 4096):
            file.write(b"".join(r.data for r in ordered[first : first + 4096]))
    pysam.index(str(path))


def write_fastq(
    path: Path, reads: Iterable[SimulatedRead], *, mate: Literal[0, 1, 2]
) -> None:
    """Write the reads of one mate, as the machine read them, gzip-compressed."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as file:
        for read in reads:
            if read.mate != mate:
                continue
            codes, qualities = _machine_order(read)
            bases = codes.translate(_LETTERS)
            scores = qualities.translate(_FASTQ_SCORES)
            file.write(b"@%b\n%b\n+\n%b\n" % (read.name.encode(), bases, scores))


def _sort_key(record: Record) -> tuple[bool, int, int]:
    return record.contig < 0, record.contig, record.position


def _records(
    read: SimulatedRead,
    mate: SimulatedRead | None,
    contigs: Contigs,
    split: Split,
) -> list[Record]:
    own = read.placements[0] if read.placements else None
    other = mate.placements[0] if mate and mate.placements else None
    frame = _Frame(
        name=read.name.encode() + b"\0",
        flag=_flag(read, mate),
        mate=_anchor(other or own, contigs) if mate else (-1, -1),
        template_length=_template_length(read, own, other),
    )
    if own is None:
        body = _Body(_anchor(other, contigs), 0, 0, (), *_machine_order(read))
        return [_record(frame, body, read.tags)]
    distances = [_distance(read, placement) for placement in read.placements]
    found = []
    for number, placement in enumerate(read.placements):
        tags = read.tags + struct.pack("<2scI", b"NM", b"I", distances[number])
        if len(read.placements) > 1:
            tags += _split_tag(read, number, distances)
        flag = split.flag if number else 0
        hard = bool(number) and split.clip == "hard"
        body = _placed(read, placement, _anchor(placement, contigs), hard=hard)
        found.append(_record(frame._replace(flag=frame.flag | flag), body, tags))
    return found


class _Frame(NamedTuple):
    """What all records of one read share."""

    name: bytes
    flag: int
    mate: tuple[int, int]
    template_length: int


class _Body(NamedTuple):
    """What one record says of where the read lies."""

    place: tuple[int, int]
    end: int
    flag: int
    cigar: tuple[tuple[int, int], ...]
    codes: bytes
    qualities: bytes


def _anchor(placement: Placement | None, contigs: Contigs) -> tuple[int, int]:
    if placement is None:
        return -1, -1
    return contigs.index[placement.contig], placement.position


def _is_reverse(read: SimulatedRead, placement: Placement | None) -> bool:
    return placement is not None and read.reverse == placement.forward


def _flag(read: SimulatedRead, mate: SimulatedRead | None) -> int:
    """Give the flags of the primary record, its own strand left to the body."""
    own = read.placements[0] if read.placements else None
    flag = (DUPLICATE if read.duplicate else 0) | (UNMAPPED if own is None else 0)
    if mate is None:
        return flag
    other = mate.placements[0] if mate.placements else None
    flag |= PAIRED | (FIRST if read.mate == 1 else SECOND)
    flag |= MATE_UNMAPPED if other is None else 0
    flag |= MATE_REVERSE if _is_reverse(mate, other) else 0
    if own and other and _is_proper(read, mate, own, other):
        flag |= PROPER
    return flag


def _is_proper(
    read: SimulatedRead, mate: SimulatedRead, own: Placement, other: Placement
) -> bool:
    """Tell whether two mates face each other within the insert size."""
    own_reverse, other_reverse = _is_reverse(read, own), _is_reverse(mate, other)
    if own.contig != other.contig or own_reverse == other_reverse:
        return False
    left, right = (other, own) if own_reverse else (own, other)
    return left.position <= right.position and right.end - left.position <= MAX_INSERT


def _template_length(
    read: SimulatedRead, own: Placement | None, other: Placement | None
) -> int:
    if own is None or other is None or own.contig != other.contig:
        return 0
    length = max(own.end, other.end) - min(own.position, other.position)
    before = own.position < other.position
    if before or (own.position == other.position and read.mate == 1):
        return length
    return -length


def _distance(read: SimulatedRead, placement: Placement) -> int:
    """Give NM: mismatches of the aligned bases, inserted and deleted bases."""
    codes = read.codes if placement.forward else _flipped(read.codes)
    expected = placement.expected
    if len(codes) == len(expected):
        if codes == expected.tobytes():
            return placement.n_gap_bases
        differs = np.frombuffer(codes, dtype=np.uint8) != expected
    else:
        differs = np.frombuffer(codes, dtype=np.uint8)[placement.query] != expected
    return int(np.count_nonzero(differs)) + placement.n_gap_bases


def _split_tag(read: SimulatedRead, number: int, distances: Sequence[int]) -> bytes:
    """Give the SA tag: every other record of the read."""
    others = []
    for index, placement in enumerate(read.placements):
        if index == number:
            continue
        cigar = "".join(f"{n}{_OPERATIONS[op]}" for op, n in placement.cigar)
        strand = "-" if _is_reverse(read, placement) else "+"
        others.append(
            f"{placement.contig},{placement.position + 1},{strand},{cigar},"
            f"{MAPPING_QUALITY},{distances[index]};"
        )
    return b"SAZ" + "".join(others).encode() + b"\0"


def _flipped(codes: bytes) -> bytes:
    return codes.translate(_OTHER_STRAND)[::-1]


def _machine_order(read: SimulatedRead) -> tuple[bytes, bytes]:
    if read.reverse:
        return _flipped(read.codes), read.qualities[::-1]
    return read.codes, read.qualities


def _placed(
    read: SimulatedRead, placement: Placement, place: tuple[int, int], *, hard: bool
) -> _Body:
    codes, qualities = read.codes, read.qualities
    if not placement.forward:
        codes, qualities = _flipped(codes), qualities[::-1]
    cigar = placement.cigar
    if hard:
        n_before = cigar[0][1] if cigar[0][0] == SOFT_CLIP else 0
        n_after = cigar[-1][1] if cigar[-1][0] == SOFT_CLIP else 0
        keep = slice(n_before, len(codes) - n_after)
        codes, qualities = codes[keep], qualities[keep]
        cigar = tuple((HARD_CLIP if op == SOFT_CLIP else op, n) for op, n in cigar)
    flag = REVERSE if _is_reverse(read, placement) else 0
    return _Body(place, placement.end, flag, cigar, codes, qualities)


def _record(frame: _Frame, body: _Body, tags: bytes) -> Record:
    contig, position = body.place
    n_bases = len(body.codes)
    packed = bytes.fromhex(
        (body.codes.translate(_HEX_NIBBLES) + b"0" * (n_bases % 2)).decode("ascii")
    )
    end = max(body.end, position + 1)
    data = b"".join(
        (
            struct.pack(
                "<iiBBHHHiiii",
                contig,
                position,
                len(frame.name),
                MAPPING_QUALITY if body.cigar else 0,
                _bin(position, end),
                len(body.cigar),
                frame.flag | body.flag,
                n_bases,
                *frame.mate,
                frame.template_length,
            ),
            frame.name,
            struct.pack(f"<{len(body.cigar)}I", *(n << 4 | op for op, n in body.cigar)),
            packed,
            body.qualities,
            tags,
        )
    )
    return Record(contig, position, struct.pack("<i", len(data)) + data)


def _bin(start: int, end: int) -> int:
    """Give the BAI bin of [start, end) (SAM specification, section 5.3)."""
    if start < 0:
        return 4680
    end -= 1
    for shift, offset in ((14, 4681), (17, 585), (20, 73), (23, 9), (26, 1)):
        if start >> shift == end >> shift:
            return offset + (start >> shift)
    return 0
