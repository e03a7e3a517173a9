"""What is held of the records until the markers and stretches near them are passed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mrdtrack.counting.told import (
    Mask,
    Told,
    join_facts,
    join_observations,
    join_rows,
    told_by,
)
from mrdtrack.kernels.arrays import Bytes, Claims, Facts, Ints32
from mrdtrack.kernels.bases import PIECE
from mrdtrack.kernels.stretches import BackgroundRows


class Held(NamedTuple):
    """Records: what they say of themselves, of markers, and of the background."""

    facts: Facts
    claims: Claims
    rows: BackgroundRows

    @property
    def told(self) -> Told:
        """What they say of markers."""
        return Told(self.facts, self.claims)


def nothing_held() -> Held:
    """Give no records at all."""
    facts, claims = told_by(join_observations([]))
    none, start = np.zeros(0, np.int32), np.zeros(1, np.int64)
    rows = BackgroundRows(none, none, none, start, np.zeros(0, np.uint8))
    return Held(facts, claims, rows)


def join_shown(parts: list[Held]) -> tuple[Facts, BackgroundRows]:
    """Put facts and rows together, in file order.

    `parts` is emptied on the way, the codes of rows first: they are most of it, and
    would fill the memory twice.
    """
    facts, rows = [part.facts for part in parts], [part.rows for part in parts]
    parts.clear()
    joined = _joined_rows(rows, [len(own.name) for own in facts])
    return join_facts(facts), joined


def _joined_rows(parts: list[BackgroundRows], sizes: Sequence[int]) -> BackgroundRows:
    """Join rows; `parts` is emptied."""
    row, stretch, offset, code_start, codes = map(list, zip(*parts, strict=True))
    parts.clear()
    lengths = [len(own) for own in codes]
    joined = _joined_codes(codes, sum(lengths))
    first = np.cumsum([0, *lengths])
    starts = [own[:-1] + n for own, n in zip(code_start, first, strict=False)]
    return BackgroundRows(
        row=join_rows(row, sizes),
        stretch=np.concatenate(stretch),
        offset=np.concatenate(offset),
        code_start=np.concatenate([*starts, first[-1:]]),
        codes=joined,
    )


def _joined_codes(parts: list[Bytes], n_codes: int) -> Bytes:
    """Join codes, a piece behind them; each part is let go when it is copied."""
    codes = np.empty(n_codes + PIECE, np.uint8)
    at = 0
    parts.reverse()
    while parts:
        own = parts.pop()
        codes[at : at + len(own)] = own
        at += len(own)
    return codes


def split_held(
    parts: Sequence[Held], markers: Mask, stretches: Mask
) -> tuple[list[Held], list[Held]]:
    """Part what is of the chosen markers and stretches from the rest, in its order."""
    taken, kept = [], []
    for part in parts:
        mine = _chosen(markers, part.claims.marker)
        own = _chosen(stretches, part.rows.stretch)
        if mine.all() and own.all():
            taken.append(part)
        elif not (mine.any() or own.any()):
            kept.append(part)
        else:
            taken.append(_picked(part, mine, own))
            kept.append(_picked(part, ~mine, ~own))
    return taken, kept


def _chosen(chosen: Mask, places: Ints32) -> Mask:
    """Say which places are chosen; at one look where all or none between them are."""
    if len(places):
        between = chosen[places.min() : places.max() + 1]
        if between.all() or not between.any():
            return np.full(len(places), between[0])
    return chosen[places]


def _picked(held: Held, mine: Mask, own: Mask) -> Held:
    """Pick claims and rows, of the same records."""
    facts, claims, rows = held
    return Held(facts, _picked_claims(claims, mine), _picked_rows(rows, own))


def _picked_claims(claims: Claims, mine: Mask) -> Claims:
    if mine.all():
        return claims
    return Claims(
        row=claims.row[mine],
        marker=claims.marker[mine],
        evidence=claims.evidence[mine],
        bits=claims.bits[mine],
    )


def _picked_rows(rows: BackgroundRows, own: Mask) -> BackgroundRows:
    if own.all():
        return rows
    sizes = np.diff(rows.code_start)
    return BackgroundRows(
        row=rows.row[own],
        stretch=rows.stretch[own],
        offset=rows.offset[own],
        code_start=np.concatenate(([0], np.cumsum(sizes[own]))).astype(np.int64),
        codes=rows.codes[np.repeat(own, sizes)],
    )
