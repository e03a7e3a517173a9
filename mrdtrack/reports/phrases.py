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
MODES = {
    "reads": mark("reads"),
    "fragments": mark("fragments"),
    "umi": mark("UMI families"),
    "consensus": mark("consensus reads"),
}
DENOMINATORS = {
    "molecules_at_locus": mark("of the molecules at the marker"),
    "flank": mark("of the molecules at its edges"),
    "locus_reads": mark("of all reads of the locus"),
    "spike_in": mark("of cells, by a spike-in"),
    "input_cells": mark("of the cells that went in"),
}
TREATMENT_KINDS = {
    "induction": mark("induction"),
    "consolidation": mark("consolidation"),
    "maintenance": mark("maintenance"),
    "intensification": mark("intensification"),
    "targeted": mark("targeted treatment"),
    "immunotherapy": mark("immunotherapy"),
    "chemotherapy": mark("chemotherapy"),
    "transplant": mark("transplant"),
    "hsct": mark("stem-cell transplant"),
    "dli": mark("donor lymphocytes"),
    "tki": mark("TKI"),
    "tki_stop": mark("stop of TKI"),
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
    "relapse": mark("relapse"),
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
    "after_consolidation_1": mark("after consolidation 1"),
    "mrd1": mark("MRD1"),
    "mrd2": mark("MRD2"),
    "day_8": mark("day 8"),
    "day_15": mark("day 15"),
    "day_29": mark("day 29"),
    "day_33": mark("day 33"),
    "day_35": mark("day 35"),
    "day_78": mark("day 78"),
    "week_14": mark("week 14"),
    "month_3": mark("month 3"),
    "month_6": mark("month 6"),
    "month_12": mark("month 12"),
    "treatment_free": mark("treatment-free"),
}
