"""An invented genome of 3 kb, reads made from specifications, and one way to count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pysam

from mrdtrack.counting.count import count_reads
from mrdtrack.counting.settings import CountingSettings
from mrdtrack.counts import MarkerCounts, SampleCounts
from mrdtrack.panel.model import Panel
from mrdtrack.panel.reference import Reference

_LENGTHS = {"chr1": 2000, "chr2": 1000}
RUN = (600, 608)
"""A run of eight A on chr1, 0-based."""


def _invent(length: int, seed: int) -> str:
    codes = np.random.default_rng(seed).integers(0, 4, length)
    return "".join("ACGT"[code] for code in codes)


def _genome() -> dict[str, str]:
    genome = {
        name: _invent(length, 7 + number)
        for number, (name, length) in enumerate(_LENGTHS.items())
    }
    low, high = RUN
    one = genome["chr1"]
    run = "C" + "A" * (high - low) + "G"
    genome["chr1"] = one[: low - 1] + run + one[high + 1 :]
    return genome


GENOME = _genome()


class Text:
    """Bases of a genome in memory, as `adjacency.Bases` asks for them."""

    def __init__(self, genome: Mapping[str, str]) -> None:
        self.genome = genome

    def fetch(self, contig: str, start: int, end: int) -> str:
        return self.genome[contig][max(start, 0) : max(end, 0)]

    def length(self, contig: str) -> int:
        return len(self.genome[contig])


def bases(contig: str, start: int, end: int) -> str:
    """Give the bases of [start, end), 0-based."""
    return GENOME[contig][start:end]


def unlike(base: str, *others: str) -> str:
    """Give a base that is none of these."""
    return next(b for b in "ACGT" if b != base and b not in others)


def turned(sequence: str) -> str:
    """Read on the other strand."""
    return sequence.translate(str.maketrans("ACGT", "TGCA"))[::-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One record; `start` is 0-based, `quality` one for all bases or one for each."""

    name: str
    bases: str
    contig: str | None = "chr1"
    start: int = 0
    cigar: str | None = None
    quality: int | Sequence[int] = 37
    flag: int = 0
    mapping_quality: int = 60
    mate: tuple[str, int] | None = None
    tags: Mapping[str, str | int] | None = None


def wild(
    name: str,
    start: int,
    end: int,
    changes: Mapping[int, str] | None = None,
    *,
    contig: str = "chr1",
    **more: Any,
) -> Read:
    """Make a read of [start, end) with some bases (0-based) changed."""
    letters = list(bases(contig, start, end))
    for position, base in (changes or {}).items():
        letters[position - start] = base
    return Read(name=name, bases="".join(letters), contig=contig, start=start, **more)


def write_reference(path: Path, genome: Mapping[str, str] | None = None) -> Path:
    """Write a genome as FASTA, without an index."""
    lines = []
    for name, letters in (genome or GENOME).items():
        lines += [f">{name}"]
        lines += [letters[at : at + 60] for at in range(0, len(letters), 60)]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_reads(
    path: Path,
    reads: Iterable[Read],
    *,
    indexed: bool = True,
    contigs: Mapping[str, int] | None = None,
    lines: Sequence[str] = (),
    reference: Path | None = None,
) -> Path:
    """Write SAM, BAM or CRAM by the ending, sorted, with its index if asked for."""
    names = dict(_LENGTHS if contigs is None else contigs)
    order = "coordinate" if indexed else "unsorted"
    text = f"@HD\tVN:1.6\tSO:{order}\n"
    text += "".join(f"@SQ\tSN:{name}\tLN:{size}\n" for name, size in names.items())
    text += "".join(f"{line}\n" for line in lines)
    header = pysam.AlignmentHeader.from_text(text)
    records = [_record(read, header) for read in reads]
    if indexed:
        records.sort(key=lambda r: (r.reference_id % 2**31, r.reference_start))
    mode = {".bam": "wb", ".sam": "w", ".cram": "wc"}[path.suffix]
    with pysam.AlignmentFile(
        str(path),
        mode,
        header=header,
        reference_filename=None if reference is None else str(reference),
    ) as file:
        for record in records:
            file.write(record)
    if indexed:
        pysam.index(str(path))
    return path


def _record(read: Read, header: pysam.AlignmentHeader) -> pysam.AlignedSegment:
    record = pysam.AlignedSegment(header)
    record.query_name, record.flag = read.name, read.flag
    if read.contig is not None:
        record.reference_id = header.get_tid(read.contig)
        record.reference_start = read.start
    record.mapping_quality = read.mapping_quality
    if not read.flag & 4:
        record.cigarstring = read.cigar or f"{len(read.bases)}M"
    if read.mate is not None:
        record.next_reference_id = header.get_tid(read.mate[0])
        record.next_reference_start = read.mate[1]
    record.query_sequence = read.bases
    quality = read.quality
    each = [quality] * len(read.bases) if isinstance(quality, int) else quality
    record.query_qualities = pysam.qualitystring_to_array(
        "".join(chr(33 + one) for one in each)
    )
    for tag, value in (read.tags or {}).items():
        record.set_tag(tag, value)
    return record


def make_panel(*markers: Mapping[str, Any], **more: Any) -> Panel:
    """Make a panel; a marker without an id is called by its number from 1."""
    named = [{"id": f"m{i}", **marker} for i, marker in enumerate(markers, start=1)]
    return Panel.model_validate(
        {"schema": "mrdtrack-panel/1", "patient": "P1", "marker": named, **more}
    )


def variant(start: int, ref: str, alt: str, contig: str = "chr1") -> dict[str, Any]:
    """Describe a small variant; `start` is 0-based."""
    return {
        "kind": "small_variant",
        "contig": contig,
        "position": start + 1,
        "ref": ref,
        "alt": alt,
    }


def snv(start: int, contig: str = "chr1") -> dict[str, Any]:
    """Describe an invented SNV; `start` is 0-based."""
    ref = bases(contig, start, start + 1)
    return variant(start, ref, unlike(ref), contig)


def duplication(start: int, end: int, inserted: str = "") -> dict[str, Any]:
    """Describe a tandem duplication of chr1 [start, end), 0-based."""
    return {
        "kind": "duplication",
        "contig": "chr1",
        "start": start + 1,
        "end": end,
        "inserted": inserted,
    }


def breakpoint_of(
    left: tuple[str, int, str], right: tuple[str, int, str], inserted: str = ""
) -> dict[str, Any]:
    """Describe a breakpoint; positions are 1-based, as in the panel."""
    keys = ("contig", "position", "strand")
    return {
        "kind": "breakpoint",
        "left": dict(zip(keys, left, strict=True)),
        "right": dict(zip(keys, right, strict=True)),
        "inserted": inserted,
    }


def count(
    folder: Path,
    reads: Iterable[Read],
    panel: Panel,
    *,
    name: str = "sample.bam",
    indexed: bool = True,
    lines: Sequence[str] = (),
    genome: Mapping[str, str] | None = None,
    contigs: Mapping[str, int] | None = None,
    **settings: Any,
) -> SampleCounts:
    """Write the reads and count them."""
    fasta = write_reference(folder / "reference.fa", genome)
    path = write_reads(
        folder / name,
        reads,
        indexed=indexed,
        contigs=contigs,
        lines=lines,
        reference=fasta if name.endswith(".cram") else None,
    )
    with Reference(fasta) as reference:
        return count_reads(path, panel, reference, CountingSettings(**settings))


def classes(row: MarkerCounts) -> tuple[int | None, ...]:
    """Give alternative, reference, ambiguous and other molecules."""
    return row.alt, row.ref, row.ambiguous, row.other
