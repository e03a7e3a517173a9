"""The index of sequences, stems and joins that the scan asks at every base."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Sequence as SequenceOf
from typing import NamedTuple

import numpy as np

from mrdtrack.counting.sequence_words import known_words
from mrdtrack.counting.targets import TELLING_ANCHOR, encode_bases
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
JOIN_EDITS = 4
"""Edits within 12 bases of a located marker's join for a read to be weighed at all."""
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


class JoinPattern(NamedTuple):
    """The bases around the join of a located marker, which `marker` numbers.

    `common` are words of its reference haplotypes, which are no seeds.
    """

    marker: int
    bases: str
    join: int
    common: frozenset[str]


class _Pattern(NamedTuple):
    """One strand of what is looked for; `flank` are the bases before a stem."""

    marker: int
    bases: str
    edits: int
    join: int = -1
    flank: str = ""
    flank_step: int = 0
    common: frozenset[str] | None = None
    anchor: int = JOIN_ANCHOR

    def turned(self) -> _Pattern:
        """Give the other strand."""
        return self._replace(
            bases=reverse_complement(self.bases),
            join=-1 if self.join < 0 else len(self.bases) - self.join,
            flank=reverse_complement(self.flank[::-1]),
            flank_step=-self.flank_step,
        )


def build_sequence_index(
    sequences: SequenceOf[Sequence], joins: SequenceOf[JoinPattern] = ()
) -> SequenceIndex:
    """Index sequences, stems and joins, in this order, and their reverse complements.

    Raises:
        PanelError: a sequence or stem is too short for the edits it allows.
    """
    single = _patterns(sequences)
    n_single = len(single)
    single += [
        _Pattern(
            marker=n_single + j.marker,
            bases=j.bases,
            edits=JOIN_EDITS,
            join=j.join,
            common=j.common,
            anchor=TELLING_ANCHOR,
        )
        for j in joins
    ]
    patterns = [strand for one in single for strand in (one, one.turned())]
    k = min(
        (_seed_length(one, sequences) for one in single if one.common is None),
        default=LONGEST_SEED,
    )
    seeds = sorted(
        (kmer, number, offset)
        for number, pattern in enumerate(patterns)
        for offset in _seed_offsets(pattern, k)
        if (kmer := _kmer(pattern.bases[offset : offset + k])) is not None
    )
    size = min(_unchanged_bases(pattern, k) for pattern in patterns)
    stretches = {patterns[p].bases[at : at + size] for _, p, at in seeds}
    bitmap = np.zeros(max(4**k // 8, 1), np.uint8)
    for kmer, _, _ in seeds:
        bitmap[kmer >> 3] |= 1 << (kmer & 7)
    coarse = np.zeros((COARSE_MASK + 1) // 8, np.uint8)
    for kmer, _, _ in seeds:
        coarse[(kmer & COARSE_MASK) >> 3] |= 1 << (kmer & 7)
    edits = [pattern.edits for pattern in patterns]
    return SequenceIndex(
        known=known_words(stretches),
        k=k,
        n_seeds=len(seeds),
        n_patterns=len(patterns),
        coarse=coarse,
        bitmap=bitmap,
        seed_kmer=_column(seeds, 0),
        seed_pattern=_column(seeds, 1),
        seed_offset=_column(seeds, 2),
        pattern_start=_starts([pattern.bases for pattern in patterns]),
        bases=encode_bases("".join(pattern.bases for pattern in patterns)),
        pattern_marker=np.array([pattern.marker for pattern in patterns], np.int64),
        max_edits=np.array(edits, np.int64),
        join=np.array([pattern.join for pattern in patterns], np.int64),
        join_anchor=np.array([pattern.anchor for pattern in patterns], np.int64),
        n_sequences=len(sequences),
        first_join=n_single,
        flank_step=np.array([pattern.flank_step for pattern in patterns], np.int64),
        flank_start=_starts([pattern.flank for pattern in patterns]),
        flanks=encode_bases("".join(pattern.flank for pattern in patterns)),
        flank_anchor=LEAST_FLANK,
        flank_edits=FLANK_EDITS,
        flank_quality=FLANK_QUALITY,
        row_size=4 * max(edits) + 2 * (FLANK_EDITS + FLANK_REACH) + 1,
    )


def _patterns(sequences: SequenceOf[Sequence]) -> list[_Pattern]:
    """Give the sequences, then the stems, each as it is written."""
    found = [
        _Pattern(
            number,
            marker.sequence,
            allowed_edits(marker),
            -1 if marker.join is None else marker.join,
        )
        for number, marker in enumerate(sequences)
    ]
    for marker in with_stem(sequences):
        stem = stem_of(marker)
        before = marker.sequence[: -len(stem.sequence)]
        near = before[-FLANK_REACH:][::-1]
        edits = allowed_edits(marker)
        found.append(
            _Pattern(len(found), stem.sequence, edits, flank=near, flank_step=-1)
        )
    return found


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


def _seed_length(pattern: _Pattern, sequences: SequenceOf[Sequence]) -> int:
    bases, edits = pattern.bases, pattern.edits
    pieces = edits + 1
    length = min(LONGEST_SEED, len(bases) // pieces)
    if pattern.join >= 0:
        length = min(length, 2 * JOIN_ANCHOR // pieces)
    if length < SHORTEST_SEED:
        names = [f"marker {marker.id!r}" for marker in sequences]
        names += [f"the stem of marker {m.id!r}" for m in with_stem(sequences)]
        raise PanelError(
            names[pattern.marker],
            f"its sequence of {len(bases)} bases is too short to be found with "
            f"{edits} edits",
            f"give at least {SHORTEST_SEED * pieces} bases, or a smaller max_edits",
        )
    return length


def _unchanged_bases(pattern: _Pattern, k: int) -> int:
    """Give how many bases from one of its seeds on, at least, a match has unchanged."""
    if pattern.common is not None:
        return k
    pieces = pattern.edits + 1
    length = len(pattern.bases) // pieces
    return length if pattern.join < 0 else min(length, 2 * JOIN_ANCHOR // pieces)


def _seed_offsets(pattern: _Pattern, k: int) -> list[int]:
    """Give where the seeds of a pattern start.

    They are its pieces, around a join that a read may end beside finer ones too; of a
    located marker's join words over it that no reference haplotype has.
    """
    bases, edits, join = pattern.bases, pattern.edits, pattern.join
    if pattern.common is not None:
        words = range(max(join - k + 1, 0), min(join, len(bases) - k + 1))
        return [at for at in words if bases[at : at + k] not in pattern.common]
    piece = len(bases) // (edits + 1)
    offsets = {piece * number for number in range(edits + 1)}
    if JOIN_ANCHOR <= join <= len(bases) - JOIN_ANCHOR:
        piece = 2 * JOIN_ANCHOR // (edits + 1)
        low = join - JOIN_ANCHOR
        offsets |= {low + piece * number for number in range(edits + 1)}
    return sorted(offsets)


def _kmer(bases: str) -> int | None:
    kmer = 0
    for code in encode_bases(bases).tolist():
        if code > 3:
            return None
        kmer = (kmer << 2) | code
    return kmer
