"""`mrdtrack warm`: compile the kernels before the first sample needs them."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from mrdtrack.commands.demo import demo_folder
from mrdtrack.counting.count import count_reads
from mrdtrack.counting.settings import CountingSettings
from mrdtrack.panel.file import read_panel
from mrdtrack.panel.model import Sequence
from mrdtrack.panel.reference import Reference


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmRequest:
    """What the command line asks for."""

    quiet: bool = False


def warm(request: WarmRequest) -> None:
    """Run every kernel once on a visit of the packaged example.

    It is read by its index, and then whole.
    """
    with demo_folder() as folder, tempfile.TemporaryDirectory():
        panel = read_panel(folder / "panel.toml")
        probe = Sequence(id="probe", kind="sequence", sequence="ACGT" * 10)
        whole = panel.model_copy(update={"marker": (*panel.marker, probe)})
        by_index = CountingSettings(molecules="fragments")
        scan = CountingSettings(molecules="umi", scan=True)
        reads = next(iter(sorted(Path(folder).glob("*.bam"))))
        with Reference(folder / "reference.fa") as reference:
            for asked, settings in ((panel, by_index), (whole, scan)):
                count_reads(reads, asked, reference, settings)
    if not request.quiet:
        sys.stderr.write("kernels are compiled\n")
