"""Outputs appear whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.errors import OutputError
from mrdtrack.reports.output_files import safe_name, write_files

FILES = {"a.json": b"{}\n", "b.tsv": b"x\n"}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_new_folder_is_made_and_paths_come_back_sorted(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "out"
    written = write_files(folder, dict(reversed(FILES.items())), force=False)
    assert written == [folder / "a.json", folder / "b.tsv"]
    assert contents(folder) == FILES


def test_existing_file_stops_all_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "b.tsv").write_bytes(b"old")
    with pytest.raises(OutputError, match=r"b\.tsv: .*--force"):
        write_files(tmp_path, FILES, force=False)
    assert contents(tmp_path) == {"b.tsv": b"old"}


def test_force_replaces_and_leaves_other_files(tmp_path: Path) -> None:
    (tmp_path / "b.tsv").write_bytes(b"old")
    (tmp_path / "other").write_bytes(b"kept")
    write_files(tmp_path, FILES, force=True)
    assert contents(tmp_path) == {**FILES, "other": b"kept"}


def test_folder_in_the_way_is_refused_even_with_force(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    with pytest.raises(OutputError, match="a folder has this name"):
        write_files(tmp_path, FILES, force=True)
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(OutputError, match="it is not a folder"):
        write_files(file, FILES, force=True)


def test_name_that_leads_out_of_the_folder_is_a_bug(tmp_path: Path) -> None:
    for name in ("../a", "x/a", "/a", ".."):
        with pytest.raises(ValueError, match="out of its folder"):
            write_files(tmp_path / "out", {name: b""}, force=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("fault", [OSError(28, "No space left"), KeyboardInterrupt()])
@pytest.mark.parametrize("fail_at", [1, 2])
def test_fault_while_writing_leaves_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: BaseException,
    fail_at: int,
) -> None:
    real, calls = os.fsync, []

    def failing(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == fail_at:
            raise fault
        real(descriptor)

    monkeypatch.setattr(os, "fsync", failing)
    expected = OutputError if isinstance(fault, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        write_files(tmp_path / "new" / "out", FILES, force=False)
    assert list(tmp_path.iterdir()) == []


def test_fault_while_renaming_puts_the_old_files_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.json").write_bytes(b"old a")
    (tmp_path / "c.tsv").write_bytes(b"old c")
    real = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if target.name == "c.tsv" and self.suffix == ".part":
            raise OSError(5, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OutputError, match="Input/output error"):
        write_files(tmp_path, {**FILES, "c.tsv": b"new c"}, force=True)
    assert contents(tmp_path) == {"a.json": b"old a", "c.tsv": b"old c"}


def test_folder_that_cannot_be_made_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Path, **_options: bool) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(OutputError, match="Permission denied"):
        write_files(tmp_path / "x" / "y", FILES, force=False)


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        [path] = write_files(tmp_path / "out", {"a": b""}, force=False)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


def test_sigterm_while_writing_leaves_nothing(tmp_path: Path) -> None:
    script = (
        "import os, sys, time, pathlib\n"
        "from mrdtrack.reports.output_files import write_files\n"
        "real = os.fsync\n"
        "def slow(fd):\n"
        "    real(fd); print('writing', flush=True); time.sleep(30)\n"
        "os.fsync = slow\n"
        "write_files(pathlib.Path(sys.argv[1]), {'a': b'1', 'b': b'2'}, force=False)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 143
    assert list(tmp_path.iterdir()) == []


def test_handler_of_sigterm_is_as_before(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    write_files(tmp_path, FILES, force=False)
    assert signal.getsignal(signal.SIGTERM) is before


def test_other_threads_write_without_a_handler(
    tmp_path: Path,
) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(write_files, tmp_path, FILES, force=False).result()
    assert contents(tmp_path) == FILES


@pytest.mark.parametrize("text", ["P001", "a.b_c-d+e=f,g@h", "x" * 120])
def test_plain_names_stay(text: str) -> None:
    assert safe_name(text) == text


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("a/b", "a_b~"),
        (".hidden", "_hidden~"),
        ("-rf", "_rf~"),
        ("line\nbreak", "line_break~"),
        ("Zoé", "Zo_~"),
        ("", "_~"),
        ("x" * 121, "x" * 109 + "~"),
        ("\ud800", "_~"),
    ],
)
def test_odd_names_are_mapped(text: str, start: str) -> None:
    name = safe_name(text)
    assert name.startswith(start)
    assert len(name) == len(start) + 10


@given(st.text(max_size=200), st.text(max_size=200))
def test_names_are_safe_and_never_shared(one: str, other: str) -> None:
    name = safe_name(one)
    assert name.isascii()
    assert "/" not in name
    assert name.isprintable()
    assert name[0] not in ".-"
    assert len(name) <= 120
    assert (name == safe_name(other)) == (one == other)
    assert safe_name(name) == name or "~" in name
