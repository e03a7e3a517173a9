"""The dictionary of arrays that kernels take and give.

Every array is C-contiguous, writable and of the dtype named here. Flat arrays go with
offsets: item `i` owns `values[start[i]:start[i + 1]]`. Bases are coded A 0, C 1, G 2,
T 3, anything else 4. Positions on the reference are 0-based.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
Ints32 = NDArray[np.int32]
"""Columns of claims and molecules, of which there are so many that width costs."""
Floats = NDArray[np.float64]

SUBSTITUTION, SMALL_INDEL, INSERTION, DELETION, DUPLICATION, JUNCTION = range(6)
"""Codes of the event classes, in the order of `panel.haplotypes.EventClass`."""

AT_JUNCTION, AT_LEFT, AT_RIGHT = range(3)
"""Codes of the sides of a mark."""

CROSSES_JUNCTION = 1
CROSSES_LEFT = 2
CROSSES_RIGHT = 4
INSIDE_READ = 8
FITS_NEITHER = 16
ELSEWHERE = 32
LOW_QUALITY = 64
SECOND_OF_PAIR = 256
REVERSE = 512
DUPLICATE = 1024
QC_FAIL = 2048
SECONDARY = 4096
LOW_MAPPING_QUALITY = 8192
PAIRED = 16384
UNMAPPED = 32768
NO_QUALITIES = 65536
SPLIT = 131072
HAS_UMI = 262144
HAS_DEPTH = 524288
"""Bits of `Observations.flags`: in the low byte those that a record has for one marker,
above it those that it has for all. SECONDARY is a secondary record without SA tag;
ELSEWHERE a record in the window that does not reach the marker; SPLIT a supplementary
record or a split alignment flagged secondary; HAS_DEPTH a consensus read (cD tag);
INSIDE_READ a substitution seen well away from both ends of the read; LOW_QUALITY a
record that does not reach the marker since most of its bases say nothing."""

FILTERED = DUPLICATE | QC_FAIL | SECONDARY | LOW_MAPPING_QUALITY
"""Bits of the records that filters remove."""


class Targets(NamedTuple):
    """All markers of a panel with their haplotypes, flat.

    Of M markers, H haplotypes, A anchors, K marks, W windows (sorted by contig and
    `window_low`). The first haplotype of a marker is the alternative one.
    """

    event: Ints  # [M] code of the event class
    threshold: Floats  # [M] phred evidence from which a molecule is decided
    cap: Floats  # [M] phred beyond which a single read cannot be sure
    anchor: Ints  # [M] bases that must fit on either side of a mark
    novel: Bytes  # [M] 1 where the alternative haplotype has bases of its own
    hap_start: Ints  # [M + 1] haplotypes of a marker
    base_start: Ints  # [H + 1] bases of a haplotype
    own_low: Ints  # [H] haplotype positions [low, high) in which other bases make
    own_high: Ints  # [H] another allele, if any
    bases: Bytes  # codes
    anchor_start: Ints  # [H + 1] anchors of a haplotype
    anchor_contig: Ints  # [A]
    anchor_low: Ints  # [A] first reference position
    anchor_high: Ints  # [A] one beyond the last
    anchor_offset: Ints  # [A] haplotype position of the first anchored base
    anchor_reverse: Bytes  # [A] 1 where the haplotype reads the reverse strand
    mark_start: Ints  # [H + 1] marks of a haplotype
    mark_side: Bytes  # [K]
    mark_low: Ints  # [K] haplotype positions [low, high) to be crossed
    mark_high: Ints  # [K]
    change_start: Ints  # [M + 1] changed bases of a marker, if it is a substitution
    change_position: Ints  # on the reference
    change_alt: Bytes  # codes
    change_ref: Bytes
    window_contig: Ints  # [W]
    window_low: Ints  # [W]
    window_high: Ints  # [W]
    window_reach: Ints  # [W] largest `window_high` of this and earlier windows
    window_marker: Ints  # [W]


class ReadFilter(NamedTuple):
    """What a record and a base must have to be heard."""

    min_mapping_quality: int
    match_phred: Floats  # [256] score of a base that fits, by base quality
    mismatch_phred: Floats  # [256] score of one that does not
    n_tags: int  # T, 0 where no tag matters
    tags: Ints  # [T] two letters each: cD, then those of UMIs, the first found counts


class RecordFacts(NamedTuple):
    """What a record says of itself, whatever the marker."""

    name: int  # hash of the read name
    umi: int  # packed or hashed UMI, 0 without one
    start: int  # leftmost position of the fragment, as far as the record knows
    bits: int  # of those named above


class Facts(NamedTuple):
    """What the records near markers say of themselves (see RecordFacts)."""

    name: Ints  # [R]
    umi: Ints  # [R]
    start: Ints  # [R]
    bits: Ints32  # [R]


class ReadScores(NamedTuple):
    """One decoded read, as aligned, and from `stride` on its reverse complement."""

    codes: Bytes  # [2 stride]
    match: Floats  # [2 stride] phred of a base that fits
    mismatch: Floats  # [2 stride] phred of one that does not
    stride: int


class Placement(NamedTuple):
    """The best stretch [begin, end) of a read on a haplotype.

    Read base `i` of the strand stands on haplotype base `i + shift`.
    """

    begin: int
    end: int
    shift: int
    strand: int


class Candidates(NamedTuple):
    """Records and the markers they may say something of, in file order."""

    record: Ints  # [N] offset in the chunk
    marker: Ints  # [N]


class Meetings(NamedTuple):
    """Records and the markers (or stretches) they come near, in file order."""

    row: Ints32  # [N] of the record among those that are near
    place: Ints32  # [N] number of the marker or stretch


class Claims(NamedTuple):
    """What records say of the markers they come near, in file order."""

    row: Ints32  # [N] of the record in `Facts`, never falling
    marker: Ints32  # [N]
    evidence: Floats  # [N] phred, positive for the alternative haplotype
    bits: Bytes  # [N] of those named above; those for all markers are in `Facts`


class Observations(NamedTuple):
    """What each record says of each marker it comes near, each with its facts."""

    marker: Ints  # [N]
    name: Ints  # [N] hash of the read name
    umi: Ints  # [N] packed or hashed UMI, 0 without one
    start: Ints  # [N] leftmost position of the fragment, as far as the record knows
    evidence: Floats  # [N] phred, positive for the alternative haplotype
    flags: Ints  # [N] bits named above
