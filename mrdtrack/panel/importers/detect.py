"""Which kind of file this is, by what stands in it and never by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from mrdtrack.errors import PanelError
from mrdtrack.panel.importers.tables import column_name, read_text
from mrdtrack.panel.importers.vcf import is_bcf

Kind = Literal[
    "vcf",
    "airr",
    "vidjil",
    "immunoseq",
    "getitd",
    "arriba",
    "star-fusion",
    "bedpe",
    "table",
]

_HEADERS: tuple[tuple[Kind, frozenset[str]], ...] = (
    ("getitd", frozenset({"start_chr13_bp", "end_chr13_bp", "length"})),
    ("arriba", frozenset({"gene1", "gene2", "breakpoint1", "breakpoint2"})),
    ("star-fusion", frozenset({"fusionname", "leftbreakpoint", "rightbreakpoint"})),
    ("bedpe", frozenset({"start1", "end1", "start2", "end2"})),
    ("airr", frozenset({"sequence_id", "v_call", "j_call"})),
    ("airr", frozenset({"cdr3nt", "v", "j"})),
    ("airr", frozenset({"cloneid", "nseqcdr3"})),
    ("airr", frozenset({"allvhitswithscore", "nseqcdr3"})),
    ("immunoseq", frozenset({"nucleotide", "vgenename"})),
    ("immunoseq", frozenset({"nucleotide", "vindex"})),
    ("immunoseq", frozenset({"nucleotide", "aminoacid"})),
    ("immunoseq", frozenset({"rearrangement", "amino_acid"})),
)


def detect_kind(path: Path) -> Kind:
    """Tell the kind of a file.

    Raises:
        PanelError: it is empty, or no text.
    """
    if is_bcf(path):
        return "vcf"
    text = read_text(path)
    if text.startswith("##fileformat=VCF") or text.startswith("#CHROM\tPOS"):
        return "vcf"
    if text.lstrip()[:1] == "{":
        return "vidjil"
    lines = (line for line in text.splitlines() if line and line[:2] != "##")
    head = next(lines, "")
    delimiter = max("\t;,", key=head.count)
    columns = {column_name(cell.strip('"')) for cell in head.split(delimiter)}
    for kind, needed in _HEADERS:
        if needed <= columns:
            return kind
    if len(columns) < 2:
        raise PanelError(
            str(path),
            "it is none of the known kinds of file, nor a table with columns",
            "give VCF, AIRR, .vidjil, immunoSEQ, getITD, Arriba, STAR-Fusion or a "
            "table with a header line",
        )
    return "table"
