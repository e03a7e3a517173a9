"""Sentences in English and French, and how numbers and dates stand in them."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from math import floor, log10
from typing import Literal, NamedTuple

from mrdtrack.protocols.vocabulary import OWN_METRICS

Language = Literal["en", "fr"]

_PERCENT_METRICS = OWN_METRICS | {"ratio_pct_abl1", "is_pct", "mfc_pct_wbc"}
_SPECIMENS = {
    "bone_marrow": ("bone marrow", "moelle"),
    "peripheral_blood": ("peripheral blood", "sang périphérique"),
    "other": ("other tissue", "autre tissu"),
    None: ("tissue not told", "tissu non précisé"),
}
_METRICS = {
    "vaf_gdna": (
        "variant fraction in genomic DNA",
        "fraction variante (ADN génomique)",
    ),
    "igtr_frac": ("IG/TR fraction", "fraction IG/TR"),
    "fusion_gdna_frac": ("fusion fraction in genomic DNA", "fraction de fusion (ADN)"),
    "cells_frac": ("fraction of cells", "fraction cellulaire"),
    "ratio_pct_abl1": ("transcript ratio to ABL1", "rapport transcrit/ABL1"),
    "copies_1e5_abl1": ("copies per 100,000 ABL1", "copies pour 100 000 ABL1"),
    "is_pct": ("BCR::ABL1 International Scale", "BCR::ABL1 échelle internationale"),
    "log10_reduction": ("log10 reduction", "réduction en log10"),
    "mfc_pct_wbc": ("flow cytometry, of leucocytes", "cytométrie, des leucocytes"),
}


_TIME_POINTS = {
    "after_cycle_1": ("the sample after cycle 1", "prélèvement après le cycle 1"),
    "after_cycle_2": ("the sample after cycle 2", "prélèvement après le cycle 2"),
    "end_of_treatment": ("the end of treatment", "fin de traitement"),
}


class Sentence(NamedTuple):
    """One sentence in both languages."""

    en: str
    fr: str


NOTHING = Sentence("", "")


@lru_cache(maxsize=16_384)
def say_number(value: float, language: Language, digits: int = 2) -> str:
    """Write a number with so many significant digits, without an exponent."""
    if value == 0:
        return "0"
    places = max(digits - 1 - floor(log10(abs(value))), 0)
    plain = f"{Decimal(repr(round(value, places))):f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return plain.replace(".", ",") if language == "fr" else plain


@lru_cache(maxsize=16_384)
def say_level(value: float, metric: str, language: Language) -> str:
    """Write a level on its metric: percent where the metric is a share."""
    if metric in OWN_METRICS:
        value = 100 * value
    text = say_number(value, language)
    return f"{text}\u00a0%" if metric in _PERCENT_METRICS else text


def say_date(date: str, language: Language) -> str:
    """Write an ISO date as the language does."""
    if language == "en":
        return date
    year, month, day = date.split("-")
    return f"{day}/{month}/{year}"


def say_specimen(specimen: str | None, language: Language) -> str:
    """Name the tissue."""
    return _SPECIMENS[specimen][0 if language == "en" else 1]


def say_time_point(name: str) -> Sentence:
    """Name a time point; one without words of its own by its spelling."""
    plain = name.replace("_", " ")
    return Sentence(*_TIME_POINTS.get(name, (plain, plain)))


def say_metric(metric: str, language: Language) -> str:
    """Name the metric in words."""
    return _METRICS.get(metric, (metric, metric))[0 if language == "en" else 1]


def say_visit(sample: str, date: str, language: Language) -> str:
    """Name a visit by sample and date."""
    return f"{sample} ({say_date(date, language)})"
