"""The files of one sample: whole, stable, equal in their numbers, inert."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mrdtrack.counts import NO_BACKGROUND, BackgroundSite, BackgroundSites
from mrdtrack.levels.result import VisitResult
from mrdtrack.panel.model import Panel
from mrdtrack.reports.inert_text import escaped_json, inert_cell, shortened, visible
from mrdtrack.reports.result_files import (
    BACKGROUND_COLUMNS,
    COUNTS_COLUMNS,
    LEVELS_COLUMNS,
    background_tsv,
    counts_tsv,
    levels_tsv,
    result_files,
)
from mrdtrack.reports.tables import (
    cell_text,
    json_bytes,
    model_json,
    stable,
    tsv,
)
from tests.reports.builders import (
    PANEL,
    absent_marker,
    level,
    marker_result,
    sample_counts,
    unseen_marker,
    visit_result,
)

NUMBERS = ("denominator", "fraction", "fraction_low", "fraction_high", "p_value")
HOSTILE = (
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "+1+cmd|' /C calc'!A0",
    "-1+1",
    "@SUM(A1)",
    " =1",
    "\uff1d1",
    "a\tb",
    "a\r\nb",
    "\u202eevil",
    '"quoted',
    "x" * 1000,
)


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode()), delimiter="\t"))


def files() -> dict[str, bytes]:
    return result_files(visit_result(), sample_counts(), PANEL, provenance=b"{}")


def records(result: VisitResult, panel: Panel = PANEL, **more: Any) -> list[list[str]]:
    [name] = [n for n in result_files(result, None, panel, **more) if "vcf" in n]
    text = result_files(result, None, panel, **more)[name].decode()
    return [line.split("\t") for line in text.splitlines() if line and line[0] != "#"]


def test_names_and_sources() -> None:
    assert list(files()) == [
        "P001-V1.mrd.json",
        "P001-V1.counts.tsv",
        "P001-V1.background.tsv",
        "P001-V1.vcf",
        "P001-V1.provenance.json",
    ]
    assert files()["P001-V1.provenance.json"] == b"{}"
    assert list(result_files(visit_result("a/b"), None, None)) == [
        "a_b~c14cddc033.mrd.json",
        "a_b~c14cddc033.counts.tsv",
    ]


def test_equal_inputs_give_equal_bytes() -> None:
    assert files() == files()


def test_json_reads_back_as_the_model() -> None:
    text = files()["P001-V1.mrd.json"].decode()
    assert text.startswith('{\n  "schema": "mrdtrack-result/1",\n')
    content = json.loads(text)
    assert list(content)[1:] == sorted(content)[: sorted(content).index("schema")] + [
        key for key in sorted(content) if key > "schema"
    ]
    back = VisitResult.model_validate_json(text)
    assert back.markers[0].fraction == pytest.approx(42 / 10_042, rel=1e-9)
    assert back.family_sizes == {2: 7, 10: 5}


def test_counts_table_agrees_with_the_json() -> None:
    made = files()
    table = rows(made["P001-V1.counts.tsv"])
    markers = json.loads(made["P001-V1.mrd.json"])["markers"]
    assert tuple(table[0]) == COUNTS_COLUMNS
    assert [row["marker"] for row in table] == [m["marker"] for m in markers]
    for row, marker in zip(table, markers, strict=True):
        assert row["sample"] == "P001-V1"
        assert row["call"] == marker["call"]
        assert row["assessable"] == str(marker["assessable"]).lower()
        for name in (*NUMBERS, "alt", "ref", "molecules", "ref_left", "lod95"):
            assert row[name] == ("" if marker[name] is None else repr(marker[name]))
    assert table[0]["filters"] == "duplicate=120;low_mapping_quality=4"
    assert table[2]["alt"] == ""


def test_background_table() -> None:
    table = rows(files()["P001-V1.background.tsv"])
    assert tuple(table[0]) == BACKGROUND_COLUMNS
    assert table[0]["error_class"] == "A[C>T]G"
    assert table[1]["alt"] == "+1"


def test_columns_are_written_as_rows_are() -> None:
    odd = ['c"1', "=1+1", "a\tb", "-1", "", "é\u202e"]
    sites = BackgroundSites.of(
        BackgroundSite(text, 7, "A", text, "x", n, 10**n) for n, text in enumerate(odd)
    )
    counts = sample_counts().model_copy(update={"background": sites})
    expected = tsv(BACKGROUND_COLUMNS, [site._asdict() for site in sites])
    assert background_tsv(counts) == expected
    none = sample_counts().model_copy(update={"background": NO_BACKGROUND})
    assert background_tsv(none) == tsv(BACKGROUND_COLUMNS, [])


def test_levels_table() -> None:
    unseen = level("not_evaluable", value=None, low=None, high=None, p_value=None)
    table = rows(levels_tsv([visit_result(), visit_result("b", level=unseen)]))
    assert tuple(table[0]) == LEVELS_COLUMNS
    assert [row["level"] for row in table] == ["0.0042", ""]
    assert table[1]["call"] == "not_evaluable"


def test_several_samples_in_one_counts_table() -> None:
    table = rows(counts_tsv(visit_result("a"), visit_result("b")))
    assert [row["sample"] for row in table] == ["a"] * 5 + ["b"] * 5


def test_records_of_every_kind() -> None:
    made = records(visit_result())
    by_name = {record[2]: record for record in made}
    assert by_name["NPM1-A"][:5] == ["chr5", "171410539", "NPM1-A", "C", "CTCTG"]
    assert by_name["NPM1-A"][8:] == [
        "GT:AD:DP:AF",
        f"0/1:10000,42:10046:{stable(42 / 10_042)!r}",
    ]
    assert by_name["FLT3-ITD"][:5] == [
        "chr13",
        "28034104",
        "FLT3-ITD",
        "N",
        "<DUP:TANDEM>",
    ]
    assert "END=28034125;SVLEN=21;INSERTED=GA" in by_name["FLT3-ITD"][7]
    assert by_name["FLT3-ITD"][9] == "0/0:9000,0:9000:0.0"
    assert by_name["KMT2A-AFF1_1"][4] == "NGA[chr4:87090000["
    assert by_name["KMT2A-AFF1_2"][4] == "]chr11:118484000]GAN"
    assert by_name["KMT2A-AFF1_1"][9] == "./.:.:.:."
    assert "REPORTONLY" in by_name["DNMT3A-R882H"][7]
    assert not [name for name in by_name if name.startswith("IGH")]


# The four forms of VCF 4.3, section 5.4, each with AC inserted on the way from the left
# end to the right: what stands before and after the base of each record.
@pytest.mark.parametrize(
    ("left", "right", "first", "second"),
    [
        ("+", "-", "GAC[chr4:20[", "]chr11:10]ACT"),
        ("+", "+", "GAC]chr4:20]", "TGT]chr11:10]"),
        ("-", "-", "[chr4:20[GTG", "[chr11:10[ACT"),
        ("-", "+", "]chr4:20]GTG", "TGT[chr11:10["),
    ],
)
def test_both_orientations_of_breakends(
    left: str, right: str, first: str, second: str
) -> None:
    panel = Panel.model_validate(
        {
            "schema": "mrdtrack-panel/1",
            "patient": "P",
            "marker": [
                {
                    "id": "B",
                    "kind": "breakpoint",
                    "left": {"contig": "chr11", "position": 10, "strand": left},
                    "right": {"contig": "chr4", "position": 20, "strand": right},
                    "inserted": "AC",
                }
            ],
        }
    )
    bases = {("chr11", 10): "G", ("chr4", 20): "T"}
    result = visit_result(markers=(unseen_marker("B"),))
    made = records(result, panel, reference_bases=bases)
    assert [record[4] for record in made] == [first, second]
    assert [record[3] for record in made] == ["G", "T"]


@pytest.mark.parametrize(
    ("call", "genotype"),
    [
        ("quantified", "0/1"),
        ("detected_below_loq", "0/1"),
        ("not_detected", "0/0"),
        ("insufficient_sensitivity", "./."),
        ("not_evaluable", "./."),
    ],
)
def test_genotype_states_only_what_was_seen(call: Any, genotype: str) -> None:
    [record] = records(visit_result(markers=(absent_marker(call=call),)))
    assert record[9].split(":")[0] == genotype


def test_bcftools_reads_the_vcf(tmp_path: Path) -> None:
    bcftools = shutil.which("bcftools")
    if bcftools is None:
        pytest.skip("bcftools is not installed")
    path = tmp_path / "x.vcf"
    path.write_bytes(files()["P001-V1.vcf"])
    done = subprocess.run(
        [bcftools, "query", "-f", "%ID %REF %ALT [%GT %AD %DP %AF]\n", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 5
    viewed = subprocess.run(
        [bcftools, "view", str(path)], capture_output=True, text=True, check=True
    )
    assert viewed.stderr == ""


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_inert(text: str, tmp_path: Path) -> None:
    panel = PANEL.model_dump(by_alias=True)
    panel["marker"] = [panel["marker"][0] | {"id": text}]
    result = visit_result(
        text, patient=text, markers=(marker_result(text, gene=text, reason=text),)
    )
    made = result_files(result, None, Panel.model_validate(panel))
    for name, content in made.items():
        assert name.isascii()
        lines = content.decode().splitlines()
        assert not [c for line in lines for c in line if c < " " and c != "\t"]
        assert "\u202e" not in content.decode()
        if name.endswith(".tsv"):
            [row] = rows(content)
            assert row["marker"] == inert_cell(text)
            assert row["marker"].lstrip()[0] not in "=+-@\uff1d\t\r"
            assert row["call"] == "quantified"
        if name.endswith(".mrd.json"):
            assert VisitResult.model_validate_json(content).patient == text
        if name.endswith(".vcf"):
            [record] = [line for line in lines if line[0] != "#"]
            assert len(record.split("\t")) == 10


def test_contig_that_vcf_cannot_name_is_left_out() -> None:
    panel = PANEL.model_dump(by_alias=True)
    panel["marker"] = [panel["marker"][0] | {"contig": "chr 5"}]
    assert not records(
        visit_result(markers=(marker_result(),)), Panel.model_validate(panel)
    )


def test_inert_text() -> None:
    assert inert_cell("+12") == "+12"
    assert inert_cell("+1+2") == "'+1+2"
    assert visible("a\tb\x00\u202e") == "a\\tb\\u0000\\u202e"
    assert inert_cell("plain text: 3 < 4") == "plain text: 3 < 4"
    assert shortened("abcdef", 4) == "abc…"
    assert shortened("abc", 4) == "abc"
    assert json.loads(escaped_json('["\u2028\x7f",\n 1]')) == ["\u2028\x7f", 1]


def test_json_is_that_of_pythons_own_writer() -> None:
    odd = visit_result('s"\u202e\x07é\n')
    for model in (odd, visit_result(markers=(), quality=())):
        content = model.model_dump(mode="json", by_alias=True)
        names = sorted(content, key=lambda name: (name != "schema", name))
        text = json.dumps(
            {name: steady(content[name]) for name in names},
            ensure_ascii=False,
            indent=2,
        )
        assert model_json(model) == (escaped_json(text) + "\n").encode()
    assert json_bytes({"b": (True, None, [], {}, 1e-9), "schema": 1}) == (
        b'{\n  "schema": 1,\n  "b": [\n    true,\n    null,\n    [],\n    {},\n'
        b"    1e-09\n  ]\n}\n"
    )


def steady(value: Any) -> Any:
    if isinstance(value, float):
        return stable(value)
    if isinstance(value, dict):
        return {name: steady(value[name]) for name in sorted(value)}
    return [steady(item) for item in value] if isinstance(value, list) else value


def test_numbers_are_stable() -> None:
    assert stable(0.1 + 0.2) == 0.3
    assert math.copysign(1, stable(-0.0)) == 1
    assert cell_text(2.3e-05) == "2.3e-05"
    assert cell_text(True) == "true"
    assert cell_text(None) == ""
    with pytest.raises(ValueError, match=r"not JSON compliant|out of range"):
        json_bytes({"x": math.nan})
