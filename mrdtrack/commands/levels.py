"""`mrdtrack levels`: counts tables in, levels and calls out, without reads."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NamedTuple

from mrdtrack.commands.many_files import ManyFiles
from mrdtrack.commands.table_judge import LevelsRequest, TableJudge
from mrdtrack.commands.table_workers import judged_in_order
from mrdtrack.levels.result import Call, VisitResult
from mrdtrack.reports.output_files import safe_name
from mrdtrack.reports.terminal import formatted, wants_colour

__all__ = ["CalledSample", "LevelsRequest", "levels"]

MOST_SHOWN = 50
"""Samples shown on the terminal unless a format is asked for."""


class _Called(NamedTuple):
    call: Call


class CalledSample(NamedTuple):
    """A sample's name and call: all that is kept of it once its file is written."""

    sample: str
    level: _Called


def levels(request: LevelsRequest) -> list[CalledSample]:
    """Judge every sample of the tables; write one file each, and one table for all.

    Raises:
        InputError: a file is wrong, or an output exists and `force` is not given.
    """
    judge = TableJudge(request)
    many = len(judge)
    eye = request.format is None and not request.quiet and many <= MOST_SHOWN
    keep = eye or request.format in ("json", "table")
    called: list[CalledSample] = []
    with ManyFiles(request.output, force=request.force) as files:
        shown: list[VisitResult] = []
        rows: list[bytes] = [judge.header]
        for told in judged_in_order(judge, keep=keep):
            files.add(f"{safe_name(told.sample)}.mrd.json", told.content)
            rows.append(told.row)
            called.append(CalledSample(told.sample, _Called(told.call)))
            if told.result is not None:
                shown.append(told.result)
        table = b"".join(rows)
        files.add("levels.tsv", table)
    _tell(shown, table, request)
    return called


def _tell(results: Sequence[VisitResult], table: bytes, request: LevelsRequest) -> None:
    """Put the data asked for on stdout; else a table for the eye on stderr."""
    if request.format == "tsv":
        sys.stdout.write(table.decode())
    elif request.format is not None:
        colour = request.format == "table" and wants_colour(sys.stdout)
        sys.stdout.write(formatted(results, request.format, colour=colour))
    elif results:
        sys.stderr.write(formatted(results, "table", colour=wants_colour(sys.stderr)))
