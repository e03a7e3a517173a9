"""Classes worked on together are what each of them is alone."""

from __future__ import annotations

import numpy as np
import pytest

from mrdtrack.levels import class_batches as batches
from mrdtrack.levels.negative_binomials import RateMixture, count_table

CLASS_OF = np.array([2, -1, 0, 1, 2, 0, 1, 2, -1, 3, 3])


def drawn_mixture(rng: np.random.Generator) -> RateMixture:
    """Classes of two and three markers, four nodes (some of no weight)."""
    markers, nodes, parts = len(CLASS_OF), 4, 3
    given = rng.dirichlet(np.ones(parts), (markers, nodes))
    prior = rng.dirichlet(np.ones(nodes), 4)
    prior[1, 2], prior[3, :2] = 0.0, 0.0
    return RateMixture(
        weight=given.mean(axis=1),
        rate=rng.gamma(2, 1e-5, (markers, parts)),
        shape=rng.gamma(2, 2, (markers, parts)),
        class_of=CLASS_OF,
        nodes=prior,
        given_node=given,
    )


@pytest.mark.parametrize("most", [1, 200, 1 << 16])
def test_rows_are_the_nodes_of_each_class(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MOST_NUMBERS", most)
    mixture = drawn_mixture(np.random.default_rng(3))
    mean = 1e5 * mixture.rate
    table = count_table(mean, mixture.shape, 30)
    found = []
    for batch in batches.class_batches(mixture, 1e-6, 10):
        rows = batch.given_nodes(mean, mixture.shape, 30)
        assert len(rows) == len(batch.of_row)
        parts = batch.by_class(rows)
        for members, (nodes, of_node) in zip(batch.members, parts, strict=True):
            c = int(CLASS_OF[members[0]])
            assert members.tolist() == np.flatnonzero(c == CLASS_OF).tolist()
            used = np.flatnonzero(mixture.nodes[c] > 1e-6)
            assert nodes.tolist() == mixture.nodes[c, used].tolist()
            for t, row in zip(used, of_node, strict=True):
                weight = mixture.given_node[members, t]
                expected = np.einsum("mg,mgk->mk", weight, table[members])
                assert np.allclose(row, expected, rtol=1e-12, atol=1e-16)
            found.append(c)
        assert {tuple(row) for row in batch.of_row.tolist()} == {
            tuple(of) for of in batch.members.tolist()
        }
    assert sorted(found) == [0, 1, 2, 3]


def test_markers_that_share_nothing_need_no_batch() -> None:
    mixture = drawn_mixture(np.random.default_rng(4))
    alone = mixture._replace(
        class_of=np.full(len(CLASS_OF), -1), nodes=np.zeros((0, 4))
    )
    assert batches.class_batches(alone, 1e-6, 10) == []
