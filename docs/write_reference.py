"""Write the command reference from `--help`, so that it cannot say anything else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from mrdtrack.cli import main
from mrdtrack.door import PROGRAM

PAGE = Path(__file__).with_name("reference_cli.md")
WIDTH = 80

OPENING = f"""# Commands

This page is written from `--help` by `make docs`.

Every command exits with 0 when it ran (whatever it found), 1 on an error of data or of
the machine, 2 on a wrong command line, 3 where a finding named by `--fail-on` was made,
and 130 when it was interrupted. stdout carries the data asked for with `--format` or
`-o -`; words and progress go to stderr. An error is one line:
`{PROGRAM} COMMAND: error: WHERE: what is wrong; what to do`.
"""


def contexts(
    command: click.Command, name: str, above: click.Context | None = None
) -> Iterator[click.Context]:
    """List a command and all below it, in the order of `--help`."""
    context = click.Context(
        command,
        parent=above,
        info_name=name,
        terminal_width=WIDTH,
        **command.context_settings,
    )
    yield context
    if isinstance(command, click.Group):
        for below_name, below in command.commands.items():
            yield from contexts(below, below_name, context)


def reference() -> str:
    """Compose the page."""
    sections = [
        f"## {context.command_path}\n\n```text\n{context.get_help()}\n```\n"
        for context in contexts(main, PROGRAM)
    ]
    return "\n".join([OPENING, *sections])


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
