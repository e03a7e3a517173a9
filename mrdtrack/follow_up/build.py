"""The timeline: visits in order, their kinetics, and what the rules make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mrdtrack import __version__
from mrdtrack.counts import QualityFinding
from mrdtrack.errors import ResultError
from mrdtrack.findings import finding
from mrdtrack.follow_up.assessment import Assessment, assess
from mrdtrack.follow_up.course import find_disagreement
from mrdtrack.follow_up.facts import Facts, gather_anchors
from mrdtrack.follow_up.identity import (
    Known,
    apply_identity,
    check_identity,
    unchecked,
)
from mrdtrack.follow_up.kinetics import Threshold, add_series_facts, describe_series
from mrdtrack.follow_up.plausibility import add_plausibility
from mrdtrack.follow_up.readings import Exclusions, find_germline, plain_name
from mrdtrack.follow_up.series import Series, SeriesKey, split_series
from mrdtrack.follow_up.thresholds import list_thresholds
from mrdtrack.follow_up.timeline import (
    ProtocolUsed,
    Timeline,
    TimelineVisit,
    Treatment,
)
from mrdtrack.follow_up.verdicts import Case, complete_facts, list_tissues
from mrdtrack.follow_up.visits import check_visits, draft_visit
from mrdtrack.levels.result import Software, VisitResult
from mrdtrack.protocols.context_rules import DetectabilityRule
from mrdtrack.protocols.measured_rules import ConversionRule, LevelRule
from mrdtrack.protocols.protocol import Protocol
from mrdtrack.protocols.read import LoadedProtocol, choose_default, read_packaged
from mrdtrack.protocols.rule_bases import MeasuredRule

_LATER_POINTS = frozenset({"follow_up", "post_transplant", "treatment_free"})
"""Time points still ahead of any visit: a forecast reaches for no other's threshold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What is given beside the results.

    Attributes:
        external: results of other methods (`read_external`).
        treatments: spans of treatment.
        facts: disease facts.
        protocols: rules to apply; None takes the disease's packaged defaults.
        baseline: sample to measure reductions from; None finds it.
        identity: a donor, and samples accepted by name; the day of the transplant is
            taken from the facts and treatments.
        as_of: the day samples are due or overdue on; None is the last visit's.
    """

    external: Sequence[TimelineVisit] = ()
    treatments: Sequence[Treatment] = ()
    facts: Facts = field(default_factory=Facts)
    protocols: Sequence[LoadedProtocol] | None = None
    baseline: str | None = None
    as_of: str | None = None
    identity: Known = field(default_factory=Known)


def build_timeline(
    results: Sequence[VisitResult], given: Given | None = None
) -> Timeline:
    """Build one patient's timeline from visit results, in any order.

    Raises:
        ResultError: the results cannot stand in one timeline, the baseline is not among
            the detected samples, or a protocol is for another disease.
    """
    given = given or Given()
    patient, disease = name_patient(results, given)
    protocols = given.protocols
    if protocols is None:
        protocols = [read_packaged(name) for name in choose_default(disease)]
    _check_protocols(protocols, disease)
    anchors = gather_anchors(given.facts, given.treatments)
    known = replace(given.identity, transplant=anchors.get("transplant"))
    checks = check_identity(results, known)
    own = apply_identity([draft_visit(result) for result in results], checks, known)
    visits = order_visits([*own, *given.external])
    check_names(visits)
    filled = [_fill(member) for member in _split(visits, given.baseline)]
    visits = order_visits([visit for member in filled for visit in member.visits])
    rules = [loaded.protocol for loaded in protocols]
    described = [
        describe_series(member, lambda key, level: find_threshold(rules, key, level))
        for member in filled
    ]
    kinetics = tuple(k for k in described if k is not None)
    found = _assess(
        rules,
        Case(
            visits=tuple(visits),
            kinetics=kinetics,
            facts=complete_facts(given.facts, visits),
            treatments=tuple(given.treatments),
            anchors=anchors,
            exclusions=Exclusions(genes=frozenset(), germline=find_germline(visits)),
            disease=disease,
            diagnosis_samples=_find_diagnosis(filled),
            undetectable_genes=frozenset(),
            as_of=given.as_of or visits[-1].date,
        ),
    )
    return Timeline(
        patient=patient,
        disease=disease,
        visits=tuple(add_plausibility(visits, results)),
        kinetics=kinetics,
        flags=found.flags,
        unjudged=found.unjudged,
        notes=found.notes,
        schedule=found.schedule,
        treatments=tuple(given.treatments),
        protocols=tuple(_name_protocol(loaded) for loaded in protocols),
        thresholds=list_thresholds(rules, visits, given.facts),
        anchors=anchors,
        identity=checks,
        quality=(*_find_shared_days(visits), *unchecked(results, checks)),
        software=Software(version=__version__),
    )


def _name_protocol(loaded: LoadedProtocol) -> ProtocolUsed:
    protocol = loaded.protocol
    return ProtocolUsed(
        id=protocol.id,
        version=protocol.version,
        title=protocol.title,
        title_fr=protocol.title_fr,
        digest=loaded.digest,
        conditions=protocol.conditions,
        conditions_fr=protocol.conditions_fr,
    )


def _split(visits: Sequence[TimelineVisit], baseline: str | None) -> tuple[Series, ...]:
    series = split_series(visits, baseline)
    if baseline is not None and not _has_baseline(series, baseline):
        raise ResultError(
            "--baseline",
            f"sample {baseline} is not among the samples with a detected level",
            "name a detected sample of this patient",
        )
    return series


def name_patient(results: Sequence[VisitResult], given: Given) -> tuple[str, str]:
    """Name patient and disease: by the results, else by the facts.

    Raises:
        ResultError: they are not told, or results and facts disagree.
    """
    facts = given.facts
    if not results:
        return _name_by_facts(given)
    check_visits([(result.sample, result) for result in results])
    patient, disease = results[0].patient, results[0].disease
    if facts.patient is not None and facts.patient != patient:
        raise ResultError(
            "--facts",
            f"is of patient {facts.patient}, the results are of {patient}",
            "give the facts of this patient",
        )
    if facts.disease is not None and facts.disease != disease:
        raise ResultError(
            "--facts",
            f"names the disease {facts.disease}, the results {disease}",
            "correct the facts, or use a panel of that disease",
        )
    return patient, disease


def _name_by_facts(given: Given) -> tuple[str, str]:
    patient, disease = given.facts.patient, given.facts.disease
    if not given.external:
        raise ResultError(
            "timeline", "has no result", "give a SAMPLE.mrd.json, or --external"
        )
    if patient is None or disease is None:
        lacking = "patient" if patient is None else "disease"
        raise ResultError(
            "--external",
            f"comes without a SAMPLE.mrd.json, so the {lacking} is not known",
            "name patient and disease in the facts file (--facts)",
        )
    return patient, disease


def _check_protocols(protocols: Sequence[LoadedProtocol], disease: str) -> None:
    seen: set[str] = set()
    for loaded in protocols:
        protocol = loaded.protocol
        if disease not in protocol.diseases:
            raise ResultError(
                f"protocol {protocol.id}",
                f"is for {', '.join(protocol.diseases)}, the patient has {disease}",
                "name a protocol of this disease",
            )
        if protocol.id in seen:
            raise ResultError(
                f"protocol {protocol.id}", "is named twice", "name each protocol once"
            )
        seen.add(protocol.id)


def _assess(protocols: Sequence[Protocol], case: Case) -> Assessment:
    return assess([(protocol, _prepare(protocol, case)) for protocol in protocols])


def _prepare(protocol: Protocol, case: Case) -> Case:
    """Give a protocol its own view of the case: what it excludes and cannot count."""
    guards = any(isinstance(rule, DetectabilityRule) for rule in protocol.rule)
    unseen = {
        plain_name(gene)
        for gene in case.facts.rare_marker
        if not case.facts.detectable_at_diagnosis.get(gene)
    }
    return replace(
        case,
        exclusions=replace(case.exclusions, genes=protocol.excluded_genes),
        undetectable_genes=frozenset(unseen) if guards else frozenset(),
        memory={},
        tissues=frozenset(
            tissue
            for rule in protocol.rule
            if isinstance(rule, MeasuredRule)
            for tissue in list_tissues(rule)
        ),
    )


def _find_diagnosis(series: Sequence[Series]) -> frozenset[str]:
    return frozenset(
        member.visits[member.baseline].sample
        for member in series
        if member.baseline is not None and member.baseline_is_diagnosis
    )


def find_threshold(
    protocols: Sequence[Protocol], key: SeriesKey, level: float
) -> Threshold | None:
    """Find the next threshold above a level that a rule on this series states."""
    found: list[Threshold] = []
    for protocol in protocols:
        for rule in protocol.rule:
            if not isinstance(rule, LevelRule | ConversionRule):
                continue
            lower = rule.test.lower
            tissue = not rule.specimen or key.specimen in rule.specimen
            if lower is None or lower <= level or rule.metric != key.metric:
                continue
            if tissue and _is_on(rule, key):
                found.append(Threshold(level=lower, rule=rule.id))
    return min(found) if found else None


def _is_on(rule: LevelRule | ConversionRule, key: SeriesKey) -> bool:
    points = rule.window.timepoints
    if points and not _LATER_POINTS & set(points):
        return False
    if rule.marker.kind == "level":
        return True
    wanted = {plain_name(gene) for gene in rule.marker.genes}
    return rule.marker.kind == "transcript" and plain_name(key.target or "") in wanted


def _find_shared_days(visits: Sequence[TimelineVisit]) -> tuple[QualityFinding, ...]:
    """Tell of days with more than one tissue: they are kept apart."""
    tissues: dict[str, set[str]] = {}
    for visit in visits:
        tissues.setdefault(visit.date, set()).add(visit.specimen or "not_told")
    return tuple(
        finding("several_specimens", "info", day=day, specimens=tuple(sorted(named)))
        for day, named in sorted(tissues.items())
        if len(named) > 1
    )


def order_visits(visits: Sequence[TimelineVisit]) -> list[TimelineVisit]:
    """Put visits in date order; marrow, blood and methods of one day stand apart."""
    return sorted(
        visits,
        key=lambda v: (v.date, v.source != "mrdtrack", v.specimen or "", v.sample),
    )


def check_names(visits: Sequence[TimelineVisit]) -> None:
    """Refuse two visits of one name, since flags name the visit they rest on.

    Raises:
        ResultError: a name comes twice.
    """
    seen: set[str] = set()
    for visit in visits:
        if visit.sample in seen:
            raise ResultError(
                f"sample {visit.sample}",
                "names two results of the timeline",
                "give the other method's row a name of its own in the column sample",
            )
        seen.add(visit.sample)


def _has_baseline(series: Sequence[Series], sample: str) -> bool:
    return any(
        member.baseline is not None and member.visits[member.baseline].sample == sample
        for member in series
    )


def _fill(series: Series) -> Series:
    visits = add_series_facts(series)
    first = None if series.baseline is None else visits[series.baseline]
    checked = []
    for visit in visits:
        finding = find_disagreement(None if visit is first else first, visit)
        found = () if finding is None else (finding,)
        checked.append(visit.model_copy(update={"quality": visit.quality + found}))
    return replace(series, visits=tuple(checked))
