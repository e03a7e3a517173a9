"""The timeline in all formats: same numbers, inert, stable, nothing of the machine."""

from __future__ import annotations

import csv
import getpass
import io
import json
import platform
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from mrdtrack.errors import OutputError
from mrdtrack.follow_up.timeline import Timeline
from mrdtrack.reports.inert_text import inert_cell
from mrdtrack.reports.tables import model_json
from mrdtrack.reports.timeline_files import (
    DEFAULT_FORMATS,
    FORMATS,
    compose,
    timeline_files,
    write_timeline,
)
from mrdtrack.reports.timeline_table import COLUMNS, timeline_tsv
from mrdtrack.reports.view import Table, View
from mrdtrack.reports.words import LANGUAGES
from tests.reports.hostile import HOSTILE, hostile_timeline
from tests.reports.timelines import timeline


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode()), delimiter="\t"))


def pdf_text(content: bytes) -> str:
    pages = PdfReader(io.BytesIO(content)).pages
    return "".join("".join(page.extract_text().split()) for page in pages)


def level_cells(view: View) -> list[str]:
    return [
        cell.text
        for section in view.sections
        for block in section.blocks
        if isinstance(block, Table)
        for row in block.rows
        for cell in row
        if cell.value is not None
    ]


def test_names_of_the_files(tmp_path: Path) -> None:
    written = write_timeline(timeline(), tmp_path / "out")
    assert [path.name for path in written] == [
        "P001.timeline.html",
        "P001.timeline.json",
        "P001.timeline.tsv",
    ]
    assert set(DEFAULT_FORMATS) < set(FORMATS)
    files = timeline_files(timeline(), FORMATS, audience="patient")
    assert sorted(files) == [
        "P001.patient.html",
        "P001.patient.pdf",
        "P001.timeline.fhir.json",
        "P001.timeline.json",
        "P001.timeline.tsv",
    ]
    with pytest.raises(OutputError, match="--force"):
        write_timeline(timeline(), tmp_path / "out", ("tsv",))


def test_equal_inputs_give_equal_bytes() -> None:
    for language in LANGUAGES:
        once = timeline_files(timeline(), FORMATS, language=language)
        assert once == timeline_files(timeline(), FORMATS, language=language)


def test_nothing_of_the_machine_is_inside() -> None:
    secrets = {platform.node(), str(Path.home()), str(Path.cwd()), sys.prefix}
    secrets.add(tempfile.gettempdir() + "/")
    secrets.add(getpass.getuser())
    # a name of a few letters stands in any file by chance
    told = {secret for secret in secrets if len(secret) > 5}
    for name, content in timeline_files(timeline(), FORMATS).items():
        for secret in told:
            assert secret.encode() not in content, (name, secret)


def test_json_reads_back() -> None:
    content = timeline_files(timeline(), ("json",))["P001.timeline.json"]
    assert model_json(Timeline.model_validate_json(content)) == content
    assert content.startswith(b'{\n  "schema": "mrdtrack-timeline/1",\n')


def test_table_agrees_with_the_json() -> None:
    table = rows(timeline_tsv(timeline()))
    visits = json.loads(timeline_files(timeline(), ("json",))["P001.timeline.json"])[
        "visits"
    ]
    assert tuple(table[0]) == COLUMNS
    for row, visit in zip(table, visits, strict=True):
        negative = visit["call"] in {"not_detected", "insufficient_sensitivity"}
        for column in ("high", "lod95", "loq", "required_sensitivity", "p_value"):
            expected = "" if visit[column] is None else repr(visit[column])
            assert row[column] == expected
        if negative or visit["value"] is None:
            assert row["value"] == ""
        else:
            assert float(row["value"]) == visit["value"]
        reduction = visit["log10_reduction"] or {"value": None, "relation": ""}
        assert row["log10_reduction_relation"] == reduction["relation"]
    assert table[2]["change_log10"] == "-1.55"
    assert table[-1]["flags"] == "25.npm1.fu.bm:PREEMPTIVE_DISCUSS"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("audience", ["clinician", "patient"])
def test_pdf_says_what_the_page_says(language: Any, audience: Any) -> None:
    files = timeline_files(
        timeline(), ("html", "pdf"), language=language, audience=audience
    )
    [page] = [content for name, content in files.items() if name.endswith("html")]
    [paper] = [content for name, content in files.items() if name.endswith("pdf")]
    said = pdf_text(paper)
    view = compose(timeline(), language, audience)
    cells = level_cells(view)
    assert len(cells) > 10
    for text in [view.headline, *cells]:
        assert "".join(text.split()) in said, text
        shown = text.replace("<", "&lt;").replace("'", "&#39;")
        assert shown in page.decode()


def test_pdf_is_an_archive_with_the_results_inside() -> None:
    files = timeline_files(timeline(), ("json", "pdf"), language="fr")
    paper = files["P001.timeline.pdf"]
    reader = PdfReader(io.BytesIO(paper))
    assert list(reader.attachments) == ["P001.timeline.json"]
    assert reader.attachments["P001.timeline.json"] == [files["P001.timeline.json"]]
    metadata = paper.decode("latin-1")
    assert "<pdfaid:part>3</pdfaid:part>" in metadata
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in metadata
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "fr"
    assert reader.metadata is not None
    assert str(reader.metadata.creation_date)[:10] == "2025-12-09"
    n_pages = len(reader.pages)
    for number, page in enumerate(reader.pages, start=1):
        text = "".join(page.extract_text().split())
        assert f"page{number}sur{n_pages}" in text
        assert "PatientP001(pseudonyme),donnéesau2025-12-09" in text


def test_patient_s_page_is_one_page() -> None:
    for language in LANGUAGES:
        files = timeline_files(
            timeline(), ("pdf",), language=language, audience="patient"
        )
        reader = PdfReader(io.BytesIO(files["P001.patient.pdf"]))
        assert len(reader.pages) == 1
        assert not list(reader.attachments)


def test_pdf_of_nothing() -> None:
    empty = Timeline(
        patient="P",
        disease="AML",
        visits=(),
        kinetics=(),
        flags=(),
        schedule=(),
        software=timeline().software,
    )
    for name, content in timeline_files(empty, FORMATS).items():
        assert len(content) > 100, name


@pytest.mark.parametrize("module", ["typst", "fhir.resources.R4B.bundle"])
def test_missing_extra_is_one_sentence(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    wanted = {"typst": ("pdf", r"mrdtrack\[pdf\]")}.get(
        module, ("fhir", r"mrdtrack\[fhir\]")
    )
    kind: Any = wanted[0]
    with pytest.raises(OutputError, match=wanted[1]):
        timeline_files(timeline(), (kind,))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_inert(text: str) -> None:
    files = timeline_files(hostile_timeline(text), FORMATS)
    for name, content in files.items():
        assert re.fullmatch(r"[A-Za-z0-9_.+=,@~-]+", name)
        if not name.endswith(".pdf"):
            shown = content.decode()
            assert not re.search(
                "[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", shown
            )
        if name.endswith(".tsv"):
            table = rows(content)
            assert len(table) == len(timeline().visits)
            assert {row["sample"] for row in table} == {inert_cell(text)}
            starts = {row["method"].lstrip()[:1] for row in table}
            assert not starts & set("=+-@")
        if name.endswith(".timeline.json"):
            assert Timeline.model_validate_json(content).patient == text
        if name.endswith(".pdf"):
            assert b"/JavaScript" not in content
            assert b"/Launch" not in content


# --- FHIR -----------------------------------------------------------------------------


def resources(kind: str) -> list[dict[str, Any]]:
    content = json.loads(
        timeline_files(timeline(), ("fhir",))["P001.timeline.fhir.json"]
    )
    assert content["type"] == "collection"
    return [
        entry["resource"]
        for entry in content["entry"]
        if entry["resource"]["resourceType"] == kind
    ]


def test_levels_in_fhir_are_the_json_s() -> None:
    observations = [
        resource
        for resource in resources("Observation")
        if resource["code"]["coding"][0]["system"] == "urn:mrdtrack:code"
    ]
    for observation, visit in zip(observations, timeline().visits, strict=True):
        quantity: Any = observation.get("valueQuantity")
        if visit.call in {"not_detected", "insufficient_sensitivity"}:
            assert quantity["comparator"] == "<"
            assert quantity["value"] == visit.lod95
        elif visit.call == "not_evaluable":
            assert quantity is None
            assert observation["dataAbsentReason"]["text"] == visit.reason
        else:
            assert "comparator" not in quantity
            assert quantity["value"] == visit.value
        assert observation["effectiveDateTime"] == visit.date


def test_variants_in_fhir_follow_the_guide() -> None:
    variants = [
        resource
        for resource in resources("Observation")
        if resource["code"]["coding"][0].get("code") == "69548-6"
    ]
    assert [v["valueCodeableConcept"]["text"] for v in variants] == [
        "Present",
        "Absent",
        "No call",
        "Indeterminate",
        "Present",
    ]
    codes = {
        component["code"]["coding"][0]["code"]: component
        for component in variants[0]["component"]
    }
    assert codes["81258-6"]["valueQuantity"]["value"] == pytest.approx(42 / 10_042)
    assert codes["82121-5"]["valueQuantity"]["value"] == 10_046
    assert codes["48018-6"]["valueCodeableConcept"]["text"] == "NPM1"
    assert "component" not in variants[2]


def test_report_and_proposals_in_fhir() -> None:
    [report] = resources("DiagnosticReport")
    assert report["code"]["coding"][0]["code"] == "51969-4"
    assert report["conclusion"].startswith("MRD detected in bone marrow")
    tasks = resources("Task")
    assert [task["intent"] for task in tasks] == ["proposal", "proposal"]
    assert "Would change if" in tasks[0]["description"]
    [patient] = resources("Patient")
    assert "name" not in patient


def test_only_confirmed_loinc_codes_are_used() -> None:
    content = timeline_files(timeline(), ("fhir",))["P001.timeline.fhir.json"].decode()
    assert set(re.findall(r'"code": "(\d{4,5}-\d)"', content)) == {
        "48018-6",
        "51969-4",
        "69548-6",
        "81258-6",
        "82121-5",
    }
