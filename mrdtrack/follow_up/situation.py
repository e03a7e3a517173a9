"""Windows and conditions: whether a rule looks at a visit, and what it lacks to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from mrdtrack.follow_up.facts import Facts
from mrdtrack.follow_up.readings import plain_name
from mrdtrack.follow_up.series import count_days
from mrdtrack.follow_up.timeline import TimelineVisit, Treatment
from mrdtrack.follow_up.wording import Sentence
from mrdtrack.protocols.rule_parts import Conditions, Window
from mrdtrack.protocols.vocabulary import name_time_point

Answer = Literal["yes", "no"] | Sentence
"""Yes, no, or what is missing to say."""

_LATE_DIAGNOSIS = 7
"""Days into the treatment up to which a sample labelled as diagnosis is one."""

_ANCHORS: Final = {
    "diagnosis": Sentence("diagnosis", "diagnostic"),
    "treatment_start": Sentence("start of treatment", "début du traitement"),
    "remission": Sentence("complete remission", "rémission complète"),
    "end_of_treatment": Sentence("end of treatment", "fin du traitement"),
    "transplant": Sentence("transplant", "greffe"),
    "tki_start": Sentence("start of the TKI", "début du TKI"),
    "tki_stop": Sentence("stop of the TKI", "arrêt du TKI"),
}
_FACTS: Final = {
    "age_group": Sentence("the age group", "la classe d'âge"),
    "arm": Sentence("the protocol arm", "le bras du protocole"),
    "philadelphia": Sentence("Philadelphia status", "le statut Philadelphie"),
    "cd19": Sentence("CD19 expression", "l'expression de CD19"),
    "apl_high_risk": Sentence("the APL risk group", "le groupe de risque LAP"),
    "arsenic": Sentence("whether arsenic was given", "l'usage d'arsenic"),
    "genetic_risk": Sentence("the genetic risk", "le risque génétique"),
    "eln_risk": Sentence("the ELN risk group", "le groupe de risque ELN"),
    "cml_phase": Sentence("the CML phase", "la phase de la LMC"),
    "salvage_needed": Sentence(
        "whether salvage was needed", "la nécessité d'un rattrapage"
    ),
    "resistance_mutation": Sentence(
        "a search for resistance mutations", "une recherche de mutation de résistance"
    ),
    "emergent_high_risk_aca": Sentence(
        "a search for new high-risk chromosome aberrations",
        "une recherche de nouvelles anomalies chromosomiques à haut risque",
    ),
    "imaging_negative": Sentence("imaging", "l'imagerie"),
    "positive_at_end_of_treatment": Sentence(
        "the result at end of treatment", "le résultat de fin de traitement"
    ),
    "wbc_g_per_l": Sentence("white cells at diagnosis", "les leucocytes au diagnostic"),
}


def is_diagnosis(
    visit: TimelineVisit, anchors: Mapping[str, str], *, named: bool = False
) -> bool:
    """Tell whether a visit is of the diagnosis: no MRD rule looks at it.

    A label says so, or the user naming it as baseline (`named`), unless the sample was
    taken more than a week into the treatment.
    """
    treated = anchors.get("treatment_start")
    if named or name_time_point(visit.timepoint) == "diagnosis":
        return treated is None or count_days(treated, visit.date) <= _LATE_DIAGNOSIS
    start = treated or anchors.get("diagnosis")
    return start is not None and visit.date <= start


def is_in_window(
    window: Window, visit: TimelineVisit, anchors: Mapping[str, str]
) -> Answer:
    """Tell whether a visit lies in a window."""
    if window.is_open:
        return "yes"
    label = name_time_point(visit.timepoint)
    if window.timepoints and label is not None:
        return "yes" if label in window.timepoints else "no"
    if window.anchor is None:
        return Sentence("the time point of the visit", "le point d'évaluation")
    start = anchors.get(window.anchor)
    if start is None:
        named = _ANCHORS[window.anchor]
        return Sentence(f"the date of {named.en}", f"la date : {named.fr}")
    if _is_over(window.anchor, visit, anchors):
        return "no"
    days = count_days(start, visit.date)
    after = window.to_days is None or days <= window.to_days
    return "yes" if window.from_days <= days and after else "no"


def _is_over(anchor: str, visit: TimelineVisit, anchors: Mapping[str, str]) -> bool:
    """Tell whether what an anchor began has ended before a visit."""
    if anchor == "remission":
        return visit.date >= anchors.get("relapse", "9999")
    return anchor == "tki_start" and visit.date > anchors.get("tki_stop", "9999")


def meets_conditions(alternatives: Sequence[Conditions], facts: Facts) -> Answer:
    """Tell whether any of a rule's alternatives holds; none given holds for everyone.

    Unknown facts are asked for only where no alternative holds and one still could.
    """
    if not alternatives:
        return "yes"
    answers = [_meets_all(conditions, facts) for conditions in alternatives]
    if "yes" in answers:
        return "yes"
    open_ones = [a for a in answers if isinstance(a, Sentence)]
    return open_ones[0] if open_ones else "no"


def _meets_all(conditions: Conditions, facts: Facts) -> Answer:
    missing: list[Sentence] = []
    for name in sorted(conditions.model_fields_set):
        answer = _meets(name, conditions, facts)
        if answer == "no":
            return "no"
        if isinstance(answer, Sentence):
            missing.append(answer)
    if missing:
        return Sentence(
            ", ".join(m.en for m in missing), ", ".join(m.fr for m in missing)
        )
    return "yes"


def _meets(name: str, conditions: Conditions, facts: Facts) -> Answer:
    if name == "altered_any":
        return _has_altered(conditions.altered_any, facts)
    if name in ("wbc_at_least", "wbc_below"):
        white_cells = facts.wbc_g_per_l
        if white_cells is None:
            return _FACTS["wbc_g_per_l"]
        if name == "wbc_at_least":
            return "yes" if white_cells >= (conditions.wbc_at_least or 0) else "no"
        return "yes" if white_cells < (conditions.wbc_below or 0) else "no"
    known = getattr(facts, name)
    if known is None:
        return _FACTS[name]
    return "yes" if known == getattr(conditions, name) else "no"


def _has_altered(wanted: Sequence[str], facts: Facts) -> Answer:
    altered = {plain_name(gene) for gene in facts.altered}
    if any(plain_name(gene) in altered for gene in wanted):
        return "yes"
    tested = altered | {plain_name(gene) for gene in facts.tested}
    unknown = [gene for gene in wanted if plain_name(gene) not in tested]
    if not unknown:
        return "no"
    named = ", ".join(unknown)
    return Sentence(f"the genotype of {named}", f"le génotype de {named}")


def is_on_treatment(date: str, kind: str, treatments: Sequence[Treatment]) -> bool:
    """Tell whether a treatment of this kind was given on a day."""
    return any(
        t.kind == kind and t.start <= date and (t.end is None or date <= t.end)
        for t in treatments
    )
