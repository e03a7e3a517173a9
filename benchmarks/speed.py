"""How fast mrdtrack reads and counts, against the floor and against its peers.

    python -m benchmarks.speed [--quick] [--reads N] [--rounds K] [--only TEXT]...
        [--keep DIR]

Makes its own files (panel, full-entropy qualities, WGS-like, amplicon, UMI, CRAM), runs
every command of a group alternately, whole processes with a warm cache, and prints
wall, CPU and peak memory with the ratio to the group's yardstick: median [min, max];
and the ratio of the medians beyond what a small run takes. Peers that are not installed
are left out. `control` is the yardstick run twice at once over its time alone: near 1.0
the cores were free, and only then do wall ratios with threads mean something.

`--quick` measures what the bounds in docs/reading.md are about, with 2 million reads
and without the slowest peers: about ten minutes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.speed_files import Files
from benchmarks.speed_runs import bound_groups, further_groups
from benchmarks.timed_runs import measure


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the bounds alone")
    parser.add_argument("--reads", type=int, help="in the panel (5 million; quick: 2)")
    parser.add_argument("--rounds", type=int, help="of each group (5; quick: 3)")
    parser.add_argument("--only", action="append", default=[], help="part of a title")
    parser.add_argument(
        "--keep", type=Path, help="folder for files, kept for next time"
    )
    options = parser.parse_args()
    if shutil.which("samtools") is None:
        parser.error("samtools is the yardstick, and it is not installed")
    options.reads = options.reads or (2_000_000 if options.quick else 5_000_000)
    options.rounds = options.rounds or (3 if options.quick else 5)
    return options


def main() -> None:
    """Measure what was asked for."""
    options = parse()
    with tempfile.TemporaryDirectory(prefix="mrdtrack-speed.") as scratch:
        work = options.keep or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        files = Files(work, options.reads)
        groups = bound_groups(files, slow_peers=not options.quick)
        if not options.quick:
            groups |= further_groups(files)
        print(f"{os.cpu_count()} cores, {options.reads} reads, {options.rounds} rounds")
        began = time.perf_counter()
        for title, group in groups.items():
            if not options.only or any(part in title for part in options.only):
                measure(title, group(), options.rounds, work)
        print(f"\n{time.perf_counter() - began:.0f} s in all")


if __name__ == "__main__":
    main()
