"""The waist: what the bench counted, and all that the clinic knows of the reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from mrdtrack.models import FileModel

IntArray = NDArray[np.int64]

MarkerKind = Literal["small_variant", "duplication", "breakpoint", "sequence"]
MoleculeMode = Literal["reads", "fragments", "umi", "consensus"]
DenominatorKind = Literal[
    "molecules_at_locus", "flank", "locus_reads", "spike_in", "input_cells"
]
Role = Literal["level", "report_only"]
Severity = Literal["info", "warning", "error"]
Genotype = Literal["0/0", "0/1", "1/1"]
Molecules = Annotated[int, Field(ge=0, le=10**12)]
"""More than any sample holds: greater numbers are no counts."""
Coordinate = Annotated[int, Field(ge=0, le=2**31 - 1)]
"""A position on a contig, as far as BAM goes."""


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
    alt: Molecules | None
    ref: Molecules | None
    ambiguous: Molecules | None
    other: Molecules | None
    molecules: Molecules | None
    molecule_mode: MoleculeMode
    denominator_kind: DenominatorKind
    denominator: Molecules | None
    error_class: str
    assessable: bool
    reason: str = ""
    reason_code: str = ""
    role: Role = "level"
    group: str | None = None
    gene: str | None = None
    hgvs: str | None = None
    alt_forward: Molecules | None = None
    alt_reverse: Molecules | None = None
    ref_forward: Molecules | None = None
    ref_reverse: Molecules | None = None
    alt_at_ends: Molecules | None = None
    ref_at_ends: Molecules | None = None
    ref_left: Molecules | None = None
    ref_right: Molecules | None = None
    related: Molecules | None = None
    filters: dict[str, Molecules] = {}
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


class BackgroundSite(NamedTuple):
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


class TextColumn(NamedTuple):
    """A column of L texts: the `code` [L] of each row is its place among `texts`."""

    texts: tuple[str, ...]
    code: IntArray

    def at(self, rows: IntArray) -> TextColumn:
        """Return some of the rows."""
        return TextColumn(self.texts, self.code[rows])

    def listed(self) -> list[str]:
        """Return the text of every row."""
        return list(map(self.texts.__getitem__, self.code.tolist()))


def text_column(values: Sequence[str]) -> TextColumn:
    """Return texts as a column."""
    codes = {text: code for code, text in enumerate(dict.fromkeys(values))}
    code = np.array([codes[text] for text in values], np.int64)
    return TextColumn(tuple(codes), code)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BackgroundSites:
    """The background sites of one sample as columns, for they are tens of thousands.

    Each row is a `BackgroundSite`; no two are of the same class, place and allele.
    """

    contig: TextColumn
    position: IntArray
    ref: TextColumn
    alt: TextColumn
    error_class: TextColumn
    alt_molecules: IntArray
    molecules: IntArray

    @classmethod
    def of(cls, rows: Iterable[BackgroundSite]) -> BackgroundSites:
        """Bring rows into columns."""
        listed = list(rows)
        contig, position, ref, alt, error_class, alt_molecules, molecules = (
            zip(*listed, strict=True) if listed else ((),) * len(BackgroundSite._fields)
        )
        return cls(
            contig=text_column(contig),
            position=np.array(position, np.int64),
            ref=text_column(ref),
            alt=text_column(alt),
            error_class=text_column(error_class),
            alt_molecules=np.array(alt_molecules, np.int64),
            molecules=np.array(molecules, np.int64),
        )

    def at(self, rows: IntArray) -> BackgroundSites:
        """Return some of the rows."""
        return BackgroundSites(
            contig=self.contig.at(rows),
            position=self.position[rows],
            ref=self.ref.at(rows),
            alt=self.alt.at(rows),
            error_class=self.error_class.at(rows),
            alt_molecules=self.alt_molecules[rows],
            molecules=self.molecules[rows],
        )

    def places(self) -> Iterator[tuple[str, int, str, str]]:
        """Give contig, position, ref and alt of each row."""
        contigs, refs, alts = (c.listed() for c in (self.contig, self.ref, self.alt))
        return zip(contigs, self.position.tolist(), refs, alts, strict=True)

    def __len__(self) -> int:
        return len(self.position)

    def __iter__(self) -> Iterator[BackgroundSite]:
        return map(
            BackgroundSite,
            self.contig.listed(),
            self.position.tolist(),
            self.ref.listed(),
            self.alt.listed(),
            self.error_class.listed(),
            self.alt_molecules.tolist(),
            self.molecules.tolist(),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BackgroundSites):
            return NotImplemented
        return list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # it holds arrays


NO_BACKGROUND = BackgroundSites.of(())


class IdentityCounts(FileModel):
    """Molecules of the two alleles of one germline position (1-based).

    `source`: a position of the panel, or one at which these reads showed a common
    allele. `other_molecules` show neither allele: wrong bases.
    """

    contig: str
    position: Coordinate
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
    start: Coordinate
    end: Coordinate
    molecules: Molecules


class Library(FileModel):
    """What the reads are like; None where it could not be told.

    `read_length` and `fragment_length` are medians of the first reads near the markers
    (a fragment is what a pair spans; unpaired reads tell none).
    """

    read_length: int | None = None
    fragment_length: int | None = None


class SampleCounts(FileModel):
    """All that was counted in one sample."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    sample: str
    molecule_mode: MoleculeMode
    markers: tuple[MarkerCounts, ...]
    groups: tuple[GroupCounts, ...] = ()
    background: BackgroundSites = Field(default_factory=lambda: BackgroundSites.of(()))
    identity: tuple[IdentityCounts, ...] = ()
    searched: tuple[SearchedStretch, ...] = ()
    family_sizes: dict[int, int] = {}
    library: Library = Library()
    quality: tuple[QualityFinding, ...] = ()

    @property
    def judged(self) -> tuple[MarkerCounts, ...]:
        """All that may be judged: the markers, then the groups as one marker each."""
        return (*self.markers, *self.groups)
