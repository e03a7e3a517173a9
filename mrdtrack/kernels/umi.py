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


@kernel
def base_code(letter: int) -> int:
    """Code an ASCII letter: A 0, C 1, G 2, T 3, else 4."""
    if letter in (65, 97):
        return 0
    if letter in (67, 99):
        return 1
    if letter in (71, 103):
        return 2
    return 3 if letter in (84, 116) else 4


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
        if letter == _SLASH:
            break
        if letter in (43, 45, 58, 95):
            continue
        code = base_code(letter)
        if code > 3 or length == PACKED_BASES:
            return hash_umi(data, start, end)
        word = (word << 2) | code
        length += 1
    if length == 0:
        return hash_umi(data, start, end)
    return (length << LENGTH_SHIFT) | word
