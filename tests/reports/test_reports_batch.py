"""One run on one page."""

from __future__ import annotations

from typing import Any

import pytest

from mrdtrack.reports.batch import CarryOver, batch_html, batch_view
from mrdtrack.reports.view import Table, View
from mrdtrack.reports.words import LANGUAGES, words
from tests.reports.builders import level, visit_result
from tests.reports.hostile import HOSTILE

EN = words("en")


def run() -> list[Any]:
    none = {"value": 0.0, "low": 0.0, "high": 2e-4}
    empty = {"value": None, "low": None, "high": None, "lod95": None}
    return [
        visit_result("A"),
        visit_result("B", level=level("not_detected", **none), quality=()),
        visit_result(
            "C",
            level=level("insufficient_sensitivity", **none, limited_by="input"),
            date=None,
            quality=(),
        ),
        visit_result(
            "D", level=level("not_evaluable", **empty, reason="no reads"), quality=()
        ),
    ]


def table(view: View, section: str) -> Table:
    [block] = next(s for s in view.sections if s.name == section).blocks
    assert isinstance(block, Table)
    return block


def test_every_sample_has_its_row() -> None:
    view = batch_view("R1", run(), (), EN)
    assert view.headline == "4 samples"
    assert [line.text for line in view.headline_more] == [
        "Quantified: 1",
        "Not detected, each with the limit of detection below: 1",
        "Insufficient sensitivity: 1",
        "Not evaluable: 1",
    ]
    rows = [[cell.text for cell in row] for row in table(view, "levels").rows]
    assert [row[0] for row in rows] == ["A", "B", "C", "D"]
    assert rows[0][5].replace("\u00d7", "x") == "4.2x10⁻³"
    assert rows[1][5].startswith("<")
    assert rows[1][-1].startswith("not detected (LoD ")
    assert rows[2][-1].endswith("limited by the DNA that went in")
    assert rows[2][2] == "\u2013"
    assert rows[3][-1] == "not evaluable, no reads"
    quality = next(s for s in view.sections if s.name == "quality").blocks[0]
    assert quality.block == "notes"
    assert [note.text for note in quality.notes] == ["A, warning: depth is low"]


def test_carry_over_matrix() -> None:
    shares = (CarryOver("A", "B", 2.3e-5), CarryOver("B", "A", 0.0))
    made = table(batch_view("R1", run(), shares, EN), "carry-over")
    assert [column.title for column in made.columns] == ["Sample", "A", "B"]
    shown = [[cell.text.replace("\u00d7", "x") for cell in row] for row in made.rows]
    assert shown == [["A", "\u2013", "2.3x10⁻⁵"], ["B", "\u2013", "\u2013"]]
    assert made.rows[0][2].value == "2.3e-05"


def test_nothing_assessed_is_said() -> None:
    view = batch_view("R1", [], (), EN)
    [block] = next(s for s in view.sections if s.name == "carry-over").blocks
    assert block.block == "paragraph"
    assert block.text.text.startswith("No carry-over")
    [block] = next(s for s in view.sections if s.name == "quality").blocks
    assert block.block == "paragraph"
    assert view.date == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_is_stable_and_inert(language: Any) -> None:
    for text in HOSTILE.values():
        results = [visit_result(text, patient=text)]
        shares = (CarryOver(text, text, 1e-4),)
        files = batch_html(text, results, shares, language)
        assert files == batch_html(text, results, shares, language)
        [content] = files.values()
        assert b"<script" not in content
        assert b"<img" not in content
        assert content.decode().isprintable() or "\u202e" not in content.decode()
    assert list(batch_html("R1", run(), (), language)) == ["R1.batch.html"]
