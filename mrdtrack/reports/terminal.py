"""Results and timelines for the terminal: a table, and a small plot of 80 columns."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TextIO

from mrdtrack.follow_up.timeline import Timeline, TimelineVisit
from mrdtrack.follow_up.visits import draft_visit
from mrdtrack.levels.result import VisitResult
from mrdtrack.reports import finding_text, level_text, phrases
from mrdtrack.reports.chart_geometry import chart_metric
from mrdtrack.reports.inert_text import shortened
from mrdtrack.reports.level_cells import marker_as_visit
from mrdtrack.reports.level_text import MISSING, name
from mrdtrack.reports.result_files import counts_tsv
from mrdtrack.reports.tables import model_json
from mrdtrack.reports.view import Flags
from mrdtrack.reports.words import Words, words

# rich is loaded only where something is shown: most runs in a pipeline show nothing.
if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH = 80
_STYLES = {"alert": "bold red", "watch": "yellow", "calm": "green", "none": ""}
_TISSUES = {"bone_marrow": "●", "peripheral_blood": "◆", "other": "■", None: "■"}
_SIGNS = {"not_detected": "▽", "insufficient_sensitivity": "?"}
_SLOT = 5
_HALVES = 2


OutputKind = Literal["table", "json", "tsv"]


def wants_colour(stream: TextIO) -> bool:
    """Tell whether a stream shows colour: a terminal, and NO_COLOR is not set."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not plain


def formatted(
    results: Sequence[VisitResult], kind: OutputKind, *, colour: bool = False
) -> str:
    """Make what `--format` puts on stdout: table, JSON (a list for several), TSV."""
    if kind == "tsv":
        return counts_tsv(*results).decode()
    if kind == "json":
        made = [model_json(result).decode() for result in results]
        return made[0] if len(made) == 1 else "[\n" + ",\n".join(made) + "]\n"
    return results_text(results, colour=colour)


def results_text(
    results: Sequence[VisitResult], *, colour: bool = False, width: int = WIDTH
) -> str:
    """Show one or several samples: the level of each, then its markers."""
    from rich.text import Text as RichText

    english = words("en")
    console, text = _console(colour=colour, width=width)
    for result in results:
        visit = draft_visit(result)
        heading = RichText(f"{name(result.sample)}: ", style="bold")
        said = level_text.call(english, visit)
        heading.append(_headline(english, visit, said.text), style=_STYLES[said.tone])
        console.print(heading)
        console.print(_markers(english, result))
        for finding in result.quality:
            said = finding_text.finding(english, finding)
            console.print(RichText(said.text), style=_STYLES[said.tone])
    return _trimmed(text)


def _headline(english: Words, visit: TimelineVisit, said: str) -> str:
    if level_text.is_negative(visit) or not visit.value:
        reason = shortened(visit.reason, 300) if visit.reason else ""
        return f"{said}: {reason}" if reason else said
    shown = level_text.with_percent(english, visit.value, visit.metric)
    bounds = level_text.interval(english, visit.low, visit.high, visit.metric)
    return f"{said}, {shown}, 95% CI {bounds}"


def _markers(english: Words, result: VisitResult) -> Table:
    from rich.table import Table
    from rich.text import Text as RichText

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("marker", overflow="fold", max_width=24)
    for column in ("alt", "molecules", "fraction", "LoD"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("call", overflow="fold")
    seen = draft_visit(result)
    for marker in (*result.markers, *(g for g in result.groups if g.in_level)):
        visit = marker_as_visit(marker, seen)
        call = level_text.call(english, visit)
        shown = call.text
        if marker.reason:
            shown = f"{shown}: {shortened(marker.reason, 200)}"
        if marker.role == "report_only":
            shown = f"{shown} (not in the level)"
        table.add_row(
            name(marker.marker),
            _count(english, marker.alt),
            _count(english, marker.molecules),
            level_text.level(english, visit).text,
            level_text.limit(english, marker.lod95, visit.metric).text,
            RichText(shown, style=_STYLES[call.tone]),
        )
    return table


def _count(english: Words, number: int | None) -> str:
    return MISSING if number is None else english.integer(number)


def timeline_text(
    timeline: Timeline,
    language: Words | None = None,
    *,
    colour: bool = False,
    width: int = WIDTH,
) -> str:
    """Show a timeline: the answer, a plot, the visits, the flags."""
    from rich.text import Text as RichText

    from mrdtrack.reports.timeline_view import timeline_view

    said = language or words("en")
    view = timeline_view(timeline, said)
    console, text = _console(colour=colour, width=width)
    console.print(RichText(view.headline, style=_STYLES[view.tone] or "bold"))
    for line in view.headline_more:
        console.print(RichText(line.text))
    metric = chart_metric(timeline)
    if metric:
        console.print()
        visits = [visit for visit in timeline.visits if visit.metric == metric]
        console.print(RichText(plot(said, visits, width)))
    console.print(_visits(said, timeline))
    for section in view.sections:
        for block in section.blocks:
            if block.block == "flags":
                _print_flags(console, said, block)
    return _trimmed(text)


def _print_flags(console: Console, said: Words, flags: Flags) -> None:
    """Print flags whole, but those under a heading (of earlier visits) by title."""
    from rich.text import Text as RichText

    if flags.heading:
        console.print(RichText(flags.heading, style="bold"))
    for card in flags.cards:
        console.print(RichText(card.title, style=_STYLES[card.tone]))
        for fact in () if flags.heading else card.lines:
            line = said.say(
                "{head}: {message}", head=fact.label, message=fact.text.text
            )
            console.print(RichText(f"  {line}"))


def _visits(said: Words, timeline: Timeline) -> Table:
    from rich.table import Table
    from rich.text import Text as RichText

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(said.say("Date"), no_wrap=True)
    table.add_column(said.say("Visit"), overflow="fold", max_width=22)
    table.add_column(said.say("Specimen"), overflow="fold", max_width=12)
    table.add_column(said.say("Level"), justify="right", no_wrap=True)
    table.add_column(said.say("Result"), overflow="fold")
    for visit in timeline.visits:
        call = level_text.call(said, visit)
        table.add_row(
            visit.date,
            level_text.visit_label(said, visit),
            level_text.specimen(said, visit.specimen),
            level_text.level(said, visit).text,
            RichText(call.text, style=_STYLES[call.tone]),
        )
    return table


def plot(said: Words, visits: Sequence[TimelineVisit], width: int = WIDTH) -> str:
    """Draw the visits on a log scale, the newest that fit, each under its date.

    A row is half a decade. Not detected is ▽ and insufficient sensitivity ? at the
    limit of detection; what gave no level is x in the row below the scale.
    """
    shown = list(visits)[-((width - 7) // _SLOT) :]
    heights = [_height(visit) for visit in shown]
    known = [height for height in heights if height is not None]
    high = max(known, default=0)
    low = min(known, default=0)
    lines = []
    for row in range(high, low - 1, -1):
        label = said.decade(row // _HALVES) if row % _HALVES == 0 else ""
        cells = "".join(
            (_sign(visit) if height == row else " ").center(_SLOT)
            for visit, height in zip(shown, heights, strict=True)
        )
        lines.append(f"{_right(label, 5)} │{cells}".rstrip())
    below = "".join(
        ("x" if height is None else " ").center(_SLOT) for height in heights
    )
    if below.strip():
        lines.append(f"      │{below}".rstrip())
    lines.append("      └" + "─" * (_SLOT * len(shown)))
    for part in (slice(2, 4), slice(5, 7)):
        dates = "".join(visit.date[part].center(_SLOT) for visit in shown)
        lines.append(f"       {dates}".rstrip())
    return "\n".join([*lines, _key(said, shown), ""])


def _height(visit: TimelineVisit) -> int | None:
    value = visit.lod95 if level_text.is_negative(visit) else visit.value
    if not value or visit.call == "not_evaluable":
        return None
    return round(math.log10(value) * _HALVES)


def _sign(visit: TimelineVisit) -> str:
    return _SIGNS.get(visit.call or "", _TISSUES[visit.specimen])


def _key(said: Words, visits: Sequence[TimelineVisit]) -> str:
    present = {visit.specimen for visit in visits}
    parts = [
        f"{_TISSUES[code]} {level_text.specimen(said, code)}"
        for code in phrases.SPECIMENS
        if code in present
    ]
    calls = {visit.call for visit in visits}
    if "not_detected" in calls:
        parts.append(f"▽ {said.say('not detected: below this LoD')}")
    if "insufficient_sensitivity" in calls:
        parts.append(f"? {said.say('insufficient sensitivity, at its LoD')}")
    if "not_evaluable" in calls:
        parts.append(f"x {said.say('not evaluable')}")
    return "\n".join(f"       {part}" for part in parts)


def _trimmed(text: io.StringIO) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _right(text: str, room: int) -> str:
    from rich.cells import cell_len

    return " " * max(room - cell_len(text), 0) + text


def _console(*, colour: bool, width: int) -> tuple[Console, io.StringIO]:
    from rich.console import Console

    text = io.StringIO()
    console = Console(
        file=text,
        width=width,
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    return console, text
