"""The panel file: every fault at once, each with its line and marker."""

from __future__ import annotations

from pathlib import Path

import pytest

from mrdtrack.errors import FaultList, PanelError
from mrdtrack.panel import file as panel_file
from mrdtrack.panel.file import panel_digest, read_panel
from mrdtrack.panel.model import SmallVariant

HEAD = 'schema = "mrdtrack-panel/1"\npatient = "P1"\n'
SOUND = """[[marker]]
id = "A"
kind = "small_variant"
contig = "chr1"
position = 10
ref = "a"
alt = "T"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "panel.toml"
    path.write_bytes(text.encode())
    return path


def faults_of(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(FaultList) as caught:
        read_panel(written(folder, text))
    assert caught.value.where.endswith("panel.toml")
    return caught.value.faults


def test_a_sound_panel_is_read_with_bom_and_windows_line_ends(tmp_path: Path) -> None:
    plain = read_panel(written(tmp_path, HEAD + SOUND))
    windows = read_panel(
        written(tmp_path, "\ufeff" + (HEAD + SOUND).replace("\n", "\r\n"))
    )
    assert windows == plain
    (marker,) = plain.marker
    assert isinstance(marker, SmallVariant)
    assert (marker.ref, marker.position, marker.role) == ("A", 10, "level")


def test_every_fault_is_told_at_once_with_line_and_id(tmp_path: Path) -> None:
    text = HEAD + (
        '[[marker]]\nid = "one"\nkind = "small_variant"\ncontig = "c"\n'
        'position = "10"\nref = "A"\nalt = "T"\n'
        '[[marker]]\nid = "two"\nkind = "duplication"\ncontig = "c"\n'
        "start = 20\nend = 10\n"
        '[[marker]]\nid = "three"\nkind = "sequence"\nsequence = "ACGU"\n'
        'colour = "red"\n'
        '[[marker]]\nid = "four"\nkind = "breakpoint"\n'
        'left = { contig = "c", position = 1, strand = "x" }\n'
        '[[identity]]\ncontig = "c"\nposition = 0\nref = "A"\nalt = "G"\n'
    )
    faults = "\n".join(faults_of(tmp_path, text))
    lines = text.splitlines()
    heads = [i + 1 for i, line in enumerate(lines) if line == "[[marker]]"]
    one, two, three, four = heads
    assert f"line {one}, marker 1 ('one') key position: " in faults
    assert f"line {two}, marker 2 ('two'): end 10 lies before start 20" in faults
    assert (
        f"line {three}, marker 3 ('three') key sequence: the sequence may hold only "
        "A, C, G and T, not 'ACGU'" in faults
    )
    assert f"line {three}, marker 3 ('three') key colour: this key is unknown" in faults
    assert f"line {four}, marker 4 ('four') key left.strand: " in faults
    assert f"line {four}, marker 4 ('four') key right: this key is missing" in faults
    at = lines.index("[[identity]]") + 1
    assert f"line {at}, identity 1 key position: " in faults
    assert "(given: '0')" in faults
    assert len(faults.splitlines()) == 7


@pytest.mark.parametrize("position", ["10.0", "true", '"10"', "0", "-3", "2147483647"])
def test_a_position_is_an_integer_of_the_format(tmp_path: Path, position: str) -> None:
    text = HEAD + SOUND.replace("position = 10", f"position = {position}")
    (fault,) = faults_of(tmp_path, text)
    assert "key position" in fault


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('alt = "T"', 'alt = "A"', "ref and alt are the same (A)"),
        ('alt = "T"', 'alt = ""', "the allele is empty"),
        ('alt = "T"', f'alt = "{"A" * 10_001}"', "longer than 10000 bases"),
        ('kind = "small_variant"\n', "", "kind"),
        ('id = "A"', "id = 7", "marker 1 key id"),
        ('id = "A"', 'id = ""', "key id"),
        ('id = "A"', 'id = "A"\nvaf_at_diagnosis = 1.5', "key vaf_at_diagnosis"),
    ],
)
def test_a_marker_with_a_fault_is_refused(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    (fault,) = faults_of(tmp_path, HEAD + SOUND.replace(old, new))
    assert told in fault


def test_a_join_lies_inside_its_sequence(tmp_path: Path) -> None:
    text = HEAD + '[[marker]]\nid = "S"\nkind = "sequence"\nsequence = "ACGT"\n'
    assert read_panel(written(tmp_path, text + "join = 3\n")).marker[0].id == "S"
    (fault,) = faults_of(tmp_path, text + "join = 4\n")
    assert "join 4 is not inside the sequence of 4 bases" in fault


def test_faults_outside_the_markers_name_their_key(tmp_path: Path) -> None:
    faults = faults_of(tmp_path, 'schema = "mrdtrack-panel/2"\nbirthday = 1\n' + SOUND)
    told = "\n".join(faults)
    assert "patient: this key is missing" in told
    assert "birthday: this key is unknown" in told
    assert "schema: " in told
    assert len(faults) == 3


def test_a_panel_needs_a_marker(tmp_path: Path) -> None:
    (missing,) = faults_of(tmp_path, HEAD)
    assert missing == "marker: this key is missing"
    (empty,) = faults_of(tmp_path, HEAD + "marker = []\n")
    assert empty.startswith("marker: ")


def test_a_marker_written_inline_is_named_without_a_line(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, HEAD + 'marker = [{ id = "I", kind = "other" }]\n')
    assert fault.startswith("marker 1 ('I')")
    (fault,) = faults_of(tmp_path, HEAD + "marker = [3]\n")
    assert fault.startswith("marker 1: ")


def test_ids_are_given_once(tmp_path: Path) -> None:
    text = HEAD + SOUND + SOUND + SOUND.replace('"A"', '"B"', 1) + SOUND
    faults = faults_of(tmp_path, text)
    lines = [i + 1 for i, x in enumerate(text.splitlines()) if x == "[[marker]]"]
    assert faults == (
        f"line {lines[1]}, marker 2: the id 'A' is already that of marker 1",
        f"line {lines[3]}, marker 4: the id 'A' is already that of marker 1",
    )


def test_text_that_is_not_utf8_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "panel.toml"
    path.write_bytes(HEAD.encode() + b'note = "\xe9"\n')
    with pytest.raises(PanelError, match=r"panel\.toml:3: the text is not UTF-8"):
        read_panel(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("schema = \n", "this is no valid TOML"),
        ("a = " + "[" * 20_000, "its tables nest too deeply"),
    ],
)
def test_what_is_no_toml_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(PanelError, match=told):
        read_panel(written(tmp_path, text))


def test_a_folder_or_a_huge_file_is_no_panel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PanelError, match="this is a folder"):
        read_panel(tmp_path)
    path = written(tmp_path, HEAD + SOUND)
    monkeypatch.setattr(panel_file, "MAX_BYTES", 20)
    with pytest.raises(PanelError, match="larger than 20 bytes"):
        read_panel(path)


def test_the_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert panel_digest(path) == empty


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ("stem = 19", "fewer than 12 of the sequence's 30 before it"),
        ("stem = 0", "stem"),
        ("stem_untemplated = 2", "stem_untemplated is given without stem"),
        ("stem = 18\nstem_untemplated = 2", ""),
    ],
)
def test_a_stem_leaves_bases_before_it(tmp_path: Path, keys: str, fault: str) -> None:
    text = HEAD + '[[marker]]\nid = "S"\nkind = "sequence"\n'
    text += f'sequence = "{"ACGTG" * 6}"\n{keys}\n'
    if fault:
        assert fault in faults_of(tmp_path, text)[0]
        return
    assert read_panel(written(tmp_path, text)).marker[0].model_dump()["stem"] == 18
