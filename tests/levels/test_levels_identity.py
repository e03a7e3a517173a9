"""Identity: one person, siblings, strangers and mixtures are told apart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks import identity_study as study
from mrdtrack.counts import IdentityCounts, SearchedStretch
from mrdtrack.levels import identity_model as model
from mrdtrack.levels.identity_donor import judge_chimerism
from mrdtrack.levels.identity_pairs import (
    UNSEEN_DEPTH,
    Evidence,
    compare,
    given_genotypes,
    pair_up,
    sample_error,
)
from mrdtrack.levels.identity_sex import y_chromosome
from mrdtrack.levels.identity_verdict import judge, profile_share

TRIALS = 300


def shares_of(name: str, n: int, depth: int = 30) -> dict[str, float]:
    (family,) = [f for f in study.FAMILIES if f.name == name]
    rng = np.random.default_rng((7, n))
    first, second = study.simulate(family, n, depth, TRIALS, rng)
    return study.verdict_shares(study.weigh_by_table(first, second, depth))


@pytest.mark.parametrize("n", study.POSITIONS)
@pytest.mark.parametrize("family", study.FAMILIES, ids=lambda f: f.name)
def test_nobody_is_taken_for_another(family: study.Family, n: int) -> None:
    shares = shares_of(family.name, n)
    if family.share == 1.0:
        accepted = shares["same"] + shares["contaminated"]
        assert accepted == 0 or (family.other == "sibling" and accepted < 0.005)
    else:
        assert shares["other"] == 0


def test_fifty_positions_decide() -> None:
    assert shares_of("same person", 50)["same"] == 1
    assert shares_of("stranger", 50)["other"] == 1
    assert shares_of("sibling", 50)["other"] > 0.97
    assert shares_of("same person, 20 % of another", 50)["contaminated"] > 0.99


def test_one_percent_is_found_where_molecules_tell() -> None:
    family = study.Family(name="", share=0.01)
    rng = np.random.default_rng(3)
    for n, depth in ((200, 100), (50, 1000)):
        first, second = study.simulate(family, n, depth, 10, rng)
        told = study.weigh_directly(first, second, depth)
        assert study.verdict_shares(told)["contaminated"] == 1
    first, second = study.simulate(family, 20, 30, 20, rng)
    told = study.weigh_directly(first, second, 30)
    assert study.verdict_shares(told)["contaminated"] < 0.5


def test_the_table_and_the_direct_way_agree() -> None:
    rng = np.random.default_rng(11)
    first, second = study.simulate(study.Family(name="", share=0.2), 12, 30, 3, rng)
    by_table = study.weigh_by_table(first, second, 30)
    assert by_table == pytest.approx(study.weigh_directly(first, second, 30))


@pytest.mark.parametrize("joint", [model.STRANGERS, model.SIBLINGS])
def test_joint_genotypes_are_probabilities(joint: model.Floats) -> None:
    assert joint.sum(axis=(1, 2)) == pytest.approx(1)
    assert joint == pytest.approx(joint.transpose(0, 2, 1))
    assert (joint > 0).all()


def test_siblings_share_more_than_strangers() -> None:
    same = np.trace(model.SIBLINGS, axis1=1, axis2=2)
    assert (same > np.trace(model.STRANGERS, axis1=1, axis2=2)).all()
    marginal = model.SIBLINGS.sum(axis=2)
    assert marginal == pytest.approx(model.STRANGERS.sum(axis=2))


@given(alt=st.integers(0, 40), extra=st.integers(0, 40))
def test_likelihoods_by_plain_sums(alt: int, extra: int) -> None:
    """One position's stranger column, by scipy's own distributions and loops."""
    total = alt + extra
    seen = model.Alleles(np.array([float(alt)]), np.array([float(total)]), 1e-3)
    told = model.person_likelihoods(seen)[0]

    def plain(mean: float, variance: float) -> float:
        size = mean * (1 - mean) / variance - 1
        shape = stats.betabinom(total, mean * size, (1 - mean) * size)
        return float(shape.pmf(alt))

    for a, altered in enumerate(model.ALTERED):
        for g, mean in enumerate((1e-3, 0.5, 1 - 1e-3)):
            noisy = (model.NOISE, 0.5, 1 - model.NOISE)[g]
            wanted = 0.0
            for share, m in ((1 - model.NOISY, mean), (model.NOISY, noisy)):
                wrong = min(m, 1 - m) ** 2
                if g == 1:
                    one = plain(0.5, model.BALANCE_SD**2)
                    one = (1 - altered) * one + altered * plain(0.5, 0.125)
                else:
                    one = plain(m, wrong)
                wanted += share * one
            assert told[a, g] == pytest.approx(wanted, rel=1e-6, abs=1e-300)


def test_likelihoods_stay_finite_at_great_depth() -> None:
    first = model.Alleles(np.array([0.0, 50_000.0, 25_000]), np.full(3, 5e4), 1e-4)
    second = model.Alleles(np.array([50_000.0, 0.0, 0.0]), np.full(3, 5e4), 1e-4)
    told = model.site_likelihoods(first, second, model.OUTLIERS_PANEL)
    assert np.isfinite(told).all()


def test_errors_are_learnt() -> None:
    assert model.error_rate(0, 0) == pytest.approx(
        model.ERROR_FACTOR * model.ASSUMED_ERROR
    )
    assert model.error_rate(2000, 100_000) > model.error_rate(200, 100_000)
    assert model.error_rate(0, 10**7) < 1e-5
    assert sample_error([allele(1, ref=900, other=100)]) > 0.02


def allele(
    position: int,
    alt: int = 0,
    ref: int = 0,
    *,
    contig: str = "chr1",
    source: str = "panel",
    other: int = 0,
    genotype: str | None = None,
) -> IdentityCounts:
    return IdentityCounts.model_validate(
        {
            "contig": contig,
            "position": position,
            "ref": "A",
            "alt": "G",
            "genotype": genotype,
            "ref_molecules": ref,
            "alt_molecules": alt,
            "other_molecules": other,
            "source": source,
        }
    )


def person(genotypes: str, depth: int = 200, source: str = "panel") -> Evidence:
    """Write genotypes as 0, 1, 2."""
    return Evidence(
        tuple(
            allele(i, alt=depth * int(g) // 2, ref=depth - depth * int(g) // 2)
            if source == "panel"
            else allele(
                i,
                alt=depth * int(g) // 2,
                ref=depth - depth * int(g) // 2,
                source=source,
            )
            for i, g in enumerate(genotypes, 1)
            if source == "panel" or g != "0"
        ),
        (SearchedStretch(contig="chr1", start=1, end=500, molecules=depth),),
    )


HIM = "0121102011210012012101120"
HER = "1010212100021210121012012"


def test_same_and_other() -> None:
    assert compare(person(HIM), person(HIM)).judged.verdict == "same_person"
    other = compare(person(HIM), person(HER))
    assert other.judged.verdict == "other_person"
    assert not other.judged.related
    assert other.n_positions == len(HIM)


def test_nothing_shared_is_undecided() -> None:
    empty = Evidence(())
    found = compare(empty, person(HIM))
    assert (found.n_positions, found.judged.verdict) == (0, "undecided")
    assert found.judged.log10_ratio == pytest.approx(0, abs=0.02)


def test_positions_found_in_the_reads_tell_too() -> None:
    many, others = "12" * 30, "0102" * 15
    first = person(many, source="reads")
    assert compare(first, person(many, source="reads")).judged.verdict == "same_person"
    other = compare(first, person(others, source="reads"))
    assert other.judged.verdict == "other_person"
    unsearched = person(others, source="reads")._replace(searched=())
    assert pair_up(first, unsearched).n_positions < 60
    thin = (SearchedStretch(contig="chr1", start=1, end=500, molecules=5),)
    few = person(others, source="reads")._replace(searched=thin)
    assert pair_up(first, few).n_positions == pair_up(first, unsearched).n_positions
    assert float(
        pair_up(first, person(others, source="reads")).found[1].total.min()
    ) == (UNSEEN_DEPTH)


def test_mutations_that_went_are_no_other_person() -> None:
    """Ten hypermutated positions of the clone, all gone in remission."""
    first = person("1" * 10, source="reads")
    gone = Evidence((), first.searched)
    assert compare(first, gone).judged.verdict != "other_person"
    homozygous = person("2" * 10, source="reads")
    assert compare(homozygous, gone).judged.verdict == "other_person"


def test_genotypes_of_the_panel_stand_for_the_patient() -> None:
    code = {"0": "0/0", "1": "0/1", "2": "1/1"}
    written = [allele(i, ref=7, genotype=code[g]) for i, g in enumerate(HIM, 1)] + [
        allele(99, ref=10)
    ]
    known = given_genotypes(written)
    assert len(known.alleles) == len(HIM)
    assert compare(known, person(HIM)).judged.verdict == "same_person"
    assert compare(known, person(HER)).judged.verdict == "other_person"


def test_y_does_not_count_among_the_alleles() -> None:
    males = [allele(1, ref=100, contig="chrY"), allele(2, ref=100)]
    assert pair_up(Evidence(males), Evidence(males)).n_positions == 1


@pytest.mark.parametrize(
    ("on_y", "elsewhere", "told"),
    [
        ([50, 40], [100, 100], "present"),
        ([0], [100], "absent"),
        ([5], [100], None),
        ([0], [10], None),
        ([], [100], None),
        ([100], [], None),
    ],
)
def test_y_is_there_or_not(
    on_y: list[int], elsewhere: list[int], told: str | None
) -> None:
    alleles = [allele(i, ref=d, contig="Y") for i, d in enumerate(on_y)]
    alleles += [allele(i, ref=d) for i, d in enumerate(elsewhere)]
    alleles += [allele(7, ref=10**6, source="reads")]
    assert y_chromosome(alleles) == told


def mixed(parts: dict[str, float], depth: int = 1000) -> Evidence:
    told = []
    for i in range(len(HIM)):
        share = sum(w * int(g[i]) / 2 for g, w in parts.items())
        alt = round(depth * share)
        told.append(allele(i + 1, alt=alt, ref=depth - alt))
    return Evidence(told)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.4, 0.9, 1.0])
def test_chimerism_with_a_donor(share: float) -> None:
    sample = mixed({HIM: 1 - share, HER: share})
    found = judge_chimerism(person(HIM), person(HER), sample)
    assert found.fits
    assert not found.is_other
    assert found.shows_donor == (share > 0)
    assert found.share.low <= share <= found.share.high
    assert found.n_positions == len(HIM)


def test_a_third_person_is_neither_patient_nor_donor() -> None:
    third = "2201020112100210210020211"
    found = judge_chimerism(person(HIM), person(HER), mixed({third: 1.0}))
    assert found.is_other


def test_a_profile_is_read_between_its_points() -> None:
    shares = np.array([0.0, 0.1, 0.2, 0.3])
    found = profile_share(shares, np.array([-3.92, 0.0, -3.84, -9.0]))
    assert found.value == 0.1
    assert found.low == pytest.approx(0.1 * (1 - 1.92 / 3.92))
    assert found.high == pytest.approx(0.15)
    flat = profile_share(shares, np.zeros(4))
    assert flat.low == 0
    assert flat.high == pytest.approx(0.3)


def test_an_interval_holds_the_share() -> None:
    found = compare(person(HIM, 2000), mixed({HIM: 0.95, HER: 0.05}, 2000)).judged
    assert found.verdict == "contaminated"
    assert found.share.low <= 0.05 <= found.share.high
    assert found.share.high - found.share.low < 0.03


def test_half_another_person_is_not_accepted() -> None:
    found = compare(person(HIM), mixed({HIM: 0.3, HER: 0.7})).judged
    assert found.verdict in {"undecided", "other_person"}


def test_a_ratio_weighs_all_hypotheses() -> None:
    told = np.full(model.N_COLUMNS, -50.0)
    told[model.SAME] = 0.0
    found = judge(told)
    assert found.verdict == "same_person"
    assert found.log10_ratio == pytest.approx(
        math.log10(0.9) + 50 / math.log(10), abs=0.1
    )
