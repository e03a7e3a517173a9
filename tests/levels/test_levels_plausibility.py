"""Counts that are hardly believable are told; good ones raise nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mrdtrack.counts import Library, MarkerCounts, SampleCounts
from mrdtrack.levels.plausibility import implausible


def marker(**told: Any) -> MarkerCounts:
    plain: dict[str, Any] = {
        "marker": "M1",
        "kind": "small_variant",
        "alt": 20,
        "ref": 1000,
        "ambiguous": 0,
        "other": 0,
        "molecules": 1020,
        "molecule_mode": "fragments",
        "denominator_kind": "molecules_at_locus",
        "denominator": 1020,
        "error_class": "A[C>T]G",
        "assessable": True,
        "alt_forward": 10,
        "alt_reverse": 10,
        "ref_forward": 500,
        "ref_reverse": 500,
        "alt_at_ends": 2,
        "ref_at_ends": 100,
    }
    return MarkerCounts.model_validate({**plain, **told})


def codes(*markers: MarkerCounts, **told: Any) -> list[str]:
    counts = SampleCounts(
        sample="S", molecule_mode="fragments", markers=markers, **told
    )
    return [found.code for found in implausible(counts)]


def test_a_good_sample_raises_nothing() -> None:
    assert codes(marker()) == []
    assert codes(marker(alt=0, alt_forward=0, alt_reverse=0, alt_at_ends=0)) == []


def test_bases_of_too_low_a_quality_are_told_with_their_records() -> None:
    unheard = marker(
        alt=0,
        ref=0,
        molecules=0,
        denominator=0,
        assessable=False,
        reason_code="low_base_quality",
        filters={"low_base_quality": 40},
        alt_at_ends=0,
    )
    counts = SampleCounts(
        sample="S", molecule_mode="fragments", markers=(unheard, unheard)
    )
    (found,) = implausible(counts)
    assert found.code == "low_base_quality"
    assert found.values == {"markers": ("M1", "M1"), "n_records": 80}
    assert "80 records" in found.message


def strands(forward: int, reverse: int, **told: Any) -> list[str]:
    alt = forward + reverse
    return codes(marker(alt=alt, alt_forward=forward, alt_reverse=reverse, **told))


def test_molecules_of_one_strand() -> None:
    assert strands(20, 0) == ["strand_bias"]
    assert strands(0, 20) == ["strand_bias"]
    assert strands(29, 1) == ["strand_bias"]
    assert strands(7, 0) == []  # too few to look at
    assert strands(10, 0) == []  # 1 in 1,000 by chance
    assert strands(20, 4) == []
    assert strands(20, 0, ref_forward=1000, ref_reverse=0) == []
    assert strands(20, 0, ref_forward=10, ref_reverse=10) == []
    assert strands(20, 0, ref_forward=None, ref_reverse=None) == []
    assert strands(0, 20, ref_forward=300, ref_reverse=700) == []


def ends(alt: int, at_ends: int | None, **told: Any) -> list[str]:
    return codes(marker(alt=alt, alt_at_ends=at_ends, **told))


def test_molecules_at_ends_of_reads_only() -> None:
    assert ends(6, 6) == ["alt_at_read_ends"]
    assert ends(6, 5) == []
    assert ends(3, 3) == []
    assert ends(6, 6, ref_at_ends=900) == []
    assert ends(6, 6, ref=20, ref_at_ends=2) == []
    assert ends(6, None, ref_at_ends=None) == []
    assert ends(6, 6, ref_at_ends=None) == []


def test_chance_seldom_looks_like_bias() -> None:
    """By simulation: in 4,000 unbiased markers at most one is called one-sided."""
    rng = np.random.default_rng(1)
    many = []
    for number in range(4000):
        alt = int(rng.integers(8, 60))
        forward = int(rng.binomial(alt, 0.5))
        many.append(
            marker(
                marker=f"M{number}",
                alt=alt,
                alt_forward=forward,
                alt_reverse=alt - forward,
                alt_at_ends=int(rng.binomial(alt, 0.1)),
            )
        )
    counts = SampleCounts(sample="S", molecule_mode="fragments", markers=tuple(many))
    names = [n for found in implausible(counts) for n in str(found.values["markers"])]
    assert not names


@pytest.mark.parametrize(
    ("sizes", "found"),
    [
        ({1: 900, 2: 100}, ["umi_families_small"]),
        ({1: 700, 2: 300}, []),
        ({1: 90, 2: 10}, []),
        ({}, []),
    ],
)
def test_families_of_single_reads(sizes: dict[int, int], found: list[str]) -> None:
    assert codes(marker(), family_sizes=sizes) == found


@pytest.mark.parametrize(
    ("length", "found"), [(60, ["short_fragments"]), (80, []), (None, [])]
)
def test_short_fragments(length: int | None, found: list[str]) -> None:
    library = Library(read_length=50, fragment_length=length)
    assert codes(marker(), library=library) == found


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"ambiguous": 1021, "molecules": 2041}, ["mostly_ambiguous"]),
        ({"ambiguous": 1020, "molecules": 2040}, []),
        ({"alt": 0, "ref": 0, "ambiguous": 9, "molecules": 9}, []),
        ({"alt": 0, "ref": 0, "ambiguous": 10, "molecules": 10}, ["mostly_ambiguous"]),
        ({"ambiguous": 3000, "molecules": 4020, "error_class": "junction"}, []),
        ({"other": 1021, "molecules": 2041}, ["mostly_other_alleles"]),
        ({"other": 1020, "molecules": 2040}, []),
        ({"alt": 0, "ref": 0, "other": 9, "molecules": 9}, []),
        ({"alt": 0, "ref": 0, "other": 10, "molecules": 10}, ["mostly_other_alleles"]),
    ],
)
def test_most_molecules_of_one_class(told: dict[str, Any], found: list[str]) -> None:
    assert codes(marker(**told)) == found


def test_related_clonotypes_are_told() -> None:
    assert codes(marker(related=1), marker(marker="b", related=0)) == [
        "related_clonotypes"
    ]
