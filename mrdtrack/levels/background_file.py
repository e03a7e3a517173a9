"""Controls kept for later: the background file, `mrdtrack-background/1`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ConfigDict, Field, ValidationError, model_validator

from mrdtrack.counts import (
    BackgroundSite,
    BackgroundSites,
    Coordinate,
    MoleculeMode,
    Molecules,
    SampleCounts,
)
from mrdtrack.errors import CountsError
from mrdtrack.levels.controls import Controls, MarkerControls, gathered_controls
from mrdtrack.levels.neighbours import site_counts
from mrdtrack.models import FileModel

SCHEMA: Literal["mrdtrack-background/1"] = "mrdtrack-background/1"

FilterValue = str | int | float | bool | None


class MarkerBackground(FileModel):
    """One marker in the controls, in their order: alt and informative molecules."""

    marker: str
    error_class: str
    alt: tuple[Molecules, ...]
    molecules: tuple[Molecules, ...]


class SiteBackground(FileModel):
    """One non-marker site in the controls, in their order."""

    contig: str
    position: Coordinate
    ref: str
    alt: str
    alt_molecules: tuple[Molecules, ...]
    molecules: tuple[Molecules, ...]


class BackgroundFile(FileModel):
    """Controls as counts: by marker allele, and by site within its error class.

    `filters` are the settings the controls were counted with; a sample counted with
    others is refused.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True
    )

    schema_: Literal["mrdtrack-background/1"] = Field(default=SCHEMA, alias="schema")
    controls: tuple[str, ...] = Field(min_length=1)
    molecule_mode: MoleculeMode
    filters: dict[str, FilterValue] = {}
    markers: tuple[MarkerBackground, ...]
    classes: dict[str, tuple[SiteBackground, ...]]
    software: str

    @model_validator(mode="after")
    def _one_number_a_control(self) -> BackgroundFile:
        """See that every list has one number for each control."""
        sites = [site for of_class in self.classes.values() for site in of_class]
        lists = [(f"marker {m.marker}", m.alt, m.molecules) for m in self.markers]
        lists += [
            (f"site {site.contig}:{site.position}", site.alt_molecules, site.molecules)
            for site in sites
        ]
        for name, alt, molecules in lists:
            if not len(alt) == len(molecules) == len(self.controls):
                raise ValueError(
                    f"{name} has not one number for each of the "
                    f"{len(self.controls)} controls"
                )
            if any(a > n for a, n in zip(alt, molecules, strict=True)):
                raise ValueError(f"{name} has more alt molecules than molecules")
        return self


def made_background(
    controls: Sequence[SampleCounts],
    filters: Mapping[str, FilterValue],
    software: str,
) -> BackgroundFile:
    """Bring control samples into one background file.

    Raises:
        CountsError: the controls were counted in different molecule modes.
    """
    modes = sorted({control.molecule_mode for control in controls})
    if len(modes) != 1:
        raise CountsError(
            ", ".join(control.sample for control in controls) or "controls",
            f"the molecule modes differ ({', '.join(modes) or 'no control'})",
            "count all controls the same way, with --molecules",
        )
    gathered = gathered_controls(controls)
    classes = {
        marker.marker: marker.error_class
        for control in controls
        for marker in control.judged
    }
    return BackgroundFile(
        controls=gathered.names,
        molecule_mode=modes[0],
        filters=dict(filters),
        markers=tuple(
            MarkerBackground(
                marker=name,
                error_class=classes[name],
                alt=tuple(int(value) for value in counts.alt),
                molecules=tuple(int(value) for value in counts.molecules),
            )
            for name, counts in sorted(gathered.markers.items())
        ),
        classes=_class_sites(controls),
        software=software,
    )


def _class_sites(
    controls: Sequence[SampleCounts],
) -> dict[str, tuple[SiteBackground, ...]]:
    size = len(controls)
    found: dict[str, dict[tuple[str, int, str, str], list[list[int]]]] = {}
    for place, control in enumerate(controls):
        for site in control.background:
            key = (site.contig, site.position, site.ref, site.alt)
            of_class = found.setdefault(site.error_class, {})
            alt, molecules = of_class.setdefault(key, [[0] * size, [0] * size])
            alt[place], molecules[place] = site.alt_molecules, site.molecules
    return {
        name: tuple(
            SiteBackground(
                contig=key[0],
                position=key[1],
                ref=key[2],
                alt=key[3],
                alt_molecules=tuple(alt),
                molecules=tuple(molecules),
            )
            for key, (alt, molecules) in sorted(sites.items())
        )
        for name, sites in sorted(found.items())
    }


def read_background(
    path: Path,
    mode: MoleculeMode,
    filters: Mapping[str, FilterValue] | None = None,
) -> Controls:
    """Read a background file as the controls of samples counted the same way.

    Raises:
        CountsError: the file is none, or its molecule mode or filters do not match.
    """
    try:
        held = BackgroundFile.model_validate_json(path.read_bytes())
    except OSError as fault:
        raise CountsError(
            str(path), f"cannot be opened ({fault.strerror})", "check the path"
        ) from fault
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise CountsError(
            str(path),
            f"is no background file ({place}: {first['msg']})",
            "make it with mrdtrack background",
        ) from fault
    _refuse_other_counting(path, held, mode, filters)
    return held_controls(held)


def _refuse_other_counting(
    path: Path,
    held: BackgroundFile,
    mode: MoleculeMode,
    filters: Mapping[str, FilterValue] | None,
) -> None:
    if held.molecule_mode != mode:
        raise CountsError(
            str(path),
            f"its controls were counted as {held.molecule_mode}, the sample as {mode}",
            "count both the same way, with --molecules",
        )
    for name, value in (filters or {}).items():
        if name in held.filters and held.filters[name] != value:
            raise CountsError(
                str(path),
                f"its controls were counted with {name} {held.filters[name]}, the "
                f"sample with {value}",
                "use the same filters for both",
            )


def held_controls(held: BackgroundFile) -> Controls:
    """Return the controls that a background file holds."""
    listed = [(name, site) for name, of in held.classes.items() for site in of]
    return Controls(
        names=held.controls,
        sites=tuple(
            site_counts(name, BackgroundSites.of(_counted(listed, place)))
            for place, name in enumerate(held.controls)
        ),
        markers={
            marker.marker: MarkerControls(
                np.array(marker.alt, dtype=np.float64),
                np.array(marker.molecules, dtype=np.float64),
            )
            for marker in held.markers
        },
    )


def _counted(
    listed: Sequence[tuple[str, SiteBackground]], control: int
) -> Iterator[BackgroundSite]:
    """Give the sites of one control; it is its place among the controls."""
    for name, site in listed:
        if site.molecules[control]:
            yield BackgroundSite(
                contig=site.contig,
                position=site.position,
                ref=site.ref,
                alt=site.alt,
                error_class=name,
                alt_molecules=site.alt_molecules[control],
                molecules=site.molecules[control],
            )
