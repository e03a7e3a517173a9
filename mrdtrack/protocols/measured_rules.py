"""Kinds of rules that read one metric."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mrdtrack.models import FileModel
from mrdtrack.protocols.rule_bases import DRUG_BACKERS, MeasuredRule
from mrdtrack.protocols.rule_parts import (
    Confirmation,
    Days,
    LevelTest,
    Origin,
    Positive,
    Specimen,
    Text,
    Window,
    check_metric_unit,
)
from mrdtrack.protocols.vocabulary import Action, Metric


class LevelRule(MeasuredRule):
    """Fires where one level passes a test; later a second sample may have to agree.

    `required_lod`: a sample that could not see this level is not evaluable.
    `without_metric`: the rule stands in only where no result on that metric exists.
    """

    kind: Literal["level"]
    test: LevelTest
    required_lod: Positive | None = None
    without_metric: Metric | None = None
    confirm: Confirmation | None = None

    @model_validator(mode="after")
    def _unit(self) -> LevelRule:
        check_metric_unit(
            self.metric, self.test.lower, self.test.upper, self.required_lod
        )
        return self

    def may_name_drug(self) -> bool:
        """Tell whether it intensifies on a level at or above a threshold."""
        found = self.test.lower is not None and self.test.detection != "any"
        return found and set(self.actions) <= DRUG_BACKERS


class NegativeRule(MeasuredRule):
    """Fires on an adequate negative, or a level whose upper limit lies below `below`.

    `also`: further time points that must be negative too (the rule then fires at the
    last). `min_markers`: so many markers must each reach the sensitivity.
    """

    kind: Literal["negative"]
    required_sensitivity: Positive
    sensitivity_origin: Origin = "source"
    below: Positive | None = None
    also: tuple[Window, ...] = ()
    min_markers: Annotated[int, Field(ge=1, le=10)] = 1

    @model_validator(mode="after")
    def _unit(self) -> NegativeRule:
        check_metric_unit(self.metric, self.required_sensitivity, self.below)
        return self


class InsufficientRule(MeasuredRule):
    """Fires where nothing was seen but the sample could not have seen enough."""

    kind: Literal["insufficient"]
    required_sensitivity: Positive
    blocks: tuple[Action, ...] = ()


class LogReductionRule(MeasuredRule):
    """Fires on the log10 reduction from the diagnosis, same tissue and method.

    `metric` is `log10_reduction`, imported as such or computed from imported results on
    `of_metric`; never from another metric.
    """

    kind: Literal["log_reduction"]
    metric: Literal["log10_reduction"] = "log10_reduction"
    of_metric: Literal["ratio_pct_abl1", "copies_1e5_abl1", "is_pct"]
    at_least: Positive | None = None
    above: Positive | None = None
    below: Positive | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> LogReductionRule:
        given = [self.at_least, self.above, self.below]
        if sum(bound is not None for bound in given) != 1:
            raise ValueError("give one of at_least, above, below")
        return self


class ConversionRule(MeasuredRule):
    """Fires where a tissue once adequately negative passes a test again.

    Negative: not detected with a limit of at most `required_sensitivity`, or below
    `negative_below`. `never_negative_log10`: a patient never negative in that tissue
    relapses if the test passes *and* the level rose so many log10 over the nadir.
    """

    kind: Literal["conversion"]
    test: LevelTest
    required_sensitivity: Positive
    negative_below: Positive | None = None
    never_negative_log10: Positive | None = None
    confirm: Confirmation | None = None


class NeverNegativeRule(MeasuredRule):
    """Fills a gap of the source for a patient never negative in that tissue.

    `threshold` by tissue; the case says which part of the gap the rule fills.
    """

    kind: Literal["never_negative"]
    case: Literal["rise_below", "stable_above", "rise_above"]
    threshold: dict[Specimen, Positive]
    log10_rise: Positive
    negative_below: Positive
    required_sensitivity: Positive


class RisingRule(MeasuredRule):
    """Fires on a rise between two samples that the counts themselves show."""

    kind: Literal["rising"]


class TimePointTest(FileModel):
    """A test at one of several time points."""

    window: Window
    specimen: tuple[Specimen, ...] = ()
    test: LevelTest


class TimePointsRule(MeasuredRule):
    """Fires where all its time points pass their tests; at the last of them."""

    kind: Literal["time_points"]
    points: Annotated[tuple[TimePointTest, ...], Field(min_length=2, max_length=6)]
    one_detected: bool = False


class HeldLevel(FileModel):
    """A level held for longer than so many days."""

    at_most: Positive
    more_than_days: Days


class SustainedRule(MeasuredRule):
    """Fires where every sample over a long time stays at or below a level.

    One of `held` suffices. Each sample counts by its upper limit: detected and not
    above (unless `not_detected_only`), or not detected with a limit not above it.
    `longest_gap_days` between two samples: a longer silence shows nothing held.
    """

    kind: Literal["sustained"]
    held: Annotated[tuple[HeldLevel, ...], Field(min_length=1)]
    min_samples: Annotated[int, Field(ge=2)] = 2
    treated_more_than_days: Days | None = None
    not_detected_only: bool = False
    longest_gap_days: Annotated[int, Field(ge=1)] | None = None
    gap_origin: Origin = "mrdtrack"


class TempoRule(MeasuredRule):
    """Fires on a doubling or halving time shorter than so many days."""

    kind: Literal["tempo"]
    course: Literal["doubling", "halving"]
    below_days: Positive


class ResponseClass(FileModel):
    """One class of a depth scale: its name and the level it must not pass.

    A sample without detection belongs to it if `abl1_copies_min` copies were seen or,
    without that, if its own limit lies within the class.
    """

    en: Text
    fr: Text
    at_most: Positive | None = None
    below: Positive | None = None
    abl1_copies_min: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> ResponseClass:
        if (self.at_most is None) == (self.below is None):
            raise ValueError("give at_most or below")
        return self


class ClassesRule(MeasuredRule):
    """Names the deepest class a sample belongs to; asks for nothing."""

    kind: Literal["classes"]
    classes: Annotated[tuple[ResponseClass, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _asks_for_nothing(self) -> ClassesRule:
        if set(self.actions) != {"NO_RULE"}:
            raise ValueError("a class asks for nothing: its action is NO_RULE")
        return self


class IndexTerm(FileModel):
    """One term of a linear index: a coefficient times a quantity."""

    quantity: Literal["log10_level", "log10_wbc", "genetic_risk_high"]
    coefficient: float


class IndexRule(MeasuredRule):
    """A linear index with the user's own coefficients; none is shipped."""

    kind: Literal["index"]
    intercept: float = 0.0
    terms: Annotated[tuple[IndexTerm, ...], Field(min_length=1)]
    at_least: float
