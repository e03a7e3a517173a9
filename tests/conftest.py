"""What every test may ask for: the real cases, and one way of being random."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.compiled_runs import pytest_runtest_protocol
from tests.faults.reached_errors import (
    pytest_configure,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)

__all__ = [
    "pytest_configure",
    "pytest_runtest_protocol",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
]

REPOSITORY = Path(__file__).resolve().parents[1]

# Where the suite is the judge, a test that could not read its data has not passed.
SHARED_REQUIRED = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

settings.register_profile(
    "mrdtrack", deadline=None, derandomize=True, max_examples=60, print_blob=True
)
settings.register_profile("fuzz", deadline=None, max_examples=2000, print_blob=True)
settings.load_profile(os.environ.get("MRDTRACK_HYPOTHESIS", "mrdtrack"))


def _shared_folder() -> Path:
    named = os.environ.get("MRDTRACK_SHARED")
    return Path(named) if named else REPOSITORY.parent / "shared"


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Folder of shared data: MRDTRACK_SHARED, or `shared` beside the repository."""
    folder = _shared_folder()
    if not folder.is_dir():
        pytest.skip(f"no shared data: {folder} is not there (set MRDTRACK_SHARED)")
    return folder.resolve()


@pytest.fixture(scope="session")
def shared_cases(shared_folder: Path) -> Path:
    """Folder of the real cases."""
    cases = shared_folder / "data" / "cases"
    if not cases.is_dir():
        pytest.skip(f"no shared data: {cases} is not there (set MRDTRACK_SHARED)")
    return cases


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return REPOSITORY


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that read shared data."""
    for item in items:
        if isinstance(item, pytest.Function) and "shared_folder" in item.fixturenames:
            item.add_marker("shared")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a skipped test on shared data where CI is set."""
    report = yield
    if SHARED_REQUIRED and report.skipped and item.get_closest_marker("shared"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but CI requires shared data: {report.longrepr}"
    return report
