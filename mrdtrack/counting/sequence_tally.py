"""The tally of `sequence` markers: reads that hold them, each once."""

from __future__ import annotations

import math
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass

import numpy as np

from mrdtrack.counting.molecules import (
    Grouping,
    MarkerRules,
    group_molecules,
    merged_fragments,
    named_records,
)
from mrdtrack.counting.sequence_index import (
    allowed_edits,
    kin_with_stems,
    with_stem,
)
from mrdtrack.counting.tally import unassessable
from mrdtrack.counting.told import join_observations, pick, told_by
from mrdtrack.counting.umi_families import Crowding, crowding_of, umi_families
from mrdtrack.counts import MarkerCounts
from mrdtrack.findings import REASONS
from mrdtrack.kernels.arrays import JUNCTION, Ints, Observations
from mrdtrack.kernels.molecules import ALT, REF
from mrdtrack.kernels.sequences import ScanResult, settle_rivals
from mrdtrack.panel.model import Sequence

HELD_PHRED = 900.0
"""Evidence of a read that holds one sequence best; see `sequences.MATCHED_PHRED`."""


def join_scans(scans: SequenceOf[ScanResult]) -> ScanResult:
    """Put the scans of several chunks together, in file order."""
    umis = [scan.umis for scan in scans]
    return ScanResult(
        observations=join_observations([scan.observations for scan in scans]),
        n_fragments=sum(scan.n_fragments for scan in scans),
        umis=np.concatenate(umis) if umis else np.zeros(0, np.int64),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceHits:
    """All matches of a file, its fragments, and the UMI of each (0 without one).

    There are no UMIs where the molecules asked for do not depend on them.
    """

    observations: Observations
    n_fragments: int
    umis: Ints

    @staticmethod
    def of(scans: SequenceOf[ScanResult]) -> SequenceHits:
        """Put the scans of all chunks together."""
        joined = join_scans(scans)
        return SequenceHits(
            observations=joined.observations,
            n_fragments=joined.n_fragments,
            umis=joined.umis,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceCounts:
    """One row a sequence, and the family sizes where UMIs were counted."""

    markers: tuple[MarkerCounts, ...]
    family_sizes: dict[int, int]
    crowding: Crowding


def tally_sequences(
    markers: SequenceOf[Sequence],
    hits: SequenceHits,
    grouping: Grouping,
    min_family_size: int,
    read_length: int | None,
) -> SequenceCounts:
    """Count the molecules that hold each sequence.

    A molecule belongs to the sequence that one of its reads holds with the fewest
    edits; where it holds rivals equally well, it is `ambiguous` for each of them.
    The denominator is every molecule read (`locus_reads`). A sequence that no read of
    the usual `read_length` can hold, and none does, cannot be assessed.
    """
    if not markers:
        return SequenceCounts(markers=(), family_sizes={}, crowding=Crowding())
    observations = _best_only(hits.observations, markers)
    related = _related_molecules(observations, markers, grouping, min_family_size)
    observations = pick(observations, observations.marker < len(markers))
    event = np.full(len(markers), JUNCTION, np.int64)
    threshold = np.full(len(markers), HELD_PHRED)
    rules = MarkerRules(threshold, event)
    facts, claims = told_by(observations)
    named = named_records(facts, grouping)
    fragments = merged_fragments(named, claims, rules, grouping)
    grouped = group_molecules(fragments, grouping, min_family_size)
    molecules = grouped.molecules
    total, crowding = _molecules_read(hits, grouping)
    rows = []
    for index, marker in enumerate(markers):
        here = molecules.marker == index
        alt = here & (molecules.kind == ALT)
        n_alt, n_here = int(alt.sum()), int(here.sum())
        if n_here == 0 and is_too_long(marker, read_length):
            rows.append(unassessable(marker, grouping.mode, "reads_too_short"))
            continue
        turned = molecules.reverse != 0
        rows.append(
            MarkerCounts(
                marker=marker.id,
                kind="sequence",
                alt=n_alt,
                ref=0,
                ambiguous=n_here - n_alt,
                other=0,
                molecules=n_here,
                molecule_mode=grouping.mode,
                denominator_kind="locus_reads",
                denominator=total,
                error_class="junction",
                assessable=total > 0,
                reason="" if total else REASONS["no_reads"],
                reason_code="" if total else "no_reads",
                role=marker.role,
                group=marker.group,
                gene=marker.gene or marker.locus,
                hgvs=marker.hgvs,
                alt_forward=int((alt & ~turned).sum()),
                alt_reverse=int((alt & turned).sum()),
                related=related.get(index),
                filters=grouped.filters[index],
            )
        )
    return SequenceCounts(
        markers=tuple(rows), family_sizes=grouped.family_sizes, crowding=crowding
    )


def is_too_long(marker: Sequence, read_length: int | None) -> bool:
    """Tell whether most reads are too short to hold a sequence, which has no join."""
    if read_length is None or marker.join is not None:
        return False
    return len(marker.sequence) - allowed_edits(marker) > read_length


def _best_only(
    observations: Observations, markers: SequenceOf[Sequence]
) -> Observations:
    """Keep, of each read name, the observations with the fewest edits."""
    order = np.lexsort((observations.name,))
    kin = kin_with_stems(markers)
    left = settle_rivals(
        observations.name[order],
        observations.marker[order],
        observations.evidence[order],
        kin,
        math.isqrt(len(kin)),
    )
    kept = left >= 0.0
    return pick(observations, order[kept])._replace(evidence=left[kept])


def _related_molecules(
    observations: Observations,
    markers: SequenceOf[Sequence],
    grouping: Grouping,
    min_family_size: int,
) -> dict[int, int]:
    """Count the molecules that hold a marker's stem after other bases than its own.

    Reads of the marker itself are weighed against them: a UMI family is related where
    most of its fragments are.
    """
    numbers = {marker.id: index for index, marker in enumerate(markers)}
    owners = [numbers[marker.id] for marker in with_stem(markers)]
    if not owners:
        return {}
    parts = []
    for stem, owner in enumerate(owners):
        held = pick(observations, observations.marker == owner)
        other = pick(observations, observations.marker == len(markers) + stem)
        other = other._replace(evidence=-other.evidence)
        parts += [
            part._replace(marker=np.full(len(part.marker), stem, np.int64))
            for part in (held, other)
        ]
    event = np.full(len(owners), JUNCTION, np.int64)
    threshold = np.full(len(owners), HELD_PHRED)
    facts, claims = told_by(join_observations(parts))
    named, rules = named_records(facts, grouping), MarkerRules(threshold, event)
    fragments = merged_fragments(named, claims, rules, grouping)
    molecules = group_molecules(fragments, grouping, min_family_size).molecules
    related = molecules.marker[molecules.kind == REF]
    return {owner: int((related == stem).sum()) for stem, owner in enumerate(owners)}


def _molecules_read(hits: SequenceHits, grouping: Grouping) -> tuple[int, Crowding]:
    """Count the molecules of the file: fragments, or UMI families."""
    if grouping.mode != "umi":
        return hits.n_fragments, Crowding()
    n = len(hits.umis)
    none, nowhere = np.zeros(n, np.int32), np.zeros(n, np.int64)
    families = umi_families(none, hits.umis, nowhere)
    return len(np.unique(families.number)), crowding_of(families)
