"""Write the table of rules from the packaged protocols, so that it cannot differ."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from mrdtrack.commands.protocols import describe_rule
from mrdtrack.protocols.protocol import Protocol
from mrdtrack.protocols.read import list_packaged, read_packaged
from mrdtrack.protocols.rule_bases import Rule

PAGE = Path(__file__).with_name("protocols.md")

OPENING = """# Protocols: the clinical rules

The tables on this page are written from the protocol files, and the tests each rule
goes through from the tests themselves, by `python -m docs.write_protocols`; a test
compares them. What each test asks stands at the end of the page.

A protocol is a TOML file (`mrdtrack-protocol/1`) of typed rules. There is no expression
language: a rule says its `kind` and its parameters, and one small function judges each
kind. Unknown keys are errors, all told at once:

```
mrdtrack protocols list
mrdtrack protocols show eln-aml-mrd-2025
mrdtrack protocols check my-laboratory.toml
```

Without `--protocol` the disease's defaults apply (marked below); several may be named.
The id, version and SHA-256 of every protocol applied stand in every timeline. A flag is
a prompt for the multidisciplinary meeting, never an order.

## What no rule can say

* A rule fires only on its own metric; nothing is converted.
* `DEESCALATE_DISCUSS` needs a rule of kind `negative` or `sustained`, and a sample that
  was not detected with the sensitivity asked for, or whose upper limit lies below the
  threshold.
* FLT3-ITD alone never makes a negative: rules on it may neither calm nor be `negative`.
* DNMT3A, TET2 and ASXL1, genes a protocol excludes, germline variants and markers for
  report only never enter what a rule reads.
* A tissue that a time point is not judged on raises `CHANGE_SPECIMEN` there, and
  nothing else.
* No rule that fires on a negative, or on a level below a threshold, may name
  blinatumomab (E1910, doi 10.1056/NEJMoa2312948).

## How a rule is read

Status: P, confirmed against the primary source (abstract or official table); S, in a
secondary transcription; `lab`, a choice that fills a gap the sources leave open.
Confidence: H, M, L. *Mapped by mrdtrack* means that the source states a category and
mrdtrack the action; days that the source does not give are marked
`days_origin = mrdtrack`. Rules whose source is not confirmed well enough are not
shipped, and a value in a zone that only such a rule covers is said to have no rule
(`NO_RULE`, rules named `gap`), never the neighbouring category.

A visit's time point (`--timepoint`) is read as one of `diagnosis`, `after_cycle_1`,
`after_cycle_2`, `after_consolidation_1`, `end_of_treatment`, `follow_up`,
`pre_transplant`, `post_transplant`, `post_transplant_day_30`, `mrd1`, `mrd2`, `day_8`,
`day_15`, `day_29`, `day_33`, `day_35`, `day_78`, `week_14`, `month_3`, `month_6`,
`month_12`, `treatment_free` (and common short forms: `C2`, `EOT`, `FU`, `D33`, `TP1`).
Without a label the days since a date of the facts file or the treatments count.

Where the transcriptions of a source differ or leave a gap, the choice made is printed
with every timeline as a condition of the protocol; they stand under each table.
"""

_TEST = re.compile(
    r"::(?:(?P<group>\w+)::)?(?P<name>test_\w+)\[(?:protocol\d+-)?(.+)\]$"
)


def gather_tests() -> dict[str, dict[str, list[str]]]:
    """Gather the tests of rules from pytest's own list, by rule and group.

    Returns:
        For each rule id its groups (a class of tests, or a single test) and the tests
        in each, in the order of the files.
    """
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/protocols"],
        cwd=PAGE.parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    shipped = {
        rule.id
        for name in list_packaged()
        for rule in read_packaged(name).protocol.rule
    }
    found: dict[str, dict[str, list[str]]] = {}
    for line in listed.stdout.splitlines():
        match = _TEST.search(line)
        if match and match[3] in shipped:
            group, name, rule = match.groups()
            found.setdefault(rule, {}).setdefault(group or name, []).append(name)
    return found


def say_tests(tests: dict[str, dict[str, list[str]]]) -> str:
    """Say what each group of tests asks."""
    asked: dict[str, list[str]] = {}
    for groups in tests.values():
        for group, names in groups.items():
            asked.setdefault(group, names)
    lines = ["## What the tests ask", ""]
    for group, names in asked.items():
        words = [name.removeprefix("test_").replace("_", " ") for name in names]
        lines.append(f"* `{group}`: {'; '.join(words)}.")
    return "\n".join(lines) + "\n"


def write_rule(
    protocol: Protocol, rule: Rule, tests: dict[str, dict[str, list[str]]]
) -> str:
    """Write one rule as a row of its table."""
    source = protocol.sources[rule.source.ref]
    where = f"{source.reference}; {rule.source.locator}"
    doi = f"; doi {source.doi}" if source.doi else ""
    cells = (
        f"`{rule.id}`",
        rule.en.call,
        describe_rule(rule),
        where + doi,
        f"{rule.source.status} {rule.source.confidence}",
        ", ".join(f"`{group}`" for group in tests.get(rule.id, {})),
    )
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def write_page() -> str:
    """Write the whole page."""
    tests = gather_tests()
    parts = [OPENING]
    for name in list_packaged():
        protocol = read_packaged(name).protocol
        default = ""
        if protocol.default_for:
            default = f" Default for {', '.join(protocol.default_for)}."
        parts.append(
            f"## {protocol.title}\n\n`{protocol.id}`, version {protocol.version}, for "
            f"{', '.join(protocol.diseases)}.{default}\n"
        )
        rows = ["| rule | category | rule as typed | source | status | tests |"]
        rows.append("|---|---|---|---|---|---|")
        rows += [write_rule(protocol, rule, tests) for rule in protocol.rule]
        parts.append("\n".join(rows) + "\n")
        if protocol.conditions:
            parts.append("\n".join(f"* {text}" for text in protocol.conditions) + "\n")
    parts.append(say_tests(tests))
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(write_page(), encoding="utf-8")
