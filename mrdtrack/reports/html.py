"""A view as one HTML file: no script, no network, nothing decided here."""

from __future__ import annotations

import functools
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from mrdtrack.reports.view import View

TEMPLATES = resources.files("mrdtrack.reports") / "templates"


def html(view: View) -> bytes:
    """Place a view on a page that reads on screen, phone and A4 paper."""
    style = Markup(_style() + _running(view))  # noqa: S704  (our own, and escaped)
    return _page().render(view=view, style=style).encode()


def _running(view: View) -> str:
    """Print patient, date and page count on each page of paper."""
    before, _, rest = view.page_of.partition("{page}")
    between, _, after = rest.partition("{pages}")
    count = (
        f"{_css_string(before)} counter(page) {_css_string(between)} "
        f"counter(pages) {_css_string(after)}"
    )
    return (
        "@page { font: 8pt Arial, sans-serif;"
        f" @bottom-left {{ content: {_css_string(view.running)}; }}"
        f" @bottom-right {{ content: {count}; }} }}\n"
    )


def _css_string(text: str) -> str:
    """Quote text for a stylesheet, with all but plain letters and digits escaped.

    Spaces too: one that follows an escape would be taken for its end.
    """
    return '"' + "".join(_css_character(character) for character in text) + '"'


def _css_character(character: str) -> str:
    plain = character.isascii() and character.isalnum()
    return character if plain else f"\\{ord(character):06x}"


@functools.cache
def _page() -> Template:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # The drawing is finished markup whose text chart_svg has escaped.
    environment.filters["drawing"] = Markup
    source = (TEMPLATES / "report.html.jinja").read_text(encoding="utf-8")
    return environment.from_string(source)


@functools.cache
def _style() -> str:
    return (TEMPLATES / "report.css").read_text(encoding="utf-8")
