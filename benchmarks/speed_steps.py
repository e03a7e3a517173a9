"""Where the CPU time of counting a deep panel goes, step by step, with one thread.

    python -m benchmarks.speed_steps [--reads N] [--rounds K] [--keep DIR] [--umi]

Counts the panel file of `benchmarks.speed` in this process, K times after one that
loads the kernels, and prints CPU seconds of each step (median) and ns a read. The rest
is what no step holds: joining and splitting what chunks said, rows of counts.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.speed_files import Files
from mrdtrack.counting import count, gathering, reads_file
from mrdtrack.counting.settings import CountingSettings
from mrdtrack.panel.file import read_panel
from mrdtrack.panel.reference import Reference

STEPS: list[tuple[str, Any, str]] = [
    ("in all", count, "_gather"),
    ("inflating", reads_file, "inflate_batch"),
    ("cutting into blocks, reading", reads_file, "read_batches"),
    ("checking every record", reads_file.RecordCheck, "take"),
    ("hearing records", count, "_listen"),
    ("numbering fragments", gathering, "named_records"),
    ("merging claims into fragments", gathering, "merged_fragments"),
    ("families (by UMI)", gathering, "group_molecules"),
    ("counting the background", gathering, "tally_positions"),
]


def timed(name: str, step: Callable[..., Any], spent: Counter[str]) -> Any:
    """Add the CPU time of a step, or of each item it gives, to what was spent."""

    def run(*args: Any, **kwargs: Any) -> Any:
        began = time.thread_time()
        made = step(*args, **kwargs)
        spent[name] += time.thread_time() - began
        return each(made) if hasattr(made, "__next__") else made

    def each(items: Any) -> Any:
        while True:
            began = time.thread_time()
            item = next(items, None)
            spent[name] += time.thread_time() - began
            if item is None:
                return
            yield item

    return run


def main() -> None:
    """Measure the steps and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reads", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--umi", action="store_true", help="by UMI families")
    parser.add_argument("--keep", type=Path, help="folder for files, kept")
    options = parser.parse_args()
    spent: Counter[str] = Counter()
    for name, owner, step in STEPS:
        setattr(owner, step, timed(name, getattr(owner, step), spent))
    settings = CountingSettings(
        molecules="umi" if options.umi else "fragments", scan=True
    )
    with tempfile.TemporaryDirectory(prefix="mrdtrack-speed.") as scratch:
        work = options.keep or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        files = Files(work, options.reads)
        reads, panel = files.panel("panel"), read_panel(files.markers(100))
        rounds: list[Counter[str]] = []
        with Reference(files.reference) as reference:
            for _ in range(options.rounds + 1):
                spent.clear()
                count.count_reads(reads, panel, reference, settings)
                rounds.append(Counter(spent))
    seconds = {
        name: median(found[name] for found in rounds[1:]) for name, _, _ in STEPS
    }
    whole = seconds.pop("in all")
    seconds["the rest"] = whole - sum(seconds.values())
    for name, cpu in {**seconds, "in all": whole}.items():
        print(f"{name:32s}{cpu:6.2f} s {1e9 * cpu / options.reads:6.0f} ns a read")


if __name__ == "__main__":
    main()
