"""The counters of others, asked for the same markers on the same reads.

Each gives (alt, all) reads or fragments of the markers it can express; a marker it
leaves out is None. They run at their own defaults, with depth caps lifted.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path

from mrdtrack.lab.simulate_reference import InventedReference
from mrdtrack.panel.model import Duplication, Panel, SmallVariant

Counts = dict[str, tuple[int, int]]


def write_vcf(panel: Panel, reference: InventedReference, path: Path) -> None:
    """Write the markers that VCF can spell with plain alleles."""
    lines = ["##fileformat=VCFv4.2"]
    lines += [
        f"##contig=<ID={n},length={size}>" for n, size in reference.lengths.items()
    ]
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    for marker in panel.marker:
        if isinstance(marker, SmallVariant):
            place, ref, alt = marker.position, marker.ref, marker.alt
        elif isinstance(marker, Duplication):
            place = marker.start - 1
            ref = reference.fetch(marker.contig, place - 1, place)
            bases = reference.fetch(marker.contig, place, marker.end)
            alt = ref + bases
        else:
            continue
        lines.append(f"{marker.contig}\t{place}\t{marker.id}\t{ref}\t{alt}\t.\t.\t.")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def run_gbcms(
    command: str | None, bam: Path, fasta: Path, vcf: Path, folder: Path
) -> Counts | None:
    """Ask gbcms (fragments), None where it is not installed."""
    if command is None:
        return None
    out = folder / "gbcms"
    shutil.rmtree(out, ignore_errors=True)
    _quiet(
        *(command, "dna", "-v", vcf, "-b", f"s:{bam}", "-f", fasta, "-o", out),
        *("--format", "maf", "--threads", "1"),
    )
    table = next(out.glob("*.maf"))
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader((x for x in file if x[0] != "#"), delimiter="\t"))
    return _gbcms_counts(rows)


def _gbcms_counts(rows: list[dict[str, str]]) -> Counts:
    found: Counts = {}
    for row in rows:
        name = row.get("ID") or row.get("vcf_id") or row.get("Hugo_Symbol") or ""
        alt = int(row["alt_count_fragment"])
        ref = int(row["ref_count_fragment"])
        found[name] = (alt, alt + ref)
    return found


def run_bcftools(bam: Path, fasta: Path, vcf: Path) -> Counts | None:
    """Ask `bcftools mpileup` (reads), None where it is not installed."""
    command = shutil.which("bcftools")
    if command is None:
        return None
    normalise = [command, "norm", "-m", "-", "-f", str(fasta), "-Ou"]
    asked = _query(command, _piped(normalise, vcf.read_bytes()), "%ID")
    pileup = subprocess.run(
        [
            *(command, "mpileup", "-A", "-d", "1000000", "-L", "1000000"),
            *("-a", "FORMAT/AD", "-f", fasta, "-R", vcf, "-Ou", bam),
        ],
        check=True,
        capture_output=True,
    )
    found: Counts = {}
    answers = _query(command, _piped(normalise, pileup.stdout), "[%AD]")
    for allele, depths in answers.items():
        if allele in asked:
            counts = [int(depth) for depth in depths.split(",")]
            found[asked[allele]] = (counts[1], sum(counts))
    return found


def run_freebayes(bam: Path, fasta: Path, vcf: Path, folder: Path) -> Counts | None:
    """Ask freebayes for the given alleles only (reads), None where it is missing."""
    command, bcftools = shutil.which("freebayes"), shutil.which("bcftools")
    if command is None or bcftools is None:
        return None
    normalise = [bcftools, "norm", "-m", "-", "-f", str(fasta)]
    given = folder / "given.vcf.gz"
    given.write_bytes(_piped([*normalise, "-Oz"], vcf.read_bytes()))
    _quiet(bcftools, "index", "-f", "-t", given)
    asked = _query(bcftools, _piped([*normalise, "-Ou"], vcf.read_bytes()), "%ID")
    called = subprocess.run(
        [
            *(command, "-f", fasta, "-@", given, "-l", "-K", "-C", "1", "-F", "0"),
            *("-m", "20", "-q", "20", "--max-complex-gap", "-1", bam),
        ],
        check=True,
        capture_output=True,
    )
    found: Counts = {}
    answers = _query(
        bcftools, _piped([*normalise, "-Ou"], called.stdout), "%INFO/AO\\t%INFO/RO"
    )
    for allele, depths in answers.items():
        if allele in asked:
            alt, ref = (int(depth) for depth in depths.split("\t"))
            found[asked[allele]] = (alt, alt + ref)
    return found


def _query(command: str, variants: bytes, column: str) -> dict[str, str]:
    """Give one column of VCF records by their allele."""
    form = f"%CHROM:%POS:%REF:%ALT\t{column}\n"
    text = _piped([command, "query", "-f", form], variants).decode()
    pairs = (line.split("\t", 1) for line in text.splitlines())
    return dict(pairs)


def _piped(command: list[str], given: bytes) -> bytes:
    return subprocess.run(command, check=True, input=given, capture_output=True).stdout


def _quiet(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)
