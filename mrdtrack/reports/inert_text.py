"""Text from input files, made harmless for tables, terminals and pages."""

from __future__ import annotations

import re
from functools import lru_cache

# Control characters, line and paragraph separators, marks that turn the writing
# direction, lone surrogates, the byte-order mark.
_UNSEEN = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb]"
)
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}
# What a spreadsheet takes for the start of a formula, full-width forms included.
_FORMULA_STARTS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")

_HARMLESS = re.compile(r"[+-][0-9]+|=")


def visible(text: str) -> str:
    r"""Write unseen characters out: a tab as ``\t``, any other as ``\u202e``."""
    return _UNSEEN.sub(lambda hit: _NAMED.get(hit[0], f"\\u{ord(hit[0]):04x}"), text)


@lru_cache(maxsize=4096)
def inert_cell(text: str) -> str:
    """Make text safe as a cell of a table that a spreadsheet may open.

    Unseen characters are written out, and what would start a formula gets an
    apostrophe in front. A signed number (the `+1` of an indel class) is none, nor is
    the bare `=` of a relation.
    """
    shown = visible(text)
    if _HARMLESS.fullmatch(shown):
        return shown
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA_STARTS) else shown


def shortened(text: str, most: int) -> str:
    """Cut text for display to at most so many characters, with an ellipsis."""
    shown = visible(text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def escaped_json(text: str) -> str:
    """Escape the unseen characters of finished JSON that are still bare.

    They can stand inside strings alone there; line breaks between the values stay.
    """
    return _UNSEEN.sub(
        lambda hit: "\n" if hit[0] == "\n" else f"\\u{ord(hit[0]):04x}", text
    )
