"""The patient's page: the same facts in plain words, on one page, without flags."""

from __future__ import annotations

import math

from mrdtrack.follow_up.timeline import Timeline, TimelineVisit
from mrdtrack.reports import level_text
from mrdtrack.reports.conclusion import last_visits
from mrdtrack.reports.level_text import FRACTIONS, exact, name
from mrdtrack.reports.view import (
    Block,
    Column,
    Fact,
    Paragraph,
    Section,
    Table,
    Text,
    View,
)
from mrdtrack.reports.words import Words


def patient_view(timeline: Timeline, words: Words) -> View:
    """Compose the patient's page in one language."""
    newest = last_visits(timeline)
    last_date = newest[0].date if newest else ""
    patient = name(timeline.patient)
    return View(
        language=words.language,
        title=words.say("Your follow-up tests"),
        tone="none",
        headline=" ".join(_answer(words, visit) for visit in newest)
        or words.say("There is no result yet."),
        headline_more=(
            Text(
                text=words.say(
                    "Please talk about this page with your doctor. One result alone "
                    "does not decide what comes next."
                )
            ),
        ),
        identity=(Fact(label=words.say("Your study number"), text=Text(text=patient)),),
        sections=(
            _section("tests", words.say("What was tested"), *_tested(words)),
            _section("results", words.say("Your results"), _results(words, timeline)),
            _section("meaning", words.say("What a result means"), *_meaning(words)),
        ),
        running=words.say(
            "Patient {patient} (pseudonym), data to {date}, research use only",
            patient=patient,
            date=last_date or level_text.MISSING,
        ),
        page_of=words.say("page {page} of {pages}", page="{page}", pages="{pages}"),
        date=last_date,
        patient=patient,
        skip=words.say("Skip to the report"),
    )


def _section(code: str, title: str, *blocks: Block) -> Section:
    return Section(name=code, title=title, blocks=blocks)


def _tested(words: Words) -> list[Paragraph]:
    return [
        Paragraph(text=Text(text=text))
        for text in (
            words.say(
                "The cells of your illness carry small changes. The lab noted these "
                "changes when your illness was found. At each visit it looks for them "
                "in your blood or in your bone marrow."
            ),
            words.say(
                "In this way the test can find traces that are too small to see with "
                "a microscope."
            ),
        )
    ]


def _meaning(words: Words) -> list[Paragraph]:
    return [
        Paragraph(text=Text(text=text))
        for text in (
            words.say(
                "\u201cNot found\u201d does not mean that nothing is left. No test can "
                "see less than its limit. The limit is given with each result."
            ),
            words.say(
                "\u201cNo answer\u201d is not a bad result. The sample was too small "
                "or could not be read. It tells nothing, good or bad."
            ),
            words.say(
                "Results go up and down a little. A rise must be checked with a second "
                "sample."
            ),
            words.say(
                "This page is for research. It does not replace the advice of your "
                "doctor."
            ),
        )
    ]


def _results(words: Words, timeline: Timeline) -> Table:
    return Table(
        caption=words.say("All your results, the oldest first"),
        columns=(
            Column(title=words.say("Date")),
            Column(title=words.say("Sample")),
            Column(title=words.say("Result"), wide=True),
        ),
        rows=tuple(
            (
                Text(text=visit.date),
                Text(text=level_text.specimen(words, visit.specimen)),
                _result(words, visit),
            )
            for visit in timeline.visits
        ),
    )


def _result(words: Words, visit: TimelineVisit) -> Text:
    if level_text.is_negative(visit):
        if not visit.lod95:
            return Text(text=words.say("No answer: the limit of the test is not known"))
        limit = share(words, visit.lod95, visit.metric)
        if visit.call == "insufficient_sensitivity":
            text = words.say(
                "No answer: the sample was too small. It could only show {limit} or "
                "more",
                limit=limit,
            )
        else:
            text = words.say(
                "Not found. The test can show {limit} or more", limit=limit
            )
        return Text(text=text, value=exact(visit.lod95))
    if visit.value and visit.call != "not_evaluable":
        level = share(words, visit.value, visit.metric)
        if visit.call == "detected_below_loq":
            text = words.say(
                "Found, but too little to measure well: about {level}", level=level
            )
        else:
            text = words.say("Found: about {level}", level=level)
        return Text(text=text, value=exact(visit.value))
    return Text(text=words.say("No answer: the sample could not be tested"))


def _answer(words: Words, visit: TimelineVisit) -> str:
    return words.say(
        "{date} ({specimen}). {result}.",
        date=words.long_date(visit.date),
        specimen=level_text.specimen(words, visit.specimen),
        result=_result(words, visit).text,
    )


def share(words: Words, value: float, metric: str) -> str:
    """Write a fraction as so many in a round number: `2.3 in 1 000`."""
    if metric not in FRACTIONS:
        return level_text.amount(words, value, metric)
    digits = int(f"{value:.1e}".partition("e")[2])
    whole = 10 ** max(-digits, 2)
    part = value * whole
    shown = words.plain(part, 2 if part < 10 else max(2, math.ceil(math.log10(part))))
    return words.say("{part} in {whole}", part=shown, whole=words.integer(whole))
