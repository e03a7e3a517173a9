"""How fast mrdtrack reads and counts, against the floor and against its peers.

    python benchmarks/speed.py [--reads N] [--rounds K] [--only TEXT]... [--keep DIR]

Makes its own files (panel, full-entropy qualities, WGS-like, amplicon, UMI, CRAM), runs
every command of a group alternately, whole processes with a warm cache, and prints
wall, CPU and peak memory with the ratio to the group's yardstick: median [min, max].
Peers that are not installed are left out. `control` is the yardstick run twice at once
over its time alone: near 1.0 the cores were free, and only then do wall ratios with
threads mean something.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.made_files import (
    LETTERS,
    Bytes,
    Recipe,
    amplicon_starts,
    even_starts,
    make_bam,
    make_cram,
    make_reference,
    panel_starts,
)

REPOSITORY = Path(__file__).resolve().parents[1]
PANEL_LENGTH = 2_000_000
WGS_LENGTH = 100_000_000

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
from mrdtrack.counting.bgzf import inflate_ahead, read_batches
with open(sys.argv[1], "rb") as file:
    for _ in inflate_ahead(read_batches(file), int(sys.argv[2])):
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


@dataclass
class Runs:
    """What the runs of one command took."""

    name: str
    command: list[str]
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak_mb: float = 0.0
    failed: str = ""


def environment(work: Path) -> dict[str, str]:
    """Set what makes runs comparable: byte code and kernels cached, one place each."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in {"PYTHONDONTWRITEBYTECODE", "NUMBA_DISABLE_JIT"}
    }
    return kept | {
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONPYCACHEPREFIX": str(work / "bytecode"),
        "NUMBA_CACHE_DIR": str(work / "kernels"),
    }


LAUNCH = """
import os, sys, time
start = time.perf_counter()
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(process, 0)
taken = time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss
print("MEASURED", os.waitstatus_to_exitcode(status), *taken, file=sys.stderr)
"""


def run_once(command: list[str], work: Path) -> tuple[float, float, float, str]:
    """Run a command: wall and CPU seconds, peak memory in MB, what went wrong.

    A small launcher starts it: a process's peak memory counts from its parent's size.
    """
    done = subprocess.run(
        [sys.executable, "-S", "-c", LAUNCH, *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment(work),
        text=True,
        errors="replace",
        check=False,
    )
    *said, measured = done.stderr.strip().splitlines()
    _, code, wall, cpu, peak = measured.split()
    failed = "" if code == "0" else (said or [f"exit {code}"])[-1]
    return float(wall), float(cpu), float(peak) / 1024, failed


def control(command: list[str], work: Path, alone: float) -> float:
    """Run the yardstick twice at once: how much longer than alone it takes."""
    start = time.perf_counter()
    both = [
        subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env
        )
        for env in [environment(work)] * 2
    ]
    for process in both:
        process.wait()
    return (time.perf_counter() - start) / alone


def measure(title: str, group: list[Runs], rounds: int, work: Path) -> None:
    """Run a group alternately and print it; the first is the yardstick."""
    for runs in group:
        *_, runs.failed = run_once(runs.command, work)
    crowding = []
    for _ in range(rounds):
        for runs in group:
            if not runs.failed:
                wall, cpu, peak, _ = run_once(runs.command, work)
                runs.wall.append(wall)
                runs.cpu.append(cpu)
                runs.peak_mb = max(runs.peak_mb, peak)
        if group[0].wall:
            crowding.append(control(group[0].command, work, group[0].wall[-1]))
    if crowding:
        title += f"  (control {statistics.median(crowding):.2f})"
    print(
        f"\n{title}\n{'':34}{'wall s':>8}{'CPU s':>8}{'MB':>6}   ratio of wall"
        "           ratio of CPU"
    )
    for runs in group:
        print_runs(runs, group[0])
    sys.stdout.flush()


def print_runs(runs: Runs, yardstick: Runs) -> None:
    """Print one line."""
    if not runs.wall:
        print(f"{runs.name:34}  did not run: {runs.failed[:90]}")
        return
    walls = [a / b for a, b in zip(runs.wall, yardstick.wall, strict=False)]
    cpus = [a / b for a, b in zip(runs.cpu, yardstick.cpu, strict=False)]
    print(
        f"{runs.name:34}{statistics.median(runs.wall):8.2f}"
        f"{statistics.median(runs.cpu):8.2f}{runs.peak_mb:6.0f}   "
        f"{spread(walls):22}  {spread(cpus)}"
    )


def spread(ratios: list[float]) -> str:
    """Write median, least and largest ratio."""
    if not ratios:
        return ""
    middle = statistics.median(ratios)
    return f"{middle:.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"


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


def write_panel(
    path: Path, bases: Bytes, sites: list[int], n_sequences: int = 0
) -> Path:
    """Write a panel of SNVs at 0-based sites, and of sequences cut from the contig."""
    lines = ['schema = "mrdtrack-panel/1"', 'patient = "P"', 'disease = "AML"']
    letters = LETTERS[bases].tobytes().decode()
    for site in sites:
        ref = letters[site]
        alt = "ACGT"[("ACGT".index(ref) + 1) % 4]
        lines += [
            "[[marker]]",
            f'id = "m{site}"',
            'kind = "small_variant"\ncontig = "chr1"',
            f'position = {site + 1}\nref = "{ref}"\nalt = "{alt}"',
        ]
    for number in range(n_sequences):
        at = (number * 7919 + 13) % (len(letters) - 200)
        sequence = letters[at : at + 30] + letters[at + 120 : at + 150]
        lines += [
            "[[marker]]",
            f'id = "s{number}"\nkind = "sequence"\nsequence = "{sequence}"',
        ]
    path.write_text("\n".join(lines) + "\n")
    bed = path.with_suffix(".bed")
    bed.write_text("".join(f"chr1\t{max(s - 1, 0)}\t{s + 2}\n" for s in sites))
    return path


def panel_sites(n_sites: int, n_regions: int = 20) -> list[int]:
    """Spread sites over the panel's regions."""
    return sorted(
        {
            (2 * (n % n_regions) + 1) * PANEL_LENGTH // (2 * n_regions)
            - 60
            + (n // n_regions) * max(1, 120 * n_regions // n_sites)
            for n in range(n_sites)
        }
    )


def even_sites(n_sites: int, length: int) -> list[int]:
    """Spread sites evenly over a contig."""
    return [(2 * n + 1) * length // (2 * n_sites) for n in range(n_sites)]


def door_group(reads: Path) -> list[Runs]:
    """List what it costs to get checked records, without any counting."""
    return [
        Runs("samtools view -c", samtools("view", "-c", str(reads))),
        Runs("samtools view -c -@1", samtools("view", "-c", "-@1", str(reads))),
        Runs("samtools view -c -@2", samtools("view", "-c", "-@2", str(reads))),
        Runs("inflate alone, 1 thread", python(INFLATE, reads, 1)),
        Runs("inflate alone, 2 threads", python(INFLATE, reads, 2)),
        Runs("the door, 1 thread", python(DOOR, reads, 1)),
        Runs("the door, 2 threads", python(DOOR, reads, 2)),
    ]


def scan_group(work: Path, panel: Path, reads: Path, reference: Path) -> list[Runs]:
    """List full scans."""
    options = ("--reference", reference, "--scan", "--molecules", "fragments")
    return [
        Runs("samtools view -c", samtools("view", "-c", str(reads))),
        Runs("samtools view -c -@1", samtools("view", "-c", "-@1", str(reads))),
        Runs("samtools view -c -@2", samtools("view", "-c", "-@2", str(reads))),
        Runs("quantify --scan", quantify(work, panel, reads, *options)),
        Runs(
            "quantify --scan, 2 threads",
            quantify(work, panel, reads, *options, "--threads", 2),
        ),
        Runs(
            "quantify --scan, UMI",
            quantify(work, panel, reads, *options[:-1], "umi", "--umi-tag", "RX"),
        ),
    ]


def index_group(work: Path, panel: Path, reads: Path, reference: Path) -> list[Runs]:
    """List runs by the index."""
    bed = str(panel.with_suffix(".bed"))
    options = ("--reference", reference, "--molecules", "fragments")
    counted = samtools("view", "-c", "-M", "-L", bed, str(reads))
    piled = samtools("mpileup", "-d", "0", "-f", str(reference), "-l", bed, str(reads))
    return [
        Runs("samtools view -c -M -L", counted),
        Runs("quantify", quantify(work, panel, reads, *options)),
        Runs("quantify, 2 threads", quantify(work, panel, reads, *options, "-t", 2)),
        Runs("pysam fetch loop", python(PYSAM_LOOP, reads, bed)),
        Runs("samtools mpileup -l", piled),
        *gbcms(work, panel, reads, reference),
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
    command = ["gbcms", "run", "--variants", str(vcf), "--bam", f"s:{reads}"]
    command += ["--fasta", str(reference), "--output-dir", str(work / "gbcms")]
    return [Runs("gbcms", command)]


class Files:
    """The files of the benchmarks, each made when first asked for."""

    def __init__(self, work: Path, n_reads: int) -> None:
        """Make files in `work`, of `n_reads` reads where nothing else is said."""
        self.work = work
        self.n_reads = n_reads
        self.reference = work / "panel.fa"
        self.bases = make_reference(self.reference, PANEL_LENGTH)
        self.genome = work / "wgs.fa"

    def panel(self, name: str, *, binned: bool = True, n_umis: int = 0) -> Path:
        """Make reads at 20 regions."""
        recipe = Recipe(
            name=name,
            n_reads=10_000 if name == "tiny" else self.n_reads,
            length=PANEL_LENGTH,
            starts=panel_starts(PANEL_LENGTH),
            binned=binned,
            n_umis=n_umis,
        )
        return make_bam(self.work, recipe, self.bases)

    def amplicon(self) -> Path:
        """Make reads of ten amplicons."""
        recipe = Recipe(
            name="amplicon",
            n_reads=self.n_reads // 4,
            length=PANEL_LENGTH,
            starts=amplicon_starts(PANEL_LENGTH),
        )
        return make_bam(self.work, recipe, self.bases)

    def wgs(self) -> Path:
        """Make reads spread over 100 Mb."""
        recipe = Recipe(
            name="wgs",
            n_reads=2 * self.n_reads,
            length=WGS_LENGTH,
            starts=even_starts(WGS_LENGTH),
        )
        return make_bam(self.work, recipe, make_reference(self.genome, WGS_LENGTH))

    def markers(self, n_markers: int, n_sequences: int = 0) -> Path:
        """Write a panel of so many markers over the 20 regions."""
        path = self.work / f"markers{n_markers}.sequences{n_sequences}.toml"
        return write_panel(path, self.bases, panel_sites(n_markers), n_sequences)

    def wgs_markers(self) -> Path:
        """Write a panel of 100 markers over 100 Mb."""
        genome = make_reference(self.genome, WGS_LENGTH)
        return write_panel(self.work / "wgs.toml", genome, even_sites(100, WGS_LENGTH))

    def amplicon_markers(self) -> Path:
        """Write a panel of one marker in each amplicon."""
        sites = even_sites(10, PANEL_LENGTH)
        return write_panel(self.work / "ten.toml", self.bases, sites)


def cram_group(files: Files) -> list[Runs]:
    """List runs on CRAM."""
    cram = make_cram(files.panel("panel"), files.reference)
    options = ("--reference", files.reference, "--scan")
    counted = samtools("view", "-c", "-T", str(files.reference), str(cram))
    return [
        Runs("samtools view -c", counted),
        Runs("the door, 1 thread", python(DOOR, cram, 1, files.reference)),
        Runs("the door, 2 threads", python(DOOR, cram, 2, files.reference)),
        Runs(
            "quantify --scan", quantify(files.work, files.markers(100), cram, *options)
        ),
    ]


def growth(files: Files, counts: list[tuple[int, int]]) -> list[Runs]:
    """List how cost grows with markers and sequences."""
    reads = files.panel("panel")
    options = ("--reference", files.reference, "--scan", "--molecules", "fragments")
    return [
        Runs("samtools view -c", samtools("view", "-c", str(reads))),
        *(
            Runs(
                f"{n} markers, {m} sequences",
                quantify(files.work, files.markers(n, m), reads, *options),
            )
            for n, m in counts
        ),
    ]


def groups(files: Files) -> dict[str, Callable[[], list[Runs]]]:
    """List every group; its files are made when it is called."""
    work, fasta = files.work, files.reference

    def scan(reads: Path) -> list[Runs]:
        return scan_group(work, files.markers(100), reads, fasta)

    def index(panel: Path, reads: Path, reference: Path = fasta) -> list[Runs]:
        return index_group(work, panel, reads, reference)

    def entropy() -> Path:
        return files.panel("entropy", binned=False)

    return {
        "door: panel": lambda: door_group(files.panel("panel")),
        "door: full-entropy qualities": lambda: door_group(entropy()),
        "door: WGS-like": lambda: door_group(files.wgs()),
        "CRAM: panel": lambda: cram_group(files),
        "scan: panel, 100 markers": lambda: scan(files.panel("panel")),
        "scan: full entropy, 100 markers": lambda: scan(entropy()),
        "scan: UMI, 100 markers": lambda: scan(files.panel("umi", n_umis=300)),
        "index: panel, 100 markers": lambda: index(
            files.markers(100), files.panel("panel")
        ),
        "index: WGS-like, 100 markers": lambda: index(
            files.wgs_markers(), files.wgs(), files.genome
        ),
        "index: amplicon, 10 markers": lambda: index(
            files.amplicon_markers(), files.amplicon()
        ),
        "index: small run, 1 marker, 10,000 reads": lambda: index(
            files.markers(1), files.panel("tiny")
        ),
        "growth: markers": lambda: growth(
            files, [(1, 0), (10, 0), (100, 0), (1000, 0)]
        ),
        "growth: sequences": lambda: growth(
            files, [(1, 1), (1, 10), (1, 100), (100, 500)]
        ),
    }


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reads", type=int, default=5_000_000, help="in the panel")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append", default=[], help="part of a title")
    parser.add_argument(
        "--keep", type=Path, help="folder for files, kept for next time"
    )
    options = parser.parse_args()
    if shutil.which("samtools") is None:
        parser.error("samtools is the yardstick, and it is not installed")
    with tempfile.TemporaryDirectory(prefix="mrdtrack-speed.") as scratch:
        work = options.keep or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        print(f"{os.cpu_count()} cores, {options.reads} reads, {options.rounds} rounds")
        for title, group in groups(Files(work, options.reads)).items():
            if not options.only or any(part in title for part in options.only):
                measure(title, group(), options.rounds, work)


if __name__ == "__main__":
    main()
