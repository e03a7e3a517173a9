"""The small invented patient that the tests of faults run on."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzzing.seeds import Seeds, make_seeds


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Seeds:
    """Right files of every kind."""
    return make_seeds(tmp_path_factory.mktemp("faults") / "seeds")


@pytest.fixture(scope="session")
def counting(seeds: Seeds) -> tuple[object, ...]:
    """A whole `quantify` but for its output."""
    folder = seeds.folder
    return (
        "quantify",
        folder / "panel.toml",
        folder / "plain.bam",
        "--reference",
        folder / "ref.fa",
    )


@pytest.fixture(scope="session")
def following(seeds: Seeds) -> tuple[object, ...]:
    """A whole `timeline` but for its output."""
    visits = [seeds.folder / "out" / f"S{number}.mrd.json" for number in range(3)]
    return ("timeline", *visits)


@pytest.fixture
def streams(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the streams of runs, away from what the test looks at."""
    return tmp_path_factory.mktemp("streams")
