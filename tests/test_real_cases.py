"""The real sequencing cases with known truth, checked from outside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.compiled_runs import compiled_environment

CASES = ("s01", "s02", "s03", "s05", "s09", "s11", "s14", "s15", "s18")
SECONDS = 600


@pytest.mark.parametrize("case", CASES)
def test_case_comes_out_as_its_truth_says(case: str, shared_cases: Path) -> None:
    checker = shared_cases.parents[1] / "acceptance" / "check_cases.py"
    # Real files are read by compiled kernels, also where the tests are plain Python.
    compiled = compiled_environment()
    chosen = ["--only", case, "--cases", str(shared_cases)]
    command = f"{sys.executable} -m mrdtrack"
    done = subprocess.run(
        [sys.executable, checker, "--mrdtrack", command, *chosen, "--failed"],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env={**compiled, "PYTHONPATH": str(Path(__file__).parents[1])},
        check=False,
    )
    last = done.stdout.strip().splitlines()[-1]
    assert done.returncode == 0, done.stdout + done.stderr
    assert last.endswith("passed, 0 failed"), done.stdout
