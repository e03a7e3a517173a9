"""Families: fragments whose UMIs tell that they are copies of one molecule, and votes.

UMIs are compared among the fragments at one place. A table of the place's UMIs says
which neighbours, one base apart, are there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.kernels._compile import bare, kernel
from mrdtrack.kernels.arrays import Bytes, Floats, Ints, Ints32
from mrdtrack.kernels.groups import table_size
from mrdtrack.kernels.molecules import (
    ALT,
    AMBIGUOUS,
    OTHER,
    REF,
    Molecules,
    count_groups,
    first_molecules,
    make_molecules,
)
from mrdtrack.kernels.umi import HASHED, LENGTH_SHIFT

AGREEMENT = 2.0 / 3.0
"""Share of a family's clear fragments that must agree."""
SLOT_MULTIPLIER = 0x9E3779B1
"""Near the golden section of 2^32 (Knuth, The Art of Computer Programming 3, 6.4)."""
UNJOINED = -1
UMI_ERROR = 1e-3 / 3.0
"""Chance that a copy reads one base of a UMI as a certain other one (Phred 30)."""
MARKS = 1 << 14
"""Marks by which most UMIs that are not there are told at once."""


class Place(NamedTuple):
    """Room for the distinct UMIs of the fragments at one place, as they appear."""

    word: Ints  # [W]
    seen: Ints  # [W] fragments
    root: Ints  # [W] the UMI that stands for the family
    queue: Ints  # [W]
    of_row: Ints  # [W] number of the UMI of each fragment, UNJOINED without a UMI
    slots: Ints  # [table_size(2 W)] numbers of UMIs by `word_slot`, -1 where empty
    marks: Bytes  # [MARKS] 1 where a UMI of the place has its mark


@kernel
def word_slot(word: int, mask: int) -> int:
    """Give a word's place in a table, by bits from the middle of a product."""
    return ((word * SLOT_MULTIPLIER) >> 24) & mask


@kernel
def mark_of(word: int) -> int:
    """Give the mark of a UMI."""
    return ((word * SLOT_MULTIPLIER) >> 18) & (MARKS - 1)


@kernel
def find_slot(place: Place, mask: int, word: int) -> int:
    """Find the slot of a UMI, or the empty one where it belongs."""
    slot = word_slot(word, mask)
    while place.slots[slot] >= 0 and place.word[place.slots[slot]] != word:
        slot = (slot + 1) & mask
    return slot


@kernel
def list_umis(
    order: Ints32, low: int, high: int, umi: Ints, place: Place, mask: int
) -> int:
    """List the distinct UMIs of the fragments order[low:high]; give their number."""
    for slot in range(mask + 1):
        place.slots[slot] = -1
    n = 0
    for i in range(high - low):
        word = umi[order[low + i]]
        place.of_row[i] = UNJOINED
        if word == 0:
            continue
        slot = find_slot(place, mask, int(word))
        if place.slots[slot] < 0:
            place.slots[slot] = n
            place.word[n] = word
            place.marks[mark_of(int(word))] = 1
            place.seen[n] = 0
            place.root[n] = UNJOINED
            n += 1
        place.of_row[i] = place.slots[slot]
        place.seen[place.of_row[i]] += 1
    return n


@kernel
def commonest_first(place: Place, n: int) -> Ints:
    """List the UMIs seen more than once, the commonest first, then by their letters."""
    several = np.flatnonzero(place.seen[:n] > 1)
    several = several[np.argsort(place.word[several], kind="mergesort")]
    return several[np.argsort(-place.seen[several], kind="mergesort")]


class Families(NamedTuple):
    """The UMI families of fragments, and what UMIs there are at their places.

    `number` [N]: of each fragment, the same for those of one family; `distinct` [B]:
    UMIs at each place; `taken` [B]: their share of all UMIs of their length there could
    be (0 where they are compared as a whole), which is the chance that two molecules of
    the place have the same.
    """

    number: Ints32
    distinct: Ints
    taken: Floats


@kernel
def share_taken(n: int, word: int) -> float:
    """Give the share that `n` UMIs are of all those of a word's length.

    1 at most: some of them may be of another length.
    """
    length = word >> LENGTH_SHIFT
    return 0.0 if length == HASHED else min(n / float(1 << (2 * length)), 1.0)


@kernel
def join_from(place: Place, n: int, mask: int, start: int) -> None:
    """Join to a UMI all that are errors of it, and errors of these."""
    if place.root[start] != UNJOINED:
        return
    place.root[start] = start
    place.queue[0] = start
    head, tail = 0, 1
    while head < tail:
        node = place.queue[head]
        head += 1
        word = int(place.word[node])
        length = word >> LENGTH_SHIFT
        n_bases = 0 if length == HASHED else length
        if place.seen[node] * UMI_ERROR < share_taken(n, word):
            continue
        for base in range(n_bases):
            for change in range(1, 4):
                other = word ^ (change << (2 * base))
                if not place.marks[mark_of(other)]:
                    continue
                found = place.slots[find_slot(place, mask, other)]
                if found < 0 or place.root[found] != UNJOINED:
                    continue
                if place.seen[node] >= 2 * place.seen[found] - 1:
                    place.root[found] = start
                    place.queue[tail] = found
                    tail += 1


@kernel
def join_umis(place: Place, n: int, mask: int, starts: Ints) -> None:
    """Join UMIs one base apart, the rarer to the commoner.

    The directional rule: `b` is an error of `a` when `seen[a] >= 2 seen[b] - 1`
    (Smith, Heger and Sudbery 2017, doi:10.1101/gr.209601.116). But where so many UMIs
    are there that a neighbour is likelier another molecule's than an error, it is left
    alone: else all would be joined to a few. `starts` are those seen more than once;
    the order of the others makes no difference.
    """
    room, first = bare(place), bare(starts)
    for i in range(starts.shape[0]):
        join_from(room, n, mask, int(first[i]))
    for i in range(n):
        join_from(room, n, mask, i)


@kernel
def number_into(
    order: Ints32, begin: Ints32, umi: Ints, place: Place, made: Families
) -> None:
    """Number families with room that the caller has made."""
    rows, words, room = bare(order), bare(umi), bare(place)
    number = made.number
    for b in range(begin.shape[0] - 1):
        low, high = begin[b], begin[b + 1]
        made.distinct[b], made.taken[b] = 1, 0.0
        if high - low == 1:
            number[rows[low]] = low
            continue
        mask = table_size(2 * (high - low)) - 1
        n = list_umis(rows, low, high, words, room, mask)
        if n > 1:
            made.distinct[b], made.taken[b] = n, share_taken(n, int(room.word[0]))
        join_umis(place, n, mask, commonest_first(place, n))
        for i in range(n):
            room.marks[mark_of(int(room.word[i]))] = 0
        alone = low + n
        for i in range(high - low):
            own = room.of_row[i]
            if own == UNJOINED:
                number[rows[low + i]] = alone
                alone += 1
            else:
                number[rows[low + i]] = low + room.root[own]


@kernel
def number_families(order: Ints32, begin: Ints32, umi: Ints) -> Families:
    """Number the UMI families of fragments.

    Args:
        order: the fragments by place. Numbers are below N, of one place together.
        begin: where each place begins in `order`, and the end of the last.
        umi: of each fragment; those without one (0) are families of their own.
    """
    widest = 0
    for b in range(begin.shape[0] - 1):
        widest = max(widest, begin[b + 1] - begin[b])
    place = Place(
        np.empty(widest, np.int64),
        np.empty(widest, np.int64),
        np.empty(widest, np.int64),
        np.empty(widest, np.int64),
        np.empty(widest, np.int64),
        np.empty(table_size(2 * widest), np.int64),
        np.zeros(MARKS, np.uint8),
    )
    n_places = begin.shape[0] - 1
    made = Families(
        np.empty(order.shape[0], np.int32),
        np.empty(n_places, np.int64),
        np.empty(n_places, np.float64),
    )
    number_into(order, begin, umi, place, made)
    return made


class MergedFamilies(NamedTuple):
    """The molecule that each family is, and the number of its fragments."""

    molecules: Molecules
    size: Ints32


@kernel
def merge_copies(
    fragments: Molecules,
    order: Ints32,
    begin: int,
    n_fragments: int,
    family: Ints32,
    votes: Ints,
    merged: MergedFamilies,
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
    bits = 0
    at = begin
    while at < n_fragments:
        i = order[at]
        if fragments.marker[i] != m or family[i] != number:
            break
        votes[fragments.kind[i]] += 1
        bits |= fragments.crosses[i]
        if fragments.name[i] < fragments.name[leader]:
            leader = i
        at += 1
    clear = votes[ALT] + votes[REF] + votes[OTHER]
    agreed = AMBIGUOUS
    for c in (ALT, REF, OTHER):
        if clear > 0 and votes[c] >= AGREEMENT * clear:
            agreed = c
    made = merged.molecules
    made.marker[n] = m
    made.start[n] = fragments.start[leader]
    made.kind[n] = agreed
    made.crosses[n] = bits
    made.reverse[n] = fragments.reverse[leader]
    merged.size[n] = at - begin
    return at


@kernel
def merge_all_copies(
    fragments: Molecules,
    order: Ints32,
    family: Ints32,
    min_size: int,
    votes: Ints,
    merged: MergedFamilies,
) -> int:
    """Merge family by family; give the number of those that are large enough."""
    copies, rows, numbers = bare(fragments), bare(order), bare(family)
    free, made = bare(votes), bare(merged)
    n = 0
    at = 0
    while at < order.shape[0]:
        at = merge_copies(copies, rows, at, order.shape[0], numbers, free, made, n)
        if made.size[n] >= min_size:
            n += 1
    return n


@kernel
def merge_families(
    fragments: Molecules, order: Ints32, family: Ints32, min_size: int
) -> MergedFamilies:
    """Let the fragments of each family vote; small families are left out.

    `order` sorts the fragments by marker and family, `family` numbers the families.
    """
    most = count_groups(fragments.marker, family, order)
    made = MergedFamilies(make_molecules(most, 0), np.empty(most, np.int32))
    votes = np.zeros(4, np.int64)
    n = merge_all_copies(fragments, order, family, min_size, votes, made)
    if n == most:
        return made
    return MergedFamilies(first_molecules(made.molecules, n), made.size[:n].copy())
