"""The bytes of `mrdtrack.reports.tables.model_json`, made quicker.

Python's indenting JSON encoder takes more time than judging a sample does, which
matters where a table holds a hundred thousand of them. A test holds the bytes equal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

from mrdtrack.models import FileModel
from mrdtrack.reports.inert_text import escaped_json
from mrdtrack.reports.tables import stable

_STEP = "  "


def quick_model_json(model: FileModel) -> bytes:
    """Write a file model as `model_json` does."""
    content = model.model_dump(mode="json", by_alias=True)
    names = sorted(content, key=lambda name: (name != "schema", name))
    text = _mapping([(name, content[name]) for name in names], "")
    return (escaped_json(text) + "\n").encode()


def _text(value: Any, indent: str) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, float):
        return repr(stable(value))
    if isinstance(value, Mapping):
        return _mapping(sorted(value.items()), indent)
    if isinstance(value, list):
        return _sequence(value, indent)
    return json.dumps(value)


def _mapping(items: Sequence[tuple[str, Any]], indent: str) -> str:
    if not items:
        return "{}"
    inner = indent + _STEP
    lines = [
        f"{inner}{encode_basestring(name)}: {_text(value, inner)}"
        for name, value in items
    ]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def _sequence(values: Sequence[Any], indent: str) -> str:
    if not values:
        return "[]"
    inner = indent + _STEP
    lines = [f"{inner}{_text(value, inner)}" for value in values]
    return "[\n" + ",\n".join(lines) + f"\n{indent}]"
