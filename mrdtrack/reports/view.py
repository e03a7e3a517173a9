"""The view-model: finished strings in order, ready to be placed.

Every format (HTML, PDF, terminal) places these and decides nothing: which facts, in
which words, in which order and which tone is settled when a view is composed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mrdtrack.reports.words import Language

Tone = Literal["alert", "watch", "calm", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A finished string.

    `language` is set where it is not the page's own. `value` is the exact number of
    the JSON that the string shows. `link` is an address to follow. `keep` asks for one
    line where there is room.
    """

    text: str
    language: Language | None = None
    tone: Tone = "none"
    value: str | None = None
    link: str | None = None
    keep: bool = False

    @property
    def missing(self) -> bool:
        """Whether it only says that there is nothing to say."""
        return self.text == "\u2013"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A label and what it says."""

    label: str
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """One paragraph."""

    text: Text
    block: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A list of labels and what they say, under an optional heading."""

    facts: tuple[Fact, ...]
    heading: str = ""
    block: Literal["facts"] = "facts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """A list of sentences."""

    notes: tuple[Text, ...]
    heading: str = ""
    block: Literal["notes"] = "notes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column's head; numbers stand to the right, `wide` columns get more room."""

    title: str
    numeric: bool = False
    wide: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; the first cell of each row names the row."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Text, ...], ...]
    block: Literal["table"] = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagCard:
    """One flag: what to discuss, and all that it rests on."""

    title: str
    tone: Tone
    lines: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """Flags, under an optional heading."""

    cards: tuple[FlagCard, ...]
    heading: str = ""
    block: Literal["flags"] = "flags"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A drawing in two widths, with its caption; the SVG is finished markup."""

    caption: str
    wide: str
    narrow: str
    description: str
    block: Literal["figure"] = "figure"


Block = Paragraph | Facts | Notes | Table | Flags | Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the report under its heading."""

    name: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A whole report.

    `headline` is the answer in one line, `headline_more` what belongs right under it.
    `running` stands on every printed page, `page_of` is its page count with `{page}`
    and `{pages}` left in. `date` is the ISO date of the newest fact.
    """

    language: Language
    title: str
    tone: Tone
    headline: str
    headline_more: tuple[Text, ...]
    identity: tuple[Fact, ...]
    sections: tuple[Section, ...]
    running: str
    page_of: str
    date: str
    patient: str
    skip: str
