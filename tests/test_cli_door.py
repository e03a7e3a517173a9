"""The door: a mistake is one line with an exit code, a bug is a traceback."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable

import click
import pytest
from click.testing import CliRunner, Result

from mrdtrack.door import PROGRAM, Door, debug_option
from mrdtrack.errors import FaultList, InputError, PanelError, one_line

MISTAKE = PanelError("panel.toml: line 3", "alt is empty", "give its bases")


def build(action: Callable[[], None]) -> Door:
    """A program with `run`, `panel check` and one option each."""

    @click.group(PROGRAM, cls=Door, params=[debug_option()])
    def program() -> None:
        """Do things."""

    @program.command()
    @click.option("--times", type=click.IntRange(1))
    def run(times: int | None) -> None:
        """Run."""
        action()

    @program.group()
    def panel() -> None:
        """Tend the panel."""

    @panel.command()
    def check() -> None:
        """Check."""
        action()

    assert isinstance(program, Door)
    return program


def call(action: Callable[[], None] | BaseException, *args: str) -> Result:
    def act() -> None:
        if isinstance(action, BaseException):
            raise action
        action()

    return CliRunner().invoke(build(act), args, prog_name=PROGRAM)


@pytest.mark.parametrize(
    ("args", "name"),
    [(["run"], "mrdtrack run"), (["panel", "check"], "mrdtrack panel check")],
)
def test_a_mistake_is_one_line_that_names_the_command(
    args: list[str], name: str
) -> None:
    result = call(MISTAKE, *args)
    assert result.exit_code == 1
    assert result.stdout == ""
    expected = f"{name}: error: panel.toml: line 3: alt is empty; give its bases\n"
    assert result.stderr == expected


def test_all_faults_of_a_file_are_one_line() -> None:
    faults = FaultList("p.toml", ["marker 1: no id", "marker 2: no alt"], "mend them")
    result = call(faults, "run")
    assert result.stderr == (
        "mrdtrack run: error: p.toml: marker 1: no id; marker 2: no alt; mend them\n"
    )


def test_line_breaks_and_controls_are_made_visible() -> None:
    result = call(InputError("a\nb\x1b[31m.bam", "is\rodd", "rename\u2028it"), "run")
    assert result.stderr == (
        "mrdtrack run: error: a\\nb\\x1b[31m.bam: is\\rodd; rename\\u2028it\n"
    )


@pytest.mark.parametrize("text", ["naïve 10⁻⁵ « LoD »", "plain", ""])
def test_readable_text_stays_as_it_is(text: str) -> None:
    assert one_line(text) == text


def test_bytes_of_a_name_that_are_no_text_are_made_visible() -> None:
    assert one_line("\udcff.bam") == "\\udcff.bam"


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.ENOENT, "check the path"),
        (errno.EACCES, "check who may read and write it"),
        (errno.EISDIR, "name a file, not a folder"),
        (errno.ENOSPC, "free some space on the disk"),
        (errno.EIO, "run again with --debug to see where"),
    ],
)
def test_an_error_of_the_machine_has_its_remedy(code: int, remedy: str) -> None:
    result = call(OSError(code, os.strerror(code), "x.bam"), "run")
    assert result.exit_code == 1
    said = os.strerror(code)
    assert result.stderr == (
        f"mrdtrack run: error: x.bam: {said[0].lower()}{said[1:]}; {remedy}\n"
    )


def test_an_error_of_the_machine_may_name_no_file() -> None:
    result = call(OSError("truncated file"), "run")
    assert result.stderr == (
        "mrdtrack run: error: input or output: truncated file; "
        "run again with --debug to see where\n"
    )


@pytest.mark.parametrize("bug", [ZeroDivisionError("planted"), ValueError("planted")])
def test_a_bug_is_not_hidden(bug: Exception) -> None:
    result = call(bug, "run")
    assert result.exception is bug
    assert "error:" not in result.stderr


@pytest.mark.parametrize(
    "args", [["--debug", "run"], ["run", "--debug"], ["panel", "check", "--debug"]]
)
def test_debug_adds_the_traceback(args: list[str]) -> None:
    result = call(MISTAKE, *args)
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert "PanelError" in result.stderr
    assert result.stderr.count(": error: ") == 1


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (["run", "--tims", "2"], "mrdtrack run: error: No such option '--tims'."),
        (["run", "--times", "0"], "mrdtrack run: error: Invalid value for '--times'"),
        (["run", "--time", "1"], "mrdtrack run: error: No such option '--time'."),
        (["walk"], "mrdtrack: error: No such command 'walk'"),
        (["panel", "walk"], "mrdtrack panel: error: No such command 'walk'"),
        (["--walk"], "mrdtrack: error: No such option '--walk'"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_2(
    args: list[str], line: str
) -> None:
    result = call(MISTAKE, *args)
    assert result.exit_code == 2
    assert result.stderr.startswith(line)
    assert result.stderr.count("\n") == 1
    assert "--help`" in result.stderr


@pytest.mark.parametrize("args", [[], ["panel"]])
def test_a_bare_group_shows_its_commands_and_exits_2(args: list[str]) -> None:
    result = call(MISTAKE, *args)
    assert result.exit_code == 2
    assert "Usage:" in result.output


def test_an_interruption_is_exit_130() -> None:
    result = call(KeyboardInterrupt(), "run")
    assert result.exit_code == 130
    assert result.stderr == "mrdtrack run: interrupted\n"


def test_commands_stand_in_the_order_they_were_added() -> None:
    result = call(MISTAKE, "--help")
    assert result.stdout.index("  run ") < result.stdout.index("  panel ")


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_that_leaves_is_no_news(lines: int) -> None:
    script = (
        "import click\n"
        "from mrdtrack.door import Door\n"
        "@click.group(cls=Door)\n"
        "def program(): 'x'\n"
        "@program.command()\n"
        "def run():\n"
        "    'x'\n"
        f"    for _ in range({lines}): click.echo('x' * 100)\n"
        "program(['run'], 'mrdtrack')\n"
    )
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", script],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(writer)
    assert done.returncode == 1
    assert done.stderr == b""
