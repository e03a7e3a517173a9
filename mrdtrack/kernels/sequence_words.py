"""Tell by a few words of a read that it cannot hold any of the given sequences.

A match leaves at least one of certain stretches unchanged (see `sequence_matches`). In
a read that holds a stretch of L bases, some multiple of `step` is the start of a word
of L - step + 1 bases that lies inside it. So it is enough to look at one word every
`step` bases of the read, if the words at the first `step` places of every stretch are
known.

Words are compared as they stand in a record, four bits a base, by one load of eight
bytes: a letter that is no base is unlike all bases, and needs no care.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import kernel, mix_u64, read_i32, read_i64
from mrdtrack.kernels.arrays import Bytes, Ints
from mrdtrack.kernels.bam_records import sequence_start


class KnownWords(NamedTuple):
    """The words of all stretches, as two bits each in a table of 64-bit blocks.

    This is a Bloom filter (doi:10.1145/362686.362692) whose bits of one word share one
    block: it may know a word that is in no stretch, and knows all that are in one.
    """

    step: int  # bytes, of two bases each, from word to word; 0: no read can be left out
    size: int  # bases of a word, at least 5
    letters: int  # the bits of a word among eight bytes
    last_block: int  # one less than a power of two, at most 2^20
    blocks: Ints  # [last_block + 1]


@kernel
def hash_word(word: int) -> int:
    """Give 32 bits: the high ones of a product, which hang on most bases of a word."""
    return int(np.int64(mix_u64(0, int(word)) >> 32))


@kernel
def enter_words(words: Ints, last_block: int, blocks: Ints) -> None:
    """Set the two bits of each word [W] in its block."""
    one = np.int64(1)
    for i in range(words.shape[0]):
        key = hash_word(words[i])
        blocks[key & last_block] |= (one << (key >> 26)) | (one << ((key >> 20) & 63))


@kernel
def may_match(data: Bytes, record: int, known: KnownWords) -> bool:
    """Tell whether a read has a word, at a multiple of the step, that may be known.

    Eight bytes from the start of a word never reach beyond the record: behind the bases
    stand as many qualities.
    """
    if known.step == 0:
        return True
    at = sequence_start(data, record)
    last = at + ((read_i32(data, record + 20) - known.size) >> 1)
    while at <= last:
        key = hash_word(read_i64(data, at) & known.letters)
        block = known.blocks[key & known.last_block]
        if (block >> (key >> 26)) & (block >> ((key >> 20) & 63)) & 1:
            return True
        at += known.step
    return False
