"""`mrdtrack demo`: the main job on the packaged example, an invented patient."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import cast

from mrdtrack.commands.quantify import QuantifyRequest, quantify
from mrdtrack.commands.timeline import TimelineRequest, timeline
from mrdtrack.errors import InputError
from mrdtrack.follow_up.timeline import Timeline
from mrdtrack.levels.result import Specimen
from mrdtrack.reports.output_files import safe_name, write_files
from mrdtrack.reports.terminal import timeline_text, wants_colour
from mrdtrack.reports.words import Language, words

REQUIRED_SENSITIVITY = 1e-3
"""A negative must have been able to see 0.1 % (Heuser et al. 2021,
doi:10.1182/blood.2021013626)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRequest:
    """What `mrdtrack demo` is asked for."""

    output: Path
    language: Language = "en"
    force: bool = False
    quiet: bool = False


def demo(request: DemoRequest) -> Timeline:
    """Quantify every visit of the invented patient, then put them on a timeline.

    The example's own files are copied into `input` of the output folder first.
    """
    folder = request.output / "input"
    with demo_folder() as example:
        files = {path.name: path.read_bytes() for path in sorted(example.iterdir())}
        write_files(folder, files, force=request.force)
    course = _follow(request, folder)
    if not request.quiet:
        _tell(course, request)
    return course


def _follow(request: DemoRequest, folder: Path) -> Timeline:
    results = []
    with (folder / "visits.csv").open(encoding="utf-8", newline="") as file:
        visits = list(csv.DictReader(file))
    for visit in visits:
        quantify(
            QuantifyRequest(
                panel=folder / "panel.toml",
                reads=(folder / visit["file"],),
                output=request.output,
                reference=folder / "reference.fa",
                sample=visit["sample"],
                date=visit["date"],
                specimen=cast("Specimen", visit["specimen"]),
                timepoint=visit["timepoint"],
                input_ng=float(visit["input_ng"]),
                required_sensitivity=REQUIRED_SENSITIVITY,
                force=request.force,
                quiet=True,
            )
        )
        results.append(request.output / f"{visit['sample']}.mrd.json")
    return timeline(
        TimelineRequest(
            results=tuple(results),
            output=request.output,
            treatments=folder / "treatments.csv",
            language=request.language,
            force=request.force,
            quiet=True,
        )
    )


def _tell(course: Timeline, request: DemoRequest) -> None:
    """Show the course on the terminal, and name the report last."""
    colour = wants_colour(sys.stderr)
    text = timeline_text(course, words(request.language), colour=colour)
    report = request.output / f"{safe_name(course.patient)}.timeline.html"
    sys.stderr.write(f"{text}\nThe report: {report}\n")


@contextmanager
def demo_folder() -> Iterator[Path]:
    """Give the example's folder: of the installed package, else of the checkout.

    Raises:
        InputError: neither holds it.
    """
    packaged = resources.files("mrdtrack") / "demo_data" / "demo"
    if packaged.is_dir():
        with resources.as_file(packaged) as folder:
            yield folder
        return
    checkout = Path(__file__).resolve().parents[2] / "data" / "fixtures" / "demo"
    if not checkout.is_dir():
        raise InputError(
            "demo",
            "the example patient is not installed",
            "install mrdtrack anew, or run `make fixtures` in a checkout",
        )
    yield checkout
