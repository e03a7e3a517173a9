"""A panel with faults: all of them at once, each with its line and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzzing.seeds import SNV, Seeds
from mrdtrack.counting.plan import marker_haplotypes
from mrdtrack.errors import FaultList, PanelError, ReferenceMismatch
from mrdtrack.panel.file import read_panel
from mrdtrack.panel.model import SmallVariant
from mrdtrack.panel.reference import Reference
from tests.faults.runs import run


def changed(seeds: Seeds, path: Path, *changes: tuple[str, str]) -> Path:
    text = (seeds.folder / "panel.toml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return path


def test_all_faults_at_once(seeds: Seeds, tmp_path: Path) -> None:
    path = changed(
        seeds,
        tmp_path / "p.toml",
        (f"position = {SNV + 1}", "position = 0"),
        ('kind = "duplication"', 'kind = "dup"'),
        ('disease = "AML"', 'disease = "X"'),
        ("genotype", "genotpe"),
    )
    with pytest.raises(FaultList) as caught:
        read_panel(path)
    told = str(caught.value)
    assert len(caught.value.faults) == 4
    for words in (
        "disease",
        "line 5, marker 1 ('snv') key position",
        "'dup'",
        "genotpe",
    ):
        assert words in told


def test_a_marker_that_stands_there_twice(seeds: Seeds, tmp_path: Path) -> None:
    text = (seeds.folder / "panel.toml").read_text()
    markers = text[text.index("[[marker]]") : text.index("[[identity]]")]
    identity = text[text.index("[[identity]]") :]
    path = tmp_path / "p.toml"
    path.write_text(text + markers.replace('id = "', 'id = "copy-') + identity)
    with pytest.raises(FaultList) as caught:
        read_panel(path)
    assert len(caught.value.faults) == 5
    assert "marker 5: it is the same as marker 1" in caught.value.faults[0]
    assert "identity 2: it is the same as identity 1" in caught.value.faults[4]
    assert caught.value.remedy == "keep one of them"


@pytest.mark.parametrize("shift", [1, -1])
def test_a_position_off_by_one(seeds: Seeds, tmp_path: Path, shift: int) -> None:
    path = changed(
        seeds,
        tmp_path / "p.toml",
        (f"position = {SNV + 1}", f"position = {SNV + 1 + shift}"),
    )
    panel = read_panel(path)
    located = [m for m in panel.marker if isinstance(m, SmallVariant)]
    with Reference(seeds.reference) as reference:
        if reference.fetch("chr1", SNV + shift, SNV + 1 + shift) == located[0].ref:
            pytest.fail("the seeds have the same base beside the marker")
        with pytest.raises(PanelError, match=f"the allele fits at {SNV + 1}: is the"):
            marker_haplotypes(located, reference)


@pytest.mark.parametrize(
    ("encode", "words"),
    [
        (lambda text: b"\xef\xbb\xbf" + text.encode(), ""),
        (lambda text: text.replace("\n", "\r\n").encode(), ""),
        (lambda text: text.replace(" = ", "\t=\t").encode(), ""),
        (lambda text: text.encode("utf-16"), "p.toml:1: the text is not UTF-8"),
        (lambda text: text.replace("P001", "Zoé").encode("latin-1"), "p.toml:2: the"),
        (lambda text: text.encode() + b"#" * 20_000_001, "larger than 20000000 bytes"),
        (lambda text: b"x = " + b"[" * 5000, "nest too deeply"),
        (lambda text: b"x = " + b"9" * 5000, "no valid TOML"),
        (lambda text: text.replace("\n", "\r").encode(), "no valid TOML"),
    ],
)
def test_encodings_line_ends_and_sizes(
    seeds: Seeds, tmp_path: Path, encode: object, words: str
) -> None:
    assert callable(encode)
    path = tmp_path / "p.toml"
    path.write_bytes(encode((seeds.folder / "panel.toml").read_text()))
    if words:
        with pytest.raises(PanelError, match=words):
            read_panel(path)
    else:
        assert read_panel(path) == read_panel(seeds.folder / "panel.toml")


def test_a_damaged_reference_is_one_line(
    seeds: Seeds, tmp_path: Path, streams: Path
) -> None:
    fasta = tmp_path / "ref.fa"
    fasta.write_bytes(seeds.reference.read_bytes()[:3000])
    index = tmp_path / "ref.fa.fai"
    for text in ("chr1\t9\n", "chr1\t120000\t6\t120000\t120001\n"):
        index.write_text(text)
        ended = run(
            streams,
            *("panel", "check", seeds.folder / "panel.toml", "--reference", fasta),
        )
        assert ended.code == 1
        assert str(fasta) in ended.sentence
    with pytest.raises(ReferenceMismatch, match="there is no such reference"):
        Reference(tmp_path / "none.fa")
