"""Haplotypes: every spelling of one event is the same event."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.errors import PanelError
from mrdtrack.panel.adjacency import Adjacency, Side, adjacency_of, normalise
from mrdtrack.panel.haplotypes import MarkerHaplotypes, build_haplotypes
from mrdtrack.panel.model import Breakpoint, Duplication, Sequence, SmallVariant
from tests.counting.builders import (
    GENOME,
    RUN,
    Text,
    bases,
    breakpoint_of,
    duplication,
    make_panel,
    snv,
    turned,
    unlike,
    variant,
)

REFERENCE = Text(GENOME)


def located(
    description: dict[str, Any],
) -> SmallVariant | Duplication | Breakpoint:
    marker = make_panel(description).marker[0]
    assert not isinstance(marker, Sequence)
    return marker


def built(description: dict[str, Any], reference: Text = REFERENCE) -> MarkerHaplotypes:
    return build_haplotypes(located(description), reference)


def insertion_at(contig: str, after: int, letters: str) -> dict[str, Any]:
    """Insert letters behind the base before `after` (0-based)."""
    base = REFERENCE.fetch(contig, after - 1, after)
    return variant(after - 1, base, base + letters, contig)


def mutant_of(marker: MarkerHaplotypes) -> str:
    """Write out chr1 as the mutant has it."""
    adjacency = marker.adjacency
    assert adjacency.collinear
    one = GENOME["chr1"]
    left, right = adjacency.left.boundary, adjacency.right.boundary
    return one[:left] + adjacency.inserted + one[right:]


@pytest.mark.parametrize(
    ("description", "event"),
    [
        (snv(300), "substitution"),
        (variant(300, bases("chr1", 300, 302), "".join(
            unlike(b) for b in bases("chr1", 300, 302))), "substitution"),
        (insertion_at("chr1", 300, "ACGTT"), "small_indel"),
        (variant(300, bases("chr1", 300, 304), bases("chr1", 300, 301)), "small_indel"),
        (insertion_at("chr1", 300, "TTGCAGGATCCATGACC"), "insertion"),
        (variant(300, bases("chr1", 300, 353), bases("chr1", 300, 301)), "deletion"),
        (duplication(300, 321), "duplication"),
        (duplication(300, 305), "small_indel"),
        (breakpoint_of(("chr1", 300, "+"), ("chr2", 400, "-")), "junction"),
        (breakpoint_of(("chr1", 300, "+"), ("chr1", 700, "+")), "junction"),
        (breakpoint_of(("chr1", 300, "+"), ("chr1", 351, "-")), "deletion"),
    ],
)  # fmt: skip
def test_the_event_has_a_class(description: dict[str, Any], event: str) -> None:
    marker = built(description)
    assert marker.event == event
    assert marker.ref_is_wild_type
    assert len(marker.refs) == (2 if event in {"deletion", "junction"} else 1)


def test_a_substitution_changes_one_base_between_known_flanks() -> None:
    marker = built(snv(300))
    (ref,) = marker.refs
    assert ref.bases == bases("chr1", 200, 401)
    alt = unlike(GENOME["chr1"][300])
    assert marker.alt.bases == bases("chr1", 200, 300) + alt + bases("chr1", 301, 401)
    (mark,) = ref.marks
    assert (mark.side, mark.start, mark.end) == ("left", 100, 101)


def test_padding_bases_of_an_allele_change_nothing() -> None:
    plain = built(snv(300))
    before, after = bases("chr1", 297, 300), bases("chr1", 301, 305)
    ref = GENOME["chr1"][300]
    padded = variant(297, before + ref + after, before + unlike(ref) + after)
    assert built(padded) == plain


def test_a_haplotype_knows_where_its_bases_stand() -> None:
    spelt = breakpoint_of(("chr1", 300, "+"), ("chr2", 400, "+"), "GATTACA")
    alt = built(spelt).alt
    for anchor in alt.anchors:
        size = anchor.end - anchor.start
        held = alt.bases[anchor.offset : anchor.offset + size]
        there = bases(anchor.contig, anchor.start, anchor.end)
        assert held == (turned(there) if anchor.reverse else there)
    assert any(anchor.reverse for anchor in alt.anchors)


@given(
    start=st.integers(150, 1700),
    size=st.integers(1, 40),
    shift=st.integers(-30, 30),
    data=st.data(),
)
def test_a_deletion_is_the_same_wherever_it_is_spelt(
    start: int, size: int, shift: int, data: st.DataObject
) -> None:
    """A unit repeated, so that shifted spellings exist; the longest class wins."""
    unit = data.draw(st.text("ACGT", min_size=1, max_size=6))
    copies = data.draw(st.integers(2, 8))
    one = GENOME["chr1"]
    changed = Text({"chr1": one[:start] + unit * copies + one[start:]})
    letters = changed.genome["chr1"]
    deleted = letters[:start] + letters[start + size :]
    other = start + shift
    spelt = variant(start - 1, letters[start - 1 : start + size], letters[start - 1])
    again = variant(other - 1, letters[other - 1 : other + size], letters[other - 1])
    same = letters[:other] + letters[other + size :] == deleted
    assert (built(spelt, changed) == built(again, changed)) == same


@given(
    start=st.integers(150, 1700),
    letters=st.text("ACGT", min_size=1, max_size=30),
    shift=st.integers(1, 60),
    leftwards=st.booleans(),
    tandem=st.booleans(),
)
def test_an_insertion_is_the_same_wherever_it_is_spelt(
    start: int, letters: str, shift: int, leftwards: bool, tandem: bool
) -> None:
    one = GENOME["chr1"]
    if tandem:
        letters = one[start : start + len(letters)]
    expected = built(insertion_at("chr1", start, letters))
    place, unit = start, letters
    for _ in range(shift):
        if leftwards:
            if one[place - 1] != unit[-1]:
                break
            place, unit = place - 1, unit[-1] + unit[:-1]
        else:
            if one[place] != unit[0]:
                break
            place, unit = place + 1, unit[1:] + unit[0]
    again = built(insertion_at("chr1", place, unit))
    assert again == expected
    assert mutant_of(again) == one[:start] + letters + one[start:]


@given(start=st.integers(150, 1700), size=st.integers(10, 200))
def test_a_duplication_has_three_spellings(start: int, size: int) -> None:
    end = start + size
    spelt = built(duplication(start, end))
    unit = bases("chr1", start, end)
    assert built(insertion_at("chr1", end, unit)) == spelt
    assert built(insertion_at("chr1", start, unit)) == spelt
    joined = breakpoint_of(("chr1", end, "+"), ("chr1", start + 1, "-"))
    assert built(joined) == spelt
    assert mutant_of(spelt) == GENOME["chr1"][:end] + GENOME["chr1"][start:]


def test_a_filler_belongs_to_the_inserted_sequence() -> None:
    unit, filler = bases("chr1", 300, 395), "ATTCGTG"
    spelt = built(duplication(300, 395, filler))
    assert built(insertion_at("chr1", 395, filler + unit)) == spelt
    assert built(insertion_at("chr1", 300, unit + filler)) == spelt
    joined = breakpoint_of(("chr1", 395, "+"), ("chr1", 301, "-"), filler)
    assert built(joined) == spelt
    assert spelt != built(duplication(300, 395))


def test_24_spellings_of_one_insertion_are_one() -> None:
    """An insertion of 21 bases where a repeat lets it stand at 24 places.

    The FLT3 duplication at chr13:28608016 (GRCh37) has as many.
    """
    one = GENOME["chr1"]
    unit = one[500:521]
    changed = Text({"chr1": one[:521] + unit[:3] + unit[3] .translate(
        str.maketrans("ACGT", "CGTA")) + one[521:]})  # fmt: skip
    letters = changed.genome["chr1"]
    mutant = letters[:500] + unit + letters[500:]
    spellings = [
        insertion_at_of(letters, place, mutant[place : place + 21])
        for place in range(400, 640)
        if letters[:place] + mutant[place : place + 21] + letters[place:] == mutant
    ]
    found = {build_haplotypes(located(s), changed) for s in spellings}
    n_before = 0
    while one[499 - n_before] == unit[-1 - n_before]:
        n_before += 1
    assert len(spellings) == 25 + n_before
    assert len(found) == 1


def insertion_at_of(letters: str, after: int, unit: str) -> dict[str, Any]:
    return variant(after - 1, letters[after - 1], letters[after - 1] + unit)


@given(
    left=st.integers(150, 1700),
    right=st.integers(150, 850),
    strands=st.sampled_from(["++", "+-", "-+", "--"]),
    filler=st.text("ACGT", max_size=6),
)
def test_the_ends_of_a_breakpoint_may_be_swapped(
    left: int, right: int, strands: str, filler: str
) -> None:
    """Read on the other strand, the second end comes first, its strand with it."""
    spelt = built(
        breakpoint_of(("chr1", left, strands[0]), ("chr2", right, strands[1]), filler)
    )
    swapped = built(
        breakpoint_of(
            ("chr2", right, strands[1]),
            ("chr1", left, strands[0]),
            turned(filler),
        )
    )
    assert swapped == spelt
    one, two = GENOME["chr1"], GENOME["chr2"]
    before = one[left - 6 : left] if strands[0] == "+" else turned(
        one[left - 1 : left + 5])  # fmt: skip
    after = two[right - 1 : right + 5] if strands[1] == "-" else turned(
        two[right - 6 : right])  # fmt: skip
    whole = before + filler + after
    assert whole in spelt.alt.bases or turned(whole) in spelt.alt.bases


def test_a_deletion_has_two_spellings() -> None:
    spelt = variant(300, bases("chr1", 300, 353), bases("chr1", 300, 301))
    joined = breakpoint_of(("chr1", 301, "+"), ("chr1", 354, "-"))
    assert built(joined) == built(spelt)
    swapped = breakpoint_of(("chr1", 354, "-"), ("chr1", 301, "+"))
    assert built(swapped) == built(spelt)
    doubled = breakpoint_of(("chr1", 354, "+"), ("chr1", 301, "-"))
    assert built(doubled).event == "duplication"
    turned_round = breakpoint_of(("chr1", 354, "+"), ("chr1", 301, "+"))
    assert built(turned_round).event == "junction"


def test_a_duplication_too_long_to_span_says_so() -> None:
    marker = built(duplication(400, 1500))
    assert marker.event == "duplication"
    assert not marker.ref_is_wild_type
    assert len(marker.refs) == 2


def test_a_run_gives_the_homology() -> None:
    low, high = RUN
    marker = built(variant(high - 2, "AA", "A"))
    assert marker.adjacency.left.boundary == low
    assert marker.adjacency.homology == high - low - 1


def test_a_repeat_is_followed_only_so_far() -> None:
    letters = "C" + "A" * 5000 + "G"
    adjacency = normalise(
        Adjacency(Side("c", 3000, 1), Side("c", 3001, 1), ""), Text({"c": letters})
    )
    assert adjacency.left.boundary == 1000
    assert adjacency.homology == 2000


def test_beyond_the_contig_nothing_is_known() -> None:
    marker = built(snv(30))
    assert marker.alt.bases.startswith("N" * 70 + GENOME["chr1"][:30])
    assert Side("chr1", 2000, 1).window(-2, 3, REFERENCE) == (
        GENOME["chr1"][-2:] + "NNN"
    )
    assert Side("chr1", 2, -1).window(0, 4, REFERENCE) == (
        turned(GENOME["chr1"][:2]) + "NN"
    )


def test_unknown_bases_are_never_alike() -> None:
    reference = Text({"c": "N" * 600})
    adjacency = normalise(
        Adjacency(Side("c", 300, 1), Side("c", 310, 1), ""), reference
    )
    assert adjacency.homology == 0
    assert adjacency.left.boundary == 300


@pytest.mark.parametrize("shift", [1, -1])
def test_an_allele_that_fits_one_base_on_is_hinted_at(shift: int) -> None:
    place = next(
        i for i in range(300, 400)
        if len({bases("chr1", i - s, i - s + 3) for s in (-1, 0, 1)}) == 3
    )  # fmt: skip
    allele = bases("chr1", place, place + 3)
    spelt = variant(place - shift, allele, "A" if allele[0] != "A" else "C")
    with pytest.raises(PanelError) as caught:
        built(spelt)
    given_position = place - shift + 1
    assert caught.value.where == f"marker 'm1' at chr1:{given_position}"
    assert f"REF is {allele} in the panel" in caught.value.problem
    assert f"the allele fits at {given_position + shift}:" in caught.value.remedy


def test_an_allele_that_fits_nowhere_near_is_not_hinted_at() -> None:
    wrong = turned(bases("chr1", 300, 312))
    with pytest.raises(PanelError) as caught:
        built(variant(300, wrong, "A"))
    assert caught.value.remedy == "check the position and the assembly"
    first = turned(bases("chr1", 0, 12))
    with pytest.raises(PanelError, match="check the position"):
        built(variant(0, first, "A"))


@pytest.mark.parametrize(
    "description",
    [
        variant(1999, "AC", "A"),
        duplication(1900, 2001),
        breakpoint_of(("chr1", 2001, "+"), ("chr2", 5, "-")),
        breakpoint_of(("chr1", 5, "+"), ("chr2", 1001, "-")),
    ],
)
def test_a_marker_beyond_the_contig_is_refused(description: dict[str, Any]) -> None:
    with pytest.raises(PanelError, match=r"position \d+ lies beyond the end of chr"):
        adjacency_of(located(description), REFERENCE)


def test_the_last_base_of_a_contig_is_inside() -> None:
    ref = GENOME["chr2"][-1]
    assert built(variant(999, ref, unlike(ref), "chr2")).event == "substitution"


def test_sides_are_mirrors() -> None:
    side = Side("chr1", 500, 1)
    mirrored = side.flipped()
    for reach in np.arange(1, 8).tolist():
        assert turned(side.window(0, reach, REFERENCE)) == mirrored.window(
            -reach, 0, REFERENCE
        )
    assert mirrored.flipped() == side
    assert mirrored.moved(3).boundary == 497
