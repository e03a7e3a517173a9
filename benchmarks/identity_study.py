"""Study: are samples of one person known, and those of others found out?

    python -m benchmarks.identity_study [--trials 10000] [--depth 30]

Families are simulated: the person again (with the upset genomes that leukaemias have,
too), a sibling, a stranger, and the person with 1, 5 and 20 % of a stranger's
molecules, at 20, 50 and 200 positions. The verdicts are those of
`mrdtrack.levels.identity_verdict`, from the likelihoods that the timeline uses. Both
samples have the same depth at each position, so that all pairs of counts can be
weighed once and the trials are sums of that table. The second table asks how often a
contamination is found at greater depths, position by position.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mrdtrack.levels.identity_model import (
    N_COLUMNS,
    OUTLIERS_PANEL,
    Alleles,
    error_rate,
    site_likelihoods,
    sum_over_clones,
)
from mrdtrack.levels.identity_verdict import (
    ACCEPT,
    REFUSE,
    is_contaminated,
    log10_ratio,
    share_of_other,
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

POSITIONS: Final = (20, 50, 200)
DEPTHS: Final = (30, 100, 300, 1000, 3000)
WRONG_BASE: Final = 4e-4
"""Rate of each wrong base in the simulated reads: Q29 together."""
FREQUENCY: Final = (0.2, 0.8)
BALANCE_SD: Final = 0.05
N_CHROMOSOMES: Final = 22
AT_ONCE: Final = 4000
EVEN: Final = np.ones(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Whose the second sample is, and what the leukaemia of the first has altered.

    `other`: relation of the other person; `share`: part of the second sample's
    molecules that are the other's; `lost`: share of the chromosomes of which the clone
    of the first sample (`purity` of its cells) has lost one copy.
    """

    name: str
    other: str = "stranger"
    share: float = 0.0
    lost: float = 0.0
    purity: float = 0.95


FAMILIES: Final = (
    Family(name="same person"),
    Family(name="same person, clone lost 1/3 of chromosomes", lost=1 / 3),
    Family(name="same person, near-haploid clone", lost=0.9),
    Family(name="same person, 1 % of another", share=0.01),
    Family(name="same person, 5 % of another", share=0.05),
    Family(name="same person, 20 % of another", share=0.2),
    Family(name="sibling", other="sibling", share=1.0),
    Family(name="stranger", share=1.0),
    Family(name="stranger, clone lost 1/3 of chromosomes", share=1.0, lost=1 / 3),
    Family(name="stranger, near-haploid clone", share=1.0, lost=0.9),
)


def simulate(
    family: Family, n: int, depth: int, trials: int, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Draw alternative molecules of both samples: two arrays [trials, n]."""
    p = rng.uniform(*FREQUENCY, (trials, n))
    haplotypes = rng.random((2, trials, n)) < p
    others = rng.random((2, trials, n)) < p
    if family.other == "sibling":
        # The parents' other haplotypes are those of strangers: each of the sibling's
        # two is the person's own half of the time.
        own = rng.random((2, trials, n)) < 0.5
        others = np.where(own, haplotypes, others)
    chromosome = np.sort(rng.integers(N_CHROMOSOMES, size=n))
    lost = rng.random((trials, N_CHROMOSOMES)) < family.lost
    kept = rng.integers(2, size=(trials, N_CHROMOSOMES))
    weight = np.where(lost, 1 - family.purity, 1.0)[:, chromosome]
    first_kept = kept[:, chromosome] == 0
    left = np.where(first_kept, 1.0, weight)
    right = np.where(first_kept, weight, 1.0)
    first = (haplotypes[0] * left + haplotypes[1] * right) / (left + right)
    own_share = haplotypes.mean(axis=0)
    second = (1 - family.share) * own_share + family.share * others.mean(axis=0)
    return (
        _read(_uneven(first, rng), depth, rng),
        _read(_uneven(second, rng), depth, rng),
    )


def _uneven(share: Floats, rng: np.random.Generator) -> Floats:
    """Let capture and PCR prefer one allele: a spread in the log-odds of mixtures."""
    noise = rng.normal(0.0, 4 * BALANCE_SD, share.shape)
    odds = share * np.exp(noise)
    return np.asarray(odds / (odds + 1 - share))


def _read(share: Floats, depth: int, rng: np.random.Generator) -> Ints:
    seen = share * (1 - WRONG_BASE) + (1 - share) * WRONG_BASE
    return rng.binomial(depth, seen)


def _error(n: int, depth: int) -> float:
    bases = n * depth
    return error_rate(round(2 * WRONG_BASE * bases), bases)


def weigh_by_table(first: Ints, second: Ints, depth: int) -> Floats:
    """Sum the log-likelihoods of all trials: [trials, columns]."""
    n = first.shape[1]
    size = depth + 1
    a, b = np.divmod(np.arange(size * size), size)
    total = np.full(size * size, float(depth))
    error = _error(n, depth)
    table = site_likelihoods(
        Alleles(a.astype(np.float64), total, error),
        Alleles(b.astype(np.float64), total, error),
        OUTLIERS_PANEL,
    )
    shape = table.shape[1:]
    flat = table.reshape(size * size, -1)
    told = np.empty((len(first), N_COLUMNS))
    for begin in range(0, len(first), AT_ONCE):
        part = slice(begin, begin + AT_ONCE)
        pairs = first[part] * size + second[part]
        rows = len(pairs)
        where = pairs + size * size * np.arange(rows)[:, None]
        counted = np.bincount(where.ravel(), minlength=rows * size * size)
        sums = counted.reshape(rows, -1).astype(np.float64) @ flat
        told[part] = sum_over_clones(sums.reshape(rows, *shape), EVEN)
    return told


def weigh_directly(first: Ints, second: Ints, depth: int) -> Floats:
    """Sum the log-likelihoods of a few trials of great depth: [trials, columns]."""
    n = first.shape[1]
    total = np.full(n, float(depth))
    error = _error(n, depth)
    told = [
        sum_over_clones(
            site_likelihoods(
                Alleles(a.astype(np.float64), total, error),
                Alleles(b.astype(np.float64), total, error),
                OUTLIERS_PANEL,
            ).sum(axis=0),
            EVEN,
        )
        for a, b in zip(first, second, strict=True)
    ]
    return np.stack(told)


def verdict_shares(told: Floats) -> dict[str, float]:
    """Share of the trials with each verdict."""
    ratio = log10_ratio(told)
    found = is_contaminated(told)
    return {
        "same": float(np.mean((ratio >= ACCEPT) & ~found)),
        "contaminated": float(np.mean((ratio >= ACCEPT) & found)),
        "undecided": float(np.mean((ratio > REFUSE) & (ratio < ACCEPT))),
        "other": float(np.mean(ratio <= REFUSE)),
    }


def family_table(trials: int, depth: int, seed: int) -> list[str]:
    """Verdicts of every family at every number of positions, as Markdown."""
    lines = [
        "| family | positions | same | contaminated | undecided | other person |",
        "|---|---|---|---|---|---|",
    ]
    for number, family in enumerate(FAMILIES):
        for n in POSITIONS:
            rng = np.random.default_rng((seed, number, n))
            first, second = simulate(family, n, depth, trials, rng)
            shares = verdict_shares(weigh_by_table(first, second, depth))
            cells = " | ".join(_rate(value, trials) for value in shares.values())
            lines.append(f"| {family.name} | {n} | {cells} |")
    return lines


def _rate(share: float, trials: int) -> str:
    count = round(share * trials)
    return "0" if count == 0 else ("all" if count == trials else f"{share:.2%}")


def contamination_table(trials: int, seed: int) -> list[str]:
    """How often a contamination is found, and how often its interval holds it."""
    lines = [
        "| share | positions | " + " | ".join(f"depth {d}" for d in DEPTHS) + " |",
        "|---|---|" + "---|" * len(DEPTHS),
    ]
    for share in (0.0, 0.01, 0.05, 0.2):
        for n in POSITIONS:
            cells = []
            for depth in DEPTHS:
                rng = np.random.default_rng((seed, n, depth, round(share * 1000)))
                family = Family(name="", share=share)
                first, second = simulate(family, n, depth, trials, rng)
                told = weigh_directly(first, second, depth)
                found = float(np.mean(is_contaminated(told)))
                held = [s.low <= share <= s.high for s in map(share_of_other, told)]
                cells.append(f"{found:.0%} ({np.mean(held):.0%})")
            lines.append(f"| {share:.0%} | {n} | " + " | ".join(cells) + " |")
    return lines


def main() -> None:
    """Run the study and write its tables to stdout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--depth", type=int, default=30)
    parser.add_argument("--deep-trials", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    lines = family_table(asked.trials, asked.depth, asked.seed)
    lines += ["", *contamination_table(asked.deep_trials, asked.seed)]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
