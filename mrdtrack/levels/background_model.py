"""The background of a level's markers: from sites, controls, or said assumptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
)
from mrdtrack.levels.exact_bounds import FloatArray, IntArray
from mrdtrack.levels.negative_binomials import RateMixture
from mrdtrack.levels.neighbours import ClassSites, SiteCounts, sites_for

JUNCTION_RATE = 1e-6
"""Background of a junction without data: chimeras are never impossible."""

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


class Background(NamedTuple):
    """The background of M markers.

    `mixture`: their rates; `tau`: spread of a site between samples; `sites` [M]: how
    many sites of the class were used; `judged_by` [M]: the class they belong to;
    `assumed` [M]: True where neither sites nor controls say anything.
    """

    mixture: RateMixture
    tau: float
    sites: IntArray
    judged_by: tuple[str, ...]
    assumed: tuple[bool, ...]


def assumed_class(error_class: str, mode: MoleculeMode) -> ClassRates:
    """Return what is assumed of a class without data.

    Junctions 1e-6; other classes the usual rate of a substitution in reads, fragments
    or UMI families, wide enough (log-sd 1.2) to hold most panels; long runs of one
    base, where polymerases slip, double with each base beyond four.
    """
    if error_class == "junction":
        return assumed_rates(JUNCTION_RATE, _JUNCTION_LOG_SD)
    rate = _ASSUMED_SUBSTITUTION[mode]
    if error_class.startswith(("ins", "del")) and ":h" in error_class:
        run = int(error_class.split(":h")[1])
        rate = min(rate * 0.5 * 2.0 ** max(run - 4, 0), 0.05)
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
        marker.error_class: sites_for(marker.error_class, samples) for marker in markers
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
        if len(sites.alt)
    }
    found: list[MarkerRate] = []
    for marker in markers:
        name = chosen[marker.error_class][0]
        known = rates.get(name) or assumed_class(marker.error_class, mode)
        alt, molecules = (
            _scaled(values, design_factor) for values in controls.of(marker.marker)
        )
        found.append(marker_rate(known, alt, molecules, tau, marker.declared))
    names = tuple(chosen[marker.error_class][0] for marker in markers)
    return Background(
        mixture=_stacked(found, names, rates),
        tau=tau,
        sites=np.array([len(by_name[name].alt) for name in names], dtype=np.int64),
        judged_by=names,
        assumed=tuple(
            name not in rates and not controls.of(marker.marker).molecules.any()
            for name, marker in zip(names, markers, strict=True)
        ),
    )


def _scaled(values: FloatArray, design_factor: float) -> FloatArray:
    if design_factor == 1.0:
        return values
    result: FloatArray = np.floor(values / design_factor + 0.5)
    return result


def _stacked(
    found: Sequence[MarkerRate],
    names: Sequence[str],
    rates: Mapping[str, ClassRates],
) -> RateMixture:
    """Bring mixtures of different lengths into common arrays, padded by weight 0."""
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
    shared = _shared_classes(names, rates)
    class_of = np.array([shared.index(n) if n in shared else -1 for n in names])
    node_weight = np.zeros((len(shared), nodes))
    for c, name in enumerate(shared):
        members = [m for m, n in zip(found, names, strict=True) if n == name]
        node_weight[c] = _agreed_nodes(rates[name], members)
    return RateMixture(
        weight, rate, shape, class_of.astype(np.int64), node_weight, given
    )


def _shared_classes(names: Sequence[str], rates: Mapping[str, ClassRates]) -> list[str]:
    """Return the classes with data that two markers or more are judged by."""
    return sorted({name for name in names if name in rates and names.count(name) > 1})


def _agreed_nodes(rates: ClassRates, members: Sequence[MarkerRate]) -> FloatArray:
    """Return the posterior of the class node: its sites and all members' controls."""
    prior = np.maximum(rates.weight.sum(axis=1), 1e-300)
    log_node = np.log(prior)
    for member in members:
        log_node = log_node + np.log(np.maximum(member.by_node.sum(axis=1), 1e-300))
        log_node = log_node - np.log(prior)
    node = np.exp(log_node - log_node.max())
    result: FloatArray = node / node.sum()
    return result
