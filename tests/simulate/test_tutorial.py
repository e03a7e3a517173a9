"""The tutorial as a new user runs it, and guides whose commands are accepted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from mrdtrack.cli import main
from mrdtrack.door import PROGRAM

pytestmark = pytest.mark.whole_samples


def command_lines(page: Path) -> Iterator[list[str]]:
    """Give the words of every command in the page's console blocks."""
    for block in re.findall(r"```console\n(.*?)```", page.read_text("utf-8"), re.S):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith(f"$ {PROGRAM} "):
                yield shlex.split(line)[2:]


def test_the_tutorial_runs_from_an_empty_folder(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = list(command_lines(repository / "docs" / "tutorial.md"))
    assert len(lines) > 6
    for words in lines:
        result = CliRunner().invoke(main, words, prog_name=PROGRAM)
        assert result.exit_code == 0, (words, result.output)
    for name in (
        "demo/DEMO-AML.timeline.html",
        "results/DX.counts.tsv",
        "results/EOC.mrd.json",
        "report/DEMO-AML.timeline.html",
    ):
        assert (tmp_path / name).is_file()
    assert '"not_detected"' in (tmp_path / "results" / "EOC.mrd.json").read_text(
        "utf-8"
    )


def guides() -> list[Path]:
    folder = Path(__file__).resolve().parents[2] / "docs" / "guides"
    return sorted(folder.glob("*.md"))


@pytest.mark.parametrize("page", guides(), ids=lambda page: str(page.stem))
def test_every_command_of_a_guide_is_accepted(page: Path) -> None:
    lines = list(command_lines(page))
    assert lines
    for words in lines:
        command: click.Command = main
        rest = list(words)
        while isinstance(command, click.Group):
            assert rest[0] in command.commands, words
            command = command.commands[rest.pop(0)]
        try:
            command.make_context(PROGRAM, rest)
        except click.UsageError as error:
            pytest.fail(f"{words}: {error.format_message()}")
        except click.exceptions.Exit:
            pass


def test_links_of_guides_lead_somewhere(repository: Path) -> None:
    docs = repository / "docs"
    for page in [docs / "tutorial.md", *guides()]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).is_file(), (page.name, target)
