"""The rows of the background, against one row after the other written plainly."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from mrdtrack.counting.background import Stretches
from mrdtrack.counting.background_sites import background_sites
from mrdtrack.counting.targets import encode_bases
from mrdtrack.counts import BackgroundSite
from mrdtrack.kernels.background import BackgroundCounts
from mrdtrack.kernels.position_codes import INDEL_CODES
from mrdtrack.kernels.stretches import StretchArrays

SIZES = (-3, -1, 1, 2)


def drawn_stretches(rng: np.random.Generator, letters: str, n: int) -> Stretches:
    """Stretches of 1 to 60 positions over few letters, so that much repeats."""
    sizes = rng.integers(1, 60, n)
    low = np.cumsum(rng.integers(70, 90, n))
    bases = tuple("".join(rng.choice(list(letters), size + 2)) for size in sizes)
    return Stretches(
        arrays=StretchArrays(
            contig=np.zeros(n, np.int64),
            low=low,
            high=low + sizes,
            first=np.concatenate(([0], np.cumsum(sizes))),
            expected=encode_bases("".join(around[1:-1] for around in bases)),
        ),
        contigs=tuple(sorted(rng.choice(["c1", "c2"], n).tolist())),
        bases=bases,
        of_marker=rng.random(int(sizes.sum())) < 0.1,
        indel_sizes=SIZES,
    )


def plain_rows(
    stretches: Stretches, counts: BackgroundCounts
) -> Iterator[BackgroundSite]:
    """Give the rows by the definition of each."""
    place = -1
    for contig, around, low in zip(
        stretches.contigs, stretches.bases, stretches.arrays.low.tolist(), strict=True
    ):
        for i in range(1, len(around) - 1):
            place += 1
            depth = int(counts.bases[place].sum())
            context = around[i - 1 : i + 2]
            if depth == 0 or stretches.of_marker[place] or "N" in context:
                continue
            at = (contig, low + i, around[i])
            for code, alt in enumerate("ACGT"):
                if alt != around[i]:
                    named = f"{context[0]}[{context[1]}>{alt}]{context[2]}"
                    seen = int(counts.bases[place, code])
                    yield BackgroundSite(*at, alt, named, seen, depth)
            for size in SIZES:
                run = plain_run(around, i + 1, size)
                if run is not None:
                    named = f"{'ins' if size > 0 else 'del'}{abs(size)}:h{run}"
                    code = size if size > 0 else 10 - size
                    seen = int(counts.indels[place, code])
                    yield BackgroundSite(*at, f"{size:+d}", named, seen, depth)


def plain_run(around: str, start: int, size: int) -> int | None:
    """Give the run beside an indel before `start`, None where it belongs elsewhere."""
    unit = around[start : start + abs(size)]
    if len(unit) < abs(size) or "N" in unit or around[start - 1] == unit[-1]:
        return None
    shift, behind = 0, around[start + abs(size) :]
    for base, copy in zip(around[start:], behind, strict=False):
        if base != copy:
            break
        shift += 1
    return min(shift + max(-size, 0), 20)


@pytest.mark.parametrize("letters", ["ACGT", "A", "AC", "ACN", "ACGTRN", "AAAAAAAAAAC"])
@pytest.mark.parametrize("n", [0, 1, 30])
def test_all_wrong_alleles_are_listed(letters: str, n: int) -> None:
    rng = np.random.default_rng([len(letters), n])
    stretches = drawn_stretches(rng, letters, n)
    size = len(stretches.of_marker)
    counts = BackgroundCounts(
        rng.integers(0, 3, (size, 4)), rng.integers(0, 3, (size, INDEL_CODES))
    )
    found = background_sites(stretches, counts)
    assert list(found) == list(plain_rows(stretches, counts))
    assert len(found) == 0 or n > 0
