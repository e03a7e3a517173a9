"""Rules on several methods, guards and notes, a test a demand."""

from __future__ import annotations

from typing import Any

import pytest

from mrdtrack.follow_up.facts import Facts
from mrdtrack.follow_up.timeline import TimelineVisit, Treatment
from mrdtrack.protocols.context_rules import (
    AllNegativeRule,
    BlinatumomabGuard,
    BlockRule,
    DetectabilityRule,
    DiscordanceRule,
    ExcludeRule,
    NoteRule,
    OtherwiseRule,
    Technology,
)
from mrdtrack.protocols.measured_rules import LevelRule
from mrdtrack.protocols.protocol import Protocol
from mrdtrack.protocols.vocabulary import METRICS
from tests.follow_up.follow_up_builders import (
    external_visit,
    marker_result,
)
from tests.protocols.rule_courses import (
    EVERY_RULE,
    actions_of,
    anchors_for,
    change_fact,
    day,
    judge_rule,
    name_of,
    own_visit,
    rules_of,
    some_visit,
    visit_in,
)


@pytest.mark.parametrize(("protocol", "rule"), rules_of(AllNegativeRule), ids=name_of)
class TestAllNegativeRules:
    def visit(
        self,
        technology: Technology,
        value: float | None = None,
        *,
        lod: float | None = None,
        number: int = 100,
        high: float | None = None,
    ) -> TimelineVisit:
        return external_visit(
            day(number),
            value,
            metric=technology.metric,
            lod=technology.below if lod is None else lod,
            target=None if technology.metric == "mfc_pct_wbc" else "NPM1",
            low=value,
            high=high,
            sample=technology.metric,
        )

    def fires(
        self, protocol: Protocol, rule: AllNegativeRule, *visits: TimelineVisit
    ) -> bool:
        return actions_of(judge_rule(protocol, rule, list(visits))) == set(rule.actions)

    def test_each_technology_alone_and_all(
        self, protocol: Protocol, rule: AllNegativeRule
    ) -> None:
        every = [self.visit(t) for t in rule.technologies]
        assert self.fires(protocol, rule, *every)
        for visit in every:
            assert self.fires(protocol, rule, visit)

    def test_one_positive_is_enough_against_it(
        self, protocol: Protocol, rule: AllNegativeRule
    ) -> None:
        for positive in rule.technologies:
            at = self.visit(positive, positive.below, high=positive.below)
            others = [self.visit(t) for t in rule.technologies if t != positive]
            assert not self.fires(protocol, rule, at, *others)

    def test_below_by_the_whole_interval_or_not_at_all(
        self, protocol: Protocol, rule: AllNegativeRule
    ) -> None:
        for technology in rule.technologies:
            low, high = technology.below / 2, technology.below * 0.99
            sure = self.visit(technology, low, high=high)
            assert self.fires(protocol, rule, sure) == (
                not technology.not_detected_only
            )
            for unsure in (None, technology.below):
                visit = self.visit(technology, low, high=unsure)
                assert not self.fires(protocol, rule, visit)

    def test_inadequate_sensitivity(
        self, protocol: Protocol, rule: AllNegativeRule
    ) -> None:
        for technology in rule.technologies:
            weak = self.visit(technology, lod=technology.below * 1.01)
            others = [self.visit(t) for t in rule.technologies if t != technology]
            found = judge_rule(protocol, rule, [weak, *others])
            assert not found.flags
            assert found.unjudged

    def test_outside_remission(self, protocol: Protocol, rule: AllNegativeRule) -> None:
        visit = self.visit(rule.technologies[0], number=-1)
        assert not self.fires(protocol, rule, visit)
        relapse = {**anchors_for(rule), "relapse": day(50)}
        late = self.visit(rule.technologies[0])
        assert not judge_rule(protocol, rule, [late], anchors=relapse).flags

    def test_other_metrics_are_no_technology(
        self, protocol: Protocol, rule: AllNegativeRule
    ) -> None:
        for metric in sorted(set(METRICS) - {t.metric for t in rule.technologies}):
            visit = external_visit(day(100), None, metric=metric, lod=1e-9)
            assert not self.fires(protocol, rule, visit)

    def test_flt3_itd_counts_when_seen_and_shows_nothing_unseen(
        self, protocol: Protocol, rule: AllNegativeRule
    ) -> None:
        flow = self.visit(rule.technologies[0])
        for target in ("FLT3-ITD", "FLT3 ITD", "flt3_itd"):
            itd: dict[str, Any] = {
                "metric": "vaf_gdna",
                "target": target,
                "lod": 1e-6,
            }
            seen = external_visit(day(100), 1e-5, sample="I", **itd)
            unseen = external_visit(day(100), None, sample="I", **itd)
            assert not self.fires(protocol, rule, flow, seen)
            assert self.fires(protocol, rule, flow, unseen)
            assert not self.fires(protocol, rule, unseen)

    def test_every_marker_of_a_sample_counts(
        self, protocol: Protocol, rule: AllNegativeRule
    ) -> None:
        low = marker_result("IDH2", 3, 1_000_000, gene="IDH2")
        weak = marker_result("NRAS", 0, 500, gene="NRAS")
        silent = marker_result("KRAS", None, gene="KRAS", assessable=False)
        assert self.fires(protocol, rule, own_visit(100, low))
        assert not self.fires(protocol, rule, own_visit(100, low, weak))
        assert not self.fires(protocol, rule, own_visit(100, low, silent))


@pytest.mark.parametrize(("protocol", "rule"), rules_of(DiscordanceRule), ids=name_of)
class TestDiscordanceRules:
    def pair(
        self,
        rule: DiscordanceRule,
        lead: float | None,
        other: float | None,
        **more: Any,
    ) -> list[TimelineVisit]:
        known: dict[str, Any] = {
            "metric": rule.other_metrics[0],
            "target": rule.other_target,
            "lod": 0.001,
            "sample": "O",
        }
        return [
            external_visit(
                day(100),
                lead,
                metric=rule.lead_metric,
                target=None,
                lod=1e-5,
                sample="L",
            ),
            external_visit(day(more.pop("on", 100)), other, **(known | more)),
        ]

    def test_one_seen_and_one_not(
        self, protocol: Protocol, rule: DiscordanceRule
    ) -> None:
        for lead, other, fires in (
            (1e-3, None, True),
            (None, 0.5, True),
            (1e-3, 0.5, False),
            (None, None, False),
        ):
            found = judge_rule(protocol, rule, self.pair(rule, lead, other))
            assert actions_of(found) == (set(rule.actions) if fires else set())

    def test_every_other_metric_and_no_more(
        self, protocol: Protocol, rule: DiscordanceRule
    ) -> None:
        for metric in METRICS:
            visits = self.pair(rule, 1e-3, None, metric=metric)
            fires = metric in rule.other_metrics
            assert bool(judge_rule(protocol, rule, visits).flags) == fires

    def test_day_tissue_target_and_limit(
        self, protocol: Protocol, rule: DiscordanceRule
    ) -> None:
        wrongs: list[dict[str, Any]] = [
            {"on": 101},
            {"specimen": "peripheral_blood"},
            {"target": "NPM1"},
            {"lod": None},
            {"call": "insufficient_sensitivity"},
        ]
        for wrong in wrongs:
            visits = self.pair(rule, 1e-3, None, **wrong)
            assert not judge_rule(protocol, rule, visits).flags

    def test_facts_are_needed(self, protocol: Protocol, rule: DiscordanceRule) -> None:
        visits = self.pair(rule, 1e-3, None)
        name = next(iter(rule.conditions[0].model_fields_set))
        for known in (True, False):
            facts = change_fact(rule.conditions[0], name, known=known)
            found = judge_rule(protocol, rule, visits, facts=facts)
            assert not found.flags
            assert bool(found.unjudged) != known


@pytest.mark.parametrize(("protocol", "rule"), rules_of(NoteRule), ids=name_of)
class TestNoteRules:
    def visits(self, rule: NoteRule) -> list[TimelineVisit]:
        """Visits the note is about."""
        number = rule.window.from_days if rule.window.anchor else 100
        metric = rule.metrics[0] if rule.metrics else "ratio_pct_abl1"
        itd = [
            marker_result(f"FLT3-ITD-{n}", 50 * n, 100_000, kind="duplication")
            for n in (1, 2)
        ]
        if rule.several_itd:
            return [own_visit(number, *itd)]
        if rule.except_genes:
            return [own_visit(number, marker_result("IDH2", 5, gene="IDH2"))]
        genes = rule.genes or ("NPM1",)
        return [
            external_visit(
                day(number), 0.5, metric=metric, target=gene, sample=f"{gene} {number}"
            )
            for gene in (genes if rule.every_gene else genes[:1])
        ]

    def treatments(self, rule: NoteRule) -> list[Treatment]:
        if rule.treatment_kind is None:
            return []
        return [
            Treatment(start=day(0), end=day(200), name="x", kind=rule.treatment_kind)
        ]

    def said(
        self,
        protocol: Protocol,
        rule: NoteRule,
        visits: list[TimelineVisit],
        **more: Any,
    ) -> bool:
        known: dict[str, Any] = {"treatments": self.treatments(rule)}
        found = judge_rule(protocol, rule, visits, **(known | more))
        assert actions_of(found) <= {"NO_RULE"}
        assert bool(found.flags) <= rule.no_rule
        return bool(found.notes or found.flags)

    def test_said_where_it_belongs(self, protocol: Protocol, rule: NoteRule) -> None:
        assert self.said(protocol, rule, self.visits(rule))

    def test_not_said_elsewhere(self, protocol: Protocol, rule: NoteRule) -> None:
        visits = self.visits(rule)
        if rule.metrics:
            other = next(m for m in METRICS if m not in rule.metrics)
            moved = [v.model_copy(update={"metric": other}) for v in visits]
            assert not self.said(protocol, rule, moved)
        if rule.genes:
            moved = [
                v.model_copy(update={"target": "OTHER", "markers": ()}) for v in visits
            ]
            assert not self.said(protocol, rule, moved)
        if rule.every_gene:
            assert not self.said(protocol, rule, visits[:1])
        if rule.treatment_kind is not None:
            assert not self.said(protocol, rule, visits, treatments=[])
        if rule.window.anchor is not None:
            early = [v.model_copy(update={"date": day(1)}) for v in visits]
            assert not self.said(protocol, rule, early)
        if rule.except_genes:
            named = [
                v.model_copy(update={"markers": (), "target": rule.except_genes[0]})
                for v in visits
            ]
            assert not self.said(protocol, rule, named)


@pytest.mark.parametrize(("protocol", "rule"), rules_of(BlockRule), ids=name_of)
def test_blocks_take_back_only_what_they_name(
    protocol: Protocol, rule: BlockRule
) -> None:
    itd = marker_result("FLT3-ITD", 0, 1_000_000, kind="duplication")
    other = marker_result("IDH2", 0, 1_000_000, gene="IDH2")
    drug = Treatment(start=day(0), end=None, name="x", kind=rule.treatment_kind or "x")
    alone = judge_rule(protocol, rule, [own_visit(100, itd)], treatments=[drug])
    assert [note.rule for note in alone.notes] == [rule.id]
    beside = judge_rule(protocol, rule, [own_visit(100, itd, other)], treatments=[])
    assert not beside.notes
    seen = marker_result("FLT3-ITD", 90, 1_000_000, kind="duplication")
    found = judge_rule(protocol, rule, [own_visit(100, seen)], treatments=[])
    assert not found.notes
    assert not {"INTENSIFY_DISCUSS", "HSCT_DISCUSS"} & set(rule.blocks)


@pytest.mark.parametrize(("protocol", "rule"), rules_of(ExcludeRule), ids=name_of)
def test_excluded_genes_are_told_and_drive_nothing(
    protocol: Protocol, rule: ExcludeRule
) -> None:
    for gene in rule.genes:
        visit = own_visit(100, marker_result(f"{gene}-1", 900, gene=gene))
        assert [n.rule for n in judge_rule(protocol, rule, [visit]).notes] == [rule.id]
        for _, reader in EVERY_RULE:
            if isinstance(reader, LevelRule) and reader.marker.kind == "mutation":
                low = reader.model_copy(update={"specimen": ()})
                visits = [
                    v.model_copy(
                        update={"timepoint": (low.window.timepoints or (None,))[0]}
                    )
                    for v in (
                        visit,
                        external_visit(
                            day(101),
                            0.1,
                            metric="vaf_gdna",
                            target=f"{gene} p.R882H",
                            sample="E",
                        ),
                    )
                ]
                assert not judge_rule(protocol, low, visits).flags
    other = own_visit(100, marker_result("IDH2", 900, gene="IDH2"))
    assert not judge_rule(protocol, rule, [other]).notes


@pytest.mark.parametrize(("protocol", "rule"), rules_of(DetectabilityRule), ids=name_of)
def test_a_rare_marker_not_seen_at_diagnosis_is_not_read(
    protocol: Protocol, rule: DetectabilityRule
) -> None:
    level = next(r for r in protocol.rule if r.id == "25.npm1.eot.pos")
    assert isinstance(level, LevelRule)
    visit = visit_in(level, level.window, 0.5)
    assert judge_rule(protocol, level, [visit]).flags
    found = judge_rule(protocol, level, [visit], undetectable=frozenset({"NPM1"}))
    assert not found.flags
    assert any("at diagnosis" in u.missing for u in found.unjudged)
    assert not judge_rule(protocol, rule, [visit]).flags


@pytest.mark.parametrize(("protocol", "rule"), rules_of(BlinatumomabGuard), ids=name_of)
def test_the_drug_is_never_withheld(
    protocol: Protocol, rule: BlinatumomabGuard
) -> None:
    negative = some_visit()
    assert judge_rule(protocol, rule, [negative]).notes
    assert not judge_rule(protocol, rule, [negative], facts=Facts(cd19=False)).notes
    positive = external_visit(day(100), 1e-3, metric="igtr_frac", target=None)
    assert not judge_rule(protocol, rule, [positive]).notes
    other = some_visit(metric="vaf_gdna")
    assert not judge_rule(protocol, rule, [other]).notes


@pytest.mark.parametrize(("protocol", "rule"), rules_of(OtherwiseRule), ids=name_of)
def test_the_rest_needs_every_other_group_judged(
    protocol: Protocol, rule: OtherwiseRule
) -> None:
    """Alone the named groups are silent, so the rest applies; without visits not."""
    found = judge_rule(protocol, rule, [some_visit()])
    assert actions_of(found) == {"NO_RULE"}
    found = judge_rule(protocol, rule, [])
    assert not found.flags
    assert found.unjudged
    named = [r for r in protocol.rule if r.id in rule.of]
    assert len(named) == len(rule.of)
