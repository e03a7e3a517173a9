"""Tests that count whole samples run compiled, also where the suite is plain Python.

What kernels count in seconds takes plain Python hours. Under NUMBA_DISABLE_JIT=1 such
a test runs in a process of its own without that setting, and its outcome is taken.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Literal

import pytest

from mrdtrack.kernels._compile import jit_is_disabled

MARKER = "whole_samples"


def compiled_environment() -> dict[str, str]:
    """Give the environment without the wish for plain Python."""
    return {k: v for k, v in os.environ.items() if k != "NUMBA_DISABLE_JIT"}


def runs_apart(item: pytest.Item) -> bool:
    """Tell whether a test must have a process of its own."""
    return jit_is_disabled() and item.get_closest_marker(MARKER) is not None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(
    item: pytest.Item, nextitem: pytest.Item | None
) -> bool | None:
    """Run a test of whole samples apart, where the suite is plain Python."""
    if not runs_apart(item):
        return None
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    hook.pytest_runtest_logreport(report=report_of(item))
    # The test before left standing what it shares with this one: no more than the next
    # one shares may stay. There is no public way to say so.
    item.session._setupstate.teardown_exact(nextitem)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def report_of(item: pytest.Item) -> pytest.TestReport:
    """Run one test compiled; a skip is a skip here too."""
    pytest_alone = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*pytest_alone, item.nodeid],
        cwd=item.config.rootpath,
        env=compiled_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    path, line, name = item.location
    told = done.stdout + done.stderr
    last = done.stdout.rstrip().rpartition("\n")[2]
    outcome: Literal["passed", "failed", "skipped"] = "failed"
    why: tuple[str, int, str] | str | None = told
    if done.returncode == 0 and "skipped" in last:
        outcome, why = "skipped", (path, line or 0, told)
    elif done.returncode == 0:
        outcome, why = "passed", None
    return pytest.TestReport(
        item.nodeid, (path, line, name), {name: 1}, outcome, why, "call"
    )
