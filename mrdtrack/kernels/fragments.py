"""Fragments: the claims of records of one read name become one molecule.

Mates and split alignments of a fragment see the same bases, so they do not add up:
the clearest record speaks for its fragment, and clear records that contradict each
other silence it. The records of a fragment are taken together, whatever the markers
they speak of: each marker's last molecule is that of the fragment at hand.
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
    Bytes,
    Claims,
    Facts,
    Floats,
    Ints,
    Ints32,
)
from mrdtrack.kernels.molecules import Molecules, classify, make_molecules

CROSSES = CROSSES_JUNCTION | CROSSES_LEFT | CROSSES_RIGHT | INSIDE_READ


class Merging(NamedTuple):
    """What the fragment at hand says of each of M markers so far."""

    size: Ints  # [M] records that speak of the marker, 0: none
    highest: Floats  # [M]
    lowest: Floats  # [M]
    loudest: Floats  # [M]
    together: Ints  # [M] bits
    reverse: Ints  # [M]
    start: Ints  # [M]
    umi: Ints  # [M]
    spoken: Ints  # [M] the markers it speaks of, as they come
    next: Ints  # [M + 1] where the marker's next molecule goes


@kernel
def make_merging(n_markers: int, place: Ints) -> Merging:
    """Make room for a fragment that says nothing yet."""
    return Merging(
        np.zeros(n_markers, np.int64),
        np.empty(n_markers, np.float64),
        np.empty(n_markers, np.float64),
        np.empty(n_markers, np.float64),
        np.empty(n_markers, np.int64),
        np.empty(n_markers, np.int64),
        np.empty(n_markers, np.int64),
        np.empty(n_markers, np.int64),
        np.empty(n_markers, np.int64),
        place,
    )


@kernel
def reverse_strand(bits: int) -> int:
    """Give 1 where the first read of a record's fragment lies on the reverse strand."""
    on_reverse, second = (bits & REVERSE) != 0, (bits & SECOND_OF_PAIR) != 0
    return 1 if on_reverse != second else 0


@kernel
def settled(
    highest: float, lowest: float, together: int, limit: float, small: bool
) -> tuple[float, int]:
    """Give evidence and class of a molecule from what its records say at most.

    `small` says that a record that fits neither haplotype silences the others.
    """
    clear_alt, clear_ref = highest >= limit, lowest <= -limit
    neither = (together & FITS_NEITHER) != 0
    total = highest if highest >= -lowest else lowest
    if (clear_alt and clear_ref) or (neither and small and (clear_alt or clear_ref)):
        total, neither = 0.0, False
    return total, classify(total, limit, neither)


@kernel
def places_of(
    order: Ints32,
    n: int,
    number: Ints32,
    begin: Ints,
    own_bits: Ints32,
    marker: Ints32,
    bits: Bytes,
    filtered: int,
    fragment: Ints,
    next_place: Ints,
) -> None:
    """Count the molecules of each marker m into next_place[m + 1]."""
    for at in range(n):
        row = order[at]
        this = number[row]
        for c in range(begin[row], begin[row + 1]):
            m = marker[c]
            if (own_bits[row] | bits[c]) & filtered == 0 and fragment[m] != this:
                fragment[m] = this
                next_place[m + 1] += 1


@kernel
def hear_claim(
    m: int, said: float, heard: int, start: int, umi: int, merging: Merging, n: int
) -> int:
    """Let a record of the fragment speak of a marker, beside the `n` spoken of."""
    if merging.size[m] == 0:
        merging.spoken[n] = m
        merging.size[m] = 1
        merging.highest[m], merging.lowest[m] = max(said, 0.0), min(said, 0.0)
        merging.loudest[m], merging.reverse[m] = abs(said), reverse_strand(heard)
        merging.together[m] = heard
        merging.start[m], merging.umi[m] = start, umi
        return n + 1
    if abs(said) > merging.loudest[m]:
        merging.loudest[m] = abs(said)
        merging.reverse[m] = reverse_strand(heard)
    merging.size[m] += 1
    merging.highest[m] = max(merging.highest[m], said)
    merging.lowest[m] = min(merging.lowest[m], said)
    merging.together[m] |= heard
    merging.start[m] = min(merging.start[m], start)
    merging.umi[m] = umi if merging.umi[m] == 0 else merging.umi[m]
    return n


@kernel
def hear_record(
    facts: Facts,
    claims: Claims,
    row: int,
    begin: Ints,
    filtered: int,
    merging: Merging,
    n: int,
) -> int:
    """Let a record speak for its fragment, beside the `n` markers spoken of."""
    own, start, umi = facts.bits[row], facts.start[row], facts.umi[row]
    for c in range(begin[row], begin[row + 1]):
        heard = own | claims.bits[c]
        if heard & filtered == 0:
            m, said = claims.marker[c], claims.evidence[c]
            n = hear_claim(m, said, heard, start, umi, merging, n)
    return n


@kernel
def write_molecules(
    merging: Merging,
    n: int,
    name: int,
    threshold: Floats,
    event: Ints,
    whole: bool,
    made: Molecules,
) -> None:
    """Write what the fragment says of the `n` markers it speaks of, and forget it.

    Each column is written once and never read, since the room is wider than the cache.
    """
    for i in range(n):
        m = merging.spoken[i]
        k = merging.next[m]
        merging.next[m] = k + 1
        together = merging.together[m]
        evidence, kind = settled(
            merging.highest[m],
            merging.lowest[m],
            together,
            threshold[m],
            event[m] <= SMALL_INDEL,
        )
        made.marker[k], made.start[k] = m, merging.start[m]
        made.kind[k], made.crosses[k] = kind, together & CROSSES
        made.reverse[k] = merging.reverse[m]
        if whole:
            made.name[k], made.umi[k] = name, merging.umi[m]
            made.evidence[k] = evidence
        merging.size[m] = 0


@kernel
def merge_claims(
    facts: Facts,
    claims: Claims,
    order: Ints32,
    n: int,
    number: Ints32,
    begin: Ints,
    filtered: int,
    threshold: Floats,
    event: Ints,
    merging: Merging,
    whole: bool,
    made: Molecules,
) -> None:
    """Merge fragment by fragment, record by record."""
    at = 0
    while at < n:
        first, n_spoken = order[at], 0
        while at < n and number[order[at]] == number[first]:
            n_spoken = hear_record(
                facts, claims, order[at], begin, filtered, merging, n_spoken
            )
            at += 1
        name = facts.name[first]
        write_molecules(merging, n_spoken, name, threshold, event, whole, made)


@kernel
def merge_into(
    facts: Facts,
    claims: Claims,
    order: Ints32,
    number: Ints32,
    begin: Ints,
    filtered: int,
    threshold: Floats,
    event: Ints,
    merging: Merging,
    whole: bool,
    made: Molecules,
) -> None:
    """Merge in room that the caller has made."""
    merge_claims(
        bare(facts),
        bare(claims),
        bare(order),
        order.shape[0],
        bare(number),
        bare(begin),
        filtered,
        bare(threshold),
        bare(event),
        bare(merging),
        whole,
        bare(made),
    )


@kernel
def count_molecules(
    facts: Facts,
    claims: Claims,
    order: Ints32,
    number: Ints32,
    begin: Ints,
    filtered: int,
    fragment: Ints,
    next_place: Ints,
) -> None:
    """Count the molecules of each marker m into next_place[m + 1]."""
    places_of(
        bare(order),
        order.shape[0],
        bare(number),
        bare(begin),
        bare(facts.bits),
        bare(claims.marker),
        bare(claims.bits),
        filtered,
        bare(fragment),
        bare(next_place),
    )


@kernel
def claims_of_records(row: Ints32, n_records: int) -> Ints:
    """Give where the claims of each record begin, and the end of the last."""
    begin = np.zeros(n_records + 1, np.int64)
    for c in range(row.shape[0]):
        begin[row[c] + 1] += 1
    for r in range(n_records):
        begin[r + 1] += begin[r]
    return begin


@kernel
def merge_fragments(
    facts: Facts,
    claims: Claims,
    order: Ints32,
    number: Ints32,
    filtered: int,
    threshold: Floats,
    event: Ints,
    whole: bool,
) -> Molecules:
    """Merge the records of each marker and fragment.

    Args:
        facts: of R records.
        claims: of these.
        order: the records that are heard, by fragment.
        number: of the fragment of each record [R].
        filtered: bits of the claims that are not heard.
        threshold: phred from which a molecule is decided [M].
        event: code of the event class [M].
        whole: whether the molecules are merged further.
    """
    n_markers = event.shape[0]
    begin = claims_of_records(claims.row, facts.name.shape[0])
    fragment = np.full(n_markers, -1, np.int64)
    place = np.zeros(n_markers + 1, np.int64)
    count_molecules(facts, claims, order, number, begin, filtered, fragment, place)
    for m in range(n_markers):
        place[m + 1] += place[m]
    n = int(place[n_markers])
    made = make_molecules(n, n if whole else 0)
    merging = make_merging(n_markers, place)
    merge_into(
        facts,
        claims,
        order,
        number,
        begin,
        filtered,
        threshold,
        event,
        merging,
        whole,
        made,
    )
    return made


@kernel
def count_filtered(facts: Facts, claims: Claims, filters: Ints, counts: Ints) -> None:
    """Count the claims of each marker by the first filter that they meet.

    `filters` are F bits. Of `counts` [M, F + 1] the last column are those heard.
    """
    own, bits, marker, row = (
        bare(facts.bits),
        bare(claims.bits),
        bare(claims.marker),
        bare(claims.row),
    )
    n_filters = filters.shape[0]
    for c in range(claims.row.shape[0]):
        heard = own[row[c]] | bits[c]
        k = 0
        while k < n_filters and heard & filters[k] == 0:
            k += 1
        counts[marker[c], k] += 1
