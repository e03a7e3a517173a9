"""Files a user can get wrong: each is refused in one sentence that says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mrdtrack.errors import FaultList, ResultError
from mrdtrack.follow_up.build import Given, build_timeline
from mrdtrack.follow_up.external import read_external
from mrdtrack.follow_up.facts import (
    Dates,
    Facts,
    gather_anchors,
    read_facts,
    read_treatments,
)
from mrdtrack.follow_up.visits import read_visits
from mrdtrack.follow_up.wording import say_date, say_level, say_number
from mrdtrack.protocols.read import read_packaged
from tests.follow_up.follow_up_builders import simple_visit

HEAD = "date,specimen,metric,value,lod,call,method\n"


def write_visit(folder: Path, name: str, **changes: object) -> Path:
    visit = simple_visit(name, "2020-01-15", 13)
    content = json.loads(visit.model_dump_json(by_alias=True)) | changes
    path = folder / f"{name}.mrd.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_visits_are_read_in_date_order(tmp_path: Path) -> None:
    late = write_visit(tmp_path, "B", date="2021-01-01")
    early = write_visit(tmp_path, "A")
    assert [v.sample for v in read_visits([late, early])] == ["A", "B"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"patient": "P2", "date": "2020-02-01"}, "is of patient P2"),
        ({"disease": "CML", "date": "2020-02-01"}, "names the disease CML"),
        ({"date": None}, "has no date"),
        ({"date": "15/01/2020"}, "YYYY-MM-DD"),
        ({"sample": "A", "date": "2020-02-01"}, "sample A is also in"),
        ({}, "one result for each tissue and day"),
        ({"schema": "mrdtrack-result/9"}, "is not a visit result"),
    ],
)
def test_visits_that_cannot_stand_together(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    first = write_visit(tmp_path, "A")
    with pytest.raises(ResultError, match=message):
        read_visits([first, write_visit(tmp_path, "B", **changes)])


def test_same_day_marrow_and_blood_stand_apart(tmp_path: Path) -> None:
    paths = [
        write_visit(tmp_path, "A"),
        write_visit(tmp_path, "B", specimen="peripheral_blood"),
    ]
    course = build_timeline(read_visits(paths))
    assert len(course.visits) == 2
    assert [q.code for q in course.quality] == [
        "several_specimens",
        "identity_unchecked",
    ]


def test_what_is_no_result(tmp_path: Path) -> None:
    path = tmp_path / "x.mrd.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ResultError, match="is not JSON"):
        read_visits([path])
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(ResultError, match="is not a visit result"):
        read_visits([path])
    with pytest.raises(FaultList, match="levle"):
        read_visits([write_visit(tmp_path, "C", levle=1)])
    with pytest.raises(ResultError, match="has no visit result"):
        read_visits([])


@pytest.mark.parametrize("number", [-1, 10**13, 10**400])
def test_no_sample_holds_so_many_molecules(tmp_path: Path, number: int) -> None:
    right = json.loads(write_visit(tmp_path, "A").read_text(encoding="utf-8"))
    marker = {**right["markers"][0], "alt": number}
    with pytest.raises(FaultList, match="alt"):
        read_visits([write_visit(tmp_path, "A", markers=[marker])])


def external(tmp_path: Path, *rows: str, head: str = HEAD) -> Path:
    path = tmp_path / "external.csv"
    path.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_external_results_keep_their_metric(tmp_path: Path) -> None:
    rows = [
        "2020-03-01,BM,ratio_pct_abl1,0.5,0.001,,RT-qPCR",
        "2020-04-01,PB,mfc_pct_wbc,,0.01,negative,flow",
        "2020-05-01,moelle,igtr_frac,0.00002,0.0001,,qPCR",
        "2020-06-01,BM,log10_reduction,3.5,,,RT-qPCR",
    ]
    visits = read_external(external(tmp_path, *rows))
    assert [v.call for v in visits] == [
        "quantified",
        "not_detected",
        "detected_below_loq",
        "quantified",
    ]
    assert visits[0].specimen == "bone_marrow"
    assert visits[1].value is None


def test_french_spreadsheets_are_read(tmp_path: Path) -> None:
    head = "\ufeffdate;specimen;metric;value;lod;call;method;target\n"
    row = "2020-03-01;sang;ratio_pct_abl1;0,5;0,001;positive;RT-qPCR;NPM1"
    (visit,) = read_external(external(tmp_path, row, head=head))
    assert (visit.value, visit.lod95, visit.target) == (0.5, 0.001, "NPM1")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2020-13-01,BM,is_pct,1,,,x", "YYYY-MM-DD"),
        ("2020-01-01,knee,is_pct,1,,,x", "specimen 'knee' is unknown"),
        ("2020-01-01,BM,percent,1,,,x", "metric 'percent' is unknown"),
        ("2020-01-01,BM,is_pct,much,,,x", "is no number"),
        ("2020-01-01,BM,is_pct,-1,,,x", "no possible level"),
        ("2020-01-01,BM,is_pct,nan,,,x", "no possible level"),
        ("2020-01-01,BM,igtr_frac,5,,,x", "is above 1"),
        ("2020-01-01,BM,is_pct,,,,x", "neither value nor call"),
        ("2020-01-01,BM,is_pct,0,,,x", "value 0 without a call"),
        ("2020-01-01,BM,is_pct,0,,quantified,x", "no value above 0"),
        ("2020-01-01,BM,is_pct,1,,perhaps,x", "call 'perhaps' is unknown"),
        ("2020-01-01,BM,log10_reduction,,,,x", "log10 reduction without a value"),
        ("2020-01-01,BM,is_pct,1", "not as many fields"),
    ],
)
def test_external_rows_that_are_wrong(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(ResultError, match=message):
        read_external(external(tmp_path, row))


def test_external_files_that_are_wrong(tmp_path: Path) -> None:
    row = "2020-01-01,BM,is_pct,1,,,x"
    with pytest.raises(ResultError, match="repeats the measurement of line 2"):
        read_external(external(tmp_path, row, row))
    with pytest.raises(ResultError, match="holds no result"):
        read_external(external(tmp_path))
    with pytest.raises(ResultError, match="has no column date"):
        read_external(external(tmp_path, row, head="day,specimen\n"))
    with pytest.raises(ResultError, match="unknown columns colour"):
        read_external(external(tmp_path, row + ",red", head=HEAD.strip() + ",colour\n"))


def test_treatments_give_the_days_rules_count_from(tmp_path: Path) -> None:
    path = tmp_path / "treatments.csv"
    path.write_text(
        "start,end,name,kind\n2020-01-02,2020-02-01,7+3,induction\n"
        "2020-02-10,2020-05-01,HDAC,consolidation\n2020-06-01,,allo,transplant\n"
        "2021-01-01,,imatinib,TKI\n",
        encoding="utf-8",
    )
    anchors = gather_anchors(
        Facts(dates=Dates(diagnosis="2020-01-01")), read_treatments(path)
    )
    assert anchors == {
        "diagnosis": "2020-01-01",
        "end_of_treatment": "2020-05-01",
        "tki_start": "2021-01-01",
        "transplant": "2020-06-01",
        "treatment_start": "2020-01-02",
    }
    path.write_text(
        "start,end,name,kind\n2020-02-01,2020-01-01,x,y\n", encoding="utf-8"
    )
    with pytest.raises(ResultError, match="before the start"):
        read_treatments(path)


def test_facts_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "facts.toml"
    path.write_text('age_group = "adult"\nwbc_g_per_l = 30\n', encoding="utf-8")
    assert read_facts(path).wbc_g_per_l == 30
    path.write_text("wbc = 30\n", encoding="utf-8")
    with pytest.raises(FaultList, match="wbc"):
        read_facts(path)
    path.write_text("= 3", encoding="utf-8")
    with pytest.raises(ResultError, match="is not TOML"):
        read_facts(path)


def test_what_does_not_fit_the_patient_is_refused() -> None:
    visit = simple_visit("A", "2020-01-01", 13)
    with pytest.raises(ResultError, match="is for CML"):
        build_timeline([visit], Given(protocols=[read_packaged("eln-cml-2020")]))
    twice = [read_packaged("aml-studies")] * 2
    with pytest.raises(ResultError, match="named twice"):
        build_timeline([visit], Given(protocols=twice))
    with pytest.raises(ResultError, match="is of patient P9"):
        build_timeline([visit], Given(facts=Facts(patient="P9")))


def test_numbers_are_said_in_both_languages() -> None:
    assert say_number(0.00032, "en") == "0.00032"
    assert say_number(1234.0, "en") == "1234"
    assert say_level(3.2e-4, "igtr_frac", "fr") == "0,032\u00a0%"
    assert say_level(150.0, "copies_1e5_abl1", "en") == "150"
    assert say_date("2020-01-31", "fr") == "31/01/2020"
