"""One allele of a VCF record as the fields of a marker (VCF 4.3, sections 1 and 5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from mrdtrack.panel.importers.adjacency_text import (
    Adjacency,
    End,
    breakend,
    is_breakend,
)
from mrdtrack.panel.importers.outcome import Fault, shortened
from mrdtrack.panel.model import MAX_ALLELE

_BASES = re.compile("[ACGT]+", re.IGNORECASE)
_NO_ALLELE = {"*", ".", "<*>", "<NON_REF>", "<X>", ""}


class Unusable(Exception):
    """A sound record of which no marker can be made; the text says why."""


class Record(NamedTuple):
    """What an allele's meaning depends on; `info` holds END where the file gives it."""

    contig: str
    position: int
    ref: str
    info: Mapping[str, Any]

    def text(self, *keys: str) -> str:
        """Give the first of the INFO texts that is there, else ''."""
        for key in keys:
            value = self.info.get(key)
            if isinstance(value, tuple | list):
                value = value[0] if value else None
            if isinstance(value, str) and value not in {"", "."}:
                return value
        return ""

    def number(self, key: str) -> int | None:
        """Give an INFO number."""
        value = self.info.get(key)
        if isinstance(value, tuple | list):
            value = value[0] if value else None
        try:
            return int(value) if value is not None else None
        except (TypeError, ValueError):
            return None

    def end(self, alt: str) -> int:
        """Give the last base of a symbolic allele's span.

        Raises:
            Fault: the record gives neither END nor SVLEN.
        """
        end = self.number("END")
        if end is not None and end > self.position:
            return end
        length = self.number("SVLEN")
        if not length:
            raise Fault(f"{alt} has neither END nor SVLEN: its span is not known")
        return self.position + abs(length)


def is_no_marker(alt: str) -> bool:
    """Tell whether an allele only stands for the reference, or for another record's."""
    return alt.upper() in _NO_ALLELE


def marker_fields(record: Record, alt: str) -> list[dict[str, Any]]:
    """Give the fields of the markers of one allele: one, or two for an inversion.

    Raises:
        Fault: the allele cannot be understood.
        Unusable: it is understood, and no marker can be made of it.
    """
    if is_breakend(alt):
        return [adjacency_fields(breakend(record.contig, record.position, alt))]
    if alt.startswith("<"):
        return _symbolic(record, alt.strip("<>").upper())
    if alt.startswith(".") or alt.endswith("."):
        raise Unusable(f"{shortened(alt)} is a single breakend: its partner is unknown")
    return [_sequence_allele(record, alt)]


def adjacency_fields(adjacency: Adjacency) -> dict[str, Any]:
    """Give an adjacency as the fields of a breakpoint marker."""
    return {
        "kind": "breakpoint",
        "left": adjacency.left.fields(),
        "right": adjacency.right.fields(),
        "inserted": adjacency.inserted,
    }


def _sequence_allele(record: Record, alt: str) -> dict[str, Any]:
    for what, allele in (("REF", record.ref), ("ALT", alt)):
        if not _BASES.fullmatch(allele):
            raise Fault(f"{what} {shortened(allele)!r} holds more than A, C, G and T")
    if len(record.ref) > MAX_ALLELE:
        start, alt_rest = record.position, alt
        if record.ref[0] == alt[0]:
            start, alt_rest = start + 1, alt[1:]
        after = record.position + len(record.ref)
        left = End(record.contig, start - 1, "+")
        right = End(record.contig, after, "-")
        return adjacency_fields(Adjacency(left, right, alt_rest.upper()))
    return {
        "kind": "small_variant",
        "contig": record.contig,
        "position": record.position,
        "ref": record.ref,
        "alt": alt,
    }


def _symbolic(record: Record, name: str) -> list[dict[str, Any]]:
    kind = name.partition(":")[0]
    if kind == "INS":
        return [_insertion(record)]
    if kind not in {"DEL", "DUP", "INV"}:
        raise Unusable(f"<{shortened(name)}> does not say which bases are joined")
    end = record.end(f"<{name}>")
    inserted = record.text("SVINSSEQ", "INSERTED").upper()
    if kind == "DUP":
        return [_duplication(record, end)]
    if kind == "DEL":
        left, right = End(record.contig, record.position, "+"), _from(record, end + 1)
        return [adjacency_fields(Adjacency(left, right, inserted))]
    return _inversion(record, end, inserted)


def _from(record: Record, position: int) -> End:
    return End(record.contig, position, "-")


def _duplication(record: Record, end: int) -> dict[str, Any]:
    return {
        "kind": "duplication",
        "contig": record.contig,
        "start": record.position + 1,
        "end": end,
        "inserted": record.text("DUPSVINSSEQ", "SVINSSEQ", "INSERTED").upper(),
    }


def _insertion(record: Record) -> dict[str, Any]:
    sequence = record.text("SEQ", "SVINSSEQ", "INSSEQ").upper()
    if not sequence:
        raise Unusable("<INS> does not give the inserted sequence (SEQ)")
    if not _BASES.fullmatch(record.ref):
        left = End(record.contig, record.position, "+")
        right = _from(record, record.position + 1)
        return adjacency_fields(Adjacency(left, right, sequence))
    return {
        "kind": "small_variant",
        "contig": record.contig,
        "position": record.position,
        "ref": record.ref,
        "alt": record.ref + sequence,
    }


def _inversion(record: Record, end: int, inserted: str) -> list[dict[str, Any]]:
    """Give both joins of an inversion, or the one that Manta names (INV3, INV5)."""
    contig, start = record.contig, record.position
    first = Adjacency(End(contig, start, "+"), End(contig, end, "+"), inserted)
    second = Adjacency(End(contig, start + 1, "-"), End(contig, end + 1, "-"), inserted)
    if record.info.get("INV3"):
        return [adjacency_fields(first)]
    if record.info.get("INV5"):
        return [adjacency_fields(second)]
    if inserted:
        raise Unusable("<INV> gives one inserted sequence for two joins")
    return [adjacency_fields(first), adjacency_fields(second)]
