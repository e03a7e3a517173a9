"""What the reads are like: the lengths of the first ones near the markers."""

from __future__ import annotations

from typing import Final

import numpy as np

from mrdtrack.counts import Library
from mrdtrack.kernels.arrays import Bytes, Ints
from mrdtrack.kernels.read_lengths import read_lengths

MOST_READS: Final = 2000
"""So many reads tell what the rest is like."""
LEAST_FRAGMENTS: Final = 50
"""Pairs below which nothing is said of their lengths."""


class LibraryMeasure:
    """Looks at the first records of the chunks that are counted."""

    def __init__(self, contigs: Ints, low: Ints, high: Ints) -> None:
        """Look at records that overlap these places; at all where there is none."""
        self._places = contigs, low, high
        self._left = MOST_READS
        self._found: list[Ints] = [np.zeros((0, 2), np.int64)]

    def look_at(self, chunk: Bytes) -> None:
        """Look at the next chunk of the file."""
        if self._left > 0:
            found = read_lengths(chunk, *self._places, self._left)
            self._left -= len(found)
            self._found.append(found)

    def library(self) -> Library:
        """Give the medians."""
        lengths, fragments = np.concatenate(self._found).T
        fragments = fragments[fragments > 0]
        return Library(
            read_length=int(np.median(lengths)) if len(lengths) else None,
            fragment_length=(
                int(np.median(fragments)) if len(fragments) >= LEAST_FRAGMENTS else None
            ),
        )
