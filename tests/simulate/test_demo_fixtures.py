"""The example patient: rebuilt byte for byte, small, and what its README says."""

from __future__ import annotations

import csv
from pathlib import Path

from mrdtrack.follow_up.facts import read_treatments
from mrdtrack.lab.fixtures import VISITS, build_demo
from mrdtrack.panel.file import read_panel
from mrdtrack.panel.haplotypes import build_haplotypes
from mrdtrack.panel.importers import PanelFacts, import_panel
from mrdtrack.panel.model import Duplication, Sequence
from mrdtrack.panel.reference import Reference

MAX_BYTES = 2_000_000


def test_the_fixtures_are_rebuilt_byte_for_byte(
    repository: Path, tmp_path: Path
) -> None:
    build_demo(tmp_path / "demo")
    kept = repository / "data" / "fixtures" / "demo"
    rebuilt = {p.name: p.read_bytes() for p in (tmp_path / "demo").iterdir()}
    assert rebuilt == {p.name: p.read_bytes() for p in kept.iterdir()}


def test_the_diagnosis_vcf_imports_as_the_panel(repository: Path) -> None:
    folder = repository / "data" / "fixtures" / "demo"
    panel = read_panel(folder / "panel.toml")
    imported = import_panel(
        [folder / "diagnosis.vcf"], facts=PanelFacts("DEMO-AML", "AML", "invented")
    ).panel
    own = [marker.model_copy(update={"note": None}) for marker in panel.marker]
    assert list(imported.marker) == own


def test_the_fixtures_are_small(repository: Path) -> None:
    files = (repository / "data" / "fixtures").rglob("*")
    assert sum(path.stat().st_size for path in files if path.is_file()) < MAX_BYTES


def test_the_example_is_the_patient_it_is_meant_to_be(repository: Path) -> None:
    folder = repository / "data" / "fixtures" / "demo"
    panel = read_panel(folder / "panel.toml")
    itd = next(m for m in panel.marker if isinstance(m, Duplication))
    assert itd.end - itd.start + 1 >= 60
    assert [m.role for m in panel.marker if m.gene == "DNMT3A"] == ["report_only"]
    with Reference(folder / "reference.fa") as reference:
        for marker in panel.marker:
            assert not isinstance(marker, Sequence)
            assert build_haplotypes(marker, reference).alt.bases
    with (folder / "visits.csv").open(encoding="utf-8") as file:
        visits = list(csv.DictReader(file))
    assert len(visits) == len(VISITS) >= 6
    assert {v["specimen"] for v in visits} == {"bone_marrow", "peripheral_blood"}
    assert all((folder / visit["file"]).is_file() for visit in visits)
    assert read_treatments(folder / "treatments.csv")
