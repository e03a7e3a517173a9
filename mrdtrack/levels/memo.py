"""Results of dear steps, kept for the samples of a run that share them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

Result = TypeVar("Result")


class Memo:
    """A bounded store: forgets what was not asked for longest, so memory is bounded."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._kept: OrderedDict[Hashable, object] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Result]) -> Result:
        """Return what was made for this key, making it the first time."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]  # type: ignore[return-value]  # a key has one maker
        made = make()
        if len(self._kept) >= self._largest:
            self._kept.popitem(last=False)
        self._kept[key] = made
        return made
