"""Records of chosen read groups, out of a file that holds several samples."""

from __future__ import annotations

import numpy as np

from mrdtrack.kernels._compile import kernel
from mrdtrack.kernels.arrays import Bytes, Ints
from mrdtrack.kernels.bam_records import find_tag, record_end, tag_text_span


@kernel
def is_of_group(data: Bytes, record: int, names: Bytes, start: Ints) -> bool:
    """Tell whether the RG tag of a record is one of the names."""
    tag = find_tag(data, record, 82, 71)
    if tag < 0:
        return False
    begin, end = tag_text_span(data, tag)
    if begin < 0:
        return False
    for i in range(start.shape[0] - 1):
        if start[i + 1] - start[i] != end - begin:
            continue
        same = True
        for k in range(end - begin):
            if data[begin + k] != names[start[i] + k]:
                same = False
                break
        if same:
            return True
    return False


@kernel
def records_of_groups(data: Bytes, names: Bytes, start: Ints) -> Bytes:
    """Copy the records of the groups named; those without a group are left out.

    Name `i` is `names[start[i]:start[i + 1]]`.
    """
    kept = np.zeros(data.shape[0], np.uint8)
    size = 0
    record = 0
    while record < data.shape[0]:
        this = record
        record = record_end(data, this)
        if is_of_group(data, this, names, start):
            kept[size : size + record - this] = data[this:record]
            size += record - this
    return kept[:size].copy()
