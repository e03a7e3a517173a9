"""The evidence of every record for every marker it comes near.

For each marker a record is compared with the alternative and the reference haplotypes
along the diagonals that its own alignment gives, base by base with base qualities. A
haplotype's score is that of its best stretch, in phred, against a random sequence: so
a tail that fits no haplotype costs little, and six bases beyond a junction weigh what
six bases can weigh. The evidence is the difference of the best scores. Substitutions
are settled by the bases at their own positions.
"""

from __future__ import annotations

from mrdtrack.kernels._compile import kernel, read_i32, read_u8, read_u32
from mrdtrack.kernels.arrays import (
    AT_JUNCTION,
    AT_LEFT,
    CROSSES_JUNCTION,
    CROSSES_LEFT,
    CROSSES_RIGHT,
    INSERTION,
    Bytes,
    Ints,
    Placement,
    ReadFilter,
    ReadScores,
    Targets,
)
from mrdtrack.kernels.bam_records import (
    cigar_span,
    quality_start,
    sequence_start,
)
from mrdtrack.kernels.bases import decode_bases

CLIP_PHRED = 20.0
"""Price of ending a stretch inside a read: about one read end in a hundred."""
UNEXPLAINED = 10
"""Bases beyond a junction that fit no haplotype and so speak of another allele."""
NEAR = 30
"""Bases around a mark within which such a tail counts."""
CLEAR_PHRED = 30.0
"""A base that weighs so much is rarer as an error (1 in 1,000) than as a variant."""
NEITHER_PHRED = 20.0
"""A read this far from its better haplotype may fit neither."""
TELLING_PHRED = 60.0
"""Errors alone turn a reference into a junction once in a million reads at most."""
TIE_PHRED = 0.5
"""Haplotypes whose scores differ by less fit a read equally well."""
UNREACHED = 1e9
MAX_HAPLOTYPES = 3
NO_SCORE = -1e9
MAX_DIAGONALS = 64

UNKNOWN_QUALITY = 20
"""What a base without a quality counts as."""


@kernel
def lacks_qualities(data: Bytes, record: int) -> bool:
    """Tell whether a record has bases and no qualities."""
    n = read_i32(data, record + 20)
    return n > 0 and read_u8(data, quality_start(data, record)) == 255


@kernel
def decode_read(
    data: Bytes,
    record: int,
    read_filter: ReadFilter,
    scores: ReadScores,
) -> bool:
    """Write base codes and scores of a record; tell whether it has no qualities."""
    codes, match, mismatch = scores.codes, scores.match, scores.mismatch
    n = read_i32(data, record + 20)
    quality = quality_start(data, record)
    unknown = lacks_qualities(data, record)
    decode_bases(data, sequence_start(data, record), n, codes)
    turned = scores.stride + n - 1
    for i in range(n):
        q = UNKNOWN_QUALITY if unknown else read_u8(data, quality + i)
        code = codes[i]
        match[i] = read_filter.match_phred[q]
        mismatch[i] = read_filter.mismatch_phred[q]
        codes[turned - i] = 3 - code if code < 4 else 4
        match[turned - i] = match[i]
        mismatch[turned - i] = mismatch[i]
    return unknown


@kernel
def base_score(code: int, haplotype_code: int, match: float, mismatch: float) -> float:
    """Score one base against one of a haplotype; unknown bases say nothing."""
    if code > 3 or haplotype_code > 3:
        return 0.0
    return match if code == haplotype_code else mismatch


@kernel
def score_diagonal(
    scores: ReadScores,
    strand: int,
    length: int,
    targets: Targets,
    haplotype: int,
    shift: int,
) -> tuple[float, int, int]:
    """Score the best stretch of a read on one diagonal of a haplotype.

    Read base `i` stands on haplotype base `i + shift`. Returns the score in phred
    against random sequence and the stretch [begin, end) of the read. Ending a stretch
    inside both read and haplotype costs `CLIP_PHRED`. It begins and ends with known
    bases.
    """
    first = targets.base_start[haplotype]
    size = targets.base_start[haplotype + 1] - first
    low = max(0, -shift)
    high = min(length, size - shift)
    codes, match, mismatch = scores.codes, scores.match, scores.mismatch
    row = strand * scores.stride
    best, best_begin, best_end = 0.0, low, low
    running, begin = NO_SCORE, low
    for i in range(low, high):
        start_cost = 0.0 if i == low else -CLIP_PHRED
        if running < start_cost:
            running, begin = start_cost, i
        code = int(codes[row + i])
        other = int(targets.bases[first + i + shift])
        running += base_score(code, other, match[row + i], mismatch[row + i])
        total = running if i == high - 1 else running - CLIP_PHRED
        if total > best:
            best, best_begin, best_end = total, begin, i + 1
    while best_begin < best_end and codes[row + best_end - 1] > 3:
        best_end -= 1
    while best_begin < best_end and codes[row + best_begin] > 3:
        best_begin += 1
    return best, best_begin, best_end


@kernel
def add_diagonal(diagonals: Ints, count: int, shift: int, strand: int) -> int:
    """Note a diagonal once; give the new number of them."""
    for i in range(count):
        if diagonals[2 * i] == shift and diagonals[2 * i + 1] == strand:
            return count
    if count < MAX_DIAGONALS:
        diagonals[2 * count] = shift
        diagonals[2 * count + 1] = strand
        return count + 1
    return count


@kernel
def find_diagonals(
    data: Bytes, record: int, targets: Targets, haplotype: int, diagonals: Ints
) -> int:
    """List the diagonals that a record's aligned blocks give on a haplotype."""
    n_read = read_i32(data, record + 20)
    at, n_operations = cigar_span(data, record)
    position = read_i32(data, record + 8)
    query = 0
    count = 0
    for k in range(n_operations):
        word = read_u32(data, at + 4 * k)
        operation, size = word & 15, word >> 4
        if operation in (0, 7, 8):
            for a in range(
                targets.anchor_start[haplotype], targets.anchor_start[haplotype + 1]
            ):
                if targets.anchor_contig[a] != read_i32(data, record + 4):
                    continue
                if targets.anchor_low[a] >= position + size:
                    continue
                if targets.anchor_high[a] <= position:
                    continue
                if targets.anchor_reverse[a]:
                    placed = targets.anchor_offset[a] + targets.anchor_high[a] - 1
                    shift = placed - position - (n_read - 1 - query)
                    count = add_diagonal(diagonals, count, shift, 1)
                else:
                    placed = targets.anchor_offset[a] - targets.anchor_low[a]
                    shift = placed + position - query
                    count = add_diagonal(diagonals, count, shift, 0)
            position += size
            query += size
        elif operation in (1, 4):
            query += size
        elif operation in (2, 3):
            position += size
    return count


@kernel
def score_haplotype(
    scores: ReadScores,
    length: int,
    targets: Targets,
    haplotype: int,
    diagonals: Ints,
    count: int,
) -> tuple[float, Placement]:
    """Give the best score over the diagonals, and its placement."""
    best = 0.0
    placement = Placement(0, 0, 0, 0)
    for d in range(count):
        shift, strand = diagonals[2 * d], diagonals[2 * d + 1]
        score, begin, end = score_diagonal(
            scores, strand, length, targets, haplotype, shift
        )
        if score > best:
            best = score
            placement = Placement(begin, end, shift, strand)
    return best, placement


@kernel
def score_everywhere(
    scores: ReadScores, length: int, targets: Targets, haplotype: int
) -> tuple[float, Placement]:
    """Give the best score of a read without an alignment, on both strands."""
    size = targets.base_start[haplotype + 1] - targets.base_start[haplotype]
    best = 0.0
    placement = Placement(0, 0, 0, 0)
    for shift in range(-length, size):
        for strand in range(2):
            score, begin, end = score_diagonal(
                scores, strand, length, targets, haplotype, shift
            )
            if score > best:
                best = score
                placement = Placement(begin, end, shift, strand)
    return best, placement


@kernel
def covers(placement: Placement, low: int, high: int) -> bool:
    """Tell whether a stretch covers haplotype positions [low, high)."""
    begin, end = placement.begin + placement.shift, placement.end + placement.shift
    return begin <= low and high <= end


@kernel
def crossings(
    targets: Targets, haplotype: int, placement: Placement, event: int, anchor: int
) -> tuple[int, bool]:
    """Give the bits of the marks a stretch crosses, and whether it touches one."""
    bits = 0
    touches = False
    for k in range(targets.mark_start[haplotype], targets.mark_start[haplotype + 1]):
        low, high = targets.mark_low[k], targets.mark_high[k]
        if event == INSERTION:
            near = covers(placement, low - 1, low + 1)
            near = near or covers(placement, high - 1, high + 1)
            across = covers(placement, low - anchor, low + anchor)
            across = across or covers(placement, high - anchor, high + anchor)
        else:
            near = covers(placement, low - 1, high + 1)
            across = covers(placement, low - anchor, high + anchor)
        touches = touches or near
        if across:
            side = targets.mark_side[k]
            if side == AT_JUNCTION:
                bits |= CROSSES_JUNCTION
            elif side == AT_LEFT:
                bits |= CROSSES_LEFT
            else:
                bits |= CROSSES_RIGHT
    return bits, touches


@kernel
def telling_phred(
    scores: ReadScores,
    targets: Targets,
    better: int,
    placement: Placement,
    worse: int,
    other: Placement,
) -> float:
    """Weigh the errors that would turn one placed haplotype into the other one.

    Bases count along the whole stretch on the better haplotype, also where the stretch
    on the worse one ended before; a base beyond the worse haplotype's end counts too.
    """
    first, second = targets.base_start[better], targets.base_start[worse]
    size = targets.base_start[worse + 1] - second
    row = placement.strand * scores.stride
    told = 0.0
    for i in range(placement.begin, placement.end):
        code = int(scores.codes[row + i])
        if scores.match[row + i] <= 0.0 or code > 3:
            continue
        at = i + other.shift
        fits = bool(code == int(targets.bases[first + i + placement.shift]))
        unlike = not 0 <= at < size or code != int(targets.bases[second + at])
        if placement.strand != other.strand or (fits and unlike):
            told += scores.match[row + i] - scores.mismatch[row + i]
    return told


@kernel
def decides(evidence: float, bits: int, threshold: float) -> bool:
    """Tell whether evidence about an indel or junction is anchored on both sides."""
    if evidence >= threshold:
        return bits & CROSSES_JUNCTION != 0
    if evidence <= -threshold:
        return bits & (CROSSES_LEFT | CROSSES_RIGHT) != 0
    return True


@kernel
def is_clear_other(scores: ReadScores, at: int, wanted: int) -> bool:
    """Tell whether base `at` of a decoded read is clearly not the one wanted."""
    code = int(scores.codes[at])
    gain = scores.match[at] - scores.mismatch[at]
    return bool(code < 4 and wanted < 4 and code != wanted and gain >= CLEAR_PHRED)


@kernel
def clearly_differs(
    scores: ReadScores, targets: Targets, haplotype: int, placement: Placement
) -> bool:
    """Tell whether a placed read has a clear other base among a haplotype's own."""
    first, shift = targets.base_start[haplotype], placement.shift
    low = max(placement.begin, targets.own_low[haplotype] - shift)
    high = min(placement.end, targets.own_high[haplotype] - shift)
    row = placement.strand * scores.stride
    for i in range(low, high):
        if is_clear_other(scores, row + i, int(targets.bases[first + i + shift])):
            return True
    return False


@kernel
def known_bases(scores: ReadScores, low: int, high: int) -> int:
    """Count the known bases at [low, high) of a decoded read."""
    count = 0
    for i in range(low, high):
        count += 1 if scores.codes[i] < 4 else 0
    return count


@kernel
def misfit(
    scores: ReadScores,
    length: int,
    targets: Targets,
    haplotype: int,
    placement: Placement,
    novel: int,
    spliced: bool,
) -> float:
    """Give the phred by which a placed read misses a perfect fit at the marks.

    Only marks inside the read count, with one base on either side; a tail of
    `UNEXPLAINED` known bases or more beginning near a mark that fits nothing counts.
    Without `novel` bases an event is a length alone, and only such tails count. Of a
    `spliced` read the stretch alone counts: the rest lies in another exon.
    """
    codes, match, mismatch = scores.codes, scores.match, scores.mismatch
    begin, end, shift = placement.begin, placement.end, placement.shift
    row = placement.strand * scores.stride
    first = targets.base_start[haplotype]
    size = targets.base_start[haplotype + 1] - first
    low, high = max(0, -shift), min(length, size - shift)
    if spliced:
        low, high = begin, end
    tail_before = known_bases(scores, row + low, row + begin)
    tail_after = known_bases(scores, row + end, row + high)
    worst = 0.0
    for k in range(targets.mark_start[haplotype], targets.mark_start[haplotype + 1]):
        mark_low, mark_high = targets.mark_low[k], targets.mark_high[k]
        if low > mark_low - 1 - shift or high < mark_high + 1 - shift:
            continue
        missed = 0.0
        for i in range(
            max(low, mark_low - 1 - shift), min(high, mark_high + 1 - shift)
        ):
            got = 0.0
            if begin <= i < end:
                got = base_score(
                    int(codes[row + i]),
                    int(targets.bases[first + i + shift]),
                    match[row + i],
                    mismatch[row + i],
                )
            missed += match[row + i] - got if novel else 0.0
        before, after = begin + shift, end + shift
        starts_near = mark_low - NEAR <= before < mark_high + NEAR
        ends_near = mark_low - NEAR < after <= mark_high + NEAR
        if tail_before >= UNEXPLAINED and starts_near:
            missed += CLIP_PHRED
        if tail_after >= UNEXPLAINED and ends_near:
            missed += CLIP_PHRED
        worst = max(worst, missed)
    return worst
