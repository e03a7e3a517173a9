"""Rare inputs: what is missing is said, never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mrdtrack.errors import ResultError
from mrdtrack.follow_up.build import Given, build_timeline
from mrdtrack.follow_up.external import read_external
from mrdtrack.follow_up.facts import (
    Dates,
    Facts,
    check_iso_date,
    read_treatments,
)
from mrdtrack.follow_up.likelihood import Evidence, weigh_visit
from mrdtrack.follow_up.regression import (
    fit_course,
    tell_doubling_time,
    tell_halving_time,
    tell_time_to_level,
)
from mrdtrack.follow_up.timeline import Timeline, TimelineVisit
from mrdtrack.follow_up.visits import draft_visit
from mrdtrack.levels.result import VisitResult
from mrdtrack.protocols.read import parse_protocol, read_packaged
from tests.follow_up.follow_up_builders import (
    external_visit,
    marker_result,
    simple_visit,
    visit_result,
)

AML = Facts(patient="P001", disease="AML", dates=Dates(remission="2020-01-01"))


def course(*visits: TimelineVisit, names: tuple[str, ...] = ()) -> Timeline:
    protocols = [read_packaged(name) for name in names] or None
    return build_timeline([], Given(external=visits, facts=AML, protocols=protocols))


def missing(found: Timeline, rule: str) -> str:
    return "; ".join(u.missing for u in found.unjudged if u.rule == rule)


def test_an_imported_level_may_lack_almost_everything() -> None:
    """Positive without a value, without a limit, without a tissue, not evaluable."""
    positive = external_visit("2020-03-01", None, call="quantified", timepoint="EOT")
    assert "a value" in missing(course(positive), "25.npm1.eot.pos")
    unlimited = external_visit("2020-03-01", None, timepoint="EOT")
    assert "limit of detection" in missing(course(unlimited), "25.npm1.eot.neg")
    nowhere = external_visit("2020-03-01", 0.5, timepoint="EOT", specimen=None)
    assert "the tissue" in missing(course(nowhere), "25.npm1.eot.pos")
    failed = external_visit("2020-03-01", None, call="not_evaluable", timepoint="EOT")
    assert "not evaluable" in missing(course(failed), "25.npm1.eot.pos")


def test_flt3_itd_needs_a_clear_value_and_a_limit() -> None:
    def itd(value: float | None, lod: float | None) -> TimelineVisit:
        return external_visit(
            "2020-03-01",
            value,
            metric="vaf_gdna",
            target="FLT3-ITD",
            timepoint="C2",
            lod=lod,
            call="quantified",
        )

    assert "below the limit of detection" in missing(
        course(itd(5e-6, 1e-5)), "25.flt3.c2"
    )
    assert "limit of detection" in missing(course(itd(5e-6, None)), "25.flt3.c2")
    assert "a value" in missing(course(itd(None, 1e-5)), "25.flt3.c2")


def test_an_imported_reduction_without_a_value_is_missing() -> None:
    visit = external_visit(
        "2020-03-01",
        None,
        metric="log10_reduction",
        target="CBFB::MYH11",
        timepoint="C2",
        call="quantified",
    )
    assert "a value" in missing(course(visit), "25.cbf.c2.poor")


def test_changes_say_why_they_are_unknown() -> None:
    first = external_visit("2020-02-01", 0.5)
    second = external_visit("2020-03-01", None, call="quantified")
    change = course(first, second).visits[1].change_from_previous
    assert change is not None
    assert change.log10 is None
    assert change.reason == "a visit is positive without a value"
    third = external_visit("2020-03-01", None, call="not_evaluable")
    change = course(first, third).visits[1].change_from_previous
    assert change is not None
    assert "no level and no limit" in change.reason


def test_a_weak_earlier_negative_shows_no_rise() -> None:
    found = course(
        external_visit("2020-02-01", None, lod=1.0),
        external_visit("2020-03-01", 0.5, low=0.4, high=0.6),
    )
    change = found.visits[1].change_from_previous
    assert change is not None
    assert "no rise demonstrated" in change.reason
    later = course(
        external_visit("2020-02-01", 0.5, low=0.4, high=0.6),
        external_visit("2020-03-01", None, lod=1.0),
    )
    assert "no reduction demonstrated" in later.visits[1].log10_reduction_reason


def test_a_relapse_seen_again_too_late_is_not_confirmed() -> None:
    visits = [simple_visit("A", "2020-01-01", 0, 100_000)]
    for sample, day, alt in (
        ("B", "2020-03-01", 40),
        ("C", "2020-03-10", 0),
        ("D", "2020-06-01", 60),
    ):
        visits.append(simple_visit(sample, day, alt))
    kinetics = build_timeline([visits[0], visits[1], visits[3]]).kinetics[0]
    assert "outside the confirmation window" in kinetics.molecular_relapse
    again = build_timeline([visits[0], visits[1]]).kinetics[0]
    assert again.molecular_relapse.startswith("suspected")
    whole = build_timeline(visits).kinetics[0]
    assert whole.conversion.startswith("not detected in C")


def test_conditions_tell_of_other_markers_and_other_counting() -> None:
    def visit(sample: str, day: str, *names: str, mode: str = "umi") -> VisitResult:
        markers = [
            marker_result(name, 50, 10_000, gene="IDH2").model_copy(
                update={"molecule_mode": mode}
            )
            for name in names
        ]
        return visit_result(sample, day, *markers)

    found = build_timeline(
        [
            visit("A", "2020-01-01", "M1", "M2"),
            visit("B", "2020-02-01", "M1", mode="fragments"),
        ]
    )
    said = " ".join(found.kinetics[0].conditions)
    assert "different markers" in said
    assert "different ways (fragments, umi)" in said


def test_a_visit_that_weighs_nothing() -> None:
    visit = draft_visit(simple_visit("A", "2020-01-01", 0))
    nothing = visit.model_copy(update={"lod95": None, "high": None})
    assert weigh_visit(nothing) is None
    bounded = weigh_visit(visit.model_copy(update={"lod95": None, "high": 1e-4}))
    assert bounded is not None
    assert bounded.form == "censored"
    no_value = visit.model_copy(update={"call": "quantified", "value": None})
    assert weigh_visit(no_value) is None
    one_side = visit.model_copy(
        update={"call": "quantified", "value": 1e-4, "low": None, "high": 3e-4}
    )
    weighed = weigh_visit(one_side)
    assert weighed is not None
    assert weighed.form == "counts"


def test_markers_without_counts_are_unclear() -> None:
    blank = marker_result("M1", None, assessable=False)
    found = build_timeline(
        [
            visit_result("A", "2020-01-01", blank, marker_result("M2", 50)),
            visit_result("B", "2020-02-01", blank, marker_result("M2", 60)),
        ]
    )
    status = {m.marker: m.status for m in found.kinetics[0].markers}
    assert status == {"M1": "unclear", "M2": "stable"}


def test_values_and_non_detects_of_other_methods_lie_on_one_course() -> None:
    points = [
        Evidence(form="point", level=level, count=0, exposure=0)
        for level in (0.4, 0.19, 0.1, 0.052)
    ]
    hidden = Evidence(form="censored", level=0.04, count=1.0, exposure=75.0)
    fit = fit_course([0, 10, 20, 30, 40], [*points, hidden])
    assert fit is not None
    halving = tell_halving_time(fit)
    assert halving is not None
    assert halving.value == pytest.approx(10, rel=0.1)
    assert tell_doubling_time(fit) is None
    assert tell_time_to_level(fit, 1.0) is None
    mixed = Evidence(form="counts", level=0.1, count=10, exposure=100)
    assert fit_course([0, 10, 20], [*points[:2], mixed]) is None


def test_a_fall_seen_once_is_bounded_from_above() -> None:
    seen = Evidence(form="counts", level=1e-3, count=50, exposure=50_000)
    hidden = Evidence(form="censored", level=1e-4, count=2.0, exposure=47_440)
    fit = fit_course([0, 30], [seen, hidden])
    assert fit is not None
    found = tell_halving_time(fit)
    assert found is not None
    assert (found.relation, found.low) == ("<=", None)
    level = fit_course([0, 30], [seen, seen])
    assert level is not None
    assert tell_doubling_time(level) is None or level.slope > 0


def test_names_must_tell_results_apart() -> None:
    own = simple_visit("A", "2020-01-01", 5)
    with pytest.raises(ResultError, match="names two results"):
        build_timeline(
            [own], Given(external=[external_visit("2020-02-01", 1.0, sample="A")])
        )


def test_dates_are_calendar_days() -> None:
    for wrong in ("20200101", "2020-W01-1", "2020-02-30", "tomorrow"):
        with pytest.raises(ValueError, match="YYYY-MM-DD"):
            check_iso_date(wrong)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "not text in UTF-8"),
        (b'"open,end,name,kind\n', "is no CSV|has no column"),
        (b'start,end,name,kind\n2020-01-01,,"open,x\n', "is no CSV"),
        (b"start,end,name,kind\n2020,,x,y\n", "YYYY-MM-DD"),
        (b"", "has no column"),
    ],
)
def test_treatment_files_that_are_wrong(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "treatments.csv"
    path.write_bytes(content)
    with pytest.raises(ResultError, match=message):
        read_treatments(path)


def test_imported_rows_come_in_any_order_and_with_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "external.csv"
    path.write_text(
        "method,call,lod,value,metric,specimen,date\n"
        "RT-qPCR,,0.001,0.5,ratio_pct_abl1,BM,2021-01-01\n"
        ",,,,,,\n"
        "RT-qPCR,,0.001,0.1,ratio_pct_abl1,BM,2020-01-01\n"
    )
    found = course(*read_external(path))
    assert [v.date for v in found.visits] == ["2020-01-01", "2021-01-01"]


TEMPLATE = b"""
schema = "mrdtrack-protocol/1"
id = "lab"
version = "1"
title = "Lab"
title_fr = "Labo"
diseases = ["AML"]
[sources.lab]
reference = "Our own"
[[rule]]
id = "r1"
kind = "level"
marker = { kind = "transcript", genes = ["NPM1"] }
metric = "ratio_pct_abl1"
test = { at_least = 0.1 }
actions = ["MONITOR_CLOSER"]
action_origin = "mrdtrack"
source = { ref = "lab", locator = "SOP 1", status = "lab", confidence = "H" }
[rule.en]
call = "Call"
because = "{visit} {specimen} {metric} {value}{interval} {limit} {required}"
would_change_if = "{earlier} {days} {detail}"
[rule.fr]
call = "Appel"
because = "{value} dans {visit}"
would_change_if = "moins de {threshold}"
"""


def test_a_laboratorys_own_sentences_are_filled() -> None:
    visit = external_visit("2020-03-01", 0.5, low=0.4, high=0.6, sample="Q")
    found = build_timeline(
        [],
        Given(external=[visit], facts=AML, protocols=[parse_protocol("lab", TEMPLATE)]),
    )
    (flag,) = found.flags
    assert flag.because.startswith("Q (2020-03-01) bone marrow transcript ratio")
    assert "not known" in flag.because
    assert flag.would_change_if.startswith("not known not known 0.5")
    assert flag.because_fr == "0,5\u00a0% dans Q (01/03/2020)"
    assert flag.would_change_if_fr == "moins de 0,1\u00a0%"


def test_a_rule_on_two_markers_needs_both() -> None:
    def visit(*molecules: int) -> VisitResult:
        markers = [
            marker_result(f"IG{n}", 0, looked, asked=2)
            for n, looked in enumerate(molecules)
        ]
        return visit_result(
            "A",
            "2020-02-03",
            *markers,
            disease="B-ALL",
            metric="igtr_frac",
            timepoint="D33",
        )

    facts = Facts(age_group="child")
    protocols = [read_packaged("aieop-bfm-2000")]
    for molecules, fires in (((60_000, 60_000), True), ((200_000, 900), False)):
        found = build_timeline(
            [visit(*molecules)], Given(facts=facts, protocols=protocols)
        )
        assert bool(found.flags) == fires
        lacking = missing(found, "bfm2000.sr")
        assert ("2 markers that each reach the sensitivity" in lacking) != fires


def test_the_second_time_point_of_a_negative_must_be_negative_too() -> None:
    def visit(label: str, day: str, alt: int, looked: int) -> VisitResult:
        return visit_result(
            label,
            day,
            marker_result("IG", alt, looked),
            disease="B-ALL",
            metric="igtr_frac",
            timepoint=label,
        )

    facts = Facts(age_group="child")
    protocols = [read_packaged("dcog-all10")]
    first = visit("D33", "2020-02-03", 0, 200_000)
    for alt, looked, fires in (
        (0, 200_000, True),
        (40, 200_000, False),
        (0, 900, False),
    ):
        found = build_timeline(
            [first, visit("D79", "2020-03-21", alt, looked)],
            Given(facts=facts, protocols=protocols),
        )
        assert ("dcog10.sr" in {f.rule for f in found.flags}) == fires
        assert ("sensitivity" in missing(found, "dcog10.sr")) == (looked == 900)


def test_an_insufficient_sample_is_no_negative_of_a_positive_rule() -> None:
    weak = external_visit(
        "2020-03-01",
        None,
        call="insufficient_sensitivity",
        specimen="peripheral_blood",
        timepoint="C2",
    )
    found = course(weak, names=("aml-studies",))
    assert "could not see what was asked" in missing(found, "npm1.othman.pos")
