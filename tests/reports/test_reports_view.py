"""What a view says: the answer first, no negative without its limit, no bare zero."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any

import pytest

from mrdtrack.follow_up.timeline import (
    Citation,
    Estimate,
    Kinetics,
    MarkerCourse,
    Timeline,
    Unjudged,
)
from mrdtrack.reports import level_text
from mrdtrack.reports.conclusion import citation
from mrdtrack.reports.patient_view import patient_view, share
from mrdtrack.reports.timeline_view import headline, timeline_view
from mrdtrack.reports.view import Table, Text, View
from mrdtrack.reports.words import LANGUAGES, Language, words
from tests.reports.builders import absent_marker, marker_result, unseen_marker
from tests.reports.timelines import (
    flag,
    insufficient,
    negative,
    not_evaluable,
    rt_qpcr,
    timeline,
    visit,
)

EN, FR = words("en"), words("fr")
DAY = "2025-12-09"


def empty(**given: Any) -> Timeline:
    fields: dict[str, Any] = {
        "visits": (),
        "kinetics": (),
        "flags": (),
        "unjudged": (),
        "schedule": (),
        "treatments": (),
        "protocols": (),
        "notes": (),
        "anchors": {},
    }
    return timeline(**(fields | given))


def texts(view: View) -> list[str]:
    found: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            for name, item in value.items():
                if name not in {"value", "wide", "narrow", "link"}:
                    walk(item)
        elif isinstance(value, (list, tuple)):
            for item in value:
                walk(item)

    walk(asdict(view))
    return found


@pytest.mark.parametrize(
    ("made", "english", "french"),
    [
        (
            visit("V", DAY, value=2.31e-3),
            "MRD detected in bone marrow on 9 December 2025: 2.3x10⁻³ (0.23%).",
            "MRD détectée (moelle osseuse, 9 décembre 2025) : 2,3x10⁻³ (0,23 %).",
        ),
        (
            visit("V", DAY, value=2e-4, call="detected_below_loq"),
            "MRD detected, not quantifiable, in bone marrow on 9 December 2025: "
            "about 2.0x10⁻⁴ (0.020%).",
            "MRD détectable non quantifiable (moelle osseuse, 9 décembre 2025) : "
            "environ 2,0x10⁻⁴ (0,020 %).",
        ),
        (
            negative("V", DAY, specimen="peripheral_blood"),
            "MRD not detected in peripheral blood on 9 December 2025, with a limit of "
            "detection of 1.2x10⁻⁴ (0.012%).",
            "MRD non détectée (sang périphérique, 9 décembre 2025), avec un seuil de "
            "détection de 1,2x10⁻⁴ (0,012 %).",
        ),
        (
            insufficient("V", DAY),
            "No conclusion for bone marrow of 9 December 2025: no MRD seen, but the "
            "sample could not have shown less than 8.0x10⁻³ (0.80%).",
            "Pas de conclusion (moelle osseuse, 9 décembre 2025) : aucune MRD vue, "
            "mais le prélèvement ne pouvait rien montrer sous 8,0x10⁻³ (0,80 %).",
        ),
        (
            not_evaluable("V", DAY, reason=""),
            "No result for bone marrow of 9 December 2025: not evaluable.",
            "Pas de résultat (moelle osseuse, 9 décembre 2025) : non interprétable.",
        ),
        (
            not_evaluable("V", DAY, reason="clotted"),
            "No result for bone marrow of 9 December 2025: not evaluable (clotted).",
            "Pas de résultat (moelle osseuse, 9 décembre 2025) : non interprétable "
            "(clotted).",
        ),
        (
            negative("V", DAY, lod95=None),
            "No conclusion for bone marrow of 9 December 2025: its limit of detection "
            "is not stated.",
            "Pas de conclusion (moelle osseuse, 9 décembre 2025) : seuil de détection "
            "non précisé.",
        ),
    ],
)
def test_answer_in_one_line(made: Any, english: str, french: str) -> None:
    def plain(text: str) -> str:
        return re.sub("[\u00a0\u202f]", " ", text).replace("\u00d7", "x")

    assert plain(headline(EN, [made])) == english
    assert plain(headline(FR, [made])) == french


def test_answer_without_visits() -> None:
    view = timeline_view(empty(), EN)
    assert view.headline == "No visit: nothing can be said."
    assert view.tone == "none"
    assert patient_view(empty(), EN).headline == "There is no result yet."


def test_newest_day_speaks_the_most_urgent_first() -> None:
    made = empty(
        visits=(
            negative("A", DAY),
            insufficient("B", DAY, specimen="other"),
            visit("C", DAY, specimen="peripheral_blood"),
            rt_qpcr("2026-01-01", 3.0, "quantified"),
        )
    )
    view = timeline_view(made, EN)
    assert view.headline.startswith("MRD detected in peripheral blood")
    assert view.headline.index("other specimen") < view.headline.index("bone marrow")
    assert view.tone == "alert"


def test_no_protocol_is_not_the_same_as_no_flag() -> None:
    bare = timeline_view(empty(visits=(visit("A", DAY),)), EN)
    assert bare.headline_more[0].text == (
        "No protocol was applied, so no rule was judged."
    )
    quiet = timeline_view(timeline(flags=()), EN)
    assert quiet.headline_more[0].text == "No rule raises a flag at this visit."
    assert "No rule of the protocols used raises a flag." in texts(quiet)


def test_flags_of_earlier_visits_stand_apart() -> None:
    made = timeline()
    sections = {section.name: section for section in timeline_view(made, EN).sections}
    [new] = sections["conclusion"].blocks
    assert new.block == "flags"
    assert [card.title.split(" ")[-1] for card in new.cards] == ["P001-V8"]
    [old] = [block for block in sections["course"].blocks if block.block == "flags"]
    assert [card.title.split(" ")[-1] for card in old.cards] == ["P001-V7"]
    assert old.heading == "Flags of earlier visits"
    only_old = timeline_view(timeline(flags=(flag(visit="P001-V7"),)), EN)
    [said] = only_old.sections[0].blocks
    assert said.block == "paragraph"
    assert said.text.text == "No rule raises a flag at this visit."


def test_rules_that_lack_the_same_share_a_row() -> None:
    lacking = [
        Unjudged(rule=rule, protocol="p", visit=None, missing="a date")
        for rule in ("r1", "r2", "r1")
    ]
    view = timeline_view(timeline(unjudged=tuple(lacking)), EN)
    [table] = [
        block
        for section in view.sections
        for block in section.blocks
        if isinstance(block, Table) and block.columns[-1].title == "Rules"
    ]
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["a date", "\u2013", "r1, r2"]
    ]


def test_many_markers_are_cut_and_counted() -> None:
    absent = [absent_marker(f"M{number}") for number in range(99)]
    made = visit("A", DAY, markers=(*absent, marker_result("seen")))
    course = Kinetics(
        specimen="bone_marrow",
        metric="vaf_gdna",
        baseline_sample=None,
        nadir_sample=None,
        doubling_time_days=None,
        markers=tuple(
            MarkerCourse(
                marker=f"M{number}",
                gene=None,
                role="level",
                status="rising" if number == 98 else "stable",
                because="",
            )
            for number in range(99)
        ),
    )
    view = timeline_view(empty(visits=(made,), kinetics=(course,)), EN)
    [table] = [
        block
        for section in view.sections
        for block in section.blocks
        if isinstance(block, Table) and block.columns[0].title == "Marker"
    ]
    assert len(table.rows) == 60
    assert table.rows[-1][0].text == "seen"
    said = texts(view)
    assert "40 more markers are in the files of the results." in said
    assert "39 more markers are in the files of the results." in said
    assert "M98, rising" in said


def test_last_conclusive_result_stands_beside_an_empty_one() -> None:
    view = timeline_view(
        empty(visits=(negative("A", "2025-01-01"), not_evaluable("B", DAY))), EN
    )
    assert view.headline_more[1].text.startswith(
        "Last conclusive result: MRD not detected in bone marrow on 1\u00a0January"
    )
    alone = timeline_view(empty(visits=(not_evaluable("B", DAY),)), EN)
    assert len(alone.headline_more) == 1


def test_actions_of_the_newest_visit_stand_under_the_answer() -> None:
    made = timeline(
        flags=(
            flag(action="REPEAT_SAMPLE"),
            flag(action="INTENSIFY_DISCUSS"),
            flag(action="NO_RULE"),
            flag(action="HSCT_DISCUSS", visit="P001-V1"),
        )
    )
    assert timeline_view(made, EN).headline_more[0].text == (
        "For the multidisciplinary meeting: discuss intensification, take another "
        "sample."
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_negative_without_its_limit_and_no_zero(language: Language) -> None:
    said = words(language)
    for view in (timeline_view(timeline(), said), patient_view(timeline(), said)):
        for text in texts(view):
            if re.search("not detected$|non détectée$|^Not found$|^Rien trouvé$", text):
                raise AssertionError(text)
        for section in view.sections:
            for block in section.blocks:
                if isinstance(block, Table):
                    check_levels(block)


def check_levels(table: Table) -> None:
    titles = [column.title for column in table.columns]
    for name in ("Level", "Niveau", "Fraction", "LoD", "Result", "Résultat"):
        if name in titles:
            for row in table.rows:
                cell = row[titles.index(name)]
                assert not re.fullmatch(r"[0.,]+ *%?", cell.text)
                if re.search("^not detected|^non détectée", cell.text):
                    assert re.search(r"\((LoD|seuil de détection) [0-9]", cell.text)


def test_every_number_of_the_tables_is_the_json_s() -> None:
    made = timeline()
    numbers = set(re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", made.model_dump_json()))
    known = {float(number) for number in numbers}
    for view in (timeline_view(made, FR), patient_view(made, EN)):
        values = [
            cell.value
            for section in view.sections
            for block in section.blocks
            if isinstance(block, Table)
            for row in block.rows
            for cell in row
            if cell.value is not None
        ]
        assert len(values) > 10
        assert all(
            min(abs(float(value) - number) for number in known) <= 1e-9
            for value in values
        )


def test_level_of_imported_results() -> None:
    assert level_text.level(EN, rt_qpcr(DAY, 0.012, None)).text == "0.012%"
    assert level_text.level(EN, rt_qpcr(DAY, 0.0, None)).text == "<\u202f0.0010%"
    unlimited = rt_qpcr(DAY, 0.0, None).model_copy(update={"lod95": None})
    assert level_text.level(EN, unlimited).text == "\u2013"
    assert level_text.call(EN, unlimited).text.startswith("no conclusion")
    copies = rt_qpcr(DAY, 320.0, None).model_copy(update={"metric": "copies_1e5_abl1"})
    assert level_text.level(EN, copies).text == "320\u202fcopies"
    assert level_text.call(EN, copies).text == "\u2013"
    own = copies.model_copy(update={"metric": "home-made"})
    assert level_text.level(EN, own).text == "320"
    assert level_text.metric(EN, "home-made") == "home-made"


def test_call_without_a_required_sensitivity() -> None:
    made = insufficient("V", DAY, required_sensitivity=None)
    assert level_text.call(EN, made).text.startswith("insufficient sensitivity (LoD")
    assert "required" not in level_text.call(EN, made).text


def test_intervals() -> None:
    def of(low: float | None, high: float | None, metric: str = "vaf_gdna") -> str:
        return level_text.interval(EN, low, high, metric).replace("\u00d7", "x")

    assert of(1.6e-3, 3.2e-3) == "(1.6\u20133.2)x10⁻³"
    assert of(8e-5, 3e-4) == "8.0x10⁻⁵ to 3.0x10⁻⁴"
    assert of(0.0, 3e-4) == "≤\u202f3.0x10⁻⁴"
    assert of(None, None) == "\u2013"
    assert of(1.0, 2.0, "is_pct") == "1.0% to 2.0%"


def test_estimates() -> None:
    def of(**given: Any) -> str:
        return level_text.bounded(EN, Estimate(**given)).text

    assert of(value=3.57, relation=">=") == "≥\u202f3.6"
    assert of(value=3.57, relation="<=") == "≤\u202f3.6"
    assert of(value=-1.5, low=-1.7, high=-1.3) == "\u22121.5 (\u22121.7 to \u22121.3)"
    assert of(value=2.4) == "2.4"
    assert level_text.bounded(EN, None).text == "\u2013"


def test_citation_links_only_a_proper_doi() -> None:
    good = Citation(
        reference="A", doi="10.1/x", locator=None, status="Q", confidence="H"
    )
    assert citation(EN, good) == Text(text="A")
    doi = good.model_copy(update={"doi": "10.1182/blood.1", "status": "P"})
    assert citation(EN, doi).link == "https://doi.org/10.1182/blood.1"
    assert "(read in the source itself)" in citation(EN, doi).text
    bad = good.model_copy(update={"doi": 'javascript:alert("x")'})
    assert citation(EN, bad).link is None


def test_conflicting_rules_are_named() -> None:
    view = timeline_view(timeline(flags=(flag(conflicts_with=("a", "b")),)), EN)
    card = view.sections[0].blocks[0]
    assert card.block == "flags"
    assert card.cards[0].lines[1].label == "Conflicts with"
    assert card.cards[0].lines[1].text.text == "a, b"


def test_french_order_of_sections() -> None:
    names = [section.name for section in timeline_view(timeline(), FR).sections]
    assert names == [
        "request",
        "specimens",
        "results",
        "conclusion",
        "course",
        "method",
        "status",
    ]
    names = [section.name for section in timeline_view(timeline(), EN).sections]
    assert names[:2] == ["conclusion", "results"]


def test_foreign_sentences_are_marked() -> None:
    view = timeline_view(timeline(), FR)
    [quality] = next(s for s in view.sections if s.name == "specimens").blocks
    assert quality.block == "notes"
    assert quality.notes[0].language == "en"


def test_unknown_anchor_disease_and_time_point() -> None:
    made = empty(
        visits=(visit("V", DAY, timepoint="my day"),),
        disease="lymphoma",
        anchors={"my anchor": "2025-01-01"},
    )
    all_texts = texts(timeline_view(made, EN))
    assert "V · my day" in all_texts
    assert "lymphoma" in all_texts
    assert "my anchor" in all_texts


# --- the patient's page ---------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_patient_page_has_the_facts_and_no_flag(language: Language) -> None:
    view = patient_view(timeline(), words(language))
    said = json.dumps(texts(view), ensure_ascii=False)
    tables = [b for s in view.sections for b in s.blocks if isinstance(b, Table)]
    assert len(tables[0].rows) == len(timeline().visits)
    assert not [b for s in view.sections for b in s.blocks if b.block == "flags"]
    for word in ("rule", "règle", "relapse", "rechute", "intensif", "eln-", "LoD"):
        assert word not in said


def test_shares_in_plain_numbers() -> None:
    assert share(EN, 0.44, "vaf_gdna") == "44 in 100"
    assert share(EN, 2.31e-3, "vaf_gdna") == "2.3 in 1\u202f000"
    assert share(EN, 9.99e-4, "vaf_gdna") == "1.0 in 1\u202f000"
    assert share(FR, 2.3e-5, "vaf_gdna") == "2,3 sur 100\u202f000"
    assert share(EN, 0.012, "ratio_pct_abl1") == "0.012%"


def prose(language: Language) -> str:
    view = patient_view(timeline(), words(language))
    parts = [
        block.text.text
        for section in view.sections
        for block in section.blocks
        if block.block == "paragraph"
    ]
    return " ".join([*parts, view.headline_more[0].text])


def counts(text: str, vowels: str, silent: str) -> tuple[int, int, int]:
    """Count sentences, words and syllables: runs of vowels, silent endings left out."""
    sentences = len(re.findall(r"[.!?](?:\s|$)", text))
    found = re.findall(r"[^\W\d_]+", text.lower())
    syllables = 0
    for word in found:
        runs = len(re.findall(f"[{vowels}]+", word))
        quiet = runs > 1 and re.search(silent, word)
        syllables += max(runs - bool(quiet), 1)
    return sentences, len(found), syllables


def test_reading_level_of_the_english_page() -> None:
    # Flesch-Kincaid grade (Kincaid 1975): at most that of a child of twelve
    sentences, n_words, syllables = counts(prose("en"), "aeiouy", r"(?<!l)e$|ed$")
    grade = 0.39 * n_words / sentences + 11.8 * syllables / n_words - 15.59
    assert grade < 6


def test_reading_level_of_the_french_page() -> None:
    # Kandel and Moles 1958: 207 - 1.015 words per sentence - 73.6 syllables per word;
    # above 70 is easy
    sentences, n_words, syllables = counts(
        prose("fr"), "aeiouyàâéèêëîïôûùœ", r"e$|es$|ent$"
    )
    ease = 207 - 1.015 * n_words / sentences - 73.6 * syllables / n_words
    assert ease > 70


def test_what_is_not_known_to_the_patient_s_page() -> None:
    view = patient_view(empty(visits=(negative("A", DAY, lod95=None),)), EN)
    assert view.headline.endswith("No answer: the limit of the test is not known.")


def test_result_with_a_reason_and_a_marker_that_lacks_one() -> None:
    made = visit("A", DAY, reason="few cells", markers=(unseen_marker(reason=""),))
    said = texts(timeline_view(empty(visits=(made,)), EN))
    assert "quantified: few cells" in said
    assert "no, not assessable" in said


def test_course_of_another_method_is_named() -> None:
    course = Kinetics(
        specimen="bone_marrow",
        metric="ratio_pct_abl1",
        source="external",
        method="RT-qPCR",
        target="NPM1",
        baseline_sample=None,
        nadir_sample=None,
        doubling_time_days=Estimate(value=12.0),
    )
    said = texts(timeline_view(empty(kinetics=(course,)), EN))
    assert "Kinetics: Bone marrow, transcript ratio, % of ABL1, NPM1, RT-qPCR" in said
