"""Symbolic alleles of a VCF record as the fields of markers (VCF 4.3, section 3)."""

from __future__ import annotations

import re
from typing import Any

from mrdtrack.panel.importers.adjacency_text import Adjacency, End, adjacency_fields
from mrdtrack.panel.importers.outcome import shortened
from mrdtrack.panel.importers.vcf_record import Record, Unusable, inserted_bases

_BASES = re.compile("[ACGT]+", re.IGNORECASE)
_CONNECTIONS = {"3to5": "+-", "5to3": "-+", "3to3": "++", "5to5": "--"}
"""DELLY's CT, by which end of either side is joined, as strands of a BEDPE."""


def symbolic_fields(record: Record, name: str) -> list[dict[str, Any]]:
    """Give the fields of the markers of `<NAME>`: one, or two for an inversion.

    Raises:
        Fault: its span is not told.
        Unusable: it does not tell which bases are joined.
    """
    kind = name.partition(":")[0]
    if kind in {"INS", "TDUP"}:
        return [_insertion(record)] if kind == "INS" else [_duplication(record, name)]
    if kind in {"BND", "TRA", "CTX"}:
        return [adjacency_fields(_two_ended(record, name))]
    if kind == "DUP":
        return [_duplication(record, name)]
    if kind == "DEL":
        left, right = _joined(record, record.end(f"<{name}>"))
        return [adjacency_fields(Adjacency(left, right, inserted_bases(record)))]
    if kind == "INV":
        return _inversion(record, record.end(f"<{name}>"))
    raise Unusable(f"<{shortened(name)}> does not say which bases are joined")


def _joined(record: Record, end: int) -> tuple[End, End]:
    left = End(record.contig, record.position, "+")
    return left, End(record.contig, end + 1, "-")


def _two_ended(record: Record, name: str) -> Adjacency:
    """Read both ends from CHR2, POS2 or END2 (else END), and CT or STRANDS."""
    contig = record.text("CHR2")
    position = record.number("POS2") or record.number("END2") or record.number("END")
    strands = _CONNECTIONS.get(record.text("CT"), record.text("STRANDS"))
    if not contig or not position or not re.fullmatch("[+-]{2}", strands):
        raise Unusable(
            f"<{shortened(name)}> does not say which bases are joined (CHR2, POS2 or "
            "END2, and CT or STRANDS)"
        )
    left = End(record.contig, record.position, strands[0])
    return Adjacency(left, End(contig, position, strands[1]), inserted_bases(record))


def _duplication(record: Record, name: str) -> dict[str, Any]:
    inserted = record.text("DUPSVINSSEQ").upper() or inserted_bases(record)
    return {
        "kind": "duplication",
        "contig": record.contig,
        "start": record.position + 1,
        "end": record.end(f"<{name}>"),
        "inserted": inserted,
    }


def _insertion(record: Record) -> dict[str, Any]:
    sequence = record.text("SEQ", "SVINSSEQ", "INSSEQ").upper()
    if not sequence:
        part = record.text("LEFT_SVINSSEQ") or record.text("RIGHT_SVINSSEQ")
        told = "gives only an end of" if part else "does not give"
        raise Unusable(
            f"<INS> {told} the inserted sequence (SEQ): give the sequence over one of "
            "its joins"
        )
    if not _BASES.fullmatch(record.ref):
        left, right = _joined(record, record.position)
        return adjacency_fields(Adjacency(left, right, sequence))
    return {
        "kind": "small_variant",
        "contig": record.contig,
        "position": record.position,
        "ref": record.ref,
        "alt": record.ref + sequence,
    }


def _inversion(record: Record, end: int) -> list[dict[str, Any]]:
    """Give both joins of an inversion, or the one that the caller names.

    Manta says INV3 or INV5, DELLY a CT of 3to3 or 5to5.
    """
    contig, start = record.contig, record.position
    inserted = inserted_bases(record)
    first = Adjacency(End(contig, start, "+"), End(contig, end, "+"), inserted)
    second = Adjacency(End(contig, start + 1, "-"), End(contig, end + 1, "-"), inserted)
    connection = record.text("CT")
    if record.info.get("INV3") or connection == "3to3":
        return [adjacency_fields(first)]
    if record.info.get("INV5") or connection == "5to5":
        return [adjacency_fields(second)]
    if inserted:
        raise Unusable("<INV> gives one inserted sequence for two joins")
    return [adjacency_fields(first), adjacency_fields(second)]
