"""What records showed in stretches of the background, with the facts of the records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mrdtrack.counting.told import Mask, join_facts, join_rows
from mrdtrack.kernels.arrays import Bytes, Facts
from mrdtrack.kernels.stretches import BackgroundRows


class Shown(NamedTuple):
    """Rows of the background, and the facts of the records that show them."""

    facts: Facts
    rows: BackgroundRows


def join_shown(parts: list[Shown]) -> Shown:
    """Put rows and the facts of their records together, in file order.

    `parts` is emptied on the way: all codes would fill the memory twice.
    """
    if len(parts) == 1:
        return parts.pop()
    starts = [np.zeros(1, np.int64)]
    n_codes = 0
    for _, own in parts:
        starts.append(own.code_start[1:] + n_codes)
        n_codes += len(own.codes)
    sizes = [len(facts.name) for facts, _ in parts]
    return Shown(
        join_facts([facts for facts, _ in parts]),
        BackgroundRows(
            row=join_rows([own.row for _, own in parts], sizes),
            stretch=np.concatenate([own.stretch for _, own in parts]),
            offset=np.concatenate([own.offset for _, own in parts]),
            code_start=np.concatenate(starts),
            codes=_joined_codes(parts, n_codes),
        ),
    )


def _joined_codes(parts: list[Shown], n_codes: int) -> Bytes:
    """Join the codes of parts, each of which is let go when its own are copied."""
    codes = np.empty(n_codes, np.uint8)
    at = 0
    parts.reverse()
    while parts:
        own = parts.pop().rows.codes
        codes[at : at + len(own)] = own
        at += len(own)
    return codes


def split_shown(
    parts: Sequence[Shown], chosen: Mask
) -> tuple[list[Shown], list[Shown]]:
    """Part the rows of the chosen stretches from the others, in their order."""
    taken, kept = [], []
    for part in parts:
        mine = chosen[part.rows.stretch]
        if mine.all():
            taken.append(part)
        elif not mine.any():
            kept.append(part)
        else:
            taken.append(_pick_rows(part, mine))
            kept.append(_pick_rows(part, ~mine))
    return taken, kept


def _pick_rows(shown: Shown, mine: Mask) -> Shown:
    """Pick rows with their codes."""
    rows = shown.rows
    sizes = np.diff(rows.code_start)
    return Shown(
        shown.facts,
        BackgroundRows(
            row=rows.row[mine],
            stretch=rows.stretch[mine],
            offset=rows.offset[mine],
            code_start=np.concatenate(([0], np.cumsum(sizes[mine]))).astype(np.int64),
            codes=rows.codes[np.repeat(mine, sizes)],
        ),
    )
