"""Tables of non-marker positions of many samples, read as columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mrdtrack.counts import BackgroundSites, TextColumn, text_column
from mrdtrack.errors import CountsError
from mrdtrack.levels.counts_tables import (
    BACKGROUND_NEEDED,
    Names,
    read_frames,
    whole_numbers,
)
from mrdtrack.levels.exact_bounds import IntArray
from mrdtrack.levels.neighbours import NO_SITES, SiteCounts, site_counts

if TYPE_CHECKING:
    import pandas as pd

_SUFFIXES = (".background.tsv", ".tsv", ".txt")
_PLACE = ("contig", "position", "ref", "alt")
SHARED = "(all samples)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTable:
    """Non-marker sites of samples, sorted by sample (`numbers` by name).

    `bounds` [samples + 1] are the samples' first rows.
    """

    samples: list[str]
    numbers: dict[str, int]
    sites: BackgroundSites
    bounds: IntArray

    def of(self, sample: str) -> SiteCounts:
        """Return the sites of one sample (none where the tables have none)."""
        if sample not in self.numbers:
            return NO_SITES
        return site_counts(f"{sample} sites", self.background(sample))

    def background(self, sample: str) -> BackgroundSites:
        """Return the same as `judge_sample` takes them."""
        number = self.numbers.get(sample)
        if number is None:
            return NO_SITES.sites
        first, end = self.bounds[number : number + 2]
        return self.sites.at(np.arange(first, end))


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
    columns = [np.concatenate(part) for part in zip(*parts, strict=True)]
    of, code, place, alt, molecules = (c[_ordered_rows(*columns[:3])] for c in columns)
    told = [_site(text) for text in sites.texts]
    contig, position, ref, change = zip(*told, strict=True) if told else ((),) * 4
    count = len(samples.texts)
    return SiteTable(
        samples=samples.texts,
        numbers={name: number for number, name in enumerate(samples.texts)},
        sites=BackgroundSites(
            contig=text_column(contig).at(place),
            position=np.array(position, np.int64)[place],
            ref=text_column(ref).at(place),
            alt=text_column(change).at(place),
            error_class=TextColumn(tuple(classes.texts), code),
            alt_molecules=alt,
            molecules=molecules,
        ),
        bounds=np.searchsorted(of, np.arange(count + 1)),
    )


def _ordered_rows(sample: IntArray, error_class: IntArray, place: IntArray) -> IntArray:
    """Return the rows by sample; of several of one site the last, where the first is.

    Of tables that were joined, the last one counts so.
    """
    wide = int(place.max(initial=0)) + 1
    key = (sample * (int(error_class.max(initial=0)) + 1) + error_class) * wide + place
    _, first, number = np.unique(key, return_index=True, return_inverse=True)
    last = np.zeros(len(first), np.int64)
    last[number] = np.arange(len(key))
    result: IntArray = last[np.lexsort((first, sample[first]))]
    return result


def _site(text: str) -> tuple[str, int, str, str]:
    """Return contig, position, ref and alt; all in the first where they are no site."""
    contig, position, ref, alt = (*text.split("\t"), "", "", "")[:4]
    if text.count("\t") == 3 and re.fullmatch(r"0|[1-9]\d{0,17}", position, re.ASCII):
        return contig, int(position), ref, alt
    return text, 0, "", ""


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
