"""Which thresholds of the protocols concern a patient."""

from __future__ import annotations

from typing import Any

from mrdtrack.follow_up.build import Given, build_timeline
from mrdtrack.follow_up.facts import Facts
from mrdtrack.follow_up.timeline import ProtocolThreshold
from mrdtrack.protocols.read import read_packaged
from tests.follow_up.follow_up_builders import (
    external_visit,
    marker_result,
    simple_visit,
    visit_result,
)


def thresholds(protocol: str, *visits: Any, **facts: Any) -> dict[float, set[str]]:
    made = build_timeline(
        visits, Given(protocols=[read_packaged(protocol)], facts=Facts(**facts))
    )
    assert {item.metric for item in made.thresholds} <= {v.metric for v in made.visits}
    return {item.value: set(item.rules) for item in made.thresholds}


def test_bounds_of_rules_on_the_level() -> None:
    leukaemia = simple_visit(
        "A", "2020-01-01", 900, disease="B-ALL", metric="igtr_frac"
    )
    found = thresholds("all-generic", leukaemia)
    assert found[1e-4] >= {"all.fail", "all.int.low"}


def test_a_rule_on_a_gene_needs_the_gene() -> None:
    def of(gene: str) -> dict[float, set[str]]:
        marker = marker_result("N", 4000, 9000, gene=gene)
        return thresholds("eln-aml-mrd-2025", visit_result("A", "2020-01-01", marker))

    assert "25.npm1.gdna" in of("NPM1")[1e-4]
    assert not any("npm1" in rule for rules in of("IDH2").values() for rule in rules)


def test_a_rule_for_other_patients_is_left_out() -> None:
    visit = simple_visit("A", "2020-01-01", 900, disease="B-ALL", metric="igtr_frac")
    adult = {"age_group": "adult"}
    negative = thresholds("graall-2014", visit, philadelphia=False, **adult)
    positive = thresholds("graall-2014", visit, philadelphia=True, **adult)
    assert negative
    assert not positive


def test_results_of_other_methods_bring_no_threshold() -> None:
    own = visit_result("A", "2020-01-01", marker_result("N", 4000, 9000, gene="IDH2"))
    made = build_timeline(
        [own],
        Given(
            external=[external_visit("2020-05-01", 0.5)],
            protocols=[read_packaged("eln-aml-mrd-2025")],
        ),
    )
    assert "ratio_pct_abl1" not in {item.metric for item in made.thresholds}
    assert all(isinstance(item, ProtocolThreshold) for item in made.thresholds)
