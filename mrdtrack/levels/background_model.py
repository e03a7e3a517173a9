"""The background of a level's markers: from sites, controls, or said assumptions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from mrdtrack.counts import MoleculeMode
from mrdtrack.levels.controls import Controls
from mrdtrack.levels.error_rates import (
    ClassRates,
    MarkerRate,
    assumed_rates,
    class_rates,
    marker_rate,
    run_shift,
    transient_spread,
    with_unseen_shift,
)
from mrdtrack.levels.exact_bounds import FloatArray, IntArray
from mrdtrack.levels.memo import Memo
from mrdtrack.levels.negative_binomials import RateMixture
from mrdtrack.levels.neighbours import ClassSites, SiteCounts, sites_for

JUNCTION_RATE = 1e-6
"""Background of a junction without data: chimeras are never impossible."""

UNSEEN = "(controls without sites)"
"""Name of the shift that all markers share where controls have no sites."""

_ASSUMED_SUBSTITUTION: dict[MoleculeMode, float] = {
    "reads": 4e-4,
    "fragments": 2e-4,
    "umi": 2e-5,
    "consensus": 2e-5,
}
_ASSUMED_LOG_SD = 1.2
_JUNCTION_LOG_SD = 0.83


class MarkerKey(NamedTuple):
    """What the background of a marker depends on, its depth apart.

    `declared`: a rate added to it with 100 % spread (bleed-through, carry-over).
    """

    marker: str
    error_class: str
    declared: float = 0.0


class SharedNode(NamedTuple):
    """What markers have in common without its being known: its name and prior [T]."""

    name: str
    prior: FloatArray


class Told(NamedTuple):
    """What is known of one marker's rate, and what it has in common with others."""

    rate: MarkerRate
    node: SharedNode | None


_INDEL = re.compile(r"(?:ins|del)\d{1,3}:h(\d{1,3})(?!\w)", re.ASCII)


class Background(NamedTuple):
    """The background of M markers.

    `mixture`: their rates; `tau`: spread of a site between samples; `sites` [M]: how
    many sites of the class were used; `judged_by` [M]: the class they belong to;
    `assumed` [M]: True where neither sites nor controls say anything;
    `controls_without_sites`: a damaged run cannot be told from a marker's own rate.
    """

    mixture: RateMixture
    tau: float
    sites: IntArray
    judged_by: tuple[str, ...]
    assumed: tuple[bool, ...]
    controls_without_sites: bool = False


def assumed_class(error_class: str, mode: MoleculeMode) -> ClassRates:
    """Return what is assumed of a class without data.

    Junctions 1e-6; other classes the usual rate of a substitution in reads, fragments
    or UMI families, wide enough (log-sd 1.2) to hold most panels; long runs of one
    base, where polymerases slip, double with each base beyond four.
    """
    if error_class == "junction":
        return assumed_rates(JUNCTION_RATE, _JUNCTION_LOG_SD)
    rate = _ASSUMED_SUBSTITUTION[mode]
    indel = _INDEL.match(error_class)
    if indel:
        rate = min(rate * 0.5 * 2.0 ** max(int(indel[1]) - 4, 0), 0.05)
    return assumed_rates(rate, _ASSUMED_LOG_SD)


def level_background(
    markers: Sequence[MarkerKey],
    mode: MoleculeMode,
    own_sites: SiteCounts,
    controls: Controls,
    design_factor: float = 1.0,
) -> Background:
    """Return the background of some markers in one sample.

    `design_factor` turns copies into molecules: all counts are divided by it.
    """
    samples = (own_sites, *controls.sites)
    chosen = {
        error_class: sites_for(error_class, samples)
        for error_class in dict.fromkeys(marker.error_class for marker in markers)
    }
    by_name = {
        name: ClassSites(*(_scaled(values, design_factor) for values in sites))
        for name, sites in chosen.values()
    }
    classes = list(by_name.values())
    tau = transient_spread(classes, len(controls.names))
    shift = run_shift(classes)
    rates = {
        name: class_rates(sites, tau, shift)
        for name, sites in by_name.items()
        if sites.molecules.sum() > 0
    }
    names = [chosen[marker.error_class][0] for marker in markers]
    own = [
        ClassSites(*(_scaled(v, design_factor) for v in controls.of(marker.marker)))
        for marker in markers
    ]

    def told(marker: MarkerKey, counts: ClassSites) -> Told:
        name, _ = chosen[marker.error_class]
        known = rates.get(name) or assumed_class(marker.error_class, mode)
        node = name if name in rates else None
        if node and not len(known.control_mean) and counts.molecules.any():
            known, node = with_unseen_shift(known), UNSEEN
        rate = marker_rate(known, *counts, tau, marker.declared)
        return Told(rate, SharedNode(node, known.weight.sum(axis=1)) if node else None)

    alike = Memo(len(markers))
    of_markers = [
        alike.get(
            (marker.error_class, marker.declared, *map(np.ndarray.tobytes, counts)),
            partial(told, marker, counts),
        )
        for marker, counts in zip(markers, own, strict=True)
    ]
    return Background(
        mixture=_stacked(of_markers),
        tau=tau,
        sites=np.array([len(by_name[name].alt) for name in names], dtype=np.int64),
        judged_by=tuple(names),
        assumed=tuple(
            name not in rates and not counts.molecules.any()
            for name, counts in zip(names, own, strict=True)
        ),
        controls_without_sites=any(
            of_marker.node is not None and of_marker.node.name == UNSEEN
            for of_marker in of_markers
        ),
    )


def _scaled(values: FloatArray, design_factor: float) -> FloatArray:
    if design_factor == 1.0:
        return values
    result: FloatArray = np.floor(values / design_factor + 0.5)
    return result


def _stacked(of_markers: Sequence[Told]) -> RateMixture:
    """Bring mixtures of different lengths into common arrays, padded by weight 0."""
    found = [of_marker.rate for of_marker in of_markers]
    size = max(len(marker.weight) for marker in found)
    nodes = max(marker.by_node.shape[0] for marker in found)
    count = len(found)
    weight = np.zeros((count, size))
    rate, shape = np.full((count, size), 1e-15), np.ones((count, size))
    given = np.zeros((count, nodes, size))
    for i, marker in enumerate(found):
        used = len(marker.weight)
        weight[i, :used] = marker.weight
        rate[i, :used], shape[i, :used] = marker.rate, marker.shape
        node = marker.by_node.sum(axis=1, keepdims=True)
        rows = marker.by_node / np.maximum(node, 1e-300)
        given[i, : len(rows), :used] = rows
    members = _members([of_marker.node for of_marker in of_markers])
    class_of = np.full(count, -1, dtype=np.int64)
    node_weight = np.zeros((len(members), nodes))
    for c, (prior, places) in enumerate(members):
        class_of[places] = c
        node = _agreed_nodes(prior, [found[place] for place in places])
        node_weight[c, : len(node)] = node
        weight[places] = np.einsum("t,mtg->mg", node_weight[c], given[places])
    return RateMixture(weight, rate, shape, class_of, node_weight, given)


def _members(
    shared: Sequence[SharedNode | None],
) -> list[tuple[FloatArray, list[int]]]:
    """Return prior and markers (their places) of each node that two or more share."""
    found: dict[str, tuple[FloatArray, list[int]]] = {}
    for place, node in enumerate(shared):
        if node is not None:
            found.setdefault(node.name, (node.prior, []))[1].append(place)
    return [found[name] for name in sorted(found) if len(found[name][1]) > 1]


def _agreed_nodes(prior: FloatArray, members: Sequence[MarkerRate]) -> FloatArray:
    """Return the posterior of a shared node: its prior and all members' controls."""
    prior = np.maximum(prior, 1e-300)
    log_node = np.log(prior)
    for member in members:
        log_node = log_node + np.log(np.maximum(member.by_node.sum(axis=1), 1e-300))
        log_node = log_node - np.log(prior)
    weight = np.exp(log_node - log_node.max())
    result: FloatArray = weight / weight.sum()
    return result
