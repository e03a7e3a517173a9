"""The parts rules are made of: source, wording, window, marker, level test, facts."""

from __future__ import annotations

import re
from string import Formatter
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from mrdtrack.models import FileModel
from mrdtrack.protocols.vocabulary import (
    INTENSIFYING,
    OWN_METRICS,
    Action,
    Anchor,
    Metric,
    TimePoint,
)

Specimen = Literal["bone_marrow", "peripheral_blood", "other"]
Origin = Literal["source", "mrdtrack"]
Positive = Annotated[float, Field(gt=0)]
Days = Annotated[int, Field(ge=0, le=36_500)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]

PLACEHOLDERS = frozenset(
    {
        "visit",
        "specimen",
        "metric",
        "value",
        "interval",
        "limit",
        "threshold",
        "required",
        "earlier",
        "days",
        "detail",
    }
)
"""Names a sentence of a rule may hold in braces."""

_DRUG = re.compile("blin(?:a|cy|at)", re.IGNORECASE)


def names_blinatumomab(text: str) -> bool:
    """Tell whether a text names the drug, by any of its names."""
    return _DRUG.search(text) is not None


class RuleSource(FileModel):
    """Where a rule stands: key of the protocol's sources, place, grade.

    Status: P confirmed against the primary source, S in a secondary transcription,
    K general knowledge, `lab` the laboratory's own. Confidence: H, M or L.
    """

    ref: Text
    locator: Text
    status: Literal["P", "S", "K", "lab"]
    confidence: Literal["H", "M", "L"]


class Wording(FileModel):
    """What a rule says in one language.

    `call` is the source's category. `remark` is added to the sentence of the rule's
    kind; `because` and `would_change_if` replace those sentences.
    """

    call: Text
    remark: Text | None = None
    because: Text | None = None
    would_change_if: Text | None = None

    @field_validator("remark", "because", "would_change_if")
    @classmethod
    def _known_names(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            names = {name for _, name, _, _ in Formatter().parse(value) if name}
        except ValueError as error:
            raise ValueError(f"braces do not match ({error})") from error
        unknown = sorted(names - PLACEHOLDERS)
        if unknown:
            raise ValueError(
                f"unknown name in braces: {', '.join(unknown)}; known are "
                f"{', '.join(sorted(PLACEHOLDERS))}"
            )
        return value


class Window(FileModel):
    """When a rule looks: time points by label, or days from an anchor.

    Where a rule lists time points, a visit whose label is a known one is judged by its
    label alone; any other visit by the days since `anchor` (both ends included).
    Without either every visit is inside. Days from `remission` end with a relapse, days
    from `tki_start` with the stop of the drug.
    `days_origin` says whether the days are the source's.
    """

    timepoints: tuple[TimePoint, ...] = ()
    anchor: Anchor | None = None
    from_days: int = 0
    to_days: int | None = None
    days_origin: Origin = "source"

    @model_validator(mode="after")
    def _days_need_an_anchor(self) -> Window:
        if self.anchor is None and (self.from_days != 0 or self.to_days is not None):
            raise ValueError("days need an anchor")
        if self.to_days is not None and self.to_days < self.from_days:
            raise ValueError("to_days lies before from_days")
        return self

    @property
    def is_open(self) -> bool:
        """Whether every visit lies inside."""
        return not self.timepoints and self.anchor is None


class MarkerSelection(FileModel):
    """What is measured.

    * `level`: the sample's level (own or imported) on the rule's metric;
    * `transcript`: an imported transcript of one of `genes`;
    * `flt3_itd`: the FLT3-ITD markers of a sample;
    * `mutation`: other gene mutations (of `genes`, or all), never an excluded gene.
    """

    kind: Literal["level", "transcript", "flt3_itd", "mutation"]
    genes: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _transcripts_are_named(self) -> MarkerSelection:
        if self.kind == "transcript" and not self.genes:
            raise ValueError("a transcript rule names its genes")
        if self.kind in ("level", "flt3_itd") and self.genes:
            raise ValueError(f"{self.kind} names no genes")
        return self


class LevelTest(FileModel):
    """What a level must be. Bounds are on the rule's metric."""

    detection: Literal["any", "detected", "quantified", "below_loq"] = "detected"
    at_least: Positive | None = None
    above: Positive | None = None
    below: Positive | None = None
    at_most: Positive | None = None
    at_least_lod: bool = False

    @model_validator(mode="after")
    def _one_bound_a_side(self) -> LevelTest:
        if self.at_least is not None and self.above is not None:
            raise ValueError("give at_least or above, not both")
        if self.below is not None and self.at_most is not None:
            raise ValueError("give below or at_most, not both")
        low, high = self.lower, self.upper
        if low is not None and high is not None and high <= low:
            raise ValueError("the upper bound is not above the lower one")
        if low is None and high is None and self.detection == "any":
            raise ValueError("it would hold for every result")
        return self

    @property
    def lower(self) -> float | None:
        """The lower bound, whichever way it is written."""
        return self.above if self.at_least is None else self.at_least

    @property
    def upper(self) -> float | None:
        """The upper bound, whichever way it is written."""
        return self.at_most if self.below is None else self.below


class Conditions(FileModel):
    """What must be known of the patient; all that is given must hold."""

    age_group: Literal["child", "adult"] | None = None
    arm: Text | None = None
    philadelphia: bool | None = None
    cd19: bool | None = None
    apl_high_risk: bool | None = None
    arsenic: bool | None = None
    genetic_risk: Literal["low", "high"] | None = None
    eln_risk: Literal["favourable", "intermediate", "poor"] | None = None
    cml_phase: Literal["CP1", "other"] | None = None
    salvage_needed: bool | None = None
    resistance_mutation: bool | None = None
    emergent_high_risk_aca: bool | None = None
    imaging_negative: bool | None = None
    positive_at_end_of_treatment: bool | None = None
    wbc_at_least: Positive | None = None
    wbc_below: Positive | None = None
    altered_any: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _something(self) -> Conditions:
        if not self.model_fields_set:
            raise ValueError("empty conditions hold for everyone; leave them out")
        return self


class Confirmation(FileModel):
    """A second sample that must agree before the definitive call.

    `at_least` gives the level by tissue the second sample must reach; with `above` the
    level must be exceeded. Until then only `before` is raised. `waive_at_least` by
    tissue: a first sample so high needs no second.
    """

    within_days: Annotated[int, Field(ge=1, le=400)]
    from_days: Days = 1
    at_least: dict[Specimen, Positive] = {}
    above: dict[Specimen, Positive] = {}
    waive_at_least: dict[Specimen, Positive] = {}
    before: tuple[Action, ...] = ("REPEAT_SAMPLE",)
    origin: Origin = "source"

    @model_validator(mode="after")
    def _no_treatment_before(self) -> Confirmation:
        if INTENSIFYING & set(self.before) or "DEESCALATE_DISCUSS" in self.before:
            raise ValueError("before the confirmation no treatment is to be discussed")
        if not self.at_least and not self.above:
            raise ValueError("name the level that confirms, by tissue")
        return self


def check_metric_unit(metric: Metric, *levels: float | None) -> None:
    """Refuse levels above 1 on a metric that is a fraction.

    Raises:
        ValueError: a level is above 1.
    """
    if metric in OWN_METRICS and any(
        level is not None and level > 1 for level in levels
    ):
        raise ValueError(f"{metric} is a fraction from 0 to 1")
