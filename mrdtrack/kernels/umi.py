"""UMIs as 64-bit words that can be compared base by base."""

from __future__ import annotations

from mrdtrack.kernels._compile import kernel, mix_u64
from mrdtrack.kernels.arrays import Bytes

PACKED_BASES = 28
"""Longer UMIs, and those with other letters than A, C, G and T, are hashed."""
LENGTH_SHIFT = 57
HASHED = 63
"""What stands in place of the length in a hashed UMI: it is compared as a whole."""
_SLASH = 47
_SEPARATORS = (43, 45, 58, 95)
_CAPITAL = 0xDF
_BASES = 1 | 1 << 2 | 1 << 6 | 1 << 19
"""The places of A, C, G and T in the alphabet."""


@kernel
def base_code(letter: int) -> int:
    """Code an ASCII letter: A 0, C 1, G 2, T 3, else 4.

    Without a branch that depends on which base it is: it could not be guessed.
    """
    place = (letter & _CAPITAL) - 65
    if place < 0 or place > 25 or (_BASES >> place) & 1 == 0:
        return 4
    code = (letter >> 1) & 3
    return code ^ (code >> 1)


@kernel
def hash_umi(data: Bytes, start: int, end: int) -> int:
    """Hash the letters of a UMI that cannot be packed, up to its strand suffix."""
    whole = mix_u64(0, 1)
    for i in range(start, end):
        letter = int(data[i])
        if letter == _SLASH:
            break
        whole = mix_u64(whole, letter)
    return (HASHED << LENGTH_SHIFT) | int(whole >> 8)


@kernel
def pack_umi(data: Bytes, start: int, end: int) -> int:
    """Pack the UMI in data[start:end]: its length above, two bits a base below.

    Separators of dual UMIs (any of `-+_:`) are left out; the strand suffix of a
    duplex family (`/A`, `/B`) is not part of it.
    """
    word = 0
    length = 0
    for i in range(start, end):
        letter = int(data[i])
        code = base_code(letter)
        if code <= 3 and length < PACKED_BASES:
            word = (word << 2) | code
            length += 1
        elif letter == _SLASH:
            break
        elif letter not in _SEPARATORS:
            return hash_umi(data, start, end)
    if length == 0:
        return hash_umi(data, start, end)
    return (length << LENGTH_SHIFT) | word
