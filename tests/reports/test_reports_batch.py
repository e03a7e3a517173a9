"""One run on one page."""

from __future__ import annotations

import csv
import io
import json
import platform
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pypdf import PdfReader

from mrdtrack.cli import main
from mrdtrack.commands.batch import BatchRequest, batch, carried_over
from mrdtrack.errors import ResultError
from mrdtrack.findings import finding
from mrdtrack.levels.result import VisitResult
from mrdtrack.reports.batch import MOST_COLUMNS, CarryOver, batch_view
from mrdtrack.reports.batch_files import BATCH_COLUMNS, BATCH_FORMATS, batch_files
from mrdtrack.reports.inert_text import inert_cell
from mrdtrack.reports.tables import model_json
from mrdtrack.reports.view import Notes, Table, View
from mrdtrack.reports.words import LANGUAGES, words
from tests.reports.builders import (
    absent_marker,
    level,
    marker_result,
    unseen_marker,
    visit_result,
)
from tests.reports.hostile import HOSTILE

EN = words("en")
EMPTY = {"value": None, "low": None, "high": None, "lod95": None}
NONE = {"value": 0.0, "low": 0.0, "high": 2e-4}


def run() -> list[VisitResult]:
    return [
        visit_result("A"),
        visit_result("B", level=level("not_detected", **NONE), quality=()),
        visit_result(
            "C",
            level=level("insufficient_sensitivity", **NONE, limited_by="input"),
            date=None,
            quality=(),
        ),
        visit_result(
            "D",
            level=level(
                "not_evaluable",
                **EMPTY,
                reason="no marker had an informative molecule (the file holds no read)",
                reason_codes=("none_informative", "no_reads"),
            ),
            quality=(),
        ),
    ]


def table(view: View, section: str) -> Table:
    found = next(s for s in view.sections if s.name == section).blocks[0]
    assert isinstance(found, Table)
    return found


def notes(view: View) -> Notes:
    [found] = next(s for s in view.sections if s.name == "quality").blocks
    assert isinstance(found, Notes)
    return found


def plain(text: str) -> str:
    return text.replace("\u00d7", "x").replace("\u202f", " ")


def test_every_sample_has_its_row() -> None:
    view = batch_view("R1", run(), (), EN)
    assert view.headline == (
        "4 samples: MRD in 1, not detected down to their limits in 1, no conclusion "
        "in 2."
    )
    assert [line.text for line in view.headline_more] == [
        "Quantified: 1",
        "Not detected, each with the limit of detection below: 1",
        "Insufficient sensitivity: 1",
        "Not evaluable: 1",
        "1 sample has a quality warning.",
    ]
    assert view.tone == "watch"
    rows = [[plain(cell.text) for cell in row] for row in table(view, "levels").rows]
    assert [row[0] for row in rows] == ["A", "B", "C", "D"]
    assert rows[0][5] == "4.2x10⁻³"
    assert rows[1][5] == "< 1.6x10⁻⁴"
    assert rows[1][-1] == "not detected (LoD 1.6x10⁻⁴)"
    assert rows[2][-1].endswith("limited by the DNA that went in")
    assert rows[2][2] == "\u2013"
    assert rows[3][-1] == (
        "not evaluable: no marker had an informative molecule (the file holds no read)"
    )
    assert [note.text for note in notes(view).notes] == ["A, warning: depth is low"]


def test_a_clean_run_is_calm_and_one_sample_is_singular() -> None:
    view = batch_view("R1", [visit_result("A", quality=())], (), EN)
    assert view.tone == "none"
    assert view.headline.startswith("1 sample: MRD in 1, not detected down to its")
    assert len(view.headline_more) == 1


def test_what_holds_for_all_samples_is_said_once_and_warnings_come_first() -> None:
    shared = finding("no_controls", "info")
    own = finding("marker_lost", "warning", markers=("NPM1-A",))
    results = [
        visit_result("A", quality=(shared,)),
        visit_result("B", quality=(shared, own)),
    ]
    said = [note.text for note in notes(batch_view("R1", results, (), EN)).notes]
    assert said[0].startswith("B, warning: NPM1-A: fewer molecules")
    assert said[1].startswith("all samples, note: judged without control samples")
    assert len(said) == 2
    alone = [note.text for note in notes(batch_view("R1", results[:1], (), EN)).notes]
    assert alone[0].startswith("A, note:")


def test_carry_over_matrix() -> None:
    shares = (CarryOver("A", "B", 2.3e-5), CarryOver("B", "A", 0.0))
    made = table(batch_view("R1", run(), shares, EN), "carry-over")
    assert [column.title for column in made.columns] == ["Sample", "A", "B"]
    shown = [[plain(cell.text) for cell in row] for row in made.rows]
    assert shown == [["A", "\u2013", "2.3x10⁻⁵"], ["B", "none", "\u2013"]]
    assert made.rows[0][2].value == "2.3e-05"


def test_two_panels_are_not_compared_and_a_giver_alone_has_its_column() -> None:
    shares = (CarryOver("A", "B", 2.3e-5), CarryOver("A", "C", 0.0))
    made = table(batch_view("R1", run(), shares, EN), "carry-over")
    shown = [[plain(cell.text) for cell in row] for row in made.rows]
    assert shown[1] == ["B", "\u2013", "\u2013", "\u2013"]


def test_carry_over_of_a_long_run_is_a_list() -> None:
    names = [f"S{number}" for number in range(MOST_COLUMNS + 1)]
    shares = [
        CarryOver(receiver, giver, 1e-5 if giver == "S3" else 0.0)
        for receiver in names
        for giver in names
        if giver != receiver
    ]
    made = table(batch_view("R1", run(), shares, EN), "carry-over")
    assert len(made.rows) == MOST_COLUMNS
    assert {row[1].text for row in made.rows} == {"S3"}
    none = [share._replace(fraction=0.0) for share in shares]
    [block] = next(
        s for s in batch_view("R1", run(), none, EN).sections if s.name == "carry-over"
    ).blocks
    assert block.block == "paragraph"


def test_nothing_assessed_is_said() -> None:
    view = batch_view("R1", [], (), EN)
    [block] = next(s for s in view.sections if s.name == "carry-over").blocks
    assert block.block == "paragraph"
    assert block.text.text.startswith("No carry-over")
    [block] = next(s for s in view.sections if s.name == "quality").blocks
    assert block.block == "paragraph"
    assert view.date == ""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_page_is_stable_and_inert(text: str, language: Any) -> None:
    markers = (marker_result(text), unseen_marker(text, reason=text, reason_code=text))
    results = [
        visit_result(text, patient=text, markers=markers),
        visit_result(
            "b",
            level=level("not_evaluable", **EMPTY, reason=text, reason_codes=(text,)),
            quality=(
                finding("several_specimens", "info", day=text, specimens=(text,)),
                finding("constant_umi", "warning", mode=text),
                {"code": text, "severity": "warning", "message": text},
                {"code": "marker_lost", "severity": "warning", "message": text},
            ),
        ),
    ]
    shares = (CarryOver(text, "b", 1e-4), CarryOver("b", text, 0.0))
    files = batch_files(text, results, shares, BATCH_FORMATS, language)
    assert files == batch_files(text, results, shares, BATCH_FORMATS, language)
    for name, content in files.items():
        assert re.fullmatch(r"[A-Za-z0-9_.+=,@~-]+", name)
        if name.endswith(".pdf"):
            assert b"/JavaScript" not in content
            assert b"/Launch" not in content
            continue
        shown = content.decode()
        assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", shown)
        if not name.endswith(".tsv"):
            assert not re.search("<(script|img)|<svg[^>]* on", shown)
        if name.endswith(".tsv"):
            table_rows = list(csv.DictReader(io.StringIO(shown), delimiter="\t"))
            assert [row["sample"] for row in table_rows] == [inert_cell(text), "b"]
            starts = {row["patient"].lstrip()[:1] for row in table_rows}
            assert not starts & set("=+-@")
        if name.endswith(".html"):
            assert len(content) < 150_000


def test_numbers_of_all_formats_are_those_of_the_results() -> None:
    results = run()
    shares = carried_over(results)
    files = batch_files("R1", results, shares, BATCH_FORMATS)
    rows = list(
        csv.DictReader(io.StringIO(files["R1.batch.tsv"].decode()), delimiter="\t")
    )
    multiqc = json.loads(files["mrdtrack_mqc.json"])["data"]
    page = files["R1.batch.html"].decode()
    paper = "".join(
        "".join(part.extract_text().split())
        for part in PdfReader(io.BytesIO(files["R1.batch.pdf"])).pages
    )
    view = batch_view("R1", results, shares, EN)
    shown = table(view, "levels").rows
    assert tuple(rows[0]) == BATCH_COLUMNS
    for result, row, cells in zip(results, rows, shown, strict=True):
        given = result.level
        seen = given.call == "quantified"
        of_multiqc = multiqc[result.sample]
        assert row["level"] == (repr(given.value) if seen else "")
        assert row["level_low"] == (repr(given.low) if seen else "")
        assert of_multiqc.get("mrd_level") == (given.value if seen else None)
        assert of_multiqc.get("mrd_lod95") == given.lod95
        assert row["lod95"] == ("" if given.lod95 is None else repr(given.lod95))
        assert cells[7].value == (None if given.lod95 is None else repr(given.lod95))
        assert row["markers_used"] == cells[8].value == str(given.markers_used)
        if seen:
            assert cells[5].value == repr(given.value)
        for cell in cells:
            if cell.value is not None:
                assert f'<data value="{cell.value}">' in page
                assert "".join(cell.text.split()) in paper
    assert b"0.0" not in files["R1.batch.tsv"].split(b"\n")[2].split(b"\t")[7]


def test_nothing_of_the_machine_is_inside() -> None:
    told = {platform.node(), str(Path.home()), str(Path.cwd()), sys.prefix}
    for name, content in batch_files("R1", run(), (), BATCH_FORMATS).items():
        for secret in filter(lambda secret: len(secret) > 5, told):
            assert secret.encode() not in content, (name, secret)


# --- what may come over ---------------------------------------------------------------


def shares_of(*results: VisitResult) -> dict[tuple[str, str], float]:
    return {(s.to_sample, s.from_sample): s.fraction for s in carried_over(results)}


def test_carry_over_is_the_share_of_the_highest_marker_seen_in_both() -> None:
    high = marker_result("M", alt=5_000, ref=5_000, denominator=10_000)
    low = absent_marker("M")
    unseen = unseen_marker("M")
    found = shares_of(
        visit_result("A", markers=(high,)),
        visit_result("B", markers=(low,)),
        visit_result("C", markers=(unseen,)),
    )
    assert found["B", "A"] == pytest.approx(0.5e-4)  # 1e-4 of a level of one half
    assert found["A", "B"] == 0.0
    assert found["C", "A"] == 0.0  # nothing of it could have been seen there
    other = visit_result("B", markers=(low,), panel_digest="sha256:other")
    assert shares_of(visit_result("A", markers=(high,)), other) == {}


# --- the command ----------------------------------------------------------------------


@pytest.fixture
def results_on_disk(tmp_path: Path) -> list[Path]:
    paths = []
    for result in run():
        path = tmp_path / f"{result.sample}.mrd.json"
        path.write_bytes(model_json(result))
        paths.append(path)
    return paths


def test_command_writes_the_page(results_on_disk: list[Path], tmp_path: Path) -> None:
    asked = [*map(str, results_on_disk), "-o", str(tmp_path / "out"), "--run", "R 1"]
    done = CliRunner().invoke(main, ["batch", *asked, "--language", "fr"])
    assert (done.exit_code, done.output) == (0, "")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names[-1] == "mrdtrack_mqc.json"
    assert [re.sub("~[0-9a-f]{10}", "~", name) for name in names[:2]] == [
        "R_1~.batch.html",
        "R_1~.batch.tsv",
    ]
    page = (tmp_path / "out" / names[0]).read_text(encoding="utf-8")
    assert "4 échantillons" in page
    again = CliRunner().invoke(main, ["batch", *asked])
    assert again.exit_code == 1
    assert "--force" in again.output
    gate = ["--force", "--fail-on", "quantified"]
    assert CliRunner().invoke(main, ["batch", *asked, *gate]).exit_code == 3


def test_command_writes_the_formats_asked_for(
    results_on_disk: list[Path], tmp_path: Path
) -> None:
    asked = BatchRequest(
        results=results_on_disk, output=tmp_path / "out", formats=("pdf",)
    )
    assert len(batch(asked)) == 4
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["run.batch.pdf"]


def test_a_sample_given_twice_is_refused(
    results_on_disk: list[Path], tmp_path: Path
) -> None:
    asked = BatchRequest(
        results=[*results_on_disk, results_on_disk[0]], output=tmp_path / "out"
    )
    with pytest.raises(ResultError, match="sample A is also in"):
        batch(asked)
    assert not (tmp_path / "out").exists()
