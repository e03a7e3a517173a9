"""`mrdtrack simulate`: reads with known truth, from a panel and a reference."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from mrdtrack.errors import InputError
from mrdtrack.lab.simulate_course import (
    Faults,
    PlannedSample,
    Visit,
    dilution_series,
    plan_samples,
    read_course,
    simulated_markers,
)
from mrdtrack.lab.simulate_reads import ASSAYS, Assay
from mrdtrack.lab.simulate_sample import (
    simulate_sample,
    write_sample_bam,
    write_sample_fastq,
)
from mrdtrack.lab.simulate_spike import Spike, spike_control
from mrdtrack.lab.simulate_truth import MarkerTruth, truth_text
from mrdtrack.panel.file import read_panel
from mrdtrack.panel.model import Marker, Panel
from mrdtrack.panel.model import Sequence as SequenceMarker
from mrdtrack.panel.reference import Reference
from mrdtrack.reports.output_files import safe_name, write_files


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulateRequest:
    """What `mrdtrack simulate` is asked for.

    Either `levels` (a dilution series, `replicates` samples each, and `controls`
    blanks) or `course` (a CSV of visits). `control_reads` is a real BAM into which
    molecules are spiked instead of being simulated. Shares are 0 to 1.
    """

    panel: Path
    output: Path
    reference: Path | None = None
    levels: tuple[float, ...] = ()
    replicates: int = 1
    controls: int = 0
    course: Path | None = None
    control_reads: Path | None = None
    assay: str = "capture"
    depth: float = 1000.0
    contamination: float = 0.0
    carry_over: float = 0.0
    lost: tuple[str, ...] = ()
    write: Literal["bam", "fastq"] = "bam"
    seed: int = 1
    force: bool = False


def simulate(request: SimulateRequest) -> list[MarkerTruth]:
    """Simulate the samples; write reads, `truth.tsv`, `true_levels.tsv`, `samples.csv`.

    Raises:
        InputError: the panel, the reference or the course is wrong.
        OutputError: an output exists and `force` is not given.
    """
    panel = read_panel(request.panel)
    _check_lost(request, panel)
    assay = _assay(request)
    visits = _visits(request)
    planned = plan_samples(
        panel,
        visits,
        depth=request.depth,
        faults=Faults(
            request.contamination, request.carry_over, frozenset(request.lost)
        ),
        seed=request.seed,
    )
    markers = simulated_markers(panel)
    with ExitStack() as stack:
        run = _Run(request, markers, _reference(request, markers, stack), assay)
        scratch = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="mrdtrack."))
        )
        truth: list[MarkerTruth] = []
        for sample in planned:
            truth += run.write(sample, scratch)
        files = {path.name: path.read_bytes() for path in sorted(scratch.iterdir())}
    files["truth.tsv"] = truth_text(truth).encode()
    files["true_levels.tsv"] = _levels_text(visits).encode()
    files["samples.csv"] = _samples_text(request, planned).encode()
    write_files(request.output, files, force=request.force)
    return truth


def _visits(request: SimulateRequest) -> list[Visit]:
    if (request.course is not None) == bool(request.levels or request.controls):
        raise InputError(
            "simulate",
            "it is told neither, or both, of a dilution series and a course",
            "give --level (or --controls), or --course",
        )
    if request.course is not None:
        return read_course(request.course)
    return dilution_series(
        request.levels, replicates=request.replicates, controls=request.controls
    )


def _assay(request: SimulateRequest) -> Assay:
    if request.assay not in ASSAYS:
        raise InputError(
            "--assay",
            f"{request.assay!r} is no known assay",
            f"choose one of {', '.join(ASSAYS)}",
        )
    return ASSAYS[request.assay]


def _check_lost(request: SimulateRequest, panel: Panel) -> None:
    unknown = set(request.lost) - {marker.id for marker in panel.marker}
    if unknown:
        raise InputError(
            "--lost", f"{min(unknown)!r} is no marker of the panel", "name one of them"
        )


def _reference(
    request: SimulateRequest, markers: Sequence[Marker], stack: ExitStack
) -> Reference | None:
    if request.reference is not None:
        return stack.enter_context(Reference(request.reference))
    if request.control_reads is None and all(
        isinstance(marker, SequenceMarker) for marker in markers
    ):
        return None
    raise InputError(
        "--reference",
        "markers with positions need the reference they stand on",
        "give the FASTA of the panel's assembly",
    )


class _Run(NamedTuple):
    """What all samples of one call share."""

    request: SimulateRequest
    markers: Sequence[Marker]
    reference: Reference | None
    assay: Assay

    def write(self, sample: PlannedSample, folder: Path) -> list[MarkerTruth]:
        """Simulate one sample into the folder, and give its truth."""
        recipe, reference, asked = sample.recipe, self.reference, self.request
        path = folder / f"{safe_name(recipe.sample)}.bam"
        if asked.control_reads is not None and reference is not None:
            spike = Spike(recipe.sample, recipe.fractions, asked.seed)
            return spike_control(
                asked.control_reads, path, self.markers, reference, spike
            ).truth
        simulated = simulate_sample(
            recipe, self.markers, reference, assay=self.assay, seed=asked.seed
        )
        if asked.write == "fastq":
            write_sample_fastq(simulated, path.with_suffix(""))
        else:
            write_sample_bam(simulated, path, reference.lengths if reference else {})
        return simulated.truth


def _levels_text(visits: Sequence[Visit]) -> str:
    """Give the truth that `validate` asks for: the level of each sample."""
    lines = [f"{visit.sample}\t{visit.level!r}" for visit in visits]
    return "\n".join(["sample\ttrue_level", *lines]) + "\n"


def _samples_text(request: SimulateRequest, planned: Sequence[PlannedSample]) -> str:
    """Give the table of samples: name, file, and what the visit is said to be."""
    facts = sorted({key for sample in planned for key in sample.visit})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["sample", "file", *facts])
    suffix = "" if request.write == "fastq" else ".bam"
    for sample in planned:
        name = sample.recipe.sample
        row = [sample.visit.get(key, "") for key in facts]
        writer.writerow([name, f"{safe_name(name)}{suffix}", *row])
    return text.getvalue()
