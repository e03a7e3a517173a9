"""The files of one sample: result, counts, background, VCF."""

from __future__ import annotations

from collections.abc import Iterable

from mrdtrack.counts import IntArray, SampleCounts, TextColumn
from mrdtrack.levels.result import MarkerResult, VisitResult
from mrdtrack.panel.model import Panel
from mrdtrack.reports.output_files import safe_name
from mrdtrack.reports.tables import (
    Cell,
    Cells,
    columns_tsv,
    compact,
    model_json,
    number_cells,
    text_cells,
    tsv,
)
from mrdtrack.reports.vcf import ReferenceBases, vcf

COUNTS_COLUMNS = (
    "sample",
    "marker",
    "kind",
    "alt",
    "ref",
    "ambiguous",
    "other",
    "molecules",
    "molecule_mode",
    "denominator_kind",
    "denominator",
    "fraction",
    "fraction_low",
    "fraction_high",
    "p_value",
    "lod95",
    "call",
    "assessable",
    "reason",
    "gene",
    "hgvs",
    "role",
    "group",
    "error_class",
    "alt_forward",
    "alt_reverse",
    "ref_forward",
    "ref_reverse",
    "ref_left",
    "ref_right",
    "signal_ratio",
    "filters",
    "reason_code",
    "related",
    "group_alt",
    "group_ref",
    "group_ambiguous",
    "group_other",
)
BACKGROUND_COLUMNS = (
    "contig",
    "position",
    "ref",
    "alt",
    "error_class",
    "alt_molecules",
    "molecules",
)
LEVELS_COLUMNS = (
    "sample",
    "markers_used",
    "call",
    "p_value",
    "level",
    "level_low",
    "level_high",
    "lob",
    "lod95",
    "loq",
    "limited_by",
)


def result_files(
    result: VisitResult,
    counts: SampleCounts | None,
    panel: Panel | None,
    *,
    provenance: bytes | None = None,
    reference_bases: ReferenceBases | None = None,
) -> dict[str, bytes]:
    """Make the files of one sample, by file name.

    `SAMPLE.background.tsv` comes from `counts` and `SAMPLE.vcf` from `panel`; each is
    left out without its source. `SAMPLE.provenance.json` is passed on as it is. For
    `reference_bases` see `vcf`.
    """
    name = safe_name(result.sample)
    files = {
        f"{name}.mrd.json": model_json(result),
        f"{name}.counts.tsv": counts_tsv(result),
    }
    if counts is not None:
        files[f"{name}.background.tsv"] = background_tsv(counts)
    if panel is not None:
        files[f"{name}.vcf"] = vcf(result, panel, reference_bases)
    if provenance is not None:
        files[f"{name}.provenance.json"] = provenance
    return files


def counts_tsv(*results: VisitResult) -> bytes:
    """Write the counts table of one sample, or of several in one table."""
    rows = (
        _counts_row(result.sample, marker) | _joint_cells(result, marker)
        for result in results
        for marker in result.markers
    )
    return tsv(COUNTS_COLUMNS, rows)


def _counts_row(sample: str, marker: MarkerResult) -> dict[str, Cell]:
    row: dict[str, Cell] = marker.model_dump(exclude={"filters"})
    row["sample"] = sample
    row["filters"] = compact(marker.filters)
    return row


def _joint_cells(result: VisitResult, marker: MarkerResult) -> dict[str, Cell]:
    """Repeat the joint counts of a marker's group, if it was counted in one."""
    for group in result.groups:
        if marker.marker in group.members:
            return {
                "group_alt": group.alt,
                "group_ref": group.ref,
                "group_ambiguous": group.ambiguous,
                "group_other": group.other,
            }
    return dict.fromkeys(("group_alt", "group_ref", "group_ambiguous", "group_other"))


def background_tsv(counts: SampleCounts) -> bytes:
    """Write the non-marker positions, as they were counted."""
    sites = counts.background
    columns = {name: _cells(getattr(sites, name)) for name in BACKGROUND_COLUMNS}
    return columns_tsv(columns)


def _cells(column: TextColumn | IntArray) -> Cells:
    return (
        text_cells(*column) if isinstance(column, TextColumn) else number_cells(column)
    )


def levels_tsv(results: Iterable[VisitResult]) -> bytes:
    """Write one row a sample: the level alone."""
    return tsv(LEVELS_COLUMNS, (_level_row(result) for result in results))


def _level_row(result: VisitResult) -> dict[str, Cell]:
    level = result.level
    return {
        "sample": result.sample,
        "markers_used": level.markers_used,
        "call": level.call,
        "p_value": level.p_value,
        "level": level.value,
        "level_low": level.low,
        "level_high": level.high,
        "lob": level.lob,
        "lod95": level.lod95,
        "loq": level.loq,
        "limited_by": level.limited_by,
    }
