"""Asking for help is quick, since nothing heavy is imported for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("numpy", "pandas", "numba", "scipy", "pydantic", "pysam", "rich", "jinja2")
HELP_SECONDS = 0.15

LISTING = (
    "import json, sys\n"
    "from mrdtrack.cli import main\n"
    "try:\n"
    "    main({args!r}, 'mrdtrack')\n"
    "except SystemExit as leave:\n"
    "    print('\\n' + json.dumps([leave.code, sorted(sys.modules)]))\n"
)


@pytest.mark.parametrize(
    "args",
    [
        ["--help"],
        ["--version"],
        ["quantify", "--help"],
        ["panel", "check", "--help"],
        ["quantify", "--no-such-option"],
    ],
)
def test_help_and_version_import_nothing_heavy(args: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LISTING.format(args=args)],
        capture_output=True,
        text=True,
        check=True,
    )
    code, modules = json.loads(done.stdout.splitlines()[-1])
    assert code == (2 if "--no-such-option" in args else 0)
    assert "mrdtrack.cli" in modules
    assert [name for name in HEAVY if name in modules] == []


def cpu_seconds(args: list[str]) -> float:
    """CPU of one run in a process of its own, its start included."""
    before = os.times()
    subprocess.run(args, capture_output=True, check=True)
    after = os.times()
    return (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )


def test_help_costs_little() -> None:
    command = [sys.executable, "-m", "mrdtrack", "--help"]
    best = min(cpu_seconds(command) for _ in range(7))
    assert 0 < best < HELP_SECONDS


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-m", "mrdtrack"],
        [str(Path(sys.executable).with_name("mrdtrack"))],
    ],
    ids=["module", "script"],
)
def test_the_version_is_one_line_on_stdout(command: list[str]) -> None:
    done = subprocess.run(
        [*command, "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "mrdtrack 0.1.0\n"
    assert done.stderr == ""
