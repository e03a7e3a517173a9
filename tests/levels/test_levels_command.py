"""`mrdtrack levels`: tables in, files out, and what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from mrdtrack.commands.levels import LevelsRequest, levels
from mrdtrack.errors import CountsError, OutputError
from mrdtrack.levels.background_file import (
    BackgroundFile,
    made_background,
    read_background,
)
from mrdtrack.levels.judge import judge_sample, run_context
from mrdtrack.levels.site_tables import read_sites
from mrdtrack.levels.visit_facts import LevelSettings
from mrdtrack.reports.result_files import background_tsv, counts_tsv
from mrdtrack.reports.tables import model_json
from tests.levels.made_samples import (
    FACTS,
    junction,
    made_marker,
    made_sample,
    made_sites,
)
from tests.levels.made_tables import run, table

PANEL = """
schema = "mrdtrack-panel/1"
patient = "P7"
disease = "AML"
[[marker]]
id = "b"
kind = "small_variant"
contig = "chr1"
position = 10
ref = "C"
alt = "T"
[[marker]]
id = "a"
kind = "small_variant"
contig = "chr1"
position = 20
ref = "C"
alt = "CAA"
[[marker]]
id = "chip"
kind = "small_variant"
contig = "chr1"
position = 30
ref = "CC"
alt = "TT"
gene = "TET2"
[[marker]]
id = "far"
kind = "breakpoint"
left = { contig = "chr1", position = 40, strand = "+" }
right = { contig = "chr2", position = 40, strand = "+" }
"""


def test_many_samples_in_one_table(tmp_path: Path) -> None:
    counts = table(
        tmp_path / "c.tsv", ["s1\tm1\t10\t99990", "s2\tm1\t0\t500", "s1\tm2\t0\t7"]
    )
    rows = run(tmp_path, counts)
    assert [row["sample"] for row in rows] == ["s1", "s2"]
    assert [row["markers_used"] for row in rows] == ["2", "1"]
    assert set(rows[0]) == {
        "sample", "markers_used", "call", "p_value", "level", "level_low",
        "level_high", "lob", "lod95", "loq", "limited_by",
    }  # fmt: skip
    made = json.loads((tmp_path / "out" / "s1.mrd.json").read_text())
    assert made["schema"] == "mrdtrack-result/1"
    assert [marker["marker"] for marker in made["markers"]] == ["m1", "m2"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "levels.tsv",
        "s1.mrd.json",
        "s2.mrd.json",
    ]


def test_one_bare_marker_is_clopper_pearson(tmp_path: Path) -> None:
    counts = table(tmp_path / "c.tsv", ["s\tm\t10\t99990"])
    (row,) = run(tmp_path, counts)
    assert float(row["level"]) == pytest.approx(1e-4)
    assert float(row["level_low"]) == pytest.approx(4.795e-5, rel=1e-3)
    assert float(row["level_high"]) == pytest.approx(1.839e-4, rel=1e-3)


def test_the_same_numbers_as_quantify(tmp_path: Path) -> None:
    sites = made_sites([0, 1, 0, 0, 2] * 30, 4000)
    markers = [
        made_marker("b", 3, 4000),
        made_marker("a", 1, 3000, denominator_kind="flank", denominator=2500),
        made_marker("chip", 500, 4000, gene="TET2"),
        junction("far", 0, 900, group="g"),
    ]
    sample = made_sample("s", markers, sites)
    control = made_sample("n", [made_marker("b", 0, 5000)], sites)
    settings = LevelSettings(input_genomes=5000.0, required_sensitivity=1e-3)
    direct = judge_sample(sample, FACTS, settings, run_context([control]))
    (tmp_path / "s.counts.tsv").write_bytes(counts_tsv(direct))
    (tmp_path / "s.background.tsv").write_bytes(background_tsv(sample))
    of_control = judge_sample(control, FACTS, settings)
    (tmp_path / "n.counts.tsv").write_bytes(counts_tsv(of_control))
    (tmp_path / "n.background.tsv").write_bytes(background_tsv(control))
    run(
        tmp_path,
        tmp_path / "s.counts.tsv",
        control_counts=(tmp_path / "n.counts.tsv",),
        background_counts=(
            tmp_path / "s.background.tsv",
            tmp_path / "n.background.tsv",
        ),
        input_genomes=5000.0,
        required_sensitivity=1e-3,
    )
    again = json.loads((tmp_path / "out" / "s.mrd.json").read_text())
    first = json.loads(model_json(direct))
    for name in ("level", "markers", "parameters", "quality"):
        assert again[name] == first[name]


def test_related_molecules_are_kept_and_are_no_part_of_the_level(
    tmp_path: Path,
) -> None:
    with_column = table(
        tmp_path / "a.tsv",
        ["s\tm\t3\t999\t40", "s\tn\t0\t999\t"],
        "sample\tmarker\talt\tref\trelated",
    )
    without = table(tmp_path / "b.tsv", ["s\tm\t3\t999", "s\tn\t0\t999"])
    made = {}
    for name, counts in (("with", with_column), ("without", without)):
        (tmp_path / name).mkdir()
        run(tmp_path / name, counts)
        made[name] = json.loads((tmp_path / name / "out" / "s.mrd.json").read_text())
    told = made["with"]
    assert [marker["related"] for marker in told["markers"]] == [40, None]
    assert told["level"] == made["without"]["level"]
    codes = {name: [q["code"] for q in made[name]["quality"]] for name in made}
    assert "related_clonotypes" in codes["with"]
    assert "related_clonotypes" not in codes["without"]


def test_a_panel_orders_and_rules(tmp_path: Path) -> None:
    panel = tmp_path / "panel.toml"
    panel.write_text(PANEL)
    counts = table(tmp_path / "c.tsv", ["s\tchip\t900\t1000", "s\tb\t0\t1000"])
    (row,) = run(tmp_path, counts, panel=panel)
    assert row["markers_used"] == "1"
    made = json.loads((tmp_path / "out" / "s.mrd.json").read_text())
    assert [marker["marker"] for marker in made["markers"]] == ["b", "a", "chip", "far"]
    assert made["markers"][1]["assessable"] is False
    assert made["patient"] == "P7"
    assert made["markers"][0]["error_class"] == "C>T"
    classes = [marker["error_class"] for marker in made["markers"]]
    assert classes == ["C>T", "ins2:h1", "mnv", "junction"]


def test_background_of_all_samples_of_one_and_of_others(tmp_path: Path) -> None:
    rows = [f"s{i}\tm\t{i}\t20000\tx" for i in range(3)]
    header = "sample\tmarker\talt\tref\terror_class"
    counts = table(tmp_path / "c.tsv", rows, header)
    shared = table(
        tmp_path / "b.tsv",
        [f"x\t{i % 2}\t20000" for i in range(50)],
        "error_class\talt_molecules\tmolecules",
    )
    named = table(
        tmp_path / "named.tsv",
        [f"s0\tx\t{i % 5}\t20000" for i in range(50)]
        + [f"donor\tx\t{i % 2}\t20000" for i in range(50)],
        "sample\terror_class\talt_molecules\tmolecules",
    )
    plain = run(tmp_path, counts, background_counts=(shared,))
    mixed = run(tmp_path, counts, background_counts=(shared, named), force=True)
    assert float(plain[0]["lod95"]) == pytest.approx(float(plain[1]["lod95"]), rel=1e-3)
    assert float(mixed[0]["lod95"]) > float(plain[0]["lod95"])
    made = json.loads((tmp_path / "out" / "s1.mrd.json").read_text())
    assert made["parameters"]["controls"] == 1


def test_a_site_that_stands_twice_counts_by_its_last_row(tmp_path: Path) -> None:
    columns = "sample contig position ref alt error_class alt_molecules molecules"
    header = columns.replace(" ", "\t")
    rows = [
        "s\tc\t1\tA\tC\tx\t1\t10",
        "s\tc\t02\tA\tC\tx\t2\t10",
        "t\tc\t1\tA\tC\tx\t3\t10",
        "s\tc\t1\tA\tC\ty\t4\t10",
        "s\tc\t1\tA\tC\tx\t5\t10",
        "s\tc\t2\tA\tC\tx\t6\t10",
    ]
    held = read_sites([table(tmp_path / "b.tsv", rows, header)], set())
    found = held.background("s")
    assert found.alt_molecules.tolist() == [5, 2, 4, 6]
    assert found.position.tolist() == [1, 0, 1, 2]
    assert held.background("t").alt_molecules.tolist() == [3]
    assert len(held.background("u")) == 0


@pytest.mark.parametrize(
    ("rows", "header", "said"),
    [
        (["s\tm\t1\t2"], "sample\tmarker\talt\tdepth", "column ref is missing"),
        (["s\tm\tnan\t2"], "sample\tmarker\talt\tref", "line 2: alt is 'nan'"),
        (
            ["s\tm\t1\t2", "s\tn\t-1\t2"],
            "sample\tmarker\talt\tref",
            "line 3: alt is '-1'",
        ),
        (["s\tm\t1.5\t2"], "sample\tmarker\talt\tref", "alt is '1.5'"),
        (["s\tm\t\t2"], "sample\tmarker\talt\tref", "alt is ''"),
        (["s\tm\t1\tinf"], "sample\tmarker\talt\tref", "ref is 'inf'"),
        (["s\tm\t1\t2", "s\tm\t1\t2"], "sample\tmarker\talt\tref", "stands twice"),
        (["\tm\t1\t2"], "sample\tmarker\talt\tref", "sample is ''"),
        (["s\tm\t1\t2\tx"], "sample\tmarker\talt\tref\tkind", "kind is 'x'"),
        (["s\tm\t1\t2\t0"], "sample\tmarker\talt\tref\tsignal_ratio", "is '0'"),
        ([], "sample\tmarker\talt\tref", "no row"),
        (
            ["s\tm\t\t2\ttrue", "s\tn\t\t\tfalse"],
            "sample\tmarker\talt\tref\tassessable",
            "count is empty",
        ),
    ],
)  # fmt: skip
def test_a_wrong_table_is_one_sentence(
    tmp_path: Path, rows: list[str], header: str, said: str
) -> None:
    counts = table(tmp_path / "c.tsv", rows, header)
    with pytest.raises(CountsError, match=re.escape(said)) as fault:
        run(tmp_path, counts)
    assert "\n" not in str(fault.value)
    assert not (tmp_path / "out").exists()


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    with pytest.raises(CountsError, match="cannot be opened"):
        run(tmp_path, tmp_path / "absent.tsv")
    (tmp_path / "empty.tsv").write_bytes(b"")
    with pytest.raises(CountsError, match="cannot be read"):
        run(tmp_path, tmp_path / "empty.tsv")
    (tmp_path / "binary.tsv").write_bytes(bytes(range(256)))
    with pytest.raises(CountsError):
        run(tmp_path, tmp_path / "binary.tsv")
    counts = table(tmp_path / "c.tsv", ["s\tm\t1\t2"])
    header = "error_class\talt_molecules\tmolecules"
    more = table(tmp_path / "b.tsv", ["x\t3\t2"], header)
    with pytest.raises(CountsError, match="exceeds molecules"):
        run(tmp_path, counts, background_counts=(more,))
    with pytest.raises(CountsError, match="sample and a control"):
        run(tmp_path, counts, control_counts=(counts,))


def test_comments_and_unknown_markers(tmp_path: Path) -> None:
    panel = tmp_path / "panel.toml"
    panel.write_text(PANEL)
    counts = table(
        tmp_path / "c.tsv", ["s\tstrange\t1\t2"], "## x\nsample\tmarker\talt\tref"
    )
    assert len(run(tmp_path, counts)) == 1
    with pytest.raises(CountsError, match="'strange' is not in the panel"):
        run(tmp_path, counts, panel=panel, force=True)


def test_existing_files_are_kept(tmp_path: Path) -> None:
    counts = table(tmp_path / "c.tsv", ["s\tm\t1\t2000"])
    run(tmp_path, counts)
    before = (tmp_path / "out" / "s.mrd.json").read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        run(tmp_path, counts)
    run(tmp_path, counts, force=True)
    assert (tmp_path / "out" / "s.mrd.json").read_bytes() == before
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_an_output_that_cannot_be_made(tmp_path: Path) -> None:
    counts = table(tmp_path / "c.tsv", ["s\tm\t1\t2000"])
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        levels(
            LevelsRequest(panel=Path("-"), counts=(counts,), output=tmp_path / "out")
        )


@pytest.mark.parametrize("kind", ["table", "json", "tsv", None])
def test_what_is_said_on_the_streams(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str | None
) -> None:
    counts = table(tmp_path / "c.tsv", ["s\tm\t1\t2000"])
    run(tmp_path, counts, format=kind, quiet=False)
    told = capsys.readouterr()
    if kind is None:
        assert told.out == ""
        assert "s" in told.err
    else:
        assert told.out
        assert told.err == ""


def test_rows_of_samples_may_be_mixed_and_shared_designs_agree(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    rows = [
        f"s{i}\tm{j}\t{int(rng.poisson(0.5))}\t30000"
        for j in range(4)
        for i in range(30)
    ]
    together = run(tmp_path, table(tmp_path / "c.tsv", rows))
    one = [row for row in rows if row.startswith("s7\t")]
    alone = run(tmp_path, table(tmp_path / "d.tsv", one), force=True)
    assert alone[0] == together[7]


def test_a_background_file_stands_for_its_controls(tmp_path: Path) -> None:
    sites = made_sites([0, 1, 0, 0, 2] * 30, 4000)
    controls = [
        made_sample(f"n{i}", [made_marker("b", i, 5000)], sites) for i in range(3)
    ]
    made = made_background(controls, {"min_base_quality": 20}, "mrdtrack 0")
    path = tmp_path / "bg.json"
    path.write_bytes(model_json(made))
    held = read_background(path, "fragments", {"min_base_quality": 20})
    assert held.names == ("n0", "n1", "n2")
    sample = made_sample("s", [made_marker("b", 4, 4000)], sites)
    direct = judge_sample(sample, FACTS, LevelSettings(), run_context(controls))
    by_file = judge_sample(sample, FACTS, LevelSettings(), run_context(background=held))
    assert by_file == direct
    assert BackgroundFile.model_validate_json(path.read_bytes()) == made
    with pytest.raises(CountsError, match="counted as fragments"):
        read_background(path, "umi")
    with pytest.raises(CountsError, match="min_base_quality 20"):
        read_background(path, "fragments", {"min_base_quality": 30})
    with pytest.raises(CountsError, match="cannot be opened"):
        read_background(tmp_path / "none.json", "umi")
    path.write_text("{}")
    with pytest.raises(CountsError, match="no background file"):
        read_background(path, "umi")


@pytest.mark.parametrize(
    ("key", "value"),
    [("position", 10**400), ("position", -1), ("molecules", [10**19])],
)
def test_a_background_file_of_impossible_numbers_is_refused(
    tmp_path: Path, key: str, value: object
) -> None:
    controls = [made_sample("n", [made_marker("b", 1, 5000)], made_sites([1, 0], 100))]
    made = json.loads(model_json(made_background(controls, {}, "mrdtrack 0")))
    ((name, sites),) = made["classes"].items()
    made["classes"] = {name: [{**sites[0], key: value}]}
    path = tmp_path / "bg.json"
    path.write_text(json.dumps(made))
    with pytest.raises(CountsError, match=key):
        read_background(path, "fragments")


def test_controls_of_two_modes_make_no_background() -> None:
    first = made_sample("a", [made_marker("m", 0, 10)])
    second = first.model_copy(update={"molecule_mode": "umi", "sample": "b"})
    with pytest.raises(CountsError, match="molecule modes differ"):
        made_background([first, second], {}, "0")
    with pytest.raises(CountsError, match="no control"):
        made_background([], {}, "0")
