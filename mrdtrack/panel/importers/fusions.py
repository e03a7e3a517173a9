"""Fusions from Arriba and STAR-Fusion: transcript sequences, genomic breakpoints.

An RNA breakpoint is where exons meet, not where the DNA broke: it becomes a `sequence`
marker over the join. A genomic breakpoint (Arriba's `closest_genomic_breakpoint`, from
structural-variant calls of the DNA) becomes a `breakpoint` marker.
"""

from __future__ import annotations

import re
from pathlib import Path

from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.importers.adjacency_text import (
    Adjacency,
    End,
    adjacency_fields,
)
from mrdtrack.panel.importers.outcome import (
    Fault,
    Imported,
    ImportOptions,
    shortened,
)
from mrdtrack.panel.importers.tables import Row, read_table, whole_number

ARM = 30
"""Bases of a fusion transcript on either side of the join that make the marker."""
MIN_ARM = 12
_JOINED = re.compile(r"(?P<left>[^|]*)\|(?:(?P<between>[acgt]+)\|)?(?P<right>[^|]*)")
_BRACKETS = str.maketrans("", "", "()[]-")


def import_arriba(path: Path, _: ImportOptions) -> Imported:
    """Read the fusions of Arriba's `fusions.tsv`.

    Raises:
        PanelError: it is no table.
    """
    found = Imported()
    for row in read_table(path).rows:
        try:
            _read_arriba(row, found)
        except Fault as fault:
            found.faults.append(f"{row.where}: {fault}")
    return found


def _read_arriba(row: Row, found: Imported) -> None:
    genes = f"{row.first('gene1')}::{row.first('gene2')}"
    if not row.first("breakpoint1") or not row.first("breakpoint2"):
        raise Fault("the row has no breakpoints")
    adjacency = _genomic(row)
    if adjacency is not None:
        fields = adjacency_fields(adjacency)
        name = f"{genes} genomic {row.first('closest_genomic_breakpoint1')}"
        found.add({**fields, "id": name.partition("(")[0], "gene": genes}, row.where)
    parts = _transcript(row.first("fusion_transcript"))
    if parts is None:
        if adjacency is None:
            found.unusable.append(
                f"{row.where}: {genes} has neither a transcript sequence of {MIN_ARM} "
                "bases on both sides of the join nor genomic breakpoints"
            )
        return
    left, right = parts
    name = f"{genes} {row.first('breakpoint1')}/{row.first('breakpoint2')}"
    found.add(_joined(name, genes, left, right), row.where)


def _joined(name: str, genes: str, left: str, right: str) -> dict[str, str | int]:
    return {
        "kind": "sequence",
        "id": name,
        "sequence": left + right,
        "join": len(left),
        "gene": genes,
    }


def _transcript(text: str) -> tuple[str, str] | None:
    """Give the bases beside Arriba's join; untemplated ones belong to the right arm.

    Introns (`___`) are spliced out, `...` and `?` end what is known, bases in brackets
    are inserted ones, `-` deleted ones, small letters mismatches.
    """
    match = _JOINED.fullmatch(text.replace("___", ""))
    if match is None:
        return None
    left = _known(match["left"], at_end=True)
    right = _known(match["right"], at_end=False)
    if len(left) < MIN_ARM or len(right) < MIN_ARM:
        return None
    return left[-ARM:], (match["between"] or "").upper() + right[:ARM]


def _known(text: str, *, at_end: bool) -> str:
    parts = re.split(r"\.\.\.|\?", text.translate(_BRACKETS))
    bases = (parts[-1] if at_end else parts[0]).upper()
    if not re.fullmatch("[ACGT]*", bases):
        raise Fault(f"fusion_transcript {shortened(text)!r} holds unknown letters")
    return bases


def _genomic(row: Row) -> Adjacency | None:
    """Give the genomic adjacency; `downstream`: the partner lies beyond the end."""
    ends = []
    for side in ("1", "2"):
        text = row.first(f"closest_genomic_breakpoint{side}").partition("(")[0]
        if not text:
            return None
        contig, _, position = text.rpartition(":")
        direction = row.first(f"direction{side}")
        if direction not in {"downstream", "upstream"}:
            raise Fault(f"direction{side} {shortened(direction)!r} is not known")
        strand = "+" if direction == "downstream" else "-"
        ends.append(End(contig, whole_number(position, "the breakpoint"), strand))
    return Adjacency(ends[0], ends[1], "")


def import_star_fusion(path: Path, options: ImportOptions) -> Imported:
    """Read the fusions of STAR-Fusion's predictions.

    The sequence over the join comes from `FusionSeq` or the coding sequence where the
    table has one, else from the reference.

    Raises:
        PanelError: it is no table.
    """
    found = Imported()
    for row in read_table(path).rows:
        try:
            _read_star_fusion(row, options, found)
        except Fault as fault:
            found.faults.append(f"{row.where}: {fault}")
    return found


def _read_star_fusion(row: Row, options: ImportOptions, found: Imported) -> None:
    genes = row.first("fusionname").replace("--", "::")
    ends = row.first("leftbreakpoint"), row.first("rightbreakpoint")
    if not all(ends):
        raise Fault("the row has no breakpoints")
    parts = _cased(row.first("fusionseq")) or _coding(row)
    if parts is None and options.reference is not None:
        parts = (
            _arm(ends[0], options, before=True),
            _arm(ends[1], options, before=False),
        )
    if parts is None:
        found.unusable.append(
            f"{row.where}: {genes} has no sequence in the table (give --reference)"
        )
        return
    left, right = parts
    name = f"{genes} {ends[0]}/{ends[1]}"
    found.add(_joined(name, genes, left[-ARM:], right[:ARM]), row.where)


def _cased(text: str) -> tuple[str, str] | None:
    """Split a sequence whose halves differ in case (`FusionSeq`)."""
    match = re.fullmatch("([ACGT]+)([acgt]+)", text) or re.fullmatch(
        "([acgt]+)([ACGT]+)", text
    )
    return (match[1].upper(), match[2].upper()) if match else None


def _coding(row: Row) -> tuple[str, str] | None:
    """Cut the fused coding sequence where the left part's range ends."""
    sequence = row.first("fusion_cds")
    _, _, last = row.first("cds_left_range").partition("-")
    if not sequence or not last:
        return None
    join, bases = whole_number(last, "CDS_LEFT_RANGE"), sequence.upper()
    if not re.fullmatch("[ACGT]+", bases) or not 0 < join < len(bases):
        raise Fault("FUSION_CDS does not fit CDS_LEFT_RANGE")
    return _cased(sequence) or (bases[:join], bases[join:])


def _arm(place: str, options: ImportOptions, *, before: bool) -> str:
    """Read one arm off the reference; `chr:position:strand` is an exon's last base."""
    contig, position, strand = _place(place)
    if options.reference is None:
        raise ValueError("an arm needs a reference")
    upwards = (strand == "+") != before
    start = position - 1 if upwards else position - ARM
    bases = options.reference.fetch(contig, start, start + ARM)
    if len(bases) < ARM or not re.fullmatch("[ACGT]+", bases):
        raise Fault(f"the reference has not {ARM} known bases beside {place}")
    return bases if strand == "+" else reverse_complement(bases)


def _place(text: str) -> tuple[str, int, str]:
    contig, _, rest = text.partition(":")
    position, _, strand = rest.partition(":")
    if strand not in {"+", "-"}:
        raise Fault(f"breakpoint {shortened(text)!r} is not contig:position:strand")
    return contig, whole_number(position, "the breakpoint"), strand
