"""The panel file: written, one table a marker, keys in the order of the format."""

from __future__ import annotations

import json
from collections.abc import Mapping

from mrdtrack.panel.model import Panel

Value = str | int | float | Mapping[str, "Value"]


def panel_text(panel: Panel, *, comments: Mapping[str, str] | None = None) -> str:
    """Give the panel as TOML.

    Args:
        panel: the panel.
        comments: a line of comment to stand over a marker, by its id.
    """
    table = panel.model_dump(mode="json", exclude_none=True, by_alias=True)
    markers, identity = table.pop("marker"), table.pop("identity", [])
    lines = [f"{key} = {_value(value)}" for key, value in table.items()]
    for marker in markers:
        lines += ["", *_comment((comments or {}).get(marker["id"])), "[[marker]]"]
        lines += [f"{key} = {_value(marker[key])}" for key in _ordered(marker)]
    for position in identity:
        lines += ["", "[[identity]]"]
        lines += [f"{key} = {_value(value)}" for key, value in position.items()]
    return "\n".join(lines) + "\n"


_FIRST = ("id", "kind", "contig", "position", "start", "end", "ref", "alt", "left")
_THEN = (
    *("right", "inserted", "sequence", "locus", "join", "max_edits", "untemplated"),
    *("stem", "stem_untemplated", "gene", "hgvs"),
)


def _ordered(marker: Mapping[str, Value]) -> list[str]:
    """Say what the marker is first, then what is known of it."""
    named = [key for key in (*_FIRST, *_THEN) if key in marker]
    rest = [key for key in marker if key not in named]
    return [key for key in (*named, *rest) if not _is_default(key, marker[key])]


def _is_default(key: str, value: Value) -> bool:
    return (key, value) in (("role", "level"), ("inserted", ""))


def _value(value: Value) -> str:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key} = {_value(item)}" for key, item in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, int):
        return str(value)
    return _quoted(value)


def _quoted(text: str) -> str:
    """Quote as a TOML basic string: JSON's escapes, and DEL besides."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str | None) -> list[str]:
    if not text:
        return []
    return ["# " + "".join(c if c.isprintable() else " " for c in text)]
