"""Full disks, closed streams, signals and crowds: one sentence, nothing partial."""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from pathlib import Path

import pytest

from fuzzing.kills import kill_often, read_folder
from fuzzing.seeds import Seeds
from mrdtrack.errors import OutputError
from tests.faults.runs import Running, run, run_anew

Arguments = tuple[object, ...]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def no_file_above(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def unwritable(tmp_path: Path) -> Path:
    """A folder in which nobody, not even root, can make another one."""
    if os.geteuid() == 0:
        return Path("/proc/nowhere")
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    return folder / "out"


@pytest.mark.parametrize("size", [0, 2000, 10_000])
def test_a_full_disk(
    tmp_path: Path, streams: Path, counting: Arguments, size: int
) -> None:
    def limited() -> None:
        import sys

        sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
        no_file_above(max(size, 600))

    ended = run(streams, *counting, "-o", tmp_path / "out", "-q", setup=limited)
    assert ended.code == 1
    assert f"{tmp_path / 'out'}: cannot be written (File too large)" in ended.sentence
    assert names_in(tmp_path) == []


def test_a_full_disk_under_timeline_and_levels(
    tmp_path: Path, streams: Path, seeds: Seeds, following: Arguments
) -> None:
    counts = seeds.folder / "out" / "S0.counts.tsv"
    panel = seeds.folder / "panel.toml"
    for command in (following, ("levels", panel, counts)):
        ended = run(
            streams,
            *command,
            "-o",
            tmp_path / "out",
            "-q",
            setup=lambda: no_file_above(600),
        )
        assert ended.code == 1
        assert "cannot be written" in ended.sentence
        assert names_in(tmp_path) == []


def test_a_full_disk_keeps_the_files_of_before(
    tmp_path: Path, streams: Path, counting: Arguments
) -> None:
    out = tmp_path / "out"
    assert run(streams, *counting, "-o", out, "-q").code == 0
    before = read_folder(out)
    ended = run(
        streams,
        *counting,
        "--timepoint",
        "later",
        "-o",
        out,
        "-q",
        "--force",
        setup=lambda: no_file_above(3000),
    )
    assert ended.code == 1
    assert "cannot be written" in ended.sentence
    assert read_folder(out) == before


def test_a_folder_that_cannot_be_written(
    tmp_path: Path, streams: Path, counting: Arguments, following: Arguments
) -> None:
    for command in (counting, following):
        ended = run(streams, *command, "-o", unwritable(tmp_path), "-q")
        assert ended.code == 1
        assert "cannot be written" in ended.sentence
        assert "give another --output" in ended.sentence


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_run_that_is_ended(
    tmp_path: Path,
    streams: Path,
    counting: Arguments,
    number: signal.Signals,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: time.sleep(60))

    def interruptible() -> None:  # as a terminal starts it, not `nohup`
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    out = tmp_path / "out"
    running = Running(streams, (*counting, "-o", out, "-q"), interruptible)
    patience = time.monotonic() + 60
    while time.monotonic() < patience and not list(out.glob(".mrdtrack-*.part")):
        time.sleep(0.005)
    os.kill(running.process, number)
    ended = running.ended()
    assert ended.code == (130 if number == signal.SIGINT else 128 + number)
    assert "Traceback" not in ended.err
    assert len(ended.err.splitlines()) == 1
    assert names_in(tmp_path) == []


def test_a_run_that_is_ended_before_it_writes(
    tmp_path: Path,
    streams: Path,
    counting: Arguments,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "mrdtrack.commands.quantify.describe_run", lambda *_, **__: time.sleep(60)
    )
    running = Running(streams, (*counting, "-o", tmp_path / "out", "-q"))
    time.sleep(0.5)
    os.kill(running.process, signal.SIGTERM)
    ended = running.ended()
    assert ended.code == 143
    assert ended.sentence == "mrdtrack quantify: ended by SIGTERM"
    assert names_in(tmp_path) == []


def test_closed_streams(tmp_path: Path, counting: Arguments) -> None:
    asked = run_anew(
        *counting, "-o", tmp_path / "a", "-q", "--format", "json", redirect=">&-"
    )
    assert asked.code == 1
    assert asked.sentence == (
        "mrdtrack quantify: error: standard output: it is closed; "
        "leave it open, or ask for no data on it"
    )
    assert len(names_in(tmp_path / "a")) == 5
    assert run_anew(*counting, "-o", tmp_path / "b", redirect=">&- 2>&-").code == 0
    assert len(names_in(tmp_path / "b")) == 5
    missing = run_anew("panel", "show", tmp_path / "none", redirect="2>&-")
    assert missing[:2] == (1, "")


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="this system has no /dev/full"
)
def test_a_full_disk_behind_standard_output(
    tmp_path: Path, counting: Arguments
) -> None:
    arguments = (*counting, "-o", tmp_path / "a", "-q", "--format", "json")
    ended = run_anew(*arguments, redirect=">/dev/full")
    assert ended.code == 1
    assert "no space left on device; free some space" in ended.sentence


def test_a_reader_that_leaves(tmp_path: Path, seeds: Seeds) -> None:
    ended = run_anew("panel", "show", seeds.folder / "panel.toml", redirect="| true")
    assert ended.code == 0
    assert "Traceback" not in ended.err


def test_no_home_and_no_cache(
    tmp_path: Path, seeds: Seeds, following: Arguments, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mrdtrack.kernels._compile import find_cache_folder

    nowhere = {"HOME": "/proc/nobody", "XDG_CACHE_HOME": "/proc/nobody/cache"}
    plain = {"PATH": os.environ["PATH"]}
    judging: Arguments = ("levels", seeds.folder / "panel.toml")
    judging += (seeds.folder / "out" / "S0.counts.tsv",)
    for number, command in enumerate((judging, following)):
        out = tmp_path / str(number)
        ended = run_anew(*command, "-o", out, "-q", environment={**plain, **nowhere})
        assert (ended.code, ended.err) == (0, "")
        assert names_in(out)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    for name, value in nowhere.items():
        monkeypatch.setenv(name, value)
    assert find_cache_folder(tmp_path) is None


def test_eight_runs_of_one_sample(
    tmp_path: Path, streams: Path, counting: Arguments
) -> None:
    assert run(streams, *counting, "-o", tmp_path / "alone", "-q").code == 0
    out = tmp_path / "out"
    arguments = (*counting, "-o", out, "-q")
    ended = [one.ended() for one in [Running(streams, arguments) for _ in range(8)]]
    assert sorted(one.code for one in ended) == [0, *[1] * 7]
    for one in ended:
        assert one.code == 0 or "the file exists already" in one.sentence
    assert read_folder(out) == read_folder(tmp_path / "alone")


def test_eight_runs_that_replace_each_other(
    tmp_path: Path, streams: Path, counting: Arguments
) -> None:
    out = tmp_path / "out"
    runs = [
        Running(
            streams, (*counting, "-o", out, "-q", "--force", "--timepoint", f"t{n}")
        )
        for n in range(8)
    ]
    assert [one.ended().code for one in runs] == [0] * 8
    result = json.loads((out / "S1.mrd.json").read_text())
    provenance = json.loads((out / "S1.provenance.json").read_text())
    assert result["timepoint"] in {f"t{n}" for n in range(8)}
    assert len(names_in(out)) == 5
    assert provenance["inputs"]


def test_eight_samples_in_one_folder(
    tmp_path: Path, streams: Path, counting: Arguments
) -> None:
    out = tmp_path / "deep" / "out"
    runs = [
        Running(streams, (*counting, "-o", out, "-q", "--sample", f"P{n}"))
        for n in range(8)
    ]
    assert [one.ended() for one in runs] == [(0, "", "")] * 8
    assert len(names_in(out)) == 8 * 5


def test_a_failing_run_leaves_the_files_of_others(
    tmp_path: Path, streams: Path, seeds: Seeds
) -> None:
    from mrdtrack.commands.many_files import ManyFiles

    out = tmp_path / "out"
    files = ManyFiles(out, force=False)
    with files:
        (out / "theirs").write_text("written meanwhile")
        with pytest.raises(OutputError):
            files.add("theirs", b"mine")
    fault = OutputError("out", "is full", "empty it")
    files.__exit__(OutputError, fault, None)
    assert names_in(out) == ["theirs"]


def test_vanished_inputs(
    tmp_path: Path, streams: Path, seeds: Seeds, following: Arguments
) -> None:
    panel, bam = seeds.folder / "panel.toml", seeds.folder / "plain.bam"
    gone = tmp_path / "gone"
    reference = ("--reference", seeds.reference)
    commands: list[Arguments] = [
        ("quantify", gone, bam, *reference),
        ("quantify", panel, gone, *reference),
        ("quantify", panel, bam, "--reference", gone),
        ("quantify", panel, bam, *reference, "--control", gone),
        ("quantify", panel, bam, *reference, "--background", gone),
        ("timeline", gone),
        (*following, "--external", gone),
        (*following, "--treatments", gone),
        (*following, "--facts", gone),
        (*following, "--protocol", f"{gone}.toml"),
        ("levels", panel, gone),
    ]
    for command in commands:
        ended = run(streams, *command, "-o", tmp_path / "out", "-q")
        assert ended.code == 1
        assert str(gone) in ended.sentence
        assert names_in(tmp_path) == []


def test_killed_runs_leave_whole_files(tmp_path: Path) -> None:
    trials = kill_often(16, tmp_path, first=9000)
    assert len(trials) == 16
    assert sum(trial.struck for trial in trials) >= 8
    assert {trial.job for trial in trials} == {"quantify", "timeline"}
