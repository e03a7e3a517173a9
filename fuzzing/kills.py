"""Kill runs of `quantify` and `timeline` at random moments, and see what they leave.

`python -m fuzzing.kills --kills 200`. Each run is a forked process that gets SIGKILL:
half of them at any moment, half while its files are being named. Then every file under
a final name must be whole, that of the run before or that of this one; and the same
command, run again, must give every file and leave nothing else.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from fuzzing.changes import seeded
from fuzzing.seeds import Seeds, make_seeds
from mrdtrack.cli import main as mrdtrack
from mrdtrack.provenance import Provenance

PATIENCE = 60.0
Contents = dict[str, bytes]


class Job(NamedTuple):
    """A command whose files lie in `folder`; `other` gives other files of that name."""

    name: str
    arguments: tuple[str, ...]
    other: tuple[str, ...]


def jobs(seeds: Seeds) -> tuple[Job, Job]:
    """Give the two commands, on the small invented patient."""
    folder = seeds.folder
    given = [str(folder / name) for name in ("panel.toml", "plain.bam", "ref.fa")]
    counting = ("quantify", *given[:2], "--reference", given[2], "--quiet")
    visits = [str(folder / "out" / f"S{number}.mrd.json") for number in range(3)]
    following = ("timeline", *visits, "--quiet")
    return (
        Job("quantify", counting, ("--timepoint", "before")),
        Job("timeline", following, ("--language", "fr", "--as-of", "2025-01-01")),
    )


def start(arguments: Sequence[str]) -> int:
    """Run a command in a forked process; give its number."""
    child = os.fork()
    if child == 0:
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        try:
            mrdtrack(list(arguments), "mrdtrack")
        except SystemExit as ended:
            os._exit(int(ended.code or 0))
        finally:
            os._exit(70)
    return child


def finish(child: int) -> int:
    """Wait for a process; give its exit code, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def complete(job: Job, out: Path, *more: str) -> float:
    """Run a command to its end; give the seconds it took.

    Raises:
        AssertionError: it failed.
    """
    started = time.monotonic()
    code = finish(start((*job.arguments, "--output", str(out), *more)))
    if code != 0:
        raise AssertionError(f"{job.name} ended with {code}")
    return time.monotonic() - started


def read_folder(out: Path) -> Contents:
    """Read all files of a folder; provenance only as far as it can be compared."""
    if not out.is_dir():
        return {}
    contents = {path.name: path.read_bytes() for path in out.iterdir()}
    for name, content in contents.items():
        if name.endswith(".provenance.json"):
            contents[name] = b" ".join(
                entry.path.encode()
                for entry in Provenance.model_validate_json(content).inputs
            )
    return contents


def kill_anywhen(child: int, _: Path, seconds: float, pick: random.Random) -> None:
    """Kill a run at any moment of its time."""
    time.sleep(pick.random() * seconds)
    os.kill(child, signal.SIGKILL)


def kill_while_writing(
    child: int, out: Path, seconds: float, pick: random.Random
) -> None:
    """Kill a run a moment after its first file shows, under whatever name."""
    patience = time.monotonic() + max(PATIENCE, seconds)
    hidden = ".mrdtrack-"
    while time.monotonic() < patience:
        try:
            if any(path.name.startswith(hidden) for path in out.iterdir()):
                break
        except FileNotFoundError:
            pass
    time.sleep(pick.choice((0, pick.random() * 0.002, pick.random() * 0.02)))
    os.kill(child, signal.SIGKILL)


class Trial(NamedTuple):
    """One kill: whether it struck a living run, and what was there afterwards.

    `over` says that files of a run before were there; `new` how many of the files are
    the killed run's: `none`, `some` or `all`. `hidden` are files under other names.
    """

    job: str
    struck: bool
    over: bool
    new: str
    hidden: bool


def kill_once(
    job: Job, out: Path, right: tuple[Contents, Contents], seed: int
) -> Trial:
    """Kill one run, look at what it leaves, and run it again.

    Raises:
        AssertionError: a file is not whole, or the rerun does not complete.
    """
    pick = seeded(seed)
    old, new = right
    more: tuple[str, ...] = ("--force",)
    if pick.random() < 0.5:
        complete(job, out, *job.other, "--force")
    else:
        old, more = {}, ()
        for path in out.glob("*"):
            path.unlink()
    kill: Callable[[int, Path, float, random.Random], None]
    kill = pick.choice((kill_anywhen, kill_while_writing))
    child = start((*job.arguments, "--output", str(out), *more))
    kill(child, out, SECONDS.get(job.name, 0.3), pick)
    struck = finish(child) == -signal.SIGKILL
    left = read_folder(out)
    visible = {name: left[name] for name in left if not name.startswith(".")}
    for name, content in visible.items():
        if content not in (old.get(name), new.get(name)):
            raise AssertionError(f"kill {seed}: {name} is not whole")
    if not set(old) <= set(visible):
        raise AssertionError(f"kill {seed}: {set(old) - set(visible)} was lost")
    SECONDS[job.name] = complete(job, out, "--force")
    if read_folder(out) != new:
        raise AssertionError(f"kill {seed}: the rerun left {sorted(read_folder(out))}")
    telling = [name for name in new if old.get(name) != new[name]]
    n_new = sum(left.get(name) == new[name] for name in telling)
    share = "all" if n_new == len(telling) else "some" if n_new else "none"
    return Trial(job.name, struck, bool(old), share, len(left) > len(visible))


SECONDS: dict[str, float] = {}
"""How long the last whole run of each command took."""


def kill_often(n_kills: int, folder: Path, first: int = 0) -> list[Trial]:
    """Kill runs of both commands in turn."""
    trials = []
    both = jobs(make_seeds(folder / "seeds"))
    for job in both:
        out = folder / job.name
        complete(job, out, *job.other)
        old = read_folder(out)
        complete(job, out, "--force")
        right = old, read_folder(out)
        seeds = range(first + both.index(job), first + n_kills, 2)
        trials += [kill_once(job, out, right, seed) for seed in seeds]
    return trials


def told(trials: Sequence[Trial]) -> str:
    """Say in one line for each command what the kills left."""
    lines = []
    for job in sorted({trial.job for trial in trials}):
        mine = [trial for trial in trials if trial.job == job]
        seen = Counter(
            f"{trial.new} of its files{' among older ones' if trial.over else ''}"
            for trial in mine
        )
        struck = sum(trial.struck for trial in mine)
        hidden = sum(trial.hidden for trial in mine)
        counted = ", ".join(f"{what} {n}" for what, n in sorted(seen.items()))
        lines.append(
            f"{job}: {len(mine)} kills, {struck} of a living run; left: {counted}; "
            f"hidden files after {hidden}; every file whole, every rerun complete"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    """Kill as many runs as asked for."""
    parser = argparse.ArgumentParser(prog="fuzzing.kills")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kills.") as folder:
        trials = kill_often(asked.kills, Path(folder), asked.first)
    sys.stdout.write(told(trials))
    return 0


if __name__ == "__main__":
    sys.exit(main())
