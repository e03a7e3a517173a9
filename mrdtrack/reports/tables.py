"""Numbers, cells and tables of the files that programs read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from json.encoder import encode_basestring
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from mrdtrack.counts import IntArray
from mrdtrack.models import FileModel
from mrdtrack.reports.inert_text import escaped_json, inert_cell

SIGNIFICANT_DIGITS = 10
_STEP = "  "
_NAMED = {None: "null", True: "true", False: "false"}

Cell = str | int | float | bool | None
Json = (
    str | int | float | bool | Mapping[str, "Json"] | Sequence["Json"] | None
)  # what a JSON file may hold
Cells = NDArray[np.uint8]
"""The cells of a column as bytes [L, W], 0 behind the end of a shorter one."""


def stable(number: float) -> float:
    """Round to ten significant digits: the last ones differ between machines."""
    rounded = float(f"{number:.{SIGNIFICANT_DIGITS}g}")
    return rounded if rounded != 0.0 else 0.0


def cell_text(value: Cell) -> str:
    """Write one cell: nothing for None, true or false, digits, or inert text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(stable(value))
    return inert_cell(value)


def compact(counts: Mapping[str, int]) -> str:
    """Write named counts in one cell: ``duplicate=3;low_mapping_quality=1``."""
    return ";".join(f"{name}={number}" for name, number in sorted(counts.items()))


def tsv(columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> bytes:
    """Write a table with a header; a missing key is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell_text(row.get(column)) for column in columns])
    return text.getvalue().encode()


def columns_tsv(columns: Mapping[str, Cells]) -> bytes:
    """Write a long table, given as columns of ready cells."""
    header = "\t".join(columns) + "\n"
    n_rows = len(next(iter(columns.values())))
    parts = []
    for end, cells in zip(
        "\t" * (len(columns) - 1) + "\n", columns.values(), strict=True
    ):
        parts += [cells, np.full((n_rows, 1), ord(end), np.uint8)]
    table = np.concatenate(parts, axis=1)
    content: bytes = table[table != 0].tobytes()
    return header.encode() + content


def text_cells(texts: Sequence[str], code: IntArray) -> Cells:
    """Make a column of cells as `tsv` writes them; `code` [L] are places in `texts`."""
    line = tsv([*map(inert_cell, texts), ""], ())
    ready = np.array(line.split(b"\t")[:-1], np.bytes_)
    return ready.view(np.uint8).reshape(len(texts), ready.itemsize)[code]


def number_cells(values: IntArray) -> Cells:
    """Make a column of cells of whole numbers, 0 or more."""
    powers = 10 ** np.arange(len(str(values.max(initial=0))) - 1, -1, -1)
    digits = values[:, None] // powers % 10 + ord("0")
    digits[:, :-1][values[:, None] < powers[:-1]] = 0
    return digits.astype(np.uint8)


def model_json(model: FileModel) -> bytes:
    """Write a file model as JSON: `schema` first, then sorted keys, stable floats."""
    return json_bytes(model.model_dump(mode="json", by_alias=True))


def json_bytes(content: Mapping[str, Json]) -> bytes:
    """Write JSON with `schema` first and all other keys sorted, always alike.

    As `json.dumps` with an indent of two would, which takes longer than judging a
    sample does.
    """
    names = sorted(content, key=lambda name: (name != "schema", name))
    text = _mapping([(name, content[name]) for name in names], "")
    return (escaped_json(text) + "\n").encode()


def _json(value: Json, indent: str) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None or isinstance(value, bool):
        return _NAMED[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not isfinite(value):
            raise ValueError(f"{value} is not JSON compliant")
        return repr(stable(value))
    if isinstance(value, Mapping):
        return _mapping(sorted(value.items()), indent)
    return _sequence(value, indent)


def _mapping(items: Sequence[tuple[str, Json]], indent: str) -> str:
    if not items:
        return "{}"
    inner = indent + _STEP
    lines = [
        f"{inner}{encode_basestring(name)}: {_json(value, inner)}"
        for name, value in items
    ]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def _sequence(values: Sequence[Json], indent: str) -> str:
    if not values:
        return "[]"
    inner = indent + _STEP
    lines = [f"{inner}{_json(value, inner)}" for value in values]
    return "[\n" + ",\n".join(lines) + f"\n{indent}]"
