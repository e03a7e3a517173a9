"""Run `python -m fuzzing --inputs 100000`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from fuzzing.campaign import Settings, run_campaign
from fuzzing.kinds import KINDS
from fuzzing.seeds import make_seeds
from fuzzing.summary import summary_text


def main() -> int:
    """Do as many trials as asked for; 1 where any of them found a fault."""
    parser = argparse.ArgumentParser(prog="fuzzing", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--only", default="", help="kinds whose name holds this")
    parser.add_argument("--findings", type=Path, help="folder for what is found")
    parser.add_argument("--summary", type=Path, help="also write the summary here")
    asked = parser.parse_args()
    kinds = [kind for kind in KINDS if asked.only in kind.name]
    settings = Settings(
        n_inputs=asked.inputs,
        n_workers=asked.workers,
        first=asked.first,
        kinds=kinds,
        findings=asked.findings,
    )
    with tempfile.TemporaryDirectory(prefix="fuzz.") as scratch:
        folder = Path(scratch)
        log = run_campaign(settings, make_seeds(folder / "seeds"), folder)
    text = summary_text(log)
    sys.stdout.write(text)
    if asked.summary:
        asked.summary.write_text(text, encoding="utf-8")
    return 1 if log.faults else 0


if __name__ == "__main__":
    sys.exit(main())
