"""What each quality finding means and what to do about it: the table of the docs.

The sentences that reports print stand in `mrdtrack.findings`, by the same codes.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from mrdtrack.counts import Severity


class Explained(NamedTuple):
    """One code: how grave, when it is raised, and what to do."""

    severity: Severity
    meaning: str
    remedy: str


MEANINGS: Final[dict[str, Explained]] = {
    "INDEX_OLDER": Explained(
        "warning",
        "The index is older than its file, and still fits it.",
        "`samtools index`.",
    ),
    "INDEX_TOO_SHORT": Explained(
        "warning",
        "A BAI cannot cover contigs of this length; the whole file was read.",
        "`samtools index -c`.",
    ),
    "INDEX_UNUSABLE": Explained(
        "warning",
        "The index is damaged or another file's; the whole file was read, so the "
        "counts are right.",
        "`samtools index`.",
    ),
    "MIXED_SAMPLES": Explained(
        "warning",
        "Read groups of several samples were counted as one, as `--sample` or "
        "`--read-group` asked for.",
        "Choose one sample by its name in the read groups.",
    ),
    "READ_GROUP_REPEATED": Explained(
        "warning",
        "A read group is listed twice; the first line counts.",
        "`samtools reheader`.",
    ),
    "REFERENCE_EXTRACT": Explained(
        "warning",
        "The reference holds less than half of a contig's length.",
        "See that the panel's positions are those of the extract.",
    ),
    "alt_at_read_ends": Explained(
        "warning",
        "All molecules of a single-base marker show it in the last 6 bases of a read "
        "only (chance below 1 in 10,000 by the reference molecules there).",
        "Look at the alignments; trim ends before alignment; do not act on the level.",
    ),
    "amplicon_duplicates_dropped": Explained(
        "warning",
        "More than half of a marker's reads start at one position, as those of an "
        "amplicon, and more than a fifth were left out as duplicates.",
        "Use reads whose duplicates were not marked, or UMIs.",
    ),
    "background_assumed": Explained(
        "warning",
        "Nothing tells the marker's error rate; a usual one is assumed.",
        "Give controls (`--control`, `--background`).",
    ),
    "carry_over_unchecked": Explained(
        "info",
        "No other sample of the run was given.",
        "Quantify the samples of a run together.",
    ),
    "chimerism": Explained(
        "info",
        "Donor's cells after a transplant, by the donor's own sample.",
        "None; the level is a fraction of all cells, the donor's included.",
    ),
    "chimerism_donor_unknown": Explained(
        "warning",
        "Another person's cells in a sample taken after the transplant.",
        "Give the donor's result (`--donor`): without it a swap looks the same.",
    ),
    "constant_umi": Explained(
        "warning",
        "All reads carry one UMI.",
        "Name the tag that holds the UMI (`--umi-tag`).",
    ),
    "depth_unlike_others": Explained(
        "warning",
        "The median depth differs more than fivefold from that of the patient's other "
        "visits (at least two, same molecule mode, the baseline left out).",
        "See the library and the DNA input; see that no reads are missing.",
    ),
    "controls_without_sites": Explained(
        "warning",
        "Of the controls only the markers were counted: a damaged run is hard to tell.",
        "Give the controls' background tables too.",
    ),
    "duplicates_kept": Explained(
        "warning",
        "More than 80 % of the reads are flagged as duplicates; the flags are unused.",
        "Use UMIs, or reads whose duplicates were not marked.",
    ),
    "explained_by_carry_over": Explained(
        "warning",
        "Other samples of the run may explain the molecules seen.",
        "Sequence again, with unique dual indexes.",
    ),
    "few_background_sites": Explained(
        "info",
        "Few non-marker positions tell the marker's error rate.",
        "Give controls.",
    ),
    "group_contradicted": Explained(
        "warning",
        "One marker of a group is detected beyond doubt (p at most a hundredth of "
        "alpha), and the molecules that show two or more of the group are not, with an "
        "interval below the marker's.",
        "See whether the alleles stand on one chromosome; take the marker out of the "
        "group, or the group out of the panel.",
    ),
    "group_counted_together": Explained(
        "info",
        "The level uses the joint count of a group: molecules that show two or more "
        "of its markers.",
        "None.",
    ),
    "group_less_sensitive": Explained(
        "info",
        "A group was counted jointly too; its most informative marker could have seen "
        "less and is used.",
        "Give controls: they tell how rare errors at several markers are.",
    ),
    "group_uncounted": Explained(
        "info",
        "The markers of a group cannot be counted on one molecule; the most "
        "informative one stands for all.",
        "See the reason it gives.",
    ),
    "identity_accepted": Explained(
        "warning",
        "The user accepted by name a sample that failed its identity check "
        "(`--accept-identity`); its result is used.",
        "Document why.",
    ),
    "identity_contaminated": Explained(
        "warning",
        "Up to a tenth of the molecules are another person's (95 % interval given).",
        "See which sample of the run it is; a level below this share may have come "
        "with it where that patient has the same marker.",
    ),
    "identity_mixed": Explained(
        "error",
        "More than a tenth of the molecules are surely another person's: the visit is "
        "not evaluable.",
        "Repeat; tell a transplant (`--facts`, `--treatments`); else "
        "`--accept-identity`.",
    ),
    "identity_other_person": Explained(
        "error",
        "The germline alleles are another person's (likelihood ratio at least 1,000): "
        "the visit is not evaluable.",
        "Trace the sample and its labels; tell a transplant; else `--accept-identity`.",
    ),
    "identity_relative": Explained(
        "error",
        "The germline alleles are rather those of a sibling: the visit is not "
        "evaluable.",
        "As for another person; think of a family donor.",
    ),
    "identity_sex_mismatch": Explained(
        "error",
        "One sample shows the Y chromosome and the other does not, and too few other "
        "positions tell that both are one person's: the visit is not evaluable.",
        "Trace the sample; a clone that lost Y looks the same: then "
        "`--accept-identity`.",
    ),
    "identity_unchecked": Explained(
        "info",
        "No germline position was read at two visits.",
        "Add 20, better 50 germline positions to the panel (`[[identity]]`).",
    ),
    "identity_undecided": Explained(
        "warning",
        "The likelihood ratio lies between 1,000 for one person and 1,000 for two.",
        "Add germline positions; look at the sample by another method.",
    ),
    "identity_y_differs": Explained(
        "warning",
        "The Y chromosome is in one of two samples that are otherwise one person's.",
        "None, if the leukaemia is known to have lost it.",
    ),
    "jump_by_one_marker": Explained(
        "warning",
        "The level rose tenfold or more, and one marker alone says so.",
        "Repeat the sample; look at the marker's alignments.",
    ),
    "level_without_marker": Explained(
        "warning",
        "One marker does not agree with the rest; the level without it stands beside.",
        "See whether the marker is an artefact, germline, or of a subclone.",
    ),
    "low_base_quality": Explained(
        "warning",
        "No molecule reaches a marker, and more than half of the bases of a record "
        "there are below the least base quality.",
        "Count with a lower `--min-base-quality`; nanopore reads need about 7.",
    ),
    "marker_clonal_haematopoiesis": Explained(
        "info",
        "A marker of clonal haematopoiesis is kept out of the level.",
        "`--level-marker` if it shall count.",
    ),
    "marker_disagreement": Explained(
        "warning",
        "A marker's share differs from that of the others (p below 0.01, corrected).",
        "Look at the marker: an artefact, a subclone, a lost allele.",
    ),
    "marker_lost": Explained(
        "warning",
        "A marker's whole interval lies a third below the level.",
        "See the diagnosis: subclonal, or lost; take it out of the panel.",
    ),
    "marker_report_only": Explained(
        "info",
        "The panel keeps the marker out of the level.",
        "None.",
    ),
    "markers_on_one_molecule": Explained(
        "info",
        "Markers of one group share molecules; one stands for all.",
        "None.",
    ),
    "mostly_ambiguous": Explained(
        "warning",
        "Of the molecules at a substitution or short indel at least 10 and more than "
        "half are ambiguous.",
        "See the base qualities there; compare with a lower `--min-base-quality`.",
    ),
    "mostly_other_alleles": Explained(
        "warning",
        "Of the molecules that can tell a marker at least 10 and more than half fit "
        "neither it nor the reference.",
        "`mrdtrack panel check --at-diagnosis` says how the reads spell it.",
    ),
    "no_controls": Explained(
        "info",
        "No control samples were given.",
        "Give controls: the limit of detection becomes lower.",
    ),
    "one_marker_alone": Explained(
        "warning",
        "Without its strongest marker nothing is detected.",
        "Repeat before acting on it.",
    ),
    "other_denominator": Explained(
        "info",
        "Fractions of another sort cannot be summed with the others.",
        "Quantify these markers apart.",
    ),
    "related_clonotypes": Explained(
        "warning",
        "Molecules hold the stem of a clonotype after another V (column `related`): "
        "clonal evolution, or chimeras of the PCR. They are in no level.",
        "Where the clone itself is gone, look for its stem's other V in the reads and "
        "add that clonotype to the panel; see whether spike-ins show such chimeras.",
    ),
    "several_specimens": Explained(
        "info",
        "Several tissues on one day are kept apart.",
        "None.",
    ),
    "short_fragments": Explained(
        "warning",
        "The median fragment of the first pairs near the markers is shorter than 80 "
        "bases.",
        "Prepare longer fragments where markers are junctions or duplications.",
    ),
    "strand_bias": Explained(
        "warning",
        "At least 8 molecules show a marker, nearly all on one strand, where the "
        "others are of both (chance below 1 in 10,000).",
        "Look at the alignments; do not act on the level.",
    ),
    "umi_families_small": Explained(
        "warning",
        "More than 80 % of at least 200 UMI families are a single read.",
        "Sequence deeper or load less DNA; `--min-family-size 2` for what is there.",
    ),
    "umi_saturated": Explained(
        "warning",
        "More than 5 % of the molecules have the UMI of another one at their place by "
        "chance: few of all UMIs of that length are left.",
        "Use longer UMIs or load less DNA; `--molecules fragments` counts all of them, "
        "where hardly any were copied.",
    ),
}
