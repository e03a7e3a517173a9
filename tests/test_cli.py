"""Every command hands what it was given to one function, and nothing else."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from mrdtrack.cli import main
from mrdtrack.door import PROGRAM

# What a command line adds to the request, besides its own parameters.
OWN = {"fail_on"}


def leaves(
    group: click.Group, words: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Paths of all commands, groups left out."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, (*words, name))
        else:
            yield (*words, name)


LEAVES = tuple(leaves(main))


def find(words: tuple[str, ...]) -> click.Command:
    command: click.Command = main
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    return command


def request_class(words: tuple[str, ...]) -> Any:
    name = "".join(word.capitalize() for word in words) + "Request"
    return getattr(module_of(words), name)


def module_of(words: tuple[str, ...]) -> Any:
    return importlib.import_module("mrdtrack.commands." + "_".join(words))


class Recorder:
    """Stands in for the function of a command and remembers its request."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.requests: list[Any] = []

    def __call__(self, request: Any) -> Any:
        self.requests.append(request)
        return self.answer


def run(
    monkeypatch: pytest.MonkeyPatch, line: str, answer: Any = ()
) -> tuple[Result, Any]:
    """Run a command line whose function is replaced; return result and request."""
    words = line.split()
    path = next(leaf for leaf in LEAVES if list(leaf) == words[: len(leaf)])
    recorder = Recorder(answer)
    monkeypatch.setattr(module_of(path), "_".join(path), recorder)
    result = CliRunner().invoke(main, words, prog_name=PROGRAM)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result, recorder.requests[0] if recorder.requests else None


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_options_and_request_are_the_same(words: tuple[str, ...]) -> None:
    given = {param.name for param in find(words).params if param.expose_value} - OWN
    taken = {field.name for field in dataclasses.fields(request_class(words))}
    assert given == taken


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_a_default_is_said_once(words: tuple[str, ...]) -> None:
    """Where both have a default, it is the same."""
    fields = {field.name: field for field in dataclasses.fields(request_class(words))}
    context = click.Context(find(words))
    for param in find(words).params:
        field = fields.get(param.name or "")
        if field is None or field.default is dataclasses.MISSING or param.required:
            continue
        given = param.type_cast_value(context, param.get_default(context))
        assert given == field.default, param.name
