"""What is done with chunks of records, and by how many threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from mrdtrack.counting.record_check import Piece, RecordCheck

T = TypeVar("T")

Chunk = NDArray[np.uint8]
"""Whole, checked records, one after the other."""


class Work(NamedTuple, Generic[T]):
    """What is done with chunks of records, by so many threads.

    `take` is done in file order and may leave a chunk out, or records of it (None: all
    of them); `work` is done at any time.
    """

    take: Callable[[Chunk], Chunk | None]
    work: Callable[[Chunk], T]
    threads: int

    def on(
        self, check: RecordCheck
    ) -> tuple[Callable[[Piece], Chunk | None], Callable[[Chunk], T], int]:
        """Give what is done with pieces, of which records are still to be cut."""

        def take(piece: Piece) -> Chunk | None:
            chunk = check.take(piece)
            return None if chunk is None else self.take(chunk)

        return take, self.work, self.threads


def unchanged(chunk: Chunk) -> Chunk:
    """Give a chunk as it is."""
    return chunk
