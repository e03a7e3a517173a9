"""How often the test of `detection` finds disease of some level.

The power is the exact probability that the test rejects, by the same convolution as its
null, under that level.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mrdtrack.levels.class_batches import ClassBatch, class_batches
from mrdtrack.levels.detection import SHARED_PART, NullTable
from mrdtrack.levels.exact_bounds import FloatArray, IntArray
from mrdtrack.levels.negative_binomials import mixed_table, with_signal
from mrdtrack.levels.score_sums import TruncatedSums, on_lattice, spectrum_of_sum

_LEAST_NODE = 1e-5


class Critical(NamedTuple):
    """The test's borders: lattice statistic, and count of each marker [M]."""

    statistic: int
    counts: IntArray


def critical_values(table: NullTable, alpha: float) -> Critical:
    """Return the smallest statistic, and smallest counts, that the test rejects."""
    markers = len(table.largest)
    marker_alpha = alpha
    statistic = 2 * len(table.at_least)
    if markers > 1:
        marker_alpha = -np.expm1(np.log1p(-alpha * (1 - SHARED_PART)) / markers)
        rejected = np.flatnonzero(table.at_least <= alpha * SHARED_PART)
        statistic = int(rejected[0]) if len(rejected) else len(table.at_least)
    return Critical(statistic, critical_counts(table, marker_alpha))


def critical_counts(table: NullTable, alpha: float) -> IntArray:
    """Return for each marker the smallest count whose tail is at most alpha [M]."""
    tail = np.cumsum(table.null[:, ::-1], axis=1)[:, ::-1]
    reached = tail <= alpha
    found = np.where(reached.any(axis=1), reached.argmax(axis=1), table.largest + 1)
    return found.astype(np.int64)


class Power:
    """The exact probability that a test detects, level by level."""

    def __init__(self, table: NullTable, critical: Critical) -> None:
        """Take the null of some markers, and the borders of their test."""
        below = table.score < critical.statistic
        self._table = table
        # Counts from which on a marker, or the sum with it alone, rejects [M].
        self._stop = np.minimum(critical.counts, below.sum(axis=1))
        self._last = int(self._stop.max()) - 1
        self._score = np.minimum(table.score[:, : self._last + 1], critical.statistic)
        self._alone = np.flatnonzero(table.mixture.class_of < 0)
        self._sums = TruncatedSums(critical.statistic)
        self._classes = class_batches(table.mixture, _LEAST_NODE, critical.statistic)

    def __call__(self, level: FloatArray) -> FloatArray:
        """Return the probability of a detection at some levels [F]."""
        missed = [self._missed(at) for at in level.tolist()]
        result: FloatArray = np.clip(1.0 - np.array(missed), 0.0, 1.0)
        return result

    def _missed(self, level: float) -> float:
        """Return the probability that nothing is detected at a level."""
        if self._last < 0:
            return 0.0
        table, alone = self._table, self._alone
        signal = (table.molecules * table.ratio * level)[:, None]
        mean, shape = with_signal(table.background, table.mixture.shape, signal)
        given = mixed_table(
            table.mixture.weight[alone], mean[alone], shape[alone], self._last
        )
        if len(self._stop) == 1:
            return float(self._below(given, alone).sum())
        spectrum = spectrum_of_sum(
            self._rows(given, alone),
            self._of_classes(mean, shape),
            self._sums.transformed,
        )
        return float(self._sums.back(spectrum).sum())

    def _of_classes(
        self, mean: FloatArray, shape: FloatArray
    ) -> Iterator[tuple[ClassBatch, FloatArray]]:
        for batch in self._classes:
            given = batch.given_nodes(mean, shape, self._last)
            yield batch, self._rows(given, batch.of_row)

    def _rows(self, given: FloatArray, of: IntArray) -> FloatArray:
        """Put the counts' probabilities of markers [...] on the lattice [..., B]."""
        size = self._sums.size
        rows = on_lattice(self._below(given, of), self._score[of], size + 1)
        return rows[..., :size]

    def _below(self, given: FloatArray, of: IntArray) -> FloatArray:
        """Blank the counts of markers at which they, or the sum, reject [..., K]."""
        counts = np.arange(given.shape[-1])
        result: FloatArray = np.where(counts < self._stop[of][..., None], given, 0.0)
        return result
