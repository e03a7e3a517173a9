"""The log of a campaign in a page: what was tried, and what came of it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from fuzzing.campaign import Log
from fuzzing.kinds import KINDS
from fuzzing.trial import EQUAL, EXPLAINED, FAULT, REFUSED, Trial, template_of

MOST_SHOWN = 40


def kept_log(path: Path, log: Log) -> Log:
    """Add a log to those kept in a file of JSON lines; give all of them as one."""
    with path.open("a", encoding="utf-8") as file:
        if log.trials:
            entry = {"trials": log.trials, "peaks": log.peaks, "seconds": log.seconds}
            file.write(json.dumps(entry) + "\n")
    total = Log()
    for line in path.read_text(encoding="utf-8").splitlines():
        kept = json.loads(line)
        total.trials += [Trial(*trial) for trial in kept["trials"]]
        total.peaks += kept["peaks"]
        total.seconds += kept["seconds"]
    return total


def summary_text(log: Log) -> str:
    """Write the tables, as Markdown."""
    n_trials = len(log.trials)
    day = datetime.now(UTC).date().isoformat()
    lines = [
        f"{day}: {n_trials:,} inputs in {log.seconds:,.0f} s "
        f"({n_trials / max(log.seconds, 1e-9):,.0f} a second), "
        f"{len(log.faults)} faults; most memory a worker took "
        f"{max(log.peaks, default=0) / 1e6:,.0f} MB; longest input "
        f"{max((trial.seconds for trial in log.trials), default=0):.1f} s.",
        "",
        "| kind | inputs | refused | equal | explained | faults | sentences |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for kind in KINDS:
        mine = [trial for trial in log.trials if trial.kind == kind.name]
        if mine:
            lines.append(_row(kind.name, mine))
    lines.append(_row("all", log.trials))
    lines += _faults(log.faults)
    return "\n".join(lines) + "\n"


def _row(name: str, trials: list[Trial]) -> str:
    outcomes = Counter(trial.outcome for trial in trials)
    sentences = {template_of(t.detail) for t in trials if t.outcome == REFUSED}
    counts = [outcomes[outcome] for outcome in (REFUSED, EQUAL, EXPLAINED, FAULT)]
    cells = [len(trials), *counts, len(sentences)]
    return f"| {name} | " + " | ".join(f"{cell:,}" for cell in cells) + " |"


def _faults(faults: list[Trial]) -> list[str]:
    if not faults:
        return []
    kinds = Counter((trial.kind, template_of(trial.detail)) for trial in faults)
    lines = ["", "Faults:", ""]
    for (kind, what), number in kinds.most_common(MOST_SHOWN):
        first = next(
            t for t in faults if t.kind == kind and template_of(t.detail) == what
        )
        lines.append(f"* {number} x {kind}, first in {first.number}: {first.detail}")
    return lines
