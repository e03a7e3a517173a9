"""Simulated reads: their truth, their alignments and their bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pysam
import pytest

from mrdtrack.lab.simulate_alleles import build_alleles
from mrdtrack.lab.simulate_model import Allele, encode
from mrdtrack.lab.simulate_reads import ASSAYS, Assay, draw_molecules, read_molecules
from mrdtrack.lab.simulate_records import Split
from mrdtrack.lab.simulate_reference import InventedReference
from mrdtrack.lab.simulate_sample import (
    SampleRecipe,
    SimulatedSample,
    simulate_sample,
    write_sample_bam,
    write_sample_fastq,
)
from mrdtrack.lab.simulate_truth import MarkerTruth
from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.model import (
    Breakpoint,
    Duplication,
    Marker,
    Sequence,
    SmallVariant,
)

REFERENCE = InventedReference({"c1": 12000, "c2": 12000}, seed=5)
PERFECT = Assay(name="perfect", qualities=(93,), shares=(1.0,))
OTHER = {"A": "C", "C": "G", "G": "T", "T": "A"}
JUNCTION = "TGTGCGAGAGACCCTTATTATCATGATAGTAACTATGACCTCCACCACTGG"


def small(name: str, position: int, n_ref: int, alt: str) -> SmallVariant:
    ref = REFERENCE.fetch("c1", position - 1, position - 1 + n_ref)
    return SmallVariant(
        id=name,
        kind="small_variant",
        contig="c1",
        position=position,
        ref=ref,
        alt=alt.format(first=ref[0], other=OTHER[ref[0]]),
    )


def breakpoint_of(name: str, strands: str, inserted: str = "") -> Breakpoint:
    end = {"contig": "c1", "position": 5000, "strand": strands[0]}
    other = {"contig": "c2", "position": 6000, "strand": strands[1]}
    return Breakpoint.model_validate(
        {
            "id": name,
            "kind": "breakpoint",
            "left": end,
            "right": other,
            "inserted": inserted,
        }
    )


MARKERS: dict[str, Marker] = {
    "snv": small("snv", 2000, 1, "{other}"),
    "insertion": small("insertion", 2000, 1, "{first}TCTG"),
    "delins": small("delins", 2000, 3, "GATTACA"),
    "deletion": small("deletion", 2000, 53, "{first}"),
    "long deletion": small("long deletion", 2000, 301, "{first}"),
    "itd21": Duplication(
        id="itd21", kind="duplication", contig="c1", start=2000, end=2020
    ),
    "itd150": Duplication(
        id="itd150",
        kind="duplication",
        contig="c1",
        start=2000,
        end=2149,
        inserted="GA",
    ),
    "++": breakpoint_of("++", "++"),
    "+-": breakpoint_of("+-", "+-", "ACG"),
    "-+": breakpoint_of("-+", "-+"),
    "--": breakpoint_of("--", "--"),
    "sequence": Sequence(
        id="sequence", kind="sequence", sequence=JUNCTION, locus="IGH"
    ),
    "fusion": Sequence(id="fusion", kind="sequence", sequence=JUNCTION, join=20),
}


def junction_of(marker: Marker, anchor: int = 10) -> str:
    """Put the novel sequence together from the marker's words, anchors beside."""
    fetch = REFERENCE.fetch
    match marker:
        case SmallVariant():
            start = marker.position - 1
            end = start + len(marker.ref)
            ref, alt = marker.ref, marker.alt
            while ref and alt and ref[0] == alt[0]:
                start, ref, alt = start + 1, ref[1:], alt[1:]
            while ref and alt and ref[-1] == alt[-1]:
                end, ref, alt = end - 1, ref[:-1], alt[:-1]
            return (
                fetch("c1", start - anchor, start)
                + alt
                + fetch("c1", end, end + anchor)
            )
        case Duplication():
            left = fetch("c1", marker.end - anchor, marker.end)
            right = fetch("c1", marker.start - 1, marker.start - 1 + anchor)
            return left + marker.inserted + right
        case Breakpoint():
            left_at, right_at = marker.left.position, marker.right.position
            left = (
                fetch("c1", left_at - anchor, left_at)
                if marker.left.strand == "+"
                else reverse_complement(fetch("c1", left_at - 1, left_at - 1 + anchor))
            )
            right = (
                fetch("c2", right_at - 1, right_at - 1 + anchor)
                if marker.right.strand == "-"
                else reverse_complement(fetch("c2", right_at - anchor, right_at))
            )
            return left + marker.inserted + right
        case Sequence():
            middle = marker.join
            if middle is not None:
                return marker.sequence[middle - anchor : middle + anchor]
            return marker.sequence


def simulated(
    marker: Marker,
    fraction: float,
    assay: Assay = PERFECT,
    *,
    depth: float = 400,
    seed: int = 3,
) -> SimulatedSample:
    recipe = SampleRecipe("S1", {marker.id: fraction}, depth)
    return simulate_sample(recipe, [marker], REFERENCE, assay=assay, seed=seed)


def truth_of(sample: SimulatedSample) -> MarkerTruth:
    (row,) = sample.truth
    return row


def sequences_of(sample: SimulatedSample) -> Iterator[list[str]]:
    for template in sample.templates:
        yield ["".join("ACGT"[code] for code in read.codes) for read in template]


@pytest.mark.parametrize("name", MARKERS)
@pytest.mark.parametrize("reading", ["pairs", "single"])
def test_informative_molecules_are_those_that_show_the_join(
    name: str, reading: Literal["pairs", "single"]
) -> None:
    """Reads without errors are searched for the join as the marker's words say it."""
    marker = MARKERS[name]
    assay = replace(PERFECT, reading=reading, fragment_mean=200.0)
    sample = simulated(marker, 0.3, assay)
    junction = junction_of(marker)
    if isinstance(marker, Sequence) and marker.join is None:
        junction = ""
    wanted = {junction, reverse_complement(junction)} - {""}
    n_found = sum(
        any(w in read for w in wanted for read in reads)
        for reads in sequences_of(sample)
    )
    truth = truth_of(sample)
    if wanted:
        assert truth.mutant_informative == n_found > 50
    assert truth.mutant_informative <= truth.mutant_molecules


def test_a_clonotype_is_informative_with_ten_bases_around() -> None:
    sample = simulated(MARKERS["sequence"], 0.3, replace(PERFECT, read_length=200))
    n_whole = sum(
        any(JUNCTION in read for read in reads) for reads in sequences_of(sample)
    )
    truth = truth_of(sample)
    assert 0 < truth.mutant_informative <= n_whole
    assert truth.wild_type_left > 0


@pytest.mark.parametrize(
    "name", [n for n in MARKERS if n not in {"sequence", "fusion"}]
)
def test_the_share_is_that_of_the_molecules(name: str) -> None:
    """Mutant over all at either end of the marker, within four standard errors."""
    truth = truth_of(simulated(MARKERS[name], 0.3, depth=3000))
    for wild_type in (truth.wild_type_left, truth.wild_type_right):
        total = truth.mutant_molecules + wild_type
        error = 4 * (0.3 * 0.7 / total) ** 0.5
        assert abs(truth.mutant_molecules / total - 0.3) < error


def test_no_mutant_without_a_share_and_no_wild_type_at_one() -> None:
    none = truth_of(simulated(MARKERS["snv"], 0.0))
    assert (none.mutant_molecules, none.wild_type_left > 300) == (0, True)
    all_ = truth_of(simulated(MARKERS["snv"], 1.0))
    assert (all_.wild_type_left, all_.mutant_molecules > 300) == (0, True)
    other = truth_of(simulated(MARKERS["sequence"], 1.0))
    assert other.wild_type_left == 0


def write(sample: SimulatedSample, path: Path, split: Split | None = None) -> Path:
    write_sample_bam(sample, path, REFERENCE.lengths, split)
    return path


@pytest.mark.parametrize(
    "name", [n for n in MARKERS if n not in {"sequence", "fusion"}]
)
def test_alignments_are_true_to_bases_and_reference(name: str, tmp_path: Path) -> None:
    assay = replace(PERFECT, qualities=(37, 12), shares=(0.9, 0.1))
    path = write(simulated(MARKERS[name], 0.4, assay), tmp_path / "s.bam")
    records: dict[tuple[str, bool], list[pysam.AlignedSegment]] = {}
    with pysam.AlignmentFile(str(path)) as file:
        before = (-1, -1)
        for read in file:
            assert (read.reference_id, read.reference_start) >= before
            before = (read.reference_id, read.reference_start)
            check_record(read)
            records.setdefault((str(read.query_name), read.is_read1), []).append(read)
    assert any(len(group) > 1 for group in records.values()) == (
        name not in {"snv", "insertion", "delins"}
    )
    for group in records.values():
        check_split(group)
    for (query, is_first), group in records.items():
        check_mate(group, records[query, not is_first])


def check_record(read: pysam.AlignedSegment) -> None:
    """NM is what a comparison base by base gives; lengths agree."""
    sequence = read.query_sequence or ""
    contig = REFERENCE.contigs[str(read.reference_name)]
    n_different = sum(
        sequence[query] != contig[place]
        for query, place in read.get_aligned_pairs(matches_only=True)
    )
    n_gaps = sum(n for op, n in read.cigartuples or [] if op in {1, 2})
    assert read.get_tag("NM") == n_different + n_gaps
    assert len(read.query_qualities or []) == len(sequence)


def check_split(group: list[pysam.AlignedSegment]) -> None:
    """One record is primary, and every SA tag names the others."""
    assert sum(not read.is_supplementary for read in group) == 1
    assert len({read.infer_read_length() for read in group}) == 1
    for read in group:
        told = str(read.get_tag("SA")).split(";")[:-1] if read.has_tag("SA") else []
        others = {
            (str(r.reference_name), r.reference_start + 1, "-" if r.is_reverse else "+")
            for r in group
            if r is not read
        }
        found = {tuple(text.split(",")[:3]) for text in told}
        assert found == {(c, str(p), s) for c, p, s in others}


def check_mate(
    group: list[pysam.AlignedSegment], mates: list[pysam.AlignedSegment]
) -> None:
    mate = next(read for read in mates if not read.is_supplementary)
    for read in group:
        assert read.next_reference_id == mate.reference_id
        assert read.next_reference_start == mate.reference_start
        assert read.mate_is_reverse == mate.is_reverse
    own = next(read for read in group if not read.is_supplementary)
    assert own.template_length == -mate.template_length
    assert own.is_proper_pair == mate.is_proper_pair


def test_a_short_read_over_a_duplication_is_an_insertion_or_a_clip() -> None:
    sample = simulated(MARKERS["itd21"], 1.0)
    operations = {
        op
        for template in sample.templates
        for read in template
        for op, _ in read.placements[0].cigar
    }
    assert operations == {0, 1, 4}


def test_split_reads_can_be_secondary_and_soft_clipped(tmp_path: Path) -> None:
    sample = simulated(MARKERS["+-"], 0.5)
    hard = write(sample, tmp_path / "hard.bam")
    soft = write(sample, tmp_path / "soft.bam", Split(flag=0x100, clip="soft"))
    with pysam.AlignmentFile(str(hard)) as file:
        split = [read for read in file if read.is_supplementary]
    with pysam.AlignmentFile(str(soft)) as file:
        second = [read for read in file if read.is_secondary]
    assert len(split) == len(second) > 10
    assert all("H" in str(read.cigarstring) for read in split)
    assert all("S" in str(read.cigarstring) for read in second)


def test_equal_seeds_give_equal_bytes(tmp_path: Path) -> None:
    first = write(simulated(MARKERS["itd150"], 0.3), tmp_path / "a.bam").read_bytes()
    again = write(simulated(MARKERS["itd150"], 0.3), tmp_path / "b.bam").read_bytes()
    other = simulated(MARKERS["itd150"], 0.3, seed=4)
    assert first == again
    assert first != write(other, tmp_path / "c.bam").read_bytes()


def test_sequences_stay_unmapped_and_fastq_holds_the_same_reads(tmp_path: Path) -> None:
    sample = simulated(MARKERS["fusion"], 0.5)
    path = write(sample, tmp_path / "s.bam")
    with pysam.AlignmentFile(str(path)) as file:
        reads = list(file.fetch(until_eof=True))
    assert all(read.is_unmapped and read.mate_is_unmapped for read in reads)
    paths = write_sample_fastq(sample, tmp_path / "s")
    assert [path.name for path in paths] == ["s_R1.fastq.gz", "s_R2.fastq.gz"]
    with pysam.FastxFile(str(paths[0])) as first:
        from_fastq = {entry.name: entry.sequence for entry in first}
    from_bam = {read.query_name: read.query_sequence for read in reads if read.is_read1}
    assert from_fastq == from_bam


def test_single_reads_make_one_fastq(tmp_path: Path) -> None:
    sample = simulated(MARKERS["snv"], 0.5, replace(PERFECT, reading="merged"))
    (path,) = write_sample_fastq(sample, tmp_path / "s")
    with pysam.FastxFile(str(path)) as file:
        assert sum(1 for _ in file) == len(sample.templates)


def test_errors_come_as_often_as_qualities_say() -> None:
    assay = replace(PERFECT, qualities=(30, 10), shares=(0.5, 0.5), fragment_mean=300.0)
    allele = wild_type(assay)
    rng = np.random.default_rng(1)
    reads = read_molecules(allele, draw_molecules(allele, assay, 3000, rng), assay, rng)
    columns = np.arange(reads.codes.shape[1])
    inside = columns < (reads.end - reads.start)[:, None]
    expected = allele.codes[np.where(inside, reads.start[:, None] + columns, 0)]
    wrong = (reads.codes != expected) & inside
    for quality in (30, 10):
        with_quality = inside & (reads.qualities == quality)
        rate = wrong[with_quality].mean()
        rate_told = 10 ** (-quality / 10)
        error = 4 * (rate_told / with_quality.sum()) ** 0.5
        assert abs(rate - rate_told) < error


def wild_type(assay: Assay) -> Allele:
    alleles, _ = build_alleles(
        [MARKERS["snv"]], REFERENCE, {}, margin=assay.margin, reach=assay.reach
    )
    return alleles[0]


def test_low_qualities_gather_at_the_end_of_reads() -> None:
    assay = replace(
        PERFECT, qualities=(37, 12), shares=(0.9, 0.1), decay=3.0, fragment_mean=300.0
    )
    allele = wild_type(assay)
    rng = np.random.default_rng(1)
    reads = read_molecules(allele, draw_molecules(allele, assay, 3000, rng), assay, rng)
    low = reads.qualities == 12
    whole = (reads.end - reads.start) == assay.read_length
    forward = low[whole & ~reads.reverse].mean(axis=0)
    backward = low[whole & reads.reverse].mean(axis=0)
    assert forward[-20:].mean() > 2 * forward[:20].mean()
    assert backward[:20].mean() > 2 * backward[-20:].mean()


def test_families_share_their_umi_and_their_molecules_errors(tmp_path: Path) -> None:
    assay = replace(
        PERFECT,
        umi_length=8,
        mean_copies=4.0,
        molecule_error=1e-3,
        mark_duplicates=True,
    )
    sample = simulated(MARKERS["snv"], 0.0, assay, depth=200)
    path = write(sample, tmp_path / "s.bam")
    families: dict[str, list[pysam.AlignedSegment]] = {}
    with pysam.AlignmentFile(str(path)) as file:
        for read in file:
            name = ":".join(str(read.query_name).split(":")[:2])
            families.setdefault(f"{name}{read.is_read1}", []).append(read)
    sizes = [len(family) for family in families.values()]
    assert 3.5 < np.mean(sizes) < 4.5
    for family in families.values():
        assert len({read.get_tag("RX") for read in family}) == 1
        assert len({read.query_sequence for read in family}) == 1
        assert sum(not read.is_duplicate for read in family) == 1
    damaged = sum(int(family[0].get_tag("NM")) > 0 for family in families.values())
    assert damaged > 10


def test_umis_are_misread_in_both_mates_alike() -> None:
    assay = replace(PERFECT, umi_length=8, umi_error=0.05, mean_copies=5.0)
    sample = simulated(MARKERS["snv"], 0.0, assay, depth=100)
    tags: dict[str, set[bytes]] = {}
    for template in sample.templates:
        assert template[0].tags == template[1].tags
        name = ":".join(template[0].name.split(":")[:2])
        tags.setdefault(name, set()).add(template[0].tags)
    assert any(len(seen) > 1 for seen in tags.values())


def test_consensus_reads_say_so(tmp_path: Path) -> None:
    sample = simulated(MARKERS["snv"], 0.1, ASSAYS["merged-amplicon"], depth=50)
    path = write(sample, tmp_path / "s.bam")
    with pysam.AlignmentFile(str(path)) as file:
        reads = list(file)
    assert len({(read.reference_start, read.query_length) for read in reads}) == 1
    assert all(read.get_tag("cD") == 4 and not read.is_paired for read in reads)


def test_neighbours_are_wild_type_for_each_other() -> None:
    """Two clones 40 bases apart: each dilutes the other's wild type by its share."""
    first, second = small("a", 2000, 1, "{other}"), small("b", 2040, 1, "{other}")
    recipe = SampleRecipe("S1", {"a": 0.3, "b": 0.2}, 4000)
    sample = simulate_sample(recipe, [first, second], REFERENCE, assay=PERFECT, seed=1)
    for row in sample.truth:
        total = row.mutant_molecules + row.wild_type_left
        assert abs(row.mutant_molecules / total - row.fraction) < 0.03


def test_a_group_shares_its_molecules() -> None:
    first = small("a", 2000, 1, "{other}").model_copy(update={"group": "g"})
    second = small("b", 2040, 1, "{other}").model_copy(update={"group": "g"})
    recipe = SampleRecipe("S1", {"a": 0.5, "b": 0.5}, 300)
    sample = simulate_sample(recipe, [second, first], REFERENCE, assay=PERFECT, seed=1)
    shown = [junction_of(first, 15), junction_of(second, 15)]
    hidden = REFERENCE.fetch("c1", 2040 - 16, 2040 + 15)
    n_both = 0
    for reads in sequences_of(sample):
        for sequence in reads:
            for read in (sequence, reverse_complement(sequence)):
                assert not (shown[0] in read and hidden in read)
                n_both += all(junction in read for junction in shown)
    assert n_both > 50
    overlapping = small("c", 1999, 4, "{first}").model_copy(update={"group": "g"})
    with pytest.raises(ValueError, match="overlap in one group"):
        simulate_sample(recipe, [first, overlapping], REFERENCE, assay=PERFECT, seed=1)


def test_markers_with_positions_need_a_reference() -> None:
    recipe = SampleRecipe("S1", {}, 10)
    with pytest.raises(ValueError, match="need a reference"):
        simulate_sample(recipe, [MARKERS["snv"]], None, assay=PERFECT, seed=1)


def test_a_marker_at_the_edge_of_its_contig() -> None:
    for position in (1, 2, 12000):
        marker = small("edge", position, 1, "{other}")
        truth = truth_of(simulated(marker, 0.5))
        assert truth.mutant_informative == 0
        assert truth.wild_type_right_informative == 0


def test_invented_bases_are_written_as_faidx_would(tmp_path: Path) -> None:
    reference = InventedReference({"a": 125, "b": 7}, seed=2)
    reference.place("a", 10, "GATTACA")
    reference.write(tmp_path / "r.fa")
    with pysam.FastaFile(str(tmp_path / "r.fa")) as fasta:
        assert fasta.fetch("a") == reference.fetch("a", 0, 125)
        assert fasta.fetch("b", 2, 5) == reference.fetch("b", 2, 5)
    written = (tmp_path / "r.fa.fai").read_bytes()
    pysam.faidx(str(tmp_path / "r.fa"))
    assert (tmp_path / "r.fa.fai").read_bytes() == written
    assert reference.fetch("a", 10, 17) == "GATTACA"
    assert reference.length("a") == 125
    assert encode("ACGTN").tolist() == [0, 1, 2, 3, 4]


def test_no_invented_run_is_long() -> None:
    bases = InventedReference({"a": 50000}, seed=3).fetch("a", 0, 50000)
    assert not any(base * 7 in bases for base in "ACGT")
