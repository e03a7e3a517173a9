"""The bases of a read: from the 4-bit letters of a BAM record to codes.

The letters `=ACMGRSVTWYHKDBN` stand for sets of bases, one bit a base (SAM
specification, section 4.2.3): a single bit is a base, anything else is unknown.
"""

from __future__ import annotations

import numpy as np

from mrdtrack.kernels._compile import kernel, read_u8
from mrdtrack.kernels.arrays import Bytes

UNKNOWN_BASE = 4
PIECE = 32
"""Bytes that are worked on at once, of letters or of codes."""


@kernel
def code_of_letter(letter: int) -> int:
    """Code a 4-bit letter: A 0, C 1, G 2, T 3, anything else 4."""
    single = letter != 0 and (letter & (letter - 1)) == 0
    return (letter >> 1) - (letter >> 3) if single else UNKNOWN_BASE


@kernel
def read_base(data: Bytes, sequence: int, i: int) -> int:
    """Give the code of base `i` of the 4-bit bases that start at `sequence`."""
    pair = read_u8(data, sequence + (i >> 1))
    return code_of_letter((pair >> 4) if i & 1 == 0 else (pair & 15))


@kernel
def code_under(mask: int, pair: int) -> int:
    """Code the letter under a mask of a byte, 0xF0 or 0x0F.

    A sum of comparisons is done on bytes, many at once; any other way widens them.
    """
    letter, single = pair & mask, mask & 0x11
    is_a, is_c = letter == single, letter == 2 * single
    is_g, is_t = letter == 4 * single, letter == 8 * single
    return UNKNOWN_BASE - is_t - 2 * is_g - 3 * is_c - 4 * is_a


@kernel
def make_codes(longest: int) -> Bytes:
    """Make room for the codes of up to `longest` bases, and what is written behind."""
    return np.empty(longest + 2 * PIECE, np.uint8)


@kernel
def decode_bases(data: Bytes, sequence: int, n: int, codes: Bytes) -> None:
    """Write the codes of all `n` bases that start at `sequence`.

    As many again may be written behind them, 63 at most: whole pieces leave no rest to
    be done byte by byte. What is read beyond the letters are qualities, of which a
    record has as many as bases.
    """
    n_bytes = (n + 1) >> 1
    if n >= 2 * PIECE:
        n_bytes = (n_bytes + PIECE - 1) & -PIECE
    for j in range(n_bytes):
        pair = data[sequence + j]
        codes[2 * j] = code_under(0xF0, pair)
        codes[2 * j + 1] = code_under(0x0F, pair)
