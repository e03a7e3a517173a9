"""The door to the reads: whole, checked BAM records from any file of reads.

BAM is read by its blocks, here; CRAM, SAM and FASTQ come as an uncompressed BAM stream
from a process of their own. Whatever leaves this door has been inflated, verified by
checksum, and walked: kernels may go from record to record without looking back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import chain
from pathlib import Path
from typing import IO, TypeVar

import numpy as np

from mrdtrack.counting.bam_header import (
    EMPTY_HEADER,
    HeaderBytes,
    ReadGroup,
    ReadsHeader,
    ReferenceContigs,
    check_reference,
    length_conflicts,
    read_header,
    reference_lengths,
    repeated_read_groups,
)
from mrdtrack.counting.bgzf import (
    HEADROOM,
    Batch,
    Damage,
    Readable,
    damaged_file,
    inflate_batch,
    read_batches,
    read_span,
)
from mrdtrack.counting.chunk_work import Chunk, Work
from mrdtrack.counting.index_file import (
    ReadsIndex,
    Region,
    UnusableIndex,
    index_path,
)
from mrdtrack.counting.index_proof import RecordPlaces
from mrdtrack.counting.other_formats import (
    DecodedReads,
    Encoded,
    decode,
    decode_fastq,
)
from mrdtrack.counting.reads_format import Format, check_whole, open_file, recognise
from mrdtrack.counting.record_check import Piece, RecordCheck
from mrdtrack.counting.relay import relay
from mrdtrack.counts import QualityFinding
from mrdtrack.errors import AlignmentsError
from mrdtrack.findings import finding
from mrdtrack.panel.reference import Reference

__all__ = [
    "ReadGroup",
    "ReadsFile",
    "ReadsHeader",
    "Region",
    "length_conflicts",
    "open_reads",
]

T = TypeVar("T")


class ReadsFile:
    """A file of reads that has been opened, recognised and found usable."""

    def __init__(
        self,
        path: Path,
        kind: Format,
        header: ReadsHeader,
        reference: Path | None,
        mate: Path | None = None,
    ) -> None:
        """Take up a file; use `open_reads`."""
        self.path = path
        self.mate = mate
        self.format: Format = kind
        self.header = header
        self.findings: tuple[QualityFinding, ...] = repeated_read_groups(header)
        self._reference = reference
        self._index: ReadsIndex | None = None
        self._has_cram_index = False
        self._stamp = _stamp(path)
        if kind in {"bam", "cram"}:
            self._take_index()

    @property
    def has_index(self) -> bool:
        """Say whether `chunks` can go straight to regions."""
        return self._index is not None or self._has_cram_index

    @property
    def is_aligned(self) -> bool:
        """Say whether reads can have a place at all."""
        return bool(self.header.contigs)

    def chunks(
        self, regions: Sequence[Region] | None, threads: int = 1
    ) -> Iterator[Chunk]:
        """Give whole records, checked, in file order, each at most once.

        Args:
            regions: whose reads are wanted (needs the index): every read that overlaps
                one of them comes, unmapped mates placed there included, and perhaps
                others. None: the whole file, unmapped reads included.
            threads: that may work, the caller's included; they change nothing else.

        Yields:
            C-contiguous, writable bytes that start and end with a record.

        Raises:
            AlignmentsError: the file is damaged; or it changed meanwhile.
        """
        yield from self.worked(
            regions, Work(lambda chunk: chunk, lambda chunk: chunk, threads)
        )

    def worked(self, regions: Sequence[Region] | None, work: Work[T]) -> Iterator[T]:
        """Work on chunks in threads, and give the results in file order.

        Args:
            regions: as `chunks` takes them.
            work: to be done.

        Raises:
            AlignmentsError: as `chunks` raises it.
        """
        try:
            if self.format != "bam":
                yield from self._decoded(regions, work)
            elif regions is None:
                with self.path.open("rb") as file:
                    yield from self._whole_stream(file, work)
            else:
                yield from self._picked(regions, work)
        except OSError as error:
            raise AlignmentsError(
                str(self.path),
                f"it cannot be read ({error.strerror})",
                "see that the file and its disk are there",
            ) from None
        if _stamp(self.path) != self._stamp:
            raise AlignmentsError(
                str(self.path),
                "it changed while it was read",
                "run again when nothing writes to it",
            )

    def _take_index(self) -> None:
        """Use the index beside the file, if reads are sorted; else scan."""
        found = index_path(self.path)
        order = self.header.sort_order
        if found is None or order in {"unsorted", "queryname"}:
            return
        if self.format == "cram":
            self._has_cram_index = True
        else:
            try:
                self._index = self._checked_index(found)
            except UnusableIndex as error:
                self.findings += (_unusable_index(found, error),)
                return
        if found.stat().st_mtime_ns < self.path.stat().st_mtime_ns:
            self.findings += (_older_index(found),)

    def _checked_index(self, found: Path) -> ReadsIndex | None:
        """Read the index; None where it cannot cover contigs of this length."""
        index = ReadsIndex(found, len(self.header.contigs), self.path.stat().st_size)
        if not all(index.covers(length) for length in self.header.lengths):
            self.findings += (_short_index(found),)
            return None
        _check_last_read(self.path, index)
        return index

    def _check(
        self, misplaced: Callable[[], AlignmentsError] | None = None
    ) -> RecordCheck:
        return RecordCheck(
            str(self.path),
            self.header.lengths,
            in_order=self.has_index,
            misplaced=misplaced,
        )

    def _whole_stream(self, source: Readable, work: Work[T]) -> Iterator[T]:
        """Work on a whole BAM stream from behind its header."""
        check = self._check()
        try:
            batches = read_batches(source)
            parts: list[Batch | Piece] = [_behind_header(str(self.path), batches)]
            yield from relay(chain(parts, batches), _piece_of, *work.on(check))
        except Damage as damage:
            raise damaged_file(str(self.path), damage) from None
        check.end()

    def _picked(self, regions: Sequence[Region], work: Work[T]) -> Iterator[T]:
        """Work on the parts of a BAM file that the index names."""
        if self._index is None:
            raise _no_index(self.path)
        try:
            with RecordPlaces(self.path) as places:
                spans = self._index.spans(regions, places)
        except UnusableIndex as error:
            self.findings += (_unusable_index(self._index.path, error),)
            with self.path.open("rb") as file:
                yield from self._whole_stream(file, work)
            return
        check = self._check(self._index.of_another_file)
        with self.path.open("rb") as file:
            batches = chain.from_iterable(read_span(file, *span) for span in spans)
            try:
                yield from relay(batches, _piece_of, *work.on(check))
            except Damage as damage:
                if damage.misplaced:
                    raise self._index.of_another_file() from None
                raise damaged_file(str(self.path), damage) from None
        check.end()

    def _decoded(self, regions: Sequence[Region] | None, work: Work[T]) -> Iterator[T]:
        """Work on what the decoding process gives."""
        if regions is not None and not self.has_index:
            raise _no_index(self.path)
        intervals = None
        if regions is not None:
            intervals = [
                (self.header.contigs[region.contig_index], region.start, region.end)
                for region in sorted(set(regions))
                if 0 <= region.start < region.end
            ]
            if not intervals:
                return
        with self._decoder(intervals, work.threads) as source:
            yield from self._whole_stream(source, work)

    def _decoder(
        self, intervals: Sequence[tuple[str, int, int]] | None, threads: int
    ) -> AbstractContextManager[DecodedReads]:
        if self.format == "fastq":
            return decode_fastq(self.path, self.mate)
        encoded = Encoded(self.path, self._reference, self.format == "cram")
        return decode(encoded, intervals, threads=threads)


def open_reads(
    path: Path, reference: Path | None, mate: Path | None = None
) -> ReadsFile:
    """Open a file of reads: recognise its format, read its header, check its index.

    Args:
        path: of a BAM, CRAM, SAM or FASTQ file; the content decides, not the name.
        reference: FASTA the reads were aligned to: checked against the header, and
            needed for most CRAM files.
        mate: FASTQ of the second reads, where `path` holds the first ones.

    Raises:
        AlignmentsError: it cannot be used; with the remedy.
    """
    with open_file(path) as file:
        kind = recognise(path, file)
        check_whole(path, kind, file)
        file.seek(0)
        header = _read_header(path, kind, file)
    if reference is not None and kind != "fastq":
        contigs = _contigs_of(reference, kind)
        check_reference(str(path), header, contigs, exact=kind == "cram")
    return ReadsFile(path, kind, header, reference, mate)


def _read_header(path: Path, kind: Format, file: IO[bytes]) -> ReadsHeader:
    """Read the header of a file of any format; FASTQ has an empty one."""
    if kind == "bam":
        return _header_of(path, file)
    if kind == "fastq":
        return EMPTY_HEADER
    with decode(Encoded(path, None, kind == "cram"), header_only=True) as source:
        return _header_of(path, source)


def _contigs_of(reference: Path, kind: Format) -> ReferenceContigs:
    """List a reference's contigs; for CRAM even where that has to make an index.

    With a contig of another length htslib would blame the header of the CRAM.
    """
    lengths = reference_lengths(reference)
    if lengths is None and kind == "cram":
        with Reference(reference) as fasta:
            lengths = fasta.lengths
    return ReferenceContigs(reference.name, lengths or {})


def _header_of(path: Path, source: Readable) -> ReadsHeader:
    """Read the header at the start of a BAM stream."""
    try:
        return read_header(HeaderBytes(str(path), _inflated(read_batches(source))))
    except Damage as damage:
        raise damaged_file(str(path), damage) from None


def _inflated(batches: Iterator[Batch]) -> Iterator[bytes]:
    return (inflate_batch(batch)[HEADROOM:].tobytes() for batch in batches)


def _behind_header(name: str, batches: Iterator[Batch]) -> Piece:
    """Read over the header; give what follows it in the last batch that it takes."""
    source = HeaderBytes(name, _inflated(batches))
    read_header(source)
    return Piece(np.frombuffer(bytearray(source.rest()), dtype=np.uint8), 0)


def _piece_of(part: Batch | Piece) -> Piece:
    """Inflate a batch, and cut what lies outside its span off."""
    if isinstance(part, Piece):
        return part
    buffer = inflate_batch(part)
    stop = len(buffer) if part.cut < 0 else HEADROOM + part.cut
    if stop > len(buffer):
        raise Damage(part.offset, "a block is shorter than its index", misplaced=True)
    return Piece(buffer[:stop], HEADROOM + part.skip, part.opens, part.closes)


def _check_last_read(path: Path, index: ReadsIndex) -> None:
    """See that no read with a place follows the last one of the index.

    Nothing follows the end of the file, where early samtools let the last one end.

    Raises:
        AlignmentsError: the index was made of another file, or before it grew.
    """
    if index.last == path.stat().st_size << 16:
        return
    with path.open("rb") as file:
        batches = read_batches(file)
        skip = max(index.last, 0) & 0xFFFF
        try:
            if index.last < 0:
                first = _behind_header(str(path), batches).buffer.tobytes()
            else:
                file.seek(index.last >> 16)
                first = b""
            start = _first_bytes(first, _inflated(batches), skip + 8)
        except Damage as damage:
            if index.last >= 0 and damage.offset == 0:
                raise index.of_another_file() from None
            raise damaged_file(str(path), damage) from None
    if len(start) < skip or (start[skip + 4 :] != b"\xff" * 4 and start[skip:]):
        raise index.of_another_file()


def _first_bytes(held: bytes, more: Iterator[bytes], size: int) -> bytes:
    """Give the first bytes of a stream, or all if there are fewer."""
    while len(held) < size:
        piece = next(more, None)
        if piece is None:
            break
        held += piece
    return held[:size]


def _stamp(path: Path) -> tuple[int, int, int]:
    """Give what changes when a file is replaced or written to."""
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _no_index(path: Path) -> AlignmentsError:
    return AlignmentsError(
        str(path),
        "regions were asked for, and it has no index",
        "sort it by position and run `samtools index`",
    )


def _older_index(found: Path) -> QualityFinding:
    return finding("INDEX_OLDER", "warning", file=found.name)


def _unusable_index(found: Path, error: UnusableIndex) -> QualityFinding:
    return finding("INDEX_UNUSABLE", "warning", file=found.name, problem=error.problem)


def _short_index(found: Path) -> QualityFinding:
    return finding("INDEX_TOO_SHORT", "warning", file=found.name)
