"""The VCF of one sample: every marker that VCF can express.

Written after VCF 4.3 (samtools/hts-specs, VCFv4.3.tex): small variants with their
alleles, duplications as `<DUP:TANDEM>`, breakpoints as a pair of breakends. Marker
sequences have no place in it. The genotype is a statement on the call only: `0/1`
detected, `0/0` not detected with a limit of detection that meets the required
sensitivity, `./.` otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mrdtrack.levels.result import MarkerResult, VisitResult
from mrdtrack.panel.model import (
    Breakpoint,
    BreakpointEnd,
    Duplication,
    Marker,
    Panel,
    SmallVariant,
)
from mrdtrack.reports.inert_text import visible
from mrdtrack.reports.tables import stable

ReferenceBases = Mapping[tuple[str, int], str]

_HEADER = """\
##fileformat=VCFv4.3
##source={source}
{contigs}\
##ALT=<ID=DUP:TANDEM,Description="Tandem duplication">
##INFO=<ID=MARKER,Number=1,Type=String,Description="Marker of the panel">
##INFO=<ID=CALL,Number=1,Type=String,Description="Call of the marker">
##INFO=<ID=LOD95,Number=1,Type=Float,Description="Limit of detection of this sample">
##INFO=<ID=AFLOW,Number=1,Type=Float,Description="Lower end of the 95 % interval">
##INFO=<ID=AFHIGH,Number=1,Type=Float,Description="Upper end of the 95 % interval">
##INFO=<ID=REPORTONLY,Number=0,Type=Flag,Description="Does not count for the level">
##INFO=<ID=SVTYPE,Number=1,Type=String,Description="Type of structural variant">
##INFO=<ID=SVLEN,Number=1,Type=Integer,Description="Bases duplicated">
##INFO=<ID=END,Number=1,Type=Integer,Description="End of the duplicated span">
##INFO=<ID=INSERTED,Number=1,Type=String,Description="Bases between the copies">
##INFO=<ID=MATEID,Number=1,Type=String,Description="ID of the mate breakend">
##INFO=<ID=EVENT,Number=1,Type=String,Description="ID of the event">
##FORMAT=<ID=GT,Number=1,Type=String,Description="0/1 detected; 0/0 not detected \
with adequate sensitivity; ./. otherwise">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Molecules of each allele">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Molecules that reached the marker">
##FORMAT=<ID=AF,Number=A,Type=Float,Description="Fraction of the denominator">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{sample}
"""
_GENOTYPES = {
    "quantified": "0/1",
    "detected_below_loq": "0/1",
    "not_detected": "0/0",
    "insufficient_sensitivity": "./.",
    "not_evaluable": "./.",
}
_CONTIG = re.compile(r"[0-9A-Za-z!#$%&+./:;?@^_|~-][0-9A-Za-z!#$%&*+./:;=?@^_|~-]*")
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """Where and what a record says: the part that the panel alone decides."""

    contig: str
    position: int
    name: str
    ref: str
    alt: str
    info: tuple[str, ...] = ()


def vcf(
    result: VisitResult, panel: Panel, reference_bases: ReferenceBases | None = None
) -> bytes:
    """Write the VCF of one sample.

    `reference_bases` gives the base at (contig, 1-based position) for duplications and
    breakpoints; where it has none, REF is N. Contigs stand in the panel's order.
    """
    bases = reference_bases or {}
    markers = {marker.id: marker for marker in panel.marker}
    records: list[tuple[_Site, MarkerResult]] = []
    contigs: dict[str, int] = {}
    for outcome in result.markers:
        for site in _sites(markers[outcome.marker], bases):
            contigs.setdefault(site.contig, len(contigs))
            records.append((site, outcome))
    records.sort(key=lambda pair: (contigs[pair[0].contig], pair[0].position))
    head = _HEADER.format(
        source=f"mrdtrack-{result.software.version}",
        contigs="".join(f"##contig=<ID={contig}>\n" for contig in contigs),
        sample=visible(result.sample),
    )
    return (head + "".join(_record(*pair) for pair in records)).encode()


def _sites(marker: Marker, bases: ReferenceBases) -> Sequence[_Site]:
    if isinstance(marker, SmallVariant):
        sites = [_small_variant(marker)]
    elif isinstance(marker, Duplication):
        sites = [_duplication(marker, bases)]
    elif isinstance(marker, Breakpoint):
        sites = _breakends(marker, bases)
    else:
        return []
    return sites if all(_CONTIG.fullmatch(site.contig) for site in sites) else []


def _small_variant(marker: SmallVariant) -> _Site:
    return _Site(
        contig=marker.contig,
        position=marker.position,
        name=_percent(marker.id),
        ref=marker.ref,
        alt=marker.alt,
    )


def _duplication(marker: Duplication, bases: ReferenceBases) -> _Site:
    before = marker.start - 1
    inserted = (f"INSERTED={marker.inserted}",) if marker.inserted else ()
    return _Site(
        contig=marker.contig,
        position=before,
        name=_percent(marker.id),
        ref=bases.get((marker.contig, before), "N"),
        alt="<DUP:TANDEM>",
        info=(
            "SVTYPE=DUP",
            f"END={marker.end}",
            f"SVLEN={marker.end - before}",
            *inserted,
        ),
    )


def _breakends(marker: Breakpoint, bases: ReferenceBases) -> list[_Site]:
    """Make the two records of a breakpoint.

    The bases of `inserted` are read from left to right along the joined sequence; a
    record of an end whose own strand runs the other way holds their reverse complement.
    """
    reverse = marker.inserted.translate(_COMPLEMENT)[::-1]
    event = _percent(marker.id)
    left, right = marker.left, marker.right
    at_left = marker.inserted if left.strand == "+" else reverse
    at_right = reverse if right.strand == "+" else marker.inserted
    return [
        _breakend((left, right), at_left, (f"{event}_1", f"{event}_2", event), bases),
        _breakend((right, left), at_right, (f"{event}_2", f"{event}_1", event), bases),
    ]


def _breakend(
    ends: tuple[BreakpointEnd, BreakpointEnd],
    inserted: str,
    names: tuple[str, str, str],
    bases: ReferenceBases,
) -> _Site:
    here, there = ends
    name, mate, event = names
    base = bases.get((here.contig, here.position), "N")
    bracket = "]" if there.strand == "+" else "["
    beyond = f"{bracket}{there.contig}:{there.position}{bracket}"
    alt = (
        f"{base}{inserted}{beyond}"
        if here.strand == "+"
        else f"{beyond}{inserted}{base}"
    )
    return _Site(
        contig=here.contig,
        position=here.position,
        name=name,
        ref=base,
        alt=alt,
        info=("SVTYPE=BND", f"MATEID={mate}", f"EVENT={event}"),
    )


def _record(site: _Site, outcome: MarkerResult) -> str:
    info = [f"MARKER={_percent(outcome.marker)}", f"CALL={outcome.call}", *site.info]
    for key, value in (
        ("LOD95", outcome.lod95),
        ("AFLOW", outcome.fraction_low),
        ("AFHIGH", outcome.fraction_high),
    ):
        if value is not None:
            info.append(f"{key}={stable(value)!r}")
    if outcome.role == "report_only":
        info.append("REPORTONLY")
    counted = outcome.ref is not None and outcome.alt is not None
    fields = (
        _GENOTYPES[outcome.call],
        f"{outcome.ref},{outcome.alt}" if counted else ".",
        "." if outcome.molecules is None else str(outcome.molecules),
        "." if outcome.fraction is None else repr(stable(outcome.fraction)),
    )
    cells = (
        site.contig,
        str(site.position),
        site.name,
        site.ref,
        site.alt,
        ".",
        ".",
        ";".join(info),
        "GT:AD:DP:AF",
        ":".join(fields),
    )
    return "\t".join(cells) + "\n"


def _percent(text: str) -> str:
    """Write a name with the characters VCF 4.3 keeps for itself as %XX of UTF-8."""
    return "".join(
        character if _bare(character) else _hex(character) for character in text
    )


def _bare(character: str) -> bool:
    return "!" <= character <= "~" and character not in ":;=%,"


def _hex(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "replace"))
