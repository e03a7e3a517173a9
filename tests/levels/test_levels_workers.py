"""Tables judged by several processes, as one run, and as the options say."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mrdtrack.commands.judging import Judging, level_settings
from mrdtrack.commands.levels import LevelsRequest
from mrdtrack.commands.table_workers import BLOCK, judged_block
from mrdtrack.levels.visit_facts import LevelSettings
from tests.levels.made_tables import run, table


def test_processes_share_the_work_and_change_no_byte(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    rows = [
        f"s{i}\tm{j}\t{rng.poisson(0.3)}\t{1000 + 7 * i}"
        for i in range(3 * BLOCK // 2)
        for j in range(2)
    ]
    counts = table(tmp_path / "c.tsv", rows)
    alone = run(tmp_path, counts, output=tmp_path / "out")
    shared = run(tmp_path / "b", counts, output=tmp_path / "b" / "out", threads=3)
    assert shared == alone
    for path in (tmp_path / "out").iterdir():
        assert (tmp_path / "b" / "out" / path.name).read_bytes() == path.read_bytes()


def test_a_block_ends_with_the_table(tmp_path: Path) -> None:
    counts = table(tmp_path / "c.tsv", [f"s{i}\tm\t0\t50" for i in range(BLOCK + 2)])
    request = LevelsRequest(panel=Path("-"), counts=(counts,), output=tmp_path / "out")
    found = judged_block(request, BLOCK, keep=True)
    assert [sample.sample for sample in found] == [f"s{BLOCK}", f"s{BLOCK + 1}"]
    assert all(sample.result is not None for sample in found)


def test_samples_of_one_run_explain_each_other(tmp_path: Path) -> None:
    rows = ["high\tm\t90000\t10000", "low\tm\t8\t99992"]
    counts = table(
        tmp_path / "c.tsv",
        [f"{row}\tjunction" for row in rows],
        "sample\tmarker\talt\tref\terror_class",
    )
    apart = run(tmp_path, counts)
    together = run(tmp_path, counts, one_run=True, force=True)
    told = run(tmp_path, counts, one_run=True, carry_over=1e-6, force=True)
    assert [row["call"] for row in apart] == ["quantified", "detected_below_loq"]
    assert [row["call"] for row in together] == [
        "quantified",
        "insufficient_sensitivity",
    ]
    assert told[1]["call"] == "detected_below_loq"


def test_the_options_reach_the_settings() -> None:
    asked = Judging(
        input_ng=33.0,
        required_sensitivity=1e-3,
        alpha=0.05,
        min_molecules=3,
        level_marker=("a", "b"),
        declared_rate=1e-5,
        design_factor=4.0,
        carry_over=1e-3,
        dual_indexed=True,
    )
    assert level_settings(asked) == LevelSettings(
        alpha=0.05,
        required_sensitivity=1e-3,
        input_genomes=10_000.0,
        min_molecules=3,
        design_factor=4.0,
        declared_rate=1e-5,
        carry_over=1e-3,
        dual_indexed=True,
        level_markers=frozenset({"a", "b"}),
    )
    assert level_settings(Judging()) == LevelSettings()
