"""`mrdtrack batch`: the results of one sequencing run in, its one page out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mrdtrack.counts import SampleCounts
from mrdtrack.errors import ResultError
from mrdtrack.follow_up.visits import read_visit
from mrdtrack.levels.carry_over import run_carry_over
from mrdtrack.levels.result import VisitResult
from mrdtrack.levels.visit_facts import LevelSettings
from mrdtrack.reports.batch import CarryOver
from mrdtrack.reports.batch_files import DEFAULT_BATCH_FORMATS, batch_files
from mrdtrack.reports.output_files import write_files

if TYPE_CHECKING:
    from mrdtrack.reports.batch_files import BatchFormat
    from mrdtrack.reports.words import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """What the command line asks for; `run` names the page and its files."""

    results: Sequence[Path]
    output: Path
    run: str = "run"
    language: Language = "en"
    formats: Sequence[BatchFormat] = DEFAULT_BATCH_FORMATS
    force: bool = False


def batch(request: BatchRequest) -> list[VisitResult]:
    """Put the samples of one run on one page, in the order given.

    Raises:
        InputError: a file is wrong, a sample comes twice, or an output exists and
            `force` is not given.
    """
    results = _read(request.results)
    files = batch_files(
        request.run,
        results,
        carried_over(results),
        request.formats,
        request.language,
    )
    write_files(request.output, files, force=request.force)
    return results


def _read(paths: Sequence[Path]) -> list[VisitResult]:
    held: dict[str, Path] = {}
    results = []
    for path in paths:
        result = read_visit(path)
        if result.sample in held:
            raise ResultError(
                str(path),
                f"sample {result.sample} is also in {held[result.sample]}",
                "give each sample once",
            )
        held[result.sample] = path
        results.append(result)
    return results


def carried_over(results: Sequence[VisitResult]) -> list[CarryOver]:
    """Work out what may come over, for each two samples of one panel, both ways.

    By the same rule as where `quantify` is given the samples together: from the
    molecules of each marker of the level, which the results hold. Samples of different
    panels look for different sequences and are not compared.
    """
    found = []
    for panel in dict.fromkeys(result.panel_digest for result in results):
        samples = [result for result in results if result.panel_digest == panel]
        run = run_carry_over([_counts(result) for result in samples], LevelSettings())
        for receiver in samples:
            markers = [
                m.marker for m in receiver.markers if m.assessable and m.role == "level"
            ]
            found += [
                CarryOver(
                    receiver.sample,
                    giver.sample,
                    run.between(receiver.sample, giver.sample, markers),
                )
                for giver in samples
                if giver is not receiver
            ]
    return found


def _counts(result: VisitResult) -> SampleCounts:
    return SampleCounts(
        sample=result.sample,
        molecule_mode=result.molecule_mode,
        markers=result.markers,
    )
