"""Kinds of rules on facts, time, several methods at once; and guards and notes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mrdtrack.models import FileModel
from mrdtrack.protocols.rule_bases import DRUG_BACKERS, ActingRule, Rule
from mrdtrack.protocols.rule_parts import (
    Days,
    Origin,
    Positive,
    Specimen,
    Text,
    Window,
)
from mrdtrack.protocols.vocabulary import Action, Anchor, Metric, TimePoint


class Technology(FileModel):
    """One technology's criterion of negativity.

    A detected level counts as negative where its upper limit lies below `below`, unless
    `not_detected_only`.
    """

    metric: Metric
    below: Positive
    not_detected_only: bool = False


class AllNegativeRule(ActingRule):
    """Fires where every technology used on one day is negative, adequately.

    A FLT3-ITD that is seen makes the day positive; one that is not seen shows nothing.
    """

    kind: Literal["all_negative"]
    technologies: Annotated[tuple[Technology, ...], Field(min_length=1)]
    window: Window

    @model_validator(mode="after")
    def _no_deescalation(self) -> AllNegativeRule:
        if set(self.actions) - {"CONTINUE", "NO_RULE"}:
            raise ValueError("its action is CONTINUE or NO_RULE")
        return self


class GenotypeRule(ActingRule):
    """Classifies the genotype at diagnosis: low if any of these and none of those."""

    kind: Literal["genotype"]
    low_any: Annotated[tuple[Text, ...], Field(min_length=1)]
    low_none: tuple[Text, ...]
    high_en: Text
    high_fr: Text

    @model_validator(mode="after")
    def _asks_for_nothing(self) -> GenotypeRule:
        if set(self.actions) != {"NO_RULE"}:
            raise ValueError("a genotype class asks for nothing: its action is NO_RULE")
        return self


class FactsRule(ActingRule):
    """Fires on facts alone, without any result."""

    kind: Literal["facts"]

    @model_validator(mode="after")
    def _has_conditions(self) -> FactsRule:
        if not self.conditions:
            raise ValueError("a rule on facts needs conditions")
        return self

    def may_name_drug(self) -> bool:
        """Tell whether it intensifies."""
        return set(self.actions) <= DRUG_BACKERS


class BlastBand(FileModel):
    """Blasts in the marrow from one percentage to below another, and other tests."""

    from_percent: Annotated[float, Field(ge=0, le=100)]
    below_percent: Annotated[float, Field(gt=0, le=100.1)]
    other_tests: Annotated[int, Field(ge=0, le=3)]


class BlastsRule(ActingRule):
    """Relapse, after a remission, by blasts and other tests of at least a share."""

    kind: Literal["blasts"]
    bands: Annotated[tuple[BlastBand, ...], Field(min_length=1)]
    other_at_least_percent: Positive
    within_days: Days = 14


class DiscordanceRule(ActingRule):
    """Fires where two methods of one day disagree on detection."""

    kind: Literal["discordance"]
    lead_metric: Metric
    other_metrics: Annotated[tuple[Metric, ...], Field(min_length=1)]
    other_target: Text


class DueSample(FileModel):
    """A sample at a time point, by label or, without one, by days from an anchor.

    With `from_days` and `to_days` a sample that never came is told as overdue.
    """

    timepoint: TimePoint
    specimen: Specimen
    anchor: Anchor | None = None
    from_days: int = 0
    to_days: int = 0
    days_origin: Origin = "mrdtrack"

    @property
    def window(self) -> Window:
        """The window of the time point."""
        days = {"from_days": self.from_days, "to_days": self.to_days}
        timed = {"anchor": self.anchor, **days} if self.anchor is not None else {}
        return Window.model_validate({"timepoints": (self.timepoint,), **timed})


class DueSeries(FileModel):
    """Samples at intervals between two days from an anchor."""

    window: Window
    specimen: Specimen
    every_days: Annotated[int, Field(ge=1)]
    alternative: Specimen | None = None
    alternative_every_days: Annotated[int, Field(ge=1)] | None = None


class ScheduleRule(Rule):
    """When the next sample is due, and of which tissue."""

    kind: Literal["schedule"]
    genes: tuple[Text, ...] = ()
    metrics: tuple[Metric, ...]
    points: tuple[DueSample, ...] = ()
    series: tuple[DueSeries, ...] = ()


class ExcludeRule(Rule):
    """Genes (or germline variants) that never drive a flag."""

    kind: Literal["exclude"]
    genes: tuple[Text, ...] = ()
    germline: bool = False


class BlockRule(Rule):
    """Takes back an action in a situation; the report says so."""

    kind: Literal["block"]
    blocks: Annotated[tuple[Action, ...], Field(min_length=1)]
    when: Literal["flt3_itd_alone", "on_treatment"]
    treatment_kind: Text | None = None


class DetectabilityRule(Rule):
    """A rare marker counts only if the same assay saw it at diagnosis."""

    kind: Literal["detectability"]


class NoteRule(Rule):
    """A sentence to print, or NO_RULE said aloud, in a situation.

    `genes`: any of them, or with `every_gene` all of them over the patient's visits;
    `except_genes`: some gene beside these.
    """

    kind: Literal["note"]
    metrics: tuple[Metric, ...] = ()
    genes: tuple[Text, ...] = ()
    every_gene: bool = False
    except_genes: tuple[Text, ...] = ()
    treatment_kind: Text | None = None
    window: Window = Window()
    several_itd: bool = False
    no_rule: bool = False


class BlinatumomabGuard(Rule):
    """States with every negative that the drug helps MRD-negative patients too."""

    kind: Literal["blinatumomab_guard"]

    def may_name_drug(self) -> bool:
        """Tell that it may: its sentence is fixed in code."""
        return True


class OtherwiseRule(ActingRule):
    """Names the rest: the windows were judged and none of the named rules fired."""

    kind: Literal["otherwise"]
    of: Annotated[tuple[Text, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _asks_for_nothing(self) -> OtherwiseRule:
        if set(self.actions) != {"NO_RULE"}:
            raise ValueError("the rest asks for nothing: its action is NO_RULE")
        return self
