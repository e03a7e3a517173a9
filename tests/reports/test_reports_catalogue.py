"""Every sentence of a report exists in French."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from mrdtrack.findings import FINDINGS, REASONS
from mrdtrack.reports import words as words_module
from mrdtrack.reports.words import LANGUAGES, words

FOLDER = Path(words_module.__file__).parent
KEYWORDS = {"say": None, "say_plural": (1, 2), "mark": None}
# The same word in both languages.
SAME = {
    "Action",
    "Conversion",
    "Date",
    "Fraction",
    "MM",
    "MRD1",
    "MRD2",
    "Source",
    "Version",
    "consolidation",
    "copies",
    "duplication",
    "fragments",
    "induction",
    "intensification",
    "log",
    "nadir",
    "stable",
    "{rule} of {protocol}, version {version}",
    "{date} ({specimen}). {result}.",
}


def in_the_code() -> set[str | tuple[str, ...]]:
    found = extract_from_dir(FOLDER, [("**.py", "python")], keywords=KEYWORDS)
    marked = {message for _file, _line, message, _comments, _context in found}
    return marked | set(FINDINGS.values()) | set(REASONS.values())


def french() -> dict[str | tuple[str, ...], Message]:
    text = FOLDER / "locale" / "fr" / "LC_MESSAGES" / "mrdtrack.po"
    catalogue = read_po(io.StringIO(text.read_text(encoding="utf-8")))
    assert not catalogue.obsolete
    return {
        message.id if isinstance(message.id, str) else tuple(message.id): message
        for message in catalogue
        if message.id
    }


def test_every_sentence_is_translated_and_none_is_left_over() -> None:
    assert set(french()) == in_the_code()
    assert len(in_the_code()) > 150


def test_translations_are_whole() -> None:
    for source, message in french().items():
        originals = [source] if isinstance(source, str) else list(source)
        texts = message.string or ""
        translated = [texts] if isinstance(texts, str) else list(texts)
        assert not message.fuzzy, source
        assert all(translated), source
        wanted = set(re.findall(r"\{(\w+)\}", originals[-1]))
        for text in translated:
            # what a technician reads in English has no place in a French sentence
            named = set(re.findall(r"\{(\w+)\}", text))
            assert named == wanted - {"problem"}, source
        if originals[0] not in SAME and "{" not in originals[0]:
            assert translated[0] != originals[0], source


def test_french_punctuation_keeps_its_spaces_together() -> None:
    for source, message in french().items():
        assert not re.search(r" [:;!?»]|\d %|« ", str(message.string)), source


def test_plurals() -> None:
    french_words, english = words("fr"), words("en")
    forms = ("{number} day", "{number} days")
    assert english.say_plural(*forms, 1) == "1 day"
    assert english.say_plural(*forms, 0) == "0 days"
    assert french_words.say_plural(*forms, 0) == "0 jour"
    assert french_words.say_plural(*forms, 1200) == "1\u202f200 jours"


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers(language: str) -> None:
    said = words("fr" if language == "fr" else "en")
    point = "," if language == "fr" else "."
    space = "\u202f" if language == "fr" else ""
    assert said.power(2.3e-5) == f"2{point}3\u00d710⁻⁵"
    assert said.power(9.96e-4) == f"1{point}0\u00d710⁻³"
    assert said.percent(0.0042) == f"0{point}42{space}%"
    assert [said.plain(x) for x in (42.0, 9.96, 0.0023, 1234.5)] == [
        "42",
        "10",
        f"0{point}0023",
        "1\u202f234",
    ]
    assert said.decade(-5) == "10⁻⁵"


def test_dates_cannot_be_misread() -> None:
    assert words("en").long_date("2026-03-12") == "12\u00a0March\u00a02026"
    assert words("fr").long_date("2026-03-12") == "12\u00a0mars\u00a02026"


def test_sentences_come_in_the_reader_s_language_or_say_which() -> None:
    english, said = words("en"), words("fr")
    assert english.sentence("because", "parce que").text == "because"
    assert said.sentence("because", "parce que").text == "parce que"
    assert said.sentence("because", "parce que").language == "fr"
    assert said.sentence("because").language == "en"
    assert said.sentence("").text == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_probabilities(language: str) -> None:
    said = words("fr" if language == "fr" else "en")
    point = "," if language == "fr" else "."
    assert [said.probability(p) for p in (1.0, 0.031, 0.0042, 3.2e-40, 0.0)] == [
        f"1{point}0",
        f"0{point}031",
        f"4{point}2\u00d710⁻³",
        f"3{point}2\u00d710⁻⁴⁰",
        "<\u202f1\u00d710⁻³⁰⁰",
    ]
