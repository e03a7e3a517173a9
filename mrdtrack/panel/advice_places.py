"""Advice on where a marker stands: repeats, runs, homology, common variants."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence

from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.advice_model import ANCHOR, PROBE, Advice
from mrdtrack.panel.common_variants import CommonVariant
from mrdtrack.panel.haplotypes import MarkerHaplotypes
from mrdtrack.panel.importers.selection import background_of
from mrdtrack.panel.model import Breakpoint, Duplication, Marker, SmallVariant
from mrdtrack.panel.reference import Reference

LONG_RUN = 5
LONGEST_UNIT = 6
REPEATED_UNITS = 4
WHOLE_REFERENCE = 300_000_000
"""A reference of so many bases is searched whole, a larger one in the own contig."""
MAX_COPIES = 1000
Placed = SmallVariant | Duplication | Breakpoint


def advise_place(
    marker: Placed,
    haplotypes: MarkerHaplotypes | None,
    reference: Reference | None,
    common: Mapping[str, Sequence[CommonVariant]],
) -> list[Advice]:
    """Judge the surroundings of a marker: of equal findings the first."""
    found = list(_common_variants(marker, common))
    if haplotypes is not None and reference is not None:
        found += _surroundings(marker, haplotypes, reference)
    return list({finding.code: finding for finding in reversed(found)}.values())[::-1]


def _surroundings(
    marker: Placed, haplotypes: MarkerHaplotypes, reference: Reference
) -> Iterator[Advice]:
    homology = haplotypes.adjacency.homology
    collinear = haplotypes.event not in {"deletion", "duplication", "junction"}
    if homology >= ANCHOR and not collinear:
        yield Advice(
            marker.id,
            "long_homology",
            "warning",
            f"{homology} bases are alike on both sides of the join: a read must reach "
            "beyond them on both sides to show it",
        )
    sides = (haplotypes.adjacency.left, haplotypes.adjacency.right)
    probes = [side.window(-PROBE, PROBE, reference) for side in sides]
    if background_of(marker) == "indel":
        yield from _short_repeats(marker, probes)
    for side, probe in zip(sides, probes, strict=True):
        yield from _elsewhere(marker, side.contig, probe, reference)
        near = (side.contig, side.boundary - PROBE, side.boundary + PROBE)
        if "N" in reference.fetch(*near):
            yield Advice(
                marker.id,
                "reference_unknown",
                "warning",
                f"the reference has unknown bases (N) within {PROBE} of it",
            )


def _short_repeats(marker: Marker, probes: Sequence[str]) -> Iterator[Advice]:
    run = max(
        longest_run(p[PROBE - LONG_RUN - 1 : PROBE + LONG_RUN + 1]) for p in probes
    )
    if run > LONG_RUN:
        yield Advice(
            marker.id,
            "homopolymer",
            "warning",
            f"a run of {run} equal bases stands there: indels have much background",
        )
        return
    repeats = [repeat for probe in probes if (repeat := tandem_repeat(probe))]
    if repeats:
        unit, copies = max(repeats, key=lambda repeat: repeat[1])
        yield Advice(
            marker.id,
            "tandem_repeat",
            "warning",
            f"{unit} stands there {copies} times in a row: indels of it have much "
            "background",
        )


def longest_run(bases: str) -> int:
    """Count the longest run of one base."""
    runs = itertools.groupby(bases.replace("N", ""))
    return max((len(list(run)) for _, run in runs), default=0)


def tandem_repeat(probe: str) -> tuple[str, int] | None:
    """Give a short unit that is repeated over the middle of a probe, and how often."""
    middle = len(probe) // 2
    for size in range(2, LONGEST_UNIT + 1):
        equal = [probe[i] == probe[i + size] != "N" for i in range(len(probe) - size)]
        start = 0
        for same, group in itertools.groupby(equal):
            length = len(list(group))
            end = start + length + size
            if same and end - start >= REPEATED_UNITS * size and start < middle < end:
                return probe[start : start + size], (end - start) // size
            start += length
    return None


def _elsewhere(
    marker: Marker, contig: str, probe: str, reference: Reference
) -> Iterator[Advice]:
    """Look for both halves of a marker's surrounding elsewhere, on either strand."""
    if "N" in probe:
        return
    halves = (probe[:PROBE], probe[PROBE:])
    whole = sum(reference.lengths.values()) <= WHOLE_REFERENCE
    contigs = sorted(reference.lengths) if whole else [contig]
    counts = [
        sum(_copies(half, name, reference) for name in contigs) for half in halves
    ]
    n_copies = min(counts)
    if n_copies > 1:
        searched = "the reference" if whole else contig
        yield Advice(
            marker.id,
            "repetitive",
            "warning",
            f"its surrounding stands {min(n_copies, MAX_COPIES)} times in {searched}: "
            "reads cannot be placed for certain",
        )


def _copies(bases: str, contig: str, reference: Reference) -> int:
    text, turned = _whole(reference, contig), reverse_complement(bases)
    return text.count(bases) + (text.count(turned) if turned != bases else 0)


@functools.lru_cache(maxsize=1)
def _whole(reference: Reference, contig: str) -> str:
    """Read a whole contig once for the markers that follow each other on it."""
    return reference.fetch(contig, 0, reference.length(contig))


def _common_variants(
    marker: Placed, common: Mapping[str, Sequence[CommonVariant]]
) -> Iterator[Advice]:
    for contig, low, high in _stretches(marker):
        near = [
            variant
            for variant in common.get(contig, ())
            if low - PROBE < variant.position + len(variant.ref)
            and variant.position <= high + PROBE
        ]
        own = next((variant for variant in near if _is_own(marker, variant)), None)
        if own is not None:
            yield Advice(
                marker.id,
                "is_common_variant",
                "warning",
                f"it is itself a common variant{_frequency(own)}: it may be germline",
            )
        others = [variant for variant in near if variant is not own]
        if others:
            listed = ", ".join(
                f"{contig}:{one.position}{_frequency(one)}" for one in others[:3]
            )
            yield Advice(
                marker.id,
                "near_common_variant",
                "warning",
                f"a common variant stands nearby ({listed}): carriers' reads differ "
                "from the reference there",
            )


def _frequency(variant: CommonVariant) -> str:
    if variant.frequency is None:
        return ""
    return f", {variant.frequency:.2g} of chromosomes"


def _is_own(marker: Placed, variant: CommonVariant) -> bool:
    return (
        isinstance(marker, SmallVariant)
        and (marker.position, marker.ref) == (variant.position, variant.ref)
        and marker.alt in variant.alts
    )


def _stretches(marker: Placed) -> Iterator[tuple[str, int, int]]:
    """Give the bases of a marker's ends, 1-based and inclusive."""
    match marker:
        case SmallVariant():
            end = marker.position + len(marker.ref) - 1
            yield marker.contig, marker.position, end
        case Duplication():
            yield marker.contig, marker.start, marker.start
            yield marker.contig, marker.end, marker.end
        case Breakpoint():
            for end_ in (marker.left, marker.right):
                yield end_.contig, end_.position, end_.position
