"""CRAM, SAM and FASTQ as BAM: decoded by htslib in a process of its own.

A hostile file may crash or hang htslib; it then takes that process with it, and what is
left is one sentence. The process gets no network: every reference must be a file.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, cast

from mrdtrack.errors import AlignmentsError

CHILD = """
import os, sys, threading
def leave_with_parent():
    os.read(0, 1)
    os._exit(1)
threading.Thread(target=leave_with_parent, daemon=True).start()
try:
    import ctypes, signal
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
except (AttributeError, ImportError, OSError, TypeError):
    pass
try:
    import resource
    limit = 4 << 30
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
except (ImportError, OSError, ValueError):
    pass
import pysam
try:
    getattr(pysam, sys.argv[1])(*sys.argv[2:], catch_stdout=False)
except pysam.SamtoolsError as error:
    sys.exit(str(error))
"""

NOWHERE = "http://127.0.0.1:9"
NO_NETWORK = {
    "REF_PATH": os.devnull,
    "REF_CACHE": os.devnull,
    "http_proxy": NOWHERE,
    "https_proxy": NOWHERE,
    "ftp_proxy": NOWHERE,
    "all_proxy": NOWHERE,
    "no_proxy": "",
}

_HTSLIB_ERROR = re.compile(r"^\[E::\w+\] *(.*?)[. ]*$", re.MULTILINE)
_SAMTOOLS_ERROR = re.compile(
    r"stderr=(?:[\w ]+: |\[\w+\] )?(.*?)[. ]*(?:\\n|$)", re.MULTILINE
)
_BAD_LINE = re.compile(r"Parse error at line (\d+)")
_REFERENCE = re.compile(r"reference|fai_build|md5", re.IGNORECASE)
_WRONG_REFERENCE = re.compile(r"md5|checksum|mismatch", re.IGNORECASE)


class DecodedReads:
    """The bytes of an uncompressed BAM stream from a decoding process.

    `read` raises the process's own complaint, not that the stream is cut short.
    """

    def __init__(
        self,
        path: Path,
        command: Sequence[str],
        words: IO[bytes],
        reference: bool | None,
    ) -> None:
        """Start decoding.

        Args:
            path: of the file, for messages.
            command: the name of a command in pysam, and its arguments.
            words: a scratch file for what it says.
            reference: whether the user named one; None where none is needed.
        """
        self._path = path
        self._has_reference = reference
        self._words = words
        environment = {
            key: value
            for key, value in os.environ.items()
            if key.lower() not in {name.lower() for name in NO_NETWORK}
        }
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
            [sys.executable, "-P", "-c", CHILD, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            env=environment | NO_NETWORK,
        )
        self._stream = cast("IO[bytes]", self._process.stdout)

    def read(self, size: int, /) -> bytes:
        """Give up to `size` bytes; none at the end of a stream without complaint.

        Raises:
            AlignmentsError: the process failed, crashed or was killed.
        """
        piece = self._stream.read(size)
        if not piece and self._process.wait() != 0:
            raise self._complaint()
        return piece

    def close(self) -> None:
        """Stop the process if it still runs."""
        self._process.kill()
        self._process.communicate()

    def _complaint(self) -> AlignmentsError:
        """Make one sentence of what the process said last."""
        self._words.seek(0)
        words = self._words.read(1 << 20).decode("utf-8", "replace")
        words = words.replace(str(self._path), "the file")
        if self._process.returncode < 0:
            problem = f"decoding it crashed, signal {-self._process.returncode}"
        else:
            problem = _first_complaint(words)
        if self._has_reference is not None and _REFERENCE.search(words):
            return self._reference_complaint(words, problem)
        return AlignmentsError(
            str(self._path),
            f"it cannot be decoded ({problem})",
            "it is damaged or not what its name says: copy it again, or remake it",
        )

    def _reference_complaint(self, words: str, problem: str) -> AlignmentsError:
        if not self._has_reference:
            return AlignmentsError(
                str(self._path),
                "this CRAM needs the reference it was made with",
                "give the FASTA with --reference",
            )
        what = "is not" if _WRONG_REFERENCE.search(words) else "seems not to be"
        return AlignmentsError(
            str(self._path),
            f"the reference {what} the one this CRAM was made with ({problem})",
            "give --reference the FASTA that the reads were aligned to",
        )


def _first_complaint(words: str) -> str:
    """Pick htslib's first complaint, with the line of the file where it names one."""
    found = _HTSLIB_ERROR.search(words) or _SAMTOOLS_ERROR.search(words)
    complaint = found.group(1) if found else "no reason given"
    line = _BAD_LINE.search(words)
    return f"{complaint}, line {line.group(1)}" if line else complaint


@contextmanager
def _indexed_reference(reference: Path | None) -> Iterator[list[str]]:
    """Give the option that names the reference; never write an index beside it."""
    if reference is None:
        yield []
        return
    if Path(f"{reference}.fai").is_file():
        yield ["--reference", str(reference)]
        return
    with tempfile.TemporaryDirectory(prefix="mrdtrack.") as scratch:
        link = Path(scratch) / reference.name
        link.symlink_to(reference.resolve())
        yield ["--reference", str(link)]


class Encoded(NamedTuple):
    """A CRAM or SAM file, and the reference a CRAM may need."""

    path: Path
    reference: Path | None
    is_cram: bool


@contextmanager
def decode(
    encoded: Encoded,
    intervals: Sequence[tuple[str, int, int]] | None = None,
    *,
    header_only: bool = False,
    threads: int = 1,
) -> Iterator[DecodedReads]:
    """Decode CRAM or SAM.

    Args:
        encoded: the file.
        intervals: contig, start and end (0-based half-open) of the reads wanted, by
            the index; None for all.
        header_only: stop behind the header.
        threads: of htslib, for CRAM.
    """
    path, reference, is_cram = encoded
    options = ["view", "-u", "--no-PG"]
    if header_only:
        options.append("-H")
    if threads > 1:
        options += ["-@", str(threads - 1)]
    with _indexed_reference(reference) as naming, _bed_file(intervals) as picking:
        command = [*options, *naming, *picking, "--", str(path)]
        named = reference is not None if is_cram else None
        with _running(path, command, named) as reads:
            yield reads


@contextmanager
def _running(
    path: Path, command: Sequence[str], reference: bool | None = None
) -> Iterator[DecodedReads]:
    """Run a decoding process, and see that it is gone afterwards."""
    with tempfile.TemporaryFile() as words:
        reads = DecodedReads(path, command, words, reference)
        try:
            yield reads
        finally:
            reads.close()


@contextmanager
def _bed_file(
    intervals: Sequence[tuple[str, int, int]] | None,
) -> Iterator[list[str]]:
    """Give the options that pick intervals by the index."""
    if intervals is None:
        yield []
        return
    with tempfile.NamedTemporaryFile("w", suffix=".bed", encoding="utf-8") as bed:
        bed.writelines(f"{name}\t{start}\t{end}\n" for name, start, end in intervals)
        bed.flush()
        yield ["-M", "-L", bed.name]


@contextmanager
def decode_fastq(path: Path, mate: Path | None = None) -> Iterator[DecodedReads]:
    """Turn FASTQ, plain or compressed, into unaligned reads; two files into pairs."""
    files = ["-0", str(path)]
    if mate is not None:
        files = ["-1", str(path), "-2", str(mate)]
    with _running(path, ["fqimport", "-O", "bam,level=0", *files]) as reads:
        yield reads
