"""The counts of one sample: the order of the bench half, from reads to the waist."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mrdtrack.counting.amplicons import dropped_duplicates
from mrdtrack.counting.background import (
    Stretches,
    background_sites,
    lay_stretches,
    share_unlike_reference,
    tally_positions,
)
from mrdtrack.counting.identity import germline_alleles
from mrdtrack.counting.library import LibraryMeasure
from mrdtrack.counting.molecules import (
    Grouping,
    choose_grouping,
    group_molecules,
    join_observations,
)
from mrdtrack.counting.plan import CountingPlan, plan_counting
from mrdtrack.counting.reads_file import ReadsFile, open_reads
from mrdtrack.counting.sample_choice import choose_sample
from mrdtrack.counting.sequence_tally import SequenceHits, tally_sequences
from mrdtrack.counting.settings import CountingSettings, build_read_filter
from mrdtrack.counting.tally import tally_marker, unassessable
from mrdtrack.counts import (
    BackgroundSite,
    MarkerCounts,
    SampleCounts,
)
from mrdtrack.errors import AlignmentsError
from mrdtrack.kernels.arrays import Bytes, Observations, ReadFilter
from mrdtrack.kernels.observations import observe_records
from mrdtrack.kernels.sequences import ScanResult, scan_sequences
from mrdtrack.kernels.stretches import BackgroundRows, read_stretches
from mrdtrack.panel.model import Panel
from mrdtrack.panel.reference import Reference

T = TypeVar("T")

MOST_UNLIKE = 0.2
"""Share of bases unlike the reference from which reads are of another sequence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one chunk of records said."""

    observations: Observations | None
    rows: BackgroundRows | None
    scan: ScanResult | None


def count_reads(
    path: Path,
    panel: Panel,
    reference: Reference | None,
    settings: CountingSettings,
    sample: str | None = None,
) -> SampleCounts:
    """Count all markers of a panel in one file of reads.

    Args:
        path: BAM, CRAM, SAM or FASTQ.
        panel: what to count.
        reference: needed for every marker but `sequence`.
        settings: filters, molecules, threads.
        sample: name of the sample, by default that of the read groups or the file; of
            a file of several samples, the one to count.

    Raises:
        InputError: panel, reference and reads do not fit, or a file is damaged.
    """
    reads = open_reads(path, reference.path if reference is not None else None)
    choice = choose_sample(reads, sample, settings.read_groups)
    plan = plan_counting(panel, reads, reference)
    stretches = lay_stretches(plan, reference)
    near = stretches.arrays
    measure = LibraryMeasure(near.contig, near.low, near.high)
    heard = list(
        hear(reads, plan, stretches, settings, lambda c: measure.watch(choice.pick(c)))
    )
    observations = join_observations(_present(part.observations for part in heard))
    hits = SequenceHits.of(_present(part.scan for part in heard))
    grouping = choose_grouping(
        join_observations([observations, hits.observations]),
        settings.molecules,
    )
    located, sizes = _tally_located(plan, observations, grouping, settings)
    rows = tally_sequences(plan.sequences, hits, grouping, settings.min_family_size)
    positions = tally_positions(
        stretches, _present(part.rows for part in heard), grouping, settings
    )
    background = background_sites(stretches, positions)
    _check_fit(path, background)
    germline = germline_alleles(plan.identity, stretches, positions)
    counted = {row.marker: row for row in (*located, *rows.markers)}
    for marker, why_not in plan.left_out:
        counted[marker.id] = unassessable(marker, grouping.mode, why_not)
    return SampleCounts(
        sample=choice.name,
        molecule_mode=grouping.mode,
        markers=tuple(counted[marker.id] for marker in panel.marker),
        background=background,
        identity=germline.identity,
        searched=germline.searched,
        family_sizes=dict(sorted((sizes + Counter(rows.family_sizes)).items())),
        library=measure.library(),
        quality=(
            *reads.findings,
            *choice.findings,
            *grouping.findings,
            *plan.findings,
            *dropped_duplicates(
                observations, [marker.id for marker, _ in plan.located], grouping
            ),
        ),
    )


def _check_fit(path: Path, background: Sequence[BackgroundSite]) -> None:
    """See that the reads are of the reference's sequence around the markers."""
    share = share_unlike_reference(background)
    if share > MOST_UNLIKE:
        raise AlignmentsError(
            str(path),
            f"{share:.0%} of the bases around the markers are not the reference's",
            "give the reference that the reads were aligned to, and its positions",
        )


def _present(parts: Iterable[T | None]) -> list[T]:
    return [part for part in parts if part is not None]


def hear(
    reads: ReadsFile,
    plan: CountingPlan,
    stretches: Stretches,
    settings: CountingSettings,
    pick: Callable[[Iterator[Bytes]], Iterator[Bytes]],
) -> Iterator[Heard]:
    """Run the kernels over the records, in file order.

    Sequences and `scan` need every record; else only those near the markers are read.
    `pick` chooses records of the chunks.
    """
    read_filter = build_read_filter(settings)
    whole = bool(plan.sequences) or settings.scan or not reads.has_index
    regions = None if whole else plan.regions
    if regions is not None and not regions:
        return
    chunks = pick(reads.chunks(regions, settings.threads))

    def listen(chunk: Bytes) -> Heard:
        return _listen(chunk, plan, stretches, read_filter, settings.min_base_quality)

    yield from in_order(listen, chunks, settings.threads)


def _listen(
    chunk: Bytes,
    plan: CountingPlan,
    stretches: Stretches,
    read_filter: ReadFilter,
    min_quality: int,
) -> Heard:
    """Run every kernel that has something to look for over one chunk."""
    index = plan.sequence_index
    located = bool(plan.located)
    return Heard(
        observations=(
            observe_records(chunk, plan.targets, read_filter) if located else None
        ),
        rows=(
            read_stretches(chunk, stretches.arrays, read_filter, min_quality)
            if stretches.contigs
            else None
        ),
        scan=scan_sequences(chunk, index, read_filter) if index is not None else None,
    )


def in_order(
    work: Callable[[Bytes], T], chunks: Iterator[Bytes], threads: int
) -> Iterator[T]:
    """Work on chunks in a pool of threads, and give the results in their order."""
    if threads == 1:
        yield from map(work, chunks)
        return
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for chunk in chunks:
            waiting.append(pool.submit(work, chunk))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _tally_located(
    plan: CountingPlan,
    observations: Observations,
    grouping: Grouping,
    settings: CountingSettings,
) -> tuple[list[MarkerCounts], Counter[int]]:
    """Count located markers, and families by their size."""
    if not plan.located:
        return [], Counter()
    grouped = group_molecules(
        observations,
        plan.targets.threshold,
        plan.targets.event,
        grouping,
        settings.min_family_size,
    )
    rows = [
        tally_marker(index, marker, haplotypes, grouped, grouping.mode)
        for index, (marker, haplotypes) in enumerate(plan.located)
    ]
    return rows, Counter(grouped.family_sizes)
