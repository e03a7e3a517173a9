"""Molecules: what is counted, of every marker."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import kernel
from mrdtrack.kernels.arrays import Bytes, Floats, Ints, Ints32

ALT, REF, AMBIGUOUS, OTHER = range(4)
"""Classes of a molecule."""


class Molecules(NamedTuple):
    """Molecules of all markers, sorted by marker.

    `reverse` is 1 where the first read of the molecule (or its only one) lies on the
    reverse strand. What only merging them further asks for is left out, [0], where none
    are merged.
    """

    marker: Ints32  # [N]
    start: Ints  # [N]
    kind: Bytes  # [N] ALT, REF, AMBIGUOUS or OTHER
    crosses: Bytes  # [N] bits CROSSES_* and INSIDE_READ
    reverse: Bytes  # [N]
    name: Ints  # [N] or [0], hash of the read name
    umi: Ints  # [N] or [0]
    evidence: Floats  # [N] or [0], phred


@kernel
def make_molecules(n: int, n_whole: int) -> Molecules:
    """Make room for `n` molecules, of which all or none are whole."""
    return Molecules(
        np.empty(n, np.int32),
        np.empty(n, np.int64),
        np.empty(n, np.uint8),
        np.empty(n, np.uint8),
        np.empty(n, np.uint8),
        np.empty(n_whole, np.int64),
        np.empty(n_whole, np.int64),
        np.empty(n_whole, np.float64),
    )


@kernel
def first_molecules(molecules: Molecules, n: int) -> Molecules:
    """Cut the unused room off."""
    return Molecules(
        molecules.marker[:n].copy(),
        molecules.start[:n].copy(),
        molecules.kind[:n].copy(),
        molecules.crosses[:n].copy(),
        molecules.reverse[:n].copy(),
        molecules.name[:n].copy(),
        molecules.umi[:n].copy(),
        molecules.evidence[:n].copy(),
    )


@kernel
def classify(evidence: float, threshold: float, neither: bool) -> int:
    """Name the class of a molecule from its evidence."""
    if evidence >= threshold:
        return ALT
    if evidence <= -threshold:
        return REF
    return OTHER if neither else AMBIGUOUS


@kernel
def count_groups(marker: Ints32, key: Ints32, order: Ints32) -> int:
    """Count the rows that begin a marker or key in their order."""
    n = 0
    for at in range(order.shape[0]):
        row, before = order[at], order[max(at - 1, 0)]
        same = marker[row] == marker[before] and key[row] == key[before]
        n += 0 if at > 0 and same else 1
    return n


@kernel
def majority(values: Ints) -> int:
    """Give the value that more than half are, or any where there is none.

    Each other value takes one vote away (Boyer and Moore 1991,
    doi:10.1007/978-94-011-3488-0_5).
    """
    chosen, votes = 0, 0
    for i in range(values.shape[0]):
        chosen = values[i] if votes == 0 else chosen
        votes += 1 if values[i] == chosen else -1
    return chosen
