"""One sample judged: rows, level, calls and what the reader is told."""

from __future__ import annotations

import csv
import math
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.counts import NO_BACKGROUND
from mrdtrack.levels.exact_bounds import clopper_pearson
from mrdtrack.levels.judge import judge_sample, run_context
from mrdtrack.levels.result import VisitResult
from mrdtrack.levels.visit_facts import LevelSettings, VisitFacts, genomes_of
from tests.levels.made_samples import (
    FACTS,
    junction,
    made_marker,
    made_sample,
    made_sites,
)

PLAIN = LevelSettings()
FEW_ERRORS = made_sites([0] * 180 + [1] * 20, 1000)
DETECTED = {"quantified", "detected_below_loq"}


def codes(result: VisitResult) -> set[str]:
    return {finding.code for finding in result.quality}


def test_spiked_markers_are_quantified_and_the_empty_one_is_not() -> None:
    markers = [made_marker(f"s{i}", 40 + 5 * i, 2000) for i in range(19)]
    markers += [made_marker(f"b{i}", i % 2, 1155) for i in range(75)]
    for sites in (FEW_ERRORS, NO_BACKGROUND):
        result = judge_sample(made_sample("s", markers, sites), FACTS, PLAIN)
        assert result.level.call == "quantified"
        calls = {row.marker: row.call for row in result.markers}
        assert all(calls[f"s{i}"] in DETECTED for i in range(19))
        assert not any(calls[f"b{i}"] in DETECTED for i in range(75))


@pytest.mark.parametrize("sites", [NO_BACKGROUND, made_sites([0] * 200, 40)])
@pytest.mark.parametrize(("alt", "molecules"), [(27, 76), (156, 239), (7, 20), (4, 90)])
def test_small_panels_of_low_depth(alt: int, molecules: int, sites: Any) -> None:
    sample = made_sample("s", [made_marker("m", alt, molecules)], sites)
    result = judge_sample(sample, FACTS, PLAIN)
    assert result.markers[0].call in DETECTED
    assert result.level.call in DETECTED


def test_one_bare_marker_has_the_exact_binomial_interval() -> None:
    for alt in (0, 1, 10):
        sample = made_sample("s", [made_marker("m", alt, 100_000)])
        result = judge_sample(sample, FACTS, PLAIN)
        low, high = (float(bound) for bound in clopper_pearson(alt, 100_000))
        assert (result.level.low, result.level.high) == (low, high)
        row = result.markers[0]
        assert (row.fraction_low, row.fraction_high) == (low, high)
        assert "background_assumed" in codes(result)


def test_nothing_seen_is_zero_with_its_bound() -> None:
    markers = [made_marker(f"m{i}", 0, 1000) for i in range(5)]
    level = judge_sample(made_sample("s", markers, FEW_ERRORS), FACTS, PLAIN).level
    assert level.value == 0.0
    assert level.low == 0.0
    assert level.high == pytest.approx(3.6889 / 5000, rel=1e-4)
    assert level.p_value == 1.0
    assert level.call == "insufficient_sensitivity"


def test_a_negative_says_whether_it_could_have_seen_enough() -> None:
    sample = made_sample("s", [junction("j", 0, 100_000)])
    calls = [
        judge_sample(
            sample, FACTS, LevelSettings(required_sensitivity=required)
        ).level.call
        for required in (1e-3, 1e-6)
    ]
    assert calls == ["not_detected", "insufficient_sensitivity"]


def test_input_dna_bounds_the_limit() -> None:
    settings = LevelSettings(input_genomes=genomes_of(10, None))
    sample = made_sample("s", [junction("j", 0, 100_000)])
    level = judge_sample(sample, FACTS, settings).level
    assert level.lod95 == pytest.approx(2.9957 / 3030.3, rel=1e-3)
    assert level.limited_by == "input"
    assert genomes_of(None, 7.0) == 7.0
    assert genomes_of(None, None) is None


def test_what_drives_the_level_and_what_is_only_shown() -> None:
    markers = [
        junction("j", 0, 5000),
        made_marker("chip", 900, 2000, gene="DNMT3A"),
        made_marker("told", 900, 2000, role="report_only"),
    ]
    sample = made_sample("s", markers, FEW_ERRORS)
    result = judge_sample(sample, FACTS, PLAIN)
    assert result.level.markers_used == 1
    assert result.level.call == "insufficient_sensitivity"
    assert [row.call for row in result.markers[1:]] == ["quantified"] * 2
    assert {"marker_clonal_haematopoiesis", "marker_report_only"} <= codes(result)
    asked = LevelSettings(level_markers=frozenset({"chip"}))
    forced = judge_sample(sample, FACTS, asked)
    assert forced.level.markers_used == 2
    assert forced.level.call == "quantified"


def test_only_shown_markers_give_no_level() -> None:
    sample = made_sample("s", [made_marker("chip", 90, 2000, gene="TET2")])
    level = judge_sample(sample, FACTS, PLAIN).level
    assert level.call == "not_evaluable"
    assert level.value is None
    assert "drive" in level.reason


def test_markers_on_one_molecule_count_once() -> None:
    markers = [
        made_marker("a", 2, 300, group="g"),
        made_marker("b", 3, 310, group="g"),
        made_marker("c", 1, 290),
        made_marker("d", 0, 290, group="alone"),
    ]
    result = judge_sample(made_sample("s", markers, FEW_ERRORS), FACTS, PLAIN)
    assert result.level.markers_used == 3
    told = [q.message for q in result.quality if q.code == "markers_on_one_molecule"]
    assert len(told) == 1
    assert "uses b" in told[0]


def test_the_metric_is_never_more_than_the_denominator_allows() -> None:
    def metric(disease: str, **told: Any) -> str:
        marker = junction("j", 3, 5000, **told)
        facts = VisitFacts(patient="p", disease=disease, software_version="0")
        return judge_sample(made_sample("s", [marker]), facts, PLAIN).level.metric

    reads = {"kind": "sequence", "denominator_kind": "locus_reads"}
    cells = {"kind": "sequence", "denominator_kind": "input_cells"}
    assert metric("B-ALL", **reads) == "locus_read_frac"
    assert metric("B-ALL", **cells) == "igtr_frac"
    assert metric("CLL", **cells) == "cells_frac"
    assert metric("B-ALL") == "fusion_gdna_frac"
    assert metric("AML", kind="duplication") == "vaf_gdna"


def test_fractions_of_another_sort_stay_out() -> None:
    markers = [
        made_marker("snv", 0, 5000),
        junction("igh", 400, 5000, kind="sequence", denominator_kind="locus_reads"),
    ]
    result = judge_sample(made_sample("s", markers, FEW_ERRORS), FACTS, PLAIN)
    assert result.level.metric == "vaf_gdna"
    assert result.level.markers_used == 1
    assert "other_denominator" in codes(result)


def test_a_marker_without_counts_keeps_its_row_and_reason() -> None:
    markers = [
        made_marker("none", 0, 0),
        made_marker(
            "lost",
            0,
            0,
            assessable=False,
            reason="contig absent",
        ).model_copy(
            update=dict.fromkeys(("alt", "ref", "ambiguous", "other", "molecules"))
        ),
    ]
    result = judge_sample(made_sample("s", markers), FACTS, PLAIN)
    assert [row.call for row in result.markers] == ["not_evaluable"] * 2
    assert all(not row.assessable and row.reason for row in result.markers)
    assert result.level.call == "not_evaluable"
    assert "contig absent" in result.level.reason
    empty = judge_sample(made_sample("s", []), FACTS, PLAIN)
    assert empty.level.reason == "the panel has no marker"


def test_one_marker_alone_is_told_with_the_test_without_it() -> None:
    markers = [made_marker("top", 30, 1000)]
    markers += [made_marker(f"m{i}", 0, 1000) for i in range(9)]
    result = judge_sample(made_sample("s", markers, FEW_ERRORS), FACTS, PLAIN)
    assert result.level.call in DETECTED
    assert result.level.p_without_top_marker == pytest.approx(1.0)
    assert "one_marker_alone" in codes(result)


def test_a_lost_marker_is_told() -> None:
    markers = [made_marker(f"m{i}", 100, 1000) for i in range(6)]
    markers.append(made_marker("gone", 0, 1000))
    result = judge_sample(made_sample("s", markers, FEW_ERRORS), FACTS, PLAIN)
    told = [q.message for q in result.quality if q.code == "marker_lost"]
    assert len(told) == 1
    assert told[0].startswith("gone:")


def test_controls_lower_the_limit() -> None:
    sites = made_sites([0, 1, 0, 2, 0, 5, 0, 0, 1, 0] * 10, 20_000)
    markers = [made_marker(f"m{i}", 0, 20_000) for i in range(5)]
    sample = made_sample("s", markers, sites)
    controls = [
        made_sample(f"c{i}", [made_marker(m.marker, 0, 20_000) for m in markers], sites)
        for i in range(6)
    ]
    alone = judge_sample(sample, FACTS, PLAIN)
    helped = judge_sample(sample, FACTS, PLAIN, run_context(controls))
    assert alone.level.lod95 is not None
    assert helped.level.lod95 is not None
    assert helped.level.lod95 < alone.level.lod95
    assert "no_controls" in codes(alone)
    assert "no_controls" not in codes(helped)


def test_controls_without_sites_are_told() -> None:
    sites = made_sites([0] * 199 + [1], 1000)
    markers = [junction("a", 0, 1000), made_marker("b", 0, 1000)]
    sample = made_sample("s", markers, sites)
    known, bare = (
        made_sample("c", [made_marker("b", 0, 1000)], told)
        for told in (sites, NO_BACKGROUND)
    )
    found = judge_sample(sample, FACTS, PLAIN, run_context([bare]))
    assert "controls_without_sites" in codes(found)
    found = judge_sample(sample, FACTS, PLAIN, run_context([known]))
    assert "controls_without_sites" not in codes(found)


def test_copies_of_molecules_are_no_evidence() -> None:
    sites = made_sites([4] * 100 + [8] * 100, 10_000)
    sample = made_sample("s", [made_marker("m", 40, 10_000)], sites)
    plain = judge_sample(sample, FACTS, PLAIN).level.p_value
    copies = judge_sample(sample, FACTS, LevelSettings(design_factor=4.0)).level.p_value
    assert plain is not None
    assert copies is not None
    assert plain < copies


@given(
    st.lists(
        st.tuples(
            st.integers(0, 10_000_000),
            st.floats(0, 1),
            st.sampled_from(["junction", "A[C>T]G", "del1:h12", "mnv", "odd"]),
        ),
        min_size=1,
        max_size=6,
    ),
    st.booleans(),
)
def test_any_counts_give_finite_numbers_in_order(
    drawn: list[tuple[int, float, str]], with_sites: bool
) -> None:
    markers = [
        made_marker(f"m{i}", round(n * share), n, error_class=name)
        for i, (n, share, name) in enumerate(drawn)
    ]
    sample = made_sample("s", markers, FEW_ERRORS if with_sites else NO_BACKGROUND)
    result = judge_sample(sample, FACTS, PLAIN)
    for row in result.markers:
        if row.call == "not_evaluable":
            assert row.fraction is None
            continue
        low, mid, high = row.fraction_low, row.fraction, row.fraction_high
        assert low is not None
        assert mid is not None
        assert high is not None
        assert 0 <= low <= mid <= high <= 1
        assert row.p_value is not None
        assert 0 < row.p_value <= 1
        assert row.lod95 is not None
        assert 0 < row.lod95 <= 1
        if row.alt == 0:
            assert mid == 0
            assert low == 0
    level = result.level
    if level.value is not None:
        numbers = (
            level.low,
            level.value,
            level.high,
            level.lob,
            level.lod95,
            level.loq,
        )
        assert all(n is not None and math.isfinite(n) and 0 <= n <= 1 for n in numbers)
        assert level.low is not None
        assert level.high is not None
        assert level.low <= level.value <= level.high


def _real_counts(path: Path) -> dict[str, list[tuple[str, int, int]]]:
    found: dict[str, list[tuple[str, int, int]]] = {}
    with path.open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            alt, ref = int(row["gbcms_frag_ad"]), int(row["gbcms_frag_rd"])
            found.setdefault(row["sample"], []).append((row["name"], alt, alt + ref))
    return found


def test_real_visits_of_a_lymphoma(shared_cases: Path) -> None:
    counted = _real_counts(
        shared_cases / "s01_ctdna_lymphoma_series" / "expected_counts.tsv"
    )
    rng = random.Random(5)  # noqa: S311  # sites for a test, no secret
    samples = {
        name: made_sample(
            name,
            [made_marker(m, alt, n) for m, alt, n in rows],
            made_sites([int(rng.random() < 0.05) for _ in range(300)], 350),
        )
        for name, rows in counted.items()
    }
    controls = [samples[name] for name in ("N1", "N2", "N3")]
    context = run_context(controls)
    first = judge_sample(samples["T1"], FACTS, PLAIN, context).level
    assert first.call in DETECTED
    assert first.p_value is not None
    assert first.p_value < 1e-4
    assert judge_sample(samples["T2"], FACTS, PLAIN, context).level.call not in DETECTED
    for left_out in controls:
        others = run_context([c for c in controls if c is not left_out])
        assert judge_sample(left_out, FACTS, PLAIN, others).level.call not in DETECTED
