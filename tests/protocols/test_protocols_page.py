"""The table of rules in the documentation is what the protocol files say."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def test_the_table_of_rules_is_what_the_files_say(repository: Path) -> None:
    script = repository / "docs" / "write_protocols.py"
    spec = importlib.util.spec_from_file_location("write_protocols", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (repository / "docs" / "protocols.md").read_text(encoding="utf-8")
    assert page == module.write_page()
