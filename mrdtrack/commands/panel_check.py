"""`mrdtrack panel check`: all faults of a panel, by itself and against its data."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mrdtrack.counting.diagnosis import advise_diagnosis
from mrdtrack.counting.plan import marker_haplotypes, plan_counting
from mrdtrack.counting.reads_facts import reads_facts
from mrdtrack.counting.reads_file import open_reads
from mrdtrack.counting.sequence_index import build_sequence_index
from mrdtrack.errors import InputError, one_line
from mrdtrack.panel.advice import Advice, ReadsFacts, advise, marker_windows
from mrdtrack.panel.common_variants import CommonVariant, read_common_variants
from mrdtrack.panel.file import read_panel
from mrdtrack.panel.model import Panel
from mrdtrack.panel.model import Sequence as SequenceMarker
from mrdtrack.panel.reference import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelCheckRequest:
    """What the command line asks for.

    `reads` are like those that will come: their lengths are measured. With
    `at_diagnosis` they are of diagnosis, and every marker must be seen in them.
    `common` is a VCF of common variants.
    """

    panel: Path
    reference: Path | None = None
    reads: Path | None = None
    common: Path | None = None
    at_diagnosis: bool = False


def panel_check(request: PanelCheckRequest) -> Panel:
    """Check a panel, against the reference and the reads where they are given.

    Raises:
        InputError: the panel has a fault, or does not fit reference or reads.
    """
    if request.at_diagnosis and request.reads is None:
        raise InputError(
            "--at-diagnosis", "it speaks of reads, and none are given", "give --reads"
        )
    panel = read_panel(request.panel)
    sequences = [m for m in panel.marker if isinstance(m, SequenceMarker)]
    if sequences:
        build_sequence_index(sequences)
    common = _common(request, panel)
    if request.reference is None:
        advice = _advice(request, panel, None, common)
    else:
        with Reference(request.reference) as reference:
            advice = _advice(request, panel, reference, common)
    _tell(request, panel, advice)
    return panel


def _common(
    request: PanelCheckRequest, panel: Panel
) -> Mapping[str, Sequence[CommonVariant]]:
    if request.common is None:
        return {}
    return read_common_variants(request.common, marker_windows(panel))


def _advice(
    request: PanelCheckRequest,
    panel: Panel,
    reference: Reference | None,
    common: Mapping[str, Sequence[CommonVariant]],
) -> list[Advice]:
    facts = _facts(request, panel, reference)
    advice = advise(panel, reference, facts, common)
    if request.at_diagnosis and request.reads is not None:
        advice += advise_diagnosis(request.reads, panel, reference)
    return advice


def _facts(
    request: PanelCheckRequest, panel: Panel, reference: Reference | None
) -> ReadsFacts:
    """See that panel, reference and reads fit, and measure the reads."""
    if reference is not None:
        located = [m for m in panel.marker if not isinstance(m, SequenceMarker)]
        marker_haplotypes(located, reference)
    if request.reads is None:
        return ReadsFacts()
    reads = open_reads(request.reads, request.reference)
    if reference is None:
        return reads_facts(reads, None)
    plan = plan_counting(panel, reads, reference)
    return reads_facts(reads, None if plan.sequences else plan.regions)


def _tell(request: PanelCheckRequest, panel: Panel, advice: Sequence[Advice]) -> None:
    """Put advice under its marker, in panel order; the last line says how it ends."""
    order = {marker.id: place for place, marker in enumerate(panel.marker)}
    told = sorted(advice, key=lambda one: order[one.marker])
    lines = [f"{one.severity}: {one.marker}: {one.message}" for one in told]
    n, n_warnings = len(panel.marker), sum(one.severity == "warning" for one in told)
    end = f"{request.panel}: {n} marker{'s' * (n > 1)}, no fault"
    if n_warnings:
        end += f", {n_warnings} warning{'s' * (n_warnings > 1)}"
    sys.stderr.writelines(f"{one_line(line)}\n" for line in [*lines, end])
