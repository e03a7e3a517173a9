"""What `panel check` says of each marker before any follow-up is sequenced.

Can reads of this length carry it, where else does its surrounding stand, is a clonotype
told apart from the others and from other people's, which denominator will serve, how
much background is to be expected, is a common variant near. Advice never changes a
panel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mrdtrack.panel.advice_model import (
    ANCHOR,
    PROBE,
    Advice,
    Denominator,
    ReadsFacts,
)
from mrdtrack.panel.advice_places import advise_place
from mrdtrack.panel.advice_sequences import advise_sequences
from mrdtrack.panel.common_variants import CommonVariant, Window
from mrdtrack.panel.haplotypes import EventClass, MarkerHaplotypes, build_haplotypes
from mrdtrack.panel.importers.selection import background_of
from mrdtrack.panel.model import Breakpoint, Duplication, Marker, Panel, SmallVariant
from mrdtrack.panel.model import Sequence as SequenceMarker
from mrdtrack.panel.reference import Reference

__all__ = ["Advice", "ReadsFacts", "advise", "denominator_of", "marker_windows"]

MOST_NAMED = 3
_BACKGROUNDS = {
    "transition": "the most of all, by damage and polymerase errors",
    "transversion": "less than that of transitions",
    "multi-base": "next to none, since errors would have to fall together",
    "indel": "little, but in repeats",
    "junction": "next to none, but for carry-over and chimeras",
}
"""What the classes are like; `quantify` measures them in the sample itself."""


def advise(
    panel: Panel,
    reference: Reference | None = None,
    reads: ReadsFacts | None = None,
    common: Mapping[str, Sequence[CommonVariant]] | None = None,
) -> list[Advice]:
    """Judge every marker of a panel.

    Args:
        panel: the panel, already found sound.
        reference: its assembly; without it only what the panel says is judged.
        reads: what the reads will be like.
        common: common variants by contig, sorted.

    Raises:
        InputError: a marker does not fit the reference.
    """
    facts = reads or ReadsFacts()
    found: list[Advice] = []
    for marker in panel.marker:
        haplotypes = None
        if reference is not None and not isinstance(marker, SequenceMarker):
            haplotypes = build_haplotypes(marker, reference)
        found += _for_marker(marker, facts, haplotypes)
        if not isinstance(marker, SequenceMarker):
            found += advise_place(marker, haplotypes, reference, common or {})
    found += advise_sequences(panel)
    found += _for_neighbours(panel, facts)
    return found


def marker_windows(panel: Panel) -> Iterator[Window]:
    """Give the surroundings of the markers, in which common variants matter."""
    for marker in panel.marker:
        match marker:
            case SmallVariant():
                yield _window(marker.contig, marker.position - 1, len(marker.ref))
            case Duplication():
                yield _window(marker.contig, marker.start - 1, 0)
                yield _window(marker.contig, marker.end, 0)
            case Breakpoint():
                for end in (marker.left, marker.right):
                    yield _window(end.contig, end.position - 1, 1)
            case SequenceMarker():
                pass


def _window(contig: str, start: int, length: int) -> Window:
    return Window(contig, max(start - PROBE, 0), start + length + PROBE)


def denominator_of(
    marker: Marker, facts: ReadsFacts, event: EventClass | None = None
) -> Denominator:
    """Tell which denominator will serve, as `counting.tally` chooses it.

    Duplications (insertions that repeat their neighbourhood among them, which takes
    the reference to tell) are measured at their flanks, but in amplicons whose reads
    span them.
    """
    if isinstance(marker, SequenceMarker):
        return "locus_reads"
    if event == "duplication" or isinstance(marker, Duplication):
        spans = facts.read_length is not None and _span(marker) <= facts.read_length
        return "molecules_at_locus" if facts.is_amplicon and spans else "flank"
    return "molecules_at_locus"


def _span(marker: Marker) -> int:
    """Give the bases that a read must hold to span a duplication's wild type."""
    if isinstance(marker, Duplication):
        return marker.end - marker.start + 1 + 2 * ANCHOR
    return needed_length(marker)


def needed_length(marker: Marker) -> int:
    """Give the read length that can show the marker with its anchors."""
    if isinstance(marker, SequenceMarker):
        return len(marker.sequence) if marker.join is None else 2 * ANCHOR
    if isinstance(marker, SmallVariant):
        # Of a long insertion one join is enough.
        return min(len(marker.alt), ANCHOR) + 2 * ANCHOR
    return min(len(marker.inserted), ANCHOR) + 2 * ANCHOR


def _for_marker(
    marker: Marker, facts: ReadsFacts, haplotypes: MarkerHaplotypes | None
) -> Iterator[Advice]:
    class_ = background_of(marker)
    yield Advice(
        marker.id,
        "background_class",
        "info",
        f"its expected background is that of the class {class_}: "
        f"{_BACKGROUNDS[class_]}",
    )
    event = haplotypes.event if haplotypes is not None else None
    denominator = denominator_of(marker, facts, event)
    yield Advice(
        marker.id, "denominator", "info", f"its denominator will be {denominator}"
    )
    if facts.is_amplicon and denominator == "flank":
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


def _for_neighbours(panel: Panel, facts: ReadsFacts) -> Iterator[Advice]:
    """Name markers that one molecule can show together, and no group says so."""
    reach = int(facts.fragment_length or facts.read_length or 150)
    placed = [marker for marker in panel.marker if isinstance(marker, SmallVariant)]
    for number, marker in enumerate(placed):
        near = [
            repr(other.id)
            for other in placed[:number]
            if _are_on_one_molecule(marker, other, reach)
            and (marker.group is None or marker.group != other.group)
        ]
        if near:
            more = (
                f" and {len(near) - MOST_NAMED} more" if len(near) > MOST_NAMED else ""
            )
            yield Advice(
                marker.id,
                "not_independent",
                "warning",
                f"one molecule can show it together with "
                f"{', '.join(near[:MOST_NAMED])}{more}: if they stand on one "
                "chromosome, give them one group",
            )


def _are_on_one_molecule(first: SmallVariant, second: SmallVariant, reach: int) -> bool:
    """Tell whether a molecule can show both; two alleles of one base it cannot."""
    if first.contig != second.contig:
        return False
    left, right = sorted((first, second), key=lambda marker: marker.position)
    apart = right.position - (left.position + len(left.ref))
    return 0 <= apart < reach
