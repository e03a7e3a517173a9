"""The five shapes a real follow-up takes, with the flags the sources ask for."""

from __future__ import annotations

import pytest

from mrdtrack.follow_up.build import Given, build_timeline
from mrdtrack.follow_up.comparison import compare_assessments
from mrdtrack.follow_up.facts import Dates, Facts
from mrdtrack.follow_up.timeline import Timeline
from mrdtrack.levels.result import VisitResult
from mrdtrack.protocols.read import read_packaged
from tests.follow_up.follow_up_builders import (
    external_visit,
    marker_result,
    simple_visit,
    visit_result,
)

REMISSION = Facts(dates=Dates(remission="2020-02-01", treatment_start="2020-01-02"))


def all_course(*visits: tuple[str, str, int, int]) -> Timeline:
    """B-ALL visits (sample, date, molecules seen, looked at), generic rules."""
    results = [
        simple_visit(sample, day, alt, n, disease="B-ALL", metric="igtr_frac")
        for sample, day, alt, n in visits
    ]
    return build_timeline(results, Given(facts=REMISSION))


def flags_of(course: Timeline, sample: str) -> set[tuple[str, str]]:
    return {(f.rule, f.action) for f in course.flags if f.visit == sample}


def test_deep_responder() -> None:
    """Not detected by samples that see 1e-4: complete MRD response, so continue.

    Gökbuget 2021, Table 1: not detected with a sensitivity of at most 1e-4.
    """
    course = all_course(
        ("D", "2020-01-01", 60_000, 100_000),
        ("M1", "2020-02-15", 0, 100_000),
        ("M2", "2020-05-01", 0, 200_000),
    )
    assert flags_of(course, "M1") == {("all.mrdcr", "CONTINUE")}
    assert flags_of(course, "M2") == {("all.mrdcr", "CONTINUE")}
    last = course.visits[-1].log10_reduction
    assert last is not None
    assert last.relation == ">="
    assert last.value > 4


def test_slow_responder() -> None:
    """1e-2, then 1e-3, then 5e-5 quantified: failure twice, then intermediate.

    Gökbuget 2021, Table 1: failure at 1e-4 or more; intermediate when quantified below.
    """
    course = all_course(
        ("D", "2020-01-01", 60_000, 100_000),
        ("M1", "2020-02-15", 1000, 100_000),
        ("M2", "2020-04-01", 100, 100_000),
        ("M3", "2020-07-01", 50, 1_000_000),
    )
    failure = {("all.fail", "INTENSIFY_DISCUSS"), ("all.fail", "HSCT_DISCUSS")}
    assert flags_of(course, "M1") == failure
    assert flags_of(course, "M2") == failure
    assert flags_of(course, "M3") == {
        ("all.int.low", "MONITOR_CLOSER"),
        ("all.int.low", "REPEAT_SAMPLE"),
    }
    halving = course.kinetics[0].halving_time_days
    assert halving is not None
    assert 5 < halving.value < 30


def npm1_relapse() -> Timeline:
    """NPM1 in marrow: negative at end of treatment, 0.2 % then 0.6 % in 19 days."""
    results = [
        visit_result("D", "2020-01-01", marker_result("N", 4000, 9000, gene="NPM1"))
    ]
    external = [
        external_visit("2020-01-01", 80.0, timepoint="diagnosis", sample="Q0"),
        external_visit("2020-05-01", None, lod=0.001, timepoint="EOT", sample="Q1"),
        external_visit("2020-09-01", 0.2, timepoint="FU", sample="Q2"),
        external_visit("2020-09-20", 0.6, timepoint="FU", sample="Q3"),
    ]
    return build_timeline(
        results,
        Given(external=external, facts=Facts(dates=Dates(diagnosis="2020-01-01"))),
    )


def test_molecular_relapse() -> None:
    """Conversion to 0.1 % in marrow, confirmed within four weeks (ELN-DAVID C0004).

    The first positive sample asks for a second; only the second is a relapse.
    """
    course = npm1_relapse()
    assert flags_of(course, "Q1") == {("25.npm1.eot.neg", "CONTINUE")}
    assert flags_of(course, "Q2") == {("25.npm1.fu.bm", "REPEAT_SAMPLE")}
    assert flags_of(course, "Q3") == {
        ("25.npm1.fu.bm", "PREEMPTIVE_DISCUSS"),
        ("25.npm1.fu.bm", "HSCT_DISCUSS"),
    }
    kinetics = next(k for k in course.kinetics if k.metric == "ratio_pct_abl1")
    assert kinetics.molecular_relapse == "confirmed by Q3 (2020-09-20) within 19 days"
    assert kinetics.molecular_relapse_fr.startswith("confirmée par Q3 (20/09/2020)")
    for flag in course.flags:
        assert flag.because_fr
        assert flag.would_change_if_fr
        assert flag.call_fr


def test_clonal_switch_at_relapse() -> None:
    """One marker of the diagnosis is gone at relapse, the other rises: shown as such.

    The level stays the pooled one; the lost and the rising marker are named, and the
    visit says that its markers disagree.
    """

    def visit(sample: str, day: str, first: int, second: int) -> VisitResult:
        return visit_result(
            sample,
            day,
            marker_result("IGH-1", first, 100_000),
            marker_result("TRG-1", second, 100_000),
            disease="B-ALL",
            metric="igtr_frac",
        )

    course = build_timeline(
        [
            visit("D", "2020-01-01", 50_000, 48_000),
            visit("M1", "2020-03-01", 0, 0),
            visit("R", "2020-09-01", 0, 400),
        ],
        Given(facts=REMISSION),
    )
    status = {m.marker: m.status for m in course.kinetics[0].markers}
    assert status == {"IGH-1": "lost", "TRG-1": "rising"}
    assert "marker_disagreement" in {q.code for q in course.visits[-1].quality}
    assert ("all.relapse", "NO_RULE") in flags_of(course, "R")
    assert ("all.fail", "INTENSIFY_DISCUSS") in flags_of(course, "R")


def test_insufficient_samples() -> None:
    """Nothing seen by samples of 2,000 molecules: never negative, never de-escalated.

    Gökbuget 2021, Table 1: not detected with too low a sensitivity is intermediate.
    """
    course = all_course(
        ("D", "2020-01-01", 1200, 2000),
        ("M1", "2020-02-15", 0, 2000),
        ("M2", "2020-05-01", 0, 2000),
    )
    for sample in ("M1", "M2"):
        assert flags_of(course, sample) == {("all.int.sens", "REPEAT_SAMPLE")}
        lacking = {u.missing for u in course.unjudged if u.visit == sample}
        assert any("sensitivity" in text for text in lacking)
    assert course.kinetics[0].nadir_sample == "D"


def test_reassessment_lists_what_differs() -> None:
    """0.5 % in marrow at end of treatment: high risk in 2025, no such rule in 2021."""
    results = [simple_visit("D", "2020-01-01", 4000)]
    external = [external_visit("2020-05-01", 0.5, timepoint="EOT", sample="Q1")]
    old, new = (
        build_timeline(
            results, Given(external=external, protocols=[read_packaged(name)])
        )
        for name in ("eln-aml-mrd-2021", "eln-aml-mrd-2025")
    )
    found = compare_assessments(old, new)
    assert {(d.only_in, d.rule, d.action) for d in found} >= {
        ("second", "25.npm1.eot.pos", "PREEMPTIVE_DISCUSS"),
        ("second", "25.npm1.eot.pos", "HSCT_DISCUSS"),
    }
    assert compare_assessments(new, new) == ()


def test_excluded_genes_drive_nothing() -> None:
    """DNMT3A at 20 % and RUNX1 at 1 %: counted, shown, and no flag rests on them."""
    marker = marker_result("DNMT3A-R882H", 2000, 10_000, gene="DNMT3A")
    other = marker_result("RUNX1-1", 100, 10_000, gene="RUNX1")
    course = build_timeline(
        [
            visit_result("A", "2020-05-01", marker, other, timepoint="post_transplant"),
            visit_result("B", "2020-09-01", marker, other, timepoint="pre_transplant"),
        ],
        Given(
            protocols=[read_packaged("eln-aml-mrd-2025"), read_packaged("aml-studies")]
        ),
    )
    assert {f.rule for f in course.flags} <= {"ngs.thol"}
    assert {f.numbers["value"] for f in course.flags} == {0.01}
    assert {n.rule for n in course.notes} >= {"25.excl"}


@pytest.mark.parametrize("timepoint", ["pre_transplant", "C2", "EOT", "FU"])
def test_flt3_itd_alone_is_never_a_negative(timepoint: str) -> None:
    """A silent FLT3-ITD is no negative patient (ELN-DAVID C9): nothing calms."""
    results = [
        visit_result(
            "A",
            "2020-05-01",
            marker_result("FLT3-ITD", 0, 1_000_000, kind="duplication"),
            timepoint=timepoint,
        )
    ]
    facts = Facts(dates=Dates(remission="2020-02-01"))
    names = ("eln-aml-mrd-2021", "eln-aml-mrd-2025", "aml-studies")
    course = build_timeline(
        results, Given(facts=facts, protocols=[read_packaged(n) for n in names])
    )
    assert not {f.action for f in course.flags} & {"CONTINUE", "DEESCALATE_DISCUSS"}
    assert {n.rule for n in course.notes} >= {"21.ngs.flt3", "25.flt3.sole"}
