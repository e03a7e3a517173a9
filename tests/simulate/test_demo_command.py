"""`mrdtrack demo`: the main job on the example patient, against what was drawn."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import pytest

from mrdtrack.commands import demo as demo_module
from mrdtrack.commands.demo import DemoRequest, demo, demo_folder
from mrdtrack.errors import InputError, OutputError
from mrdtrack.follow_up.timeline import Timeline


@pytest.fixture(scope="module")
def course_and_folder(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Timeline, Path]:
    folder = tmp_path_factory.mktemp("demo") / "out"
    return demo(DemoRequest(output=folder, quiet=True)), folder


@pytest.mark.whole_samples
def test_the_course_is_a_response_and_a_molecular_relapse(
    course_and_folder: tuple[Timeline, Path],
) -> None:
    course, _ = course_and_folder
    assert [visit.call for visit in course.visits] == [
        "quantified",
        "quantified",
        "quantified",
        "not_detected",
        "not_detected",
        "quantified",
        "quantified",
    ]
    assert course.visits[0].baseline
    assert course.visits[3].log10_reduction is not None
    assert course.visits[3].log10_reduction.relation == ">="


@pytest.mark.whole_samples
def test_counts_are_those_the_simulator_drew(
    course_and_folder: tuple[Timeline, Path], repository: Path
) -> None:
    """Every mutant molecule is found; an error may add or hide one in a thousand."""
    _, folder = course_and_folder
    truth_file = repository / "data" / "fixtures" / "demo" / "truth.tsv"
    with truth_file.open(encoding="utf-8") as file:
        truth = list(csv.DictReader(file, delimiter="\t"))
    assert len(truth) == 7 * 4
    for row in truth:
        with (folder / f"{row['sample']}.counts.tsv").open(encoding="utf-8") as file:
            counted = {r["marker"]: r for r in csv.DictReader(file, delimiter="\t")}
        alt = int(counted[row["marker"]]["alt"])
        true = int(row["mutant_readable"])
        assert abs(alt - true) <= 1 + true / 1000


@pytest.mark.whole_samples
def test_the_clone_of_haematopoiesis_drives_no_level(
    course_and_folder: tuple[Timeline, Path],
) -> None:
    course, _ = course_and_folder
    for visit in course.visits:
        clone = next(m for m in visit.markers if m.gene == "DNMT3A")
        assert clone.role == "report_only"
        assert (clone.fraction or 0) > 0.1
        if visit.call == "not_detected":
            assert (visit.lod95 or 1) < 1e-3


@pytest.mark.whole_samples
def test_the_report_is_named_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], repository: Path
) -> None:
    source = repository / "data" / "fixtures" / "demo"
    small = tmp_path / "demo"
    shutil.copytree(source, small)
    lines = (small / "visits.csv").read_text("utf-8").splitlines(keepends=True)
    (small / "visits.csv").write_text("".join(lines[:3]), encoding="utf-8")

    @contextmanager
    def folder() -> Iterator[Path]:
        yield small

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo_module, "demo_folder", folder)
        demo(DemoRequest(output=tmp_path / "out", language="fr"))
        written = capsys.readouterr()
        assert written.out == ""
        last = written.err.splitlines()[-1]
        assert last == f"The report: {tmp_path / 'out' / 'DEMO-AML.timeline.html'}"
        assert (tmp_path / "out" / "DEMO-AML.timeline.html").is_file()
        assert "moelle" in written.err
        with pytest.raises(OutputError, match="exists already"):
            demo(DemoRequest(output=tmp_path / "out"))


def test_the_example_is_found_where_it_is_installed(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with demo_folder() as folder:
        assert folder == repository / "data" / "fixtures" / "demo"
    packaged = tmp_path / "package" / "demo_data" / "demo"
    packaged.mkdir(parents=True)
    monkeypatch.setattr(resources, "files", lambda _: tmp_path / "package")
    with demo_folder() as folder:
        assert folder == packaged
    monkeypatch.setattr(resources, "files", lambda _: tmp_path)
    monkeypatch.setattr(demo_module, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    with pytest.raises(InputError, match="not installed"), demo_folder():
        pass
