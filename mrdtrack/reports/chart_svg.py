"""The timeline chart as SVG: presentation attributes only, right without a stylesheet.

Text and axes are `currentColor`, so the drawing follows a dark page and is black on
paper. A page's stylesheet may only add hover and focus.
"""

from __future__ import annotations

from html import escape

from mrdtrack.reports.chart_geometry import Bar, Geometry, Mark
from mrdtrack.reports.inert_text import shortened
from mrdtrack.reports.level_text import MISSING
from mrdtrack.reports.words import Words

COLOURS = {
    "bone_marrow": "#2b7bba",
    "peripheral_blood": "#cf5b2e",
    "other": "#4d9a51",
    None: "#8a7a3c",
}
FONT = "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
_SIZE = 6.0
_CHARACTER = 7.1

Attribute = str | float | int


def tag(name: str, content: str = "", **attributes: Attribute) -> str:
    """Write one element; an underscore in an attribute's name stands for a dash."""
    given = "".join(
        f' {key.strip("_").replace("_", "-")}="{escape(_short(value))}"'
        for key, value in attributes.items()
    )
    return f"<{name}{given}>{content}</{name}>" if content else f"<{name}{given}/>"


def _short(value: Attribute) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def words_at(text: str, x: float, y: float, **attributes: Attribute) -> str:
    """Write a line of text."""
    given: dict[str, Attribute] = {"fill": "currentColor", "font_size": 12}
    return tag("text", escape(text), x=x, y=y, **(given | attributes))


def chart_svg(
    layout: Geometry,
    words: Words,
    labels: tuple[tuple[str, ...], ...],
    *,
    prefix: str,
    description: str,
) -> str:
    """Draw the chart; `labels` holds for each mark the lines of its tip.

    `prefix` keeps the ids of two drawings on one page apart.
    """
    height = layout.height + _legend_height(layout, words)
    title = words.say("MRD level over time")
    parts = [
        tag("title", escape(title), id=f"{prefix}-title"),
        tag("desc", escape(description), id=f"{prefix}-desc"),
        *_axes(layout, words),
        *(_bar(bar) for bar in layout.bars),
        *_thresholds(layout, words),
        *(_line(specimen, points) for specimen, points in layout.lines),
        *(_mark(mark) for mark in layout.marks),
        *_legend(layout, words),
        *(
            _tip(mark, lines, layout)
            for mark, lines in zip(layout.marks, labels, strict=True)
        ),
    ]
    return tag(
        "svg",
        "".join(parts),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {layout.width:g} {height:g}",
        width=layout.width,
        height=height,
        role="group",
        aria_labelledby=f"{prefix}-title {prefix}-desc",
        font_family=FONT,
        color="#16202b",
    )


def _axes(layout: Geometry, words: Words) -> list[str]:
    parts = []
    for y, exponent in layout.decades:
        parts += [
            tag(
                "line",
                x1=layout.left,
                x2=layout.right,
                y1=y,
                y2=y,
                stroke="currentColor",
                stroke_opacity=0.15,
            ),
            words_at(words.decade(exponent), layout.left - 8, y + 4, text_anchor="end"),
        ]
    for x, text in layout.months:
        parts += [
            tag(
                "line",
                x1=x,
                x2=x,
                y1=layout.bottom,
                y2=layout.bottom + 5,
                stroke="currentColor",
                stroke_opacity=0.6,
            ),
            words_at(text, x, layout.bottom + 44, text_anchor="middle"),
        ]
    # the strip below the axis holds the visits that gave no level
    parts += [
        tag(
            "line",
            x1=layout.left,
            x2=layout.right,
            y1=layout.bottom,
            y2=layout.bottom,
            stroke="currentColor",
            stroke_opacity=0.6,
        ),
        tag(
            "line",
            x1=layout.left,
            x2=layout.right,
            y1=layout.bottom + 28,
            y2=layout.bottom + 28,
            stroke="currentColor",
            stroke_opacity=0.15,
        ),
    ]
    return parts


def _bar(bar: Bar) -> str:
    box = tag(
        "rect",
        x=bar.x,
        y=bar.y,
        width=bar.width,
        height=14,
        rx=2,
        fill="#7f8fa3",
        fill_opacity=0.35,
    )
    place = {
        "inside": (bar.x + 4, "start"),
        "after": (bar.x + bar.width + 4, "start"),
        "before": (bar.x - 4, "end"),
    }[bar.label]
    return box + words_at(
        bar.name, place[0], bar.y + 11, text_anchor=place[1], font_size=11
    )


def _thresholds(layout: Geometry, words: Words) -> list[str]:
    parts = []
    for threshold in layout.thresholds:
        parts += [
            tag(
                "line",
                x1=layout.left,
                x2=layout.right,
                y1=threshold.y,
                y2=threshold.y,
                stroke="#b3261e",
                stroke_width=1.2,
                stroke_dasharray="6 4",
                class_="threshold",
            ),
            words_at(
                words.power(threshold.value, 1),
                layout.right + 5,
                threshold.label_y + 4,
                fill="#b3261e",
                font_size=11,
                class_="threshold",
            ),
        ]
    return parts


def _line(specimen: str | None, points: tuple[tuple[float, float], ...]) -> str:
    return tag(
        "polyline",
        points=" ".join(f"{x:g},{y:g}" for x, y in points),
        fill="none",
        stroke=COLOURS[specimen],
        stroke_width=1.8,
        stroke_opacity=0.75,
    )


def _mark(mark: Mark) -> str:
    colour = COLOURS[mark.visit.specimen]
    parts = []
    if mark.lod is not None:
        parts.append(
            tag(
                "line",
                x1=mark.x - 9,
                x2=mark.x + 9,
                y1=mark.lod,
                y2=mark.lod,
                stroke="currentColor",
                stroke_opacity=0.55,
                stroke_width=1.6,
            )
        )
    if mark.low is not None and mark.high is not None:
        parts.append(
            tag(
                "path",
                d=f"M{mark.x - 4:g} {mark.high:g}h8m-4 0V{mark.low:g}m-4 0h8",
                fill="none",
                stroke=colour,
                stroke_width=1.6,
            )
        )
    parts.append(symbol(mark.shape, mark.visit.specimen, mark.x, mark.y))
    if mark.visit.source == "external":
        parts.append(
            tag("circle", cx=mark.x, cy=mark.y, r=10, fill="none", stroke=colour)
        )
    return "".join(parts)


def symbol(shape: str, specimen: str | None, x: float, y: float) -> str:
    """Draw a point: tissue by its shape, what the visit says by the frame around it."""
    colour = COLOURS[specimen]
    if shape == "detected":
        return _tissue(specimen, x, y, _SIZE, colour)
    outline = {
        "not_detected": f"M{x - 9:g} {y - 8:g}h18L{x:g} {y + 9:g}z",
        "insufficient": f"M{x - 8:g} {y - 8:g}h16v16h-16z",
        "not_evaluable": f"M{x - 7:g} {y - 7:g}l14 14m0 -14l-14 14",
    }[shape]
    frame = tag(
        "path",
        d=outline,
        fill="none",
        stroke=colour,
        stroke_width=2,
        stroke_linejoin="round",
    )
    if shape == "not_evaluable":
        return frame
    inner_y = y - 3 if shape == "not_detected" else y
    return frame + _tissue(specimen, x, inner_y, 2.5, colour)


def _tissue(specimen: str | None, x: float, y: float, size: float, colour: str) -> str:
    if specimen == "bone_marrow":
        return tag("circle", cx=x, cy=y, r=size, fill=colour)
    if specimen == "peripheral_blood":
        s = size * 1.3
        return tag(
            "path",
            d=f"M{x:g} {y - s:g}l{s:g} {s:g}l{-s:g} {s:g}l{-s:g} {-s:g}z",
            fill=colour,
        )
    return tag(
        "rect", x=x - size, y=y - size, width=2 * size, height=2 * size, fill=colour
    )


def _legend_entries(layout: Geometry, words: Words) -> list[tuple[str, str]]:
    """List what the drawing shows, and nothing that it does not: (sign, words)."""
    seen = {mark.visit.specimen for mark in layout.marks}
    names = {
        "bone_marrow": words.say("bone marrow"),
        "peripheral_blood": words.say("peripheral blood"),
        "other": words.say("other specimen"),
        None: words.say("specimen not stated"),
    }
    any_tissue = next((s for s in names if s in seen), None)
    entries = [
        (symbol("detected", specimen, 0, 0), name)
        for specimen, name in names.items()
        if specimen in seen
    ]
    shapes = {mark.shape for mark in layout.marks}
    for shape, name in (
        ("not_detected", words.say("not detected: below this LoD")),
        ("insufficient", words.say("insufficient sensitivity, at its LoD")),
        ("not_evaluable", words.say("not evaluable")),
    ):
        if shape in shapes:
            entries.append((symbol(shape, any_tissue, 0, 0), name))
    tick = tag(
        "line",
        x1=-9,
        x2=9,
        y1=0,
        y2=0,
        stroke="currentColor",
        stroke_width=1.6,
        stroke_opacity=0.55,
    )
    entries.append((tick, words.say("limit of detection (LoD)")))
    bar = tag(
        "path",
        d="M-4 -8h8m-4 0v16m-4 0h8",
        fill="none",
        stroke="currentColor",
    )
    entries.append((bar, words.say("95% interval")))
    if layout.thresholds:
        dashes = tag(
            "line",
            x1=-10,
            x2=10,
            y1=0,
            y2=0,
            stroke="#b3261e",
            stroke_dasharray="6 4",
        )
        entries.append((dashes, words.say("threshold of the protocol")))
    if any(mark.visit.source == "external" for mark in layout.marks):
        ring = tag("circle", cx=0, cy=0, r=9, fill="none", stroke="currentColor")
        entries.append((ring, words.say("other method")))
    return entries


def _legend_places(
    layout: Geometry, words: Words
) -> list[tuple[float, float, str, str]]:
    places = []
    x, y = 18.0, layout.height
    for sign, text in _legend_entries(layout, words):
        room = 34.0 + len(text) * _CHARACTER
        if x + room > layout.width and x > 18:
            x, y = 18.0, y + 24.0
        places.append((x, y, sign, text))
        x += room
    return places


def _legend_height(layout: Geometry, words: Words) -> float:
    return _legend_places(layout, words)[-1][1] - layout.height + 16.0


def _legend(layout: Geometry, words: Words) -> list[str]:
    return [
        tag("g", sign, transform=f"translate({x:g} {y:g})")
        + words_at(text, x + 16, y + 4)
        for x, y, sign, text in _legend_places(layout, words)
    ]


def _tip(mark: Mark, lines: tuple[str, ...], layout: Geometry) -> str:
    """Draw the place to point at or tab to, with the words that then appear."""
    shown = [shortened(line, 46) for line in lines if line != MISSING]
    width = max(len(line) for line in shown) * _CHARACTER + 16
    height = 17.0 * len(shown) + 10
    x = min(max(mark.x - width / 2, 2.0), max(layout.width - width - 2, 2.0))
    above = mark.y - height - 16
    y = above if above > 2 else mark.y + 16
    box = tag(
        "rect",
        x=round(x, 1),
        y=round(y, 1),
        width=round(width, 1),
        height=height,
        rx=4,
        fill="#16202b",
    )
    text = "".join(
        words_at(line, round(x + 8, 1), round(y + 19 + 17 * number, 1), fill="#ffffff")
        for number, line in enumerate(shown)
    )
    target = tag("circle", cx=mark.x, cy=mark.y, r=13, fill="#fff", fill_opacity=0)
    tip = tag("g", box + text, class_="tip", visibility="hidden", aria_hidden="true")
    return tag(
        "g",
        target + tip,
        class_="point",
        tabindex=0,
        role="img",
        aria_label=". ".join(shown),
    )
