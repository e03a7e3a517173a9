"""Rules on courses, a test a demand: level held, tempo, rise, time points, classes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from mrdtrack.follow_up.change import compare_counts
from mrdtrack.follow_up.timeline import Estimate, Flag, Kinetics, TimelineVisit
from mrdtrack.follow_up.visits import draft_visit
from mrdtrack.levels.result import Specimen
from mrdtrack.protocols.measured_rules import (
    RisingRule,
    SustainedRule,
    TempoRule,
    TimePointsRule,
)
from mrdtrack.protocols.protocol import Protocol
from tests.follow_up.follow_up_builders import marker_result, visit_result
from tests.protocols.rule_courses import (
    START,
    anchors_for,
    assess_rule,
    judge_rule,
    name_of,
    own_flags,
    rules_of,
    visit_in,
    wrong_specimens,
)

NEVER = "2040-01-01"


def without_labels(visits: Sequence[TimelineVisit]) -> list[TimelineVisit]:
    """The same visits, to be judged by their days."""
    return [visit.model_copy(update={"timepoint": None}) for visit in visits]


@pytest.mark.parametrize(("protocol", "rule"), rules_of(SustainedRule), ids=name_of)
class TestSustainedRules:
    def course(
        self,
        rule: SustainedRule,
        days: int,
        *,
        place: int = 0,
        value: float | None = None,
        lod: float | None = 0.0,
        **wrong: Any,
    ) -> list[TimelineVisit]:
        """Samples over so many days, as many as the longest gap asks for."""
        limit = rule.held[place].at_most if lod == 0.0 else lod
        first = (rule.treated_more_than_days or 0) + 10
        gap = rule.longest_gap_days or days
        steps = [*range(0, days, gap), days]
        return [
            visit_in(
                rule,
                rule.window,
                value,
                later=first + step,
                lod=limit,
                **wrong,
            )
            for step in steps
        ]

    def fires(
        self, protocol: Protocol, rule: SustainedRule, visits: list[TimelineVisit]
    ) -> bool:
        flags = own_flags(assess_rule(protocol, rule, visits))
        assert {f.action for f in flags} <= set(rule.actions)
        return bool(flags)

    def test_at_and_over_its_time(
        self, protocol: Protocol, rule: SustainedRule
    ) -> None:
        for place, held in enumerate(rule.held):
            edge = held.more_than_days
            short = self.course(rule, edge, place=place)
            over = self.course(rule, edge + 1, place=place)
            assert not self.fires(protocol, rule, short)
            assert self.fires(protocol, rule, over)

    def test_inadequate_sensitivity(
        self, protocol: Protocol, rule: SustainedRule
    ) -> None:
        highest = max(held.at_most for held in rule.held)
        for lod in (highest * 1.01, None):
            assert not self.fires(protocol, rule, self.course(rule, 2000, lod=lod))

    def test_detected_at_and_above_its_level(
        self, protocol: Protocol, rule: SustainedRule
    ) -> None:
        highest = max(held.at_most for held in rule.held)
        at = self.course(rule, 2000, value=highest)
        above = self.course(rule, 2000, value=highest * 1.001)
        assert self.fires(protocol, rule, at) == (not rule.not_detected_only)
        assert not self.fires(protocol, rule, above)

    def test_an_estimate_without_interval_is_no_proof(
        self, protocol: Protocol, rule: SustainedRule
    ) -> None:
        low = min(held.at_most for held in rule.held) / 2
        visits = self.course(rule, 2000, value=low, exact=False)
        assert not self.fires(protocol, rule, visits)

    def test_wrong_tissue_or_one_sample(
        self, protocol: Protocol, rule: SustainedRule
    ) -> None:
        for specimen in wrong_specimens(rule):
            visits = self.course(rule, 2000, specimen=specimen)
            assert not self.fires(protocol, rule, visits)
        assert not self.fires(protocol, rule, self.course(rule, 2000)[:1])

    def test_a_long_silence_shows_nothing(
        self, protocol: Protocol, rule: SustainedRule
    ) -> None:
        if rule.longest_gap_days is not None:
            ends = self.course(rule, 2000)
            assert not self.fires(protocol, rule, [ends[0], ends[-1]])

    def test_outside_the_window(self, protocol: Protocol, rule: SustainedRule) -> None:
        visits = self.course(rule, 2000)
        late = dict.fromkeys(anchors_for(rule), NEVER)
        needs = rule.window.anchor is not None or rule.treated_more_than_days
        assert bool(judge_rule(protocol, rule, visits, anchors=late).flags) != needs

    def test_after_the_stop_nothing_is_to_be_stopped(
        self, protocol: Protocol, rule: SustainedRule
    ) -> None:
        if rule.treated_more_than_days is not None:
            visits = self.course(rule, 2000)
            stopped = {**anchors_for(rule), "tki_stop": visits[1].date}
            assert not judge_rule(protocol, rule, visits, anchors=stopped).flags

    def test_treated_for_long_enough(
        self, protocol: Protocol, rule: SustainedRule
    ) -> None:
        if rule.treated_more_than_days is None:
            return
        visits = self.course(rule, max(h.more_than_days for h in rule.held) + 1)
        last = visits[-1].date
        for days, fires in ((0, False), (1, True)):
            day = START.fromisoformat(last) - timedelta(
                days=rule.treated_more_than_days + days
            )
            anchors = {**anchors_for(rule), "tki_start": day.isoformat()}
            found = judge_rule(protocol, rule, visits, anchors=anchors).flags
            assert bool(found) == fires


@pytest.mark.parametrize(("protocol", "rule"), rules_of(TempoRule), ids=name_of)
class TestTempoRules:
    def flags(
        self,
        protocol: Protocol,
        rule: TempoRule,
        days: float,
        *,
        high: float | None = None,
        course: str | None = None,
        **other: Any,
    ) -> list[Flag]:
        """Flags on a series with this doubling (or halving) time."""
        visits = [
            visit_in(rule, rule.window, value, later=later)
            for value, later in ((0.02, 1), (0.2, 40))
        ]
        time = Estimate(value=days, low=days / 2, high=high)
        doubling = (course or rule.course) == "doubling"
        facts = {
            "specimen": visits[0].specimen,
            "metric": rule.metric,
            "source": "external",
            "method": visits[0].method,
            "target": visits[0].target,
            **other,
        }
        kinetics = Kinetics(
            baseline_sample=None,
            nadir_sample=None,
            doubling_time_days=time if doubling else None,
            halving_time_days=None if doubling else time,
            **facts,
        )
        return list(judge_rule(protocol, rule, visits, kinetics=[kinetics]).flags)

    def test_at_and_below_its_time(self, protocol: Protocol, rule: TempoRule) -> None:
        assert not self.flags(protocol, rule, rule.below_days)
        assert not self.flags(protocol, rule, rule.below_days * 1.01)
        found = self.flags(protocol, rule, rule.below_days * 0.99)
        assert {f.action for f in found} == set(rule.actions)

    def test_whole_interval_or_estimate(
        self, protocol: Protocol, rule: TempoRule
    ) -> None:
        days = rule.below_days * 0.9
        for high, confidence in (
            (rule.below_days * 0.99, "interval"),
            (rule.below_days, "estimate"),
            (None, "estimate"),
        ):
            found = self.flags(protocol, rule, days, high=high)
            assert {f.confidence for f in found} == {confidence}

    def test_other_series(self, protocol: Protocol, rule: TempoRule) -> None:
        days = rule.below_days / 2
        other = "halving" if rule.course == "doubling" else "doubling"
        assert not self.flags(protocol, rule, days, course=other)
        assert not self.flags(protocol, rule, days, metric="ratio_pct_abl1")
        assert not self.flags(protocol, rule, days, specimen="other")
        assert not self.flags(protocol, rule, days, target="another")

    def test_outside_the_window(self, protocol: Protocol, rule: TempoRule) -> None:
        if rule.window.to_days is not None:
            late = rule.window.to_days + 5
            visits = [
                visit_in(rule, rule.window, 0.2, later=late + step) for step in (0, 9)
            ]
            fast = Kinetics(
                specimen=visits[0].specimen,
                metric=rule.metric,
                source="external",
                method=visits[0].method,
                target=visits[0].target,
                baseline_sample=None,
                nadir_sample=None,
                doubling_time_days=Estimate(value=1.0),
            )
            assert not judge_rule(protocol, rule, visits, kinetics=[fast]).flags


@pytest.mark.parametrize(("protocol", "rule"), rules_of(RisingRule), ids=name_of)
class TestRisingRules:
    def flags(
        self,
        protocol: Protocol,
        rule: RisingRule,
        counts: tuple[int, int],
        *,
        gene: str = "IDH2",
        timepoint: str | None = "post_transplant",
        second: Specimen = "bone_marrow",
        **marker: Any,
    ) -> list[Flag]:
        """Flags on two samples with these molecules of 100,000."""
        tissues: tuple[Specimen, Specimen] = ("bone_marrow", second)
        visits = [
            draft_visit(
                visit_result(
                    f"S{place}",
                    f"2020-0{place + 5}-01",
                    marker_result("M", alt, 100_000, gene=gene, **marker),
                    timepoint=timepoint,
                    specimen=tissues[place],
                )
            )
            for place, alt in enumerate(counts)
        ]
        return list(judge_rule(protocol, rule, visits).flags)

    def test_at_the_edge_of_the_interval(
        self, protocol: Protocol, rule: RisingRule
    ) -> None:
        first = 10
        least = next(
            k
            for k in range(first, 200)
            if (compare_counts((first, 1e5), (k, 1e5))[0] or 0) > 1
        )
        assert not self.flags(protocol, rule, (first, least - 1))
        found = self.flags(protocol, rule, (first, least))
        assert {f.action for f in found} == set(rule.actions)
        assert {f.confidence for f in found} == {"interval"}

    def test_fall_is_no_rise(self, protocol: Protocol, rule: RisingRule) -> None:
        assert not self.flags(protocol, rule, (300, 10))

    def test_wrong_time_or_other_tissue(
        self, protocol: Protocol, rule: RisingRule
    ) -> None:
        counts = (10, 300)
        assert not self.flags(protocol, rule, counts, timepoint="after_cycle_2")
        assert not self.flags(protocol, rule, counts, second="peripheral_blood")

    def test_what_drives_no_flag(self, protocol: Protocol, rule: RisingRule) -> None:
        counts = (10, 300)
        for gene in protocol.excluded_genes:
            assert not self.flags(protocol, rule, counts, gene=gene)
        assert not self.flags(protocol, rule, counts, role="report_only")
        assert not self.flags(protocol, rule, counts, assessable=False)

    def test_imported_values_have_no_counts(
        self, protocol: Protocol, rule: RisingRule
    ) -> None:
        visits = [
            visit_in(rule, rule.window, value, later=later)
            for value, later in ((1e-4, 0), (1e-2, 60))
        ]
        assert not assess_rule(protocol, rule, visits)


@pytest.mark.parametrize(("protocol", "rule"), rules_of(TimePointsRule), ids=name_of)
class TestTimePointRules:
    def visits(
        self,
        rule: TimePointsRule,
        values: Sequence[float],
        specimen: Specimen | None = None,
        lod: float | None = 1e-9,
    ) -> list[TimelineVisit]:
        """One result a time point."""
        return [
            visit_in(
                rule,
                point.window,
                value or None,
                specimen=specimen
                or (point.specimen or rule.specimen or ("bone_marrow",))[0],
                later=3 * place,
                lod=lod,
                tag=str(place),
            )
            for place, (point, value) in enumerate(
                zip(rule.points, values, strict=True)
            )
        ]

    def fires(
        self, protocol: Protocol, rule: TimePointsRule, visits: list[TimelineVisit]
    ) -> bool:
        return bool(own_flags(assess_rule(protocol, rule, visits)))

    def edges(self, rule: TimePointsRule) -> list[float]:
        """Values that pass, at the edge where the edge passes."""
        return [
            point.test.at_least or (point.test.below or 1e-3) * (1 - 1e-9)
            for point in rule.points
        ]

    def test_each_point_at_and_beyond_its_edge(
        self, protocol: Protocol, rule: TimePointsRule
    ) -> None:
        passing = self.edges(rule)
        assert self.fires(protocol, rule, self.visits(rule, passing))
        for place, point in enumerate(rule.points):
            failing = list(passing)
            if point.test.at_least is not None:
                failing[place] = point.test.at_least * (1 - 1e-9)
            elif point.test.below is not None:
                failing[place] = point.test.below
            else:
                failing[place] = 0.0
            assert not self.fires(protocol, rule, self.visits(rule, failing))

    def test_too_weak_a_negative_is_not_below(
        self, protocol: Protocol, rule: TimePointsRule
    ) -> None:
        for place, point in enumerate(rule.points):
            if point.test.detection == "any":
                values = self.edges(rule)
                values[place] = 0.0
                weak = (point.test.below or 1.0) * 1.01
                found = self.visits(rule, values, lod=weak)
                assert not self.fires(protocol, rule, found)

    def test_nothing_detected_at_all(
        self, protocol: Protocol, rule: TimePointsRule
    ) -> None:
        assert not self.fires(
            protocol, rule, self.visits(rule, [0.0] * len(rule.points))
        )

    def test_wrong_tissue(self, protocol: Protocol, rule: TimePointsRule) -> None:
        for specimen in wrong_specimens(rule):
            visits = self.visits(rule, self.edges(rule), specimen)
            assert not self.fires(protocol, rule, visits)

    def test_outside_the_window(self, protocol: Protocol, rule: TimePointsRule) -> None:
        visits = without_labels(self.visits(rule, self.edges(rule)))
        late = dict.fromkeys(anchors_for(rule), NEVER)
        assert not judge_rule(protocol, rule, visits, anchors=late).flags

    def test_another_disease(self, protocol: Protocol, rule: TimePointsRule) -> None:
        visits = self.visits(rule, self.edges(rule))
        for disease in set(protocol.diseases) - set(rule.diseases or protocol.diseases):
            assert not judge_rule(protocol, rule, visits, disease=disease).flags
