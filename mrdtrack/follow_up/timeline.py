"""The timeline: a patient's visits in order, their course, and the flags rules raise.

This is what `PATIENT.timeline.json` holds (`mrdtrack-timeline/1`), and all that a
report may show: reports format these values and compute nothing.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from mrdtrack.counts import QualityFinding
from mrdtrack.levels.result import Call, MarkerResult, Software, Specimen
from mrdtrack.models import FileModel

SCHEMA: Literal["mrdtrack-timeline/1"] = "mrdtrack-timeline/1"

Action = Literal[
    "INTENSIFY_DISCUSS",
    "HSCT_DISCUSS",
    "PREEMPTIVE_DISCUSS",
    "DEESCALATE_DISCUSS",
    "CONTINUE",
    "MONITOR_CLOSER",
    "REPEAT_SAMPLE",
    "CHANGE_SPECIMEN",
    "NO_RULE",
]
Relation = Literal["=", ">=", "<="]


class Estimate(FileModel):
    """A number with its 95 % interval; an open side is None.

    `relation` is `>=` (or `<=`) where only a bound is known, since a visit lies below
    its limit of detection.
    """

    value: float
    relation: Relation = "="
    low: float | None = None
    high: float | None = None


class Change(FileModel):
    """From the previous comparable visit (same tissue and metric) to this one."""

    from_sample: str
    log10: Estimate | None
    p_value: float | None = None
    probability_rise_1_log10: float | None = None
    reason: str = ""


class TimelineVisit(FileModel):
    """One sample, or one measurement by another method, in date order.

    `value`, `low`, `high`, `lod95` and `loq` are on `metric`: fractions 0 to 1 for
    mrdtrack's own metrics, the method's own unit for imported ones. `call` is None
    for an imported result that states none.
    """

    sample: str
    date: str
    specimen: Specimen | None
    timepoint: str | None
    source: Literal["mrdtrack", "external"]
    method: str | None = None
    metric: str
    value: float | None
    low: float | None
    high: float | None
    lod95: float | None
    loq: float | None
    required_sensitivity: float | None
    limited_by: str | None = None
    p_value: float | None = None
    call: Call | None
    reason: str = ""
    baseline: bool = False
    log10_reduction: Estimate | None = None
    change_from_previous: Change | None = None
    nadir: bool = False
    markers: tuple[MarkerResult, ...] = ()
    quality: tuple[QualityFinding, ...] = ()


class MarkerCourse(FileModel):
    """One marker over the visits of one tissue: what became of it."""

    marker: str
    gene: str | None
    role: Literal["level", "report_only"]
    status: Literal["stable", "lost", "rising", "falling", "emerging", "unclear"]
    because: str


class Kinetics(FileModel):
    """What the course says as a whole, for one tissue and metric."""

    specimen: Specimen | None
    metric: str
    baseline_sample: str | None
    nadir_sample: str | None
    doubling_time_days: Estimate | None
    doubling_time_method: str = ""
    conversion: str = ""
    molecular_relapse: str = ""
    time_to_threshold_days: Estimate | None = None
    threshold: float | None = None
    markers: tuple[MarkerCourse, ...] = ()
    conditions: tuple[str, ...] = ()


class Citation(FileModel):
    """Where a rule stands, and how well that was confirmed (P, S or K; H, M or L)."""

    reference: str
    doi: str | None
    locator: str | None
    status: str
    confidence: str


class Flag(FileModel):
    """One prompt for the multidisciplinary meeting; never an order."""

    rule: str
    protocol: str
    protocol_version: str
    action: Action
    action_origin: Literal["source", "mrdtrack"]
    visit: str
    confidence: Literal["interval", "estimate"]
    because: str
    would_change_if: str
    citation: Citation


class Unjudged(FileModel):
    """A rule that could not be judged, and what is missing."""

    rule: str
    protocol: str
    visit: str | None
    missing: str


class ScheduleItem(FileModel):
    """A sample that is due, overdue, or to be taken elsewhere."""

    kind: Literal["due", "overdue", "confirmation_due", "wrong_specimen"]
    due: str | None
    specimen: Specimen | None
    because: str
    rule: str | None = None


class Treatment(FileModel):
    """A span of treatment, or a transplant day."""

    start: str
    end: str | None
    name: str
    kind: str


class ProtocolUsed(FileModel):
    """A protocol that was applied."""

    id: str
    version: str
    title: str
    digest: str


class Timeline(FileModel):
    """One patient's course: `PATIENT.timeline.json`."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True
    )

    schema_: Literal["mrdtrack-timeline/1"] = Field(default=SCHEMA, alias="schema")
    patient: str
    disease: str
    visits: tuple[TimelineVisit, ...]
    kinetics: tuple[Kinetics, ...]
    flags: tuple[Flag, ...]
    unjudged: tuple[Unjudged, ...] = ()
    schedule: tuple[ScheduleItem, ...]
    treatments: tuple[Treatment, ...] = ()
    protocols: tuple[ProtocolUsed, ...] = ()
    quality: tuple[QualityFinding, ...] = ()
    software: Software
