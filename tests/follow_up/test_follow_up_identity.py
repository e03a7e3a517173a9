"""Identity over visits: what fails is set aside, unless it is accepted by name."""

from __future__ import annotations

from typing import Any

import pytest

from mrdtrack.counts import IdentityCounts
from mrdtrack.errors import ResultError
from mrdtrack.follow_up.build import Given, build_timeline
from mrdtrack.follow_up.facts import Dates, Facts
from mrdtrack.follow_up.identity import Known
from mrdtrack.follow_up.timeline import IdentityCheck, Timeline, TimelineVisit
from mrdtrack.levels.result import VisitResult
from tests.follow_up.follow_up_builders import simple_visit

HIM = "0121102011210012012101120"
HER = "1010212100021210121012012"
THIRD = "2201020112100210210020211"
SIBLING = "0111101011110111012101121"
DAYS = ("2020-01-01", "2020-02-01", "2020-03-01", "2020-04-01", "2020-05-01")
GENOTYPES = {"0": "0/0", "1": "0/1", "2": "1/1"}


def alleles(
    parts: dict[str, float], depth: int = 400, *, y: int | None = None, given: str = ""
) -> tuple[IdentityCounts, ...]:
    """Mix persons, given as genotypes 0, 1 and 2; `y`: depth at a position on Y."""
    told = []
    for i in range(len(HIM)):
        share = sum(weight * int(g[i]) / 2 for g, weight in parts.items())
        alt = round(depth * share)
        told.append(
            IdentityCounts(
                contig="chr1",
                position=i + 1,
                ref="A",
                alt="G",
                genotype=GENOTYPES[given[i]] if given else None,
                ref_molecules=depth - alt,
                alt_molecules=alt,
            )
        )
    if y is not None:
        told.append(
            told[0].model_copy(
                update={"contig": "chrY", "ref_molecules": y, "alt_molecules": 0}
            )
        )
    return tuple(told)


def sample(
    number: int, parts: dict[str, float] | str, *, alt: int = 0, **more: Any
) -> VisitResult:
    if isinstance(parts, str):
        parts = {parts: 1.0}
    result = simple_visit(f"S{number}", DAYS[number], alt)
    return result.model_copy(update={"identity": alleles(parts, **more)})


def timeline(*results: VisitResult, day: str | None = None, **known: Any) -> Timeline:
    facts = Facts(dates=Dates(transplant=day)) if day else Facts()
    return build_timeline(results, Given(facts=facts, identity=Known(**known)))


def codes(visit: TimelineVisit) -> list[str]:
    kinds = ("identity", "chimerism")
    return [f.code for f in visit.quality if f.code.startswith(kinds)]


def verdicts(course: Timeline) -> dict[str, str]:
    return {check.sample: check.verdict for check in course.identity}


def test_one_person_s_visits_stay_as_they_are() -> None:
    results = [sample(0, HIM, alt=900), sample(1, HIM), sample(2, HIM, alt=20)]
    course = timeline(*results)
    assert verdicts(course) == {"S1": "same_person", "S2": "same_person"}
    assert {check.against for check in course.identity} == {"S0"}
    bare = [result.model_copy(update={"identity": ()}) for result in results]
    without = timeline(*bare)
    assert course.visits == without.visits
    assert course.flags == without.flags
    assert course.quality == ()
    assert [f.code for f in without.quality] == ["identity_unchecked"]
    assert without.identity == ()


@pytest.mark.parametrize(
    ("parts", "verdict", "code"),
    [
        (HER, "other_person", "identity_other_person"),
        (SIBLING, "relative", "identity_relative"),
        ({HIM: 0.7, HER: 0.3}, "mixed", "identity_mixed"),
    ],
)
def test_a_failed_visit_is_set_aside(
    parts: dict[str, float] | str, verdict: str, code: str
) -> None:
    course = timeline(sample(0, HIM, alt=900), sample(1, parts), sample(2, HIM, alt=5))
    assert verdicts(course)["S1"] == verdict
    visit = course.visits[1]
    assert visit.call == "not_evaluable"
    assert (visit.value, visit.high, visit.lod95) == (None, None, None)
    assert visit.reason == "the sample is not the patient's, or not mainly"
    assert visit.reason_codes == ("identity_failed",)
    (marker,) = visit.markers
    assert not marker.assessable
    assert marker.alt is marker.denominator is marker.fraction is None
    assert codes(visit) == [code]
    assert {f.severity for f in visit.quality if f.code == code} == {"error"}
    assert not [flag for flag in course.flags if flag.visit == "S1"]
    assert course.visits[2].call != "not_evaluable"


def test_a_swapped_negative_raises_no_flag_and_no_nadir() -> None:
    honest = timeline(sample(0, HIM, alt=900), sample(1, HIM))
    swapped = timeline(sample(0, HIM, alt=900), sample(1, HER))
    assert honest.visits[1].nadir
    assert not swapped.visits[1].nadir
    assert swapped.visits[1].log10_reduction is None


def test_the_user_accepts_by_name_and_every_report_can_say_so() -> None:
    results = [sample(0, HIM, alt=900), sample(1, HER), sample(2, HER)]
    results += [sample(3, HIM), sample(4, HIM)]
    course = timeline(*results, accepted=frozenset({"S1"}))
    first, second = course.visits[1:3]
    assert first.call == "not_detected"
    assert codes(first) == ["identity_other_person", "identity_accepted"]
    assert "S1 failed its identity check and was accepted" in first.quality[1].message
    assert second.call == "not_evaluable"
    accepted = [check.sample for check in course.identity if check.accepted]
    assert accepted == ["S1"]


def test_to_accept_what_is_the_patient_s_changes_nothing() -> None:
    results = [sample(0, HIM, alt=900), sample(1, HIM)]
    accepted = timeline(*results, accepted=frozenset({"S1", "S0"}))
    assert accepted == timeline(*results)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ResultError, match="S9 is not among the results"):
        timeline(sample(0, HIM), sample(1, HIM), accepted=frozenset({"S9"}))


def test_a_contaminated_visit_keeps_its_level() -> None:
    mixed = sample(1, {HIM: 0.96, HER: 0.04}, depth=2000)
    course = timeline(sample(0, HIM, alt=900, depth=2000), mixed)
    (check,) = course.identity
    assert check.verdict == "contaminated"
    assert check.other_share is not None
    low, high = check.other_share.low, check.other_share.high
    assert low is not None
    assert high is not None
    assert low <= 0.04 <= high
    visit = course.visits[1]
    assert visit.call == "not_detected"
    assert codes(visit) == ["identity_contaminated"]
    assert "0.04" in visit.quality[0].message


def test_the_odd_one_out_may_be_the_first() -> None:
    results = [sample(0, HER, alt=900), sample(1, HIM), sample(2, HIM), sample(3, HIM)]
    course = timeline(*results)
    assert verdicts(course) == {
        "S0": "other_person",
        "S2": "same_person",
        "S3": "same_person",
    }
    assert {check.against for check in course.identity} == {"S1"}
    assert course.visits[0].call == "not_evaluable"


def test_genotypes_of_the_panel_judge_the_first_visit_too() -> None:
    results = [
        sample(0, HER, alt=900, given=HIM),
        sample(1, HIM, given=HIM),
    ]
    course = timeline(*results)
    assert verdicts(course) == {"S0": "other_person", "S1": "same_person"}
    assert {check.against for check in course.identity} == {"panel"}


def test_few_positions_leave_it_open() -> None:
    results = [sample(0, HIM, alt=900), sample(1, HIM)]
    few = [r.model_copy(update={"identity": r.identity[:3]}) for r in results]
    course = timeline(*few)
    assert verdicts(course) == {"S1": "undecided"}
    assert codes(course.visits[1]) == ["identity_undecided"]
    assert course.visits[1].call == "not_detected"


def test_visits_without_common_positions_are_not_compared() -> None:
    first, second = sample(0, HIM, alt=900), sample(1, HIM)
    away = tuple(c.model_copy(update={"contig": "chr2"}) for c in second.identity)
    course = timeline(first, second.model_copy(update={"identity": away}))
    (check,) = course.identity
    assert (check.verdict, check.log10_ratio) == ("not_compared", None)
    assert [f.code for f in course.quality] == ["identity_unchecked"]


@pytest.mark.parametrize(
    ("positions", "verdict", "code"),
    [
        (3, "sex_mismatch", "identity_sex_mismatch"),
        (25, "same_person", "identity_y_differs"),
    ],
)
def test_the_y_chromosome_is_compared(positions: int, verdict: str, code: str) -> None:
    results = [sample(0, HIM, alt=900, y=200), sample(1, HIM, y=0)]
    some = [
        r.model_copy(update={"identity": (*r.identity[:positions], r.identity[-1])})
        for r in results
    ]
    course = timeline(*some)
    assert verdicts(course) == {"S1": verdict}
    assert codes(course.visits[1]) == [code]
    evaluable = course.visits[1].call != "not_evaluable"
    assert evaluable == (verdict == "same_person")


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_donor_s_cells_are_named_as_such(share: float) -> None:
    after = sample(2, {HIM: 1 - share, HER: share})
    course = timeline(
        sample(0, HIM, alt=900),
        sample(1, HIM),
        after,
        day="2020-02-15",
        donor=sample(4, HER),
    )
    check = course.identity[1]
    assert check.verdict == ("donor_cells" if share else "same_person")
    if check.other_share is not None:
        low, high = check.other_share.low, check.other_share.high
        assert low is not None
        assert high is not None
        assert low <= share <= high
    assert course.visits[2].call == "not_detected"
    assert codes(course.visits[2]) == (["chimerism"] if share else [])


def test_neither_patient_nor_donor_is_found_after_a_transplant() -> None:
    results = [sample(0, HIM, alt=900), sample(1, THIRD)]
    course = timeline(*results, day="2020-01-15", donor=sample(4, HER))
    assert verdicts(course) == {"S1": "other_person"}
    assert course.visits[1].call == "not_evaluable"


def test_before_a_transplant_a_donor_is_another_person() -> None:
    results = [sample(0, HIM, alt=900), sample(1, HER)]
    course = timeline(*results, day="2020-02-15", donor=sample(4, HER))
    assert verdicts(course) == {"S1": "other_person"}


def test_a_donor_without_a_day_may_be_in_any_later_sample() -> None:
    results = [sample(0, HIM, alt=900), sample(1, HER)]
    course = timeline(*results, donor=sample(4, HER))
    assert verdicts(course) == {"S1": "donor_cells"}


def test_a_donor_of_other_positions_tells_nothing() -> None:
    donor = sample(4, HER)
    bare = donor.model_copy(update={"identity": ()})
    course = timeline(sample(0, HIM, alt=900), sample(1, HER), donor=bare)
    assert verdicts(course) == {"S1": "not_compared"}
    few = donor.model_copy(update={"identity": donor.identity[:2]})
    course = timeline(sample(0, HIM, alt=900), sample(1, HER), donor=few)
    assert verdicts(course) == {"S1": "undecided"}


@pytest.mark.parametrize("parts", [{HER: 1.0}, {HIM: 0.5, HER: 0.5}])
def test_an_unknown_donor_is_told_apart_from_nobody(parts: dict[str, float]) -> None:
    results = [sample(0, HIM, alt=900), sample(1, parts)]
    course = timeline(*results, day="2020-01-15")
    (check,) = course.identity
    assert check.verdict == "donor_cells"
    assert check.other_share is not None
    assert check.other_share.value == pytest.approx(parts[HER], abs=0.06)
    assert codes(course.visits[1]) == ["chimerism_donor_unknown"]
    assert course.visits[1].call == "not_detected"


def test_the_patient_s_own_cells_after_a_transplant() -> None:
    course = timeline(sample(0, HIM, alt=9), sample(1, HIM), day="2020-01-15")
    assert verdicts(course) == {"S1": "same_person"}
    results = [sample(0, HIM, alt=900), sample(1, HIM)]
    few = [r.model_copy(update={"identity": r.identity[:3]}) for r in results]
    assert verdicts(timeline(*few, day="2020-01-15")) == {"S1": "undecided"}


def test_all_samples_after_the_transplant_are_compared_with_the_first() -> None:
    course = timeline(sample(0, HER, alt=9), sample(1, HER), day="2019-01-15")
    assert verdicts(course) == {"S1": "same_person"}


def test_the_check_is_part_of_the_file() -> None:
    course = timeline(sample(0, HIM, alt=900), sample(1, HER))
    again = Timeline.model_validate_json(course.model_dump_json(by_alias=True))
    assert again.identity == course.identity
    assert isinstance(again.identity[0], IdentityCheck)
