"""What an assay can be expected to see, before anything is sequenced."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mrdtrack.levels.background_model import JUNCTION_RATE
from mrdtrack.levels.detection import null_table
from mrdtrack.levels.error_rates import (
    TAU_PRIOR,
    TAU_WITHOUT_CONTROLS,
    assumed_rates,
    marker_rate,
)
from mrdtrack.levels.limits import Sampling, limits
from mrdtrack.levels.negative_binomials import RateMixture
from mrdtrack.levels.result import LimitedBy
from mrdtrack.models import FileModel

SITE_LOG_SD = 0.7
"""Spread of error rates between positions of one class (log scale)."""
USUAL_RATES = {"reads": 4e-4, "umi": 2e-5, "duplex": 5e-7, "junction": JUNCTION_RATE}
MARKER_NUMBERS = (1, 2, 5, 10, 20, 30)
DEPTH_FACTORS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAssay:
    """What is planned: informative molecules a marker, error rate a molecule, DNA."""

    markers: int
    depth: float
    error_rate: float
    controls: int = 0
    input_genomes: float | None = None
    alpha: float = 0.01
    min_molecules: int = 1
    loq_cv: float = 0.3


class PlannedLimit(FileModel):
    """Expected limits of one number of markers at one depth."""

    markers: int
    depth: float
    lob: float
    lod95: float
    loq: float
    limited_by: LimitedBy


def planned_limit(assay: PlannedAssay) -> PlannedLimit:
    """Return the limits of a plan: those of the test with the counts it expects.

    The class mean is taken as known, a marker's own rate as spread around it by 0.7
    (log-sd) and told by as many control counts as are planned.
    """
    tau = TAU_PRIOR if assay.controls else TAU_WITHOUT_CONTROLS
    known = assumed_rates(assay.error_rate, SITE_LOG_SD)
    seen = np.full(assay.controls, assay.depth)
    own = marker_rate(known, seen * assay.error_rate, seen, tau, 0.0)
    size = assay.markers
    mixture = RateMixture(
        weight=np.tile(own.weight, (size, 1)),
        rate=np.tile(own.rate, (size, 1)),
        shape=np.tile(own.shape, (size, 1)),
        class_of=np.full(size, -1, dtype=np.int64),
        nodes=np.zeros((0, 1)),
        given_node=np.tile(own.weight, (size, 1, 1)),
    )
    table = null_table(np.full(size, assay.depth), np.ones(size), mixture, assay.alpha)
    sampling = Sampling(assay.input_genomes, assay.min_molecules, assay.loq_cv)
    found = limits(table, assay.alpha, sampling)
    return PlannedLimit(
        markers=size,
        depth=assay.depth,
        lob=found.lob,
        lod95=found.lod95,
        loq=found.loq,
        limited_by=found.limited_by,
    )
