"""The thresholds that the protocols' rules state on mrdtrack's own metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mrdtrack.follow_up.facts import Facts
from mrdtrack.follow_up.readings import Exclusions, select_markers
from mrdtrack.follow_up.situation import meets_conditions
from mrdtrack.follow_up.timeline import ProtocolThreshold, TimelineVisit
from mrdtrack.protocols.measured_rules import ConversionRule, LevelRule, NegativeRule
from mrdtrack.protocols.protocol import Protocol
from mrdtrack.protocols.rule_bases import Rule

Bounded = LevelRule | ConversionRule | NegativeRule


def list_thresholds(
    protocols: Sequence[Protocol], visits: Sequence[TimelineVisit], facts: Facts
) -> tuple[ProtocolThreshold, ...]:
    """List what levels are held against, by metric and value.

    Only of rules on a metric that mrdtrack measured here, that can read one of the
    patient's markers, and whose conditions are not known to be unmet.
    """
    rules: dict[tuple[str, float], list[tuple[str, str]]] = {}
    own = [visit for visit in visits if visit.source == "mrdtrack"]
    for protocol in protocols:
        for rule in protocol.rule:
            if isinstance(rule, Bounded) and _concerns(protocol, rule, own, facts):
                for value in _bounds(rule):
                    named = rules.setdefault((rule.metric, value), [])
                    named.append((protocol.id, rule.id))
    return tuple(
        ProtocolThreshold(
            metric=metric,
            value=value,
            protocols=tuple(dict.fromkeys(protocol for protocol, _ in named)),
            rules=tuple(dict.fromkeys(rule for _, rule in named)),
        )
        for (metric, value), named in sorted(rules.items())
    )


def _bounds(rule: Bounded) -> Iterator[float]:
    if isinstance(rule, NegativeRule):
        bounds = [rule.below]
    else:
        bounds = [rule.test.lower, rule.test.upper]
    yield from (bound for bound in bounds if bound is not None)


def _concerns(
    protocol: Protocol, rule: Bounded, visits: Sequence[TimelineVisit], facts: Facts
) -> bool:
    on_metric = [visit for visit in visits if visit.metric == rule.metric]
    if not on_metric or not _may_hold(rule, facts):
        return False
    if rule.marker.kind == "level":
        return True
    excluded = Exclusions(genes=protocol.excluded_genes)
    return any(select_markers(visit, rule.marker, excluded) for visit in on_metric)


def _may_hold(rule: Rule, facts: Facts) -> bool:
    return meets_conditions(rule.conditions, facts) != "no"
