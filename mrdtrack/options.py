"""Every option that more than one command takes, declared once."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

Function = Callable[..., Any]
Decorator = Callable[[Function], Function]

CALLS = (
    "quantified",
    "detected_below_loq",
    "not_detected",
    "insufficient_sensitivity",
    "not_evaluable",
)
ACTIONS = (
    "INTENSIFY_DISCUSS",
    "HSCT_DISCUSS",
    "PREEMPTIVE_DISCUSS",
    "DEESCALATE_DISCUSS",
    "CONTINUE",
    "MONITOR_CLOSER",
    "REPEAT_SAMPLE",
    "CHANGE_SPECIMEN",
    "NO_RULE",
)
DISEASES = ("AML", "B-ALL", "T-ALL", "CML", "APL", "MDS", "CLL", "MM", "other")
SPECIMENS = ("bone_marrow", "peripheral_blood", "other")
MOLECULES = ("auto", "fragments", "reads", "umi", "consensus")
ASSAYS = (
    "capture",
    "capture-2x100",
    "cfdna",
    "amplicon",
    "umi",
    "consensus",
    "merged-amplicon",
)
IMPORT_KINDS = (
    "vcf",
    "airr",
    "vidjil",
    "immunoseq",
    "getitd",
    "arriba",
    "star-fusion",
    "bedpe",
    "table",
)
PLANNED_MOLECULES = ("reads", "umi", "duplex", "junction")
TABLE_FORMATS = ("table", "json", "tsv")
PATH = click.Path(path_type=Path)


class Number(click.FloatRange):
    """A finite number above 0, and below `below` where that is given."""

    name = "number"

    def __init__(self, below: float | None = None) -> None:
        super().__init__(min=0, max=below, min_open=True, max_open=below is not None)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read the number."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is no finite number.", param, ctx)
        return number


class IsoDate(click.ParamType[str]):
    """A day, as YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Check the day, and hand it on as it is written."""
        try:
            good = date.fromisoformat(value).isoformat() == value
        except ValueError:
            good = False
        if not good:
            self.fail(f"{value!r} is no day as YYYY-MM-DD.", param, ctx)
        return value


class Tag(click.ParamType[str]):
    """The name of a SAM tag: a letter, then a letter or digit."""

    name = "tag"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Check the name."""
        if not re.fullmatch("[A-Za-z][A-Za-z0-9]", value):
            self.fail(f"{value!r} is no SAM tag, which has two characters.", param, ctx)
        return value


class Listed(click.ParamType[tuple[str, ...]]):
    """One or more words of a list, with commas between them."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self.name = ",".join(words)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Split at the commas and check each word."""
        if isinstance(value, tuple):
            return value
        chosen = tuple(word.strip() for word in value.split(","))
        unknown = [word for word in chosen if word not in self.words]
        if unknown:
            known = ", ".join(self.words)
            self.fail(f"{unknown[0]!r} is none of {known}.", param, ctx)
        return chosen


def either_or(other: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """Refuse an option beside `other` (the name of its parameter)."""

    def check(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        if value is not None and ctx.params.get(other) is not None:
            flag = "--" + other.replace("_", "-")
            raise click.UsageError(f"give {param.opts[0]} or {flag}, not both", ctx)
        return value

    return check


def together(*decorators: Decorator) -> Decorator:
    """Put options together, listed in this order."""

    def decorate(function: Function) -> Function:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def files(name: str, metavar: str, *, required: bool = True) -> Decorator:
    """Take one or more files; none where they are not required."""
    return click.argument(name, metavar=metavar, type=PATH, nargs=-1, required=required)


def path(*flags: str, text: str, **extra: Any) -> Decorator:
    """Take a path."""
    return click.option(*flags, type=PATH, help=text, **extra)


def fail_on(words: Sequence[str], what: str) -> Decorator:
    """Let a finding become exit code 3, where that is asked for."""
    return click.option(
        "--fail-on",
        type=click.Choice(words),
        multiple=True,
        help=f"Exit 3 where {what} is this (may be repeated).",
    )


def goal(flag: str, default: float, text: str) -> Decorator:
    """Take a goal that a validation is held to."""
    return click.option(
        flag, type=Number(), default=default, show_default=True, help=text
    )


def share(flag: str, text: str) -> Decorator:
    """Take a share of 0 to 1, 0 unless told."""
    kind = click.FloatRange(min=0, max=1)
    return click.option(flag, type=kind, default=0.0, show_default=True, help=text)


def cores_available() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


protocol_argument = click.argument("protocol", metavar="PROTOCOL")
controls = click.option(
    "--controls",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Samples without leukaemia.",
)
panel_argument = click.argument("panel", metavar="PANEL", type=PATH)
reference = path("--reference", text="Reference FASTA (plain or bgzip).")
output_folder = path("-o", "--output", text="Folder to write into.", required=True)
checksums = click.option(
    "--checksums/--no-checksums",
    default=True,
    show_default=True,
    help="Name the SHA-256 of every input in the provenance. For it files are read "
    "whole, also those of which an index spares most.",
)
redact = click.option(
    "--redact",
    is_flag=True,
    help="Leave out names from the reads, free text, host and folders.",
)
force = click.option("--force", is_flag=True, help="Replace files that are there.")
quiet = click.option("-q", "--quiet", is_flag=True, help="No words but errors.")
threads = click.option(
    "-t",
    "--threads",
    type=click.IntRange(min=1),
    default=cores_available,
    show_default="the cores available",
    help="Threads; results are the same for any number.",
)
seed = click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Seed."
)
language = click.option(
    "--language",
    type=click.Choice(["en", "fr"]),
    default="en",
    show_default=True,
    help="Language of the reports.",
)
table_format = click.option(
    "--format",
    type=click.Choice(TABLE_FORMATS),
    help="Also write the result to stdout, as this.",
)
input_amount = together(
    click.option(
        "--input-ng",
        type=Number(),
        callback=either_or("input_genomes"),
        help="DNA that went in, in ng (3.3 pg a haploid genome).",
    ),
    click.option(
        "--input-genomes",
        type=Number(),
        callback=either_or("input_ng"),
        help="DNA that went in, in haploid genomes.",
    ),
)
required_sensitivity = click.option(
    "--required-sensitivity",
    type=Number(below=1),
    help="Level that a negative must have been able to see, as a fraction.",
)
alpha = click.option(
    "--alpha", type=Number(below=1), help="False positives allowed in a sample."
)
judging = together(
    input_amount,
    required_sensitivity,
    alpha,
    click.option(
        "--min-molecules",
        type=click.IntRange(min=1),
        help="Fewest marker-bearing molecules of a detection (default: 1).",
    ),
    click.option(
        "--level-marker",
        multiple=True,
        metavar="MARKER",
        help="Let this marker drive the level, whatever its gene or role "
        "(may be repeated).",
    ),
    click.option(
        "--declared-rate",
        type=Number(below=1),
        help="Errors a molecule known to come on top (bleed-through, chimeras).",
    ),
    click.option(
        "--design-factor",
        type=click.FloatRange(min=1),
        help="Variance over mean of the reads of one molecule, where copies count.",
    ),
    click.option(
        "--carry-over",
        type=click.FloatRange(min=0, max=1, max_open=True),
        help="Share of a sample's molecules that shows up in others of its run "
        "(default: estimated).",
    ),
    click.option(
        "--dual-indexed",
        is_flag=True,
        help="Unique dual indexes: carry-over is 1e-5 where it cannot be estimated.",
    ),
)
reading = together(
    click.option(
        "--molecules",
        type=click.Choice(MOLECULES),
        default="auto",
        show_default=True,
        help="What counts as one molecule.",
    ),
    click.option("--umi-tag", type=Tag(), help="Tag that holds the UMI."),
    click.option(
        "--scan",
        is_flag=True,
        help="Read whole files: reads elsewhere that hold a junction count too.",
    ),
    click.option(
        "--read-group",
        multiple=True,
        metavar="ID",
        help="Count the reads of this group only (may be repeated).",
    ),
    click.option(
        "--min-family-size",
        type=click.IntRange(min=1),
        help="Reads a UMI family needs.",
    ),
    click.option(
        "--min-base-quality",
        type=click.IntRange(0, 93),
        help="Bases below it are not used.",
    ),
    click.option(
        "--min-mapping-quality",
        type=click.IntRange(0, 255),
        help="Reads below it are not used.",
    ),
)
