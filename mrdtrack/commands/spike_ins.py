"""`mrdtrack spike-ins`: clones as shares of cells, by spike-ins of known copies."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from mrdtrack.counting.count import count_reads
from mrdtrack.counting.settings import CountingSettings
from mrdtrack.counts import MoleculeMode
from mrdtrack.errors import InputError, one_line
from mrdtrack.levels.result import Specimen
from mrdtrack.levels.spike_in_levels import (
    COLUMNS,
    CloneLevel,
    CountedClone,
    clone_level,
    vidjil_level,
)
from mrdtrack.levels.spike_ins import (
    POOLED,
    FamilyFactor,
    SpikeIn,
    family_factors,
    vidjil_coefficients,
)
from mrdtrack.levels.visit_facts import DEFAULT_REQUIRED_SENSITIVITY, genomes_of
from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.file import read_panel
from mrdtrack.panel.importers.outcome import ImportOptions
from mrdtrack.panel.importers.tables import read_text
from mrdtrack.panel.importers.vidjil import Tube, TubeClone, vidjil_tube
from mrdtrack.panel.model import Panel
from mrdtrack.panel.model import Sequence as SequenceMarker
from mrdtrack.panel.spike_table import SpikeSequence, read_spikes
from mrdtrack.reports.output_files import safe_name, write_files
from mrdtrack.reports.tables import Cell, Json, cell_text, json_bytes, tsv

SPIKE_COLUMNS = (
    *("sample", "name", "family", "copies", "reads", "copies_per_read", "scatter"),
)
EXTERNAL_COLUMNS = (
    *("date", "specimen", "metric", "value", "low", "high", "lod", "call", "method"),
    *("target", "sample"),
)
SHORTEST_EXACT = 24
"""A spike-in of fewer bases is looked for without edits."""
OutputFormat = Literal["table", "json", "tsv"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeInsRequest:
    """What `mrdtrack spike-ins` is asked for.

    `files` are reads (then with a `panel` of clones) or .vidjil files. `family` holds
    `CLONE=FAMILY` where the genes do not tell it.
    """

    spikes: Path
    files: tuple[Path, ...]
    output: Path
    panel: Path | None = None
    family: tuple[str, ...] = ()
    compat: Literal["vidjil"] | None = None
    input_ng: float | None = None
    input_genomes: float | None = None
    required_sensitivity: float | None = None
    sample: str | None = None
    date: str | None = None
    specimen: Specimen | None = None
    time_point: int = 1
    molecules: Literal["auto"] | MoleculeMode = "auto"
    umi_tag: str | None = None
    threads: int = 1
    force: bool = False
    quiet: bool = False
    format: OutputFormat | None = None


class CountedTube(NamedTuple):
    """One tube: reads of every spike-in and clone, and those of each germline."""

    sample: str
    spikes: list[int]
    clones: list[CountedClone]
    germline_reads: Mapping[str, int]


def spike_ins(request: SpikeInsRequest) -> dict[str, list[CloneLevel]]:
    """Give the level of every clone in every tube, write it, and say how.

    Raises:
        InputError: a file is wrong, or an output exists and `force` is not given.
    """
    spikes = read_spikes(request.spikes)
    tubes = [_count(path, spikes, request) for path in request.files]
    files: dict[str, bytes] = {}
    levels: dict[str, list[CloneLevel]] = {}
    for tube in tubes:
        if tube.sample in levels:
            raise InputError(
                f"sample {tube.sample!r}",
                "two files are of this sample",
                "give them one by one with --sample",
            )
        factors = family_factors(_spike_ins(spikes, tube))
        levels[tube.sample] = _levels(tube, spikes, factors, request)
        files |= _files(tube, spikes, factors, levels[tube.sample], request)
    write_files(request.output, files, force=request.force)
    _tell(levels, request)
    return levels


def _count(
    path: Path, spikes: Sequence[SpikeSequence], request: SpikeInsRequest
) -> CountedTube:
    if _is_vidjil(path):
        options = ImportOptions(time_point=request.time_point)
        return _of_vidjil(vidjil_tube(path, options), spikes, request)
    if request.compat == "vidjil":
        raise InputError(
            str(path),
            "it does not tell the reads of a germline, on which Vidjil's numbers rest",
            "give the .vidjil file, or leave out --compat",
        )
    if request.panel is None:
        raise InputError(
            "--panel", "reads need a panel of the clones", "give one, or a .vidjil file"
        )
    return _of_reads(path, read_panel(request.panel), spikes, request)


def _is_vidjil(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(4096).lstrip()[:1]
    return head == b"{" and '"clones"' in read_text(path)


def _of_reads(
    path: Path,
    panel: Panel,
    spikes: Sequence[SpikeSequence],
    request: SpikeInsRequest,
) -> CountedTube:
    """Count clones and spike-ins at once, so that a read belongs to the nearest."""
    clones = [marker for marker in panel.marker if isinstance(marker, SequenceMarker)]
    if not clones:
        raise InputError(
            str(request.panel), "it has no sequence marker", "give the clones' panel"
        )
    markers = [*clones, *(_spike_marker(spike) for spike in spikes)]
    settings = CountingSettings(
        molecules=None if request.molecules == "auto" else request.molecules,
        umi_tag=request.umi_tag,
        threads=request.threads,
    )
    together = panel.model_copy(update={"marker": tuple(markers), "identity": ()})
    counts = count_reads(path, together, None, settings, request.sample)
    found = {row.marker: row.alt or 0 for row in counts.markers}
    families = _told_families(request, [marker.id for marker in clones])
    return CountedTube(
        counts.sample,
        [found[_spike_id(spike)] for spike in spikes],
        [
            CountedClone(
                name=marker.id,
                reads=found[marker.id],
                genes=f"{marker.gene or ''} {marker.id}",
                locus=marker.locus or "",
                family=families.get(marker.id),
            )
            for marker in clones
        ],
        {},
    )


def _spike_id(spike: SpikeSequence) -> str:
    return f"spike-in {spike.name}"


def _spike_marker(spike: SpikeSequence) -> SequenceMarker:
    return SequenceMarker(
        id=_spike_id(spike),
        kind="sequence",
        sequence=spike.sequence,
        max_edits=0 if len(spike.sequence) < SHORTEST_EXACT else None,
    )


def _told_families(request: SpikeInsRequest, clones: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in request.family:
        clone, _, family = text.rpartition("=")
        if clone not in clones:
            raise InputError(
                "--family", f"{clone!r} is no clone", "write it as CLONE=FAMILY"
            )
        found[clone] = family
    return found


def _of_vidjil(
    tube: Tube, spikes: Sequence[SpikeSequence], request: SpikeInsRequest
) -> CountedTube:
    """Tell spike-ins from clones by the laboratory's labels, else by sequence."""
    names = {spike.name for spike in spikes}
    labelled = any(clone.label in names for clone in tube.clones)
    reads = dict.fromkeys(names, 0)
    clones: list[CountedClone] = []
    families = _told_families(request, [clone.name for clone in tube.clones])
    for clone in tube.clones:
        spike = clone.label if labelled else _spike_of(clone, spikes)
        if spike in reads:
            reads[spike] += clone.reads
            continue
        clones.append(
            CountedClone(
                name=clone.name,
                reads=clone.reads,
                genes=clone.name,
                locus=clone.locus,
                family=families.get(clone.name),
            )
        )
    return CountedTube(
        request.sample or tube.sample,
        [reads[spike.name] for spike in spikes],
        clones,
        tube.germline_reads,
    )


def _spike_of(clone: TubeClone, spikes: Sequence[SpikeSequence]) -> str:
    for spike in spikes:
        for bases in (spike.sequence, reverse_complement(spike.sequence)):
            if any(bases in sequence for sequence in clone.sequences):
                return spike.name
    return ""


def _spike_ins(spikes: Sequence[SpikeSequence], tube: CountedTube) -> list[SpikeIn]:
    return [
        SpikeIn(spike.family, spike.copies, reads)
        for spike, reads in zip(spikes, tube.spikes, strict=True)
    ]


def _levels(
    tube: CountedTube,
    spikes: Sequence[SpikeSequence],
    factors: Mapping[str, FamilyFactor],
    request: SpikeInsRequest,
) -> list[CloneLevel]:
    if request.compat == "vidjil":
        return _as_vidjil(tube, spikes)
    genomes = genomes_of(request.input_ng, request.input_genomes)
    required = request.required_sensitivity or DEFAULT_REQUIRED_SENSITIVITY
    cells = None if genomes is None else genomes / 2
    return [clone_level(clone, factors, cells, required) for clone in tube.clones]


def _as_vidjil(tube: CountedTube, spikes: Sequence[SpikeSequence]) -> list[CloneLevel]:
    """Normalise the clones of the prevalent germline, as Vidjil's script does."""
    coefficients = vidjil_coefficients(_spike_ins(spikes, tube))
    if not coefficients:
        raise InputError(
            f"sample {tube.sample!r}",
            "its spike-ins have too few reads: Vidjil takes it for one of diagnosis",
            "leave out --compat",
        )
    totals: dict[str, int] = {}
    for germline, reads in tube.germline_reads.items():
        totals[germline[:3]] = totals.get(germline[:3], 0) + reads
    prevalent = max(totals, key=lambda name: totals[name], default="")
    return [
        vidjil_level(clone, coefficients, totals[prevalent])
        for clone in tube.clones
        if prevalent and clone.locus[:3] == prevalent
    ]


def _files(
    tube: CountedTube,
    spikes: Sequence[SpikeSequence],
    factors: Mapping[str, FamilyFactor],
    levels: Sequence[CloneLevel],
    request: SpikeInsRequest,
) -> dict[str, bytes]:
    stem = safe_name(tube.sample)
    files = {
        f"{stem}.spike_ins.tsv": _table(tube.sample, levels),
        f"{stem}.spike_in_reads.tsv": tsv(
            SPIKE_COLUMNS, _spike_rows(tube, spikes, factors)
        ),
    }
    if request.date is not None and request.compat is None:
        files[f"{stem}.external.csv"] = _external(tube.sample, levels, request)
    return files


def _table(sample: str, levels: Iterable[CloneLevel]) -> bytes:
    return tsv(COLUMNS, (_row(sample, level) for level in levels))


def _row(sample: str, level: CloneLevel) -> dict[str, Cell]:
    row: dict[str, Cell] = {"sample": sample, **asdict(level)}
    if level.normalised_reads is not None:
        row["normalised_reads"] = f"{level.normalised_reads:.12f}"
    return row


def _spike_rows(
    tube: CountedTube,
    spikes: Sequence[SpikeSequence],
    factors: Mapping[str, FamilyFactor],
) -> Iterable[dict[str, Cell]]:
    for spike, reads in zip(spikes, tube.spikes, strict=True):
        factor = factors.get(spike.family)
        yield {
            "sample": tube.sample,
            "name": spike.name,
            "family": spike.family,
            "copies": spike.copies,
            "reads": reads,
            "copies_per_read": factor.copies_per_read if factor else None,
            "scatter": factor.scatter if factor else None,
        }


def _external(
    sample: str, levels: Iterable[CloneLevel], request: SpikeInsRequest
) -> bytes:
    """Write the levels as results that `timeline --external` reads."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(EXTERNAL_COLUMNS)
    visit: list[Cell] = [request.date or "", request.specimen or ""]
    for level in levels:
        if level.lod95 is None:
            continue
        found = [level.level, level.level_low, level.level_high, level.lod95]
        clone = level.clone.replace(",", ";")
        told = [level.call, "spike-ins", clone, f"{sample} {clone}"]
        row = [*visit, level.metric, *found, *told]
        writer.writerow([cell_text(cell) for cell in row])
    return text.getvalue().encode()


def _tell(levels: Mapping[str, Sequence[CloneLevel]], request: SpikeInsRequest) -> None:
    """Put the data asked for on stdout; else a line a clone on stderr."""
    if request.format == "tsv":
        tables = [_table(name, found).decode() for name, found in levels.items()]
        bodies = [tables[0], *(text.partition("\n")[2] for text in tables[1:])]
        sys.stdout.write("".join(bodies))
    elif request.format == "json":
        content: dict[str, Json] = {
            "samples": [
                {"sample": name, "clones": [_row(name, level) for level in found]}
                for name, found in levels.items()
            ]
        }
        sys.stdout.write(json_bytes(content).decode())
    elif request.format == "table" or not request.quiet:
        stream = sys.stdout if request.format else sys.stderr
        for name, found in levels.items():
            lines = [_sentence(name, level) for level in found]
            stream.writelines(f"{one_line(line)}\n" for line in lines)


def _sentence(sample: str, level: CloneLevel) -> str:
    """Say a clone's level with its metric, denominator and interval."""
    head = f"{sample}: {level.clone}: {level.call}"
    if level.copies is None:
        return f"{head} ({level.reason})"
    family = "all families" if level.family == POOLED else f"family {level.family}"
    told = f"{level.reads} reads, {level.copies:.3g} copies by {family}"
    if level.copies_low is not None:
        high = "any" if level.copies_high is None else f"{level.copies_high:.3g}"
        told += f" (95 %: {level.copies_low:.3g} to {high})"
    if level.level is not None and level.denominator is not None:
        told += f"; {level.metric} {level.level:.3g}"
        if level.level_low is not None and level.level_high is not None:
            told += f" (95 %: {level.level_low:.3g} to {level.level_high:.3g})"
        told += f" of {level.denominator:.0f} cells ({level.denominator_kind})"
    if level.lod95 is not None:
        told += f"; lod95 {level.lod95:.2g}"
    if level.normalised_reads is not None:
        told += f"; {level.normalised_reads:.12f} normalised reads"
    return f"{head}: {told}" + (f"; {level.reason}" if level.reason else "")
