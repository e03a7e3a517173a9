"""`panel check` with reads: what they are like, and what diagnosis shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mrdtrack.cli import main
from mrdtrack.commands.simulate import SimulateRequest, simulate
from mrdtrack.counting.diagnosis import _difference
from mrdtrack.counting.reads_facts import reads_facts
from mrdtrack.counting.reads_file import open_reads
from mrdtrack.door import PROGRAM
from mrdtrack.lab.simulate_reference import InventedReference
from mrdtrack.panel.model import SCHEMA, Panel
from mrdtrack.panel.writer import panel_text

REFERENCE = InventedReference({"c1": 3000, "c2": 3000}, seed=31)
JUNCTION = "TGTGCGAGAGACCCTTATTATCATGATAGTAACTATGACCTCCACCACTGG"


def snv(position: int = 1500, **more: Any) -> dict[str, Any]:
    ref = REFERENCE.fetch("c1", position - 1, position)
    return {"id": "snv", "kind": "small_variant", "contig": "c1",
            "position": position, "ref": ref, "alt": "A" if ref != "A" else "C",
            **more}  # fmt: skip


def itd(shift: int = 0) -> dict[str, Any]:
    return {"id": "itd", "kind": "duplication", "contig": "c2",
            "start": 1480 + shift, "end": 1539 + shift}  # fmt: skip


def clone(sequence: str = JUNCTION) -> dict[str, Any]:
    return {"id": "igh", "kind": "sequence", "sequence": sequence, "locus": "IGH"}


def write_panel(path: Path, *markers: dict[str, Any]) -> Path:
    panel = Panel.model_validate(
        {"schema": SCHEMA, "patient": "P", "marker": list(markers)}
    )
    path.write_text(panel_text(panel), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def diagnosis(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reads of a sample with all three markers at a half."""
    folder = tmp_path_factory.mktemp("diagnosis")
    REFERENCE.write(folder / "r.fa")
    for assay in ("capture", "merged-amplicon"):
        simulate(
            SimulateRequest(
                panel=write_panel(folder / "p.toml", snv(), itd(), clone()),
                reference=folder / "r.fa",
                output=folder / assay,
                levels=(0.4,),
                depth=200,
                assay=assay,
            )
        )
    return folder


def check(folder: Path, panel: Path, *words: str) -> Result:
    return CliRunner().invoke(
        main,
        ["panel", "check", str(panel), "--reference", str(folder / "r.fa"), *words],
        prog_name=PROGRAM,
    )


def test_a_sound_panel_is_seen_at_diagnosis(diagnosis: Path, tmp_path: Path) -> None:
    panel = write_panel(tmp_path / "p.toml", snv(), itd(), clone())
    reads = str(diagnosis / "capture" / "D1R1.bam")
    result = check(diagnosis, panel, "--reads", reads, "--at-diagnosis")
    assert result.exit_code == 0, result.output
    assert "warning" not in result.output
    assert result.output.endswith("3 markers, no fault\n")


def test_spellings_that_the_reads_do_not_carry(diagnosis: Path, tmp_path: Path) -> None:
    """An ITD one base off is another allele, and no silent zero."""
    wrong = JUNCTION[:20] + ("A" if JUNCTION[20] != "A" else "C") + JUNCTION[21:]
    panel = write_panel(tmp_path / "p.toml", snv(1560), itd(1), clone(wrong))
    reads = str(diagnosis / "capture" / "D1R1.bam")
    result = check(diagnosis, panel, "--reads", reads, "--at-diagnosis")
    assert result.exit_code == 0, result.output
    lines = [line for line in result.output.splitlines() if line.startswith("warning")]
    told = " ".join(lines)
    assert "warning: snv: of " in told
    assert "at diagnosis none shows it" in told
    for name, bases in (("itd", right_join()), ("igh", JUNCTION)):
        (line,) = [one for one in lines if one.startswith(f"warning: {name}: of ")]
        found = re.search(
            r"show it (\d+) hold its join exactly: (\d+) hold (\S+)", line
        )
        assert found, line
        assert int(found[1]) < 3
        assert int(found[2]) > 20
        assert found[3].upper() in bases
        assert sum(base.islower() for base in found[3]) == 1


def test_a_join_that_is_several_bases_off(diagnosis: Path, tmp_path: Path) -> None:
    panel = write_panel(tmp_path / "p.toml", itd(4))
    reads = str(diagnosis / "capture" / "D1R1.bam")
    result = check(diagnosis, panel, "--reads", reads, "--at-diagnosis")
    assert "0 hold its join exactly: check its position" in result.output


def right_join() -> str:
    """Put the join between the copies together by hand."""
    return REFERENCE.fetch("c2", 1500, 1539) + REFERENCE.fetch("c2", 1479, 1520)


@pytest.mark.parametrize(
    ("bases", "edited", "shown"),
    [
        ("GATTACA", "GACTACA", "GAcTACA"),
        ("GATTACA", "GATACA", "GAT-ACA"),
        ("GATTACA", "GATTCACA", "GATTcACA"),
    ],
)
def test_a_difference_is_shown_in_small_letters(
    bases: str, edited: str, shown: str
) -> None:
    assert _difference(bases, edited) == shown


def test_a_clone_that_is_not_there(diagnosis: Path, tmp_path: Path) -> None:
    panel = write_panel(tmp_path / "p.toml", clone(JUNCTION[::-1]))
    reads = str(diagnosis / "capture" / "D1R1.bam")
    result = CliRunner().invoke(
        main, ["panel", "check", str(panel), "--reads", reads, "--at-diagnosis"]
    )
    assert "reads at diagnosis none shows it" in result.output
    alone = CliRunner().invoke(main, ["panel", "check", str(panel), "--at-diagnosis"])
    assert alone.exit_code == 1
    assert "give --reads" in alone.output


def test_what_cannot_be_told_at_diagnosis(diagnosis: Path, tmp_path: Path) -> None:
    panel = write_panel(tmp_path / "p.toml", snv(2900))
    reads = str(diagnosis / "capture" / "D1R1.bam")
    result = check(diagnosis, panel, "--reads", reads, "--at-diagnosis")
    assert "warning: snv: the reads of diagnosis cannot tell it" in result.output
    assert "1 marker, no fault, 1 warning" in result.output


def test_reads_are_measured_and_not_assumed(diagnosis: Path) -> None:
    capture = reads_facts(open_reads(diagnosis / "capture" / "D1R1.bam", None), None)
    assert capture.read_length == 150
    assert capture.fragment_length is not None
    assert 235 < capture.fragment_length < 265
    assert not capture.is_amplicon
    merged = diagnosis / "merged-amplicon" / "D1R1.bam"
    facts = reads_facts(open_reads(merged, None), None)
    assert facts.read_length == facts.fragment_length
    assert facts.is_amplicon


def test_a_fastq_and_an_empty_file_are_measured(tmp_path: Path) -> None:
    path = tmp_path / "reads.fastq"
    path.write_text(
        "".join(f"@r{n}\n{'ACGT' * 20}\n+\n{'I' * 80}\n" for n in range(30)), "utf-8"
    )
    facts = reads_facts(open_reads(path, None), None)
    assert (facts.read_length, facts.fragment_length) == (80, 80)
    assert not facts.is_amplicon
    panel = write_panel(tmp_path / "p.toml", clone(JUNCTION * 2))
    result = CliRunner().invoke(
        main, ["panel", "check", str(panel), "--reads", str(path)]
    )
    assert "a read needs 102 bases to show the marker, these have 80" in result.output


def test_amplicons_are_told_by_their_common_start(
    diagnosis: Path, tmp_path: Path
) -> None:
    """Reads that span the duplication make another denominator than capture."""
    panel = write_panel(tmp_path / "p.toml", itd())
    for assay, kind in (("capture", "flank"), ("merged-amplicon", "molecules_at")):
        reads = str(diagnosis / assay / "D1R1.bam")
        result = check(diagnosis, panel, "--reads", reads)
        assert f"its denominator will be {kind}" in result.output, assay


def test_common_variants_are_asked_for(diagnosis: Path, tmp_path: Path) -> None:
    panel = write_panel(tmp_path / "p.toml", snv())
    common = tmp_path / "common.vcf"
    common.write_text(
        "##fileformat=VCFv4.2\n##contig=<ID=c1>\n"
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        "c1\t1510\t.\tA\tT\t.\t.\tAF=0.3\n",
        "utf-8",
    )
    result = check(diagnosis, panel, "--common", str(common))
    assert "a common variant stands nearby (c1:1510, 0.3 of" in result.output
