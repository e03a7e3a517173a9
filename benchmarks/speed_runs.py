"""The commands that the benchmarks of speed run, each group beside its yardstick."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.made_files import make_cram
from benchmarks.speed_files import Files
from benchmarks.timed_runs import Runs

DOOR = """
import sys
from pathlib import Path
from mrdtrack.counting.reads_file import open_reads
reference = Path(sys.argv[3]) if len(sys.argv) > 3 else None
n = 0
for chunk in open_reads(Path(sys.argv[1]), reference).chunks(None, int(sys.argv[2])):
    n += len(chunk)
"""
INFLATE = """
import sys
from mrdtrack.counting.bgzf import inflate_batch, read_batches
from mrdtrack.counting.relay import relay
with open(sys.argv[1], "rb") as file:
    batches = read_batches(file)
    for _ in relay(batches, inflate_batch, lambda part: part, len, int(sys.argv[2])):
        pass
"""
PYSAM_LOOP = """
import sys, pysam
with pysam.AlignmentFile(sys.argv[1]) as file:
    for line in open(sys.argv[2]):
        contig, start, end = line.split()[:3]
        for read in file.fetch(contig, int(start), int(end)):
            read.query_sequence, read.query_qualities, read.cigartuples
"""


def samtools(*arguments: str) -> list[str]:
    """Make a samtools command."""
    return ["samtools", *arguments]


def python(script: str, *arguments: object) -> list[str]:
    """Make a command that runs a script."""
    return [sys.executable, "-c", script, *map(str, arguments)]


def quantify(work: Path, panel: Path, reads: Path, *arguments: object) -> list[str]:
    """Make a whole `mrdtrack quantify` command."""
    return [
        sys.executable,
        "-m",
        "mrdtrack",
        "quantify",
        str(panel),
        str(reads),
        "--output",
        str(work / "out"),
        "--force",
        "--quiet",
        *map(str, arguments),
    ]


def start_up(files: Files) -> Runs:
    """Run one marker over 10,000 reads: nearly nothing but start-up."""
    reads, panel = files.panel("small"), files.markers(1)
    command = quantify(files.work, panel, reads, "--reference", files.reference)
    return Runs("start-up (a small run)", [*command, "-t", "1"])


def floor(reads: Path) -> list[Runs]:
    """List samtools counting the reads, and inflation alone."""
    return [
        Runs("samtools view -c", samtools("view", "-c", str(reads))),
        Runs("samtools view -c -@1", samtools("view", "-c", "-@1", str(reads))),
        Runs("samtools view -c -@2", samtools("view", "-c", "-@2", str(reads))),
        Runs("inflate alone, 1 thread", python(INFLATE, reads, 1)),
        Runs("inflate alone, 2 threads", python(INFLATE, reads, 2)),
    ]


def door_group(files: Files, reads: Path) -> list[Runs]:
    """List what it costs to get checked records, without any counting."""
    start = start_up(files)
    return [
        *floor(reads),
        start,
        Runs("the door, 1 thread", python(DOOR, reads, 1), start),
        Runs("the door, 2 threads", python(DOOR, reads, 2), start),
    ]


def scan_group(files: Files, reads: Path, n_sequences: int = 0) -> list[Runs]:
    """List full scans for 100 markers; by UMIs too."""
    panel = files.markers(100, n_sequences)
    shared = ("--reference", files.reference, "--scan", "--molecules")
    start = start_up(files)

    def scan(name: str, *arguments: object) -> Runs:
        return Runs(
            name, quantify(files.work, panel, reads, *shared, *arguments), start
        )

    return [
        *floor(reads),
        start,
        scan("quantify --scan", "fragments", "-t", 1),
        scan("quantify --scan, 2 threads", "fragments", "-t", 2),
        scan("quantify --scan, UMI", "umi", "--umi-tag", "RX", "-t", 1),
    ]


def index_group(
    files: Files, panel: Path, reads: Path, reference: Path, *, slow_peers: bool
) -> list[Runs]:
    """List runs by the index."""
    bed = str(panel.with_suffix(".bed"))
    options = ("--reference", reference, "--molecules", "fragments", "-t")
    start = start_up(files)
    counted = samtools("view", "-c", "-M", "-L", bed, str(reads))
    piled = samtools("mpileup", "-d", "0", "-f", str(reference), "-l", bed, str(reads))
    peers = [
        Runs("pysam fetch loop", python(PYSAM_LOOP, reads, bed)),
        Runs("samtools mpileup -l", piled),
    ]
    work = files.work
    return [
        Runs("samtools view -c -M -L", counted),
        start,
        Runs("quantify", quantify(work, panel, reads, *options, 1), start),
        Runs("quantify, 2 threads", quantify(work, panel, reads, *options, 2), start),
        *(peers if slow_peers else []),
        *gbcms(files.work, panel, reads, reference),
    ]


def cram_group(files: Files) -> list[Runs]:
    """List runs on CRAM."""
    cram = make_cram(files.panel("panel"), files.reference)
    options = ("--reference", files.reference, "--scan", "--molecules", "fragments")
    counted = samtools("view", "-c", "-T", str(files.reference), str(cram))
    scan = quantify(files.work, files.markers(100), cram, *options, "-t", 1)
    start = start_up(files)
    return [
        Runs("samtools view -c", counted),
        start,
        Runs("the door, 1 thread", python(DOOR, cram, 1, files.reference), start),
        Runs("quantify --scan", scan, start),
    ]


def growth(files: Files, counts: list[tuple[int, int]]) -> list[Runs]:
    """List how cost grows with markers and sequences."""
    reads = files.panel("panel")
    options = ("--reference", files.reference, "--scan", "--molecules", "fragments")
    start = start_up(files)
    return [
        Runs("samtools view -c", samtools("view", "-c", str(reads))),
        start,
        *(
            Runs(
                f"{n} markers, {m} sequences",
                quantify(files.work, files.markers(n, m), reads, *options, "-t", 1),
                start,
            )
            for n, m in counts
        ),
    ]


def gbcms(work: Path, panel: Path, reads: Path, reference: Path) -> list[Runs]:
    """Add gbcms where it is installed."""
    if shutil.which("gbcms") is None:
        return []
    vcf = panel.with_suffix(".vcf")
    lines = ["##fileformat=VCFv4.2", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    text = panel.read_text().split("[[marker]]")[1:]
    for part in text:
        fields = dict(line.split(" = ") for line in part.strip().splitlines())
        ref, alt = fields["ref"].strip('"'), fields["alt"].strip('"')
        lines.append(f"chr1\t{fields['position']}\t.\t{ref}\t{alt}\t.\t.\t.")
    vcf.write_text("\n".join(lines) + "\n")
    command = ["gbcms", "dna", "--variants", str(vcf), "--bam", f"s:{reads}"]
    command += ["--fasta", str(reference), "--output-dir", str(work / "gbcms")]
    return [Runs("gbcms", command)]


def bound_groups(
    files: Files, *, slow_peers: bool
) -> dict[str, Callable[[], list[Runs]]]:
    """List the groups that the bounds are about; files are made when one is called."""

    def index(panel: Path, reads: Path, reference: Path) -> list[Runs]:
        return index_group(files, panel, reads, reference, slow_peers=slow_peers)

    return {
        "scan: panel, 100 markers": lambda: scan_group(files, files.panel("panel")),
        "scan: full entropy, 100 markers": lambda: scan_group(
            files, files.panel("entropy", binned=False)
        ),
        "scan: 500 sequences beside 100 markers": lambda: growth(
            files, [(100, 0), (100, 500)]
        ),
        "index: small run, 1 marker, 10,000 reads": lambda: index(
            files.markers(1), files.panel("small"), files.reference
        ),
        "index: 10 markers x 60,000 fragments": lambda: index(
            files.amplicon_markers(), files.amplicon(), files.reference
        ),
        "index: panel, 100 markers": lambda: index(
            files.markers(100), files.panel("panel"), files.reference
        ),
        "index: WGS-like, 100 markers": lambda: index(
            files.wgs_markers(), files.wgs(), files.genome
        ),
        "CRAM: panel": lambda: cram_group(files),
    }


def further_groups(files: Files) -> dict[str, Callable[[], list[Runs]]]:
    """List what else is worth knowing."""
    return {
        "door: panel": lambda: door_group(files, files.panel("panel")),
        "door: full-entropy qualities": lambda: door_group(
            files, files.panel("entropy", binned=False)
        ),
        "door: WGS-like": lambda: door_group(files, files.wgs()),
        "scan: families of 300 UMIs": lambda: scan_group(
            files, files.panel("umi", n_umis=300)
        ),
        "growth: markers": lambda: growth(
            files, [(1, 0), (10, 0), (100, 0), (1000, 0)]
        ),
        "growth: sequences": lambda: growth(
            files, [(1, 1), (1, 10), (1, 100), (100, 500)]
        ),
    }
