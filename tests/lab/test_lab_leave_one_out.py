"""Controls judged against each other: the real ones of a lymphoma series."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mrdtrack.counts import SampleCounts
from mrdtrack.lab.leave_one_out import left_out_controls
from mrdtrack.levels.counts_tables import read_counts
from mrdtrack.levels.judge import judge_sample, run_context
from mrdtrack.levels.site_tables import read_sites
from mrdtrack.levels.table_samples import TableSamples
from mrdtrack.levels.visit_facts import LevelSettings, VisitFacts
from tests.compiled_runs import compiled_environment

CONTROLS = ("N1", "N2", "N3")
SAMPLES = (*CONTROLS, "T1", "T2")
FACTS = VisitFacts(patient="P", software_version="0")


@pytest.fixture(scope="module")
def series(
    shared_cases: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, SampleCounts]:
    """Count all reads of the series, by compiled kernels also where tests are plain."""
    case = shared_cases / "s01_ctdna_lymphoma_series"
    folder = tmp_path_factory.mktemp("series")
    line = [sys.executable, "-m", "mrdtrack", "quantify", str(case / "panel.toml")]
    line += [str(case / f"{name}.bam") for name in SAMPLES]
    line += ["--reference", str(case / "ref.fa.gz"), "--output", str(folder), "-q"]
    compiled = compiled_environment()
    root = str(Path(__file__).parents[2])
    subprocess.run(line, check=True, env={**compiled, "PYTHONPATH": root})
    counts = read_counts(sorted(folder.glob("*.counts.tsv")))
    held = TableSamples(counts, None, "the series")
    sites = read_sites(sorted(folder.glob("*.background.tsv")), set(counts.samples))
    samples = [held.sample(number) for number in range(len(held))]
    return {
        sample.sample: sample.model_copy(
            update={"background": sites.background(sample.sample)}
        )
        for sample in samples
    }


def test_each_control_is_negative_against_the_others(
    series: dict[str, SampleCounts],
) -> None:
    controls = [series[name] for name in CONTROLS]
    assert all(control.background for control in controls)
    found = left_out_controls(controls, LevelSettings(), "0")
    assert found.controls == 3
    assert found.detected == ()
    assert found.low == 0.0
    assert found.high == pytest.approx(0.708, abs=0.001)


def test_the_first_visit_is_detected_and_the_second_is_not(
    series: dict[str, SampleCounts],
) -> None:
    context = run_context([series[name] for name in CONTROLS])
    first, second = (
        judge_sample(series[name], FACTS, LevelSettings(), context).level
        for name in ("T1", "T2")
    )
    assert first.p_value is not None
    assert first.p_value < 1e-4
    assert first.call in ("quantified", "detected_below_loq")
    assert first.without_discordant is None
    assert second.call in ("not_detected", "insufficient_sensitivity")


def test_a_control_with_disease_is_found(series: dict[str, SampleCounts]) -> None:
    named = [series[name] for name in (*CONTROLS, "T1")]
    assert left_out_controls(named, LevelSettings(), "0").detected == ("T1",)
