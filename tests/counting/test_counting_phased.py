"""Phased markers: what a molecule that shows several of a group counts as."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mrdtrack.counting.joint_molecules import joint_kinds, with_joint_fragments
from mrdtrack.counts import GroupCounts, SampleCounts
from mrdtrack.kernels.molecules import ALT, AMBIGUOUS, OTHER, REF, make_molecules
from tests.counting.builders import (
    GENOME,
    Read,
    breakpoint_of,
    classes,
    count,
    duplication,
    make_panel,
    snv,
    unlike,
    variant,
    wild,
)

ONE = GENOME["chr1"]
PLACES = (300, 330, 420)
ALTS = {place: unlike(ONE[place]) for place in PLACES}
THIRD = {place: unlike(ONE[place], ALTS[place]) for place in PLACES}


def in_group(*markers: dict[str, Any], name: str = "g") -> list[dict[str, Any]]:
    return [marker | {"group": name} for marker in markers]


PHASED = in_group(*(snv(place) for place in PLACES))


def shows(name: str, start: int, end: int, *alts: int, **more: Any) -> Read:
    """Make a read that shows the alternative bases of some places."""
    return wild(name, start, end, {place: ALTS[place] for place in alts}, **more)


def joint(counted: SampleCounts) -> GroupCounts:
    (group,) = counted.groups
    return group


def test_a_molecule_must_show_two_members(tmp_path: Path) -> None:
    reads = [
        shows("both", 250, 350, 300, 330),
        shows("all", 280, 440, 300, 330, 420),
        shows("one", 210, 310, 300),
        shows("none", 250, 350),
        shows("torn", 250, 350, 300),
        shows("torn too", 310, 430, 420),
        wild("third", 250, 350, {300: ALTS[300], 330: THIRD[330]}),
        shows("beyond", 440, 500),
    ]
    counted = count(tmp_path, reads, make_panel(*PHASED))
    group = joint(counted)
    assert classes(group) == (2, 1, 0, 3)
    assert (group.molecules, group.denominator) == (6, 6)
    assert group.members == ("m1", "m2", "m3")
    assert (group.group, group.error_class) == ("g", "mnv")
    assert group.assessable
    assert classes(counted.markers[0]) == (5, 1, 0, 0)


def test_mates_that_show_a_member_each_are_one_molecule(tmp_path: Path) -> None:
    reads = [
        shows("pair", 280, 340, 300, flag=99),
        shows("pair", 380, 440, 420, flag=147),
    ]
    panel = make_panel(*in_group(snv(300), snv(420)))
    assert classes(joint(count(tmp_path, reads, panel))) == (1, 0, 0, 0)


def test_a_poor_base_does_not_contradict_the_others(tmp_path: Path) -> None:
    """The odd base of 20 may be an error; it is not enough for an alternative, too."""
    poor = [20 if place == 330 else 37 for place in range(280, 440)]
    reads = [
        shows("alt", 280, 440, 300, 420, quality=poor),
        shows("ref", 280, 440, 330, quality=poor),
        shows("two", 280, 340, 330, quality=poor[:60]),
    ]
    counted = count(tmp_path, reads, make_panel(*PHASED))
    assert classes(joint(counted)) == (1, 1, 1, 0)


def test_indels_and_substitutions_are_one_group(tmp_path: Path) -> None:
    letters = list(ONE[250:350])
    letters[50] = ALTS[300]
    mutant = "".join(letters[:80]) + ONE[333:353]
    base = ONE[329]
    panel = make_panel(*in_group(snv(300), variant(329, base + ONE[330:333], base)))
    reads = [
        Read(name="mutant", bases=mutant, start=250, cigar="80M3D20M"),
        wild("wild", 250, 350),
    ]
    assert classes(joint(count(tmp_path, reads, panel))) == (1, 1, 0, 0)


def test_copies_of_a_family_vote_jointly(tmp_path: Path) -> None:
    def family(umi: str, *shown: Sequence[int]) -> list[Read]:
        return [
            shows(f"{umi}{n}", 250, 350, *alts, tags={"RX": umi})
            for n, alts in enumerate(shown)
        ]

    reads = [
        *family("ACGTACGTAC", (300, 330), (300, 330), (300,)),
        *family("TTTTACGTAC", (), ()),
        *family("CCCCACGTTT", (300, 330), ()),
    ]
    counted = count(tmp_path, reads, make_panel(*PHASED[:2]), molecules="umi")
    assert classes(joint(counted)) == (1, 1, 1, 0)
    assert counted.family_sizes == {2: 4, 3: 2}


def random_kinds(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 6, 300)
    kind = rng.choice(
        [ALT, REF, AMBIGUOUS, OTHER], int(sizes.sum()), p=[0.4, 0.4, 0.15, 0.05]
    )
    evidence = rng.choice([5.0, 29.9, 30.0, 60.0], len(kind)) * np.where(
        kind == REF, -1, 1
    )
    return kind, evidence, np.concatenate(([0], np.cumsum(sizes)[:-1]))


def plain_kind(kinds: Sequence[int], evidence: Sequence[float]) -> int:
    """Judge one molecule, as the documentation says it."""
    shown = list(zip(kinds, map(abs, evidence), strict=True))
    alt = [clear >= 30 for kind, clear in shown if kind == ALT]
    ref = [clear >= 30 for kind, clear in shown if kind == REF]
    if OTHER in kinds or (any(alt) and any(ref)) or min(len(alt), len(ref)) > 1:
        return OTHER
    if len(alt) > 1 and not any(ref):
        return ALT
    return REF if len(ref) > 1 and not any(alt) else AMBIGUOUS


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_joint_kinds_are_the_rule_and_take_no_side(seed: int) -> None:
    kind, evidence, begin = random_kinds(seed)
    found = joint_kinds(kind, evidence, begin)
    assert set(found) == {ALT, REF, AMBIGUOUS, OTHER}
    ends = [*begin[1:].tolist(), len(kind)]
    for low, high, told in zip(begin, ends, found, strict=True):
        assert told == plain_kind(kind[low:high].tolist(), evidence[low:high].tolist())
    swap = np.array([REF, ALT, AMBIGUOUS, OTHER])
    assert (joint_kinds(swap[kind], -evidence, begin) == swap[found]).all()


def test_joint_molecules_have_the_columns_of_the_others() -> None:
    """Those of other types would be another kernel's, compiled while a user waits."""
    own = make_molecules(4, 4)
    for column in (own.start, own.umi, own.crosses, own.reverse):
        column[:] = 1
    own.marker[:], own.name[:] = [0, 0, 1, 1], [5, 6, 5, 7]
    own.kind[:], own.evidence[:] = ALT, 50.0
    found = with_joint_fragments(own, np.zeros(2, np.int64))
    assert found.marker.tolist() == [0, 0, 1, 1, 2]
    assert (found.name[-1], found.kind[-1], found.evidence[-1]) == (5, ALT, 100.0)
    assert [c.dtype for c in found] == [c.dtype for c in own]


def random_reads(seed: int) -> list[Read]:
    """Draw pairs over the places, mutant and wild, with poor bases and errors."""
    rng = np.random.default_rng(seed)
    reads = []
    for number in range(150):
        alts: tuple[int, ...] = PLACES if rng.random() < 0.5 else ()
        if rng.random() < 0.2:
            alts = tuple(p for p in PLACES if rng.random() < 0.5)
        start = int(rng.integers(215, 410))
        for flag, at in ((99, start), (147, start + int(rng.integers(0, 120)))):
            held = [p for p in alts if at <= p < at + 90]
            quality = [int(q) for q in rng.choice([12, 25, 37], 90, p=[0.1, 0.2, 0.7])]
            reads.append(
                shows(f"r{number}", at, at + 90, *held, flag=flag, quality=quality)
            )
    return reads


@pytest.mark.parametrize("seed", [1, 2])
def test_swapping_alleles_swaps_joint_counts(tmp_path: Path, seed: int) -> None:
    reads = random_reads(seed)
    there = joint(count(tmp_path, reads, make_panel(*PHASED)))
    letters = list(ONE)
    for place in PLACES:
        letters[place] = ALTS[place]
    genome = GENOME | {"chr1": "".join(letters)}
    turned = in_group(*(variant(p, ALTS[p], ONE[p]) for p in PLACES))
    back = joint(count(tmp_path, reads, make_panel(*turned), genome=genome))
    assert 0 not in classes(there)
    assert classes(back) == (there.ref, there.alt, there.ambiguous, there.other)


def test_neither_order_nor_other_markers_matter(tmp_path: Path) -> None:
    reads = random_reads(5)
    named = [marker | {"id": f"p{n}"} for n, marker in enumerate(PHASED)]
    one = joint(count(tmp_path, reads, make_panel(*named)))
    more = [named[2], duplication(900, 940), named[0], snv(350), named[1]]
    other = joint(count(tmp_path, reads[::-1], make_panel(*more)))
    assert other.members == ("p2", "p0", "p1")
    assert classes(other) == classes(one)
    alone = count(tmp_path, reads, make_panel(*({**m, "group": None} for m in named)))
    grouped = count(tmp_path, reads, make_panel(*named))
    assert alone.groups == ()
    assert [classes(m) for m in alone.markers] == [classes(m) for m in grouped.markers]


def test_markers_reported_only_are_no_members(tmp_path: Path) -> None:
    """A germline allele stands on half of the wild-type molecules."""
    panel = make_panel(*PHASED[:2], PHASED[2] | {"role": "report_only"})
    reads = [shows("wild", 280, 440, 420), shows("mutant", 280, 440, 300, 330)]
    group = joint(count(tmp_path, reads, panel))
    assert group.members == ("m1", "m2")
    assert classes(group) == (1, 1, 0, 0)
    alone = make_panel(PHASED[0], PHASED[2] | {"role": "report_only"})
    assert count(tmp_path, reads, alone).groups == ()


@pytest.mark.parametrize(
    ("members", "why_not"),
    [
        ((snv(300), snv(300, "chr2")), "group_apart"),
        ((snv(300), snv(1200)), "group_apart"),
        ((snv(300), duplication(400, 440)), "group_not_small"),
        ((snv(300), variant(400, ONE[400:430], ONE[400])), "group_not_small"),
        (
            (snv(300), breakpoint_of(("chr1", 400, "+"), ("chr2", 400, "-"))),
            "group_not_small",
        ),
        ((snv(300), {"kind": "sequence", "sequence": ONE[700:750]}), "group_not_small"),
        (
            (snv(301), variant(300, ONE[300:303], ONE[300])),
            "group_overlaps",
        ),
    ],
)
def test_what_cannot_be_one_molecule_is_told(
    tmp_path: Path, members: Sequence[dict[str, Any]], why_not: str
) -> None:
    reads = [shows("a", 250, 350, 300, 330)]
    counted = count(tmp_path, reads, make_panel(*in_group(*members)))
    group = joint(counted)
    assert not group.assessable
    assert group.reason_code == why_not
    assert group.reason
    assert classes(group) == (None, None, None, None)
    assert counted.markers[0].alt is not None


def test_a_group_that_no_molecule_shows_twice_is_not_assessable(tmp_path: Path) -> None:
    reads = [shows("a", 280, 320, 300), shows("b", 400, 440)]
    group = joint(count(tmp_path, reads, make_panel(*PHASED)))
    assert (group.assessable, group.reason_code) == (False, "group_not_shown")
    assert classes(group) == (0, 0, 0, 0)
