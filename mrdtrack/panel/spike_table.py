"""The spike-ins of a laboratory: sequences that go into each tube in known copies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mrdtrack.errors import FaultList, PanelError
from mrdtrack.panel.importers.outcome import Fault, shortened
from mrdtrack.panel.importers.tables import Row, number, read_table, read_text

_BASES = re.compile("[ACGT]+")
_NAME = ("name", "id", "spike_in", "label")
_SEQUENCE = ("sequence", "junction", "nucleotide")


class SpikeSequence(NamedTuple):
    """One spike-in: its primer family, and the copies that go into a tube."""

    name: str
    family: str
    copies: float
    sequence: str


def read_spikes(path: Path) -> list[SpikeSequence]:
    """Read a table (name, family, copies, sequence) or Vidjil's labels (JSON).

    Without a family all spike-ins make one.

    Raises:
        PanelError: it is no such file.
        FaultList: rows are wrong; all are named.
    """
    text = read_text(path)
    rows = _labels(path, text) if text.lstrip()[:1] == "{" else _rows(path)
    found: list[SpikeSequence] = []
    faults: list[str] = []
    for where, cells in rows:
        try:
            found.append(_spike(cells, found))
        except Fault as fault:
            faults.append(f"{where}: {fault}")
    if faults:
        raise FaultList(str(path), faults, "correct these spike-ins")
    if not found:
        raise PanelError(
            str(path), "it names no spike-in", "give name, family, copies, sequence"
        )
    return found


def _rows(path: Path) -> Iterator[tuple[str, Row]]:
    for row in read_table(path).rows:
        yield row.where, row


def _labels(path: Path, text: str) -> Iterator[tuple[str, Row]]:
    try:
        labels = json.loads(text)["config"]["labels"]
    except (json.JSONDecodeError, KeyError, TypeError, RecursionError):
        labels = None
    if not isinstance(labels, list):
        raise PanelError(
            str(path),
            "it has no list of labels (config.labels)",
            "give the labels of Vidjil, or a table of name, family, copies, sequence",
        )
    for place, label in enumerate(labels, start=1):
        yield f"label {place}", Row(place, _texts(label))


def _texts(label: Any) -> Mapping[str, str]:
    if not isinstance(label, dict):
        return {}
    return {str(key): str(value) for key, value in label.items()}


def _spike(row: Row, known: Sequence[SpikeSequence]) -> SpikeSequence:
    name = row.first(*_NAME)
    if not name:
        raise Fault("it has no name")
    if any(spike.name == name for spike in known):
        raise Fault(f"the name {shortened(name)!r} stands twice")
    copies = number(row.first("copies"))
    if copies is None or copies <= 0:
        raise Fault(f"copies {shortened(row.first('copies'))!r} is no number above 0")
    sequence = row.first(*_SEQUENCE).upper()
    if not _BASES.fullmatch(sequence):
        raise Fault("its sequence is empty, or holds more than A, C, G and T")
    return SpikeSequence(name, row.first("family") or "all", copies, sequence)
