"""What `make fuzz` has found, each as small as it can be, and mended."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fuzzing.seeds import Seeds
from tests.faults.runs import run


def levels_of(seeds: Seeds, folder: Path, old: str, new: str) -> tuple[object, ...]:
    text = (seeds.folder / "out" / "S0.counts.tsv").read_text()
    assert old in text
    path = folder / "S0.counts.tsv"
    path.write_text(text.replace(old, new))
    return ("levels", seeds.folder / "panel.toml", path)


def timeline_of(
    seeds: Seeds, folder: Path, change: Callable[[dict[str, object]], object]
) -> tuple[object, ...]:
    result = json.loads((seeds.folder / "out" / "S0.mrd.json").read_text())
    change(result["identity"][0])
    path = folder / "S0.mrd.json"
    path.write_text(json.dumps(result))
    return ("timeline", path)


def test_a_class_that_is_no_class_is_one_of_its_own(
    seeds: Seeds, tmp_path: Path, streams: Path
) -> None:
    for name in ("del2:h0x10", f"del2:h{'9' * 5000}"):
        command = levels_of(seeds, tmp_path, "del2:h2", name)
        ended = run(streams, *command, "-o", tmp_path / "out", "-q", "--force")
        assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("\t1.0\t", "\t1e308\t"), "write a number above 0, and 100 at most"),
        (("\tjunction\t", "\tjunction" + "\t" * 10), "cannot be read as a table"),
    ],
)
def test_counts_beyond_reason(
    seeds: Seeds, tmp_path: Path, streams: Path, change: tuple[str, str], words: str
) -> None:
    command = levels_of(seeds, tmp_path, *change)
    ended = run(streams, *command, "-o", tmp_path / "out", "-q")
    assert ended.code == 1
    assert words in ended.sentence
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("key", "value"), [("genotype", "0/1e308"), ("alt_molecules", 1 << 64)]
)
def test_germline_alleles_beyond_reason(
    seeds: Seeds, tmp_path: Path, streams: Path, key: str, value: object
) -> None:
    command = timeline_of(seeds, tmp_path, lambda one: one.update({key: value}))
    ended = run(streams, *command, "-o", tmp_path / "out", "-q")
    assert ended.code == 1
    assert f"identity.0.{key}" in ended.sentence


def test_files_of_other_tools(seeds: Seeds, tmp_path: Path, streams: Path) -> None:
    vcf = seeds.texts["vcf"][0]
    vidjil = seeds.texts["vidjil"][0]
    cases = {
        "a.vcf": (vcf.replace("MARKER=snv", "MAR\0KER=snv"), "it holds a NUL"),
        "b.vcf": (vcf.replace("\tS0\n", f"\t{'S' * 1001}\n"), "has 1001 characters"),
        "c.vidjil": (vidjil.replace("8000", "1e999"), "no marker was found"),
        "d.vidjil": (vidjil.replace("8000", "9" * 5000), "it is no JSON"),
    }
    for name, (text, words) in cases.items():
        assert text not in (vcf, vidjil)
        path = tmp_path / name
        path.write_text(text)
        ended = run(streams, "panel", "import", path, "-o", tmp_path / "p.toml", "-q")
        assert (name, ended.code) == (name, 1)
        assert words in ended.sentence


def test_tables_and_rules_that_end_early(
    seeds: Seeds, tmp_path: Path, streams: Path, following: tuple[object, ...]
) -> None:
    external = tmp_path / "e.csv"
    external.write_text('"date,specimen,metric')
    nested = tmp_path / "n.toml"
    nested.write_text("x = " + "[" * 5000)
    background = json.loads(seeds.texts["background"][0])
    background["markers"][0]["alt"] = [0]
    held = tmp_path / "b.json"
    held.write_text(json.dumps(background))
    counting: tuple[object, ...] = (
        "quantify",
        seeds.folder / "panel.toml",
        seeds.folder / "plain.bam",
    )
    counting += ("--reference", seeds.reference, "--molecules", "fragments")
    for command, words in (
        ((*following, "--external", external), "is no CSV"),
        ((*following, "--facts", nested), "is not TOML"),
        ((*following, "--protocol", nested), "is not TOML"),
        ((*counting, "--background", held), "one number for each of the 2 controls"),
    ):
        ended = run(streams, *command, "-o", tmp_path / "out", "-q")
        assert ended.code == 1
        assert words in ended.sentence
