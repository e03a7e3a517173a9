"""What a level is judged by, besides the counts: the visit's facts and the settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from mrdtrack.levels.exact_bounds import haploid_genomes
from mrdtrack.levels.result import Specimen

DEFAULT_REQUIRED_SENSITIVITY = 1e-4
"""The level a negative must have been able to see where no protocol says so: what
ELN 2025 asks of FLT3-ITD and the ALL consensus of IG/TR (strictest common request)."""

CLONAL_HAEMATOPOIESIS_GENES = frozenset({"DNMT3A", "TET2", "ASXL1"})
"""Mutations that persist in remission without meaning relapse (Heuser et al. 2021,
doi:10.1182/blood.2021013626)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitFacts:
    """Whose sample it is, and when and where it was taken."""

    patient: str
    disease: str = "other"
    assembly: str | None = None
    date: str | None = None
    specimen: Specimen | None = None
    timepoint: str | None = None
    panel_digest: str | None = None
    software_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelSettings:
    """How a level is judged.

    `required_sensitivity` None: `DEFAULT_REQUIRED_SENSITIVITY`. `input_genomes`:
    haploid genomes in the tube, None where unknown. `min_molecules`: fewest
    marker-bearing molecules of a detection. `design_factor`: variance over mean of the
    reads of one molecule (1 for fragments, families and consensus). `declared_rate`: a
    rate of bleed-through or chimeras the laboratory knows of, added to every marker's
    background with 100 % spread. `carry_over`: share of a sample's molecules that shows
    up in each other sample of the run, None: estimated or the default of
    `dual_indexed`. `excluded_genes` never drive a level, whatever their role,
    unless the marker is in `level_markers`.
    """

    alpha: float = 0.01
    confidence: float = 0.95
    required_sensitivity: float | None = None
    input_genomes: float | None = None
    loq_cv: float = 0.3
    min_molecules: int = 1
    design_factor: float = 1.0
    declared_rate: float = 0.0
    carry_over: float | None = None
    dual_indexed: bool = False
    excluded_genes: frozenset[str] = CLONAL_HAEMATOPOIESIS_GENES
    level_markers: frozenset[str] = field(default_factory=frozenset)

    @property
    def sensitivity(self) -> float:
        """The level a negative must have been able to see."""
        if self.required_sensitivity is None:
            return DEFAULT_REQUIRED_SENSITIVITY
        return self.required_sensitivity


def genomes_of(input_ng: float | None, input_genomes: float | None) -> float | None:
    """Return the haploid genomes in the tube, None where neither was told."""
    if input_genomes is not None:
        return input_genomes
    return None if input_ng is None else haploid_genomes(input_ng)
