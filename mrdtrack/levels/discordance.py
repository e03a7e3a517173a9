"""A marker that does not agree with the rest, and the level without it.

An artefact of one marker, a subclone that is gone or one that survived alone must not
speak for the whole panel unseen: where one marker stands out, test, level and limit are
worked out again without it and told beside the first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mrdtrack.levels.exact_bounds import FloatArray, clopper_pearson
from mrdtrack.levels.judged_markers import JudgedMarkers, without_marker
from mrdtrack.levels.level_interval import (
    LevelEstimate,
    LikelihoodStore,
    level_estimate,
)
from mrdtrack.levels.limits import Sampling, limits
from mrdtrack.levels.marker_results import marker_call
from mrdtrack.levels.result import LevelWithout
from mrdtrack.levels.visit_facts import LevelSettings

APART = 1.5
"""How many times a marker's fraction must differ from the level, beyond both errors."""
CHANCE = 0.02
"""Chance that one of a sample's markers stands out though all agree."""


class Discordance(NamedTuple):
    """The test without the strongest marker, and all without the one that stands out.

    Both None where there is no detection, or nothing else to judge by.
    """

    p_without_top: float | None
    without: LevelWithout | None


AGREEMENT = Discordance(None, None)


def discordance(
    judged: JudgedMarkers,
    names: tuple[str, ...],
    estimate: tuple[float, float, float],
    settings: LevelSettings,
) -> Discordance:
    """Judge a detection again without the marker that stands out, if one does.

    `estimate`: the level with its bounds. It is the strongest marker where nothing is
    detected without it; else one whose own fraction lies above the level of the others,
    or else below it.
    """
    if len(names) < 2 or judged.found.p_value > settings.alpha:
        return AGREEMENT
    top = int(judged.found.p_marker.argmin())
    p_without = float(without_marker(judged, top, settings.alpha)[2].p_value)
    if p_without > settings.alpha:
        return Discordance(p_without, _without(judged, names, top, settings)[0])
    high = _highest_apart(judged, estimate[0])
    if high is not None:
        told, rest = _without(judged, names, high, settings)
        if _bounds(judged)[0][high] > APART * rest.high:
            return Discordance(p_without, told)
    lost = lost_markers(judged, estimate[1])
    if lost:
        return Discordance(p_without, _without(judged, names, lost[0], settings)[0])
    return Discordance(p_without, None)


def lost_markers(judged: JudgedMarkers, level_low: float) -> list[int]:
    """Return the markers whose own interval lies below the level's, lowest first."""
    if level_low <= 0 or len(judged.places) < 2:
        return []
    high = _bounds(judged)[1]
    lost = np.flatnonzero(high * APART < level_low)
    return [int(i) for i in lost[np.argsort(high[lost], kind="stable")]]


def _bounds(judged: JudgedMarkers) -> tuple[FloatArray, FloatArray]:
    """Return low and high bounds of the level that each marker tells by itself [M]."""
    alt, molecules, ratio = judged.counts
    low, high = clopper_pearson(alt, molecules, 1 - CHANCE / len(molecules))
    return low / ratio, high / ratio


def _highest_apart(judged: JudgedMarkers, level: float) -> int | None:
    """Return the highest marker, if even its lower bound lies above the level."""
    low = _bounds(judged)[0]
    highest = int(low.argmax())
    return highest if low[highest] > level else None


def _without(
    judged: JudgedMarkers, names: tuple[str, ...], left_out: int, s: LevelSettings
) -> tuple[LevelWithout, LevelEstimate]:
    table, counts, found = without_marker(judged, left_out, s.alpha)
    rest = level_estimate(table, counts, found, LikelihoodStore(table), s.confidence)
    sampling = Sampling(s.input_genomes, s.min_molecules, s.loq_cv)
    seen = limits(table, s.alpha, sampling)
    told = LevelWithout(
        marker=names[left_out],
        value=rest.value,
        low=rest.low,
        high=min(rest.high, 1.0),
        p_value=float(found.p_value),
        lod95=seen.lod95,
        call=marker_call(
            found.p_value,
            int(counts.alt.sum()),
            quantifiable=rest.value >= seen.loq,
            sensitive=seen.lod95 <= s.sensitivity,
            settings=s,
        ),
    )
    return told, rest
