"""Molecules: the records of a fragment, and the fragments of a family, become one.

Mates and split alignments of a fragment see the same bases, so they do not add up:
the clearest record speaks for its fragment, and clear records that contradict each
other silence it. The fragments of a UMI family are copies that vote.
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
from mrdtrack.kernels.groups import table_size
from mrdtrack.kernels.umi import HASHED, LENGTH_SHIFT

ALT, REF, AMBIGUOUS, OTHER = range(4)
"""Classes of a molecule."""

CROSSES = CROSSES_JUNCTION | CROSSES_LEFT | CROSSES_RIGHT | INSIDE_READ
COPY_PHRED = 40.0
"""Most that one fragment can say for its family: errors of the PCR before it."""
AGREEMENT = 2.0 / 3.0
"""Share of a family's clear fragments that must agree."""
SLOT_MULTIPLIER = 0x9E3779B1
"""Near the golden section of 2^32 (Knuth, The Art of Computer Programming 3, 6.4)."""


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
) -> int:
    """Merge fragment by fragment; give their number."""
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
    return n


@kernel
def merge_fragments(
    observations: Observations, order: Ints, threshold: Floats, event: Ints
) -> Molecules:
    """Merge the records of each marker and read name.

    `order` brings the observations of a marker and name together; filtered and far-off
    records are not in it. `threshold` and `event` are per marker.
    """
    made = make_molecules(order.shape[0])
    n = merge_into(observations, order, threshold, event, made)
    return first_molecules(made, n)


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
def word_slot(word: int, mask: int) -> int:
    """Give a word's place in a table, by bits from the middle of a product."""
    return ((word * SLOT_MULTIPLIER) >> 24) & mask


@kernel
def cluster_umis(words: Ints, counts: Ints, low: int, high: int, root: Ints) -> None:
    """Join UMIs one base apart, the rarer to the commoner, into root[low:high].

    The directional rule: `b` is an error of `a` when `counts[a] >= 2 counts[b] - 1`
    (Smith, Heger and Sudbery 2017, doi:10.1101/gr.209601.116). `words` are the
    distinct UMIs in sorted order.
    """
    order = np.argsort(-counts[low:high], kind="mergesort") + low
    queue = np.zeros(high - low, np.int64)
    room = table_size(4 * (high - low))
    marked = np.zeros(room, np.uint8)  # most words that are not there end here
    for i in range(low, high):
        root[i] = -1
        marked[word_slot(int(words[i]), room - 1)] = 1
    for start in order:
        if root[start] >= 0:
            continue
        root[start] = start
        queue[0] = start
        head, tail = 0, 1
        while head < tail:
            node = queue[head]
            head += 1
            word = int(words[node])
            length = word >> LENGTH_SHIFT
            if length == HASHED:
                continue
            for n in range(3 * length):
                other = word ^ ((n % 3 + 1) << (2 * (n // 3)))
                if not marked[word_slot(other, room - 1)]:
                    continue
                found = find_word(words, low, high, other)
                if found < 0 or root[found] >= 0:
                    continue
                if counts[node] >= 2 * counts[found] - 1:
                    root[found] = start
                    queue[tail] = found
                    tail += 1


@kernel
def merge_copies(
    fragments: Molecules,
    order: Ints,
    begin: int,
    n_fragments: int,
    family: Ints,
    votes: Ints,
    made: Molecules,
    n: int,
) -> int:
    """Let the fragments of the family of order[begin] vote, into molecule `n`.

    The fragment with the least name stands for the others. Returns where the next
    family begins.
    """
    leader = order[begin]
    m, number = fragments.marker[leader], family[leader]
    for c in range(4):
        votes[c] = 0
    total = 0.0
    bits = 0
    at = begin
    while at < n_fragments:
        i = order[at]
        if fragments.marker[i] != m or family[i] != number:
            break
        votes[fragments.kind[i]] += 1
        total += min(max(fragments.evidence[i], -COPY_PHRED), COPY_PHRED)
        bits |= fragments.crosses[i]
        if fragments.name[i] < fragments.name[leader]:
            leader = i
        at += 1
    clear = votes[ALT] + votes[REF] + votes[OTHER]
    agreed = AMBIGUOUS
    for c in (ALT, REF, OTHER):
        if clear > 0 and votes[c] >= AGREEMENT * clear:
            agreed = c
    made.marker[n] = m
    made.name[n] = fragments.name[leader]
    made.umi[n] = fragments.umi[leader]
    made.start[n] = fragments.start[leader]
    made.evidence[n] = total
    made.kind[n] = agreed
    made.crosses[n] = bits
    made.reverse[n] = fragments.reverse[leader]
    made.size[n] = at - begin
    return at


@kernel
def merge_all_copies(
    fragments: Molecules,
    order: Ints,
    family: Ints,
    min_size: int,
    votes: Ints,
    made: Molecules,
) -> int:
    """Merge family by family; give the number of those that are large enough."""
    copies, rows, numbers = bare(fragments), bare(order), bare(family)
    free, molecules = bare(votes), bare(made)
    n = 0
    at = 0
    while at < order.shape[0]:
        at = merge_copies(copies, rows, at, order.shape[0], numbers, free, molecules, n)
        if made.size[n] >= min_size:
            n += 1
    return n


@kernel
def merge_families(
    fragments: Molecules, order: Ints, family: Ints, min_size: int
) -> Molecules:
    """Let the fragments of each family vote; small families are left out.

    `order` sorts the fragments by marker and family, `family` numbers the families.
    """
    made = make_molecules(order.shape[0])
    votes = np.zeros(4, np.int64)
    n = merge_all_copies(fragments, order, family, min_size, votes, made)
    return first_molecules(made, n)
