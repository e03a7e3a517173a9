"""What an importer found: markers, and every record that gave none, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from mrdtrack.panel.model import Marker
from mrdtrack.panel.reference import Reference

_MARKERS: TypeAdapter[Marker] = TypeAdapter(Marker)


class ImportOptions(NamedTuple):
    """How records become markers.

    `min_share` is the least share of its locus, or the least VAF, of a clone or
    variant that is taken (0 takes all). `time_point` counts from 1.
    """

    sample: str | None = None
    pass_only: bool = False
    min_share: float | None = None
    time_point: int = 1
    reference: Reference | None = None


class Elsewhere(NamedTuple):
    """Another sample of the file that shows the marker too, and with what share."""

    sample: str
    share: float


class Candidate(NamedTuple):
    """A marker with the record it came from and what speaks for it.

    `share` is the share of the molecules at its locus, where the file says it;
    `elsewhere` is the other sample of the file (a normal, say) that shows it most.
    """

    marker: Marker
    where: str
    share: float | None = None
    elsewhere: Elsewhere | None = None


@dataclass(slots=True)
class Imported:
    """The outcome of one file.

    `faults` are records that break their format, `unusable` are sound records that no
    marker can be made of, `notes` tell what a selection left out.
    """

    candidates: list[Candidate] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sample: str | None = None

    def add(self, fields: Mapping[str, Any], where: str, **facts: Any) -> None:
        """Make a marker of the fields; what is wrong with them becomes a fault."""
        given = {key: value for key, value in fields.items() if value is not None}
        try:
            marker = _MARKERS.validate_python(given)
        except ValidationError as error:
            self.faults.append(f"{where}: {_sentences(error)}")
            return
        self.candidates.append(Candidate(marker, where, **facts))


class Fault(Exception):
    """A record that cannot be read; the text says why."""


def _sentences(error: ValidationError) -> str:
    found = []
    for fault in error.errors():
        keys = [str(part) for part in fault["loc"][1:]]
        message = fault["msg"].removeprefix("Value error, ")
        prefix = ".".join(keys)
        found.append(f"{prefix}: {message}" if prefix else message)
    return " and ".join(found)


def shortened(text: str, most: int = 40) -> str:
    """Cut a text from a file so that a message stays one line."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def change_of(fields: Mapping[str, Any]) -> str:
    """Name the change of a small variant, long alleles by their length."""
    ref, alt = str(fields["ref"]), str(fields["alt"])
    if max(len(ref), len(alt)) <= 12:
        return f"{ref}>{alt}"
    if len(ref) == 1 or len(alt) == 1:
        change = len(alt) - len(ref)
        return f"{'ins' if change > 0 else 'del'} {abs(change)} bp"
    return f"{len(ref)} bp>{len(alt)} bp"


def is_share(value: float | None) -> float | None:
    """Keep a share that a marker may carry: above 0, at most 1; to six digits.

    VCF's numbers have 32 bits, and 0.42 would come back as 0.41999998688697815.
    """
    return float(f"{value:.6g}") if value is not None and 0 < value <= 1 else None
