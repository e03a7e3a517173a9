"""Does `quantify` recover every simulated level within its interval.

Run with `python -m benchmarks.simulated_levels`; `--output docs/recovery.md` keeps the
table. One marker of every class on its own contig, with and without UMIs, as capture
and as consensus; levels from 0.3 down. For each class and assay: how many of the 95 %
intervals hold the level that was drawn from, and what the mean fraction found is of
that asked for.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.accuracy_markers import panel_of, reference_of
from mrdtrack.commands.quantify import QuantifyRequest, quantify
from mrdtrack.commands.simulate import SimulateRequest, simulate
from mrdtrack.levels.exact_bounds import clopper_pearson
from mrdtrack.panel.model import Panel
from mrdtrack.panel.model import Sequence as SequenceMarker
from mrdtrack.panel.writer import panel_text

ASSAYS = ("capture", "cfdna", "umi", "consensus")
LEVELS = (0.3, 0.05, 0.01, 0.002)
COMMAND = "python -m benchmarks.simulated_levels --output docs/recovery.md"


class Plan(NamedTuple):
    """What is simulated: samples of each level by each assay."""

    assays: tuple[str, ...] = ASSAYS
    levels: tuple[float, ...] = LEVELS
    replicates: int = 25
    depth: float = 1000.0
    seed: int = 1


class Recovered(NamedTuple):
    """One marker (or the level of all) in one sample: asked for, and found."""

    assay: str
    marker: str
    asked: float
    found: float
    low: float
    high: float

    @property
    def is_covered(self) -> bool:
        """Whether the interval holds the level that was asked for."""
        return self.low <= self.asked <= self.high


LEVEL = "level of the sample"


def simulated_panel() -> Panel:
    """Give the markers whose fraction is a level: those with a place."""
    panel = panel_of(reference_of())
    placed = tuple(m for m in panel.marker if not isinstance(m, SequenceMarker))
    return panel.model_copy(update={"marker": placed})


def run(plan: Plan, panel: Panel, folder: Path) -> list[Recovered]:
    """Simulate, quantify, and give what was found beside what was asked for."""
    reference = folder / "reference.fa"
    reference_of().write(reference)
    (folder / "panel.toml").write_text(panel_text(panel), encoding="utf-8")
    found: list[Recovered] = []
    for assay in plan.assays:
        reads = folder / assay
        truth = simulate(
            SimulateRequest(
                panel=folder / "panel.toml",
                reference=reference,
                output=reads,
                levels=plan.levels,
                replicates=plan.replicates,
                assay=assay,
                depth=plan.depth,
                seed=plan.seed,
            )
        )
        asked = {row.sample: row.fraction for row in truth}
        # One call a sample: samples of one call would be taken for mates of one run.
        for path in sorted(reads.glob("*.bam")):
            found += _recovered(path, folder, assay, asked)
    return found


def _recovered(
    path: Path, folder: Path, assay: str, asked: dict[str, float]
) -> Iterable[Recovered]:
    (result,) = quantify(
        QuantifyRequest(
            panel=folder / "panel.toml",
            reads=(path,),
            reference=folder / "reference.fa",
            output=folder / "results",
            force=True,
            quiet=True,
        )
    )
    level = asked[result.sample]
    for row in result.markers:
        fraction, high = row.fraction, row.fraction_high
        if fraction is not None and high is not None:
            low = row.fraction_low or 0.0
            yield Recovered(assay, row.marker, level, fraction, low, high)
    whole = result.level
    if whole.value is not None and whole.high is not None:
        low = whole.low or 0.0
        yield Recovered(assay, LEVEL, level, whole.value, low, whole.high)


class Summary(NamedTuple):
    """The intervals of one class by one assay."""

    n: int
    n_covered: int
    ratio: float

    @property
    def bounds(self) -> tuple[float, float]:
        """95 % interval of the share that is covered."""
        low, high = clopper_pearson(self.n_covered, self.n)
        return float(low), float(high)


def summary(found: Sequence[Recovered]) -> Summary:
    """Count what is covered; `ratio` is the sum found over the sum asked for."""
    covered = sum(one.is_covered for one in found)
    ratio = sum(one.found for one in found) / sum(one.asked for one in found)
    return Summary(len(found), covered, ratio)


def table(plan: Plan, found: Sequence[Recovered]) -> str:
    """Lay out the page."""
    markers = list(dict.fromkeys(one.marker for one in found))
    lines = [
        "# Levels recovered",
        "",
        f"Made by `{COMMAND}`: levels {', '.join(map(str, plan.levels))}, "
        f"{plan.replicates} samples of each by each assay, depth {plan.depth:g}, seed "
        f"{plan.seed}. Each cell: share of the 95 % intervals that hold the level that "
        "was drawn from, and the mean fraction found over that asked for.",
        "",
        "| marker | " + " | ".join(plan.assays) + " |",
        "|---|" + "---|" * len(plan.assays),
    ]
    for marker in markers:
        cells = []
        for assay in plan.assays:
            own = [o for o in found if (o.marker, o.assay) == (marker, assay)]
            told = summary(own) if own else None
            cells.append(
                f"{told.n_covered / told.n:.3f}; {told.ratio:.3f}" if told else ""
            )
        lines.append(f"| {marker} | " + " | ".join(cells) + " |")
    whole = [one for one in found if one.marker != LEVEL]
    total = summary(whole)
    low, high = total.bounds
    lines += [
        "",
        f"All markers: {total.n_covered} of {total.n} intervals hold the level, "
        f"{total.n_covered / total.n:.4f} (95 %: {low:.4f} to {high:.4f}).",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the study and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=Plan().replicates)
    parser.add_argument("--depth", type=float, default=Plan().depth)
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args()
    plan = Plan(replicates=asked.replicates, depth=asked.depth)
    with tempfile.TemporaryDirectory(prefix="mrdtrack.") as folder:
        found = run(plan, simulated_panel(), Path(folder))
    text = table(plan, found)
    print(text, end="")
    if asked.output:
        asked.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
