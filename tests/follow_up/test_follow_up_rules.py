"""Laws over random courses, guards, schedules, and the command itself."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.commands.timeline import (
    TimelineRequest,
    compare,
    tell_differences,
    timeline,
)
from mrdtrack.errors import ResultError
from mrdtrack.follow_up.build import Given, build_timeline
from mrdtrack.follow_up.facts import Blasts, Dates, Facts, LaboratorySettings
from mrdtrack.follow_up.timeline import Timeline, TimelineVisit, Treatment
from mrdtrack.levels.result import Specimen, VisitResult
from mrdtrack.protocols.read import list_packaged, read_packaged
from mrdtrack.protocols.vocabulary import METRICS, OWN_METRICS
from tests.follow_up.follow_up_builders import (
    external_visit,
    marker_result,
    simple_visit,
    visit_result,
)

LABELS = ("after_cycle_2", "end_of_treatment", "follow_up", "day_33", "day_78", None)
CALM = Facts(
    age_group="child",
    philadelphia=False,
    cml_phase="CP1",
    eln_risk="intermediate",
    dates=Dates(remission="2020-01-01", tki_start="2010-01-01"),
)


@st.composite
def random_results(draw: st.DrawFn) -> list[TimelineVisit]:
    visits = []
    for place in range(draw(st.integers(1, 7))):
        metric = draw(st.sampled_from(METRICS))
        value = draw(st.none() | st.floats(1e-7, 0.9))
        spread = draw(st.none() | st.floats(1.01, 5))
        share = metric in OWN_METRICS
        visits.append(
            external_visit(
                (date(2020, 2, 1) + timedelta(days=150 * place)).isoformat(),
                value,
                metric=metric,
                specimen=draw(st.sampled_from(["bone_marrow", "peripheral_blood"])),
                lod=draw(st.none() | st.floats(1e-7, 0.01)),
                target=draw(st.sampled_from(["NPM1", "FLT3-ITD", None])),
                timepoint=draw(st.sampled_from(LABELS)),
                low=value / spread if value and spread else None,
                high=min(value * spread, 1.0 if share else 1e9)
                if value and spread
                else None,
                sample=f"E{place}",
            )
        )
    return visits


@given(random_results())
def test_no_deescalation_without_proof(visits: list[TimelineVisit]) -> None:
    """Only an adequate negative, or an upper limit below the threshold, deescalates."""
    for disease in ("AML", "B-ALL", "CML"):
        own = simple_visit("D", "2020-01-01", 500, disease=disease, timepoint="DX")
        names = [
            name
            for name in list_packaged()
            if disease in read_packaged(name).protocol.diseases
        ]
        course = build_timeline(
            [own],
            Given(
                external=visits,
                facts=CALM,
                protocols=[read_packaged(name) for name in names],
            ),
        )
        by_name = {visit.sample: visit for visit in course.visits}
        for flag in course.flags:
            if flag.action != "DEESCALATE_DISCUSS":
                continue
            visit, threshold = by_name[flag.visit], float(flag.numbers["threshold"])
            if visit.call == "not_detected":
                assert visit.lod95 is not None
                assert visit.lod95 <= threshold
            else:
                assert visit.high is not None
                assert visit.high <= threshold
            assert flag.confidence == "interval"


def cml(*visits: TimelineVisit, **facts: object) -> Timeline:
    known = CALM.model_copy(update=facts)
    own = simple_visit("D", "2009-12-31", 500, disease="CML", timepoint="DX")
    return build_timeline([own], Given(external=visits, facts=known))


def test_treatment_free_remission_needs_proven_depth() -> None:
    """MR4 shown over more than three years, five years of treatment, first phase."""

    def visit(year: int, lod: float | None) -> TimelineVisit:
        return external_visit(
            f"{year}-06-01", None, metric="is_pct", lod=lod, target=None
        )

    deep = cml(*(visit(year, 0.01) for year in (2016, 2017, 2018, 2019, 2020)))
    found = {f.rule for f in deep.flags if f.action == "DEESCALATE_DISCUSS"}
    assert found == {"cml.tfr.minimal", "cml.tfr.optimal"}
    weak = cml(*(visit(year, 0.02) for year in (2016, 2017, 2018, 2019, 2020)))
    assert "DEESCALATE_DISCUSS" not in {f.action for f in weak.flags}
    missing = {u.rule for u in weak.unjudged if u.missing.startswith("sensitivity")}
    assert missing >= {"cml.tfr.minimal"}


def test_a_loss_after_stopping_and_its_schedule() -> None:
    dates = Dates(tki_start="2010-01-01", tki_stop="2020-01-01", remission="2010-06-01")
    course = cml(
        external_visit("2020-03-01", 0.2, metric="is_pct", target=None, sample="Q"),
        dates=dates,
    )
    assert ("cml.tfr.loss", "INTENSIFY_DISCUSS") in {
        (f.rule, f.action) for f in course.flags
    }
    due = [s for s in course.schedule if s.rule == "cml.tfr.sched"]
    assert [(s.kind, s.specimen) for s in due] == [("overdue", "peripheral_blood")]


def test_negatives_by_abl1_copies_are_the_laboratorys_choice() -> None:
    results = [simple_visit("D", "2020-01-01", 500, timepoint="DX")]
    negative = external_visit(
        "2020-03-01",
        None,
        timepoint="C2",
        specimen="peripheral_blood",
        abl1_copies=20_000,
        sample="Q",
    )
    for asked, fires in ((None, False), (10_000, True), (30_000, False)):
        facts = Facts(laboratory=LaboratorySettings(abl1_copies_min=asked))
        course = build_timeline(results, Given(external=[negative], facts=facts))
        assert any(f.rule == "25.npm1.c2.neg" for f in course.flags) == fires


def test_a_flt3_inhibitor_blocks_deescalation() -> None:
    results = [simple_visit("D", "2020-01-01", 500, timepoint="DX")]
    negative = external_visit(
        "2020-03-01", None, lod=1e-4, timepoint="C2", specimen="peripheral_blood"
    )
    drug = Treatment(start="2020-01-10", end=None, name="m", kind="flt3_inhibitor")
    course = build_timeline(results, Given(external=[negative], treatments=[drug]))
    assert {f.action for f in course.flags} == {"CONTINUE"}
    assert any("taken back by 25.flt3.stop" in u.missing for u in course.unjudged)


def test_conflicting_rules_stand_together_intensification_first() -> None:
    """NPM1 negative and FLT3-ITD positive after two cycles: both shown."""
    results = [
        simple_visit("D", "2020-01-01", 500, timepoint="DX"),
        visit_result(
            "F",
            "2020-03-01",
            marker_result("FLT3-ITD", 90, 100_000, kind="duplication"),
            specimen="peripheral_blood",
            timepoint="C2",
        ),
    ]
    negative = external_visit(
        "2020-03-01", None, lod=1e-4, timepoint="C2", specimen="peripheral_blood"
    )
    course = build_timeline(results, Given(external=[negative]))
    actions = [f.action for f in course.flags]
    assert actions[:2] == ["INTENSIFY_DISCUSS", "HSCT_DISCUSS"]
    assert "DEESCALATE_DISCUSS" in actions
    assert all(f.conflicts_with for f in course.flags)


@pytest.mark.parametrize(
    ("specimen", "kinds"),
    [("bone_marrow", {"wrong_specimen"}), ("peripheral_blood", set())],
)
def test_wrong_tissue_is_told(specimen: Specimen, kinds: set[str]) -> None:
    results = [simple_visit("D", "2020-01-01", 500, timepoint="DX")]
    visit = external_visit("2020-03-01", 0.05, timepoint="C2", specimen=specimen)
    course = build_timeline(results, Given(external=[visit]))
    assert {s.kind for s in course.schedule} == kinds


def test_paediatric_relapse_by_blasts() -> None:
    own = simple_visit("R", "2020-09-01", 3000, disease="B-ALL", metric="igtr_frac")
    flow = external_visit("2020-09-01", 4.0, metric="mfc_pct_wbc", target=None)
    protocols = [read_packaged("all-relapse-paediatric")]
    for percent, others, fires in (
        (30.0, [], True),
        (10.0, [], True),
        (3.0, [], False),
        (3.0, [flow], True),
        (0.5, [flow], False),
    ):
        facts = Facts(
            age_group="child",
            blasts=(Blasts(date="2020-09-03", percent=percent),),
            dates=Dates(remission="2020-02-01"),
        )
        course = build_timeline(
            [own], Given(external=others, facts=facts, protocols=protocols)
        )
        assert bool(course.flags) == fires, percent


def test_genotypes_are_classed_once_every_gene_is_known() -> None:
    own = simple_visit("A", "2020-01-01", 5, disease="T-ALL")
    protocols = [read_packaged("t-all-genetics")]

    def call(**known: object) -> set[str]:
        facts = Facts.model_validate(known)
        course = build_timeline([own], Given(facts=facts, protocols=protocols))
        return {f.call for f in course.flags if f.rule == "tall.4gene"}

    tested = ("NOTCH1", "FBXW7", "NRAS", "KRAS", "PTEN")
    assert call(altered=("NOTCH1",), tested=tested) == {"Low risk by four genes"}
    assert call(altered=("NOTCH1", "KRAS")) == {"High risk by four genes"}
    assert call(tested=tested) == {"High risk by four genes"}
    assert call(altered=("NOTCH1",)) == set()


def write_results(folder: Path) -> list[Path]:
    paths = []
    for visit in (
        simple_visit("T1", "2020-01-15", 13, 3474, disease="other", patient="S01"),
        simple_visit("T2", "2020-06-15", 0, 6028, disease="other", patient="S01"),
    ):
        path = folder / f"{visit.sample}.mrd.json"
        path.write_text(visit.model_dump_json(by_alias=True), encoding="utf-8")
        paths.append(path)
    return paths


def test_the_command_writes_the_timeline(tmp_path: Path) -> None:
    request = TimelineRequest(results=write_results(tmp_path), output=tmp_path / "out")
    timeline(request)
    content = json.loads((tmp_path / "out" / "S01.timeline.json").read_text())
    assert content["schema"] == "mrdtrack-timeline/1"
    assert content["visits"][1]["log10_reduction"]["relation"] == ">="
    assert (tmp_path / "out" / "S01.timeline.html").is_file()
    assert compare(request, ["preleukaemic-clones"]) == ()
    assert tell_differences(()).startswith("date\tvisit")


def test_a_wrong_day_is_refused(tmp_path: Path) -> None:
    request = TimelineRequest(
        results=write_results(tmp_path), output=tmp_path / "out", as_of="tomorrow"
    )
    with pytest.raises(ResultError, match="--as-of"):
        timeline(request)


EXCLUDED = [
    (name, gene)
    for name in ("eln-aml-mrd-2021", "eln-aml-mrd-2025", "aml-studies")
    for gene in sorted(read_packaged(name).protocol.excluded_genes)
]


@given(
    excluded=st.sampled_from(EXCLUDED),
    counts=st.lists(st.integers(0, 9000), min_size=1, max_size=4),
    label=st.sampled_from([*LABELS, "pre_transplant", "post_transplant"]),
    imported=st.booleans(),
)
def test_excluded_genes_never_drive_a_flag(
    excluded: tuple[str, str], counts: list[int], label: str | None, imported: bool
) -> None:
    """Genes a protocol excludes, counted or imported by name: no flag whatever."""
    name, gene = excluded
    own: list[VisitResult] = [
        visit_result("D", "2020-01-01", marker_result("M", 500), timepoint="DX")
    ]
    rows = []
    for place, count in enumerate(counts):
        day = (date(2020, 2, 1) + timedelta(days=40 * place)).isoformat()
        marker = marker_result(f"{gene}-1", count, 10_000, gene=gene)
        own.append(visit_result(f"S{place}", day, marker, timepoint=label))
        rows.append(
            external_visit(
                day,
                count / 10_000 or None,
                metric="vaf_gdna",
                target=f"{gene} p.R882H",
                lod=1e-5,
                timepoint=label,
                sample=f"E{place}",
            )
        )
    course = build_timeline(
        own[:1] if imported else own,
        Given(
            external=rows if imported else (),
            facts=CALM,
            protocols=[read_packaged(name)],
        ),
    )
    assert course.flags == ()


@given(
    alts=st.lists(st.integers(4600, 5400), min_size=2, max_size=4),
    label=st.sampled_from(["pre_transplant", "post_transplant", "follow_up"]),
)
def test_germline_variants_never_drive_a_flag(alts: list[int], label: str) -> None:
    """A variant that stays at 50 % while another marker falls is germline."""
    results = [
        visit_result(
            f"S{place}",
            (date(2020, 2, 1) + timedelta(days=40 * place)).isoformat(),
            marker_result("IDH1-g", alt, 10_000, gene="IDH1"),
            marker_result("NRAS-1", 0, 10_000, gene="NRAS"),
            timepoint=label,
        )
        for place, alt in enumerate(alts)
    ]
    names = ("eln-aml-mrd-2021", "eln-aml-mrd-2025", "aml-studies")
    course = build_timeline(
        results,
        Given(facts=CALM, protocols=[read_packaged(name) for name in names]),
    )
    assert {f.rule for f in course.flags} <= {"21.neg"}, "of the other marker"
    assert "21.ngs.germ" in {note.rule for note in course.notes}
