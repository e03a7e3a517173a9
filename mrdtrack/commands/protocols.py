"""`mrdtrack protocols`: list, show and check the rules."""

from __future__ import annotations

import sys
from typing import NamedTuple

from mrdtrack.protocols.measured_rules import LogReductionRule
from mrdtrack.protocols.read import LoadedProtocol, list_packaged, read_protocol
from mrdtrack.protocols.rule_bases import ActingRule, MeasuredRule, Rule
from mrdtrack.reports.tables import tsv


class ProtocolLine(NamedTuple):
    """One packaged protocol."""

    id: str
    version: str
    diseases: str
    rules: int
    title: str


def list_protocols() -> tuple[ProtocolLine, ...]:
    """Write the packaged protocols to stdout as TSV."""
    lines = gather_protocols()
    rows = (line._asdict() for line in lines)
    sys.stdout.write(tsv(ProtocolLine._fields, rows).decode())
    return lines


def show_protocol(name: str) -> LoadedProtocol:
    """Write a protocol rule by rule to stdout, with source and status.

    Raises:
        ProtocolError: there is none, or it is no TOML.
        FaultList: keys or values are wrong; all are told.
    """
    loaded = read_protocol(name)
    sys.stdout.write(describe_protocol(loaded))
    return loaded


def check_protocol(name: str) -> LoadedProtocol:
    """Check a packaged protocol or a laboratory's own file; say so on stdout.

    Raises:
        ProtocolError: there is none, or it is no TOML.
        FaultList: keys or values are wrong; all are told.
    """
    loaded = read_protocol(name)
    protocol = loaded.protocol
    sys.stdout.write(
        f"{name}: {protocol.id} version {protocol.version}, "
        f"{len(protocol.rule)} rules, sha256 {loaded.digest}\n"
    )
    return loaded


def gather_protocols() -> tuple[ProtocolLine, ...]:
    """Gather the packaged protocols."""
    lines = []
    for name in list_packaged():
        protocol = read_protocol(name).protocol
        lines.append(
            ProtocolLine(
                id=protocol.id,
                version=protocol.version,
                diseases=", ".join(protocol.diseases),
                rules=len(protocol.rule),
                title=protocol.title,
            )
        )
    return tuple(lines)


def describe_protocol(loaded: LoadedProtocol) -> str:
    """Describe a protocol in lines of plain text."""
    protocol = loaded.protocol
    lines = [
        f"{protocol.id} {protocol.version}: {protocol.title}",
        f"for {', '.join(protocol.diseases)}; sha256 {loaded.digest}",
        *(f"- {text}" for text in protocol.conditions),
    ]
    for rule in protocol.rule:
        source = protocol.sources[rule.source.ref]
        place = f"{source.reference}; {rule.source.locator}"
        doi = f"; doi {source.doi}" if source.doi else ""
        grade = f"{rule.source.status} {rule.source.confidence}"
        lines += ["", f"{rule.id}: {rule.en.call}", f"  {describe_rule(rule)}"]
        if rule.en.remark:
            lines.append(f"  {rule.en.remark}")
        lines.append(f"  {place}{doi} [{grade}]")
    return "\n".join(lines) + "\n"


def describe_rule(rule: Rule) -> str:
    """Describe a rule's parameters in one line, as its file says them."""
    kind = str(getattr(rule, "kind", ""))
    parts = [kind]
    if isinstance(rule, MeasuredRule):
        genes = "/".join(rule.marker.genes)
        parts.append(f"{rule.marker.kind}{f' {genes}' if genes else ''}")
        of = f" of {rule.of_metric}" if isinstance(rule, LogReductionRule) else ""
        parts.append(f"{rule.metric}{of}")
        parts.append("/".join(rule.specimen) or "any tissue")
    said = rule.model_dump(
        mode="json",
        exclude_defaults=True,
        exclude={
            "id", "kind", "source", "en", "fr", "marker", "metric", "specimen",
            "actions", "action_origin", "of_metric",
        },
    )  # fmt: skip
    parts += [f"{name} = {value}" for name, value in said.items()]
    if isinstance(rule, ActingRule):
        origin = f"named by the {rule.action_origin}"
        if rule.action_origin == "mrdtrack":
            origin = "mapped by mrdtrack"
        parts.append(f"-> {', '.join(rule.actions)} ({origin})")
    return "; ".join(parts)
