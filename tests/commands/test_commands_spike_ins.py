"""Spike-ins through the command line: Vidjil's published numbers, and the level."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from mrdtrack.cli import main
from mrdtrack.door import PROGRAM
from mrdtrack.follow_up.external import read_external

RNG = np.random.default_rng(5)
FAMILIES = {f"VH{n}": (10, 40, 160) for n in range(1, 8)} | {
    "VH4": (40, 160), "VH7": (40, 160),
}  # fmt: skip


def bases(length: int) -> str:
    return "".join("ACGT"[code] for code in RNG.integers(0, 4, length))


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["spike-ins", *map(str, words)], prog_name=PROGRAM)


def rows(path: Path, delimiter: str = "\t") -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def vidjil_file(
    path: Path,
    found: dict[str, int],
    germlines: dict[str, int],
    clones: list[tuple[str, str, int]],
    *,
    labelled: bool = True,
) -> Path:
    """Write a tube as Vidjil's tests describe it: reads of the 160-copy spike-ins."""
    spikes = [
        {"name": f"S-{family}-{copies}", "family": family, "copies": str(copies),
         "sequence": bases(20)}
        for family, steps in FAMILIES.items() for copies in steps
    ]  # fmt: skip
    by_name = {str(spike["name"]): str(spike["sequence"]) for spike in spikes}
    listed: list[dict[str, Any]] = [
        {"id": bases(50), "germline": germline, "name": name, "reads": [reads]}
        for germline, name, reads in clones
    ]
    for family, reads in found.items():
        name = f"S-{family}-160"
        sequence = bases(30) + by_name[name] + bases(30)
        label = {"label": name} if labelled else {}
        clone = {"id": bases(50), "germline": "IGH", "reads": [reads]}
        listed.append({**clone, **label, "sequence": sequence})
    content = {
        "samples": {"number": 1, "original_names": ["/data/tube.fastq.gz"]},
        "config": {"labels": spikes},
        "reads": {"germline": {name: [n] for name, n in germlines.items()}},
        "clones": listed,
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_vidjils_published_numbers_come_out_of_the_command_line(
    tmp_path: Path,
) -> None:
    """Samples 2 and 3 of its own tests: 0.3739975328 and 195.5076337269."""
    second = vidjil_file(
        tmp_path / "second.vidjil",
        {"VH2": 25527, "VH4": 16303},
        {"IGH": 693999, "IGH+": 4408, "IGL": 1, "TRG": 112},
        [("IGH", "", 2), ("IGH+", "", 5), ("TRG", "", 1)],
    )
    result = run(second, second, "-o", tmp_path / "a", "--compat", "vidjil")
    assert result.exit_code == 0, result.output
    found = rows(tmp_path / "a" / "tube.spike_ins.tsv")
    assert found[0]["normalised_reads"].startswith("0.3739975328")
    assert [row["locus"] for row in found] == ["IGH", "IGH+"]
    assert float(found[0]["copies_per_read"]) == pytest.approx(0.026775041836)
    assert (found[0]["family"], found[0]["locus_reads"]) == ("UNI", "698407")
    third = vidjil_file(
        tmp_path / "third.vidjil",
        {"VH5": 7282},
        {"IGH": 68536, "IGH+": 508, "IGK": 472546, "unexpected": 4001},
        [("IGK", "", 269), ("IGK", "IGKV4-1*01 IGKJ1*01", 1054), ("IGH", "", 9)],
    )
    result = run(third, third, "-o", tmp_path / "b", "--compat", "vidjil")
    assert result.exit_code == 0, result.output
    assert "195.5076337269" in result.output
    assert "igtr_frac" in result.output
    assert "of 100000 cells (spike_in)" in result.output
    found = rows(tmp_path / "b" / "tube.spike_ins.tsv")
    assert found[0]["normalised_reads"].startswith("195.5076337269")
    assert [row["denominator_kind"] for row in found] == ["spike_in", "spike_in"]
    assert found[0]["level_low"] == found[0]["lod95"] == ""


def test_a_tube_of_diagnosis_is_not_normalised(tmp_path: Path) -> None:
    path = vidjil_file(tmp_path / "a.vidjil", {"VH2": 100}, {"IGH": 900}, [])
    result = run(path, path, "-o", tmp_path / "out", "--compat", "vidjil")
    assert result.exit_code == 1
    assert "too few reads" in result.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("labelled", [True, False])
def test_our_own_estimate_of_a_vidjil_file(tmp_path: Path, labelled: bool) -> None:
    """By label or by sequence; a family by its ratio, others by all together."""
    path = vidjil_file(
        tmp_path / "a.vidjil",
        {"VH2": 21000, "VH4": 20000},
        {"IGH": 60000},
        [
            ("IGH", "IGHV4-59*07 1/AG/1 IGHJ4*02", 500),
            ("IGH", "IGHV1-2*01 1/AG/1 IGHJ4*02", 0),
            ("IGK", "IGKV1-5*03 9/4/1 IGKJ1*01", 3),
        ],
        labelled=labelled,
    )
    out = tmp_path / "out"
    result = run(
        *(path, path, "-o", out, "--input-ng", "660", "--date", "2026-02-10"),
        *("--specimen", "bone_marrow", "--family", "IGKV1-5*03 9/4/1 IGKJ1*01=VH2"),
    )
    assert result.exit_code == 0, result.output
    first, none, few = rows(out / "tube.spike_ins.tsv")
    assert (first["family"], none["family"], few["family"]) == ("VH4", "pooled", "VH2")
    assert float(first["copies"]) == pytest.approx(500 * 200 / 20000)
    assert float(first["level"]) == pytest.approx(5 / 100_000)
    assert float(first["level_low"]) < 5e-5 < float(first["level_high"])
    assert (first["call"], few["call"]) == ("quantified", "detected_below_loq")
    assert (none["call"], none["level"], none["level_low"]) == (
        "not_detected", "0.0", "0.0",
    )  # fmt: skip
    assert float(none["lod95"]) == pytest.approx(-np.log(0.05) / 100_000, rel=1e-3)
    assert {row["denominator"] for row in (first, none, few)} == {"100000.0"}
    visits = read_external(out / "tube.external.csv")
    assert [visit.metric for visit in visits] == ["igtr_frac"] * 3
    assert visits[0].value == pytest.approx(5e-5)
    spikes = rows(out / "tube.spike_in_reads.tsv")
    assert len(spikes) == 19
    assert sum(int(row["reads"]) for row in spikes) == 41000


def fastq(path: Path, counted: dict[str, int]) -> Path:
    """Write merged reads that hold each sequence so many times."""
    lines: list[str] = []
    for sequence, count in counted.items():
        for number in range(count):
            read = bases(20) + sequence + bases(20)
            lines.append(f"@r{len(lines)}.{number}\n{read}\n+\n{'I' * len(read)}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def tube_of_reads(folder: Path) -> dict[str, Path]:
    """Two clones and the three spike-ins of a family, 5 reads a copy."""
    clone, lost = bases(48), bases(51)
    spikes = {copies: bases(45) for copies in (10, 40, 160)}
    table = "name,family,copies,sequence\n" + "".join(
        f"s{copies},VH3,{copies},{sequence}\n" for copies, sequence in spikes.items()
    )
    (folder / "spikes.csv").write_text(table, encoding="utf-8")
    panel = f"""\
schema = "mrdtrack-panel/1"
patient = "P"
disease = "B-ALL"
[[marker]]
id = "IGHV3-9 IGHJ6 #1"
kind = "sequence"
sequence = "{clone}"
locus = "IGH"
[[marker]]
id = "TRGV2 TRGJP1 #2"
kind = "sequence"
sequence = "{lost}"
locus = "TRG"
"""
    (folder / "panel.toml").write_text(panel, encoding="utf-8")
    counted = {sequence: 5 * copies for copies, sequence in spikes.items()}
    reads = fastq(folder / "day33.fastq", {**counted, clone: 100, bases(90): 300})
    return {
        "spikes": folder / "spikes.csv",
        "panel": folder / "panel.toml",
        "reads": reads,
    }


def test_reads_of_a_tube_give_the_level_of_its_clones(tmp_path: Path) -> None:
    given = tube_of_reads(tmp_path)
    result = run(
        *(given["spikes"], given["reads"], "--panel", given["panel"]),
        *("-o", tmp_path / "out", "--input-ng", "66", "--format", "json"),
        *("--required-sensitivity", "0.001"),
    )
    assert result.exit_code == 0, result.output
    (sample,) = json.loads(result.stdout)["samples"]
    assert sample["sample"] == "day33"
    clone, lost = sample["clones"]
    assert (clone["reads"], lost["reads"]) == (100, 0)
    assert clone["copies"] == pytest.approx(20)
    assert clone["level"] == pytest.approx(20 / 10_000)
    assert clone["level_low"] < 0.002 < clone["level_high"]
    assert (clone["metric"], clone["denominator_kind"]) == ("igtr_frac", "spike_in")
    assert (lost["call"], lost["family"]) == ("not_detected", "pooled")
    assert not (tmp_path / "out" / "day33.external.csv").exists()
    again = run(
        *(given["spikes"], given["reads"], "--panel", given["panel"]),
        *("-o", tmp_path / "out", "--force", "--format", "tsv"),
    )
    (first, _) = csv.DictReader(io.StringIO(again.stdout), delimiter="\t")
    assert (first["call"], first["level"]) == ("not_evaluable", "")
    assert "not told (--input-ng)" in first["reason"]


def test_a_tube_without_spike_in_reads_tells_nothing(tmp_path: Path) -> None:
    given = tube_of_reads(tmp_path)
    clone = next(
        line.split('"')[1]
        for line in given["panel"].read_text("utf-8").splitlines()
        if line.startswith("sequence")
    )
    fastq(given["reads"], {clone: 10})
    result = run(
        *(given["spikes"], given["reads"], "--panel", given["panel"]),
        *("-o", tmp_path / "out", "--input-ng", "66", "--date", "2026-02-10"),
    )
    assert result.exit_code == 0, result.output
    assert "not_evaluable (no spike-in has a read)" in result.output
    assert rows(tmp_path / "out" / "day33.external.csv", ",") == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "reads need a panel of the clones"),
        (("--panel", "panel.toml", "--compat", "vidjil"), "the reads of a germline"),
        (("--panel", "panel.toml", "--family", "x=VH3"), "'x' is no clone"),
        (("--panel", "snv.toml"), "it has no sequence marker"),
    ],
)
def test_what_cannot_be_normalised(
    tmp_path: Path, words: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tube_of_reads(tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("snv.toml").write_text(
        'schema = "mrdtrack-panel/1"\npatient = "P"\n[[marker]]\nid = "a"\n'
        'kind = "small_variant"\ncontig = "c"\nposition = 5\nref = "A"\nalt = "C"\n',
        encoding="utf-8",
    )
    result = run(given["spikes"], given["reads"], "-o", "out", *words)
    assert result.exit_code == 1
    assert told in result.output


def test_two_tubes_of_one_name_are_refused(tmp_path: Path) -> None:
    path = vidjil_file(tmp_path / "a.vidjil", {"VH2": 9000}, {"IGH": 9}, [])
    result = run(path, path, path, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "two files are of this sample" in result.output


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name,copies,sequence\n", "names no spike-in"),
        ("name,copies,sequence\n,10,ACGT\n", "line 2: it has no name"),
        ("name,copies,sequence\na,x,ACGT\n", "line 2: copies 'x' is no number"),
        ("name,copies,sequence\na,-1,ACGT\n", "copies '-1' is no number above 0"),
        ("name,copies,sequence\na,5,AQ\n", "holds more than A, C, G and T"),
        ("name,copies,sequence\na,5,AC\na,5,AC\n", "line 3: the name 'a' stands twice"),
        ("{}", "no list of labels"),
        ('{"config": {"labels": [7]}}', "label 1: it has no name"),
        ('{"config"', "no list of labels"),
    ],
)
def test_a_wrong_table_of_spike_ins(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "spikes.csv"
    path.write_text(text, encoding="utf-8")
    result = run(path, path, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert told in result.output
