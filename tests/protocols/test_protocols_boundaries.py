"""Every shipped rule at, below and above its threshold, and with one thing wrong."""

from __future__ import annotations

from typing import Any

import pytest

from mrdtrack.levels.result import Specimen
from mrdtrack.protocols.measured_rules import (
    ClassesRule,
    ConversionRule,
    InsufficientRule,
    LevelRule,
    LogReductionRule,
    NegativeRule,
    NeverNegativeRule,
    TimePointsRule,
)
from mrdtrack.protocols.protocol import Protocol
from mrdtrack.protocols.rule_bases import MeasuredRule
from mrdtrack.protocols.vocabulary import METRICS
from tests.protocols.rule_courses import (
    EVERY_RULE,
    anchors_for,
    asks_for_tissue,
    assess_rule,
    judge_rule,
    name_of,
    own_flags,
    rules_of,
    visit_in,
    wrong_specimens,
)


def passing_value(rule: LevelRule | ConversionRule) -> float:
    """A level on which the test holds, at its edge where that is inside."""
    test = rule.test
    if test.at_least is not None:
        return test.at_least
    if test.at_most is not None:
        return test.at_most
    if test.above is not None:
        return test.above * (1 + 1e-9)
    return (test.upper or 1e-3) * (1 - 1e-9)


def fires_with(protocol: Protocol, rule: LevelRule, value: float, **wrong: Any) -> bool:
    """Tell whether a level rule raises its own actions on one result."""
    visit = visit_in(rule, rule.window, value, **wrong)
    if rule.test.detection == "below_loq":
        visit = visit.model_copy(update={"call": "detected_below_loq"})
    flags = assess_rule(protocol, rule, [visit])
    return bool(own_flags(flags))


@pytest.mark.parametrize(("protocol", "rule"), rules_of(LevelRule), ids=name_of)
class TestLevelRules:
    def test_at_the_threshold(self, protocol: Protocol, rule: LevelRule) -> None:
        assert fires_with(protocol, rule, passing_value(rule))

    def test_on_both_sides(self, protocol: Protocol, rule: LevelRule) -> None:
        test = rule.test
        if test.at_least is not None:
            assert not fires_with(protocol, rule, test.at_least * (1 - 1e-9))
        if test.above is not None:
            assert not fires_with(protocol, rule, test.above)
        if test.below is not None:
            assert not fires_with(protocol, rule, test.below)
        if test.at_most is not None:
            assert not fires_with(protocol, rule, test.at_most * (1 + 1e-9))

    def test_wrong_tissue(self, protocol: Protocol, rule: LevelRule) -> None:
        for specimen in wrong_specimens(rule):
            visit = visit_in(rule, rule.window, passing_value(rule), specimen=specimen)
            found = {f.action for f in assess_rule(protocol, rule, [visit])}
            assert found == asks_for_tissue(rule)

    def test_an_interval_that_spans_is_an_estimate(
        self, protocol: Protocol, rule: LevelRule
    ) -> None:
        if rule.test.lower is None and rule.test.upper is None:
            return
        value = passing_value(rule)
        visit = visit_in(rule, rule.window, value).model_copy(
            update={"low": value / 100, "high": value * 100}
        )
        if rule.test.detection == "below_loq":
            visit = visit.model_copy(update={"call": "detected_below_loq"})
        flags = own_flags(assess_rule(protocol, rule, [visit]))
        assert {f.confidence for f in flags} == {"estimate"}

    def test_missing_value(self, protocol: Protocol, rule: LevelRule) -> None:
        visit = visit_in(rule, rule.window, passing_value(rule))
        visit = visit.model_copy(update={"value": None, "low": None, "high": None})
        bounded = rule.test.lower is not None or rule.test.upper is not None
        if bounded or rule.test.at_least_lod:
            assert not assess_rule(protocol, rule, [visit])

    def test_not_detected(self, protocol: Protocol, rule: LevelRule) -> None:
        fires = rule.test.detection == "any"
        for lod in (1e-9, None):
            visit = visit_in(rule, rule.window, None, lod=lod)
            found = assess_rule(protocol, rule, [visit])
            assert bool(found) == (fires and lod is not None)

    def test_outside_the_window(self, protocol: Protocol, rule: LevelRule) -> None:
        inside = rule.window.is_open
        fires = fires_with(protocol, rule, passing_value(rule), outside=not inside)
        assert fires == inside

    def test_inadequate_sensitivity(self, protocol: Protocol, rule: LevelRule) -> None:
        if rule.required_lod is not None:
            assert not fires_with(
                protocol, rule, passing_value(rule), lod=rule.required_lod * 1.01
            )

    def test_unconfirmed_asks_only_for_a_sample(
        self, protocol: Protocol, rule: LevelRule
    ) -> None:
        visit = visit_in(rule, rule.window, passing_value(rule))
        if rule.test.detection == "below_loq":
            visit = visit.model_copy(update={"call": "detected_below_loq"})
        actions = {f.action for f in assess_rule(protocol, rule, [visit])}
        wanted = set(rule.actions if rule.confirm is None else rule.confirm.before)
        assert actions == wanted

    def test_an_estimate_alone_is_called_so(
        self, protocol: Protocol, rule: LevelRule
    ) -> None:
        visit = visit_in(rule, rule.window, passing_value(rule), exact=False)
        if rule.test.detection == "below_loq":
            visit = visit.model_copy(update={"call": "detected_below_loq"})
        bounded = rule.test.lower is not None or rule.test.upper is not None
        for flag in assess_rule(protocol, rule, [visit]):
            assert flag.confidence == ("estimate" if bounded else "interval")


@pytest.mark.parametrize(("protocol", "rule"), rules_of(NegativeRule), ids=name_of)
class TestNegativeRules:
    def flags(
        self,
        protocol: Protocol,
        rule: NegativeRule,
        value: float | None = None,
        **wrong: Any,
    ) -> set[str]:
        visits = [
            visit_in(rule, window, value, tag=str(place), **wrong)
            for place, window in enumerate((rule.window, *rule.also))
        ]
        return {f.action for f in own_flags(assess_rule(protocol, rule, visits))}

    def test_adequate(self, protocol: Protocol, rule: NegativeRule) -> None:
        limit = rule.required_sensitivity
        wanted = set(rule.actions) if rule.min_markers == 1 else set()
        assert self.flags(protocol, rule, lod=limit) == wanted

    def test_inadequate(self, protocol: Protocol, rule: NegativeRule) -> None:
        weak = rule.required_sensitivity * 1.01
        assert not self.flags(protocol, rule, lod=weak)
        assert not self.flags(protocol, rule, lod=None)

    def test_detected_at_the_threshold(
        self, protocol: Protocol, rule: NegativeRule
    ) -> None:
        edge = rule.below or rule.required_sensitivity
        assert not self.flags(protocol, rule, edge)

    def test_an_estimate_below_never_deescalates(
        self, protocol: Protocol, rule: NegativeRule
    ) -> None:
        found = self.flags(protocol, rule, rule.required_sensitivity * 0.5, exact=False)
        assert "DEESCALATE_DISCUSS" not in found

    def test_an_upper_limit_at_the_threshold_proves_nothing(
        self, protocol: Protocol, rule: NegativeRule
    ) -> None:
        if rule.below is None:
            return
        visits = [
            visit_in(rule, window, rule.below / 2, tag=str(place)).model_copy(
                update={"high": rule.below}
            )
            for place, window in enumerate((rule.window, *rule.also))
        ]
        flags = own_flags(assess_rule(protocol, rule, visits))
        assert "DEESCALATE_DISCUSS" not in {f.action for f in flags}
        assert {f.confidence for f in flags} <= {"estimate"}

    def test_an_upper_limit_below_suffices(
        self, protocol: Protocol, rule: NegativeRule
    ) -> None:
        wanted = set(rule.actions) if rule.below is not None else set()
        assert self.flags(protocol, rule, rule.required_sensitivity * 0.5) == wanted

    def test_wrong_tissue_or_time(self, protocol: Protocol, rule: NegativeRule) -> None:
        limit = rule.required_sensitivity
        for specimen in wrong_specimens(rule):
            assert not self.flags(protocol, rule, lod=limit, specimen=specimen)
        assert not self.flags(protocol, rule, lod=limit, outside=True)

    def test_one_time_point_of_two_is_not_enough(
        self, protocol: Protocol, rule: NegativeRule
    ) -> None:
        if rule.also:
            visit = visit_in(rule, rule.window, None, lod=rule.required_sensitivity)
            assert not assess_rule(protocol, rule, [visit])


@pytest.mark.parametrize(("protocol", "rule"), rules_of(ConversionRule), ids=name_of)
class TestConversionRules:
    def actions(
        self,
        protocol: Protocol,
        rule: ConversionRule,
        *later: tuple[float | None, int],
        first: float | None = None,
        lod: float | None = None,
        **wrong: Any,
    ) -> set[str]:
        limit = rule.required_sensitivity if lod is None else lod
        visits = [visit_in(rule, rule.window, first, lod=limit)]
        visits += [
            visit_in(rule, rule.window, value, later=days, **wrong)
            for value, days in later
        ]
        return {f.action for f in own_flags(assess_rule(protocol, rule, visits))}

    def test_first_positive(self, protocol: Protocol, rule: ConversionRule) -> None:
        edge = passing_value(rule)
        wanted = set(rule.actions if rule.confirm is None else rule.confirm.before)
        assert self.actions(protocol, rule, (edge, 90)) == wanted

    def test_below(self, protocol: Protocol, rule: ConversionRule) -> None:
        if rule.test.lower is not None:
            edge = rule.test.lower * (1 - 1e-9)
            assert not self.actions(protocol, rule, (edge, 90))

    def test_confirmed(self, protocol: Protocol, rule: ConversionRule) -> None:
        edge = passing_value(rule)
        if rule.confirm is not None:
            within = 90 + rule.confirm.within_days
            found = self.actions(protocol, rule, (edge, 90), (edge, within))
            assert found == {*rule.confirm.before, *rule.actions}

    def test_confirmed_too_late(self, protocol: Protocol, rule: ConversionRule) -> None:
        edge = passing_value(rule)
        if rule.confirm is not None:
            late = 91 + rule.confirm.within_days
            found = self.actions(protocol, rule, (edge, 90), (edge, late))
            assert found == set(rule.confirm.before)

    def test_never_negative(self, protocol: Protocol, rule: ConversionRule) -> None:
        edge = passing_value(rule)
        stable = self.actions(protocol, rule, (edge * 5, 90), first=edge)
        assert not stable
        risen = self.actions(protocol, rule, (edge * 10.1, 90), first=edge)
        assert bool(risen) == (rule.never_negative_log10 is not None)

    def test_inadequate_negative(
        self, protocol: Protocol, rule: ConversionRule
    ) -> None:
        weak = rule.required_sensitivity * 1.01
        assert not self.actions(protocol, rule, (passing_value(rule), 90), lod=weak)

    def test_wrong_tissue(self, protocol: Protocol, rule: ConversionRule) -> None:
        for specimen in wrong_specimens(rule):
            edge = passing_value(rule)
            assert not self.actions(protocol, rule, (edge, 90), specimen=specimen)

    def test_outside_the_window(self, protocol: Protocol, rule: ConversionRule) -> None:
        edge = passing_value(rule)
        first = visit_in(rule, rule.window, None, lod=rule.required_sensitivity)
        early = first.date
        later = visit_in(rule, rule.window, edge, later=90)
        before = dict.fromkeys(anchors_for(rule), "2030-01-01")
        outside = [v.model_copy(update={"timepoint": None}) for v in (first, later)]
        assert judge_rule(protocol, rule, outside).flags
        assert not judge_rule(protocol, rule, outside, anchors=before).flags
        assert early < later.date

    def test_unconfirmed_is_called_so(
        self, protocol: Protocol, rule: ConversionRule
    ) -> None:
        if rule.confirm is None:
            return
        edge = passing_value(rule)
        visits = [
            visit_in(rule, rule.window, None, lod=rule.required_sensitivity),
            visit_in(rule, rule.window, edge, later=90),
        ]
        calls = {f.call for f in assess_rule(protocol, rule, visits)}
        assert calls == {f"{rule.en.call}: to be confirmed"}
        visits.append(visit_in(rule, rule.window, edge, later=100))
        flags = assess_rule(protocol, rule, visits)
        confirmed = {f.call for f in flags if f.action in rule.actions}
        assert confirmed == {rule.en.call}

    def test_a_second_sample_below_does_not_confirm(
        self, protocol: Protocol, rule: ConversionRule
    ) -> None:
        if rule.confirm is not None:
            edge = passing_value(rule)
            found = self.actions(protocol, rule, (edge, 90), (edge * 0.99, 100))
            assert found == set(rule.confirm.before)


def test_a_high_marrow_needs_no_second_sample() -> None:
    protocol, rule = next(x for x in EVERY_RULE if x[1].id == "25.npm1.fu.bm")
    assert isinstance(rule, ConversionRule)
    for value, waived in ((1.0, True), (0.99, False)):
        visits = [
            visit_in(rule, rule.window, None, lod=0.001),
            visit_in(rule, rule.window, value, later=90),
        ]
        actions = {f.action for f in assess_rule(protocol, rule, visits)}
        assert actions == (set(rule.actions) if waived else {"REPEAT_SAMPLE"})


@pytest.mark.parametrize(("protocol", "rule"), rules_of(LogReductionRule), ids=name_of)
def test_log_reductions_at_their_edge(
    protocol: Protocol, rule: LogReductionRule
) -> None:
    goal = rule.at_least or rule.above or rule.below or 0
    for value, fires in (
        (goal * (1 - 1e-9), rule.below is not None),
        (goal, rule.at_least is not None),
        (goal * (1 + 1e-9), rule.below is None),
    ):
        visit = visit_in(rule, rule.window, value)
        assert bool(assess_rule(protocol, rule, [visit])) == fires
    for specimen in wrong_specimens(rule):
        visit = visit_in(rule, rule.window, goal, specimen=specimen)
        assert not own_flags(assess_rule(protocol, rule, [visit]))
    visit = visit_in(rule, rule.window, goal, outside=True)
    assert not assess_rule(protocol, rule, [visit])


@pytest.mark.parametrize(("protocol", "rule"), rules_of(NeverNegativeRule), ids=name_of)
def test_gaps_of_the_never_negative(
    protocol: Protocol, rule: NeverNegativeRule
) -> None:
    tissue: Specimen = "bone_marrow"
    threshold = rule.threshold[tissue]
    courses = {
        "rise_below": (threshold / 50, threshold / 4),
        "rise_above": (threshold / 50, threshold),
        "stable_above": (threshold, threshold * 2),
        "nothing": (threshold / 3, threshold / 2),
    }
    for case, (first, second) in courses.items():
        visits = [
            visit_in(rule, rule.window, first, specimen=tissue),
            visit_in(rule, rule.window, second, specimen=tissue, later=90),
        ]
        flags = assess_rule(protocol, rule, visits)
        reached = {f.action for f in flags if f.visit == visits[1].sample}
        assert reached == (set(rule.actions) if case == rule.case else set())


@pytest.mark.parametrize(("protocol", "rule"), rules_of(InsufficientRule), ids=name_of)
def test_too_weak_a_negative(protocol: Protocol, rule: InsufficientRule) -> None:
    for lod, fires in ((rule.required_sensitivity, False), (2e-4, True), (None, True)):
        visit = visit_in(rule, rule.window, None, lod=lod)
        assert bool(assess_rule(protocol, rule, [visit])) == fires


@pytest.mark.parametrize(("protocol", "rule"), rules_of(TimePointsRule), ids=name_of)
def test_every_time_point_is_needed(protocol: Protocol, rule: TimePointsRule) -> None:
    def value(place: int) -> float:
        test = rule.points[place].test
        return test.lower or (test.upper or 1e-3) * 0.9

    def course(count: int) -> list[str]:
        visits = [
            visit_in(
                rule,
                point.window,
                value(place),
                specimen=(point.specimen or rule.specimen or ("bone_marrow",))[0],
                later=40 * place,
            )
            for place, point in enumerate(rule.points[:count])
        ]
        return [f.action for f in assess_rule(protocol, rule, visits)]

    assert set(course(len(rule.points))) >= set(rule.actions)
    assert not course(len(rule.points) - 1)


@pytest.mark.parametrize(("protocol", "rule"), rules_of(ClassesRule), ids=name_of)
def test_classes_ask_for_nothing(protocol: Protocol, rule: ClassesRule) -> None:
    for depth in rule.classes:
        edge = depth.at_most or (depth.below or 0) * (1 - 1e-9)
        flags = assess_rule(protocol, rule, [visit_in(rule, rule.window, edge)])
        assert [(f.action, f.call) for f in flags] == [("NO_RULE", depth.en)]
    beyond = (rule.classes[-1].at_most or rule.classes[-1].below or 0) * 1.01
    assert not assess_rule(protocol, rule, [visit_in(rule, rule.window, beyond)])


MEASURED = [(p, r) for p, r in EVERY_RULE if isinstance(r, MeasuredRule)]


@pytest.mark.parametrize(("protocol", "rule"), MEASURED, ids=name_of)
def test_no_rule_fires_on_another_metric(
    protocol: Protocol, rule: MeasuredRule
) -> None:
    own = {rule.metric, getattr(rule, "of_metric", rule.metric)}
    for metric in sorted(set(METRICS) - own):
        for value in (1e-6, 0.05, 0.9, 30.0, 5000.0):
            visits = [
                visit_in(rule, rule.window, None, metric=metric, lod=1e-9),
                visit_in(rule, rule.window, value, metric=metric, later=10),
            ]
            assert not assess_rule(protocol, rule, visits)
