"""A French report is French: every sentence of it, over all fixtures."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, get_args

import pytest

from mrdtrack import counts
from mrdtrack.findings import FINDINGS, REASONS, finding
from mrdtrack.follow_up.timeline import MarkerCourse, ScheduleItem, Timeline
from mrdtrack.levels import result
from mrdtrack.protocols import vocabulary
from mrdtrack.reports import phrases
from mrdtrack.reports.batch import batch_view
from mrdtrack.reports.finding_text import finding_sentence, reason
from mrdtrack.reports.terminal import timeline_text
from mrdtrack.reports.timeline_files import compose
from mrdtrack.reports.view import Text, View
from mrdtrack.reports.words import words
from tests.reports.courses import every_course
from tests.reports.view_texts import all_texts

FR = words("fr")
COURSES = every_course()
# Words of English sentences that are no French words.
ENGLISH = re.compile(
    r"\b(the|of|is|are|was|were|not|and|with|from|by|than|this|that|these|which|been|"
    r"has|have|had|could|can|only|each|other|more|less|below|above|its|it|no|to|in|"
    r"for|be|at|as|an|visit|visits|sample|samples|level|marker|markers|molecules|"
    r"detected|days|week|weeks|month|months|after|before|bone|blood|treatment)\b",
    re.IGNORECASE,
)
CODE = re.compile(r"\b[a-z]+_[a-z_]+\b")
# A code that a table must hold, with what it means behind it.
TOLD_CODE = re.compile(r"\b[a-z]+_[a-z_]+ \(|role = report_only")
COMPUTER_NUMBER = re.compile(r"\d\.\d|\de[-+]\d")


def check(view: View, names: Collection[str] = ()) -> int:
    """Look at all of a view but names, and the titles and places of publications."""
    n_seen = 0
    for text in all_texts(view):
        said = text.text
        for name in sorted(names, key=len, reverse=True):
            said = said.replace(name, "")
        n_seen += 1
        assert text.language is None, text
        assert not ENGLISH.search(said), text
        assert not CODE.search(TOLD_CODE.sub("", said)), text
        assert not COMPUTER_NUMBER.search(said), text
    return n_seen


def names_of(made: Timeline) -> set[str]:
    """Give what stays as it is in any language: ids, versions, publications."""
    cited = [flag.citation for flag in made.flags]
    cited += [note.citation for note in made.notes]
    names = {made.software.version}
    names |= {c.reference for c in cited} | {c.doi or "-" for c in cited}
    names |= {c.locator for c in cited if c.locator}
    for used in made.protocols:
        names |= {used.id, used.version}
    names |= {flag.rule for flag in made.flags} | {note.rule for note in made.notes}
    names |= {item.rule for item in made.unjudged}
    return names | {item.rule or "-" for item in made.schedule}


@pytest.mark.parametrize("audience", ["clinician", "patient"])
@pytest.mark.parametrize("name", sorted(COURSES))
def test_every_sentence_is_french(name: str, audience: Any) -> None:
    made = COURSES[name]
    view = compose(made, "fr", audience)
    assert check(view, names_of(made)) > 20


@pytest.mark.parametrize("name", sorted(COURSES))
def test_the_terminal_is_french_too(name: str) -> None:
    made = COURSES[name]
    text = " ".join(timeline_text(made, FR).split())
    for known in sorted(names_of(made), key=len, reverse=True):
        text = text.replace(" ".join(known.split()), "")
    assert not CODE.search(TOLD_CODE.sub("", text))
    assert not ENGLISH.search(text)


def test_the_run_s_page_is_french() -> None:
    from tests.reports.test_reports_batch import run

    results = [
        one.model_copy(update={"quality": (finding("no_controls", "info"),)})
        for one in run()
    ]
    assert check(batch_view("R1", results, (), FR), {"0.1.0"}) > 30


def test_every_code_has_words() -> None:
    assert set(phrases.CALLS) == set(get_args(result.Call))
    assert set(phrases.CALL_TITLES) == set(get_args(result.Call))
    assert set(phrases.LIMITED_BY) == set(get_args(result.LimitedBy))
    assert set(phrases.SPECIMENS) == {*get_args(result.Specimen), None}
    metrics = {*get_args(result.Metric), *get_args(vocabulary.Metric)}
    assert set(phrases.METRICS) == metrics
    assert set(phrases.ACTIONS) == set(get_args(vocabulary.Action))
    assert set(phrases.ANCHORS) == {*get_args(vocabulary.Anchor), "relapse"}
    assert set(phrases.TIME_POINTS) == set(get_args(vocabulary.TimePoint))
    assert set(phrases.KINDS) == set(get_args(counts.MarkerKind))
    assert set(phrases.MODES) == set(get_args(counts.MoleculeMode))
    assert set(phrases.DENOMINATORS) == set(get_args(counts.DenominatorKind))
    assert set(phrases.SEVERITIES) == set(get_args(counts.Severity))
    statuses = MarkerCourse.model_fields["status"].annotation
    assert set(phrases.COURSES) == set(get_args(statuses))
    kinds = ScheduleItem.model_fields["kind"].annotation
    assert set(phrases.SCHEDULE) == set(get_args(kinds))


def test_findings_say_names_and_numbers_as_french_writes_them() -> None:
    made = finding(
        "one_marker_alone", "warning", marker="X", p_without=0.31, p_value=0.0032
    )
    said = finding_sentence(FR, made).text.replace("\u00d7", "x")
    assert "sans lui p = 0,31 (avec lui 3,2x10⁻³)" in said
    many = finding("marker_lost", "warning", markers=tuple("ABCDEFGHI"))
    assert "A, B, C, D, E, F et 3 autres" in finding_sentence(FR, many).text
    share = finding("duplicates_kept", "warning", share=0.934)
    assert finding_sentence(FR, share).text.startswith("93\u202f% des lectures")
    day = finding("several_specimens", "info", day="2020-03-01", specimens=("other",))
    assert finding_sentence(FR, day).text.startswith("1\u00a0mars\u00a02020")


@pytest.mark.parametrize("code", FINDINGS)
def test_english_of_report_and_result_are_one_sentence(code: str) -> None:
    """The message of the JSON and the report's English differ in numbers only."""
    names = re.findall(r"\{(\w+)\}", FINDINGS[code])
    made = finding(code, "info", **dict.fromkeys(names, "x"))
    said = finding_sentence(words("en"), made).text
    assert said.lower() == made.message.lower()


def test_reasons_come_by_code() -> None:
    english = "no marker may drive the level (the file holds no read)"
    said = reason(FR, english, ("none_may_drive", "no_reads"))
    assert said == Text(
        text="aucun marqueur ne peut fonder le niveau (le fichier ne contient aucune "
        "lecture)"
    )
    several = reason(FR, english, tuple(REASONS)[:8])
    assert several.text.count("\u202f; ") == 6


def test_a_laboratory_s_own_words_stay_as_they_are_and_are_marked() -> None:
    assert reason(FR, "clotted", ()) == Text(text="clotted", language="en")
    assert reason(words("en"), "clotted", ()) == Text(text="clotted")
    mixed = reason(
        FR, "no marker may drive the level (clotted)", ("empty_panel", "clotted")
    )
    assert mixed.language == "en"
    assert "clotted" in mixed.text


def test_values_that_are_missing_or_odd_fall_back_to_the_message() -> None:
    bare = counts.QualityFinding(code="marker_lost", severity="info", message="X: lost")
    assert finding_sentence(FR, bare) == Text(text="X: lost", language="en")
    odd = finding("several_specimens", "info", day="soon", specimens=("other",))
    assert finding_sentence(FR, odd).text.startswith("soon")


def test_courses_hold_every_kind_of_thing() -> None:
    """The fixtures must reach what they are to test."""
    made = list(COURSES.values())
    visits = [visit for course in made for visit in course.visits]
    assert {visit.call for visit in visits} >= set(get_args(result.Call))
    assert {flag.action for course in made for flag in course.flags} >= (
        set(get_args(vocabulary.Action)) - {"CHANGE_SPECIMEN", "DEESCALATE_DISCUSS"}
    )
    for part in ("notes", "unjudged", "schedule", "treatments", "quality"):
        assert any(getattr(course, part) for course in made), part
