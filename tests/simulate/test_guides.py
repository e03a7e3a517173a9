"""Every command of every guide runs, in its order, on files named as the guide does.

The files are simulated: a laboratory's own would be larger and no different in kind.
"""

from __future__ import annotations

import gzip
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from mrdtrack.cli import main
from mrdtrack.commands.simulate import SimulateRequest, simulate
from mrdtrack.door import PROGRAM
from mrdtrack.lab.simulate_reference import InventedReference
from mrdtrack.panel.model import SCHEMA, Panel
from mrdtrack.panel.writer import panel_text

pytestmark = pytest.mark.whole_samples

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = [
    *sorted((REPOSITORY / "docs" / "guides").glob("*.md")),
    REPOSITORY / "docs" / "guide.md",
]
REFERENCE = InventedReference({"chr5": 4000, "chr13": 4000, "chr11": 4000}, seed=51)
ITD_START, ITD_END = 2001, 2060
CLONE = "TGTGCGAGAGATCGGGACTATGGTTCGGGGAGTTATTATAACTACTACTACGGTATGGACGTCTGG"
SMALLER = {"--depth": "60", "--replicates": "1", "--controls": "1"}
"""What the validation guide asks for takes an evening; here it is made small."""


def marker_tables() -> list[dict[str, Any]]:
    base = REFERENCE.fetch("chr5", 1999, 2000)
    ends = {
        "left": {"contig": "chr11", "position": 2000, "strand": "+"},
        "right": {"contig": "chr5", "position": 3000, "strand": "-"},
    }
    return [
        {"id": "NPM1", "kind": "small_variant", "contig": "chr5", "position": 2000,
         "ref": base, "alt": f"{base}TCTG", "gene": "NPM1"},
        {"id": "ITD", "kind": "duplication", "contig": "chr13", "gene": "FLT3",
         "start": ITD_START, "end": ITD_END},
        {"id": "KMT2A::AFF1", "kind": "breakpoint", **ends},
    ]  # fmt: skip


def write_panel(path: Path, *markers: dict[str, Any]) -> Path:
    given = {"schema": SCHEMA, "patient": "P001", "disease": "AML"}
    panel = Panel.model_validate({**given, "marker": list(markers)})
    path.write_text(panel_text(panel), encoding="utf-8")
    return path


def reads_of(folder: Path, panel: Path, level: float, assay: str, seed: int) -> Path:
    """Simulate one sample and give its file."""
    made = folder / f"made-{assay}-{level}-{seed}"
    simulate(
        SimulateRequest(
            panel=panel,
            reference=folder / "GRCh38.fa",
            output=made,
            levels=(level,),
            depth=150,
            assay=assay,
            seed=seed,
        )
    )
    return made / "D1R1.bam"


def write_reads(folder: Path) -> None:
    panel = write_panel(folder / "panel.toml", *marker_tables())
    for name, level, assay, seed in (
        ("diagnosis", 0.4, "capture", 1),
        ("day28", 0.05, "capture", 2),
        ("visit", 0.05, "umi", 3),
        ("control1", 0.0, "umi", 4),
        ("control2", 0.0, "umi", 5),
        ("control", 0.0, "capture", 6),
        ("duplex", 0.01, "consensus", 7),
    ):
        made = reads_of(folder, panel, level, assay, seed)
        for suffix in ("", ".bai"):
            shutil.copy(f"{made}{suffix}", folder / f"{name}.bam{suffix}")


def write_diagnosis_files(folder: Path) -> None:
    """What callers would have written at diagnosis."""
    before = REFERENCE.fetch("chr13", ITD_START - 2, ITD_START - 1)
    base = REFERENCE.fetch("chr5", 1999, 2000)
    join = REFERENCE.fetch("chr11", 1999, 2000)
    lines = [
        "##fileformat=VCFv4.2",
        *(f"##contig=<ID={name},length=4000>" for name in REFERENCE.contigs),
        '##INFO=<ID=END,Number=1,Type=Integer,Description="end">',
        '##INFO=<ID=SVTYPE,Number=1,Type=String,Description="type">',
        '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="depths">',
        "#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT NORMAL TUMOUR",
        f"chr5 2000 NPM1 {base} {base}TCTG . PASS . AD 90,0 60,40",
        f"chr13 {ITD_START - 1} ITD {before} <DUP:TANDEM> . PASS END={ITD_END} AD 90,0 "
        "60,40",
        f"chr11 2000 KMT2A {join} {join}[chr5:3000[ . PASS SVTYPE=BND AD 90,0 60,40",
    ]
    head, body = lines[:-4], lines[-4:]
    text = "\n".join([*head, *(line.replace(" ", "\t") for line in body)]) + "\n"
    (folder / "tumour.vcf").write_text(text, encoding="utf-8")
    common = [*head[: 1 + len(REFERENCE.contigs)], "\t".join(
        ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"])]  # fmt: skip
    (folder / "common.vcf").write_text("\n".join(common) + "\n", encoding="utf-8")
    (folder / "itds.tsv").write_text(
        "sample\tlength\tvaf\tstart_chr13_bp\tend_chr13_bp\ttrailing\texternal_bp\n"
        f"P001\t60\t4.0e+01\t{ITD_END}\t{ITD_START}\tFalse\t0\n",
        encoding="utf-8",
    )


def write_clones(folder: Path) -> None:
    rng = np.random.default_rng(52)

    def bases(length: int) -> str:
        return "".join("ACGT"[code] for code in rng.integers(0, 4, length))

    (folder / "clones.tsv").write_text(
        "sequence_id\tv_call\tj_call\tjunction\tduplicate_count\tnp1_length\n"
        f"a\tIGHV3-9*01\tIGHJ6*02\t{CLONE}\t900\t14\n",
        encoding="utf-8",
    )
    spikes = [
        line.split(",")
        for line in blocks(REPOSITORY / "docs" / "guides" / "ig_tr.md", "text")
        if line.startswith("S-")
    ]
    for name, counts in (
        ("day33", {CLONE: 20, **{row[3]: 4 * int(row[2]) for row in spikes}}),
        ("diagnosis", {CLONE: 300}),
    ):
        reads = [sequence for sequence, n in counts.items() for _ in range(n)]
        text = "".join(
            f"@r{n}\n{read}\n+\n{'I' * len(read)}\n"
            for n, sequence in enumerate(reads)
            if (read := bases(20) + sequence + bases(20))
        )
        (folder / f"{name}.fastq").write_text(text, encoding="utf-8")
        packed(folder / f"{name}.fastq")
    clones = [
        {"id": CLONE[8:58], "germline": "IGH", "reads": [90, 3],
         "name": "IGHV3-9*01 1/CCC/1 IGHJ6*02"},
        {"id": bases(50), "germline": "IGH", "reads": [800, 800], "label": "S"},
    ]  # fmt: skip
    content = {
        "samples": {"number": 2, "original_names": ["dx", "fu1"],
                    "timestamp": ["2026-01-08", "2026-03-01"]},
        "reads": {"germline": {"IGH": [5000, 4000]}},
        "config": {"labels": [
            {"name": "S", "family": "VH3", "copies": "40", "sequence": bases(20)},
            {"name": "T", "family": "VH3", "copies": "160", "sequence": bases(20)},
        ]},
        "clones": clones,
    }  # fmt: skip
    (folder / "patient.vidjil").write_text(json.dumps(content), encoding="utf-8")


def packed(path: Path) -> None:
    Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()


def blocks(page: Path, kind: str) -> Iterator[str]:
    """Give the lines of a page's blocks of one kind, continued lines joined."""
    found = re.findall(rf"```{kind}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    for block in found:
        yield from block.replace("\\\n", " ").splitlines()


def write_tables(folder: Path) -> None:
    """What the guides show as text: the user is to write it so."""
    for page, name in (("ig_tr", "spike_ins.csv"), ("rt_qpcr", "external.csv")):
        text = "\n".join(blocks(REPOSITORY / "docs" / "guides" / f"{page}.md", "text"))
        (folder / name).write_text(text + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that the guides take for given."""
    folder = tmp_path_factory.mktemp("laboratory")
    REFERENCE.write(folder / "GRCh38.fa")
    write_reads(folder)
    write_diagnosis_files(folder)
    write_clones(folder)
    write_tables(folder)
    ready = [path for path in folder.iterdir() if path.is_file()]
    clean = tmp_path_factory.mktemp("given")
    for path in ready:
        shutil.copy(path, clean / path.name)
    return clean


def words_of(line: str) -> list[str]:
    """Split a command as the shell would, file patterns included."""
    words: list[str] = []
    for word in shlex.split(line)[2:]:
        words += sorted(map(str, Path().glob(word))) if "*" in word else [word]
    for place, word in enumerate(words[:-1]):
        if words[0] == "simulate" and word in SMALLER:
            words[place + 1] = SMALLER[word]
    return words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.stem))
def test_every_command_of_a_guide_runs(
    page: Path, laboratory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in laboratory.iterdir():
        shutil.copy(path, tmp_path / path.name)
    monkeypatch.chdir(tmp_path)
    if page.stem in {"guide", "ig_tr"}:
        first = ["panel", "import", "clones.tsv", "-o", "igtr.toml", "-q"]
        assert CliRunner().invoke(main, first, prog_name=PROGRAM).exit_code == 0
    if page.stem == "rt_qpcr":
        first = ["quantify", "panel.toml", "day28.bam", "--reference", "GRCh38.fa"]
        visit = ["-o", "results", "--date", "2026-02-12", "--specimen", "bone_marrow"]
        done = CliRunner().invoke(main, [*first, *visit, "-q"], prog_name=PROGRAM)
        assert done.exit_code == 0, done.output
    overwritten = {"panel.toml", "igtr.toml"}
    for name in overwritten & set(
        re.findall(r"--output (\S+)", page.read_text("utf-8"))
    ):
        Path(name).unlink(missing_ok=True)
    lines = [line for line in blocks(page, "console") if line.startswith("$ mrdtrack ")]
    assert lines
    for line in lines:
        result = CliRunner().invoke(main, words_of(line), prog_name=PROGRAM)
        assert result.exit_code == 0, (line, result.output, result.exception)
