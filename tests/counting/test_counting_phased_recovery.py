"""Phased markers are recovered: simulated pairs, known molecules, errors by quality."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from mrdtrack.counts import SampleCounts
from tests.counting.builders import GENOME, Read, count, make_panel, snv, unlike, wild

ONE = GENOME["chr1"]
PLACES = (900, 931, 987, 1060)
PANEL = make_panel(*(snv(place) | {"group": "g"} for place in PLACES))
LENGTH = 100


class Truth(NamedTuple):
    """Molecules of which two members or more were read well, mutant and wild."""

    alt: int
    ref: int


def simulate(
    folder: Path, n: int, fraction: float, seed: int, **settings: Any
) -> tuple[SampleCounts, Truth]:
    """Draw pairs of 2x100 bases; one base in twenty is of quality 12, others of 37."""
    rng = np.random.default_rng(seed)
    reads, shown = [], {True: 0, False: 0}
    for number in range(n):
        size = int(rng.integers(120, 320))
        start = int(rng.integers(PLACES[0] - size + 1, PLACES[-1]))
        mutant = bool(rng.random() < fraction)
        seen: set[int] = set()
        for flag, at in ((99, start), (147, start + size - LENGTH)):
            held = [place for place in PLACES if at <= place < at + LENGTH]
            quality = np.where(rng.random(LENGTH) < 0.05, 12, 37)
            seen |= {place for place in held if quality[place - at] == 37}
            changes = {p: unlike(ONE[p]) for p in held if mutant}
            letters = ONE[at : at + LENGTH]
            for i in np.flatnonzero(rng.random(LENGTH) < 10 ** (-quality / 10)):
                changes[at + int(i)] = unlike(changes.get(at + int(i), letters[i]))
            reads.append(made(f"r{number}", at, changes, flag, quality.tolist()))
        shown[mutant] += len(seen) > 1
    counted = count(folder, reads, PANEL, **settings)
    return counted, Truth(shown[True], shown[False])


def made(
    name: str, start: int, changes: dict[int, str], flag: int, quality: list[int]
) -> Read:
    return wild(name, start, start + LENGTH, changes, flag=flag, quality=quality)


@pytest.mark.parametrize("fraction", [0.5, 0.05, 0.0])
def test_molecules_that_show_two_members_are_recovered(
    tmp_path: Path, fraction: float
) -> None:
    counted, truth = simulate(tmp_path, 6000, fraction, seed=11)
    (group,) = counted.groups
    assert group.alt is not None
    assert group.ref is not None
    assert 0.97 * truth.alt <= group.alt <= 1.03 * truth.alt
    assert 0.97 * truth.ref <= group.ref <= 1.03 * truth.ref
    assert (group.molecules or 0) >= sum(truth)


def test_errors_at_one_place_make_no_joint_molecule(tmp_path: Path) -> None:
    """One base in twenty is wrong once in sixteen, and poor bases speak."""
    counted, truth = simulate(tmp_path, 6000, 0.0, seed=12, min_base_quality=5)
    (group,) = counted.groups
    assert truth.alt == 0
    assert sum(marker.alt or 0 for marker in counted.markers) > 5
    assert group.alt == 0
    assert (group.ref or 0) > 0.99 * (group.molecules or 0)
