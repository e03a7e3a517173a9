"""What stands in counts tables, judged sample by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mrdtrack import __version__
from mrdtrack.commands.judging import Judging, level_settings
from mrdtrack.errors import CountsError
from mrdtrack.levels.background_file import read_background
from mrdtrack.levels.carry_over import RunCarryOver, run_carry_over
from mrdtrack.levels.controls import Controls, gathered_controls, joined_controls
from mrdtrack.levels.counts_tables import read_counts
from mrdtrack.levels.judge import judge_with_sites
from mrdtrack.levels.judged_markers import RunContext
from mrdtrack.levels.result import Call, VisitResult
from mrdtrack.levels.site_tables import SHARED, SiteTable, read_sites
from mrdtrack.levels.table_samples import PanelMarker, TableSamples
from mrdtrack.levels.visit_facts import VisitFacts
from mrdtrack.panel.file import panel_digest, read_panel
from mrdtrack.panel.model import Marker, SmallVariant
from mrdtrack.reports.result_files import levels_tsv
from mrdtrack.reports.tables import model_json
from mrdtrack.reports.terminal import OutputKind


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelsRequest(Judging):
    """What the command line asks for; None leaves the choice to mrdtrack."""

    panel: Path
    counts: tuple[Path, ...]
    output: Path
    control_counts: tuple[Path, ...] = ()
    background_counts: tuple[Path, ...] = ()
    background: Path | None = None
    one_run: bool = False
    threads: int = 1
    force: bool = False
    quiet: bool = False
    format: OutputKind | None = None


class JudgedSample(NamedTuple):
    """A judged sample as it is written: its file, and its row of the common table.

    `result` is None where nobody asked to keep it.
    """

    sample: str
    call: Call
    content: bytes
    row: bytes
    result: VisitResult | None


class TableJudge:
    """Samples of counts tables, read once and judged one at a time."""

    header = levels_tsv([])

    def __init__(self, request: LevelsRequest) -> None:
        self.request = request
        panel, self._facts = _panel(request.panel)
        where = ", ".join(str(path) for path in request.counts)
        self._samples = TableSamples(read_counts(request.counts), panel, where)
        self._sites, controls = _background(request, self._samples, panel)
        self._settings = level_settings(request)
        run = RunCarryOver()
        if request.one_run:
            every = [self._samples.sample(number) for number in range(len(self))]
            run = run_carry_over(every, self._settings)
        self._context = RunContext(controls=controls, run=run)
        self._shared = self._sites.of(SHARED)

    def __len__(self) -> int:
        return len(self._samples)

    def judged(self, number: int, *, keep: bool) -> JudgedSample:
        """Judge one sample and bring it into the form in which it is written."""
        counts = self._samples.sample(number)
        own = self._sites.of(counts.sample)
        result = judge_with_sites(
            counts,
            own if own.rows else self._shared,
            self._facts,
            self._settings,
            self._context,
        )
        return JudgedSample(
            sample=result.sample,
            call=result.level.call,
            content=model_json(result),
            row=levels_tsv([result]).split(b"\n", 1)[1],
            result=result if keep else None,
        )


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
