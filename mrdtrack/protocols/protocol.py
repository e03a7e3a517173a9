"""A protocol: named, versioned, cited rules (`mrdtrack-protocol/1`, TOML)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from mrdtrack.models import FileModel
from mrdtrack.panel.model import Disease
from mrdtrack.protocols.context_rules import ExcludeRule, OtherwiseRule
from mrdtrack.protocols.rule_parts import Text, names_blinatumomab
from mrdtrack.protocols.rules import AnyRule
from mrdtrack.protocols.vocabulary import DTA_GENES

SCHEMA: Literal["mrdtrack-protocol/1"] = "mrdtrack-protocol/1"


class Source(FileModel):
    """A publication."""

    reference: Text
    doi: Annotated[str, Field(pattern=r"^10\.\d{4,9}/\S+$")] | None = None


class Protocol(FileModel):
    """A protocol file. `conditions` are printed with every report that applies it."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True
    )

    schema_: Literal["mrdtrack-protocol/1"] = Field(alias="schema")
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=60)]
    version: Annotated[str, Field(pattern=r"^\d+(\.\d+)*$")]
    title: Text
    title_fr: Text
    diseases: Annotated[tuple[Disease, ...], Field(min_length=1)]
    default_for: tuple[Disease, ...] = ()
    conditions: tuple[Text, ...] = ()
    conditions_fr: tuple[Text, ...] = ()
    sources: dict[str, Source]
    rule: Annotated[tuple[AnyRule, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _hangs_together(self) -> Protocol:
        ids = [rule.id for rule in self.rule]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"rule ids come twice: {', '.join(twice)}")
        for rule in self.rule:
            if rule.source.ref not in self.sources:
                raise ValueError(f"rule {rule.id}: no source {rule.source.ref}")
            if not set(rule.diseases) <= set(self.diseases):
                raise ValueError(
                    f"rule {rule.id}: names a disease the protocol is not for"
                )
            if isinstance(rule, OtherwiseRule) and not set(rule.of) <= set(ids):
                raise ValueError(f"rule {rule.id}: names a rule that is not there")
        if any(map(names_blinatumomab, (*self.conditions, *self.conditions_fr))):
            raise ValueError("conditions name no drug; a rule that intensifies may")
        if len(self.conditions) != len(self.conditions_fr):
            raise ValueError("conditions and conditions_fr differ in number")
        if not set(self.default_for) <= set(self.diseases):
            raise ValueError("default_for names a disease the protocol is not for")
        return self

    @property
    def excluded_genes(self) -> frozenset[str]:
        """Genes that never drive a flag: DNMT3A, TET2, ASXL1 and the protocol's."""
        own = {
            gene
            for rule in self.rule
            if isinstance(rule, ExcludeRule)
            for gene in rule.genes
        }
        return DTA_GENES | own
