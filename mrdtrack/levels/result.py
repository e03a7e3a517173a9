"""The visit result: what `quantify` and `levels` write and the follow-up reads."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from mrdtrack.counts import (
    IdentityCounts,
    Library,
    MarkerCounts,
    MoleculeMode,
    QualityFinding,
    SearchedStretch,
)
from mrdtrack.models import FileModel

SCHEMA: Literal["mrdtrack-result/1"] = "mrdtrack-result/1"

Call = Literal[
    "quantified",
    "detected_below_loq",
    "not_detected",
    "insufficient_sensitivity",
    "not_evaluable",
]
LimitedBy = Literal["depth", "input", "background"]
Metric = Literal[
    "vaf_gdna", "igtr_frac", "fusion_gdna_frac", "cells_frac", "locus_read_frac"
]
Specimen = Literal["bone_marrow", "peripheral_blood", "other"]


class MarkerResult(MarkerCounts):
    """A marker's counts with its fraction (0 to 1), test and limit."""

    fraction: float | None = None
    fraction_low: float | None = None
    fraction_high: float | None = None
    p_value: float | None = None
    lod95: float | None = None
    call: Call = "not_evaluable"


class GroupResult(MarkerResult):
    """The joint count of a group of markers (see `GroupCounts`), judged as one marker.

    `in_level`: the level rests on it, in place of the group's most informative marker.
    """

    members: tuple[str, ...]
    in_level: bool = False


class LevelWithout(FileModel):
    """The level judged again without one marker that does not agree with the rest."""

    marker: str
    value: float
    low: float
    high: float
    p_value: float
    lod95: float
    call: Call


class Level(FileModel):
    """The level of one sample: fractions 0 to 1 on the named metric, 95 % interval.

    Metrics: `vaf_gdna` and `fusion_gdna_frac`: share of the haploid genomes at a locus;
    `igtr_frac`, `cells_frac`: share of cells, by a calibrator; `locus_read_frac`: share
    of the reads of an IG/TR locus, which is not MRD and which no rule reads.
    `p_without_top_marker`: the test again without its strongest marker (None for one
    marker). `without_discordant`: the level without the marker that stands out, where
    one does in a detection. `cell_fraction`: leukaemic over all cells, under the
    assumption named.
    `input_genomes` is the number of haploid genomes in the tube, None when not told.
    `required_sensitivity` is the level a negative must have been able to see.
    `reason_codes` are the codes of the sentences in `reason`; words of a counts table's
    own stand among them as they are.
    """

    metric: Metric
    value: float | None
    low: float | None
    high: float | None
    call: Call
    reason: str = ""
    reason_codes: tuple[str, ...] = ()
    p_value: float | None
    lob: float | None
    lod95: float | None
    loq: float | None
    required_sensitivity: float | None
    input_genomes: float | None
    limited_by: LimitedBy | None
    markers_used: int
    p_without_top_marker: float | None = None
    without_discordant: LevelWithout | None = None
    cell_fraction: float | None = None
    cell_fraction_low: float | None = None
    cell_fraction_high: float | None = None
    cell_fraction_assumption: str | None = None


class Software(FileModel):
    """What made the result."""

    name: str = "mrdtrack"
    version: str


class VisitResult(FileModel):
    """One sample of one patient: `SAMPLE.mrd.json`."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True
    )

    schema_: Literal["mrdtrack-result/1"] = Field(default=SCHEMA, alias="schema")
    sample: str
    patient: str
    disease: str
    assembly: str | None
    date: str | None
    specimen: Specimen | None
    timepoint: str | None
    molecule_mode: MoleculeMode
    markers: tuple[MarkerResult, ...]
    groups: tuple[GroupResult, ...] = ()
    level: Level
    quality: tuple[QualityFinding, ...]
    identity: tuple[IdentityCounts, ...] = ()
    searched: tuple[SearchedStretch, ...] = ()
    family_sizes: dict[int, int] = {}
    library: Library = Library()
    parameters: dict[str, str | int | float | bool | None] = {}
    panel_digest: str | None = None
    software: Software
