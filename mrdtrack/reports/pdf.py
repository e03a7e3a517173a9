"""A view as PDF, by typst: PDF/A-3a and PDF/UA-1, the results attached.

The same view gives the same bytes: the fonts are those inside typst, the document's
date is that of its newest visit, and nothing of the machine goes in.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

from mrdtrack.errors import OutputError
from mrdtrack.reports.view import View

_NOT_IN_FONTS = re.compile(
    "[^\n\u0020-\u007e\u00a0-\u017f\u0391-\u03a1\u03a3-\u03c9\u0410-\u044f"
    "\u2010-\u2027\u202f\u2030\u2070-\u2079\u2080-\u2089\u207b\u20ac\u2212\u2264\u2265]"
)
_TEMPLATE = resources.files("mrdtrack.reports") / "templates" / "report.typ"


def pdf(view: View, attached: tuple[str, bytes] | None = None) -> bytes:
    """Place a view on A4 pages; `attached` is a name and a JSON to put inside.

    Raises:
        OutputError: typst is not installed.
    """
    try:
        import typst
    except ImportError as missing:
        raise OutputError(
            "PDF",
            "it needs typst, which is not installed",
            'install it with pip install "mrdtrack[pdf]"',
        ) from missing
    name, content = attached or ("", b"")
    files = {
        "main.typ": _TEMPLATE.read_bytes(),
        "view.json": _showable(json.dumps(_content(view), ensure_ascii=False)),
        "attached.json": content,
        **_drawings(view),
    }
    with TemporaryDirectory(prefix="mrdtrack-") as folder:
        for file_name, file_content in files.items():
            Path(folder, file_name).write_bytes(file_content)
        return typst.compile(
            Path(folder, "main.typ"),
            root=Path(folder),
            format="pdf",
            ignore_system_fonts=True,
            pdf_standards=["ua-1", "a-3a"],
            sys_inputs={"attached": name},
            timestamp=_timestamp(view.date),
        )


def _content(view: View) -> dict[str, object]:
    content = asdict(view)
    for section in content["sections"]:
        for block in section["blocks"]:
            block.pop("wide", None)
            block.pop("narrow", None)
    return content


def _drawings(view: View) -> dict[str, bytes]:
    """Give the drawings by name, in order of the sections: `figure-1.svg`."""
    drawings = [
        block.wide
        for section in view.sections
        for block in section.blocks
        if block.block == "figure"
    ]
    return {
        f"figure-{number}.svg": _showable(drawing)
        for number, drawing in enumerate(drawings, start=1)
    }


def _showable(text: str) -> bytes:
    """Write out what the fonts inside typst lack: their text must be whole in a PDF/A.

    They hold Latin, Greek, Cyrillic, punctuation, superscripts and the signs used here.
    """
    return _NOT_IN_FONTS.sub(lambda hit: f"[U+{ord(hit[0]):04X}]", text).encode()


def _timestamp(day: str) -> int:
    if not day:
        return 0
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
