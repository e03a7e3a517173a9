"""Tails of reads that were never in the molecule: adapters, and cycles without light.

A fragment shorter than its read is read on into the adapter; a cluster that ends gives
G on two-colour machines. Such a tail fits no haplotype and speaks of no other allele,
so its bases are made unknown. Only bases that an aligner clipped at the end read last
are looked at.
"""

from __future__ import annotations

import numpy as np

from mrdtrack.kernels._compile import kernel, read_u16, read_u32
from mrdtrack.kernels.arrays import Bytes, ReadScores
from mrdtrack.kernels.bam_records import cigar_span

SHORTEST_TAIL = 6
ADAPTER_LENGTH = 12
ADAPTER_MISMATCHES = 2
ADAPTER_SLIP = 5
"""Bases of an adapter that may have fitted the reference by chance."""
POLY_G_SHARE = 0.9
POLY_G_LENGTH = 10

_ADAPTERS = np.array(
    [
        ["ACGT".index(base) for base in adapter]
        for adapter in ("AGATCGGAAGAG", "CTGTCTCTTATA", "ATCACCGACTGC")
    ],
    np.uint8,
)
"""First bases of the adapters of TruSeq, Nextera and Ion libraries."""


@kernel
def clip_at_end(data: Bytes, record: int) -> int:
    """Give the bases clipped at the end of a record that was read last."""
    at, n_operations = cigar_span(data, record)
    if n_operations < 2:
        return 0
    turned = read_u16(data, record + 18) & 16 != 0
    word = read_u32(data, at if turned else at + 4 * (n_operations - 1))
    return word >> 4 if word & 15 == 4 else 0


@kernel
def adapter_start(scores: ReadScores, row: int, low: int, length: int) -> int:
    """Find where an adapter starts, at read base `low` or soon before it; -1 if not.

    `row` is where the bases start in the order in which they were read.
    """
    for start in range(low, max(low - ADAPTER_SLIP, 0) - 1, -1):
        size = min(ADAPTER_LENGTH, length - start)
        if size < SHORTEST_TAIL:
            continue
        for a in range(_ADAPTERS.shape[0]):
            missed = 0
            for i in range(size):
                if scores.codes[row + start + i] != _ADAPTERS[a, i]:
                    missed += 1
            if missed <= ADAPTER_MISMATCHES * size // ADAPTER_LENGTH:
                return start
    return -1


@kernel
def is_dark(scores: ReadScores, row: int, low: int, length: int) -> bool:
    """Tell whether the bases from `low` to the end of a read are nearly all G."""
    if length - low < POLY_G_LENGTH:
        return False
    n_g = 0
    for i in range(low, length):
        n_g += 1 if scores.codes[row + i] == 2 else 0
    return n_g >= POLY_G_SHARE * (length - low)


@kernel
def silence_tail(data: Bytes, record: int, length: int, scores: ReadScores) -> int:
    """Make the bases of such a tail unknown on both strands; give their number."""
    clipped = clip_at_end(data, record)
    if clipped < SHORTEST_TAIL:
        return 0
    turned = read_u16(data, record + 18) & 16 != 0
    row, other = 0, scores.stride
    if turned:
        row, other = other, row
    low = length - clipped
    start = adapter_start(scores, row, low, length)
    if start < 0 and is_dark(scores, row, low, length):
        start = low
    if start < 0:
        return 0
    for i in range(start, length):
        scores.codes[row + i] = 4
        scores.codes[other + length - 1 - i] = 4
    return length - start
