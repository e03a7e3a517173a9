"""Every spelling of one event, through the import and the counting, gives one count.

After two measured cases: a 21-base insertion of which 24 positions are the same allele,
and a partial tandem duplication of 3,654 bases (457-4110) that is the same at five
(-3 to +1), and another allele at -4. The sequences are invented, their repeats are not.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mrdtrack.commands.simulate import SimulateRequest, simulate
from mrdtrack.counting.count import count_reads
from mrdtrack.counting.settings import CountingSettings
from mrdtrack.counts import MarkerCounts
from mrdtrack.lab.simulate_reference import InventedReference
from mrdtrack.panel.haplotypes import MarkerHaplotypes, build_haplotypes
from mrdtrack.panel.importers import import_panel
from mrdtrack.panel.model import SCHEMA, Panel, Sequence
from mrdtrack.panel.reference import Reference
from mrdtrack.panel.writer import panel_text

WriteVcf = Callable[..., Path]
UNIT = "ACTGTACCTTTCAGCATTTTG"
START = 1500
"""Bases of c1 before the unit."""
FIRST, LAST = 457, 4110


@pytest.fixture(scope="module")
def invented() -> InventedReference:
    reference = InventedReference({"c1": 3000, "c2": 5500}, seed=41)
    reference.place("c1", START - 1, "G" + UNIT + UNIT[:2] + "C")
    # 453 differs from 4107, 454-457 are 4108-4111, 458 differs from 4112.
    reference.place("c2", FIRST - 5, "A" + "GATC" + "A")
    reference.place("c2", LAST - 4, "C" + "GATC" + "G")
    return reference


@pytest.fixture(scope="module")
def sample(
    tmp_path_factory: pytest.TempPathFactory, invented: InventedReference
) -> Path:
    """A folder with the reference and reads of both events at a half."""
    folder = tmp_path_factory.mktemp("spellings")
    invented.write(folder / "r.fa")
    dup = {"kind": "duplication", "id": "itd", "contig": "c1"}
    ptd = {"kind": "duplication", "id": "ptd", "contig": "c2"}
    panel = Panel.model_validate(
        {"schema": SCHEMA, "patient": "P", "marker": [
            {**dup, "start": START + 1, "end": START + len(UNIT)},
            {**ptd, "start": FIRST, "end": LAST},
        ]}
    )  # fmt: skip
    (folder / "p.toml").write_text(panel_text(panel), encoding="utf-8")
    simulate(
        SimulateRequest(
            panel=folder / "p.toml",
            reference=folder / "r.fa",
            output=folder / "reads",
            levels=(0.4,),
            depth=150,
        )
    )
    return folder


def imported_and_counted(
    path: Path, sample: Path
) -> list[tuple[MarkerHaplotypes, MarkerCounts]]:
    """Import a file and count its markers: haplotypes and row of each.

    Each is counted by a panel of its own, since a panel names an event once.
    """
    panel = import_panel([path]).panel
    found = []
    with Reference(sample / "r.fa") as reference:
        reads = sample / "reads" / "D1R1.bam"
        for marker in panel.marker:
            alone = panel.model_copy(update={"marker": (marker,)})
            (row,) = count_reads(reads, alone, reference, CountingSettings()).markers
            if not isinstance(marker, Sequence):
                found.append((build_haplotypes(marker, reference), row))
    return found


def as_one(row: MarkerCounts) -> MarkerCounts:
    """Take off what names the spelling and nothing else."""
    return row.model_copy(update={"marker": "", "kind": "small_variant"})


def rotated(shift: int) -> str:
    return UNIT[shift % len(UNIT) :] + UNIT[: shift % len(UNIT)]


def test_24_spellings_of_one_insertion(
    write_vcf: WriteVcf, invented: InventedReference, sample: Path, tmp_path: Path
) -> None:
    records = []
    for shift in range(24):
        base = invented.fetch("c1", START + shift - 1, START + shift)
        alt = base + rotated(shift)
        records.append(f"c1 {START + shift} i{shift} {base} {alt} . PASS .")
    before = invented.fetch("c1", START - 1, START)
    symbolic = [
        f"c1 {START} d {before} <DUP:TANDEM> . PASS END={START + 21}",
        f"c1 {START + 2} e N <DUP> . PASS SVLEN=21",
        f"c1 {START} s {before} <INS> . PASS SEQ={UNIT}",
        f"c1 {START + 21} b N N[c1:{START + 1}[ . PASS SVTYPE=BND",
    ]
    found = imported_and_counted(write_vcf(*records, *symbolic), sample)
    assert len(found) == 27  # <INS> is the first insertion, letter by letter
    table = tmp_path / "itd.csv"
    table.write_text(
        f"id,contig,start,end\nt,c1,{START + 1},{START + 21}\n", encoding="utf-8"
    )
    found += imported_and_counted(table, sample)
    haplotypes, row = found[0]
    assert (row.alt or 0) > 20
    assert row.denominator_kind == "flank"
    for other, counted in found:
        assert other == haplotypes
        assert as_one(counted) == as_one(row)
    # One further on it is another insertion.
    base = invented.fetch("c1", START + 23, START + 24)
    beyond = write_vcf(f"c1 {START + 24} x {base} {base}{rotated(24)} . PASS .")
    ((other, _),) = imported_and_counted(beyond, sample)
    assert other.adjacency != haplotypes.adjacency


def test_five_spellings_of_a_partial_tandem_duplication(
    write_vcf: WriteVcf, sample: Path, tmp_path: Path
) -> None:
    spans = [(FIRST + shift, LAST + shift) for shift in range(-3, 2)]
    symbolic = [
        f"c2 {start - 1} d{start} N <DUP> . PASS END={end}" for start, end in spans
    ]
    joined = [
        f"c2 {end} b{start} N N[c2:{start}[ . PASS SVTYPE=BND" for start, end in spans
    ]
    table = tmp_path / "ptd.csv"
    lines = [f"t{start},c2,{start},{end}" for start, end in spans]
    table.write_text("\n".join(["id,contig,start,end", *lines]), encoding="utf-8")
    found = [
        *imported_and_counted(write_vcf(*symbolic, *joined), sample),
        *imported_and_counted(table, sample),
    ]
    assert len(found) == 15
    haplotypes, row = found[0]
    assert (row.alt or 0) > 20
    for other, counted in found:
        assert other == haplotypes
        assert as_one(counted) == as_one(row)
    beside = [
        f"c2 {FIRST - 5} x N <DUP> . PASS END={LAST - 4}",
        f"c2 {FIRST + 1} y N <DUP> . PASS END={LAST + 2}",
    ]
    for other, _ in imported_and_counted(write_vcf(*beside), sample):
        assert other.adjacency != haplotypes.adjacency
