"""Write the table of rules from the packaged protocols, so that it cannot differ."""

from __future__ import annotations

from pathlib import Path

from mrdtrack.commands.protocols import describe_rule
from mrdtrack.protocols import context_rules, measured_rules
from mrdtrack.protocols.protocol import Protocol
from mrdtrack.protocols.read import list_packaged, read_packaged
from mrdtrack.protocols.rule_bases import Rule

PAGE = Path(__file__).with_name("protocols.md")

OPENING = """# Protocols: the clinical rules

The tables on this page are written from the protocol files by
`python -m docs.write_protocols`; a test compares them.

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
* No rule that fires on a negative, or on a level below a threshold, may name
  blinatumomab (E1910, doi 10.1056/NEJMoa2312948).

## How a rule is read

Status: P, confirmed against the primary source (abstract or official table); S, in a
secondary transcription; `lab`, a choice that fills a gap the sources leave open.
Confidence: H, M, L. *Mapped by mrdtrack* means that the source states a category and
mrdtrack the action; days that the source does not give are marked
`days_origin = mrdtrack`. Rules whose source is not confirmed well enough are not
shipped, and a value in a zone that only such a rule covers raises no neighbour's flag.

A visit's time point (`--timepoint`) is read as one of `diagnosis`, `after_cycle_1`,
`after_cycle_2`, `after_consolidation_1`, `end_of_treatment`, `follow_up`,
`pre_transplant`, `post_transplant`, `post_transplant_day_30`, `mrd1`, `mrd2`, `day_8`,
`day_15`, `day_29`, `day_33`, `day_35`, `day_78`, `week_14`, `month_3`, `month_6`,
`month_12`, `treatment_free` (and common short forms: `C2`, `EOT`, `FU`, `D33`, `TP1`).
Without a label the days since a date of the facts file or the treatments count.

Where the transcriptions of a source differ or leave a gap, the choice made is printed
with every timeline as a condition of the protocol; they stand under each table.
"""

TESTS = {
    measured_rules.LevelRule: "TestLevelRules",
    measured_rules.NegativeRule: "TestNegativeRules",
    measured_rules.ConversionRule: "TestConversionRules",
    measured_rules.LogReductionRule: "log reductions at their edge",
    measured_rules.NeverNegativeRule: "gaps of the never negative",
    measured_rules.InsufficientRule: "too weak a negative",
    measured_rules.TimePointsRule: "every time point is needed",
    measured_rules.ClassesRule: "classes ask for nothing",
    measured_rules.SustainedRule: "treatment-free remission",
    measured_rules.TempoRule: "thresholds pinned",
    measured_rules.RisingRule: "no other metric",
    context_rules.GenotypeRule: "genotypes are classed",
    context_rules.BlastsRule: "paediatric relapse by blasts",
    context_rules.BlockRule: "FLT3 inhibitor, FLT3-ITD alone",
    context_rules.ExcludeRule: "excluded genes drive nothing",
    context_rules.ScheduleRule: "a loss after stopping and its schedule",
}


def write_rule(protocol: Protocol, rule: Rule) -> str:
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
        TESTS.get(type(rule), "both languages, shown"),
    )
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def write_page() -> str:
    """Write the whole page."""
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
        rows += [write_rule(protocol, rule) for rule in protocol.rule]
        parts.append("\n".join(rows) + "\n")
        if protocol.conditions:
            parts.append("\n".join(f"* {text}" for text in protocol.conditions) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(write_page(), encoding="utf-8")
