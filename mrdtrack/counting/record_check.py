"""Cut inflated bytes into whole records, each of them checked by a kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrdtrack.errors import AlignmentsError
from mrdtrack.kernels.bam_records import (
    FAULT_BLOCK_SIZE,
    FAULT_CIGAR_LENGTH,
    FAULT_CIGAR_OPERATION,
    FAULT_CONTIG,
    FAULT_LENGTHS,
    FAULT_MATE,
    FAULT_NAME,
    FAULT_NONE,
    FAULT_ORDER,
    FAULT_POSITION,
    NAME,
    NAME_LENGTH,
    check_records,
)

PROBLEMS = {
    FAULT_BLOCK_SIZE: "has an impossible size",
    FAULT_NAME: "has no proper name",
    FAULT_LENGTHS: "has parts that do not fit into it",
    FAULT_CONTIG: "names a contig that the header does not have",
    FAULT_POSITION: "starts outside its contig",
    FAULT_MATE: "has a mate outside the contigs of the header",
    FAULT_CIGAR_OPERATION: "has an unknown CIGAR operation",
    FAULT_CIGAR_LENGTH: "has a CIGAR that does not fit its sequence",
    FAULT_ORDER: "stands out of order, though the file has an index",
}
REMEDIES = {
    FAULT_ORDER: "run `samtools sort` and then `samtools index`",
}
REMEDY = "the file is damaged or badly made: copy it again, or remake it"


class Piece(NamedTuple):
    """Inflated bytes `buffer[start:]`; what stands before `start` may be overwritten.

    `opens` and `closes` mark the first and the last piece of a span of an index.
    """

    buffer: NDArray[np.uint8]
    start: int
    opens: bool = False
    closes: bool = False


class RecordCheck:
    """Checks the records of one pass over a file, in order."""

    def __init__(
        self,
        name: str,
        lengths: Sequence[int],
        *,
        in_order: bool,
        misplaced: Callable[[], AlignmentsError] | None = None,
    ) -> None:
        """Start a pass.

        Args:
            name: of the file, for messages.
            lengths: of its contigs.
            in_order: whether records must be sorted by position.
            misplaced: makes the error for a span that does not start or end with a
                record.
        """
        self._name = name
        self._lengths = np.array(lengths, dtype=np.int64)
        self._in_order = in_order
        self._misplaced = misplaced
        self._place = (0, -1)
        self._n_records = 0
        self._carry = np.empty(0, dtype=np.uint8)
        self._fresh = False

    def take(self, piece: Piece) -> NDArray[np.uint8] | None:
        """Give the whole records of the next piece of a stream, or of an index's span.

        What it leaves over goes in front of the next one; None if that is all of it.

        Raises:
            AlignmentsError: a record is wrong.
        """
        self._fresh = self._fresh or piece.opens
        data = _join(self._carry, piece)
        stop = self._check(data, self._misplaced if self._fresh else None)
        self._carry = data[stop:].copy()
        if stop:
            self._fresh = False
        if piece.closes and self._misplaced is not None and len(self._carry):
            raise self._misplaced()
        return data[:stop] if stop else None

    def end(self) -> None:
        """End the pass.

        Raises:
            AlignmentsError: the last record is not whole.
        """
        if len(self._carry):
            raise AlignmentsError(
                self._name,
                f"it ends inside record {self._n_records + 1}: it is truncated",
                REMEDY,
            )

    def _check(
        self,
        data: NDArray[np.uint8],
        misplaced: Callable[[], AlignmentsError] | None,
    ) -> int:
        """Check the records of a chunk; give the offset after the last whole one."""
        checked = check_records(data, self._lengths, self._in_order, *self._place)
        self._n_records += checked.n_records
        self._place = (checked.last_contig, checked.last_position)
        if checked.fault == FAULT_NONE:
            return checked.stop
        if misplaced is not None and checked.n_records == 0:
            raise misplaced()
        name = ""
        if checked.fault > FAULT_NAME:
            start = checked.stop + NAME
            end = start + int(data[checked.stop + NAME_LENGTH]) - 1
            text = data[start : max(end, start)].tobytes().decode("ascii", "replace")
            name = f" ({text})"
        raise AlignmentsError(
            self._name,
            f"record {self._n_records + 1}{name} {PROBLEMS[checked.fault]}",
            REMEDIES.get(checked.fault, REMEDY),
        )


def _join(carry: NDArray[np.uint8], piece: Piece) -> NDArray[np.uint8]:
    """Put what was left over in front of a piece, in its free bytes if it fits."""
    first = piece.start - len(carry)
    if first < 0:
        return np.concatenate((carry, piece.buffer[piece.start :]))
    piece.buffer[first : piece.start] = carry
    return piece.buffer[first:]
