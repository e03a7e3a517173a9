"""Pages of the laboratory's reports: one HTML file each, no script, no network."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

TEMPLATES = resources.files("mrdtrack.lab") / "templates"


def lab_page(name: str, values: Mapping[str, object]) -> bytes:
    """Fill the template `name`.html.jinja; `drawing` marks finished SVG."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Drawings are finished markup whose texts mrdtrack.lab.plot has escaped.
    environment.filters["drawing"] = Markup
    environment.filters["level"] = _level
    source = (TEMPLATES / f"{name}.html.jinja").read_text(encoding="utf-8")
    style = (TEMPLATES / "lab.css").read_text(encoding="utf-8")
    filled = environment.from_string(source).render(style=Markup(style), **values)  # noqa: S704  (our own stylesheet)
    return filled.encode()


def _level(value: float | None) -> str:
    return "-" if value is None else f"{value:.2e}"
