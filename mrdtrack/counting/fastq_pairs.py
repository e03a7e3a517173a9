"""Pairs of FASTQ files: the two reads of each fragment, in a file each."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

LONGEST_NAME = 4096
_FIRST_OF_TWO = re.compile(r"^(.+[._])(R?)1((?:_\d{3})?\.(?:fastq|fq)(?:\.gz)?)$")


class SampleReads(NamedTuple):
    """The file or files that hold a sample's reads."""

    path: Path
    mate: Path | None = None


def pair_files(paths: Sequence[Path]) -> list[SampleReads]:
    """Put FASTQ files together that hold the first and the second reads.

    Both must be given, be called alike but for the 1 and the 2 (`x_R1.fastq.gz`,
    `x_1.fq`, `x_R1_001.fastq`), and begin with the same read. All else stays single.
    """
    mates = {path: _second_of(path) for path in paths}
    pairs = {
        path: mate
        for path, mate in mates.items()
        if mate in mates and _same_first_read(path, mate)
    }
    seconds = set(pairs.values())
    return [SampleReads(path, pairs.get(path)) for path in paths if path not in seconds]


def shared_name(path: Path) -> str:
    """Give the file name of a pair without what tells the two apart."""
    return _FIRST_OF_TWO.sub(lambda name: name[1][:-1] + name[3], path.name)


def _second_of(path: Path) -> Path:
    """Name the file of the second reads; another name than `path`'s is no promise."""
    return path.with_name(_FIRST_OF_TWO.sub(r"\g<1>\g<2>2\g<3>", path.name))


def _same_first_read(one: Path, other: Path) -> bool:
    first = _first_name(one) if one != other else None
    return first is not None and first == _first_name(other)


def _first_name(path: Path) -> bytes | None:
    """Read the name of the first read; None where there is none, or no FASTQ."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            line = file.readline(LONGEST_NAME)
    except (OSError, EOFError, zlib.error):
        return None
    words = line.split()
    if not words or not line.startswith(b"@"):
        return None
    return words[0].removesuffix(b"/1").removesuffix(b"/2")
