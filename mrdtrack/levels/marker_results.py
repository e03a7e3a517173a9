"""One row for each marker: fraction with interval, p-value, LoD95 and call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from mrdtrack.counts import GroupCounts, MarkerCounts
from mrdtrack.findings import REASONS
from mrdtrack.levels.detection import NullTable, holm
from mrdtrack.levels.exact_bounds import FloatArray, clopper_pearson
from mrdtrack.levels.limits import marker_level_at
from mrdtrack.levels.result import Call, MarkerResult
from mrdtrack.levels.visit_facts import LevelSettings

_BINOMIAL_FROM = 0.02
_ENOUGH_NOISE = 1e-3


class MarkerKnowledge(NamedTuple):
    """What is known of the markers before their counts [M].

    `lod95`, and whether their background is but `assumed`.
    """

    lod95: FloatArray
    assumed: tuple[bool, ...]


class MarkerNumbers(NamedTuple):
    """Fraction with 95 % interval, p-value, LoD95 and LoQ of the markers [M]."""

    fraction: FloatArray
    low: FloatArray
    high: FloatArray
    p_value: FloatArray
    lod95: FloatArray
    loq: FloatArray


def marker_numbers(
    table: NullTable,
    alt: FloatArray,
    p_value: FloatArray,
    settings: LevelSettings,
    known: MarkerKnowledge,
) -> MarkerNumbers:
    """Return the numbers of the markers of one null table.

    The interval is of the observed fraction: Clopper-Pearson above; below, what the
    background may have given is taken off (0 where it may have given all), and
    Clopper-Pearson where nothing is known of the background.
    """
    tail = (1.0 - settings.confidence) / 2.0
    fraction = np.minimum(alt / table.molecules, 1.0)
    clean_low, high = clopper_pearson(alt, table.molecules, settings.confidence)
    informed = ~np.array(known.assumed, dtype=bool)
    noise = (table.mixture.weight * table.background).sum(axis=1)
    signal = informed & (alt > 0) & (p_value <= tail)
    shifted = clean_low
    if signal.any():
        shifted = marker_level_at(table, np.maximum(alt, 1.0), tail)
    frequent = fraction > _BINOMIAL_FROM
    shifted = np.where(
        frequent, np.maximum(clean_low - 2 * noise / table.molecules, 0.0), shifted
    )
    low = np.where(informed, np.where(signal, shifted, 0.0), clean_low)
    needed = 1.0 / settings.loq_cv**2
    loq = np.maximum(
        known.lod95, (needed + 2 * np.sqrt(noise * needed)) / table.molecules
    )
    return MarkerNumbers(
        fraction,
        np.minimum(np.minimum(low, clean_low), fraction),
        np.maximum(high, fraction),
        p_value,
        known.lod95,
        np.minimum(loq, 1.0),
    )


def marker_rows(
    markers: Sequence[MarkerCounts],
    places: Sequence[Sequence[int]],
    numbers: Sequence[MarkerNumbers],
    settings: LevelSettings,
) -> tuple[MarkerResult, ...]:
    """Return one row for every marker; those at no place are not evaluable.

    Calls rest on the p-values of all rows, adjusted for their number (Holm); the joint
    counts of groups are adjusted apart, as they are no further molecules.
    """
    where = {}
    for part, numbers_of_part in zip(places, numbers, strict=True):
        for i, place in enumerate(part):
            where[place] = [float(values[i]) for values in numbers_of_part]
    adjusted: dict[int, float] = {}
    for joint in (False, True):
        family = [p for p in where if isinstance(markers[p], GroupCounts) == joint]
        ordered = sorted(family)
        p_values = np.array([where[place][3] for place in ordered])
        adjusted |= dict(zip(ordered, holm(p_values).tolist(), strict=True))
    return tuple(
        _row(marker, where[place], adjusted[place], settings)
        if place in where
        else _unassessable(marker)
        for place, marker in enumerate(markers)
    )


def _row(
    marker: MarkerCounts, numbers: list[float], p_adjusted: float, s: LevelSettings
) -> MarkerResult:
    fraction, low, high, p_value, lod95, loq = numbers
    return MarkerResult(
        **_counted(marker),
        fraction=fraction,
        fraction_low=low,
        fraction_high=high,
        p_value=p_value,
        lod95=lod95,
        call=marker_call(
            p_adjusted,
            marker.alt or 0,
            quantifiable=fraction >= loq,
            sensitive=lod95 <= s.sensitivity,
            settings=s,
        ),
    )


def marker_call(
    p_value: float,
    alt: int,
    *,
    quantifiable: bool,
    sensitive: bool,
    settings: LevelSettings,
) -> Call:
    """Return the call of a marker or a sample from what is known of it."""
    if p_value <= settings.alpha and alt >= settings.min_molecules:
        return "quantified" if quantifiable else "detected_below_loq"
    return "not_detected" if sensitive else "insufficient_sensitivity"


def _counted(marker: MarkerCounts) -> dict[str, Any]:
    return {name: getattr(marker, name) for name in MarkerCounts.model_fields}


def _unassessable(marker: MarkerCounts) -> MarkerResult:
    counted = _counted(marker) | {"assessable": False}
    if not marker.reason:
        code = "not_told_apart" if marker.assessable else "not_counted"
        counted |= {"reason": REASONS[code], "reason_code": code}
    return MarkerResult(**counted, call="not_evaluable")
