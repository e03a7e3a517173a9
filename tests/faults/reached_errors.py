"""A plugin that notes which errors for users the tests reach.

After a run of the whole suite, errors that no test reached are named; with
MRDTRACK_EVERY_ERROR=1 they fail the run: a message nobody has read may be wrong, or
worse, a traceback.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import mrdtrack
from mrdtrack.errors import FaultList, InputError
from tests.faults.error_sites import Site, find_sites

PACKAGE = Path(mrdtrack.__file__).parent
KEY = "mrdtrack_errors_reached"

reached: set[tuple[str, int]] = set()
"""Module and line of every construction that was run."""


def note() -> None:
    """Note the line of the package that makes the error now being made."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename.endswith("errors.py"):
        frame = frame.f_back  # type: ignore[assignment]  # the loop ends at None
    if frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(PACKAGE):
            module = path.relative_to(PACKAGE).as_posix()
            reached.add((module, frame.f_lineno))


def unreached(lines: set[tuple[str, int]]) -> list[Site]:
    """List the sites of the package that none of these lines stands in."""
    return [
        site
        for site in find_sites(PACKAGE)
        if not any(
            module == site.module and site.first <= line <= site.last
            for module, line in lines
        )
    ]


def pytest_configure() -> None:
    """Begin to note."""
    for kind in (InputError, FaultList):
        _watch(kind)


def _watch(kind: type[InputError] | type[FaultList]) -> None:
    plain = kind.__init__

    def noting(self: object, *arguments: object, **named: object) -> None:
        note()
        plain(self, *arguments, **named)  # type: ignore[arg-type]  # as it was called

    kind.__init__ = noting  # type: ignore[method-assign]  # on purpose


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take what a worker of pytest-xdist noted."""
    told = getattr(node, "workeroutput", {}).get(KEY, [])
    reached.update((module, line) for module, line in told)


def demanded() -> bool:
    """Say whether every error must be reached."""
    return os.environ.get("MRDTRACK_EVERY_ERROR", "") == "1"


def _is_whole(config: pytest.Config) -> bool:
    """Say whether the whole suite was asked for."""
    options = config.option
    chosen = options.keyword or options.markexpr or getattr(options, "lf", False)
    whole = [str(path) for path in config.getini("testpaths")]
    return not chosen and list(config.args) == whole


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand over what was noted; or fail a whole run that left errors unread."""
    workers = getattr(session.config, "workeroutput", None)
    if workers is not None:
        workers[KEY] = sorted(reached)
    elif demanded() and _is_whole(session.config) and unreached(reached):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: object, config: pytest.Config) -> None:
    """Name the errors that no test reached."""
    if _is_whole(config):
        for site in unreached(reached):
            line = f"no test reaches the error at mrdtrack/{site.name}"
            terminalreporter.write_line(line)  # type: ignore[attr-defined]  # pytest's
