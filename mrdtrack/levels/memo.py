"""Results of dear steps, kept for the samples of a run that share them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

Result = TypeVar("Result")


class Memo:
    """A bounded store: forgets everything when it is full, so memory stays bounded."""

    def __init__(self, largest: int = 4096) -> None:
        self._largest = largest
        self._kept: dict[Hashable, object] = {}

    def get(self, key: Hashable, make: Callable[[], Result]) -> Result:
        """Return what was made for this key, making it the first time."""
        if key in self._kept:
            return self._kept[key]  # type: ignore[return-value]  # a key has one maker
        if len(self._kept) >= self._largest:
            self._kept.clear()
        made = make()
        self._kept[key] = made
        return made
