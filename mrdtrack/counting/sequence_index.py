"""The index of `sequence` markers and their stems that the scan asks at every base."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Sequence as SequenceOf

import numpy as np

from mrdtrack.counting.targets import encode_bases
from mrdtrack.errors import PanelError
from mrdtrack.kernels.arrays import Bytes, Ints
from mrdtrack.kernels.sequence_matches import COARSE_MASK, SequenceIndex
from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.model import LEAST_FLANK, Sequence

DEFAULT_EDITS = 1
LONGEST_SEED = 12
SHORTEST_SEED = 6
JOIN_ANCHOR = 12
"""Bases of a sequence that a read must hold on either side of its `join`."""
FLANK_REACH = 24
"""Bases before a stem, the nearest, that are compared with a read."""
FLANK_EDITS = 3
"""So many edits more than its `max_edits` make other bases of those before a stem.

Among 24 bases, errors at one base in a hundred make four edits in 1 of 10,000 reads of
the marker itself (binomial), at one in a thousand in 1 of 100,000,000."""
FLANK_QUALITY = 20
"""Least base quality of a difference: lower, one base in a hundred is wrong."""


def allowed_edits(marker: Sequence) -> int:
    """Give the edits by which a read may differ from a sequence."""
    return DEFAULT_EDITS if marker.max_edits is None else marker.max_edits


def build_sequence_index(sequences: SequenceOf[Sequence]) -> SequenceIndex:
    """Index sequences, then stems, and their reverse complements.

    Raises:
        PanelError: a sequence or stem is too short for the edits it allows.
    """
    stems = [(marker, stem_of(marker)) for marker in with_stem(sequences)]
    patterns: list[str] = []
    flanks: list[str] = []
    joins: list[int] = []
    edits: list[int] = []
    for marker, before in [
        *((marker, "") for marker in sequences),
        *((stem, marker.sequence[: -len(stem.sequence)]) for marker, stem in stems),
    ]:
        allowed = allowed_edits(marker)
        join = -1 if marker.join is None else marker.join
        patterns += [marker.sequence, reverse_complement(marker.sequence)]
        joins += [join, -1 if join < 0 else len(marker.sequence) - join]
        edits += [allowed, allowed]
        near = before[-FLANK_REACH:]
        flanks += [near[::-1], reverse_complement(near)]
    names = [f"marker {marker.id!r}" for marker in sequences]
    names += [f"the stem of marker {marker.id!r}" for marker, _ in stems]
    k = min(
        _seed_length(patterns[2 * i], edits[2 * i], joins[2 * i], name)
        for i, name in enumerate(names)
    )
    seeds = sorted(
        (kmer, pattern, offset)
        for pattern, bases in enumerate(patterns)
        for offset in _seed_offsets(bases, edits[pattern], joins[pattern])
        if (kmer := _kmer(bases[offset : offset + k])) is not None
    )
    bitmap = np.zeros(max(4**k // 8, 1), np.uint8)
    for kmer, _, _ in seeds:
        bitmap[kmer >> 3] |= 1 << (kmer & 7)
    coarse = np.zeros((COARSE_MASK + 1) // 8, np.uint8)
    for kmer, _, _ in seeds:
        coarse[(kmer & COARSE_MASK) >> 3] |= 1 << (kmer & 7)
    steps = np.tile(np.array([-1, 1], np.int64), len(patterns) // 2)
    steps[: 2 * len(sequences)] = 0
    return SequenceIndex(
        k=k,
        n_seeds=len(seeds),
        n_patterns=len(patterns),
        coarse=coarse,
        bitmap=bitmap,
        seed_kmer=_column(seeds, 0),
        seed_pattern=_column(seeds, 1),
        seed_offset=_column(seeds, 2),
        pattern_start=_starts(patterns),
        bases=encode_bases("".join(patterns)),
        pattern_marker=np.repeat(np.arange(len(patterns) // 2, dtype=np.int64), 2),
        max_edits=np.array(edits, np.int64),
        join=np.array(joins, np.int64),
        join_anchor=JOIN_ANCHOR,
        n_sequences=len(sequences),
        flank_step=steps,
        flank_start=_starts(flanks),
        flanks=encode_bases("".join(flanks)),
        flank_anchor=LEAST_FLANK,
        flank_edits=FLANK_EDITS,
        flank_quality=FLANK_QUALITY,
        row_size=4 * max(edits) + 2 * (FLANK_EDITS + FLANK_REACH) + 1,
    )


def with_stem(sequences: Iterable[Sequence]) -> list[Sequence]:
    """Give the sequences of which a stem is told, in the order of the index."""
    return [marker for marker in sequences if marker.stem is not None]


def stem_of(marker: Sequence) -> Sequence:
    """Give the stem of a sequence as one to be found by itself."""
    bases = marker.sequence[len(marker.sequence) - (marker.stem or 0) :]
    return Sequence(
        id=marker.id, kind="sequence", sequence=bases, max_edits=marker.max_edits
    )


def kin_with_stems(sequences: SequenceOf[Sequence]) -> Bytes:
    """Tell which pairs of sequences and stems are no rivals, as a table row by row.

    A read that holds a sequence belongs to it and not to a stem, unless the sequence
    is a part of that stem.
    """
    owners = with_stem(sequences)
    stems = [stem_of(marker) for marker in owners]
    n, n_stems = len(sequences), len(stems)
    kin = np.zeros((n + n_stems, n + n_stems), np.uint8)
    kin[:n, :n] = kin_of(sequences).reshape(n, n)
    kin[n:, n:] = kin_of(stems).reshape(n_stems, n_stems)
    for s, stem in enumerate(stems):
        strands = stem.sequence, reverse_complement(stem.sequence)
        for j, marker in enumerate(sequences):
            if any(marker.sequence in bases for bases in strands):
                kin[n + s, j] = kin[j, n + s] = 1
    return kin.ravel()


def kin_of(sequences: SequenceOf[Sequence]) -> Bytes:
    """Tell which pairs of sequences are no rivals, as a table row by row.

    Where one sequence holds another or goes on where it ends, they are parts of one
    junction, or a clone and its stem: a read that holds one may hold the other as well.
    """
    strands = [
        (i, bases)
        for i, marker in enumerate(sequences)
        for bases in (marker.sequence, reverse_complement(marker.sequence))
    ]
    beginnings: dict[str, list[tuple[int, str]]] = {}
    for i, bases in strands:
        beginnings.setdefault(bases[:LONGEST_SEED], []).append((i, bases))
    sizes = {len(beginning) for beginning in beginnings}
    kin = np.zeros((len(sequences), len(sequences)), np.uint8)
    for i, bases in strands:
        for beginning in _held_beginnings(bases, beginnings, sizes):
            rest = bases[bases.find(beginning) :]
            for j, other in beginnings[beginning]:
                if rest.startswith(other) or other.startswith(rest):
                    kin[i, j] = kin[j, i] = 1
    return kin.ravel()


def _held_beginnings(
    bases: str, beginnings: Mapping[str, object], sizes: Iterable[int]
) -> set[str]:
    """Give the beginnings of sequences, of these sizes, that a sequence holds."""
    return {
        piece
        for size in sizes
        for at in range(len(bases) - size + 1)
        if (piece := bases[at : at + size]) in beginnings
    }


def _starts(texts: SequenceOf[str]) -> Ints:
    """Give where each text begins when they are put together, and where all end."""
    return np.cumsum([0, *(len(text) for text in texts)]).astype(np.int64)


def _column(seeds: list[tuple[int, int, int]], at: int) -> Ints:
    return np.array([seed[at] for seed in seeds], np.int64)


def _seed_length(bases: str, edits: int, join: int, name: str) -> int:
    pieces = edits + 1
    length = min(LONGEST_SEED, len(bases) // pieces)
    if join >= 0:
        length = min(length, 2 * JOIN_ANCHOR // pieces)
    if length < SHORTEST_SEED:
        raise PanelError(
            name,
            f"its sequence of {len(bases)} bases is too short to be found with "
            f"{edits} edits",
            f"give at least {SHORTEST_SEED * pieces} bases, or a smaller max_edits",
        )
    return length


def _seed_offsets(bases: str, edits: int, join: int) -> list[int]:
    """Give where the pieces of a pattern start; around a join, finer pieces too."""
    piece = len(bases) // (edits + 1)
    offsets = {piece * number for number in range(edits + 1)}
    if join >= 0:
        low = max(0, join - JOIN_ANCHOR)
        high = min(len(bases), join + JOIN_ANCHOR)
        piece = (high - low) // (edits + 1)
        offsets |= {low + piece * number for number in range(edits + 1)}
    return sorted(offsets)


def _kmer(bases: str) -> int | None:
    kmer = 0
    for code in encode_bases(bases).tolist():
        if code > 3:
            return None
        kmer = (kmer << 2) | code
    return kmer
