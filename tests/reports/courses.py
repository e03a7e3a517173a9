"""Courses that the follow-up itself built: five shapes, every disease and protocol."""

from __future__ import annotations

import re
from typing import Any

from mrdtrack.findings import FINDINGS, REASONS, finding
from mrdtrack.follow_up.build import Given, build_timeline
from mrdtrack.follow_up.facts import Dates, Facts
from mrdtrack.follow_up.timeline import Timeline, Treatment
from mrdtrack.levels.result import MarkerResult, VisitResult
from mrdtrack.protocols.read import list_packaged, read_packaged
from tests.follow_up.follow_up_builders import (
    external_visit,
    marker_result,
    simple_visit,
    visit_result,
)

FACTS = Facts(dates=Dates(remission="2020-02-01", treatment_start="2020-01-02"))
TREATMENTS = (
    Treatment(start="2020-01-02", end="2020-01-09", name="7+3", kind="induction"),
    Treatment(start="2020-05-20", end=None, name="allograft", kind="transplant"),
)


def leukaemia(*visits: tuple[str, str, int, int]) -> Timeline:
    """Make B-ALL visits: sample, date, molecules seen and looked at."""
    results = [
        simple_visit(sample, day, alt, n, disease="B-ALL", metric="igtr_frac")
        for sample, day, alt, n in visits
    ]
    return build_timeline(results, Given(facts=FACTS))


def deep() -> Timeline:
    """Nothing is seen by samples that see 1e-4."""
    return leukaemia(
        ("D", "2020-01-01", 60_000, 100_000),
        ("M1", "2020-02-15", 0, 100_000),
        ("M2", "2020-05-01", 0, 200_000),
    )


def slow() -> Timeline:
    """The level falls, and lingers."""
    return leukaemia(
        ("D", "2020-01-01", 60_000, 100_000),
        ("M1", "2020-02-15", 1000, 100_000),
        ("M2", "2020-04-01", 100, 100_000),
        ("M3", "2020-07-01", 50, 1_000_000),
    )


def relapse() -> Timeline:
    """NPM1 comes back, by another method, beside mrdtrack's own visits."""

    def seen(alt: int, molecules: int) -> MarkerResult:
        return marker_result("N", alt, molecules, gene="NPM1")

    results = [
        visit_result("D", "2020-01-01", seen(4000, 9000)),
        visit_result(
            "B",
            "2020-01-01",
            seen(1000, 9000),
            specimen="peripheral_blood",
        ),
        visit_result("E", "2020-05-01", seen(0, 90_000)),
        visit_result("F", "2020-09-01", seen(180, 90_000), timepoint="FU"),
        visit_result("G", "2020-09-20", seen(540, 90_000), timepoint="FU"),
    ]
    external = [
        external_visit("2020-01-01", 80.0, timepoint="diagnosis", sample="Q0"),
        external_visit("2020-05-01", None, lod=0.001, timepoint="EOT", sample="Q1"),
        external_visit("2020-09-01", 0.2, timepoint="FU", sample="Q2"),
        external_visit("2020-09-20", 0.6, timepoint="FU", sample="Q3"),
        external_visit(
            "2020-09-20", 0.3, metric="mfc_pct_wbc", target=None, sample="Q4"
        ),
    ]
    return build_timeline(
        results,
        Given(
            external=external,
            treatments=TREATMENTS,
            facts=Facts(dates=Dates(diagnosis="2020-01-01")),
        ),
    )


def switch() -> Timeline:
    """One marker is gone at relapse, the other rises."""

    def made(sample: str, day: str, first: int, second: int) -> VisitResult:
        return visit_result(
            sample,
            day,
            marker_result("IGH-1", first, 100_000),
            marker_result("TRG-1", second, 100_000),
            disease="B-ALL",
            metric="igtr_frac",
        )

    return build_timeline(
        [
            made("D", "2020-01-01", 50_000, 48_000),
            made("M1", "2020-03-01", 0, 0),
            made("R", "2020-09-01", 0, 400),
        ],
        Given(facts=FACTS),
    )


def shallow() -> Timeline:
    """Samples that could not have seen what is asked."""
    return leukaemia(
        ("D", "2020-01-01", 1200, 2000),
        ("M1", "2020-02-15", 0, 2000),
        ("M2", "2020-05-01", 0, 2000),
    )


SHAPES = {
    "deep": deep,
    "slow": slow,
    "relapse": relapse,
    "switch": switch,
    "shallow": shallow,
}


def under(protocol: str) -> Timeline:
    """Make a course with all calls, under one protocol, for its first disease."""
    loaded = read_packaged(protocol)
    disease: Any = loaded.protocol.diseases[0]
    more: dict[str, Any] = {"disease": disease}
    points = ("diagnosis", "C1", "C2", "EOT", "FU", "FU", "post_transplant")
    days = ("01-01", "02-01", "03-15", "05-01", "07-01", "09-01", "11-01")
    seen = (4000, 90, 5, 0, 0, 20, 60)
    results = [
        simple_visit(f"S{n}", f"2020-{day}", alt, timepoint=point, **more)
        for n, (day, alt, point) in enumerate(zip(days, seen, points, strict=True))
    ]
    results.append(simple_visit("S7", "2020-12-01", 0, 500, **more))
    nothing = marker_result("M1", None).model_copy(
        update={"reason_code": "not_reached"}
    )
    empty = visit_result("S8", "2020-12-20", nothing, **more)
    reason = {
        "reason": f"{REASONS['none_informative']} ({REASONS['not_reached']})",
        "reason_codes": ("none_informative", "not_reached"),
    }
    level = empty.level.model_copy(update=reason)
    results.append(empty.model_copy(update={"level": level}))
    external = [
        external_visit(f"2020-{day}", value, metric=metric, target=target, lod=lod,
                       sample=f"{metric[:3]}-{n}", timepoint=point)
        for metric, target, values, lod in (
            ("ratio_pct_abl1", "NPM1", (90.0, 2.0, 0.3, None, 0.02, 0.4, 0.9), 0.001),
            ("is_pct", "BCR::ABL1", (80.0, 12.0, 0.9, 0.09, 0.002, 0.2, 2.0), 0.001),
            ("mfc_pct_wbc", None, (70.0, 1.0, 0.2, None, 0.05, 0.3, 3.0), 0.01),
        )
        for n, (day, value, point) in enumerate(
            zip(days, values, points, strict=True)
        )
    ]  # fmt: skip
    return build_timeline(
        results,
        Given(
            external=external,
            treatments=TREATMENTS,
            facts=FACTS,
            protocols=[loaded],
            as_of="2021-06-01",
        ),
    )


def every_finding_and_reason() -> Timeline:
    """Make visits that carry each finding of the code, and each reason."""
    values: dict[str, Any] = {
        "p_value": 3.2e-7,
        "p_without": 0.31,
        "share": 0.93,
        "rate": 2.1e-5,
        "low": 1.0e-5,
        "high": 0.031,
        "n_samples": 2,
        "n_lines": 3,
        "n_positions": 2000,
        "day": "2020-03-01",
        "mode": "consensus",
        "denominators": ("flank", "spike_in"),
        "specimens": ("bone_marrow", "not_told"),
        "markers": tuple(f"M{number}" for number in range(9)),
        "samples": ("S1", "S2"),
        "contigs": ("chr1",),
        "marker": "M1",
        "group": "G1",
        "reason": "group_apart",
        "rate_alone": 0.0003,
        "file": "a.bam.bai",
        "problem": "the index is damaged",
    }
    quality = [
        finding(
            code,
            "warning",
            **{key: values.get(key, "S1") for key in re.findall(r"{(\w+)}", text)},
        )
        for code, text in FINDINGS.items()
    ]
    markers = tuple(
        marker_result(f"R{number}", None).model_copy(
            update={"reason": text, "reason_code": code}
        )
        for number, (code, text) in enumerate(REASONS.items())
    )
    first, *rest = REASONS
    empty = visit_result("A", "2020-01-01", *markers)
    level = empty.level.model_copy(
        update={
            "reason": f"{REASONS[first]} ({'; '.join(REASONS[code] for code in rest)})",
            "reason_codes": (first, *rest),
        }
    )
    empty = empty.model_copy(update={"level": level, "quality": tuple(quality)})
    return build_timeline([empty])


def every_course() -> dict[str, Timeline]:
    """Make all of them, by name."""
    made = {name: shape() for name, shape in SHAPES.items()}
    made |= {protocol: under(protocol) for protocol in list_packaged()}
    return made | {"findings": every_finding_and_reason()}
