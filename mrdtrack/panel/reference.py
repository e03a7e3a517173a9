"""The reference FASTA: the door to its bases, checked against panel and reads."""

from __future__ import annotations

import hashlib
import tempfile
from importlib import import_module
from pathlib import Path
from types import TracebackType

import pysam

from mrdtrack.errors import ReferenceMismatch

pysam.set_verbosity(0)  # what htslib has to say is said in our one sentence


class Reference:
    """An indexed FASTA, plain or bgzip-compressed; bases in upper case."""

    def __init__(self, path: Path) -> None:
        """Open the FASTA.

        Raises:
            ReferenceMismatch: it is missing, empty, or cannot be indexed.
        """
        self.path = path
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        if not path.is_file():
            raise ReferenceMismatch(
                str(path), "there is no such reference file", "name a FASTA file"
            )
        before = pysam.set_verbosity(0)
        try:
            self._fasta = self._open()
        except (OSError, ValueError) as error:
            self._clean()
            raise ReferenceMismatch(
                str(path),
                f"the reference cannot be read as FASTA ({error})",
                "give a plain or bgzip-compressed FASTA (`bgzip`, not `gzip`)",
            ) from None
        finally:
            pysam.set_verbosity(before)
        self.lengths = dict(
            zip(self._fasta.references, self._fasta.lengths, strict=True)
        )

    def _open(self) -> pysam.FastaFile:
        """Open with the index beside the file, else with one in a scratch folder.

        The index is never written beside the reference: that folder is the user's.
        """
        index = Path(f"{self.path}.fai")
        compressed = _is_gzip(self.path)
        block_index = Path(f"{self.path}.gzi")
        if index.is_file() and (not compressed or block_index.is_file()):
            return pysam.FastaFile(str(self.path))
        self._scratch = tempfile.TemporaryDirectory(prefix="mrdtrack.")
        link = Path(self._scratch.name) / self.path.name
        link.symlink_to(self.path.resolve())
        return pysam.FastaFile(str(link))

    def __enter__(self) -> Reference:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._fasta.close()
        self._clean()

    def _clean(self) -> None:
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def fetch(self, contig: str, start: int, end: int) -> str:
        """Give the bases of [start, end), 0-based; cut at the ends of the contig.

        Raises:
            ReferenceMismatch: the contig is not there, or the file is damaged.
        """
        length = self.length(contig)
        start, end = max(start, 0), min(end, length)
        if end <= start:
            return ""
        try:
            bases = self._fasta.fetch(contig, start, end).upper()
        except (OSError, ValueError) as error:
            raise self._damaged(contig, str(error)) from None
        if len(bases) != end - start:
            raise self._damaged(contig, "fewer bases than its index says")
        return bases

    def length(self, contig: str) -> int:
        """Give the length of a contig.

        Raises:
            ReferenceMismatch: the contig is not there; a `chr` prefix too many or
                too few is named, never guessed.
        """
        if contig in self.lengths:
            return self.lengths[contig]
        raise ReferenceMismatch(
            str(self.path), *absent_contig(contig, self.lengths, "reference")
        )

    def md5(self, contig: str) -> str:
        """Give the M5 checksum of a contig (SAM specification, section 1.3.2)."""
        digest = hashlib.md5(usedforsecurity=False)
        step = 1 << 22
        for start in range(0, self.length(contig), step):
            digest.update(self.fetch(contig, start, start + step).encode())
        return digest.hexdigest()

    def _damaged(self, contig: str, problem: str) -> ReferenceMismatch:
        return ReferenceMismatch(
            str(self.path),
            f"contig {contig} cannot be read ({problem})",
            "make its index anew with `samtools faidx`",
        )


def htslib_version() -> str:
    """Name the htslib that pysam carries."""
    return str(import_module("pysam.version").__htslib_version__)


def absent_contig(contig: str, present: dict[str, int], what: str) -> tuple[str, str]:
    """Say that a contig is absent, and which spelling is there instead."""
    other = contig.removeprefix("chr") if contig.startswith("chr") else f"chr{contig}"
    if contig in {"chrM", "M"} and "MT" in present:
        other = "MT"
    problem = f"contig {contig!r} is not in the {what}"
    if other in present:
        return problem, f"it is called {other!r} there: use one naming throughout"
    return problem, "use the panel, reads and reference of one assembly"


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"
