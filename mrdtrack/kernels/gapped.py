"""Alignment of a read to a haplotype with gaps, in a band around its diagonals.

Affine gaps (Gotoh 1982, doi:10.1016/0022-2836(82)90398-9), base by base with base
qualities. As along a single diagonal, the score is that of the best stretch against a
random sequence, and ending a stretch inside both read and haplotype costs the same.
"""

from __future__ import annotations

import numpy as np

from mrdtrack.kernels._compile import kernel, read_i32, read_u32
from mrdtrack.kernels.arrays import Bytes, Floats, Ints, ReadScores, Targets
from mrdtrack.kernels.bam_records import cigar_span
from mrdtrack.kernels.evidence import (
    CLIP_PHRED,
    NO_SCORE,
    base_score,
    find_diagonals,
)

GAP_OPEN = 45.0
"""Price of an indel in a read that has few: about 3 in 100,000 bases."""
GAP_LEAST = 15.0
GAP_EXTEND = 10.0
FEW_GAPS = 2
"""Indels of a read up to which they do not tell of how it was sequenced."""
LONG_CLIP = 10
BAND = 10
"""Diagonals tried beyond those of the read's own alignment."""
WIDEST = 120

_FROM_START, _FROM_MATCH, _FROM_INSERTED, _FROM_SKIPPED = range(4)
_EXTENDS_INSERTED, _EXTENDS_SKIPPED = 4, 8


@kernel
def count_gaps(data: Bytes, record: int) -> int:
    """Count the insertions and deletions of a record's alignment."""
    at, n_operations = cigar_span(data, record)
    n = 0
    for k in range(n_operations):
        operation = read_u32(data, at + 4 * k) & 15
        n += 1 if operation in (1, 2) else 0
    return n


@kernel
def has_gap(data: Bytes, record: int) -> bool:
    """Tell whether an alignment has an insertion or a deletion."""
    return count_gaps(data, record) > 0


@kernel
def is_spliced(data: Bytes, record: int) -> bool:
    """Tell whether an alignment leaves out introns."""
    at, n_operations = cigar_span(data, record)
    n = 0
    for k in range(n_operations):
        n += 1 if read_u32(data, at + 4 * k) & 15 == 3 else 0
    return n > 0


@kernel
def is_broken(data: Bytes, record: int) -> bool:
    """Tell whether an alignment has a gap, or leaves out `LONG_CLIP` bases at an end.

    What hides there may be an indel of the read beside the marker.
    """
    at, n_operations = cigar_span(data, record)
    for k in range(n_operations):
        word = read_u32(data, at + 4 * k)
        operation, size = word & 15, word >> 4
        if operation in (1, 2) or (operation == 4 and size >= LONG_CLIP):
            return True
    return False


@kernel
def gap_price(n_gaps: int, length: int) -> float:
    """Price the opening of a gap by how often a read has one, in phred."""
    if n_gaps <= FEW_GAPS:
        return GAP_OPEN
    rate = n_gaps / max(length, 1)
    return float(min(max(-10.0 * np.log10(rate), GAP_LEAST), GAP_OPEN))


@kernel
def best_way(
    match: Floats, inserted: Floats, skipped: Floats, band: int, edge: bool
) -> tuple[float, int]:
    """Say from where the next pair of bases is best reached, and with what score."""
    came, way = (0.0 if edge else -CLIP_PHRED), _FROM_START
    if match[band] > came:
        came, way = match[band], _FROM_MATCH
    if inserted[band] > came:
        came, way = inserted[band], _FROM_INSERTED
    if skipped[band] > came:
        came, way = skipped[band], _FROM_SKIPPED
    return came, way


@kernel
def gap_way(
    aligned: Floats, gapped: Floats, band: int, opening: float
) -> tuple[float, bool]:
    """Give the better of opening a gap and extending one, and whether it extends."""
    if not 0 <= band < aligned.shape[0]:
        return NO_SCORE, False
    opened, extended = aligned[band] - opening, gapped[band] - GAP_EXTEND
    return max(opened, extended), bool(extended > opened)


@kernel
def align_band(
    scores: ReadScores,
    strand: int,
    length: int,
    targets: Targets,
    haplotype: int,
    low_shift: int,
    high_shift: int,
    opening: float,
    place: Ints,
) -> float:
    """Align a read to a haplotype with diagonals `low_shift` to `high_shift`.

    Read base `i` may stand on haplotype base `i + shift`. Writes the haplotype position
    of each read base into `place` (-1 for none) and gives the score in phred against
    random sequence.
    """
    start = targets.base_start[haplotype]
    size = targets.base_start[haplotype + 1] - start
    first, last = max(0, -high_shift), min(length, size - low_shift)
    place[:length] = -1
    width = high_shift - low_shift + 1
    trace = np.zeros((max(last - first, 0), width), np.uint8)
    match = np.full(width, NO_SCORE)
    inserted = np.full(width, NO_SCORE)
    skipped = np.full(width, NO_SCORE)
    best, best_read, best_band = 0.0, -1, -1
    row = strand * scores.stride
    for i in range(first, last):
        code = int(scores.codes[row + i])
        gain, loss = scores.match[row + i], scores.mismatch[row + i]
        for b in range(width):
            j = i + low_shift + b
            if not 0 <= j < size:
                match[b], inserted[b], skipped[b] = NO_SCORE, NO_SCORE, NO_SCORE
                continue
            edge = i == 0 or j == 0
            came, way = best_way(match, inserted, skipped, b, edge)
            inserted[b], extends = gap_way(match, inserted, b + 1, opening)
            way |= _EXTENDS_INSERTED if extends else 0
            other = int(targets.bases[start + j])
            match[b] = came + base_score(code, other, gain, loss)
            skipped[b], extends = gap_way(match, skipped, b - 1, opening)
            way |= _EXTENDS_SKIPPED if extends else 0
            trace[i - first, b] = way
            inside = i < length - 1 and j < size - 1
            total = match[b] - (CLIP_PHRED if inside else 0.0)
            if total > best:
                best, best_read, best_band = total, i, b
    follow_trace(trace, first, low_shift, best_read, best_band, place)
    return best


@kernel
def follow_trace(
    trace: Bytes, first: int, low_shift: int, read: int, band: int, place: Ints
) -> None:
    """Write where each read base stands, from the last aligned one backwards."""
    state = _FROM_MATCH
    while read >= first:
        way = trace[read - first, band]
        if state == _FROM_MATCH:
            place[read] = read + low_shift + band
            state = way & 3
            read -= 1
            if state == _FROM_START:
                return
        elif state == _FROM_INSERTED:
            state = _FROM_INSERTED if way & _EXTENDS_INSERTED else _FROM_MATCH
            read -= 1
            band += 1
        else:
            state = _FROM_SKIPPED if way & _EXTENDS_SKIPPED else _FROM_MATCH
            band -= 1


@kernel
def cluster_band(
    diagonals: Ints, count: int, first: int, done: Bytes
) -> tuple[int, int]:
    """Give the band around diagonal `first` and those near it; mark them as done."""
    strand = diagonals[2 * first + 1]
    low, high = diagonals[2 * first], diagonals[2 * first]
    grown = True
    while grown:
        grown = False
        for e in range(count):
            shift = diagonals[2 * e]
            near = low - BAND <= shift <= high + BAND
            wide = max(high, shift) - min(low, shift) > WIDEST
            if done[e] == 0 and diagonals[2 * e + 1] == strand and near and not wide:
                done[e] = 1
                grown = True
                low, high = min(low, shift), max(high, shift)
    return low - BAND, high + BAND


@kernel
def align_haplotype(
    data: Bytes,
    record: int,
    targets: Targets,
    haplotype: int,
    scores: ReadScores,
    opening: float,
    diagonals: Ints,
    places: Ints,
) -> tuple[float, int]:
    """Align a record to a haplotype around each cluster of its diagonals.

    `places` [2, L] gets the best alignment in its first row. Returns the score and the
    strand.
    """
    length = read_i32(data, record + 20)
    count = find_diagonals(data, record, targets, haplotype, diagonals)
    done = np.zeros(count, np.uint8)
    best, best_strand = 0.0, 0
    places[0, :length] = -1
    for d in range(count):
        if done[d] == 1:
            continue
        strand = diagonals[2 * d + 1]
        low, high = cluster_band(diagonals, count, d, done)
        score = align_band(
            scores,
            strand,
            length,
            targets,
            haplotype,
            low,
            high,
            opening,
            places[1],
        )
        if score > best:
            best, best_strand = score, strand
            places[0, :length] = places[1, :length]
    return best, best_strand
