"""The words rules are written in: actions, metrics, time points, anchors."""

from __future__ import annotations

import re
from typing import Final, Literal, get_args

Action = Literal[
    "INTENSIFY_DISCUSS",
    "HSCT_DISCUSS",
    "PREEMPTIVE_DISCUSS",
    "DEESCALATE_DISCUSS",
    "CONTINUE",
    "MONITOR_CLOSER",
    "REPEAT_SAMPLE",
    "CHANGE_SPECIMEN",
    "NO_RULE",
]
Metric = Literal[
    "vaf_gdna",
    "igtr_frac",
    "fusion_gdna_frac",
    "cells_frac",
    "ratio_pct_abl1",
    "copies_1e5_abl1",
    "is_pct",
    "log10_reduction",
    "mfc_pct_wbc",
]
Anchor = Literal[
    "diagnosis",
    "treatment_start",
    "remission",
    "end_of_treatment",
    "transplant",
    "tki_start",
    "tki_stop",
]
TimePoint = Literal[
    "diagnosis",
    "after_cycle_1",
    "after_cycle_2",
    "after_consolidation_1",
    "end_of_treatment",
    "follow_up",
    "pre_transplant",
    "post_transplant",
    "post_transplant_day_30",
    "mrd1",
    "mrd2",
    "day_8",
    "day_15",
    "day_29",
    "day_33",
    "day_35",
    "day_78",
    "week_14",
    "month_3",
    "month_6",
    "month_12",
    "treatment_free",
]

OWN_METRICS: Final[frozenset[str]] = frozenset(
    {"vaf_gdna", "igtr_frac", "fusion_gdna_frac", "cells_frac"}
)
METRICS: Final[tuple[str, ...]] = get_args(Metric)
ACTIONS: Final[tuple[str, ...]] = get_args(Action)

INTENSIFYING: Final[frozenset[str]] = frozenset(
    {"INTENSIFY_DISCUSS", "HSCT_DISCUSS", "PREEMPTIVE_DISCUSS"}
)

DTA_GENES: Final[frozenset[str]] = frozenset({"DNMT3A", "TET2", "ASXL1"})
"""Genes of clonal haematopoiesis that drive no flag under any protocol."""

_ALIASES: Final[dict[str, TimePoint]] = {
    "dx": "diagnosis",
    "baseline": "diagnosis",
    "diagnostic": "diagnosis",
    "c1": "after_cycle_1",
    "after course 1": "after_cycle_1",
    "after 1 cycle": "after_cycle_1",
    "post induction 1": "after_cycle_1",
    "c2": "after_cycle_2",
    "after consolidation 1": "after_consolidation_1",
    "after first consolidation": "after_consolidation_1",
    "after course 2": "after_cycle_2",
    "after 2 cycles": "after_cycle_2",
    "after 2 courses": "after_cycle_2",
    "eot": "end_of_treatment",
    "end of consolidation": "end_of_treatment",
    "end conso": "end_of_treatment",
    "eoc": "end_of_treatment",
    "fin de traitement": "end_of_treatment",
    "fin de consolidation": "end_of_treatment",
    "fu": "follow_up",
    "suivi": "follow_up",
    "surveillance": "follow_up",
    "pre hsct": "pre_transplant",
    "pre allo": "pre_transplant",
    "pre greffe": "pre_transplant",
    "post hsct": "post_transplant",
    "post allo": "post_transplant",
    "post greffe": "post_transplant",
    "post hsct d30": "post_transplant_day_30",
    "post allo d30": "post_transplant_day_30",
    "j30 post greffe": "post_transplant_day_30",
    "tp1": "day_33",
    "tp2": "day_78",
    "d79": "day_78",
    "day 79": "day_78",
    "w14": "week_14",
    "m3": "month_3",
    "3 mo": "month_3",
    "3 months": "month_3",
    "m6": "month_6",
    "6 mo": "month_6",
    "6 months": "month_6",
    "m12": "month_12",
    "12 mo": "month_12",
    "12 months": "month_12",
    "tfr": "treatment_free",
}


def name_time_point(label: str | None) -> TimePoint | None:
    """Read a visit's label as one of the known time points; None where it is not.

    Case, hyphens and underscores do not matter; `d33`, `j33` and `day 33` are one.
    """
    if label is None:
        return None
    plain = re.sub(r"[\s_\-+]+", " ", label.strip().lower())
    day = re.fullmatch(r"[dj](?:ay)?\s?(\d+)", plain)
    if day:
        plain = f"day {day[1]}"
    known = {name.replace("_", " "): name for name in get_args(TimePoint)}
    found: TimePoint | None = known.get(plain) or _ALIASES.get(plain)
    return found
