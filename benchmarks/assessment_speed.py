"""Assess 1,000 invented patients of 12 visits each on one core; print the seconds.

Run as `python -m benchmarks.assessment_speed [PATIENTS]` from the checkout. The goal
is under 20 seconds: kinetics, rules and timeline from results held in memory.
"""

from __future__ import annotations

import random
import sys
import time
from datetime import date, timedelta

from mrdtrack.follow_up.build import Given, build_timeline
from mrdtrack.follow_up.facts import Dates, Facts
from mrdtrack.levels.result import (
    Level,
    MarkerResult,
    Software,
    VisitResult,
)

VISITS = 12
MARKERS = 5
MOLECULES = 40_000
GOAL_SECONDS = 20.0


def invent_marker(name: str, alt: int) -> MarkerResult:
    """Invent one marker's counts."""
    seen = alt > 1
    return MarkerResult(
        marker=name,
        kind="sequence",
        alt=alt,
        ref=MOLECULES - alt,
        ambiguous=0,
        other=0,
        molecules=MOLECULES,
        molecule_mode="umi",
        denominator_kind="spike_in",
        denominator=MOLECULES,
        error_class="junction",
        assessable=True,
        fraction=alt / MOLECULES if alt else None,
        lod95=4.744 / MOLECULES,
        call="quantified" if seen else "not_detected",
    )


def invent_visit(
    patient: str, number: int, level: float, chance: random.Random
) -> VisitResult:
    """Invent one visit at a level."""
    counts = [
        min(
            sum(chance.random() < level for _ in range(50)) * MOLECULES // 50, MOLECULES
        )
        if level > 1e-2
        else int(chance.gauss(level * MOLECULES, (level * MOLECULES) ** 0.5) + 0.5)
        for _ in range(MARKERS)
    ]
    counts = [max(count, 0) for count in counts]
    total, looked = sum(counts), MARKERS * MOLECULES
    seen = total > 1
    day = date(2020, 1, 1) + timedelta(days=30 * number)
    return VisitResult(
        sample=f"{patient}-{number}",
        patient=patient,
        disease="B-ALL",
        assembly=None,
        date=day.isoformat(),
        specimen="bone_marrow",
        timepoint="diagnosis" if number == 0 else None,
        molecule_mode="umi",
        markers=tuple(invent_marker(f"M{i}", c) for i, c in enumerate(counts)),
        level=Level(
            metric="igtr_frac",
            value=total / looked if seen else None,
            low=max(total - 2 * total**0.5, 0.5) / looked if seen else 0.0,
            high=(total + 2 * total**0.5 + 3.7) / looked,
            call="quantified" if seen else "not_detected",
            p_value=1e-5 if seen else 0.5,
            lob=None,
            lod95=4.744 / looked,
            loq=None,
            required_sensitivity=1e-4,
            input_genomes=None,
            limited_by="depth",
            markers_used=MARKERS,
        ),
        quality=(),
        software=Software(version="0"),
    )


def invent_patient(number: int) -> list[VisitResult]:
    """Invent a course: deep response, then a rise from the seventh visit on."""
    chance = random.Random(number)  # noqa: S311  (an invented course keeps no secret)
    levels = [0.4, 1e-3, 1e-4, 1e-6, 1e-7, 1e-7, 1e-7]
    levels += [1e-6 * 4**step for step in range(VISITS - len(levels))]
    return [
        invent_visit(f"P{number}", visit, level, chance)
        for visit, level in enumerate(levels)
    ]


def main() -> None:
    """Measure, and print."""
    patients = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    cohort = [invent_patient(number) for number in range(patients)]
    facts = Facts(dates=Dates(remission="2020-01-15", diagnosis="2020-01-01"))
    start = time.process_time()
    flags = sum(len(build_timeline(v, Given(facts=facts)).flags) for v in cohort)
    seconds = time.process_time() - start
    print(
        f"{patients} patients x {VISITS} visits: {seconds:.1f} s CPU, {flags} flags; "
        f"goal {GOAL_SECONDS:.0f} s for 1000"
    )


if __name__ == "__main__":
    main()
