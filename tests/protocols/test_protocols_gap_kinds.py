"""Rules on the never negative, on weak negatives, on classes; and stand-ins."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mrdtrack.follow_up.timeline import TimelineVisit
from mrdtrack.levels.result import Specimen
from mrdtrack.protocols.measured_rules import (
    ClassesRule,
    InsufficientRule,
    NeverNegativeRule,
)
from mrdtrack.protocols.protocol import Protocol
from mrdtrack.protocols.rule_bases import MeasuredRule
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


@pytest.mark.parametrize(("protocol", "rule"), rules_of(NeverNegativeRule), ids=name_of)
class TestNeverNegativeRules:
    def course(
        self, rule: NeverNegativeRule, specimen: Specimen
    ) -> tuple[float, float]:
        """Levels of two samples that make the rule's case."""
        threshold = rule.threshold.get(specimen, 1.0)
        return {
            "rise_below": (threshold / 50, threshold / 4),
            "rise_above": (threshold / 10, threshold * 1.1),
            "stable_above": (threshold, threshold * 2),
        }[rule.case]

    def visits(
        self, rule: NeverNegativeRule, specimen: Specimen, *, negative: bool = False
    ) -> list[TimelineVisit]:
        """Two samples of the case, perhaps after an adequate negative."""
        first, second = self.course(rule, specimen)
        found = [
            visit_in(rule, rule.window, first, specimen=specimen, later=10),
            visit_in(rule, rule.window, second, specimen=specimen, later=90),
        ]
        if negative:
            limit = rule.required_sensitivity
            found.insert(
                0, visit_in(rule, rule.window, None, specimen=specimen, lod=limit)
            )
        return found

    def test_each_tissue_by_its_threshold(
        self, protocol: Protocol, rule: NeverNegativeRule
    ) -> None:
        """A rise of one log10 below the threshold needs room above the negative."""
        for specimen, threshold in rule.threshold.items():
            room = rule.case != "rise_below" or threshold > 50 * rule.negative_below
            flags = assess_rule(protocol, rule, self.visits(rule, specimen))
            assert {f.action for f in flags} == (set(rule.actions) if room else set())

    def test_a_negative_ends_the_case(
        self, protocol: Protocol, rule: NeverNegativeRule
    ) -> None:
        for specimen in rule.threshold:
            visits = self.visits(rule, specimen, negative=True)
            assert not assess_rule(protocol, rule, visits)

    def test_wrong_tissue_or_time(
        self, protocol: Protocol, rule: NeverNegativeRule
    ) -> None:
        assert not own_flags(assess_rule(protocol, rule, self.visits(rule, "other")))
        visits = without_labels(self.visits(rule, "bone_marrow"))
        late = dict.fromkeys(anchors_for(rule), NEVER)
        assert not judge_rule(protocol, rule, visits, anchors=late).flags

    def test_two_tissues_are_not_one_course(
        self, protocol: Protocol, rule: NeverNegativeRule
    ) -> None:
        first, second = self.course(rule, "bone_marrow")
        visits = [
            visit_in(rule, rule.window, first, specimen="peripheral_blood"),
            visit_in(rule, rule.window, second, specimen="bone_marrow", later=90),
        ]
        assert not assess_rule(protocol, rule, visits)


@pytest.mark.parametrize(("protocol", "rule"), rules_of(InsufficientRule), ids=name_of)
class TestInsufficientRules:
    def test_what_it_is_not_about(
        self, protocol: Protocol, rule: InsufficientRule
    ) -> None:
        weak = rule.required_sensitivity * 1.01
        assert assess_rule(
            protocol, rule, [visit_in(rule, rule.window, None, lod=weak)]
        )
        seen = visit_in(rule, rule.window, 1e-3, lod=weak)
        assert not assess_rule(protocol, rule, [seen])
        outside = visit_in(rule, rule.window, None, lod=weak, outside=True)
        assert not assess_rule(protocol, rule, [outside])


@pytest.mark.parametrize(("protocol", "rule"), rules_of(ClassesRule), ids=name_of)
class TestClassRules:
    def test_a_negative_belongs_by_what_it_could_see(
        self, protocol: Protocol, rule: ClassesRule
    ) -> None:
        for place, depth in enumerate(rule.classes):
            edge = depth.at_most or depth.below or 0.0
            copies = depth.abl1_copies_min
            negative = visit_in(rule, rule.window, None, lod=edge)
            weak = visit_in(rule, rule.window, None, lod=edge * 1.01)
            if copies is not None:
                negative = negative.model_copy(update={"abl1_copies": copies})
                weak = negative.model_copy(update={"abl1_copies": copies - 1})
            shallower = {d.en for d in rule.classes[place + 1 :]}
            assert {f.call for f in assess_rule(protocol, rule, [negative])} == {
                depth.en
            }
            assert {f.call for f in assess_rule(protocol, rule, [weak])} <= shallower

    def test_wrong_tissue_or_time(self, protocol: Protocol, rule: ClassesRule) -> None:
        edge = (rule.classes[0].at_most or rule.classes[0].below or 0.0) * 0.5
        for specimen in wrong_specimens(rule):
            visit = visit_in(rule, rule.window, edge, specimen=specimen)
            assert not own_flags(assess_rule(protocol, rule, [visit]))
        if not rule.window.is_open:
            visit = visit_in(rule, rule.window, edge, outside=True)
            assert not own_flags(assess_rule(protocol, rule, [visit]))


def test_first_remission_is_asked_for() -> None:
    """A sample before a transplant in second remission is not the study's patient."""
    for protocol, rule in rules_of(MeasuredRule):
        if not isinstance(rule, MeasuredRule) or not rule.first_remission:
            continue
        visit = visit_in(rule, rule.window, 1e-2)
        inside = anchors_for(rule)
        for anchors, fires in (
            (inside, True),
            ({**inside, "relapse": START.isoformat()}, False),
            ({name: day for name, day in inside.items() if name != "remission"}, False),
        ):
            found = judge_rule(protocol, rule, [visit], anchors=anchors)
            assert bool(found.flags) == fires, rule.id
            if "remission" not in anchors:
                assert any("remission" in u.missing for u in found.unjudged)


def test_flow_stands_in_only_without_pcr() -> None:
    protocol, rule = next(
        x for x in rules_of(MeasuredRule) if x[1].id == "bfm2009.sr.fcm"
    )
    assert isinstance(rule, MeasuredRule)
    flow = visit_in(rule, rule.window, 0.05)
    pcr = visit_in(rule, rule.window, 0.01, metric="igtr_frac", later=18)
    assert assess_rule(protocol, rule, [flow])
    assert not assess_rule(protocol, rule, [flow, pcr])
