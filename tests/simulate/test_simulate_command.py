"""`mrdtrack simulate`: series, courses, what goes wrong, and spiked real controls."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pysam
import pytest

from mrdtrack.commands.quantify import QuantifyRequest, quantify
from mrdtrack.commands.simulate import SimulateRequest, simulate
from mrdtrack.errors import InputError, OutputError
from mrdtrack.lab.simulate_reads import Assay
from mrdtrack.lab.simulate_reference import InventedReference
from mrdtrack.lab.simulate_sample import (
    SampleRecipe,
    simulate_sample,
    write_sample_bam,
)
from mrdtrack.lab.simulate_truth import MarkerTruth
from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.file import read_panel
from mrdtrack.panel.model import SCHEMA, Marker, Panel, SmallVariant
from mrdtrack.panel.reference import Reference
from mrdtrack.panel.writer import panel_text

REFERENCE = InventedReference({"c1": 8000, "c2": 8000}, seed=9)
OTHER = {"A": "C", "C": "G", "G": "T", "T": "A"}


def markers_of() -> list[dict[str, Any]]:
    ref = REFERENCE.fetch("c1", 1999, 2000)
    snv = {"id": "snv", "kind": "small_variant", "contig": "c1", "position": 2000}
    itd = {"id": "itd", "kind": "duplication", "contig": "c1"}
    return [
        {**snv, "ref": ref, "alt": OTHER[ref], "vaf_at_diagnosis": 0.4},
        {**itd, "start": 4000, "end": 4059, "vaf_at_diagnosis": 0.2},
    ]


def breakpoint_of(strands: str) -> dict[str, Any]:
    left = {"contig": "c1", "position": 6000, "strand": strands[0]}
    right = {"contig": "c2", "position": 3000, "strand": strands[1]}
    return {
        "id": strands,
        "kind": "breakpoint",
        "left": left,
        "right": right,
        "inserted": "GAC",
    }


def folder_of(folder: Path, *markers: dict[str, Any], **more: Any) -> dict[str, Any]:
    panel = Panel.model_validate(
        {
            "schema": SCHEMA,
            "patient": "P",
            "marker": markers or markers_of(),
            **more,
        }
    )
    (folder / "panel.toml").write_text(panel_text(panel), encoding="utf-8")
    REFERENCE.write(folder / "reference.fa")
    return {
        "panel": folder / "panel.toml",
        "reference": folder / "reference.fa",
        "output": folder / "out",
    }


def shares(truth: list[MarkerTruth]) -> dict[tuple[str, str], float]:
    return {(row.sample, row.marker): row.fraction for row in truth}


def test_a_dilution_series(tmp_path: Path) -> None:
    """The largest clone has the level asked for, the others their share of it."""
    files = folder_of(tmp_path)
    truth = simulate(
        SimulateRequest(
            **files, levels=(0.1, 0.01), replicates=2, controls=1, depth=100
        )
    )
    found = shares(truth)
    assert found["D1R1", "snv"] == pytest.approx(0.1)
    assert found["D2R2", "itd"] == pytest.approx(0.005)
    assert found["N1", "snv"] == 0
    with (tmp_path / "out" / "samples.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["sample"] for row in rows] == ["D1R1", "D1R2", "D2R1", "D2R2", "N1"]
    for row in rows:
        assert (tmp_path / "out" / row["file"]).is_file()
        assert (tmp_path / "out" / f"{row['file']}.bai").is_file()
    table = (tmp_path / "out" / "truth.tsv").read_text("utf-8").splitlines()
    assert len(table) == 1 + 5 * 2


def test_equal_calls_give_equal_bytes(tmp_path: Path) -> None:
    files = folder_of(tmp_path)
    simulate(SimulateRequest(**files, levels=(0.1,), depth=50))
    first = {p.name: p.read_bytes() for p in files["output"].iterdir()}
    with pytest.raises(OutputError, match="exists already"):
        simulate(SimulateRequest(**files, levels=(0.1,), depth=50))
    simulate(SimulateRequest(**files, levels=(0.1,), depth=50, force=True))
    assert {p.name: p.read_bytes() for p in files["output"].iterdir()} == first


def test_a_course_with_a_lost_subclone_and_carry_over(tmp_path: Path) -> None:
    files = folder_of(tmp_path)
    course = tmp_path / "course.csv"
    course.write_text(
        "sample,date,specimen,level,depth,lost\n"
        "DX,2024-01-01,bone_marrow,0.4,60,\n"
        "FU1,2024-02-01,bone_marrow,0.0,,\n"
        "REL,2024-09-01,bone_marrow,0.2,,itd\n",
        encoding="utf-8",
    )
    truth = simulate(
        SimulateRequest(**files, course=course, carry_over=0.001, depth=40)
    )
    found = shares(truth)
    assert found["DX", "itd"] == pytest.approx(0.2)
    assert found["FU1", "snv"] == pytest.approx(0.0004)
    assert found["REL", "itd"] == 0
    lines = (tmp_path / "out" / "samples.csv").read_text("utf-8").splitlines()
    assert lines[:2] == [
        "sample,file,date,specimen",
        "DX,DX.bam,2024-01-01,bone_marrow",
    ]


def test_contamination_shows_at_identity_positions(tmp_path: Path) -> None:
    identity = []
    for position in range(500, 7000, 650):
        ref = REFERENCE.fetch("c2", position - 1, position)
        row = {"contig": "c2", "position": position, "ref": ref, "alt": OTHER[ref]}
        identity.append({**row, "genotype": "0/0"})
    files = folder_of(tmp_path, identity=identity)
    truth = simulate(
        SimulateRequest(**files, levels=(0.1,), contamination=0.1, depth=40)
    )
    found = shares(truth)
    assert found["D1R1", "snv"] == pytest.approx(0.09)
    at_identity = {v for (_, name), v in found.items() if name.startswith("identity")}
    assert at_identity <= {0.0, 0.05, 0.1}
    assert len(at_identity) > 1


def test_fastq_for_sequences_without_a_reference(tmp_path: Path) -> None:
    sequence = {"id": "igh", "kind": "sequence", "sequence": "ACGTTGCA" * 6}
    files = folder_of(tmp_path, sequence)
    del files["reference"]
    truth = simulate(SimulateRequest(**files, levels=(0.5,), depth=30, write="fastq"))
    assert truth[0].mutant_molecules > 0
    names = sorted(path.name for path in files["output"].iterdir())
    assert names == [
        "D1R1_R1.fastq.gz",
        "D1R1_R2.fastq.gz",
        "samples.csv",
        "true_levels.tsv",
        "truth.tsv",
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "neither, or both"),
        ({"levels": (0.1,), "course": Path("x")}, "neither, or both"),
        ({"levels": (0.1,), "assay": "sanger"}, "'sanger' is no known assay"),
        ({"levels": (0.1,), "lost": ("x",)}, "'x' is no marker of the panel"),
        ({"levels": (0.1,), "reference": None}, "need the reference"),
    ],
)
def test_what_cannot_be_simulated(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        simulate(SimulateRequest(**{**folder_of(tmp_path), **changes}))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sample,date\nDX,2024-01-01\n", "needs the columns sample and level"),
        ("sample,level\n", "needs the columns sample and level"),
        ("sample,level\nDX,much\n", "'much' is no number from 0 to 1"),
        ("sample,level\nDX,1.5\n", "is no number from 0 to 1"),
        ("sample,level\nDX,0.1\nDX,0.2\n", "'DX' stands twice"),
    ],
)
def test_a_wrong_course(tmp_path: Path, text: str, reason: str) -> None:
    course = tmp_path / "course.csv"
    course.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=reason):
        simulate(SimulateRequest(**folder_of(tmp_path), course=course))


def control_of(folder: Path, markers: list[Marker]) -> Path:
    """A control whose errors cluster at odd cycles, with UMIs and duplicates."""
    assay = Assay(
        name="control",
        qualities=(35, 20, 2),
        shares=(0.8, 0.15, 0.05),
        decay=2.0,
        umi_length=6,
        fragment_mean=220,
        margin=300,
    )
    sample = simulate_sample(
        SampleRecipe("N1", {}, 600), markers, REFERENCE, assay=assay, seed=4
    )
    path = folder / "control.bam"
    write_sample_bam(sample, path, REFERENCE.lengths)
    return path


def mismatches(path: Path) -> tuple[Counter[int], int]:
    """Count mismatches by cycle, away from the markers, and all bases read."""
    found: Counter[int] = Counter()
    n_bases = 0
    with pysam.AlignmentFile(str(path)) as file:
        for read in file:
            contig = REFERENCE.contigs[str(read.reference_name)]
            sequence = read.query_sequence or ""
            for query, place in read.get_aligned_pairs(matches_only=True):
                if abs(place - 1999) < 2:
                    continue
                n_bases += 1
                if sequence[query] != contig[place]:
                    last = len(sequence) - 1
                    found[last - query if read.is_reverse else query] += 1
    return found, n_bases


def test_spiking_keeps_the_controls_error_profile(tmp_path: Path) -> None:
    snv = markers_of()[0]
    files = folder_of(tmp_path, snv)
    panel_markers = list(Panel.model_validate({
        "schema": SCHEMA, "patient": "P", "marker": [snv]}).marker)  # fmt: skip
    control = control_of(tmp_path, panel_markers)
    (row,) = simulate(SimulateRequest(**files, levels=(0.3,), control_reads=control))
    spiked = tmp_path / "out" / "D1R1.bam"
    before, n_before = mismatches(control)
    after, n_after = mismatches(spiked)
    assert n_before == n_after
    assert before == after
    with pysam.AlignmentFile(str(control)) as a, pysam.AlignmentFile(str(spiked)) as b:
        old = {(r.query_name, r.is_read1): r for r in a}
        new = {(r.query_name, r.is_read1): r for r in b}
        assert a.header.to_dict() == b.header.to_dict()
    assert old.keys() == new.keys()
    n_changed = 0
    for key, read in new.items():
        assert read.query_qualities == old[key].query_qualities
        assert read.get_tag("RX") == old[key].get_tag("RX")
        assert read.reference_start == old[key].reference_start
        n_changed += read.query_sequence != old[key].query_sequence
    assert row.mutant_molecules <= n_changed <= 2 * row.mutant_molecules
    total = row.mutant_molecules + row.wild_type_left
    assert abs(row.mutant_molecules / total - 0.3) < 4 * (0.21 / total) ** 0.5


def test_spiked_replicates_are_drawn_apart(tmp_path: Path) -> None:
    """Equal names and seeds draw equal templates, and no others do."""
    snv = markers_of()[0]
    files = folder_of(tmp_path, snv)
    marker = list(
        Panel.model_validate({"schema": SCHEMA, "patient": "P", "marker": [snv]}).marker
    )
    control = control_of(tmp_path, marker)
    files = {**files, "levels": (0.3,), "replicates": 2, "control_reads": control}
    simulate(SimulateRequest(**files))

    def mutant(sample: str) -> set[str]:
        with pysam.AlignmentFile(str(tmp_path / "out" / f"{sample}.bam")) as new:
            after = {(r.query_name, r.is_read1): r.query_sequence for r in new}
        with pysam.AlignmentFile(str(control)) as old:
            return {
                str(r.query_name)
                for r in old
                if after[r.query_name, r.is_read1] != r.query_sequence
            }

    first, second = mutant("D1R1"), mutant("D1R2")
    assert first
    assert first != second
    simulate(SimulateRequest(**files, force=True))
    assert mutant("D1R1") == first


PROFILED = "s01_ctdna_lymphoma_series"


def profile(path: Path, reference: Reference, apart: set[tuple[str, int]]) -> Any:
    """Count a file's mismatches by class, and its base qualities, where they agree."""
    wrong: Counter[str] = Counter()
    qualities: Counter[int] = Counter()
    n_reads = 0
    with pysam.AlignmentFile(str(path)) as file:
        for read in file:
            n_reads += 1
            qualities.update(read.query_qualities or ())
            if read.reference_name is None or read.cigartuples is None:
                continue
            contig, sequence = str(read.reference_name), read.query_sequence or ""
            start, end = read.reference_start, read.reference_end or 0
            bases = reference.fetch(contig, start, end)
            for query, place in read.get_aligned_pairs(matches_only=True):
                base = bases[place - start]
                if base != "N" and (contig, place) not in apart:
                    wrong[base + sequence[query]] += base != sequence[query]
    return n_reads, +wrong, qualities


def test_spiking_a_real_control_keeps_its_error_profile(
    shared_cases: Path, tmp_path: Path
) -> None:
    """A real control: its reads, mismatches of every class and qualities stay."""
    case = shared_cases / PROFILED
    truth = simulate(
        SimulateRequest(
            panel=case / "panel.toml",
            reference=case / "ref.fa.gz",
            output=tmp_path / "out",
            levels=(0.2,),
            control_reads=case / "N1.bam",
        )
    )
    spiked = tmp_path / "out" / "D1R1.bam"
    panel = read_panel(case / "panel.toml")
    markers = [m for m in panel.marker if isinstance(m, SmallVariant)]
    apart = {(m.contig, m.position - 1) for m in markers}
    with Reference(case / "ref.fa.gz") as reference:
        before = profile(case / "N1.bam", reference, apart)
        after = profile(spiked, reference, apart)
    assert before == after
    (result,) = quantify(
        QuantifyRequest(
            panel=case / "panel.toml",
            reference=case / "ref.fa.gz",
            reads=(spiked,),
            output=tmp_path / "results",
            quiet=True,
        )
    )
    covered = [
        row.fraction_low <= 0.2 <= row.fraction_high
        for row in result.markers
        if row.fraction_low is not None and row.fraction_high is not None
    ]
    assert len(covered) == len(markers)
    assert sum(covered) >= len(markers) - 2
    for row, drawn in zip(result.markers, truth, strict=True):
        assert abs((row.alt or 0) - drawn.mutant_molecules) <= 1
    assert result.level.low is not None
    assert result.level.high is not None
    assert result.level.low <= 0.2 <= result.level.high


@pytest.mark.parametrize("strands", ["++", "+-", "-+", "--"])
def test_spiked_breakpoints_show_their_join(tmp_path: Path, strands: str) -> None:
    marker = breakpoint_of(strands)
    files = folder_of(tmp_path, marker)
    panel = Panel.model_validate({"schema": SCHEMA, "patient": "P", "marker": [marker]})
    assay = Assay(name="clean", qualities=(60,), shares=(1.0,), margin=300)
    sample = simulate_sample(
        SampleRecipe("N1", {}, 200), panel.marker, REFERENCE, assay=assay, seed=4
    )
    control = tmp_path / "control.bam"
    write_sample_bam(sample, control, REFERENCE.lengths)
    (row,) = simulate(SimulateRequest(**files, levels=(0.5,), control_reads=control))
    left = (
        REFERENCE.fetch("c1", 5985, 6000)
        if strands[0] == "+"
        else reverse_complement(REFERENCE.fetch("c1", 5999, 6014))
    )
    right = (
        REFERENCE.fetch("c2", 2999, 3014)
        if strands[1] == "-"
        else reverse_complement(REFERENCE.fetch("c2", 2985, 3000))
    )
    join = f"{left}GAC{right}"
    names = set()
    with pysam.AlignmentFile(str(tmp_path / "out" / "D1R1.bam")) as file:
        for read in file:
            bases = read.query_sequence or ""
            if join in bases or reverse_complement(join) in bases:
                names.add(read.query_name)
    assert 0.7 * row.mutant_molecules < len(names) <= row.mutant_molecules
    assert row.mutant_molecules > 30


def test_spiking_a_duplication_keeps_molecules_and_order(tmp_path: Path) -> None:
    files = folder_of(tmp_path)
    panel = Panel.model_validate(
        {"schema": SCHEMA, "patient": "P", "marker": markers_of()}
    )
    control = control_of(tmp_path, list(panel.marker))
    truth = simulate(SimulateRequest(**files, levels=(0.3,), control_reads=control))
    assert all(row.mutant_molecules > 10 for row in truth)
    with pysam.AlignmentFile(str(tmp_path / "out" / "D1R1.bam")) as file:
        reads = list(file)
    places = [(read.reference_id, read.reference_start) for read in reads]
    assert places == sorted(places)
    assert any(read.is_supplementary for read in reads)
    with pysam.AlignmentFile(str(control)) as file:
        assert {r.query_name for r in file} == {r.query_name for r in reads}


def test_a_sequence_cannot_be_spiked(tmp_path: Path) -> None:
    sequence = {"id": "igh", "kind": "sequence", "sequence": "ACGTTGCA" * 6}
    files = folder_of(tmp_path, markers_of()[0], sequence)
    panel = Panel.model_validate(
        {"schema": SCHEMA, "patient": "P", "marker": markers_of()}
    )
    control = control_of(tmp_path, list(panel.marker))
    with pytest.raises(InputError, match="no position to spike it at"):
        simulate(SimulateRequest(**files, levels=(0.3,), control_reads=control))


def test_tags_of_every_type_survive_and_odd_reads_are_left_alone(
    tmp_path: Path,
) -> None:
    snv = markers_of()[0]
    files = folder_of(tmp_path, snv)
    control = tmp_path / "control.bam"
    header = pysam.AlignmentHeader.from_dict(
        {"HD": {"SO": "coordinate"}, "SQ": [{"SN": "c1", "LN": 8000}]}
    )
    rng = np.random.default_rng(0)
    with pysam.AlignmentFile(str(control), "wb", header=header) as file:
        for start in sorted(rng.integers(1905, 1995, 60).tolist()):
            read = pysam.AlignedSegment(header)
            read.query_name = f"r{start}-{rng.integers(1 << 30)}"
            read.reference_id, read.reference_start = 0, start
            read.query_sequence = REFERENCE.fetch("c1", start, start + 100)
            read.query_qualities = pysam.qualitystring_to_array("I" * 100)
            read.cigarstring = "100M" if start % 3 else "50M1I49M"
            read.set_tag("XZ", "text", "Z")
            read.set_tag("XA", "A", "A")
            read.set_tag("XB", "B", "A")
            read.set_tag("XF", 0.5, "f")
            read.set_tag("XI", 7, "i")
            read.set_tag("NM", 0, "i")
            file.write(read)
    pysam.index(str(control))
    (row,) = simulate(SimulateRequest(**files, levels=(1.0,), control_reads=control))
    with pysam.AlignmentFile(str(tmp_path / "out" / "D1R1.bam")) as file:
        reads = list(file)
    changed = [read for read in reads if read.get_tag("NM") == 1]
    assert len(changed) == row.mutant_molecules > 10
    for read in changed:
        tags = dict(read.get_tags())
        assert (tags["XZ"], tags["XB"], tags["XI"]) == ("text", "B", 7)
        assert tags["XF"] == 0.5
        assert "XA" not in tags
    assert sum("I" in str(read.cigarstring) for read in reads) > 5
