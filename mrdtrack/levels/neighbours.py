"""Non-marker positions as evidence of error rates, sorted into error classes.

Columns of every matrix: the sample itself first, then its controls. A place that was
not counted has 0 molecules and says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mrdtrack.counts import NO_BACKGROUND, BackgroundSites
from mrdtrack.levels.exact_bounds import FloatArray, IntArray

FEW_SITES = 20
"""A class with fewer sites than this is judged by the wider class it belongs to."""

RUN_STEP = 2.5
"""How much more frequent an indel error is beside a run one base longer."""

SCALED_MOLECULES = 1000.0
"""Molecules that shorter runs must be worth; fewer tell less than what is assumed."""

KNOWN_VARIANTS = ((0.05, 3), (0.01, 10))
"""Fraction above and molecules from which a site shows a variant, not errors."""

_SUBSTITUTION = re.compile(r"^([ACGTN]?)\[([ACGT])>([ACGT])\]([ACGTN]?)$")
_INDEL = re.compile(r"^(ins|del)(\d{1,3}):h(\d{1,3})$")

_NO_ROWS = np.zeros(0, np.int64)


class ClassSites(NamedTuple):
    """Wrong-allele molecules and all molecules of L sites: [L, 1 + controls]."""

    alt: FloatArray
    molecules: FloatArray


class SiteCounts(NamedTuple):
    """The non-marker sites of one sample, and the rows of each class among them.

    `name`: the sample they are of, or any other name that is theirs alone.
    """

    name: str
    sites: BackgroundSites
    rows: Mapping[str, IntArray]


def site_counts(name: str, sites: BackgroundSites) -> SiteCounts:
    """Sort the background sites of one sample by error class."""
    texts, code = sites.error_class
    order = np.argsort(code, kind="stable")
    sizes = np.bincount(code, minlength=len(texts))
    ends = np.cumsum(sizes)
    found = zip(texts, sizes.tolist(), ends.tolist(), strict=True)
    rows = {text: order[end - size : end] for text, size, end in found if size}
    return SiteCounts(name, sites, rows)


NO_SITES = site_counts("", NO_BACKGROUND)


def wider_classes(error_class: str) -> tuple[str, ...]:
    """Return the classes to fall back on, nearest first.

    A substitution in context falls back on the same substitution in any context, then
    on any substitution; an indel on the same indel beside runs of any length within one
    base (`del1:h4~1`), then beside all shorter runs, scaled (`del1:h4<`). A marker
    whose class was not told (`substitution`) falls back on all sites. Others (`mnv`,
    `junction`, a laboratory's own name) on nothing.
    """
    if error_class == "substitution":
        return ("substitution", "any")
    substitution = _SUBSTITUTION.match(error_class)
    if substitution:
        return (f"{substitution[2]}>{substitution[3]}", "substitution")
    if _INDEL.match(error_class):
        return (f"{error_class}~1", f"{error_class}<")
    return ()


def share_of(error_class: str, wider: str) -> float:
    """Return how much a molecule of `error_class` tells of the wider class.

    0 is nothing, 1 all it tells of its own. Errors become 2.5 times as frequent with
    each copy in a run, so a molecule beside a run d copies shorter counts as 2.5^-d.
    """
    if wider == "any":
        return float(error_class != "junction")
    asked = _INDEL.match(wider[:-1]) if wider[-1] == "<" else None
    near = _INDEL.match(wider.removesuffix("~1"))
    indel = _INDEL.match(error_class)
    if asked is None and near is None:
        return float(wider in wider_classes(error_class))
    if indel is None:
        return 0.0
    goal = asked or near
    if goal is None or indel.group(1, 2) != goal.group(1, 2):
        return 0.0
    shorter = int(goal[3]) - int(indel[3])
    if asked is None:
        return float(abs(shorter) <= 1)
    copies = shorter / int(goal[2])
    return float(RUN_STEP**-copies) if shorter >= 0 else 0.0


def joined_sites(
    shares: Mapping[str, float], samples: Sequence[SiteCounts]
) -> ClassSites:
    """Join the sites of classes over the sample (first) and its controls.

    `shares`: how much a molecule of each class tells.
    """
    parts = [
        _class_sites(error_class, share, samples)
        for error_class, share in shares.items()
    ]
    empty = np.zeros((0, len(samples)))
    return ClassSites(
        np.concatenate([empty, *(part.alt for part in parts)]),
        np.concatenate([empty, *(part.molecules for part in parts)]),
    )


def _class_sites(
    error_class: str, share: float, samples: Sequence[SiteCounts]
) -> ClassSites:
    rows = [sample.rows.get(error_class, _NO_ROWS) for sample in samples]
    places, n_places = _common_places(rows, samples)
    counts = np.zeros((2, n_places, len(samples)))
    for column, (sample, of, place) in enumerate(
        zip(samples, rows, places, strict=True)
    ):
        counts[0, place, column] = sample.sites.alt_molecules[of]
        counts[1, place, column] = sample.sites.molecules[of]
    alt, molecules = without_variants(ClassSites(*counts))
    return ClassSites(alt, molecules * share)


def _common_places(
    rows: Sequence[IntArray], samples: Sequence[SiteCounts]
) -> tuple[Sequence[IntArray], int]:
    """Number the sites of all samples; return the number of each row, and how many."""
    if len(samples) == 1:
        return [np.arange(len(rows[0]))], len(rows[0])
    numbers: dict[tuple[str, int, str, str], int] = {}
    places = []
    for of, sample in zip(rows, samples, strict=True):
        told = sample.sites.at(of).places()
        found = [numbers.setdefault(place, len(numbers)) for place in told]
        places.append(np.array(found, np.int64))
    return places, len(numbers)


def without_variants(sites: ClassSites) -> ClassSites:
    """Blank what a germline or other real variant explains better than an error.

    A place above 5 % with three or more molecules is blanked, and the whole site when
    that happens in the sample itself or the mean over the controls is above 5 %.
    """
    alt, molecules = sites
    fraction = alt / np.maximum(molecules, 1.0)
    variant = np.zeros(alt.shape, dtype=bool)
    for most, molecules_from in KNOWN_VARIANTS:
        variant |= (fraction > most) & (alt >= molecules_from)
    blank = variant | (molecules <= 0)
    alt = np.where(blank, 0.0, np.minimum(alt, molecules))
    molecules = np.where(blank, 0.0, molecules)
    keep = ~variant[:, 0] & (molecules.sum(axis=1) > 0)
    return ClassSites(alt[keep], molecules[keep])


def sites_for(
    error_class: str, samples: Sequence[SiteCounts]
) -> tuple[str, ClassSites]:
    """Return the class that a marker is judged by, and its sites.

    Its own class where that has `FEW_SITES` sites or nothing wider has more.
    """
    chosen, sites = error_class, joined_sites({error_class: 1.0}, samples)
    present = sorted({name for sample in samples for name in sample.rows})
    for wider in wider_classes(error_class):
        if len(sites.alt) >= FEW_SITES:
            break
        shares = {name: share_of(name, wider) for name in present}
        used = {name: share for name, share in shares.items() if share > 0}
        more = joined_sites(used, samples)
        told = wider[-1] != "<" or more.molecules.sum() >= SCALED_MOLECULES
        if len(more.alt) > len(sites.alt) and told:
            chosen, sites = wider, more
    return chosen, sites
