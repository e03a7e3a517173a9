"""What to simulate: dilution series, follow-up courses, controls, and what goes wrong.

Every plan ends as recipes: one a sample, with the share of molecules of each marker.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mrdtrack.errors import InputError
from mrdtrack.lab.simulate_sample import SampleRecipe
from mrdtrack.panel.model import IdentityPosition, Marker, Panel, SmallVariant

HETEROZYGOUS_SHARE = 0.5
_GENOTYPE_SHARE = {"0/0": 0.0, "0/1": 0.5, "1/1": 1.0, None: 0.5}


class Faults(NamedTuple):
    """What a laboratory cannot exclude, as shares of the molecules.

    `contamination` comes from another person (seen at the panel's identity positions),
    `carry_over` from the sample before in the run. `lost` names markers whose subclone
    is gone.
    """

    contamination: float = 0.0
    carry_over: float = 0.0
    lost: frozenset[str] = frozenset()


class PlannedSample(NamedTuple):
    """One sample to simulate, and what its visit is said to be."""

    recipe: SampleRecipe
    visit: Mapping[str, str]


class Visit(NamedTuple):
    """One line of a course: level of the leukaemia, and what the visit is."""

    sample: str
    level: float
    depth: float | None
    lost: frozenset[str]
    facts: Mapping[str, str]


def simulated_markers(panel: Panel) -> list[Marker]:
    """Give the panel's markers, and its identity positions as variants."""
    return [*panel.marker, *(_identity_marker(p) for p in panel.identity)]


def dilution_series(
    levels: Sequence[float], *, replicates: int, controls: int
) -> list[Visit]:
    """Plan samples of falling level, each `replicates` times, and blanks."""
    visits = [
        Visit(f"D{number}R{replicate}", level, None, frozenset(), {})
        for number, level in enumerate(levels, start=1)
        for replicate in range(1, replicates + 1)
    ]
    blanks = [
        Visit(f"N{number}", 0.0, None, frozenset(), {})
        for number in range(1, controls + 1)
    ]
    return visits + blanks


def read_course(path: Path) -> list[Visit]:
    """Read a course: CSV with `sample` and `level`, and what else a visit is.

    `depth` and `lost` (marker ids with semicolons between) may stand; every other
    column is handed on to the table of visits.

    Raises:
        InputError: a column is missing, or a cell is no level.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"sample", "level"} <= set(rows[0]):
        raise InputError(
            str(path),
            "a course needs the columns sample and level",
            "give one line a visit",
        )
    visits = [_visit(path, number, row) for number, row in enumerate(rows, start=2)]
    names = [visit.sample for visit in visits]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(
            str(path), f"sample {repeated[0]!r} stands twice", "name each visit once"
        )
    return visits


def _visit(path: Path, line: int, row: Mapping[str, str]) -> Visit:
    where = f"{path}:{line}"
    depth = row.get("depth")
    return Visit(
        sample=row["sample"],
        level=_number(where, "level", row["level"], most=1.0),
        depth=_number(where, "depth", depth, most=1e7) if depth else None,
        lost=frozenset(name for name in (row.get("lost") or "").split(";") if name),
        facts={
            key: value
            for key, value in row.items()
            if key not in {"sample", "level", "depth", "lost"} and value
        },
    )


def _number(where: str, name: str, text: str | None, *, most: float) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise InputError(
            where, f"{name} {text!r} is no number from 0 to {most:g}", "correct it"
        )
    return value


def plan_samples(
    panel: Panel,
    visits: Iterable[Visit],
    *,
    depth: float,
    faults: Faults,
    seed: int,
) -> list[PlannedSample]:
    """Turn visits into recipes, with all that goes wrong on the way."""
    stranger = _stranger(panel.identity, seed)
    before: Mapping[str, float] = {}
    planned = []
    for visit in visits:
        pure = _fractions(panel, visit.level, faults.lost | visit.lost)
        mixed = _mixed(pure, before, faults.carry_over) if before else pure
        fractions = _mixed(mixed, stranger, faults.contamination)
        recipe = SampleRecipe(visit.sample, fractions, visit.depth or depth)
        planned.append(PlannedSample(recipe, visit.facts))
        before = pure
    return planned


def _fractions(panel: Panel, level: float, lost: frozenset[str]) -> dict[str, float]:
    """Give every marker's share; `level` is that of the largest clone."""
    known = [m.vaf_at_diagnosis for m in panel.marker if m.vaf_at_diagnosis]
    largest = max(known, default=HETEROZYGOUS_SHARE)
    shares = {
        marker.id: 0.0
        if marker.id in lost
        else level * (marker.vaf_at_diagnosis or largest) / largest
        for marker in panel.marker
    }
    for position in panel.identity:
        shares[_identity_id(position)] = _GENOTYPE_SHARE[position.genotype]
    return shares


def _mixed(
    own: Mapping[str, float], other: Mapping[str, float], share: float
) -> dict[str, float]:
    return {
        name: (1 - share) * value + share * other.get(name, 0.0)
        for name, value in own.items()
    }


def _stranger(identity: Sequence[IdentityPosition], seed: int) -> dict[str, float]:
    """Draw the genotypes of another person, both alleles equally frequent."""
    rng = np.random.Generator(np.random.PCG64(seed))
    return {_identity_id(p): float(rng.binomial(2, 0.5)) / 2 for p in identity}


def _identity_id(position: IdentityPosition) -> str:
    return f"identity {position.contig}:{position.position}"


def _identity_marker(position: IdentityPosition) -> SmallVariant:
    return SmallVariant(
        id=_identity_id(position),
        kind="small_variant",
        contig=position.contig,
        position=position.position,
        ref=position.ref,
        alt=position.alt,
    )
