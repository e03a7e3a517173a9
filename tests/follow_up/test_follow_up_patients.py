"""Who the patient is, which sample is the diagnosis, and courses that are strange."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from mrdtrack.commands.timeline import (
    TimelineRequest,
    compare,
    tell_differences,
    timeline,
)
from mrdtrack.errors import ResultError
from mrdtrack.follow_up.build import Given, build_timeline
from mrdtrack.follow_up.facts import Dates, Facts
from mrdtrack.follow_up.timeline import Timeline, TimelineVisit
from mrdtrack.levels.result import VisitResult
from mrdtrack.protocols.read import read_packaged
from tests.follow_up.follow_up_builders import (
    external_visit,
    marker_result,
    simple_visit,
    visit_result,
)

PATIENT = Facts(patient="P001", disease="CML", dates=Dates(tki_start="2020-01-01"))


def bcr_abl1(day: str, value: float | None, lod: float | None = None) -> TimelineVisit:
    return external_visit(day, value, metric="is_pct", target=None, lod=lod, sample=day)


def raised(course: Timeline) -> set[tuple[str, str, str]]:
    return {(f.visit, f.rule, f.action) for f in course.flags}


def test_other_methods_alone_are_a_course() -> None:
    """CML is followed by imported levels only; the facts name the patient."""
    visits = [bcr_abl1("2020-03-25", 5.0), bcr_abl1("2020-07-01", 12.0)]
    course = build_timeline([], Given(external=visits, facts=PATIENT))
    assert (course.patient, course.disease) == ("P001", "CML")
    assert raised(course) >= {
        ("2020-03-25", "cml.m3.optimal", "CONTINUE"),
        ("2020-07-01", "cml.m6.failure", "INTENSIFY_DISCUSS"),
    }
    assert [p.id for p in course.protocols] == ["eln-cml-2020"]


@pytest.mark.parametrize(
    ("external", "facts", "message"),
    [
        ([], PATIENT, "has no result"),
        ([bcr_abl1("2020-03-25", 5.0)], Facts(), "the patient is not known"),
        (
            [bcr_abl1("2020-03-25", 5.0)],
            Facts(patient="P001"),
            "the disease is not known",
        ),
    ],
)
def test_a_patient_must_be_named(
    external: Sequence[TimelineVisit], facts: Facts, message: str
) -> None:
    with pytest.raises(ResultError, match=message):
        build_timeline([], Given(external=external, facts=facts))


def test_facts_of_another_disease_are_refused() -> None:
    with pytest.raises(ResultError, match="names the disease CML, the results AML"):
        build_timeline([simple_visit("A", "2020-01-01", 5)], Given(facts=PATIENT))


def test_milestones_end_with_the_drug() -> None:
    """0.5 % after stopping is the loss of response, no milestone's warning."""
    dates = Dates(tki_start="2010-01-01", tki_stop="2020-01-01")
    facts = PATIENT.model_copy(update={"dates": dates})
    visits = [bcr_abl1("2019-12-01", 0.5), bcr_abl1("2020-03-01", 0.5)]
    course = build_timeline([], Given(external=visits, facts=facts))
    found = {(visit, rule) for visit, rule, _ in raised(course)}
    assert ("2019-12-01", "cml.later.warning") in found
    assert ("2020-03-01", "cml.later.warning") not in found
    assert ("2020-03-01", "cml.tfr.loss") in found


def npm1(sample: str, day: str, alt: int, timepoint: str | None) -> VisitResult:
    marker = marker_result("NPM1-A", alt, 100_000, gene="NPM1")
    return visit_result(sample, day, marker, timepoint=timepoint)


def test_a_sample_labelled_as_diagnosis_under_treatment_is_judged() -> None:
    """A label must not hide a level from the rules when the dates speak against it."""
    results = [npm1("A", "2020-06-01", 300, "baseline")]
    for start, judged in ((None, False), ("2020-06-01", False), ("2020-02-01", True)):
        facts = Facts(dates=Dates(treatment_start=start))
        course = build_timeline(results, Given(facts=facts))
        assert bool(course.flags) == judged


def test_a_named_baseline_of_another_time_point_is_no_diagnosis() -> None:
    results = [npm1("A", "2020-03-01", 300, "C2"), npm1("B", "2020-06-01", 20, "EOT")]
    course = build_timeline(results, Given(baseline="A"))
    assert course.visits[1].log10_reduction is not None
    assert not course.kinetics[0].baseline_is_diagnosis
    assert {f.visit for f in course.flags} == {"A", "B"}


def test_a_late_baseline_is_told() -> None:
    results = [
        npm1("A", "2020-03-01", 300, "C2"),
        npm1("B", "2020-06-01", 400, "baseline"),
        npm1("C", "2020-08-01", 10, "FU"),
    ]
    course = build_timeline(results)
    assert any("not the first sample" in c for c in course.kinetics[0].conditions)
    assert course.visits[0].log10_reduction_reason == "before the baseline"
    assert course.visits[2].log10_reduction is not None


def test_a_course_without_a_baseline_says_so() -> None:
    results = [simple_visit("A", "2020-03-01", 0), simple_visit("B", "2020-06-01", 0)]
    course = build_timeline(results)
    (kinetics,) = course.kinetics
    assert kinetics.baseline_sample is None
    assert any("no baseline" in c for c in kinetics.conditions)
    assert {v.log10_reduction_reason for v in course.visits} == {
        "no baseline of this tissue, metric and method"
    }
    change = course.visits[1].change_from_previous
    assert change is not None
    assert change.log10 is None
    assert change.reason == "not detected at either visit"


@pytest.mark.parametrize(
    ("value", "lod", "fires"), [(0.02, 0.001, True), (None, 0.001, False)]
)
def test_the_end_of_treatment_is_read_from_the_visits(
    value: float | None, lod: float, fires: bool
) -> None:
    """Positive at the end of treatment: APL is followed although not high-risk."""
    rows = (
        ("2024-07-01", value, "EOT"),
        ("2024-09-01", None, "FU"),
        ("2025-01-01", 0.01, "FU"),
    )
    visits = [
        external_visit(
            day, level, target="PML-RARA", lod=lod, timepoint=label, sample=day
        )
        for day, level, label in rows
    ]
    facts = Facts(patient="P1", disease="APL", apl_high_risk=False)
    course = build_timeline([], Given(external=visits, facts=facts))
    found = {(visit, rule) for visit, rule, _ in raised(course)}
    assert (("2025-01-01", "25.apl.fu") in found) == fires
    assert not [u for u in course.unjudged if u.rule == "25.apl.fu"]


def test_metrics_are_not_compared() -> None:
    results = [
        simple_visit("A", "2020-01-01", 4000, timepoint="DX"),
        simple_visit("B", "2020-06-01", 30, metric="igtr_frac"),
    ]
    course = build_timeline(results)
    assert course.kinetics == ()
    assert course.visits[1].change_from_previous is None
    assert course.visits[1].log10_reduction is None
    assert course.visits[1].baseline


def test_a_confirmed_relapse_tells_both_samples() -> None:
    visits = [
        external_visit("2020-05-01", None, lod=0.001, timepoint="EOT", sample="Q1"),
        external_visit("2020-09-01", 0.2, timepoint="FU", sample="Q2"),
        external_visit(
            "2020-09-20", 0.6, low=0.3, high=0.9, timepoint="FU", sample="Q3"
        ),
    ]
    facts = Facts(patient="P001", disease="AML")
    course = build_timeline([], Given(external=visits, facts=facts))
    flag = next(f for f in course.flags if f.action == "PREEMPTIVE_DISCUSS")
    assert flag.visit == "Q3"
    assert flag.numbers["value"] == 0.6
    assert flag.numbers["first_value"] == 0.2
    assert flag.confidence == "estimate"
    assert "this confirms, 19 days later, Q2 (2020-09-01): 0.2" in flag.because


def test_the_tissue_of_a_time_point_is_asked_for_as_a_flag() -> None:
    """Marrow after two cycles: the guideline judges NPM1 on blood there (C0001)."""
    visit = external_visit("2020-03-01", 0.05, timepoint="C2", sample="Q")
    facts = Facts(patient="P001", disease="AML")
    names = ("eln-aml-mrd-2025", "aml-studies")
    course = build_timeline(
        [],
        Given(
            external=[visit], facts=facts, protocols=[read_packaged(n) for n in names]
        ),
    )
    flags = [f for f in course.flags if f.action == "CHANGE_SPECIMEN"]
    assert sorted(f.protocol for f in flags) == sorted(names)
    assert {f.visit for f in flags} == {"Q"}
    for flag in flags:
        assert "judged on peripheral blood, not on bone marrow" in flag.because
        assert flag.call == "Wrong tissue for this time point"
        assert flag.action_origin == "mrdtrack"
        assert flag.would_change_if == "a sample of peripheral blood of this time point"
    assert {s.kind for s in course.schedule} == {"wrong_specimen"}


def write(folder: Path, *results: VisitResult) -> list[Path]:
    paths = []
    for result in results:
        path = folder / f"{result.sample}.mrd.json"
        path.write_text(result.model_dump_json(by_alias=True), encoding="utf-8")
        paths.append(path)
    return paths


def test_the_command_takes_other_methods_alone(tmp_path: Path) -> None:
    csv = tmp_path / "external.csv"
    csv.write_text(
        "date,specimen,metric,value,lod,call,method\n2020-07-01,PB,is_pct,12,,,qPCR\n"
    )
    facts = tmp_path / "facts.toml"
    facts.write_text('patient = "P7"\ndisease = "CML"\n')
    timeline(
        TimelineRequest(
            results=(),
            output=tmp_path / "out",
            external=csv,
            facts=facts,
            quiet=True,
            formats=("json", "tsv"),
        )
    )
    assert (tmp_path / "out" / "P7.timeline.json").is_file()


def test_old_results_are_judged_again_from_their_files(tmp_path: Path) -> None:
    """A laboratory's own version of a protocol, against the packaged one."""
    own = npm1("A", "2020-06-01", 300, "pre_transplant").model_copy(
        update={"specimen": "peripheral_blood"}
    )
    facts = tmp_path / "facts.toml"
    facts.write_text('[dates]\nremission = "2020-02-01"\n')
    request = TimelineRequest(
        results=write(tmp_path, own),
        output=tmp_path / "out",
        facts=facts,
        protocols=("eln-aml-mrd-2025",),
    )
    found = compare(request, ["aml-studies"])
    assert {(d.only_in, d.rule, d.action) for d in found} == {
        ("second", "gdna.dillonL.npm1", "INTENSIFY_DISCUSS"),
    }
    told = tell_differences(found).splitlines()
    assert told[0].split("\t") == [
        "date", "visit", "action", "only_in", "protocol", "version", "rule",
    ]  # fmt: skip
    assert told[1].split("\t")[4:6] == ["aml-studies", "2024.2"]
    assert not (tmp_path / "out").exists()
