"""`mrdtrack background`: control samples in, one reusable background file out."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from mrdtrack import __version__
from mrdtrack.commands.quantify import (
    QuantifyRequest,
    counting_filters,
    counting_settings,
)
from mrdtrack.counting.count import count_reads
from mrdtrack.counts import MoleculeMode, SampleCounts
from mrdtrack.levels.background_file import (
    BackgroundFile,
    FilterValue,
    made_background,
)
from mrdtrack.panel.file import read_panel
from mrdtrack.panel.reference import Reference
from mrdtrack.reports.output_files import write_files
from mrdtrack.reports.tables import model_json


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundRequest:
    """What the command line asks for; the options of `quantify` that count."""

    panel: Path
    reads: tuple[Path, ...]
    output: Path
    reference: Path | None = None
    molecules: Literal["auto"] | MoleculeMode = "auto"
    umi_tag: str | None = None
    scan: bool = False
    read_group: tuple[str, ...] = ()
    min_family_size: int | None = None
    min_base_quality: int | None = None
    min_mapping_quality: int | None = None
    threads: int = 1
    force: bool = False
    quiet: bool = False


def background(request: BackgroundRequest) -> BackgroundFile:
    """Count every control as a visit is counted, and keep the counts in one file.

    Raises:
        InputError: a file is wrong, the controls were counted differently, or the
            output exists and `force` is not given.
    """
    asked = QuantifyRequest(
        **{field.name: getattr(request, field.name) for field in fields(request)}
    )
    settings = counting_settings(asked)
    panel = read_panel(request.panel)
    with ExitStack() as stack:
        reference = None
        if request.reference is not None:
            reference = stack.enter_context(Reference(request.reference))
        controls = [
            count_reads(path, panel, reference, settings, None)
            for path in request.reads
        ]
    made = write_background(
        controls,
        counting_filters(settings),
        request.output,
        force=request.force,
    )
    if not request.quiet:
        sys.stderr.write(f"{len(made.controls)} controls in {request.output}\n")
    return made


def write_background(
    controls: Sequence[SampleCounts],
    filters: Mapping[str, FilterValue],
    output: Path,
    *,
    force: bool = False,
) -> BackgroundFile:
    """Write the counts of control samples as one background file.

    `filters`: the counting settings, which a sample must share to be judged by it.

    Raises:
        InputError: the controls were counted differently, or the output exists.
    """
    made = made_background(controls, filters, f"mrdtrack {__version__}")
    write_files(output.parent, {output.name: model_json(made)}, force=force)
    return made
