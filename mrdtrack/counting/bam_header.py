"""The header of a file of reads: contigs, read groups, programs, order.

Sizes are checked before anything is allocated for them: a hostile file may claim two
gigabytes of text or two thousand million contigs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from mrdtrack.counts import QualityFinding
from mrdtrack.errors import AlignmentsError
from mrdtrack.findings import finding

MAGIC = b"BAM\x01"
MAX_TEXT = 1 << 28
MAX_CONTIGS = 1 << 24
MAX_NAME = 1 << 16

_FOLDERS = re.compile(r"[^\s=:,;'\"]*/")


class ReadGroup(NamedTuple):
    """One `@RG` line; what it does not say is empty."""

    id: str
    sample: str
    library: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadsHeader:
    """What a file of reads says about itself.

    `sort_order` is empty where the file does not say; `programs` are names, versions
    and command lines without folders.
    """

    contigs: tuple[str, ...]
    lengths: tuple[int, ...]
    md5s: tuple[str | None, ...]
    sort_order: str
    read_groups: tuple[ReadGroup, ...]
    programs: tuple[str, ...]
    text: str


EMPTY_HEADER = ReadsHeader(
    contigs=(),
    lengths=(),
    md5s=(),
    sort_order="",
    read_groups=(),
    programs=(),
    text="",
)


class HeaderBytes:
    """Inflated bytes that arrive in pieces, taken from the front."""

    def __init__(self, name: str, pieces: Iterator[bytes]) -> None:
        """Take bytes of the file `name` from `pieces`."""
        self.name = name
        self._pieces = pieces
        self._held = bytearray()

    def take(self, size: int) -> bytes:
        """Take so many bytes.

        Raises:
            AlignmentsError: there are fewer.
        """
        while len(self._held) < size:
            piece = next(self._pieces, None)
            if piece is None:
                raise _bad_header(self.name, "the file ends inside its header")
            self._held += piece
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    def rest(self) -> bytes:
        """Give what has arrived behind the bytes taken."""
        return bytes(self._held)

    def take_number(self, what: str, limit: int) -> int:
        """Take a number of four bytes.

        Raises:
            AlignmentsError: it is negative or above the limit.
        """
        number = int.from_bytes(self.take(4), "little", signed=True)
        if not 0 <= number <= limit:
            raise _bad_header(self.name, f"{what} is given as {number}")
        return number


def _bad_header(name: str, problem: str) -> AlignmentsError:
    return AlignmentsError(
        name, problem, "the header is damaged: copy the file again, or remake it"
    )


def read_header(source: HeaderBytes) -> ReadsHeader:
    """Read the header at the start of inflated BAM.

    Raises:
        AlignmentsError: it is damaged, or contradicts itself.
    """
    name = source.name
    if source.take(4) != MAGIC:
        raise AlignmentsError(
            name, "it does not start as BAM does", "give a BAM, CRAM, SAM or FASTQ file"
        )
    raw = source.take(source.take_number("the length of the text", MAX_TEXT))
    text = raw.rstrip(b"\0").decode("utf-8", "replace")
    contigs: dict[str, int] = {}
    for _ in range(source.take_number("the number of contigs", MAX_CONTIGS)):
        size = source.take_number("the length of a contig's name", MAX_NAME)
        contig = source.take(size).rstrip(b"\0").decode("utf-8", "replace")
        length = source.take_number("the length of a contig", (1 << 31) - 1)
        if contig in contigs:
            raise _bad_header(name, f"contig {contig!r} is listed twice")
        contigs[contig] = length
    return _interpret(name, text, contigs)


def _fields(line: str) -> dict[str, str]:
    """Split a header line into its two-letter fields; the first of a name counts."""
    fields: dict[str, str] = {}
    for field in line.split("\t")[1:]:
        if field[2:3] == ":":
            fields.setdefault(field[:2], field[3:])
    return fields


def _interpret(name: str, text: str, contigs: dict[str, int]) -> ReadsHeader:
    """Make the header of its text and of the list of contigs behind it."""
    lines: dict[str, list[dict[str, str]]] = {"@SQ": [], "@RG": [], "@PG": []}
    order = ""
    for number, line in enumerate(text.splitlines()):
        if number == 0 and line.startswith("@HD"):
            order = _fields(line).get("SO", "")
        if line[:3] in lines:
            lines[line[:3]].append(_fields(line))
    md5s = _checksums(name, lines["@SQ"], contigs)
    return ReadsHeader(
        contigs=tuple(contigs),
        lengths=tuple(contigs.values()),
        md5s=tuple(md5s.get(contig) for contig in contigs),
        sort_order=order,
        read_groups=_read_groups(name, lines["@RG"]),
        programs=tuple(_program(fields) for fields in lines["@PG"]),
        text=text,
    )


def _checksums(
    name: str, lines: list[dict[str, str]], contigs: dict[str, int]
) -> dict[str, str]:
    """Give the M5 of contigs; refuse a text that lists other contigs."""
    md5s = {}
    for fields in lines:
        contig, length = fields.get("SN", ""), fields.get("LN", "")
        if contig not in contigs or length != str(contigs[contig]):
            raise _bad_header(
                name, f"its text and its list of contigs disagree on {contig!r}"
            )
        if "M5" in fields:
            md5s[contig] = fields["M5"].lower()
    return md5s


def _read_groups(name: str, lines: list[dict[str, str]]) -> tuple[ReadGroup, ...]:
    """List the read groups; one that is repeated with another sample is refused."""
    groups: dict[str, ReadGroup] = {}
    for fields in lines:
        group = ReadGroup(
            fields.get("ID", ""), fields.get("SM", ""), fields.get("LB", "")
        )
        known = groups.setdefault(group.id, group)
        if known.sample != group.sample:
            raise AlignmentsError(
                name,
                f"read group {group.id!r} is listed for the samples "
                f"{known.sample!r} and {group.sample!r}",
                "give each sample its own read group (`samtools addreplacerg`)",
            )
    return tuple(groups.values())


def _program(fields: dict[str, str]) -> str:
    """Name a program with version and command line, folders left out."""
    parts = [fields.get("PN") or fields.get("ID", "")]
    parts += [_FOLDERS.sub("", fields[key]) for key in ("VN", "CL") if key in fields]
    return " ".join(part for part in parts if part)


def repeated_read_groups(header: ReadsHeader) -> tuple[QualityFinding, ...]:
    """Find read groups that are listed more than once."""
    lines = [line for line in header.text.splitlines() if line.startswith("@RG\t")]
    n_repeated = len(lines) - len(header.read_groups)
    if n_repeated <= 0:
        return ()
    return (finding("READ_GROUP_REPEATED", "warning", n_lines=n_repeated),)


class LengthConflict(NamedTuple):
    """A contig that is not equally long in the reads and in the reference."""

    contig: str
    in_reads: int
    in_reference: int


def reference_lengths(reference: Path) -> dict[str, int] | None:
    """Read the contigs of a FASTA from the `.fai` beside it; None without one."""
    try:
        lines = Path(f"{reference}.fai").read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    lengths = {}
    for line in lines:
        fields = line.split("\t")
        if len(fields) >= 2 and fields[1].isdigit():
            lengths[fields[0]] = int(fields[1])
    return lengths


def length_conflicts(
    header: ReadsHeader, lengths: dict[str, int]
) -> tuple[LengthConflict, ...]:
    """List the contigs whose length differs between the reads and a reference.

    A reference contig of less than half the length is an extract of the genome the
    reads were aligned to, not another assembly, and no conflict.
    """
    return tuple(
        conflict
        for conflict in _all_conflicts(header, lengths)
        if 2 * conflict.in_reference >= conflict.in_reads
    )


def _all_conflicts(
    header: ReadsHeader, lengths: dict[str, int]
) -> Iterator[LengthConflict]:
    for contig, length in zip(header.contigs, header.lengths, strict=True):
        if lengths.get(contig, length) != length:
            yield LengthConflict(contig, length, lengths[contig])


class ReferenceContigs(NamedTuple):
    """The file name of a reference and its contigs' lengths; none: not known."""

    name: str
    lengths: dict[str, int]


def check_reference(
    name: str, header: ReadsHeader, reference: ReferenceContigs, *, exact: bool = False
) -> None:
    """Refuse reads of another assembly: most of the shared contigs differ in length.

    A few that differ (a mitochondrial genome of another version) are the panel's
    concern, by `length_conflicts`. With `exact` (CRAM, whose reads are differences from
    the reference) not even an extract will do.

    Raises:
        AlignmentsError: the reference is not the one the reads were aligned to.
    """
    lengths = reference.lengths
    if not lengths or not header.contigs:
        return
    shared = [contig for contig in header.contigs if contig in lengths]
    if not shared:
        raise AlignmentsError(
            name,
            f"no contig of the reads is in the reference {reference.name} "
            f"({header.contigs[0]!r} against {next(iter(lengths))!r})",
            "give --reference the FASTA that the reads were aligned to",
        )
    conflicts = length_conflicts(header, lengths)
    if exact:
        conflicts = tuple(_all_conflicts(header, lengths))
    if 2 * len(conflicts) > len(shared):
        first = conflicts[0]
        raise AlignmentsError(
            name,
            f"contig {first.contig!r} has {first.in_reads} bases in the reads and "
            f"{first.in_reference} in the reference {reference.name}",
            "give --reference the FASTA that the reads were aligned to",
        )
