"""`mrdtrack panel import` writes a panel that reads back as it was meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.commands.panel_import import PanelImportRequest, panel_import
from mrdtrack.errors import FaultList, OutputError, PanelError
from mrdtrack.follow_up.external import read_external
from mrdtrack.lab.simulate_reference import InventedReference
from mrdtrack.panel.file import EVENT, read_panel
from mrdtrack.panel.model import (
    SCHEMA,
    Breakpoint,
    BreakpointEnd,
    Duplication,
    IdentityPosition,
    Marker,
    Panel,
    Sequence,
    SmallVariant,
)
from mrdtrack.panel.writer import panel_text

text = st.text(min_size=1, max_size=30).filter(
    lambda t: not any("\ud800" <= c <= "\udfff" for c in t)
)
dna = st.text("ACGT", min_size=1, max_size=20)
position = st.integers(1, 2**31 - 2)
named = {
    "id": text,
    "gene": st.none() | text,
    "note": st.none() | text,
    "vaf_at_diagnosis": st.none() | st.floats(0.0001, 1.0),
    "role": st.sampled_from(["level", "report_only"]),
}
end = st.builds(
    BreakpointEnd, contig=text, position=position, strand=st.sampled_from("+-")
)
markers = st.one_of(
    st.builds(
        SmallVariant,
        kind=st.just("small_variant"),
        contig=text,
        position=position,
        ref=dna.map(lambda bases: bases + "A"),
        alt=dna.map(lambda bases: bases + "C"),
        **named,
    ),
    st.builds(
        Duplication,
        kind=st.just("duplication"),
        contig=text,
        start=st.just(5),
        end=st.integers(5, 500),
        inserted=st.text("ACGT"),
        **named,
    ),
    st.builds(
        Breakpoint,
        kind=st.just("breakpoint"),
        left=end,
        right=end,
        inserted=st.text("ACGT"),
        **named,
    ),
    st.builds(
        Sequence,
        kind=st.just("sequence"),
        sequence=dna,
        locus=st.sampled_from(["IGH", None]),
        max_edits=st.integers(0, 4),
        **named,
    ),
)


def event_of(entry: Marker | IdentityPosition) -> tuple[str, ...]:
    return tuple(str(getattr(entry, key)) for key in EVENT if hasattr(entry, key))


def panel_of(**keys: Any) -> Panel:
    return Panel(schema_=SCHEMA, **keys)


panels = st.builds(
    panel_of,
    patient=text,
    assembly=st.none() | text,
    # A panel names an event once, and an id once.
    marker=st.lists(
        markers, min_size=1, max_size=5, unique_by=(lambda m: m.id, event_of)
    ).map(tuple),
    identity=st.lists(
        st.builds(
            IdentityPosition,
            contig=text,
            position=position,
            ref=st.just("A"),
            alt=st.just("G"),
            genotype=st.sampled_from(["0/1", None]),
        ),
        max_size=2,
        unique_by=event_of,
    ).map(tuple),
)


@given(panels, text)
def test_a_written_panel_reads_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, panel: Panel, comment: str
) -> None:
    path = tmp_path_factory.mktemp("panel") / "panel.toml"
    comments = {panel.marker[0].id: comment}
    content = panel_text(panel, comments=comments)
    path.write_text(content, encoding="utf-8", newline="")
    assert read_panel(path) == panel


def request(folder: Path, **changes: object) -> PanelImportRequest:
    path = folder / "markers.tsv"
    path.write_text("name\tchrom\tpos\tref\talt\na\tc1\t5\tC\tA\n", encoding="utf-8")
    given_: dict[str, object] = {
        "files": (path,),
        "output": folder / "out" / "panel.toml",
        **changes,
    }
    return PanelImportRequest(**given_)  # type: ignore[arg-type] # fields by name


def test_the_panel_is_written_with_its_proposals(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = request(tmp_path, patient="P1", disease="AML", assembly="GRCh38")
    panel = panel_import(asked)
    assert read_panel(asked.output) == panel
    assert (panel.patient, panel.disease, panel.assembly) == ("P1", "AML", "GRCh38")
    assert "# proposed, rank 1: a transversion" in asked.output.read_text("utf-8")
    assert "a: proposed, rank 1" in capsys.readouterr().err


def test_an_existing_panel_is_kept(tmp_path: Path) -> None:
    asked = request(tmp_path, quiet=True)
    panel_import(asked)
    before = asked.output.read_bytes()
    with pytest.raises(OutputError, match="exists already; add --force"):
        panel_import(asked)
    panel_import(request(tmp_path, force=True, quiet=True))
    assert asked.output.read_bytes() == before


def test_a_refused_file_leaves_nothing(tmp_path: Path) -> None:
    asked = request(tmp_path)
    asked.files[0].write_text("chrom\tpos\tref\talt\nc\tx\tC\tA\n", encoding="utf-8")
    with pytest.raises(FaultList):
        panel_import(asked)
    assert not asked.output.parent.exists()


def test_the_panel_goes_to_stdout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    panel_import(request(tmp_path, output=Path("-"), quiet=True))
    written = capsys.readouterr()
    assert written.out.startswith('schema = "mrdtrack-panel/1"')
    assert written.err == ""


def test_a_nameless_output_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no file name"):
        panel_import(request(tmp_path, output=Path("/")))


def test_notes_are_told_on_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = request(tmp_path)
    asked.files[0].write_text(
        "name\tchrom\tpos\tref\talt\na\tc\t5\tC\tA\nb\tc\t5\tC\tA\n", encoding="utf-8"
    )
    panel_import(asked)
    assert "note: markers.tsv: " not in capsys.readouterr().out


def test_the_course_of_a_vidjil_file_reads_as_external_results(tmp_path: Path) -> None:
    path = tmp_path / "p.vidjil"
    path.write_text(
        '{"samples": {"number": 3, "original_names": ["dx", "f,1", "f2"], "timestamp":'
        ' ["2024-01-08 10:00", "2024-03-01", "2024-06-01"]}, "reads": {"germline":'
        ' {"IGH": [1000, 2000, 3000]}}, "clones": [{"id": "' + "ACGTTGCAAC" * 5 + '",'
        ' "germline": "IGH", "name": "V, J", "reads": [400, 3, 0]}, {"id": "'
        + "TTGTTGCAAC" * 5
        + '", "germline": "xxx", "name": "no locus", "reads": [400, 3, 0]}]}',
        encoding="utf-8",
    )
    course = tmp_path / "course.csv"
    panel_import(request(tmp_path, files=(path,), course=course, quiet=True))
    visits = read_external(course)
    assert [v.call for v in visits] == [
        "quantified",
        "detected_below_loq",
        "not_detected",
    ]
    assert [v.value for v in visits] == [0.4, 0.0015, None]
    assert [v.lod95 for v in visits] == [0.003, 0.0015, 0.001]
    with pytest.raises(OutputError, match=r"no \.vidjil file was given"):
        panel_import(request(tmp_path, course=course, force=True))


def test_a_reference_is_opened_for_exons(
    tmp_path: Path, reference: InventedReference
) -> None:
    fasta = tmp_path / "reference.fa"
    reference.write(fasta)
    path = tmp_path / "star.tsv"
    path.write_text(
        "#FusionName\tLeftBreakpoint\tRightBreakpoint\nA--B\tc1:100:+\tc2:200:+\n",
        encoding="utf-8",
    )
    panel = panel_import(request(tmp_path, files=(path,), reference=fasta, quiet=True))
    assert panel.marker[0].kind == "sequence"


def test_tables_of_the_malformed_case(shared_cases: Path, tmp_path: Path) -> None:
    """Each is refused with a sentence, or read; nothing else may happen."""
    folder = shared_cases / "s19_malformed" / "markers_odd_by_us"
    refused = set()
    for path in sorted(folder.iterdir()):
        output = tmp_path / path.stem / "panel.toml"
        try:
            panel_import(PanelImportRequest(files=(path,), output=output, quiet=True))
        except (FaultList, PanelError):
            refused.add(path.stem)
            assert not output.parent.exists()
        else:
            assert read_panel(output).marker
    assert {"empty", "header_only", "nonint_pos", "pos_zero"} <= refused
