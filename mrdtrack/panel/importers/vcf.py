"""Markers from VCF and BCF: small variants, symbolic alleles, breakends."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import pysam

from mrdtrack.errors import PanelError
from mrdtrack.panel.importers.adjacency_text import Adjacency, End
from mrdtrack.panel.importers.outcome import (
    Fault,
    Imported,
    ImportOptions,
    change_of,
    shortened,
)
from mrdtrack.panel.importers.tables import read_text, whole_number
from mrdtrack.panel.importers.vcf_alleles import is_no_marker, marker_fields
from mrdtrack.panel.importers.vcf_annotation import annotation, consequence_columns
from mrdtrack.panel.importers.vcf_record import Record, Unusable
from mrdtrack.panel.importers.vcf_shares import allele_share, share_elsewhere

_REF = re.compile("[ACGTNacgtn]+")
_END = re.compile(r"(?:^|;)END=(\d+)")
_TUMOUR = frozenset({"tumor_sample", "tumour_sample"})
MAX_FAULTS = 1000
MAX_POSITION = 2**31 - 2


def import_vcf(path: Path, options: ImportOptions) -> Imported:
    """Read the markers of a VCF or BCF file.

    Raises:
        PanelError: it is no VCF, or the sample is not in it.
    """
    found = Imported()
    if not is_bcf(path):
        found.faults = list(_line_faults(read_text(path)))
        if found.faults:
            return found
    with _quiet(), _readable(path) as copy, _opened(copy, path) as file:
        found.sample = _chosen_sample(path, file, options)
        reader = _Reader(found, options, _header(file))
        try:
            for number, record in enumerate(file, start=1):
                reader.read(number, record)
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from None
    return found


def is_bcf(path: Path) -> bool:
    """Tell BCF from text VCF by its first bytes (BGZF holds either)."""
    if path.is_dir():
        return False
    with path.open("rb") as file:
        head = file.read(3)
    if head == b"BCF":
        return True
    if head[:2] != b"\x1f\x8b":
        return False
    try:
        with pysam.BGZFile(str(path), "rb", None) as inner:
            return bytes(inner.read(3)) == b"BCF"
    except OSError:
        return False


def _line_faults(text: str) -> Iterator[str]:
    """Check every line before a parser that stops at the first fault reads it."""
    n_faults = 0
    lines = text.split("\n")
    if not any(line.startswith("#CHROM") for line in lines):
        yield "there is no #CHROM header line"
        return
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        fault = _line_fault(line.rstrip("\r").split("\t"))
        if "\0" in line:
            fault = "it holds a NUL, at which readers of VCF stop"
        if fault:
            n_faults += 1
            yield f"line {number}: {fault}"
        if n_faults == MAX_FAULTS:
            yield "and more"
            return


def _line_fault(cells: list[str]) -> str:
    if len(cells) < 8:
        return f"a record has 8 columns or more, this line {len(cells)}"
    if not _REF.fullmatch(cells[3]):
        return f"REF {shortened(cells[3])!r} holds more than A, C, G, T and N"
    if not all(cells[4].split(",")):
        return "ALT has an empty allele"
    try:
        position = whole_number(cells[1], "POS")
    except Fault as fault:
        return str(fault)
    if position < 1:
        return "POS 0 lies before the contig; positions begin at 1"
    beyond = position > MAX_POSITION
    return f"POS {shortened(cells[1])} lies beyond any contig" if beyond else ""


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep htslib's own words off the terminal; faults are told by mrdtrack."""
    before = pysam.set_verbosity(0)
    try:
        yield
    finally:
        pysam.set_verbosity(before)


@contextmanager
def _readable(path: Path) -> Iterator[Path]:
    """Give a file that htslib can read: a plain copy of what `gzip` compressed.

    htslib seeks in VCF, which it can in BGZF and in plain text alone.
    """
    with path.open("rb") as file:
        head = file.read(16)
    if head[:2] != b"\x1f\x8b" or head[12:14] == b"BC":
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="mrdtrack.") as scratch:
        copy = Path(scratch) / "plain.vcf"
        copy.write_text(read_text(path), encoding="utf-8")
        yield copy


@contextmanager
def _opened(path: Path, named: Path) -> Iterator[pysam.VariantFile]:
    try:
        file = pysam.VariantFile(str(path))
    except (OSError, ValueError) as error:
        raise _unreadable(named, error) from None
    with file:
        yield file


def _unreadable(path: Path, error: Exception) -> PanelError:
    said = " ".join(str(error).split()).replace("b'", "'").replace("`", "")
    return PanelError(
        str(path),
        f"it cannot be read as VCF or BCF ({said})",
        "see that it begins with ##fileformat=VCF, and check it with `bcftools view`",
    )


def _chosen_sample(
    path: Path, file: pysam.VariantFile, options: ImportOptions
) -> str | None:
    names = list(file.header.samples)
    listed = ", ".join(repr(shortened(name)) for name in names[:20])
    if options.sample is not None:
        if options.sample not in names:
            raise PanelError(
                str(path),
                f"sample {shortened(options.sample)!r} is not in it",
                f"choose one of {listed}" if names else "leave out --sample",
            )
        return options.sample
    if len(names) > 1:
        tumour = [line.value for line in file.header.records if line.key in _TUMOUR]
        hint = f" (the header names {tumour[0]!r} as the tumour)" if tumour else ""
        raise PanelError(
            str(path),
            f"it holds the samples {listed}",
            f"choose one with --sample{hint}",
        )
    return names[0] if names else None


class _Header(NamedTuple):
    """What the header says: the columns of VEP's CSQ, and the program."""

    csq: list[str]
    source: str


def _header(file: pysam.VariantFile) -> _Header:
    info = file.header.info
    csq = info["CSQ"].description if "CSQ" in info else None
    sources = [line.value for line in file.header.records if line.key == "source"]
    return _Header(consequence_columns(csq or ""), " ".join(s for s in sources if s))


class _Reader:
    """Turns records into markers, each adjacency once."""

    def __init__(
        self, found: Imported, options: ImportOptions, header: _Header
    ) -> None:
        self._found = found
        self._options = options
        self._header = header
        self._adjacencies: set[Adjacency] = set()

    def read(self, number: int, record: pysam.VariantRecord) -> None:
        """Read one record: every ALT allele that the sample carries."""
        where = f"record {number} ({record.contig}:{record.pos})"
        filters = [str(name) for name in record.filter if name != "PASS"]
        if filters and self._options.pass_only:
            self._found.notes.append(f"{where} is left out: FILTER {','.join(filters)}")
            return
        info = _info(record)
        genotype = self._genotype(record)
        place = Record(
            str(record.contig),
            record.pos,
            str(record.ref),
            info,
            str(record.id or ""),
            self._header.source,
        )
        alts = record.alts or ()
        if not alts:
            self._found.notes.append(f"{where} is left out: it has no ALT allele")
        for index, alt in enumerate(alts):
            own = place._replace(allele=index)
            self._read_allele(where, own, (index, alt, len(alts)), record, genotype)

    def _read_allele(
        self,
        where: str,
        place: Record,
        allele: tuple[int, str, int],
        record: pysam.VariantRecord,
        genotype: Mapping[str, Any],
    ) -> None:
        index, alt, n_alleles = allele
        if is_no_marker(alt) or not _carried(place, genotype, index, alt):
            reason = "is no allele of its own" if is_no_marker(alt) else "not carried"
            self._found.notes.append(
                f"{where} ALT {shortened(alt)} is left out: {reason}"
            )
            return
        share = allele_share(place, genotype, index, alt)
        least = self._options.min_share
        if least and share is not None and share < least:
            self._found.notes.append(
                f"{where} is left out: VAF {share:.3g} < {least:g}"
            )
            return
        try:
            markers = marker_fields(place, alt)
        except Fault as fault:
            self._found.faults.append(f"{where}: {fault}")
            return
        except Unusable as reason:
            self._found.unusable.append(f"{where}: {reason}")
            return
        names = annotation(place.info, alt, index, self._header.csq)
        elsewhere = share_elsewhere(place, self._others(record), index, alt)
        for number, fields in enumerate(markers):
            if self._is_repeated(fields, place.homology):
                self._found.notes.append(f"{where} is the mate of an earlier record")
                continue
            base = _identifier(record, place, fields, names.gene)
            suffix = f":{index + 1}" if record.id and n_alleles > 1 else ""
            suffix += "ab"[number] if len(markers) > 1 else ""
            common = {
                "id": base + suffix,
                "gene": names.gene,
                "hgvs": names.hgvs,
                "vaf_at_diagnosis": share,
                "note": _note(place),
            }
            self._found.add(
                {**fields, **common}, where, share=share, elsewhere=elsewhere
            )

    def _is_repeated(self, fields: Mapping[str, Any], homology: int) -> bool:
        """Tell a join that is known; mates may place it anywhere in its homology."""
        if fields["kind"] != "breakpoint":
            return False
        left, right = End(**fields["left"]), End(**fields["right"])
        join = Adjacency(left, right, fields["inserted"])
        shifts = range(-homology, homology + 1)
        known = any(join.shifted(by).key() in self._adjacencies for by in shifts)
        self._adjacencies.add(join.key())
        return known

    def _genotype(self, record: pysam.VariantRecord) -> Mapping[str, Any]:
        if self._found.sample is None or not len(record.samples):
            return {}
        return dict(record.samples[self._found.sample].items())

    def _others(self, record: pysam.VariantRecord) -> dict[str, Mapping[str, Any]]:
        """Give what the file says of its other samples."""
        return {
            str(name): dict(sample.items())
            for name, sample in record.samples.items()
            if name != self._found.sample
        }


def _info(record: pysam.VariantRecord) -> dict[str, Any]:
    """Give INFO with END, which pysam keeps apart, as it is written."""
    info = dict(record.info.items())
    if any(alt.startswith("<") for alt in record.alts or ()):
        written = _END.search(str(record).split("\t")[7])
        if written:
            info["END"] = int(written[1])
    return info


def _carried(place: Record, genotype: Mapping[str, Any], index: int, alt: str) -> bool:
    """Tell whether the sample's genotype speaks for the allele, or not against it."""
    called = [allele for allele in genotype.get("GT") or () if allele is not None]
    if not called or index + 1 in called:
        return True
    return allele_share(place._replace(info={}), genotype, index, alt) is not None


def _identifier(
    record: pysam.VariantRecord,
    place: Record,
    fields: Mapping[str, Any],
    gene: str | None,
) -> str:
    """Name a marker: the record's own id, else what and where it is.

    The two records of a breakpoint that mrdtrack itself wrote are `EVENT_1` and
    `EVENT_2`, with what VCF keeps for itself written as %XX.
    """
    if record.id and record.id != ".":
        event = place.text("EVENT")
        own = event and record.id in {f"{event}_1", f"{event}_2"}
        return unquote(event if own else str(record.id))
    prefix = f"{gene} " if gene else ""
    if fields["kind"] == "small_variant":
        return f"{prefix}{fields['contig']}:{fields['position']} {change_of(fields)}"
    if fields["kind"] == "duplication":
        return f"{prefix}{fields['contig']}:{fields['start']}-{fields['end']} dup"
    left, right = fields["left"], fields["right"]
    ends = (f"{e['contig']}:{e['position']}{e['strand']}" for e in (left, right))
    return prefix + "/".join(ends)


def _note(place: Record) -> str | None:
    """Keep the homology at a join, since its position could be told otherwise."""
    homology = place.text("HOMSEQ")
    if homology:
        return f"homology at the join: {homology}"
    length = place.homology
    return f"homology at the join: {length} bases" if length else None
