"""Clones from .vidjil files (format 2016b), and their course as external results."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mrdtrack.errors import PanelError
from mrdtrack.panel.importers.clonotypes import Clone, locus_of, select
from mrdtrack.panel.importers.outcome import Imported, ImportOptions, shortened
from mrdtrack.panel.importers.tables import read_text

_BASES = re.compile("[ACGT]+")
_DELETED_AND_N = re.compile(r"\s\d*/(?P<n>[ACGT]*)/\d*(?=\s|$)")

MOST_READS = 10**12
"""More than any run has: a larger number is none."""


class TimePoint(NamedTuple):
    """One clone at one of the file's time points; `total` are reads of its locus."""

    name: str
    sample: str
    date: str
    reads: int
    total: int


class TubeClone(NamedTuple):
    """One clone of a tube: `label` is what the laboratory calls its sequence."""

    name: str
    label: str
    locus: str
    reads: int
    sequences: tuple[str, ...]


class Tube(NamedTuple):
    """One time point of a file: its clones, and the reads of every germline."""

    sample: str
    clones: tuple[TubeClone, ...]
    germline_reads: dict[str, int]


def import_vidjil(path: Path, options: ImportOptions) -> Imported:
    """Read the clones of a .vidjil file at one time point, clusters put together.

    Raises:
        PanelError: it is no .vidjil file, or lacks the time point.
    """
    content = _content(path)
    found = Imported()
    point = _time_point(path, content, options)
    select(_clones(content, point), options, found, "reads")
    return found


def vidjil_course(path: Path) -> list[TimePoint]:
    """Give every cluster at every time point of the file, for a timeline.

    Raises:
        PanelError: it is no .vidjil file.
    """
    content = _content(path)
    samples = content.get("samples", {})
    names = _texts(samples.get("original_names") or samples.get("names"))
    dates = _texts(samples.get("timestamp"))
    found: list[TimePoint] = []
    for point in range(_n_points(content)):
        totals = _germline_reads(content, point)
        sample = names[point] if point < len(names) else str(point + 1)
        date = dates[point][:10] if point < len(dates) else ""
        found += [
            TimePoint(
                clone.name,
                sample,
                date,
                int(clone.weight),
                totals.get(clone.locus or "", 0),
            )
            for clone in _clones(content, point)
        ]
    return found


def vidjil_tube(path: Path, options: ImportOptions) -> Tube:
    """Give every clone of one time point with its reads, clusters left apart.

    Raises:
        PanelError: it is no .vidjil file, or lacks the time point.
    """
    content = _content(path)
    point = _time_point(path, content, options)
    clones = tuple(
        TubeClone(
            str(clone.get("name") or clone.get("id") or f"clone {number}"),
            str(clone.get("label") or ""),
            str(clone.get("germline") or ""),
            ([*_reads(clone)] + [0] * (point + 1))[point],
            tuple(str(clone.get(key) or "").upper() for key in ("id", "sequence")),
        )
        for number, clone in enumerate(_dicts(content, "clones"), start=1)
    )
    reads = content.get("reads")
    germlines = reads.get("germline") if isinstance(reads, dict) else None
    totals = {
        str(name): int(counts[point])
        for name, counts in (germlines or {}).items()
        if isinstance(counts, list) and point < len(counts)
    }
    samples = content.get("samples", {})
    names = _texts(samples.get("original_names") or samples.get("names"))
    sample = Path(names[point]).name if point < len(names) else path.name
    return Tube(sample.partition(".")[0], clones, totals)


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise PanelError(
            str(path),
            f"it is no JSON ({error})",
            "give the .vidjil file as it was made",
        ) from None
    clones = content.get("clones") if isinstance(content, dict) else None
    if not isinstance(clones, list):
        raise PanelError(
            str(path), "it has no list of clones", "give a .vidjil file (2016b)"
        )
    return dict(content)


def _n_points(content: Mapping[str, Any]) -> int:
    samples = content.get("samples")
    given = samples.get("number") if isinstance(samples, dict) else None
    if isinstance(given, int):
        return given
    return max((len(_reads(clone)) for clone in _dicts(content, "clones")), default=0)


def _time_point(path: Path, content: Mapping[str, Any], options: ImportOptions) -> int:
    """Choose by name (`sample`), else by number; the first unless told."""
    n_points = _n_points(content)
    if options.sample is not None:
        samples = content.get("samples", {})
        for key in ("original_names", "names"):
            names = _texts(samples.get(key))
            if options.sample in names:
                return names.index(options.sample)
        raise PanelError(
            str(path),
            f"sample {shortened(options.sample)!r} is not in it",
            "name one of the file's own samples",
        )
    if not 1 <= options.time_point <= n_points:
        raise PanelError(
            str(path),
            f"it has {n_points} time points, not {options.time_point}",
            "name one that it has",
        )
    return options.time_point - 1


def _clones(content: Mapping[str, Any], point: int) -> Iterator[Clone]:
    clones = {str(clone.get("id")): clone for clone in _dicts(content, "clones")}
    heads = {name: name for name in clones}
    for cluster in content.get("clusters") or []:
        members = [str(name) for name in cluster if str(name) in clones]
        heads.update(dict.fromkeys(members, members[0] if members else ""))
    counts: dict[str, int] = {}
    for name, clone in clones.items():
        reads = _reads(clone)
        counts[heads[name]] = counts.get(heads[name], 0) + (
            reads[point] if point < len(reads) else 0
        )
    for number, (name, count) in enumerate(counts.items(), start=1):
        clone = clones[name]
        sequence = _window(clone)
        if sequence:
            label = str(clone.get("name") or f"clone {number}")
            made = Clone(
                sequence,
                locus_of(str(clone.get("germline", ""))),
                count,
                f"{label} #{number}",
                f"clone {number}",
                _untemplated(label),
            )
            yield _with_stem(made, clone)


def _window(clone: Mapping[str, Any]) -> str:
    """Give the window that Vidjil counts by, else the junction, else ''."""
    window = str(clone.get("id", "")).upper()
    if _BASES.fullmatch(window):
        return window
    segments = clone.get("seg")
    junction = segments.get("junction") if isinstance(segments, dict) else None
    sequence = str(clone.get("sequence", "")).upper()
    if not isinstance(junction, dict):
        return ""
    start, stop = junction.get("start"), junction.get("stop")
    if not isinstance(start, int) or not isinstance(stop, int):
        return ""
    cut = sequence[max(start - 1, 0) : stop]
    return cut if _BASES.fullmatch(cut) else ""


def _with_stem(made: Clone, clone: Mapping[str, Any]) -> Clone:
    """Tell the stem of a clone whose segments stand with their positions (from 1)."""
    segments = clone.get("seg")
    if not isinstance(segments, dict):
        return made
    of_d = [segments.get(key) for key in ("4", "4a", "4b")]
    starts = [_place(segment, "start") for segment in of_d]
    stops = [_place(segment, "stop") for segment in of_d]
    first, last = min(filter(None, starts), default=0), max(stops)
    j_start = _place(segments.get("3"), "start")
    whole = str(clone.get("sequence", "")).upper()
    if not (0 < first <= last < j_start and whole):
        return made
    return made.with_stem(whole, first - 1, j_start - last - 1)


def _place(segment: Any, key: str) -> int:
    """Give a segment's first or last base, 0 where it is not told."""
    place = segment.get(key) if isinstance(segment, dict) else None
    return place if isinstance(place, int) and place > 0 else 0


def _untemplated(name: str) -> int | None:
    """Count the N bases of a name such as `IGHV3-9*01 7/CCCGGA/17 IGHJ6*02`."""
    inserted = [match["n"] for match in _DELETED_AND_N.finditer(name)]
    return sum(len(bases) for bases in inserted) if inserted else None


def _germline_reads(content: Mapping[str, Any], point: int) -> dict[str, int]:
    reads = content.get("reads")
    germline = reads.get("germline") if isinstance(reads, dict) else None
    found: dict[str, int] = {}
    for name, counts in (germline or {}).items():
        locus = locus_of(str(name))
        if locus and isinstance(counts, list) and point < len(counts):
            found[locus] = found.get(locus, 0) + _whole(counts[point])
    return found


def _dicts(content: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    return [item for item in content.get(key) or [] if isinstance(item, dict)]


def _reads(clone: Mapping[str, Any]) -> Sequence[int]:
    reads = clone.get("reads")
    if not isinstance(reads, list):
        return []
    return [_whole(count) for count in reads]


def _whole(count: Any) -> int:
    """Read a number of reads; 0 for what is none."""
    if not isinstance(count, int | float) or not 0 <= count <= MOST_READS:
        return 0
    return int(count)


def _texts(values: Any) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list) else []
