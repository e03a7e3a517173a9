"""What reads are like: their length, that of their fragments, whether amplicons."""

from __future__ import annotations

import statistics
import struct
from collections import Counter
from collections.abc import Iterator, Sequence

from mrdtrack.counting.reads_file import ReadsFile, Region
from mrdtrack.counting.tally import AMPLICON_MOLECULES, AMPLICON_SHARE
from mrdtrack.kernels.arrays import Bytes
from mrdtrack.panel.advice import ReadsFacts

MOST_READS = 20_000
"""So many primary reads tell what the rest is like."""
STRETCH = 500
"""Bases within which starts are compared; few amplicons begin nearer to each other."""
_NOT_PRIMARY = 0x900
_UNMAPPED_OR_SECOND = 0x84
_HEAD = struct.Struct("<iiiBBHHHiiii")


def reads_facts(reads: ReadsFile, regions: Sequence[Region] | None) -> ReadsFacts:
    """Measure the first reads near the markers (`regions` None: of the file).

    Lengths are medians; a fragment is as long as its pair spans, else as its read.
    """
    lengths: list[int] = []
    spans: list[int] = []
    starts: Counter[tuple[int, int]] = Counter()
    wanted = regions if reads.has_index and regions else None
    for contig, start, flag, length, span in _heads(reads, wanted):
        if not length or flag & _NOT_PRIMARY:
            continue
        lengths.append(length)
        if span > 0:
            spans.append(span)
        if not flag & _UNMAPPED_OR_SECOND:
            starts[contig, start] += 1
        if len(lengths) == MOST_READS:
            break
    if not lengths:
        return ReadsFacts()
    read_length = int(statistics.median(lengths))
    fragment = statistics.median(spans) if spans else read_length
    return ReadsFacts(
        read_length, max(float(fragment), read_length), _is_amplicon(starts)
    )


def _is_amplicon(starts: Counter[tuple[int, int]]) -> bool:
    """Tell whether most fragments share their start with most of their neighbours."""
    stretches: dict[tuple[int, int], list[int]] = {}
    for (contig, start), count in starts.items():
        stretches.setdefault((contig, start // STRETCH), []).append(count)
    alike = sum(
        max(counts)
        for counts in stretches.values()
        if sum(counts) >= AMPLICON_MOLECULES
    )
    return alike > AMPLICON_SHARE * max(starts.total(), 1)


def _heads(
    reads: ReadsFile, regions: Sequence[Region] | None
) -> Iterator[tuple[int, int, int, int, int]]:
    """Give contig, start, flag, read length and template length of each record.

    The start is that of the pair where both mates have a place on one contig.
    """
    for chunk in reads.chunks(regions):
        yield from _heads_of(chunk)


def _heads_of(chunk: Bytes) -> Iterator[tuple[int, int, int, int, int]]:
    data, at = bytes(chunk.data), 0
    while at < len(data):
        size, contig, start, *_, flag, length, mate_contig, mate_start, span = (
            _HEAD.unpack_from(data, at)
        )
        if contig == mate_contig and mate_start >= 0:
            start = min(start, mate_start)
        yield contig, start, flag, length, span
        at += size + 4
