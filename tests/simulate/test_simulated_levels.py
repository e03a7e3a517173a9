"""Simulated series through `quantify`: the levels asked for lie in the intervals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mrdtrack.commands.quantify import QuantifyRequest, quantify
from mrdtrack.commands.simulate import SimulateRequest, simulate
from mrdtrack.lab.simulate_reference import InventedReference
from mrdtrack.panel.model import SCHEMA, Panel
from mrdtrack.panel.writer import panel_text

pytestmark = pytest.mark.whole_samples

REFERENCE = InventedReference({"c1": 3000, "c2": 3000, "c3": 3000}, seed=17)
LEVELS = (0.3, 0.05, 0.01, 0.002)
REPLICATES = 12


def panel() -> Panel:
    ref = REFERENCE.fetch("c1", 1499, 1500)
    base = REFERENCE.fetch("c3", 1499, 1500)
    return Panel.model_validate(
        {
            "schema": SCHEMA,
            "patient": "P",
            "marker": [
                {"id": "snv", "kind": "small_variant", "contig": "c1",
                 "position": 1500, "ref": ref, "alt": "A" if ref != "A" else "C"},
                {"id": "itd", "kind": "duplication", "contig": "c2",
                 "start": 1480, "end": 1525},
                {"id": "insertion", "kind": "small_variant", "contig": "c3",
                 "position": 1500, "ref": base, "alt": f"{base}TCTG"},
            ],
        }
    )  # fmt: skip


def test_every_simulated_level_is_recovered_within_its_interval(
    tmp_path: Path,
) -> None:
    """Intervals are of 95 %: of 144, at least 130 cover in all but 1 of 1,000 cases."""
    files: dict[str, Any] = {
        "panel": tmp_path / "panel.toml",
        "reference": tmp_path / "reference.fa",
    }
    files["panel"].write_text(panel_text(panel()), encoding="utf-8")
    REFERENCE.write(files["reference"])
    truth = simulate(
        SimulateRequest(
            **files,
            output=tmp_path / "reads",
            levels=LEVELS,
            replicates=REPLICATES,
            assay="merged-amplicon",
            depth=1200,
        )
    )
    asked = {(row.sample, row.marker): row.fraction for row in truth}
    results = quantify(
        QuantifyRequest(
            **files,
            reads=tuple(sorted((tmp_path / "reads").glob("*.bam"))),
            output=tmp_path / "results",
            quiet=True,
        )
    )
    assert len(results) == len(LEVELS) * REPLICATES
    n_covered, n_all = 0, 0
    drift: dict[float, list[float]] = {level: [] for level in LEVELS}
    for result in results:
        for marker in result.markers:
            level = asked[result.sample, marker.marker]
            assert marker.fraction is not None
            low, high = marker.fraction_low or 0.0, marker.fraction_high or 0.0
            n_covered += low <= level <= high
            n_all += 1
            drift[level].append(marker.fraction)
    assert n_all == 144
    assert n_covered >= 130
    for level, found in drift.items():
        error = 4 * (level * (1 - level) / (1200 * len(found))) ** 0.5
        assert abs(sum(found) / len(found) - level) < error
