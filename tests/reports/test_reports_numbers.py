"""Every number of every format is the JSON's, over all courses."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pypdf import PdfReader

from mrdtrack.follow_up.timeline import Timeline
from mrdtrack.reports.level_text import MISSING
from mrdtrack.reports.patient_view import patient_view
from mrdtrack.reports.timeline_files import FORMATS, timeline_files
from mrdtrack.reports.timeline_view import timeline_view
from mrdtrack.reports.view import Text
from mrdtrack.reports.words import LANGUAGES, words
from tests.reports.courses import every_course
from tests.reports.timelines import timeline
from tests.reports.view_texts import all_texts

COURSES = every_course() | {"timeline": timeline()}
del COURSES["findings"]  # it holds no number
NEGATIVE = {"not_detected", "insufficient_sensitivity"}
PAPER = ("relapse", "shallow", "timeline")


def numbers(value: Any) -> Iterator[float]:
    """Give every number of a JSON."""
    if isinstance(value, dict):
        for item in value.values():
            yield from numbers(item)
    elif isinstance(value, list):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def known(made: Timeline) -> set[float]:
    [content] = timeline_files(made, ("json",)).values()
    return set(numbers(json.loads(content)))


def shown_number(text: str) -> float | None:
    """Read a level, an interval's end or a count back from what a reader sees."""
    plain = text.replace("\u202f", "").replace("\u00a0", "").replace("\u2212", "-")
    power = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    found = re.fullmatch(
        "[<≤≥]?(-?[0-9.,]+)(?:\u00d710([⁻⁰-⁹¹²³]+))?(?:%|copies)?", plain
    )
    if found is None:
        return None
    exponent = found[2].translate(power) if found[2] else "0"
    return float(found[1].replace(",", ".")) * 10.0 ** int(exponent)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(COURSES))
def test_what_is_shown_is_the_number_behind_it(name: str, language: Any) -> None:
    made = COURSES[name]
    held = known(made)
    said = words(language)
    for view in (timeline_view(made, said), patient_view(made, said)):
        texts = [text for text in all_texts(view) if text.value is not None]
        n_read = 0
        for text in texts:
            assert text.value is not None
            assert float(text.value) in held, text
            n_read += check_shown(text)
        assert texts
        assert view.title == said.say("Your follow-up tests") or n_read > 2


def check_shown(text: Text) -> int:
    shown = shown_number(text.text)
    if shown is None:
        return 0
    assert text.value is not None
    assert shown == pytest.approx(float(text.value), rel=0.051), text
    return 1


@pytest.mark.parametrize("name", sorted(COURSES))
def test_page_and_table_hold_the_numbers_of_the_json(name: str) -> None:
    made = COURSES[name]
    held = known(made)
    files = timeline_files(made, ("html", "tsv", "json"))
    stem = made.patient
    page = files[f"{stem}.timeline.html"].decode()
    behind = re.findall(r'<data value="([^"]+)">', page)
    assert behind
    assert {float(value) for value in behind} <= held
    table = files[f"{stem}.timeline.tsv"].decode()
    rows = list(csv.DictReader(io.StringIO(table), delimiter="\t"))
    visits = json.loads(files[f"{stem}.timeline.json"])["visits"]
    for row, visit in zip(rows, visits, strict=True):
        seen = visit["call"] not in NEGATIVE and visit["value"]
        assert row["value"] == (repr(visit["value"]) if seen else "")
        for column in ("high", "lod95", "loq", "p_value", "required_sensitivity"):
            assert row[column] == ("" if visit[column] is None else repr(visit[column]))
        if visit["call"] == "not_detected" and visit["source"] == "mrdtrack":
            assert row["lod95"]


@pytest.mark.parametrize("name", sorted(COURSES))
def test_fhir_is_valid_and_holds_the_numbers_of_the_json(name: str) -> None:
    made = COURSES[name]
    held = known(made)
    [content] = timeline_files(made, ("fhir",)).values()
    entries = [entry["resource"] for entry in json.loads(content)["entry"]]
    quantities = list(found_quantities(entries))
    assert quantities
    for quantity in quantities:
        assert quantity["value"] in held
        assert quantity["value"] != 0 or quantity.get("unit") == "molecules"
    levels = [
        resource
        for resource in entries
        if resource["resourceType"] == "Observation"
        and resource["code"]["text"].startswith("Measurable residual disease")
    ]
    assert len(levels) == len(made.visits)
    for level, visit in zip(levels, made.visits, strict=True):
        if visit.call in NEGATIVE:
            told = level.get("valueQuantity", {})
            assert (told.get("comparator") == "<") == bool(visit.lod95)


def found_quantities(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "valueQuantity" in value:
            yield value["valueQuantity"]
        for item in value.values():
            yield from found_quantities(item)
    elif isinstance(value, list):
        for item in value:
            yield from found_quantities(item)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAPER)
def test_paper_holds_the_numbers_of_the_page(name: str, language: Any) -> None:
    made = COURSES[name]
    files = timeline_files(made, FORMATS, language=language)
    paper = "".join(
        "".join(part.extract_text().split())
        for part in PdfReader(io.BytesIO(files[f"{made.patient}.timeline.pdf"])).pages
    )
    for text in all_texts(timeline_view(made, words(language))):
        if text.value is not None and "\u2026" not in text.text:
            # a long cell may break over two pages, a number does not
            for part in text.text.split():
                assert "".join(part.split()) in paper, text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(COURSES))
def test_no_zero_and_no_negative_without_its_limit(name: str, language: Any) -> None:
    said = words(language)
    bare = re.compile(
        r"(?:^|: )(?:not detected|non détectée|Not found|Rien trouvé)\W*$"
    )
    for view in (timeline_view(COURSES[name], said), patient_view(COURSES[name], said)):
        for text in all_texts(view):
            assert not bare.search(text.text), text
            if text.value is not None and shown_number(text.text) == 0:
                # molecules may be none; a level never is
                assert re.fullmatch(r"0", text.text), text
            assert text.text != MISSING or text.value is None
