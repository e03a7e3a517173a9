"""From reads to the report: a swapped sample is set aside, and accepted by name."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mrdtrack.commands.quantify import QuantifyRequest, quantify
from mrdtrack.commands.timeline import TimelineRequest, timeline
from mrdtrack.panel.writer import panel_text
from tests.counting.builders import (
    GENOME,
    Read,
    make_panel,
    snv,
    unlike,
    wild,
    write_reads,
    write_reference,
)

ONE = GENOME["chr1"]
AT = 100
PLACES = range(160, 1900, 60)
DEPTH = 60


def identity(at: int) -> dict[str, object]:
    return {
        "contig": "chr1",
        "position": at + 1,
        "ref": ONE[at],
        "alt": unlike(ONE[at]),
    }


def genotypes(seed: int) -> dict[int, int]:
    rng = np.random.default_rng(seed)
    return {at: int(rng.binomial(2, 0.5)) for at in PLACES}


def reads_of(person: dict[int, int], n_alt: int, seed: int) -> list[Read]:
    rng = np.random.default_rng(seed)
    reads = [
        wild(f"m{i}", AT - 40, AT + 40, {AT: unlike(ONE[AT])} if i < n_alt else {})
        for i in range(DEPTH)
    ]
    for at, genotype in person.items():
        for i in range(DEPTH):
            own = {at: unlike(ONE[at])} if rng.random() < genotype / 2 else {}
            reads.append(wild(f"{at}.{i}", at - 30, at + 25, own))
    return reads


@pytest.fixture
def results(tmp_path: Path) -> list[Path]:
    """Quantify two samples of one person, and one of another between them."""
    panel = tmp_path / "panel.toml"
    panel.write_text(
        panel_text(make_panel(snv(AT), identity=[identity(at) for at in PLACES]))
    )
    patient, stranger = genotypes(1), genotypes(2)
    for number, (person, n_alt) in enumerate(
        [(patient, 20), (stranger, 0), (patient, 1)]
    ):
        reads = write_reads(
            tmp_path / f"S{number}.bam", reads_of(person, n_alt, number)
        )
        quantify(
            QuantifyRequest(
                panel=panel,
                reads=(reads,),
                output=tmp_path,
                reference=write_reference(tmp_path / "reference.fa"),
                date=f"2026-0{number + 1}-01",
                specimen="bone_marrow",
                quiet=True,
            )
        )
    return sorted(tmp_path.glob("*.mrd.json"))


def report(results: list[Path], folder: str, *accepted: str) -> tuple[str, str]:
    output = results[0].parent / folder
    timeline(
        TimelineRequest(
            results=results, output=output, accept_identity=accepted, quiet=True
        )
    )
    (held,), (page,) = output.glob("*.json"), output.glob("*.html")
    return held.read_text(), page.read_text()


def test_a_swapped_sample_is_set_aside_until_it_is_accepted(
    results: list[Path],
) -> None:
    held, page = report(results, "refused")
    told = json.loads(held)
    assert [c["verdict"] for c in told["identity"]] == ["other_person", "same_person"]
    assert [v["call"] == "not_evaluable" for v in told["visits"]] == [
        False,
        True,
        False,
    ]
    assert "S1, error: the germline alleles are another person" in page
    held, page = report(results, "accepted", "S1")
    told = json.loads(held)
    assert told["visits"][1]["call"] != "not_evaluable"
    assert "S1 failed its identity check and was accepted by name" in page


def test_results_hold_counts_at_these_positions_only(results: list[Path]) -> None:
    for path in results:
        told = json.loads(path.read_text())
        panel = [h for h in told["identity"] if h["source"] == "panel"]
        assert [h["position"] for h in panel] == [at + 1 for at in PLACES]
        for held in panel:
            assert held["genotype"] is None
            assert held["ref_molecules"] + held["alt_molecules"] == DEPTH
        assert quantified_twice(path)


def quantified_twice(path: Path) -> bool:
    """The same reads give the same bytes."""
    folder = path.parent
    name = path.name.removesuffix(".mrd.json")
    before = json.loads(path.read_text())
    quantify(
        QuantifyRequest(
            panel=folder / "panel.toml",
            reads=(folder / f"{name}.bam",),
            output=folder / "again",
            reference=folder / "reference.fa",
            date=before["date"],
            specimen="bone_marrow",
            quiet=True,
            force=True,
            threads=2,
        )
    )
    return (folder / "again" / path.name).read_bytes() == path.read_bytes()
