"""FLT3-ITDs from getITD's tables (FLT3_ITD_ext writes VCF, and is read as such).

getITD tells a duplication by the ends of the wild-type tandem on chr13 (hg19); its
length includes external bases whose place between the copies the table does not tell.
"""

from __future__ import annotations

from pathlib import Path

from mrdtrack.panel.importers.outcome import Fault, Imported, ImportOptions, is_share
from mrdtrack.panel.importers.tables import Row, number, read_table, whole_number

CONTIG = "chr13"
ASSEMBLY_NOTE = "getITD's positions are of hg19 unless its annotation was changed"


def import_getitd(path: Path, options: ImportOptions) -> Imported:
    """Read the duplications of a getITD table.

    Raises:
        PanelError: it is no table.
    """
    found = Imported()
    for row in read_table(path).rows:
        if options.sample is not None and row.first("sample") != options.sample:
            continue
        try:
            _read(row, options, found)
        except Fault as fault:
            found.faults.append(f"{row.where}: {fault}")
    if found.candidates:
        found.notes.append(ASSEMBLY_NOTE)
    return found


def _read(row: Row, options: ImportOptions, found: Imported) -> None:
    length = whole_number(row.first("length"), "length")
    ends = [
        whole_number(row.first(f"{side}_chr13_bp"), f"{side}_chr13_bp")
        for side in ("start", "end")
    ]
    start, end = min(ends), max(ends)
    share = is_share(_percent(row.first("vaf")))
    if options.min_share and share is not None and share < options.min_share:
        found.notes.append(f"{row.where} is left out: VAF {share:.3g}")
        return
    external = number(row.first("external_bp") or "0")
    if row.first("trailing").lower() == "true":
        found.unusable.append(f"{row.where}: a trailing ITD has no certain length")
    elif external or end - start + 1 != length:
        found.unusable.append(
            f"{row.where}: {length} bases are inserted for a tandem of "
            f"{end - start + 1}, {int(external or 0)} of them external: give this ITD "
            "as VCF, or as the sequence over its join"
        )
    else:
        found.add(
            {
                "id": f"FLT3-ITD {length} bp {start}",
                "kind": "duplication",
                "contig": CONTIG,
                "start": start,
                "end": end,
                "gene": "FLT3",
                "vaf_at_diagnosis": share,
            },
            row.where,
            share=share,
        )


def _percent(text: str) -> float | None:
    """Read a VAF; getITD writes percent without saying so."""
    value = number(text)
    return value / 100 if value is not None else None
