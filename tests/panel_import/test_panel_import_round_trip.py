"""A panel written as VCF and imported again is the same panel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mrdtrack.lab.simulate_reference import InventedReference
from mrdtrack.levels.result import Level, MarkerResult, Software, VisitResult
from mrdtrack.panel.haplotypes import build_haplotypes
from mrdtrack.panel.importers import import_panel
from mrdtrack.panel.model import SCHEMA, Panel, Sequence
from mrdtrack.reports.vcf import vcf

REFERENCE = InventedReference({"c1": 4000, "c2": 4000}, seed=13)
places = st.integers(500, 3500)
inserted = st.text("ACGT", max_size=6)


@st.composite
def marker_fields(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["small_variant", "duplication", "breakpoint"]))
    name = draw(st.sampled_from(["a", "b_1", "FLT3-ITD 66", "x;y=z%", "é"]))
    start = draw(places)
    if kind == "small_variant":
        ref = REFERENCE.fetch("c1", start - 1, start - 1 + draw(st.integers(1, 60)))
        alt = draw(st.text("ACGT", min_size=1, max_size=60))
        alt = alt + "A" if alt == ref else alt
        return {"id": name, "kind": kind, "contig": "c1", "position": start,
                "ref": ref, "alt": alt}  # fmt: skip
    if kind == "duplication":
        end = start + draw(st.integers(0, 300))
        return {"id": name, "kind": kind, "contig": "c2", "start": start, "end": end,
                "inserted": draw(inserted)}  # fmt: skip
    ends = [
        {"contig": contig, "position": place, "strand": strand}
        for contig, place, strand in (
            ("c1", start, draw(st.sampled_from("+-"))),
            (
                draw(st.sampled_from(["c1", "c2"])),
                draw(places),
                draw(st.sampled_from("+-")),
            ),
        )
    ]
    # A fold-back on one and the same base has two readings with the same ends.
    assume(ends[0] != ends[1])
    return {"id": name, "kind": kind, "left": ends[0], "right": ends[1],
            "inserted": draw(inserted)}  # fmt: skip


def as_vcf(panel: Panel, path: Path) -> Path:
    """Write what `quantify` writes, for a sample in which nothing was counted."""
    results = tuple(
        MarkerResult(
            marker=marker.id,
            kind=marker.kind,
            alt=0,
            ref=0,
            ambiguous=0,
            other=0,
            molecules=0,
            molecule_mode="fragments",
            denominator_kind="molecules_at_locus",
            denominator=0,
            error_class="junction",
            assessable=True,
        )
        for marker in panel.marker
    )
    level = Level(
        metric="vaf_gdna",
        value=None,
        low=None,
        high=None,
        call="not_evaluable",
        p_value=None,
        lob=None,
        lod95=None,
        loq=None,
        required_sensitivity=None,
        input_genomes=None,
        limited_by=None,
        markers_used=0,
    )
    result = VisitResult(
        sample="S",
        patient="P",
        disease="AML",
        assembly=None,
        date=None,
        specimen=None,
        timepoint=None,
        molecule_mode="fragments",
        markers=results,
        level=level,
        quality=(),
        software=Software(version="0"),
    )
    bases = {
        (contig, position): REFERENCE.fetch(contig, position - 1, position)
        for contig in ("c1", "c2")
        for position in range(400, 3900)
    }
    path.write_bytes(vcf(result, panel, bases))
    return path


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(marker_fields())
def test_panel_to_vcf_to_panel(
    tmp_path_factory: pytest.TempPathFactory, fields: dict[str, Any]
) -> None:
    panel = Panel.model_validate({"schema": SCHEMA, "patient": "P", "marker": [fields]})
    path = as_vcf(panel, tmp_path_factory.mktemp("vcf") / "s.vcf")
    before, after = panel.marker[0], import_panel([path]).panel.marker[0]
    assert not isinstance(before, Sequence)
    assert not isinstance(after, Sequence)
    assert after.id == before.id
    expected = build_haplotypes(before, REFERENCE)
    found = build_haplotypes(after, REFERENCE)
    assert found.adjacency == expected.adjacency
    assert found.alt == expected.alt
    assert found.refs == expected.refs
