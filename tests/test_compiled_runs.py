"""What runs apart where the suite is plain Python, and how that ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS_FOLDER = Path(__file__).resolve().parent
TESTS = """
import os
import pytest

@pytest.fixture(scope="module")
def order():
    return []

@pytest.mark.whole_samples
def test_is_compiled():
    assert "NUMBA_DISABLE_JIT" not in os.environ

@pytest.mark.whole_samples
def test_fails():
    assert not "as it must"

@pytest.mark.whole_samples
def test_skips():
    pytest.skip("no data")

def test_is_plain(order):
    assert os.environ["NUMBA_DISABLE_JIT"] == "1"

@pytest.mark.whole_samples
def test_is_last_of_its_module(order):
    pass
"""
NEXT = """
def test_of_another_module():
    pass
"""


def test_outcomes_of_compiled_runs_are_taken(tmp_path: Path) -> None:
    (tmp_path / "test_these.py").write_text(TESTS)
    (tmp_path / "test_they.py").write_text(NEXT)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = whole_samples\n")
    plugin = ["-p", "compiled_runs", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", *plugin, "."],
        cwd=tmp_path,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(TESTS_FOLDER)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stdout
    assert "1 failed, 4 passed, 1 skipped" in told, told + done.stderr
    assert "PASSED test_these.py::test_is_compiled" in told
    assert "FAILED test_these.py::test_fails" in told
    assert "PASSED test_these.py::test_is_plain" in told
