"""The counts gathered while the reads go by: a marker is counted once it is passed.

What the records say is held only of the markers and stretches that later records can
still reach, so memory follows the depth at the markers and not the size of the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mrdtrack.counting.amplicons import LostDuplicates
from mrdtrack.counting.background import Stretches, add_positions, tally_positions
from mrdtrack.counting.held import Held, join_shown, nothing_held, split_held
from mrdtrack.counting.jobs import Jobs
from mrdtrack.counting.molecules import (
    Fragments,
    Grouping,
    MarkerRules,
    Named,
    choose_grouping,
    group_molecules,
    merged_fragments,
    named_records,
)
from mrdtrack.counting.phased import group_of_markers, tally_group
from mrdtrack.counting.plan import CountingPlan
from mrdtrack.counting.sequence_tally import SequenceHits, join_scans
from mrdtrack.counting.settings import CountingSettings
from mrdtrack.counting.tally import tally_marker
from mrdtrack.counting.told import (
    Mask,
    Told,
    join_claims,
    join_observations,
    observations_of,
    pick,
)
from mrdtrack.counting.umi_families import Crowding
from mrdtrack.counts import GroupCounts, MarkerCounts, QualityFinding
from mrdtrack.kernels.arrays import Ints, Observations
from mrdtrack.kernels.background import BackgroundCounts
from mrdtrack.kernels.hearing import HeardRecords
from mrdtrack.kernels.near_records import MATE_REACH
from mrdtrack.kernels.sequences import ScanResult
from mrdtrack.kernels.stretches import BackgroundRows

HELD_ROWS: Final = 300_000
"""Rows held before it is worth counting the markers that have been passed."""
DECIDING_ROWS: Final = 200_000
"""So many observations, the first of the file, tell how molecules are to be grouped.

Nothing is counted before, so the choice does not depend on how the file is cut."""
HELD_SCANS: Final = 500
BEGIN: Final = (0, -1)
NOWHERE_BEHIND: Final = 1 << 40
"""A contig that stands after all others, and after the reads without a place."""


class OutOfOrder(Exception):
    """A record came that stands before the ones that have been counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one chunk of records said."""

    records: HeardRecords
    scan: ScanResult | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """All counts of one file. `positions` None: no record came near a marker."""

    grouping: Grouping
    markers: tuple[MarkerCounts, ...]
    groups: dict[str, GroupCounts]
    family_sizes: Counter[int]
    crowding: Crowding
    positions: BackgroundCounts | None
    hits: SequenceHits
    findings: tuple[QualityFinding, ...]


class Gathering:
    """Takes what chunks say in file order, and counts what has been passed."""

    def __init__(
        self,
        plan: CountingPlan,
        stretches: Stretches,
        settings: CountingSettings,
        jobs: Jobs,
        *,
        is_sorted: bool,
    ) -> None:
        """Begin.

        Args:
            plan: the markers.
            stretches: of the background.
            settings: of the run.
            jobs: does the counting.
            is_sorted: whether records are expected in the order of their places. Else
                nothing is counted before the end.
        """
        self._plan = plan
        self._stretches = stretches
        self._settings = settings
        self._jobs = jobs
        self._is_sorted = is_sorted
        self._grouping: Grouping | None = None
        self._markers = Pending(*_marker_ends(plan))
        # Stretches wait for the markers near them: facts and names are of both.
        ends = stretches.arrays.high + MATE_REACH
        self._background = Pending(stretches.arrays.contig, ends)
        self._held: list[Held] = []
        self._scans: list[ScanResult] = []
        self._last = BEGIN
        self._next_count = HELD_ROWS
        self._n_claims = 0
        self._group_of = group_of_markers(plan.groups, len(plan.located))
        self._counted: dict[int, MarkerCounts] = {}
        self._joint: dict[str, GroupCounts] = {}
        self._sizes: Counter[int] = Counter()
        self._crowding = Crowding()
        self._lost = LostDuplicates()
        self._positions: BackgroundCounts | None = None

    def add(self, heard: Heard) -> None:
        """Take what the next chunk says.

        Raises:
            OutOfOrder: the records are not sorted, and some have been counted already.
        """
        places = heard.records.places
        first = places.first_contig, places.first_position
        if self._is_sorted and (not places.in_order or first < self._last):
            if self._markers.passed.any() or self._background.passed.any():
                raise OutOfOrder
            self._is_sorted = False
        self._last = places.last_contig, places.last_position
        self._hold(heard.records)
        if heard.scan is not None:
            self._scans.append(heard.scan)
            if len(self._scans) > HELD_SCANS:
                self._scans = [join_scans(self._scans)]
        may_count = self._is_sorted and self._n_claims >= DECIDING_ROWS
        if may_count and self._n_held() > self._next_count:
            self._count_passed()

    def _hold(self, records: HeardRecords) -> None:
        """Hold what records said until the markers near them have been passed."""
        facts, claims, rows, _ = records
        if len(facts.name):
            self._held.append(Held(facts, claims, rows))
            self._n_claims += len(claims.marker)

    def finish(self) -> Gathered:
        """Count what is left."""
        grouping = self._decide()
        self._jobs.wait()
        self._count(self._markers.rest(), self._held)
        names = [marker.id for marker, _ in self._plan.located]
        return Gathered(
            grouping=grouping,
            markers=tuple(self._counted[i] for i in range(len(names))),
            groups=self._joint,
            family_sizes=self._sizes,
            crowding=self._crowding,
            positions=self._positions,
            hits=SequenceHits.of(self._scans),
            findings=self._lost.findings(names, grouping),
        )

    def _n_held(self) -> int:
        return sum(
            len(held.claims.marker) + len(held.rows.stretch) for held in self._held
        )

    def _decide(self) -> Grouping:
        """Choose how molecules are grouped, from the first observations, once."""
        if self._grouping is None:
            hits = [scan.observations for scan in self._scans]
            self._grouping = choose_grouping(
                _first_observations(self._held, hits), self._settings.molecules
            )
        return self._grouping

    def _count_passed(self) -> None:
        """Count the markers and stretches that no later record can reach."""
        self._decide()
        markers = self._markers.take(self._last)
        stretches = self._background.take(self._last)
        if not (markers.any() or stretches.any()):
            return
        passed, self._held = split_held(self._held, markers, stretches)
        self._jobs.do(lambda: self._count(markers, passed))
        self._next_count = max(HELD_ROWS, 5 * self._n_held() // 4)

    def _count(self, markers: Mask, parts: list[Held]) -> None:
        """Count what records said of some markers, and all that they showed elsewhere.

        `parts` is emptied; what is no longer needed makes room for what comes of it.
        """
        parts = parts or [nothing_held()]
        sizes = [len(part.facts.name) for part in parts]
        claims = [part.claims for part in parts]
        facts, rows = join_shown(parts)
        named = named_records(facts, self._decide())
        self._count_positions(named, rows)
        del rows, facts
        if not markers.any():
            return
        told = Told(named.facts, join_claims(claims, sizes))
        claims.clear()
        fragments = self._merged(named, told)
        del named, told
        self._count_markers(markers, fragments)

    def _merged(self, named: Named, told: Told) -> Fragments:
        """Merge the claims of each fragment."""
        grouping, targets = self._decide(), self._plan.targets
        self._lost.add(told, grouping)
        group_of = self._group_of if self._plan.groups else None
        rules = MarkerRules(targets.threshold, targets.event, group_of)
        return merged_fragments(named, told.claims, rules, grouping)

    def _count_markers(self, chosen: Mask, fragments: Fragments) -> None:
        """Group the fragments, which are of the chosen markers, and count each."""
        grouping = self._decide()
        grouped = group_molecules(fragments, grouping, self._settings.min_family_size)
        self._sizes.update(grouped.family_sizes)
        self._crowding = self._crowding.and_of(grouped.crowding)
        for index in np.flatnonzero(chosen).tolist():
            marker, haplotypes = self._plan.located[index]
            self._counted[index] = tally_marker(
                index, marker, haplotypes, grouped, grouping.mode
            )
        for number in sorted(set(self._group_of[chosen].tolist()) - {-1}):
            group, index = self._plan.groups[number], len(self._group_of) + number
            self._joint[group.name] = tally_group(group, index, grouped, self._counted)

    def _count_positions(self, named: Named, rows: BackgroundRows) -> None:
        """Count the molecules at the positions that records show."""
        if not len(rows.stretch):
            return
        counts = tally_positions(
            self._stretches, named, rows, self._decide(), self._settings
        )
        self._positions = add_positions(self._positions, counts)


class Pending:
    """Places that later records may still reach."""

    def __init__(self, contig: Ints, end: Ints) -> None:
        """Take the contig of each place, and the first position beyond it."""
        self._contig = contig
        self._end = end
        self.passed = np.zeros(len(end), bool)

    def take(self, place: tuple[int, int]) -> Mask:
        """Say which places were passed since the last time, by a record at `place`."""
        contig, position = place
        behind = (self._contig < contig) | (
            (self._contig == contig) & (self._end <= position)
        )
        new: Mask = behind & ~self.passed
        self.passed |= new
        return new

    def rest(self) -> Mask:
        """Say which places have not been passed."""
        rest: Mask = ~self.passed
        return rest


def _marker_ends(plan: CountingPlan) -> tuple[Ints, Ints]:
    """Give for each marker where its last window ends, as unmapped reads see it.

    One whose join is looked for in reads anywhere is passed with the last of them, and
    the markers of one group are passed together.
    """
    targets = plan.targets
    n = len(targets.event)
    contig, end = np.zeros(n, np.int64), np.zeros(n, np.int64)
    order = np.lexsort((targets.window_high, targets.window_contig))
    for w in order.tolist():
        marker = targets.window_marker[w]
        contig[marker] = targets.window_contig[w]
        end[marker] = targets.window_high[w] + MATE_REACH
    contig[[join.marker for join in plan.joins]] = NOWHERE_BEHIND
    for group in plan.groups:
        together = list(group.places)
        end[together] = end[together].max(initial=0)
    return contig, end


def _first_observations(
    parts: Sequence[Held], hits: Sequence[Observations]
) -> Observations:
    """Join the first claims and hits, up to `DECIDING_ROWS` of them."""
    wanted, chosen = DECIDING_ROWS, []
    for held in parts:
        chosen.append(observations_of(held.told, slice(wanted)))
        wanted -= len(chosen[-1].marker)
        if wanted <= 0:
            break
    for hit in hits:
        chosen.append(pick(hit, slice(max(wanted, 0))))
        wanted -= len(chosen[-1].marker)
    return join_observations(chosen)
