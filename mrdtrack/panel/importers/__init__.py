"""Importers: a laboratory's own files as a panel, one module a format."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as SequenceOf
from pathlib import Path
from typing import NamedTuple, get_args

from mrdtrack.errors import FaultList, InputError, PanelError
from mrdtrack.panel.adjacency import adjacency_of, normalise
from mrdtrack.panel.file import EVENT
from mrdtrack.panel.importers.airr import import_airr
from mrdtrack.panel.importers.detect import Kind, detect_kind
from mrdtrack.panel.importers.fusions import import_arriba, import_star_fusion
from mrdtrack.panel.importers.immunoseq import import_immunoseq
from mrdtrack.panel.importers.itd_tables import import_getitd
from mrdtrack.panel.importers.outcome import Candidate, Imported, ImportOptions
from mrdtrack.panel.importers.plain_table import import_bedpe, import_table
from mrdtrack.panel.importers.selection import (
    CLONAL_HAEMATOPOIESIS,
    Proposal,
    advise_selection,
    propose,
)
from mrdtrack.panel.importers.vcf import import_vcf
from mrdtrack.panel.importers.vidjil import import_vidjil
from mrdtrack.panel.model import SCHEMA, Disease, Marker, Panel, Sequence
from mrdtrack.panel.reference import Reference

KINDS: tuple[Kind, ...] = get_args(Kind)
IMPORTERS: dict[Kind, Callable[[Path, ImportOptions], Imported]] = {
    "vcf": import_vcf,
    "airr": import_airr,
    "vidjil": import_vidjil,
    "immunoseq": import_immunoseq,
    "getitd": import_getitd,
    "arriba": import_arriba,
    "star-fusion": import_star_fusion,
    "bedpe": import_bedpe,
    "table": import_table,
}
MAX_TOLD = 50
MOST_TEXT = 1000


class PanelFacts(NamedTuple):
    """What the panel says of its patient; `patient` defaults to sample or file name."""

    patient: str | None = None
    disease: Disease = "other"
    assembly: str | None = None


class ImportedPanel(NamedTuple):
    """The panel, a proposal for each of its markers, and what was left out."""

    panel: Panel
    proposals: list[Proposal]
    notes: list[str]


def import_panel(
    paths: SequenceOf[Path],
    *,
    kind: Kind | None = None,
    options: ImportOptions | None = None,
    facts: PanelFacts | None = None,
    skip_unusable: bool = False,
) -> ImportedPanel:
    """Make one panel of one or more files.

    Args:
        paths: the files, in the order their markers are to stand.
        kind: their format; by default each is looked at.
        options: which records to take.
        facts: what the panel says of its patient.
        skip_unusable: leave out sound records of which no marker can be made, and say
            so, instead of refusing the file.

    Raises:
        PanelError: a file is not of its kind, or holds no marker.
        FaultList: records are wrong; all are named.
    """
    facts = facts or PanelFacts()
    options = options or ImportOptions()
    candidates: list[Candidate] = []
    notes: list[str] = []
    sample: str | None = None
    for path in paths:
        found = IMPORTERS[kind or detect_kind(path)](path, options)
        _refuse(path, found, skip_unusable=skip_unusable)
        told = [*found.unusable, *found.notes]
        notes += [f"{path.name}: {note}" for note in told[:MAX_TOLD]]
        if len(told) > MAX_TOLD:
            notes.append(f"{path.name}: {len(told) - MAX_TOLD} more records left out")
        candidates += found.candidates
        sample = sample or found.sample
    candidates = [_as_reported(candidate) for candidate in candidates]
    events = _events(paths, candidates, options.reference)
    candidates = _distinct(candidates, events, notes)
    if not candidates:
        raise PanelError(
            ", ".join(str(path) for path in paths),
            "no marker was found" + (f" ({notes[0]})" if notes else ""),
            "check the file and the selection",
        )
    panel = Panel(
        schema_=SCHEMA,
        patient=_patient(paths[0], facts.patient or options.sample or sample),
        disease=facts.disease,
        assembly=facts.assembly,
        marker=tuple(candidate.marker for candidate in candidates),
    )
    proposals = propose(candidates)
    notes += advise_selection(candidates, proposals)
    return ImportedPanel(panel, proposals, notes)


def _refuse(path: Path, found: Imported, *, skip_unusable: bool) -> None:
    if found.faults:
        faults = found.faults + ([] if skip_unusable else found.unusable)
        raise FaultList(str(path), _most(faults), "correct these records and try again")
    if found.unusable and not skip_unusable:
        raise FaultList(
            str(path),
            _most(found.unusable),
            "correct these records, or leave them out with --skip-unusable",
        )


def _most(faults: SequenceOf[str]) -> list[str]:
    told = list(faults[:MAX_TOLD])
    n_more = len(faults) - len(told)
    return [*told, f"and {n_more} more"] if n_more else told


def _as_reported(candidate: Candidate) -> Candidate:
    """Count variants of clonal haematopoiesis, and keep them out of the level."""
    marker = candidate.marker
    if (marker.gene or "").upper() not in CLONAL_HAEMATOPOIESIS:
        return candidate
    return candidate._replace(marker=marker.model_copy(update={"role": "report_only"}))


def _events(
    paths: SequenceOf[Path], candidates: list[Candidate], reference: Reference | None
) -> list[object]:
    """Give of each marker what is the same for all spellings of its event.

    With a reference that is more than one spelling: a duplication that one caller
    writes as an insertion, an indel shifted within its repeat.

    Raises:
        FaultList: markers do not fit the reference; all are named.
    """
    events: list[object] = []
    faults: list[str] = []
    for candidate in candidates:
        try:
            events.append(_event(candidate.marker, reference))
        except InputError as error:
            faults.append(f"{candidate.where}: {error.problem}; {error.remedy}")
    if faults:
        where = ", ".join(str(path) for path in paths)
        raise FaultList(where, _most(faults), "give the reference of these records")
    return events


def _event(marker: Marker, reference: Reference | None) -> object:
    if reference is None or isinstance(marker, Sequence):
        return marker.model_dump_json(include=set(EVENT))
    return normalise(adjacency_of(marker, reference), reference)


def _distinct(
    candidates: list[Candidate], events: list[object], notes: list[str]
) -> list[Candidate]:
    """Leave out markers that stand twice, and give every other its own id."""
    kept: list[Candidate] = []
    known: dict[object, str] = {}
    taken: set[str] = set()
    for candidate, event in zip(candidates, events, strict=True):
        if event in known:
            notes.append(f"{candidate.where} is left out: it repeats {known[event]!r}")
            continue
        marker = _renamed(candidate.marker, taken)
        known[event] = marker.id
        taken.add(marker.id)
        kept.append(candidate._replace(marker=marker))
    return kept


def _renamed(marker: Marker, taken: set[str]) -> Marker:
    if marker.id not in taken:
        return marker
    number = 2
    while f"{marker.id} ({number})" in taken:
        number += 1
    return marker.model_copy(update={"id": f"{marker.id} ({number})"})


def _patient(path: Path, name: str | None) -> str:
    """Name the patient, by the file where nothing else does."""
    name = name or _stem(path)
    if len(name) > MOST_TEXT:
        raise PanelError(
            str(path),
            f"its sample's name has {len(name)} characters",
            "give the patient's pseudonym with --patient",
        )
    return name


def _stem(path: Path) -> str:
    return path.name.partition(".")[0] or path.name
