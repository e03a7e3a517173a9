"""Clonotypes from AIRR Rearrangement tables (schema 1.4 and 2.0), in their dialects.

Counts stand in `umi_count`, `duplicate_count` or `consensus_count`, in this order:
Vidjil writes reads to `duplicate_count`, TRUST4 to `consensus_count`, cellranger UMIs
to `duplicate_count` beside reads in `consensus_count`; IgBLAST and IMGT write none, so
each row is one. The junction is `junction`, else cut from `sequence` by the CDR3's
position (three bases more on each side), else Vidjil's 50-base window in
`sequence_id`. What TRUST4 (`count`, `CDR3nt`, `V`, `J`) and MiXCR (`nSeqCDR3`, with
both conserved residues) write beside AIRR is read as well. The summary that IgBLAST
sets under its table is no part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.importers.clonotypes import Clone, clone_name, locus_of, select
from mrdtrack.panel.importers.outcome import Fault, Imported, ImportOptions, shortened
from mrdtrack.panel.importers.tables import (
    Row,
    number,
    read_table,
    read_text,
    whole_number,
)

COUNTS = (
    *("umi_count", "duplicate_count", "consensus_count", "count"),
    *("uniquemoleculecount", "uniquetagcountmolecule", "readcount", "clonecount"),
)
_V = ("v_call", "v", "allvhitswithscore", "bestvhit", "bestvgene", "vhit")
_J = ("j_call", "j", "alljhitswithscore", "bestjhit", "bestjgene", "jhit")
_JUNCTION = ("junction", "cdr3nt", "nseqcdr3", "nseqimputedcdr3")
_SUMMARY = "\nTotal queries"
VIDJIL_WINDOW = 50
MIN_JUNCTION = 12
_BASES = re.compile("[ACGTN]+")
_GAPS = str.maketrans("", "", ".- ")


def import_airr(path: Path, options: ImportOptions) -> Imported:
    """Read the clones of an AIRR table.

    Raises:
        PanelError: it is no table.
    """
    found = Imported()
    table = read_table(path, read_text(path).partition(_SUMMARY)[0])
    column = next((c for c in COUNTS if c in table.columns), None)
    if column is None:
        found.notes.append("the table has no count column: each row counts as one")
    rows = [row for row in table.rows if _is_of_sample(row, options)]
    if not rows:
        found.notes.append(f"{len(table.rows)} rows, none of the sample asked for")
    select(_clones(rows, column, found), options, found, column or "rows")
    return found


def _is_of_sample(row: Row, options: ImportOptions) -> bool:
    if options.sample is None:
        return True
    return row.first("repertoire_id", "sample_id", "sample") == options.sample


def _clones(rows: list[Row], column: str | None, found: Imported) -> Iterator[Clone]:
    n_without = 0
    for row in rows:
        try:
            sequence = junction_of(row)
            count = _count(row, column)
        except Fault as fault:
            found.faults.append(f"{row.where}: {fault}")
            continue
        if not sequence or "N" in sequence or len(sequence) < MIN_JUNCTION:
            n_without += 1
            continue
        v_call, j_call = row.first(*_V), row.first(*_J)
        told = row.first("locus", "chains", "topchains")
        locus = locus_of(told) or locus_of(v_call) or locus_of(j_call)
        name = clone_name(locus, v_call, j_call, row.line - 1)
        clone = Clone(sequence, locus, count, name, row.where, _untemplated(row))
        yield _with_stem(clone, row)
    if n_without:
        found.notes.append(f"{n_without} rows hold no whole junction of A, C, G and T")


def junction_of(row: Row) -> str:
    """Give the junction (with the conserved residues), '' where the row has none.

    Raises:
        Fault: a sequence holds other letters, or the CDR3 lies outside it.
    """
    junction = _bases(row.first(*_JUNCTION), "junction")
    if junction:
        return junction
    start = row.first("cdr3_start", "cdr3_sequence_start")
    end = row.first("cdr3_end", "cdr3_sequence_end")
    sequence = _bases(row.first("sequence"), "sequence")
    if start and end and sequence:
        return _cut(row, sequence, start, end)
    window = row.first("sequence_id").upper()
    if len(window) == VIDJIL_WINDOW and _BASES.fullmatch(window):
        return window
    return ""


def _cut(row: Row, sequence: str, start: str, end: str) -> str:
    """Cut the junction out; coordinates follow the strand that was aligned."""
    first, last = whole_number(start, "cdr3_start"), whole_number(end, "cdr3_end")
    sequence = _as_aligned(row, sequence)
    if first < 4 or last < first or last + 3 > len(sequence):
        raise Fault(
            f"the junction {first - 3}-{last + 3} does not lie within the sequence of "
            f"{len(sequence)} bases"
        )
    return sequence[first - 4 : last + 3]


def _as_aligned(row: Row, sequence: str) -> str:
    """Give the strand that positions are told of."""
    turned = row.first("rev_comp").lower() in {"t", "true"}
    return reverse_complement(sequence) if turned else sequence


def _bases(text: str, what: str) -> str:
    bases = text.upper().translate(_GAPS)
    if bases and not _BASES.fullmatch(bases):
        raise Fault(f"{what} {shortened(text)!r} holds more than A, C, G, T and N")
    return bases


def _count(row: Row, column: str | None) -> float:
    """Give the row's molecules: the first count column that holds a number."""
    if column is None:
        return 1.0
    text = row.first(*COUNTS)
    value = number(text) if text else 1.0
    if value is None or value < 0:
        raise Fault(f"{column} {shortened(text)!r} is no count")
    return value


def _untemplated(row: Row) -> int | None:
    """Count the bases that no gene segment holds, None where not said."""
    lengths = [number(row.first(f"{key}_length")) for key in ("np1", "np2", "n1", "n2")]
    known = [int(length) for length in lengths[:2] if length is not None]
    known = known or [int(length) for length in lengths[2:] if length is not None]
    if known:
        return sum(known)
    bases = row.first("np1") + row.first("np2")
    return len(bases) or None


def _with_stem(clone: Clone, row: Row) -> Clone:
    """Tell the stem of a clone, if the row says where D begins and how long N2 is."""
    first = number(row.first("d_sequence_start"))
    v_end, np1 = (number(row.first(key)) for key in ("v_sequence_end", "np1_length"))
    if first is None and v_end is not None and np1 is not None:
        first = v_end + np1 + 1
    n_untemplated = _second_untemplated(row)
    if first is None or n_untemplated is None:
        return clone
    whole = _as_aligned(row, row.first("sequence").upper())
    return clone.with_stem(whole, int(first) - 1, n_untemplated)


def _second_untemplated(row: Row) -> int | None:
    """Count the bases between D and J, None where there is no D or it is not said."""
    length = number(row.first("np2_length", "n2_length"))
    if length is not None:
        return int(length)
    d_end, j_start = (
        number(row.first(key)) for key in ("d_sequence_end", "j_sequence_start")
    )
    if d_end is not None and j_start is not None:
        return int(j_start - d_end) - 1
    return len(row.first("np2")) or None
