"""Runs of whole commands, alternately: wall, CPU and peak memory, and their ratios.

The first command of a group is its yardstick. `control` is the yardstick run twice at
once over its time alone: near 1.0 the cores were free, and only then do wall ratios
with threads mean something.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass
class Runs:
    """What the runs of one command took."""

    name: str
    command: list[str]
    start: Runs | None = None  # what of it is start-up
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
        "           ratio of CPU            beyond start-up: wall, CPU"
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
        f"{spread(walls):22}  {spread(cpus):22}  {beyond_start(runs, yardstick)}"
    )


def beyond_start(runs: Runs, yardstick: Runs) -> str:
    """Write the ratios of medians without what a small run takes."""
    if runs.start is None or not runs.start.wall:
        return ""
    wall = statistics.median(runs.wall) - statistics.median(runs.start.wall)
    cpu = statistics.median(runs.cpu) - statistics.median(runs.start.cpu)
    return (
        f"{wall / statistics.median(yardstick.wall):.2f}, "
        f"{cpu / statistics.median(yardstick.cpu):.2f}"
    )


def spread(ratios: list[float]) -> str:
    """Write median, least and largest ratio."""
    if not ratios:
        return ""
    middle = statistics.median(ratios)
    return f"{middle:.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"
