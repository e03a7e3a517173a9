"""Outputs without names and free text: what may leave the house.

What stays: the patient's pseudonym, dates, markers with their genes, and names that the
user chose on the command line. What goes: names that come from the reads or the file
system, labels and names in free words, and germline alleles that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from mrdtrack.counts import (
    BackgroundSites,
    IdentityCounts,
    QualityFinding,
    SampleCounts,
)
from mrdtrack.findings import Value, finding
from mrdtrack.levels.result import VisitResult
from mrdtrack.protocols.vocabulary import name_time_point
from mrdtrack.provenance import Provenance

if TYPE_CHECKING:
    from mrdtrack.follow_up.build import Given
    from mrdtrack.follow_up.timeline import TimelineVisit

LEFT_OUT: Final = "(left out)"
_NAMES: Final = frozenset({"file", "samples", "sample", "problem"})
"""Values of findings that hold names from the reads or the file system."""


def redacted_counts(counts: SampleCounts, name: str) -> SampleCounts:
    """Rename a sample, and leave out germline alleles that no panel asked for."""
    found = [held for held in counts.identity if held.source == "reads"]
    return counts.model_copy(
        update={
            "sample": name,
            "identity": tuple(h for h in counts.identity if h.source == "panel"),
            "searched": (),
            "background": _without(counts.background, found),
            "quality": _redacted_findings(counts.quality),
        }
    )


def _without(
    background: BackgroundSites, found: Iterable[IdentityCounts]
) -> BackgroundSites:
    held = {(one.contig, one.position) for one in found}
    kept = [place[:2] not in held for place in background.places()]
    return background.at(np.flatnonzero(kept))


def _redacted_findings(found: Iterable[QualityFinding]) -> tuple[QualityFinding, ...]:
    return tuple(
        finding(one.code, one.severity, **_redacted_values(one))
        if _NAMES & one.values.keys()
        else one
        for one in found
    )


def _redacted_values(found: QualityFinding) -> dict[str, Value]:
    return {
        key: LEFT_OUT if key in _NAMES else value for key, value in found.values.items()
    }


def redacted_label(label: str | None) -> str | None:
    """Keep a visit's label where it is a known time point."""
    return name_time_point(label)


def sample_names(patient: str, date: str | None, n_samples: int) -> list[str]:
    """Name samples by the patient's pseudonym, the day and their number."""
    stem = f"{patient}-{date or 'sample'}"
    if n_samples == 1:
        return [stem]
    return [f"{stem}-{number}" for number in range(1, n_samples + 1)]


def redacted_provenance(told: Provenance) -> Provenance:
    """Keep versions and checksums; leave out host, folders, names and arguments."""
    return told.model_copy(
        update={
            "command": told.command[1:2],
            "folder": "",
            "host": "",
            "inputs": tuple(
                one.model_copy(
                    update={"path": f"input-{n}{''.join(Path(one.path).suffixes[-1:])}"}
                )
                for n, one in enumerate(told.inputs, start=1)
            ),
        }
    )


def redacted_given(
    results: Sequence[VisitResult], given: Given
) -> tuple[list[VisitResult], Given]:
    """Name a patient's results by their order, and drop words of their own.

    Samples that are named in what is given beside the results keep their place.
    """
    ordered = sorted(results, key=lambda r: (r.date or "", r.specimen or "", r.sample))
    names = {r.sample: f"{r.patient}-{n}" for n, r in enumerate(ordered, start=1)}
    accepted = given.identity.accepted
    renamed = replace(
        given,
        external=_redacted_external(given.external),
        treatments=[t.model_copy(update={"name": t.kind}) for t in given.treatments],
        baseline=names.get(given.baseline or "", given.baseline),
        identity=replace(
            given.identity, accepted=frozenset(names.get(n, n) for n in accepted)
        ),
    )
    return [_redacted_result(r, names[r.sample]) for r in ordered], renamed


def _redacted_result(result: VisitResult, name: str) -> VisitResult:
    return result.model_copy(
        update={
            "sample": name,
            "timepoint": redacted_label(result.timepoint),
            "quality": _redacted_findings(result.quality),
        }
    )


def _redacted_external(visits: Sequence[TimelineVisit]) -> list[TimelineVisit]:
    """Name results of other methods by their order, and the methods by theirs."""
    methods = list(dict.fromkeys(v.method for v in visits if v.method is not None))
    return [
        visit.model_copy(
            update={
                "sample": f"external-{number}",
                "timepoint": redacted_label(visit.timepoint),
                "method": None
                if visit.method is None
                else f"method {methods.index(visit.method) + 1}",
            }
        )
        for number, visit in enumerate(visits, start=1)
    ]
