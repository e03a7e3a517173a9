"""Kinds of rules that look at several visits or methods, and the notes they print."""

from __future__ import annotations

import pytest

from mrdtrack.follow_up.build import Given, build_timeline, find_threshold
from mrdtrack.follow_up.facts import Dates, Facts
from mrdtrack.follow_up.series import SeriesKey
from mrdtrack.follow_up.timeline import Timeline, TimelineVisit, Treatment
from mrdtrack.levels.result import VisitResult
from mrdtrack.protocols.read import parse_protocol, read_packaged
from tests.follow_up.follow_up_builders import (
    external_visit,
    marker_result,
    simple_visit,
    visit_result,
)

REMISSION = Facts(dates=Dates(remission="2020-02-01", diagnosis="2020-01-01"))


def aml(
    *external: TimelineVisit,
    results: tuple[VisitResult, ...] = (),
    names: tuple[str, ...] = ("eln-aml-mrd-2025",),
    facts: Facts = REMISSION,
    treatments: tuple[Treatment, ...] = (),
) -> Timeline:
    own = results or (simple_visit("D", "2020-01-01", 500, timepoint="DX"),)
    given = Given(
        external=external,
        facts=facts,
        treatments=treatments,
        protocols=[read_packaged(name) for name in names],
    )
    return build_timeline(own, given)


def raised(course: Timeline) -> set[tuple[str, str]]:
    return {(f.rule, f.action) for f in course.flags}


def cbf(
    day: str, value: float | None, label: str, lod: float | None = 1e-4
) -> TimelineVisit:
    return external_visit(
        day, value, target="CBFB::MYH11", timepoint=label, lod=lod, sample=f"C{day}"
    )


def test_log_reduction_is_computed_from_the_diagnosis() -> None:
    first = cbf("2020-01-01", 50.0, "diagnosis")
    good = aml(first, cbf("2020-03-01", 0.04, "C2"))
    assert raised(good) == {("25.cbf.c2.good", "CONTINUE")}
    poor = aml(first, cbf("2020-03-01", 0.2, "C2"))
    assert raised(poor) == {
        ("25.cbf.c2.poor", "HSCT_DISCUSS"),
        ("25.cbf.c2.poor", "MONITOR_CLOSER"),
    }
    bounded = aml(first, cbf("2020-03-01", None, "C2", lod=0.01))
    assert raised(bounded) == {("25.cbf.c2.good", "CONTINUE")}


def test_log_reduction_says_what_it_lacks() -> None:
    alone = aml(cbf("2020-03-01", 0.2, "C2"))
    assert raised(alone) == set()
    missing = {u.missing for u in alone.unjudged if u.rule == "25.cbf.c2.poor"}
    assert any("sample of the diagnosis" in text for text in missing)
    weak = aml(
        cbf("2020-01-01", 5.0, "diagnosis"), cbf("2020-03-01", None, "C2", lod=0.1)
    )
    assert raised(weak) == set()
    assert any("reduction is at least" in u.missing for u in weak.unjudged)
    none = aml(
        cbf("2020-01-01", 5.0, "diagnosis"), cbf("2020-03-01", None, "C2", lod=10.0)
    )
    assert any("no reduction demonstrated" in u.missing for u in none.unjudged)


def test_a_rise_after_transplant_is_shown_by_its_counts() -> None:
    def visit(sample: str, day: str, alt: int) -> VisitResult:
        marker = marker_result("IDH2-R140Q", alt, 100_000, gene="IDH2")
        return visit_result(sample, day, marker, timepoint="post_transplant")

    rising = aml(results=(visit("A", "2020-06-01", 10), visit("B", "2020-08-01", 90)))
    assert raised(rising) == {("25.postallo", "MONITOR_CLOSER")}
    flat = aml(results=(visit("A", "2020-06-01", 10), visit("B", "2020-08-01", 14)))
    assert raised(flat) == set()


def test_all_technologies_must_be_negative() -> None:
    flow = external_visit(
        "2020-04-01", None, metric="mfc_pct_wbc", lod=0.01, target=None
    )
    own = visit_result(
        "N", "2020-04-01", marker_result("IDH2", 0, 1_000_000, gene="IDH2")
    )
    names = ("eln-aml-mrd-2021",)
    course = aml(flow, results=(own,), names=names)
    assert raised(course) == {("21.neg", "CONTINUE")}
    seen = visit_result(
        "N", "2020-04-01", marker_result("IDH2", 5000, 1_000_000, gene="IDH2")
    )
    assert raised(aml(flow, results=(seen,), names=names)) == {
        ("21.ngs.gap", "NO_RULE")
    }
    itd = marker_result("FLT3-ITD", 90, 1_000_000, kind="duplication")
    seen = visit_result(
        "N", "2020-04-01", marker_result("IDH2", 0, 1_000_000, gene="IDH2"), itd
    )
    assert raised(aml(flow, results=(seen,), names=names)) == set()
    weak = visit_result("N", "2020-04-01", marker_result("IDH2", 0, 500, gene="IDH2"))
    course = aml(flow, results=(weak,), names=names)
    assert raised(course) == set()
    assert any(u.rule == "21.neg" for u in course.unjudged)


def test_no_rule_is_said_aloud() -> None:
    kmt2a = external_visit("2020-04-01", 0.5, target="KMT2A::AFF1", sample="K")
    assert raised(aml(kmt2a)) == {("25.kmt2a", "NO_RULE")}
    drug = Treatment(start="2020-02-01", end="2020-12-01", name="x", kind="hma_ven")
    npm1 = external_visit("2020-04-01", 0.5, sample="N")
    course = aml(npm1, treatments=(drug,))
    assert ("25.hmaven", "NO_RULE") in raised(course)


def test_a_rare_marker_must_have_been_seen_at_diagnosis() -> None:
    positive = external_visit("2020-04-01", 0.5, timepoint="EOT", sample="N")
    for seen, fires in ((None, False), (False, False), (True, True)):
        known = {} if seen is None else {"NPM1": seen}
        facts = Facts(rare_marker=("NPM1",), detectable_at_diagnosis=known)
        course = aml(positive, facts=facts)
        assert any(f.rule == "25.npm1.eot.pos" for f in course.flags) == fires


def test_several_itd_are_reported_together() -> None:
    own = visit_result(
        "F",
        "2020-04-01",
        marker_result("FLT3-ITD-1", 40, 100_000, kind="duplication"),
        marker_result("FLT3-ITD-2", 90, 100_000, kind="duplication"),
    )
    (note,) = [n for n in aml(results=(own,)).notes if n.rule == "25.flt3.multi"]
    assert "FLT3-ITD-1 0.04\u00a0%, FLT3-ITD-2 0.09\u00a0%" in note.text
    assert "ensemble 0,13\u00a0%" in note.text_fr


def test_schedules_of_2021() -> None:
    facts = Facts(transcript="NPM1", dates=Dates(end_of_treatment="2020-05-01"))
    visits = (
        external_visit("2020-05-01", 0.5, timepoint="EOT", specimen="peripheral_blood"),
        external_visit("2020-08-01", None, lod=1e-3, timepoint="FU", sample="F"),
    )
    course = aml(*visits, names=("eln-aml-mrd-2021",), facts=facts)
    due = {(s.kind, s.due) for s in course.schedule if s.rule == "21.npm1.sched"}
    assert due == {("wrong_specimen", None), ("due", "2020-10-31")}


def ball(*external: TimelineVisit, name: str, **facts: object) -> Timeline:
    own = simple_visit(
        "A", "2020-04-01", 0, 1_000_000, disease="B-ALL", metric="igtr_frac"
    )
    known = Facts.model_validate({"dates": {"remission": "2020-02-01"}, **facts})
    given = Given(external=external, facts=known, protocols=[read_packaged(name)])
    return build_timeline([own], given)


def test_discordance_of_lead_and_fusion() -> None:
    fusion = external_visit("2020-04-01", 0.5, target="BCR::ABL1", metric="is_pct")
    course = ball(fusion, name="ph-positive-all", philadelphia=True)
    assert raised(course) == {("ph.discordance", "MONITOR_CLOSER")}
    unknown = ball(fusion, name="ph-positive-all")
    assert raised(unknown) == set()
    assert any("Philadelphia" in u.missing for u in unknown.unjudged)
    assert raised(ball(fusion, name="ph-positive-all", philadelphia=False)) == set()


def test_a_negative_comes_with_what_e1910_showed() -> None:
    course = ball(name="blinatumomab", cd19=True)
    assert raised(course) == set()
    (note,) = course.notes
    assert "no reason to withhold" in note.text
    assert "pas une raison" in note.text_fr
    assert ball(name="blinatumomab", cd19=False).notes == ()


def test_the_rest_is_named_once_every_group_was_judged() -> None:
    facts = Facts(age_group="child", genetic_risk="low")
    own = [
        visit_result(
            label,
            day,
            marker_result("IGH", alt, 200_000),
            disease="B-ALL",
            metric="igtr_frac",
            timepoint=label,
        )
        for label, day, alt in (("D33", "2020-02-03", 40), ("D78", "2020-03-20", 0))
    ]
    flow = external_visit(
        "2020-01-16", 2.0, metric="mfc_pct_wbc", target=None, timepoint="D15"
    )
    protocols = [read_packaged("aieop-bfm-2009")]
    course = build_timeline(
        own, Given(external=[flow], facts=facts, protocols=protocols)
    )
    assert raised(course) == {("bfm2009.mr", "NO_RULE")}


def test_tempo_of_cml() -> None:
    own = simple_visit("D", "2009-12-31", 500, disease="CML", timepoint="DX")
    visits = [
        external_visit(day, value, metric="is_pct", target=None)
        for day, value in (("2020-01-01", 0.01), ("2020-02-01", 0.08))
    ]
    visits = [
        v.model_copy(
            update={"low": (v.value or 0) * 0.8, "high": (v.value or 0) * 1.25}
        )
        for v in visits
    ]
    facts = Facts(dates=Dates(tki_start="2010-01-01"))
    course = build_timeline([own], Given(external=visits, facts=facts))
    assert ("cml.tempo.doubling", "MONITOR_CLOSER") in raised(course)


INDEX = b"""
schema = "mrdtrack-protocol/1"
id = "lab-index"
version = "1"
title = "Index"
title_fr = "Index"
diseases = ["T-ALL"]
[sources.lab]
reference = "Our own coefficients"
[[rule]]
id = "index"
kind = "index"
marker = { kind = "level" }
metric = "igtr_frac"
terms = [
  { quantity = "log10_level", coefficient = 1.0 },
  { quantity = "log10_wbc", coefficient = 1.0 },
  { quantity = "genetic_risk_high", coefficient = 2.0 },
]
at_least = 1.0
actions = ["MONITOR_CLOSER"]
action_origin = "mrdtrack"
source = { ref = "lab", locator = "SOP", status = "lab", confidence = "M" }
en = { call = "High index" }
fr = { call = "Index haut" }
"""


@pytest.mark.parametrize(
    ("white_cells", "risk", "fires"),
    [
        (100.0, "high", True),
        (100.0, "low", False),
        (None, "high", False),
        (9, None, False),
    ],
)
def test_an_index_with_the_users_own_coefficients(
    white_cells: float | None, risk: str | None, fires: bool
) -> None:
    own = simple_visit("A", "2020-04-01", 10_000, disease="T-ALL", metric="igtr_frac")
    facts = Facts.model_validate({"wbc_g_per_l": white_cells, "genetic_risk": risk})
    protocols = [parse_protocol("lab", INDEX)]
    own = own.model_copy(
        update={"level": own.level.model_copy(update={"value": 0.001})}
    )
    course = build_timeline([own], Given(facts=facts, protocols=protocols))
    assert bool(course.flags) == fires
    assert bool(course.unjudged) == (white_cells is None or risk is None)


def test_a_forecast_reaches_for_the_next_threshold_ahead() -> None:
    key = SeriesKey(
        specimen="bone_marrow",
        metric="ratio_pct_abl1",
        source="external",
        method="RT-qPCR",
        target="NPM1",
    )
    rules = [read_packaged("eln-aml-mrd-2025").protocol]
    found = find_threshold(rules, key, 0.02)
    assert found is not None
    assert (found.level, found.rule) == (0.1, "25.npm1.fu.bm")
    assert find_threshold(rules, key, 0.5) is None
