"""Every command hands what it was given to one function, and nothing else."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator
from typing import Any, get_args

import click
import pytest
from click.testing import CliRunner, Result

from mrdtrack import options
from mrdtrack.cli import main
from mrdtrack.counts import MoleculeMode
from mrdtrack.door import PROGRAM
from mrdtrack.follow_up.timeline import Action
from mrdtrack.levels.result import Call, Specimen
from mrdtrack.panel.importers.detect import Kind
from mrdtrack.panel.model import Disease

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


def least_line(command: click.Command) -> list[str]:
    """The shortest command line that is accepted."""
    line = []
    for param in command.params:
        if isinstance(param, click.Argument):
            line.append("x")
        elif param.required:
            line += [param.opts[-1], "x"]
    return line


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_a_default_is_the_same_for_both(words: tuple[str, ...]) -> None:
    command = find(words)
    given = command.make_context(PROGRAM, least_line(command)).params
    differing = {
        field.name: (given[field.name], field.default)
        for field in dataclasses.fields(request_class(words))
        if field.default is not dataclasses.MISSING
        and given[field.name] != field.default
    }
    assert differing == {}


def test_options_offer_the_words_of_the_models() -> None:
    assert get_args(Call) == options.CALLS
    assert get_args(Action) == options.ACTIONS
    assert get_args(Disease) == options.DISEASES
    assert get_args(Specimen) == options.SPECIMENS
    assert options.MOLECULES == ("auto", "fragments", "reads", "umi", "consensus")
    assert set(options.MOLECULES) == {"auto", *get_args(MoleculeMode)}
    assert get_args(Kind) == options.IMPORT_KINDS


def parse(parameter: click.ParamType[Any], text: str) -> Any:
    return parameter.convert(text, None, None)


@pytest.mark.parametrize(("text", "number"), [("1e-4", 1e-4), ("0.5", 0.5)])
def test_a_fraction_is_read(text: str, number: float) -> None:
    assert parse(options.Number(below=1), text) == number


@pytest.mark.parametrize("text", ["0", "1", "-0.1", "1e-400", "nan", "inf", "x", ""])
def test_what_is_no_fraction_is_refused(text: str) -> None:
    with pytest.raises(click.UsageError):
        parse(options.Number(below=1), text)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "-inf", "1e400", "500 ng"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(click.UsageError):
        parse(options.Number(), text)


def test_a_large_amount_is_read() -> None:
    assert parse(options.Number(), "1e9") == 1e9


def test_a_day_is_read_as_it_is_written() -> None:
    assert parse(options.IsoDate(), "2024-02-29") == "2024-02-29"


@pytest.mark.parametrize(
    "text", ["2023-02-29", "29.02.2024", "20240229", "2024-W09-4", "2024-2-9", ""]
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(click.UsageError):
        parse(options.IsoDate(), text)


@pytest.mark.parametrize("text", ["RX", "MI", "B0"])
def test_a_tag_is_read(text: str) -> None:
    assert parse(options.Tag(), text) == text


@pytest.mark.parametrize("text", ["", "R", "RX:", "RXZ", "0B", "é1"])
def test_what_is_no_tag_is_refused(text: str) -> None:
    with pytest.raises(click.UsageError, match="no SAM tag"):
        parse(options.Tag(), text)


def test_a_list_of_words_is_split_at_commas() -> None:
    listed = options.Listed(["html", "pdf", "json"])
    assert parse(listed, "html, json") == ("html", "json")
    assert listed.convert(("pdf",), None, None) == ("pdf",)
    for text in ("html,", "odt", ""):
        with pytest.raises(click.UsageError, match="none of html, pdf, json"):
            parse(listed, text)
