"""The index beside a BAM file: found, checked to belong to it, asked for spans."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrdtrack.counting.bgzf import HEADROOM, Damage, inflate_batch, read_batches
from mrdtrack.counting.index_proof import (
    REACH,
    RecordPlaces,
    Unproven,
    proven_span,
)
from mrdtrack.errors import AlignmentsError
from mrdtrack.kernels.bam_index import (
    INDEX_OUTSIDE_FILE,
    INDEX_TRUNCATED,
    INDEX_WHOLE,
    Found,
    IndexLayout,
    IndexShape,
    find_chunks,
    known_offsets,
    lay_out_index,
)

MAX_INDEX = 1 << 29
BAI_MAGIC = b"BAI\x01"
CSI_MAGIC = b"CSI\x01"
NEAR = 1 << 16
REMEDY = "make the index anew with `samtools index`"


class Region(NamedTuple):
    """A stretch of a contig, 0-based half-open."""

    contig_index: int
    start: int
    end: int


class Span(NamedTuple):
    """A stretch of a BAM file in virtual offsets, from a record to a record."""

    begin: int
    end: int


def index_path(reads: Path) -> Path | None:
    """Find the index beside a BAM or CRAM file; the CSI first."""
    endings = (".crai",) if reads.suffix.lower() == ".cram" else (".csi", ".bai")
    for ending in endings:
        for candidate in (Path(f"{reads}{ending}"), reads.with_suffix(ending)):
            if candidate.is_file():
                return candidate
    return None


class UnusableIndex(AlignmentsError):
    """An index that is damaged, or not that of the reads."""


class ReadsIndex:
    """A BAI or CSI that has been found whole and in keeping with its BAM file."""

    def __init__(self, path: Path, n_contigs: int, file_size: int) -> None:
        """Read and check the index.

        Args:
            path: of the index.
            n_contigs: of the BAM file's header.
            file_size: of the BAM file in bytes.

        Raises:
            UnusableIndex: it is damaged, or of another file.
        """
        self.path = path
        self._data = self._load()
        self._shape, at = self._read_shape()
        count = int.from_bytes(self._data[at : at + 4].tobytes(), "little", signed=True)
        if count != n_contigs:
            raise self.of_another_file()
        self._layout = self._lay_out(at + 4, n_contigs, file_size)

    @property
    def last(self) -> int:
        """Virtual offset behind the last read that has a place; -1: there is none."""
        return int(self._layout.edges.max(initial=-1))

    def of_another_file(self) -> UnusableIndex:
        """Say that the index is not this file's."""
        return UnusableIndex(
            str(self.path),
            "the index belongs to another file or is older than the reads",
            REMEDY,
        )

    def _damaged(self, problem: str) -> UnusableIndex:
        return UnusableIndex(str(self.path), f"the index {problem}", REMEDY)

    def _load(self) -> NDArray[np.uint8]:
        """Read the whole index; a CSI is inflated."""
        try:
            if self.path.stat().st_size > MAX_INDEX:
                raise self._damaged("is too large to be one")
            data = self.path.read_bytes()
        except OSError as error:
            raise self._damaged(f"cannot be read ({error.strerror})") from None
        if data[:2] != b"\x1f\x8b":
            return np.frombuffer(bytearray(data), dtype=np.uint8)
        pieces, total = [], 0
        try:
            for batch in read_batches(BytesIO(data)):
                pieces.append(inflate_batch(batch)[HEADROOM:])
                total += len(pieces[-1])
                if total > MAX_INDEX:
                    raise self._damaged("is too large to be one")
        except Damage as damage:
            raise self._damaged(f"is damaged ({damage})") from None
        return np.concatenate(pieces)

    def _read_shape(self) -> tuple[IndexShape, int]:
        """Read how contigs are divided; then the offset of their number."""
        magic = self._data[:4].tobytes()
        if magic == BAI_MAGIC and len(self._data) >= 8:
            return IndexShape(14, 5, False), 4
        if magic != CSI_MAGIC or len(self._data) < 20:
            raise self._damaged("is neither BAI nor CSI")
        min_shift, depth, size = self._data[4:16].view("<i4").tolist()
        if not (0 < min_shift < 31 and 0 < depth < 12 and min_shift + 3 * depth < 62):
            raise self._damaged("divides contigs in an impossible way")
        if not 0 <= size <= len(self._data) - 20:
            raise self._damaged("is truncated")
        return IndexShape(min_shift, depth, True), 16 + size

    def _lay_out(self, at: int, n_contigs: int, file_size: int) -> IndexLayout:
        if 4 * n_contigs > len(self._data):
            raise self._damaged("is truncated")
        layout = lay_out_index(self._data, at, n_contigs, self._shape, file_size)
        if layout.fault == INDEX_TRUNCATED:
            raise self._damaged("is truncated")
        if layout.fault == INDEX_OUTSIDE_FILE:
            raise self.of_another_file()
        if layout.fault != INDEX_WHOLE:
            raise self._damaged("contradicts itself")
        return layout

    def covers(self, length: int) -> bool:
        """Say whether a contig of this length can be indexed this way at all."""
        return length <= 1 << (self._shape.min_shift + 3 * self._shape.depth)

    def spans(self, regions: Sequence[Region], reads: RecordPlaces) -> list[Span]:
        """List the parts of the file that hold the reads of regions, in file order.

        Parts that lie less than 64 kB apart are read as one: so no two share a block.

        Raises:
            UnusableIndex: the reads do not bear the index out.
        """
        found: list[tuple[int, int]] = []
        for contig, wanted in groupby(sorted(set(regions)), attrgetter("contig_index")):
            known = self._known_records(contig, reads.first)
            for region in wanted:
                if region.end > max(region.start, 0):
                    found += self._region_spans(region, known, reads)
        spans: list[Span] = []
        for begin, end in sorted(found):
            if spans and begin >> 16 <= (spans[-1].end >> 16) + NEAR:
                spans[-1] = Span(spans[-1].begin, max(spans[-1].end, end))
            else:
                spans.append(Span(begin, end))
        return spans

    def _known_records(self, contig: int, first: int) -> list[int]:
        """List where the index has records of a contig start, and the edges of others.

        The first record of the file comes first; last the end of those with a place.
        """
        starts, last = self._layout.starts, max(self.last, first)
        offset = int(starts[contig])
        stop = int(starts[contig + 1]) if contig + 1 < len(starts) else len(self._data)
        own = known_offsets(self._data, offset, stop, self._shape)
        every = np.concatenate((self._layout.edges.ravel(), own, (first, last)))
        known = np.unique(every[(every >= first) & (every <= last)])
        offsets: list[int] = known.tolist()
        return offsets

    def _region_spans(
        self, region: Region, known: list[int], reads: RecordPlaces
    ) -> list[tuple[int, int]]:
        """List where reads of a region lie.

        Proven to start near it; and before that, where the index says they reach it.
        """
        contig, start = region.contig_index, max(region.start - REACH, 0)
        at = int(self._layout.starts[contig])
        named = find_chunks(self._data, at, start, region.end, self._shape)
        try:
            proven = proven_span(
                (contig, start), (contig, region.end), named, known, reads
            )
            far = _parts_between(named, reads.first, proven[0])
            for one in chain.from_iterable(far):
                reads.place(one)
        except Unproven:
            raise self.of_another_file() from None
        return [*far, proven]


def _parts_between(named: Found, first: int, stop: int) -> list[tuple[int, int]]:
    """Cut chunks to what lies before `stop`, and can hold reads at all."""
    low = max(named.lowest, first)
    cut = ((max(begin, low), min(end, stop)) for begin, end in named.chunks.tolist())
    return [(begin, end) for begin, end in cut if begin < end]
