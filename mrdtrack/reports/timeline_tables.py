"""The tables of a timeline report: visits, markers, other methods, schedule."""

from __future__ import annotations

from mrdtrack.follow_up.timeline import Kinetics, Timeline, TimelineVisit
from mrdtrack.levels.result import MarkerResult
from mrdtrack.reports import level_text, phrases
from mrdtrack.reports.finding_text import marker_reason
from mrdtrack.reports.level_cells import (
    count_cell,
    interval_cell,
    marker_as_visit,
    result_cell,
)
from mrdtrack.reports.level_text import MISSING, name, sentence
from mrdtrack.reports.view import Column, Paragraph, Table, Text
from mrdtrack.reports.words import Words

Row = tuple[Text, ...]
MOST_MARKERS = 60


def visits_table(words: Words, timeline: Timeline, metric: str) -> Table:
    """List the visits on one metric, in date order."""
    rows = [
        _visit_row(words, visit) for visit in timeline.visits if visit.metric == metric
    ]
    return Table(
        caption=words.say("Visits: {metric}", metric=level_text.metric(words, metric)),
        columns=(
            Column(title=words.say("Date")),
            Column(title=words.say("Visit")),
            Column(title=words.say("Specimen")),
            Column(title=words.say("Level"), numeric=True),
            Column(title=words.say("95% CI"), numeric=True),
            Column(title=words.say("LoD"), numeric=True),
            Column(title=words.say("LoQ"), numeric=True),
            Column(title=words.say("Result"), wide=True),
            Column(title=words.say("Log reduction"), numeric=True),
            Column(title=words.say("Change (log10)"), numeric=True),
        ),
        rows=tuple(rows),
    )


def _visit_row(words: Words, visit: TimelineVisit) -> Row:
    return (
        Text(text=visit.date),
        Text(text=_visit_name(words, visit)),
        Text(text=level_text.specimen(words, visit.specimen), keep=True),
        level_text.level(words, visit),
        interval_cell(words, visit),
        level_text.limit(words, visit.lod95, visit.metric),
        level_text.limit(words, visit.loq, visit.metric),
        result_cell(words, visit),
        _reduction(words, visit),
        _change(words, visit),
    )


def _visit_name(words: Words, visit: TimelineVisit) -> str:
    extra = []
    if visit.baseline:
        extra.append(words.say("baseline"))
    if visit.nadir:
        extra.append(words.say("nadir"))
    label = level_text.visit_label(words, visit)
    return f"{label} ({', '.join(extra)})" if extra else label


def _reduction(words: Words, visit: TimelineVisit) -> Text:
    if visit.log10_reduction is None and visit.log10_reduction_reason:
        return sentence(
            words, visit.log10_reduction_reason, visit.log10_reduction_reason_fr
        )
    return level_text.bounded(words, visit.log10_reduction)


def _change(words: Words, visit: TimelineVisit) -> Text:
    change = visit.change_from_previous
    if change is None:
        return Text(text=MISSING)
    if change.log10 is None:
        return sentence(words, change.reason, change.reason_fr)
    return level_text.bounded(words, change.log10)


def markers(words: Words, visit: TimelineVisit) -> list[Table | Paragraph]:
    """List the markers of one visit: what was seen, what counts, and why not.

    Of a panel of many, those with mutant molecules come first into the table, and how
    many are left out is said; all stand in the counts table.
    """
    shown = sorted(
        sorted(
            range(len(visit.markers)), key=lambda place: not visit.markers[place].alt
        )[:MOST_MARKERS]
    )
    rows = [_marker_row(words, visit.markers[place], visit) for place in shown]
    rows += [_marker_row(words, group, visit) for group in visit.groups]
    more = left_out(words, len(visit.markers))
    return [
        _markers_table(words, visit, rows),
        *(Paragraph(text=Text(text=text)) for text in more),
    ]


def left_out(words: Words, n_markers: int) -> list[str]:
    """Say how many markers are not listed, if any."""
    more = n_markers - MOST_MARKERS
    if more <= 0:
        return []
    return [
        words.say_plural(
            "{number} more marker is in the files of the results.",
            "{number} more markers are in the files of the results.",
            more,
        )
    ]


def _markers_table(words: Words, visit: TimelineVisit, rows: list[Row]) -> Table:
    return Table(
        caption=words.say(
            "Markers of {visit}, {date}",
            visit=level_text.visit_label(words, visit),
            date=visit.date,
        ),
        columns=(
            Column(title=words.say("Marker")),
            Column(title=words.say("Gene")),
            Column(title=words.say("Kind")),
            Column(title=words.say("Mutant molecules"), numeric=True),
            Column(title=words.say("All molecules"), numeric=True),
            Column(title=words.say("Fraction"), numeric=True),
            Column(title=words.say("95% CI"), numeric=True),
            Column(title=words.say("LoD"), numeric=True),
            Column(title=words.say("Result"), wide=True),
            Column(title=words.say("Counts for the level"), wide=True),
        ),
        rows=tuple(rows),
    )


def _marker_row(words: Words, marker: MarkerResult, visit: TimelineVisit) -> Row:
    as_visit = marker_as_visit(marker, visit)
    return (
        Text(text=name(marker.marker)),
        Text(text=name(marker.gene)),
        Text(text=words.say(phrases.KINDS[marker.kind])),
        count_cell(words, marker.alt),
        count_cell(words, marker.molecules),
        level_text.level(words, as_visit),
        interval_cell(words, as_visit),
        level_text.limit(words, marker.lod95, visit.metric),
        level_text.call(words, as_visit),
        _use(words, marker),
    )


def _use(words: Words, marker: MarkerResult) -> Text:
    if not marker.assessable:
        why = marker_reason(words, marker)
        no = words.say("no, not assessable")
        if not why.text:
            return Text(text=no)
        text = words.say("{head}: {message}", head=no, message=why.text)
        return Text(text=text, language=why.language)
    if marker.role == "report_only":
        return Text(
            text=words.say("no, reported only (clonal haematopoiesis or germline)")
        )
    return Text(text=words.say("yes"))


def other_methods_table(words: Words, timeline: Timeline) -> Table | None:
    """List the results of other methods, each on its own metric."""
    visits = [visit for visit in timeline.visits if visit.source == "external"]
    if not visits:
        return None
    rows = tuple(_external_row(words, visit) for visit in visits)
    return Table(
        caption=words.say("Results of other methods, each on its own metric"),
        columns=(
            Column(title=words.say("Date")),
            Column(title=words.say("Specimen")),
            Column(title=words.say("Method")),
            Column(title=words.say("Metric"), wide=True),
            Column(title=words.say("Level"), numeric=True),
            Column(title=words.say("LoD"), numeric=True),
            Column(title=words.say("Result"), wide=True),
            Column(title=words.say("Log reduction"), numeric=True),
        ),
        rows=rows,
    )


def _external_row(words: Words, visit: TimelineVisit) -> Row:
    metric = level_text.metric(words, visit.metric)
    target = f"{name(visit.target)}: " if visit.target else ""
    return (
        Text(text=visit.date),
        Text(text=level_text.specimen(words, visit.specimen)),
        Text(text=name(visit.method)),
        Text(text=target + metric),
        level_text.level(words, visit),
        level_text.limit(words, visit.lod95, visit.metric),
        result_cell(words, visit),
        _reduction(words, visit),
    )


def schedule_table(words: Words, timeline: Timeline) -> Table | None:
    """List the samples that are due, overdue or to be taken elsewhere."""
    rows = tuple(
        (
            Text(text=item.due or MISSING),
            Text(
                text=words.say(phrases.SCHEDULE[item.kind]),
                tone="watch" if item.kind != "due" else "none",
            ),
            Text(
                text=level_text.specimen(words, item.specimen)
                if item.specimen
                else MISSING
            ),
            sentence(words, item.because, item.because_fr),
            Text(text=name(item.rule)),
        )
        for item in timeline.schedule
    )
    if not rows:
        return None
    return Table(
        caption=words.say("Next samples"),
        columns=(
            Column(title=words.say("Due date")),
            Column(title=words.say("Status")),
            Column(title=words.say("Specimen")),
            Column(title=words.say("Why"), wide=True),
            Column(title=words.say("Rule")),
        ),
        rows=rows,
    )


def treatments_table(words: Words, timeline: Timeline) -> Table | None:
    """List the treatments."""
    rows = tuple(
        (
            Text(text=treatment.start, keep=True),
            Text(text=treatment.end or MISSING, keep=True),
            Text(text=name(treatment.name)),
            Text(text=treatment_kind(words, treatment.kind)),
        )
        for treatment in timeline.treatments
    )
    if not rows:
        return None
    return Table(
        caption=words.say("Treatments"),
        columns=(
            Column(title=words.say("Start")),
            Column(title=words.say("End")),
            Column(title=words.say("Treatment")),
            Column(title=words.say("Kind")),
        ),
        rows=rows,
    )


def treatment_kind(words: Words, kind: str) -> str:
    """Name the kind of a treatment; one that is not known keeps its own name."""
    known = phrases.TREATMENT_KINDS.get(kind)
    return words.say(known) if known else name(kind)


def unjudged_table(words: Words, timeline: Timeline) -> Table | None:
    """List what is missing, with the rules that it kept from being judged."""
    rules: dict[tuple[str, str, str | None], list[str]] = {}
    for item in timeline.unjudged:
        missing = (item.missing, item.missing_fr, item.visit)
        rules.setdefault(missing, []).append(name(item.rule))
    if not rules:
        return None
    rows = tuple(
        (
            sentence(words, english, french),
            Text(text=name(visit)),
            Text(text=", ".join(dict.fromkeys(of_this))),
        )
        for (english, french, visit), of_this in rules.items()
    )
    return Table(
        caption=words.say("Rules that could not be judged"),
        columns=(
            Column(title=words.say("What is missing"), wide=True),
            Column(title=words.say("Visit")),
            Column(title=words.say("Rules"), wide=True),
        ),
        rows=rows,
    )


def kinetics_heading(words: Words, kinetics: Kinetics) -> str:
    """Name what a course of kinetics is about."""
    parts = [
        level_text.specimen(words, kinetics.specimen),
        level_text.metric(words, kinetics.metric),
    ]
    if kinetics.target:
        parts.append(name(kinetics.target))
    if kinetics.method:
        parts.append(name(kinetics.method))
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]
