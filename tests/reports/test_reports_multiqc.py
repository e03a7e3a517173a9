"""What MultiQC gets: rows without a false zero, and a module that finds its files."""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import Any

import pytest

from mrdtrack.reports.multiqc import (
    HEADERS,
    custom_content,
    module,
    register,
    rows,
)
from mrdtrack.reports.tables import model_json
from tests.reports.builders import level, visit_result


class NoSamples(Exception):
    """What MultiQC's own ModuleNoSamplesFound stands for."""


class FakeBase:
    """The calls of MultiQC 1.35's BaseMultiqcModule that the module makes."""

    found: list[dict[str, str]] = []

    def __init__(self, **named: str) -> None:
        self.named = named
        self.versions: list[tuple[str, str]] = []
        self.sources: list[str] = []
        self.columns: Any = None
        self.sections: list[dict[str, Any]] = []
        self.written: list[str] = []

    def find_log_files(self, key: str) -> list[dict[str, str]]:
        assert key == "mrdtrack/result"
        return self.found

    def add_software_version(self, version: str, sample: str) -> None:
        self.versions.append((version, sample))

    def add_data_source(self, _found: dict[str, str], sample: str) -> None:
        self.sources.append(sample)

    def ignore_samples(self, data: dict[str, Any]) -> dict[str, Any]:
        return {name: row for name, row in data.items() if name != "ignored"}

    def general_stats_addcols(self, data: Any, headers: Any) -> None:
        self.columns = (data, headers)

    def add_section(self, **section: Any) -> None:
        self.sections.append(section)

    def write_data_file(self, _data: Any, name: str) -> None:
        self.written.append(name)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Put a small MultiQC where the real one would be."""
    package, base = ModuleType("multiqc"), ModuleType("multiqc.base_module")
    plots, table = ModuleType("multiqc.plots"), ModuleType("multiqc.plots.table")
    config = ModuleType("multiqc.config")
    config.__dict__["sp"] = {}
    config.__dict__["update_dict"] = lambda target, more: target.update(more)
    package.__dict__["config"] = config
    base.__dict__.update(BaseMultiqcModule=FakeBase, ModuleNoSamplesFound=NoSamples)
    table.__dict__["plot"] = lambda data, headers, options: (data, headers, options)
    for name, made in (
        ("multiqc", package),
        ("multiqc.base_module", base),
        ("multiqc.plots", plots),
        ("multiqc.plots.table", table),
    ):
        monkeypatch.setitem(sys.modules, name, made)
    return package


def negative() -> Any:
    return visit_result(
        "B<b>", level=level("not_detected", value=0.0, low=0.0, high=2e-4)
    )


def test_rows_hold_no_zero() -> None:
    made = rows([visit_result("A"), negative()])
    assert made["A"]["mrd_level"] == 0.0042
    assert made["B&lt;b&gt;"] == {
        "mrd_call": "not detected",
        "mrd_markers": 2,
        "mrd_lod95": 1.6e-4,
    }


def test_rows_without_a_limit() -> None:
    empty = level("not_evaluable", value=None, low=None, high=None, lod95=None)
    assert set(rows([visit_result("A", level=empty)])["A"]) == {
        "mrd_call",
        "mrd_markers",
    }


def test_custom_content() -> None:
    [(name, content)] = custom_content([visit_result("A"), negative()]).items()
    made = json.loads(content)
    assert name == "mrdtrack_mqc.json"
    assert made["plot_type"] == "table"
    assert set(made["data"]) == {"A", "B&lt;b&gt;"}
    assert set(made["headers"]) == set(HEADERS)


def test_files_are_registered(fake: ModuleType) -> None:
    register()
    assert fake.config.sp == {"mrdtrack/result": {"fn": "*.mrd.json"}}


def test_module_reads_results_and_passes_over_others(
    fake: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        FakeBase,
        "found",
        [
            {"f": model_json(visit_result("A")).decode()},
            {"f": model_json(visit_result("ignored")).decode()},
            {"f": '{"x": 1}'},
        ],
    )
    made = module()
    assert made.versions == [("0.1.0", "A"), ("0.1.0", "ignored")]
    assert made.sources == ["A", "ignored"]
    assert list(made.columns[0]) == ["A"]
    assert [section["name"] for section in made.sections] == ["MRD levels"]
    assert made.written == ["multiqc_mrdtrack"]


def test_module_without_results_says_so(
    fake: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeBase, "found", [])
    with pytest.raises(NoSamples):
        module()
