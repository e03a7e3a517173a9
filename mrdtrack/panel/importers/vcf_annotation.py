"""Gene and HGVS name of a VCF record, where the file gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_ANN_GENE, _ANN_HGVS_C, _ANN_HGVS_P = 3, 9, 10


class Annotation(NamedTuple):
    """Names of a variant."""

    gene: str | None = None
    hgvs: str | None = None


def consequence_columns(description: str) -> list[str]:
    """Read the columns of VEP's CSQ from its header line."""
    _, found, columns = description.partition("Format:")
    if not found:
        return []
    return [column.strip().strip('"').lower() for column in columns.split("|")]


def annotation(
    info: Mapping[str, Any], alt: str, index: int, csq_columns: Sequence[str]
) -> Annotation:
    """Give gene and HGVS name from ANN, CSQ, or a caller's own INFO fields.

    Args:
        info: INFO of the record.
        alt: the allele.
        index: its number, 0 for the first ALT allele.
        csq_columns: the columns of VEP's CSQ.
    """
    for found in (_from_ann(info, alt), _from_csq(info, alt, index, csq_columns)):
        if found.gene or found.hgvs:
            return found
    gene = _text(info, "GENE", "Gene.refGene", "GENEINFO", "SYMBOL")
    hgvs = _text(info, "HGVS", "HGVSC", "CDS", "HGVSc")
    return Annotation(gene.partition(":")[0] or None, hgvs or None)


def _entries(value: Any) -> list[list[str]]:
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, tuple | list):
        return []
    return [str(entry).split("|") for entry in value if entry is not None]


def _from_ann(info: Mapping[str, Any], alt: str) -> Annotation:
    """Read SnpEff's ANN; the first entry of this allele is the gravest."""
    entries = [e for e in _entries(info.get("ANN")) if len(e) > _ANN_GENE]
    own = [entry for entry in entries if entry[0] == alt] or entries
    if not own:
        return Annotation()
    entry = [*own[0], *[""] * _ANN_HGVS_P]
    coding = entry[_ANN_HGVS_C] or entry[_ANN_HGVS_P]
    return Annotation(entry[_ANN_GENE] or None, _decoded(coding) or None)


def _from_csq(
    info: Mapping[str, Any], alt: str, index: int, columns: Sequence[str]
) -> Annotation:
    """Read VEP's CSQ: the picked entry of this allele, else its first."""
    entries = [
        dict(zip(columns, entry, strict=False)) for entry in _entries(info.get("CSQ"))
    ]
    if not columns or not entries:
        return Annotation()
    names = {alt, alt[1:] or "-"}
    own = [e for e in entries if e.get("allele_num") == str(index + 1)]
    own = own or [e for e in entries if e.get("allele") in names] or entries
    chosen = next((e for e in own if e.get("pick") == "1"), own[0])
    gene = chosen.get("symbol") or chosen.get("gene") or None
    hgvs = chosen.get("hgvsc") or chosen.get("hgvsp") or ""
    return Annotation(gene, _decoded(hgvs) or None)


def _decoded(text: str) -> str:
    return text.replace("%3D", "=").replace("%3B", ";")


def _text(info: Mapping[str, Any], *keys: str) -> str:
    for key in keys:
        value = info.get(key)
        if isinstance(value, tuple | list):
            value = value[0] if value else None
        if isinstance(value, str) and value not in {"", "."}:
            return value
    return ""
