"""How many true mutant molecules are found, for every type of marker and read layout.

Run with `python -m benchmarks.counting_accuracy`; `--output docs/accuracy.md` keeps the
tables. Reads come from our own simulator, aligned as it says, by bwa mem, by minimap2,
not at all, or in an aligned file without a place (`unplaced`). Recovery is `alt` over
the true mutant molecules that a read can show.
"""

from __future__ import annotations

import argparse
import datetime
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from benchmarks.accuracy_markers import panel_of, reference_of
from benchmarks.accuracy_peers import (
    Counts,
    run_bcftools,
    run_freebayes,
    run_gbcms,
    write_vcf,
)
from benchmarks.unplaced import write_unplaced
from mrdtrack.commands.quantify import QuantifyRequest, quantify
from mrdtrack.lab.simulate_reads import Assay
from mrdtrack.lab.simulate_sample import (
    SampleRecipe,
    simulate_sample,
    write_sample_bam,
    write_sample_fastq,
)
from mrdtrack.lab.simulate_truth import MarkerTruth
from mrdtrack.levels.result import MarkerResult
from mrdtrack.panel.model import Panel
from mrdtrack.panel.writer import panel_text

LAYOUTS = (
    Assay(name="2x100 / 175", read_length=100, fragment_mean=175, fragment_sd=30),
    Assay(name="2x150 / 120", fragment_mean=120, fragment_sd=20),
    Assay(name="2x150 / 250", fragment_mean=250, fragment_sd=50),
    Assay(name="2x150 / 500", fragment_mean=500, fragment_sd=60),
    Assay(name="2x250 / 350", read_length=250, fragment_mean=350, fragment_sd=60),
)
STANDARD = LAYOUTS[2]
FRACTIONS = (0.5, 0.05, 0.005, 0.0005)
ALIGNERS = ("as simulated", "bwa mem", "minimap2", "unaligned", "unplaced")


class Row(NamedTuple):
    """One marker in one run: what is true, and what each counter found."""

    truth: MarkerTruth
    found: MarkerResult
    peers: dict[str, tuple[int, int] | None]

    @property
    def recovery(self) -> float | None:
        """Found over true molecules, None where no read can carry the marker."""
        if not self.truth.mutant_readable or self.found.alt is None:
            return None
        return self.found.alt / self.truth.mutant_readable


class Bench:
    """The panel and its reference on the disk, and runs over them."""

    def __init__(self, folder: Path, gbcms: str | None) -> None:
        self.folder = folder
        self.reference = reference_of()
        self.panel = panel_of(self.reference)
        self.gbcms = gbcms
        self.fasta = folder / "reference.fa"
        self.vcf = folder / "markers.vcf"
        self.reference.write(self.fasta)
        write_vcf(self.panel, self.reference, self.vcf)
        (folder / "panel.toml").write_text(panel_text(self.panel), encoding="utf-8")

    def run(
        self, assay: Assay, fraction: float, depth: float, aligner: str, *, peers: bool
    ) -> list[Row]:
        """Simulate one sample, count it, and put the counts beside the truth."""
        panel = self._panel_for(aligner)
        recipe = SampleRecipe("S", {m.id: fraction for m in panel.marker}, depth)
        simulated = simulate_sample(
            recipe, panel.marker, self.reference, assay=assay, seed=int(fraction * 1e6)
        )
        bam = self.folder / "S.bam"
        if aligner in {"as simulated", "unaligned"}:
            write_sample_bam(simulated, bam, self.reference.lengths)
        elif aligner == "unplaced":
            placed = self.folder / "placed.bam"
            write_sample_bam(simulated, placed, self.reference.lengths)
            write_unplaced(placed, bam)
        else:
            align(
                aligner,
                write_sample_fastq(simulated, self.folder / "S"),
                self.fasta,
                bam,
            )
        found = self.count(panel, bam)
        other = self._ask_peers(bam) if peers else {}
        return [
            Row(
                truth,
                found[truth.marker],
                {name: (c or {}).get(truth.marker) for name, c in other.items()},
            )
            for truth in simulated.truth
        ]

    def _panel_for(self, aligner: str) -> Panel:
        if aligner != "unaligned":
            return self.panel
        markers = tuple(m for m in self.panel.marker if m.kind == "sequence")
        return self.panel.model_copy(update={"marker": markers})

    def count(self, panel: Panel, bam: Path) -> dict[str, MarkerResult]:
        """Count a panel in a file of reads."""
        path = self.folder / "counted.toml"
        path.write_text(panel_text(panel), encoding="utf-8")
        (result,) = quantify(
            QuantifyRequest(
                panel=path,
                reads=(bam,),
                output=self.folder / "out",
                reference=self.fasta,
                sample="S",
                molecules="fragments",
                scan=True,
                force=True,
                quiet=True,
            )
        )
        return {marker.marker: marker for marker in result.markers}

    def _ask_peers(self, bam: Path) -> dict[str, Counts | None]:
        return {
            "gbcms": run_gbcms(self.gbcms, bam, self.fasta, self.vcf, self.folder),
            "bcftools mpileup": run_bcftools(bam, self.fasta, self.vcf),
            "freebayes": run_freebayes(bam, self.fasta, self.vcf, self.folder),
        }


def align(aligner: str, fastq: Iterable[Path], fasta: Path, bam: Path) -> None:
    """Align reads and write them sorted, with an index."""
    bwa, minimap2, samtools = (
        shutil.which(name) or name for name in ("bwa", "minimap2", "samtools")
    )
    command: list[str | Path] = [minimap2, "-ax", "sr", "-t", "2", fasta, *fastq]
    if aligner == "bwa mem":
        command = [bwa, "mem", "-t", "2", fasta, *fastq]
        if not Path(f"{fasta}.bwt").is_file():
            subprocess.run([bwa, "index", fasta], check=True, capture_output=True)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as aligned:
        subprocess.run(
            [samtools, "sort", "-o", bam, "-"],
            check=True,
            stdin=aligned.stdout,
            capture_output=True,
        )
    subprocess.run([samtools, "index", bam], check=True)


def percent(part: float | None) -> str:
    """Write a share as percent."""
    return "-" if part is None else f"{100 * part:.1f}"


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """Lay out a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def by_fraction(bench: Bench, depth: float) -> Iterator[str]:
    """Recovery and fraction of every type at every fraction, beside the peers."""
    yield f"## By fraction ({STANDARD.name}, as simulated, depth {depth:.0f})\n"
    runs = {
        fraction: bench.run(STANDARD, fraction, depth, "as simulated", peers=True)
        for fraction in FRACTIONS
    }
    head = ["marker"]
    head += [f"{f:g}: found / true" for f in FRACTIONS] + ["fraction at 0.5"]
    rows = []
    for number, marker in enumerate(bench.panel.marker):
        own = [runs[fraction][number] for fraction in FRACTIONS]
        cells = [
            f"{row.found.alt} / {row.truth.mutant_readable} ({percent(row.recovery)} %)"
            for row in own
        ]
        half = own[0].found.fraction
        rows.append([marker.id, *cells, "-" if half is None else f"{half:.3f}"])
    yield table(head, rows)
    yield "## Beside others, at 5 % (fraction reported; true 0.050)\n"
    names = list(runs[0.05][0].peers)
    rows = []
    for row in runs[0.05]:
        shares = [_share(row.peers[name]) for name in names]
        own_share = row.found.fraction
        own_text = "-" if own_share is None else f"{own_share:.4f}"
        rows.append([row.truth.marker, own_text, *shares])
    yield table(["marker", "mrdtrack", *names], rows)


def _share(counts: tuple[int, int] | None) -> str:
    if counts is None:
        return "not given"
    return f"{counts[0] / counts[1]:.4f}" if counts[1] else f"{counts[0]} of 0"


def by_layout(bench: Bench, depth: float) -> Iterator[str]:
    """Recovery of every type at 5 %, by layout and aligner."""
    yield f"## By layout and aligner (5 %, depth {depth:.0f}): recovery in percent\n"
    cases = [(assay, "as simulated") for assay in LAYOUTS]
    cases += [(STANDARD, aligner) for aligner in ALIGNERS[1:]]
    runs = {}
    for assay, aligner in cases:
        rows = bench.run(assay, 0.05, depth, aligner, peers=False)
        runs[assay.name, aligner] = {row.truth.marker: row for row in rows}
    head = ["marker", *(f"{assay.name}, {aligner}" for assay, aligner in cases)]
    body = []
    for marker in bench.panel.marker:
        rows_of = [runs[assay.name, aligner].get(marker.id) for assay, aligner in cases]
        body.append([marker.id, *(percent(r and r.recovery) for r in rows_of)])
    yield table(head, body)


WILD_TYPE_BATCH = 20_000


def false_in_batch(number: int) -> dict[str, tuple[int, int]]:
    """Count `alt` and all molecules of each type in a batch of wild-type molecules."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), None)
        recipe = SampleRecipe(f"N{number}", {}, WILD_TYPE_BATCH)
        simulated = simulate_sample(
            recipe, bench.panel.marker, bench.reference, assay=STANDARD, seed=77
        )
        bam = bench.folder / "S.bam"
        write_sample_bam(simulated, bam, bench.reference.lengths)
        return {
            name: (found.alt or 0, found.molecules or found.denominator or 0)
            for name, found in bench.count(bench.panel, bam).items()
        }


def false_molecules(n_molecules: int, n_processes: int) -> Iterator[str]:
    """Count `alt` in wild-type molecules, batch by batch, some at a time."""
    n_batches = max(n_molecules // WILD_TYPE_BATCH, 1)
    yield (
        f"## False molecules in {n_batches * WILD_TYPE_BATCH:,} wild-type molecules "
        "a type\n"
    )
    alt: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    with ProcessPoolExecutor(n_processes) as pool:
        for found in pool.map(false_in_batch, range(n_batches)):
            for name, (n_alt, n_seen) in found.items():
                alt[name] += n_alt
                seen[name] += n_seen
    rows = [[name, f"{seen[name]:,}", str(alt[name])] for name in alt]
    yield table(["marker", "molecules", "false alt"], rows)


def main() -> None:
    """Run all of it and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--depth", type=float, default=4000.0)
    parser.add_argument("--wild-type", type=int, default=100_000)
    parser.add_argument("--wild-type-only", action="store_true")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--gbcms", default=shutil.which("gbcms"))
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), asked.gbcms)
        parts: list[str] = []
        if asked.wild_type:
            parts += false_molecules(asked.wild_type, asked.processes)
        if not asked.wild_type_only:
            parts = [
                *by_fraction(bench, asked.depth),
                *by_layout(bench, asked.depth),
                *parts,
            ]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    command = (
        f"python -m benchmarks.counting_accuracy --depth {asked.depth:g} "
        f"--wild-type {asked.wild_type}"
    ) + (" --wild-type-only" if asked.wild_type_only else "")
    seconds = time.monotonic() - start
    head = (
        f"# Accuracy of counting\n\n{__doc__.split('Reads come')[0].strip()}\n\n"
        f"Measured on {today} by `{command}` in {seconds:.0f} s. Reads are simulated, "
        "with 5 % of the bases at Q12 and the rest at Q37. True molecules are those of "
        "which one read covers the join, and all places where it could stand as well, "
        "with as many bases of Q20 on both sides as its class needs to be told from "
        "chance: none for whole sequences, 5 for short indels, 3 for joins, 12 for "
        "joined sequences; of a substitution it must show a new base of Q20. The "
        "fraction of a sequence is that of all reads of the file.\n"
    )
    text = "\n".join([head, *parts])
    if asked.output:
        asked.output.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
