"""The rows of the background: every wrong allele at every non-marker position."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrdtrack.counting.background import Stretches
from mrdtrack.counts import NO_BACKGROUND, BackgroundSites, TextColumn, text_column
from mrdtrack.kernels.arrays import Ints
from mrdtrack.kernels.background import BackgroundCounts

BASES = "ACGT"
LONGEST_RUN = 20
LEAST_BASES = 200
_NONE = -1


class Around(NamedTuple):
    """The reference bases of all stretches, one behind the other.

    `letter` [B]: of each base the place among `letters`, with one more base on either
    side of a stretch than it has positions; `end` [B]: where the stretch of each base
    ends; `unknown` [B]: it is an N; `at` [P]: the base of each position.
    """

    letters: tuple[str, ...]
    letter: Ints
    end: Ints
    unknown: NDArray[np.bool_]
    at: Ints


class WrongAlleles(NamedTuple):
    """Some alleles at all positions, and the classes that errors to them belong to.

    `spelled` [A]; `error_class` [P, A]: place among `classes`, or `_NONE` where an
    allele is not asked for; `molecules` [P, A] that show it.
    """

    spelled: tuple[str, ...]
    classes: tuple[str, ...]
    error_class: Ints
    molecules: Ints


def background_sites(
    stretches: Stretches, counts: BackgroundCounts | None
) -> BackgroundSites:
    """List the molecules that show each wrong allele at each non-marker position.

    Position by position: first the other bases, then the indels by size.
    """
    if counts is None:
        return NO_BACKGROUND
    low, high, first = (
        stretches.arrays.low,
        stretches.arrays.high,
        stretches.arrays.first,
    )
    stretch = np.repeat(np.arange(len(low)), high - low)
    around = _around(stretches, stretch)
    indels = [_indels(around, counts, size) for size in stretches.indel_sizes]
    wrong = _joined([_substitutions(around, counts), *indels])
    depth = counts.bases.sum(axis=1)
    asked = (depth > 0) & ~stretches.of_marker
    for shift in (-1, 0, 1):
        asked &= ~around.unknown[around.at + shift]
    place, allele = np.nonzero(asked[:, None] & (wrong.error_class != _NONE))
    of = stretch[place]
    return BackgroundSites(
        contig=text_column(stretches.contigs).at(of),
        position=place - first[of] + low[of] + 1,
        ref=TextColumn(around.letters, around.letter[around.at[place]]),
        alt=TextColumn(wrong.spelled, allele),
        error_class=TextColumn(wrong.classes, wrong.error_class[place, allele]),
        alt_molecules=wrong.molecules[place, allele],
        molecules=depth[place],
    )


def share_unlike_reference(sites: BackgroundSites) -> float:
    """Give the share of bases at non-marker positions that are not the reference's."""
    is_base = np.array([text in BASES for text in sites.alt.texts], bool)
    substituted = is_base[sites.alt.code]
    read = int(sites.molecules[substituted].sum()) / 3
    unlike = int(sites.alt_molecules[substituted].sum())
    return unlike / read if read >= LEAST_BASES else 0.0


def _around(stretches: Stretches, stretch: Ints) -> Around:
    """Lay the bases of the stretches out; `stretch` [P]: that of each position."""
    held = np.frombuffer("".join(stretches.bases).encode(), np.uint8)
    letters, letter = np.unique(held, return_inverse=True)
    sizes = np.array([len(bases) for bases in stretches.bases], np.int64)
    return Around(
        letters=tuple(map(chr, letters.tolist())),
        letter=letter,
        end=np.repeat(np.cumsum(sizes), sizes),
        unknown=held == ord("N"),
        at=np.arange(len(stretch)) + 2 * stretch + 1,
    )


def _joined(parts: Sequence[WrongAlleles]) -> WrongAlleles:
    """Put alleles of several kinds beside each other."""
    shifts = accumulate((len(part.classes) for part in parts[:-1]), initial=0)
    codes = [
        np.where(part.error_class == _NONE, _NONE, part.error_class + shift)
        for part, shift in zip(parts, shifts, strict=True)
    ]
    return WrongAlleles(
        spelled=tuple(text for part in parts for text in part.spelled),
        classes=tuple(text for part in parts for text in part.classes),
        error_class=np.concatenate(codes, axis=1),
        molecules=np.concatenate([part.molecules for part in parts], axis=1),
    )


def _substitutions(around: Around, counts: BackgroundCounts) -> WrongAlleles:
    """Give the four bases, by the bases before and behind; not the reference's own."""
    letters, letter, at = around.letters, around.letter, around.at
    n, alt = len(letters), np.arange(len(BASES))
    before, ref, behind = (letter[at + shift, None] for shift in (-1, 0, 1))
    error_class = ((before * n + ref) * len(BASES) + alt) * n + behind
    own = np.array([ref == alt for ref in letters for alt in BASES], bool)
    return WrongAlleles(
        spelled=tuple(BASES),
        classes=tuple(
            f"{before}[{ref}>{alt}]{behind}"
            for before in letters
            for ref in letters
            for alt in BASES
            for behind in letters
        ),
        error_class=np.where(
            own[letter[at, None] * len(BASES) + alt], _NONE, error_class
        ),
        molecules=counts.bases,
    )


def _indels(around: Around, counts: BackgroundCounts, size: int) -> WrongAlleles:
    """Give the indel of one signed size, by the run it stands before."""
    shift = _shifts(around, abs(size))
    run = np.minimum(shift + max(-size, 0), LONGEST_RUN)
    name = f"{'ins' if size > 0 else 'del'}{abs(size)}"
    code = size if size > 0 else 10 - size
    return WrongAlleles(
        spelled=(f"{size:+d}",),
        # As `targets.error_class` names them.
        classes=tuple(f"{name}:h{length}" for length in range(LONGEST_RUN + 1)),
        error_class=np.where(shift == _NONE, _NONE, run)[:, None],
        molecules=counts.indels[:, code, None],
    )


def _shifts(around: Around, size: int) -> Ints:
    """Count by how much an indel of `size` bases behind each position could shift [P].

    To the right, and 20 at most; `_NONE` where it could shift left (it belongs to an
    earlier position) or where too few bases are known.
    """
    letter, end, at = around.letter, around.end, around.at
    n_bases = len(letter)
    base = np.arange(n_bases + 1)
    beyond = base[:-1] + size
    again = np.append(letter == letter[np.minimum(beyond, n_bases - 1)], [False])
    again[:-1] &= beyond < end
    # Up to where on from each base all are the same as those `size` behind.
    until = np.minimum.accumulate(np.where(again, n_bases, base)[::-1])[::-1]
    n_unknown = np.concatenate(([0], np.cumsum(around.unknown)))
    last = np.minimum(at + 1 + size, n_bases)
    known = (at + 1 + size <= end[at]) & (n_unknown[last] == n_unknown[at + 1])
    shift = np.minimum(until[at + 1] - (at + 1), LONGEST_RUN)
    return np.where(known & ~again[at], shift, _NONE)
