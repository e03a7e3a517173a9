"""Readings: what one visit says of what one rule reads, and nothing it may not read.

The only way from a visit to a rule. Genes of clonal haematopoiesis, germline variants,
genes a protocol excludes and markers for report only never enter a reading; FLT3-ITD
markers alone never make a sample's level a negative.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from mrdtrack.follow_up.facts import Facts
from mrdtrack.follow_up.series import DETECTED, NOT_DETECTED
from mrdtrack.follow_up.timeline import TimelineVisit
from mrdtrack.follow_up.wording import NOTHING, Sentence
from mrdtrack.levels.result import Call, MarkerResult
from mrdtrack.protocols.rule_parts import MarkerSelection

State = Literal["quantified", "below_loq", "not_detected", "not_evaluable"]

TRANSCRIPT_METRICS = frozenset({"ratio_pct_abl1", "copies_1e5_abl1", "is_pct"})

_ITD_ALONE = Sentence(
    "FLT3-ITD alone never shows a patient to be negative",
    "FLT3-ITD seul ne montre jamais qu'un patient est négatif",
)
_GERMLINE = ((0.35, 0.65), (0.9, 1.0))
_OTHERS_FELL_TO = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One visit, as one rule reads it: on one metric, without excluded markers.

    `limit` is the limit of detection of this sample. `markers` are those it rests on;
    empty for imported results. `ceiling` is the upper limit over all of them, which the
    major clone's own need not be; None where one of them is not known. `reason` says
    why a reading is not evaluable.
    """

    visit: TimelineVisit
    state: State
    value: float | None
    low: float | None
    high: float | None
    limit: float | None
    ceiling: float | None = None
    markers: tuple[MarkerResult, ...] = ()
    reason: Sentence = NOTHING

    @property
    def detected(self) -> bool:
        """Whether leukaemia was seen."""
        return self.state in ("quantified", "below_loq")

    @property
    def bound(self) -> float | None:
        """What the level of a non-detect cannot exceed, as far as is known."""
        known = [x for x in (self.limit, self.high) if x is not None]
        return max(known) if known else None


def is_adequate_negative(reading: Reading, required: float, facts: Facts) -> bool:
    """Tell whether nothing was seen by a sample that could have seen `required`.

    A transcript result may also show it by the ABL1 copies the laboratory asks for.
    """
    if reading.state != "not_detected":
        return False
    if reading.limit is not None and reading.limit <= required:
        return True
    copies, asked = reading.visit.abl1_copies, facts.laboratory.abl1_copies_min
    return (
        reading.visit.metric in TRANSCRIPT_METRICS
        and copies is not None
        and asked is not None
        and copies >= asked
    )


def name_gene(marker: MarkerResult) -> str:
    """Name a marker's gene; without one, the first word of its id."""
    return marker.gene.upper() if marker.gene else _first_word(marker.marker)


@lru_cache(maxsize=4096)
def _first_word(name: str) -> str:
    return re.split(r"[-_:. ]", name, maxsplit=1)[0].upper()


def is_itd(marker: MarkerResult) -> bool:
    """Tell whether a marker is a FLT3 internal tandem duplication."""
    if name_gene(marker) != "FLT3":
        return False
    spelt = f"{marker.marker} {marker.hgvs or ''}".upper()
    return marker.kind == "duplication" or any(
        word in spelt for word in ("ITD", "DUP", "INS")
    )


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """Write a gene or fusion without punctuation, for comparison."""
    return re.sub("[^A-Z0-9]", "", name.upper())


_TYPE = re.compile("(MUT[A-Z]*|TYPE)?[A-D]?")


@lru_cache(maxsize=4096)
def is_target(target: str, gene: str) -> bool:
    """Tell whether an imported target is this gene or fusion, or a type of it.

    `NPM1-A`, `NPM1 type D` and `NPM1mut` are NPM1; `NPM1::RARA` is not.
    """
    named, wanted = plain_name(target), plain_name(gene)
    rest = named.removeprefix(wanted) if wanted else named
    return named == wanted or (rest != named and _TYPE.fullmatch(rest) is not None)


@lru_cache(maxsize=4096)
def is_itd_target(target: str) -> bool:
    """Tell whether an imported target is a FLT3 internal tandem duplication."""
    named = plain_name(target)
    return "FLT3" in named and ("ITD" in named or "DUP" in named)


@lru_cache(maxsize=4096)
def is_excluded_target(target: str, metric: str, genes: frozenset[str]) -> bool:
    """Tell whether an imported target may drive no flag.

    A mutation may be spelt out (`DNMT3A R882H`): on DNA its first word counts too. A
    fusion transcript (`RUNX1-RUNX1T1`) is only what its whole name says.
    """
    excluded = {plain_name(gene) for gene in genes}
    spelt = metric not in TRANSCRIPT_METRICS and "::" not in target
    first = plain_name(_first_word(target.strip())) if spelt else ""
    return plain_name(target) in excluded or first in excluded


def find_germline(visits: Sequence[TimelineVisit]) -> frozenset[str]:
    """Find markers that stay at about 50 or 100 % while the others fall.

    A marker near 50 or 90 to 100 % at every one of two or more visits, one of which
    shows another marker at less than a tenth of it.
    """
    seen: dict[str, list[float]] = {}
    while_others_fell: set[str] = set()
    for visit in visits:
        shares = {
            m.marker: m.alt / m.denominator
            for m in visit.markers
            if m.assessable and m.alt is not None and m.denominator
        }
        for name, share in shares.items():
            seen.setdefault(name, []).append(share)
            others = [x for other, x in shares.items() if other != name]
            if others and min(others) < _OTHERS_FELL_TO * share:
                while_others_fell.add(name)
    return frozenset(
        name
        for name, values in seen.items()
        if name in while_others_fell
        and len(values) > 1
        and all(any(low <= x <= high for low, high in _GERMLINE) for x in values)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusions:
    """What never drives a flag: genes by name, markers found to be germline."""

    genes: frozenset[str]
    germline: frozenset[str] = frozenset()

    def excludes(self, marker: MarkerResult) -> bool:
        """Tell whether a marker may not drive a flag."""
        return (
            marker.role != "level"
            or name_gene(marker) in self.genes
            or marker.marker in self.germline
        )


def gather_readings(
    visits: Iterable[TimelineVisit],
    selection: MarkerSelection,
    metric: str,
    exclusions: Exclusions,
    facts: Facts,
) -> tuple[Reading, ...]:
    """Gather what the visits say of a selection, on exactly one metric."""
    found = []
    for visit in visits:
        if visit.metric != metric:
            continue
        reading = _read_visit(visit, selection, exclusions, facts)
        if reading is not None:
            found.append(reading)
    return tuple(found)


def _read_visit(
    visit: TimelineVisit,
    selection: MarkerSelection,
    exclusions: Exclusions,
    facts: Facts,
) -> Reading | None:
    if visit.source == "external":
        fits = _fits_import(visit, selection, exclusions, facts)
        return _read_import(visit, selection) if fits else None
    if selection.kind == "level":
        return _read_own_level(visit, exclusions)
    if selection.kind == "transcript":
        return None
    return _read_markers(visit, select_markers(visit, selection, exclusions))


def _fits_import(
    visit: TimelineVisit,
    selection: MarkerSelection,
    exclusions: Exclusions,
    facts: Facts,
) -> bool:
    target = visit.target or ""
    if is_excluded_target(target, visit.metric, exclusions.genes):
        return False
    if selection.kind == "level":
        return True
    itd = is_itd_target(target)
    if selection.kind == "flt3_itd":
        return itd
    if selection.kind == "transcript":
        named = target or facts.transcript or ""
        return any(is_target(named, gene) for gene in selection.genes)
    if not target or itd:
        return False
    return not selection.genes or any(is_target(target, g) for g in selection.genes)


def select_markers(
    visit: TimelineVisit, selection: MarkerSelection, exclusions: Exclusions
) -> tuple[MarkerResult, ...]:
    """Select a visit's markers that a rule may read."""
    wanted = {gene.upper() for gene in selection.genes}
    itd = selection.kind == "flt3_itd"
    return tuple(
        m
        for m in visit.markers
        if not exclusions.excludes(m)
        and is_itd(m) == itd
        and (not wanted or name_gene(m) in wanted)
    )


def _state(call: Call | None) -> State:
    if call == "quantified":
        return "quantified"
    if call in DETECTED:
        return "below_loq"
    return "not_detected" if call in NOT_DETECTED else "not_evaluable"


def _read_level(visit: TimelineVisit) -> Reading:
    state = _state(visit.call)
    reason = NOTHING
    if state == "not_evaluable":
        why = visit.reason or "no valid result"
        # the result's own reason stands in the report, by its code; here in English
        reason = Sentence(f"not evaluable: {why}", "non interprétable")
    return Reading(
        visit=visit,
        state=state,
        value=visit.value,
        low=visit.low,
        high=visit.high,
        limit=visit.lod95,
        ceiling=visit.high,
        reason=reason,
    )


def _read_import(visit: TimelineVisit, selection: MarkerSelection) -> Reading:
    reading = _read_level(visit)
    itd = selection.kind == "level" and is_itd_target(visit.target or "")
    return _unreadable(visit, _ITD_ALONE) if itd and not reading.detected else reading


def _read_own_level(visit: TimelineVisit, exclusions: Exclusions) -> Reading:
    used = [m for m in visit.markers if m.role == "level" and m.assessable]
    barred = sorted({m.marker for m in used if exclusions.excludes(m)})
    reading = _read_level(visit)
    if barred:
        named = ", ".join(barred)
        return _unreadable(
            visit,
            Sentence(
                f"the level rests on {named}, which may drive no flag",
                f"le niveau repose sur {named}, qui ne peut rien déclencher",
            ),
        )
    if used and all(map(is_itd, used)) and not reading.detected:
        return _unreadable(visit, _ITD_ALONE)
    return replace(reading, markers=tuple(used))


def _unreadable(visit: TimelineVisit, reason: Sentence) -> Reading:
    return Reading(
        visit=visit,
        state="not_evaluable",
        value=None,
        low=None,
        high=None,
        limit=None,
        reason=reason,
    )


def _read_markers(
    visit: TimelineVisit, markers: Sequence[MarkerResult]
) -> Reading | None:
    """Read several markers as one: the major clone, or a negative of them all."""
    if not markers:
        return None
    seen = [m for m in markers if m.call in DETECTED and m.fraction]
    if seen:
        major = max(seen, key=lambda m: (m.fraction or 0, m.marker))
        return Reading(
            visit=visit,
            state=_state(major.call),
            value=major.fraction,
            low=major.fraction_low,
            high=major.fraction_high,
            limit=major.lod95,
            ceiling=_largest(
                [m.fraction_high if m.assessable else None for m in markers]
            ),
            markers=tuple(markers),
        )
    silent = [m for m in markers if not m.assessable or m.call not in NOT_DETECTED]
    if silent:
        named = ", ".join(m.marker for m in silent)
        return _unreadable(
            visit,
            Sentence(
                f"not evaluable: {named} could not be assessed",
                f"non interprétable : {named} n'a pas pu être évalué",
            ),
        )
    highest = _largest([m.fraction_high for m in markers])
    return Reading(
        visit=visit,
        state="not_detected",
        value=None,
        low=None,
        high=highest,
        ceiling=highest,
        limit=_largest([m.lod95 for m in markers]),
        markers=tuple(markers),
    )


def _largest(values: Sequence[float | None]) -> float | None:
    """Give the largest; None where one of them is not known."""
    known = [x for x in values if x is not None]
    return max(known) if known and len(known) == len(values) else None
