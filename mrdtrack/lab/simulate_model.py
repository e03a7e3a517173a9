"""The allele a simulator draws molecules from: a path over the reference.

Segments have coordinates, inserted bases have none. What the reads look like, where an
aligner would put them and which molecule is truly mutant all follow from this path, and
from nothing that counts reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8]

_CODE_OF = np.full(256, 4, dtype=np.uint8)
for _code, _base in enumerate(b"ACGT"):
    _CODE_OF[_base] = _code


class Bases(Protocol):
    """Anything that gives reference bases; [start, end), 0-based, cut at the ends."""

    def fetch(self, contig: str, start: int, end: int) -> str:
        """Give the bases of an interval."""
        ...


class Segment(NamedTuple):
    """A part of an allele, `bases` in the allele's own direction.

    `contig` is None for bases that stand nowhere in the reference. A backward segment
    is the reverse complement of [start, end). `altered` marks substituted bases.
    """

    contig: str | None
    start: int
    end: int
    forward: bool
    bases: str
    altered: bool = False


class Site(NamedTuple):
    """One wild-type adjacency that a marker breaks: between `point - 1` and `point`."""

    marker: str
    side: str
    contig: str
    point: int


class Join(NamedTuple):
    """Where a marker's novel sequence lies on its allele: [start, end), may be empty.

    `substituted` is true where the bases of the interval themselves tell (SNV, MNV).
    `anchor` is how many bases a read needs beside it to be told from chance; by
    `slide_left` and `slide_right` bases the join could stand elsewhere.
    """

    marker: str
    start: int
    end: int
    substituted: bool
    anchor: int
    slide_left: int = 0
    slide_right: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Allele:
    """One simulated chromosome piece; `window` is where fragments must reach."""

    name: str
    segments: tuple[Segment, ...]
    codes: Codes
    joins: tuple[Join, ...]
    window: tuple[int, int]
    share: float

    @property
    def markers(self) -> frozenset[str]:
        """The markers this allele carries."""
        return frozenset(join.marker for join in self.joins)


def encode(bases: str) -> Codes:
    """Turn bases into codes: A, C, G, T, other are 0 to 4."""
    return _CODE_OF[np.frombuffer(bases.encode("ascii"), dtype=np.uint8)]


def place_of(allele: Allele, site: Site) -> int | None:
    """Give the allele position of a wild-type adjacency, None where it is broken."""
    offset = 0
    for segment in allele.segments:
        if (
            segment.contig == site.contig
            and not segment.altered
            and segment.start < site.point < segment.end
        ):
            inside = site.point - segment.start
            length = segment.end - segment.start
            return offset + (inside if segment.forward else length - inside)
        offset += len(segment.bases)
    return None
