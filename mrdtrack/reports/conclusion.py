"""The conclusion of a timeline report: flags, kinetics, next samples, notes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mrdtrack.follow_up.timeline import (
    Citation,
    Flag,
    Kinetics,
    ProtocolNote,
    Timeline,
    TimelineVisit,
)
from mrdtrack.reports import level_text, phrases
from mrdtrack.reports import timeline_tables as tables
from mrdtrack.reports.inert_text import shortened
from mrdtrack.reports.level_text import name, sentence
from mrdtrack.reports.view import (
    Block,
    Fact,
    Facts,
    FlagCard,
    Flags,
    Notes,
    Paragraph,
    Section,
    Text,
)
from mrdtrack.reports.words import Words

_DOI = re.compile(r"10\.[0-9]{4,9}/[A-Za-z0-9._;()/:-]+")


def section(code: str, title: str, *blocks: Block | None) -> Section:
    """Make a section of the blocks that have something to say."""
    return Section(
        name=code, title=title, blocks=tuple(b for b in blocks if b is not None)
    )


def prefixed(words: Words, head: str, said: Text) -> Text:
    """Put a name before a sentence."""
    text = words.say("{head}: {message}", head=head, message=said.text)
    return Text(text=text, language=said.language)


def no_flag(words: Words, timeline: Timeline) -> str:
    """Say that no flag was raised, or that no protocol was there to raise one."""
    if not timeline.protocols:
        return words.say("No protocol was applied, so no rule was judged.")
    return words.say("No rule of the protocols used raises a flag.")


def flags_section(words: Words, timeline: Timeline) -> Section:
    """Show the flags of the newest visit; those of earlier ones stand further down."""
    cards = _cards(words, new_flags(timeline))
    if cards:
        block: Block = Flags(cards=cards)
    elif timeline.flags:
        text = words.say("No rule raises a flag at this visit.")
        block = Paragraph(text=Text(text=text))
    else:
        block = Paragraph(text=Text(text=no_flag(words, timeline)))
    title = words.say("Conclusion: for discussion by the multidisciplinary meeting")
    return section("conclusion", title, block)


def last_visits(timeline: Timeline) -> list[TimelineVisit]:
    """Give the visits of the last date with a result of mrdtrack, if there is one."""
    own = [visit for visit in timeline.visits if visit.source == "mrdtrack"]
    visits = own or list(timeline.visits)
    return [visit for visit in visits if visit.date == visits[-1].date]


def new_flags(timeline: Timeline) -> list[Flag]:
    """Give the flags of the newest visit and of other methods since that day."""
    dates = {visit.sample: visit.date for visit in timeline.visits}
    newest = last_visits(timeline)
    since = newest[0].date if newest else ""
    return [flag for flag in timeline.flags if dates.get(flag.visit, since) >= since]


def _earlier(words: Words, timeline: Timeline) -> Flags | None:
    new = new_flags(timeline)
    old = [flag for flag in timeline.flags if flag not in new]
    if not old:
        return None
    return Flags(
        cards=_cards(words, old),
        heading=words.say("Flags of earlier visits"),
    )


def course_section(words: Words, timeline: Timeline) -> Section:
    """Show the kinetics, what comes next and what could not be judged."""
    notes = tuple(_note(words, note) for note in timeline.notes)
    return section(
        "course",
        words.say("Kinetics and next samples"),
        *(_kinetics(words, kinetics) for kinetics in timeline.kinetics),
        tables.schedule_table(words, timeline),
        _earlier(words, timeline),
        tables.unjudged_table(words, timeline),
        Notes(notes=notes, heading=words.say("Notes of the protocols"))
        if notes
        else None,
    )


def _note(words: Words, note: ProtocolNote) -> Text:
    """Print a sentence a protocol obliges to, with its rule and source."""
    said = sentence(words, note.text, note.text_fr)
    text = words.say(
        "{message} ({rule} of {protocol}; {source})",
        message=said.text,
        rule=name(note.rule),
        protocol=name(note.protocol),
        source=citation(words, note.citation).text,
    )
    visit = name(note.visit) if note.visit else ""
    return prefixed(words, visit, Text(text=text)) if visit else Text(text=text)


def _cards(words: Words, flags: Sequence[Flag]) -> tuple[FlagCard, ...]:
    """Make a card a finding: one rule may ask for several things at one visit."""
    found: dict[tuple[str, ...], list[Flag]] = {}
    for flag in flags:
        same = (flag.protocol, flag.rule, flag.visit, flag.because, flag.confidence)
        found.setdefault(same, []).append(flag)
    return tuple(_card(words, same) for same in found.values())


def _card(words: Words, same: Sequence[Flag]) -> FlagCard:
    flag = same[0]
    because = sentence(words, flag.because, flag.because_fr)
    change = sentence(words, flag.would_change_if, flag.would_change_if_fr)
    rule = words.say(
        "{rule} of {protocol}, version {version}",
        rule=name(flag.rule),
        protocol=name(flag.protocol),
        version=name(flag.protocol_version),
    )
    lines = [
        Fact(label=words.say("Because"), text=because),
        Fact(label=words.say("Would change if"), text=change),
        Fact(
            label=words.say("Certainty"),
            text=Text(text=words.say(phrases.CONFIDENCE[flag.confidence])),
        ),
        Fact(label=words.say("Rule"), text=Text(text=rule)),
        Fact(label=words.say("Source"), text=citation(words, flag.citation)),
        Fact(
            label=words.say("Action"),
            text=Text(text=words.say(phrases.ORIGINS[flag.action_origin])),
        ),
    ]
    against = dict.fromkeys(rule for one in same for rule in one.conflicts_with)
    if against:
        rules = ", ".join(name(rule) for rule in against)
        conflict = Text(text=rules, tone="watch")
        lines.insert(1, Fact(label=words.say("Conflicts with"), text=conflict))
    title = ", ".join(words.say(phrases.ACTIONS[one.action]) for one in same)
    said = sentence(words, flag.call, flag.call_fr).text
    heading = f"{title[:1].upper()}{title[1:]}"
    place = words.say("visit {visit}", visit=name(flag.visit))
    return FlagCard(
        title=" · ".join(part for part in (heading, said, place) if part),
        tone=phrases.TONES[flag.action],
        lines=tuple(lines),
    )


def citation(words: Words, cited: Citation) -> Text:
    """Write a citation with its locator, DOI and how well it was confirmed."""
    parts = [shortened(cited.reference, level_text.LONGEST_SENTENCE)]
    if cited.locator:
        parts.append(shortened(cited.locator, level_text.LONGEST_SENTENCE))
    doi = cited.doi if cited.doi and _DOI.fullmatch(cited.doi) else None
    if doi:
        parts.append(f"doi:{doi}")
    text = ", ".join(parts)
    confirmed = phrases.CONFIRMATION.get(cited.status)
    if confirmed:
        text = f"{text} ({words.say(confirmed)})"
    return Text(text=text, link=f"https://doi.org/{doi}" if doi else None)


def _kinetics(words: Words, kinetics: Kinetics) -> Facts | None:
    days = {
        words.say("Doubling time (days)"): kinetics.doubling_time_days,
        words.say("Halving time (days)"): kinetics.halving_time_days,
    }
    facts = [
        Fact(label=label, text=level_text.bounded(words, value))
        for label, value in days.items()
        if value is not None
    ]
    if kinetics.time_to_threshold_days is not None and kinetics.threshold:
        label = words.say(
            "Days until {threshold} at this pace",
            threshold=level_text.amount(words, kinetics.threshold, kinetics.metric),
        )
        value = level_text.bounded(words, kinetics.time_to_threshold_days)
        facts.append(Fact(label=label, text=value))
    for label, english, french in (
        (words.say("Conversion"), kinetics.conversion, kinetics.conversion_fr),
        (
            words.say("Molecular relapse"),
            kinetics.molecular_relapse,
            kinetics.molecular_relapse_fr,
        ),
    ):
        if english:
            facts.append(Fact(label=label, text=sentence(words, english, french)))
    if not facts:
        return None
    french_conditions = kinetics.conditions_fr or ("",) * len(kinetics.conditions)
    facts += [
        Fact(label=words.say("Holds if"), text=sentence(words, english, french))
        for english, french in zip(kinetics.conditions, french_conditions, strict=False)
    ]
    heading = tables.kinetics_heading(words, kinetics)
    return Facts(
        facts=tuple(facts), heading=words.say("Kinetics: {what}", what=heading)
    )
