"""Counts that are hardly believable: what one sample's own figures show.

Each test asks for so much evidence that a good sample does not raise it: the chance
probabilities are below 1 in 10,000 for each marker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from mrdtrack.counts import MarkerCounts, QualityFinding, SampleCounts
from mrdtrack.findings import finding
from mrdtrack.levels.light_scipy import special

CHANCE: Final = 1e-4
"""Probability below which a pattern of a marker's molecules is not chance."""
LEAST_ALT: Final = 8
"""Marker-bearing molecules from which their strands are looked at."""
LEAST_REF: Final = 40
ONE_SIDED: Final = 0.1
"""Share of the rarer strand among molecules that are nearly all of one."""
BALANCED: Final = 0.25
"""Share of the rarer strand among the others, from which both can be expected."""
LEAST_TOLD: Final = 10
"""Molecules of one class from which it is asked whether they are most of all."""
MOST: Final = 0.5
SINGLE_SHARE: Final = 0.8
LEAST_FAMILIES: Final = 200
SHORT_FRAGMENT: Final = 80
"""Bases: below, a fragment leaves too little beside a junction (30 on either side)."""


def implausible(counts: SampleCounts) -> tuple[QualityFinding, ...]:
    """Tell what a careful reader of the counts would ask about."""
    found: list[QualityFinding] = []
    for code, asks in _ASKED:
        names = _markers(counts.markers, asks)
        if names:
            found.append(finding(code, "warning", markers=names))
    unheard = [m for m in counts.markers if m.reason_code == "low_base_quality"]
    if unheard:
        names = tuple(marker.marker for marker in unheard)
        n_records = sum(marker.filters.get("low_base_quality", 0) for marker in unheard)
        found.append(
            finding("low_base_quality", "warning", markers=names, n_records=n_records)
        )
    singles, families = counts.family_sizes.get(1, 0), sum(counts.family_sizes.values())
    if families >= LEAST_FAMILIES and singles > SINGLE_SHARE * families:
        share = singles / families
        found.append(finding("umi_families_small", "warning", share=share))
    length = counts.library.fragment_length
    if length is not None and length < SHORT_FRAGMENT:
        found.append(finding("short_fragments", "warning", n_bases=length))
    return tuple(found)


def _markers(
    markers: Sequence[MarkerCounts], asks: Callable[[MarkerCounts], bool]
) -> tuple[str, ...]:
    return tuple(marker.marker for marker in markers if asks(marker))


def _is_one_sided(marker: MarkerCounts) -> bool:
    """Tell whether the marker's molecules are of one strand where others are not."""
    forward, reverse = marker.alt_forward or 0, marker.alt_reverse or 0
    alt = forward + reverse
    of_ref = (marker.ref_forward or 0, marker.ref_reverse or 0)
    ref, rarer = sum(of_ref), min(forward, reverse)
    if alt < LEAST_ALT or rarer > ONE_SIDED * alt:
        return False
    if ref < LEAST_REF or min(of_ref) < BALANCED * ref:
        return False
    expected = of_ref[0 if forward < reverse else 1] / ref
    return float(special.bdtr(rarer, alt, expected)) < CHANCE


def _at_ends(marker: MarkerCounts) -> bool:
    """Tell whether all marker-bearing molecules show it at ends of reads only."""
    if not marker.alt_at_ends or marker.ref_at_ends is None or not marker.ref:
        return False
    if marker.alt_at_ends != marker.alt or marker.ref < LEAST_REF:
        return False
    expected = (marker.ref_at_ends + 1) / (marker.ref + 2)
    return float(expected**marker.alt_at_ends) < CHANCE


def _mostly_ambiguous(marker: MarkerCounts) -> bool:
    """Tell whether most molecules at a marker say nothing clear."""
    ambiguous = marker.ambiguous or 0
    of_all = MOST * (marker.molecules or 0)
    return _is_small(marker) and ambiguous >= LEAST_TOLD and ambiguous > of_all


def _mostly_other(marker: MarkerCounts) -> bool:
    """Tell whether most molecules that can tell show a third allele."""
    other = marker.other or 0
    told = (marker.alt or 0) + (marker.ref or 0) + other
    return other >= LEAST_TOLD and other > MOST * told


def _has_related(marker: MarkerCounts) -> bool:
    """Tell whether molecules hold the marker's stem after another V."""
    return bool(marker.related)


def _is_small(marker: MarkerCounts) -> bool:
    """Tell whether a read at a marker is nearly always long enough to show it."""
    return marker.kind == "small_variant" and marker.error_class != "junction"


_ASKED: Final = (
    ("strand_bias", _is_one_sided),
    ("alt_at_read_ends", _at_ends),
    ("mostly_ambiguous", _mostly_ambiguous),
    ("mostly_other_alleles", _mostly_other),
    ("related_clonotypes", _has_related),
)
