"""Levels that rest on the joint count of phased markers, or do not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mrdtrack.counts import GroupCounts, MarkerCounts, SampleCounts
from mrdtrack.joint_counts import JointNumbers, joint_counts
from mrdtrack.levels.background_file import held_controls, made_background
from mrdtrack.levels.judge import judge_sample, run_context
from mrdtrack.levels.result import MarkerResult, VisitResult
from mrdtrack.levels.visit_facts import LevelSettings
from mrdtrack.reports.result_files import counts_tsv
from mrdtrack.reports.tables import model_json
from tests.levels.made_samples import (
    FACTS,
    made_marker,
    made_sample,
)
from tests.levels.made_tables import run

PLAIN = LevelSettings()


def codes(result: VisitResult) -> set[str]:
    return {found.code for found in result.quality}


def limit(row: MarkerResult) -> float:
    assert row.lod95 is not None
    return row.lod95


def group_of(
    members: Sequence[MarkerCounts], alt: int, ref: int, other: int = 0
) -> GroupCounts:
    return joint_counts("g", members, JointNumbers(alt, ref, 0, other))


def sample_of(
    name: str, alts: Sequence[int], joint: tuple[int, ...], **told: Any
) -> SampleCounts:
    """Make a sample with two phased markers of 20,000 molecules, and another one."""
    members = [
        made_marker(f"m{n}", alt, 20_000, group="g", error_class="mnv")
        for n, alt in enumerate(alts)
    ]
    members[0] = members[0].model_copy(update=told)
    made = made_sample(name, [*members, made_marker("alone", 0, 20_000)])
    return made.model_copy(update={"groups": (group_of(members, *joint),)})


CONTROLS = [sample_of(f"c{n}", (4, 4), (0, 18_000)) for n in range(8)]


def judged(sample: SampleCounts, settings: LevelSettings = PLAIN) -> VisitResult:
    return judge_sample(sample, FACTS, settings, run_context(CONTROLS))


def test_the_joint_count_is_used_where_it_sees_less() -> None:
    """The controls show both markers as errors, and no molecule with two of them."""
    result = judged(sample_of("s", (12, 12), (8, 18_000)))
    (group,) = result.groups
    assert group.in_level
    assert limit(group) < min(limit(row) for row in result.markers[:2])
    assert result.level.markers_used == 2
    assert "group_counted_together" in codes(result)
    assert "markers_on_one_molecule" not in codes(result)
    assert [row.marker for row in result.markers] == ["m0", "m1", "alone"]
    assert (result.level.p_value or 0.0) < 1e-4


def test_the_best_marker_is_used_where_it_sees_less() -> None:
    result = judged(sample_of("s", (12, 12), (0, 300)))
    (group,) = result.groups
    assert not group.in_level
    assert {"group_less_sensitive", "markers_on_one_molecule"} <= codes(result)
    assert limit(group) > min(limit(row) for row in result.markers[:2])


def test_without_joint_counts_all_is_as_it_was() -> None:
    """But for what is said of the group, and its row."""
    sample = sample_of("s", (12, 12), (0, 300))
    before = judged(sample.model_copy(update={"groups": ()}))
    after = judged(sample)
    assert before.level == after.level
    assert before.markers == after.markers
    assert codes(after) - codes(before) == {"group_less_sensitive"}


def test_a_marker_that_stands_elsewhere_speaks_against_the_group() -> None:
    result = judged(sample_of("s", (400, 0), (0, 17_600, 400)))
    assert not result.groups[0].in_level
    assert "group_contradicted" in codes(result)
    assert result.level.call != "not_detected"


def test_an_error_at_one_marker_does_not_speak_against_the_group() -> None:
    result = judged(sample_of("s", (7, 3), (0, 18_000, 10)))
    assert result.groups[0].in_level
    assert "group_contradicted" not in codes(result)
    assert result.level.call != "quantified"


@pytest.mark.parametrize("told", [{"gene": "TET2"}, {"role": "report_only"}])
def test_a_marker_kept_out_of_the_level_keeps_the_group_out(
    told: dict[str, str],
) -> None:
    result = judged(sample_of("s", (12, 12), (8, 18_000), **told))
    assert not result.groups[0].in_level
    assert "group_uncounted" in codes(result)
    assert result.level.markers_used == 2


def test_a_gene_asked_for_by_name_lets_the_group_in() -> None:
    sample = sample_of("s", (12, 12), (8, 18_000), gene="TET2")
    asked = LevelSettings(level_markers=frozenset({"m0"}))
    assert judged(sample, asked).groups[0].in_level


def test_an_unassessable_group_says_why() -> None:
    result = judged(sample_of("s", (12, 12), (0, 0)))
    said = [q.message for q in result.quality if q.code == "group_uncounted"]
    assert said == [
        "m0, m1 (group g) could not be counted together: no molecule shows two of its "
        "markers clearly"
    ]
    (group,) = result.groups
    assert (group.call, group.reason_code) == ("not_evaluable", "group_not_shown")


def test_a_background_file_holds_the_joint_counts() -> None:
    held = held_controls(made_background(CONTROLS, {}, "test"))
    sample = sample_of("s", (12, 12), (8, 18_000))
    by_file = judge_sample(sample, FACTS, PLAIN, run_context(background=held))
    assert by_file.groups[0].p_value == judged(sample).groups[0].p_value


def test_more_joint_molecules_never_lower_the_level() -> None:
    values = [
        judged(sample_of("s", (40, 40), (alt, 18_000))).level.value or 0.0
        for alt in (5, 10, 20, 40)
    ]
    assert values == sorted(values)


@pytest.mark.parametrize("joint", [(8, 18_000), (0, 300), (0, 0)])
def test_tables_give_the_same_numbers(tmp_path: Path, joint: tuple[int, int]) -> None:
    direct = judged(sample_of("s", (12, 12), joint))
    (tmp_path / "s.tsv").write_bytes(counts_tsv(direct))
    controls = [judge_sample(control, FACTS, PLAIN) for control in CONTROLS]
    (tmp_path / "c.tsv").write_bytes(counts_tsv(*controls))
    run(tmp_path, tmp_path / "s.tsv", control_counts=(tmp_path / "c.tsv",))
    again = json.loads((tmp_path / "out" / "s.mrd.json").read_text())
    first = json.loads(model_json(direct))
    for name in ("level", "markers", "groups", "quality"):
        assert again[name] == first[name]


def test_a_table_without_the_columns_gives_no_group(tmp_path: Path) -> None:
    """As before there were any: of a group the most informative marker counts."""
    lines = counts_tsv(judged(sample_of("s", (12, 12), (8, 18_000)))).decode()
    cut = ["\t".join(line.split("\t")[:-4]) for line in lines.splitlines()]
    (tmp_path / "s.tsv").write_text("".join(f"{line}\n" for line in cut))
    run(tmp_path, tmp_path / "s.tsv")
    again = json.loads((tmp_path / "out" / "s.mrd.json").read_text())
    assert again["groups"] == []
    told = {found["code"] for found in again["quality"]}
    assert "markers_on_one_molecule" in told
