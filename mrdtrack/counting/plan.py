"""The plan: which markers can be counted in these reads, where and how."""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass

from mrdtrack.counting.join_patterns import join_patterns
from mrdtrack.counting.phased import PhasedGroup, phased_groups
from mrdtrack.counting.reads_file import ReadsFile, Region, length_conflicts
from mrdtrack.counting.sequence_index import (
    JoinPattern,
    build_sequence_index,
    kin_of,
)
from mrdtrack.counting.targets import build_targets
from mrdtrack.counts import QualityFinding
from mrdtrack.errors import AlignmentsError, FaultList, InputError, ReferenceMismatch
from mrdtrack.findings import finding
from mrdtrack.kernels.arrays import SMALL_INDEL, Targets
from mrdtrack.kernels.near_records import MATE_REACH
from mrdtrack.kernels.sequence_matches import SequenceIndex
from mrdtrack.panel.adjacency import Adjacency
from mrdtrack.panel.haplotypes import MarkerHaplotypes, build_haplotypes
from mrdtrack.panel.model import (
    Breakpoint,
    Duplication,
    IdentityPosition,
    Marker,
    Panel,
    Sequence,
    SmallVariant,
)
from mrdtrack.panel.reference import Reference, absent_contig

Located = SmallVariant | Duplication | Breakpoint
REACH = 50
"""Bases around a marker whose positions tell of its background."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingPlan:
    """What is counted: markers with haplotypes, germline positions, sequences.

    The rows of `targets` are those of `located`. `left_out` are markers that cannot be
    counted in these reads, with the code of the reason. `joins` are those of located
    markers, looked for wherever the aligner put a read. `groups` are those whose
    markers are counted together as well.
    """

    located: tuple[tuple[Located, MarkerHaplotypes], ...]
    identity: tuple[IdentityPosition, ...]
    targets: Targets
    contigs: dict[str, int]
    sequences: tuple[Sequence, ...]
    joins: tuple[JoinPattern, ...]
    sequence_index: SequenceIndex | None
    left_out: tuple[tuple[Marker, str], ...]
    groups: tuple[PhasedGroup, ...]
    shared_events: dict[str, str]
    findings: tuple[QualityFinding, ...]

    @property
    def regions(self) -> list[Region]:
        """The stretches of the reference whose reads matter, merged."""
        wanted = [
            (self.contigs[p.contig], p.position - 1, p.position) for p in self.identity
        ]
        for contig, low, high, marker in zip(
            self.targets.window_contig.tolist(),
            self.targets.window_low.tolist(),
            self.targets.window_high.tolist(),
            self.targets.window_marker.tolist(),
            strict=True,
        ):
            wide = REACH if self.targets.event[marker] <= SMALL_INDEL else MATE_REACH
            wanted.append((contig, max(low - wide, 0), high + wide))
        regions: list[Region] = []
        for contig, start, end in sorted(wanted):
            last = regions[-1] if regions else None
            if last is not None and last.contig_index == contig and start <= last.end:
                regions[-1] = Region(contig, last.start, max(end, last.end))
            else:
                regions.append(Region(contig, start, end))
        return regions


def plan_counting(
    panel: Panel,
    reads: ReadsFile,
    reference: Reference | None,
    *,
    scan: bool = False,
) -> CountingPlan:
    """Bring panel, reference and reads together; `scan` asks for reads anywhere.

    Raises:
        InputError: no reference was given where one is needed, or they do not fit.
        FaultList: markers do not fit the reference; all of them are listed.
    """
    sequences = tuple(m for m in panel.marker if isinstance(m, Sequence))
    markers = [m for m in panel.marker if not isinstance(m, Sequence)]
    left_out: tuple[tuple[Marker, str], ...] = ()
    if markers and not reads.is_aligned:
        left_out, markers = tuple((m, "not_aligned") for m in markers), []
    located = tuple(zip(markers, marker_haplotypes(markers, reference), strict=True))
    identity = panel.identity if reads.is_aligned and reference is not None else ()
    positions = [_as_variant(position) for position in identity]
    of_markers = [h for _, h in located]
    haplotypes = of_markers + marker_haplotypes(positions, reference)
    contigs = {name: index for index, name in enumerate(reads.header.contigs)}
    _check_contigs(haplotypes, reads, reference)
    joins = join_patterns(of_markers) if scan else ()
    looked_for = bool(sequences or joins)
    return CountingPlan(
        located=located,
        identity=identity,
        targets=build_targets(of_markers, contigs),
        contigs=contigs,
        sequences=sequences,
        joins=joins,
        sequence_index=build_sequence_index(sequences, joins) if looked_for else None,
        left_out=left_out,
        groups=phased_groups(panel.marker, located),
        shared_events=_shared_events(located, sequences),
        findings=_extract(haplotypes, reads, reference),
    )


def marker_haplotypes(
    markers: SequenceOf[Located], reference: Reference | None
) -> list[MarkerHaplotypes]:
    """Build the haplotypes of located markers; tell all faults at once."""
    if not markers:
        return []
    if reference is None:
        raise ReferenceMismatch(
            f"marker {markers[0].id!r}",
            "markers with a position need the reference sequence",
            "give --reference the FASTA that the reads were aligned to",
        )
    built: list[MarkerHaplotypes] = []
    faults: list[InputError] = []
    for marker in markers:
        try:
            built.append(build_haplotypes(marker, reference))
        except InputError as error:
            faults.append(error)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        told = [f"{fault.where}: {fault.problem} ({fault.remedy})" for fault in faults]
        raise FaultList(f"{len(faults)} markers", told, "correct the panel")
    return built


def _shared_events(
    located: SequenceOf[tuple[Located, MarkerHaplotypes]],
    sequences: SequenceOf[Sequence],
) -> dict[str, str]:
    """Give markers that show the molecules of one before them, with that one.

    They are other spellings of an event, or sequences that are kin.
    """
    shared: dict[str, str] = {}
    seen: dict[Adjacency, str] = {}
    for marker, haplotypes in located:
        first = seen.setdefault(haplotypes.adjacency, marker.id)
        if first != marker.id:
            shared[marker.id] = first
    kin = kin_of(sequences).reshape(len(sequences), len(sequences))
    for number, sequence in enumerate(sequences):
        first_kin = sequences[int(kin[number].argmax())].id
        if first_kin != sequence.id:
            shared[sequence.id] = shared.get(first_kin, first_kin)
    return shared


def _as_variant(position: IdentityPosition) -> SmallVariant:
    return SmallVariant(
        id=f"identity {position.contig}:{position.position}",
        kind="small_variant",
        contig=position.contig,
        position=position.position,
        ref=position.ref,
        alt=position.alt,
    )


def _check_contigs(
    haplotypes: list[MarkerHaplotypes], reads: ReadsFile, reference: Reference | None
) -> None:
    """See that the reads have the markers' contigs, with the reference's lengths."""
    if reference is None:
        return
    lengths = dict(zip(reads.header.contigs, reads.header.lengths, strict=True))
    needed = {
        anchor.contig
        for marker in haplotypes
        for haplotype in (marker.alt, *marker.refs)
        for anchor in haplotype.anchors
    }
    for contig in sorted(needed):
        if contig not in lengths:
            raise AlignmentsError(
                str(reads.path), *absent_contig(contig, lengths, "reads")
            )
    for conflict in length_conflicts(reads.header, reference.lengths):
        if conflict.contig in needed:
            raise AlignmentsError(
                str(reads.path),
                f"contig {conflict.contig!r} has {conflict.in_reads} bases in the "
                f"reads and {conflict.in_reference} in the reference",
                "give --reference the FASTA that the reads were aligned to",
            )


def _extract(
    haplotypes: list[MarkerHaplotypes], reads: ReadsFile, reference: Reference | None
) -> tuple[QualityFinding, ...]:
    """Say where the reference holds only a part of a marker's contig."""
    if reference is None:
        return ()
    lengths = dict(zip(reads.header.contigs, reads.header.lengths, strict=True))
    contigs = {
        side.contig
        for m in haplotypes
        for side in (m.adjacency.left, m.adjacency.right)
    }
    short = sorted(c for c in contigs if reference.length(c) < lengths[c])
    if not short:
        return ()
    return (finding("REFERENCE_EXTRACT", "warning", contigs=tuple(short)),)
