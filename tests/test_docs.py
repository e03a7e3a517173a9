"""Documentation that a test does not read goes stale; so here it is read."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from docs import write_files_reference, write_reference
from mrdtrack.cli import main
from mrdtrack.door import PROGRAM

COMMANDS = {
    context.command_path: context.command
    for context in write_reference.contexts(main, PROGRAM)
}


def pages(repository: Path) -> list[Path]:
    return [
        repository / "README.md",
        repository / "CONTRIBUTING.md",
        *sorted((repository / "docs").glob("*.md")),
    ]


def test_the_command_reference_is_what_help_prints(repository: Path) -> None:
    page = (repository / "docs" / "reference_cli.md").read_text()
    assert page == write_reference.reference(), "run `make docs`"


def test_the_reference_of_files_is_what_the_models_say() -> None:
    stale = [
        path.name
        for path, text in write_files_reference.files().items()
        if not path.is_file() or path.read_text() != text
    ]
    assert stale == [], "run `make docs`"


def test_no_schema_is_left_over(repository: Path) -> None:
    there = set((repository / "docs" / "schemas").iterdir())
    assert there <= set(write_files_reference.files())


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_option_has_help(path: str) -> None:
    command = COMMANDS[path]
    assert command.help
    silent = [
        param.name
        for param in command.params
        if isinstance(param, click.Option) and not param.help
    ]
    assert silent == []


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_is_told_in_the_guide_or_its_neighbours(
    path: str, repository: Path
) -> None:
    generated = {"reference_cli.md", "reference_files.md"}
    told = "".join(
        page.read_text() for page in pages(repository) if page.name not in generated
    )
    assert path in told


def shown_commands(repository: Path) -> list[tuple[str, str]]:
    """Command lines in console blocks, with the page that shows each."""
    found = []
    for page in pages(repository):
        for block in re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL):
            joined = block.replace("\\\n", " ")
            found += [
                (page.name, line[2:])
                for line in joined.splitlines()
                if line.startswith(f"$ {PROGRAM} ")
            ]
    return found


def test_every_command_line_shown_is_accepted(repository: Path) -> None:
    shown = shown_commands(repository)
    assert len(shown) > 5
    for page, line in shown:
        args = shlex.split(re.split(r" \| | 2>", line)[0], comments=True)[1:]
        command: click.Command = main
        while isinstance(command, click.Group) and args[0] in command.commands:
            command = command.commands[args.pop(0)]
        assert not isinstance(command, click.Group) or args == ["--help"], line
        try:
            command.make_context(PROGRAM, args)
        except click.UsageError as error:
            pytest.fail(f"{page}: {line}: {error.format_message()}")
        except click.exceptions.Exit:
            pass  # --help and --version do their work while they are parsed


def readme_session(repository: Path) -> list[tuple[str, str]]:
    """Each command of the README's session, with what it shows below it."""
    text = (repository / "README.md").read_text()
    (block,) = re.findall(r"-->\n\n```console\n(.*?)```", text, re.DOTALL)
    steps = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    command = re.compile(r"((?:[^\n]*\\\n)*[^\n]*)\n(.*)", re.DOTALL)
    whole = (command.fullmatch(step) for step in steps)
    return [(found[1], found[2]) for found in whole if found]


@pytest.mark.whole_samples
def test_the_session_of_the_readme_is_real(repository: Path, tmp_path: Path) -> None:
    steps = readme_session(repository)
    assert len(steps) == 2
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    plain = {"PATH": path, "NO_COLOR": "1", "COLUMNS": "80", "LC_ALL": "C.UTF-8"}
    for line, shown in steps:
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=tmp_path,
            env={**os.environ, **plain},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        assert done.stdout == shown


def test_links_lead_somewhere(repository: Path) -> None:
    broken = [
        f"{page.name}: {target}"
        for page in pages(repository)
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []
