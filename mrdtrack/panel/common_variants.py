"""Common germline variants near the markers, from a VCF or BCF that the user gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pysam

from mrdtrack.errors import PanelError
from mrdtrack.panel.reference import absent_contig

COMMON = 0.01
"""Share of chromosomes from which a variant is called common (that of dbSNP)."""
_FREQUENCIES = (
    *("AF", "AF_popmax", "AF_grpmax", "gnomAD_AF", "gnomADg_AF", "MAF", "CAF"),
    *("TOPMED", "FREQ"),
)


class Window(NamedTuple):
    """A stretch of the reference that matters, 0-based and half-open."""

    contig: str
    start: int
    end: int


class CommonVariant(NamedTuple):
    """A variant of the population: 1-based, `frequency` None where not told."""

    position: int
    ref: str
    alts: tuple[str, ...]
    frequency: float | None


def read_common_variants(
    path: Path, windows: Iterable[Window], least: float = COMMON
) -> dict[str, list[CommonVariant]]:
    """Give the common variants of each contig that lie in the windows.

    Variants without a frequency are taken for common: the file is one of common
    variants. With an index only the windows are read.

    Raises:
        PanelError: it is no VCF, or has none of the panel's contigs.
    """
    wanted = sorted(set(windows))
    before = pysam.set_verbosity(0)
    try:
        with pysam.VariantFile(str(path)) as file:
            _check_contigs(path, file, wanted)
            found: dict[str, list[CommonVariant]] = {}
            for record in _records(path, file, wanted):
                variant = _variant(record)
                if variant.frequency is None or variant.frequency >= least:
                    found.setdefault(str(record.contig), []).append(variant)
    except (OSError, ValueError, NotImplementedError) as error:
        said = " ".join(str(error).split()).replace("b'", "'").replace("`", "")
        raise PanelError(
            str(path),
            f"it cannot be read as VCF or BCF ({said})",
            "give VCF or BCF, plain or bgzip-compressed",
        ) from None
    finally:
        pysam.set_verbosity(before)
    return {contig: sorted(set(variants)) for contig, variants in found.items()}


def _check_contigs(
    path: Path, file: pysam.VariantFile, windows: Iterable[Window]
) -> None:
    known = {str(name): 0 for name in file.header.contigs}
    contigs = {window.contig for window in windows}
    if known and contigs and not contigs & set(known):
        problem, remedy = absent_contig(min(contigs), known, "file")
        raise PanelError(str(path), problem, remedy)


def _records(
    path: Path, file: pysam.VariantFile, windows: list[Window]
) -> Iterator[pysam.VariantRecord]:
    if _is_indexed(path):
        for window in windows:
            if window.contig in file.header.contigs:
                yield from file.fetch(window.contig, max(window.start, 0), window.end)
        return
    spans: dict[str, list[Window]] = {}
    for window in windows:
        spans.setdefault(window.contig, []).append(window)
    for record in file:
        near = spans.get(str(record.contig), ())
        if any(
            record.start < w.end and record.start + record.rlen > w.start for w in near
        ):
            yield record


def _is_indexed(path: Path) -> bool:
    return any(Path(f"{path}{suffix}").is_file() for suffix in (".tbi", ".csi"))


def _variant(record: pysam.VariantRecord) -> CommonVariant:
    alts = tuple(str(alt).upper() for alt in record.alts or ())
    frequency = _frequency(dict(record.info.items()))
    return CommonVariant(record.pos, str(record.ref).upper(), alts, frequency)


def _frequency(info: Mapping[str, Any]) -> float | None:
    """Give the greatest frequency of an ALT allele, wherever databases write it."""
    for key in _FREQUENCIES:
        numbers = [number for number in _numbers(info.get(key)) if 0 <= number <= 1]
        if numbers:
            # dbSNP's CAF and TOPMED begin with the reference allele.
            listed = numbers[1:] if key in {"CAF", "TOPMED"} else numbers
            return max(listed, default=None)
    return None


def _numbers(value: Any) -> Iterator[float]:
    values = value if isinstance(value, tuple | list) else (value,)
    for one in values:
        for text in str(one).replace(":", ",").replace("|", ",").split(","):
            try:
                yield float(text)
            except ValueError:
                continue
