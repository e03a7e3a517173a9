"""The right files that are changed: small, invented, and of every kind that is read."""

from __future__ import annotations

import json
import random
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import pysam

from fuzzing.bam_parts import BamParts, compress_by_records, join_bam, split_bam
from fuzzing.changes import seeded
from mrdtrack.commands.background import BackgroundRequest, background
from mrdtrack.commands.quantify import QuantifyRequest, quantify
from mrdtrack.panel.file import read_panel
from mrdtrack.panel.model import Panel
from mrdtrack.protocols.read import list_packaged

LENGTHS = {"chr1": 120_000, "chr2": 40_000, "chr3": 500}
SNV, DELETION, LATE, IDENTITY = 500, 40_100, 98_303, 700
CLONE = "TGTGCGAGAGACCCTTATTATCATGATAGTAACTATGACCTCCACCACTGG"
READ = 100


Texts = tuple[str, ...]


class Seeds(NamedTuple):
    """Everything right, in one folder; `few` is a panel of one marker."""

    folder: Path
    panel: Panel
    few: Panel
    bams: dict[str, BamParts]
    texts: dict[str, Texts]

    @property
    def reference(self) -> Path:
        """The invented reference."""
        return self.folder / "ref.fa"


class Template(NamedTuple):
    """One pair to make: its name, and where its first mate starts."""

    header: pysam.AlignmentHeader
    name: str
    contig: str
    start: int
    umi: bool


def genome() -> dict[str, str]:
    """Invent the contigs."""
    pick = seeded(7)
    return {name: "".join(pick.choices("ACGT", k=n)) for name, n in LENGTHS.items()}


def other_base(base: str) -> str:
    """Give a base that this one is not."""
    return {"A": "G", "C": "T", "G": "A", "T": "C"}[base]


def panel_text(bases: dict[str, str], *, clone: bool) -> str:
    """Write a panel of located markers, or one with a clone beside them."""
    one = bases["chr1"]
    small = [
        ("snv", SNV, one[SNV], other_base(one[SNV])),
        ("deletion", DELETION, one[DELETION : DELETION + 3], one[DELETION]),
        ("late", LATE, one[LATE], other_base(one[LATE])),
    ]
    text = 'schema = "mrdtrack-panel/1"\npatient = "P001"\ndisease = "AML"\n'
    for name, at, ref, alt in small:
        text += (
            f'\n[[marker]]\nid = "{name}"\nkind = "small_variant"\ncontig = "chr1"\n'
            f'position = {at + 1}\nref = "{ref}"\nalt = "{alt}"\n'
        )
    text += (
        '\n[[marker]]\nid = "itd"\nkind = "duplication"\ncontig = "chr2"\n'
        'start = 901\nend = 930\ninserted = "GA"\n'
    )
    if clone:
        text += (
            f'\n[[marker]]\nid = "clone"\nkind = "sequence"\nsequence = "{CLONE}"\n'
            'locus = "IGH"\nmax_edits = 1\n'
        )
    return text + (
        f'\n[[identity]]\ncontig = "chr1"\nposition = {IDENTITY + 1}\n'
        f'ref = "{one[IDENTITY]}"\nalt = "{other_base(one[IDENTITY])}"\n'
        'genotype = "0/1"\n'
    )


def invented_reads(
    bases: dict[str, str], header: pysam.AlignmentHeader, *, umi: bool
) -> list[pysam.AlignedSegment]:
    """Make pairs around the markers, some of them alt, and reads everywhere else."""
    pick = seeded(11)
    reads: list[pysam.AlignedSegment] = []
    places = [("chr1", SNV), ("chr1", DELETION), ("chr1", LATE), ("chr2", 915)]
    for number in range(240):
        contig, marker = places[number % 4]
        start = marker - pick.randrange(10, 90)
        if number % 3 == 0:
            contig = pick.choice(("chr1", "chr1", "chr2"))
            start = pick.randrange(LENGTHS[contig] - 400)
        template = Template(header, f"r{number}", contig, start, umi)
        reads += _pair(template, bases, pick)
    reads.sort(key=lambda read: (read.reference_id, read.reference_start))
    for number in range(12):
        read = pysam.AlignedSegment(header)
        read.query_name, read.flag = f"u{number}", 4
        letters = bases["chr3"][:25] + CLONE + bases["chr3"][30:52]
        read.query_sequence = letters
        read.query_qualities = pysam.qualitystring_to_array("F" * len(letters))
        reads.append(read)
    return reads


def _pair(
    template: Template, bases: dict[str, str], pick: random.Random
) -> list[pysam.AlignedSegment]:
    header, name, contig, start, umi = template
    starts = start, start + pick.randrange(20, 150)
    is_alt = pick.random() < 0.2
    tag = "".join(pick.choices("ACGT", k=8))
    pair = []
    for mate, (at, other) in enumerate((starts, starts[::-1])):
        letters = list(bases[contig][at : at + READ])
        for place in (SNV, LATE):
            if is_alt and contig == "chr1" and at <= place < at + len(letters):
                letters[place - at] = other_base(letters[place - at])
        read = pysam.AlignedSegment(header)
        read.query_name, read.flag = name, (99, 147)[mate]
        read.reference_id, read.reference_start = header.get_tid(contig), at
        read.mapping_quality = 60
        read.cigarstring = f"{len(letters)}M"
        read.next_reference_id, read.next_reference_start = read.reference_id, other
        read.query_sequence = "".join(letters)
        read.query_qualities = pysam.qualitystring_to_array("F" * len(letters))
        read.set_tag("RG", "g1")
        if umi:
            read.set_tag("RX", tag)
        pair.append(read)
    return pair


def make_seeds(folder: Path) -> Seeds:
    """Write everything into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    bases = genome()
    lines = [f">{name}\n{text}\n" for name, text in bases.items()]
    (folder / "ref.fa").write_text("".join(lines))
    pysam.faidx(str(folder / "ref.fa"))
    (folder / "panel.toml").write_text(panel_text(bases, clone=False))
    (folder / "scan.toml").write_text(panel_text(bases, clone=True))
    bams = {}
    for name in ("plain", "umi"):
        bams[name] = _write_bam(folder, name, bases)
    results = _results(folder)
    texts: dict[str, Texts] = {
        "panel": (panel_text(bases, clone=True),),
        "fai": ((folder / "ref.fa.fai").read_text(),),
        **results,
        **_laboratory_files(bases),
        **{f"protocol {name}": (_protocol(name),) for name in list_packaged()},
    }
    panel = read_panel(folder / "panel.toml")
    few = panel.model_copy(update={"marker": panel.marker[2:3], "identity": ()})
    return Seeds(folder, panel, few, bams, texts)


def _write_bam(folder: Path, name: str, bases: dict[str, str]) -> BamParts:
    """Write a BAM with small blocks and both indexes, a CRAM and a SAM of it."""
    text = "@HD\tVN:1.6\tSO:coordinate\n"
    text += "".join(f"@SQ\tSN:{contig}\tLN:{n}\n" for contig, n in LENGTHS.items())
    text += "@RG\tID:g1\tSM:S1\tLB:L1\n@PG\tID:aligner\tPN:aligner\tVN:1\n"
    header = pysam.AlignmentHeader.from_text(text)
    path = folder / f"{name}.bam"
    with pysam.AlignmentFile(str(path), "wb", header=header) as file:
        for read in invented_reads(bases, header, umi=name == "umi"):
            file.write(read)
    parts = split_bam(path.read_bytes())
    path.write_bytes(compress_by_records(parts, 6))
    pysam.index("-c", str(path))
    pysam.index(str(path))
    (folder / f"{name}.odd.bam").write_bytes(join_bam(parts, 1000))
    pysam.index(str(folder / f"{name}.odd.bam"))
    reference = str(folder / "ref.fa")
    cram = folder / f"{name}.cram"
    options = ["-C", "-T", reference, "--output-fmt-option", "seqs_per_slice=60"]
    pysam.view(*options, "-o", str(cram), str(path), catch_stdout=False)
    pysam.index(str(cram))
    pysam.view("-h", "-o", str(folder / f"{name}.sam"), str(path), catch_stdout=False)
    return parts


def _results(folder: Path) -> dict[str, Texts]:
    """Run the commands once, for the files they write and read again."""
    out = folder / "out"
    panel, reference = folder / "panel.toml", folder / "ref.fa"
    visits = []
    for number, day in enumerate(("2024-01-08", "2024-02-12", "2024-03-18")):
        quantify(
            QuantifyRequest(
                panel=panel,
                reference=reference,
                reads=(folder / "plain.bam",),
                output=out,
                sample=f"S{number}",
                date=day,
                specimen="bone_marrow",
                timepoint="diagnosis" if number == 0 else "follow_up",
                quiet=True,
                force=True,
            )
        )
        visits.append((out / f"S{number}.mrd.json").read_text())
    background(
        BackgroundRequest(
            panel=panel,
            reference=reference,
            reads=(folder / "plain.bam", folder / "umi.bam"),
            output=out / "background.json",
            molecules="fragments",
            quiet=True,
            force=True,
        )
    )
    held = json.loads((out / "background.json").read_text())
    held["classes"] = {
        name: sites[:3] for name, sites in list(held["classes"].items())[:12]
    }
    return {
        "result": tuple(visits),
        "visit": tuple(visits[:1]),
        "counts": ((out / "S0.counts.tsv").read_text(),),
        "sites": ("".join(_head(out / "S0.background.tsv", 60)),),
        "background": (json.dumps(held, indent=1),),
        "vcf": ((out / "S0.vcf").read_text(),),
    }


def _protocol(name: str) -> str:
    data = resources.files("mrdtrack.protocols") / "data" / f"{name}.toml"
    return data.read_text(encoding="utf-8")


def _head(path: Path, n_lines: int) -> list[str]:
    return path.read_text().splitlines(keepends=True)[:n_lines]


def _laboratory_files(bases: dict[str, str]) -> dict[str, Texts]:
    """Write files as laboratories have them: tables, clonotypes, follow-up."""
    one = bases["chr1"]
    airr = (
        "sequence_id\tsequence\trev_comp\tproductive\tv_call\td_call\tj_call\t"
        "junction\tjunction_aa\tduplicate_count\tlocus\n"
        f"c1\t{one[:120]}{CLONE}{one[200:280]}\tF\tT\tIGHV1-2*01\tIGHD3\tIGHJ4*02\t"
        f"{CLONE}\tCARDPYYHDSNYDLHHW\t9000\tIGH\n"
        f"c2\t{one[300:500]}\tF\tF\tIGKV1-5*01\t\tIGKJ2*01\t{one[380:420]}\t\t300\tIGK\n"
    )
    vidjil = {
        "vidjil_json_version": "2024.01",
        "samples": {"number": 1, "timestamp": ["2024-01-08 10:00:00"], "names": ["Dx"]},
        "reads": {"total": [10000], "segmented": [9000], "germline": {"IGH": [9000]}},
        "clones": [
            {
                "id": "c1",
                "sequence": one[:100] + CLONE + one[200:260],
                "name": "IGHV1 IGHJ4",
                "reads": [8000],
                "germline": "IGH",
                "top": 1,
                "seg": {"junction": {"start": 101, "stop": 151}},
            }
        ],
    }
    table = (
        "name\tchrom\tpos\tref\talt\tgene\tvaf\n"
        f"snv\tchr1\t{SNV + 1}\t{one[SNV]}\t{other_base(one[SNV])}\tIDH2\t30%\n"
        f"del\tchr1\t{DELETION + 1}\t{one[DELETION : DELETION + 3]}\t{one[DELETION]}"
        "\tNPM1\t0,4\n"
    )
    bedpe = (
        "chrom1\tstart1\tend1\tchrom2\tstart2\tend2\tname\tscore\tstrand1\tstrand2\n"
        "chr1\t999\t1000\tchr2\t399\t400\tfusion\t60\t+\t-\n"
        "chr1\t4999\t5000\tchr1\t6999\t7000\tdel\t60\t+\t-\n"
    )
    immunoseq = (
        "nucleotide\taminoAcid\ttemplates\tsequenceTags\n"
        f"{CLONE}{one[:30]}\tCAR\t500\tDx\n"
    )
    external = (
        "date,specimen,metric,value,lod,call,method,target\n"
        "2024-02-12,bone_marrow,ratio_pct_abl1,0.02,0.0001,quantified,RT-qPCR,NPM1\n"
        "2024-03-18,bone_marrow,mfc_pct_wbc,,0.0001,not_detected,flow,\n"
    )
    treatments = (
        "start,end,name,kind\n2024-01-12,2024-01-18,7+3,induction\n"
        "2024-02-19,,cytarabine,consolidation\n"
    )
    facts = (
        'patient = "P001"\nage_group = "adult"\neln_risk = "intermediate"\n'
        'altered = ["NPM1"]\ntested = ["FLT3"]\n[dates]\ntransplant = "2024-03-01"\n'
        '[[blasts]]\ndate = "2024-02-12"\npercent = 3.5\n'
    )
    return {
        "airr": (airr,),
        "vidjil": (json.dumps(vidjil, indent=1),),
        "table": (table, bedpe, immunoseq),
        "external": (external,),
        "treatments": (treatments,),
        "facts": (facts,),
    }
