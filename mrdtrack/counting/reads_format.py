"""Tell what kind of reads a file holds, by its content, and whether it is all there."""

from __future__ import annotations

import os
import re
import stat
import zlib
from pathlib import Path
from typing import IO, Literal

from mrdtrack.counting.bgzf import EOF_MARKER
from mrdtrack.errors import AlignmentsError

Format = Literal["bam", "cram", "sam", "fastq"]

FORMATS = "give a BAM, CRAM, SAM or FASTQ file"
COPY_AGAIN = "copy the file again from where it was made, or remake it"
START = 65536

CRAM_END = {
    2: bytes.fromhex("0b000000ffffffff0fe0454f460000000001000001000606010001000100"),
    3: bytes.fromhex(
        "0f000000ffffffff0fe0454f4600000000010005bdd94f0001000606010001000100ee63014b"
    ),
}

_SAM_HEADER = re.compile(rb"@(HD|SQ|RG|PG|CO)[\t\r\n]")


def open_file(path: Path) -> IO[bytes]:
    """Open a regular file that holds something.

    Raises:
        AlignmentsError: there is no such file, or it is of no use.
    """
    name = str(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise AlignmentsError(name, "it is a folder", FORMATS)
        if not stat.S_ISREG(mode):
            raise AlignmentsError(
                name, "it is no regular file, and reads are gone through twice", FORMATS
            )
        if path.stat().st_size == 0:
            raise AlignmentsError(name, "the file is empty", COPY_AGAIN)
        return path.open("rb")
    except FileNotFoundError:
        raise AlignmentsError(name, "there is no such file", FORMATS) from None
    except OSError as error:
        raise AlignmentsError(
            name, f"it cannot be opened ({error.strerror})", "see that it can be read"
        ) from None


def recognise(path: Path, file: IO[bytes]) -> Format:
    """Tell the format of an open file.

    Raises:
        AlignmentsError: it holds no reads in a known format.
    """
    start = file.read(START)
    if start.startswith(b"CRAM"):
        return "cram"
    if not start.startswith(b"\x1f\x8b"):
        return _format_of_text(path, start)
    try:
        inflated = zlib.decompressobj(wbits=31).decompress(start, START)
    except zlib.error:
        raise AlignmentsError(
            str(path), "its first compressed block is damaged", COPY_AGAIN
        ) from None
    if inflated.startswith(b"BAM\x01"):
        return "bam"
    if not inflated:
        raise AlignmentsError(
            str(path), "it holds no data behind its compression", COPY_AGAIN
        )
    return _format_of_text(path, inflated)


def _format_of_text(path: Path, start: bytes) -> Format:
    """Tell SAM from FASTQ by the first line."""
    line = start.split(b"\n", 1)[0]
    if _SAM_HEADER.match(start) or line.count(b"\t") >= 10:
        return "sam"
    if start.startswith(b"@"):
        return "fastq"
    if start.startswith(b">"):
        raise AlignmentsError(
            str(path), "it is FASTA: sequences without base qualities", FORMATS
        )
    raise AlignmentsError(
        str(path), "it is in no format of reads that is known here", FORMATS
    )


def check_whole(path: Path, kind: Format, file: IO[bytes]) -> None:
    """See that a file ends with the mark its format prescribes.

    Raises:
        AlignmentsError: the mark is not there.
    """
    if kind == "bam":
        if _tail(file, len(EOF_MARKER)) != EOF_MARKER:
            raise AlignmentsError(
                str(path), "no BGZF EOF marker: the file is truncated", COPY_AGAIN
            )
    elif kind == "cram":
        file.seek(4)
        major, minor = (file.read(2) + b"\0\0")[:2]
        marker = CRAM_END.get(major, b"")
        if major not in CRAM_END:
            raise AlignmentsError(
                str(path),
                f"it is CRAM version {major}.{minor}, which cannot be read",
                "convert it with samtools to BAM",
            )
        if (major, minor) != (2, 0) and _tail(file, len(marker)) != marker:
            raise AlignmentsError(
                str(path), "no CRAM EOF container: the file is truncated", COPY_AGAIN
            )


def _tail(file: IO[bytes], size: int) -> bytes:
    """Read the last bytes of a file."""
    end = file.seek(0, os.SEEK_END)
    file.seek(max(end - size, 0))
    return file.read(size)
