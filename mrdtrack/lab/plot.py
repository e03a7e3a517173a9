"""Plots of the laboratory's reports as SVG: lines and points on logarithmic axes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np

WIDTH, HEIGHT, MARGIN = 640, 400, 64
COLOURS = ("#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#b9770e", "#34495e", "#0e7c7b")


class Series(NamedTuple):
    """One line or cloud of points, with the name that stands in the key."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    points: bool = False


class Axes(NamedTuple):
    """Titles of the axes; `y_linear`: the y axis runs from 0 to 1."""

    x: str
    y: str
    y_linear: bool = False


def log_plot(series: Sequence[Series], axes: Axes) -> str:
    """Draw series on a logarithmic x axis."""
    xs = [x for line in series for x in line.x if x > 0]
    ys = [y for line in series for y in line.y if y > 0]
    x_low, x_high = _decades(xs)
    y_low, y_high = (0.0, 1.0) if axes.y_linear else _decades(ys)

    def place(x: float, y: float) -> tuple[float, float]:
        right = (np.log10(x) - x_low) / (x_high - x_low)
        height = y if axes.y_linear else (np.log10(y) - y_low) / (y_high - y_low)
        return (
            MARGIN + float(right) * (WIDTH - 2 * MARGIN),
            HEIGHT - MARGIN - float(height) * (HEIGHT - 2 * MARGIN),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img" aria-label="{escape(axes.y)} against {escape(axes.x)}">'
    ]
    parts += _grid((x_low, x_high), (y_low, y_high), axes)
    for number, line in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        shown = [
            place(x, y)
            for x, y in zip(line.x, line.y, strict=True)
            if x > 0 and (axes.y_linear or y > 0)
        ]
        parts += _drawn(shown, colour, points=line.points)
        top = MARGIN + 16 * number
        parts.append(
            f'<rect x="{WIDTH - MARGIN + 4}" y="{top - 8}" width="8" height="8" '
            f'fill="{colour}"/><text x="{WIDTH - MARGIN + 15}" y="{top}">'
            f"{escape(line.name)}</text>"
        )
    return "\n".join([*parts, "</svg>"])


def _decades(values: Sequence[float]) -> tuple[float, float]:
    if not values:
        return -6.0, 0.0
    low, high = np.floor(np.log10(min(values))), np.ceil(np.log10(max(values)))
    return float(low), float(max(high, low + 1))


def _drawn(
    places: Sequence[tuple[float, float]], colour: str, *, points: bool
) -> list[str]:
    if points:
        return [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
            for x, y in places
        ]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    ]


def _grid(
    x_range: tuple[float, float], y_range: tuple[float, float], axes: Axes
) -> list[str]:
    bottom, top, left, right = HEIGHT - MARGIN, MARGIN, MARGIN, WIDTH - MARGIN
    parts = []
    for decade in np.arange(x_range[0], x_range[1] + 0.5):
        x = left + (decade - x_range[0]) / (x_range[1] - x_range[0]) * (right - left)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}" stroke="#ddd"/>'
            f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">'
            f"{_number(float(decade))}</text>"
        )
    steps = (
        np.arange(0, 1.01, 0.25)
        if axes.y_linear
        else np.arange(y_range[0], y_range[1] + 0.5)
    )
    for step in steps:
        share = (step - y_range[0]) / (y_range[1] - y_range[0])
        y = bottom - share * (bottom - top)
        said = f"{step:.0%}" if axes.y_linear else _number(float(step))
        parts.append(
            f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
            f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{said}</text>'
        )
    parts.append(
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 20}" text-anchor="middle">'
        f"{escape(axes.x)}</text>"
        f'<text x="16" y="{HEIGHT / 2}" text-anchor="middle" '
        f'transform="rotate(-90 16 {HEIGHT / 2})">{escape(axes.y)}</text>'
    )
    return parts


def _number(decade: float) -> str:
    if -1 <= decade <= 4:
        return f"{10.0**decade:g}"
    return f"10<tspan dy='-4' font-size='9'>{decade:.0f}</tspan>"
