"""One run's samples on one page: levels, calls, quality, and what may carry over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mrdtrack.levels.result import VisitResult
from mrdtrack.reports import level_text, phrases
from mrdtrack.reports.html import html
from mrdtrack.reports.level_text import MISSING, exact, name, sentence
from mrdtrack.reports.output_files import safe_name
from mrdtrack.reports.result_visit import as_visit
from mrdtrack.reports.view import (
    Block,
    Column,
    Fact,
    Notes,
    Paragraph,
    Section,
    Table,
    Text,
    View,
)
from mrdtrack.reports.words import Language, Words, words

Row = tuple[Text, ...]


class CarryOver(NamedTuple):
    """Share of a sample's molecules (0 to 1) that may come from another of the run."""

    to_sample: str
    from_sample: str
    fraction: float


def batch_html(
    run: str,
    results: Sequence[VisitResult],
    carry_over: Sequence[CarryOver] = (),
    language: Language = "en",
) -> dict[str, bytes]:
    """Make `RUN.batch.html`."""
    view = batch_view(run, results, carry_over, words(language))
    return {f"{safe_name(run)}.batch.html": html(view)}


def batch_view(
    run: str,
    results: Sequence[VisitResult],
    carry_over: Sequence[CarryOver],
    said: Words,
) -> View:
    """Compose the page of a run."""
    dates = sorted(result.date for result in results if result.date)
    shown = name(run)
    return View(
        language=said.language,
        title=said.say("Run {run}", run=shown),
        tone="none",
        headline=said.say_plural("{number} sample", "{number} samples", len(results)),
        headline_more=_calls(said, results),
        identity=(Fact(label=said.say("Run"), text=Text(text=shown)),),
        sections=(
            _section("levels", said.say("Levels"), _levels(said, results)),
            _section("quality", said.say("Quality findings"), _quality(said, results)),
            _section("carry-over", said.say("Carry-over"), _matrix(said, carry_over)),
        ),
        running=said.say("Run {run}, research use only", run=shown),
        page_of=said.say("page {page} of {pages}", page="{page}", pages="{pages}"),
        date=dates[-1] if dates else "",
        patient=shown,
        skip=said.say("Skip to the report"),
    )


def _section(code: str, title: str, block: Block) -> Section:
    return Section(name=code, title=title, blocks=(block,))


def _calls(said: Words, results: Sequence[VisitResult]) -> tuple[Text, ...]:
    calls = [result.level.call for result in results]
    return tuple(
        Text(
            text=said.say(
                "{call}: {count}",
                call=said.say(phrases.CALL_TITLES[call]),
                count=said.integer(calls.count(call)),
            )
        )
        for call in phrases.CALL_TITLES
        if call in calls
    )


def _levels(said: Words, results: Sequence[VisitResult]) -> Table:
    return Table(
        caption=said.say("Levels of the samples, each on its own metric"),
        columns=(
            Column(title=said.say("Sample")),
            Column(title=said.say("Patient (pseudonym)")),
            Column(title=said.say("Date")),
            Column(title=said.say("Specimen")),
            Column(title=said.say("Metric")),
            Column(title=said.say("Level"), numeric=True),
            Column(title=said.say("95% CI"), numeric=True),
            Column(title=said.say("LoD"), numeric=True),
            Column(title=said.say("Markers used"), numeric=True),
            Column(title=said.say("Result"), wide=True),
        ),
        rows=tuple(_level_row(said, result) for result in results),
    )


def _level_row(said: Words, result: VisitResult) -> Row:
    visit = as_visit(result)
    level = result.level
    call = level_text.call(said, visit)
    parts = [call.text]
    if level.limited_by and level_text.is_negative(visit):
        parts.append(said.say(phrases.LIMITED_BY[level.limited_by]))
    if level.reason:
        parts.append(sentence(said, level.reason).text)
    return (
        Text(text=name(result.sample)),
        Text(text=name(result.patient)),
        Text(text=result.date or MISSING, keep=True),
        Text(text=level_text.specimen(said, result.specimen)),
        Text(text=level_text.metric(said, level.metric)),
        level_text.level(said, visit),
        Text(
            text=level_text.interval(said, level.low, level.high, level.metric),
            keep=True,
        ),
        level_text.limit(said, level.lod95, level.metric),
        Text(text=said.integer(level.markers_used), value=str(level.markers_used)),
        Text(text=", ".join(parts), tone=call.tone),
    )


def _quality(said: Words, results: Sequence[VisitResult]) -> Block:
    notes = [
        level_text.finding(said, found, name(result.sample))
        for result in results
        for found in result.quality
    ]
    if not notes:
        return Paragraph(text=Text(text=said.say("No quality finding.")))
    return Notes(notes=tuple(notes))


def _matrix(said: Words, carry_over: Sequence[CarryOver]) -> Block:
    """Lay the carry-over out: a row receives, a column gives."""
    if not carry_over:
        text = said.say("No carry-over between the samples of this run was assessed.")
        return Paragraph(text=Text(text=text))
    shares = {(item.to_sample, item.from_sample): item.fraction for item in carry_over}
    receivers = list(dict.fromkeys(item.to_sample for item in carry_over))
    known = {item.from_sample for item in carry_over}
    in_order = [sample for sample in receivers if sample in known]
    givers = in_order + sorted(known - set(in_order))
    return Table(
        caption=said.say(
            "Share of a sample's molecules (row) that may come from another (column)"
        ),
        columns=(
            Column(title=said.say("Sample")),
            *(Column(title=name(giver), numeric=True) for giver in givers),
        ),
        rows=tuple(
            (
                Text(text=name(receiver)),
                *(_share(said, shares.get((receiver, giver))) for giver in givers),
            )
            for receiver in receivers
        ),
    )


def _share(said: Words, fraction: float | None) -> Text:
    if not fraction:
        return Text(text=MISSING)
    return Text(text=said.power(fraction), value=exact(fraction))
