"""`mrdtrack quantify`: panel and reads in, counts, levels and calls out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mrdtrack import __version__
from mrdtrack.commands.judging import Judging, level_settings
from mrdtrack.commands.redaction import (
    redacted_counts,
    redacted_label,
    redacted_provenance,
    sample_names,
)
from mrdtrack.counting.count import count_reads
from mrdtrack.counting.fastq_pairs import pair_files
from mrdtrack.counting.settings import CountingSettings
from mrdtrack.counts import MoleculeMode, SampleCounts
from mrdtrack.errors import InputError
from mrdtrack.kernels._compile import is_warm
from mrdtrack.levels.background_file import FilterValue, read_background
from mrdtrack.levels.controls import Controls
from mrdtrack.levels.judge import judge_sample, run_context
from mrdtrack.levels.result import Specimen, VisitResult
from mrdtrack.levels.visit_facts import VisitFacts
from mrdtrack.panel.file import panel_digest, read_panel
from mrdtrack.panel.model import Breakpoint, Duplication, Panel
from mrdtrack.panel.reference import Reference, htslib_version
from mrdtrack.provenance import (
    InputFile,
    describe_input,
    describe_meanwhile,
    describe_run,
)
from mrdtrack.reports.output_files import write_files
from mrdtrack.reports.result_files import result_files
from mrdtrack.reports.tables import model_json
from mrdtrack.reports.vcf import ReferenceBases

OutputFormat = Literal["table", "json", "tsv"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantifyRequest(Judging):
    """What the command line asks for; None leaves the choice to mrdtrack."""

    panel: Path
    reads: tuple[Path, ...]
    output: Path
    reference: Path | None = None
    sample: str | None = None
    date: str | None = None
    specimen: Specimen | None = None
    timepoint: str | None = None
    control: tuple[Path, ...] = ()
    background: Path | None = None
    molecules: Literal["auto"] | MoleculeMode = "auto"
    umi_tag: str | None = None
    scan: bool = False
    read_group: tuple[str, ...] = ()
    min_family_size: int | None = None
    min_base_quality: int | None = None
    min_mapping_quality: int | None = None
    threads: int = 1
    checksums: bool = True
    redact: bool = False
    force: bool = False
    quiet: bool = False
    format: OutputFormat | None = None


def quantify(request: QuantifyRequest) -> list[VisitResult]:
    """Count and judge every sample, then write all files at once.

    Raises:
        InputError: a file is wrong, or an output exists and `force` is not given.
    """
    if request.sample is not None and len(pair_files(request.reads)) > 1:
        raise InputError(
            "--sample",
            "one name was given for several files of reads",
            "quantify them one by one, or let the read groups name them",
        )
    panel = read_panel(request.panel)
    if not request.quiet and not is_warm():
        sys.stderr.write(
            "compiling the kernels, once for this version (half a minute or so)\n"
        )
    inputs = _described(request)
    with ExitStack() as stack:
        reference = _open_reference(request, stack)
        samples = _count(request.reads, panel, reference, request, request.sample)
        controls = _count(request.control, panel, reference, request, None)
        bases = _bases_before(panel, reference)
    _refuse_same_names(samples)
    if request.redact:
        samples = _redacted(samples, panel, request)
    results = _judge(samples, controls, panel, request)
    libraries = {"htslib": htslib_version()}
    run = describe_run(sys.argv, inputs(), libraries=libraries)
    provenance = model_json(redacted_provenance(run) if request.redact else run)
    files: dict[str, bytes] = {}
    for counts, result in zip(samples, results, strict=True):
        files |= result_files(
            result, counts, panel, provenance=provenance, reference_bases=bases
        )
    write_files(request.output, files, force=request.force)
    _tell(results, request)
    return results


def _redacted(
    samples: Sequence[SampleCounts], panel: Panel, request: QuantifyRequest
) -> list[SampleCounts]:
    """Rename samples that the user did not name, and drop what nobody asked for."""
    names = sample_names(panel.patient, request.date, len(samples))
    if request.sample is not None:
        names = [request.sample]
    return [redacted_counts(c, n) for c, n in zip(samples, names, strict=True)]


def _open_reference(request: QuantifyRequest, stack: ExitStack) -> Reference | None:
    if request.reference is None:
        return None
    return stack.enter_context(Reference(request.reference))


def _count(
    paths: Sequence[Path],
    panel: Panel,
    reference: Reference | None,
    request: QuantifyRequest,
    sample: str | None,
) -> list[SampleCounts]:
    settings = counting_settings(request)
    return [
        count_reads(reads, panel, reference, settings, sample)
        for reads in pair_files(paths)
    ]


def counting_settings(request: QuantifyRequest) -> CountingSettings:
    """Take what the user chose over the defaults of `CountingSettings`."""
    chosen = {
        "min_family_size": request.min_family_size,
        "min_base_quality": request.min_base_quality,
        "min_mapping_quality": request.min_mapping_quality,
    }
    mode = None if request.molecules == "auto" else request.molecules
    return CountingSettings(
        molecules=mode,
        umi_tag=request.umi_tag,
        scan=request.scan,
        read_groups=request.read_group,
        threads=request.threads,
        **{name: value for name, value in chosen.items() if value is not None},
    )


def counting_filters(settings: CountingSettings) -> dict[str, FilterValue]:
    """Pick the settings that a sample and its controls must share."""
    return {
        "min_base_quality": settings.min_base_quality,
        "min_mapping_quality": settings.min_mapping_quality,
        "min_family_size": settings.min_family_size,
    }


def _judge(
    samples: Sequence[SampleCounts],
    controls: Sequence[SampleCounts],
    panel: Panel,
    request: QuantifyRequest,
) -> list[VisitResult]:
    facts = VisitFacts(
        patient=panel.patient,
        disease=panel.disease,
        assembly=panel.assembly,
        date=request.date,
        specimen=request.specimen,
        timepoint=(
            redacted_label(request.timepoint) if request.redact else request.timepoint
        ),
        panel_digest=panel_digest(request.panel),
        software_version=__version__,
    )
    settings = level_settings(request)
    mates = samples if len(samples) > 1 else ()
    context = run_context(controls, _held_controls(samples, request), mates, settings)
    return [judge_sample(counts, facts, settings, context) for counts in samples]


def _held_controls(
    samples: Sequence[SampleCounts], request: QuantifyRequest
) -> Controls | None:
    """Read the background file; refuse it where a sample was counted otherwise."""
    if request.background is None:
        return None
    filters = counting_filters(counting_settings(request))
    held = None
    for mode in sorted({counts.molecule_mode for counts in samples}):
        held = read_background(request.background, mode, filters)
    return held


def _refuse_same_names(samples: Sequence[SampleCounts]) -> None:
    seen: set[str] = set()
    for counts in samples:
        if counts.sample in seen:
            raise InputError(
                f"sample {counts.sample!r}",
                "two files of reads are of this sample",
                "merge them, or quantify them one by one with --sample",
            )
        seen.add(counts.sample)


def _bases_before(panel: Panel, reference: Reference | None) -> ReferenceBases:
    """Give the reference bases that the VCF writes for markers without a REF allele."""
    if reference is None:
        return {}
    places: set[tuple[str, int]] = set()
    for marker in panel.marker:
        if isinstance(marker, Duplication):
            places.add((marker.contig, marker.start - 1))
        elif isinstance(marker, Breakpoint):
            places |= {
                (end.contig, end.position) for end in (marker.left, marker.right)
            }
    return {
        (contig, position): reference.fetch(contig, position - 1, position)
        for contig, position in places
        if position > 0
    }


def _inputs(request: QuantifyRequest) -> list[Path]:
    optional = [request.reference, request.background]
    return [
        request.panel,
        *request.reads,
        *request.control,
        *(path for path in optional if path is not None),
    ]


def _described(request: QuantifyRequest) -> Callable[[], list[InputFile]]:
    """Measure the inputs beside the counting; after it where one thread was asked for.

    For then one core may be all there is.
    """
    paths = _inputs(request)
    if not request.checksums:
        return lambda: [describe_input(path, checksum=False) for path in paths]
    if request.threads > 1:
        return describe_meanwhile(paths)
    return lambda: [describe_input(path) for path in paths]


def _tell(results: Sequence[VisitResult], request: QuantifyRequest) -> None:
    """Put the data asked for on stdout; else a table for the eye on stderr."""
    if request.quiet and request.format is None:
        return
    # The models of a timeline come with it: what `--quiet` never shows is not loaded.
    from mrdtrack.reports.terminal import formatted, wants_colour

    if request.format is not None:
        colour = request.format == "table" and wants_colour(sys.stdout)
        sys.stdout.write(formatted(results, request.format, colour=colour))
    else:
        sys.stderr.write(formatted(results, "table", colour=wants_colour(sys.stderr)))
