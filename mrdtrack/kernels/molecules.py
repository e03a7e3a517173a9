"""Molecules: the records of a fragment become one.

Mates and split alignments of a fragment see the same bases, so they do not add up:
the clearest record speaks for its fragment, and clear records that contradict each
other silence it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import bare, kernel
from mrdtrack.kernels.arrays import (
    CROSSES_JUNCTION,
    CROSSES_LEFT,
    CROSSES_RIGHT,
    FITS_NEITHER,
    INSIDE_READ,
    REVERSE,
    SECOND_OF_PAIR,
    SMALL_INDEL,
    Floats,
    Ints,
    Observations,
)

ALT, REF, AMBIGUOUS, OTHER = range(4)
"""Classes of a molecule."""

CROSSES = CROSSES_JUNCTION | CROSSES_LEFT | CROSSES_RIGHT | INSIDE_READ


class Molecules(NamedTuple):
    """Molecules of all markers, sorted by marker.

    `reverse` is 1 where the first read of the molecule (or its only one) lies on the
    reverse strand; `size` is the number of fragments, or of records for a fragment.
    """

    marker: Ints  # [N]
    name: Ints  # [N] hash of the read name, the least one of a family
    umi: Ints  # [N]
    start: Ints  # [N]
    evidence: Floats  # [N] phred
    kind: Ints  # [N] ALT, REF, AMBIGUOUS or OTHER
    crosses: Ints  # [N] bits CROSSES_* and INSIDE_READ
    reverse: Ints  # [N]
    size: Ints  # [N]


@kernel
def make_molecules(n: int) -> Molecules:
    """Make room for `n` molecules."""
    return Molecules(
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.float64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
    )


@kernel
def first_molecules(molecules: Molecules, n: int) -> Molecules:
    """Cut the unused room off."""
    return Molecules(
        molecules.marker[:n].copy(),
        molecules.name[:n].copy(),
        molecules.umi[:n].copy(),
        molecules.start[:n].copy(),
        molecules.evidence[:n].copy(),
        molecules.kind[:n].copy(),
        molecules.crosses[:n].copy(),
        molecules.reverse[:n].copy(),
        molecules.size[:n].copy(),
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
def merge_records(
    observations: Observations,
    order: Ints,
    begin: int,
    n_records: int,
    limit: float,
    small: bool,
    made: Molecules,
    n: int,
) -> int:
    """Merge the records of the fragment that begins at order[begin] into molecule `n`.

    `small` says that a record that fits neither haplotype silences the others. Returns
    where the next fragment begins.
    """
    first = order[begin]
    m, name = observations.marker[first], observations.name[first]
    highest, lowest, loudest = 0.0, 0.0, -1.0
    word, leftmost = observations.umi[first], observations.start[first]
    together = 0
    turned = 0
    at = begin
    while at < n_records:
        i = order[at]
        if observations.marker[i] != m or observations.name[i] != name:
            break
        said, flags = observations.evidence[i], observations.flags[i]
        highest, lowest = max(highest, said), min(lowest, said)
        together |= flags
        leftmost = min(leftmost, observations.start[i])
        word = observations.umi[i] if word == 0 else word
        if abs(said) > loudest:
            loudest = abs(said)
            on_reverse = (flags & REVERSE) != 0
            second = (flags & SECOND_OF_PAIR) != 0
            turned = 1 if on_reverse != second else 0
        at += 1
    clear_alt, clear_ref = highest >= limit, lowest <= -limit
    neither = (together & FITS_NEITHER) != 0
    total = highest if highest >= -lowest else lowest
    if (clear_alt and clear_ref) or (neither and small and (clear_alt or clear_ref)):
        total, neither = 0.0, False
    made.marker[n] = m
    made.name[n] = name
    made.umi[n] = word
    made.start[n] = leftmost
    made.evidence[n] = total
    made.kind[n] = classify(total, limit, neither)
    made.crosses[n] = together & CROSSES
    made.reverse[n] = turned
    made.size[n] = at - begin
    return at


@kernel
def merge_into(
    observations: Observations,
    order: Ints,
    threshold: Floats,
    event: Ints,
    made: Molecules,
) -> None:
    """Merge fragment by fragment."""
    said, rows, limits = bare(observations), bare(order), bare(threshold)
    molecules = bare(made)
    n = 0
    at = 0
    while at < order.shape[0]:
        m = said.marker[rows[at]]
        small = event[m] <= SMALL_INDEL
        at = merge_records(
            said, rows, at, order.shape[0], limits[m], small, molecules, n
        )
        n += 1


@kernel
def count_groups(marker: Ints, key: Ints, order: Ints) -> int:
    """Count the rows that begin a marker or key in their order."""
    n = 0
    for at in range(order.shape[0]):
        row, before = order[at], order[max(at - 1, 0)]
        same = marker[row] == marker[before] and key[row] == key[before]
        n += 0 if at > 0 and same else 1
    return n


@kernel
def merge_fragments(
    observations: Observations, order: Ints, threshold: Floats, event: Ints
) -> Molecules:
    """Merge the records of each marker and read name.

    `order` brings the observations of a marker and name together; filtered and far-off
    records are not in it. `threshold` and `event` are per marker.
    """
    n = count_groups(observations.marker, observations.name, order)
    made = make_molecules(n)
    merge_into(observations, order, threshold, event, made)
    return made
