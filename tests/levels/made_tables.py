"""Counts tables written for the tests, and `mrdtrack levels` run on them."""

from __future__ import annotations

import csv
from pathlib import Path

from mrdtrack.commands.levels import LevelsRequest, levels


def table(
    path: Path, rows: list[str], header: str = "sample\tmarker\talt\tref"
) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def run(tmp_path: Path, *counts: Path, **told: object) -> list[dict[str, str]]:
    request = {
        "panel": Path("-"),
        "counts": counts,
        "output": tmp_path / "out",
        "quiet": True,
    } | told
    levels(LevelsRequest(**request))  # type: ignore[arg-type]  # options by name
    with (tmp_path / "out" / "levels.tsv").open(encoding="utf-8") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))
