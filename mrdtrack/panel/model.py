"""The panel: a patient's own leukaemia markers, as the file says them.

Positions are 1-based here, as in the file; haplotypes turn them into 0-based intervals.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from mrdtrack.models import FileModel

SCHEMA: Literal["mrdtrack-panel/1"] = "mrdtrack-panel/1"

Disease = Literal["AML", "B-ALL", "T-ALL", "CML", "APL", "MDS", "CLL", "MM", "other"]
Locus = Literal["IGH", "IGK", "IGL", "TRA", "TRB", "TRG", "TRD"]
Strand = Literal["+", "-"]
Zygosity = Literal["heterozygous", "homozygous", "hemizygous"]

Position = Annotated[int, Field(strict=True, ge=1, le=2**31 - 2)]
Text = Annotated[str, Field(min_length=1, max_length=1000)]

MAX_ALLELE = 10_000
LEAST_FLANK = 12
"""Bases before the stem of a sequence that tell whether its V was replaced."""
SHORT_STEM = 20
"""Fewer bases are no stem to rely on.

By chance, 0.04 of a million reads of 150 bases hold 20 given bases within one edit (157
of the 4^20 words of that length do), and 8 hold 16."""


def _bases(value: str, what: str, *, allow_empty: bool = False) -> str:
    value = value.upper()
    if not value and not allow_empty:
        raise ValueError(f"{what} is empty")
    if not re.fullmatch("[ACGT]*", value):
        raise ValueError(f"{what} may hold only A, C, G and T, not {value[:40]!r}")
    if len(value) > MAX_ALLELE:
        raise ValueError(f"{what} is longer than {MAX_ALLELE} bases")
    return value


class _Marker(FileModel):
    id: Text
    gene: Text | None = None
    hgvs: Text | None = None
    vaf_at_diagnosis: Annotated[float, Field(gt=0, le=1)] | None = None
    zygosity: Zygosity | None = None
    copy_number: Annotated[int, Field(strict=True, ge=1, le=20)] | None = None
    group: Text | None = None
    role: Literal["level", "report_only"] = "level"
    note: str | None = None


class SmallVariant(_Marker):
    """SNV, MNV, insertion, deletion or delins, spelt as in VCF."""

    kind: Literal["small_variant"]
    contig: Text
    position: Position
    ref: str
    alt: str

    @field_validator("ref", "alt")
    @classmethod
    def _allele(cls, value: str) -> str:
        return _bases(value, "the allele")

    @model_validator(mode="after")
    def _differ(self) -> SmallVariant:
        if self.ref == self.alt:
            raise ValueError(f"ref and alt are the same ({self.ref[:40]})")
        return self


class Duplication(_Marker):
    """Tandem duplication of [start, end] (1-based, inclusive)."""

    kind: Literal["duplication"]
    contig: Text
    start: Position
    end: Position
    inserted: str = ""

    @field_validator("inserted")
    @classmethod
    def _inserted(cls, value: str) -> str:
        return _bases(value, "inserted", allow_empty=True)

    @model_validator(mode="after")
    def _forwards(self) -> Duplication:
        if self.end < self.start:
            raise ValueError(f"end {self.end} lies before start {self.start}")
        return self


class BreakpointEnd(FileModel):
    """One end of an adjacency; strand as structural-variant callers write BEDPE."""

    contig: Text
    position: Position
    strand: Strand


class Breakpoint(_Marker):
    """Two ends that are joined: fusion, translocation, inversion, deletion."""

    kind: Literal["breakpoint"]
    left: BreakpointEnd
    right: BreakpointEnd
    inserted: str = ""

    @field_validator("inserted")
    @classmethod
    def _inserted(cls, value: str) -> str:
        return _bases(value, "inserted", allow_empty=True)


class Sequence(_Marker):
    """Any sequence: clonotype junction, fusion transcript, vector.

    `untemplated` is the number of a junction's bases that no gene segment holds (N and
    P nucleotides), where the file that it was taken from tells. `stem` is how many of
    the last bases are left when the V is replaced (D-N2-J), and `stem_untemplated` how
    many of these no gene segment holds.
    """

    kind: Literal["sequence"]
    sequence: str
    locus: Locus | None = None
    max_edits: Annotated[int, Field(strict=True, ge=0, le=4)] | None = None
    join: Annotated[int, Field(strict=True, ge=1)] | None = None
    untemplated: Annotated[int, Field(strict=True, ge=0)] | None = None
    stem: Annotated[int, Field(strict=True, ge=1)] | None = None
    stem_untemplated: Annotated[int, Field(strict=True, ge=0)] | None = None

    @field_validator("sequence")
    @classmethod
    def _sequence(cls, value: str) -> str:
        return _bases(value, "the sequence")

    @model_validator(mode="after")
    def _join_inside(self) -> Sequence:
        if self.join is not None and self.join >= len(self.sequence):
            raise ValueError(
                f"join {self.join} is not inside the sequence of "
                f"{len(self.sequence)} bases"
            )
        return self

    @model_validator(mode="after")
    def _stem_inside(self) -> Sequence:
        if self.stem is None and self.stem_untemplated is not None:
            raise ValueError("stem_untemplated is given without stem")
        if self.stem is not None and self.stem > len(self.sequence) - LEAST_FLANK:
            raise ValueError(
                f"a stem of {self.stem} bases leaves fewer than {LEAST_FLANK} of the "
                f"sequence's {len(self.sequence)} before it: too few to see another V"
            )
        return self


Marker = Annotated[
    SmallVariant | Duplication | Breakpoint | Sequence, Field(discriminator="kind")
]


class IdentityPosition(FileModel):
    """A germline position that must stay the same over visits."""

    contig: Text
    position: Position
    ref: Literal["A", "C", "G", "T"]
    alt: Literal["A", "C", "G", "T"]
    genotype: Literal["0/0", "0/1", "1/1"] | None = None


class Panel(FileModel):
    """The panel file, `mrdtrack-panel/1`."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True
    )

    schema_: Literal["mrdtrack-panel/1"] = Field(alias="schema")
    patient: Text
    disease: Disease = "other"
    assembly: Text | None = None
    marker: Annotated[tuple[Marker, ...], Field(min_length=1)]
    identity: tuple[IdentityPosition, ...] = ()
