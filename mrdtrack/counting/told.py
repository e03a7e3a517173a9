"""What records told: claims of markers with the facts of the records that make them.

Facts stand once a record, however many markers it speaks of. Observations, few, hold
both in each row: of records that are heard wherever they lie, and of sequences.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrdtrack.kernels.arrays import Claims, Facts, Observations

Mask = NDArray[np.bool_]
Chosen = Mask | NDArray[np.int64] | slice


class Told(NamedTuple):
    """Claims, and the facts of the records that make them."""

    facts: Facts
    claims: Claims


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
        marker=claims.marker[chosen],
        name=facts.name[row],
        umi=facts.umi[row],
        start=facts.start[row],
        evidence=claims.evidence[chosen],
        flags=facts.bits[row] | claims.bits[chosen],
    )


def told_by(observations: Observations) -> Told:
    """Give observations as claims, each with a record of its own."""
    marker, name, umi, start, evidence, flags = observations
    row = np.arange(len(marker), dtype=np.int64)
    return Told(
        Facts(name=name, umi=umi, start=start, bits=flags),
        Claims(row=row, marker=marker, evidence=evidence, bits=np.zeros_like(flags)),
    )


def join_facts(parts: Sequence[Facts]) -> Facts:
    """Put the facts of records together, in file order."""
    return Facts(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def join_told(parts: Sequence[Told]) -> Told:
    """Put claims and the facts of their records together, in file order."""
    if not parts:
        return told_by(join_observations([]))
    if len(parts) == 1:
        return parts[0]
    first = np.cumsum([len(facts.name) for facts, _ in parts])
    rows = [part.claims.row + n for part, n in zip(parts[1:], first, strict=False)]
    return Told(
        join_facts([facts for facts, _ in parts]),
        Claims(
            row=np.concatenate([parts[0].claims.row, *rows]),
            marker=np.concatenate([claims.marker for _, claims in parts]),
            evidence=np.concatenate([claims.evidence for _, claims in parts]),
            bits=np.concatenate([claims.bits for _, claims in parts]),
        ),
    )


def split_told(parts: Sequence[Told], chosen: Mask) -> tuple[list[Told], list[Told]]:
    """Part the claims about the chosen markers from the others, in their order."""
    taken, kept = [], []
    for part in parts:
        mine = chosen[part.claims.marker]
        if mine.all():
            taken.append(part)
        elif not mine.any():
            kept.append(part)
        else:
            taken.append(_pick_claims(part, mine))
            kept.append(_pick_claims(part, ~mine))
    return taken, kept


def _pick_claims(told: Told, mine: Mask) -> Told:
    claims = told.claims
    return Told(
        told.facts,
        Claims(
            row=claims.row[mine],
            marker=claims.marker[mine],
            evidence=claims.evidence[mine],
            bits=claims.bits[mine],
        ),
    )
