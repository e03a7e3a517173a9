"""Non-marker positions as evidence of error rates, sorted into error classes.

Columns of every matrix: the sample itself first, then its controls. A place that was
not counted has 0 molecules and says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mrdtrack.counts import BackgroundSite
from mrdtrack.levels.exact_bounds import FloatArray

FEW_SITES = 20
"""A class with fewer sites than this is judged by the wider class it belongs to."""

KNOWN_VARIANT_FRACTION = 0.05
KNOWN_VARIANT_MOLECULES = 3

_SUBSTITUTION = re.compile(r"^([ACGTN]?)\[([ACGT])>([ACGT])\]([ACGTN]?)$")
_INDEL = re.compile(r"^(ins|del)(\d+):h(\d+)$")

Site = str
"""Contig, position, ref and alt, with tabs between them."""


class ClassSites(NamedTuple):
    """Wrong-allele molecules and all molecules of L sites: [L, 1 + controls]."""

    alt: FloatArray
    molecules: FloatArray


class SiteCounts(NamedTuple):
    """The non-marker sites of one sample, by class then site: (alt, molecules).

    `name`: the sample they are of, or any other name that is theirs alone.
    """

    name: str
    by_class: Mapping[str, Mapping[Site, tuple[int, int]]]


NO_SITES = SiteCounts(name="", by_class={})


def site_counts(name: str, sites: Iterable[BackgroundSite]) -> SiteCounts:
    """Sort the background sites of one sample by error class."""
    by_class: dict[str, dict[Site, tuple[int, int]]] = {}
    for site in sites:
        key = f"{site.contig}\t{site.position}\t{site.ref}\t{site.alt}"
        by_class.setdefault(site.error_class, {})[key] = (
            site.alt_molecules,
            site.molecules,
        )
    return SiteCounts(name, by_class)


def wider_classes(error_class: str) -> tuple[str, ...]:
    """Return the classes to fall back on, nearest first.

    A substitution in context falls back on the same substitution in any context, then
    on any substitution; an indel on the same indel beside runs of any length within one
    base (`del1:h4~1`). A marker whose class was not told (`substitution`) falls back on
    all sites. Others (`mnv`, `junction`, a laboratory's own name) on nothing.
    """
    if error_class == "substitution":
        return ("substitution", "any")
    substitution = _SUBSTITUTION.match(error_class)
    if substitution:
        return (f"{substitution[2]}>{substitution[3]}", "substitution")
    return (f"{error_class}~1",) if _INDEL.match(error_class) else ()


def belongs(error_class: str, wider: str) -> bool:
    """Say whether sites of `error_class` count for the wider class."""
    if wider == "any":
        return error_class != "junction"
    asked = _INDEL.match(wider.removesuffix("~1"))
    if asked is None:
        return wider in wider_classes(error_class)
    indel = _INDEL.match(error_class)
    return (
        indel is not None
        and indel.group(1, 2) == asked.group(1, 2)
        and abs(int(indel[3]) - int(asked[3])) <= 1
    )


def joined_sites(
    error_classes: Iterable[str], samples: Sequence[SiteCounts]
) -> ClassSites:
    """Join the sites of some classes over the sample (first) and its controls."""
    alt_rows: list[list[int]] = []
    molecule_rows: list[list[int]] = []
    for error_class in error_classes:
        tables = [sample.by_class.get(error_class, {}) for sample in samples]
        keys = dict.fromkeys(key for table in tables for key in table)
        for key in keys:
            pairs = [table.get(key, (0, 0)) for table in tables]
            alt_rows.append([pair[0] for pair in pairs])
            molecule_rows.append([pair[1] for pair in pairs])
    shape = (len(alt_rows), len(samples))
    alt = np.array(alt_rows, dtype=np.float64).reshape(shape)
    molecules = np.array(molecule_rows, dtype=np.float64).reshape(shape)
    return without_variants(ClassSites(alt, molecules))


def without_variants(sites: ClassSites) -> ClassSites:
    """Blank what a germline or other real variant explains better than an error.

    A place above 5 % with three or more molecules is blanked, and the whole site when
    that happens in the sample itself or the mean over the controls is above 5 %.
    """
    alt, molecules = sites
    fraction = alt / np.maximum(molecules, 1.0)
    variant = (fraction > KNOWN_VARIANT_FRACTION) & (alt >= KNOWN_VARIANT_MOLECULES)
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
    chosen, sites = error_class, joined_sites([error_class], samples)
    present = sorted({name for sample in samples for name in sample.by_class})
    for wider in wider_classes(error_class):
        if len(sites.alt) >= FEW_SITES:
            break
        members = [name for name in present if belongs(name, wider)]
        more = joined_sites(members, samples)
        if len(more.alt) > len(sites.alt):
            chosen, sites = wider, more
    return chosen, sites
