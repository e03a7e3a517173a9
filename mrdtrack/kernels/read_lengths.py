"""Lengths of reads and of their fragments, of the first records near the markers."""

from __future__ import annotations

import numpy as np

from mrdtrack.kernels._compile import kernel, read_i32, read_u16
from mrdtrack.kernels.arrays import Bytes, Ints
from mrdtrack.kernels.bam_records import overlapping_end, record_end

NOT_MEASURED = 0x100 | 0x200 | 0x800
"""Secondary, failed and supplementary records."""


@kernel
def touches(contigs: Ints, low: Ints, high: Ints, data: Bytes, record: int) -> bool:
    """Tell whether a record overlaps one of the sorted, disjoint places."""
    contig, position = read_i32(data, record + 4), read_i32(data, record + 8)
    first, last = 0, low.shape[0]
    while first < last:
        middle = (first + last) // 2
        here = contigs[middle] == contig
        if contigs[middle] < contig or (here and high[middle] <= position):
            first = middle + 1
        else:
            last = middle
    if first == low.shape[0] or contigs[first] != contig:
        return False
    return bool(low[first] < overlapping_end(data, record))


@kernel
def read_lengths(data: Bytes, contigs: Ints, low: Ints, high: Ints, most: int) -> Ints:
    """List read length and fragment length of up to `most` records: [N, 2].

    Of primary records that overlap one of the places (sorted and disjoint), or of all,
    unaligned ones too, where there is none. The fragment length is that of the first
    record of a proper pair, else 0.
    """
    found = np.zeros((most, 2), np.int64)
    n = 0
    record = 0
    while record < data.shape[0] and n < most:
        this = record
        record = record_end(data, this)
        flag = read_u16(data, this + 18)
        length = read_i32(data, this + 20)
        if length == 0 or flag & NOT_MEASURED != 0:
            continue
        placed = flag & 0x4 == 0 and touches(contigs, low, high, data, this)
        if low.shape[0] > 0 and not placed:
            continue
        found[n, 0] = length
        if flag & 0x2 != 0:
            found[n, 1] = max(read_i32(data, this + 32), 0)
        n += 1
    return found[:n].copy()
