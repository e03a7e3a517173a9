"""The closed set of rule kinds, told apart by `kind`.

No expressions: a rule says its kind and parameters, and one small function of the
follow-up judges each kind.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mrdtrack.protocols.context_rules import (
    AllNegativeRule,
    BlastsRule,
    BlinatumomabGuard,
    BlockRule,
    DetectabilityRule,
    DiscordanceRule,
    ExcludeRule,
    FactsRule,
    GenotypeRule,
    NoteRule,
    OtherwiseRule,
    ScheduleRule,
)
from mrdtrack.protocols.measured_rules import (
    ClassesRule,
    ConversionRule,
    IndexRule,
    InsufficientRule,
    LevelRule,
    LogReductionRule,
    NegativeRule,
    NeverNegativeRule,
    RisingRule,
    SustainedRule,
    TempoRule,
    TimePointsRule,
)

AnyRule = Annotated[
    LevelRule
    | NegativeRule
    | InsufficientRule
    | LogReductionRule
    | ConversionRule
    | NeverNegativeRule
    | RisingRule
    | TimePointsRule
    | SustainedRule
    | TempoRule
    | ClassesRule
    | AllNegativeRule
    | GenotypeRule
    | FactsRule
    | IndexRule
    | BlastsRule
    | DiscordanceRule
    | ScheduleRule
    | ExcludeRule
    | BlockRule
    | DetectabilityRule
    | NoteRule
    | BlinatumomabGuard
    | OtherwiseRule,
    Field(discriminator="kind"),
]
