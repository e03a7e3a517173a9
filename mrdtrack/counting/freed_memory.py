"""Freed memory, kept for the next chunk instead of given back to the system.

A chunk's arrays are made and freed thousands of times. By default the C library returns
them to the system each time, and getting fresh pages costs more than filling them: a
sixth of the time of a deep panel.
"""

from __future__ import annotations

import ctypes
from typing import Final

M_TRIM_THRESHOLD: Final = -1
M_MMAP_THRESHOLD: Final = -3
M_ARENA_MAX: Final = -8
KEPT_BYTES: Final = 1 << 27
LARGEST_KEPT: Final = 1 << 25
ARENAS: Final = 2


def keep_freed_memory() -> bool:
    """Tell the C library to keep it; False where it cannot be told (not glibc)."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    wishes = (
        (M_TRIM_THRESHOLD, KEPT_BYTES),
        (M_MMAP_THRESHOLD, LARGEST_KEPT),
        (M_ARENA_MAX, ARENAS),
    )
    return all(mallopt(option, value) == 1 for option, value in wishes)


def give_back_memory() -> None:
    """Give what is kept back to the system, once no more chunks will come."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        return
