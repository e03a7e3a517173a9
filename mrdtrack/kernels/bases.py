"""The bases of a read: from the 4-bit letters of a BAM record to codes.

The letters `=ACMGRSVTWYHKDBN` stand for sets of bases, one bit a base (SAM
specification, section 4.2.3): a single bit is a base, anything else is unknown.
"""

from __future__ import annotations

from mrdtrack.kernels._compile import kernel, read_u8
from mrdtrack.kernels.arrays import Bytes

UNKNOWN_BASE = 4


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
def decode_bases(data: Bytes, sequence: int, n: int, codes: Bytes) -> None:
    """Write the codes of all `n` bases that start at `sequence`."""
    for j in range(n >> 1):
        pair = read_u8(data, sequence + j)
        codes[2 * j] = code_of_letter(pair >> 4)
        codes[2 * j + 1] = code_of_letter(pair & 15)
    if n & 1:
        codes[n - 1] = code_of_letter(read_u8(data, sequence + (n >> 1)) >> 4)
