"""One trial: change, read, judge."""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import NamedTuple

from fuzzing.cases import Case, Draw, Given, Kind, Value
from fuzzing.changes import seeded
from fuzzing.seeds import Seeds
from mrdtrack.errors import FaultList, InputError, MrdtrackError

REFUSED, EQUAL, EXPLAINED, FAULT = "refused", "equal", "explained", "fault"
MOST_GROWN = 300
Right = dict[tuple[str, str], Value]

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|\([^)]*\)")
_NUMBERS = re.compile(r"[\d.,e+-]*\d[\d.,e+-]*")


class Trial(NamedTuple):
    """What became of one changed file; `detail` is a sentence or what went wrong."""

    number: int
    kind: str
    outcome: str
    seconds: float
    detail: str


class Bench(NamedTuple):
    """What trials share.

    `folder` is emptied for each; `right` are the results of the right files, by kind
    and `Case.seed`; `grown` are changed files that led to sentences not read before, by
    kind and sentence.
    """

    seeds: Seeds
    folder: Path
    right: Right
    grown: dict[str, dict[str, bytes]]


def template_of(sentence: str) -> str:
    """Strip a sentence of names and numbers: what is left is its place in the code."""
    bare = _NUMBERS.sub("9", _QUOTED.sub("''", sentence))
    return bare.split(": ", 1)[-1][:70]


def run_trial(number: int, kind: Kind, bench: Bench) -> Trial:
    """Change a file, read it, and judge; the number alone draws the change."""
    mine = bench.grown.setdefault(kind.name, {})
    case = kind.change(Draw(bench.seeds, seeded(number), list(mine.values())))
    write_case(bench.folder, case)
    started = time.monotonic()
    outcome, detail = judge(kind, bench, case)
    seconds = time.monotonic() - started
    if case.grow and detail and outcome != FAULT:
        template = template_of(detail)
        if template not in mine and len(mine) < MOST_GROWN:
            mine[template] = case.files[case.main][:200_000]
    return Trial(number, kind.name, outcome, seconds, detail)


def write_case(folder: Path, case: Case) -> None:
    """Write the files of a trial into an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "tmp").mkdir(parents=True)
    for name, content in case.files.items():
        (folder / name).write_bytes(content)


def judge(kind: Kind, bench: Bench, case: Case) -> tuple[str, str]:
    """Read the files of a trial; say what came of it."""
    folder = bench.folder
    try:
        value = kind.read(Given(bench.seeds, folder, case))
    except MrdtrackError as error:
        fault = _bad_refusal(error) or _left_behind(folder, case, refused=True)
        return (FAULT, fault) if fault else (REFUSED, _problem(error))
    except Exception as error:
        where = _innermost(error)
        return FAULT, f"{type(error).__name__} in {where}: {str(error)[:300]}"
    fault = _left_behind(folder, case, refused=False)
    if fault:
        return FAULT, fault
    return _compare(value, bench.right.get((kind.name, case.seed)), case)


def _compare(value: Value, expected: Value | None, case: Case) -> tuple[str, str]:
    allowance = case.allowance
    if value[1:2] == (True,):
        allowance, value = case.warned, (value[0], False, *value[2:])
    if value == expected:
        return EQUAL, ""
    if allowance is None or expected is None:
        return EXPLAINED, ""
    if allowance == 0:
        return FAULT, f"silently another result: {difference(expected, value)}"
    moved = distance(expected, value)
    if moved is not None and moved > allowance:
        return FAULT, (
            f"counts moved by {moved}, which {allowance} would explain: "
            f"{difference(expected, value)}"
        )
    return EXPLAINED, ""


def distance(one: Value, other: Value) -> int | None:
    """Add up how far counts lie apart; None where they cannot be compared.

    Another molecule mode is printed with the result and counts something else.
    """
    if len(one) != len(other) or one[:2] != other[:2]:
        return None
    total = 0
    for left, right in zip(one[2:], other[2:], strict=True):
        if isinstance(left, int) and isinstance(right, int):
            total += abs(left - right)
        elif left != right:
            return None
    return total


def difference(one: Value, other: Value) -> str:
    """Show the first parts that differ."""
    shown = [
        f"{str(left)[:80]!r} became {str(right)[:80]!r}"
        for left, right in zip(one, other, strict=False)
        if left != right
    ]
    return "; ".join(shown[:4]) or f"{len(one)} parts became {len(other)}"


def _problem(error: MrdtrackError) -> str:
    if isinstance(error, InputError):
        return f"{type(error).__name__}: {error.problem}"
    if isinstance(error, FaultList):
        return f"{type(error).__name__}: {error.faults[0].split(': ', 1)[-1]}"
    return str(error)


def _bad_refusal(error: MrdtrackError) -> str:
    """See that a refusal says where, what and what to do."""
    if isinstance(error, InputError | FaultList):
        told = error.problem if isinstance(error, InputError) else error.faults
        if not (error.where and told and error.remedy):
            return f"a refusal without place, problem or remedy: {error}"
        if len(str(error)) > 20_000:
            return f"a refusal of {len(str(error))} characters"
        return ""
    return f"a refusal without a remedy: {error}"


def _left_behind(folder: Path, case: Case, *, refused: bool) -> str:
    """Find files that should not be there."""
    names = {path.name for path in folder.iterdir()}
    allowed = {*case.files, "tmp"} | (set() if refused else {"out"})
    extra = sorted(names - allowed)
    extra += [f"tmp/{path.name}" for path in (folder / "tmp").iterdir()]
    if "out" in names and not refused:
        extra += [p.name for p in (folder / "out").iterdir() if p.name[:1] == "."]
    return f"left behind: {', '.join(extra)}" if extra else ""


def _innermost(error: BaseException) -> str:
    trace = error.__traceback__
    where = "?"
    while trace is not None:
        code = trace.tb_frame.f_code
        where = f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}"
        trace = trace.tb_next
    return where
