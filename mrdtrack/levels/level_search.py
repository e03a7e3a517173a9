"""The level at which a rising probability reaches what is wanted.

Each probability is a convolution over all markers, so few are asked for: the search
goes in whole rungs of a ladder of log levels, first by doubling, then by halving, and
interpolates between the rungs around what it found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from scipy import special

from mrdtrack.levels.exact_bounds import FloatArray

LARGEST_LEVEL = 1.0
SMALLEST_LEVEL = 1e-9
_REFINEMENTS = 1
_FIRST = 2
"""Rungs below and above the start that are always asked for."""
_EXTENSION = 3
"""Rungs by which the ladder grows."""

Probability = Callable[[FloatArray], FloatArray]


class _Ladder:
    """Rungs, each `spacing` in log level from the next, asked for when needed."""

    def __init__(self, probability: Probability, start: float, spacing: float) -> None:
        self._probability = probability
        self._start = float(np.log(start))
        self._spacing = spacing
        self._probits: dict[int, float] = {}

    def log_level(self, rung: int) -> float:
        """Return the log level of a rung."""
        return self._start + self._spacing * rung

    def ask(self, rungs: Iterable[int]) -> None:
        """Ask for the probits of rungs that are not known, all at once."""
        new = [rung for rung in rungs if rung not in self._probits]
        if new:
            logs = np.array([self.log_level(rung) for rung in new])
            probits = probit(self._probability(np.exp(logs)))
            self._probits.update(zip(new, probits.tolist(), strict=True))

    def probit(self, rung: int) -> float:
        """Return the probit at a rung."""
        self.ask([rung])
        return self._probits[rung]

    def between(self, low: int, high: int) -> list[int]:
        """Return the known rungs from `low` to `high`, in order."""
        return [rung for rung in sorted(self._probits) if low <= rung <= high]

    def first_reaching(self, aim: float, low: int, high: int) -> int:
        """Return the first rung from `low` whose probit is `aim`, or else `high`."""
        known = self.between(low, high)
        right = next((rung for rung in known if self._probits[rung] >= aim), high)
        left = max((rung for rung in known if rung < right), default=right)
        while right - left > 1:
            middle = (left + right) // 2
            left, right = (
                (left, middle) if self.probit(middle) >= aim else (middle, right)
            )
        return right


def level_at(
    probability: Probability,
    targets: tuple[float, ...],
    start: float,
    spacing: float,
) -> list[float]:
    """Return the levels at which a rising probability reaches some targets.

    Widens a ladder of levels until all targets are bracketed, or a level is as small or
    large as any; then interpolates log level as a cubic in the probit, through the
    points so found too. Only the rungs around the targets are asked for.
    """
    wanted: FloatArray = special.ndtri(np.array(targets))
    ladder = _Ladder(probability, start, spacing)
    ladder.ask(range(-_FIRST, _FIRST + 1))
    low, high = _ends(ladder, float(wanted.min()), float(wanted.max()))
    for aim in wanted.tolist():
        right = ladder.first_reaching(aim, low, high)
        ladder.ask(range(max(low, right - 3), min(high, right + 2) + 1))
    rungs = ladder.between(low, high)
    logs = np.array([ladder.log_level(rung) for rung in rungs])
    probits = np.array([ladder.probit(rung) for rung in rungs])
    for _ in range(_REFINEMENTS):
        found = [np.log(_inverse(logs, probits, float(w))) for w in wanted]
        more = np.setdiff1d(np.array(found), logs)
        logs, probits = _joined(logs, probits, more, probability)
    return [_inverse(logs, probits, float(w)) for w in wanted]


def _ends(ladder: _Ladder, lowest: float, highest: float) -> tuple[int, int]:
    """Return the first and last rung of a ladder that reaches as far as is needed."""
    smallest, largest = np.log(SMALLEST_LEVEL), np.log(LARGEST_LEVEL)

    def below(n: int) -> bool:
        rung = -_FIRST - _EXTENSION * n
        return ladder.log_level(rung) <= smallest or ladder.probit(rung) <= lowest

    def above(n: int) -> bool:
        rung = _FIRST + _EXTENSION * n
        return ladder.log_level(rung) >= largest or ladder.probit(rung) >= highest

    low, high = -_FIRST - _EXTENSION * _fewest(below), _FIRST
    high += _EXTENSION * _fewest(above)
    ladder.ask((low, high))
    return low, high


def _fewest(enough: Callable[[int], bool]) -> int:
    """Return the least number, 0 or more, that is enough; more are enough as well."""
    if enough(0):
        return 0
    short, long = 0, 1
    while not enough(long):
        short, long = long, 2 * long
    while long - short > 1:
        middle = (short + long) // 2
        short, long = (short, middle) if enough(middle) else (middle, long)
    return long


def _joined(
    logs: FloatArray,
    probits: FloatArray,
    more: FloatArray,
    probability: Probability,
) -> tuple[FloatArray, FloatArray]:
    """Return the ladder with more levels and their probits, in order."""
    if not len(more):
        return logs, probits
    joined = np.concatenate([logs, more])
    values = np.concatenate([probits, probit(probability(np.exp(more)))])
    order = np.argsort(joined, kind="stable")
    return joined[order], values[order]


def probit(probability: FloatArray) -> FloatArray:
    """Return the normal quantile, as far as it goes with 1e-12 left on either side."""
    result: FloatArray = special.ndtri(np.clip(probability, 1e-12, 1 - 1e-12))
    return result


def _inverse(logs: FloatArray, probits: FloatArray, wanted: float) -> float:
    """Interpolate a level through the four points around the wanted probit."""
    if wanted <= probits[0]:
        return float(np.exp(logs[0]))
    if wanted >= probits[-1]:
        return float(min(np.exp(logs[-1]), LARGEST_LEVEL))
    right = int(np.argmax(probits >= wanted))
    low = max(0, min(right - 2, len(logs) - 4))
    x, y = probits[low : low + 4], logs[low : low + 4]
    linear = np.interp(
        wanted, probits[right - 1 : right + 1], logs[right - 1 : right + 1]
    )
    if (np.diff(x) < 1e-3).any() or np.abs(x).max() > 7:
        return float(np.exp(linear))
    cubic = 0.0
    for i in range(4):
        others = np.delete(x, i)
        cubic += y[i] * float(np.prod((wanted - others) / (x[i] - others)))
    inside = logs[right - 1] <= cubic <= logs[right]
    return float(np.exp(cubic if inside else linear))
