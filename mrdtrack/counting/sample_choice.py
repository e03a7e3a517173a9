"""Whose reads are counted where a file holds those of several samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mrdtrack.counting.fastq_pairs import shared_name
from mrdtrack.counting.reads_file import ReadGroup, ReadsFile
from mrdtrack.counts import QualityFinding
from mrdtrack.errors import AlignmentsError
from mrdtrack.findings import finding
from mrdtrack.kernels.arrays import Bytes
from mrdtrack.kernels.read_groups import records_of_groups

_MOST_NAMED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleChoice:
    """The sample's name, and the read groups to count (None: every read)."""

    name: str
    groups: tuple[str, ...] | None
    findings: tuple[QualityFinding, ...] = ()

    def pick(self, chunk: Bytes) -> Bytes:
        """Give the records of the chosen read groups."""
        if self.groups is None:
            return chunk
        ids = [group.encode() for group in self.groups]
        names = np.frombuffer(bytearray(b"".join(ids)), np.uint8)
        start = np.concatenate(([0], np.cumsum([len(name) for name in ids])))
        return records_of_groups(chunk, names, start.astype(np.int64))


def choose_sample(
    reads: ReadsFile, sample: str | None, read_groups: Sequence[str]
) -> SampleChoice:
    """Choose read groups by their ids, by their sample's name, or take all.

    A file of several samples is refused unless one is chosen. A `sample` that none of
    them has is the user's own name for all reads together.

    Raises:
        AlignmentsError: nothing was chosen, or what was chosen is not in the file.
    """
    groups = reads.header.read_groups
    if read_groups:
        chosen = _by_id(reads, read_groups)
        name = sample or _common_name(chosen) or file_name(reads)
        ids = tuple(group.id for group in chosen)
        return SampleChoice(name=name, groups=ids, findings=_mixture(chosen))
    names = _samples(groups)
    if len(names) < 2:
        return SampleChoice(
            name=sample or _common_name(groups) or file_name(reads), groups=None
        )
    if sample is None:
        raise AlignmentsError(
            str(reads.path),
            f"its read groups are of {len(names)} samples ({_listed(names)})",
            "choose one with --sample NAME, or groups with --read-group ID",
        )
    if sample in names:
        ids = tuple(group.id for group in groups if group.sample == sample)
        return SampleChoice(name=sample, groups=ids)
    return SampleChoice(name=sample, groups=None, findings=_mixture(groups))


def _by_id(reads: ReadsFile, wanted: Sequence[str]) -> list[ReadGroup]:
    known = {group.id: group for group in reads.header.read_groups}
    for name in wanted:
        if name not in known:
            told = f"it has {_listed(sorted(known))}" if known else "it has none"
            raise AlignmentsError(
                str(reads.path), f"has no read group {name!r}", f"{told}: name one"
            )
    return [known[name] for name in dict.fromkeys(wanted)]


def _listed(names: Sequence[str]) -> str:
    more = "" if len(names) <= _MOST_NAMED else ", ..."
    return ", ".join(names[:_MOST_NAMED]) + more


def _samples(groups: Iterable[ReadGroup]) -> list[str]:
    return sorted({group.sample for group in groups if group.sample})


def _common_name(groups: Iterable[ReadGroup]) -> str | None:
    names = _samples(groups)
    return names[0] if len(names) == 1 else None


def _mixture(groups: Iterable[ReadGroup]) -> tuple[QualityFinding, ...]:
    names = _samples(groups)
    if len(names) < 2:
        return ()
    return (
        finding("MIXED_SAMPLES", "warning", n_samples=len(names), samples=tuple(names)),
    )


def file_name(reads: ReadsFile) -> str:
    """Name a sample by its file."""
    name = reads.path.name if reads.mate is None else shared_name(reads.path)
    for suffix in (".gz", ".bam", ".cram", ".sam", ".fastq", ".fq"):
        name = name.removesuffix(suffix)
    return name
