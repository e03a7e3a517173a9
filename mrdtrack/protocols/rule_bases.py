"""What rules share: source, words, actions; and what no rule may say.

A de-escalation without an adequate negative, a negative patient by FLT3-ITD alone, a
drug withheld because nothing was found: all are refused here, for shipped protocols
and a laboratory's own alike.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from mrdtrack.models import FileModel
from mrdtrack.panel.model import Disease
from mrdtrack.protocols.rule_parts import (
    Conditions,
    MarkerSelection,
    Origin,
    RuleSource,
    Specimen,
    Window,
    Wording,
    names_blinatumomab,
)
from mrdtrack.protocols.vocabulary import DTA_GENES, Action, Metric

DRUG_BACKERS = frozenset({"INTENSIFY_DISCUSS", "HSCT_DISCUSS"})

_CALMING = frozenset({"DEESCALATE_DISCUSS", "CONTINUE"})
_MAY_DEESCALATE = frozenset({"negative", "sustained"})
_TRANSCRIPT_METRICS = frozenset(
    {"ratio_pct_abl1", "copies_1e5_abl1", "is_pct", "log10_reduction"}
)


class Rule(FileModel):
    """What every rule has: id, source, conditions (any of them), words.

    `diseases` narrows the protocol's; empty means all of them.
    """

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=60)]
    source: RuleSource
    diseases: tuple[Disease, ...] = ()
    conditions: tuple[Conditions, ...] = ()
    en: Wording
    fr: Wording

    @model_validator(mode="after")
    def _no_drug_is_withheld(self) -> Rule:
        said = self.model_dump_json(exclude={"id", "source"})
        if names_blinatumomab(said) and not self.may_name_drug():
            raise ValueError(
                "only a rule that intensifies on a level at or above a threshold may "
                "name blinatumomab: a negative result is no reason to withhold it "
                "(E1910, doi 10.1056/NEJMoa2312948)"
            )
        return self

    def may_name_drug(self) -> bool:
        """Tell whether the rule may name blinatumomab: it intensifies on a finding."""
        return False


class ActingRule(Rule):
    """A rule that raises flags."""

    actions: Annotated[tuple[Action, ...], Field(min_length=1)]
    action_origin: Origin

    @model_validator(mode="after")
    def _deescalate_needs_a_negative(self) -> ActingRule:
        kind = getattr(self, "kind", "")
        if "DEESCALATE_DISCUSS" in self.actions and kind not in _MAY_DEESCALATE:
            raise ValueError(
                "DEESCALATE_DISCUSS needs a rule of kind "
                f"{' or '.join(sorted(_MAY_DEESCALATE))}"
            )
        return self


class MeasuredRule(ActingRule):
    """A rule that reads one metric; it never fires on another.

    `specimen` empty means any tissue. `metric_origin` is `mrdtrack` where the source
    does not name the metric. `first_remission`: the sample must lie in the first
    complete remission, whatever its label.
    """

    marker: MarkerSelection
    metric: Metric
    metric_origin: Origin = "source"
    specimen: tuple[Specimen, ...] = ()
    window: Window = Window()
    first_remission: bool = False

    @model_validator(mode="after")
    def _metric_fits_marker(self) -> MeasuredRule:
        if self.marker.kind == "transcript" and self.metric not in _TRANSCRIPT_METRICS:
            raise ValueError(f"a transcript is not measured as {self.metric}")
        if self.marker.kind in ("flt3_itd", "mutation") and self.metric != "vaf_gdna":
            raise ValueError(f"{self.marker.kind} is measured as vaf_gdna")
        if DTA_GENES & set(self.marker.genes):
            raise ValueError("DNMT3A, TET2 and ASXL1 never drive a flag")
        return self

    @model_validator(mode="after")
    def _itd_gives_no_negative_patient(self) -> MeasuredRule:
        kind = getattr(self, "kind", "")
        if self.marker.kind == "flt3_itd" and (
            kind in ("negative", "sustained") or _CALMING & set(self.actions)
        ):
            raise ValueError("FLT3-ITD alone never gives a negative patient")
        return self
