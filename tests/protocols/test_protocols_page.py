"""The table of rules in the documentation is what the protocol files say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from tests.protocols.rule_courses import EVERY_RULE


def load_writer(repository: Path) -> Any:
    """Load the script that writes the page."""
    script = repository / "docs" / "write_protocols.py"
    spec = importlib.util.spec_from_file_location("write_protocols", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_of_rules_is_what_the_files_say(repository: Path) -> None:
    module = load_writer(repository)
    page = (repository / "docs" / "protocols.md").read_text(encoding="utf-8")
    assert page == module.write_page()


def test_every_rule_has_a_test_of_its_own(repository: Path) -> None:
    module = load_writer(repository)
    shipped = {rule.id for _, rule in EVERY_RULE}
    assert shipped <= set(module.gather_tests())
