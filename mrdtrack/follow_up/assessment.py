"""Rules turn the course into flags: each kind of rule has its one judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from mrdtrack.follow_up import (
    judge_classes,
    judge_context,
    judge_conversion,
    judge_courses,
    judge_levels,
    judge_methods,
    schedule,
)
from mrdtrack.follow_up.sentences import needs_repeat, say_because, say_change
from mrdtrack.follow_up.timeline import (
    Citation,
    Flag,
    ProtocolNote,
    ScheduleItem,
    Unjudged,
)
from mrdtrack.follow_up.verdicts import Case, Fired, Missing, Note, Verdict
from mrdtrack.follow_up.wording import Sentence
from mrdtrack.protocols import context_rules, measured_rules
from mrdtrack.protocols.protocol import Protocol
from mrdtrack.protocols.rule_bases import ActingRule, Rule
from mrdtrack.protocols.vocabulary import INTENSIFYING, Action

T = TypeVar("T")
Asked = TypeVar("Asked", Flag, ScheduleItem)

_CALMING: Final = frozenset({"CONTINUE", "DEESCALATE_DISCUSS"})
_ORDER: Final[dict[str, int]] = {
    "INTENSIFY_DISCUSS": 0,
    "HSCT_DISCUSS": 1,
    "PREEMPTIVE_DISCUSS": 2,
    "REPEAT_SAMPLE": 3,
    "CHANGE_SPECIMEN": 4,
    "MONITOR_CLOSER": 5,
    "DEESCALATE_DISCUSS": 6,
    "CONTINUE": 7,
    "NO_RULE": 8,
}

# One judge a kind; each takes its own rule type, which the key pins.
_JUDGES: Final[dict[type[Rule], Callable[[Any, Case], list[Verdict]]]] = {
    measured_rules.LevelRule: judge_levels.judge_level,
    measured_rules.NegativeRule: judge_levels.judge_negative,
    measured_rules.InsufficientRule: judge_levels.judge_insufficient,
    measured_rules.ClassesRule: judge_classes.judge_classes,
    measured_rules.IndexRule: judge_classes.judge_index,
    measured_rules.ConversionRule: judge_conversion.judge_conversion,
    measured_rules.NeverNegativeRule: judge_conversion.judge_never_negative,
    measured_rules.LogReductionRule: judge_courses.judge_log_reduction,
    measured_rules.RisingRule: judge_courses.judge_rising,
    measured_rules.TimePointsRule: judge_courses.judge_time_points,
    measured_rules.SustainedRule: judge_courses.judge_sustained,
    measured_rules.TempoRule: judge_courses.judge_tempo,
    context_rules.FactsRule: judge_context.judge_facts,
    context_rules.GenotypeRule: judge_context.judge_genotype,
    context_rules.AllNegativeRule: judge_methods.judge_all_negative,
    context_rules.BlastsRule: judge_context.judge_blasts,
    context_rules.DiscordanceRule: judge_methods.judge_discordance,
    context_rules.NoteRule: judge_context.judge_note,
    context_rules.BlockRule: judge_context.judge_block,
    context_rules.ExcludeRule: judge_context.judge_exclude,
    context_rules.BlinatumomabGuard: judge_context.judge_blinatumomab,
    context_rules.ScheduleRule: schedule.judge_schedule,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What the rules of one or several protocols make of a course."""

    flags: tuple[Flag, ...]
    unjudged: tuple[Unjudged, ...]
    notes: tuple[ProtocolNote, ...]
    schedule: tuple[ScheduleItem, ...]


def assess(protocols: Sequence[tuple[Protocol, Case]]) -> Assessment:
    """Assess a course under protocols, each with its own case (its own exclusions)."""
    flags: list[Flag] = []
    unjudged: list[Unjudged] = []
    notes: list[ProtocolNote] = []
    due: list[ScheduleItem] = []
    dates: dict[str, str] = {}
    for protocol, case in protocols:
        dates |= {v.sample: v.date for v in case.visits}
        judged = _judge_rules(protocol, case)
        for rule, verdicts in judged:
            for verdict in verdicts:
                if isinstance(verdict, Fired):
                    flags += _raise_flags(protocol, rule, verdict)
                elif isinstance(verdict, Missing):
                    unjudged.append(_say_missing(protocol, rule, verdict))
                elif isinstance(verdict, Note):
                    notes.append(_say_note(protocol, rule, verdict))
                else:
                    due.append(_complete(verdict, protocol, rule))
    flags, due = _ask_once(flags), _ask_once(due)
    flags, blocked = _apply_blocks(flags, protocols)
    return Assessment(
        flags=tuple(sort_flags(_mark_conflicts(flags, dates), dates)),
        unjudged=_drop_repeats([*unjudged, *blocked]),
        notes=_drop_repeats(notes),
        schedule=_drop_repeats(sorted(due, key=_by_due)),
    )


def _judge_rules(protocol: Protocol, case: Case) -> list[tuple[Rule, list[Verdict]]]:
    judged: dict[str, list[Verdict]] = {}
    rules: list[tuple[Rule, list[Verdict]]] = []
    for rule in protocol.rule:
        if rule.diseases and case.disease not in rule.diseases:
            continue
        if isinstance(rule, context_rules.OtherwiseRule):
            verdicts = _judge_rest(rule, judged, case)
        elif isinstance(rule, context_rules.DetectabilityRule):
            verdicts = []
        else:
            verdicts = _JUDGES[type(rule)](rule, case)
        judged[rule.id] = verdicts
        rules.append((rule, verdicts))
    return rules


def _judge_rest(
    rule: context_rules.OtherwiseRule, judged: dict[str, list[Verdict]], case: Case
) -> list[Verdict]:
    """Name the rest, once none of the named rules fired and none lacks anything."""
    verdicts = [verdict for name in rule.of for verdict in judged.get(name, [])]
    if any(isinstance(v, Fired) for v in verdicts):
        return []
    if any(isinstance(v, Missing) for v in verdicts) or not case.visits:
        named = ", ".join(rule.of)
        return [
            Missing(missing=Sentence(f"what {named} lack", f"ce qui manque à {named}"))
        ]
    return [
        Fired(
            visit=case.visits[-1],
            confidence="estimate",
            detail=Sentence(
                "none of the other groups applies", "aucun autre groupe ne s'applique"
            ),
            change=Sentence("a rule of another group", "une règle d'un autre groupe"),
        )
    ]


def _cite(protocol: Protocol, rule: Rule) -> Citation:
    source = protocol.sources[rule.source.ref]
    return Citation(
        reference=source.reference,
        doi=source.doi,
        locator=rule.source.locator,
        status=rule.source.status,
        confidence=rule.source.confidence,
    )


def _raise_flags(protocol: Protocol, rule: Rule, fired: Fired) -> list[Flag]:
    own: tuple[Action, ...] = ("NO_RULE",)
    origin = "mrdtrack"
    if isinstance(rule, ActingRule) and not fired.aside:
        own, origin = rule.actions, rule.action_origin
    actions = own if fired.actions is None else fired.actions
    named: list[tuple[Action, str]] = [(action, origin) for action in actions]
    if needs_repeat(fired, actions):
        named.append(("REPEAT_SAMPLE", "mrdtrack"))
    because, change = say_because(rule, fired), say_change(rule, fired)
    numbers = dict(fired.numbers)
    if fired.threshold is not None:
        numbers["threshold"] = fired.threshold
    return [
        Flag(
            rule=rule.id,
            protocol=protocol.id,
            protocol_version=protocol.version,
            action=action,
            action_origin="source" if origin == "source" else "mrdtrack",
            visit=fired.visit.sample,
            confidence=fired.confidence,
            because=because.en,
            because_fr=because.fr,
            would_change_if=change.en,
            would_change_if_fr=change.fr,
            call=fired.call.en or rule.en.call,
            call_fr=fired.call.fr or rule.fr.call,
            citation=_cite(protocol, rule),
            numbers=numbers,
        )
        for action, origin in named
    ]


def _say_missing(protocol: Protocol, rule: Rule, missing: Missing) -> Unjudged:
    return Unjudged(
        rule=rule.id,
        protocol=protocol.id,
        visit=missing.visit.sample if missing.visit else None,
        missing=missing.missing.en,
        missing_fr=missing.missing.fr,
    )


def _say_note(protocol: Protocol, rule: Rule, note: Note) -> ProtocolNote:
    texts = []
    for words, own, detail in (
        (rule.en, note.text.en, note.detail.en),
        (rule.fr, note.text.fr, note.detail.fr),
    ):
        said = own or words.remark or words.call
        texts.append(said.replace("{detail}", detail))
    return ProtocolNote(
        rule=rule.id,
        protocol=protocol.id,
        visit=note.visit.sample if note.visit else None,
        text=texts[0],
        text_fr=texts[1],
        citation=_cite(protocol, rule),
    )


def _complete(item: ScheduleItem, protocol: Protocol, rule: Rule) -> ScheduleItem:
    return item.model_copy(update={"rule": rule.id, "protocol": protocol.id})


def _by_due(item: ScheduleItem) -> tuple[str, str, str]:
    return (item.due or "", item.kind, item.rule or "")


def _ask_once(items: Sequence[Asked]) -> list[Asked]:
    """Keep the first of a protocol's rules that ask for the same other tissue."""
    kept: list[Asked] = []
    seen: set[tuple[str | None, str]] = set()
    for item in items:
        asks = (
            item.action == "CHANGE_SPECIMEN"
            if isinstance(item, Flag)
            else item.kind == "wrong_specimen"
        )
        key = (item.protocol, item.because)
        if asks and key in seen:
            continue
        seen.add(key)
        kept.append(item)
    return kept


def _apply_blocks(
    flags: Sequence[Flag], protocols: Sequence[tuple[Protocol, Case]]
) -> tuple[list[Flag], list[Unjudged]]:
    """Take back what a guard, or too weak a sample of the same day, forbids."""
    kept: list[Flag] = []
    blocked: list[Unjudged] = []
    barred = _find_barred(flags, protocols)
    dates = {v.sample: v.date for _, case in protocols for v in case.visits}
    for flag in flags:
        why = barred.get((dates[flag.visit], flag.action))
        if why is None:
            kept.append(flag)
            continue
        blocked.append(
            Unjudged(
                rule=flag.rule,
                protocol=flag.protocol,
                visit=flag.visit,
                missing=f"{flag.action} is taken back by {why}",
                missing_fr=f"{flag.action} est retiré par {why}",
            )
        )
    return kept, blocked


def _find_barred(
    flags: Sequence[Flag], protocols: Sequence[tuple[Protocol, Case]]
) -> dict[tuple[str, str], str]:
    barred: dict[tuple[str, str], str] = {}
    for protocol, case in protocols:
        dates = {v.sample: v.date for v in case.visits}
        for rule in protocol.rule:
            days: Iterable[str] = ()
            blocks: Sequence[str] = ()
            if isinstance(rule, context_rules.BlockRule):
                blocks = rule.blocks
                days = [
                    v.date
                    for v in case.visits
                    if rule.when == "on_treatment"
                    and judge_context.is_blocked_at(rule, v, case)
                ]
            elif isinstance(rule, measured_rules.InsufficientRule):
                blocks = rule.blocks
                days = [dates[f.visit] for f in flags if f.rule == rule.id]
            for day in days:
                for action in blocks:
                    barred.setdefault((day, action), rule.id)
    return barred


def _mark_conflicts(flags: Sequence[Flag], dates: dict[str, str]) -> list[Flag]:
    """Name, for each flag, the rules that point the other way on the same day."""
    marked = []
    for flag in flags:
        if flag.action in INTENSIFYING:
            other: frozenset[str] = _CALMING
        elif flag.action in _CALMING:
            other = INTENSIFYING
        else:
            marked.append(flag)
            continue
        rules = {
            f.rule
            for f in flags
            if f.action in other and dates[f.visit] == dates[flag.visit]
        }
        marked.append(flag.model_copy(update={"conflicts_with": tuple(sorted(rules))}))
    return marked


def sort_flags(flags: Sequence[Flag], dates: dict[str, str]) -> list[Flag]:
    """Sort flags: newest visit first, then intensification first."""
    by_rule = sorted(
        flags, key=lambda f: (_ORDER[f.action], f.protocol, f.rule, f.visit)
    )
    return sorted(by_rule, key=lambda f: dates[f.visit], reverse=True)


def _drop_repeats(items: Sequence[T]) -> tuple[T, ...]:
    kept: list[T] = []
    for item in items:
        if item not in kept:
            kept.append(item)
    return tuple(kept)
