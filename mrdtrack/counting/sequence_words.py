"""The words by which a read is told to hold none of the given sequences."""

from __future__ import annotations

import math
from collections.abc import Set as AbstractSet
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mrdtrack.counting.targets import encode_bases
from mrdtrack.kernels.sequence_words import KnownWords, enter_words

LONGEST_WORD: Final = 16
"""Bases in eight bytes of a record."""
STEPS: Final = (2, 4, 6, 8)
"""Bases from word to word of a read: those of whole bytes. Twice the last would cost
twice the memory, to save what is little beside finding the next record."""
WALK: Final = 3.0
"""Cost of walking a read in full, for each of its bases, in words looked at."""
READ_LENGTH: Final = 150
"""Bases of a usual read."""
BLOCKS: Final = 16
"""So many for each stretch: with 2 to 8 words of it known, a block has at most one word
in two, and another word has the same bits in fewer than one of 1,000 cases."""
MOST_BLOCKS: Final = 1 << 20
"""8 MB."""
EVERY_READ: Final = KnownWords(
    step=0, size=5, letters=0, last_block=0, blocks=np.zeros(1, np.int64)
)
"""No read can be left out."""


def known_words(stretches: AbstractSet[str]) -> KnownWords:
    """Enter the words of stretches, of which a match has one at least unchanged.

    All are of one length, of the letters A, C, G and T. The step is the one that costs
    least; it is 0 where looking at words costs more than it saves, because stretches
    are so short, or so many, that any read has one of their words by chance.
    """
    length = min((len(stretch) for stretch in stretches), default=0)
    costs = {step: _cost(step, length, len(stretches)) for step in STEPS}
    step = min(STEPS, key=costs.__getitem__)
    size = _word_size(length, step)
    if not stretches or costs[step] >= WALK:
        return EVERY_READ
    codes = encode_bases("".join(sorted(stretches))).reshape(-1, length)
    letters = np.uint64(1) << codes.astype(np.uint64)
    places = _place_values(size)
    words = np.unique([letters[:, at : at + size] @ places for at in range(step)])
    n_blocks = min(MOST_BLOCKS, 1 << (BLOCKS * len(stretches) - 1).bit_length())
    known = KnownWords(
        step=step // 2,
        size=size,
        letters=int((15 * places).sum().astype(np.int64)),
        last_block=n_blocks - 1,
        blocks=np.zeros(n_blocks, np.int64),
    )
    enter_words(words.astype(np.int64), known.last_block, known.blocks)
    return known


def _word_size(length: int, step: int) -> int:
    """Give the bases of a word that a stretch shows whole, wherever it lies."""
    return min(LONGEST_WORD, length - step + 1)


def _cost(step: int, length: int, n_stretches: int) -> float:
    """Give what a read of random bases costs, for each of its bases, in words.

    One word a step, and the walk of reads that have a known word by chance.
    """
    size = _word_size(length, step)
    if size <= 0:
        return math.inf
    return 1 / step + WALK * READ_LENGTH * n_stretches / 4.0**size


def _place_values(size: int) -> NDArray[np.uint64]:
    """Give the value of each place of a word: two a byte, the high half first."""
    at = np.arange(size)
    return np.uint64(1) << (8 * (at // 2) + 4 * (1 - at % 2)).astype(np.uint64)
