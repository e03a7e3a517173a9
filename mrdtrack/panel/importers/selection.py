"""Which markers speak for themselves: a proposal with its reasons, never a choice.

Reasons: the clone's share at diagnosis, by itself and beside the largest; the
background class of the event (junctions and long indels have next to none,
deamination-like substitutions most); genes of clonal haematopoiesis; a normal sample
that shows it too; and whether another person could make the same junction. Signalling
mutations are often subclonal and can be lost at relapse, and some genes are those of
germline predisposition: both are said, and speak against nothing by themselves (Heuser
et al. 2021, doi:10.1182/blood.2021013626).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from mrdtrack.panel.importers.outcome import Candidate
from mrdtrack.panel.model import Marker, SmallVariant
from mrdtrack.panel.model import Sequence as SequenceMarker

CLONAL_HAEMATOPOIESIS = frozenset({"DNMT3A", "TET2", "ASXL1"})
SIGNALLING = frozenset({"FLT3", "KIT", "KRAS", "NRAS", "PTPN11", "CBL", "NF1", "JAK2"})
GERMLINE = frozenset(
    {"ANKRD26", "CEBPA", "DDX41", "ETV6", "GATA2", "RUNX1", "SAMD9", "SAMD9L", "TP53"}
)
MIN_CLONAL_SHARE = 0.1
SMALL_CLONE = 0.05
GERMLINE_SHARE = 0.25
"""Share in another sample of the file from which a variant is not the leukaemia's."""
SUBCLONE = 0.5
"""A clone of less than so much of the largest is one of several."""
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
    ref, alt = _trimmed(marker.ref, marker.alt)
    if abs(len(alt) - len(ref)) >= 10:
        return "junction"
    if len(alt) != len(ref):
        return "indel"
    if len(ref) > 1:
        return "multi-base"
    return "transition" if ref + alt in _TRANSITIONS else "transversion"


def _trimmed(ref: str, alt: str) -> tuple[str, str]:
    """Take off the bases that both alleles share at their ends."""
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while ref and alt and ref[0] == alt[0]:
        ref, alt = ref[1:], alt[1:]
    return ref, alt


def propose(candidates: Sequence[Candidate]) -> list[Proposal]:
    """Rank the markers, in their own order; the best for MRD is 1."""
    reasons = [_against(candidate) for candidate in candidates]
    good = [i for i, reason in enumerate(reasons) if not reason]
    good.sort(key=lambda i: _merit(candidates[i]))
    ranks = {index: rank for rank, index in enumerate(good, start=1)}
    largest = _largest([candidates[i] for i in good])
    return [
        Proposal(
            candidate.marker.id,
            ranks.get(index),
            reasons[index] or "; ".join(_for(candidate, largest[_scale(candidate)])),
        )
        for index, candidate in enumerate(candidates)
    ]


def _largest(candidates: Sequence[Candidate]) -> defaultdict[str | None, float]:
    """Give the largest share on every scale: VAFs, and shares of one locus."""
    largest: defaultdict[str | None, float] = defaultdict(float)
    for candidate in candidates:
        scale = _scale(candidate)
        largest[scale] = max(largest[scale], share_of(candidate) or 0.0)
    return largest


def _scale(candidate: Candidate) -> str | None:
    marker = candidate.marker
    return marker.locus if isinstance(marker, SequenceMarker) else None


def advise_selection(
    candidates: Sequence[Candidate], proposals: Sequence[Proposal]
) -> list[str]:
    """Say what the proposed markers lack as a set: one sentence each."""
    good = [
        candidate
        for candidate, proposal in zip(candidates, proposals, strict=True)
        if proposal.rank is not None
    ]
    found = []
    if not good:
        found.append("no marker is proposed to drive a level: see the reasons")
    elif len(good) == 1:
        found.append(
            f"{good[0].marker.id!r} is the only marker proposed: if it is lost, so is "
            "the follow-up; a second one is worth looking for"
        )
    elif all(_genes(candidate) & SIGNALLING for candidate in good):
        found.append(
            "all markers proposed are signalling mutations, which can be lost at "
            "relapse: look for one of another kind"
        )
    loci = {m.marker.locus for m in good if isinstance(m.marker, SequenceMarker)}
    if len(good) > 1 and len(loci) == 1 and None not in loci and _all_clones(good):
        found.append(
            f"all markers proposed are of {min(str(one) for one in loci)}: two loci "
            "guard better against clonal evolution"
        )
    return found


def _all_clones(candidates: Sequence[Candidate]) -> bool:
    return all(isinstance(c.marker, SequenceMarker) for c in candidates)


def share_of(candidate: Candidate) -> float | None:
    """Give a marker's share at diagnosis, of its locus or as VAF."""
    return candidate.share or candidate.marker.vaf_at_diagnosis


def _merit(candidate: Candidate) -> tuple[bool, int, float]:
    share = share_of(candidate)
    small = share is not None and share < MIN_CLONAL_SHARE
    return small, _ORDER.index(background_of(candidate.marker)), -(share or 0.0)


def _genes(candidate: Candidate) -> set[str]:
    return set((candidate.marker.gene or "").upper().replace("::", " ").split())


def _against(candidate: Candidate) -> str:
    marker, elsewhere = candidate.marker, candidate.elsewhere
    excluded = _genes(candidate) & CLONAL_HAEMATOPOIESIS
    if excluded:
        return f"{min(excluded)} mutations can be clonal haematopoiesis"
    if marker.role == "report_only":
        return "it is to be reported only"
    if elsewhere is not None and elsewhere.share >= GERMLINE_SHARE:
        return (
            f"{elsewhere.sample} shows it too ({elsewhere.share:.2g}): it is germline, "
            "or not the leukaemia's alone"
        )
    if isinstance(marker, SequenceMarker) and marker.untemplated == 0:
        return "no untemplated base in the junction: another person can make it"
    share = share_of(candidate)
    if share is not None and share < SMALL_CLONE:
        return f"a small clone ({share:.2g} at diagnosis), which may vanish by itself"
    return ""


def _for(candidate: Candidate, largest: float) -> Iterator[str]:
    yield _WORDS[background_of(candidate.marker)]
    share, genes = share_of(candidate), _genes(candidate)
    if share is None:
        yield "its share at diagnosis is not known"
    elif share < SUBCLONE * largest:
        yield f"share at diagnosis {share:.2g}, a subclone beside {largest:.2g}"
    else:
        yield f"share at diagnosis {share:.2g}"
    if isinstance(candidate.marker, SequenceMarker):
        yield from _uniqueness(candidate.marker)
    if candidate.elsewhere is not None:
        elsewhere = candidate.elsewhere
        yield f"{elsewhere.sample} shows it at {elsewhere.share:.2g}"
    if genes & SIGNALLING:
        yield f"{min(genes & SIGNALLING)} mutations can be lost at relapse"
    if genes & GERMLINE:
        yield f"{min(genes & GERMLINE)} variants can be germline: see a normal sample"


def _uniqueness(marker: SequenceMarker) -> Iterator[str]:
    if marker.untemplated is not None:
        bases = "base" if marker.untemplated == 1 else "bases"
        yield f"{marker.untemplated} untemplated {bases} in the junction"
