"""Many trials in worker processes, each watched for time, memory and its life."""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from fuzzing.cases import Case, Draw, Given, Kind
from fuzzing.changes import seeded
from fuzzing.kinds import KINDS
from fuzzing.seeds import Seeds
from fuzzing.trial import FAULT, Bench, Right, Trial, run_trial, write_case

LONGEST = 20.0
ADDRESSES = 6 << 30
BATCH = 50

_fork = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How much is tried: `n_inputs` trials of these kinds, from `first` on."""

    n_inputs: int
    n_workers: int
    first: int = 0
    kinds: Sequence[Kind] = KINDS
    findings: Path | None = None


@dataclass(slots=True, kw_only=True)
class Log:
    """What came of it; `peaks` are the bytes workers took beyond their beginning."""

    trials: list[Trial] = field(default_factory=list)
    peaks: list[int] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def faults(self) -> list[Trial]:
        """The trials that must not have gone as they did."""
        return [trial for trial in self.trials if trial.outcome == FAULT]


def right_values(seeds: Seeds, folder: Path, kinds: Sequence[Kind]) -> Right:
    """Read the right files, which also compiles and loads whatever will be needed."""
    right: Right = {}
    for kind in kinds:
        for case in right_cases(seeds, kind):
            write_case(folder, case)
            right[kind.name, case.seed] = kind.read(Given(seeds, folder, case))
    return right


def right_cases(seeds: Seeds, kind: Kind) -> Iterator[Case]:
    """Give the unchanged files of a kind, one case for each seed it may draw."""
    seen: set[str] = set()
    for number in range(60):
        case = kind.change(Draw(seeds, seeded(number), []))
        if case.seed in seen:
            continue
        seen.add(case.seed)
        files = {**case.files, **_right_files(seeds, case)}
        yield Case(files=files, main=case.main, seed=case.seed, allowance=0)


def _right_files(seeds: Seeds, case: Case) -> dict[str, bytes]:
    name, _, number = case.seed.rpartition(" ")
    if name in seeds.texts:
        return {case.main: seeds.texts[name][int(number)].encode()}
    if case.seed == "reference":
        fasta = seeds.reference.read_bytes()[:3000]
        return {"r.fa": fasta, "r.fa.fai": b"chr1\t2900\t6\t2900\t2901\n"}
    right = {}
    for changed in case.files:
        stem = name if changed.startswith("a.bam") else "plain"
        right[changed] = (seeds.folder / f"{stem}{changed[1:]}").read_bytes()
    return right


def draw_kind(number: int, kinds: Sequence[Kind]) -> Kind:
    """Draw the kind of a trial by the kinds' weights."""
    weights = [kind.weight for kind in kinds]
    return seeded(number ^ 0x5EED).choices(kinds, weights)[0]


class Worker:
    """A process that does every n-th trial, begun anew behind one that killed it."""

    def __init__(self, place: int, settings: Settings, bench: Bench) -> None:
        self._settings = settings
        self.folder = bench.folder / f"worker{place}"
        self._bench = bench._replace(folder=self.folder / "now")
        self._now: Any = _fork.RawArray("d", [settings.first + place, 0.0])
        self._start()

    def _start(self) -> None:
        self._mine, theirs = _fork.Pipe(duplex=False)
        arguments = (self._bench, self._settings, self._now, theirs)
        self._process = _fork.Process(target=work, args=arguments, daemon=True)
        self._process.start()
        theirs.close()

    def watch(self, log: Log) -> bool:
        """Take what has come; begin anew behind a crash or hang. False: it is done."""
        self._take(log)
        number, since = int(self._now[0]), self._now[1]
        hangs = since > 0 and time.monotonic() - since > LONGEST
        if self._process.is_alive() and not hangs:
            return True
        if hangs:
            self._process.kill()
        self._process.join()
        self._take(log)
        code = self._process.exitcode
        if code == 0:
            return False
        what = "it hangs" if hangs else f"the process ended with {code}"
        kind = draw_kind(number, self._settings.kinds)
        trial = Trial(number, kind.name, FAULT, LONGEST if hangs else 0.0, what)
        log.trials.append(trial)
        keep_finding(self._settings.findings, self._bench.folder, trial)
        self._now[0], self._now[1] = number + self._settings.n_workers, 0.0
        self._start()
        return True

    def _take(self, log: Log) -> None:
        try:
            while self._mine.poll():
                trials, peak = self._mine.recv()
                log.trials += trials
                log.peaks.append(peak)
        except EOFError:
            return


def work(bench: Bench, settings: Settings, now: Any, out: Connection) -> None:
    """Do trials until there are no more; send what came of them in batches."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    tempfile.tempdir = str(bench.folder / "tmp")
    batch: list[Trial] = []
    inherited = largest_size()
    last = settings.first + settings.n_inputs
    while int(now[0]) < last:
        number = int(now[0])
        now[1] = time.monotonic()
        kind = draw_kind(number, settings.kinds)
        trial = run_trial(number, kind, bench)
        now[1] = 0.0
        if trial.outcome == FAULT:
            keep_finding(settings.findings, bench.folder, trial)
        batch.append(trial)
        now[0] = number + settings.n_workers
        if len(batch) == BATCH or int(now[0]) >= last:
            out.send((batch, largest_size() - inherited))
            batch = []
    out.close()


def largest_size() -> int:
    """Give the largest resident size so far, in bytes.

    A forked process has its parent's size from the start, whatever that had read.
    """
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def keep_finding(findings: Path | None, folder: Path, trial: Trial) -> None:
    """Keep the files of a trial that went wrong."""
    if findings is None:
        return
    kept = findings / f"{trial.number}"
    shutil.copytree(folder, kept, dirs_exist_ok=True)
    (kept / "finding.txt").write_text(f"{trial.kind}\n{trial.detail}\n")


def run_campaign(settings: Settings, seeds: Seeds, folder: Path) -> Log:
    """Do all trials, and watch over them."""
    os.environ["TMPDIR"] = str(folder)
    right = right_values(seeds, folder / "right", settings.kinds)
    log, started = Log(), time.monotonic()
    workers = [
        Worker(place, settings, Bench(seeds, folder, right, {}))
        for place in range(min(settings.n_workers, settings.n_inputs))
    ]
    while workers:
        workers = [worker for worker in workers if worker.watch(log)]
        time.sleep(0.1)
    log.seconds = time.monotonic() - started
    return log
