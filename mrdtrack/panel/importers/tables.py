"""Tables as laboratories send them: tabs, commas or semicolons, marks and line ends."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from mrdtrack.errors import PanelError
from mrdtrack.panel.importers.outcome import Fault, shortened

MAX_BYTES = 500_000_000
MAX_FIELD = 1_000_000


class Row(NamedTuple):
    """One line: its number, and its cells by column name in lower case."""

    line: int
    cells: Mapping[str, str]

    @property
    def where(self) -> str:
        """Name the line in a message."""
        return f"line {self.line}"

    def first(self, *columns: str) -> str:
        """Give the first of the columns that is there and not empty, else ''."""
        for column in columns:
            value = self.cells.get(column, "").strip()
            if value and value.lower() not in {"na", "nan", "none", "null", "."}:
                return value
        return ""


class Table(NamedTuple):
    """A table's columns, in lower case, and its rows."""

    columns: tuple[str, ...]
    rows: list[Row]


def read_text(path: Path) -> str:
    """Read a text file, gzip-compressed or plain, without its byte-order mark.

    Raises:
        PanelError: it is a folder, empty, too large, damaged or not UTF-8.
    """
    if path.is_dir():
        raise PanelError(str(path), "this is a folder", "name a file")
    raw = _bytes(path)
    if not raw.strip():
        raise PanelError(str(path), "the file is empty", "name a file with markers")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise PanelError(
            f"{path}:{line}", "the text is not UTF-8", "save the file as UTF-8"
        ) from None


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            if compressed:
                with gzip.open(file) as inner:
                    raw = inner.read(MAX_BYTES + 1)
            else:
                raw = file.read(MAX_BYTES + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise PanelError(
                str(path),
                f"the compressed data is damaged ({error})",
                "fetch the file anew",
            ) from None
    if len(raw) > MAX_BYTES:
        raise PanelError(
            str(path),
            f"it is larger than {MAX_BYTES} bytes",
            "name a table of the patient's own markers",
        )
    return raw


def read_table(path: Path, text: str | None = None) -> Table:
    """Read a table with a header line.

    Raises:
        PanelError: it has no header or cannot be split into cells.
    """
    text = read_text(path) if text is None else text
    lines = list(_cells(path, text))
    if not lines:
        raise PanelError(str(path), "the file is empty", "name a file with markers")
    _, header = lines[0]
    columns = tuple(column_name(cell) for cell in header)
    repeated = sorted({c for c in columns if c and columns.count(c) > 1})
    if repeated:
        raise PanelError(
            str(path), f"column {repeated[0]!r} stands twice", "name each column once"
        )
    rows = []
    for number, cells in lines[1:]:
        if any(cell.strip() for cell in cells[len(columns) :]):
            raise PanelError(
                f"{path}:{number}",
                f"the line has {len(cells)} cells for {len(columns)} columns",
                "give the line as many cells as the header",
            )
        if any(cell.strip() for cell in cells):
            rows.append(Row(number, dict(zip(columns, cells, strict=False))))
    return Table(columns, rows)


def _cells(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    body = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    n_skipped = 0
    while body.startswith("##"):
        _, _, body = body.partition("\n")
        n_skipped += 1
    head = body.partition("\n")[0]
    delimiter = max("\t;,", key=head.count)
    csv.field_size_limit(MAX_FIELD)
    reader = csv.reader(io.StringIO(body), delimiter=delimiter)
    try:
        for cells in reader:
            if cells:
                yield reader.line_num + n_skipped, cells
    except csv.Error as error:
        raise PanelError(
            f"{path}:{reader.line_num + n_skipped}",
            f"the line cannot be split into cells ({error})",
            "save the table as plain tab- or comma-separated text",
        ) from None


def column_name(text: str) -> str:
    """Give a column's name as it is looked up: lower case, no leading `#`."""
    return text.strip().lstrip("#").strip().lower()


def whole_number(text: str, what: str) -> int:
    """Read a whole number.

    Raises:
        Fault: it is none.
    """
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Fault(f"{what} {shortened(text)!r} is no whole number")
    return int(text)


def number(text: str) -> float | None:
    """Read a number, percent signs and decimal commas included; None where none is."""
    percent = text.endswith("%")
    try:
        value = float(text.removesuffix("%").strip().replace(",", "."))
    except ValueError:
        return None
    if not abs(value) < float("inf"):
        return None
    return value / 100 if percent else value
