"""Sentences for the codes of results, timelines and protocols."""

from __future__ import annotations

from mrdtrack.reports.view import Tone
from mrdtrack.reports.words import mark

CALLS = {
    "quantified": mark("quantified"),
    "detected_below_loq": mark("detected, not quantifiable"),
    "not_detected": mark("not detected"),
    "insufficient_sensitivity": mark("insufficient sensitivity"),
    "not_evaluable": mark("not evaluable"),
}
CALL_TITLES = {
    "quantified": mark("Quantified"),
    "detected_below_loq": mark("Detected, not quantifiable"),
    "not_detected": mark("Not detected, each with the limit of detection below"),
    "insufficient_sensitivity": mark("Insufficient sensitivity"),
    "not_evaluable": mark("Not evaluable"),
}
SPECIMENS = {
    "bone_marrow": mark("bone marrow"),
    "peripheral_blood": mark("peripheral blood"),
    "other": mark("other specimen"),
    None: mark("specimen not stated"),
}
METRICS = {
    "vaf_gdna": mark("variant fraction in genomic DNA"),
    "igtr_frac": mark("IG/TR fraction of cells"),
    "fusion_gdna_frac": mark("fusion copies per genome"),
    "cells_frac": mark("clonotype cells of all cells"),
    "locus_read_frac": mark("share of the reads of an IG/TR locus, not an MRD level"),
    "ratio_pct_abl1": mark("transcript ratio, % of ABL1"),
    "copies_1e5_abl1": mark("transcript copies per 100 000 ABL1"),
    "is_pct": mark("BCR::ABL1, % International Scale"),
    "log10_reduction": mark("log10 reduction"),
    "mfc_pct_wbc": mark("flow cytometry, % of leucocytes"),
}
UNITS = {
    "ratio_pct_abl1": "%",
    "is_pct": "%",
    "mfc_pct_wbc": "%",
    "copies_1e5_abl1": mark("copies"),
    "log10_reduction": mark("log"),
}
ACTIONS = {
    "INTENSIFY_DISCUSS": mark("discuss intensification"),
    "HSCT_DISCUSS": mark("discuss stem-cell transplantation"),
    "PREEMPTIVE_DISCUSS": mark("discuss pre-emptive treatment"),
    "DEESCALATE_DISCUSS": mark("discuss de-escalation"),
    "CONTINUE": mark("continue as planned"),
    "MONITOR_CLOSER": mark("monitor more closely"),
    "REPEAT_SAMPLE": mark("take another sample"),
    "CHANGE_SPECIMEN": mark("take another specimen type"),
    "NO_RULE": mark("no rule applies"),
}
ACTION_ORDER = tuple(ACTIONS)
TONES: dict[str, Tone] = {
    "INTENSIFY_DISCUSS": "alert",
    "HSCT_DISCUSS": "alert",
    "PREEMPTIVE_DISCUSS": "alert",
    "DEESCALATE_DISCUSS": "calm",
    "CONTINUE": "calm",
    "MONITOR_CLOSER": "watch",
    "REPEAT_SAMPLE": "watch",
    "CHANGE_SPECIMEN": "watch",
    "NO_RULE": "none",
}
ORIGINS = {
    "source": mark("The source names this action."),
    "mrdtrack": mark(
        "The source states the finding; the action is mrdtrack's wording."
    ),
}
CONFIDENCE = {
    "interval": mark("the whole interval lies beyond the threshold"),
    "estimate": mark("only the estimate lies beyond the threshold"),
}
CONFIRMATION = {
    "P": mark("read in the source itself"),
    "S": mark("read in a secondary source"),
    "K": mark("known, source not read"),
}
LIMITED_BY = {
    "depth": mark("limited by sequencing depth"),
    "input": mark("limited by the DNA that went in"),
    "background": mark("limited by background errors"),
}
COURSES = {
    "stable": mark("stable"),
    "lost": mark("lost"),
    "rising": mark("rising"),
    "falling": mark("falling"),
    "emerging": mark("emerging"),
    "unclear": mark("unclear"),
}
KINDS = {
    "small_variant": mark("small variant"),
    "duplication": mark("duplication"),
    "breakpoint": mark("breakpoint"),
    "sequence": mark("sequence"),
}
SCHEDULE = {
    "due": mark("due"),
    "overdue": mark("overdue"),
    "confirmation_due": mark("confirmation due"),
    "wrong_specimen": mark("other specimen needed"),
}
# Reasons as counting and levels give them, word for word.
REASONS = (
    mark("no molecule reached the marker"),
    mark("no molecule could tell the marker from the reference"),
    mark("no molecule crosses the edges of the marker"),
    mark("no marker had an informative molecule"),
    mark("no marker may drive the level"),
    mark("the file holds no read"),
    mark("the marker could not be counted"),
    mark("the panel has no marker"),
    mark("the reads are not aligned, so markers with a position cannot be counted"),
    mark("the reference is unknown (N) at the marker"),
)
# What a quality finding is about, by its code; its message, in English, tells more.
FINDINGS = {
    "INDEX_OLDER": mark("index older than the reads"),
    "INDEX_TOO_SHORT": mark("index unusable"),
    "MIXED_SAMPLES": mark("several samples in one file"),
    "READ_GROUP_REPEATED": mark("repeated read groups"),
    "background_assumed": mark("background assumed"),
    "constant_umi": mark("constant UMI"),
    "duplicates_kept": mark("duplicates kept"),
    "few_background_sites": mark("few background positions"),
    "marker_clonal_haematopoiesis": mark("clonal haematopoiesis"),
    "marker_disagreement": mark("markers disagree"),
    "marker_lost": mark("marker lost"),
    "marker_report_only": mark("marker reported only"),
    "markers_on_one_molecule": mark("markers on one molecule"),
    "no_controls": mark("no control sample"),
    "one_marker_alone": mark("detection by one marker alone"),
    "other_denominator": mark("other denominator"),
}
SEVERITIES = {
    "info": mark("note"),
    "warning": mark("warning"),
    "error": mark("error"),
}
ANCHORS = {
    "diagnosis": mark("diagnosis"),
    "treatment_start": mark("start of treatment"),
    "remission": mark("remission"),
    "end_of_treatment": mark("end of treatment"),
    "transplant": mark("transplant"),
    "tki_start": mark("start of TKI"),
    "tki_stop": mark("stop of TKI"),
}
TIME_POINTS = {
    "diagnosis": mark("diagnosis"),
    "after_cycle_1": mark("after cycle 1"),
    "after_cycle_2": mark("after cycle 2"),
    "end_of_treatment": mark("end of treatment"),
    "follow_up": mark("follow-up"),
    "pre_transplant": mark("before transplant"),
    "post_transplant": mark("after transplant"),
    "post_transplant_day_30": mark("day 30 after transplant"),
    "treatment_free": mark("treatment-free"),
}
