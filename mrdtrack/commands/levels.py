"""`mrdtrack levels`: counts tables in, levels and calls out, without reads."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mrdtrack import __version__
from mrdtrack.commands.many_files import ManyFiles
from mrdtrack.commands.quick_json import quick_model_json
from mrdtrack.errors import CountsError
from mrdtrack.levels.background_file import read_background
from mrdtrack.levels.controls import Controls, gathered_controls, joined_controls
from mrdtrack.levels.counts_tables import read_counts
from mrdtrack.levels.judge import judge_with_sites
from mrdtrack.levels.judged_markers import RunContext
from mrdtrack.levels.result import Call, VisitResult
from mrdtrack.levels.site_tables import SHARED, SiteTable, read_sites
from mrdtrack.levels.table_samples import PanelMarker, TableSamples
from mrdtrack.levels.visit_facts import LevelSettings, VisitFacts, genomes_of
from mrdtrack.panel.file import panel_digest, read_panel
from mrdtrack.panel.model import Marker, SmallVariant
from mrdtrack.reports.output_files import safe_name
from mrdtrack.reports.result_files import levels_tsv
from mrdtrack.reports.terminal import OutputKind, formatted, wants_colour

MOST_SHOWN = 50
"""Samples shown on the terminal unless a format is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelsRequest:
    """What the command line asks for; None leaves the choice to mrdtrack."""

    panel: Path
    counts: tuple[Path, ...]
    output: Path
    control_counts: tuple[Path, ...] = ()
    background_counts: tuple[Path, ...] = ()
    background: Path | None = None
    input_ng: float | None = None
    input_genomes: float | None = None
    required_sensitivity: float | None = None
    alpha: float | None = None
    force: bool = False
    quiet: bool = False
    format: OutputKind | None = None


class _Called(NamedTuple):
    call: Call


class CalledSample(NamedTuple):
    """A sample's name and call: all that is kept of it once its file is written."""

    sample: str
    level: _Called


def levels(request: LevelsRequest) -> list[CalledSample]:
    """Judge every sample of the tables; write one file each, and one table for all.

    Raises:
        InputError: a file is wrong, or an output exists and `force` is not given.
    """
    judged = _judged(request)
    called: list[CalledSample] = []
    with ManyFiles(request.output, force=request.force) as files:
        shown: list[VisitResult] = []
        rows: list[bytes] = []
        for result in judged:
            files.add(f"{safe_name(result.sample)}.mrd.json", quick_model_json(result))
            rows.append(_row(result, header=not rows))
            called.append(CalledSample(result.sample, _Called(result.level.call)))
            if request.format in ("json", "table") or len(shown) <= MOST_SHOWN:
                shown.append(result)
        table = b"".join(rows)
        files.add("levels.tsv", table)
    _tell(shown, table, len(called), request)
    return called


def _row(result: VisitResult, *, header: bool) -> bytes:
    table = levels_tsv([result])
    return table if header else table.split(b"\n", 1)[1]


def _judged(request: LevelsRequest) -> Iterator[VisitResult]:
    """Read all tables, then yield the judged samples one by one."""
    panel, facts = _panel(request.panel)
    where = ", ".join(str(path) for path in request.counts)
    samples = TableSamples(read_counts(request.counts), panel, where)
    sites, controls = _background(request, samples, panel)
    settings = LevelSettings(
        required_sensitivity=request.required_sensitivity,
        input_genomes=genomes_of(request.input_ng, request.input_genomes),
        alpha=LevelSettings().alpha if request.alpha is None else request.alpha,
    )
    context = RunContext(controls=controls)
    shared = sites.of(SHARED)
    own_sites = set(sites.samples)
    for number in range(len(samples)):
        counts = samples.sample(number)
        own = sites.of(counts.sample) if counts.sample in own_sites else shared
        yield judge_with_sites(counts, own, facts, settings, context)


def _panel(path: Path) -> tuple[list[PanelMarker] | None, VisitFacts]:
    if str(path) == "-":
        return None, VisitFacts(patient="unknown", software_version=__version__)
    panel = read_panel(path)
    facts = VisitFacts(
        patient=panel.patient,
        disease=panel.disease,
        assembly=panel.assembly,
        panel_digest=panel_digest(path),
        software_version=__version__,
    )
    return [_of_panel(marker) for marker in panel.marker], facts


def _of_panel(marker: Marker) -> PanelMarker:
    error_class = "junction"
    if isinstance(marker, SmallVariant):
        sizes = len(marker.ref), len(marker.alt)
        if sizes == (1, 1):
            error_class = f"{marker.ref}>{marker.alt}"
        elif sizes[0] == sizes[1]:
            error_class = "mnv"
        elif abs(sizes[0] - sizes[1]) < 10:
            kind = "ins" if sizes[1] > sizes[0] else "del"
            error_class = f"{kind}{abs(sizes[0] - sizes[1])}:h1"
    return PanelMarker(
        marker=marker.id,
        kind=marker.kind,
        error_class=error_class,
        role=marker.role,
        group=marker.group,
        gene=marker.gene,
        hgvs=marker.hgvs,
        signal_ratio=None,
    )


def _background(
    request: LevelsRequest, samples: TableSamples, panel: list[PanelMarker] | None
) -> tuple[SiteTable, Controls]:
    """Return all sites, and the controls: those of tables and of a background file."""
    names = samples.table.samples
    control_samples = []
    if request.control_counts:
        where = ", ".join(str(path) for path in request.control_counts)
        held = TableSamples(read_counts(request.control_counts), panel, where)
        control_samples = [held.sample(number) for number in range(len(held))]
        _refuse_both(names, [control.sample for control in control_samples], where)
    known = {*names, *(control.sample for control in control_samples)}
    sites = read_sites(request.background_counts, known)
    counted = gathered_controls(control_samples)
    with_sites = Controls(
        names=counted.names,
        sites=tuple(sites.of(name) for name in counted.names),
        markers=counted.markers,
    )
    strange = [name for name in sites.samples if name not in known and name != SHARED]
    others = Controls(
        names=tuple(strange), sites=tuple(sites.of(name) for name in strange)
    )
    parts = [with_sites, others]
    if request.background is not None:
        mode = samples.sample(0).molecule_mode
        parts.append(read_background(request.background, mode))
    return sites, joined_controls(parts)


def _refuse_both(samples: Sequence[str], controls: Sequence[str], where: str) -> None:
    both = sorted(set(samples) & set(controls))
    if both:
        raise CountsError(
            where,
            f"{both[0]!r} is a sample and a control at once",
            "leave the sample out of the controls, or name them apart",
        )


def _tell(
    results: Sequence[VisitResult], table: bytes, many: int, request: LevelsRequest
) -> None:
    """Put the data asked for on stdout; else a table for the eye on stderr."""
    if request.format == "tsv":
        sys.stdout.write(table.decode())
    elif request.format is not None:
        colour = request.format == "table" and wants_colour(sys.stdout)
        sys.stdout.write(formatted(results, request.format, colour=colour))
    elif not request.quiet and many <= MOST_SHOWN:
        sys.stderr.write(formatted(results, "table", colour=wants_colour(sys.stderr)))
