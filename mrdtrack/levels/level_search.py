"""The level at which a rising probability reaches what is wanted.

Each probability is a convolution over all markers, so few are asked for: the search
goes in whole rungs of a ladder of log levels, by secants, and interpolates between the
rungs around what it found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count

import numpy as np
from numpy.typing import ArrayLike

from mrdtrack.levels.exact_bounds import FloatArray
from mrdtrack.levels.light_scipy import special

LARGEST_LEVEL = 1.0
SMALLEST_LEVEL = 1e-9
_REFINEMENTS = 1
_FIRST = 2
"""Rungs below and above the start that are always asked for."""
_EXTENSION = 3
"""Rungs by which the ladder grows."""
_PATIENCE = 4
"""Every so many steps one goes by halves, not by a secant."""

Probability = Callable[[FloatArray], FloatArray]


class _Ladder:
    """Rungs, each `spacing` in log level from the next, asked for when needed.

    Those of the smallest and the largest level are `bottom` and `top`.
    """

    def __init__(self, probability: Probability, start: float, spacing: float) -> None:
        self._probability = probability
        self._start = float(np.log(start))
        self._spacing = spacing
        self._probits: dict[int, float] = {}
        smallest, largest = np.log(SMALLEST_LEVEL), np.log(LARGEST_LEVEL)
        self.bottom = _grown(-1, lambda rung: self.log_level(rung) <= smallest)
        self.top = _grown(1, lambda rung: self.log_level(rung) >= largest)

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

    def first_reaching(self, aim: float) -> int:
        """Return the first rung whose probit is `aim`, or else the top.

        Beyond what is known one goes by two secants, then to the end of the ladder;
        between two rungs by secants, and by halves now and then, so that it ends.
        """
        for step in count(1):
            below = [rung for rung, found in self._probits.items() if found < aim]
            others = self._probits.keys() - below
            left = max(below, default=self.bottom - 1)
            right = min(others, default=self.top + 1)
            if right - left == 1:
                return min(right, self.top)
            rung = self._secant(aim, left, right)
            if step % _PATIENCE == 0:
                rung = (left + right) // 2
            elif step > 2 and not (below and others):
                rung = self.top if below else self.bottom
            self.ask([rung])
        raise AssertionError("by halves it ends")

    def _secant(self, aim: float, left: int, right: int) -> int:
        """Return the rung between two to which a line through known rungs leads.

        In log odds above the bottom's, if known: far below its noise a test finds as
        much as without any signal.
        """
        least = special.ndtr(self._probits.get(self.bottom, -np.inf))

        def log_odds(probit: ArrayLike) -> FloatArray:
            found = special.ndtr(np.asarray(probit))
            above = np.maximum(found - least, 1e-12)
            return np.asarray(np.log(above / np.maximum(1.0 - found, 1e-12)))

        rungs = np.array(list(self._probits))
        odds = log_odds(list(self._probits.values())) - log_odds(aim)
        one, other = np.argsort(np.abs(odds), kind="stable")[:2]
        rise = (odds[other] - odds[one]) / (rungs[other] - rungs[one])
        if rise <= 0:
            return (left + right) // 2
        rung = np.ceil(rungs[one] - odds[one] / rise)
        return int(np.clip(rung, left + 1, right - 1))


def level_at(
    probability: Probability,
    targets: tuple[float, ...],
    start: float,
    spacing: float,
) -> list[float]:
    """Return the levels at which a rising probability reaches some targets.

    Finds the rungs of a ladder of levels around the targets, or the end of the ladder;
    then interpolates log level as a cubic in the probit, through the points so found
    too.
    """
    wanted: FloatArray = special.ndtri(np.array(targets))
    ladder = _Ladder(probability, start, spacing)
    ladder.ask((-_FIRST, _FIRST))
    found = [ladder.first_reaching(aim) for aim in wanted.tolist()]
    low = max(ladder.bottom, _grown(-1, lambda rung: rung < min(found)))
    high = min(ladder.top, _grown(1, lambda rung: rung >= max(found)))
    for right in found:
        first, last = min(right - 2, high - 3), max(right + 1, low + 3)
        ladder.ask(range(max(low, first), min(high, last) + 1))
    rungs = ladder.between(low, high)
    logs = np.array([ladder.log_level(rung) for rung in rungs])
    probits = np.array([ladder.probit(rung) for rung in rungs])
    for _ in range(_REFINEMENTS):
        found = [np.log(_inverse(logs, probits, float(w))) for w in wanted]
        more = np.setdiff1d(np.array(found), logs)
        logs, probits = _joined(logs, probits, more, probability)
    return [_inverse(logs, probits, float(w)) for w in wanted]


def _grown(sign: int, enough: Callable[[int], bool]) -> int:
    """Return the first end of a growing ladder that is enough; sign -1: downwards."""
    first, more = sign * _FIRST, sign * _EXTENSION
    return first + more * _fewest(lambda n: enough(first + more * n))


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
