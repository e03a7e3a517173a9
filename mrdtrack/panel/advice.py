"""What `panel check` says of each marker before any follow-up is sequenced.

Can reads of this length carry it, where else does its surrounding stand, is a clonotype
told apart from the others, which denominator will serve, how much background is to be
expected. Advice never changes a panel.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from mrdtrack.panel.haplotypes import MarkerHaplotypes, build_haplotypes
from mrdtrack.panel.importers.selection import background_of
from mrdtrack.panel.model import Duplication, Marker, Panel
from mrdtrack.panel.model import Sequence as SequenceMarker
from mrdtrack.panel.reference import Reference

ANCHOR = 10
"""Bases on both sides of a join that a read should have."""
PROBE = 25
"""Bases beside a marker that are looked for elsewhere in its contig."""
SHORT_JUNCTION = 25
LONG_RUN = 5
MAX_COPIES = 1000

Denominator = Literal["molecules_at_locus", "flank", "locus_reads"]


class ReadsFacts(NamedTuple):
    """What is known of the reads that will come; lengths in bases."""

    read_length: int | None = None
    fragment_length: float | None = None


class Advice(NamedTuple):
    """One thing to know of one marker; `code` is stable, `message` is a sentence."""

    marker: str
    code: str
    severity: Literal["info", "warning"]
    message: str


def advise(
    panel: Panel,
    reference: Reference | None = None,
    reads: ReadsFacts | None = None,
    common: Mapping[str, Sequence[int]] | None = None,
) -> list[Advice]:
    """Judge every marker of a panel.

    Args:
        panel: the panel, already found sound.
        reference: its assembly; without it only what the panel says is judged.
        reads: what the reads will be like.
        common: positions (1-based) of common variants by contig, sorted.

    Raises:
        InputError: a marker does not fit the reference.
    """
    facts = reads or ReadsFacts()
    found: list[Advice] = []
    for marker in panel.marker:
        found += _for_marker(marker, facts)
        if reference is not None and not isinstance(marker, SequenceMarker):
            haplotypes = build_haplotypes(marker, reference)
            found += _once(_for_place(marker, haplotypes, reference, common or {}))
    found += _for_clonotypes(panel)
    found += _for_neighbours(panel, facts)
    return found


def denominator_of(marker: Marker, read_length: int | None) -> Denominator:
    """Tell which denominator will serve; to span a duplication takes long reads."""
    if isinstance(marker, SequenceMarker):
        return "locus_reads" if marker.locus else "molecules_at_locus"
    if isinstance(marker, Duplication) and read_length is not None:
        span = marker.end - marker.start + 1 + 2 * ANCHOR
        return "flank" if span > read_length else "molecules_at_locus"
    return "molecules_at_locus"


def needed_length(marker: Marker) -> int:
    """Give the read length that can show the marker with its anchors."""
    if isinstance(marker, SequenceMarker):
        return len(marker.sequence) if marker.join is None else 2 * ANCHOR
    if marker.kind == "small_variant":
        return len(marker.alt) + 2 * ANCHOR
    return len(marker.inserted) + 2 * ANCHOR


def _for_marker(marker: Marker, facts: ReadsFacts) -> Iterator[Advice]:
    class_ = background_of(marker)
    yield Advice(
        marker.id,
        "background_class",
        "info",
        f"its expected background is that of the class {class_}",
    )
    denominator = denominator_of(marker, facts.read_length)
    yield Advice(
        marker.id, "denominator", "info", f"its denominator will be {denominator}"
    )
    if denominator == "flank":
        yield Advice(
            marker.id,
            "duplication_too_long_to_span",
            "warning",
            f"reads of {facts.read_length} bases cannot span the duplication: its "
            "share is taken of the molecules at its flank, and is less exact",
        )
    needed = needed_length(marker)
    if facts.read_length is not None and needed > facts.read_length:
        yield Advice(
            marker.id,
            "reads_too_short",
            "warning",
            f"a read needs {needed} bases to show the marker, these have "
            f"{facts.read_length}",
        )


def _once(advice: Iterator[Advice]) -> list[Advice]:
    """Keep the first of equal findings of a marker's two sides."""
    return list({finding.code: finding for finding in reversed(list(advice))}.values())


def _for_place(
    marker: Marker,
    haplotypes: MarkerHaplotypes,
    reference: Reference,
    common: Mapping[str, Sequence[int]],
) -> Iterator[Advice]:
    homology = haplotypes.adjacency.homology
    if homology >= ANCHOR:
        yield Advice(
            marker.id,
            "long_homology",
            "warning",
            f"{homology} bases are alike on both sides of the join: a read must reach "
            "beyond them on both sides to show it",
        )
    sides = (haplotypes.adjacency.left, haplotypes.adjacency.right)
    probes = [side.window(-PROBE, PROBE, reference) for side in sides]
    run = max(
        _longest_run(p[PROBE - LONG_RUN - 1 : PROBE + LONG_RUN + 1]) for p in probes
    )
    if run > LONG_RUN and background_of(marker) == "indel":
        yield Advice(
            marker.id,
            "homopolymer",
            "warning",
            f"a run of {run} equal bases stands there: indels have much background",
        )
    for side, probe in zip(sides, probes, strict=True):
        yield from _repeats(marker, side.contig, probe, reference)
        yield from _variants(marker, side.contig, side.boundary, common)


def _repeats(
    marker: Marker, contig: str, probe: str, reference: Reference
) -> Iterator[Advice]:
    """Look for the marker's surrounding elsewhere in its contig."""
    if "N" in probe:
        return
    sequence = _whole(reference, contig)
    n_copies = min(sequence.count(probe[:PROBE]), sequence.count(probe[PROBE:]))
    if n_copies > 1:
        yield Advice(
            marker.id,
            "repetitive",
            "warning",
            f"its surrounding stands {min(n_copies, MAX_COPIES)} times in {contig}: "
            "reads cannot be placed for certain",
        )


@functools.lru_cache(maxsize=1)
def _whole(reference: Reference, contig: str) -> str:
    """Read a whole contig once for the markers that follow each other on it."""
    return reference.fetch(contig, 0, reference.length(contig))


def _variants(
    marker: Marker, contig: str, boundary: int, common: Mapping[str, Sequence[int]]
) -> Iterator[Advice]:
    near = [p for p in common.get(contig, ()) if abs(p - 1 - boundary) <= PROBE]
    if near:
        listed = ", ".join(str(position) for position in near[:3])
        yield Advice(
            marker.id,
            "near_common_variant",
            "warning",
            f"a common variant stands nearby ({contig}:{listed}): carriers' reads "
            "differ from the reference there",
        )


def _longest_run(bases: str) -> int:
    runs = itertools.groupby(bases.replace("N", ""))
    return max((len(list(run)) for _, run in runs), default=0)


def _for_clonotypes(panel: Panel) -> Iterator[Advice]:
    sequences = [m for m in panel.marker if isinstance(m, SequenceMarker)]
    for marker in sequences:
        if len(marker.sequence) < SHORT_JUNCTION:
            yield Advice(
                marker.id,
                "short_sequence",
                "warning",
                f"{len(marker.sequence)} bases are few to be found by one person only",
            )
    for first, second in itertools.combinations(sequences, 2):
        distance = edits_between(first.sequence, second.sequence, most=2)
        if distance is not None:
            yield Advice(
                second.id,
                "near_another_clonotype",
                "warning",
                f"it is {distance} edit{'s' * (distance != 1)} from {first.id!r}: a "
                "read counts for the nearer one",
            )


def edits_between(first: str, second: str, *, most: int) -> int | None:
    """Give the edit distance of two sequences, None above `most`."""
    if abs(len(first) - len(second)) > most:
        return None
    row = list(range(len(second) + 1))
    for number, base in enumerate(first, start=1):
        diagonal, row[0] = row[0], number
        for column, other in enumerate(second, start=1):
            best = min(row[column] + 1, row[column - 1] + 1, diagonal + (base != other))
            diagonal, row[column] = row[column], best
        if min(row) > most:
            return None
    return row[-1] if row[-1] <= most else None


def _for_neighbours(panel: Panel, facts: ReadsFacts) -> Iterator[Advice]:
    """Name markers that one molecule can show together, and no group says so."""
    reach = int(facts.fragment_length or facts.read_length or 150)
    placed = [
        (marker, marker.contig, marker.position)
        for marker in panel.marker
        if marker.kind == "small_variant"
    ]
    for number, (marker, contig, position) in enumerate(placed):
        near = [
            repr(other.id)
            for other, other_contig, other_position in placed[:number]
            if other_contig == contig
            and abs(other_position - position) < reach
            and (marker.group is None or marker.group != other.group)
        ]
        if near:
            yield Advice(
                marker.id,
                "not_independent",
                "warning",
                f"one molecule can show it together with {', '.join(near)}: if they "
                "stand on one chromosome, give them one group",
            )
