"""Clonotypes of every dialect become the same junctions, weighed within their locus."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mrdtrack.errors import FaultList, PanelError
from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.file import read_panel
from mrdtrack.panel.importers import import_panel
from mrdtrack.panel.importers.clonotypes import gene_of
from mrdtrack.panel.importers.outcome import ImportOptions
from mrdtrack.panel.importers.vidjil import vidjil_course
from mrdtrack.panel.model import Marker, Sequence

RNG = np.random.default_rng(11)


def bases(length: int) -> str:
    return "".join("ACGT"[code] for code in RNG.integers(0, 4, length))


IGH, TRG = "TGTGCGAGA" + bases(30) + "TGG", "TGTGCC" + bases(21) + "TTT"
RARE = "TGTACC" + bases(24) + "TTC"
BEFORE, AFTER = bases(60), bases(40)


def sequence_of(junction: str) -> str:
    return BEFORE + junction + AFTER


def write(path: Path, columns: str, *rows: str) -> Path:
    lines = [columns, *rows]
    text = "\n".join("\t".join(line.split(" ")) for line in lines)
    text = text.replace("count_(", "count (").replace("Total_q", "Total q")
    path.write_text(text + "\n", encoding="utf-8")
    return path


def sequences(path: Path, options: ImportOptions | None = None) -> list[Sequence]:
    markers = import_panel([path], options=options).panel.marker
    return [as_sequence(marker) for marker in markers]


def as_sequence(marker: Marker) -> Sequence:
    assert isinstance(marker, Sequence)
    return marker


def airr_dialects(folder: Path) -> dict[str, Path]:
    """Two index clones and one small one, as five programs write them."""
    first, last = len(BEFORE) + 4, len(BEFORE) + len(IGH) - 3
    trg_last = len(BEFORE) + len(TRG) - 3
    rare_last = len(BEFORE) + len(RARE) - 3
    igblast = [
        f"r{n} {sequence_of(j)} F {v} {jj} {j}"
        for n, (j, v, jj) in enumerate(
            [(IGH, "IGHV3-9*01,IGHV3-9*02", "IGHJ6*02")] * 40
            + [(TRG, "TRGV2*01", "TRGJP1*01")] * 60
            + [(RARE, "IGHV1-2*02", "IGHJ4*02")]
        )
    ]
    return {
        "igblast": write(
            folder / "igblast.tsv",
            "sequence_id sequence rev_comp v_call j_call junction",
            *igblast,
            "",
            "Total_queries = 101",
            "",
            f"1 IGLV2-14*01_12/4/0 IGHV 25 {IGH} no IGHV3-9*01",
        ),
        "imgt": write(
            folder / "imgt.tsv",
            "sequence_id sequence rev_comp v_call j_call junction",
            *[
                line.lower()
                .replace("igh", "Homsap_IGH")
                .replace("trg", "Homsap_TRG")
                .replace(",", "_F,_or_")
                for line in igblast
            ],
        ),
        "mixcr clones": write(
            folder / "clones.tsv",
            "cloneId readCount uniqueMoleculeCount allVHitsWithScore allJHitsWithScore "
            "nSeqCDR3 topChains",
            f"0 90000 400 IGHV3-9*00(565),IGHV3-11*00(560) IGHJ6*00(241) {IGH} IGH",
            f"1 100000 600 TRGV2*00(500) TRGJP1*00(240) {TRG} TRG",
            f"2 70000 10 IGHV1-2*00(500) IGHJ4*00(240) {RARE} IGH",
        ),
        "mixcr": write(
            folder / "mixcr.tsv",
            "sequence_id v_call j_call locus junction umi_count duplicate_count",
            f"1 IGHV3-9*00 IGHJ6*00 IGH {IGH} 400 90000",
            f"2 TRGV2*00 TRGJP1*00 TRG {TRG} 600 100000",
            f"3 IGHV1-2*00 IGHJ4*00 IGH {RARE} 10 70000",
        ),
        "vidjil": write(
            folder / "vidjil.tsv",
            "sequence_id v_call j_call locus sequence rev_comp "
            "cdr3_sequence_start cdr3_sequence_end junction duplicate_count",
            f"w1 IGHV3-9*01 IGHJ6*02 IGH {sequence_of(IGH)} F {first} {last}  400",
            f"w2 TRGV2*01 TRGJP1*01 TRG {sequence_of(TRG)} F {first} {trg_last}  600",
            f"w3 IGHV1-2*02 IGHJ4*02 IGH {sequence_of(RARE)} F {first} {rare_last}  10",
        ),
        "trust4": write(
            folder / "trust4.tsv",
            "sequence_id sequence rev_comp v_call j_call junction consensus_count",
            f"a1 {sequence_of(IGH)} F IGHV3-9*01 IGHJ6*02 {IGH} 400",
            f"a2 {sequence_of(TRG)} F TRGV2*01 TRGJP1*01 {TRG} 600",
            f"a3 {sequence_of(RARE)} F IGHV1-2*02 IGHJ4*02 {RARE} 10",
        ),
    }


def test_the_airr_dialects_give_the_same_junctions(tmp_path: Path) -> None:
    for name, path in airr_dialects(tmp_path).items():
        found = {(m.sequence, m.locus) for m in sequences(path)}
        assert found == {(IGH, "IGH"), (TRG, "TRG")}, name


def test_genes_are_named_alike_however_they_are_written(tmp_path: Path) -> None:
    for name, path in airr_dialects(tmp_path).items():
        names = {m.id.split("*")[0].upper() for m in sequences(path)}
        assert names == {"IGHV3-9", "TRGV2"}, name
    assert gene_of("Homsap IGKV3-7*04 [ORF]") == "IGKV3-7*04"
    assert gene_of("TRAV29/DV5*01(300)") == "TRAV29/DV5*01"
    assert gene_of("KDE") == "KDE"


def test_the_count_that_is_nearest_to_molecules_weighs(tmp_path: Path) -> None:
    """By reads the third clone is 44 % of IGH; by UMIs 2.4 %."""
    path = airr_dialects(tmp_path)["mixcr"]
    imported = import_panel([path])
    assert len(imported.panel.marker) == 2
    assert (
        "2 of 3 clones taken: those with 0.05 or more of the umi_count"
        in (imported.notes[0])
    )
    everything = sequences(path, ImportOptions(min_share=0.0))
    assert {m.sequence for m in everything} == {IGH, TRG, RARE}


def test_coordinates_follow_the_strand_that_was_aligned(tmp_path: Path) -> None:
    other = reverse_complement(sequence_of(IGH))
    first, last = len(BEFORE) + 4, len(BEFORE) + len(IGH) - 3
    path = write(
        tmp_path / "a.tsv",
        "sequence_id sequence rev_comp v_call j_call cdr3_start cdr3_end",
        f"a {other} T IGHV1 IGHJ1 {first} {last}",
    )
    assert sequences(path)[0].sequence == IGH


def test_a_vidjil_window_stands_in_for_a_junction(tmp_path: Path) -> None:
    window = bases(50)
    path = write(
        tmp_path / "a.tsv",
        "sequence_id v_call j_call duplicate_count junction",
        f"{window} TRBV1 TRBJ1 10 ",
        "short TRBV1 TRBJ1 10 ",
        f"x TRBV1 TRBJ1 10 {IGH[:9]}N{IGH[10:]}",
    )
    imported = import_panel([path])
    assert as_sequence(imported.panel.marker[0]).sequence == window
    assert any("2 rows hold no whole junction" in note for note in imported.notes)


def test_gaps_of_imgt_are_taken_out(tmp_path: Path) -> None:
    gapped = f"{IGH[:9]}...{IGH[9:]}"
    path = write(
        tmp_path / "a.tsv", "sequence_id v_call j_call junction", f"a v j {gapped}"
    )
    assert sequences(path)[0].sequence == IGH


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"a {'ACGT' * 10} F IGHV1 IGHJ1 3 20 5 ", "does not lie within"),
        (f"a {'ACGT' * 10} F IGHV1 IGHJ1 10 39 5 ", "does not lie within"),
        (f"a {'ACGT' * 10} F IGHV1 IGHJ1 x 39 5 ", "cdr3_start 'x'"),
        (f"a ACGT F IGHV1 IGHJ1 . . five {IGH}", "'five' is no count"),
        (f"a ACGT F IGHV1 IGHJ1 . . -5 {IGH}", "'-5' is no count"),
        ("a ACGT F IGHV1 IGHJ1 . . 5 CASSLG", "holds more than A, C, G, T and N"),
    ],
)
def test_a_wrong_airr_row_is_named(tmp_path: Path, row: str, reason: str) -> None:
    columns = "sequence_id sequence rev_comp v_call j_call cdr3_start cdr3_end"
    path = write(tmp_path / "a.tsv", f"{columns} duplicate_count junction", row)
    with pytest.raises(FaultList, match=f"line 2: .*{reason}"):
        import_panel([path])


def test_a_junction_without_untemplated_bases_is_not_proposed(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.tsv",
        "sequence_id v_call j_call junction np1_length np2_length np1 duplicate_count",
        f"a TRGV10 TRGJP1 {TRG} 0 0  10",
        f"b IGHV3-9 IGHJ6 {IGH} 6 2  10",
        f"c IGKV1 IGKJ1 {RARE}   CC 10",
    )
    imported = import_panel([path])
    proposals = imported.proposals
    assert [p.rank for p in proposals] == [None, 1, 2]
    assert "another person" in proposals[0].reason
    assert "8 untemplated bases" in proposals[1].reason
    found = [as_sequence(marker).untemplated for marker in imported.panel.marker]
    assert found == [0, 8, 2]


def stems(path: Path) -> list[tuple[int | None, int | None]]:
    return [(m.stem, m.stem_untemplated) for m in sequences(path)]


@pytest.mark.parametrize(
    ("columns", "cells", "stem"),
    [
        ("d_sequence_start np2_length", "77 3", (26, 3)),
        ("d_sequence_start d_sequence_end j_sequence_start", "80 88 91", (23, 2)),
        ("d_sequence_start np2", "80 ACGT", (23, 4)),
        ("v_sequence_end np1_length np2_length", "70 6 1", (26, 1)),
        ("v_sequence_end np1_length np2_length", "70 6 0", (None, None)),
        ("v_sequence_end np1_length np2_length", "70 6 ", (None, None)),
        ("v_sequence_end np2_length", "70 3", (None, None)),
        ("d_sequence_start np2_length", "84 3", (None, None)),
        ("d_sequence_start np2_length", "72 3", (None, None)),
        ("d_sequence_start np2_length", "73 3", (30, 3)),
    ],
)
def test_the_stem_of_a_clone_begins_with_its_d(
    tmp_path: Path, columns: str, cells: str, stem: tuple[int | None, int | None]
) -> None:
    """The junction is bases 61 to 102 of the read."""
    for turned in ("F", "T"):
        read = sequence_of(IGH)
        read = reverse_complement(read) if turned == "T" else read
        path = write(
            tmp_path / f"{turned}.tsv",
            f"sequence_id sequence rev_comp v_call j_call junction {columns}",
            f"a {read} {turned} IGHV3-9 IGHJ5 {IGH} {cells}",
        )
        assert stems(path) == [stem]


def test_a_read_without_the_junction_tells_no_stem(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.tsv",
        "sequence_id sequence v_call j_call junction d_sequence_start np2_length",
        f"a {BEFORE}-? IGHV3-9 IGHJ5 {IGH} 77 3",
    )
    assert stems(path) == [(None, None)]


@pytest.mark.parametrize(
    ("segments", "stem"),
    [
        ({"4": {"start": 27, "stop": 35}, "3": {"start": 38}}, (26, 2)),
        (
            {
                "4a": {"start": 27, "stop": 30},
                "4b": {"start": 33, "stop": 36},
                "3": {"start": 38},
            },
            (26, 1),
        ),
        ({"4": {"start": 27, "stop": 35}, "3": {"start": 36}}, (None, None)),
        ({"4": {"start": 27, "stop": 35}, "3": {"start": 30}}, (None, None)),
        ({"4": {"start": "27", "stop": 35}, "3": {"start": 38}}, (None, None)),
        ({"3": {"start": 38}}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_the_stem_of_a_vidjil_clone(
    tmp_path: Path, segments: object, stem: tuple[int | None, int | None]
) -> None:
    window = bases(50)
    for seg in (segments, None):
        clone = vidjil_clone(window, "IGH", [9], sequence="AC" + window + "GG", seg=seg)
        path = tmp_path / "p.vidjil"
        path.write_text(json.dumps({"clones": [clone]}), encoding="utf-8")
        assert stems(path) == [stem if seg else (None, None)]


def test_a_sample_is_taken_out_of_a_table_of_several(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.tsv",
        "sequence_id v_call j_call junction repertoire_id duplicate_count",
        f"a IGHV1 IGHJ1 {IGH} dx 10",
        f"b TRGV1 TRGJ1 {TRG} control 10",
    )
    found = sequences(path, ImportOptions(sample="dx"))
    assert [m.sequence for m in found] == [IGH]
    with pytest.raises(PanelError, match="none of the sample"):
        import_panel([path], options=ImportOptions(sample="nobody"))


def vidjil_clone(
    window: str, germline: str, reads: object, name: str = "", **more: object
) -> dict[str, object]:
    return {"id": window, "germline": germline, "reads": reads, "name": name, **more}


def vidjil_file(path: Path) -> Path:
    windows = [bases(50) for _ in range(4)]
    junction = {"junction": {"start": 3, "stop": 2 + len(IGH)}}
    broken = {"junction": {"start": "a"}}
    clones = [
        vidjil_clone(windows[0], "IGH", [500, 3], "IGHV3-9*01 7/CCCGGA/17 IGHJ6*02"),
        vidjil_clone(windows[1], "IGH", [100, 2], "IGHV3-9*01 7/CCCGG/17 IGHJ6*02"),
        vidjil_clone(windows[2], "IGH", [4, 0], "small"),
        vidjil_clone(windows[3], "TRG", [90, 0], "TRGV10*02 13//5 TRGJP1*01"),
        vidjil_clone("none", "IGK+", [9, 9.0], sequence=f"AC{IGH}GG", seg=junction),
        vidjil_clone("nothing", "IGH", [9]),
        vidjil_clone("odd", "IGH", "x", seg=broken),
    ]
    content = {
        "samples": {
            "number": 2,
            "original_names": ["dx.fastq", "fu1.fastq"],
            "timestamp": ["2024-01-08 10:00:00", "2024-03-01"],
        },
        "reads": {"germline": {"IGH": [1000, 900], "TRG+": [100, 100]}},
        "clones": clones,
        "clusters": [[windows[0], windows[1]], ["unknown"]],
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_vidjil_clusters_are_one_clone(tmp_path: Path) -> None:
    path = vidjil_file(tmp_path / "patient.vidjil")
    imported = import_panel([path])
    markers = [as_sequence(marker) for marker in imported.panel.marker]
    assert [m.locus for m in markers] == ["IGH", "TRG", "IGK"]
    assert [m.id for m in markers] == [
        "IGHV3-9*01 7/CCCGGA/17 IGHJ6*02 #1",
        "TRGV10*02 13//5 TRGJP1*01 #3",
        "clone 4 #4",
    ]
    assert markers[2].sequence == IGH
    assert [proposal.rank for proposal in imported.proposals] == [2, None, 1]
    assert [m.untemplated for m in markers] == [6, 0, None]
    assert imported.panel.patient == "patient"


def test_vidjil_time_points_are_chosen_by_name_or_number(tmp_path: Path) -> None:
    path = vidjil_file(tmp_path / "p.vidjil")
    by_name = import_panel([path], options=ImportOptions(sample="fu1.fastq"))
    by_number = import_panel([path], options=ImportOptions(time_point=2))
    assert by_name.panel.marker == by_number.panel.marker
    with pytest.raises(PanelError, match="2 time points, not 3"):
        import_panel([path], options=ImportOptions(time_point=3))
    with pytest.raises(PanelError, match="'fu9' is not in it"):
        import_panel([path], options=ImportOptions(sample="fu9"))


def test_the_course_of_a_vidjil_file(tmp_path: Path) -> None:
    course = vidjil_course(vidjil_file(tmp_path / "p.vidjil"))
    first = [point for point in course if point.sample == "dx.fastq"]
    assert (first[0].reads, first[0].total, first[0].date) == (600, 1000, "2024-01-08")
    second = [point for point in course if point.sample == "fu1.fastq"]
    assert (second[0].reads, second[0].total) == (5, 900)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("{", "it is no JSON"), ('{"clones": 1}', "no list of clones")],
)
def test_a_broken_vidjil_file_is_one_sentence(
    tmp_path: Path, text: str, reason: str
) -> None:
    path = tmp_path / "p.vidjil"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PanelError, match=reason):
        import_panel([path])


def test_a_vidjil_file_without_sample_facts(tmp_path: Path) -> None:
    path = tmp_path / "p.vidjil"
    clone = {"id": bases(50), "germline": "xxx", "reads": [7]}
    path.write_text(json.dumps({"clones": [clone]}), encoding="utf-8")
    (marker,) = sequences(path)
    assert marker.locus is None
    (point,) = vidjil_course(path)
    assert (point.sample, point.date, point.total) == ("1", "", 0)


def test_immunoseq_cuts_the_junction_and_names_genes(tmp_path: Path) -> None:
    path = write(
        tmp_path / "i.tsv",
        "nucleotide aminoAcid count_(reads) vGeneName jGeneName vIndex cdr3Length "
        "n1Insertion n2Insertion",
        f"{sequence_of(IGH)} CAR 900 IGHV03-09 IGHJ06-01 {len(BEFORE)} {len(IGH)} 3 1",
        f"{sequence_of(TRG)} CAS 80 TCRGV02-01 TCRGJP1 {len(BEFORE)} {len(TRG)} 0 0",
        f"{sequence_of(RARE)} CAS 80 unresolved unresolved -1 {len(RARE)} 0 0",
    )
    found = sequences(path)
    assert [(m.sequence, m.locus) for m in found] == [
        (IGH, "IGH"),
        (TRG, "TRG"),
        (sequence_of(RARE), None),
    ]
    assert "TRGV02-01" in found[1].id


def test_clonoseq_tags_choose_the_index_clones(tmp_path: Path) -> None:
    path = write(
        tmp_path / "i.tsv",
        "rearrangement amino_acid templates sequenceTags v_gene j_gene",
        f"{IGH} CAR 5 Dx IGHV1 IGHJ1",
        f"{RARE} CAR 5000  IGHV1 IGHJ1",
        f"{TRG[:9]}N{TRG[10:]} CAR 5000  TRGV1 TRGJ1",
    )
    imported = import_panel([path])
    assert [as_sequence(m).sequence for m in imported.panel.marker] == [IGH]
    assert any("named as index clones" in note for note in imported.notes)
    assert any("1 rows hold N" in note for note in imported.notes)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("CASS CAR 5", "holds more than"),
        ("  5", "no nucleotide sequence"),
        (f"{IGH} CAR many", "'many' is no number"),
    ],
)
def test_a_wrong_immunoseq_row_is_named(tmp_path: Path, row: str, reason: str) -> None:
    path = write(tmp_path / "i.tsv", "nucleotide aminoAcid templates", row)
    with pytest.raises(FaultList, match=f"line 2: .*{reason}"):
        import_panel([path])


def test_trust4s_own_report_of_a_real_sample(shared_cases: Path) -> None:
    """Clones of 5 % and more are taken, and all hold the panel's junctions."""
    case = shared_cases / "s11_igh_clonotypes_miseq"
    report = case / "trust4_report_top.tsv"
    panel = read_panel(case / "panel.toml")
    index = sequences(report)
    assert [m.locus for m in index] == ["IGH"] * len(index)
    everything = {m.sequence for m in sequences(report, ImportOptions(min_share=0.0))}
    known = [as_sequence(m).sequence for m in panel.marker]
    assert {m.sequence for m in index} <= everything
    assert known[0] == index[0].sequence
    assert sum(sequence in everything for sequence in known) >= 4


def test_one_junction_of_two_loci_is_one_marker(tmp_path: Path) -> None:
    """A panel in which it stood twice would be refused."""
    path = write(
        tmp_path / "airr.tsv",
        "sequence_id v_call j_call junction duplicate_count locus",
        f"c1 IGHV1-2*01 IGHJ4*02 {IGH} 9000 IGH",
        f"c2 IGKV1-5*01 IGKJ2*01 {IGH} 300 IGK",
    )
    found = import_panel([path])
    assert [as_sequence(m).locus for m in found.panel.marker] == ["IGH"]
    assert "it repeats" in " ".join(found.notes)
