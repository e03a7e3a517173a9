"""The same course under two protocols: which flags differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from mrdtrack.follow_up.timeline import Flag, Timeline
from mrdtrack.models import FileModel


class Difference(FileModel):
    """One flag that only one of two assessments raises."""

    visit: str
    date: str
    action: str
    only_in: Literal["first", "second"]
    rule: str
    protocol: str
    protocol_version: str
    because: str
    because_fr: str


def compare_assessments(first: Timeline, second: Timeline) -> tuple[Difference, ...]:
    """List the flags that differ, by visit and action, newest visit first.

    Two rules of different protocols that ask for the same action at the same visit do
    not differ.
    """
    dates = {visit.sample: visit.date for visit in (*first.visits, *second.visits)}
    found = [
        *_only_in(first.flags, second.flags, "first", dates),
        *_only_in(second.flags, first.flags, "second", dates),
    ]
    ordered = sorted(found, key=lambda d: (d.visit, d.action, d.only_in, d.rule))
    return tuple(sorted(ordered, key=lambda d: d.date, reverse=True))


def _only_in(
    flags: Sequence[Flag],
    others: Sequence[Flag],
    side: Literal["first", "second"],
    dates: dict[str, str],
) -> list[Difference]:
    there = {(flag.visit, flag.action) for flag in others}
    return [
        Difference(
            visit=flag.visit,
            date=dates[flag.visit],
            action=flag.action,
            only_in=side,
            rule=flag.rule,
            protocol=flag.protocol,
            protocol_version=flag.protocol_version,
            because=flag.because,
            because_fr=flag.because_fr,
        )
        for flag in flags
        if (flag.visit, flag.action) not in there
    ]
