"""Non-marker sites, their classes, and the rates they tell."""

from __future__ import annotations

import numpy as np
import pytest

from mrdtrack.counts import BackgroundSites
from mrdtrack.levels.background_model import MarkerKey, assumed_class, level_background
from mrdtrack.levels.controls import Controls, MarkerControls
from mrdtrack.levels.error_rates import UNSEEN_SHIFT, class_rates, transient_spread
from mrdtrack.levels.memo import Memo
from mrdtrack.levels.neighbours import (
    NO_SITES,
    ClassSites,
    SiteCounts,
    joined_sites,
    share_of,
    site_counts,
    sites_for,
    wider_classes,
    without_variants,
)
from tests.levels.made_samples import made_sites


def sites(name: str, **classes: tuple[int, int, int]) -> SiteCounts:
    parts = [
        made_sites([alt] * size, n, key.replace("_", ":"))
        for key, (size, alt, n) in classes.items()
    ]
    return site_counts(name, together(*parts))


def together(*parts: BackgroundSites) -> BackgroundSites:
    return BackgroundSites.of(site for part in parts for site in part)


def test_wider_classes() -> None:
    assert wider_classes("A[C>T]G") == ("C>T", "substitution")
    assert wider_classes("del1:h8") == ("del1:h8~1", "del1:h8<")
    assert wider_classes("substitution") == ("substitution", "any")
    assert wider_classes("junction") == ()


@pytest.mark.parametrize(
    ("error_class", "wider", "share"),
    [
        ("A[C>T]G", "C>T", 1.0),
        ("A[C>G]G", "C>T", 0.0),
        ("A[C>G]G", "substitution", 1.0),
        ("del1:h4", "substitution", 0.0),
        ("del1:h4", "del1:h5~1", 1.0),
        ("del1:h3", "del1:h5~1", 0.0),
        ("ins1:h5", "del1:h5~1", 0.0),
        ("A[C>T]G", "del1:h5~1", 0.0),
        ("del1:h3", "del1:h5<", 2.5**-2),
        ("del1:h6", "del1:h5<", 0.0),
        ("junction", "any", 0.0),
        ("odd", "any", 1.0),
    ],
)
def test_what_counts_for_a_wider_class(
    error_class: str, wider: str, share: float
) -> None:
    assert share_of(error_class, wider) == pytest.approx(share)


def test_few_sites_fall_back_on_the_wider_class() -> None:
    five = made_sites([0] * 5, 1000)
    forty = made_sites([0] * 40, 1000, "T[C>T]G", start=100)
    few, both = site_counts("s", five), site_counts("s", together(five, forty))
    assert sites_for("A[C>T]G", [both])[0] == "C>T"
    assert sites_for("A[C>T]G", [few])[0] == "A[C>T]G"
    assert sites_for("T[C>T]G", [both])[0] == "T[C>T]G"
    assert len(sites_for("A[C>T]G", [both])[1].alt) == 45


def test_long_runs_are_judged_by_shorter_ones() -> None:
    held = sites("s", del1_h2=(200, 0, 2000), del1_h4=(5, 0, 2000))
    name, found = sites_for("del1:h8", [held])
    assert name == "del1:h8<"
    expected = 200 * 2000 * 2.5**-6 + 5 * 2000 * 2.5**-4
    assert found.molecules.sum() == pytest.approx(expected)


def test_shorter_runs_of_few_molecules_tell_nothing_of_long_ones() -> None:
    held = sites("s", del1_h2=(90, 0, 40))
    name, found = sites_for("del1:h9", [held])
    assert name == "del1:h9"
    assert len(found.alt) == 0


def test_each_copy_of_a_repeat_unit_counts_once() -> None:
    assert share_of("del7:h7", "del7:h21<") == pytest.approx(2.5**-2)
    assert share_of("del7:h21", "del7:h7<") == 0.0


def test_sites_of_sample_and_controls_stand_side_by_side() -> None:
    own = made_sites([1, 0, 2], 900, start=5)
    control = together(made_sites([3, 4], 800, start=7), made_sites([9], 10, "x"))
    columns = [site_counts("s", own), NO_SITES, site_counts("c", control)]
    found = joined_sites({"A[C>T]G": 0.5, "y": 1.0}, columns)
    assert found.alt.tolist() == [[1, 0, 0], [0, 0, 0], [2, 0, 3], [0, 0, 4]]
    seen = [[450, 0, 0], [450, 0, 0], [450, 0, 400], [0, 0, 400]]
    assert found.molecules.tolist() == seen


def test_variants_are_no_errors() -> None:
    alt = np.array([[0, 1], [500, 480], [0, 300], [2, 0], [0, 0]], dtype=float)
    molecules = np.array([[1000, 900], [1000, 900], [900, 600], [20, 9], [0, 0]], float)
    found = without_variants(ClassSites(alt, molecules))
    assert found.alt.tolist() == [[0, 1], [0, 0], [2, 0]]
    assert found.molecules.tolist() == [[1000, 900], [900, 0], [20, 9]]


def test_tau_is_found_again() -> None:
    rng = np.random.default_rng(7)
    for tau in (0.2, 0.8):
        rate = 20 * np.exp(rng.normal(0, 0.5, 400))[:, None]
        rate = rate * rng.gamma(1 / tau**2, tau**2, (400, 11))
        made = ClassSites(rng.poisson(rate).astype(float), np.full((400, 11), 1e5))
        assert transient_spread([made], 10) == pytest.approx(tau, rel=0.15)
    assert transient_spread([], 0) == 0.1
    assert transient_spread([], 3) == pytest.approx(0.3)


def test_class_mean_of_a_damaged_run_is_the_samples_own() -> None:
    rng = np.random.default_rng(1)
    control = rng.poisson(1.0, (200, 5)).astype(float)
    sample = rng.poisson(5.0, (200, 1)).astype(float)
    made = ClassSites(np.concatenate([sample, control], 1), np.full((200, 6), 1e5))
    found = class_rates(made, 0.3)
    assert found.mean == pytest.approx(5e-5, rel=0.1)
    assert found.control_mean == pytest.approx([1e-5] * 5, rel=0.3)


def test_assumed_rates_are_never_zero_and_grow_with_runs() -> None:
    assert assumed_class("junction", "umi").mean == 1e-6
    short, long = (assumed_class(f"del1:h{h}", "fragments").mean for h in (2, 20))
    assert 0 < short < long <= 0.05
    assert assumed_class("x", "reads").mean > assumed_class("x", "umi").mean


def test_controls_alone_tell_a_markers_rate() -> None:
    told = Controls(
        names=("a", "b"),
        sites=(NO_SITES, NO_SITES),
        markers={"m": MarkerControls(np.array([9.0, 11.0]), np.array([1e5, 1e5]))},
    )
    key = MarkerKey("m", "x")
    found = level_background([key], "umi", NO_SITES, told)
    mean = float((found.mixture.weight * found.mixture.rate).sum())
    assert mean == pytest.approx(1e-4, rel=0.3)
    assert found.assumed == (False,)
    bare = level_background([key], "umi", NO_SITES, Controls())
    assert bare.assumed == (True,)


def without_sites(alt: list[int], molecules: float) -> Controls:
    """Three controls of markers m0, m1, ... about whose sites nothing is known."""
    return Controls(
        names=("a", "b", "c"),
        sites=(NO_SITES,) * 3,
        markers={
            f"m{i}": MarkerControls(np.full(3, float(k)), np.full(3, molecules))
            for i, k in enumerate(alt)
        },
    )


def test_markers_share_the_shift_of_controls_without_sites() -> None:
    held = sites("s", x=(100, 50, 100_000), y=(100, 50, 100_000))
    keys = [MarkerKey(f"m{i}", "xy"[i % 2]) for i in range(6)]
    damaged = level_background(keys, "umi", held, without_sites([10] * 6, 1e5))
    alike = level_background(keys, "umi", held, without_sites([50] * 6, 1e5))
    assert damaged.mixture.class_of.tolist() == [0] * 6
    for found, most in ((damaged, 0.35), (alike, 0.25)):
        mixture = found.mixture
        mean = (mixture.weight * mixture.rate).sum(axis=1)
        assert mean == pytest.approx([5e-4] * 6, rel=most)
    rates = [b.mixture.nodes[0] @ UNSEEN_SHIFT for b in (damaged, alike)]
    assert rates[0] == pytest.approx(np.log(0.2), abs=0.25)
    assert rates[1] == pytest.approx(0.0, abs=0.15)


def test_each_control_counts_by_what_it_shows_of_a_rare_class() -> None:
    """No half molecule is added for each control: it would outweigh rare errors."""
    alt = np.zeros((100, 11))
    alt[:11, :] = np.eye(11)
    found = class_rates(ClassSites(alt, np.full((100, 11), 1e5)), 0.3)
    assert found.control_mean.sum() == pytest.approx(10 * 1e-7, rel=0.06)


def test_a_declared_rate_is_added_with_its_spread() -> None:
    held = sites("s", x=(100, 1, 100_000))
    plain, more = (
        level_background([MarkerKey("m", "x", d)], "umi", held, Controls())
        for d in (0.0, 1e-4)
    )
    means = [float((b.mixture.weight * b.mixture.rate).sum()) for b in (plain, more)]
    assert means[1] - means[0] == pytest.approx(1e-4, rel=1e-6)


def test_a_full_memo_forgets_what_was_not_asked_for_longest() -> None:
    memo = Memo(largest=2)
    made = []
    for key in (1, 2, 1, 3, 1, 2):
        memo.get(key, lambda: made.append(key))  # noqa: B023  (called at once)
    assert made == [1, 2, 3, 2]
