"""The timeline: a patient's visits in order, their course, and the flags rules raise.

This is what `PATIENT.timeline.json` holds (`mrdtrack-timeline/1`), and all that a
report may show: reports format these values and compute nothing.

Sentences stand in English under a plain name and in French under the same name with
`_fr`; both are always filled together.
"""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from mrdtrack.counts import QualityFinding
from mrdtrack.levels.result import (
    Call,
    GroupResult,
    MarkerResult,
    Software,
    Specimen,
)
from mrdtrack.models import FileModel
from mrdtrack.protocols import vocabulary

SCHEMA: Literal["mrdtrack-timeline/1"] = "mrdtrack-timeline/1"

Action = vocabulary.Action
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
    reason_fr: str = ""


class TimelineVisit(FileModel):
    """One sample, or one measurement by another method, in date order.

    `value`, `low`, `high`, `lod95` and `loq` are on `metric`: fractions 0 to 1 for
    mrdtrack's own metrics, the method's own unit for imported ones. `call` is None
    for an imported result that states none. `target` is what was measured where the
    metric alone does not say it (a transcript such as `NPM1`). Where `log10_reduction`
    is None although there is a baseline, `log10_reduction_reason` says why (for
    example that no reduction is demonstrated).
    """

    sample: str
    date: str
    specimen: Specimen | None
    timepoint: str | None
    source: Literal["mrdtrack", "external"]
    method: str | None = None
    target: str | None = None
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
    reason_codes: tuple[str, ...] = ()
    abl1_copies: float | None = None
    baseline: bool = False
    log10_reduction: Estimate | None = None
    log10_reduction_reason: str = ""
    log10_reduction_reason_fr: str = ""
    change_from_previous: Change | None = None
    nadir: bool = False
    markers: tuple[MarkerResult, ...] = ()
    groups: tuple[GroupResult, ...] = ()
    quality: tuple[QualityFinding, ...] = ()


class MarkerCourse(FileModel):
    """One marker over the visits of one tissue: what became of it."""

    marker: str
    gene: str | None
    role: Literal["level", "report_only"]
    status: Literal["stable", "lost", "rising", "falling", "emerging", "unclear"]
    because: str
    because_fr: str = ""


class Kinetics(FileModel):
    """What the course says as a whole, for one tissue, metric, source and target.

    `doubling_time_days` covers the rise since the nadir, `halving_time_days` the fall
    from the baseline to it. `time_to_threshold_days` counts from the last visit to
    `threshold` (on `metric`), which `threshold_rule` names. `conditions` state what
    the figures rest on.
    """

    specimen: Specimen | None
    metric: str
    source: Literal["mrdtrack", "external"] = "mrdtrack"
    method: str | None = None
    target: str | None = None
    baseline_sample: str | None
    baseline_is_diagnosis: bool = False
    nadir_sample: str | None
    doubling_time_days: Estimate | None
    doubling_time_method: str = ""
    halving_time_days: Estimate | None = None
    conversion: str = ""
    conversion_fr: str = ""
    molecular_relapse: str = ""
    molecular_relapse_fr: str = ""
    time_to_threshold_days: Estimate | None = None
    threshold: float | None = None
    threshold_rule: str | None = None
    markers: tuple[MarkerCourse, ...] = ()
    conditions: tuple[str, ...] = ()
    conditions_fr: tuple[str, ...] = ()


class Citation(FileModel):
    """Where a rule stands, and how well that was confirmed (P, S or K; H, M or L)."""

    reference: str
    doi: str | None
    locator: str | None
    status: str
    confidence: str


class Flag(FileModel):
    """One prompt for the multidisciplinary meeting; never an order.

    `call` is the source's own category in words (for example "MRD relapse").
    `confidence` is `interval` where the whole interval stands on the rule's side of
    the threshold, `estimate` where only the estimate does. `numbers` holds what the
    flag rests on, by name, on the metric. `conflicts_with` names rules that point the
    other way at the same visit: they are shown together, intensification first.
    """

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
    call: str = ""
    call_fr: str = ""
    because_fr: str = ""
    would_change_if_fr: str = ""
    numbers: dict[str, float | str] = {}
    conflicts_with: tuple[str, ...] = ()


class ProtocolNote(FileModel):
    """A sentence a protocol obliges the report to print; it asks for nothing."""

    rule: str
    protocol: str
    visit: str | None
    text: str
    text_fr: str
    citation: Citation


class Unjudged(FileModel):
    """A rule that could not be judged, and what is missing."""

    rule: str
    protocol: str
    visit: str | None
    missing: str
    missing_fr: str = ""


class ScheduleItem(FileModel):
    """A sample that is due, overdue, or to be taken elsewhere."""

    kind: Literal["due", "overdue", "confirmation_due", "wrong_specimen"]
    due: str | None
    specimen: Specimen | None
    because: str
    because_fr: str = ""
    rule: str | None = None
    protocol: str | None = None


class Treatment(FileModel):
    """A span of treatment, or a transplant day."""

    start: str
    end: str | None
    name: str
    kind: str


class IdentityCheck(FileModel):
    """Whose sample it is, by its germline alleles beside those of `against`.

    `against` is a sample, or `panel` where that gives the genotypes. `mixed` is a
    contamination too large for one; `donor_cells` are a donor's after a transplant
    (`log10_ratio` is then that of patient and donor over anyone else). `log10_ratio`:
    likelihood ratio of one person, contaminated or not, over another. `other_share`:
    share of the molecules that are not the patient's. `y_differs`: one of the two
    samples shows the Y chromosome, the other does not. `accepted`: the user accepted
    by name a sample that failed.
    """

    sample: str
    against: str
    verdict: Literal[
        "same_person",
        "other_person",
        "relative",
        "contaminated",
        "mixed",
        "sex_mismatch",
        "donor_cells",
        "undecided",
        "not_compared",
    ]
    n_positions: int
    log10_ratio: float | None = None
    other_share: Estimate | None = None
    y_differs: bool = False
    accepted: bool = False


class ProtocolUsed(FileModel):
    """A protocol that was applied; `conditions` are to be printed with its flags."""

    id: str
    version: str
    title: str
    title_fr: str = ""
    digest: str
    conditions: tuple[str, ...] = ()
    conditions_fr: tuple[str, ...] = ()


class ProtocolThreshold(FileModel):
    """A level that rules hold results against, on `metric`, and these rules."""

    metric: str
    value: float
    protocols: tuple[str, ...]
    rules: tuple[str, ...]


class Timeline(FileModel):
    """One patient's course: `PATIENT.timeline.json`.

    `visits` stand in date order. `flags` stand newest visit first, and within a visit
    intensification first. `anchors` are the dates the rules counted from.
    """

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
    notes: tuple[ProtocolNote, ...] = ()
    schedule: tuple[ScheduleItem, ...]
    treatments: tuple[Treatment, ...] = ()
    protocols: tuple[ProtocolUsed, ...] = ()
    thresholds: tuple[ProtocolThreshold, ...] = ()
    anchors: dict[str, str] = {}
    identity: tuple[IdentityCheck, ...] = ()
    quality: tuple[QualityFinding, ...] = ()
    software: Software
