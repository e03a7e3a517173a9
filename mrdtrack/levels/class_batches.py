"""Markers that share a class, many classes at once.

Given the node of its class, a marker's count is independent of the others'. So each
node of each class is a row of as many distributions as the class has members; classes
of equally many members are laid together, which spares a call for each of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from mrdtrack.levels.exact_bounds import FloatArray, IntArray
from mrdtrack.levels.negative_binomials import RateMixture, component_table

Number = TypeVar("Number", np.float64, np.complex128)

MOST_NUMBERS = 1 << 16
"""Numbers worked on at once, about: more would not stay in the processor's cache."""


class ClassBatch(NamedTuple):
    """C classes of m members each, and R rows: a row for each node that matters.

    `members` [C, m]: places among the markers; `weights` [C]: those of
    the members' components given each node [m, T, G]; `nodes` [C]: probabilities of the
    nodes [T]; `of_row` [R, m]: members of each row.
    """

    members: IntArray
    weights: list[FloatArray]
    nodes: list[FloatArray]
    of_row: IntArray

    def given_nodes(self, mean: FloatArray, shape: FloatArray, last: int) -> FloatArray:
        """Return the counts' probabilities of the rows' members [R, m, last + 1].

        `mean`, `shape`: of the components of all markers [M, G].
        """
        members = self.members.ravel()
        counts = component_table(mean[members], shape[members], last)
        of_class = counts.reshape(*self.members.shape, *counts.shape[1:])
        given = [
            np.swapaxes(np.matmul(weight, held), 0, 1)
            for weight, held in zip(self.weights, of_class, strict=True)
        ]
        return np.concatenate(given)

    def by_class(
        self, rows: NDArray[Number]
    ) -> Iterator[tuple[FloatArray, NDArray[Number]]]:
        """Give of each class the probabilities of its nodes, and its rows [T, ...]."""
        ends = np.cumsum([len(nodes) for nodes in self.nodes])
        return zip(self.nodes, np.split(rows, ends[:-1]), strict=True)


def class_batches(
    mixture: RateMixture, least_node: float, width: int
) -> list[ClassBatch]:
    """Lay the classes out in batches.

    `least_node`: probability from which a node matters; `width`: numbers that are
    worked on for each member of a row.
    """
    sizes = np.bincount(
        mixture.class_of[mixture.class_of >= 0], minlength=len(mixture.nodes)
    )
    rows = (mixture.nodes > least_node).sum(axis=1)
    batches = []
    for size in np.unique(sizes).tolist():
        classes = np.flatnonzero(sizes == size)
        part = np.cumsum(rows[classes] * (size * width)) // MOST_NUMBERS
        batches += [
            _batch(mixture, together, least_node)
            for together in np.split(classes, np.flatnonzero(np.diff(part)) + 1)
        ]
    return batches


def _batch(mixture: RateMixture, classes: IntArray, least_node: float) -> ClassBatch:
    members = [np.flatnonzero(mixture.class_of == c) for c in classes.tolist()]
    used = [np.flatnonzero(mixture.nodes[c] > least_node) for c in classes.tolist()]
    pairs = list(zip(members, used, strict=True))
    return ClassBatch(
        members=np.array(members, np.int64),
        weights=[mixture.given_node[np.ix_(of, nodes)] for of, nodes in pairs],
        nodes=[mixture.nodes[c, of] for c, of in zip(classes, used, strict=True)],
        of_row=np.repeat(members, [len(nodes) for nodes in used], axis=0),
    )
