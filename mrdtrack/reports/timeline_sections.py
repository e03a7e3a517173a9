"""The sections of a timeline report, in the order its language expects.

English follows the order recommended for molecular reports (answer, plot, visits,
rules, markers, quality, method, limits); French the order of the CANCER-CR-GM volume
of the Agence du numérique en santé: request, specimens, results with the comparison to
earlier ones, conclusion, method, status.
"""

from __future__ import annotations

from mrdtrack.findings import MOST_NAMES
from mrdtrack.follow_up.timeline import MarkerCourse, Timeline
from mrdtrack.reports import level_text, phrases
from mrdtrack.reports import timeline_tables as tables
from mrdtrack.reports.chart_geometry import chart_metric, geometry
from mrdtrack.reports.chart_svg import chart_svg
from mrdtrack.reports.conclusion import course_section, flags_section, prefixed, section
from mrdtrack.reports.finding_text import About, findings
from mrdtrack.reports.inert_text import shortened, visible
from mrdtrack.reports.level_text import FRACTIONS, name, sentence
from mrdtrack.reports.view import (
    Column,
    Fact,
    Facts,
    Figure,
    Notes,
    Paragraph,
    Section,
    Table,
    Text,
)
from mrdtrack.reports.words import Words

WIDE, NARROW = 960.0, 380.0


def sections(words: Words, timeline: Timeline) -> tuple[Section, ...]:
    """Make all sections that have something to say."""
    if words.language == "fr":
        made = [
            request_section(words, timeline),
            specimens_section(words, timeline),
            results_section(words, timeline),
            flags_section(words, timeline),
            course_section(words, timeline),
            method_section(words, timeline),
            status_section(words),
        ]
    else:
        made = [
            flags_section(words, timeline),
            results_section(words, timeline),
            course_section(words, timeline),
            specimens_section(words, timeline),
            request_section(words, timeline),
            method_section(words, timeline),
            status_section(words),
        ]
    return tuple(part for part in made if part.blocks)


def request_section(words: Words, timeline: Timeline) -> Section:
    """Say why the samples were examined and what treatment was given."""
    purpose = words.say(
        "Follow-up of measurable residual disease ({disease}) with the patient's own "
        "markers.",
        disease=disease(words, timeline.disease),
    )
    anchors = tuple(
        Fact(
            label=words.say(phrases.ANCHORS[anchor])
            if anchor in phrases.ANCHORS
            else name(anchor),
            text=Text(text=name(day)),
        )
        for anchor, day in sorted(timeline.anchors.items(), key=lambda pair: pair[1])
    )
    return section(
        "request",
        words.say("Request and treatment"),
        Paragraph(text=Text(text=purpose)),
        Facts(facts=anchors, heading=words.say("Dates the rules count from"))
        if anchors
        else None,
        tables.treatments_table(words, timeline),
    )


def specimens_section(words: Words, timeline: Timeline) -> Section:
    """Say what is to know about the samples: quality, and what comes next."""
    told = [About("", found) for found in timeline.quality]
    own = [visit for visit in timeline.visits if visit.source == "mrdtrack"]
    told += [
        About(visit.sample, found)
        for visit in timeline.visits
        for found in visit.quality
    ]
    samples = [visit.sample for visit in own]
    notes = findings(words, told, samples, words.say("all samples"))
    quality = Notes(notes=notes, heading=words.say("Quality findings"))
    none = Paragraph(text=Text(text=words.say("No quality finding.")))
    return section(
        "specimens", words.say("Specimens and quality"), quality if notes else none
    )


def results_section(words: Words, timeline: Timeline) -> Section:
    """Show the plot, the visits, the markers and the other methods."""
    own = {visit.metric for visit in timeline.visits if visit.metric in FRACTIONS}
    first = chart_metric(timeline)
    ordered = sorted(own, key=lambda metric: (metric != first, metric))
    latest = [visit for visit in timeline.visits if visit.markers][-1:]
    return section(
        "results",
        words.say("Results and comparison with previous results"),
        _figure(words, timeline, first) if first else None,
        _thresholds(words, timeline, first) if first else None,
        *(tables.visits_table(words, timeline, metric) for metric in ordered),
        *(block for visit in latest for block in tables.markers(words, visit)),
        *_marker_notes(words, timeline),
        tables.other_methods_table(words, timeline),
    )


def _figure(words: Words, timeline: Timeline, metric: str) -> Figure:
    description = words.say(
        "Each visit on a logarithmic scale of {metric}. The table under the drawing "
        "holds the same numbers.",
        metric=level_text.metric(words, metric),
    )
    drawn = []
    for prefix, width in (("wide", WIDE), ("narrow", NARROW)):
        layout = geometry(timeline, metric, width)
        labels = tuple(
            (
                f"{mark.visit.date}, {level_text.specimen(words, mark.visit.specimen)}",
                level_text.visit_label(words, mark.visit),
                level_text.level(words, mark.visit).text,
                level_text.call(words, mark.visit).text,
            )
            for mark in layout.marks
        )
        drawn.append(
            chart_svg(layout, words, labels, prefix=prefix, description=description)
        )
    return Figure(
        caption=words.say("MRD level over time"),
        wide=drawn[0],
        narrow=drawn[1],
        description=description,
    )


def _thresholds(words: Words, timeline: Timeline, metric: str) -> Notes | None:
    """Say which rules the thresholds of the drawing belong to."""
    notes = tuple(
        Text(
            text=words.say(
                "{threshold} ({percent}): {rules}",
                threshold=level_text.amount(words, item.value, metric),
                percent=words.percent(item.value),
                rules=", ".join(name(rule) for rule in item.rules[:MOST_NAMES])
                + (" …" if len(item.rules) > MOST_NAMES else ""),
            ),
            value=level_text.exact(item.value),
        )
        for item in timeline.thresholds
        if item.metric == metric
    )
    if not notes:
        return None
    heading = words.say("Thresholds drawn, and the rules that state them")
    return Notes(notes=notes, heading=heading)


def _marker_notes(words: Words, timeline: Timeline) -> list[Notes]:
    notes = []
    for kinetics in timeline.kinetics:
        told = sorted(kinetics.markers, key=lambda course: course.status == "stable")
        said = [_course(words, course) for course in told[: tables.MOST_MARKERS]]
        said += [Text(text=text) for text in tables.left_out(words, len(told))]
        if said:
            heading = tables.kinetics_heading(words, kinetics)
            notes.append(
                Notes(
                    notes=tuple(said),
                    heading=words.say("Course of the markers: {what}", what=heading),
                )
            )
    return notes


def _course(words: Words, course: MarkerCourse) -> Text:
    status = words.say(phrases.COURSES[course.status])
    head = f"{name(course.marker)}, {status}"
    if not course.because:
        return Text(text=head)
    return prefixed(words, head, sentence(words, course.because, course.because_fr))


def method_section(words: Words, timeline: Timeline) -> Section:
    """State how the numbers came about, what they cannot say, and by which version."""
    limits = (
        words.say(
            "Level: fraction of mutant molecules of all informative molecules, summed "
            "over the markers that count for the level, with an exact 95% confidence "
            "interval."
        ),
        words.say(
            "Limit of detection (LoD): the level that this sample would have shown "
            "with 95% probability; it is computed for each sample from its depth, its "
            "DNA input and its background errors."
        ),
        words.say(
            "Not detected means: not detected above the limit of detection of this "
            "sample. It does not exclude disease below it, outside the specimen, or "
            "without the patient's markers."
        ),
        words.say(
            "Results of different metrics are never converted into each other; a rule "
            "applies to its own metric only."
        ),
        words.say(
            "Bone marrow that is diluted with blood or regenerating can hide residual "
            "disease; confirm an unexpected result with a second sample."
        ),
    )
    protocols = tuple(
        (
            Text(text=name(used.id)),
            Text(text=name(used.version)),
            sentence(words, used.title, used.title_fr),
            Text(text=shortened(used.digest, 24)),
        )
        for used in timeline.protocols
    )
    table = Table(
        caption=words.say("Protocols used"),
        columns=(
            Column(title=words.say("Protocol")),
            Column(title=words.say("Version")),
            Column(title=words.say("Title")),
            Column(title=words.say("Digest")),
        ),
        rows=protocols,
    )
    software = Fact(
        label=words.say("Software"),
        text=Text(text=name(f"{timeline.software.name} {timeline.software.version}")),
    )
    return section(
        "method",
        words.say("Method and limits"),
        Notes(notes=tuple(Text(text=text) for text in limits)),
        table if protocols else None,
        *_conditions(words, timeline),
        Facts(facts=(software,)),
    )


def _conditions(words: Words, timeline: Timeline) -> list[Notes]:
    """Print what each protocol asks to be said with its flags."""
    made = []
    for used in timeline.protocols:
        french = used.conditions_fr or ("",) * len(used.conditions)
        said = tuple(
            sentence(words, english, translated)
            for english, translated in zip(used.conditions, french, strict=False)
        )
        if said:
            heading = words.say("Read with {protocol}", protocol=name(used.id))
            made.append(Notes(notes=said, heading=heading))
    return made


def status_section(words: Words) -> Section:
    """State what the report may be used for, and leave room for the signature."""
    return section(
        "status",
        words.say("Status"),
        Paragraph(text=Text(text=research_use(words))),
        Facts(
            facts=(
                Fact(label=words.say("Issued on"), text=Text(text=_BLANK)),
                Fact(label=words.say("Reviewed and signed by"), text=Text(text=_BLANK)),
            )
        ),
    )


_BLANK = "\u2026" * 12


def research_use(words: Words) -> str:
    """Say that the report is for research use and decides nothing alone."""
    return words.say(
        "For research use only. Not to be used alone for diagnosis or treatment; every "
        "flag is a prompt for the multidisciplinary meeting and never an order."
    )


def disease(words: Words, code: str) -> str:
    """Write a disease's abbreviation in the reader's language."""
    known = {
        "AML": words.say("AML"),
        "B-ALL": words.say("B-ALL"),
        "T-ALL": words.say("T-ALL"),
        "CML": words.say("CML"),
        "APL": words.say("APL"),
        "MDS": words.say("MDS"),
        "CLL": words.say("CLL"),
        "MM": words.say("MM"),
        "other": words.say("other disease"),
    }
    return known.get(code, shortened(visible(code), level_text.LONGEST_NAME))
