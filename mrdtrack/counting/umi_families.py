"""UMI families: fragments that are copies of one molecule, and how crowded UMIs are."""

from __future__ import annotations

from typing import NamedTuple

from mrdtrack.counts import QualityFinding
from mrdtrack.findings import finding
from mrdtrack.kernels.arrays import Ints, Ints32
from mrdtrack.kernels.families import Families, number_families
from mrdtrack.kernels.umi_places import list_places

MOST_SHARED = 0.05
"""Share of molecules whose UMI another has by chance, from which this is said."""


class Crowding(NamedTuple):
    """How many UMIs were seen, and how many of them another molecule has by chance.

    A place whose n UMIs are a share p of all there could be has p n such.
    """

    umis: float = 0.0
    shared: float = 0.0

    def and_of(self, other: Crowding) -> Crowding:
        """Return what both say together."""
        return Crowding(self.umis + other.umis, self.shared + other.shared)

    @property
    def share(self) -> float:
        """Chance that a molecule's UMI is another's as well."""
        return self.shared / self.umis if self.umis else 0.0


def umi_families(marker: Ints32, umi: Ints, start: Ints) -> Families:
    """Part fragments, of which `marker` never falls, into UMI families.

    They are numbered marker by marker. Short UMIs repeat by chance, so they count
    together with the position. Fragments without a UMI are families of their own.
    """
    places = list_places(marker, umi, start)
    return number_families(places.order, places.begin, umi)


def crowding_of(families: Families) -> Crowding:
    """Tell how crowded the UMIs of families are."""
    shared = float((families.distinct * families.taken).sum())
    return Crowding(float(families.distinct.sum()), shared)


def crowded(*of: Crowding) -> tuple[QualityFinding, ...]:
    """Say where there are too few UMIs for so many molecules."""
    share = max(crowding.share for crowding in of)
    if share < MOST_SHARED:
        return ()
    return (finding("umi_saturated", "warning", share=share),)
