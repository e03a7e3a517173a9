"""Rules on facts and on several methods at once; guards and notes."""

from __future__ import annotations

from collections.abc import Sequence

from mrdtrack.follow_up.facts import Blasts
from mrdtrack.follow_up.readings import (
    is_itd,
    is_itd_target,
    name_gene,
    plain_name,
)
from mrdtrack.follow_up.series import count_days, is_detected
from mrdtrack.follow_up.situation import (
    is_in_window,
    is_on_treatment,
    meets_conditions,
)
from mrdtrack.follow_up.timeline import TimelineVisit
from mrdtrack.follow_up.verdicts import (
    Case,
    Fired,
    Missing,
    Note,
    Verdict,
)
from mrdtrack.follow_up.wording import (
    NOTHING,
    Sentence,
    say_level,
    say_number,
)
from mrdtrack.protocols.context_rules import (
    BlastsRule,
    BlinatumomabGuard,
    BlockRule,
    ExcludeRule,
    FactsRule,
    GenotypeRule,
    NoteRule,
)
from mrdtrack.protocols.vocabulary import OWN_METRICS

E1910 = Sentence(
    "MRD-negative patients benefited from blinatumomab too (E1910, three-year "
    "survival 85 against 68 %): a negative result is no reason to withhold it.",
    "Les patients MRD-négatifs ont aussi bénéficié du blinatumomab (E1910, survie "
    "à trois ans 85 contre 68 %) : un résultat négatif n'est pas une raison d'y "
    "renoncer.",
)


def judge_facts(rule: FactsRule, case: Case) -> list[Verdict]:
    """Judge facts; the flag stands at the last visit."""
    answer = meets_conditions(rule.conditions, case.facts)
    if isinstance(answer, Sentence):
        return [Missing(missing=answer)]
    if answer == "no" or not case.visits:
        return []
    return [
        Fired(
            visit=case.visits[-1],
            confidence="interval",
            detail=Sentence("by the disease facts given", "selon les données fournies"),
            change=Sentence("other disease facts", "d'autres données de la maladie"),
        )
    ]


def judge_genotype(rule: GenotypeRule, case: Case) -> list[Verdict]:
    """Classify the genotype; a gene that was not tested leaves it open."""
    altered = {plain_name(gene) for gene in case.facts.altered}
    tested = altered | {plain_name(gene) for gene in case.facts.tested}
    bad = [gene for gene in rule.low_none if plain_name(gene) in altered]
    good = [gene for gene in rule.low_any if plain_name(gene) in altered]
    open_bad = [gene for gene in rule.low_none if plain_name(gene) not in tested]
    open_good = [gene for gene in rule.low_any if plain_name(gene) not in tested]
    if bad:
        high, why = True, bad
    elif good and not open_bad:
        high, why = False, good
    elif not good and not open_good:
        high, why = True, []
    else:
        named = ", ".join([*open_good, *open_bad] if not good else open_bad)
        return [
            Missing(
                missing=Sentence(f"the genotype of {named}", f"le génotype de {named}")
            )
        ]
    if not case.visits:
        return []
    found = ", ".join(why)
    return [
        Fired(
            visit=case.visits[-1],
            confidence="interval",
            detail=Sentence(
                f"altered: {found}"
                if found
                else "none of the favourable genes altered",
                f"altérés : {found}" if found else "aucun gène favorable altéré",
            ),
            change=Sentence("another genotype", "un autre génotype"),
            call=Sentence(rule.high_en, rule.high_fr) if high else NOTHING,
        )
    ]


def judge_blasts(rule: BlastsRule, case: Case) -> list[Verdict]:
    """Judge blast counts together with other tests of the same days."""
    answer = meets_conditions(rule.conditions, case.facts)
    if not case.facts.blasts:
        return [
            Missing(
                missing=Sentence("blasts in the marrow", "les blastes de la moelle")
            )
        ]
    if isinstance(answer, Sentence):
        return [Missing(missing=answer)]
    if answer == "no":
        return []
    remission = case.anchors.get("remission")
    if remission is None:
        lacking = Sentence(
            "the date of complete remission", "la date : rémission complète"
        )
        return [Missing(missing=lacking)]
    verdicts: list[Verdict] = []
    for blasts in case.facts.blasts:
        if blasts.date > remission:
            verdicts += _judge_blast_count(rule, blasts, case)
    return verdicts


def _judge_blast_count(rule: BlastsRule, blasts: Blasts, case: Case) -> list[Verdict]:
    near = [
        v
        for v in case.visits
        if abs(count_days(v.date, blasts.date)) <= rule.within_days
        and not case.is_diagnosis(v)
    ]
    others = [v for v in near if _reaches(v, rule.other_at_least_percent, case)]
    for band in rule.bands:
        if not band.from_percent <= blasts.percent < band.below_percent:
            continue
        if len({(v.metric, v.method, v.target) for v in others}) < band.other_tests:
            needed = band.other_tests
            lacking = Sentence(
                f"{needed} other tests of {rule.other_at_least_percent:g} % or more "
                f"near {blasts.date}",
                f"{needed} autres examens à {rule.other_at_least_percent:g} % ou plus "
                f"autour du {blasts.date}",
            )
            return [Missing(missing=lacking)]
        share = say_number(blasts.percent, "en", 3), say_number(blasts.percent, "fr", 3)
        return [
            Fired(
                visit=[*case.visits, *near][-1],
                confidence="estimate",
                detail=Sentence(
                    f"{share[0]} % blasts on {blasts.date}, {len(others)} other tests",
                    f"{share[1]} % de blastes le {blasts.date}, {len(others)} autres "
                    "examens",
                ),
                change=Sentence("fewer blasts", "moins de blastes"),
                numbers={"blasts_percent": blasts.percent},
            )
        ]
    return []


def _reaches(visit: TimelineVisit, percent: float, case: Case) -> bool:
    if visit.value is None or not is_detected(visit):
        return False
    if any(case.exclusions.excludes(m) and m.assessable for m in visit.markers):
        return False
    if visit.metric in OWN_METRICS:
        return 100 * visit.value >= percent
    return visit.metric == "mfc_pct_wbc" and visit.value >= percent


def judge_note(rule: NoteRule, case: Case) -> list[Verdict]:
    """Print a note once, or say NO_RULE at each visit it is about."""
    found = [v for v in case.visits if _is_about(rule, v, case)]
    if not found or (rule.every_gene and not _has_every_gene(rule, case)):
        return []
    if not rule.no_rule:
        return [Note(visit=found[-1], detail=_say_itd(found[-1]))]
    return [
        Fired(
            visit=visit,
            confidence="estimate",
            detail=Sentence("no rule applies", "aucune règle ne s'applique"),
            change=Sentence(
                "a rule whose source states a threshold",
                "une règle dont la source énonce un seuil",
            ),
            actions=("NO_RULE",),
        )
        for visit in found
    ]


def _is_about(rule: NoteRule, visit: TimelineVisit, case: Case) -> bool:
    if case.is_diagnosis(visit) or (rule.metrics and visit.metric not in rule.metrics):
        return False
    if is_in_window(rule.window, visit, case.anchors) != "yes":
        return False
    kind = rule.treatment_kind
    if kind is not None and not is_on_treatment(visit.date, kind, case.treatments):
        return False
    if rule.several_itd:
        return len(_seen_itd(visit)) > 1
    named = _named_genes(visit)
    if rule.except_genes and not named - _plain(rule.except_genes):
        return False
    return not rule.genes or bool(named & _plain(rule.genes))


def _has_every_gene(rule: NoteRule, case: Case) -> bool:
    named = {gene for visit in case.visits for gene in _named_genes(visit)}
    return _plain(rule.genes) <= named


def _plain(genes: Sequence[str]) -> set[str]:
    return {plain_name(gene) for gene in genes}


def _named_genes(visit: TimelineVisit) -> set[str]:
    target = visit.target or ""
    named = {plain_name(part) for part in (target, *target.split("::"))}
    if is_itd_target(target):
        named = {"FLT3ITD"}
    for marker in visit.markers:
        named.add("FLT3ITD" if is_itd(marker) else plain_name(name_gene(marker)))
    return named - {""}


def _seen_itd(visit: TimelineVisit) -> list[tuple[str, float]]:
    return [(m.marker, m.fraction) for m in visit.markers if is_itd(m) and m.fraction]


def _say_itd(visit: TimelineVisit) -> Sentence:
    seen = _seen_itd(visit)
    total = sum(fraction for _, fraction in seen)
    said = [
        ", ".join(f"{n} {say_level(f, 'vaf_gdna', language)}" for n, f in seen)
        for language in ("en", "fr")
    ]
    return Sentence(
        f"{said[0]}; together {say_level(total, 'vaf_gdna', 'en')}" if seen else "",
        f"{said[1]} ; ensemble {say_level(total, 'vaf_gdna', 'fr')}" if seen else "",
    )


def judge_block(rule: BlockRule, case: Case) -> list[Verdict]:
    """Note that an action is taken back; the taking back itself is the assessment's."""
    blocked = [v for v in case.visits if is_blocked_at(rule, v, case)]
    return [Note(visit=blocked[-1])] if blocked else []


def is_blocked_at(rule: BlockRule, visit: TimelineVisit, case: Case) -> bool:
    """Tell whether a block holds at a visit."""
    if rule.when == "on_treatment":
        kind = rule.treatment_kind or ""
        return is_on_treatment(visit.date, kind, case.treatments)
    used = [m for m in visit.markers if m.role == "level" and m.assessable]
    return bool(used) and all(map(is_itd, used)) and not is_detected(visit)


def judge_exclude(rule: ExcludeRule, case: Case) -> list[Verdict]:
    """Note that genes or germline variants were left out, where there are any."""
    genes = _plain(rule.genes)
    for visit in reversed(case.visits):
        named = [
            m.marker
            for m in visit.markers
            if plain_name(name_gene(m)) in genes
            or (rule.germline and m.marker in case.exclusions.germline)
        ]
        if named:
            return [Note(visit=visit)]
    return []


def judge_blinatumomab(_rule: BlinatumomabGuard, case: Case) -> list[Verdict]:
    """State E1910 with the last negative of a patient whose blasts may carry CD19."""
    if case.facts.cd19 is False:
        return []
    for visit in reversed(case.visits):
        if (
            visit.metric in ("igtr_frac", "mfc_pct_wbc")
            and visit.call == "not_detected"
        ):
            return [Note(visit=visit, text=E1910)]
    return []
