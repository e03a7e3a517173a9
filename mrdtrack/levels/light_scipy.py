"""The functions of `scipy.special`, loaded without all that comes with them.

Nearly all of the time that `scipy.special` takes to load goes into wrappers for arrays
of other libraries, whose documentation it parses at every start, and into copying all
of numpy. The compiled functions themselves are a module that loads in a tenth of it.
`scipy.special` may still be imported as a whole; its functions are the same objects.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import scipy

if TYPE_CHECKING:
    from scipy import special

__all__ = ["special"]

_PACKAGE: Final = "scipy.special"
_FUNCTIONS: Final = "_ufuncs"


def _load() -> Any:
    """Load the compiled functions alone; all of it where they are not found."""
    if _PACKAGE in sys.modules:
        return sys.modules[_PACKAGE]
    try:
        with _bare_package():
            return import_module(f"{_PACKAGE}.{_FUNCTIONS}")
    except ImportError:
        return import_module(_PACKAGE)


@contextmanager
def _bare_package() -> Iterator[None]:
    """Let a package that holds nothing stand where its modules look for their own."""
    found = PathFinder.find_spec(_PACKAGE, scipy.__path__)
    if found is None or found.submodule_search_locations is None:
        raise ImportError(_PACKAGE)
    package = ModuleType(_PACKAGE)
    package.__path__ = found.submodule_search_locations
    sys.modules[_PACKAGE] = package
    try:
        yield
    finally:
        del sys.modules[_PACKAGE]


if not TYPE_CHECKING:
    special = _load()
