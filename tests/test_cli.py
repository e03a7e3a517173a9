"""Every command hands what it was given to one function, and nothing else."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
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
OWN = {"fail_on", "compare"}


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
REQUESTED = tuple(leaf for leaf in LEAVES if leaf[0] != "protocols")


def find(words: tuple[str, ...]) -> click.Command:
    command: click.Command = main
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    return command


def request_class(words: tuple[str, ...]) -> Any:
    parts = function_name(words).split("_")
    name = "".join(part.capitalize() for part in parts) + "Request"
    return getattr(module_of(words), name)


def function_name(words: tuple[str, ...]) -> str:
    return "_".join(words).replace("-", "_")


def module_of(words: tuple[str, ...]) -> Any:
    return importlib.import_module("mrdtrack.commands." + function_name(words))


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
    monkeypatch.setattr(module_of(path), function_name(path), recorder)
    result = CliRunner().invoke(main, words, prog_name=PROGRAM)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result, recorder.requests[0] if recorder.requests else None


@pytest.mark.parametrize("words", REQUESTED, ids=" ".join)
def test_options_and_request_are_the_same(words: tuple[str, ...]) -> None:
    given = {param.name for param in find(words).params if param.expose_value} - OWN
    taken = {field.name for field in dataclasses.fields(request_class(words))}
    assert given == taken


def least_line(command: click.Command) -> list[str]:
    """The shortest command line that is accepted."""
    line = []
    for param in command.params:
        value = "1" if isinstance(param.type, options.Number) else "x"
        if isinstance(param, click.Argument):
            line.append(value)
        elif param.required:
            line += [param.opts[-1], value]
    return line


@pytest.mark.parametrize("words", REQUESTED, ids=" ".join)
def test_a_default_is_the_same_for_both(words: tuple[str, ...]) -> None:
    command = find(words)
    given = command.make_context(PROGRAM, least_line(command)).params
    differing = {
        field.name: (given[field.name], field.default)
        for field in dataclasses.fields(request_class(words))
        if field.default is not dataclasses.MISSING
        and given[field.name] != field.default
    }
    threads = differing.pop("threads", (options.cores_available(), 1))
    assert threads == (options.cores_available(), 1)  # the machine's, or one
    assert differing == {}


def test_threads_are_the_cores_that_may_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 2, 5}, raising=False)
    assert options.cores_available() == 3
    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert options.cores_available() == 1


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


JUDGING = {
    "min_molecules": 2,
    "level_marker": ("A", "B"),
    "declared_rate": 1e-6,
    "design_factor": 3.0,
    "carry_over": 1e-3,
    "dual_indexed": True,
}
WIRED: list[tuple[str, dict[str, Any]]] = [
    (
        "timeline a.mrd.json b.mrd.json -o out --protocol eln --protocol x.toml "
        "--external e.csv --treatments t.csv --facts f.toml --baseline DX --force "
        "--as-of 2026-01-31 --language fr --audience patient --format pdf,json --quiet "
        "--donor D.mrd.json --accept-identity S1 --accept-identity S2 --redact",
        {
            "results": (Path("a.mrd.json"), Path("b.mrd.json")),
            "output": Path("out"),
            "protocols": ("eln", "x.toml"),
            "external": Path("e.csv"),
            "treatments": Path("t.csv"),
            "facts": Path("f.toml"),
            "donor": Path("D.mrd.json"),
            "accept_identity": ("S1", "S2"),
            "redact": True,
            "baseline": "DX",
            "as_of": "2026-01-31",
            "language": "fr",
            "audience": "patient",
            "formats": ("pdf", "json"),
            "force": True,
            "quiet": True,
        },
    ),
    (
        "panel import a.vcf b.vcf -o p.toml --patient P1 --disease AML --from vcf "
        "--assembly GRCh38 --sample T --time-point 2 --pass-only --min-share 0.1 "
        "--skip-unusable --reference r.fa --course c.csv --force -q",
        {
            "files": (Path("a.vcf"), Path("b.vcf")),
            "output": Path("p.toml"),
            "patient": "P1",
            "disease": "AML",
            "assembly": "GRCh38",
            "kind": "vcf",
            "sample": "T",
            "time_point": 2,
            "pass_only": True,
            "min_share": 0.1,
            "skip_unusable": True,
            "reference": Path("r.fa"),
            "course": Path("c.csv"),
            "force": True,
            "quiet": True,
        },
    ),
    (
        "quantify p.toml a.bam b.bam -o out --reference r.fa --sample S --threads 2 "
        "--no-checksums "
        "--date 2026-01-31 --specimen bone_marrow --timepoint FU --input-ng 500 "
        "--control n1.bam --control n2.bam --background b.json --molecules umi "
        "--umi-tag RX --scan --min-family-size 2 --min-base-quality 30 --alpha 0.001 "
        "--min-mapping-quality 40 --required-sensitivity 1e-4 --force -q --format tsv "
        "--min-molecules 2 --level-marker A --level-marker B --declared-rate 1e-6 "
        "--design-factor 3 --carry-over 1e-3 --dual-indexed --read-group a --redact",
        {
            **JUDGING,
            "read_group": ("a",),
            "checksums": False,
            "redact": True,
            "panel": Path("p.toml"),
            "reads": (Path("a.bam"), Path("b.bam")),
            "output": Path("out"),
            "reference": Path("r.fa"),
            "sample": "S",
            "date": "2026-01-31",
            "specimen": "bone_marrow",
            "timepoint": "FU",
            "input_ng": 500.0,
            "input_genomes": None,
            "control": (Path("n1.bam"), Path("n2.bam")),
            "background": Path("b.json"),
            "molecules": "umi",
            "umi_tag": "RX",
            "scan": True,
            "min_family_size": 2,
            "min_base_quality": 30,
            "min_mapping_quality": 40,
            "required_sensitivity": 1e-4,
            "alpha": 0.001,
            "threads": 2,
            "force": True,
            "quiet": True,
            "format": "tsv",
        },
    ),
    (
        "levels - a.tsv b.tsv -o out --control-counts c.tsv --background-counts d.tsv "
        "--background b.json --input-genomes 1000 --required-sensitivity 1e-4 "
        "--alpha 0.05 --force -q --format json --one-run --threads 3 "
        "--min-molecules 2 --level-marker A --level-marker B --declared-rate 1e-6 "
        "--design-factor 3 --carry-over 1e-3 --dual-indexed",
        {
            **JUDGING,
            "one_run": True,
            "threads": 3,
            "panel": Path("-"),
            "counts": (Path("a.tsv"), Path("b.tsv")),
            "output": Path("out"),
            "control_counts": (Path("c.tsv"),),
            "background_counts": (Path("d.tsv"),),
            "background": Path("b.json"),
            "input_ng": None,
            "input_genomes": 1000.0,
            "required_sensitivity": 1e-4,
            "alpha": 0.05,
            "force": True,
            "quiet": True,
            "format": "json",
        },
    ),
    (
        "panel check p.toml --reference r.fa --reads a.bam --common c.vcf "
        "--at-diagnosis",
        {
            "panel": Path("p.toml"),
            "reference": Path("r.fa"),
            "reads": Path("a.bam"),
            "common": Path("c.vcf"),
            "at_diagnosis": True,
        },
    ),
    (
        "plan -o out --depth 20000 --markers 5 --input-ng 500 --molecules duplex "
        "--error-rate 1e-7 --controls 3 --alpha 0.01 --force",
        {
            "output": Path("out"),
            "depth": 20000.0,
            "markers": 5,
            "panel": None,
            "input_ng": 500.0,
            "input_genomes": None,
            "molecules": "duplex",
            "error_rate": 1e-7,
            "controls": 3,
            "alpha": 0.01,
            "force": True,
        },
    ),
    (
        "validate a.tsv b.tsv --truth t.tsv -o out --control-counts c.tsv "
        "--cv-goal 0.2 --control-background d.tsv --total-error-goal 0.5 "
        "--alpha 0.05 --force",
        {
            "levels": (Path("a.tsv"), Path("b.tsv")),
            "truth": Path("t.tsv"),
            "output": Path("out"),
            "control_counts": (Path("c.tsv"),),
            "control_background": (Path("d.tsv"),),
            "cv_goal": 0.2,
            "total_error_goal": 0.5,
            "alpha": 0.05,
            "force": True,
        },
    ),
    ("panel show p.toml", {"panel": Path("p.toml")}),
    ("warm --quiet", {"quiet": True}),
    (
        "background p.toml n1.bam n2.bam -o b.json --reference r.fa --molecules umi "
        "--umi-tag RX --scan --min-family-size 2 --min-base-quality 30 --threads 2 "
        "--min-mapping-quality 40 --read-group a --read-group b --force -q",
        {
            "panel": Path("p.toml"),
            "read_group": ("a", "b"),
            "reads": (Path("n1.bam"), Path("n2.bam")),
            "output": Path("b.json"),
            "reference": Path("r.fa"),
            "molecules": "umi",
            "umi_tag": "RX",
            "scan": True,
            "min_family_size": 2,
            "min_base_quality": 30,
            "min_mapping_quality": 40,
            "threads": 2,
            "force": True,
            "quiet": True,
        },
    ),
    (
        "simulate p.toml -o out --reference r.fa --level 0.01 --level 0 --replicates 3 "
        "--controls 2 --course c.csv --control-reads n.bam --assay capture --depth 500 "
        "--contamination 0.1 --carry-over 0.01 --lost M1 --write fastq --seed 7 "
        "--force",
        {
            "panel": Path("p.toml"),
            "output": Path("out"),
            "reference": Path("r.fa"),
            "levels": (0.01, 0.0),
            "replicates": 3,
            "controls": 2,
            "course": Path("c.csv"),
            "control_reads": Path("n.bam"),
            "assay": "capture",
            "depth": 500.0,
            "contamination": 0.1,
            "carry_over": 0.01,
            "lost": ("M1",),
            "write": "fastq",
            "seed": 7,
            "force": True,
        },
    ),
    (
        "demo -o out --language fr --force --quiet",
        {"output": Path("out"), "language": "fr", "force": True, "quiet": True},
    ),
]


@pytest.mark.parametrize(
    ("line", "expected"), WIRED, ids=[line.split(" -")[0] for line, _ in WIRED]
)
def test_a_command_hands_on_all_it_was_given(
    line: str, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer: Any = (
        [] if line.startswith(("quantify", "levels")) else SimpleNamespace(flags=())
    )
    result, request = run(monkeypatch, line, answer)
    assert result.exit_code == 0, result.stderr
    assert {key: getattr(request, key) for key in expected} == expected
    assert set(expected) == {field.name for field in dataclasses.fields(request)}


@pytest.mark.parametrize(
    ("line", "function"),
    [
        ("protocols show eln", "show_protocol"),
        ("protocols check own.toml", "check_protocol"),
    ],
)
def test_a_protocol_is_named(
    line: str, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(None)
    monkeypatch.setattr(f"mrdtrack.commands.protocols.{function}", recorder)
    result = CliRunner().invoke(main, line.split(), prog_name=PROGRAM)
    assert result.exit_code == 0
    assert recorder.requests == [line.rsplit(maxsplit=1)[-1]]


def test_protocols_are_listed_on_stdout() -> None:
    result = CliRunner().invoke(main, ["protocols", "list"], prog_name=PROGRAM)
    assert result.exit_code == 0
    header, *rows = result.stdout.splitlines()
    assert header.split("\t") == ["id", "version", "diseases", "rules", "title"]
    assert rows


def test_an_unknown_protocol_is_one_line() -> None:
    words = ["protocols", "show", "no-such"]
    result = CliRunner().invoke(main, words, prog_name=PROGRAM)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("mrdtrack protocols show: error: no-such: ")
    assert result.stderr.count("\n") == 1


def test_timeline_tells_how_other_protocols_differ(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = []

    def compare(request: Any, others: tuple[str, ...]) -> tuple[()]:
        compared.append(others)
        return ()

    monkeypatch.setattr("mrdtrack.commands.timeline.compare", compare)
    line = "timeline a.mrd.json -o out --compare x --compare y.toml"
    result, _ = run(monkeypatch, line, SimpleNamespace(flags=()))
    assert compared == [("x", "y.toml")]
    assert result.stdout.startswith("date\tvisit\taction")


@pytest.mark.parametrize(
    ("gates", "code"),
    [
        ("", 0),
        ("--fail-on REPEAT_SAMPLE", 0),
        ("--fail-on INTENSIFY_DISCUSS", 3),
        ("--fail-on REPEAT_SAMPLE --fail-on INTENSIFY_DISCUSS", 3),
    ],
)
def test_a_flag_is_no_failure_unless_asked_for(
    gates: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = (
        SimpleNamespace(action="MONITOR_CLOSER"),
        SimpleNamespace(action="INTENSIFY_DISCUSS"),
    )
    line = f"timeline a.mrd.json -o out {gates}"
    result, _ = run(monkeypatch, line, SimpleNamespace(flags=flags))
    assert result.exit_code == code


@pytest.mark.parametrize(
    "line", ["quantify p.toml a.bam -o out", "levels - c.tsv -o x"]
)
@pytest.mark.parametrize(
    ("gates", "code"),
    [
        ("", 0),
        ("--fail-on not_evaluable", 0),
        ("--fail-on quantified", 3),
        ("--fail-on not_evaluable --fail-on quantified", 3),
    ],
)
def test_a_call_is_no_failure_unless_asked_for(
    line: str, gates: str, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = [
        SimpleNamespace(level=SimpleNamespace(call=call))
        for call in ("not_detected", "quantified")
    ]
    result, _ = run(monkeypatch, f"{line} {gates}", answer)
    assert result.exit_code == code
