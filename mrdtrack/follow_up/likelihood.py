"""What one visit says of its level, as a likelihood rebuilt from stored facts alone.

A visit result keeps its level with a 95 % interval, its limit of detection and its
counts, not its likelihood curve. Three forms stand for it:

* **counts** (detected, with an interval): the Poisson likelihood f^K exp(-N f) whose
  exact (Garwood) interval is as wide, on the log scale, as the stored one, and whose
  maximum is the stored value. K and N are *effective* counts: background, spread
  between markers and copy numbers have already widened the interval, so they have
  already lowered K.
* **censored** (not detected, limit known): the probability of not detecting, as a
  function of the level: P(Poisson(N f) < c), which is 0.05 at LoD95. c is the number of
  molecules the test asks for, as N x LoD95 tells; 1 where the molecules are not known.
* **point** (detected by a method that gives no interval): the value, without error.

Sources: Garwood F, Biometrika 1936;28:437 (doi 10.1093/biomet/28.3-4.437); censoring
each non-detect at its own limit: Helsel DR, Environ Sci Technol 1990;24:1766 (doi
10.1021/es00082a001).
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from mrdtrack.follow_up.series import NOT_DETECTED, is_detected
from mrdtrack.follow_up.timeline import TimelineVisit
from mrdtrack.levels.result import MarkerResult

ZERO_COUNT_TWO_SIDED = 3.6888794541139363
"""-ln(0.025): upper 97.5 % bound of a Poisson mean when nothing was seen."""

ZERO_COUNT_ONE_SIDED = 2.995732273553991
"""-ln(0.05): the Poisson mean that is seen with probability 0.95."""

_FEWEST, _MOST = 1e-3, 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One visit's likelihood.

    `count` is K (`counts`), or the molecules c the test asks for (`censored`);
    `exposure` is N. `level` is the value, or for `censored` the LoD95.
    """

    form: Literal["counts", "censored", "point"]
    level: float
    count: float
    exposure: float


def weigh_visit(visit: TimelineVisit) -> Evidence | None:
    """Rebuild a visit's likelihood; None where it says nothing of the level."""
    if is_detected(visit):
        return _weigh_detected(visit)
    if visit.call in NOT_DETECTED:
        return _weigh_not_detected(visit)
    return None


def _weigh_detected(visit: TimelineVisit) -> Evidence | None:
    value = visit.value
    if value is None or value <= 0:
        return None
    count: float | None = None
    if visit.high is not None and visit.high > value:
        if visit.low is not None and 0 < visit.low < value:
            count = effective_count(log(visit.high / visit.low), "both")
        else:
            count = effective_count(log(visit.high / value), "upper")
    if count is None:
        return Evidence(form="point", level=value, count=0.0, exposure=0.0)
    return Evidence(form="counts", level=value, count=count, exposure=count / value)


def _weigh_not_detected(visit: TimelineVisit) -> Evidence | None:
    if visit.lod95 is not None and visit.lod95 > 0:
        molecules = pool_counts(visit)[1] * visit.lod95
        asked = needed_molecules(molecules)
        return Evidence(
            form="censored",
            level=visit.lod95,
            count=asked,
            exposure=float(special.gammaincinv(asked, 0.95)) / visit.lod95,
        )
    if visit.high is not None and visit.high > 0:
        exposure = ZERO_COUNT_TWO_SIDED / visit.high
        return Evidence(
            form="censored",
            level=ZERO_COUNT_ONE_SIDED / exposure,
            count=1.0,
            exposure=exposure,
        )
    return None


@lru_cache(maxsize=1)
def _width_tables() -> tuple[NDArray[np.float64], ...]:
    counts = np.geomspace(_FEWEST, _MOST, 1200)
    with np.errstate(divide="ignore"):
        low = np.log(special.gammaincinv(counts, 0.025))
    high = np.log(special.gammaincinv(counts + 1, 0.975))
    kept = np.isfinite(low)
    return np.log(counts), high - low, high - np.log(counts), kept


@lru_cache(maxsize=16_384)
def effective_count(width: float, side: Literal["both", "upper"]) -> float:
    """Find the Poisson count whose exact 95 % interval has this width.

    Args:
        width: natural log of high/low (`both`), or of high/value (`upper`).
        side: which width is given.
    """
    log_counts, both, upper, kept = _width_tables()
    widths = both if side == "both" else upper
    use = kept.astype(bool) if side == "both" else np.ones_like(kept, dtype=bool)
    found = np.interp(width, widths[use][::-1], log_counts[use][::-1])
    return float(np.exp(found))


@lru_cache(maxsize=1)
def _power_table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    asked = np.concatenate([[1.0], np.geomspace(1.001, 1e6, 800)])
    return asked, np.asarray(special.gammaincinv(asked, 0.95), dtype=np.float64)


@lru_cache(maxsize=16_384)
def needed_molecules(expected_at_lod95: float) -> float:
    """Find how many molecules a test asks for, from N x LoD95.

    2.996 is one molecule, 4.744 two, 6.296 three; a background raises it further.
    """
    asked, expected = _power_table()
    return float(np.interp(expected_at_lod95, expected, asked))


def level_rows(
    visit: TimelineVisit, together: Set[str | None]
) -> tuple[MarkerResult, ...]:
    """Return the markers of a visit, with joint counts in place of some groups'."""
    kept = [m for m in visit.markers if m.group is None or m.group not in together]
    return (*kept, *(group for group in visit.groups if group.group in together))


def pool_counts(visit: TimelineVisit) -> tuple[int, int]:
    """Pool marker-bearing molecules and denominators over the markers of the level.

    Markers of one group lie on one molecule, which counts once: of a group only the
    marker with the most molecules enters, or the joint count that the level rests on.
    """
    best: dict[str, tuple[int, int]] = {}
    for marker in level_rows(visit, {group.group for group in visit.groups}):
        if marker.role != "level" or not marker.assessable:
            continue
        if marker.alt is None or not marker.denominator:
            continue
        name = f"group:{marker.group}" if marker.group else marker.marker
        entry = (marker.denominator, marker.alt)
        best[name] = max(best.get(name, entry), entry)
    return sum(e[1] for e in best.values()), sum(e[0] for e in best.values())


def bound_level(visit: TimelineVisit) -> float | None:
    """Bound the level of a visit without detection from above.

    The larger of its LoD95 and its upper 95 % limit: the field's convention is the
    sample's limit of detection, and where molecules were seen without being enough for
    a detection the interval reaches further than that.
    """
    bounds = [bound for bound in (visit.lod95, visit.high) if bound is not None]
    return max(bounds) if bounds else None
