"""Write the table of quality findings into `docs/quality.md`, from the code.

python -m docs.write_quality
"""

from __future__ import annotations

from pathlib import Path

from mrdtrack.findings import FINDINGS
from mrdtrack.reports.finding_meanings import MEANINGS

PAGE = Path(__file__).parent / "quality.md"
BEGIN = "<!-- written by docs/write_quality.py -->\n"
END = "<!-- end of the table -->\n"


def write_table() -> str:
    """Write one row for each code."""
    rows = ["| code | severity | raised when | what to do |", "|---|---|---|---|"]
    for code in sorted(FINDINGS, key=str.casefold):
        told = MEANINGS[code]
        rows.append(f"| `{code}` | {told.severity} | {told.meaning} | {told.remedy} |")
    return "\n".join(rows) + "\n"


def write_page(page: str) -> str:
    """Put the table of the code between its marks."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{write_table()}\n{END}{after}"


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(write_page(page), encoding="utf-8")
