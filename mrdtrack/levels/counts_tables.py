"""Counts tables of many samples, read as columns.

A table of a million rows is held as a few numbers a row; file models are made for one
sample at a time.
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import NDArray

from mrdtrack.counts import DenominatorKind, MarkerKind, MoleculeMode
from mrdtrack.errors import CountsError
from mrdtrack.levels.exact_bounds import FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

ROWS_AT_ONCE = 200_000
MOST_RATIO = 100
"""More than any marker can show beside a heterozygous one: 20 copies make 20."""
NEEDED = ("sample", "marker", "alt", "ref")
TEXTS = {
    "kind": "small_variant",
    "molecule_mode": "fragments",
    "denominator_kind": "molecules_at_locus",
    "error_class": "substitution",
    "assessable": "true",
    "reason": "",
    "reason_code": "",
    "role": "level",
    "group": "",
    "gene": "",
    "hgvs": "",
}
"""Text columns taken where present, and what stands for an absent or empty one."""
JOINT = ("group_alt", "group_ref", "group_ambiguous", "group_other")
"""The joint counts of a marker's group, which all its counted markers repeat."""
NUMBERS = ("alt", "ref", "ambiguous", "other", "denominator", "related", *JOINT)
MAY_LACK = ("denominator", "related", *JOINT)
"""Numbers that may be unknown though the marker is assessable."""
RATIO = "signal_ratio"
MOLECULES = ("molecules",)
BACKGROUND_NEEDED = ("error_class", "alt_molecules", "molecules")
_ALLOWED: dict[str, tuple[str, ...]] = {
    "kind": get_args(MarkerKind),
    "molecule_mode": get_args(MoleculeMode),
    "denominator_kind": get_args(DenominatorKind),
    "role": ("level", "report_only"),
    "assessable": ("true", "false"),
}


class Names:
    """Different texts of a column, each with a number, in order of appearance."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        """Return the number of a text, giving one to a new text."""
        if text not in self._numbers:
            self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return self._numbers[text]

    def numbers(self, column: pd.Series[str]) -> IntArray:
        """Return the numbers of a whole column."""
        codes, texts = column.factorize()
        own = np.array([self.number(_bare(str(text))) for text in texts], np.int64)
        result: IntArray = own[codes]
        return result


def _bare(text: str) -> str:
    """Take off the apostrophe that keeps a spreadsheet from reading a formula."""
    inert = text.startswith("'") and text[1:].lstrip()[:1] in ("=", "+", "-", "@")
    return text[1:] if inert else text


@dataclass(frozen=True, slots=True, kw_only=True)
class CountsTable:
    """Rows of counts as columns; -1 where a number is missing.

    `order` sorts rows by sample, `bounds` [samples + 1] are the samples' first rows in
    that order.
    """

    samples: list[str]
    markers: list[str]
    marker: IntArray
    numbers: dict[str, IntArray]
    texts: dict[str, tuple[list[str], IntArray]]
    ratio: FloatArray
    order: IntArray
    bounds: IntArray

    def rows(self, sample: int) -> IntArray:
        """Return the row numbers of one sample, in the order of the file."""
        return self.order[self.bounds[sample] : self.bounds[sample + 1]]

    def text(self, column: str, row: int) -> str:
        """Return the text of one cell, or what stands for an empty one."""
        texts, codes = self.texts[column]
        return texts[int(codes[row])] or TEXTS[column]

    def number(self, column: str, row: int) -> int | None:
        """Return the number of one cell, None where it is empty."""
        value = int(self.numbers[column][row])
        return None if value < 0 else value


def read_frames(
    path: Path, needed: Sequence[str]
) -> Iterator[tuple[int, pd.DataFrame]]:
    """Yield pieces of a TSV as text columns, each with the line of its first row."""
    import pandas as pd

    skipped = _comment_lines(path)
    line = skipped + 2
    try:
        with pd.read_csv(
            path,
            sep="\t",
            dtype=str,
            keep_default_na=False,
            na_filter=False,
            skiprows=skipped,
            chunksize=ROWS_AT_ONCE,
            quoting=csv.QUOTE_MINIMAL,
            encoding="utf-8",
            skip_blank_lines=False,
            index_col=False,
        ) as pieces:
            for frame in _whole_pieces(pieces):
                _require_columns(path, list(frame.columns), needed)
                yield line, frame
                line += len(frame)
    except (OSError, ValueError, pd.errors.ParserWarning) as fault:
        raise CountsError(
            str(path),
            f"cannot be read as a table ({_first_line(fault)})",
            "give a tab-separated table with one header line",
        ) from fault


def _whole_pieces(pieces: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Yield the pieces of a table; a row longer than its header is an error.

    pandas would leave its last cells out with no more than a warning.
    """
    import pandas as pd

    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = next(pieces, None)
        if frame is None:
            return
        yield frame


def _comment_lines(path: Path) -> int:
    """Return how many lines before the header start with ##."""
    skipped = 0
    try:
        with path.open("rb") as handle:
            for line in handle:
                if not line.startswith(b"##"):
                    break
                skipped += 1
    except OSError as fault:
        raise CountsError(
            str(path), f"cannot be opened ({fault.strerror})", "check the path"
        ) from fault
    return skipped


def _first_line(fault: Exception) -> str:
    return str(fault).strip().splitlines()[0] if str(fault).strip() else "empty"


def _require_columns(path: Path, columns: list[str], needed: Sequence[str]) -> None:
    missing = [name for name in needed if name not in columns]
    if missing:
        raise CountsError(
            str(path),
            f"the column {', '.join(missing)} is missing",
            f"give a tab-separated table with {', '.join(needed)}",
        )


def whole_numbers(
    path: Path, line: int, frame: pd.DataFrame, column: str, *, empty: bool
) -> IntArray:
    """Return a column as molecules; -1 for an empty cell where that may be."""
    import pandas as pd

    text = frame[column].str.strip()
    missing = (text == "").to_numpy() if empty else np.zeros(len(text), dtype=bool)
    values = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64)
    with np.errstate(invalid="ignore"):
        good = np.isfinite(values) & (values >= 0) & (values == np.floor(values))
        good &= values < 2.0**53
    wrong = np.flatnonzero(~good & ~missing)
    if len(wrong):
        row = int(wrong[0])
        raise CountsError(
            f"{path}, line {line + row}",
            f"{column} is {text.iloc[row]!r}, not a number of molecules",
            "write whole numbers of 0 or more",
        )
    result: IntArray = np.where(missing, -1.0, values).astype(np.int64)
    return result


def read_counts(paths: Sequence[Path]) -> CountsTable:
    """Read counts tables of one or many samples into one table of columns.

    Raises:
        CountsError: a column is missing, a number is none, a row stands twice.
    """
    reader = _CountsReader()
    for path in paths:
        for line, frame in read_frames(path, NEEDED):
            reader.take(path, line, frame)
    return reader.table(paths)


class _CountsReader:
    """Gathers pieces of tables as columns."""

    def __init__(self) -> None:
        self.names = {name: Names() for name in ("sample", "marker", *TEXTS)}
        self.columns: dict[str, list[NDArray[Any]]] = {
            name: [] for name in (*self.names, *NUMBERS, RATIO, "line", "file")
        }
        self.files = 0

    def take(self, path: Path, line: int, frame: pd.DataFrame) -> None:
        """Add one piece of one file."""
        size = len(frame)
        for name, texts in self.names.items():
            if name not in frame.columns:
                numbers = np.full(size, texts.number(""), dtype=np.int64)
            else:
                _check_texts(path, line, frame, name)
                numbers = texts.numbers(frame[name])
            self.columns[name].append(numbers.astype(np.int32))
        unassessable = (
            (frame["assessable"] == "false").any() if "assessable" in frame else False
        )
        for name in NUMBERS:
            if name not in frame.columns:
                filler = -1 if name in MAY_LACK else 0
                self.columns[name].append(np.full(size, filler, dtype=np.int64))
                continue
            may_lack = name in MAY_LACK or bool(unassessable)
            values = whole_numbers(path, line, frame, name, empty=may_lack)
            self.columns[name].append(values)
        self.columns[RATIO].append(_ratios(path, line, frame))
        self.columns["line"].append(np.arange(line, line + size, dtype=np.int64))

    def table(self, paths: Sequence[Path]) -> CountsTable:
        """Return all that was gathered, sorted by sample; refuse doubles."""
        joined = {
            name: np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
            for name, parts in self.columns.items()
            if name != "file"
        }
        sample, marker = joined["sample"], joined["marker"]
        where = ", ".join(str(path) for path in paths)
        if not len(sample):
            raise CountsError(where, "holds no row", "give a table with counts")
        self._refuse_doubles(where, joined)
        self._refuse_missing(where, joined)
        order = np.argsort(sample, kind="stable")
        count = len(self.names["sample"].texts)
        bounds = np.searchsorted(sample[order], np.arange(count + 1))
        return CountsTable(
            samples=self.names["sample"].texts,
            markers=self.names["marker"].texts,
            marker=marker,
            numbers={name: joined[name] for name in NUMBERS},
            texts={name: (self.names[name].texts, joined[name]) for name in TEXTS},
            ratio=joined[RATIO].astype(np.float64),
            order=order,
            bounds=bounds,
        )

    def _refuse_doubles(self, where: str, joined: dict[str, NDArray[Any]]) -> None:
        width = len(self.names["marker"].texts)
        key = joined["sample"].astype(np.int64) * width + joined["marker"]
        order = np.argsort(key, kind="stable")
        double = np.flatnonzero(key[order][1:] == key[order][:-1])
        if len(double):
            row = int(order[double + 1].min())
            sample = self.names["sample"].texts[int(joined["sample"][row])]
            marker = self.names["marker"].texts[int(joined["marker"][row])]
            raise CountsError(
                f"{where}, line {int(joined['line'][row])}",
                f"marker {marker!r} of sample {sample!r} stands twice",
                "give each marker of a sample once",
            )

    def _refuse_missing(self, where: str, joined: dict[str, NDArray[Any]]) -> None:
        """An assessable marker must have its counts."""
        texts, codes = self.names["assessable"].texts, joined["assessable"]
        closed = np.array([text == "false" for text in texts])[codes]
        lacking = np.zeros(len(codes), dtype=bool)
        for name in ("alt", "ref", "ambiguous", "other"):
            lacking |= joined[name] < 0
        wrong = np.flatnonzero(lacking & ~closed)
        if len(wrong):
            raise CountsError(
                f"{where}, line {int(joined['line'][wrong[0]])}",
                "a count is empty though the marker is assessable",
                "give the count, or assessable = false with a reason",
            )


def _check_texts(path: Path, line: int, frame: pd.DataFrame, name: str) -> None:
    if name in ("sample", "marker"):
        wrong = np.flatnonzero((frame[name].str.strip() == "").to_numpy())
        allowed = "a name"
    elif name in _ALLOWED:
        known = ("", *_ALLOWED[name])
        wrong = np.flatnonzero(~frame[name].isin(known).to_numpy())
        allowed = " or ".join(_ALLOWED[name])
    else:
        return
    if len(wrong):
        row = int(wrong[0])
        raise CountsError(
            f"{path}, line {line + row}",
            f"{name} is {frame[name].iloc[row]!r}",
            f"write {allowed}",
        )


def _ratios(path: Path, line: int, frame: pd.DataFrame) -> FloatArray:
    import pandas as pd

    if RATIO not in frame.columns:
        return np.ones(len(frame))
    text = frame[RATIO].str.strip()
    values = pd.to_numeric(text.where(text != "", "1"), errors="coerce").to_numpy()
    values = values.astype(np.float64)
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(~((values > 0) & (values <= MOST_RATIO)))
    if len(wrong):
        row = int(wrong[0])
        raise CountsError(
            f"{path}, line {line + row}",
            f"{RATIO} is {text.iloc[row]!r}",
            f"write a number above 0, and {MOST_RATIO} at most",
        )
    return values
