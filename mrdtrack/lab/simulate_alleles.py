"""Simulated alleles: the mutant chromosomes of a panel and the wild-type regions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple

from mrdtrack.lab.simulate_model import (
    Allele,
    Bases,
    Join,
    Segment,
    Site,
    encode,
)
from mrdtrack.lab.simulate_sequences import sequence_alleles
from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.model import Breakpoint, Duplication, Marker, SmallVariant
from mrdtrack.panel.model import Sequence as SequenceMarker

JUNCTION_LENGTH = 10
SMALL_ANCHOR, JUNCTION_ANCHOR = 5, 3
LONGEST_SLIDE = 50


class _End(NamedTuple):
    """An end that is kept: up to `position` (`+`), or from it on (`-`); 1-based."""

    contig: str
    position: int
    strand: str

    @property
    def point(self) -> int:
        """The 0-based point of the wild-type adjacency that the end breaks."""
        return self.position if self.strand == "+" else self.position - 1


class _Event(NamedTuple):
    """A marker as two kept ends with new bases between them.

    `replaced` is how many of the new bases stand in place of as many reference bases.
    """

    marker: str
    left: _End
    right: _End
    inserted: str
    replaced: int


class _Region(NamedTuple):
    contig: str
    start: int
    end: int


class _Map(NamedTuple):
    """Where alleles are cut from: regions, bases, and how far flanks reach beyond."""

    regions: list[_Region]
    reference: Bases
    reach: int

    def region_of(self, site: Site) -> _Region:
        """Give the region a site lies in."""
        return next(
            region
            for region in self.regions
            if region.contig == site.contig and region.start <= site.point <= region.end
        )


def build_alleles(
    markers: Sequence[Marker],
    reference: Bases | None,
    fractions: Mapping[str, float],
    *,
    margin: int,
    reach: int,
) -> tuple[list[Allele], list[Site]]:
    """Build the mutant and wild-type alleles of one sample.

    Args:
        markers: the panel's markers; those of one `group` share their molecules.
        reference: bases of the assembly; may be None where all markers are sequences.
        fractions: share of the molecules at a marker that carry it, 0 to 1.
        margin: bases around every marker that fragments must reach.
        reach: the longest fragment; flanks go this far beyond the margin.
    """
    sequences = [m for m in markers if isinstance(m, SequenceMarker)]
    alleles = [
        allele
        for marker in sequences
        for allele in sequence_alleles(
            marker, fractions.get(marker.id, 0.0), margin, reach
        )
    ]
    placed = [m for m in markers if not isinstance(m, SequenceMarker)]
    if not placed:
        return alleles, []
    if reference is None:
        raise ValueError("markers with positions need a reference")
    events = [_event(marker) for marker in placed]
    sites = [site for event in events for site in _sites(event)]
    where = _Map(_regions(sites, margin, reach), reference, reach)
    taken = dict.fromkeys(where.regions, 0.0)
    for name, phased in _haplotypes(placed, events).items():
        share = max(fractions.get(event.marker, 0.0) for event in phased)
        for region in {where.region_of(s) for e in phased for s in _sites(e)}:
            taken[region] += share
        if share > 0:
            alleles.append(_mutant(name, phased, where, share))
    for region, share in taken.items():
        if share < 1:
            alleles.append(_wild_type(region, where, 1 - share))
    return alleles, sites


def _event(marker: SmallVariant | Duplication | Breakpoint) -> _Event:
    if isinstance(marker, Breakpoint):
        left, right = marker.left, marker.right
        return _Event(
            marker.id,
            _End(left.contig, left.position, left.strand),
            _End(right.contig, right.position, right.strand),
            marker.inserted,
            0,
        )
    contig = marker.contig
    if isinstance(marker, Duplication):
        left_end, right_end = (
            _End(contig, marker.end, "+"),
            _End(contig, marker.start, "-"),
        )
        return _Event(marker.id, left_end, right_end, marker.inserted, 0)
    start, ref, alt = _trimmed(marker.position, marker.ref, marker.alt)
    return _Event(
        marker.id,
        _End(contig, start - 1, "+"),
        _End(contig, start + len(ref), "-"),
        alt,
        min(len(ref), len(alt)),
    )


def _trimmed(position: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Cut what both alleles share, the left end first."""
    while ref and alt and ref[0] == alt[0]:
        position, ref, alt = position + 1, ref[1:], alt[1:]
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    return position, ref, alt


def _sites(event: _Event) -> tuple[Site, Site]:
    left, right = event.left, event.right
    return (
        Site(event.marker, "left", left.contig, left.point),
        Site(event.marker, "right", right.contig, right.point),
    )


def _regions(sites: Iterable[Site], margin: int, reach: int) -> list[_Region]:
    """Merge the surroundings of the sites, so that no fragment belongs to two."""
    found: list[_Region] = []
    for contig, point in sorted({(site.contig, site.point) for site in sites}):
        start, end = max(point - margin, 0), point + margin
        last = found[-1] if found else None
        if last and last.contig == contig and start <= last.end + reach:
            found[-1] = last._replace(end=max(end, last.end))
        else:
            found.append(_Region(contig, start, end))
    return found


def _haplotypes(
    markers: Sequence[SmallVariant | Duplication | Breakpoint],
    events: Sequence[_Event],
) -> dict[str, list[_Event]]:
    """Put markers of one group on one chromosome; breakpoints stand alone."""
    found: dict[str, list[_Event]] = {}
    for marker, event in zip(markers, events, strict=True):
        alone = marker.group is None or not isinstance(marker, SmallVariant)
        name = marker.id if alone else f"group {marker.group}"
        found.setdefault(name, []).append(event)
    for phased in found.values():
        phased.sort(key=lambda event: event.left.position)
    return found


def _mutant(name: str, phased: Sequence[_Event], where: _Map, share: float) -> Allele:
    first, last = phased[0], phased[-1]
    left_region = where.region_of(_sites(first)[0])
    right_region = where.region_of(_sites(last)[1])
    segments = [_kept(first.left, left_region, where, before=True)]
    joins = []
    for number, event in enumerate(phased):
        if number:
            segments.append(_between(phased[number - 1], event, where.reference))
        start = sum(len(segment.bases) for segment in segments)
        segments.extend(_novel(event))
        joins.append(_join(event, start, where.reference))
    segments.append(_kept(last.right, right_region, where, before=False))
    segments = [segment for segment in segments if segment.bases]
    codes = encode("".join(segment.bases for segment in segments))
    return Allele(
        name=name,
        segments=tuple(segments),
        codes=codes,
        joins=tuple(joins),
        window=(
            joins[0].start - _inside(first.left, left_region),
            joins[-1].end + _inside(last.right, right_region),
        ),
        share=share,
    )


def _join(event: _Event, start: int, reference: Bases) -> Join:
    """Say where the novel bases lie, and what a read needs beside them."""
    span = event.right.position - event.left.position - 1
    together = event.left.contig == event.right.contig and (
        event.left.strand == "+" and event.right.strand == "-"
    )
    change = abs(len(event.inserted) - span)
    substituted = together and change == 0 < len(event.inserted)
    small = together and change < JUNCTION_LENGTH
    anchor = 0 if substituted else SMALL_ANCHOR if small else JUNCTION_ANCHOR
    end = start + len(event.inserted)
    left, right = _slides(event, reference)
    return Join(event.marker, start, end, substituted, anchor, left, right)


def _slides(event: _Event, reference: Bases) -> tuple[int, int]:
    """Give by how many bases a join could stand further left and further right.

    So many bases before it are those before the right end in the reference, and so many
    behind it those behind the left end.
    """
    before, behind = _beside(event.left, reference, turned=event.left.strand == "-")
    ahead, following = _beside(event.right, reference, turned=event.right.strand == "+")
    to_left = _common((before + event.inserted)[::-1], ahead[::-1])
    return to_left, _common(event.inserted + following, behind)


def _beside(end: _End, reference: Bases, *, turned: bool) -> tuple[str, str]:
    """Give the reference bases on both sides of an end, as the new sequence runs."""
    contig, point = end.contig, end.point
    before = reference.fetch(contig, max(point - LONGEST_SLIDE, 0), point)
    behind = reference.fetch(contig, point, point + LONGEST_SLIDE)
    if turned:
        return reverse_complement(behind), reverse_complement(before)
    return before, behind


def _common(one: str, other: str) -> int:
    """Count the bases with which both begin."""
    same = (a == b for a, b in zip(one, other, strict=False))
    return sum(1 for _ in takewhile(bool, same))


def _novel(event: _Event) -> list[Segment]:
    """Give the new bases; those that replace reference bases keep coordinates."""
    bases, n = event.inserted, event.replaced
    start = event.left.position
    found = [Segment(event.left.contig, start, start + n, True, bases[:n], True)]
    found.append(Segment(None, 0, 0, True, bases[n:]))
    return [segment for segment in found if segment.bases]


def _between(first: _Event, second: _Event, reference: Bases) -> Segment:
    contig = first.right.contig
    start, end = first.right.position - 1, second.left.position
    if end < start:
        raise ValueError(f"{first.marker} and {second.marker} overlap in one group")
    return Segment(contig, start, end, True, reference.fetch(contig, start, end))


def _kept(end: _End, region: _Region, where: _Map, *, before: bool) -> Segment:
    """Give the flank that an end keeps, from beyond its region up to the join."""
    length = _inside(end, region) + where.reach
    if end.strand == "+":
        start, stop = max(end.point - length, 0), end.point
    else:
        start, stop = end.point, end.point + length
    bases = where.reference.fetch(end.contig, start, stop)
    forward = (end.strand == "+") == before
    if not forward:
        bases = reverse_complement(bases)
    return Segment(end.contig, start, start + len(bases), forward, bases)


def _inside(end: _End, region: _Region) -> int:
    """Give how many bases of the region an end keeps."""
    if end.strand == "+":
        return end.point - region.start
    return region.end - end.point


def _wild_type(region: _Region, where: _Map, share: float) -> Allele:
    start = max(region.start - where.reach, 0)
    bases = where.reference.fetch(region.contig, start, region.end + where.reach)
    return Allele(
        name=f"{region.contig}:{region.start + 1}-{region.end}",
        segments=(Segment(region.contig, start, start + len(bases), True, bases),),
        codes=encode(bases),
        joins=(),
        window=(region.start - start, min(region.end - start, len(bases))),
        share=share,
    )
