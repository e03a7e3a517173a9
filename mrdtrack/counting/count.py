"""The counts of one sample: the order of the bench half, from reads to the waist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mrdtrack.counting.background import Stretches, lay_stretches
from mrdtrack.counting.background_sites import (
    background_sites,
    share_unlike_reference,
)
from mrdtrack.counting.chunk_work import Work
from mrdtrack.counting.fastq_pairs import SampleReads
from mrdtrack.counting.freed_memory import give_back_memory, keep_freed_memory
from mrdtrack.counting.gathering import Gathered, Gathering, Heard, OutOfOrder
from mrdtrack.counting.identity import germline_alleles
from mrdtrack.counting.jobs import Jobs
from mrdtrack.counting.library import LibraryMeasure
from mrdtrack.counting.plan import CountingPlan, plan_counting
from mrdtrack.counting.reads_file import ReadsFile, open_reads
from mrdtrack.counting.sample_choice import SampleChoice, choose_sample
from mrdtrack.counting.sequence_tally import tally_sequences
from mrdtrack.counting.settings import CountingSettings, build_read_filter
from mrdtrack.counting.tally import unassessable
from mrdtrack.counting.told import Told, join_told, told_by
from mrdtrack.counting.umi_families import crowded
from mrdtrack.counts import (
    BackgroundSites,
    Library,
    MarkerCounts,
    SampleCounts,
)
from mrdtrack.errors import AlignmentsError
from mrdtrack.joint_counts import joint_counts
from mrdtrack.kernels.arrays import Bytes, Observations, ReadFilter
from mrdtrack.kernels.hearing import HeardRecords, hear_records
from mrdtrack.kernels.sequences import scan_sequences
from mrdtrack.kernels.strays import observe_strays
from mrdtrack.panel.model import Panel
from mrdtrack.panel.reference import Reference

MOST_UNLIKE = 0.2
"""Share of bases unlike the reference from which reads are of another sequence."""


def count_reads(
    path: Path | SampleReads,
    panel: Panel,
    reference: Reference | None,
    settings: CountingSettings,
    sample: str | None = None,
) -> SampleCounts:
    """Count all markers of a panel in one file of reads.

    Args:
        path: BAM, CRAM, SAM or FASTQ, or a pair of FASTQ files.
        panel: what to count.
        reference: needed for every marker but `sequence`.
        settings: filters, molecules, threads.
        sample: name of the sample, by default that of the read groups or the file; of
            a file of several samples, the one to count.

    Raises:
        InputError: panel, reference and reads do not fit, or a file is damaged.
    """
    keep_freed_memory()
    path, mate = path if isinstance(path, SampleReads) else SampleReads(path)
    fasta = reference.path if reference is not None else None
    reads = open_reads(path, fasta, mate)
    choice = choose_sample(reads, sample, settings.read_groups)
    plan = plan_counting(panel, reads, reference, scan=settings.scan)
    stretches = lay_stretches(plan, reference)
    gathered, library = _gather(reads, plan, stretches, settings, choice)
    give_back_memory()
    grouping = gathered.grouping
    rows = tally_sequences(
        plan.sequences,
        gathered.hits,
        grouping,
        settings.min_family_size,
        library.read_length,
    )
    background = background_sites(stretches, gathered.positions)
    _check_fit(path, background)
    germline = germline_alleles(plan.identity, stretches, gathered.positions)
    counted = {row.marker: row for row in (*gathered.markers, *rows.markers)}
    sizes = gathered.family_sizes + Counter(rows.family_sizes)
    for marker, why_not in plan.left_out:
        counted[marker.id] = unassessable(marker, grouping.mode, why_not)
    _group_shared(counted, plan.shared_events)
    return SampleCounts(
        sample=choice.name,
        molecule_mode=grouping.mode,
        markers=tuple(counted[marker.id] for marker in panel.marker),
        groups=tuple(
            gathered.groups.get(group.name)
            or joint_counts(
                group.name, [counted[m] for m in group.members], None, group.why_not
            )
            for group in plan.groups
        ),
        background=background,
        identity=germline.identity,
        searched=germline.searched,
        family_sizes=dict(sorted(sizes.items())),
        library=library,
        quality=(
            *reads.findings,
            *choice.findings,
            *grouping.findings,
            *plan.findings,
            *gathered.findings,
            *crowded(gathered.crowding, rows.crowding),
        ),
    )


def _group_shared(rows: dict[str, MarkerCounts], shared: Mapping[str, str]) -> None:
    """Put markers of the same molecules into one group, so that they count once."""
    for marker, first in shared.items():
        group = rows[first].group or first
        for name in (first, marker):
            rows[name] = rows[name].model_copy(update={"group": group})


def _check_fit(path: Path, background: BackgroundSites) -> None:
    """See that the reads are of the reference's sequence around the markers."""
    share = share_unlike_reference(background)
    if share > MOST_UNLIKE:
        raise AlignmentsError(
            str(path),
            f"{share:.0%} of the bases around the markers are not the reference's",
            "give the reference that the reads were aligned to, and its positions",
        )


def _gather(
    reads: ReadsFile,
    plan: CountingPlan,
    stretches: Stretches,
    settings: CountingSettings,
    choice: SampleChoice,
) -> tuple[Gathered, Library]:
    """Read the file once; twice if it turns out not to be in the order it claims."""
    claims = reads.has_index or reads.header.sort_order == "coordinate"
    for is_sorted in (True, False) if claims else (False,):
        places = stretches.arrays
        measure = LibraryMeasure(places.contig, places.low, places.high)

        def pick(chunk: Bytes, measure: LibraryMeasure = measure) -> Bytes | None:
            picked = choice.pick(chunk)
            measure.look_at(picked)
            return picked if len(picked) else None

        with Jobs(settings.threads) as jobs:
            gathering = Gathering(plan, stretches, settings, jobs, is_sorted=is_sorted)
            try:
                for heard in hear(reads, plan, stretches, settings, pick):
                    gathering.add(heard)
            except OutOfOrder:
                continue
            return gathering.finish(), measure.library()
    raise AssertionError("an unsorted gathering is never out of order")


def hear(
    reads: ReadsFile,
    plan: CountingPlan,
    stretches: Stretches,
    settings: CountingSettings,
    pick: Callable[[Bytes], Bytes | None],
) -> Iterator[Heard]:
    """Run the kernels over the records, in file order.

    Sequences and `scan` need every record; else only those near the markers are read.
    `pick` chooses records of the chunks, which come to it in that order.
    """
    read_filter = build_read_filter(settings)
    whole = bool(plan.sequences) or settings.scan or not reads.has_index
    regions = None if whole else plan.regions
    if regions is not None and not regions:
        return

    def listen(chunk: Bytes) -> Heard:
        return _listen(chunk, plan, stretches, read_filter, settings.min_base_quality)

    yield from reads.worked(regions, Work(pick, listen, settings.threads))


def _listen(
    chunk: Bytes,
    plan: CountingPlan,
    stretches: Stretches,
    read_filter: ReadFilter,
    min_quality: int,
) -> Heard:
    """Run the kernels over one chunk."""
    records = hear_records(
        chunk, plan.targets, stretches.arrays, read_filter, min_quality
    )
    if plan.sequence_index is None:
        return Heard(records=records, scan=None)
    scan, joins = scan_sequences(chunk, plan.sequence_index, read_filter)
    if plan.joins:
        strays = observe_strays(chunk, plan.targets, read_filter, joins)
        records = _with_strays(records, strays)
    return Heard(records=records, scan=scan)


def _with_strays(records: HeardRecords, strays: Observations) -> HeardRecords:
    """Add what records said that do not lie at their marker."""
    if not len(strays.marker):
        return records
    told = join_told([Told(records.facts, records.claims), told_by(strays)])
    return records._replace(facts=told.facts, claims=told.claims)
