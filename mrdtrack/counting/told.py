"""What records told: claims of markers with the facts of the records that make them.

Facts stand once a record, however many markers it speaks of. Observations, few, hold
both in each row: of records that are heard wherever they lie, and of sequences.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrdtrack.errors import InputError
from mrdtrack.kernels.arrays import Claims, Facts, Ints32, Observations

MOST_RECORDS: Final = 2**31 - 1
"""So many records, and claims of them, can be numbered in four bytes."""

Mask = NDArray[np.bool_]
Chosen = Mask | NDArray[np.int64] | slice


class Told(NamedTuple):
    """Claims, and the facts of the records that make them."""

    facts: Facts
    claims: Claims


def check_number(n_records: int) -> None:
    """See that so many records can be held together.

    Raises:
        InputError: there are too many.
    """
    if n_records > MOST_RECORDS:
        raise InputError(
            "reads",
            f"more than {MOST_RECORDS:,} lie at markers that are counted together",
            "sort the reads by position, or ask for fewer markers at once",
        )


def join_rows(rows: Sequence[Ints32], sizes: Sequence[int]) -> Ints32:
    """Number records through, of which each chunk has so many.

    What names them is numbered in four bytes as well.

    Raises:
        InputError: there are too many to be held together.
    """
    check_number(max(sum(sizes), sum(len(own) for own in rows)))
    first = np.cumsum([0, *sizes]).tolist()
    return np.concatenate([own + n for own, n in zip(rows, first, strict=False)])


def join_observations(parts: Sequence[Observations]) -> Observations:
    """Put the observations of all chunks together, in file order."""
    if not parts:
        empty = np.zeros(0, np.int64)
        return Observations(
            empty, empty.copy(), empty.copy(), empty.copy(), np.zeros(0), empty.copy()
        )
    return Observations(
        *(np.concatenate(column) for column in zip(*parts, strict=True))
    )


def pick(part: Observations, chosen: Chosen) -> Observations:
    """Pick some observations."""
    return Observations(
        marker=part.marker[chosen],
        name=part.name[chosen],
        umi=part.umi[chosen],
        start=part.start[chosen],
        evidence=part.evidence[chosen],
        flags=part.flags[chosen],
    )


def observations_of(told: Told, chosen: Chosen) -> Observations:
    """Give some claims as observations."""
    facts, claims = told
    row = claims.row[chosen]
    return Observations(
        marker=claims.marker[chosen].astype(np.int64),
        name=facts.name[row],
        umi=facts.umi[row],
        start=facts.start[row],
        evidence=claims.evidence[chosen],
        flags=(facts.bits[row] | claims.bits[chosen]).astype(np.int64),
    )


def told_by(observations: Observations) -> Told:
    """Give observations as claims, each with a record of its own."""
    marker, name, umi, start, evidence, flags = observations
    n = len(marker)
    check_number(n)
    return Told(
        Facts(name=name, umi=umi, start=start, bits=flags.astype(np.int32)),
        Claims(
            row=np.arange(n, dtype=np.int32),
            marker=marker.astype(np.int32),
            evidence=evidence,
            bits=np.zeros(n, np.uint8),
        ),
    )


def join_facts(parts: Sequence[Facts]) -> Facts:
    """Put the facts of records together, in file order."""
    return Facts(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def join_claims(parts: Sequence[Claims], sizes: Sequence[int]) -> Claims:
    """Put the claims of chunks together, which have so many records each."""
    return Claims(
        row=join_rows([own.row for own in parts], sizes),
        marker=np.concatenate([own.marker for own in parts]),
        evidence=np.concatenate([own.evidence for own in parts]),
        bits=np.concatenate([own.bits for own in parts]),
    )


def join_told(parts: Sequence[Told]) -> Told:
    """Put claims and the facts of their records together, in file order."""
    sizes = [len(facts.name) for facts, _ in parts]
    return Told(
        join_facts([facts for facts, _ in parts]),
        join_claims([claims for _, claims in parts], sizes),
    )
