"""Write the reference of files and their JSON Schemas from the code's own models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mrdtrack.commands.spike_ins import SPIKE_COLUMNS
from mrdtrack.follow_up.timeline import Timeline
from mrdtrack.levels.result import VisitResult
from mrdtrack.levels.spike_in_levels import COLUMNS as SPIKE_IN_LEVELS_COLUMNS
from mrdtrack.models import FileModel
from mrdtrack.panel.model import Panel
from mrdtrack.provenance import Provenance
from mrdtrack.reports.result_files import (
    BACKGROUND_COLUMNS,
    COUNTS_COLUMNS,
    LEVELS_COLUMNS,
)

FOLDER = Path(__file__).parent
PAGE = FOLDER / "reference_files.md"
SCHEMAS = FOLDER / "schemas"

MODELS: dict[str, type[FileModel]] = {
    "mrdtrack-panel-1": Panel,
    "mrdtrack-result-1": VisitResult,
    "mrdtrack-timeline-1": Timeline,
    "mrdtrack-provenance-1": Provenance,
}
TABLES = {
    "SAMPLE.counts.tsv": COUNTS_COLUMNS,
    "SAMPLE.background.tsv": BACKGROUND_COLUMNS,
    "levels.tsv": LEVELS_COLUMNS,
    "SAMPLE.spike_ins.tsv": SPIKE_IN_LEVELS_COLUMNS,
    "SAMPLE.spike_in_reads.tsv": SPIKE_COLUMNS,
}

OPENING = """# Fields and columns

This page and the JSON Schemas beside it (`schemas/`) are written from the code's own
models by `make docs`. What the fields mean is told in [Files](formats.md).

A key that is not listed here is an error wherever mrdtrack reads. Numbers are never NaN
or infinite. A number that does not exist is `null` in JSON and empty in a table, with a
reason beside it.
"""


def schema(model: type[FileModel]) -> dict[str, Any]:
    """Get the JSON Schema of a file."""
    return model.model_json_schema(by_alias=True)


def schema_text(model: type[FileModel]) -> str:
    """Lay out the JSON Schema of a file."""
    return json.dumps(schema(model), indent=2, sort_keys=True) + "\n"


def named(reference: str) -> str:
    """Name what a `$ref` points to, as a link."""
    name = reference.rsplit("/", 1)[1]
    return f"[{name}](#{name.lower()})"


def values(choices: list[Any]) -> str:
    """List the words a field may hold."""
    return ", ".join(f"`{json.dumps(choice)}`" for choice in choices)


def describe(part: dict[str, Any]) -> str:
    """Say in a few words what a field holds."""
    match part:
        case {"$ref": reference}:
            told = named(reference)
        case {"const": value}:
            told = values([value])
        case {"enum": choices}:
            told = values(choices)
        case {"anyOf": options} | {"oneOf": options}:
            told = " or ".join(describe(option) for option in options)
        case {"type": "array", "items": items}:
            told = f"list of {describe(items)}"
        case {"type": "object", "additionalProperties": dict(inner)}:
            told = f"table of {describe(inner)}"
        case _:
            told = part.get("type", "any value")
    return told


def fields(title: str, part: dict[str, Any], level: str) -> str:
    """Compose the table of one object's fields."""
    needed = part.get("required", [])
    rows = [
        f"| `{name}` | {'yes' if name in needed else ''} | {describe(inner)} |"
        for name, inner in part.get("properties", {}).items()
    ]
    told = " ".join(part.get("description", "").split("\n\n")[0].split())
    table = "\n".join(["| field | required | holds |", "|---|---|---|", *rows])
    return f"{level} {title}\n\n{told}\n\n{table}\n"


def reference() -> str:
    """Compose the page."""
    sections = [OPENING]
    objects: dict[str, dict[str, Any]] = {}
    for name, model in MODELS.items():
        whole = schema(model)
        objects.update(whole.get("$defs", {}))
        sections.append(fields(name, whole, "##"))
    for title, columns in TABLES.items():
        listed = ", ".join(f"`{column}`" for column in columns)
        sections.append(f"## {title}\n\nColumns, in order: {listed}.\n")
    sections.append("## Objects\n\nThe parts that the files above are made of.\n")
    sections.extend(
        fields(name, part, "###")
        for name, part in sorted(objects.items())
        if "properties" in part
    )
    return "\n".join(sections)


def files() -> dict[Path, str]:
    """Compose the page and all schemas."""
    schemas = {
        SCHEMAS / f"{name}.schema.json": schema_text(model)
        for name, model in MODELS.items()
    }
    return {PAGE: reference(), **schemas}


if __name__ == "__main__":
    SCHEMAS.mkdir(exist_ok=True)
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
