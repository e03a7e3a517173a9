"""The timeline: visits in order, their kinetics, and what the rules make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mrdtrack import __version__
from mrdtrack.errors import ResultError
from mrdtrack.follow_up.course import find_disagreement
from mrdtrack.follow_up.facts import Facts, gather_anchors
from mrdtrack.follow_up.kinetics import add_series_facts, describe_series
from mrdtrack.follow_up.series import Series, split_series
from mrdtrack.follow_up.timeline import Timeline, TimelineVisit, Treatment
from mrdtrack.follow_up.visits import check_visits, draft_visit
from mrdtrack.levels.result import Software, VisitResult


def build_timeline(
    results: Sequence[VisitResult],
    *,
    external: Sequence[TimelineVisit] = (),
    treatments: Sequence[Treatment] = (),
    facts: Facts | None = None,
    baseline: str | None = None,
) -> Timeline:
    """Build one patient's timeline.

    Args:
        results: visit results of one patient, in any order.
        external: results of other methods (`read_external`).
        treatments: spans of treatment.
        facts: disease facts; None knows nothing.
        baseline: sample to measure reductions from; None finds it.

    Raises:
        ResultError: the results cannot stand in one timeline, or the baseline is not
            among the detected samples.
    """
    check_visits([(result.sample, result) for result in results])
    facts = facts or Facts()
    visits = order_visits([*map(draft_visit, results), *external])
    check_names(visits)
    series = split_series(visits, baseline)
    if baseline is not None and not _has_baseline(series, baseline):
        raise ResultError(
            "--baseline",
            f"sample {baseline} is not among the samples with a detected level",
            "name a detected sample of this patient",
        )
    filled = [_fill(member) for member in series]
    visits = order_visits([visit for member in filled for visit in member.visits])
    kinetics = [describe_series(member) for member in filled]
    return Timeline(
        patient=results[0].patient,
        disease=results[0].disease,
        visits=tuple(visits),
        kinetics=tuple(k for k in kinetics if k is not None),
        flags=(),
        schedule=(),
        treatments=tuple(treatments),
        anchors=gather_anchors(facts, treatments),
        software=Software(version=__version__),
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
