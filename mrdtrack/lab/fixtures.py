"""Build `data/fixtures`: the invented patient of `mrdtrack demo`, from a seed.

`make fixtures` writes the same bytes every time.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from mrdtrack.lab.simulate_reads import Assay
from mrdtrack.lab.simulate_reference import InventedReference
from mrdtrack.lab.simulate_sample import (
    SampleRecipe,
    simulate_sample,
    write_sample_bam,
)
from mrdtrack.lab.simulate_truth import MarkerTruth, write_truth
from mrdtrack.panel.model import SCHEMA, Duplication, Marker, Panel, SmallVariant
from mrdtrack.panel.writer import panel_text

SEED = 20240108
ASSAY = Assay(
    name="demo",
    layout="amplicon",
    reading="merged",
    margin=75,
    qualities=(45,),
    shares=(1.0,),
    molecule_error=1e-6,
    consensus=True,
)


class Visit(NamedTuple):
    """One visit of the invented patient; fractions of NPM1, FLT3, IDH2 and DNMT3A."""

    sample: str
    date: str
    specimen: str
    timepoint: str
    input_ng: int
    depth: int
    fractions: tuple[float, float, float, float]


VISITS = (
    Visit(
        "DX", "2024-01-08", "bone_marrow", "diagnosis", 500, 1500,
        (0.42, 0.31, 0.40, 0.44),
    ),
    Visit(
        "C1", "2024-02-12", "bone_marrow", "after_cycle_1", 500, 7000,
        (0.021, 0.009, 0.024, 0.31),
    ),
    Visit(
        "C2", "2024-03-18", "peripheral_blood", "after_cycle_2", 500, 12000,
        (0.0012, 0.0004, 0.0014, 0.22),
    ),
    Visit(
        "EOC", "2024-06-10", "bone_marrow", "end_of_treatment", 500, 15000,
        (0.0, 0.0, 0.0, 0.20),
    ),
    Visit(
        "FU3", "2024-09-09", "peripheral_blood", "follow_up", 500, 15000,
        (0.0, 0.0, 0.0, 0.19),
    ),
    Visit(
        "FU6", "2024-12-09", "bone_marrow", "follow_up", 500, 12000,
        (0.0026, 0.0, 0.0024, 0.21),
    ),
    Visit(
        "FU7", "2025-01-06", "bone_marrow", "follow_up", 500, 8000,
        (0.012, 0.0022, 0.011, 0.23),
    ),
)  # fmt: skip

TREATMENTS = """\
start,end,name,kind
2024-01-12,2024-01-18,7+3 and FLT3 inhibitor,induction
2024-02-19,2024-02-24,cytarabine and FLT3 inhibitor,consolidation
2024-03-25,2024-05-06,cytarabine and FLT3 inhibitor,consolidation
"""

VCF_HEAD = """\
##fileformat=VCFv4.3
##FILTER=<ID=PASS,Description="All filters passed">
##INFO=<ID=END,Number=1,Type=Integer,Description="Last base of the duplication">
##INFO=<ID=GENE,Number=1,Type=String,Description="Gene">
##INFO=<ID=SVTYPE,Number=1,Type=String,Description="Kind of structural variant">
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=AF,Number=A,Type=Float,Description="Share of the molecules">"""

README = """\
# An invented patient

Nothing here comes from a person. The reference is drawn from a seed, the reads are
simulated from it (`make fixtures` rebuilds every byte), and contig and gene names are
borrowed only so that the report reads like one.

* `reference.fa`: four invented contigs of 1,200 bases.
* `panel.toml`: the markers found at diagnosis, which are an NPM1 insertion, an FLT3-ITD
  of 66 bases, an IDH2 substitution, and a DNMT3A clone that is shown but drives no
  level.
* `diagnosis.vcf`: the same four markers as a caller wrote them at diagnosis, one as a
  symbolic duplication; `mrdtrack panel import` makes the panel of it.
* `visits.csv`: the visits, with file, day, tissue, time point and the DNA that went in.
* `treatments.csv`: what was given, and when.
* `*.bam`: amplicon reads, mates merged, one read a UMI family.
* `truth.tsv`: what the simulator drew, the true molecules of every marker.
"""

_OTHER = {"A": "G", "C": "T", "G": "A", "T": "C"}


def demo_reference() -> InventedReference:
    """Invent the reference; around the insertion stands the sequence it duplicates."""
    reference = InventedReference(
        dict.fromkeys(("chr2", "chr5", "chr13", "chr15"), 1200), SEED
    )
    reference.place("chr5", 590, "GATCTCTGGC")
    return reference


def demo_panel(reference: InventedReference) -> Panel:
    """Give the markers of the invented patient."""
    npm1, idh2, dnmt3a = (
        reference.fetch("chr5", 595, 596),
        reference.fetch("chr15", 599, 600),
        reference.fetch("chr2", 599, 600),
    )
    markers: tuple[Marker, ...] = (
        SmallVariant(
            id="NPM1-insTCTG",
            kind="small_variant",
            contig="chr5",
            position=596,
            ref=npm1,
            alt=f"{npm1}TCTG",
            gene="NPM1",
            vaf_at_diagnosis=0.42,
        ),
        Duplication(
            id="FLT3-ITD66",
            kind="duplication",
            contig="chr13",
            start=560,
            end=625,
            gene="FLT3",
            vaf_at_diagnosis=0.31,
        ),
        SmallVariant(
            id="IDH2-snv",
            kind="small_variant",
            contig="chr15",
            position=600,
            ref=idh2,
            alt=_OTHER[idh2],
            gene="IDH2",
            vaf_at_diagnosis=0.40,
        ),
        SmallVariant(
            id="DNMT3A-snv",
            kind="small_variant",
            contig="chr2",
            position=600,
            ref=dnmt3a,
            alt=_OTHER[dnmt3a],
            gene="DNMT3A",
            vaf_at_diagnosis=0.44,
            role="report_only",
            note="clonal haematopoiesis: counted and shown, never part of the level",
        ),
    )
    return Panel(
        schema_=SCHEMA,
        patient="DEMO-AML",
        disease="AML",
        assembly="invented",
        marker=markers,
    )


def diagnosis_vcf(panel: Panel, reference: InventedReference) -> str:
    """Give the markers as the variants that were called at diagnosis."""
    lines = [VCF_HEAD]
    lines += [
        f"##contig=<ID={n},length={size}>" for n, size in reference.lengths.items()
    ]
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tDX")
    for marker in panel.marker:
        info = f"GENE={marker.gene}"
        if isinstance(marker, Duplication):
            position = marker.start - 1
            ref = reference.fetch(marker.contig, position - 1, position)
            alt = "<DUP:TANDEM>"
            info += f";SVTYPE=DUP;END={marker.end}"
        elif isinstance(marker, SmallVariant):
            position, ref, alt = marker.position, marker.ref, marker.alt
        else:
            continue
        cells = (marker.contig, position, marker.id, ref, alt, ".", "PASS", info)
        sample = f"GT:AF\t0/1:{marker.vaf_at_diagnosis}"
        lines.append("\t".join(str(cell) for cell in cells) + f"\t{sample}")
    return "\n".join(lines) + "\n"


def build_demo(folder: Path) -> None:
    """Write the whole example into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    reference = demo_reference()
    panel = demo_panel(reference)
    reference.write(folder / "reference.fa")
    (folder / "panel.toml").write_text(panel_text(panel), encoding="utf-8")
    (folder / "diagnosis.vcf").write_text(
        diagnosis_vcf(panel, reference), encoding="utf-8"
    )
    (folder / "treatments.csv").write_text(TREATMENTS, encoding="utf-8")
    (folder / "README.md").write_text(README, encoding="utf-8")
    rows = ["file,sample,date,specimen,timepoint,input_ng"]
    truth: list[MarkerTruth] = []
    for visit in VISITS:
        names = (marker.id for marker in panel.marker)
        simulated = simulate_sample(
            SampleRecipe(
                visit.sample,
                dict(zip(names, visit.fractions, strict=True)),
                visit.depth,
            ),
            panel.marker,
            reference,
            assay=ASSAY,
            seed=SEED,
        )
        write_sample_bam(simulated, folder / f"{visit.sample}.bam", reference.lengths)
        truth.extend(simulated.truth)
        rows.append(
            f"{visit.sample}.bam,{visit.sample},{visit.date},{visit.specimen},"
            f"{visit.timepoint},{visit.input_ng}"
        )
    write_truth(folder / "truth.tsv", truth)
    (folder / "visits.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    build_demo(
        Path(sys.argv[1])
        if len(sys.argv) > 1
        else Path(__file__).resolve().parents[2] / "data" / "fixtures" / "demo"
    )
