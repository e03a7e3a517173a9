"""`mrdtrack panel check`: all faults of a panel, by itself and against its data."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from mrdtrack.counting.plan import marker_haplotypes, plan_counting
from mrdtrack.counting.reads_file import open_reads
from mrdtrack.counting.sequence_index import build_sequence_index
from mrdtrack.panel.advice import advise
from mrdtrack.panel.file import read_panel
from mrdtrack.panel.model import Panel, Sequence
from mrdtrack.panel.reference import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelCheckRequest:
    """What the command line asks for."""

    panel: Path
    reference: Path | None = None
    reads: Path | None = None


def panel_check(request: PanelCheckRequest) -> Panel:
    """Check a panel, against the reference and the reads where they are given.

    Raises:
        InputError: the panel has a fault, or does not fit reference or reads.
    """
    panel = read_panel(request.panel)
    sequences = [marker for marker in panel.marker if isinstance(marker, Sequence)]
    located = [marker for marker in panel.marker if not isinstance(marker, Sequence)]
    advice = advise(panel)
    if sequences:
        build_sequence_index(sequences)
    if request.reference is not None:
        with Reference(request.reference) as reference:
            marker_haplotypes(located, reference)
            if request.reads is not None:
                reads = open_reads(request.reads, request.reference)
                plan_counting(panel, reads, reference)
            advice = advise(panel, reference)
    elif request.reads is not None:
        open_reads(request.reads, None)
    for one in advice:
        sys.stderr.write(f"{one.severity}: {one.marker}: {one.message}\n")
    n = len(panel.marker)
    sys.stderr.write(f"{request.panel}: {n} marker{'s' if n > 1 else ''}, no fault\n")
    return panel
