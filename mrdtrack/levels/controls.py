"""Control samples, and what of them a level needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from mrdtrack.counts import SampleCounts
from mrdtrack.levels.exact_bounds import FloatArray
from mrdtrack.levels.level_markers import informative
from mrdtrack.levels.neighbours import SiteCounts, site_counts


class MarkerControls(NamedTuple):
    """One marker's counts in the controls [m]; 0 molecules where it was not counted."""

    alt: FloatArray
    molecules: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """The controls of a run: their names, sites, and counts of the panel's markers."""

    names: tuple[str, ...] = ()
    sites: tuple[SiteCounts, ...] = ()
    markers: Mapping[str, MarkerControls] = field(default_factory=dict)

    def of(self, marker: str) -> MarkerControls:
        """Return the controls' counts of one marker."""
        empty = np.zeros(len(self.names))
        return self.markers.get(marker, MarkerControls(empty, empty))


def gathered_controls(samples: Sequence[SampleCounts]) -> Controls:
    """Gather the controls' counts of each marker, and their sites."""
    counts: dict[str, tuple[FloatArray, FloatArray]] = {}
    for place, sample in enumerate(samples):
        for marker in sample.judged:
            molecules = informative(marker)
            if molecules == 0 or marker.alt is None:
                continue
            empty = np.zeros(len(samples)), np.zeros(len(samples))
            alt, seen = counts.setdefault(marker.marker, empty)
            alt[place], seen[place] = marker.alt, molecules
    return Controls(
        names=tuple(sample.sample for sample in samples),
        sites=tuple(
            site_counts(sample.sample, sample.background) for sample in samples
        ),
        markers={name: MarkerControls(*pair) for name, pair in counts.items()},
    )


def joined_controls(parts: Iterable[Controls]) -> Controls:
    """Return several sets of controls as one."""
    filled = [part for part in parts if part.names]
    names = dict.fromkeys(name for part in filled for name in part.markers)
    markers = {
        name: MarkerControls(
            np.concatenate([part.of(name).alt for part in filled]),
            np.concatenate([part.of(name).molecules for part in filled]),
        )
        for name in names
    }
    return Controls(
        names=tuple(name for part in filled for name in part.names),
        sites=tuple(site for part in filled for site in part.sites),
        markers=markers,
    )
