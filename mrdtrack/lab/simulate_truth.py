"""What is true of a simulated sample: molecules of every marker, as they were drawn.

A molecule is mutant if it comes from the mutant allele and covers the novel join. It is
informative if one read covers the join with ten bases on both sides. It is readable if
one covers it, and all places where it could stand as well, with as many bases of Q20 on
both sides as its class needs: none for whole sequences, 5 for short indels, 3 for
joins, 12 for joined sequences; of a substitution it must show a new base of Q20.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mrdtrack.lab.simulate_model import Allele, Join, Site, place_of
from mrdtrack.lab.simulate_reads import Molecules, Reads
from mrdtrack.models import FileModel

ANCHOR = 10
HEARD_PHRED = 20
"""Least quality of a base that tells, as `quantify` has it by default."""


class MarkerTruth(FileModel):
    """Molecules of one marker in one simulated sample.

    `fraction` is the share of the molecules that the simulator was asked for. Mutant
    molecules cover the novel join; wild-type ones the adjacency at the marker's left or
    right end, from chromosomes without the marker; `spanning` are those of which one
    read covers both ends. Other clonotypes of a sequence marker's locus are counted as
    `wild_type_left`.
    """

    sample: str
    marker: str
    fraction: float
    mutant_molecules: int = 0
    mutant_informative: int = 0
    mutant_readable: int = 0
    wild_type_left: int = 0
    wild_type_left_informative: int = 0
    wild_type_right: int = 0
    wild_type_right_informative: int = 0
    wild_type_spanning: int = 0


class Tally:
    """Collects the truth of one sample over its alleles."""

    def __init__(self, fractions: dict[str, float], sites: Sequence[Site]) -> None:
        self._fractions = fractions
        self._sites: dict[str, list[Site]] = {}
        for site in sites:
            self._sites.setdefault(site.marker, []).append(site)
        self._counts: dict[str, dict[str, int]] = {name: {} for name in fractions}

    def add(self, allele: Allele, molecules: Molecules, reads: Reads) -> None:
        """Count the molecules of one allele."""
        for join in allele.joins:
            inner = 0 if join.substituted else 1
            covered = _covers(molecules, join.start - inner, join.end + inner)
            self._count(join.marker, "mutant_molecules", covered)
            place = (join.start, join.end)
            seen = _reads_cover(molecules, reads, *place)
            self._count(join.marker, "mutant_informative", covered & seen)
            shown = _reads_show(molecules, reads, join)
            self._count(join.marker, "mutant_readable", covered & shown)
        for marker, sites in self._sites.items():
            if marker not in allele.markers:
                self._add_wild_type(marker, sites, allele, molecules, reads)
        other_of, found, _ = allele.name.partition(" other ")
        if found and other_of in self._counts:
            everything = np.ones(len(molecules.start), dtype=np.bool_)
            self._count(other_of, "wild_type_left", everything)

    def _add_wild_type(
        self,
        marker: str,
        sites: Sequence[Site],
        allele: Allele,
        molecules: Molecules,
        reads: Reads,
    ) -> None:
        places = [place_of(allele, site) for site in sites]
        for site, place in zip(sites, places, strict=True):
            if place is None:
                continue
            covered = _covers(molecules, place - 1, place + 1)
            self._count(marker, f"wild_type_{site.side}", covered)
            seen = covered & _reads_cover(molecules, reads, place, place)
            self._count(marker, f"wild_type_{site.side}_informative", seen)
        known = [place for place in places if place is not None]
        if len(known) == 2:
            spanning = _reads_cover(molecules, reads, min(known), max(known))
            self._count(marker, "wild_type_spanning", spanning)

    def _count(self, marker: str, column: str, which: NDArray[np.bool_]) -> None:
        counts = self._counts[marker]
        counts[column] = counts.get(column, 0) + int(which.sum())

    def rows(self, sample: str) -> list[MarkerTruth]:
        """Give the truth of every marker, in panel order."""
        return [
            MarkerTruth(sample=sample, marker=marker, fraction=fraction, **counts)
            for (marker, fraction), counts in zip(
                self._fractions.items(), self._counts.values(), strict=True
            )
        ]


def write_truth(path: Path, rows: Iterable[MarkerTruth]) -> None:
    """Write the truth table, one row a marker and sample."""
    path.write_text(truth_text(rows), encoding="utf-8")


def truth_text(rows: Iterable[MarkerTruth]) -> str:
    """Give the truth table as TSV, one row a marker and sample."""
    columns = list(MarkerTruth.model_fields)
    lines = ["\t".join(columns)]
    for row in rows:
        values = row.model_dump()
        lines.append("\t".join(_text(values[column]) for column in columns))
    return "\n".join(lines) + "\n"


def _text(value: str | float) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _covers(molecules: Molecules, start: int, end: int) -> NDArray[np.bool_]:
    return (molecules.start <= start) & (molecules.end >= end)


def _reads_show(molecules: Molecules, reads: Reads, join: Join) -> NDArray[np.bool_]:
    """Tell for every molecule whether one read covers a join so that it can be read."""
    column = np.arange(reads.qualities.shape[1]) + reads.start[:, None]
    good = reads.qualities >= HEARD_PHRED
    if join.substituted:
        shown = (good & (column >= join.start) & (column < join.end)).any(axis=1)
    else:
        start, end = join.start - join.slide_left, join.end + join.slide_right
        shown = (reads.start <= start) & (reads.end >= end)
        for beside in (column < start, column >= end):
            shown &= (good & beside).sum(axis=1) >= join.anchor
    found = np.zeros(len(molecules.start), dtype=np.bool_)
    found[reads.molecule[shown]] = True
    return found


def _reads_cover(
    molecules: Molecules, reads: Reads, start: int, end: int, anchor: int = ANCHOR
) -> NDArray[np.bool_]:
    """Tell for every molecule whether one read covers [start, end) and its anchors."""
    found = np.zeros(len(molecules.start), dtype=np.bool_)
    good = (reads.start <= start - anchor) & (reads.end >= end + anchor)
    found[reads.molecule[good]] = True
    return found
