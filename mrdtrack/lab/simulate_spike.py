"""Mutant molecules spiked into a real control: its own reads, qualities and errors.

A drawn template of the control keeps its start, length, strand, tags and base
qualities. Its bases become those of the mutant allele, with the control's own errors
put back at the cycles they stood in; everything else in the file stays as it was.
"""

from __future__ import annotations

import heapq
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pysam

from mrdtrack.errors import InputError
from mrdtrack.lab.simulate_alignment import Aligner
from mrdtrack.lab.simulate_alleles import build_alleles
from mrdtrack.lab.simulate_model import (
    Allele,
    Bases,
    Codes,
    Site,
    encode,
)
from mrdtrack.lab.simulate_records import (
    Contigs,
    SimulatedRead,
    Split,
    records_of,
    write_bam,
)
from mrdtrack.lab.simulate_truth import MarkerTruth
from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.model import Breakpoint, Duplication, Marker, SmallVariant
from mrdtrack.panel.model import Sequence as SequenceMarker

PlacedMarker = SmallVariant | Duplication | Breakpoint

REACH = 1000
MARGIN = 200
_STALE_TAGS = {"NM", "MD", "AS", "XS", "SA", "MC", "MQ", "XA"}
_OTHER_RECORDS = 0x900
"""Secondary and supplementary: templates that have them are left alone."""


class SpikedControl(NamedTuple):
    """What was spiked: truth a marker, and the names of the templates changed."""

    truth: list[MarkerTruth]
    changed: frozenset[str]


class Spike(NamedTuple):
    """What to spike: share of the templates over each marker that are to carry it.

    `sample` names the sample in the truth; equal seeds and names draw equal templates.
    """

    sample: str
    fractions: Mapping[str, float]
    seed: int


class _Templates(NamedTuple):
    """Templates over a site: those that can carry a marker, and how many there are."""

    usable: dict[str, list[pysam.AlignedSegment]]
    n_all: int


class _Target(NamedTuple):
    """A mutant allele, and the end it shares with the reference."""

    allele: Allele
    site: Site
    fraction: float


def spike_control(
    control: Path,
    output: Path,
    markers: Sequence[Marker],
    reference: Bases,
    spike: Spike,
) -> SpikedControl:
    """Write a copy of an indexed BAM in which drawn templates carry the markers.

    Args:
        control: coordinate-sorted, indexed BAM.
        output: the BAM to write, with its index.
        markers: markers with positions.
        reference: the assembly the control was aligned to.
        spike: how much of which marker.

    Raises:
        InputError: a marker has no position.
    """
    words = (spike.seed, zlib.crc32(spike.sample.encode()))
    rng = np.random.Generator(np.random.PCG64(words))
    changed: dict[str, list[SimulatedRead]] = {}
    truth = []
    with pysam.AlignmentFile(str(control)) as file:
        contigs = Contigs(dict(zip(file.references, file.lengths, strict=True)))
        for target in _targets(markers, reference, spike.fractions):
            templates = _templates_over(file, target)
            drawn = _drawn(templates, target, changed, rng)
            truth.append(_truth(spike.sample, target, templates, drawn))
            aligner = Aligner(target.allele, reference)
            for name in drawn:
                reads = templates.usable[name]
                changed[name] = _mutated(reads, target, reference, aligner)
    records = [
        record
        for template in changed.values()
        for record in records_of(template, contigs, Split())
    ]
    scratch = output.with_suffix(".spiked.bam")
    write_bam(scratch, records, contigs, spike.sample)
    _merge(control, scratch, output, set(changed))
    for path in (scratch, Path(f"{scratch}.bai")):
        path.unlink()
    return SpikedControl(truth, frozenset(changed))


def _targets(
    markers: Sequence[Marker], reference: Bases, fractions: Mapping[str, float]
) -> Iterator[_Target]:
    for marker in markers:
        if isinstance(marker, SequenceMarker):
            raise InputError(
                f"marker {marker.id}",
                "a sequence has no position to spike it at",
                "simulate it without a control",
            )
        alleles, sites = build_alleles(
            [_from_lower(marker)],
            reference,
            {marker.id: 1.0},
            margin=MARGIN,
            reach=REACH,
        )
        mutant = next(allele for allele in alleles if allele.joins)
        side = "left" if mutant.segments[0].forward else "right"
        site = next(site for site in sites if site.side == side)
        yield _Target(mutant, site, fractions.get(marker.id, 0.0))


def _from_lower(marker: PlacedMarker) -> PlacedMarker:
    """Read a breakpoint from its `+` end, where only the right one is of that kind."""
    if not isinstance(marker, Breakpoint):
        return marker
    if (marker.left.strand, marker.right.strand) != ("-", "+"):
        return marker
    return marker.model_copy(
        update={
            "left": marker.right,
            "right": marker.left,
            "inserted": reverse_complement(marker.inserted),
        }
    )


def _templates_over(file: pysam.AlignmentFile, target: _Target) -> _Templates:
    """Give the templates of which one clean read covers the site, all reads clean."""
    found: dict[str, list[pysam.AlignedSegment]] = {}
    spoilt: set[str] = set()
    covering: set[str] = set()
    site = target.site
    start = max(site.point - REACH, 0)
    for read in file.fetch(site.contig, start, site.point + REACH):
        name = str(read.query_name)
        if _covers([read], site.point):
            covering.add(name)
        if read.flag & _OTHER_RECORDS or not _is_clean(read):
            spoilt.add(name)
        else:
            found.setdefault(name, []).append(read)
    usable = {
        name: reads
        for name, reads in found.items()
        if name not in spoilt
        and _is_whole(reads)
        and _covers(reads, site.point)
        and _begin(target, *_span(reads)) is not None
    }
    return _Templates(usable, len(covering))


def _is_clean(read: pysam.AlignedSegment) -> bool:
    cigar = read.cigartuples
    return (
        cigar is not None
        and len(cigar) == 1
        and cigar[0][0] in {0, 7}
        and read.query_sequence is not None
        and read.query_qualities is not None
    )


def _is_whole(reads: list[pysam.AlignedSegment]) -> bool:
    return len(reads) == (2 if reads[0].is_paired else 1)


def _span(reads: list[pysam.AlignedSegment]) -> tuple[int, int]:
    """Give where a template begins and ends on the reference."""
    first = min(read.reference_start for read in reads)
    return first, max(read.reference_end or 0 for read in reads)


def _covers(reads: list[pysam.AlignedSegment], point: int) -> bool:
    return any(
        read.reference_start < point < (read.reference_end or 0) for read in reads
    )


def _drawn(
    templates: _Templates,
    target: _Target,
    changed: Mapping[str, object],
    rng: np.random.Generator,
) -> list[str]:
    """Draw the marker's share of all templates, from those that can still carry it.

    Templates that carry a neighbour already, or whose reads are clipped, stay as they
    are; the others are drawn so much the oftener.
    """
    free = sorted(name for name in templates.usable if name not in changed)
    share = target.fraction * templates.n_all / max(len(free), 1)
    lucky = rng.random(len(free)) < share
    return [name for name, hit in zip(free, lucky, strict=True) if hit]


def _truth(
    sample: str, target: _Target, templates: _Templates, drawn: Sequence[str]
) -> MarkerTruth:
    wild_type = templates.n_all - len(drawn)
    return MarkerTruth(
        sample=sample,
        marker=target.site.marker,
        fraction=target.fraction,
        mutant_molecules=len(drawn),
        mutant_informative=len(drawn),
        mutant_readable=len(drawn),
        wild_type_left=wild_type,
        wild_type_left_informative=wild_type,
    )


def _mutated(
    reads: list[pysam.AlignedSegment],
    target: _Target,
    reference: Bases,
    aligner: Aligner,
) -> list[SimulatedRead]:
    """Give the template as molecule of the mutant allele: same start, same length."""
    first, last = _span(reads)
    begin = _begin(target, first, last) or 0
    found = []
    for read in reads:
        start = begin + read.reference_start - first
        end = start + read.query_length
        codes = _with_errors(read, target.allele.codes[start:end], reference)
        qualities = read.query_qualities
        found.append(
            SimulatedRead(
                name=str(read.query_name),
                codes=codes,
                qualities=bytes(qualities or b""),
                reverse=read.is_reverse,
                mate=0 if not read.is_paired else 1 if read.is_read1 else 2,
                placements=aligner.place(start, end),
                duplicate=read.is_duplicate,
                tags=_tags(read),
            )
        )
    return sorted(found, key=lambda read: read.mate)


def _begin(target: _Target, first: int, last: int) -> int | None:
    """Give where the template of reference [first, last) begins on the allele.

    None where it reaches beyond what was built of the allele.
    """
    n_bases = len(target.allele.codes)
    if target.site.side == "left":
        begin = first - target.allele.segments[0].start
    else:
        after = target.allele.segments[-1].end - last
        begin = n_bases - after - (last - first)
    return begin if 0 <= begin <= n_bases - (last - first) else None


def _with_errors(read: pysam.AlignedSegment, bases: Codes, reference: Bases) -> bytes:
    """Put the read's own differences from the reference onto the new bases."""
    observed = encode(read.query_sequence or "")
    expected = encode(
        reference.fetch(
            str(read.reference_name), read.reference_start, read.reference_end or 0
        )
    )
    shift = (observed.astype(np.int64) - expected) % 4
    moved = (bases.astype(np.int64) + shift) % 4
    known = (observed < 4) & (expected < 4) & (bases < 4)
    return np.where(known, moved, observed).astype(np.uint8).tobytes()


def _tags(read: pysam.AlignedSegment) -> bytes:
    """Pack the tags that stay true."""
    found = b""
    for name, value, kind in read.get_tags(with_value_type=True):
        if name in _STALE_TAGS:
            continue
        head = name.encode()
        if kind in {"Z", "H"}:
            found += head + kind.encode() + str(value).encode() + b"\0"
        elif kind == "A":
            found += head + b"A" + str(value).encode()
        elif kind == "f":
            found += head + b"f" + struct.pack("<f", value)
        elif isinstance(value, int):
            found += head + b"i" + struct.pack("<i", value)
    return found


def _merge(control: Path, spiked: Path, output: Path, changed: set[str]) -> None:
    """Write the control without the changed templates, and those in their new form."""
    with (
        pysam.AlignmentFile(str(control)) as old,
        pysam.AlignmentFile(str(spiked)) as new,
        pysam.AlignmentFile(str(output), "wb", header=old.header) as merged,
    ):
        kept = (
            read for read in old.fetch(until_eof=True) if read.query_name not in changed
        )
        for read in heapq.merge(kept, new.fetch(until_eof=True), key=_place):
            merged.write(read)
    pysam.index(str(output))


def _place(read: pysam.AlignedSegment) -> tuple[bool, int, int]:
    return read.reference_id < 0, read.reference_id, read.reference_start
