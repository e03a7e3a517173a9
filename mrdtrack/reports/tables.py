"""Numbers, cells and tables of the files that programs read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence

from mrdtrack.models import FileModel
from mrdtrack.reports.inert_text import escaped_json, inert_cell

SIGNIFICANT_DIGITS = 10

Cell = str | int | float | bool | None
Json = (
    str | int | float | bool | Mapping[str, "Json"] | Sequence["Json"] | None
)  # what a JSON file may hold


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


def columns_tsv(columns: Mapping[str, Sequence[str]]) -> bytes:
    """Write a long table, given as columns of cells that are ready to be written."""
    header = "\t".join(columns)
    lines = map("\t".join, zip(*columns.values(), strict=True))
    return "\n".join([header, *lines, ""]).encode()


def ready_cells(texts: Sequence[str]) -> list[str]:
    """Bring texts into the form in which `tsv` writes them."""
    line = tsv([*map(inert_cell, texts), ""], ())
    return line.decode().split("\t")[:-1]


def model_json(model: FileModel) -> bytes:
    """Write a file model as JSON: `schema` first, then sorted keys, stable floats."""
    return json_bytes(model.model_dump(mode="json", by_alias=True))


def json_bytes(content: Mapping[str, Json]) -> bytes:
    """Write JSON with `schema` first and all other keys sorted, always alike."""
    steady = {name: _steady(content[name]) for name in _schema_first(content)}
    text = json.dumps(steady, ensure_ascii=False, allow_nan=False, indent=2)
    return (escaped_json(text) + "\n").encode()


def _schema_first(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (name != "schema", name))


def _steady(value: Json) -> Json:
    if isinstance(value, float):
        return stable(value)
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return {name: _steady(value[name]) for name in sorted(value)}
    if isinstance(value, Sequence):
        return [_steady(item) for item in value]
    return value
