"""A short form of the statistics study: levels of error that must hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.study import (
    SIGNALS,
    calibration,
    coverage,
    knowing_lod95,
    main,
    sensitivity,
)
from benchmarks.study_scenarios import SCENARIOS, draw_design

SHORT = (
    "UMI, no control",
    "UMI, 10 controls",
    "1 marker, no control",
    "30 markers, 10 controls",
    "heavy tail, no control",
    "raw reads, no control",
    "duplex, 10 controls",
    "one class, no control",
    "3 reads a molecule, no control",
    "junctions, no control",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHORT)
def test_false_positives_stay_at_their_nominal_rate(name: str) -> None:
    found = calibration(name, SCENARIOS[name], 25, 200)
    allowed = (0.05 * 1.1, 0.01 * 1.2, 0.001 * 1.5)
    for rate, error, most in zip(found.rate, found.error, allowed, strict=True):
        assert rate <= most + 2.6 * error + 0.0005
    assert found.rate[0] > 0.0125


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "most"), [("UMI, 10 controls", 1.25), ("UMI, no control", 1.6)]
)
def test_the_printed_lod95_is_detected_in_95_of_100(name: str, most: float) -> None:
    found = sensitivity(name, SCENARIOS[name], 25, 300)
    assert 0.925 <= found.detection <= 0.975
    assert 0.95 <= found.ratio <= most


@pytest.mark.slow
@pytest.mark.parametrize("name", ["UMI, 10 controls", "1 marker, no control"])
def test_intervals_hold_the_truth(name: str) -> None:
    for found in coverage(name, SCENARIOS[name], SIGNALS, 12, 15):
        assert found.coverage >= 0.945 - 2.6 * max(found.error, 0.016)
        assert not found.width >= 1.4


def test_the_knowing_test_sees_no_less() -> None:
    scenario = replace(SCENARIOS["UMI, 10 controls"], markers=3, sites=20)
    design = draw_design(scenario, np.random.default_rng(1))
    lod = knowing_lod95(design)
    assert 2.99 / float(design.molecules.sum()) < lod < 1e-3


def test_the_study_prints_its_tables(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--designs", "8", "--samples", "20", "--only", "junctions, no control"])
    told = capsys.readouterr().out
    assert told.count("| junctions, no control |") == 3
