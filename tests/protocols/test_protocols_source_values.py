"""The numbers and origins of the shipped rules, written down a second time by hand."""

from __future__ import annotations

import pytest

from mrdtrack.protocols.rule_bases import ActingRule, MeasuredRule
from mrdtrack.protocols.rules import AnyRule
from tests.protocols.rule_courses import EVERY_RULE

# Written by hand from the sources' statements (clinical reference, sections 4 to 7):
# a threshold changed by mistake breaks this table, not only the generated tests.
SOURCE_VALUES = {
    "25.npm1.c2.neg": ("below", 0.001),
    "25.npm1.c2.pos": ("test.at_least", 0.01),
    "25.npm1.eot.neg": ("below", 0.001),
    "25.npm1.eot.pos": ("test.at_least", 0.1),
    "25.npm1.fu.pb": ("test.at_least", 0.01),
    "25.npm1.fu.bm": ("test.at_least", 0.1),
    "25.npm1.gdna": ("test.at_least", 1e-4),
    "25.cbf.c2.good": ("at_least", 3.0),
    "25.cbf.c2.poor": ("below", 3.0),
    "25.cbf.eot": ("below", 3.0),
    "25.cbf.fu": ("test.at_least", 0.1),
    "25.apl.fu": ("test.at_least", 0.001),
    "25.flt3.c2": ("required_lod", 1e-4),
    "25.flt3.eot": ("required_lod", 1e-4),
    "25.flt3.fu": ("required_lod", 1e-4),
    "25.flt3.fu.low": ("test.below", 1e-4),
    "25.flt3.gilt": ("required_lod", 1e-4),
    "21.mfc": ("test.at_least", 0.1),
    "npm1.dillonR.high.pb": ("test.at_least", 200.0),
    "npm1.dillonR.high.bm": ("test.at_least", 1000.0),
    "npm1.shayegi.chemo": ("test.above", 1.0),
    "npm1.shayegi.allo": ("test.above", 10.0),
    "gdna.dillonL.npm1": ("test.at_least", 1e-4),
    "gdna.dillonL.flt3": ("test.at_least", 1e-4),
    "cbf.jourdan": ("below", 3.0),
    "cbf.yin.c1": ("above", 3.0),
    "cbf.yin.t821.bm": ("test.above", 500.0),
    "cbf.yin.t821.pb": ("test.above", 100.0),
    "cbf.yin.inv16.bm": ("test.above", 50.0),
    "cbf.yin.inv16.pb": ("test.above", 10.0),
    "all.mrdcr": ("required_sensitivity", 1e-4),
    "all.fail": ("test.at_least", 1e-4),
    "all.int.low": ("test.below", 1e-4),
    "all.int.pnq": ("test.below", 1e-4),
    "all.int.sens": ("required_sensitivity", 1e-4),
    "g14.hr.mrd1": ("test.at_least", 1e-4),
    "g14.vhr.mrd1": ("test.at_least", 1e-3),
    "g14.vhr.mrd2": ("test.at_least", 1e-4),
    "bfm2000.sr": ("required_sensitivity", 1e-4),
    "bfm2000.hr": ("test.at_least", 1e-3),
    "bfm2009.hr.fcm": ("test.at_least", 10.0),
    "bfm2009.sr.fcm": ("test.below", 0.1),
    "bfm2009.hr.d78": ("test.at_least", 5e-4),
    "ukall2011.low": ("below", 5e-5),
    "ukall2011.hr": ("test.at_least", 5e-3),
    "blina.mrdpos": ("test.at_least", 1e-3),
    "tall.frall.adverse": ("test.at_least", 1e-4),
    "tall.frall.favourable": ("below", 1e-4),
    "cml.m3.optimal": ("test.at_most", 10.0),
    "cml.m3.failure": ("test.above", 10.0),
    "cml.m6.optimal": ("test.at_most", 1.0),
    "cml.m6.failure": ("test.above", 10.0),
    "cml.m12.optimal": ("test.at_most", 0.1),
    "cml.m12.failure": ("test.above", 1.0),
    "cml.later.failure": ("test.above", 1.0),
    "cml.tfr.loss": ("test.above", 0.1),
    "cml.tempo.halving": ("below_days", 76.0),
    "cml.tempo.tfr": ("below_days", 12.75),
    "mm.neg": ("required_sensitivity", 1e-5),
    "25.npm1.c2.gap.low": ("test.below", 0.01),
    "25.npm1.eot.gap.low": ("test.below", 0.1),
    "25.npm1.fu.gap.low.pb": ("test.below", 0.01),
    "25.npm1.fu.gap.low.bm": ("test.below", 0.1),
    "25.cbf.fu.gap.low": ("test.below", 0.1),
    "25.apl.eot.gap": ("test.at_least", 0.001),
    "25.npm1.fu.gap.rise": ("log10_rise", 1.0),
    "25.npm1.fu.gap.above": ("log10_rise", 1.0),
    "25.npm1.fu.gap.stable": ("threshold.peripheral_blood", 0.01),
    "25.cbf.fu.gap.rise": ("threshold.bone_marrow", 0.1),
    "25.cbf.fu.gap.stable": ("threshold.bone_marrow", 0.1),
    "25.apl.fu.gap.stable": ("threshold.bone_marrow", 0.001),
    "21.npm1.sched": ("series.0.every_days", 91),
    "21.cbf.sched": ("series.0.every_days", 42),
    "21.apl.sched": ("series.0.every_days", 91),
    "21.beyond24": ("window.from_days", 731),
    "21.neg": ("technologies.0.below", 0.1),
    "npm1.othman.neg": ("required_sensitivity", 0.001),
    "npm1.dillonR.low": ("points.0.test.below", 200.0),
    "cbf.willekens.cmr": ("classes.0.at_most", 0.001),
    "cbf.willekens.relapse": ("test.above", 0.001),
    "cbf.willekens.sched": ("series.0.every_days", 91),
    "all.relapse": ("required_sensitivity", 1e-4),
    "bfm2000.ir": ("points.1.test.below", 1e-3),
    "bfm2000.gap.d78": ("test.below", 1e-3),
    "bfm2009.hr.ser": ("points.0.test.at_least", 5e-4),
    "bfm2009.sr": ("required_sensitivity", 1e-4),
    "dcog10.sr": ("required_sensitivity", 1e-4),
    "dcog10.hr": ("points.1.test.at_least", 5e-4),
    "cog.d29": ("classes.0.below", 0.01),
    "cog.d8.pb": ("classes.1.below", 1.0),
    "paed.relapse": ("bands.0.from_percent", 25.0),
    "tall.frall.genhigh": ("test.below", 1e-4),
    "cml.m3.warning": ("test.above", 10.0),
    "cml.m6.warning": ("test.at_most", 10.0),
    "cml.m12.warning": ("test.at_most", 1.0),
    "cml.later.optimal": ("test.at_most", 0.1),
    "cml.later.warning": ("test.at_most", 1.0),
    "cml.mr": ("classes.1.at_most", 0.0032),
    "cml.tfr.minimal": ("held.0.more_than_days", 731),
    "cml.tfr.optimal": ("held.1.at_most", 0.0032),
    "cml.tfr.sched": ("series.1.every_days", 61),
    "cml.tempo.doubling": ("below_days", 48.0),
    "cll.umrd": ("classes.0.below", 1e-4),
    "cll.umrd.flow": ("classes.0.below", 0.01),
    "mm.sustained": ("held.0.more_than_days", 364),
    "ph.nilotinib": ("classes.0.below", 0.001),
}
BY_ID: dict[str, AnyRule] = {rule.id: rule for _, rule in EVERY_RULE}


@pytest.mark.parametrize("rule_id", sorted(SOURCE_VALUES))
def test_thresholds_are_the_sources(rule_id: str) -> None:
    path, wanted = SOURCE_VALUES[rule_id]
    found: object = BY_ID[rule_id]
    for part in path.split("."):
        if part.isdigit():
            assert isinstance(found, tuple)
            found = found[int(part)]
        elif isinstance(found, dict):
            found = found[part]
        else:
            found = getattr(found, part)
    assert found == wanted


# Rules whose source names the action (clinical reference, 3.3 and the daggers).
SOURCE_NAMES_THE_ACTION = {
    "25.npm1.fu.pb", "25.npm1.fu.bm", "25.flt3.gilt", "npm1.othman.pos",
    "npm1.othman.neg", "g14.hr.mrd1", "g14.hr.gen", "g14.vhr.mrd1", "g14.vhr.mrd2",
    "blina.mrdpos", "dcog10.sr", "dcog10.hr", "cml.tfr.loss", "21.apl.pos",
}  # fmt: skip


def test_only_sources_that_name_an_action_are_given_as_its_origin() -> None:
    found = {
        rule.id
        for _, rule in EVERY_RULE
        if isinstance(rule, ActingRule) and rule.action_origin == "source"
    }
    assert found == SOURCE_NAMES_THE_ACTION


# Rows that the clinical reference grades P or S with less than high confidence.
LESS_THAN_HIGH = {
    "ngs.thol", "cbf.yin.c1", "cbf.yin.t821.bm", "cbf.yin.t821.pb",
    "cbf.yin.inv16.bm", "cbf.yin.inv16.pb", "ph.discordance", "ph.nilotinib",
}  # fmt: skip


def test_grades_are_the_references() -> None:
    """2025 rests on transcriptions (S) but for MORPHO; of 2021 the NGS part does."""
    for protocol, rule in EVERY_RULE:
        status, confidence = rule.source.status, rule.source.confidence
        if status == "lab":
            continue
        assert (confidence == "M") == (rule.id in LESS_THAN_HIGH), rule.id
        secondary = (
            (protocol.id == "eln-aml-mrd-2025" and rule.id != "25.flt3.gilt")
            or rule.id in {"21.ngs.excl", "21.ngs.germ", "21.ngs.flt3", "21.neg"}
            or protocol.id == "imwg-mrd-2016"
        )
        assert status == ("S" if secondary else "P"), rule.id


TISSUES = {
    "25.npm1.c2.neg": "PB", "25.npm1.c2.pos": "PB", "25.npm1.eot.neg": "BM",
    "25.npm1.eot.pos": "BM", "25.npm1.fu.pb": "PB", "25.npm1.fu.bm": "BM",
    "25.npm1.gdna": "PB BM", "25.cbf.eot": "BM", "25.cbf.fu": "PB BM",
    "25.flt3.fu": "PB BM", "25.flt3.fu.low": "PB BM", "21.mfc": "BM",
    "21.apl.pos": "BM", "npm1.othman.pos": "PB", "npm1.othman.neg": "PB",
    "npm1.dillonR.high.pb": "PB", "npm1.dillonR.high.bm": "BM",
    "npm1.dillonR.low": "PB BM", "npm1.shayegi.chemo": "BM", "npm1.shayegi.allo": "BM",
    "gdna.dillonL.npm1": "PB", "gdna.dillonL.flt3": "PB", "cbf.yin.t821.bm": "BM",
    "cbf.yin.c1": "BM", "cbf.willekens.relapse": "PB", "cbf.yin.t821.pb": "PB",
    "cbf.yin.inv16.bm": "BM",
    "cbf.yin.inv16.pb": "PB", "g14.hr.mrd1": "BM", "g14.vhr.mrd1": "BM",
    "g14.vhr.mrd2": "BM", "cog.d8.pb": "PB", "cll.umrd": "PB BM",
    "cll.umrd.flow": "PB BM", "mm.neg": "BM", "mm.sustained": "BM",
}  # fmt: skip
_LONG = {"PB": "peripheral_blood", "BM": "bone_marrow"}


def test_tissues_are_the_sources() -> None:
    """Where a row names no tissue, or one as preferred only, any is read."""
    for _, rule in EVERY_RULE:
        if isinstance(rule, MeasuredRule) and ".gap" not in rule.id:
            named = TISSUES.get(rule.id, "").split()
            assert set(rule.specimen) == {_LONG[name] for name in named}, rule.id


def test_every_acting_rule_on_a_level_has_its_number_here() -> None:
    """Rules without a number of their own are those that ask for detection alone."""
    unnumbered = {
        rule.id
        for _, rule in EVERY_RULE
        if isinstance(rule, MeasuredRule) and rule.id not in SOURCE_VALUES
    }
    assert unnumbered == {
        "21.apl.pos", "21.ngs.gap", "21.pcr.gap", "25.postallo", "flt3.amlsg",
        "gimema1310.neg", "gimema1310.pos", "ngs.thol", "npm1.othman.pos",
    }  # fmt: skip
