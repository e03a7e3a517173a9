"""`scipy.special`, loaded without what only developers of numpy need.

While it loads, scipy copies every public name of numpy; the copying loads `numpy.f2py`
and `numpy.testing`, a third of the time that all of it takes, and nothing asks for
them. An empty module stands for each of them meanwhile, in that copy alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Final

import numpy as np

__all__ = ["special"]

_UNUSED: Final = ("f2py", "testing")


@contextmanager
def _stand_ins() -> Iterator[None]:
    """Let empty modules stand for parts of numpy that have not been loaded."""
    placed = {
        name: ModuleType(f"numpy.{name}")
        for name in _UNUSED
        if f"numpy.{name}" not in sys.modules
    }
    vars(np).update(placed)
    try:
        yield
    finally:
        for name, stand_in in placed.items():
            if vars(np).get(name) is stand_in:
                delattr(np, name)


with _stand_ins():
    from scipy import special
