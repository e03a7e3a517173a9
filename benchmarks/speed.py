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


def run_once(command: list[str], work: Path) -> tuple[float, float, float, str]:
    """Run a command: wall and CPU seconds, peak memory in MB, what went wrong."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=words, env=environment(work)
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        words.seek(0)
        said = words.read().decode("utf-8", "replace").strip().splitlines()
    failed = said[-1] if process.returncode and said else ""
    cpu = usage.ru_utime + usage.ru_stime
    return wall, cpu, usage.ru_maxrss / 1024, failed or str(process.returncode or "")


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


def growth_groups(
    work: Path, reference: Path, bases: Bytes, reads: Path
) -> list[tuple[str, list[Runs]]]:
    """List how cost grows with markers and with sequences."""
    options = ("--reference", reference, "--molecules", "fragments")
    yardstick = Runs("samtools view -c", samtools("view", "-c", str(reads)))
    markers = [
        Runs(
            f"quantify --scan, {n} markers",
            quantify(
                work,
                write_panel(work / f"markers{n}.toml", bases, panel_sites(n)),
                reads,
                *options,
                "--scan",
            ),
        )
        for n in (1, 10, 100, 1000)
    ]
    sequences = [
        Runs(
            f"quantify, {n} sequences",
            quantify(
                work,
                write_panel(work / f"sequences{n}.toml", bases, [], n),
                reads,
                *options,
            ),
        )
        for n in (1, 10, 100, 500)
    ]
    return [
        ("growth with markers", [yardstick, *markers]),
        (
            "growth with sequences",
            [Runs(yardstick.name, yardstick.command), *sequences],
        ),
    ]


def all_groups(work: Path, n_reads: int) -> list[tuple[str, list[Runs]]]:
    """Make every file, and list every group."""
    small = work / "panel.fa"
    bases = make_reference(small, PANEL_LENGTH)
    large = work / "wgs.fa"
    genome = make_reference(large, WGS_LENGTH)
    starts = panel_starts(PANEL_LENGTH)

    def made(name: str, n: int, **recipe: object) -> Path:
        settings = {"length": PANEL_LENGTH, "starts": starts} | recipe
        recipe_ = Recipe(name=name, n_reads=n, **settings)  # type: ignore[arg-type]
        return make_bam(work, recipe_, genome if name == "wgs" else bases)

    panel = made("panel", n_reads)
    entropy = made("entropy", n_reads, binned=False)
    umi = made("umi", n_reads, n_umis=300)
    amplicon = made("amplicon", n_reads // 4, starts=amplicon_starts(PANEL_LENGTH))
    wgs = made("wgs", 2 * n_reads, length=WGS_LENGTH, starts=even_starts(WGS_LENGTH))
    tiny = made("tiny", 10_000)
    cram = make_cram(panel, small)
    hundred = write_panel(work / "hundred.toml", bases, panel_sites(100))
    ten = write_panel(work / "ten.toml", bases, even_sites(10, PANEL_LENGTH))
    one = write_panel(work / "one.toml", bases, panel_sites(1))
    spread_out = write_panel(work / "wgs.toml", genome, even_sites(100, WGS_LENGTH))
    cram_group = [
        Runs("samtools view -c", samtools("view", "-c", "-T", str(small), str(cram))),
        Runs("the door, 1 thread", python(DOOR, cram, 1, small)),
        Runs("the door, 2 threads", python(DOOR, cram, 2, small)),
        Runs(
            "quantify --scan",
            quantify(work, hundred, cram, "--reference", small, "--scan"),
        ),
    ]
    return [
        ("door: panel", door_group(panel)),
        ("door: full-entropy qualities", door_group(entropy)),
        ("door: WGS-like", door_group(wgs)),
        ("door and scan: CRAM", cram_group),
        ("scan: panel, 100 markers", scan_group(work, hundred, panel, small)),
        ("scan: full entropy, 100 markers", scan_group(work, hundred, entropy, small)),
        ("scan: UMI, 100 markers", scan_group(work, hundred, umi, small)),
        ("index: panel, 100 markers", index_group(work, hundred, panel, small)),
        ("index: WGS-like, 100 markers", index_group(work, spread_out, wgs, large)),
        ("index: amplicon, 10 markers", index_group(work, ten, amplicon, small)),
        ("small run: 1 marker, 10,000 reads", index_group(work, one, tiny, small)),
        *growth_groups(work, small, bases, panel),
    ]


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
        for title, group in all_groups(work, options.reads):
            if not options.only or any(part in title for part in options.only):
                measure(title, group, options.rounds, work)


if __name__ == "__main__":
    main()
