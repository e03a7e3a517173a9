"""The terminal: 80 columns, no colour unless asked, no negative without its limit."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from mrdtrack.reports.terminal import (
    formatted,
    plot,
    results_text,
    timeline_text,
    wants_colour,
)
from mrdtrack.reports.words import words
from tests.reports.builders import absent_marker, level, visit_result
from tests.reports.hostile import HOSTILE, hostile_timeline
from tests.reports.timelines import negative, rt_qpcr, timeline, visit


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def negative_level(**given: Any) -> Any:
    return level("not_detected", value=0.0, low=0.0, high=1e-4, **given)


def test_a_detected_sample() -> None:
    text = results_text([visit_result()]).replace("\u00d7", "x")
    lines = text.splitlines()
    assert (
        lines[0] == "P001-V1: quantified, 4.2x10⁻³ (0.42%), 95% CI (3.0\u20135.6)x10⁻³"
    )
    assert lines[1].split() == ["marker", "alt", "molecules", "fraction", "LoD", "call"]
    assert lines[2].startswith("NPM1-A ")
    assert "not evaluable: no read" in text
    assert lines[-1] == "warning: depth is low"
    assert "\x1b" not in text


def test_samples_without_a_level() -> None:
    empty = level("not_evaluable", value=None, low=None, high=None, reason="no DNA")
    text = results_text(
        [visit_result(level=negative_level()), visit_result("b", level=empty)]
    ).replace("\u00d7", "x")
    assert "P001-V1: not detected (LoD 1.6x10⁻⁴)\n" in text
    assert "b: not evaluable: no DNA\n" in text


def test_lines_fit_eighty_columns() -> None:
    for text in (
        results_text([visit_result()]),
        timeline_text(timeline()),
        timeline_text(timeline(), words("fr")),
    ):
        assert max(cell_len(line) for line in text.splitlines()) <= 80


def test_timeline_says_answer_plot_visits_and_flags() -> None:
    text = timeline_text(timeline())
    assert text.startswith("MRD detected in bone marrow on 9\u00a0December\u00a02025")
    assert "●" in text
    assert "▽ not detected: below this LoD" in text
    assert "Discuss pre-emptive treatment" in text
    assert "Would change if: a second sample" in text
    french = timeline_text(timeline(), words("fr"))
    assert "Discuter un traitement préemptif" in french


def test_timeline_without_own_results_has_no_plot() -> None:
    made = timeline(visits=(rt_qpcr("2025-01-01", 0.01, "quantified"),))
    assert "└" not in timeline_text(made)
    assert timeline_text(timeline(visits=())).startswith("No visit")


def test_plot_places_levels_by_decade() -> None:
    drawn = plot(
        words("en"),
        [
            visit("A", "2025-01-31", value=1e-1),
            visit("B", "2025-02-28", value=1e-3, specimen="peripheral_blood"),
            negative("C", "2025-03-31", lod95=1e-2),
        ],
    ).splitlines()
    assert drawn[0] == " 10⁻¹ │  ●"
    assert drawn[2] == " 10⁻² │            ▽"
    assert drawn[4] == " 10⁻³ │       ◆"
    assert drawn[6] == "         25   25   25"
    assert drawn[7] == "         01   02   03"
    assert len(plot(words("en"), [visit("A", "2025-01-01")] * 30).split("\n")[0]) < 81


def test_colour_only_where_it_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert wants_colour(Terminal())
    assert not wants_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_colour(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not wants_colour(Terminal())
    assert "\x1b[" in results_text([visit_result()], colour=True)
    assert "\x1b[" in timeline_text(timeline(), colour=True)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_does_not_reach_the_terminal(text: str) -> None:
    shown = timeline_text(hostile_timeline(text)) + results_text(
        [visit_result(text, markers=(absent_marker(text, reason=text),))]
    )
    for forbidden in ("\x1b", "\x00", "\r", "\t", "\u202e"):
        assert forbidden not in shown


def test_formats_for_stdout() -> None:
    one, two = visit_result("a"), visit_result("b")
    assert json.loads(formatted([one], "json"))["sample"] == "a"
    assert [r["sample"] for r in json.loads(formatted([one, two], "json"))] == [
        "a",
        "b",
    ]
    assert formatted([one, two], "tsv").startswith("sample\tmarker\tkind\t")
    assert formatted([one], "table") == results_text([one])


def test_a_silent_run_loads_neither_rich_nor_babel() -> None:
    script = (
        "import sys\n"
        "from mrdtrack.reports import result_files, terminal, words\n"
        "words.words('en').power(1e-4)\n"
        "heavy = {'babel', 'fhir', 'jinja2', 'rich', 'typst'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
