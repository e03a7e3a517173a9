"""`mrdtrack panel show`: the markers of a panel as a table."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from mrdtrack.panel.file import read_panel
from mrdtrack.panel.model import Marker, Panel
from mrdtrack.reports.tables import tsv


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelShowRequest:
    """What the command line asks for."""

    panel: Path


COLUMNS = ("id", "kind", "place", "change", "gene", "role", "group")


def panel_show(request: PanelShowRequest) -> Panel:
    """Write the markers to stdout as TSV."""
    panel = read_panel(request.panel)
    rows = (_row(marker) for marker in panel.marker)
    sys.stdout.write(tsv(COLUMNS, rows).decode())
    return panel


def _row(marker: Marker) -> dict[str, str | None]:
    place, change = _place_and_change(marker)
    return {
        "id": marker.id,
        "kind": marker.kind,
        "place": place,
        "change": change,
        "gene": marker.gene,
        "role": marker.role,
        "group": marker.group,
    }


def _place_and_change(marker: Marker) -> tuple[str, str]:
    match marker.kind:
        case "small_variant":
            place = f"{marker.contig}:{marker.position}"
            return place, f"{marker.ref}>{marker.alt}"
        case "duplication":
            length = marker.end - marker.start + 1
            place = f"{marker.contig}:{marker.start}-{marker.end}"
            return place, f"{length} bases repeated, {len(marker.inserted)} inserted"
        case "breakpoint":
            ends = [
                f"{end.contig}:{end.position}({end.strand})"
                for end in (marker.left, marker.right)
            ]
            return " to ".join(ends), f"joined, {len(marker.inserted)} inserted"
        case "sequence":
            return marker.locus or "", marker.sequence
