"""One allele of a VCF record as the fields of a marker (VCF 4.3, sections 1 and 5)."""

from __future__ import annotations

import re
from typing import Any

from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.importers.adjacency_text import (
    Adjacency,
    End,
    adjacency_fields,
    breakend,
    is_breakend,
)
from mrdtrack.panel.importers.outcome import Fault, shortened
from mrdtrack.panel.importers.vcf_record import Record, Unusable, inserted_bases
from mrdtrack.panel.importers.vcf_symbolic import symbolic_fields
from mrdtrack.panel.model import MAX_ALLELE

_BASES = re.compile("[ACGT]+", re.IGNORECASE)
_NO_ALLELE = {"*", ".", "<*>", "<NON_REF>", "<X>", ""}


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
        _refuse_imprecise(record)
        return [adjacency_fields(_breakend(record, alt))]
    if alt.startswith("<"):
        _refuse_imprecise(record)
        return symbolic_fields(record, alt.strip("<>").upper())
    if alt.startswith(".") or alt.endswith("."):
        raise Unusable(f"{shortened(alt)} is a single breakend: its partner is unknown")
    return [_sequence_allele(record, alt)]


def _refuse_imprecise(record: Record) -> None:
    if record.info.get("IMPRECISE"):
        raise Unusable("the join is not known to the base (IMPRECISE)")


def _breakend(record: Record, alt: str) -> Adjacency:
    """Read a breakend, with inserted bases that stand beside the allele."""
    adjacency = breakend(record.contig, record.position, alt)
    if adjacency.inserted:
        return adjacency
    inserted = _svaba_insertion(record, adjacency)
    return adjacency._replace(inserted=inserted or inserted_bases(record))


def _svaba_insertion(record: Record, adjacency: Adjacency) -> str:
    """Give SvABA's INSERTION as the record's own strand spells it.

    From version 2 on it is spelt on the forward strand of its first record (`ID:1`),
    before that on that of the assembled contig, which the file does not tell.
    """
    inserted = record.text("INSERTION").upper()
    if not inserted:
        return ""
    if not re.search("svaba *v?2", record.source, re.IGNORECASE):
        raise Unusable(
            "the strand of its inserted bases (INSERTION) is not told by versions of "
            "SvABA before 2: give the sequence over the join"
        )
    same_side = adjacency.left.strand == adjacency.right.strand
    turned = same_side and record.name.endswith(":2")
    return reverse_complement(inserted) if turned else inserted


def _sequence_allele(record: Record, alt: str) -> dict[str, Any]:
    if record.ref.upper() == "N" and _BASES.fullmatch(alt.upper().removeprefix("N")):
        return _beside_unknown(record, alt.upper())
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


def _beside_unknown(record: Record, alt: str) -> dict[str, Any]:
    """Read `N` to `NACGT` (or `ACGT`, as Sniffles writes) as bases put in after it."""
    if len(alt) == 1:
        raise Fault("REF 'N' holds more than A, C, G and T")
    left = End(record.contig, record.position, "+")
    right = End(record.contig, record.position + 1, "-")
    return adjacency_fields(Adjacency(left, right, alt.removeprefix("N")))
