"""Simulated molecules and their reads: fragments, families, base qualities, errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mrdtrack.lab.simulate_model import Allele, Codes

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assay:
    """How a laboratory makes and reads its molecules.

    Lengths in bases. `margin` is how far around a marker fragments must reach; on
    amplicons it is the distance of the primers. `qualities` and `shares` give the base
    qualities and how often each is read; `decay` raises the share of all but the first
    along the read (1: doubled at the last cycle). `molecule_error` is the rate of
    errors that the whole molecule carries, so that no family can mend them.
    `umi_length` 0 is no UMI; `mean_copies` is the mean number of read pairs a molecule.
    """

    name: str = "capture"
    layout: Literal["capture", "amplicon"] = "capture"
    read_length: int = 150
    reading: Literal["pairs", "single", "merged"] = "pairs"
    fragment_mean: float = 250.0
    fragment_sd: float = 50.0
    fragment_min: int = 60
    margin: int = 60
    qualities: tuple[int, ...] = (37, 12)
    shares: tuple[float, ...] = (0.95, 0.05)
    decay: float = 0.0
    molecule_error: float = 0.0
    umi_length: int = 0
    umi_error: float = 0.0
    mean_copies: float = 1.0
    mark_duplicates: bool = False
    consensus: bool = False

    @property
    def reach(self) -> int:
        """The longest fragment that is drawn (mean and four standard deviations)."""
        if self.layout == "amplicon":
            return 0
        return int(self.fragment_mean + 4 * self.fragment_sd)


ASSAYS: dict[str, Assay] = {
    assay.name: assay
    for assay in (
        Assay(name="capture"),
        Assay(name="capture-2x100", read_length=100, fragment_mean=175),
        Assay(name="cfdna", fragment_mean=170, fragment_sd=25),
        Assay(
            name="amplicon",
            layout="amplicon",
            read_length=250,
            margin=110,
            mark_duplicates=False,
        ),
        Assay(
            name="umi",
            umi_length=8,
            umi_error=0.001,
            mean_copies=4.0,
            molecule_error=1e-6,
        ),
        Assay(
            name="consensus",
            qualities=(60, 40),
            shares=(0.98, 0.02),
            umi_length=8,
            molecule_error=1e-6,
            consensus=True,
        ),
        Assay(
            name="merged-amplicon",
            layout="amplicon",
            reading="merged",
            margin=75,
            qualities=(45,),
            shares=(1.0,),
            consensus=True,
        ),
    )
}


class Molecules(NamedTuple):
    """Molecules of one allele: allele [start, end), strand, copies."""

    start: Integers
    end: Integers
    top: Flags
    copies: Integers
    umi: Codes


class Reads(NamedTuple):
    """Reads of one allele, one a row, bases and qualities in allele direction.

    `molecule` indexes the molecules, `copy` counts within one. `mate` is 0 for single
    reads, else 1 or 2. `reverse` is true for reads sequenced against the allele's
    direction. Rows are padded beyond `end - start`.
    """

    molecule: Integers
    copy: Integers
    mate: Integers
    start: Integers
    end: Integers
    reverse: Flags
    codes: Codes
    qualities: NDArray[np.uint8]
    umi: Codes


def draw_molecules(
    allele: Allele, assay: Assay, depth: float, rng: np.random.Generator
) -> Molecules:
    """Draw molecules so that `depth` times the allele's share cover any one point."""
    low, high = allele.window
    if assay.layout == "amplicon":
        n = int(rng.poisson(depth * allele.share))
        start = np.full(n, low, dtype=np.int64)
        end = np.full(n, high, dtype=np.int64)
    else:
        start, end = _fragments(allele, assay, depth, rng)
        n = len(start)
    return Molecules(
        start=start,
        end=end,
        top=rng.random(n) < 0.5,
        copies=_copies(n, assay, rng),
        umi=rng.integers(0, 4, (n, assay.umi_length), dtype=np.uint8),
    )


def _fragments(
    allele: Allele, assay: Assay, depth: float, rng: np.random.Generator
) -> tuple[Integers, Integers]:
    """Draw starts as a Poisson process; keep what reaches the window."""
    low, high = allele.window
    reach = assay.reach
    per_base = depth * allele.share / assay.fragment_mean
    n = int(rng.poisson(per_base * (high - low + reach)))
    lengths = np.rint(rng.normal(assay.fragment_mean, assay.fragment_sd, n))
    lengths = np.clip(lengths, assay.fragment_min, reach).astype(np.int64)
    start = rng.integers(low - reach, high, n)
    end = start + lengths
    keep = (end > low) & (start >= 0) & (end <= len(allele.codes))
    return start[keep], end[keep]


def _copies(n: int, assay: Assay, rng: np.random.Generator) -> Integers:
    if assay.mean_copies <= 1:
        return np.ones(n, dtype=np.int64)
    return 1 + rng.poisson(assay.mean_copies - 1, n)


def read_molecules(
    allele: Allele, molecules: Molecules, assay: Assay, rng: np.random.Generator
) -> Reads:
    """Read every copy of every molecule, with errors that its qualities predict."""
    reads = _ends(molecules, assay)
    length = reads.end - reads.start
    width = int(length.max()) if len(length) else 0
    columns = np.arange(width)
    inside = columns < length[:, None]
    position = np.where(inside, reads.start[:, None] + columns, 0)
    codes = np.where(inside, allele.codes[position], 0).astype(np.uint8)
    _damage_molecules(codes, reads, molecules, assay, rng)
    qualities = _qualities(reads, inside, assay, rng)
    error = np.power(10.0, -0.1 * np.arange(256))[qualities]
    wrong = (rng.random(codes.shape) < error) & inside & (codes < 4)
    shift = rng.integers(1, 4, int(wrong.sum()), dtype=np.uint8)
    codes[wrong] = (codes[wrong] + shift) % 4
    return reads._replace(
        codes=codes, qualities=qualities, umi=_read_umis(reads, assay, rng)
    )


def _ends(molecules: Molecules, assay: Assay) -> Reads:
    """Lay out which stretch of its molecule every read covers; bases come later."""
    n = len(molecules.start)
    molecule = np.repeat(np.arange(n), molecules.copies)
    first = np.cumsum(molecules.copies) - molecules.copies
    copy = np.arange(len(molecule)) - first[molecule]
    start, end = molecules.start[molecule], molecules.end[molecule]
    top = molecules.top[molecule]
    if assay.reading == "merged":
        mate = np.zeros(len(molecule), dtype=np.int64)
        reverse = ~top
    else:
        left = np.minimum(start + assay.read_length, end)
        right = np.maximum(end - assay.read_length, start)
        if assay.reading == "single":
            start, end = np.where(top, start, right), np.where(top, left, end)
            mate, reverse = np.zeros(len(molecule), dtype=np.int64), ~top
        else:
            start, end = _paired(start, right), _paired(left, end)
            mate = _paired(np.where(top, 1, 2), np.where(top, 2, 1))
            reverse = np.tile([False, True], len(molecule))
            molecule, copy = np.repeat(molecule, 2), np.repeat(copy, 2)
    empty = np.zeros((0, 0), dtype=np.uint8)
    return Reads(
        molecule, copy, mate, start, end, reverse, empty, empty, molecules.umi[molecule]
    )


def _paired(left: Integers, right: Integers) -> Integers:
    return np.stack([left, right], axis=1).ravel()


def _qualities(
    reads: Reads, inside: Flags, assay: Assay, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Draw base qualities along the cycles, laid down in allele direction."""
    width = inside.shape[1]
    columns = np.arange(width)
    if len(assay.qualities) == 1:
        return np.where(inside, assay.qualities[0], 0).astype(np.uint8)
    length = (reads.end - reads.start)[:, None]
    cycle = np.where(reads.reverse[:, None], length - 1 - columns, columns)
    scale = 1 + assay.decay * np.clip(cycle, 0, None) / max(assay.read_length - 1, 1)
    draw = rng.random(inside.shape)
    chosen = np.zeros(inside.shape, dtype=np.int64)
    lower = np.zeros(inside.shape)
    for number in range(len(assay.qualities) - 1, 0, -1):
        upper = lower + assay.shares[number] * scale
        chosen[(draw >= lower) & (draw < upper)] = number
        lower = upper
    found = np.array(assay.qualities, dtype=np.uint8)[chosen]
    return np.where(inside, found, 0).astype(np.uint8)


def _damage_molecules(
    codes: Codes,
    reads: Reads,
    molecules: Molecules,
    assay: Assay,
    rng: np.random.Generator,
) -> None:
    """Change bases of whole molecules, in all their reads alike."""
    lengths = molecules.end - molecules.start
    n_errors = int(rng.poisson(assay.molecule_error * lengths.sum()))
    if not n_errors:
        return
    hit = rng.choice(len(lengths), n_errors, p=lengths / lengths.sum())
    place = molecules.start[hit] + (rng.random(n_errors) * lengths[hit]).astype(
        np.int64
    )
    shifts = rng.integers(1, 4, n_errors, dtype=np.uint8)
    first = np.searchsorted(reads.molecule, hit, side="left")
    last = np.searchsorted(reads.molecule, hit, side="right")
    for start, end, position, shift in zip(first, last, place, shifts, strict=True):
        for row in range(start, end):
            if reads.start[row] <= position < reads.end[row]:
                column = position - reads.start[row]
                codes[row, column] = (codes[row, column] + shift) % 4


def _read_umis(reads: Reads, assay: Assay, rng: np.random.Generator) -> Codes:
    """Read the molecules' UMIs, both mates of a pair alike, with errors."""
    umi = reads.umi.copy()
    if assay.umi_error <= 0 or not umi.size:
        return umi
    step = 2 if assay.reading == "pairs" else 1
    pairs = umi[::step]
    wrong = rng.random(pairs.shape) < assay.umi_error
    pairs[wrong] = (pairs[wrong] + rng.integers(1, 4, int(wrong.sum()))) % 4
    return np.repeat(pairs, step, axis=0)
