"""Rules on facts, blasts, schedules and genotypes, a test a demand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import pytest

from mrdtrack.follow_up.assessment import Assessment
from mrdtrack.follow_up.facts import Blasts, Facts
from mrdtrack.follow_up.timeline import TimelineVisit
from mrdtrack.levels.result import Specimen
from mrdtrack.protocols.context_rules import (
    BlastsRule,
    FactsRule,
    GenotypeRule,
    ScheduleRule,
)
from mrdtrack.protocols.measured_rules import LevelRule
from mrdtrack.protocols.protocol import Protocol
from mrdtrack.protocols.vocabulary import METRICS, OWN_METRICS
from tests.follow_up.follow_up_builders import (
    external_visit,
)
from tests.protocols.rule_courses import (
    actions_of,
    change_fact,
    day,
    facts_for,
    judge_rule,
    name_of,
    rules_of,
    some_visit,
    visit_in,
)


@pytest.mark.parametrize(("protocol", "rule"), rules_of(FactsRule), ids=name_of)
class TestFactsRules:
    def test_each_alternative_and_each_fact(
        self, protocol: Protocol, rule: FactsRule
    ) -> None:
        for conditions in rule.conditions:
            one = rule.model_copy(update={"conditions": (conditions,)})
            met = judge_rule(protocol, one, [some_visit()])
            assert actions_of(met) == set(rule.actions)
            for name in conditions.model_fields_set:
                failed = change_fact(conditions, name, known=True)
                found = judge_rule(protocol, one, [some_visit()], facts=failed)
                assert not found.flags
                assert not found.unjudged
                unknown = change_fact(conditions, name, known=False)
                found = judge_rule(protocol, one, [some_visit()], facts=unknown)
                assert not found.flags
                assert found.unjudged

    def test_any_alternative_suffices(
        self, protocol: Protocol, rule: FactsRule
    ) -> None:
        for conditions in rule.conditions:
            facts = facts_for([conditions])
            assert judge_rule(protocol, rule, [some_visit()], facts=facts).flags

    def test_nothing_known(self, protocol: Protocol, rule: FactsRule) -> None:
        found = judge_rule(protocol, rule, [some_visit()], facts=Facts())
        assert not found.flags
        assert found.unjudged


CONDITIONED = [
    (protocol, rule)
    for protocol, rule in rules_of(LevelRule)
    if rule.conditions and isinstance(rule, LevelRule)
]


@pytest.mark.parametrize(("protocol", "rule"), CONDITIONED, ids=name_of)
def test_conditions_of_level_rules(protocol: Protocol, rule: LevelRule) -> None:
    value = rule.test.at_least or (rule.test.upper or 0.1) / 2
    visit = visit_in(rule, rule.window, value)
    assert judge_rule(protocol, rule, [visit]).flags
    for name in rule.conditions[0].model_fields_set:
        for known in (True, False):
            facts = change_fact(rule.conditions[0], name, known=known)
            found = judge_rule(protocol, rule, [visit], facts=facts)
            assert not found.flags
            assert bool(found.unjudged) != known


@pytest.mark.parametrize(("protocol", "rule"), rules_of(BlastsRule), ids=name_of)
class TestBlastsRules:
    def fires(
        self,
        protocol: Protocol,
        rule: BlastsRule,
        percent: float,
        others: Sequence[TimelineVisit] = (),
        *,
        on: int = 200,
        **more: Any,
    ) -> bool:
        facts = facts_for(rule.conditions).model_copy(
            update={"blasts": (Blasts(date=day(on), percent=percent),)}
        )
        visits = [some_visit(100), *others]
        return bool(judge_rule(protocol, rule, visits, facts=facts, **more).flags)

    def others(
        self, count: int, percent: float = 1.0, later: int = 0
    ) -> list[TimelineVisit]:
        """So many other tests at a share of cells."""
        made = [
            external_visit(
                day(200 + later), percent, metric="mfc_pct_wbc", target=None, sample="F"
            ),
            external_visit(
                day(200 + later),
                percent / 100,
                metric="igtr_frac",
                target=None,
                sample="I",
            ),
        ]
        return made[:count]

    def test_each_band_at_its_edges(self, protocol: Protocol, rule: BlastsRule) -> None:
        for band in rule.bands:
            enough = self.others(band.other_tests)
            assert self.fires(protocol, rule, band.from_percent, enough)
            if band.other_tests:
                few = self.others(band.other_tests - 1)
                assert not self.fires(protocol, rule, band.from_percent, few)
                below = band.below_percent - 0.01
                assert not self.fires(protocol, rule, below, few)
        lowest = min(band.from_percent for band in rule.bands)
        assert not self.fires(protocol, rule, lowest - 0.01, self.others(2))

    def test_other_tests_at_their_share_and_in_time(
        self, protocol: Protocol, rule: BlastsRule
    ) -> None:
        band = next(b for b in rule.bands if b.other_tests == 1)
        share = rule.other_at_least_percent
        percent = band.from_percent
        assert not self.fires(protocol, rule, percent, self.others(1, share * 0.99))
        late = rule.within_days + 1
        assert not self.fires(protocol, rule, percent, self.others(1, share, late))
        assert self.fires(protocol, rule, percent, self.others(1, share, late - 1))

    def test_other_metrics_are_no_tests(
        self, protocol: Protocol, rule: BlastsRule
    ) -> None:
        band = next(b for b in rule.bands if b.other_tests == 1)
        for metric in sorted(set(METRICS) - OWN_METRICS - {"mfc_pct_wbc"}):
            other = external_visit(day(200), 50.0, metric=metric, target=None)
            assert not self.fires(protocol, rule, band.from_percent, [other])

    def test_no_relapse_before_a_remission(
        self, protocol: Protocol, rule: BlastsRule
    ) -> None:
        assert not self.fires(protocol, rule, 90.0, on=0)
        assert not self.fires(protocol, rule, 90.0, anchors={})

    def test_facts_are_needed(self, protocol: Protocol, rule: BlastsRule) -> None:
        for facts in (Facts(), Facts(age_group="adult"), facts_for(rule.conditions)):
            found = judge_rule(protocol, rule, [some_visit()], facts=facts)
            assert not found.flags


@pytest.mark.parametrize(("protocol", "rule"), rules_of(ScheduleRule), ids=name_of)
class TestScheduleRules:
    def sample(
        self, rule: ScheduleRule, number: int, specimen: Specimen, **more: Any
    ) -> TimelineVisit:
        known: dict[str, Any] = {
            "metric": rule.metrics[0],
            "target": rule.genes[0] if rule.genes else None,
            "lod": 1e-3,
            "sample": f"{number} {specimen}",
        }
        return external_visit(day(number), None, specimen=specimen, **(known | more))

    def judge(
        self,
        protocol: Protocol,
        rule: ScheduleRule,
        *visits: TimelineVisit,
        **more: Any,
    ) -> Assessment:
        facts = facts_for(rule.conditions)
        if rule.genes:
            facts = facts.model_copy(update={"transcript": rule.genes[0]})
        known: dict[str, Any] = {"facts": facts}
        return judge_rule(protocol, rule, list(visits), **(known | more))

    def test_time_points_ask_for_their_tissue(
        self, protocol: Protocol, rule: ScheduleRule
    ) -> None:
        for point in rule.points:
            label = point.timepoint
            for specimen in get_args(Specimen):
                visit = self.sample(rule, 5, specimen, timepoint=label)
                found = self.judge(protocol, rule, visit)
                wrong = specimen != point.specimen
                items = [s for s in found.schedule if s.kind == "wrong_specimen"]
                assert [s.specimen for s in items] == [point.specimen] * wrong
                assert actions_of(found) == ({"CHANGE_SPECIMEN"} if wrong else set())
                assert all(not f.because.count("{") for f in found.flags)

    def test_a_sample_that_never_came(
        self, protocol: Protocol, rule: ScheduleRule
    ) -> None:
        for point in rule.points:
            if point.anchor is None:
                continue
            for as_of, kinds in (
                (point.from_days - 1, []),
                (point.from_days, ["due"]),
                (point.to_days, ["due"]),
                (point.to_days + 1, ["overdue"]),
            ):
                first = self.sample(rule, -200, "other")
                found = self.judge(protocol, rule, first, as_of=day(as_of))
                of_point = [s for s in found.schedule if s.due == day(point.to_days)]
                assert [s.kind for s in of_point] == kinds

    def test_series_are_due_and_overdue(
        self, protocol: Protocol, rule: ScheduleRule
    ) -> None:
        for series in rule.series:
            first = series.window.from_days
            visit = self.sample(rule, first + 1, series.specimen, timepoint="FU")
            due = first + 1 + series.every_days
            for as_of, kind in ((due, "due"), (due + 1, "overdue")):
                if series.window.to_days is not None and as_of > series.window.to_days:
                    continue
                found = self.judge(protocol, rule, visit, as_of=day(as_of))
                there = [
                    (s.kind, s.specimen) for s in found.schedule if s.due == day(due)
                ]
                assert there == [(kind, series.specimen)]

    def test_series_end_with_their_window(
        self, protocol: Protocol, rule: ScheduleRule
    ) -> None:
        last = [s.window.to_days for s in rule.series]
        if last and None not in last:
            beyond = max(x for x in last if x is not None) + 1
            visit = self.sample(rule, 30, "bone_marrow", timepoint="FU")
            found = self.judge(protocol, rule, visit, as_of=day(beyond))
            assert not [s for s in found.schedule if s.due and s.due > day(60)]

    def test_another_tissue_or_metric_is_no_sample_of_it(
        self, protocol: Protocol, rule: ScheduleRule
    ) -> None:
        for series in rule.series:
            start = series.window.from_days
            later = [self.sample(rule, start + 20, "other", timepoint="FU")]
            wrong = self.sample(
                rule, start + 21, series.specimen, metric="cells_frac", timepoint="FU"
            )
            as_of = day(start + series.every_days)
            found = self.judge(protocol, rule, *later, wrong, as_of=as_of)
            assert as_of in {s.due for s in found.schedule}

    def test_of_other_patients_nothing_is_due(
        self, protocol: Protocol, rule: ScheduleRule
    ) -> None:
        if rule.genes:
            visit = self.sample(rule, 30, "bone_marrow", target="KMT2A::AFF1")
            found = self.judge(protocol, rule, visit, facts=facts_for(rule.conditions))
            assert not found.schedule
        if rule.conditions:
            visit = self.sample(rule, 30, "bone_marrow", timepoint="FU")
            name = next(iter(rule.conditions[0].model_fields_set))
            for known in (True, False):
                facts = change_fact(rule.conditions[0], name, known=known)
                found = self.judge(protocol, rule, visit, facts=facts)
                assert not found.schedule
                assert bool(found.unjudged) != known


@pytest.mark.parametrize(("protocol", "rule"), rules_of(GenotypeRule), ids=name_of)
class TestGenotypeRules:
    def call(self, protocol: Protocol, rule: GenotypeRule, **known: Any) -> set[str]:
        facts = Facts.model_validate(known)
        found = judge_rule(protocol, rule, [some_visit()], facts=facts)
        assert actions_of(found) <= {"NO_RULE"}
        return {flag.call for flag in found.flags}

    def test_every_gene_of_the_source(
        self, protocol: Protocol, rule: GenotypeRule
    ) -> None:
        every = (*rule.low_any, *rule.low_none)
        for gene in rule.low_any:
            assert self.call(protocol, rule, altered=[gene], tested=every) == {
                rule.en.call
            }
            for bad in rule.low_none:
                found = self.call(protocol, rule, altered=[gene, bad], tested=every)
                assert found == {rule.high_en}
        assert self.call(protocol, rule, tested=every) == {rule.high_en}

    def test_a_gene_not_tested_leaves_it_open(
        self, protocol: Protocol, rule: GenotypeRule
    ) -> None:
        every = (*rule.low_any, *rule.low_none)
        for gene in rule.low_none:
            tested = [g for g in every if g != gene]
            assert not self.call(
                protocol, rule, altered=[rule.low_any[0]], tested=tested
            )
        for gene in rule.low_any:
            tested = [g for g in every if g != gene]
            assert not self.call(protocol, rule, tested=tested)
