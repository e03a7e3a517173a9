"""Provenance: facts of the run, by content, and steady where that is asked for."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mrdtrack import __version__
from mrdtrack.errors import InputError
from mrdtrack.provenance import (
    Provenance,
    describe_input,
    describe_meanwhile,
    describe_run,
    time_of_run,
)


def test_an_input_is_known_by_its_content(tmp_path: Path) -> None:
    content = b"reads" * 300_000
    path = tmp_path / "visit.bam"
    path.write_bytes(content)
    described = describe_input(path)
    assert described.size == len(content)
    assert described.sha256 == hashlib.sha256(content).hexdigest()


def test_a_stream_has_neither_size_nor_checksum() -> None:
    described = describe_input(Path("-"))
    assert (described.size, described.sha256) == (None, None)


def test_inputs_are_measured_meanwhile_as_they_are_at_once(tmp_path: Path) -> None:
    paths = [tmp_path / "a.bam", Path("-"), tmp_path / "b.fa"]
    paths[0].write_bytes(b"reads" * 300_000)
    paths[2].write_bytes(b">c\nACGT\n")
    told = describe_meanwhile(paths)
    assert told() == told() == [describe_input(path) for path in paths]


def test_an_input_that_cannot_be_measured_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> None:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr("mrdtrack.provenance.describe_input", fail)
    told = describe_meanwhile([tmp_path / "a.bam"])
    with pytest.raises(OSError, match="Input/output"):
        told()


def test_a_run_is_described_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "panel.toml").write_text("x")
    facts = describe_run(
        ["mrdtrack", "quantify"],
        [describe_input(Path("panel.toml"))],
        libraries={"htslib": "1.24"},
    )
    assert facts.command == ("mrdtrack", "quantify")
    assert facts.time == "1970-01-02T00:00:00+00:00"
    assert facts.folder == str(tmp_path)
    assert facts.mrdtrack == __version__
    assert facts.libraries["htslib"] == "1.24"
    assert {"numpy", "scipy", "numba", "pysam"} < set(facts.libraries)
    assert list(facts.libraries) == sorted(facts.libraries)
    assert [i.path for i in facts.inputs] == ["panel.toml"]


def test_a_file_of_it_reads_back_as_the_same_value() -> None:
    facts = describe_run(["mrdtrack"], [])
    text = facts.model_dump_json(by_alias=True)
    assert json.loads(text)["schema"] == "mrdtrack-provenance/1"
    assert Provenance.model_validate_json(text) == facts


def test_the_time_is_now_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert abs((datetime.now(UTC) - time_of_run()).total_seconds()) < 60


@pytest.mark.parametrize("told", ["yesterday", "1.5", "9" * 30])
def test_a_time_that_is_none_is_refused(
    told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", told)
    with pytest.raises(InputError, match="SOURCE_DATE_EPOCH"):
        time_of_run()
