"""A validation study: from levels of known samples to an assay's limits."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mrdtrack.errors import CountsError
from mrdtrack.lab.validation import (
    LEAST_LEVELS,
    Fit,
    LevelPrecision,
    Line,
    linearity,
    lob_of_lots,
    loq_by_cv,
    loq_by_total_error,
    parametric_lob,
    parametric_lod,
    precision,
    probit_lod,
)

DETECTED = frozenset({"quantified", "detected_below_loq"})
ADVISED_RESULTS = 60
LEVEL_COLUMNS = ("sample", "call", "level")
TRUTH_COLUMNS = ("sample", "true_level")


class KnownResult(NamedTuple):
    """One measured sample of known level (0: a blank) of a lot."""

    sample: str
    true_level: float
    level: float
    detected: bool
    lot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What a study says of an assay; None where it cannot tell."""

    blanks: int
    lots: int
    lob: float | None
    lob_parametric: float | None
    false_positives: int
    lod: Fit | None
    lod_parametric: float | None
    loq_cv: float | None
    loq_total_error: float | None
    line: Line | None
    levels: tuple[LevelPrecision, ...]
    warnings: tuple[str, ...]


def read_known(levels: Sequence[Path], truth: Path) -> list[KnownResult]:
    """Read levels tables and what is known of their samples (`sample`, `true_level`).

    Raises:
        CountsError: a column is missing, a number is none, a sample is unknown.
    """
    told = {
        row["sample"]: (_number(truth, row, "true_level"), row.get("lot") or "")
        for row in _rows(truth, TRUTH_COLUMNS)
    }
    results = []
    for path in levels:
        for row in _rows(path, LEVEL_COLUMNS):
            if row["sample"] not in told:
                raise CountsError(
                    str(path),
                    f"sample {row['sample']!r} is not in {truth.name}",
                    "give its true level there (0 for a blank)",
                )
            if row["call"] == "not_evaluable":
                continue
            true_level, lot = told[row["sample"]]
            results.append(
                KnownResult(
                    row["sample"],
                    true_level,
                    _number(path, row, "level"),
                    row["call"] in DETECTED,
                    lot,
                )
            )
    return results


def _rows(path: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle, delimiter="\t")
            columns = reader.fieldnames or []
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise CountsError(
            str(path), f"cannot be read ({fault})", "give a tab-separated table"
        ) from fault
    missing = [name for name in needed if name not in columns]
    if missing:
        raise CountsError(
            str(path),
            f"the column {', '.join(missing)} is missing",
            f"give a tab-separated table with {', '.join(needed)}",
        )
    return rows


def _number(path: Path, row: Mapping[str, str], column: str) -> float:
    try:
        value = float(row[column] or "nan")
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise CountsError(
            str(path),
            f"{column} of {row['sample']!r} is {row[column]!r}",
            "write a fraction from 0 to 1",
        )
    return value


def validated(
    results: Sequence[KnownResult], cv_goal: float = 0.3, error_goal: float = 0.7
) -> Validation:
    """Return the limits that blanks and dilutions tell.

    Raises:
        CountsError: there is no result at all.
    """
    if not results:
        raise CountsError("levels", "no sample could be evaluated", "give more results")
    blanks = [result for result in results if result.true_level == 0]
    positive = [result for result in results if result.true_level > 0]
    lots: dict[str, list[float]] = {}
    for blank in blanks:
        lots.setdefault(blank.lot, []).append(blank.level)
    lob = lob_of_lots(lots) if blanks else None
    lob_parametric = parametric_lob(list(lots.values())) if blanks else None
    by_level: dict[float, list[KnownResult]] = {}
    for result in positive:
        by_level.setdefault(result.true_level, []).append(result)
    rows = tuple(
        precision(level, [r.level for r in found], [r.detected for r in found])
        for level, found in sorted(by_level.items())
    )
    low = [[r.level for r in by_level[row.level]] for row in rows[:LEAST_LEVELS]]
    fit = probit_lod(
        [row.level for row in rows],
        [row.detected for row in rows],
        [row.replicates for row in rows],
    )
    return Validation(
        blanks=len(blanks),
        lots=len(lots),
        lob=lob,
        lob_parametric=lob_parametric,
        false_positives=sum(blank.detected for blank in blanks),
        lod=fit,
        lod_parametric=None if lob is None else parametric_lod(lob, low),
        loq_cv=loq_by_cv(rows, cv_goal),
        loq_total_error=loq_by_total_error(rows, error_goal),
        line=linearity([r.true_level for r in positive], [r.level for r in positive]),
        levels=rows,
        warnings=tuple(_warnings(blanks, positive, len(by_level), fit)),
    )


def _warnings(
    blanks: Sequence[KnownResult],
    positive: Sequence[KnownResult],
    levels: int,
    fit: Fit | None,
) -> list[str]:
    found = []
    for what, many in (("blank", len(blanks)), ("low-level", len(positive))):
        if many < ADVISED_RESULTS:
            found.append(
                f"EP17-A2 asks for {ADVISED_RESULTS} {what} results or more; there are "
                f"{many}."
            )
    if levels < LEAST_LEVELS:
        found.append(
            f"A probit limit of detection needs {LEAST_LEVELS} levels or more; there "
            f"are {levels}."
        )
    if fit is None:
        found.append("The hits do not tell a limit of detection: it is not reached.")
    elif fit.p_fit < 0.05:
        found.append(f"The probit model fits badly (p = {fit.p_fit:.2g}).")
    return found
