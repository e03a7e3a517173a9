"""Which markers speak for themselves: a proposal with its reasons, never a choice.

Reasons: the clone's share at diagnosis, the background class of the event (junctions
and long indels have next to none, deamination-like substitutions most), genes of clonal
haematopoiesis, and whether another person could make the same junction.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from mrdtrack.panel.importers.outcome import Candidate
from mrdtrack.panel.model import Marker, SmallVariant

CLONAL_HAEMATOPOIESIS = frozenset({"DNMT3A", "TET2", "ASXL1"})
MIN_CLONAL_SHARE = 0.1
SMALL_CLONE = 0.05
_TRANSITIONS = frozenset({"CT", "TC", "GA", "AG"})

Background = Literal["junction", "indel", "multi-base", "transversion", "transition"]
_WORDS: dict[Background, str] = {
    "junction": "a junction, with next to no background",
    "indel": "a short indel, with little background",
    "multi-base": "several bases at once, with little background",
    "transversion": "a transversion",
    "transition": "a transition, the class with most background",
}
_ORDER: tuple[Background, ...] = (
    "junction",
    "multi-base",
    "indel",
    "transversion",
    "transition",
)


class Proposal(NamedTuple):
    """A marker's standing: rank among those proposed, None where it is not."""

    marker: str
    rank: int | None
    reason: str


def background_of(marker: Marker) -> Background:
    """Tell the expected background class of a marker."""
    if not isinstance(marker, SmallVariant):
        return "junction"
    change = len(marker.alt) - len(marker.ref)
    if abs(change) >= 10:
        return "junction"
    if change:
        return "indel"
    if len(marker.ref) > 1:
        return "multi-base"
    pair = marker.ref + marker.alt
    return "transition" if pair in _TRANSITIONS else "transversion"


def propose(candidates: list[Candidate]) -> list[Proposal]:
    """Rank the markers, in their own order; the best for MRD is 1."""
    reasons = [_against(candidate) for candidate in candidates]
    good = [i for i, reason in enumerate(reasons) if not reason]
    good.sort(key=lambda i: _merit(candidates[i]))
    ranks = {index: rank for rank, index in enumerate(good, start=1)}
    return [
        Proposal(
            candidate.marker.id,
            ranks.get(index),
            reasons[index] or _for(candidate),
        )
        for index, candidate in enumerate(candidates)
    ]


def _merit(candidate: Candidate) -> tuple[bool, int, float]:
    share = candidate.share or candidate.marker.vaf_at_diagnosis
    small = share is not None and share < MIN_CLONAL_SHARE
    return small, _ORDER.index(background_of(candidate.marker)), -(share or 0.0)


def _against(candidate: Candidate) -> str:
    marker = candidate.marker
    genes = set((marker.gene or "").upper().replace("::", " ").split())
    excluded = genes & CLONAL_HAEMATOPOIESIS
    if excluded:
        return f"{min(excluded)} mutations can be clonal haematopoiesis"
    if marker.role == "report_only":
        return "it is to be reported only"
    if candidate.unique is False:
        return "no untemplated base in the junction: another person can make it"
    share = candidate.share or marker.vaf_at_diagnosis
    if share is not None and share < SMALL_CLONE:
        return f"a small clone ({share:.2g} at diagnosis), which may vanish by itself"
    return ""


def _for(candidate: Candidate) -> str:
    words = [_WORDS[background_of(candidate.marker)]]
    share = candidate.share or candidate.marker.vaf_at_diagnosis
    if share is None:
        words.append("its share at diagnosis is not known")
    else:
        words.append(f"share at diagnosis {share:.2g}")
    return "; ".join(words)
