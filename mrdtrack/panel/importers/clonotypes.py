"""Clones of an IG/TR file: put together, weighed within their locus, and selected."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple, get_args

from mrdtrack.panel.importers.outcome import Imported, ImportOptions, is_share
from mrdtrack.panel.model import LEAST_FLANK, SHORT_STEM, Locus

INDEX_SHARE = 0.05
"""Least share of its locus that makes a clone an index clone where none is given."""
LOCI: tuple[str, ...] = get_args(Locus)


class Clone(NamedTuple):
    """One clone of a file; `weight` is molecules or reads.

    `untemplated` is the number of bases of its junction that no gene segment holds;
    `stem` how many of its last bases are D-N2-J, and `stem_untemplated` those of N2.
    """

    sequence: str
    locus: str | None
    weight: float
    name: str
    where: str
    untemplated: int | None = None
    is_index: bool = False
    stem: int | None = None
    stem_untemplated: int | None = None

    def with_stem(self, whole: str, first: int, untemplated: int) -> Clone:
        """Tell the stem, from base `first` (0-based) of the read `whole` on.

        It is left out where it lies elsewhere, is short, holds no untemplated base or
        leaves too few bases before it: it would tell nothing.
        """
        at = whole.find(self.sequence)
        size = at + len(self.sequence) - first
        enough = SHORT_STEM <= size <= len(self.sequence) - LEAST_FLANK
        if at < 0 or untemplated < 1 or not enough:
            return self
        return self._replace(stem=size, stem_untemplated=untemplated)


_GENE_NAME = re.compile(r"(?:IG[HKL]|TR[ABDG])[VDJC][A-Z0-9/*.-]*", re.IGNORECASE)


def gene_of(call: str) -> str:
    """Give the first gene of a call.

    IMGT writes `Homsap IGHV3-74*01 F, or Homsap IGHV3-74*02 F`, MiXCR
    `IGHV3-74*00(565),...`.
    """
    match = _GENE_NAME.search(call)
    return match[0] if match else call.partition(",")[0].strip()


def locus_of(text: str) -> str | None:
    """Give the locus of a gene or system name (`IGHV3-9*01`, `TRA+D`, `IGK+`)."""
    prefix = gene_of(text).strip().upper()[:3]
    return prefix if prefix in LOCI else None


def gather(clones: Iterable[Clone]) -> list[Clone]:
    """Put clones of one sequence and locus together, the largest first."""
    found: dict[tuple[str, str | None], Clone] = {}
    for clone in clones:
        key = (clone.sequence, clone.locus)
        first = found.get(key)
        if first is None:
            found[key] = clone
        else:
            found[key] = first._replace(
                weight=first.weight + clone.weight,
                is_index=first.is_index or clone.is_index,
            )
    return sorted(found.values(), key=lambda clone: -clone.weight)


def select(
    clones: Iterable[Clone], options: ImportOptions, found: Imported, what: str
) -> None:
    """Take the index clones, and say how many others there were.

    Clones that the file itself names as index clones are taken; else those with the
    least share of their locus (`min_share`, 5 % unless told).
    """
    gathered = gather(clones)
    totals: dict[str | None, float] = {}
    for clone in gathered:
        totals[clone.locus] = totals.get(clone.locus, 0.0) + clone.weight
    least = INDEX_SHARE if options.min_share is None else options.min_share
    named = any(clone.is_index for clone in gathered)
    n_taken = 0
    for clone in gathered:
        share = clone.weight / totals[clone.locus] if totals[clone.locus] else 0.0
        if not (clone.is_index if named else share >= least):
            continue
        n_taken += 1
        found.add(
            {
                "kind": "sequence",
                "id": clone.name,
                "sequence": clone.sequence,
                "locus": clone.locus,
                "untemplated": clone.untemplated,
                "stem": clone.stem,
                "stem_untemplated": clone.stem_untemplated,
            },
            clone.where,
            share=is_share(share),
        )
    rule = "named as index clones" if named else f"with {least:.3g} or more"
    found.notes.append(
        f"{n_taken} of {len(gathered)} clones taken: those {rule}"
        + ("" if named else f" of the {what} of their locus (--min-share)")
    )


def clone_name(locus: str | None, v_call: str, j_call: str, number: int) -> str:
    """Name a clone by its genes, told apart by its number."""
    genes = " ".join(gene_of(call) for call in (v_call, j_call) if call)
    return f"{genes or locus or 'clone'} #{number}"
