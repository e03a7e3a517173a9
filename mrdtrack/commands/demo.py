"""`mrdtrack demo`: the main job on the packaged example, an invented patient."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

from mrdtrack.commands.quantify import QuantifyRequest, quantify
from mrdtrack.commands.timeline import TimelineRequest, timeline
from mrdtrack.errors import InputError
from mrdtrack.follow_up.timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRequest:
    """What `mrdtrack demo` is asked for."""

    output: Path
    language: Literal["en", "fr"] = "en"
    force: bool = False
    quiet: bool = False


def demo(request: DemoRequest) -> Timeline:
    """Quantify every visit of the invented patient, then put them on a timeline."""
    with demo_folder() as folder:
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
                    specimen=visit["specimen"],
                    timepoint=visit["timepoint"],
                    input_ng=float(visit["input_ng"]),
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
                quiet=request.quiet,
            )
        )


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
