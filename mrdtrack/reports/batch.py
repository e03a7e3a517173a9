"""One run's samples on one page: levels, calls, quality, and what may carry over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mrdtrack.follow_up.visits import draft_visit
from mrdtrack.levels.result import VisitResult
from mrdtrack.reports import level_text, phrases
from mrdtrack.reports.finding_text import About, findings
from mrdtrack.reports.level_cells import interval_cell, result_cell
from mrdtrack.reports.level_text import DETECTED, MISSING, exact, name
from mrdtrack.reports.timeline_sections import research_use
from mrdtrack.reports.view import (
    Block,
    Column,
    Fact,
    Notes,
    Paragraph,
    Section,
    Table,
    Text,
    Tone,
    View,
)
from mrdtrack.reports.words import Words

Row = tuple[Text, ...]
MOST_COLUMNS = 12
"""Samples of a run that a matrix still shows on A4; longer runs are listed."""
MOST_PAIRS = 60


class CarryOver(NamedTuple):
    """Share of a marker's molecules (0 to 1) that may come from another sample.

    The highest of all markers that were looked for in both samples; 0 where the other
    sample holds none of them at 1 % or more.
    """

    to_sample: str
    from_sample: str
    fraction: float


def batch_view(
    run: str,
    results: Sequence[VisitResult],
    carry_over: Sequence[CarryOver],
    words: Words,
) -> View:
    """Compose the page of a run."""
    dates = sorted(result.date for result in results if result.date)
    shown = name(run)
    versions = sorted({result.software.version for result in results})
    return View(
        language=words.language,
        title=words.say("Measurable residual disease: run {run}", run=shown),
        tone=_tone(results),
        headline=_headline(words, results),
        headline_more=_calls(words, results),
        identity=(
            Fact(label=words.say("Run"), text=Text(text=shown)),
            Fact(
                label=words.say("Samples"),
                text=Text(text=words.integer(len(results)), value=str(len(results))),
            ),
            Fact(
                label=words.say("Software"),
                text=Text(text=name(f"mrdtrack {', '.join(versions)}")),
            ),
        ),
        sections=(
            _section("levels", words.say("Levels"), _levels(words, results)),
            _section(
                "quality", words.say("Quality findings"), *_quality(words, results)
            ),
            _section(
                "carry-over", words.say("Carry-over"), *_matrix(words, carry_over)
            ),
            _section(
                "status",
                words.say("Status"),
                Paragraph(text=Text(text=research_use(words))),
            ),
        ),
        running=words.say("Run {run}, research use only", run=shown),
        page_of=words.say("page {page} of {pages}", page="{page}", pages="{pages}"),
        date=dates[-1] if dates else "",
        patient=shown,
        skip=words.say("Skip to the report"),
    )


def _section(code: str, title: str, *blocks: Block) -> Section:
    return Section(name=code, title=title, blocks=blocks)


def _tone(results: Sequence[VisitResult]) -> Tone:
    warned = any(
        found.severity != "info" for result in results for found in result.quality
    )
    clear = {"quantified", "not_detected"}
    doubtful = any(result.level.call not in clear for result in results)
    return "watch" if warned or doubtful else "none"


def _headline(words: Words, results: Sequence[VisitResult]) -> str:
    calls = [result.level.call for result in results]
    detected = sum(call in DETECTED for call in calls)
    negative = calls.count("not_detected")
    return words.say_plural(
        "{number} sample: MRD in {detected}, not detected down to its limit in "
        "{negative}, no conclusion in {open}.",
        "{number} samples: MRD in {detected}, not detected down to their limits in "
        "{negative}, no conclusion in {open}.",
        len(calls),
        detected=words.integer(detected),
        negative=words.integer(negative),
        open=words.integer(len(calls) - detected - negative),
    )


def _calls(words: Words, results: Sequence[VisitResult]) -> tuple[Text, ...]:
    calls = [result.level.call for result in results]
    counted = [
        words.say(
            "{call}: {count}",
            call=words.say(phrases.CALL_TITLES[call]),
            count=words.integer(calls.count(call)),
        )
        for call in phrases.CALL_TITLES
        if call in calls
    ]
    warned = sum(
        any(found.severity != "info" for found in result.quality) for result in results
    )
    if warned:
        counted.append(
            words.say_plural(
                "{number} sample has a quality warning.",
                "{number} samples have a quality warning.",
                warned,
            )
        )
    return tuple(Text(text=text) for text in counted)


def _levels(words: Words, results: Sequence[VisitResult]) -> Table:
    return Table(
        caption=words.say("Levels of the samples, each on its own metric"),
        columns=(
            Column(title=words.say("Sample")),
            Column(title=words.say("Patient (pseudonym)")),
            Column(title=words.say("Date")),
            Column(title=words.say("Specimen")),
            Column(title=words.say("Metric")),
            Column(title=words.say("Level"), numeric=True),
            Column(title=words.say("95% CI"), numeric=True),
            Column(title=words.say("LoD"), numeric=True),
            Column(title=words.say("Markers used"), numeric=True),
            Column(title=words.say("Result"), wide=True),
        ),
        rows=tuple(_level_row(words, result) for result in results),
    )


def _level_row(words: Words, result: VisitResult) -> Row:
    visit = draft_visit(result)
    level = result.level
    return (
        Text(text=name(result.sample)),
        Text(text=name(result.patient)),
        Text(text=result.date or MISSING, keep=True),
        Text(text=level_text.specimen(words, result.specimen)),
        Text(text=level_text.metric(words, level.metric)),
        level_text.level(words, visit),
        interval_cell(words, visit),
        level_text.limit(words, level.lod95, level.metric),
        Text(text=words.integer(level.markers_used), value=str(level.markers_used)),
        result_cell(words, visit),
    )


def _quality(words: Words, results: Sequence[VisitResult]) -> list[Block]:
    told = [
        About(result.sample, found) for result in results for found in result.quality
    ]
    if not told:
        return [Paragraph(text=Text(text=words.say("No quality finding.")))]
    samples = [result.sample for result in results]
    return [Notes(notes=findings(words, told, samples, words.say("all samples")))]


def _matrix(words: Words, carry_over: Sequence[CarryOver]) -> list[Block]:
    """Lay the carry-over out: a row receives, a column gives; long runs as a list."""
    if not carry_over:
        text = words.say("No carry-over between the samples of this run was assessed.")
        return [Paragraph(text=Text(text=text))]
    samples = list(dict.fromkeys(item.to_sample for item in carry_over))
    samples += [
        giver
        for giver in dict.fromkeys(item.from_sample for item in carry_over)
        if giver not in samples
    ]
    if len(samples) > MOST_COLUMNS:
        return _list(words, carry_over)
    shares = {(item.to_sample, item.from_sample): item.fraction for item in carry_over}
    table = Table(
        caption=words.say(
            "Share of a marker's molecules in a sample (row) that may come from "
            "another (column), at most"
        ),
        columns=(
            Column(title=words.say("Sample")),
            *(Column(title=name(giver), numeric=True) for giver in samples),
        ),
        rows=tuple(
            (
                Text(text=name(receiver)),
                *(
                    _share(words, shares.get((receiver, giver)), same=receiver == giver)
                    for giver in samples
                ),
            )
            for receiver in samples
        ),
    )
    return [table, _legend(words)]


def _list(words: Words, carry_over: Sequence[CarryOver]) -> list[Block]:
    most = sorted(
        (item for item in carry_over if item.fraction > 0),
        key=lambda item: (-item.fraction, item.to_sample, item.from_sample),
    )
    if not most:
        text = words.say("No sample holds enough of a marker to carry over.")
        return [Paragraph(text=Text(text=text))]
    table = Table(
        caption=words.say(
            "The largest shares of a marker's molecules that may come from another "
            "sample"
        ),
        columns=(
            Column(title=words.say("Sample")),
            Column(title=words.say("From")),
            Column(title=words.say("At most"), numeric=True),
        ),
        rows=tuple(
            (
                Text(text=name(item.to_sample)),
                Text(text=name(item.from_sample)),
                _share(words, item.fraction, same=False),
            )
            for item in most[:MOST_PAIRS]
        ),
    )
    return [table]


def _share(words: Words, fraction: float | None, *, same: bool) -> Text:
    if same or fraction is None:
        return Text(text=MISSING)
    if not fraction:
        return Text(text=words.say("none"))
    return Text(text=words.power(fraction), value=exact(fraction))


def _legend(words: Words) -> Paragraph:
    text = words.say(
        "None: the other sample holds no marker of the level at 1% or more. A dash: "
        "the sample itself, or no panel in common."
    )
    return Paragraph(text=Text(text=text))
