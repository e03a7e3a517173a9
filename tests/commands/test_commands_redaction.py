"""`--redact`: no name from the reads, no free text, no host, no allele unasked for."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from mrdtrack.commands.quantify import QuantifyRequest, quantify
from mrdtrack.commands.timeline import TimelineRequest, timeline
from mrdtrack.panel.writer import panel_text
from tests.counting.builders import (
    GENOME,
    make_panel,
    snv,
    unlike,
    wild,
    write_reads,
    write_reference,
)
from tests.follow_up.follow_up_builders import simple_visit

AT, GERMLINE, ASKED = 300, 330, 345
PERSON = "Jane-Doe"


def place(at: int) -> dict[str, object]:
    ref = GENOME["chr1"][at]
    return {"contig": "chr1", "position": at + 1, "ref": ref, "alt": unlike(ref)}


def request(folder: Path, **more: Any) -> QuantifyRequest:
    """Quantify a file named for a person, who has two germline alleles."""
    home = folder / PERSON
    home.mkdir(exist_ok=True)
    reads = [
        wild(
            f"r{i}",
            250,
            350,
            {
                at: unlike(GENOME["chr1"][at])
                for at, k in ((AT, 9), (GERMLINE, 2), (ASKED, 1))
                if i % k == 0
            },
        )
        for i in range(60)
    ]
    panel = folder / "panel.toml"
    panel.write_text(panel_text(make_panel(snv(AT), identity=[place(ASKED)])))
    named = write_reads(
        home / f"{PERSON}.bam", reads, lines=[f"@RG\tID:1\tSM:{PERSON}"]
    )
    fields = {
        "panel": panel,
        "reads": (named,),
        "output": folder / "out",
        "reference": write_reference(folder / "reference.fa"),
        "quiet": True,
        "redact": True,
        "date": "2026-11-01",
        "timepoint": f"after the visit of {PERSON}",
        **more,
    }
    return QuantifyRequest(**fields)


def everything(folder: Path) -> str:
    return "".join(p.name + p.read_text() for p in sorted(folder.iterdir()))


def test_nothing_tells_the_name(tmp_path: Path) -> None:
    (result,) = quantify(request(tmp_path))
    told = everything(tmp_path / "out")
    assert PERSON not in told
    assert str(tmp_path) not in told
    run = json.loads((tmp_path / "out" / "P1-2026-11-01.provenance.json").read_text())
    assert (run["host"], run["folder"]) == ("", "")
    assert [one["path"] for one in run["inputs"]] == [
        "input-1.toml",
        "input-2.bam",
        "input-3.fa",
    ]
    assert all(one["sha256"] for one in run["inputs"])
    assert result.sample == "P1-2026-11-01"
    assert result.timepoint is None


def test_without_it_they_are_there(tmp_path: Path) -> None:
    (result,) = quantify(request(tmp_path, redact=False))
    told = everything(tmp_path / "out")
    assert PERSON in told
    assert socket.gethostname() in told
    assert {held.source for held in result.identity} == {"panel", "reads"}
    assert result.searched


def test_germline_alleles_that_nobody_asked_for_are_left_out(tmp_path: Path) -> None:
    (result,) = quantify(request(tmp_path))
    (held,) = result.identity
    assert (held.position, held.alt_molecules) == (ASKED + 1, 60)
    assert result.searched == ()
    table = (tmp_path / "out" / "P1-2026-11-01.background.tsv").read_text()
    positions = {line.split("\t")[1] for line in table.splitlines()[1:]}
    assert str(GERMLINE + 1) not in positions
    assert str(GERMLINE + 2) in positions


def test_names_and_labels_that_say_nothing_stay(tmp_path: Path) -> None:
    (result,) = quantify(request(tmp_path, sample="S7", timepoint="Diagnosis"))
    assert (result.sample, result.timepoint) == ("S7", "diagnosis")


def test_several_files_are_numbered(tmp_path: Path) -> None:
    asked = request(tmp_path, date=None)
    other = write_reads(tmp_path / "other.bam", [wild("r", 250, 350)])
    results = quantify(
        request(tmp_path, date=None, reads=(*asked.reads, other), redact=True)
    )
    assert [r.sample for r in results] == ["P1-sample-1", "P1-sample-2"]


def test_levels_are_the_same(tmp_path: Path) -> None:
    (plain,) = quantify(request(tmp_path, redact=False))
    (hidden,) = quantify(request(tmp_path, output=tmp_path / "hidden"))
    assert hidden.level == plain.level
    assert hidden.markers == plain.markers


def test_findings_lose_their_names(tmp_path: Path) -> None:
    asked = request(tmp_path, sample="S7")
    lines = [f"@RG\tID:1\tSM:{PERSON}", "@RG\tID:2\tSM:other"]
    mixed = write_reads(tmp_path / "m.bam", [wild("r", 250, 350)], lines=lines)
    (result,) = quantify(
        request(tmp_path, sample="S7", reads=(mixed,), reference=asked.reference)
    )
    (found,) = [f for f in result.quality if f.code == "MIXED_SAMPLES"]
    assert found.message == (
        "the read groups name 2 samples ((left out)): they are counted as one"
    )
    assert PERSON not in everything(tmp_path / "out")


def course(folder: Path, **more: Any) -> TimelineRequest:
    days = ("2020-01-01", "2020-03-01", "2020-05-01")
    paths = []
    for number, (day, alt) in enumerate(zip(days, (9000, 9, 0), strict=True)):
        result = simple_visit(
            f"{PERSON}-{number}", day, alt, timepoint=f"room of {PERSON}"
        )
        paths.append(folder / f"{number}.json")
        paths[-1].write_text(result.model_dump_json(by_alias=True))
    external = folder / "external.csv"
    external.write_text(
        "date,specimen,metric,value,lod,call,method,sample\n"
        f"2020-03-02,bone_marrow,mfc_pct_wbc,0.2,0.01,quantified,{PERSON} lab,x\n"
        f"2020-05-02,bone_marrow,mfc_pct_wbc,0.1,0.01,quantified,{PERSON} lab,y\n"
        f"2020-06-02,bone_marrow,mfc_pct_wbc,0.1,0.01,quantified,,z\n"
    )
    treatments = folder / "treatments.csv"
    treatments.write_text(
        f"start,end,name,kind\n2020-01-02,2020-02-01,{PERSON} 7+3,induction\n"
    )
    fields = {
        "results": paths,
        "output": folder / "out",
        "external": external,
        "treatments": treatments,
        "formats": ("json", "html", "tsv"),
        "redact": True,
        "quiet": True,
        **more,
    }
    return TimelineRequest(**fields)


def test_a_timeline_tells_no_name(tmp_path: Path) -> None:
    told = timeline(course(tmp_path))
    assert PERSON not in everything(tmp_path / "out")
    assert [v.sample for v in told.visits] == [
        "P001-1",
        "P001-2",
        "external-1",
        "P001-3",
        "external-2",
        "external-3",
    ]
    assert {v.method for v in told.visits} == {None, "method 1"}
    assert [t.name for t in told.treatments] == ["induction"]
    assert PERSON in everything_of(course(tmp_path, redact=False, force=True))


def everything_of(asked: TimelineRequest) -> str:
    timeline(asked)
    return everything(asked.output)


@pytest.mark.parametrize("redact", [True, False])
def test_named_samples_are_still_found(tmp_path: Path, *, redact: bool) -> None:
    told = timeline(
        course(
            tmp_path,
            redact=redact,
            baseline=f"{PERSON}-1",
            accept_identity=(f"{PERSON}-1",),
        )
    )
    (baseline,) = [v for v in told.visits if v.baseline and v.source == "mrdtrack"]
    assert baseline.date == "2020-03-01"
