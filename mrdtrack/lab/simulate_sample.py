"""One simulated sample: molecules of a panel drawn, read, aligned and told as truth."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mrdtrack.lab.simulate_alignment import Aligner
from mrdtrack.lab.simulate_alleles import build_alleles
from mrdtrack.lab.simulate_model import Allele, Bases
from mrdtrack.lab.simulate_reads import (
    Assay,
    Reads,
    draw_molecules,
    read_molecules,
)
from mrdtrack.lab.simulate_records import (
    Contigs,
    SimulatedRead,
    Split,
    records_of,
    write_bam,
    write_fastq,
)
from mrdtrack.lab.simulate_truth import MarkerTruth, Tally
from mrdtrack.panel.model import Marker

_LETTERS = np.frombuffer(b"ACGT", dtype=np.uint8)

CONSENSUS_FAMILY = 4

Template = tuple[SimulatedRead, ...]


class SampleRecipe(NamedTuple):
    """What a sample is: name, share of molecules that carry each marker, depth.

    `fractions` are 0 to 1, absent markers are 0; `depth` is the mean number of
    molecules that cover any one point.
    """

    sample: str
    fractions: Mapping[str, float]
    depth: float


class SimulatedSample(NamedTuple):
    """All reads of a sample, template by template, and what is true of them."""

    sample: str
    templates: list[Template]
    truth: list[MarkerTruth]


def simulate_sample(
    recipe: SampleRecipe,
    markers: Sequence[Marker],
    reference: Bases | None,
    *,
    assay: Assay,
    seed: int,
) -> SimulatedSample:
    """Simulate one sample.

    Args:
        recipe: the sample's name, levels and depth.
        markers: the panel's markers.
        reference: the assembly, None where all markers are sequences.
        assay: how molecules are made and read.
        seed: equal seeds and names give equal reads.
    """
    sample, fractions, depth = recipe
    asked = {marker.id: float(fractions.get(marker.id, 0.0)) for marker in markers}
    alleles, sites = build_alleles(
        markers, reference, asked, margin=assay.margin, reach=assay.reach
    )
    tally = Tally(asked, sites)
    templates: list[Template] = []
    for number, allele in enumerate(alleles):
        rng = _generator(seed, sample, allele.name)
        molecules = draw_molecules(allele, assay, depth, rng)
        reads = read_molecules(allele, molecules, assay, rng)
        tally.add(allele, molecules, reads)
        aligner = Aligner(allele, None if _unplaced(allele) else reference)
        labels = _Labels(sample, number, assay)
        templates.extend(_templates(reads, aligner, labels))
    return SimulatedSample(sample, templates, tally.rows(sample))


def write_sample_bam(
    simulated: SimulatedSample,
    path: Path,
    lengths: dict[str, int],
    split: Split | None = None,
) -> None:
    """Write the sample as BAM with index; `lengths` are the contigs of the header."""
    contigs, how = Contigs(lengths), split or Split()
    records = (
        record
        for template in simulated.templates
        for record in records_of(template, contigs, how)
    )
    write_bam(path, records, contigs, simulated.sample)


def write_sample_fastq(simulated: SimulatedSample, prefix: Path) -> list[Path]:
    """Write `PREFIX_R1.fastq.gz` and `_R2`, or one file of single reads."""
    reads = [read for template in simulated.templates for read in template]
    if any(read.mate for read in reads):
        paths = [prefix.with_name(f"{prefix.name}_R{n}.fastq.gz") for n in (1, 2)]
        write_fastq(paths[0], reads, mate=1)
        write_fastq(paths[1], reads, mate=2)
        return paths
    path = prefix.with_name(f"{prefix.name}.fastq.gz")
    write_fastq(path, reads, mate=0)
    return [path]


def _generator(seed: int, sample: str, allele: str) -> np.random.Generator:
    """Give an own stream of random numbers to every allele of every sample."""
    words = (seed, zlib.crc32(sample.encode()), zlib.crc32(allele.encode()))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))


def _unplaced(allele: Allele) -> bool:
    return all(segment.contig is None for segment in allele.segments)


class _Labels(NamedTuple):
    """What names and tags of an allele's reads are made of."""

    sample: str
    allele: int
    assay: Assay

    def name(self, molecule: int, copy: int) -> str:
        """Name a read: allele, molecule and, beyond the first, copy."""
        name = f"{self.allele:02d}:{molecule:06d}"
        return f"{name}:{copy}" if self.assay.mean_copies > 1 else name

    def tags(self, umi: np.typing.NDArray[np.uint8]) -> bytes:
        """Give the tags of a read: read group, UMI, and family of consensus reads."""
        tags = b"RGZ" + self.sample.encode() + b"\0"
        if len(umi):
            tags += b"RXZ" + _LETTERS[umi].tobytes() + b"\0"
        if self.assay.consensus:
            tags += struct.pack("<2scB", b"cD", b"C", CONSENSUS_FAMILY)
            tags += struct.pack("<2scB", b"cM", b"C", CONSENSUS_FAMILY)
            tags += struct.pack("<2scf", b"cE", b"f", 0.0)
        return tags


def _templates(reads: Reads, aligner: Aligner, labels: _Labels) -> Iterator[Template]:
    """Cut the matrices into reads, both mates of a template together."""
    n_mates = 2 if labels.assay.reading == "pairs" else 1
    mark = labels.assay.mark_duplicates and labels.assay.mean_copies > 1
    width = reads.codes.shape[1]
    codes, qualities = reads.codes.tobytes(), reads.qualities.tobytes()
    columns = (reads.molecule, reads.copy, reads.mate, reads.start, reads.end)
    rows = zip(*(column.tolist() for column in columns), reads.reverse, strict=True)
    template: list[SimulatedRead] = []
    for row, (molecule, copy, mate, start, end, reverse) in enumerate(rows):
        stretch = slice(row * width, row * width + end - start)
        template.append(
            SimulatedRead(
                name=labels.name(molecule, copy),
                codes=codes[stretch],
                qualities=qualities[stretch],
                reverse=bool(reverse),
                mate=mate,
                placements=aligner.place(start, end),
                duplicate=mark and copy > 0,
                tags=labels.tags(reads.umi[row]),
            )
        )
        if len(template) == n_mates:
            yield tuple(template)
            template = []
