"""Families by gene names, and levels that are told only as far as they are known."""

from __future__ import annotations

import numpy as np
import pytest

from mrdtrack.levels.spike_in_levels import (
    CountedClone,
    clone_level,
    family_names,
    vidjil_family,
)
from mrdtrack.levels.spike_ins import SpikeIn, family_factors


@pytest.mark.parametrize(
    ("genes", "names"),
    [
        ("IGHV3-9*01 7/CCC/1 IGHJ6*02", ["IGHV3", "VH3"]),
        ("IGKV1-5 IGKJ1", ["IGKV1", "VK1"]),
        ("TRGV2 TRGJP1", ["TRGV2", "VGf1", "VG2"]),
        ("TRGV9 TRGJP1", ["TRGV9", "VG9"]),
        ("TRDD2 1/3/15 TRDD3", ["TRDD2", "DD2-dd3", "DD2"]),
        ("TRDD2 TRDJ1", ["TRDD2", "DD2"]),
        ("Intron KDE", []),
    ],
)
def test_families_of_genes(genes: str, names: list[str]) -> None:
    assert list(family_names(genes)) == names


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("IGHV3-9*01 IGHJ6", "VH3"),
        ("TRGV4*01 TRGJP1", "VGf1"),
        ("TRDD2 TRDD3", "DD2-dd3"),
        ("IGKV4-1*01", "UNI"),
        ("IGHV7-4", "UNI"),
        ("label IGHV3-9", "UNI"),
        ("TRBV5", "UNI"),
    ],
)
def test_vidjils_families_are_those_its_script_knows(name: str, family: str) -> None:
    known = {"UNI": 1.0, "VH3": 1.0, "VGf1": 1.0, "DD2-dd3": 1.0, "VK4": 1.0}
    assert vidjil_family(name, known) == family


def test_a_limit_is_that_of_the_copies_where_reads_are_plenty() -> None:
    factors = family_factors([SpikeIn("VH3", 200, 4000)])
    clone = CountedClone(name="a", reads=0, genes="IGHV3-9")
    level = clone_level(clone, factors, 50_000, 1e-4)
    assert level.lod95 == pytest.approx(-np.log(0.05) / 50_000, rel=1e-6)
    assert level.call == "not_detected"
    poor = clone_level(clone, family_factors([SpikeIn("VH3", 200, 20)]), 50_000, 1e-4)
    assert poor.lod95 == pytest.approx(-np.log(0.05) / 50_000 / -np.expm1(-0.1))
    assert poor.call == "insufficient_sensitivity"
    assert "does not meet 0.0001" in poor.reason


def test_the_limit_is_seen_as_often_as_it_says() -> None:
    """Copies are Poisson, and so are the reads of each: 95 % of tubes show one."""
    rng = np.random.default_rng(8)
    reads_a_copy, cells = 0.4, 20_000
    spike = SpikeIn("VH3", 1000, int(1000 * reads_a_copy))
    level = clone_level(
        CountedClone(name="a", reads=0), family_factors([spike]), cells, 1e-4
    )
    assert level.lod95 is not None
    copies = rng.poisson(level.lod95 * cells, 20_000)
    seen = (rng.poisson(copies * reads_a_copy) > 0).mean()
    assert abs(seen - 0.95) < 0.005


def test_a_tube_of_very_few_cells_has_a_limit_of_one_at_most() -> None:
    factors = family_factors([SpikeIn("VH3", 200, 4000)])
    level = clone_level(CountedClone(name="a", reads=0), factors, 2, 1e-4)
    assert level.lod95 == 1.0


def test_the_told_family_goes_before_the_genes() -> None:
    factors = family_factors([SpikeIn("A", 10, 100), SpikeIn("vh3", 10, 50)])
    told = CountedClone(name="a", reads=10, genes="IGHV3-9", family="A")
    assert clone_level(told, factors, 100, 0.1).copies == pytest.approx(1)
    genes = CountedClone(name="a", reads=10, genes="IGHV3-9")
    assert clone_level(genes, factors, 100, 0.1).family == "vh3"
