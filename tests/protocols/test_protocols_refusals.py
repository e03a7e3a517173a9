"""Every fault of a protocol file has its sentence."""

from __future__ import annotations

import pytest

from mrdtrack.errors import FaultList
from mrdtrack.protocols.read import parse_protocol

HEAD = """
schema = "mrdtrack-protocol/1"
id = "lab"
version = "1"
title = "Lab"
title_fr = "Labo"
diseases = ["AML", "B-ALL"]
{head}
[sources.lab]
reference = "Our own"
[[rule]]
id = "r1"
source = {{ ref = "lab", locator = "SOP 1", status = "lab", confidence = "H" }}
en = {{ call = "Call" }}
fr = {{ call = "Appel" }}
action_origin = "mrdtrack"
"""
ACTS = 'actions = ["NO_RULE"]\n'
LEVEL = ACTS + 'kind = "level"\nmarker = { kind = "level" }\nmetric = "igtr_frac"\n'
TEST = "test = { at_least = 1e-4 }\n"
TRANSCRIPT = 'marker = { kind = "transcript", genes = ["NPM1"] }\n'
CLASS = (
    ACTS
    + 'kind = "classes"\nmarker = { kind = "level" }\nmetric = "igtr_frac"\n'
    + "classes = [{ en = 'x', fr = 'x', below = 1e-4 }]\n"
)
WINDOW = "window = { anchor = 'remission', from_days = 3, to_days = 1 }"
REDUCTION = "kind = 'log_reduction'\nof_metric = 'ratio_pct_abl1'\n"
GENOTYPE = "kind = 'genotype'\nlow_any = ['A']\nlow_none = []\n"
CONFIRM = LEVEL + TEST + "confirm = { within_days = 28, "


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (LEVEL + "test = { at_least = 0.1, above = 0.1 }", "at_least or above"),
        (LEVEL + "test = { below = 0.1, at_most = 0.1 }", "below or at_most"),
        (LEVEL + "test = { at_least = 0.1, below = 0.1 }", "not above the lower"),
        (LEVEL + "test = { detection = 'any' }", "hold for every result"),
        (LEVEL + TEST + "window = { from_days = 3 }", "days need an anchor"),
        (
            LEVEL
            + TEST
            + "window = { anchor = 'remission', from_days = 3, to_days = 1 }",
            "to_days lies before",
        ),
        (LEVEL + TEST + "conditions = [{}]", "empty conditions"),
        (LEVEL + TEST + "diseases = ['CML']", "a disease the protocol is not for"),
        (CONFIRM + "before = ['HSCT_DISCUSS'] }", "no treatment is to be"),
        (CONFIRM + "from_days = 2 }", "level that confirms"),
        (
            ACTS + "kind = 'level'\nmetric = 'ratio_pct_abl1'\n"
            "marker = { kind = 'transcript' }\n" + TEST,
            "names its genes",
        ),
        (
            ACTS + "kind = 'level'\nmetric = 'vaf_gdna'\n"
            "marker = { kind = 'flt3_itd', genes = ['NPM1'] }\n" + TEST,
            "names no genes",
        ),
        (
            ACTS + "kind = 'level'\nmetric = 'vaf_gdna'\n" + TRANSCRIPT + TEST,
            "transcript is not measured as",
        ),
        (
            ACTS + "kind = 'level'\nmetric = 'is_pct'\n"
            "marker = { kind = 'mutation' }\n" + TEST,
            "is measured as vaf_gdna",
        ),
        (
            ACTS
            + "kind = 'log_reduction'\nof_metric = 'ratio_pct_abl1'\n"
            + TRANSCRIPT,
            "give one of",
        ),
        (CLASS.replace(", below = 1e-4", ""), "give at_most or below"),
        (CLASS.replace("NO_RULE", "CONTINUE"), "a class asks for nothing"),
        (
            "actions = ['CONTINUE']\n" + GENOTYPE + "high_en = 'x'\nhigh_fr = 'x'\n",
            "genotype class asks for nothing",
        ),
        (ACTS + "kind = 'facts'\n", "needs conditions"),
        (
            "actions = ['DEESCALATE_DISCUSS']\nkind = 'all_negative'\nwindow = {}\n"
            "technologies = [{ metric = 'mfc_pct_wbc', below = 0.1 }]\n",
            "DEESCALATE_DISCUSS needs",
        ),
        (
            "actions = ['MONITOR_CLOSER']\nkind = 'all_negative'\nwindow = {}\n"
            "technologies = [{ metric = 'mfc_pct_wbc', below = 0.1 }]\n",
            "CONTINUE or NO_RULE",
        ),
        ("actions = ['CONTINUE']\nkind = 'otherwise'\nof = ['r1']\n", "the rest asks"),
        (ACTS + "kind = 'otherwise'\nof = ['r9']\n", "a rule that is not there"),
    ],
)
def test_faults_of_a_rule(rule: str, message: str) -> None:
    with pytest.raises(FaultList, match=message):
        parse_protocol("lab.toml", (HEAD.format(head="") + rule).encode())


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("conditions = ['One sentence.']", "differ in number"),
        ("default_for = ['CML']", "a disease the protocol is not for"),
        (
            "conditions = ['Negative: no blinatumomab.']\nconditions_fr = ['Non.']",
            "conditions name no drug",
        ),
    ],
)
def test_faults_of_the_head(head: str, message: str) -> None:
    with pytest.raises(FaultList, match=message):
        parse_protocol("lab.toml", (HEAD.format(head=head) + LEVEL + TEST).encode())


@pytest.mark.parametrize("drug", ["Blinatumomab", "blincyto", "BLINA"])
def test_the_drug_is_named_nowhere_on_a_negative(drug: str) -> None:
    """Not in a class, not in a treatment kind: every text of a rule is looked at."""
    for rule in (
        CLASS.replace("en = 'x'", f"en = 'no {drug}'"),
        ACTS + GENOTYPE + f"high_en = 'x'\nhigh_fr = 'pas de {drug}'\n",
        f"kind = 'note'\ntreatment_kind = '{drug}'\n",
        f"kind = 'block'\nblocks = ['CONTINUE']\nwhen = 'on_treatment'\n"
        f"treatment_kind = '{drug}'\n",
    ):
        head = HEAD.format(head="")
        if "actions" not in rule:
            head = head.replace('action_origin = "mrdtrack"\n', "")
        with pytest.raises(FaultList, match="no reason to withhold"):
            parse_protocol("lab.toml", (head + rule).encode())
