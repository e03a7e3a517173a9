"""The tally: from molecules to one row of counts for each marker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mrdtrack.counting.molecules import GroupedMolecules
from mrdtrack.counting.targets import KNOWN_ANCHOR, error_class
from mrdtrack.counting.told import Mask
from mrdtrack.counts import (
    DenominatorKind,
    MarkerCounts,
    MoleculeMode,
)
from mrdtrack.findings import REASONS
from mrdtrack.kernels.arrays import (
    CROSSES_LEFT,
    CROSSES_RIGHT,
    INSIDE_READ,
    Bytes,
    Ints,
)
from mrdtrack.kernels.molecules import ALT, AMBIGUOUS, OTHER, REF, majority
from mrdtrack.panel.haplotypes import MarkerHaplotypes
from mrdtrack.panel.model import Marker

UNEVEN_SIDES = 2.0
"""Sides of a breakpoint whose depths differ more are captured unequally."""
AMPLICON_SHARE = 0.5
"""Share of molecules starting at one position from which they are an amplicon's."""
AMPLICON_MOLECULES = 20
SPANNED_SHARE = 0.5
"""Share of the wild-type molecules of an amplicon that must span a duplication."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denominator:
    """What the fraction of a marker is taken of."""

    kind: DenominatorKind
    molecules: int
    left: int | None = None
    right: int | None = None


def tally_marker(
    index: int,
    marker: Marker,
    haplotypes: MarkerHaplotypes,
    grouped: GroupedMolecules,
    mode: MoleculeMode,
) -> MarkerCounts:
    """Count the molecules of one marker."""
    all_molecules = grouped.molecules
    limits = np.array([index, index + 1], all_molecules.marker.dtype)
    low, high = np.searchsorted(all_molecules.marker, limits).tolist()
    kind = all_molecules.kind[low:high].copy()
    if not haplotypes.ref_is_wild_type:
        kind[kind == REF] = AMBIGUOUS
    crosses = all_molecules.crosses[low:high]
    reverse = all_molecules.reverse[low:high] != 0
    at_ends = _at_ends(haplotypes, kind, crosses)
    amplicon = is_amplicon(all_molecules.start[low:high])
    counts = {k: _number(kind == k) for k in (ALT, REF, AMBIGUOUS, OTHER)}
    denominator = _denominator(haplotypes, kind, crosses, amplicon=amplicon)
    informative = counts[ALT] + counts[REF]
    assessable = denominator.molecules > 0
    filters = grouped.filters[index]
    why_not = (
        "" if assessable else _why_not(haplotypes, informative, high - low, filters)
    )
    return MarkerCounts(
        marker=marker.id,
        kind=marker.kind,
        alt=counts[ALT],
        ref=counts[REF],
        ambiguous=counts[AMBIGUOUS],
        other=counts[OTHER],
        molecules=high - low,
        molecule_mode=mode,
        denominator_kind=denominator.kind,
        denominator=denominator.molecules,
        error_class=error_class(haplotypes),
        assessable=assessable,
        reason=REASONS[why_not] if why_not else "",
        reason_code=why_not,
        role=marker.role,
        group=marker.group,
        gene=marker.gene,
        hgvs=marker.hgvs,
        alt_forward=_number((kind == ALT) & ~reverse),
        alt_reverse=_number((kind == ALT) & reverse),
        ref_forward=_number((kind == REF) & ~reverse),
        ref_reverse=_number((kind == REF) & reverse),
        alt_at_ends=at_ends.get(ALT),
        ref_at_ends=at_ends.get(REF),
        signal_ratio=signal_ratio(marker),
        ref_left=denominator.left,
        ref_right=denominator.right,
        filters=filters,
    )


def _number(chosen: Mask) -> int:
    return int(np.count_nonzero(chosen))


def _at_ends(
    haplotypes: MarkerHaplotypes, kind: Bytes, crosses: Bytes
) -> dict[int, int]:
    """Count the molecules whose changed base stands at ends of reads only.

    Known of single bases; the others need bases on both sides to be decided at all.
    """
    mark = haplotypes.alt.marks[0]
    if haplotypes.event != "substitution" or mark.end - mark.start != 1:
        return {}
    end = crosses & INSIDE_READ == 0
    return {k: _number((kind == k) & end) for k in (ALT, REF)}


def signal_ratio(marker: Marker) -> float:
    """Give a marker's share in a leukaemic cell beside that of a heterozygous one."""
    return 2.0 if marker.zygosity in {"homozygous", "hemizygous"} else 1.0


def is_amplicon(starts: Ints) -> bool:
    """Tell whether most molecules start at one position, as those of an amplicon do."""
    if len(starts) < AMPLICON_MOLECULES:
        return False
    commonest = majority(starts)  # if any is so common
    return _number(starts == commonest) > AMPLICON_SHARE * len(starts)


def _denominator(
    haplotypes: MarkerHaplotypes,
    kind: Bytes,
    crosses: Bytes,
    *,
    amplicon: bool,
) -> Denominator:
    """Choose the denominator by the class of event; `docs/methods.md` has the rules.

    * one reference haplotype: molecules that fit either haplotype, or neither; for an
      insertion, which a molecule shows at either end, as many more wild-type ones;
    * duplication: molecules that cross its edges, which wild type and mutant both
      have (mean of the two); in an amplicon, where molecules span it, those that do,
      and none where no read can show the join;
    * two sides: the wild-type molecules of a side beside the mutant ones; the mean of
      both sides, or the deeper one where their depths differ more than twofold.
    """
    alt, ref = _number(kind == ALT), _number(kind == REF)
    other = _number(kind == OTHER)
    if haplotypes.event in {"substitution", "small_indel"}:
        return Denominator(kind="molecules_at_locus", molecules=alt + ref + other)
    of_ref = kind == REF
    if haplotypes.event == "insertion":
        at_far_end = of_ref & (crosses & CROSSES_RIGHT != 0)
        shown = 2 * ref - _number(at_far_end)
        return Denominator(kind="molecules_at_locus", molecules=alt + shown + other)
    if haplotypes.event == "duplication":
        return _of_duplication(haplotypes, kind, crosses, amplicon=amplicon)
    left = _number(of_ref & (crosses & CROSSES_LEFT != 0))
    right = _number(of_ref & (crosses & CROSSES_RIGHT != 0))
    molecules = alt + other + _of_sides(left, right, haplotypes)
    return Denominator(
        kind="molecules_at_locus", molecules=molecules, left=left, right=right
    )


def _of_duplication(
    haplotypes: MarkerHaplotypes,
    kind: Bytes,
    crosses: Bytes,
    *,
    amplicon: bool,
) -> Denominator:
    """Choose the denominator of a duplication."""
    alt, ref = _number(kind == ALT), _number(kind == REF)
    other = _number(kind == OTHER)
    left = _number(crosses & CROSSES_LEFT != 0)
    right = _number(crosses & CROSSES_RIGHT != 0)
    if amplicon and haplotypes.ref_is_wild_type:
        edges = crosses & (CROSSES_LEFT | CROSSES_RIGHT) != 0
        wild_type = _number(edges & (kind != ALT))
        if alt + ref == 0:
            return Denominator(kind="flank", molecules=0, left=left, right=right)
        if ref >= SPANNED_SHARE * wild_type:
            molecules = alt + ref + other
            return Denominator(
                kind="molecules_at_locus", molecules=molecules, left=left, right=right
            )
    flank = max(_of_sides(left, right, haplotypes), alt)
    return Denominator(kind="flank", molecules=flank, left=left, right=right)


def _of_sides(left: int, right: int, haplotypes: MarkerHaplotypes) -> int:
    known = [
        count
        for count, known in zip((left, right), sides_known(haplotypes), strict=True)
        if known
    ]
    if len(known) < 2 or max(known) > UNEVEN_SIDES * min(known):
        return max(known, default=0)
    return (left + right + 1) // 2


def sides_known(haplotypes: MarkerHaplotypes) -> tuple[bool, bool]:
    """Tell for either side whether the reference is known across its mark."""
    known = {"left": False, "right": False}
    for haplotype in haplotypes.refs:
        for mark in haplotype.marks:
            bases = haplotype.bases[mark.start - KNOWN_ANCHOR : mark.end + KNOWN_ANCHOR]
            if mark.side in known and "N" not in bases:
                known[mark.side] = True
    return known["left"], known["right"]


def _why_not(
    haplotypes: MarkerHaplotypes,
    informative: int,
    reached: int,
    filters: Mapping[str, int],
) -> str:
    mark = haplotypes.alt.marks[0]
    if "N" in haplotypes.alt.bases[mark.start - 5 : mark.end + 5]:
        return "reference_unknown"
    if reached == 0:
        unheard = filters["low_base_quality"]
        return "low_base_quality" if unheard else "not_reached"
    return "edges_not_crossed" if informative else "not_told_apart"


def unassessable(marker: Marker, mode: MoleculeMode, why_not: str) -> MarkerCounts:
    """Give the row of a marker that these reads cannot be asked for.

    `why_not` is a code of `mrdtrack.findings.REASONS`.
    """
    return MarkerCounts(
        marker=marker.id,
        kind=marker.kind,
        alt=None,
        ref=None,
        ambiguous=None,
        other=None,
        molecules=None,
        molecule_mode=mode,
        denominator_kind="molecules_at_locus",
        denominator=None,
        error_class="junction",
        assessable=False,
        reason=REASONS[why_not],
        reason_code=why_not,
        role=marker.role,
        group=marker.group,
        gene=marker.gene,
        hgvs=marker.hgvs,
    )
