"""Take a BAI or CSI apart, damage it by its meaning, and put it together again.

Layouts are those of the SAM specification, sections 5.2 (BAI) and of the CSI format.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from fuzzing.bam_parts import blocks_of, split_bam
from fuzzing.changes import Pick

Chunk = tuple[int, int]
META = 37450


@dataclass
class Bin:
    """One bin of a contig; `loffset` is CSI's alone."""

    number: int
    loffset: int
    chunks: list[Chunk]


@dataclass
class Contig:
    """The part of one contig; `windows` is BAI's alone."""

    bins: list[Bin]
    windows: list[int]


class Index(NamedTuple):
    """A whole index; `head` stands before the number of contigs."""

    head: bytes
    contigs: list[Contig]
    tail: bytes
    is_csi: bool


def split_index(data: bytes) -> Index:
    """Take an inflated index apart."""
    is_csi = data[:4] == b"CSI\x01"
    at = 16 + struct.unpack_from("<i", data, 12)[0] if is_csi else 4
    head = data[:at]
    (n_contigs,) = struct.unpack_from("<i", data, at)
    at += 4
    contigs = []
    for _ in range(n_contigs):
        contig, at = _split_contig(data, at, is_csi=is_csi)
        contigs.append(contig)
    return Index(head, contigs, data[at:], is_csi)


def _split_contig(data: bytes, at: int, *, is_csi: bool) -> tuple[Contig, int]:
    (n_bins,) = struct.unpack_from("<i", data, at)
    at += 4
    bins = []
    for _ in range(n_bins):
        (number,) = struct.unpack_from("<I", data, at)
        loffset = struct.unpack_from("<q", data, at + 4)[0] if is_csi else 0
        at += 12 if is_csi else 4
        (n_chunks,) = struct.unpack_from("<i", data, at)
        flat = struct.unpack_from(f"<{2 * n_chunks}q", data, at + 4)
        bins.append(Bin(number, loffset, list(zip(flat[::2], flat[1::2], strict=True))))
        at += 4 + 16 * n_chunks
    windows: list[int] = []
    if not is_csi:
        (n_windows,) = struct.unpack_from("<i", data, at)
        windows = list(struct.unpack_from(f"<{n_windows}q", data, at + 4))
        at += 4 + 8 * n_windows
    return Contig(bins, windows), at


def join_index(index: Index) -> bytes:
    """Put an index together; it is not compressed."""
    out = [index.head, struct.pack("<i", len(index.contigs))]
    for contig in index.contigs:
        out.append(struct.pack("<i", len(contig.bins)))
        for one in contig.bins:
            out.append(struct.pack("<I", one.number & 0xFFFFFFFF))
            if index.is_csi:
                out.append(struct.pack("<q", one.loffset))
            out.append(struct.pack("<i", len(one.chunks)))
            out += [struct.pack("<qq", *chunk) for chunk in one.chunks]
        if not index.is_csi:
            windows = contig.windows
            out.append(struct.pack(f"<i{len(windows)}q", len(windows), *windows))
    return b"".join(out) + index.tail


def record_offsets(bam: bytes) -> list[int]:
    """List the virtual offset of every record: the places a liar would point to."""
    starts, total = [], 0
    for one in blocks_of(bam):
        (size,) = struct.unpack_from("<I", one, len(one) - 4)
        starts.append((total, size))
        total += size
    files = [0]
    for one in blocks_of(bam):
        files.append(files[-1] + len(one))
    parts = split_bam(bam)
    at, offsets, number = len(parts.header), [], 0
    for record in parts.records:
        while at >= starts[number][0] + starts[number][1]:
            number += 1
        offsets.append(files[number] << 16 | (at - starts[number][0]))
        at += len(record)
    return offsets


def change_index(index: Index, offsets: list[int], pick: Pick) -> None:
    """Damage an index so that it stays an index: other bins, other places."""
    contig = pick.choice(index.contigs)
    for _ in range(pick.choice((1, 1, 1, 2, 4))):
        how = pick.randrange(10)
        if contig.bins and how < 8:
            _change_bins(contig, offsets, pick, how)
        elif contig.windows:
            _change_windows(contig, offsets, pick)
        else:
            others = pick.choice(index.contigs)
            contig.bins, others.bins = others.bins, contig.bins


def _change_bins(contig: Contig, offsets: list[int], pick: Pick, how: int) -> None:
    one = pick.choice(contig.bins)
    if how == 0:
        contig.bins.remove(one)
    elif how == 1:
        one.number = pick.choice((one.number + 1, one.number - 1, 4681, 585, 0, META))
    elif how == 2 and one.chunks:
        del one.chunks[pick.randrange(len(one.chunks))]
    elif how == 3:
        one.loffset = pick.choice((*offsets[:50], *offsets[-50:], 0))
    elif how == 4:
        contig.bins.append(Bin(pick.choice((4681, 4690, 73)), 0, list(one.chunks)))
    elif one.chunks:
        at = pick.randrange(len(one.chunks))
        begin, end = one.chunks[at]
        near = [o for o in offsets if begin <= o <= end] or offsets
        if how == 5:
            begin = pick.choice(near)
        elif how == 6:
            end = pick.choice(near)
        else:
            begin, end = sorted((pick.choice(offsets), pick.choice(offsets)))
        one.chunks[at] = (begin, end)


def _change_windows(contig: Contig, offsets: list[int], pick: Pick) -> None:
    at = pick.randrange(len(contig.windows))
    how = pick.randrange(4)
    if how == 0:
        contig.windows[at] = pick.choice((0, -1, *offsets))
    elif how == 1:
        contig.windows[at:] = []
    elif how == 2:
        contig.windows.insert(at, contig.windows[at])
    else:
        contig.windows = [max(contig.windows)] * len(contig.windows)
