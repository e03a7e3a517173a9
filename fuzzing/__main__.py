"""Run `python -m fuzzing --inputs 100000`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from fuzzing.campaign import Log, Settings, run_campaign
from fuzzing.kinds import KINDS
from fuzzing.seeds import make_seeds
from fuzzing.summary import kept_log, summary_text


def main() -> int:
    """Do as many trials as asked for; 1 where any of them found a fault."""
    parser = argparse.ArgumentParser(prog="fuzzing", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--only", default="", help="kinds whose names hold one of a;b")
    parser.add_argument("--findings", type=Path, help="folder for what is found")
    parser.add_argument("--summary", type=Path, help="also write the summary here")
    parser.add_argument("--keep", type=Path, help="add the log to this file")
    parser.add_argument("--told", action="store_true", help="only sum up what is kept")
    asked = parser.parse_args()
    log = Log() if asked.told else _tried(asked)
    if asked.keep:
        log = kept_log(asked.keep, log)
    text = summary_text(log)
    sys.stdout.write(text)
    if asked.summary:
        asked.summary.write_text(text, encoding="utf-8")
    return 1 if log.faults else 0


def _tried(asked: argparse.Namespace) -> Log:
    words = asked.only.split(";")
    kinds = [kind for kind in KINDS if any(word in kind.name for word in words)]
    settings = Settings(
        n_inputs=asked.inputs,
        n_workers=asked.workers,
        first=asked.first,
        kinds=kinds,
        findings=asked.findings,
    )
    memory = Path("/dev/shm")  # noqa: S108 - where files are made without a disk
    where = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="fuzz.", dir=where) as scratch:
        folder = Path(scratch)
        return run_campaign(settings, make_seeds(folder / "seeds"), folder)


if __name__ == "__main__":
    sys.exit(main())
