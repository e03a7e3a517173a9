"""How the scores of markers add up, by transforms of their distributions.

A row holds the probabilities of one marker's scores on a lattice. The transform of a
sum of independent scores is the product of the transforms of their rows; that of a
class the average of such products over the nodes of the class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from itertools import count

import numpy as np
from numpy.typing import NDArray

from mrdtrack.levels.class_batches import ClassBatch
from mrdtrack.levels.exact_bounds import FloatArray, IntArray

ComplexArray = NDArray[np.complex128]
_LEFT = 1e-12


def on_lattice(probability: FloatArray, score: IntArray, size: int) -> FloatArray:
    """Add up probabilities [..., K] by lattice score [..., K] into [..., size]."""
    rows = probability.shape[:-1]
    flat = score.reshape(-1, score.shape[-1])
    flat = flat + size * np.arange(len(flat))[:, None]
    summed: FloatArray = np.bincount(
        flat.ravel(), weights=probability.ravel(), minlength=len(flat) * size
    ).astype(np.float64, copy=False)
    return summed.reshape(*rows, size)


class TruncatedSums:
    """Adds up scores below B and forgets all sums of B or more.

    Rows are damped by exp(-t b), so that sums that come round the circle count 1e-12 of
    themselves; what comes of them is undamped.
    """

    def __init__(self, size: int) -> None:
        """Take B."""
        self.size = size
        self._length = _fast_length(max(2 * size, 1))
        self._damping = np.exp(np.arange(size) * (np.log(_LEFT) / self._length))

    def transformed(self, rows: FloatArray) -> ComplexArray:
        """Transform rows [..., B]."""
        return np.fft.rfft(rows * self._damping, self._length, axis=-1)

    def back(self, spectrum: ComplexArray) -> FloatArray:
        """Return the distribution [..., B] of a sum from its transform."""
        summed = np.fft.irfft(spectrum, self._length, axis=-1)[..., : self.size]
        result: FloatArray = summed / self._damping
        return result


@cache
def _fast_length(least: int) -> int:
    """Return the first length from `least` on that has no prime factor above 5."""
    for length in count(least):
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
    raise AssertionError("there are powers of two")


def spectrum_of_sum(
    alone: FloatArray,
    of_classes: Iterable[tuple[ClassBatch, FloatArray]],
    transformed: Callable[[FloatArray], ComplexArray],
) -> ComplexArray:
    """Return the transform of the sum of all markers' scores.

    Args:
        alone: rows of the markers that share no class [M, B].
        of_classes: batches of classes, with the rows of their members given each node
            [R, m, B].
        transformed: transforms rows.
    """
    spectrum: ComplexArray = transformed(alone).prod(axis=0)
    for batch, rows in of_classes:
        products = transformed(rows).prod(axis=1)
        for nodes, of_node in batch.by_class(products):
            # No matrix product: a threaded one stalls where others hold the cores.
            spectrum = spectrum * np.einsum("t,tf->f", nodes, of_node)
    return spectrum
