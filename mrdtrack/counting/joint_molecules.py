"""Joint molecules: those that show two or more of the markers of one group.

The members of a group are alleles of one molecule. Each is judged by its own haplotypes
first; a molecule that shows at least two of them is then judged as a whole. One that
shows a single member is a molecule of that member alone: a single error makes it.
"""

from __future__ import annotations

import numpy as np

from mrdtrack.kernels.arrays import Bytes, Floats, Ints
from mrdtrack.kernels.evidence import CLEAR_PHRED
from mrdtrack.kernels.molecules import ALT, AMBIGUOUS, OTHER, REF, Molecules

LEAST_SHOWN = 2
"""Members that a molecule must show, or an error in one of them would do."""


def with_joint_fragments(fragments: Molecules, group_of: Ints) -> Molecules:
    """Add the fragments that show two or more members of a group.

    They stand behind those of the M markers (`group_of` [M]) as those of marker
    M + group, so whatever becomes of fragments afterwards becomes of them too.
    """
    group = group_of[fragments.marker]
    rows = np.flatnonzero(group >= 0)
    if not len(rows):
        return fragments
    rows = rows[np.lexsort((fragments.name[rows], group[rows]))]
    group, name = group[rows], fragments.name[rows]
    moved = (np.diff(group) != 0) | (np.diff(name) != 0)
    begin = np.concatenate(([0], np.flatnonzero(moved) + 1))
    several = np.diff(begin, append=len(rows)) >= LEAST_SHOWN
    if not several.any():
        return fragments
    joint = _merged(fragments, rows, begin)
    joint = joint._replace(marker=(len(group_of) + group[begin]).astype(np.int32))
    both = [fragments, joint]  # a list: else the columns' types are joined to none
    return Molecules(
        *(np.concatenate((own, more[several])) for own, more in zip(*both, strict=True))
    )


def _merged(fragments: Molecules, rows: Ints, begin: Ints) -> Molecules:
    """Make one molecule of the rows of each group and name, which begin at `begin`."""
    kind, evidence = fragments.kind[rows], fragments.evidence[rows]
    return Molecules(
        marker=fragments.marker[rows][begin],
        start=np.minimum.reduceat(fragments.start[rows], begin),
        kind=joint_kinds(kind, evidence, begin),
        crosses=np.bitwise_or.reduceat(fragments.crosses[rows], begin),
        reverse=fragments.reverse[rows][begin],
        name=fragments.name[rows][begin],
        umi=np.maximum.reduceat(fragments.umi[rows], begin),
        evidence=np.add.reduceat(evidence, begin),
    )


def joint_kinds(kind: Bytes, evidence: Floats, begin: Ints) -> Bytes:
    """Judge molecules by what they show of each member.

    `alt` and `ref`: two members or more show it, and none clearly the contrary (by a
    base that is rarer as an error than 1 in 1,000). `other`: members contradict each
    other, or one shows another allele. `ambiguous`: fewer than two can tell.
    """
    clear = np.abs(evidence) >= CLEAR_PHRED

    def number(of_kind: int, *, clearly: bool = False) -> Ints:
        chosen = (kind == of_kind) & (clear if clearly else True)
        total: Ints = np.add.reduceat(chosen.astype(np.int64), begin)
        return total

    alt, ref = number(ALT), number(REF)
    clear_alt, clear_ref = number(ALT, clearly=True), number(REF, clearly=True)
    joint = np.full(len(begin), AMBIGUOUS, np.uint8)
    joint[(alt >= LEAST_SHOWN) & (clear_ref == 0)] = ALT
    joint[(ref >= LEAST_SHOWN) & (clear_alt == 0)] = REF
    torn = ((alt >= LEAST_SHOWN) & (ref >= LEAST_SHOWN)) | (number(OTHER) > 0)
    joint[torn | ((clear_alt > 0) & (clear_ref > 0))] = OTHER
    return joint
