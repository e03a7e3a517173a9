"""The page of quality findings is the code's, and every finding is explained."""

from __future__ import annotations

import ast
from pathlib import Path

from docs import write_quality
from mrdtrack.findings import FINDINGS
from mrdtrack.reports.finding_meanings import MEANINGS


def raised(repository: Path) -> set[tuple[str, str]]:
    """Codes and severities that the code raises by name."""
    told = set()
    for path in (repository / "mrdtrack").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or len(node.args) < 2:
                continue
            named = isinstance(node.func, ast.Name) and node.func.id == "finding"
            code, severity = node.args[:2]
            if named and isinstance(code, ast.Constant):
                assert isinstance(severity, ast.Constant)
                told.add((str(code.value), str(severity.value)))
    return told


def test_the_page_is_fresh(repository: Path) -> None:
    page = (repository / "docs" / "quality.md").read_text(encoding="utf-8")
    assert page == write_quality.write_page(page), "run `python -m docs.write_quality`"


def test_every_finding_is_explained() -> None:
    assert MEANINGS.keys() == FINDINGS.keys()
    for told in MEANINGS.values():
        assert told.meaning.endswith(".")
        assert told.remedy.endswith(".")
        assert "|" not in told.meaning + told.remedy


def test_severities_are_those_of_the_code(repository: Path) -> None:
    found = raised(repository)
    assert len(found) > 20
    for code, severity in found:
        assert MEANINGS[code].severity == severity
