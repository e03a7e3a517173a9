"""The house itself: rules that no other tool holds."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

MODULE_LINES = 400
COMMAND_LINES = 20
LARGEST_FILE = 2_000_000
JOBS = ["setup", "demo", "test", "check", "cover", "fixtures", "bench", "study", "docs"]
JOBS += ["warm", "fuzz", "clean", "format", "lint", "types", "layers"]

# A folder of somebody's machine, or an address that ties the project to one place.
MACHINE_PATH = re.compile(r"(?<![\w.~}>-])/(?:work|root|farm)/")


def tracked(repository: Path) -> list[Path]:
    """Files that belong to the project, those not yet committed too."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=repository,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.fail("the tests of the project itself need a git checkout")
    paths = (repository / name for name in listed.stdout.decode().split("\0") if name)
    return sorted(path for path in paths if path.is_file())


def texts(repository: Path) -> dict[Path, str]:
    """Tracked files that are text."""
    found = {}
    for path in tracked(repository):
        content = path.read_bytes()
        if b"\0" not in content[:8000]:
            found[path.relative_to(repository)] = content.decode("utf-8", "replace")
    return found


def test_no_module_outgrows_its_room(repository: Path) -> None:
    sizes = {
        path.relative_to(repository).as_posix(): len(path.read_text().splitlines())
        for path in (repository / "mrdtrack").rglob("*.py")
    }
    assert len(sizes) > 10
    assert {name: n for name, n in sizes.items() if n > MODULE_LINES} == {}


def body_length(function: ast.FunctionDef) -> int:
    """Lines of a function without decorators, signature and docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0  # type: ignore[operator]  # set by the parser


def test_a_command_is_short(repository: Path) -> None:
    modules = sorted((repository / "mrdtrack").glob("cli*.py"))
    trees = [ast.parse(module.read_text()) for module in modules]
    functions = [
        node
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    ]
    lengths = {function.name: body_length(function) for function in functions}
    assert len(lengths) > 15
    assert {name: n for name, n in lengths.items() if n > COMMAND_LINES} == {}


def test_the_lock_holds_hashes_and_no_address(repository: Path) -> None:
    lock = (repository / "requirements.lock").read_text()
    assert "://" not in lock
    pins = re.findall(r"^([a-z0-9-]+)==\S+.*\\$", lock, re.MULTILINE)
    assert len(pins) > 50
    assert lock.count("--hash=sha256:") >= len(pins)
    assert not (repository / "uv.lock").exists()


def test_the_lock_pins_every_direct_dependency(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())
    direct = [
        *project["project"]["dependencies"],
        *project["dependency-groups"]["dev"],
        *(
            requirement
            for extra in project["project"]["optional-dependencies"].values()
            for requirement in extra
        ),
    ]
    names = {re.split(r"[<>=\[ ]", line)[0].replace(".", "-") for line in direct}
    lock = (repository / "requirements.lock").read_text()
    pinned = set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))
    assert names - pinned == set()


def test_no_line_names_a_machine(repository: Path) -> None:
    named = [
        f"{path}: {line.strip()[:100]}"
        for path, text in texts(repository).items()
        for line in text.splitlines()
        if MACHINE_PATH.search(line) and "MACHINE_PATH" not in line
    ]
    assert named == []


def test_text_files_are_tidy(repository: Path) -> None:
    untidy = [
        str(path)
        for path, text in texts(repository).items()
        if path.suffix in {".py", ".md", ".toml", ".yml", ".yaml", ".cfg", ".po"}
        and (
            "\r" in text
            or (text and not text.endswith("\n"))
            or re.search(r"[ \t]+$", text, re.MULTILINE)
        )
    ]
    assert untidy == []


def test_no_file_is_large(repository: Path) -> None:
    large = [str(p) for p in tracked(repository) if p.stat().st_size > LARGEST_FILE]
    assert large == []


def test_toml_files_parse(repository: Path) -> None:
    found = [path for path in tracked(repository) if path.suffix == ".toml"]
    assert found
    for path in found:
        if "malformed" not in path.name:
            tomllib.loads(path.read_text())


def test_every_job_is_explained_by_make(repository: Path) -> None:
    text = (repository / "Makefile").read_text()
    shown = subprocess.run(
        ["make", "help"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout
    for job in JOBS:
        assert re.search(rf"^{job}:", text, re.MULTILINE), job
        assert re.search(rf"make {job} +\w", shown), job


@pytest.mark.parametrize("data", ["absent", "without the cases"])
@pytest.mark.parametrize(("ci", "outcome"), [("true", "1 error"), ("", "1 skipped")])
def test_ci_fails_where_shared_data_is_absent(
    data: str, ci: str, outcome: str, repository: Path, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    if data != "absent":
        shared.mkdir()
    probe = tmp_path / "test_probe.py"
    probe.write_text("def test_reads(shared_cases):\n    assert shared_cases\n")
    faults = tmp_path / "tests" / "faults"
    faults.mkdir(parents=True)
    for package in (faults, faults.parent):
        (package / "__init__.py").touch()
    for name in ("reached_errors.py", "error_sites.py"):
        shutil.copy(repository / "tests" / "faults" / name, faults)
    shutil.copy(repository / "tests" / "compiled_runs.py", faults.parent)
    shutil.copy(repository / "tests" / "conftest.py", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "-c",
         str(repository / "pyproject.toml"), "--rootdir", str(tmp_path), str(probe)],
        env={
            **os.environ,
            "CI": ci,
            "MRDTRACK_SHARED": str(shared),
            "PYTHONPATH": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert outcome in done.stdout, done.stdout
    assert "no shared data" in done.stdout


def test_the_wheel_carries_all_that_is_no_code(
    repository: Path, tmp_path: Path
) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=repository,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("mrdtrack-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        carried = set(archive.namelist())
    data = {
        path.relative_to(repository).as_posix()
        for path in tracked(repository / "mrdtrack")
        if path.suffix != ".py"
    }
    example = {
        "mrdtrack/demo_data/"
        + path.relative_to(repository / "data/fixtures").as_posix()
        for path in tracked(repository / "data" / "fixtures")
    }
    assert any(name.endswith(".po") for name in data)
    assert len(example) > 5
    assert (data | example) - carried == set()
