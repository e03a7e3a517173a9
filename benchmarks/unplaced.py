"""The same reads as an aligner leaves them that it cannot place: for `--scan`."""

from __future__ import annotations

from pathlib import Path

import pysam

COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def write_unplaced(aligned: Path, path: Path) -> None:
    """Write every read of a BAM file once, as it was sequenced and without a place."""
    with (
        pysam.AlignmentFile(str(aligned)) as reads,
        pysam.AlignmentFile(str(path), "wb", header=reads.header) as file,
    ):
        for read in reads:
            if not read.flag & 0x900:
                file.write(_unplaced(read, reads.header))
    pysam.index(str(path))


def _unplaced(
    read: pysam.AlignedSegment, header: pysam.AlignmentHeader
) -> pysam.AlignedSegment:
    bases, qualities = read.query_sequence or "", read.query_qualities
    bare = pysam.AlignedSegment(header)
    bare.query_name = read.query_name
    bare.flag = read.flag & 0xC1 | 0xC
    bare.query_sequence = bases.translate(COMPLEMENT)[::-1] if read.flag & 16 else bases
    if qualities is not None:
        bare.query_qualities = qualities[::-1] if read.flag & 16 else qualities
    return bare
