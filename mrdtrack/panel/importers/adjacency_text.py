"""Breakpoints as files spell them: the four VCF breakend forms."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.importers.outcome import Fault, shortened

_BREAKEND = re.compile(
    r"(?P<before>[ACGTN]*)(?P<bracket>[\[\]])(?P<contig>.+):(?P<position>\d+)"
    r"(?P=bracket)(?P<after>[ACGTN]*)",
    re.IGNORECASE,
)


class End(NamedTuple):
    """One end as the panel says it: `+` keeps up to `position`, `-` from it on."""

    contig: str
    position: int
    strand: str

    def fields(self) -> dict[str, str | int]:
        """Give the end as the panel's table."""
        return self._asdict()


class Adjacency(NamedTuple):
    """Two ends that are joined, with the bases between, read from left to right."""

    left: End
    right: End
    inserted: str

    def mirrored(self) -> Adjacency:
        """Give the same adjacency as read on the other strand."""
        return Adjacency(self.right, self.left, reverse_complement(self.inserted))

    def key(self) -> Adjacency:
        """Give the spelling that both ways of reading share."""
        return min(self, self.mirrored())

    def shifted(self, by: int) -> Adjacency:
        """Move the join by so many bases of homology.

        Where both sides face one way, one end moves up as the other moves down.
        """
        back = -by if self.left.strand == self.right.strand else by
        left, right = self.left, self.right
        return self._replace(
            left=left._replace(position=left.position + by),
            right=right._replace(position=right.position + back),
        )


def is_breakend(alt: str) -> bool:
    """Tell whether a VCF allele is a breakend with a partner."""
    return "[" in alt or "]" in alt


def breakend(contig: str, position: int, alt: str) -> Adjacency:
    """Read a VCF breakend (VCF 4.3, section 5.4).

    `t[p[` joins the bases from p on after t, `t]p]` the reverse complement of those up
    to p; `]p]t` joins the bases up to p before t, `[p[t` the reverse complement of
    those from p on.

    Raises:
        Fault: the allele is none of the four forms.
    """
    match = _BREAKEND.fullmatch(alt)
    if match is None or bool(match["before"]) == bool(match["after"]):
        raise Fault(f"ALT {shortened(alt)!r} is none of the four breakend forms")
    partner_strand = "-" if match["bracket"] == "[" else "+"
    partner = End(
        match["contig"].removeprefix("<").removesuffix(">"),
        int(match["position"]),
        partner_strand,
    )
    if match["before"]:
        inserted = match["before"][1:].upper()
        return Adjacency(End(contig, position, "+"), partner, inserted)
    inserted = match["after"][:-1].upper()
    return Adjacency(partner, End(contig, position, "-"), inserted)


def adjacency_fields(adjacency: Adjacency) -> dict[str, Any]:
    """Give an adjacency as the fields of a breakpoint marker."""
    return {
        "kind": "breakpoint",
        "left": adjacency.left.fields(),
        "right": adjacency.right.fields(),
        "inserted": adjacency.inserted,
    }
