"""What may come over from other samples of one run: index hopping and spill.

A share of the molecules of each sample shows up in the others. The share is estimated
from markers that are private to one sample of the run; without enough of those it is
1e-4, or 1e-5 with unique dual indexes (Sinha et al. 2017, doi:10.1101/125724; Costello
et al. 2018, doi:10.1186/s12864-018-4703-0). The null of a marker gains share x the
highest level of the same marker elsewhere in the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from mrdtrack.counts import SampleCounts
from mrdtrack.levels.exact_bounds import FloatArray
from mrdtrack.levels.level_markers import informative
from mrdtrack.levels.visit_facts import LevelSettings

SHARE = 1e-4
SHARE_DUAL_INDEXED = 1e-5
PRIVATE_LEVEL = 0.01
PRIVATE_FACTOR = 100.0
ENOUGH_PRIVATE = 5


class CarriedOver(NamedTuple):
    """The rate that may come over into one sample, and the sample it comes from."""

    rate: float
    source: str


NOTHING = CarriedOver(0.0, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCarryOver:
    """Levels of each marker in the samples of a run, and the share that comes over.

    `estimated`: whether the share comes from the run's own private markers.
    """

    share: float = 0.0
    estimated: bool = False
    levels: dict[str, dict[str, float]] = field(default_factory=dict)

    def into(self, sample: str, marker: str) -> CarriedOver:
        """Return what may come over of one marker into one sample."""
        others = {
            name: level
            for name, level in self.levels.get(marker, {}).items()
            if name != sample and level > 0
        }
        if not others:
            return NOTHING
        source = max(others, key=lambda name: (others[name], name))
        return CarriedOver(self.share * others[source], source)

    def between(self, sample: str, source: str, markers: Sequence[str]) -> float:
        """Return the most that may come over from one sample into another (0: none).

        As a share of the molecules of a marker, over the markers that both look at.
        """
        levels = [self.levels.get(name, {}).get(source, 0.0) for name in markers]
        return 0.0 if sample == source else self.share * max(levels, default=0.0)


def run_carry_over(
    samples: Sequence[SampleCounts], settings: LevelSettings
) -> RunCarryOver:
    """Return what may come over between the samples of a run.

    Only what is high elsewhere (1 % or more) is looked at: below that, carry-over is
    less than one molecule in a million.
    """
    if len(samples) < 2:
        return RunCarryOver()
    counts: dict[str, list[tuple[str, int, int]]] = {}
    for sample in samples:
        for marker in sample.judged:
            molecules = informative(marker)
            if molecules and marker.alt is not None:
                row = (sample.sample, marker.alt, molecules)
                counts.setdefault(marker.marker, []).append(row)
    levels = {
        marker: {
            name: alt / molecules
            for name, alt, molecules in rows
            if alt / molecules >= PRIVATE_LEVEL
        }
        for marker, rows in counts.items()
    }
    single = {marker.marker for sample in samples for marker in sample.markers}
    share, estimated = _share([counts[m] for m in counts if m in single], settings)
    return RunCarryOver(share=share, estimated=estimated, levels=levels)


def _share(
    markers: Sequence[Sequence[tuple[str, int, int]]], settings: LevelSettings
) -> tuple[float, bool]:
    """Return the share that comes over: told, estimated, or the usual one."""
    if settings.carry_over is not None:
        return settings.carry_over, False
    found = [pair for rows in markers if (pair := _private(rows)) is not None]
    if len(found) >= ENOUGH_PRIVATE:
        return _estimated(np.array(found)), True
    return (SHARE_DUAL_INDEXED if settings.dual_indexed else SHARE), False


def _private(rows: Sequence[tuple[str, int, int]]) -> tuple[float, float] | None:
    """Return molecules seen elsewhere, and those expected of a share of 1.

    Only of a marker that one sample has at 1 % or more, and a hundred times over all
    others: one that persists in a patient's other samples is not private.
    """
    if len(rows) < 2:
        return None
    ordered = sorted(rows, key=lambda row: row[1] / row[2])
    source = ordered[-1][1] / ordered[-1][2]
    others = ordered[:-1]
    highest = others[-1][1] / others[-1][2]
    if source < PRIVATE_LEVEL or highest * PRIVATE_FACTOR > source:
        return None
    seen = float(sum(alt for _, alt, _ in others))
    return seen, source * float(sum(molecules for _, _, molecules in others))


def _estimated(pairs: FloatArray) -> float:
    """Return the pooled share without its highest tenth, half a molecule added."""
    ratio = pairs[:, 0] / pairs[:, 1]
    kept = pairs[np.argsort(ratio, kind="stable")[: max(1, int(0.9 * len(pairs)))]]
    return float((kept[:, 0].sum() + 0.5) / kept[:, 1].sum())
