"""Limits after EP17-A2, plans and the laboratory's reports."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from scipy import special

from mrdtrack.commands.background import write_background
from mrdtrack.commands.plan import PlanRequest, plan
from mrdtrack.commands.validate import ValidateRequest, validate
from mrdtrack.counts import MarkerCounts, SampleCounts
from mrdtrack.errors import CountsError, InputError, OutputError
from mrdtrack.lab.plan import PlannedAssay, planned_limit
from mrdtrack.lab.plot import Axes, Series, log_plot
from mrdtrack.lab.validation import (
    corrected_z,
    linearity,
    lob_of_lots,
    loq_by_cv,
    loq_by_total_error,
    parametric_lob,
    parametric_lod,
    pooled_sd,
    precision,
    probit_lod,
    ranked_lob,
)
from mrdtrack.levels.background_file import BackgroundFile


def test_ranked_lob_interpolates_at_half_plus_95_percent() -> None:
    assert ranked_lob(range(1, 61)) == pytest.approx(57.5)
    assert ranked_lob([7.0]) == 7.0
    lots = {"a": list(range(1, 61)), "b": list(range(11, 71))}
    assert lob_of_lots(lots) == pytest.approx(67.5)
    many = {str(i): list(range(60)) for i in range(4)}
    assert lob_of_lots(many) == pytest.approx(56.875, abs=0.7)


def test_parametric_forms() -> None:
    assert corrected_z(60, 2) == pytest.approx(1.6521, abs=1e-4)
    blanks = [[0.0, 2.0], [4.0, 6.0]]
    sd = np.std([0, 2, 4, 6], ddof=1)
    assert parametric_lob(blanks) == pytest.approx(3 + corrected_z(4, 2) * sd)
    assert parametric_lob([[1.0]]) is None
    assert pooled_sd([[1.0, 3.0], [2.0, 2.0, 8.0]]) == pytest.approx(np.sqrt(26 / 3))
    assert pooled_sd([[1.0], [2.0]]) is None
    assert parametric_lod(1.0, [[1.0]]) is None
    found = parametric_lod(1.0, [[1.0, 3.0], [2.0, 4.0]])
    assert found == pytest.approx(1 + corrected_z(4, 2) * np.sqrt(2))


def test_probit_finds_the_level_it_was_made_from() -> None:
    levels = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3]
    chance = special.ndtr(1.6449 + 2.0 * (np.log10(levels) + 3.8))
    n = [100_000] * 5
    fit = probit_lod(levels, [round(c * 100_000) for c in chance], n)
    assert fit is not None
    assert fit.lod95 == pytest.approx(10**-3.8, rel=0.01)
    assert fit.slope == pytest.approx(2.0, rel=0.01)
    assert fit.low < fit.lod95 < fit.high
    assert fit.p_fit > 0.5
    assert fit.degrees == 3


def test_probit_coverage_of_its_interval() -> None:
    rng = np.random.default_rng(4)
    levels = np.array([1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4])
    chance = special.ndtr(1.6449 + 2.5 * (np.log10(levels) + 4))
    held = []
    for _ in range(300):
        fit = probit_lod(levels.tolist(), rng.binomial(20, chance).tolist(), [20] * 6)
        assert fit is not None
        held.append(fit.low <= 1e-4 <= fit.high)
    assert np.mean(held) > 0.92


@pytest.mark.parametrize(
    ("levels", "hits"),
    [([1e-4, 1e-3], [5, 5]), ([1e-4, 1e-4], [2, 3]), ([1e-4, 1e-3, 1e-2], [5, 3, 0])],
)
def test_hits_that_tell_no_limit(levels: list[float], hits: list[int]) -> None:
    assert probit_lod(levels, hits, [5] * len(levels)) is None


def test_loq_is_the_lowest_level_from_which_all_are_precise() -> None:
    rows = [
        precision(1e-4, [1e-4, 3e-4, 1e-5], [True, True, False]),
        precision(1e-3, [1e-3, 1.1e-3, 0.9e-3], [True] * 3),
        precision(1e-2, [1e-2, 1.1e-2, 0.9e-2], [True] * 3),
    ]
    assert loq_by_cv(rows, 0.3) == 1e-3
    assert loq_by_cv(rows, 0.01) is None
    assert loq_by_total_error(rows, 0.7) == 1e-3
    assert loq_by_total_error(rows, 0.1) is None
    assert precision(1e-3, [1e-3], [True]).cv is None


def test_linearity_in_logs() -> None:
    line = linearity([1e-4, 1e-3, 1e-2], [2e-4, 2e-3, 2e-2])
    assert line is not None
    assert line.slope == pytest.approx(1.0)
    assert line.worst_log10 == pytest.approx(np.log10(2))
    assert line.r_squared == pytest.approx(1.0)
    assert linearity([1e-3, 1e-3], [1e-3, 2e-3]) is None


def test_plans_improve_with_markers_depth_and_controls() -> None:
    base = PlannedAssay(markers=5, depth=30_000, error_rate=2e-5)
    lod = planned_limit(base).lod95
    for better in (
        replace(base, markers=20),
        replace(base, depth=90_000),
        replace(base, controls=10),
    ):
        assert planned_limit(better).lod95 < lod
    tube = planned_limit(
        PlannedAssay(markers=5, depth=30_000, error_rate=2e-5, input_genomes=1000)
    )
    assert tube.limited_by == "input"
    assert tube.lod95 == pytest.approx(2.9957e-3, rel=1e-3)


def test_plan_writes_table_json_and_page(tmp_path: Path) -> None:
    request = PlanRequest(output=tmp_path, depth=20_000, markers=3, input_ng=100)
    asked = plan(request)
    made = json.loads((tmp_path / "plan.json").read_text())
    assert made["schema"] == "mrdtrack-plan/1"
    assert made["asked"]["lod95"] == pytest.approx(asked.lod95, rel=1e-9)
    page = (tmp_path / "plan.html").read_text()
    assert "<svg" in page
    assert f"{asked.lod95:.2e}" in page
    assert (tmp_path / "plan.tsv").read_text().startswith("markers\tdepth\tlob")
    with pytest.raises(OutputError):
        plan(request)


def test_plan_asks_for_markers_or_panel(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="both or neither"):
        plan(PlanRequest(output=tmp_path, depth=1000))
    with pytest.raises(InputError, match="no marker"):
        plan(PlanRequest(output=tmp_path, depth=1000, markers=0))
    panel = tmp_path / "p.toml"
    panel.write_text(
        'schema = "mrdtrack-panel/1"\npatient = "P"\n[[marker]]\nid = "j"\n'
        'kind = "sequence"\nsequence = "ACGTACGTACGTACGTACGTACGTACGT"\n'
    )
    told = plan(
        PlanRequest(
            output=tmp_path / "o",
            depth=1e5,
            panel=panel,
            molecules="junction",
            error_rate=1e-7,
            alpha=0.05,
        )
    )
    assert told.markers == 1


def test_plots_are_well_formed_and_escape_names() -> None:
    svg = log_plot([Series("<b>", [1e-4, 1e-3], [1e-4, 0.0])], Axes("x & y", "z"))
    assert "&lt;b&gt;" in svg
    assert ET.fromstring(svg).tag.endswith("svg")  # noqa: S314  # our own drawing
    assert "<svg" in log_plot([], Axes("x", "y"))


def study(tmp_path: Path) -> ValidateRequest:
    rng = np.random.default_rng(8)
    truth, rows = ["sample\ttrue_level\tlot"], ["sample\tcall\tlevel"]
    for i in range(60):
        truth.append(f"b{i}\t0\t{i % 2}")
        rows.append(f"b{i}\tnot_detected\t{rng.exponential(1e-6):.3g}")
    for level in (1e-5, 3e-5, 1e-4, 3e-4, 1e-3):
        for i in range(12):
            chance = special.ndtr(1.645 + 2 * (np.log10(level) + 3.8))
            hit = rng.random() < chance
            found = level * np.exp(rng.normal(0, 3e-3 / np.sqrt(level)))
            truth.append(f"d{level}-{i}\t{level}\t")
            rows.append(
                f"d{level}-{i}\t{'quantified' if hit else 'not_detected'}\t{found:.4g}"
            )
    truth.append("e\t0\t0")
    rows.append("e\tnot_evaluable\t")
    (tmp_path / "truth.tsv").write_text("\n".join(truth) + "\n")
    (tmp_path / "levels.tsv").write_text("\n".join(rows) + "\n")
    controls = ["sample\tmarker\talt\tref\terror_class"]
    sites = [
        "sample\tcontig\tposition\tref\talt\terror_class\talt_molecules\tmolecules"
    ]
    for j in range(4):
        controls += [f"c{j}\tm{i}\t{rng.poisson(0.3)}\t20000\tx" for i in range(3)]
        sites += [
            f"c{j}\tchr1\t{i}\tA\tC\tx\t{rng.poisson(0.3)}\t20000" for i in range(60)
        ]
    (tmp_path / "controls.tsv").write_text("\n".join(controls) + "\n")
    (tmp_path / "sites.tsv").write_text("\n".join(sites) + "\n")
    return ValidateRequest(
        levels=(tmp_path / "levels.tsv",),
        truth=tmp_path / "truth.tsv",
        output=tmp_path / "out",
        control_counts=(tmp_path / "controls.tsv",),
        control_background=(tmp_path / "sites.tsv",),
    )


def test_validate_reports_the_limits_of_a_study(tmp_path: Path) -> None:
    found = validate(study(tmp_path))
    assert found.lod is not None
    assert found.lod.low < 10**-3.8 < found.lod.high
    made = json.loads((tmp_path / "out" / "validation.json").read_text())
    assert made["blanks"] == 60
    assert made["lots"] == 2
    assert made["controls_left_out"]["controls"] == 4
    assert made["lob"] < 1e-5
    page = (tmp_path / "out" / "validation.html").read_text()
    assert page.count("<svg") == 2
    assert f"{found.lod.lod95:.2e}" in page
    assert "controls detected" in page


def test_validate_tells_what_a_small_study_lacks(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("sample\ttrue_level\na\t0.1\nb\t0.1\n")
    (tmp_path / "l.tsv").write_text(
        "sample\tcall\tlevel\na\tquantified\t0.1\nb\tquantified\t0.11\n"
    )
    request = ValidateRequest(
        levels=(tmp_path / "l.tsv",), truth=tmp_path / "t.tsv", output=tmp_path / "o"
    )
    found = validate(request)
    assert found.lob is None
    assert found.lod is None
    assert len(found.warnings) == 4
    assert "not reach" in (tmp_path / "o" / "validation.html").read_text()


@pytest.mark.parametrize(
    ("levels", "truth", "said"),
    [
        ("sample\tcall\na\tquantified", "sample\ttrue_level\na\t0", "level is missing"),
        ("sample\tcall\tlevel\nz\tquantified\t0", "sample\ttrue_level\na\t0", "'z' "),
        ("sample\tcall\tlevel\na\tquantified\tx", "sample\ttrue_level\na\t0", "is 'x'"),
        ("sample\tcall\tlevel\na\tquantified\t0", "sample\ttrue_level\na\t2", "is '2'"),
        ("sample\tcall\tlevel\na\tnot_evaluable\t", "sample\ttrue_level\na\t0", "no "),
    ],
)  # fmt: skip
def test_validate_refuses(tmp_path: Path, levels: str, truth: str, said: str) -> None:
    (tmp_path / "l.tsv").write_text(levels + "\n")
    (tmp_path / "t.tsv").write_text(truth + "\n")
    with pytest.raises(CountsError, match=said):
        validate(
            ValidateRequest(
                levels=(tmp_path / "l.tsv",),
                truth=tmp_path / "t.tsv",
                output=tmp_path / "o",
            )
        )
    with pytest.raises(CountsError, match="cannot be read"):
        validate(
            ValidateRequest(
                levels=(), truth=tmp_path / "none.tsv", output=tmp_path / "o"
            )
        )


def test_background_is_written_once(tmp_path: Path) -> None:
    marker = MarkerCounts(
        marker="m",
        kind="small_variant",
        alt=1,
        ref=9,
        ambiguous=0,
        other=0,
        molecules=10,
        molecule_mode="umi",
        denominator_kind="molecules_at_locus",
        denominator=None,
        error_class="A[C>T]G",
        assessable=True,
    )
    control = SampleCounts(sample="n", molecule_mode="umi", markers=(marker,))
    path = tmp_path / "bg.json"
    made = write_background([control], {"min_base_quality": 20}, path)
    assert BackgroundFile.model_validate_json(path.read_bytes()) == made
    with pytest.raises(OutputError):
        write_background([control], {}, path)
