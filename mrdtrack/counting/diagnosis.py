"""Does the panel spell what the reads of diagnosis carry: advice on every marker.

A join that is given a base off is another allele, which a tolerant count takes for the
same. So the reads over the join are counted with edits allowed and without: where
nearly none holds it exactly, every spelling one edit away is tried, and the one that
the reads do hold is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mrdtrack.counting.count import count_reads
from mrdtrack.counting.settings import CountingSettings
from mrdtrack.counts import MarkerCounts
from mrdtrack.panel.advice_model import Advice
from mrdtrack.panel.haplotypes import build_haplotypes
from mrdtrack.panel.model import Marker, Panel, Sequence
from mrdtrack.panel.reference import Reference

FEW_MOLECULES = 10
OTHER_SHARE = 0.1
"""Molecules that fit neither haplotype: so many, or such a share, are worth a word."""
SPELT_OTHERWISE = 0.2
"""Share of a join's reads that hold it exactly, below which its spelling is odd."""
ARM = 15
"""Bases of the reference on either side of a join that are looked for with it."""
LONGEST = 120
EDITS = 2
_JOINED = frozenset({"insertion", "deletion", "duplication", "junction"})


def advise_diagnosis(
    path: Path, panel: Panel, reference: Reference | None
) -> list[Advice]:
    """Say which markers the reads of diagnosis do not show, or spell otherwise.

    Raises:
        InputError: panel, reference and reads do not fit.
    """
    counts = count_reads(path, panel, reference, CountingSettings())
    found: list[Advice] = []
    for marker, row in zip(panel.marker, counts.markers, strict=True):
        found += _seen(marker, row)
    shown = {row.marker: row.alt or 0 for row in counts.markers}
    return [*found, *_spellings(path, panel, reference, shown)]


def _seen(marker: Marker, row: MarkerCounts) -> Iterator[Advice]:
    if row.alt is None or not row.assessable:
        yield Advice(
            marker.id,
            "not_assessable",
            "warning",
            f"the reads of diagnosis cannot tell it: {row.reason}",
        )
        return
    other, told = row.other or 0, row.alt + (row.ref or 0) + (row.other or 0)
    if not row.alt:
        is_sequence = isinstance(marker, Sequence)
        number = row.denominator if is_sequence else told
        of = "reads" if is_sequence else "molecules that can tell"
        yield Advice(
            marker.id,
            "not_in_diagnosis",
            "warning",
            f"of {number} {of} at diagnosis none shows it",
        )
    if other >= FEW_MOLECULES and other >= OTHER_SHARE * told:
        yield Advice(
            marker.id,
            "other_allele",
            "warning",
            f"{other} of {told} molecules fit neither it nor the reference: the reads "
            "may spell it otherwise, or carry another variant there",
        )


def _spellings(
    path: Path, panel: Panel, reference: Reference | None, shown: Mapping[str, int]
) -> Iterator[Advice]:
    joins = [join for marker in panel.marker if (join := _join_of(marker, reference))]
    loose = _counted(path, panel, joins)
    exact = _counted(path, panel, (_exact(join.id, join.sequence) for join in joins))
    for join in joins:
        held, whole = max(loose[join.id], shown[join.id]), exact[join.id]
        if held < FEW_MOLECULES or whole >= SPELT_OTHERWISE * held:
            continue
        told = _right_spelling(path, panel, join.sequence)
        yield Advice(
            join.id,
            "spelt_otherwise",
            "warning",
            f"of {held} reads or molecules that show it {whole} hold its join exactly: "
            f"{told}",
        )


def _join_of(marker: Marker, reference: Reference | None) -> Sequence | None:
    """Give the sequence over a marker's join, None where there is none to look for."""
    if isinstance(marker, Sequence):
        return marker.model_copy(update={"role": "level", "group": None})
    if reference is None:
        return None
    haplotypes = build_haplotypes(marker, reference)
    if haplotypes.event not in _JOINED:
        return None
    mark, bases = haplotypes.alt.marks[0], haplotypes.alt.bases
    over = bases[max(mark.start - ARM, 0) : mark.end + ARM]
    if "N" in over or len(over) > LONGEST:
        return None
    return Sequence(id=marker.id, kind="sequence", sequence=over, max_edits=EDITS)


def _exact(name: str, bases: str) -> Sequence:
    return Sequence(id=name, kind="sequence", sequence=bases, max_edits=0)


def _counted(path: Path, panel: Panel, sequences: Iterable[Sequence]) -> dict[str, int]:
    markers = tuple(sequences)
    if not markers:
        return {}
    asked = panel.model_copy(update={"marker": markers, "identity": ()})
    counts = count_reads(path, asked, None, CountingSettings())
    return {row.marker: row.alt or 0 for row in counts.markers}


def _right_spelling(path: Path, panel: Panel, bases: str) -> str:
    """Count every spelling one edit away, and tell the one that most reads hold."""
    spelt = {f"{n}": edited for n, edited in enumerate(sorted(_one_edit_away(bases)))}
    found = _counted(path, panel, (_exact(n, edited) for n, edited in spelt.items()))
    best = max(found, key=lambda name: found[name])
    if found[best] < FEW_MOLECULES:
        return "check its position and its inserted bases"
    return f"{found[best]} hold {_difference(bases, spelt[best])} instead"


def _one_edit_away(bases: str) -> set[str]:
    places = range(len(bases))
    changed = {bases[:i] + base + bases[i + 1 :] for i in places for base in "ACGT"}
    put_in = {bases[:i] + base + bases[i:] for i in places[1:] for base in "ACGT"}
    left_out = {bases[:i] + bases[i + 1 :] for i in places[1:-1]}
    return (changed | put_in | left_out) - {bases}


def _difference(bases: str, edited: str) -> str:
    """Show a spelling with what differs in small letters, `-` for a base left out."""
    start = 0
    while start < min(len(bases), len(edited)) and bases[start] == edited[start]:
        start += 1
    change = len(edited) - len(bases)
    if change < 0:
        return f"{edited[:start]}-{edited[start:]}"
    return edited[:start] + edited[start].lower() + edited[start + 1 :]
