"""The waist: what the bench counted, and all that the clinic knows of the reads."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mrdtrack.models import FileModel

MarkerKind = Literal["small_variant", "duplication", "breakpoint", "sequence"]
MoleculeMode = Literal["reads", "fragments", "umi", "consensus"]
DenominatorKind = Literal[
    "molecules_at_locus", "flank", "locus_reads", "spike_in", "input_cells"
]
Role = Literal["level", "report_only"]
Severity = Literal["info", "warning", "error"]
Genotype = Literal["0/0", "0/1", "1/1"]
Molecules = Annotated[int, Field(ge=0, le=10**12)]


class QualityFinding(FileModel):
    """Something a reader of the result must know about its quality.

    `message` is the English sentence of `code` (see `mrdtrack.findings`) with `values`
    filled in: names, counts, shares and probabilities.
    """

    code: str
    severity: Severity
    message: str
    values: dict[str, str | int | float | tuple[str, ...]] = {}


class MarkerCounts(FileModel):
    """Molecules of one marker in one sample.

    `molecules` is `alt + ref + ambiguous + other`. `denominator` is what the fraction
    is taken of (its rule is `denominator_kind`). Counts are None where the marker
    could not be counted at all; then `assessable` is False and `reason` says why
    and `reason_code` is its code (empty where a table gave words of its own).
    `error_class` names the background class: `A[C>T]G` for a substitution in its
    context on the forward reference strand, `mnv`, `ins1:h4` / `del1:h4` for an indel
    of so many bases beside a repeat run of so many bases (run length capped at 20,
    indel length 1 to 9), `junction` for duplications, breakpoints, sequences and
    indels of ten bases or more. `signal_ratio` is how much of this marker a leukaemic
    cell shows beside a heterozygous one of two copies (1; 2 where homozygous or
    hemizygous). `alt_at_ends` and `ref_at_ends`: those molecules whose base stands in
    the last few bases of every read that shows it (substitutions of one base).
    `related`: molecules, in none of the other counts, that hold the stem of a sequence
    after other bases than its own (None where the panel tells no stem).
    """

    marker: str
    kind: MarkerKind
    alt: int | None
    ref: int | None
    ambiguous: int | None
    other: int | None
    molecules: int | None
    molecule_mode: MoleculeMode
    denominator_kind: DenominatorKind
    denominator: int | None
    error_class: str
    assessable: bool
    reason: str = ""
    reason_code: str = ""
    role: Role = "level"
    group: str | None = None
    gene: str | None = None
    hgvs: str | None = None
    alt_forward: int | None = None
    alt_reverse: int | None = None
    ref_forward: int | None = None
    ref_reverse: int | None = None
    alt_at_ends: int | None = None
    ref_at_ends: int | None = None
    ref_left: int | None = None
    ref_right: int | None = None
    related: int | None = None
    filters: dict[str, int] = {}
    signal_ratio: float = Field(default=1.0, gt=0)


class GroupCounts(MarkerCounts):
    """Molecules that show two or more of the markers of one group, as one marker.

    `members` are the markers counted together. `alt` and `ref` show it at two members
    or more and nowhere clearly the contrary; `other` contradict themselves or show
    another allele; `ambiguous` tell clearly of fewer than two members. Molecules that
    reach one member are in that member's row alone. `signal_ratio` and the reason where
    they cannot be counted together are as a marker's.
    """

    members: tuple[str, ...]


class BackgroundSite(FileModel):
    """Molecules that show one given wrong allele at one non-marker position.

    `position` is 1-based. For indel classes `ref` is the base before the indel and
    `alt` is `+1`, `-1`, `+2` and so on.
    """

    contig: str
    position: int
    ref: str
    alt: str
    error_class: str
    alt_molecules: int
    molecules: int


class IdentityCounts(FileModel):
    """Molecules of the two alleles of one germline position (1-based).

    `source`: a position of the panel, or one at which these reads showed a common
    allele. `other_molecules` show neither allele: wrong bases.
    """

    contig: str
    position: int
    ref: str
    alt: str
    genotype: Genotype | None
    ref_molecules: Molecules
    alt_molecules: Molecules
    other_molecules: Molecules = 0
    source: Literal["panel", "reads"] = "panel"


class SearchedStretch(FileModel):
    """Positions [start, end] (1-based) that were searched for germline alleles.

    Each of them was read by `molecules` or more, and those that are not listed with
    the sample's alleles showed none.
    """

    contig: str
    start: int
    end: int
    molecules: int


class Library(FileModel):
    """What the reads are like; None where it could not be told.

    `read_length` and `fragment_length` are medians of the first reads near the markers
    (a fragment is what a pair spans; unpaired reads tell none).
    """

    read_length: int | None = None
    fragment_length: int | None = None


class SampleCounts(FileModel):
    """All that was counted in one sample."""

    sample: str
    molecule_mode: MoleculeMode
    markers: tuple[MarkerCounts, ...]
    groups: tuple[GroupCounts, ...] = ()
    background: tuple[BackgroundSite, ...] = ()
    identity: tuple[IdentityCounts, ...] = ()
    searched: tuple[SearchedStretch, ...] = ()
    family_sizes: dict[int, int] = {}
    library: Library = Library()
    quality: tuple[QualityFinding, ...] = ()

    @property
    def judged(self) -> tuple[MarkerCounts, ...]:
        """All that may be judged: the markers, then the groups as one marker each."""
        return (*self.markers, *self.groups)
