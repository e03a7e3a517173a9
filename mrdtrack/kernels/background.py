"""The background: what molecules show at positions where no marker is.

Every record leaves one row for each stretch it overlaps: a code for each position, the
base in the low three bits (4 where it says nothing) and the indel behind it above.
Rows are then merged by the same rules as the evidence: a fragment's mates are one
observation, and a family's fragments vote.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import (
    kernel,
    read_i32,
    read_u8,
    read_u32,
)
from mrdtrack.kernels.arrays import (
    DUPLICATE,
    FILTERED,
    SPLIT,
    UNMAPPED,
    Bytes,
    Candidates,
    Ints,
    ReadFilter,
)
from mrdtrack.kernels.bam_records import (
    cigar_span,
    overlapping_end,
    quality_start,
    record_end,
    sequence_start,
)
from mrdtrack.kernels.record_facts import (
    enlarged_ints,
    fragment_start,
    name_key,
    read_umi,
    record_bits,
)

NOTHING = 4
LONGEST_INDEL = 9
INDEL_CODES = 20
"""Indel codes: 1 to 9 bases inserted, 10 + (1 to 9) bases deleted, 0 none or longer."""
AGREEMENT = 2.0 / 3.0
_CODE_OF_NIBBLE = np.array([4, 0, 1, 4, 2, 4, 4, 4, 3, 4, 4, 4, 4, 4, 4, 4], np.int64)


class StretchArrays(NamedTuple):
    """Disjoint stretches of the reference, sorted; contigs are those of the reads."""

    contig: Ints  # [S]
    low: Ints  # [S]
    high: Ints  # [S]
    first: Ints  # [S + 1] number of a stretch's first position among all


class BackgroundRows(NamedTuple):
    """What each record shows in each stretch it overlaps."""

    stretch: Ints  # [N]
    name: Ints  # [N] hash of the read name
    umi: Ints  # [N]
    start: Ints  # [N]
    flags: Ints  # [N]
    offset: Ints  # [N] first position, counted from the stretch's own
    code_start: Ints  # [N + 1]
    codes: Bytes  # one a position


class BackgroundCounts(NamedTuple):
    """Molecules by base and by indel at each of P positions."""

    bases: Ints  # [P, 4]
    indels: Ints  # [P, INDEL_CODES]


@kernel
def indel_code(operation: int, size: int) -> int:
    """Code an insertion (operation 1) or deletion (2)."""
    if size > LONGEST_INDEL:
        return 0
    return size if operation == 1 else 10 + size


@kernel
def write_codes(
    data: Bytes,
    record: int,
    min_quality: int,
    low: int,
    high: int,
    codes: Bytes,
    begin: int,
) -> None:
    """Write the codes of a record for reference positions [low, high)."""
    sequence, quality = sequence_start(data, record), quality_start(data, record)
    at, n_operations = cigar_span(data, record)
    position = read_i32(data, record + 8)
    query = 0
    for i in range(low, high):
        codes[begin + i - low] = NOTHING
    for k in range(n_operations):
        word = read_u32(data, at + 4 * k)
        operation, size = word & 15, word >> 4
        if operation in (0, 7, 8):
            for p in range(max(position, low), min(position + size, high)):
                i = query + p - position
                q = read_u8(data, quality + i)
                if q >= min_quality:
                    pair = read_u8(data, sequence + i // 2)
                    nibble = (pair >> 4) if i % 2 == 0 else (pair & 15)
                    codes[begin + p - low] = _CODE_OF_NIBBLE[nibble]
            position += size
            query += size
        elif operation in (1, 2):
            at_base = begin + position - 1 - low
            if low < position <= high and codes[at_base] < NOTHING:
                codes[at_base] += 8 * indel_code(operation, size)
        if operation in (1, 4):
            query += size
        elif operation in (2, 3):
            position += size


@kernel
def first_stretch(stretches: StretchArrays, contig: int, position: int) -> int:
    """Find the first stretch that ends behind a position."""
    low, high = 0, stretches.low.shape[0]
    while low < high:
        middle = (low + high) // 2
        before = stretches.contig[middle] < contig
        here = stretches.contig[middle] == contig
        if before or (here and stretches.high[middle] <= position):
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def find_overlaps(
    data: Bytes, stretches: StretchArrays, read_filter: ReadFilter
) -> Candidates:
    """List the aligned primary records of a chunk and the stretches they overlap."""
    dropped = (FILTERED & ~DUPLICATE) | SPLIT | UNMAPPED
    records = np.zeros(1024, np.int64)
    places = np.zeros(1024, np.int64)
    n = 0
    record = 0
    while record < data.shape[0]:
        this = record
        record = record_end(data, this)
        contig = read_i32(data, this + 4)
        position = read_i32(data, this + 8)
        if contig < 0 or read_i32(data, this + 20) == 0:
            continue
        s = first_stretch(stretches, contig, position)
        end = overlapping_end(data, this)
        while (
            s < stretches.low.shape[0]
            and stretches.contig[s] == contig
            and stretches.low[s] < end
        ):
            if record_bits(data, this, read_filter) & dropped:
                break
            if n == records.shape[0]:
                records, places = enlarged_ints(records), enlarged_ints(places)
            records[n] = this
            places[n] = s
            n += 1
            s += 1
    return Candidates(records[:n].copy(), places[:n].copy())


@kernel
def read_stretches(
    data: Bytes, stretches: StretchArrays, read_filter: ReadFilter, min_quality: int
) -> BackgroundRows:
    """Read what the aligned primary records of a chunk show in the stretches."""
    found = find_overlaps(data, stretches, read_filter)
    n = found.record.shape[0]
    rows = BackgroundRows(
        found.marker,
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n + 1, np.int64),
        np.zeros(0, np.uint8),
    )
    for i in range(n):
        record, s = found.record[i], found.marker[i]
        position = read_i32(data, record + 8)
        low = max(position, stretches.low[s])
        high = min(overlapping_end(data, record), stretches.high[s])
        rows.name[i] = name_key(data, record)
        rows.umi[i] = read_umi(data, record, read_filter)
        rows.start[i] = fragment_start(data, record)
        rows.flags[i] = record_bits(data, record, read_filter)
        rows.offset[i] = low - stretches.low[s]
        rows.code_start[i + 1] = rows.code_start[i] + high - low
    codes = np.zeros(rows.code_start[n], np.uint8)
    for i in range(n):
        low = rows.offset[i] + stretches.low[found.marker[i]]
        begin = rows.code_start[i]
        high = low + rows.code_start[i + 1] - begin
        write_codes(data, found.record[i], min_quality, low, high, codes, begin)
    return BackgroundRows(
        rows.stretch,
        rows.name,
        rows.umi,
        rows.start,
        rows.flags,
        rows.offset,
        rows.code_start,
        codes,
    )


@kernel
def add_row(
    rows: BackgroundRows, row: int, bases: Ints, indels: Ints, seen: Ints
) -> None:
    """Add a record to its fragment: what two records say differently is nothing."""
    begin = rows.code_start[row]
    at = rows.offset[row]
    for i in range(rows.code_start[row + 1] - begin):
        code = int(rows.codes[begin + i])
        base, indel = code & 7, code >> 3
        if base == NOTHING:
            continue
        if seen[at + i] == 0:
            seen[at + i] = 1
            bases[at + i] = base
            indels[at + i] = indel
        else:
            if bases[at + i] != base:
                bases[at + i] = NOTHING
            if indels[at + i] != indel:
                indels[at + i] = 0


@kernel
def add_votes(
    bases: Ints, indels: Ints, seen: Ints, low: int, high: int, votes: Ints
) -> None:
    """Let a fragment vote for its family, and clear it for the next one.

    `votes` [W, 4 + INDEL_CODES]: bases first, then indel codes.
    """
    for i in range(low, high):
        if seen[i] and bases[i] < NOTHING:
            votes[i, bases[i]] += 1
            votes[i, 4 + indels[i]] += 1
        seen[i] = 0


@kernel
def add_family(
    votes: Ints, low: int, high: int, first: int, counts: BackgroundCounts
) -> None:
    """Count what a family agrees on, and clear its votes."""
    for i in range(low, high):
        total = votes[i, 0] + votes[i, 1] + votes[i, 2] + votes[i, 3]
        if total > 0:
            for base in range(4):
                if votes[i, base] >= AGREEMENT * total:
                    counts.bases[first + i, base] += 1
            for indel in range(1, INDEL_CODES):
                if votes[i, 4 + indel] >= AGREEMENT * total:
                    counts.indels[first + i, indel] += 1
            votes[i, :] = 0


@kernel
def tally_rows(
    rows: BackgroundRows,
    order: Ints,
    family: Ints,
    fragment: Ints,
    stretches: StretchArrays,
    min_size: int,
) -> BackgroundCounts:
    """Count molecules by base and indel.

    `order` sorts the rows by stretch, family and fragment; `family` and `fragment`
    number them. Families of fewer than `min_size` fragments are left out.
    """
    n_positions = stretches.first[stretches.first.shape[0] - 1]
    counts = BackgroundCounts(
        np.zeros((n_positions, 4), np.int64),
        np.zeros((n_positions, INDEL_CODES), np.int64),
    )
    width = 0
    for s in range(stretches.low.shape[0]):
        width = max(width, stretches.high[s] - stretches.low[s])
    bases = np.zeros(width, np.int64)
    indels = np.zeros(width, np.int64)
    seen = np.zeros(width, np.int64)
    votes = np.zeros((width, 4 + INDEL_CODES), np.int64)
    at = 0
    while at < order.shape[0]:
        stretch, this_family = rows.stretch[order[at]], family[order[at]]
        low, high, size = width, 0, 0
        while at < order.shape[0]:
            row = order[at]
            if rows.stretch[row] != stretch or family[row] != this_family:
                break
            this_fragment = fragment[row]
            begin, end = width, 0
            while at < order.shape[0]:
                row = order[at]
                if rows.stretch[row] != stretch or fragment[row] != this_fragment:
                    break
                add_row(rows, row, bases, indels, seen)
                span = rows.code_start[row + 1] - rows.code_start[row]
                begin = min(begin, rows.offset[row])
                end = max(end, rows.offset[row] + span)
                at += 1
            add_votes(bases, indels, seen, begin, end, votes)
            low, high = min(low, begin), max(high, end)
            size += 1
        if size >= min_size:
            add_family(votes, low, high, stretches.first[stretch], counts)
        else:
            votes[low:high, :] = 0
    return counts
