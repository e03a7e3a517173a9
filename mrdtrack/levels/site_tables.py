"""Tables of non-marker positions of many samples, read as columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mrdtrack.counts import BackgroundSite
from mrdtrack.errors import CountsError
from mrdtrack.levels.counts_tables import (
    BACKGROUND_NEEDED,
    Names,
    read_frames,
    whole_numbers,
)
from mrdtrack.levels.exact_bounds import IntArray
from mrdtrack.levels.neighbours import NO_SITES, Site, SiteCounts

if TYPE_CHECKING:
    import pandas as pd

_SUFFIXES = (".background.tsv", ".tsv", ".txt")
_PLACE = ("contig", "position", "ref", "alt")
SHARED = "(all samples)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTable:
    """Non-marker sites of samples as columns, sorted by sample (`numbers` by name)."""

    samples: list[str]
    numbers: dict[str, int]
    classes: list[str]
    sites: list[str]
    error_class: IntArray
    site: IntArray
    alt: IntArray
    molecules: IntArray
    bounds: IntArray

    def of(self, sample: str) -> SiteCounts:
        """Return the sites of one sample (none where the tables have none)."""
        number = self.numbers.get(sample)
        if number is None:
            return NO_SITES
        rows = slice(int(self.bounds[number]), int(self.bounds[number + 1]))
        by_class: dict[str, dict[Site, tuple[int, int]]] = {}
        columns = (self.error_class, self.site, self.alt, self.molecules)
        for code, site, alt, molecules in zip(
            *(column[rows].tolist() for column in columns), strict=True
        ):
            key = self.sites[site]
            by_class.setdefault(self.classes[code], {})[key] = (alt, molecules)
        return SiteCounts(f"{sample} sites", by_class)

    def listed(self, sample: str) -> tuple[BackgroundSite, ...]:
        """Return the sites of one sample as file models, as `judge_sample` takes."""
        found = []
        for error_class, sites in self.of(sample).by_class.items():
            for key, (alt, molecules) in sites.items():
                contig, position, ref, change = (*key.split("\t"), "", "", "")[:4]
                found.append(
                    BackgroundSite(
                        contig=contig,
                        position=int(position) if position.isdigit() else 0,
                        ref=ref,
                        alt=change,
                        error_class=error_class,
                        alt_molecules=alt,
                        molecules=molecules,
                    )
                )
        return tuple(found)


def read_sites(paths: Sequence[Path], known: Collection[str]) -> SiteTable:
    """Read background tables.

    Rows belong to the sample in their `sample` column; else to the sample that the file
    is named for (`SAMPLE.background.tsv`) where that is `known`; else to all samples.

    Raises:
        CountsError: a column is missing, a number is none, or alt exceeds molecules.
    """
    samples, classes, sites = Names(), Names(), Names()
    parts: list[tuple[IntArray, ...]] = []
    for path in paths:
        for line, frame in read_frames(path, BACKGROUND_NEEDED):
            alt = whole_numbers(path, line, frame, "alt_molecules", empty=False)
            molecules = whole_numbers(path, line, frame, "molecules", empty=False)
            _refuse_more_alt(path, line, alt, molecules)
            if "sample" in frame.columns:
                of = samples.numbers(frame["sample"])
            else:
                owner = _named_for(path, known)
                of = np.full(len(frame), samples.number(owner), dtype=np.int64)
            place = _places(path, line, frame, sites)
            parts.append(
                (of, classes.numbers(frame["error_class"]), place, alt, molecules)
            )
    if not parts:
        empty = np.zeros(0, dtype=np.int64)
        parts = [(empty,) * 5]
    of, code, place, alt, molecules = (
        np.concatenate(part) for part in zip(*parts, strict=True)
    )
    order = np.argsort(of, kind="stable")
    count = len(samples.texts)
    return SiteTable(
        samples=samples.texts,
        numbers={name: number for number, name in enumerate(samples.texts)},
        classes=classes.texts,
        sites=sites.texts,
        error_class=code[order],
        site=place[order],
        alt=alt[order],
        molecules=molecules[order],
        bounds=np.searchsorted(of[order], np.arange(count + 1)),
    )


def _named_for(path: Path, known: Collection[str]) -> str:
    for suffix in _SUFFIXES:
        name = path.name.removesuffix(suffix)
        if name != path.name and name in known:
            return name
    return SHARED


def _places(path: Path, line: int, frame: pd.DataFrame, sites: Names) -> IntArray:
    """Return a number for each site; the row's own where places are not told."""
    if not all(name in frame.columns for name in _PLACE):
        rows = range(line, line + len(frame))
        return np.array([sites.number(f"{path}:{row}") for row in rows], np.int64)
    joined = frame[_PLACE[0]]
    for name in _PLACE[1:]:
        joined = joined + "\t" + frame[name]
    return sites.numbers(joined)


def _refuse_more_alt(path: Path, line: int, alt: IntArray, molecules: IntArray) -> None:
    wrong = np.flatnonzero(alt > molecules)
    if len(wrong):
        row = int(wrong[0])
        raise CountsError(
            f"{path}, line {line + row}",
            f"alt_molecules {int(alt[row])} exceeds molecules {int(molecules[row])}",
            "molecules are all that were looked at, those with the wrong base included",
        )
