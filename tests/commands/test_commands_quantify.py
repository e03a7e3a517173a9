"""`quantify`, `panel check`, `panel show` and `warm`: what they write and refuse."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mrdtrack.commands import quantify as command
from mrdtrack.commands import warm as warm_command
from mrdtrack.commands.panel_check import PanelCheckRequest, panel_check
from mrdtrack.commands.panel_show import PanelShowRequest, panel_show
from mrdtrack.commands.quantify import (
    QuantifyRequest,
    counting_filters,
    counting_settings,
    quantify,
)
from mrdtrack.commands.warm import WarmRequest, warm
from mrdtrack.counting.reads_file import ReadsFile
from mrdtrack.errors import (
    AlignmentsError,
    InputError,
    OutputError,
    PanelError,
    ReferenceMismatch,
)
from mrdtrack.panel.writer import panel_text
from tests.counting.builders import (
    GENOME,
    Read,
    bases,
    breakpoint_of,
    duplication,
    make_panel,
    snv,
    unlike,
    variant,
    wild,
    write_reads,
    write_reference,
)

AT = 300
ALT = unlike(GENOME["chr1"][AT])
JOINED = bases("chr1", 1150, 1200) + bases("chr2", 400, 450)
FULL = make_panel(
    {**snv(AT), "gene": "G1", "group": "pair"},
    duplication(800, 821, "GA"),
    breakpoint_of(("chr1", 1200, "+"), ("chr2", 401, "-")),
    {"kind": "sequence", "sequence": JOINED, "locus": "IGH", "role": "report_only"},
)


@pytest.fixture(autouse=True)
def _compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Say that the kernels are compiled, so that stderr does not depend on it."""
    monkeypatch.setattr(command, "is_warm", lambda: True)


def sample(path: Path, n_alt: int, n_ref: int = 40, **more: Any) -> Path:
    reads = [wild(f"a{i}", 220 + i, 320 + i, {AT: ALT}) for i in range(n_alt)]
    reads += [wild(f"r{i}", 220 + i, 320 + i) for i in range(n_ref)]
    reads += [Read(name="join", bases=JOINED, start=1150, cigar="50M50S")]
    reads += [wild(f"j{i}", 1140 + i, 1240 + i) for i in range(5)]
    reads += [wild(f"d{i}", 750 + i, 850 + i) for i in range(5)]
    return write_reads(path, reads, **more)


def request(folder: Path, **more: Any) -> QuantifyRequest:
    panel = folder / "panel.toml"
    if not panel.exists():
        panel.write_text(panel_text(FULL))
    reads = more.pop("reads", None) or (sample(folder / "day29.bam", 5),)
    fields = {
        "panel": panel,
        "reads": reads,
        "output": folder / "out",
        "reference": write_reference(folder / "reference.fa"),
        "quiet": True,
        **more,
    }
    return QuantifyRequest(**fields)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_every_file_of_a_sample_is_written(tmp_path: Path) -> None:
    (result,) = quantify(
        request(tmp_path, date="2026-11-01", specimen="bone_marrow", timepoint="EOI")
    )
    out = tmp_path / "out"
    assert names(out) == [
        "day29.background.tsv",
        "day29.counts.tsv",
        "day29.mrd.json",
        "day29.provenance.json",
        "day29.vcf",
    ]
    held = json.loads((out / "day29.mrd.json").read_text())
    assert held["schema"] == "mrdtrack-result/1"
    assert (held["sample"], held["patient"], held["date"]) == (
        "day29",
        "P1",
        "2026-11-01",
    )
    assert (held["specimen"], held["timepoint"]) == ("bone_marrow", "EOI")
    assert held["level"]["call"] == result.level.call
    table = io.StringIO((out / "day29.counts.tsv").read_text())
    rows = list(csv.DictReader(table, delimiter="\t"))
    assert [row["marker"] for row in rows] == ["m1", "m2", "m3", "m4"]
    assert (rows[0]["alt"], rows[0]["ref"], rows[0]["molecules"]) == ("5", "40", "45")
    assert (rows[2]["alt"], rows[3]["alt"]) == ("1", "1")
    text = (out / "day29.vcf").read_text()
    ref = GENOME["chr1"][AT]
    assert f"chr1\t{AT + 1}\tm1\t{ref}\t{ALT}\t" in text
    assert "chr1\t1200\t" in text
    provenance = json.loads((out / "day29.provenance.json").read_text())
    assert str(tmp_path / "panel.toml") in json.dumps(provenance)
    assert str(tmp_path) not in (out / "day29.mrd.json").read_text()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("checksums", [True, False])
def test_checksums_of_inputs_can_be_left_out(
    tmp_path: Path, threads: int, checksums: bool
) -> None:
    quantify(request(tmp_path, threads=threads, checksums=checksums))
    text = (tmp_path / "out" / "day29.provenance.json").read_text()
    inputs = json.loads(text)["inputs"]
    assert [file["sha256"] is not None for file in inputs] == 3 * [checksums]
    assert all(file["size"] == Path(file["path"]).stat().st_size for file in inputs)


def test_equal_runs_write_equal_bytes(tmp_path: Path) -> None:
    asked = request(tmp_path)
    quantify(asked)
    held = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    quantify(request(tmp_path, force=True, threads=2))
    again = {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()}
    del held["day29.provenance.json"], again["day29.provenance.json"]
    assert again == held


def test_an_output_that_exists_is_refused_without_force(tmp_path: Path) -> None:
    quantify(request(tmp_path))
    counts = tmp_path / "out" / "day29.counts.tsv"
    counts.write_text("mine")
    with pytest.raises(OutputError, match="add --force"):
        quantify(request(tmp_path))
    assert counts.read_text() == "mine"
    quantify(request(tmp_path, force=True))
    assert counts.read_text() != "mine"


def test_two_samples_are_counted_in_one_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reads = (sample(tmp_path / "a.bam", 5), sample(tmp_path / "b.bam", 0))
    results = quantify(request(tmp_path, reads=reads, format="json"))
    assert [result.sample for result in results] == ["a", "b"]
    assert len(names(tmp_path / "out")) == 10
    held = json.loads(capsys.readouterr().out)
    assert [one["sample"] for one in held] == ["a", "b"]
    assert [one["markers"][0]["alt"] for one in held] == [5, 0]


def test_one_sample_in_two_files_is_refused(tmp_path: Path) -> None:
    group = ["@RG\tID:x\tSM:same"]
    reads = tuple(
        sample(tmp_path / name, 1, 3, lines=group) for name in ("a.bam", "b.bam")
    )
    with pytest.raises(InputError, match="two files of reads are of this sample"):
        quantify(request(tmp_path, reads=reads))
    with pytest.raises(InputError, match="one name was given for several files"):
        quantify(request(tmp_path, reads=reads, sample="x"))
    assert not (tmp_path / "out").exists()


def test_the_sample_can_be_named(tmp_path: Path) -> None:
    (result,) = quantify(request(tmp_path, sample="MRD 1"))
    assert result.sample == "MRD 1"
    assert any(n.startswith("MRD_1~") for n in names(tmp_path / "out"))


@pytest.mark.parametrize("kind", ["tsv", "json", "table"])
def test_the_data_asked_for_go_to_stdout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    quantify(request(tmp_path, format=kind, quiet=False))
    told = capsys.readouterr()
    assert told.err == ""
    if kind == "tsv":
        rows = list(csv.DictReader(io.StringIO(told.out), delimiter="\t"))
        assert [row["alt"] for row in rows] == ["5", "0", "1", "1"]
        file = tmp_path / "out" / "day29.counts.tsv"
        assert told.out == file.read_text()
    elif kind == "json":
        assert json.loads(told.out)["sample"] == "day29"
    else:
        assert "day29" in told.out


def test_without_a_format_the_table_goes_to_stderr(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(command, "is_warm", lambda: False)
    quantify(request(tmp_path, quiet=False))
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("compiling the kernels, once for this version")
    assert "day29" in told.err
    quantify(request(tmp_path, force=True))
    assert capsys.readouterr() == ("", "")


def test_controls_are_counted_and_judged_with(tmp_path: Path) -> None:
    controls = tuple(sample(tmp_path / f"c{i}.bam", 4, 60) for i in range(3))
    (alone,) = quantify(request(tmp_path))
    (beside,) = quantify(
        request(tmp_path, force=True, control=controls, alpha=0.01, input_ng=100)
    )
    assert alone.markers[0].alt == beside.markers[0].alt == 5
    first, second = alone.markers[0].p_value, beside.markers[0].p_value
    assert first is not None
    assert second is not None
    assert second > first
    assert not any(n.startswith("c0") for n in names(tmp_path / "out"))


def test_a_background_file_of_other_settings_is_refused(tmp_path: Path) -> None:
    from mrdtrack.commands.background import BackgroundRequest, background

    asked = request(tmp_path)
    file = tmp_path / "lab.background.json"
    background(
        BackgroundRequest(
            panel=asked.panel,
            reads=tuple(sample(tmp_path / f"c{i}.bam", 0) for i in range(3)),
            reference=asked.reference,
            output=file,
            quiet=True,
        )
    )
    (result,) = quantify(request(tmp_path, background=file))
    assert result.markers[0].alt == 5
    with pytest.raises(InputError, match=r"lab\.background\.json"):
        quantify(request(tmp_path, background=file, min_base_quality=30, force=True))


def test_a_panel_of_sequences_needs_no_reference(tmp_path: Path) -> None:
    panel = make_panel({"kind": "sequence", "sequence": JOINED})
    (tmp_path / "panel.toml").write_text(panel_text(panel))
    (result,) = quantify(request(tmp_path, reference=None))
    assert result.markers[0].alt == 1


def test_what_the_user_chose_stands_over_the_defaults() -> None:
    plain = QuantifyRequest(panel=Path(), reads=(), output=Path())
    settings = counting_settings(plain)
    assert (settings.molecules, settings.threads, settings.scan) == (None, 1, False)
    assert counting_filters(settings) == {
        "min_base_quality": 20,
        "min_mapping_quality": 20,
        "min_family_size": 1,
    }
    asked = QuantifyRequest(
        panel=Path(),
        reads=(),
        output=Path(),
        molecules="umi",
        umi_tag="BX",
        min_family_size=0,
        min_base_quality=13,
        min_mapping_quality=0,
        scan=True,
        threads=2,
    )
    settings = counting_settings(asked)
    assert (settings.molecules, settings.umi_tag) == ("umi", "BX")
    assert counting_filters(settings) == {
        "min_base_quality": 13,
        "min_mapping_quality": 0,
        "min_family_size": 0,
    }


def test_a_duplication_from_the_first_base_has_no_base_before(tmp_path: Path) -> None:
    (tmp_path / "panel.toml").write_text(panel_text(make_panel(duplication(0, 40))))
    (result,) = quantify(request(tmp_path))
    assert result.markers[0].marker == "m1"


def written(folder: Path, *markers: dict[str, Any]) -> Path:
    path = folder / "panel.toml"
    path.write_text(panel_text(make_panel(*markers) if markers else FULL))
    return path


def test_panel_check_finds_a_sound_panel_sound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, fasta = written(tmp_path), write_reference(tmp_path / "r.fa")
    reads = sample(tmp_path / "s.bam", 1)
    given: tuple[dict[str, Any], ...] = (
        {},
        {"reference": fasta},
        {"reference": fasta, "reads": reads},
        {"reads": reads},
    )
    for more in given:
        assert panel_check(PanelCheckRequest(panel=path, **more)) == FULL
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.splitlines()[-1] == f"{path}: 4 markers, no fault"
        assert "m1: its expected background is that of the class" in told.err


def test_panel_check_tells_what_does_not_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fasta = write_reference(tmp_path / "r.fa")
    path = written(tmp_path, variant(AT, ALT, GENOME["chr1"][AT]))
    assert panel_check(PanelCheckRequest(panel=path)).patient == "P1"
    assert capsys.readouterr().err.endswith(": 1 marker, no fault\n")
    with pytest.raises(PanelError, match="REF is"):
        panel_check(PanelCheckRequest(panel=path, reference=fasta))
    path = written(tmp_path, {"kind": "sequence", "sequence": "ACGTACG"})
    with pytest.raises(PanelError, match="too short to be found"):
        panel_check(PanelCheckRequest(panel=path))
    path = written(tmp_path)
    other = write_reads(tmp_path / "o.bam", [], contigs={"1": 2000, "2": 1000})
    with pytest.raises(AlignmentsError, match="it is called '1' there"):
        panel_check(PanelCheckRequest(panel=path, reference=fasta, reads=other))
    with pytest.raises(ReferenceMismatch, match="no such reference"):
        panel_check(PanelCheckRequest(panel=path, reference=tmp_path / "absent.fa"))


def test_panel_show_has_a_row_for_each_marker(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path)
    assert panel_show(PanelShowRequest(panel=path)) == FULL
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out), delimiter="\t"))
    ref = GENOME["chr1"][AT]
    assert [(row["id"], row["place"], row["change"]) for row in rows] == [
        ("m1", "chr1:301", f"{ref}>{ALT}"),
        ("m2", "chr1:801-821", "21 bases repeated, 2 inserted"),
        ("m3", "chr1:1200(+) to chr2:401(-)", "joined, 0 inserted"),
        ("m4", "IGH", JOINED),
    ]
    assert [row["role"] for row in rows] == ["level"] * 3 + ["report_only"]
    assert (rows[0]["gene"], rows[0]["group"], rows[1]["gene"]) == ("G1", "pair", "")


def test_warm_runs_every_kernel(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str | None, bool, set[str]]] = []

    def counted(
        path: Path, panel: Any, reference: Any, settings: Any, sample: Any = None
    ) -> None:
        kinds = {marker.kind for marker in panel.marker}
        asked.append((path.suffix, settings.molecules, settings.scan, kinds))

    monkeypatch.setattr(warm_command, "count_reads", counted)
    warm(WarmRequest())
    assert capsys.readouterr().err == "kernels are compiled\n"
    assert [one[:3] for one in asked] == [
        (".bam", "fragments", False),
        (".bam", "umi", True),
    ]
    assert all("small_variant" in one[3] for one in asked)
    assert ["sequence" in one[3] for one in asked] == [False, True]
    warm(WarmRequest(quiet=True))
    assert capsys.readouterr() == ("", "")


def test_warm_reads_by_the_index_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    worked = ReadsFile.worked

    def watched(self: ReadsFile, regions: Any, work: Any) -> Iterator[Any]:
        asked.append(regions is None)
        return worked(self, regions, work)

    monkeypatch.setattr(ReadsFile, "worked", watched)
    warm(WarmRequest(quiet=True))
    assert asked == [False, True]
