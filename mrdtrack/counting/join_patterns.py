"""The joins of located markers, to be looked for in reads that lie elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mrdtrack.counting.sequence_index import (
    JOIN_ANCHOR,
    LONGEST_SEED,
    SHORTEST_SEED,
    JoinPattern,
)
from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.haplotypes import EventClass, Haplotype, MarkerHaplotypes

STRAYING: frozenset[EventClass] = frozenset(
    {"insertion", "deletion", "duplication", "junction"}
)
"""Events that may make an aligner put a read elsewhere, or nowhere."""


def join_patterns(markers: Sequence[MarkerHaplotypes]) -> tuple[JoinPattern, ...]:
    """Give the bases around each marker's join, or around both ends of a filler."""
    return tuple(
        pattern
        for number, marker in enumerate(markers)
        if marker.event in STRAYING
        for pattern in _of_marker(number, marker)
    )


def _of_marker(number: int, marker: MarkerHaplotypes) -> Iterator[JoinPattern]:
    mark, bases = marker.alt.marks[0], marker.alt.bases
    edges = {mark.start, mark.end}
    if not marker.adjacency.inserted:
        edges = {(mark.start + mark.end) // 2}
    common = _words(marker.refs)
    for edge in sorted(edges):
        low = max(edge - JOIN_ANCHOR, 0)
        yield JoinPattern(number, bases[low : edge + JOIN_ANCHOR], edge - low, common)


def _words(haplotypes: Sequence[Haplotype]) -> frozenset[str]:
    """Give all words of both strands that are as long as a seed may be."""
    strands = [
        bases for h in haplotypes for bases in (h.bases, reverse_complement(h.bases))
    ]
    return frozenset(
        bases[at : at + size]
        for bases in strands
        for size in range(SHORTEST_SEED, LONGEST_SEED + 1)
        for at in range(len(bases) - size + 1)
    )
