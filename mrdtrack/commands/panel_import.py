"""`mrdtrack panel import`: a laboratory's own files in, a panel out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from mrdtrack.errors import OutputError, one_line
from mrdtrack.panel.importers import ImportedPanel, PanelFacts, import_panel
from mrdtrack.panel.importers.detect import Kind, detect_kind
from mrdtrack.panel.importers.outcome import ImportOptions
from mrdtrack.panel.importers.selection import Proposal
from mrdtrack.panel.importers.vidjil import vidjil_course
from mrdtrack.panel.model import Disease, Panel
from mrdtrack.panel.reference import Reference
from mrdtrack.panel.writer import panel_text
from mrdtrack.reports.output_files import write_files

STDOUT = Path("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelImportRequest:
    """What `mrdtrack panel import` is asked for.

    `output` is the panel file, `-` for stdout. `min_share` is the least share of its
    locus of a clone (5 % unless given) or VAF of a variant (none unless given).
    `course` is a file for a .vidjil's time points, as external results.
    """

    files: tuple[Path, ...]
    output: Path
    patient: str | None = None
    disease: Disease | None = None
    assembly: str | None = None
    kind: Kind | None = None
    sample: str | None = None
    time_point: int = 1
    pass_only: bool = False
    min_share: float | None = None
    skip_unusable: bool = False
    reference: Path | None = None
    course: Path | None = None
    force: bool = False
    quiet: bool = False


def panel_import(request: PanelImportRequest) -> Panel:
    """Make a panel of the files, write it, and say which markers speak for themselves.

    Raises:
        InputError: a file is wrong, holds no marker, or the output exists.
        FaultList: records of a file are wrong.
    """
    with ExitStack() as stack:
        reference = None
        if request.reference is not None:
            reference = stack.enter_context(Reference(request.reference))
        imported = import_panel(
            request.files,
            kind=request.kind,
            options=ImportOptions(
                sample=request.sample,
                pass_only=request.pass_only,
                min_share=request.min_share,
                time_point=request.time_point,
                reference=reference,
            ),
            facts=PanelFacts(
                request.patient, request.disease or "other", request.assembly
            ),
            skip_unusable=request.skip_unusable,
        )
    course = _course(request) if request.course else None
    _write(request, imported, course)
    if not request.quiet:
        _tell(imported)
    return imported.panel


def _write(
    request: PanelImportRequest, imported: ImportedPanel, course: str | None
) -> None:
    comments = {p.marker: _sentence(p) for p in imported.proposals}
    text = panel_text(imported.panel, comments=comments)
    if request.course and course is not None:
        _write_file(request.course, course, force=request.force)
    if request.output == STDOUT:
        sys.stdout.write(text)
        return
    _write_file(request.output, text, force=request.force)


def _write_file(path: Path, text: str, *, force: bool) -> None:
    if not path.name:
        raise OutputError(str(path), "this is no file name", "name the file to write")
    write_files(path.parent, {path.name: text.encode()}, force=force)


def _sentence(proposal: Proposal) -> str:
    if proposal.rank is None:
        return f"not proposed to drive a level: {proposal.reason}"
    return f"proposed, rank {proposal.rank}: {proposal.reason}"


def _tell(imported: ImportedPanel) -> None:
    lines = [f"{p.marker}: {_sentence(p)}" for p in imported.proposals]
    lines += [f"note: {note}" for note in imported.notes]
    sys.stderr.writelines(f"{one_line(line)}\n" for line in lines)


def _course(request: PanelImportRequest) -> str:
    """Give the clones of .vidjil files over their time points, as external results.

    A level is the clone's share of the reads of its locus. Fewer than five reads are
    detected, not quantifiable (Vidjil's own rule); the limit is that of sampling the
    reads alone, 3 / reads (95 % for one read).
    """
    rows = ["date,specimen,metric,value,lod,call,method,target,sample"]
    for path in _vidjil_files(request):
        for point in vidjil_course(path):
            if not point.total:
                continue
            value = f"{point.reads / point.total:.6g}" if point.reads else ""
            target, sample = (
                one_line(text).replace(",", ";").replace('"', "'")
                for text in (point.name, point.sample)
            )
            rows.append(
                f"{point.date},,igtr_frac,{value},{min(3 / point.total, 1):.6g},"
                f"{_call(point.reads)},Vidjil reads,{target},{sample} {target}"
            )
    return "\n".join(rows) + "\n"


def _call(reads: int) -> str:
    if reads >= 5:
        return "quantified"
    return "detected_below_loq" if reads else "not_detected"


def _vidjil_files(request: PanelImportRequest) -> Sequence[Path]:
    found = [
        path
        for path in request.files
        if (request.kind or detect_kind(path)) == "vidjil"
    ]
    if not found:
        raise OutputError(
            str(request.course),
            "no .vidjil file was given, so there is no course to write",
            "leave the option out",
        )
    return found
