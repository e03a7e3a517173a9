"""All that a view says, in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from mrdtrack.reports.view import Figure, Text, View

_UNSAID = {"block", "name", "tone", "language", "running", "page_of", "wide", "narrow"}


def all_texts(view: View) -> Iterator[Text]:
    """Give every string of a view as a text; drawings give their captions."""
    yield from _texts(view)


def _texts(value: object) -> Iterator[Text]:
    if isinstance(value, Text):
        yield value
    elif isinstance(value, str):
        if value:
            yield Text(text=value)
    elif isinstance(value, tuple):
        for item in value:
            yield from _texts(item)
    elif is_dataclass(value):
        skipped = _UNSAID | ({"description"} if isinstance(value, Figure) else set())
        for field in fields(value):
            if field.name not in skipped:
                yield from _texts(getattr(value, field.name))
