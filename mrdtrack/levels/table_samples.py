"""Samples made from the rows of a counts table, one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from mrdtrack.counts import (
    NO_BACKGROUND,
    GroupCounts,
    MarkerCounts,
    MarkerKind,
    MoleculeMode,
    Role,
    SampleCounts,
)
from mrdtrack.errors import CountsError
from mrdtrack.findings import REASONS
from mrdtrack.joint_counts import JointNumbers, joint_counts
from mrdtrack.levels.counts_tables import JOINT, NUMBERS, CountsTable

_COUNTED = ("kind", "molecule_mode", "denominator_kind", "error_class", "role")
_OWN = tuple(name for name in NUMBERS if name not in JOINT)
_OPTIONAL = ("group", "gene", "hgvs")


class PanelMarker(NamedTuple):
    """What the panel says of a marker; it wins over the table."""

    marker: str
    kind: MarkerKind
    error_class: str
    role: Role
    group: str | None
    gene: str | None
    hgvs: str | None
    signal_ratio: float | None


class TableSamples:
    """The samples of a counts table, each with a row for every marker of the panel."""

    def __init__(
        self, table: CountsTable, panel: Sequence[PanelMarker] | None, where: str
    ) -> None:
        self.table = table
        self.panel = panel
        if panel is not None:
            known = {marker.marker for marker in panel}
            strange = [name for name in table.markers if name not in known]
            if strange:
                raise CountsError(
                    where,
                    f"marker {strange[0]!r} is not in the panel",
                    "give the panel the counts were made with, or - for none",
                )

    def __len__(self) -> int:
        return len(self.table.samples)

    def sample(self, number: int) -> SampleCounts:
        """Return the counts of one sample."""
        rows = self.table.rows(number).tolist()
        if self.panel is None:
            markers = [self._from_row(row, None) for row in rows]
        else:
            of = {self.table.markers[int(self.table.marker[row])]: row for row in rows}
            mode = self._mode(rows)
            markers = [
                self._from_row(of[known.marker], known)
                if known.marker in of
                else _uncounted(known, mode)
                for known in self.panel
            ]
        return SampleCounts.model_construct(
            sample=self.table.samples[number],
            molecule_mode=self._mode(rows),
            markers=tuple(markers),
            groups=self._groups(rows, markers),
            background=NO_BACKGROUND,
            identity=(),
            searched=(),
            family_sizes={},
            quality=(),
        )

    def _groups(
        self, rows: Sequence[int], markers: Sequence[MarkerCounts]
    ) -> tuple[GroupCounts, ...]:
        """Return the joint counts that the rows of one sample repeat."""
        table = self.table
        counted = [row for row in rows if table.number("group_alt", row) is not None]
        if not counted:
            return ()
        by_name = {marker.marker: marker for marker in markers}
        groups: dict[str, tuple[int, list[MarkerCounts]]] = {}
        for row in counted:
            marker = by_name[table.markers[int(table.marker[row])]]
            if marker.group is not None:
                groups.setdefault(marker.group, (row, []))[1].append(marker)
        return tuple(
            joint_counts(
                name,
                members,
                JointNumbers(*(table.number(column, row) or 0 for column in JOINT)),
            )
            for name, (row, members) in groups.items()
        )

    def _mode(self, rows: Sequence[int]) -> MoleculeMode:
        return cast("MoleculeMode", self.table.text("molecule_mode", rows[0]))

    def _from_row(self, row: int, known: PanelMarker | None) -> MarkerCounts:
        table = self.table
        values: dict[str, Any] = {name: table.number(name, row) for name in _OWN}
        for name in _COUNTED:
            values[name] = table.text(name, row)
        for name in _OPTIONAL:
            values[name] = table.text(name, row) or None
        counted = ("alt", "ref", "ambiguous", "other")
        told = [values[name] for name in counted]
        values["molecules"] = None if None in told else sum(told)
        values["signal_ratio"] = float(table.ratio[row])
        if known is not None:
            values |= _told_by_panel(known, values["error_class"])
        return MarkerCounts.model_construct(
            marker=table.markers[int(table.marker[row])],
            assessable=table.text("assessable", row) == "true",
            reason=table.text("reason", row),
            reason_code=table.text("reason_code", row),
            alt_forward=None,
            alt_reverse=None,
            ref_forward=None,
            ref_reverse=None,
            ref_left=None,
            ref_right=None,
            filters={},
            **values,
        )


def _told_by_panel(known: PanelMarker, error_class: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "kind": known.kind,
        "role": known.role,
        "group": known.group,
        "gene": known.gene,
        "hgvs": known.hgvs,
    }
    if known.signal_ratio is not None:
        told["signal_ratio"] = known.signal_ratio
    if error_class == "substitution":
        told["error_class"] = known.error_class
    return told


def _uncounted(known: PanelMarker, mode: MoleculeMode) -> MarkerCounts:
    return MarkerCounts(
        marker=known.marker,
        kind=known.kind,
        alt=None,
        ref=None,
        ambiguous=None,
        other=None,
        molecules=None,
        molecule_mode=mode,
        denominator_kind="molecules_at_locus",
        denominator=None,
        error_class=known.error_class,
        assessable=False,
        reason=REASONS["not_in_table"],
        reason_code="not_in_table",
        role=known.role,
        group=known.group,
        gene=known.gene,
        hgvs=known.hgvs,
    )
