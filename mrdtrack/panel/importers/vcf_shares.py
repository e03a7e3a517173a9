"""The share of an allele among the molecules of a sample, wherever callers write it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mrdtrack.panel.importers.outcome import Elsewhere, is_share
from mrdtrack.panel.importers.tables import number
from mrdtrack.panel.importers.vcf_record import Record

Genotype = Mapping[str, Any]
Counts = tuple[float, float]
"""Reads of the allele, and all reads that tell."""

LONG_EVENT = 1000
"""Shorter events lie within read pairs that span them: GRIDSS's REFPAIR is no count."""


def allele_share(
    record: Record, genotype: Genotype, index: int, alt: str
) -> float | None:
    """Give the share of the allele's reads, None where the file does not tell.

    A share that the caller itself gives for the sample comes first, then the reads of
    its alleles, then INFO's AF. An AF beside AN is one of genotypes, and no share.

    Args:
        record: the record.
        genotype: the FORMAT fields of the sample, empty without one.
        index: 0 for the first ALT allele.
        alt: the allele.
    """
    for key in ("AF", "VAF", "FREQ", "FA"):
        share = is_share(_at(genotype.get(key), index))
        if share is not None:
            return share
    for counted in _COUNTED:
        counts = counted(record, genotype, index, alt)
        if counts is not None and counts[1] > 0:
            return is_share(counts[0] / counts[1])
    if "AN" in record.info:
        return None
    return is_share(_at(record.info.get("AF"), index))


def share_elsewhere(
    record: Record, others: Mapping[str, Genotype], index: int, alt: str
) -> Elsewhere | None:
    """Give the other sample that shows the allele most, None where none does."""
    alone = record._replace(info={})
    found = [
        Elsewhere(name, share)
        for name, genotype in others.items()
        if (share := allele_share(alone, genotype, index, alt))
    ]
    return max(found, key=lambda one: one.share, default=None)


def _depths(_: Record, genotype: Genotype, index: int, __: str) -> Counts | None:
    """Read AD of all alleles, or SvABA's AD of the allele beside DP."""
    depths = genotype.get("AD")
    if isinstance(depths, int) and index == 0:
        total = genotype.get("DP")
        return (depths, total) if isinstance(total, int) else None
    return _of_alleles(depths, index)


def _freebayes(_: Record, genotype: Genotype, index: int, __: str) -> Counts | None:
    """Read RO and AO, of which all alleles make the total."""
    other, own = genotype.get("RO"), genotype.get("AO")
    if not isinstance(other, int) or own is None:
        return None
    alts = own if isinstance(own, tuple) else (own,)
    return _of_alleles((other, *alts), index)


def _strelka(record: Record, genotype: Genotype, _: int, alt: str) -> Counts | None:
    """Read the first tier of AU, CU, GU and TU, or of TAR and TIR."""
    kept, shown = _first(genotype.get("TAR")), _first(genotype.get("TIR"))
    if kept is None or shown is None:
        kept = _first(genotype.get(f"{record.ref.upper()}U"))
        shown = _first(genotype.get(f"{alt.upper()}U"))
    return None if kept is None or shown is None else (shown, kept + shown)


def _manta(_: Record, genotype: Genotype, index: int, __: str) -> Counts | None:
    """Read split reads and pairs together."""
    known = [_of_alleles(genotype.get(key), index) for key in ("SR", "PR")]
    counts = [pair for pair in known if pair is not None]
    return (sum(p[0] for p in counts), sum(p[1] for p in counts)) if counts else None


def _gridss(record: Record, genotype: Genotype, _: int, alt: str) -> Counts | None:
    """Read the fragments of the variant beside those of the reference."""
    own, other = _first(genotype.get("VF")), _first(genotype.get("REF"))
    if own is None or other is None:
        return None
    pairs = _first(genotype.get("REFPAIR")) or 0.0
    return own, own + other + (0.0 if _is_short(record, alt) else pairs)


def _is_short(record: Record, alt: str) -> bool:
    partner = re.search(r"[\[\]](.+):(\d+)[\[\]]", alt)
    if partner is None or partner[1] != record.contig:
        return False
    return abs(int(partner[2]) - record.position) < LONG_EVENT


def _delly(_: Record, genotype: Genotype, __: int, ___: str) -> Counts | None:
    """Read the junction reads where there are any, else the pairs."""
    for own, other in (("RV", "RR"), ("DV", "DR")):
        shown, kept = _first(genotype.get(own)), _first(genotype.get(other))
        if shown is not None and kept is not None and shown + kept > 0:
            return shown, shown + kept
    return None


_COUNTED: tuple[Callable[[Record, Genotype, int, str], Counts | None], ...] = (
    _depths,
    _freebayes,
    _strelka,
    _manta,
    _gridss,
    _delly,
)


def _first(value: Any) -> float | None:
    if isinstance(value, tuple):
        value = value[0] if value else None
    return float(value) if isinstance(value, int | float) else None


def _at(value: Any, index: int) -> float | None:
    if isinstance(value, tuple | list):
        value = value[index] if index < len(value) else None
    if isinstance(value, str):
        parts = re.split("[,|]", value)
        return number(parts[index]) if index < len(parts) else None
    return float(value) if isinstance(value, int | float) else None


def _of_alleles(value: Any, index: int) -> Counts | None:
    """Give the allele's reads and all reads of a Number=R field."""
    if not isinstance(value, tuple | list) or index + 1 >= len(value):
        return None
    known = [float(v) for v in value if isinstance(v, int | float)]
    own = value[index + 1]
    if not isinstance(own, int | float) or not known:
        return None
    return float(own), sum(known)
