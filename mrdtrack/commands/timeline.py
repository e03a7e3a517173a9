"""`mrdtrack timeline`: visit results in, timeline, kinetics, flags and reports out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mrdtrack.follow_up.build import build_timeline
from mrdtrack.follow_up.external import read_external
from mrdtrack.follow_up.facts import Facts, read_facts, read_treatments
from mrdtrack.follow_up.timeline import Timeline
from mrdtrack.follow_up.visits import read_visits
from mrdtrack.reports.output_files import write_files


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineRequest:
    """What the command line asks for."""

    results: tuple[Path, ...]
    output: Path
    protocols: tuple[str, ...] = ()
    external: Path | None = None
    treatments: Path | None = None
    facts: Path | None = None
    baseline: str | None = None
    language: str = "en"
    audience: str = "clinician"
    formats: tuple[str, ...] = ("html", "json", "tsv")
    force: bool = False
    quiet: bool = False


def timeline(request: TimelineRequest) -> Timeline:
    """Build a patient's timeline and write what was asked for into the folder.

    Raises:
        InputError: a file is wrong, or an output exists and `force` is not given.
    """
    course = build_timeline(
        read_visits(request.results),
        external=read_external(request.external) if request.external else (),
        treatments=read_treatments(request.treatments) if request.treatments else (),
        facts=read_facts(request.facts) if request.facts else Facts(),
        baseline=request.baseline,
    )
    write_timeline(course, request.output, force=request.force)
    return course


def write_timeline(course: Timeline, folder: Path, *, force: bool) -> None:
    """Write the timeline as JSON."""
    text = course.model_dump_json(by_alias=True, indent=2) + "\n"
    write_files(folder, {f"{course.patient}.timeline.json": text.encode()}, force=force)
