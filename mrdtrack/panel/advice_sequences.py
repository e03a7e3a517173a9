"""Advice on sequences: are they unique enough, among each other and among people."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.advice_model import Advice
from mrdtrack.panel.model import SHORT_STEM, Panel
from mrdtrack.panel.model import Sequence as SequenceMarker

SHORT_JUNCTION = 25
FEW_UNTEMPLATED = 3
"""Fewer untemplated bases than these are 16 forms at most."""
FEW_WORDS = 0.5
"""Share of different words of three bases below which a sequence is a simple one."""


def advise_sequences(panel: Panel) -> Iterator[Advice]:
    """Judge the sequence markers of a panel."""
    sequences = [m for m in panel.marker if isinstance(m, SequenceMarker)]
    for marker in sequences:
        yield from _alone(marker)
    for first, second in itertools.combinations(sequences, 2):
        yield from _beside(first, second)


def _alone(marker: SequenceMarker) -> Iterator[Advice]:
    if len(marker.sequence) < SHORT_JUNCTION:
        yield Advice(
            marker.id,
            "short_sequence",
            "warning",
            f"{len(marker.sequence)} bases are few to be found by one person only",
        )
    if marker.untemplated == 0:
        yield Advice(
            marker.id,
            "not_unique",
            "warning",
            "its junction holds no untemplated base: another person can make it, so "
            "it must not drive a level alone",
        )
    elif marker.untemplated is not None and marker.untemplated < FEW_UNTEMPLATED:
        bases = "base" if marker.untemplated == 1 else "bases"
        yield Advice(
            marker.id,
            "hardly_unique",
            "warning",
            f"its junction holds {marker.untemplated} untemplated {bases} only: "
            "another person may make it",
        )
    yield from _stem(marker)
    if _is_simple(marker.sequence):
        yield Advice(
            marker.id,
            "simple_sequence",
            "warning",
            "it is made of few different words: other reads may hold it by chance",
        )


def _stem(marker: SequenceMarker) -> Iterator[Advice]:
    """Judge whether the stem of a clonotype is its own."""
    few = marker.stem_untemplated
    if marker.stem is None:
        return
    if marker.stem < SHORT_STEM or few is None or few < FEW_UNTEMPLATED:
        bases = "base" if few == 1 else "bases"
        known = "an unknown number of" if few is None else str(few)
        yield Advice(
            marker.id,
            "stem_hardly_unique",
            "warning",
            f"its stem is {marker.stem} bases with {known} untemplated {bases}: "
            "molecules of other people may count as related",
        )


def _is_simple(bases: str) -> bool:
    words = [bases[i : i + 3] for i in range(len(bases) - 2)]
    return len(set(words)) < FEW_WORDS * min(len(words), 64)


def _beside(first: SequenceMarker, second: SequenceMarker) -> Iterator[Advice]:
    for bases in (second.sequence, reverse_complement(second.sequence)):
        distance = edits_between(first.sequence, bases, most=2)
        if distance is not None:
            yield Advice(
                second.id,
                "near_another_clonotype",
                "warning",
                f"it is {distance} edit{'s' * (distance != 1)} from {first.id!r}: a "
                "read counts for the nearer one",
            )
            return
        if bases in first.sequence or first.sequence in bases:
            yield Advice(
                second.id,
                "within_another_sequence",
                "warning",
                f"one of it and {first.id!r} lies within the other: a read that holds "
                "both counts for neither",
            )
            return


def edits_between(first: str, second: str, *, most: int) -> int | None:
    """Give the edit distance of two sequences, None above `most`."""
    if abs(len(first) - len(second)) > most:
        return None
    row = list(range(len(second) + 1))
    for number, base in enumerate(first, start=1):
        diagonal, row[0] = row[0], number
        for column, other in enumerate(second, start=1):
            best = min(row[column] + 1, row[column - 1] + 1, diagonal + (base != other))
            diagonal, row[column] = row[column], best
        if min(row) > most:
            return None
    return row[-1] if row[-1] <= most else None
