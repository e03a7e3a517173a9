"""What judging a rule can yield: it fired, or what is missing to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, get_args

from mrdtrack.follow_up.facts import Facts
from mrdtrack.follow_up.readings import (
    Exclusions,
    Reading,
    gather_readings,
    is_itd,
    is_target,
    name_gene,
    plain_name,
)
from mrdtrack.follow_up.series import is_detected
from mrdtrack.follow_up.situation import is_diagnosis, is_in_window, meets_conditions
from mrdtrack.follow_up.timeline import (
    Kinetics,
    ScheduleItem,
    TimelineVisit,
    Treatment,
)
from mrdtrack.follow_up.wording import (
    NOTHING,
    Language,
    Sentence,
    say_level,
    say_metric,
    say_specimen,
    say_visit,
)
from mrdtrack.levels.result import Specimen
from mrdtrack.protocols.rule_bases import MeasuredRule
from mrdtrack.protocols.rule_parts import MarkerSelection, Window
from mrdtrack.protocols.vocabulary import Action, name_time_point

Confidence = Literal["interval", "estimate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """A rule fired at a visit.

    `detail` says what was found, `change` what would undo it. `actions` None means the
    rule's own. `call` empty means the rule's category. `aside`: the rule itself did not
    fire; its category and its words do not belong to the flag.
    """

    visit: TimelineVisit
    confidence: Confidence
    detail: Sentence
    change: Sentence
    reading: Reading | None = None
    threshold: float | None = None
    metric: str = ""
    earlier: TimelineVisit | None = None
    days: int | None = None
    actions: tuple[Action, ...] | None = None
    call: Sentence = NOTHING
    aside: bool = False
    numbers: dict[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A rule could not be judged; `visit` None means at no visit."""

    missing: Sentence
    visit: TimelineVisit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A sentence the report must print; `detail` fills the rule's remark."""

    detail: Sentence = NOTHING
    text: Sentence = NOTHING
    visit: TimelineVisit | None = None


Verdict = Fired | Missing | Note | ScheduleItem


class Tissue(NamedTuple):
    """A tissue that some rule of a protocol asks for at a time point."""

    metric: str
    gene: str
    timepoint: str
    specimen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All a rule may know of a patient.

    `tissues` holds what the other rules of the protocol accept: a marrow is not the
    wrong tissue for a rule on blood where a sister rule reads it.
    """

    visits: tuple[TimelineVisit, ...]
    kinetics: tuple[Kinetics, ...]
    facts: Facts
    treatments: tuple[Treatment, ...]
    anchors: dict[str, str]
    exclusions: Exclusions
    disease: str
    diagnosis_samples: frozenset[str]
    undetectable_genes: frozenset[str]
    as_of: str
    tissues: frozenset[Tissue] = frozenset()
    memory: dict[tuple[MarkerSelection, str], tuple[Reading, ...]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def read(
        self, rule: MeasuredRule, metric: str | None = None
    ) -> tuple[Reading, ...]:
        """Gather a rule's readings after the diagnosis, whatever window and tissue."""
        key = (rule.marker, metric or rule.metric)
        if key not in self.memory:
            readings = gather_readings(self.visits, *key, self.exclusions, self.facts)
            self.memory[key] = tuple(
                r for r in readings if not self.is_diagnosis(r.visit)
            )
        return self.memory[key]

    def is_diagnosis(self, visit: TimelineVisit) -> bool:
        """Tell whether a visit is of the diagnosis."""
        named = visit.sample in self.diagnosis_samples
        return is_diagnosis(visit, self.anchors, named=named)


def complete_facts(facts: Facts, visits: Sequence[TimelineVisit]) -> Facts:
    """Fill in what the visits themselves tell: PML::RARA at the end of treatment.

    Marrow before blood; a negative without a limit of detection tells nothing.
    """
    if facts.positive_at_end_of_treatment is not None:
        return facts
    there = [
        v
        for v in visits
        if name_time_point(v.timepoint) == "end_of_treatment"
        and is_target(v.target or facts.transcript or "", "PML::RARA")
        and (is_detected(v) or (v.call == "not_detected" and v.lod95 is not None))
    ]
    if not there:
        return facts
    last = max(there, key=lambda v: (v.specimen == "bone_marrow", v.date))
    return facts.model_copy(update={"positive_at_end_of_treatment": is_detected(last)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligible:
    """The readings a rule may judge, and what stood against others."""

    readings: tuple[Reading, ...]
    verdicts: tuple[Verdict, ...]


def find_eligible(rule: MeasuredRule, case: Case) -> Eligible:
    """Find the readings of a rule inside its window and tissue."""
    readings = case.read(rule)
    if not readings:
        return Eligible(readings=(), verdicts=(_nothing_measured(rule),))
    answer = meets_conditions(rule.conditions, case.facts)
    if answer == "no":
        return Eligible(readings=(), verdicts=())
    inside, verdicts = filter_readings(readings, rule.window, rule.specimen, case)
    if rule.first_remission:
        inside, lacking = filter_readings(inside, _REMISSION, rule.specimen, case)
        verdicts += lacking
    if isinstance(answer, Sentence) and inside:
        return Eligible(readings=(), verdicts=(Missing(missing=answer),))
    wrong = find_wrong_specimen(readings, inside, rule, case)
    return Eligible(readings=inside, verdicts=(*verdicts, *wrong))


_REMISSION = Window(anchor="remission")


def _nothing_measured(rule: MeasuredRule) -> Missing:
    genes = " / ".join(rule.marker.genes)
    if rule.marker.kind == "flt3_itd":
        genes = "FLT3-ITD"
    of, of_fr = (f" of {genes}", f" de {genes}") if genes else ("", "")
    return Missing(
        missing=Sentence(
            f"a result{of} after the diagnosis on {rule.metric} "
            f"({say_metric(rule.metric, 'en')})",
            f"un résultat{of_fr} après le diagnostic en {rule.metric} "
            f"({say_metric(rule.metric, 'fr')})",
        )
    )


def filter_readings(
    readings: Sequence[Reading],
    window: Window,
    specimens: Sequence[str],
    case: Case,
) -> tuple[tuple[Reading, ...], list[Missing]]:
    """Keep evaluable readings of a window and tissue; say what is missing of others."""
    inside: list[Reading] = []
    missing: list[Missing] = []
    for reading in readings:
        answer = is_in_window(window, reading.visit, case.anchors)
        if answer == "no":
            continue
        if isinstance(answer, Sentence):
            missing.append(Missing(missing=answer))
            continue
        lacking = _lacks(reading, specimens, case)
        if lacking is None:
            inside.append(reading)
        elif lacking != NOTHING:
            missing.append(Missing(missing=lacking, visit=reading.visit))
    return tuple(inside), missing


def _lacks(reading: Reading, specimens: Sequence[str], case: Case) -> Sentence | None:
    """Say what a reading lacks; NOTHING where it is of another tissue."""
    if specimens and reading.visit.specimen is None:
        return Sentence("the tissue of the sample", "le tissu du prélèvement")
    if specimens and reading.visit.specimen not in specimens:
        return NOTHING
    if _names_gene(reading, case.undetectable_genes):
        return Sentence(
            "that the same assay saw this rare marker at diagnosis",
            "que la même technique ait vu ce marqueur rare au diagnostic",
        )
    return reading.reason if reading.state == "not_evaluable" else None


def _names_gene(reading: Reading, genes: frozenset[str]) -> bool:
    if not genes:
        return False
    named = {plain_name(reading.visit.target or "")}
    for marker in reading.markers:
        named.add(plain_name("FLT3-ITD" if is_itd(marker) else name_gene(marker)))
    return bool(named & genes)


def find_wrong_specimen(
    readings: Sequence[Reading],
    inside: Sequence[Reading],
    rule: MeasuredRule,
    case: Case,
) -> list[Verdict]:
    """Find visits at a time point of the rule that are of a tissue it does not read."""
    if not rule.specimen or not rule.window.timepoints or inside:
        return []
    wanted = _accepted_tissues(rule, case)
    return [
        verdict
        for r in readings
        if r.visit.specimen is not None
        and r.visit.specimen not in wanted
        and is_in_window(rule.window, r.visit, case.anchors) == "yes"
        for verdict in ask_tissue(r.visit, wanted)
    ]


def ask_tissue(
    visit: TimelineVisit, wanted: Sequence[Specimen]
) -> tuple[Fired, ScheduleItem]:
    """Ask for another tissue at a time point: as a flag, and as a sample to take."""
    asked, asked_fr = _say_specimens(wanted, "en"), _say_specimens(wanted, "fr")
    has = say_specimen(visit.specimen, "en"), say_specimen(visit.specimen, "fr")
    flag = Fired(
        visit=visit,
        confidence="interval",
        detail=Sentence(
            f"this time point is judged on {asked}, not on {has[0]}",
            f"ce point se juge sur {asked_fr}, non sur {has[1]}",
        ),
        change=Sentence(
            f"a sample of {asked} of this time point",
            f"un prélèvement de ce point : {asked_fr}",
        ),
        actions=("CHANGE_SPECIMEN",),
        call=WRONG_TISSUE,
        aside=True,
    )
    sample = ScheduleItem(
        kind="wrong_specimen",
        due=None,
        specimen=wanted[0],
        because=f"{visit.sample} is {has[0]}; this time point asks for {asked}",
        because_fr=f"{visit.sample} : {has[1]} ; ce point demande : {asked_fr}",
    )
    return flag, sample


WRONG_TISSUE = Sentence(
    "Wrong tissue for this time point", "Tissu inadapté à ce point d'évaluation"
)


def list_tissues(rule: MeasuredRule) -> list[Tissue]:
    """List the tissues a rule reads at its time points."""
    return [
        Tissue(rule.metric, gene, timepoint, specimen)
        for gene in rule.marker.genes or ("",)
        for timepoint in rule.window.timepoints
        for specimen in rule.specimen or get_args(Specimen)
    ]


def _accepted_tissues(rule: MeasuredRule, case: Case) -> tuple[Specimen, ...]:
    """Gather the tissues that this or a sister rule reads at the rule's time points."""
    genes = rule.marker.genes or ("",)
    sisters = {
        tissue.specimen
        for tissue in case.tissues
        if tissue.metric == rule.metric
        and tissue.gene in genes
        and tissue.timepoint in rule.window.timepoints
    }
    others = sorted(sisters - set(rule.specimen))
    return (*rule.specimen, *(s for s in get_args(Specimen) if s in others))


def _say_specimens(specimens: Sequence[str], language: Language) -> str:
    word = " or " if language == "en" else " ou "
    return word.join(say_specimen(s, language) for s in specimens)


def say_reading(reading: Reading) -> Sentence:
    """Say what a reading found, with its interval or its limit."""
    return Sentence(_say_reading(reading, "en"), _say_reading(reading, "fr"))


def _say_reading(reading: Reading, language: Language) -> str:
    metric = reading.visit.metric
    english = language == "en"
    if reading.detected and reading.value is not None:
        text = say_level(reading.value, metric, language)
        return text + say_interval(reading.low, reading.high, metric, language)
    if reading.detected:
        return "detected, without a value" if english else "détectée, sans valeur"
    word = "not detected" if english else "non détectée"
    if reading.limit is None:
        return word + (", limit not told" if english else ", seuil non précisé")
    limit = say_level(reading.limit, metric, language)
    return f"{word}, " + (f"limit {limit}" if english else f"seuil {limit}")


def say_interval(
    low: float | None, high: float | None, metric: str, language: Language
) -> str:
    """Write a 95 % interval in brackets; nothing where there is none."""
    if low is None or high is None:
        return ""
    ends = f"{say_level(low, metric, language)} - {say_level(high, metric, language)}"
    name = "95 % CI" if language == "en" else "IC 95 %"
    return f" ({name} {ends})"


def number_reading(reading: Reading) -> dict[str, float | str]:
    """Gather the numbers a flag rests on."""
    named = {
        "value": reading.value if reading.detected else None,
        "low": reading.low if reading.detected else None,
        "high": reading.high,
        "lod95": reading.limit,
    }
    return {name: value for name, value in named.items() if value is not None}


def say_since(fired: Fired, earlier: Reading, how: Sentence) -> Fired:
    """Add the earlier reading a flag counts from."""
    when = say_visit(earlier.visit.sample, earlier.visit.date, "en")
    when_fr = say_visit(earlier.visit.sample, earlier.visit.date, "fr")
    return replace(
        fired,
        earlier=earlier.visit,
        detail=Sentence(
            f"{fired.detail.en}, {how.en} ({when})",
            f"{fired.detail.fr}, {how.fr} ({when_fr})",
        ),
        numbers={**fired.numbers, "earlier": earlier.visit.sample},
    )
