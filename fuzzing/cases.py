"""A case: changed files, how mrdtrack reads them, and what it may make of them.

A changed file is refused with one sentence, or it is read. Then the result is judged by
what the change allows (`Case.allowance`):

* 0: the change says nothing new (other block sizes, line ends, damage in an index,
  bytes behind a checksum), so the result must be the one of the right file;
* n: so many records differ, so the counts may move by no more than these explain;
* None: the file says something else now, and only must say it without contradiction.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from fuzzing.changes import Pick
from fuzzing.seeds import Seeds

PER_RECORD = 3
"""Molecules one changed record may move: itself, its mate, and a place to go to."""

Value = tuple[object, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Files of one trial, and what the result may differ by.

    `seed` names the right result to compare with; `main` is the changed file. `warned`
    is the allowance where the result says that the index could not be used.
    """

    files: Mapping[str, bytes]
    main: str
    seed: str
    allowance: int | None
    warned: int = 0
    grow: bool = False


class Draw(NamedTuple):
    """What a change is drawn from; `grown` are changed files worth changing again."""

    seeds: Seeds
    pick: Pick
    grown: list[bytes]


class Given(NamedTuple):
    """What is read: the files of a case, in a folder."""

    seeds: Seeds
    folder: Path
    case: Case


class Kind(NamedTuple):
    """One kind of file: how often it is drawn, how it is changed, how it is read."""

    name: str
    weight: float
    change: Callable[[Draw], Case]
    read: Callable[[Given], Value]
