"""Molecules: the records of a fragment, and the fragments of a family, become one.

Mates and split alignments of a fragment see the same bases, so they do not add up:
the clearest record speaks for its fragment, and clear records that contradict each
other silence it. The fragments of a UMI family are copies that vote.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import kernel
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
from mrdtrack.kernels.umi import HASHED, LENGTH_SHIFT

ALT, REF, AMBIGUOUS, OTHER = range(4)
"""Classes of a molecule."""

CROSSES = CROSSES_JUNCTION | CROSSES_LEFT | CROSSES_RIGHT | INSIDE_READ
COPY_PHRED = 40.0
"""Most that one fragment can say for its family: errors of the PCR before it."""
AGREEMENT = 2.0 / 3.0
"""Share of a family's clear fragments that must agree."""


class Molecules(NamedTuple):
    """Molecules of all markers, sorted by marker.

    `reverse` is 1 where the first read of the molecule (or its only one) lies on the
    reverse strand; `size` is the number of fragments, or of records for a fragment.
    """

    marker: Ints  # [N]
    umi: Ints  # [N]
    start: Ints  # [N]
    evidence: Floats  # [N] phred
    kind: Ints  # [N] ALT, REF, AMBIGUOUS or OTHER
    crosses: Ints  # [N] bits CROSSES_* and INSIDE_READ
    reverse: Ints  # [N]
    size: Ints  # [N]


@kernel
def classify(evidence: float, threshold: float, neither: bool) -> int:
    """Name the class of a molecule from its evidence."""
    if evidence >= threshold:
        return ALT
    if evidence <= -threshold:
        return REF
    return OTHER if neither else AMBIGUOUS


@kernel
def merge_fragments(
    observations: Observations, order: Ints, threshold: Floats, event: Ints
) -> Molecules:
    """Merge the records of each marker and read name.

    `order` sorts the observations by marker and name; filtered and far-off records
    are not in it. `threshold` and `event` are per marker.
    """
    n_records = order.shape[0]
    marker = np.zeros(n_records, np.int64)
    umi = np.zeros(n_records, np.int64)
    start = np.zeros(n_records, np.int64)
    evidence = np.zeros(n_records, np.float64)
    kind = np.zeros(n_records, np.int64)
    crosses = np.zeros(n_records, np.int64)
    reverse = np.zeros(n_records, np.int64)
    size = np.zeros(n_records, np.int64)
    n = 0
    at = 0
    while at < n_records:
        first = order[at]
        m = observations.marker[first]
        name = observations.name[first]
        limit = threshold[m]
        highest, lowest = 0.0, 0.0
        neither = False
        word = observations.umi[first]
        leftmost = observations.start[first]
        bits = 0
        loudest = -1.0
        turned = 0
        begin = at
        while at < n_records:
            i = order[at]
            if observations.marker[i] != m or observations.name[i] != name:
                break
            said = observations.evidence[i]
            flags = observations.flags[i]
            highest, lowest = max(highest, said), min(lowest, said)
            neither = neither or (flags & FITS_NEITHER) != 0
            bits |= flags & CROSSES
            leftmost = min(leftmost, observations.start[i])
            if word == 0:
                word = observations.umi[i]
            if abs(said) > loudest:
                loudest = abs(said)
                on_reverse = (flags & REVERSE) != 0
                second = (flags & SECOND_OF_PAIR) != 0
                turned = 1 if on_reverse != second else 0
            at += 1
        clear_alt, clear_ref = highest >= limit, lowest <= -limit
        if clear_alt and clear_ref:
            total = 0.0
        elif neither and event[m] <= SMALL_INDEL and (clear_alt or clear_ref):
            total = 0.0
            neither = False
        else:
            total = highest if highest >= -lowest else lowest
        marker[n] = m
        umi[n] = word
        start[n] = leftmost
        evidence[n] = total
        both = clear_alt and clear_ref
        kind[n] = classify(total, limit, neither and not both)
        crosses[n] = bits
        reverse[n] = turned
        size[n] = at - begin
        n += 1
    return Molecules(
        marker[:n].copy(),
        umi[:n].copy(),
        start[:n].copy(),
        evidence[:n].copy(),
        kind[:n].copy(),
        crosses[:n].copy(),
        reverse[:n].copy(),
        size[:n].copy(),
    )


@kernel
def find_word(words: Ints, low: int, high: int, wanted: int) -> int:
    """Find a word in the sorted words[low:high]; -1 when it is not there."""
    while low < high:
        middle = (low + high) // 2
        if words[middle] < wanted:
            low = middle + 1
        elif words[middle] > wanted:
            high = middle
        else:
            return middle
    return -1


@kernel
def cluster_umis(words: Ints, counts: Ints, low: int, high: int, root: Ints) -> None:
    """Join UMIs one base apart, the rarer to the commoner, into root[low:high].

    The directional rule: `b` is an error of `a` when `counts[a] >= 2 counts[b] - 1`
    (Smith, Heger and Sudbery 2017, doi:10.1101/gr.209601.116). `words` are the
    distinct UMIs in sorted order.
    """
    order = np.argsort(-counts[low:high], kind="mergesort") + low
    queue = np.zeros(high - low, np.int64)
    for i in range(low, high):
        root[i] = -1
    for start in order:
        if root[start] >= 0:
            continue
        root[start] = start
        queue[0] = start
        head, tail = 0, 1
        while head < tail:
            node = queue[head]
            head += 1
            word = words[node]
            length = word >> LENGTH_SHIFT
            if length == HASHED:
                continue
            for base in range(length):
                for change in range(1, 4):
                    flip = change << (2 * base)
                    found = find_word(words, low, high, word ^ flip)
                    if found < 0 or root[found] >= 0:
                        continue
                    if counts[node] >= 2 * counts[found] - 1:
                        root[found] = start
                        queue[tail] = found
                        tail += 1


@kernel
def merge_families(
    fragments: Molecules, order: Ints, family: Ints, min_size: int
) -> Molecules:
    """Let the fragments of each family vote; small families are left out.

    `order` sorts the fragments by marker and family, `family` numbers the families.
    """
    n_fragments = order.shape[0]
    marker = np.zeros(n_fragments, np.int64)
    umi = np.zeros(n_fragments, np.int64)
    start = np.zeros(n_fragments, np.int64)
    evidence = np.zeros(n_fragments, np.float64)
    kind = np.zeros(n_fragments, np.int64)
    crosses = np.zeros(n_fragments, np.int64)
    reverse = np.zeros(n_fragments, np.int64)
    size = np.zeros(n_fragments, np.int64)
    n = 0
    at = 0
    while at < n_fragments:
        first = order[at]
        m = fragments.marker[first]
        votes = np.zeros(4, np.int64)
        total = 0.0
        bits = 0
        begin = at
        while at < n_fragments:
            i = order[at]
            if fragments.marker[i] != m or family[i] != family[first]:
                break
            votes[fragments.kind[i]] += 1
            total += min(max(fragments.evidence[i], -COPY_PHRED), COPY_PHRED)
            bits |= fragments.crosses[i]
            at += 1
        if at - begin < min_size:
            continue
        clear = votes[ALT] + votes[REF] + votes[OTHER]
        agreed = AMBIGUOUS
        for c in (ALT, REF, OTHER):
            if clear > 0 and votes[c] >= AGREEMENT * clear:
                agreed = c
        marker[n] = m
        umi[n] = fragments.umi[first]
        start[n] = fragments.start[first]
        evidence[n] = total
        kind[n] = agreed
        crosses[n] = bits
        reverse[n] = fragments.reverse[first]
        size[n] = at - begin
        n += 1
    return Molecules(
        marker[:n].copy(),
        umi[:n].copy(),
        start[:n].copy(),
        evidence[:n].copy(),
        kind[:n].copy(),
        crosses[:n].copy(),
        reverse[:n].copy(),
        size[:n].copy(),
    )
