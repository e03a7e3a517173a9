"""Controls kept in a background file judge a later visit, counted the same way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mrdtrack.cli import main
from mrdtrack.door import PROGRAM

pytestmark = pytest.mark.whole_samples


def call(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name=PROGRAM)


@pytest.fixture(scope="module")
def example(repository: Path) -> Path:
    return repository / "data" / "fixtures" / "demo"


@pytest.fixture(scope="module")
def background(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A background file of two visits in remission."""
    path = tmp_path_factory.mktemp("background") / "controls.json"
    result = call(
        "background",
        example / "panel.toml",
        example / "EOC.bam",
        example / "FU3.bam",
        "--reference",
        example / "reference.fa",
        "--output",
        path,
    )
    assert result.exit_code == 0, result.stderr
    assert "2 controls" in result.stderr
    assert result.stdout == ""
    return path


def quantify(example: Path, out: Path, *extra: str | Path) -> Result:
    return call(
        "quantify",
        example / "panel.toml",
        example / "FU6.bam",
        "--reference",
        example / "reference.fa",
        "--output",
        out,
        "--quiet",
        *extra,
    )


def read_result(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "FU6.mrd.json").read_text())
    return content


def test_controls_of_a_file_count_as_controls_given(
    example: Path, background: Path, tmp_path: Path
) -> None:
    alone = quantify(example, tmp_path / "alone")
    held = quantify(example, tmp_path / "held", "--background", background)
    given = quantify(
        example,
        tmp_path / "given",
        "--control",
        example / "EOC.bam",
        "--control",
        example / "FU3.bam",
    )
    assert [alone.exit_code, held.exit_code, given.exit_code] == [0, 0, 0]
    levels = {
        name: read_result(tmp_path / name)["level"]
        for name in ("alone", "held", "given")
    }
    assert levels["held"] == levels["given"]
    assert levels["held"]["lod95"] < levels["alone"]["lod95"]


def test_a_visit_counted_otherwise_is_refused(
    example: Path, background: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    line = ("--background", background, "--min-base-quality", "35")
    result = quantify(example, out, *line)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"mrdtrack quantify: error: {background}: ")
    assert "use the same filters for both" in result.stderr
    assert not out.exists()


def test_a_background_file_is_not_overwritten(example: Path, background: Path) -> None:
    before = background.read_bytes()
    line = ("background", example / "panel.toml", example / "EOC.bam", "--reference")
    words = (*line, example / "reference.fa", "-o", background)
    refused = call(*words)
    assert refused.exit_code == 1
    assert "--force" in refused.stderr
    assert background.read_bytes() == before
