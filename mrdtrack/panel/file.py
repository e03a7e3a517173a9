"""The panel file: read, with all its faults told at once."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mrdtrack.errors import FaultList, PanelError
from mrdtrack.panel.model import Panel

MAX_BYTES = 20_000_000
EVENT = (
    *("kind", "contig", "position", "ref", "alt", "start", "end", "left", "right"),
    *("inserted", "sequence", "join", "max_edits"),
)
REMEDY = "correct the panel and run `mrdtrack panel check` on it"


def read_panel(path: Path) -> Panel:
    """Read and validate a panel file.

    Raises:
        PanelError: the file is no TOML, or too large.
        FaultList: the file breaks the format; every fault is listed.
    """
    text = _text(path)
    try:
        table = tomllib.loads(text)
    except ValueError as error:
        raise PanelError(
            str(path), f"this is no valid TOML ({error})", REMEDY
        ) from None
    except RecursionError:
        raise PanelError(str(path), "its tables nest too deeply", REMEDY) from None
    try:
        panel = Panel.model_validate(table)
    except ValidationError as error:
        faults = [
            _sentence(fault, table, text)
            for fault in error.errors()
            if not _follows_from_others(fault, table)
        ]
        raise FaultList(str(path), faults, REMEDY) from None
    repeated = _repeated_ids(panel, text)
    if repeated:
        raise FaultList(str(path), repeated, "give every marker its own id")
    repeated = _repeated_events(panel, text)
    if repeated:
        raise FaultList(str(path), repeated, "keep one of them")
    return panel


def panel_digest(path: Path) -> str:
    """Give the SHA-256 of the panel file, for the result."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise PanelError(str(path), "this is a folder", "name the panel file") from None
    if len(raw) > MAX_BYTES:
        raise PanelError(
            str(path), f"it is larger than {MAX_BYTES} bytes", "name a panel file"
        )
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise PanelError(
            f"{path}:{line}", "the text is not UTF-8", "save the panel as UTF-8"
        ) from None


def _sentence(fault: Any, table: dict[str, Any], text: str) -> str:
    """Say one pydantic fault with its key and, for a marker, its line."""
    location = list(fault["loc"])
    if location[:1] == ["marker"] and len(location) > 2:
        del location[2]  # the tag of the union of marker kinds
    where = ".".join(str(part) for part in location) or "the panel"
    if len(location) >= 2 and isinstance(location[1], int):
        where = _entry(str(location[0]), location[1], table, text)
        if location[2:]:
            where += " key " + ".".join(str(part) for part in location[2:])
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        return f"{where}: this key is unknown"
    if fault["type"] == "missing":
        return f"{where}: this key is missing"
    given = fault.get("input")
    if isinstance(given, str | int | float) and repr(given) not in message:
        message += f" (given: {str(given)[:60]!r})"
    return f"{where}: {message}"


def _follows_from_others(fault: Any, table: dict[str, Any]) -> bool:
    """Tell whether pydantic counts a faulty marker as a missing one."""
    return fault["type"] == "too_short" and bool(table.get("marker"))


def _entry(name: str, index: int, table: dict[str, Any], text: str) -> str:
    """Name the entry of an array of tables: its number, id and line."""
    entries = table.get(name)
    label = f"{name} {index + 1}"
    if isinstance(entries, list) and index < len(entries):
        entry = entries[index]
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            label += f" ({entry['id'][:60]!r})"
    line = _line_of(name, index, text)
    return f"line {line}, {label}" if line else label


def _line_of(name: str, index: int, text: str) -> int | None:
    heads = re.finditer(rf"^[ \t]*\[\[[ \t]*{re.escape(name)}[ \t]*\]\]", text, re.M)
    for number, head in enumerate(heads):
        if number == index:
            return text[: head.start()].count("\n") + 1
    return None


def _repeated_events(panel: Panel, text: str) -> list[str]:
    """Name markers and identity positions that stand there twice.

    A marker that is counted twice would count as evidence twice.
    """
    faults = []
    for name, entries in (("marker", panel.marker), ("identity", panel.identity)):
        seen: dict[tuple[str, ...], int] = {}
        for index, entry in enumerate(entries):
            event = tuple(
                str(getattr(entry, key)) for key in EVENT if hasattr(entry, key)
            )
            first = seen.setdefault(event, index)
            if first != index:
                line = _line_of(name, index, text)
                faults.append(
                    f"line {line}, {name} {index + 1}: it is the same as {name} "
                    f"{first + 1}"
                )
    return faults


def _repeated_ids(panel: Panel, text: str) -> list[str]:
    seen: dict[str, int] = {}
    faults = []
    for index, marker in enumerate(panel.marker):
        if marker.id in seen:
            line = _line_of("marker", index, text)
            faults.append(
                f"line {line}, marker {index + 1}: the id {marker.id[:60]!r} is "
                f"already that of marker {seen[marker.id] + 1}"
            )
        seen.setdefault(marker.id, index)
    return faults
