"""What a protocol file may say, and what no rule may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from mrdtrack.commands.protocols import check_protocol, list_protocols, show_protocol
from mrdtrack.errors import FaultList, ProtocolError
from mrdtrack.protocols.read import (
    choose_default,
    list_packaged,
    parse_protocol,
    read_packaged,
)
from mrdtrack.protocols.vocabulary import name_time_point
from tests.protocols.rule_courses import EVERY_RULE

HEAD = """
schema = "mrdtrack-protocol/1"
id = "lab"
version = "1"
title = "Lab"
title_fr = "Labo"
diseases = ["AML", "B-ALL"]
[sources.lab]
reference = "Our own"
[[rule]]
id = "r1"
source = { ref = "lab", locator = "SOP 1", status = "lab", confidence = "H" }
en = { call = "Call" }
fr = { call = "Appel" }
"""
LEVEL = """
kind = "level"
marker = { kind = "level" }
metric = "igtr_frac"
test = { at_least = 1e-4 }
actions = ["INTENSIFY_DISCUSS"]
action_origin = "source"
"""


def refuse(text: str, message: str) -> None:
    with pytest.raises(FaultList, match=message):
        parse_protocol("lab.toml", text.encode())


def test_a_laboratory_file_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "lab.toml"
    file.write_text(HEAD + LEVEL, encoding="utf-8")
    assert check_protocol(str(file)).protocol.id == "lab"
    assert "1 rules" in capsys.readouterr().out


def test_unknown_keys_are_refused() -> None:
    refuse(HEAD + LEVEL + "treshold = 1\n", "treshold")
    refuse(HEAD + LEVEL.replace("at_least", "atleast"), "atleast")


def test_unknown_kinds_and_placeholders_are_refused() -> None:
    refuse(HEAD + LEVEL.replace('"level"\nmarker', '"magic"\nmarker'), "magic")
    refuse((HEAD + LEVEL).replace('"Call"', '"Call", remark = "{secret}"'), "secret")
    refuse((HEAD + LEVEL).replace('"Call"', '"Call", remark = "{value"'), "braces")


def test_a_deescalation_needs_a_negative_rule() -> None:
    refuse(
        HEAD + LEVEL.replace("INTENSIFY_DISCUSS", "DEESCALATE_DISCUSS"), "DEESCALATE"
    )


def test_flt3_itd_alone_gives_no_negative_patient() -> None:
    text = (
        HEAD
        + """
kind = "negative"
marker = { kind = "flt3_itd" }
metric = "vaf_gdna"
required_sensitivity = 1e-4
actions = ["CONTINUE"]
action_origin = "mrdtrack"
"""
    )
    refuse(text, "FLT3-ITD alone")


def test_no_drug_is_withheld_on_a_negative() -> None:
    negative = """
kind = "negative"
marker = { kind = "level" }
metric = "igtr_frac"
required_sensitivity = 1e-4
actions = ["DEESCALATE_DISCUSS"]
action_origin = "mrdtrack"
"""
    said = (HEAD + negative).replace('"Call"', '"No blinatumomab needed"')
    refuse(said, "no reason to withhold")
    said = (HEAD + LEVEL).replace('"Call"', '"Blinatumomab"')
    assert parse_protocol("lab", said.encode()).protocol.rule[0].en.call
    below = said.replace("at_least", "below")
    refuse(below, "no reason to withhold")


def test_genes_of_clonal_haematopoiesis_drive_nothing() -> None:
    text = HEAD + LEVEL.replace("igtr_frac", "vaf_gdna").replace(
        '{ kind = "level" }', '{ kind = "mutation", genes = ["TET2"] }'
    )
    refuse(text, "never drive a flag")


def test_fractions_stay_fractions() -> None:
    refuse(HEAD + LEVEL.replace("1e-4", "5.0"), "fraction from 0 to 1")


def test_rules_hang_together() -> None:
    refuse((HEAD + LEVEL).replace('ref = "lab"', 'ref = "gone"'), "no source gone")
    rule = HEAD[HEAD.index("[[rule]]") :] + LEVEL
    refuse(HEAD + LEVEL + rule, "come twice")


def test_what_is_no_protocol_is_refused() -> None:
    with pytest.raises(ProtocolError, match="not TOML"):
        parse_protocol("x", b"= 1")
    with pytest.raises(ProtocolError, match="no packaged protocol"):
        read_packaged("eln-1999")


def test_every_rule_speaks_both_languages() -> None:
    for _, rule in EVERY_RULE:
        assert rule.en.call
        assert rule.fr.call
        assert (rule.en.remark is None) == (rule.fr.remark is None), rule.id
        if rule.en.remark is not None:
            assert rule.en.remark != rule.fr.remark


def test_only_confirmed_sources_are_shipped() -> None:
    """P, or S with high confidence; `lab` only where a gap of a source is filled."""
    for _, rule in EVERY_RULE:
        status, confidence = rule.source.status, rule.source.confidence
        if status == "lab":
            assert ".gap" in rule.id
            assert rule.source.ref == "mrdtrack"
        else:
            assert status in ("P", "S"), rule.id
            assert status == "P" or confidence == "H", rule.id


def test_what_may_not_ship_is_not_there() -> None:
    ids = {rule.id for _, rule in EVERY_RULE}
    barred = {
        "21.ngs.pos", "21.ngs.low", "21.crmrd-ll", "21.relapse", "21.cbf.log",
        "25.npm1.c2.low", "25.npm1.eot.low", "25.npm1.fu.low", "25.npm1.fu.rise",
        "25.cbf.fu.low", "25.apl.eot", "25.mfc", "npm1.balsat", "relaza2", "g14.sr",
        "tall.ngs.int",
    }  # fmt: skip
    assert not ids & barred
    names = set(list_packaged())
    assert not names & {"ukall2003", "alltogether1", "aieop-bfm-2017", "pi-ukall"}


def test_defaults_by_disease() -> None:
    assert choose_default("AML") == ("eln-aml-mrd-2025",)
    assert choose_default("T-ALL") == ("all-generic",)
    assert choose_default("other") == ()


def test_protocols_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    lines = list_protocols()
    assert [line.id for line in lines] == list(list_packaged())
    for line in lines:
        show_protocol(line.id)
    out = capsys.readouterr().out
    for _, rule in EVERY_RULE:
        assert f"{rule.id}: {rule.en.call}" in out


@pytest.mark.parametrize(
    ("label", "wanted"),
    [
        ("D33", "day_33"),
        ("TP1", "day_33"),
        ("After_Cycle-2", "after_cycle_2"),
        ("EOT", "end_of_treatment"),
        ("visit 3", None),
        (None, None),
    ],
)
def test_labels_are_read_as_time_points(label: str | None, wanted: str | None) -> None:
    assert name_time_point(label) == wanted
