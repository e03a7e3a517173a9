"""Targets: the panel's located markers as flat arrays for the kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import NamedTuple, get_args

import numpy as np

from mrdtrack.kernels.arrays import (
    AT_JUNCTION,
    AT_LEFT,
    AT_RIGHT,
    Bytes,
    Ints,
    Targets,
)
from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.haplotypes import (
    JUNCTION_LENGTH,
    EventClass,
    Haplotype,
    MarkerHaplotypes,
)

GAP_OPEN_PHRED = 45.0
"""An indel made by sequencing outside repeats: about 3 in 100,000 bases."""
GAP_EXTEND_PHRED = 10.0
GAP_REPEAT_PHRED = 2.2
"""Phred by which each further copy of a repeat unit makes an indel likelier."""
GAP_FLOOR_PHRED = 15.0
SUBSTITUTION_THRESHOLD = 1.0
"""Any base better than a guess: the least base quality chooses which bases speak."""
INDEL_THRESHOLD = 30.0
JUNCTION_THRESHOLD = 36.0
"""What three fitting bases weigh beyond a junction where a clipped end is supposed
otherwise; that errors alone will not do is asked apart (`TELLING_PHRED`)."""
LEAST_CAP = 120.0
"""Least cap of a longer event, which no slip of the sequencing makes."""
NO_CAP = 1e6
TELLING_ANCHOR = 3
"""Bases that must fit on either side of a junction, more beside `IMITATORS`."""
KNOWN_ANCHOR = 8
"""Bases of reference that must be known (not N) on either side of a junction."""
IMITATORS = ("AGATCGGAAGAGC", "CTGTCTCTTATACACATCT", "AAGTCGGAGGCC", "G" * 16)
"""What follows the end of a short molecule in a read that was not trimmed: the
adapters of Illumina (TruSeq; Nextera, doi:10.1186/gb-2010-11-12-r119) and MGI, and the
G that two-colour chemistry reports where nothing is left to read."""
UNIMITATED = 2
"""Bases beyond such a beginning that an imitator would have to get wrong."""
INDEL_ANCHOR = 4
"""Bases that must fit on either side of a short indel; one more beside a repeat."""
LONG_DELETION = 30
"""Shorter deletions are spanned by an alignment, which places even short ends well."""

_SIDES = {"junction": AT_JUNCTION, "left": AT_LEFT, "right": AT_RIGHT}
_EVENTS = {event: code for code, event in enumerate(get_args(EventClass))}
_CODES = np.full(256, 4, np.uint8)
_CODES[np.frombuffer(b"ACGT", np.uint8)] = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Reference positions [low, high) on a contig of the reads."""

    contig: int
    low: int
    high: int


def encode_bases(bases: str) -> Bytes:
    """Code a sequence: A 0, C 1, G 2, T 3, anything else 4."""
    return _CODES[np.frombuffer(bases.encode(), np.uint8)].copy()


def gap_cost(haplotypes: MarkerHaplotypes) -> float:
    """Price the marker's own indel as an error of sequencing, in phred."""
    adjacency = haplotypes.adjacency
    size = abs(adjacency.skipped - len(adjacency.inserted)) or 1
    copies = adjacency.homology / size
    opening = max(GAP_FLOOR_PHRED, GAP_OPEN_PHRED - GAP_REPEAT_PHRED * copies)
    return opening + GAP_EXTEND_PHRED * (size - 1)


class Decision(NamedTuple):
    """What decides a molecule: see `kernels.arrays.Targets`."""

    threshold: float
    cap: float
    anchor: int


def decision(haplotypes: MarkerHaplotypes) -> Decision:
    """Give the threshold and cap of a marker's evidence, and the anchor it needs."""
    event, adjacency = haplotypes.event, haplotypes.adjacency
    if event == "substitution":
        return Decision(SUBSTITUTION_THRESHOLD, NO_CAP, 0)
    if event == "junction":
        return Decision(JUNCTION_THRESHOLD, NO_CAP, junction_anchor(haplotypes.alt))
    cap = gap_cost(haplotypes)
    if event == "small_indel":
        anchor = INDEL_ANCHOR + (adjacency.homology > 0)
        return Decision(min(INDEL_THRESHOLD, 0.7 * cap), cap, anchor)
    cap = max(cap, LEAST_CAP)
    if event == "deletion" and adjacency.skipped < LONG_DELETION:
        return Decision(JUNCTION_THRESHOLD, cap, TELLING_ANCHOR)
    return Decision(JUNCTION_THRESHOLD, cap, junction_anchor(haplotypes.alt))


def junction_anchor(alt: Haplotype) -> int:
    """Give the bases that must fit on either side of a junction.

    A molecule may end right at the junction, and its read go on in an adapter. Where
    the mutant sequence begins like one, that beginning proves nothing.
    """
    mark = alt.marks[0]
    beyond = (alt.bases[mark.end :], reverse_complement(alt.bases[: mark.start]))
    imitated = max(
        _shared_beginning(bases, imitator) for bases in beyond for imitator in IMITATORS
    )
    return max(TELLING_ANCHOR, imitated + UNIMITATED)


def _shared_beginning(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _has_novel_bases(haplotypes: MarkerHaplotypes) -> bool:
    """Tell whether the event adds bases: those define it, not its length alone."""
    adjacency = haplotypes.adjacency
    if not adjacency.collinear:
        return bool(adjacency.inserted)
    return len(adjacency.inserted) > adjacency.skipped


def own_bases(haplotypes: MarkerHaplotypes) -> list[tuple[int, int]]:
    """List for each haplotype where other bases make another allele: [low, high).

    Those that a short event inserts, with the copy beside, since either may be the new
    one. Not those of wild types, or of a deletion: a read without the insertion is a
    reference whatever else it shows, and a deletion is a length.
    """
    adjacency = haplotypes.adjacency
    doubled = max(-adjacency.skipped, 0)
    wild_types = [(0, 0)] * len(haplotypes.refs)
    if haplotypes.event != "small_indel" or not (adjacency.inserted or doubled):
        return [(0, 0), *wild_types]
    mark = haplotypes.alt.marks[0]
    return [(mark.start - doubled, mark.end + doubled), *wild_types]


class Change(NamedTuple):
    """A base that a substitution changes, at a 0-based reference position."""

    position: int
    alt: str
    ref: str


def changed_bases(haplotypes: MarkerHaplotypes) -> list[Change]:
    """List the bases that a substitution changes; none for other events."""
    if haplotypes.event != "substitution":
        return []
    alt, ref = haplotypes.alt, haplotypes.refs[0]
    mark, first = alt.marks[0], ref.anchors[0].start
    return [
        Change(first + at, alt.bases[at], ref.bases[at])
        for at in range(mark.start, mark.end)
        if alt.bases[at] != ref.bases[at]
    ]


def marker_windows(
    haplotypes: MarkerHaplotypes, contigs: Mapping[str, int]
) -> list[Window]:
    """List where reads of a marker are aligned, merged where they overlap."""
    size = len(haplotypes.adjacency.inserted)
    if haplotypes.event == "substitution" and size == 1:
        side = haplotypes.adjacency.left
        contig = contigs[side.contig]
        return [Window(contig=contig, low=side.boundary, high=side.boundary + size)]
    places = sorted(
        (contigs[anchor.contig], max(anchor.start, 0), anchor.end)
        for haplotype in (haplotypes.alt, *haplotypes.refs)
        for anchor in haplotype.anchors
    )
    merged: list[Window] = []
    for contig, low, high in places:
        last = merged[-1] if merged else None
        if last is not None and last.contig == contig and low <= last.high:
            merged[-1] = replace(last, high=max(high, last.high))
        else:
            merged.append(Window(contig=contig, low=low, high=high))
    return merged


def _offsets(counts: Sequence[int]) -> Ints:
    return np.concatenate(([0], np.cumsum(counts, dtype=np.int64))).astype(np.int64)


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, np.int64)


def build_targets(
    markers: Sequence[MarkerHaplotypes], contigs: Mapping[str, int]
) -> Targets:
    """Lay markers out for the kernels; `contigs` gives a name's index in the reads."""
    haplotypes: list[Haplotype] = []
    for marker in markers:
        haplotypes += [marker.alt, *marker.refs]
    anchors = [anchor for h in haplotypes for anchor in h.anchors]
    marks = [mark for h in haplotypes for mark in h.marks]
    own = [place for marker in markers for place in own_bases(marker)]
    decisions = [decision(marker) for marker in markers]
    changes = [changed_bases(marker) for marker in markers]
    windows = sorted(
        (window.contig, window.low, window.high, index)
        for index, marker in enumerate(markers)
        for window in marker_windows(marker, contigs)
    )
    return Targets(
        event=_ints([_EVENTS[marker.event] for marker in markers]),
        threshold=np.array([d.threshold for d in decisions], np.float64),
        cap=np.array([d.cap for d in decisions], np.float64),
        anchor=_ints([d.anchor for d in decisions]),
        novel=np.array([_has_novel_bases(marker) for marker in markers], np.uint8),
        hap_start=_offsets([1 + len(marker.refs) for marker in markers]),
        base_start=_offsets([len(h.bases) for h in haplotypes]),
        own_low=_ints([low for low, _ in own]),
        own_high=_ints([high for _, high in own]),
        bases=encode_bases("".join(h.bases for h in haplotypes)),
        anchor_start=_offsets([len(h.anchors) for h in haplotypes]),
        anchor_contig=_ints([contigs[a.contig] for a in anchors]),
        anchor_low=_ints([a.start for a in anchors]),
        anchor_high=_ints([a.end for a in anchors]),
        anchor_offset=_ints([a.offset for a in anchors]),
        anchor_reverse=np.array([a.reverse for a in anchors], np.uint8),
        mark_start=_offsets([len(h.marks) for h in haplotypes]),
        mark_side=np.array([_SIDES[m.side] for m in marks], np.uint8),
        mark_low=_ints([m.start for m in marks]),
        mark_high=_ints([m.end for m in marks]),
        change_start=_offsets([len(one) for one in changes]),
        change_position=_ints([change.position for one in changes for change in one]),
        change_alt=encode_bases("".join(c.alt for one in changes for c in one)),
        change_ref=encode_bases("".join(c.ref for one in changes for c in one)),
        window_contig=_ints([w[0] for w in windows]),
        window_low=_ints([w[1] for w in windows]),
        window_high=_ints([w[2] for w in windows]),
        window_reach=_window_reach(windows),
        window_marker=_ints([w[3] for w in windows]),
    )


def _window_reach(windows: Sequence[tuple[int, int, int, int]]) -> Ints:
    """Give the largest end among a window and the earlier ones of its contig."""
    reach: list[int] = []
    for index, (contig, _, high, _) in enumerate(windows):
        same = index > 0 and windows[index - 1][0] == contig
        reach.append(max(high, reach[-1]) if same else high)
    return _ints(reach)


def error_class(haplotypes: MarkerHaplotypes) -> str:
    """Name the background class of a marker, as `counts.MarkerCounts` documents."""
    adjacency = haplotypes.adjacency
    if haplotypes.event == "substitution":
        ref, alt = haplotypes.refs[0], haplotypes.alt
        at = ref.marks[0].start
        size = ref.marks[0].end - at
        if size > 1:
            return "mnv"
        before, after = ref.bases[at - 1], ref.bases[at + 1]
        return f"{before}[{ref.bases[at]}>{alt.bases[at]}]{after}"
    if haplotypes.event != "small_indel":
        return "junction"
    size = len(adjacency.inserted) - adjacency.skipped
    run = min(adjacency.homology + max(-size, 0), 20)
    name = "ins" if size > 0 else "del"
    if size == 0 or abs(size) >= JUNCTION_LENGTH:
        return "junction"
    return f"{name}{abs(size)}:h{run}"
