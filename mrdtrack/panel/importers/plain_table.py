"""Markers from a plain table: one marker a row, columns named as people name them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mrdtrack.panel.importers.clonotypes import locus_of
from mrdtrack.panel.importers.outcome import (
    Fault,
    Imported,
    ImportOptions,
    change_of,
    is_share,
    shortened,
)
from mrdtrack.panel.importers.tables import Row, number, read_table, whole_number

CONTIG = ("contig", "chrom", "chromosome", "chr")
POSITION = ("position", "pos")
NAME = ("id", "name", "marker", "clone")
SEQUENCE = ("sequence", "junction", "junction_nt", "cdr3nt", "cdr3_nt", "nucleotide")
LEFT = ("contig1", "chrom1"), ("position1", "pos1"), ("strand1",)
RIGHT = ("contig2", "chrom2"), ("position2", "pos2"), ("strand2",)
SHARE = ("vaf_at_diagnosis", "vaf", "af")
_COMMON = ("gene", "hgvs", "group", "role", "note", "zygosity")
KINDS = ("small_variant", "duplication", "breakpoint", "sequence")


def import_table(path: Path, options: ImportOptions) -> Imported:
    """Read a plain table.

    Columns: contig, position, ref, alt (as in VCF); or start, end (a tandem
    duplication); or contig1, position1, strand1, contig2, position2, strand2; or
    sequence. `kind` says which where several are there.

    Raises:
        PanelError: it is no table.
    """
    found = Imported()
    for row in read_table(path).rows:
        if options.sample is not None and row.first("sample") != options.sample:
            continue
        try:
            _read(row, found)
        except Fault as fault:
            found.faults.append(f"{row.where}: {fault}")
    return found


def _read(row: Row, found: Imported) -> None:
    kind = _kind(row)
    fields = {"kind": kind, **_FIELDS[kind](row)}
    share = _share(row)
    common: dict[str, Any] = {key: row.first(key) or None for key in _COMMON}
    name = row.first(*NAME) or _name(fields)
    found.add(
        {**fields, **common, "id": name, "vaf_at_diagnosis": share},
        row.where,
        share=share,
    )


def _kind(row: Row) -> str:
    told = row.first("kind").lower()
    if told:
        if told not in KINDS:
            raise Fault(f"kind {shortened(told)!r} is none of {', '.join(KINDS)}")
        return told
    if row.first(*LEFT[0]) and row.first(*RIGHT[0]):
        return "breakpoint"
    if row.cells.get("ref", "") or row.cells.get("alt", ""):
        return "small_variant"
    if row.first("start") and row.first("end"):
        return "duplication"
    if row.first(*SEQUENCE):
        return "sequence"
    raise Fault(
        "the row holds neither ref and alt, nor start and end, nor two breakpoint "
        "ends, nor a sequence"
    )


def _position(row: Row, *columns: str) -> int:
    text = row.first(*columns)
    if not text:
        raise Fault(f"{columns[0]} is missing")
    return whole_number(text, columns[0])


def _needed(row: Row, *columns: str) -> str:
    text = row.first(*columns)
    if not text:
        raise Fault(f"{columns[0]} is missing")
    return text


def _small_variant(row: Row) -> dict[str, Any]:
    return {
        "contig": _needed(row, *CONTIG),
        "position": _position(row, *POSITION, "start"),
        "ref": row.cells.get("ref", "").strip(),
        "alt": row.cells.get("alt", "").strip(),
    }


def _duplication(row: Row) -> dict[str, Any]:
    return {
        "contig": _needed(row, *CONTIG),
        "start": _position(row, "start"),
        "end": _position(row, "end"),
        "inserted": row.first("inserted", "filler"),
    }


def _breakpoint(row: Row) -> dict[str, Any]:
    ends = [
        {
            "contig": _needed(row, *contig),
            "position": _position(row, *position),
            "strand": _needed(row, *strand),
        }
        for contig, position, strand in (LEFT, RIGHT)
    ]
    return {"left": ends[0], "right": ends[1], "inserted": row.first("inserted")}


def _sequence(row: Row) -> dict[str, Any]:
    join, edits = row.first("join"), row.first("max_edits")
    return {
        "sequence": _needed(row, *SEQUENCE),
        "locus": locus_of(row.first("locus", "v", "v_call")),
        "join": whole_number(join, "join") if join else None,
        "max_edits": whole_number(edits, "max_edits") if edits else None,
    }


_FIELDS = {
    "small_variant": _small_variant,
    "duplication": _duplication,
    "breakpoint": _breakpoint,
    "sequence": _sequence,
}


def _share(row: Row) -> float | None:
    text = row.first(*SHARE)
    if not text:
        return None
    share = is_share(number(text))
    if share is None:
        raise Fault(f"vaf {shortened(text)!r} is no share above 0 and at most 1")
    return share


def _name(fields: dict[str, Any]) -> str:
    if fields["kind"] == "small_variant":
        return f"{fields['contig']}:{fields['position']} {change_of(fields)}"
    if fields["kind"] == "duplication":
        return f"{fields['contig']}:{fields['start']}-{fields['end']} dup"
    if fields["kind"] == "breakpoint":
        ends = (fields["left"], fields["right"])
        return "/".join(f"{e['contig']}:{e['position']}{e['strand']}" for e in ends)
    return f"sequence {shortened(fields['sequence'], 12)}"


def import_bedpe(path: Path, _: ImportOptions) -> Imported:
    """Read breakpoints from BEDPE with a header: 0-based spans of one base.

    Raises:
        PanelError: it is no table.
    """
    found = Imported()
    for row in read_table(path).rows:
        try:
            ends = [_bedpe_end(row, side) for side in ("1", "2")]
        except Fault as fault:
            found.faults.append(f"{row.where}: {fault}")
            continue
        fields: dict[str, Any] = {
            "kind": "breakpoint",
            "left": ends[0],
            "right": ends[1],
            "inserted": row.first("inserted", "insseq"),
        }
        name = row.first(*NAME) or _name(fields)
        found.add({**fields, "id": name, "gene": row.first("gene") or None}, row.where)
    return found


def _bedpe_end(row: Row, side: str) -> dict[str, Any]:
    start = _position(row, f"start{side}")
    end = _position(row, f"end{side}")
    if end != start + 1:
        raise Fault(
            f"start{side}-end{side} spans {end - start} bases: the join is not exact"
        )
    return {
        "contig": _needed(row, f"chrom{side}", f"contig{side}"),
        "position": end,
        "strand": _needed(row, f"strand{side}"),
    }
