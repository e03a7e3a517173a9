"""Every quality finding and every reason there is: its code and its English sentence.

A finding holds its code and the values its sentence names, so that a report can say it
in another language without reading English; `message` is the sentence filled in.

What a value is, its name says: `p_...` a probability, `share` a part of 1, `rate` a
small fraction, `n_...` a count, `day` an ISO date, `mode`, `denominators`, `specimens`
and `reason` codes, `problem` a technician's English; any other is a name, or names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mrdtrack.counts import QualityFinding, Severity

MOST_NAMES = 6
"""Names listed in one sentence; of more, the rest is counted."""

Value = str | int | float | tuple[str, ...]

FINDINGS: Final[dict[str, str]] = {
    "INDEX_OLDER": "the index {file} is older than the reads: it fits them, but make "
    "it anew with `samtools index`",
    "INDEX_TOO_SHORT": "the index {file} cannot cover contigs of this length, so the "
    "whole file is read: make a CSI with `samtools index -c`",
    "INDEX_UNUSABLE": "{file}: {problem}, so the whole file is read: make it anew with "
    "`samtools index`",
    "MIXED_SAMPLES": "the read groups name {n_samples} samples ({samples}): they are "
    "counted as one",
    "READ_GROUP_REPEATED": "{n_lines} read group lines repeat one before them; the "
    "first counts: make the header right with `samtools reheader`",
    "REFERENCE_EXTRACT": "the reference holds only a part of {contigs}: positions must "
    "be those of the extract",
    "alt_at_read_ends": "{markers}: the marker-bearing molecules show it within the "
    "last bases of a read only, unlike the others there: end repair and misaligned "
    "ends look so",
    "amplicon_duplicates_dropped": "{markers}: the reads start at one position, as "
    "those of amplicons do, and {share} of them were left out as duplicates: use reads "
    "whose duplicates are not marked",
    "background_assumed": "{markers}: neither non-marker positions nor controls tell "
    "the error rate, a usual one is assumed; the p-value is only as good as that.",
    "carry_over_unchecked": "No other sample of the sequencing run was given, so "
    "carry-over between samples could not be checked.",
    "chimerism": "{rate} of the molecules ({low} to {high}) are the donor's",
    "chimerism_donor_unknown": "{rate} of the molecules ({low} to {high}) are another "
    "person's, as after a transplant; a swapped sample would look the same: give the "
    "donor's own result with --donor",
    "constant_umi": "all reads carry the same UMI, so it tells no molecules apart: "
    "{mode} are counted instead",
    "depth_unlike_others": "{n_molecules} molecules at a marker (median) where the "
    "other visits have {n_usual}: another library or amount of DNA, or reads are "
    "missing",
    "controls_without_sites": "The controls' non-marker positions are not known, so a "
    "run that is damaged cannot be told from markers that are: in simulations of "
    "such runs the false-positive rate at 0.01 was 0.02.",
    "duplicates_kept": "{share} of the reads are flagged as duplicates, as in amplicon "
    "data: duplicate flags are not used",
    "explained_by_carry_over": "{markers}: the molecules seen may have come over from "
    "other samples of the run ({samples}; as much as {rate}).",
    "few_background_sites": "{markers}: fewer than {n_positions} non-marker positions "
    "of the error class (or of the wider classes it belongs to).",
    "group_contradicted": "{marker} is there, and the molecules that show it together "
    "with another marker of group {group} are not: the alleles do not stand on one "
    "molecule, correct the panel; the level uses one marker of the group",
    "group_counted_together": "{markers} (group {group}) are one marker of the level: "
    "the molecules that show two or more of them; together they could have seen "
    "{rate}, {marker} alone {rate_alone}",
    "group_less_sensitive": "{markers} (group {group}) were also counted together; the "
    "level uses one of them, since together they could have seen {rate}, {marker} "
    "alone {rate_alone}",
    "group_uncounted": "{markers} (group {group}) could not be counted together: "
    "{reason}",
    "identity_accepted": "{sample} failed its identity check and was accepted by name: "
    "its result is used all the same",
    "identity_contaminated": "{rate} of the molecules ({low} to {high}) are another "
    "person's (by {n_positions} positions, beside {against}): markers that other "
    "patients may carry can have come with them",
    "identity_mixed": "{rate} of the molecules ({low} to {high}) are another person's "
    "(by {n_positions} positions, beside {against}): two samples were mixed, or a "
    "transplant was not told",
    "identity_other_person": "the germline alleles are another person's than those of "
    "{against} ({n_positions} positions): a sample or label was swapped, or a "
    "transplant was not told",
    "identity_relative": "the germline alleles are a close relative's rather than "
    "those of {against} ({n_positions} positions): a sample or label was swapped, or a "
    "transplant was not told",
    "identity_sex_mismatch": "of {against} and this sample only one shows the Y "
    "chromosome, and {n_positions} other germline positions do not show that both are "
    "one person's",
    "identity_unchecked": "No germline position was read in two samples, so nothing "
    "shows that they are one person's: name germline positions in the panel "
    "([[identity]]).",
    "identity_undecided": "{n_positions} germline positions do not tell whether this "
    "sample and {against} are one person's",
    "identity_y_differs": "of {against} and this sample only one shows the Y "
    "chromosome, though the other germline alleles are one person's: a clone has lost "
    "it, most likely",
    "jump_by_one_marker": "the level is {n_fold} times that of {sample}, and the "
    "markers do not agree on it: repeat the sample before it counts as a rise",
    "level_without_marker": "Without {marker}, which does not agree with the rest, the "
    "level is {rate} ({low} to {high}, p = {p_without}).",
    "low_base_quality": "{markers}: not heard, since most bases of {n_records} records "
    "there are below the least base quality: count with a lower --min-base-quality",
    "marker_clonal_haematopoiesis": "{markers}: counted and shown, and kept out of the "
    "level: such mutations persist as clonal haematopoiesis.",
    "marker_disagreement": "markers tell different levels: {marker} stands out "
    "(p = {p_value})",
    "marker_lost": "{markers}: fewer molecules than the level of the others lets "
    "expect (lost subclone, or a marker that was never clonal).",
    "marker_report_only": "{markers}: counted and shown, and kept out of the level: "
    "the panel says role = report_only.",
    "markers_on_one_molecule": "{markers} share molecules with {marker} (group "
    "{group}) and count once: the level uses {marker}, which has the most informative "
    "molecules.",
    "mostly_ambiguous": "{markers}: most molecules there tell nothing clear (bases of "
    "low quality, mates that disagree): the fraction is that of the rest, and wrong "
    "where one allele is read worse than the other; compare it with a lower "
    "--min-base-quality",
    "mostly_other_alleles": "{markers}: most molecules there fit neither the marker "
    "nor the reference: the reads may spell it otherwise (see `mrdtrack panel "
    "check`), or carry another variant there",
    "no_controls": "Judged without control samples: errors special to one position are "
    "only known through its class, and the limit of detection is higher.",
    "one_marker_alone": "The detection rests on {marker} alone: without it p = "
    "{p_without} (with it {p_value}). An artefact of this marker or a subclone that "
    "survived would look the same.",
    "other_denominator": "{markers} are fractions of another sort ({denominators}) "
    "than the rest and are kept out of the level.",
    "related_clonotypes": "{markers}: there are molecules with its stem (D-N2-J) and "
    "another V: related clonotypes, as when a clone evolves and the V is replaced, or "
    "chimeras of the PCR; they are counted apart and are no part of the level",
    "several_specimens": "{day}: {specimens} are kept apart",
    "short_fragments": "fragments are short (median {n_bases} bases): junctions, "
    "duplications and longer indels are missed where a fragment cannot span them",
    "strand_bias": "{markers}: nearly all marker-bearing molecules are of one strand, "
    "unlike the others there: oxidation, deamination and misalignment look so",
    "umi_families_small": "{share} of the UMI families are a single read, which no "
    "copy can correct: sequence deeper, or load less DNA",
    "umi_saturated": "{share} of the molecules have the UMI of another one by chance, "
    "since there are too few UMIs for so many: molecules are counted too few, and rare "
    "ones are outvoted",
}
REASONS: Final[dict[str, str]] = {
    "identity_failed": "the sample is not the patient's, or not mainly",
    "low_base_quality": "the bases there are below the least base quality",
    "not_reached": "no molecule reached the marker",
    "not_told_apart": "no molecule could tell the marker from the reference",
    "edges_not_crossed": "no molecule crosses the edges of the marker",
    "reference_unknown": "the reference is unknown (N) at the marker",
    "group_member_out": "one of its markers is out of the level or not assessable",
    "group_apart": "its markers lie too far apart for one molecule",
    "group_not_shown": "no molecule shows two of its markers clearly",
    "group_not_small": "it holds a marker that is no small variant",
    "group_overlaps": "its markers overlap",
    "no_reads": "the file holds no read",
    "reads_too_short": "most reads are shorter than the sequence: give its join",
    "not_aligned": "the reads are not aligned, so markers with a position cannot be "
    "counted",
    "not_counted": "the marker could not be counted",
    "not_in_table": "the counts table has no row for it",
    "empty_panel": "the panel has no marker",
    "none_may_drive": "no marker may drive the level",
    "none_informative": "no marker had an informative molecule",
}


def finding(code: str, severity: Severity, **values: Value) -> QualityFinding:
    """Make a finding of a known code from the values that its sentence names."""
    said = {name: _english(name, value) for name, value in values.items()}
    return QualityFinding(
        code=code,
        severity=severity,
        message=FINDINGS[code].format(**said),
        values=values,
    )


def _english(name: str, value: Value) -> str:
    if isinstance(value, tuple):
        return listed(value)
    if name == "reason":
        return REASONS.get(str(value), str(value))
    if isinstance(value, float):
        return f"{value:.0%}" if name == "share" else f"{value:.2g}"
    return str(value)


def listed(names: Sequence[str]) -> str:
    """List names, the first ones and how many more."""
    shown = ", ".join(names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
