"""A course on which one rule should fire, and the same with one thing wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, get_args

from mrdtrack.follow_up.assessment import Assessment, assess
from mrdtrack.follow_up.facts import Facts
from mrdtrack.follow_up.readings import Exclusions
from mrdtrack.follow_up.timeline import Flag, Kinetics, TimelineVisit, Treatment
from mrdtrack.follow_up.verdicts import Case
from mrdtrack.follow_up.visits import draft_visit
from mrdtrack.levels.result import MarkerResult, Specimen
from mrdtrack.protocols.context_rules import ScheduleRule
from mrdtrack.protocols.protocol import Protocol
from mrdtrack.protocols.read import list_packaged, read_packaged
from mrdtrack.protocols.rule_bases import MeasuredRule, Rule
from mrdtrack.protocols.rule_parts import Conditions, Window
from tests.follow_up.follow_up_builders import (
    external_visit,
    visit_result,
)

START = date(2020, 1, 1)
EVERY_RULE = [
    (protocol, rule)
    for name in list_packaged()
    for protocol in [read_packaged(name).protocol]
    for rule in protocol.rule
]


def rules_of(kind: type[Rule]) -> list[tuple[Protocol, Rule]]:
    """Rules of one kind, over all packaged protocols."""
    return [(p, r) for p, r in EVERY_RULE if isinstance(r, kind)]


def name_of(value: object) -> str | None:
    """Name a parameter of a test by its rule."""
    return value.id if isinstance(value, Rule) else None


def facts_for(conditions: Sequence[Conditions]) -> Facts:
    """Facts under which the first alternative holds."""
    known: dict[str, object] = {}
    if conditions:
        for name in conditions[0].model_fields_set:
            wanted = getattr(conditions[0], name)
            if name == "altered_any":
                known["altered"] = wanted
            elif name == "wbc_at_least":
                known["wbc_g_per_l"] = wanted
            elif name == "wbc_below":
                known["wbc_g_per_l"] = wanted / 2
            else:
                known[name] = wanted
    return Facts.model_validate(known)


def target_of(rule: MeasuredRule) -> str | None:
    """What an imported result of the rule names."""
    if rule.marker.kind == "flt3_itd":
        return "FLT3-ITD"
    if rule.marker.genes:
        return rule.marker.genes[0]
    return "NPM1" if rule.marker.kind == "mutation" else None


def visit_in(
    rule: MeasuredRule,
    window: Window,
    value: float | None,
    *,
    specimen: Specimen | None = None,
    metric: str | None = None,
    later: int = 0,
    lod: float | None = 1e-9,
    outside: bool = False,
    exact: bool = True,
    tag: str = "",
) -> TimelineVisit:
    """One result of a rule inside (or outside) a window; no value: not detected."""
    tissue: Specimen = specimen or (rule.specimen or ("bone_marrow",))[0]
    day = START + timedelta(days=(window.from_days if window.anchor else 100) + later)
    label = window.timepoints[0] if window.timepoints else None
    if outside:
        label = "day_15" if label != "day_15" else "day_8"
        if not window.timepoints:
            label = None
            day = START + timedelta(days=window.from_days - 1)
    return external_visit(
        day.isoformat(),
        value,
        metric=metric or rule.metric,
        specimen=tissue,
        lod=lod,
        target=target_of(rule),
        timepoint=label,
        low=value if exact else None,
        high=value if exact else None,
        sample=f"S{later}{tissue}{tag}",
    )


def anchors_for(rule: Rule) -> dict[str, str]:
    """Days a rule may count from, all on the first day; the drug was not stopped."""
    names = ["remission", "end_of_treatment", "transplant", "tki_start"]
    window = getattr(rule, "window", None)
    if window is not None and window.anchor in ("treatment_start", "tki_stop"):
        names.append(window.anchor)
    if isinstance(rule, ScheduleRule):
        names += [s.window.anchor for s in rule.series if s.window.anchor is not None]
    return {name: START.isoformat() for name in names}


def judge_rule(
    protocol: Protocol,
    rule: Rule,
    visits: Sequence[TimelineVisit],
    *,
    facts: Facts | None = None,
    kinetics: Sequence[Kinetics] = (),
    treatments: Sequence[Treatment] = (),
    anchors: dict[str, str] | None = None,
    as_of: str | None = None,
    disease: str | None = None,
    undetectable: frozenset[str] = frozenset(),
) -> Assessment:
    """All that one rule makes of a course, alone in its protocol."""
    alone = protocol.model_copy(update={"rule": (rule,)})
    ordered = tuple(sorted(visits, key=lambda v: v.date))
    case = Case(
        visits=ordered,
        kinetics=tuple(kinetics),
        facts=facts if facts is not None else facts_for(rule.conditions),
        treatments=tuple(treatments),
        anchors=anchors if anchors is not None else anchors_for(rule),
        exclusions=Exclusions(genes=protocol.excluded_genes),
        disease=disease or (rule.diseases or protocol.diseases)[0],
        diagnosis_samples=frozenset(),
        undetectable_genes=undetectable,
        as_of=as_of or (ordered[-1].date if ordered else START.isoformat()),
    )
    return assess([(alone, case)])


def assess_rule(
    protocol: Protocol, rule: Rule, visits: Sequence[TimelineVisit]
) -> list[Flag]:
    """The flags one rule raises, alone in its protocol."""
    return list(judge_rule(protocol, rule, visits).flags)


def own_flags(flags: Sequence[Flag]) -> list[Flag]:
    """Flags of a rule that fired; another tissue may be asked for beside them."""
    return [flag for flag in flags if flag.action != "CHANGE_SPECIMEN"]


def asks_for_tissue(rule: MeasuredRule) -> set[str]:
    """What a rule raises on another tissue: it asks for its own at a labelled point."""
    labelled = bool(rule.specimen and rule.window.timepoints)
    return {"CHANGE_SPECIMEN"} if labelled else set()


def wrong_specimens(rule: MeasuredRule) -> list[Specimen]:
    """Tissues the rule does not read."""
    if not rule.specimen:
        return []
    return [s for s in get_args(Specimen) if s not in rule.specimen]


def day(number: int) -> str:
    """The day so many days after the first."""
    return (START + timedelta(days=number)).isoformat()


def some_visit(number: int = 100, **more: Any) -> TimelineVisit:
    """A visit that a rule on facts can hang its flag on."""
    known: dict[str, Any] = {"metric": "igtr_frac", "lod": 1e-5, "target": None}
    return external_visit(day(number), None, **(known | more))


def own_visit(number: int, *markers: MarkerResult, **more: Any) -> TimelineVisit:
    """A visit with markers of its own."""
    return draft_visit(visit_result(f"S{number}", day(number), *markers, **more))


def actions_of(found: Assessment) -> set[str]:
    """The actions raised."""
    return {flag.action for flag in found.flags}


def turn(name: str, wanted: object) -> object:
    """Give a fact a value that does not meet a condition."""
    if isinstance(wanted, bool):
        return not wanted
    if name in ("wbc_at_least", "wbc_below"):
        assert isinstance(wanted, float)
        return wanted - 1 if name == "wbc_at_least" else wanted
    others = {
        "age_group": ("child", "adult"),
        "genetic_risk": ("low", "high"),
        "eln_risk": ("favourable", "intermediate", "poor"),
        "cml_phase": ("CP1", "other"),
    }
    return next(other for other in others[name] if other != wanted)


def change_fact(conditions: Conditions, name: str, *, known: bool) -> Facts:
    """Facts that meet all conditions but one, which fails or is not known."""
    facts = facts_for([conditions]).model_dump(exclude_unset=True)
    wanted = getattr(conditions, name)
    field = {
        "altered_any": "altered",
        "wbc_at_least": "wbc_g_per_l",
        "wbc_below": "wbc_g_per_l",
    }.get(name, name)
    facts.pop(field)
    if known and name == "altered_any":
        facts["tested"] = wanted
    elif known:
        facts[field] = turn(name, wanted)
    return Facts.model_validate(facts)
