"""The false-positive rate of the test on a laboratory's own controls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mrdtrack.counts import SampleCounts
from mrdtrack.levels.exact_bounds import clopper_pearson
from mrdtrack.levels.judge import judge_sample, run_context
from mrdtrack.levels.visit_facts import LevelSettings, VisitFacts


class FalsePositives(NamedTuple):
    """Controls judged against the others, those detected, and the rate's interval."""

    controls: int
    detected: tuple[str, ...]
    low: float
    high: float

    @property
    def rate(self) -> float:
        """Share of the controls that were detected."""
        return len(self.detected) / self.controls


def left_out_controls(
    controls: Sequence[SampleCounts], settings: LevelSettings, software: str
) -> FalsePositives:
    """Judge each control with the other ones as its controls."""
    facts = VisitFacts(patient="control", software_version=software)
    found = []
    for control in controls:
        others = run_context([other for other in controls if other is not control])
        level = judge_sample(control, facts, settings, others).level
        if level.call in ("quantified", "detected_below_loq"):
            found.append(control.sample)
    low, high = clopper_pearson(len(found), len(controls))
    return FalsePositives(len(controls), tuple(found), float(low), float(high))
