"""Clonotypes from immunoSEQ and clonoSEQ exports (as LymphoSeq reads them)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mrdtrack.panel.importers.clonotypes import Clone, clone_name, locus_of, select
from mrdtrack.panel.importers.outcome import Fault, Imported, ImportOptions, shortened
from mrdtrack.panel.importers.tables import Row, number, read_table

_SEQUENCE = ("nucleotide", "rearrangement", "nucleotide_sequence")
_COUNTS = (
    "inputtemplateestimate",
    "estimatednumbergenomes",
    "templates",
    "count (templates/reads)",
    "count (reads)",
    "count",
    "reads",
    "seq_reads",
)
_SHARES = ("frequencycount (%)", "frequencycount", "frequency", "productive_frequency")
_V = ("vgenename", "v_gene", "vmaxresolved", "v_resolved", "vfamilyname", "v_family")
_J = ("jgenename", "j_gene", "jmaxresolved", "j_resolved", "jfamilyname", "j_family")
_V_INDEX, _LENGTH = ("vindex", "v_index"), ("cdr3length", "cdr3_length")
_N = ("n1insertion", "n2insertion", "n1_insertions", "n2_insertions")
_BASES = re.compile("[ACGTN]+")
_GENE = re.compile("(IG[HKL]|TCR[ABGD]|TR[ABGD])")
_IMGT = {"TCRA": "TRA", "TCRB": "TRB", "TCRG": "TRG", "TCRD": "TRD"}


def import_immunoseq(path: Path, options: ImportOptions) -> Imported:
    """Read the clones of an export; those tagged `Dx` where tags are given.

    Raises:
        PanelError: it is no table.
    """
    found = Imported()
    table = read_table(path)
    rows = [
        row
        for row in table.rows
        if options.sample in {None, row.first("sample_name", "sample")}
    ]
    select(_clones(rows, found), options, found, "molecules")
    return found


def _clones(rows: list[Row], found: Imported) -> Iterator[Clone]:
    n_without = 0
    for row in rows:
        try:
            sequence, weight = _junction(row), _weight(row)
        except Fault as fault:
            found.faults.append(f"{row.where}: {fault}")
            continue
        if "N" in sequence:
            n_without += 1
            continue
        v_call, j_call = _imgt(row.first(*_V)), _imgt(row.first(*_J))
        locus = locus_of(v_call) or locus_of(j_call) or locus_of(row.first("locus"))
        name = clone_name(locus, v_call, j_call, row.line - 1)
        tagged = "dx" in row.first("sequencetags").lower()
        yield Clone(sequence, locus, weight, name, row.where, _untemplated(row), tagged)
    if n_without:
        found.notes.append(f"{n_without} rows hold N in their sequence")


def _junction(row: Row) -> str:
    """Cut the junction out where its place is given, else give the whole sequence."""
    text = row.first(*_SEQUENCE)
    bases = text.upper()
    if not bases:
        raise Fault("the row has no nucleotide sequence")
    if not _BASES.fullmatch(bases):
        raise Fault(f"nucleotide {shortened(text)!r} holds more than A, C, G, T and N")
    start, length = number(row.first(*_V_INDEX)), number(row.first(*_LENGTH))
    if start is None or length is None or start < 0 or length < 1:
        return bases
    end = int(start) + int(length)
    return bases[int(start) : end] if end <= len(bases) else bases


def _weight(row: Row) -> float:
    text = row.first(*_COUNTS) or row.first(*_SHARES)
    value = number(text) if text else 1.0
    if value is None or value < 0:
        raise Fault(f"count {shortened(text)!r} is no number")
    return value


def _imgt(name: str) -> str:
    """Turn `TCRBV05-01` into the way IMGT writes the locus; the rest stays."""
    match = _GENE.match(name.upper())
    if match is None:
        return name
    prefix = match[1]
    return _IMGT.get(prefix, prefix) + name[len(prefix) :]


def _untemplated(row: Row) -> int | None:
    known = [number(row.first(column)) for column in _N if row.first(column)]
    values = [value for value in known if value is not None and value >= 0]
    return int(sum(values)) if values else None
