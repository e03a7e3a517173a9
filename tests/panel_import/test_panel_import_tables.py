"""Plain tables, BEDPE, ITD tables and fusions; what is told, renamed and refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from mrdtrack.errors import FaultList, PanelError
from mrdtrack.lab.simulate_reference import InventedReference
from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.importers import PanelFacts, import_panel
from mrdtrack.panel.importers.detect import detect_kind
from mrdtrack.panel.importers.outcome import ImportOptions
from mrdtrack.panel.model import Breakpoint, Duplication, Sequence, SmallVariant
from mrdtrack.panel.reference import Reference


def table(folder: Path, *lines: str, delimiter: str = "\t") -> Path:
    path = folder / "markers.tsv"
    text = "\n".join(delimiter.join(line.split(" ")) for line in lines)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def test_a_plain_table_of_every_kind(tmp_path: Path) -> None:
    end = {"strand1": "+", "strand2": "-", "position1": "10", "position2": "20"}
    rows: list[dict[str, str]] = [
        {"name": "snv", "chrom": "chr1", "pos": "5", "ref": "C", "alt": "T",
         "gene": "DNMT3A", "vaf": "30%"},
        {"chrom": "chr1", "pos": "5", "ref": "C", "alt": "TA", "vaf": "0,3"},
        {"chrom": "chr1", "start": "10", "end": "40", "inserted": "GA"},
        {"contig1": "chr1", "contig2": "chr2", **end},
        {"sequence": "ACGT" * 5, "locus": "IGHV3", "join": "10", "max_edits": "2"},
    ]  # fmt: skip
    columns = sorted({column for row in rows for column in row})
    lines = [" ".join(row.get(column, "") for column in columns) for row in rows]
    path = table(tmp_path, " ".join(columns), *lines)
    markers = import_panel([path], facts=PanelFacts("P1", "AML", "GRCh38")).panel.marker
    snv, insertion, duplication, breakpoint_, sequence = markers
    assert isinstance(snv, SmallVariant)
    assert (snv.role, snv.vaf_at_diagnosis) == ("report_only", 0.3)
    assert insertion.id == "chr1:5 C>TA"
    assert insertion.vaf_at_diagnosis == 0.3
    assert isinstance(duplication, Duplication)
    assert (duplication.start, duplication.end, duplication.inserted) == (10, 40, "GA")
    assert isinstance(breakpoint_, Breakpoint)
    assert breakpoint_.right.strand == "-"
    assert isinstance(sequence, Sequence)
    assert (sequence.locus, sequence.join, sequence.max_edits) == ("IGH", 10, 2)


@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
def test_delimiters_marks_and_line_ends(tmp_path: Path, delimiter: str) -> None:
    path = table(tmp_path, "#CHROM pos ref alt", "chr1 5 c t", delimiter=delimiter)
    content = b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n")
    path.write_bytes(content)
    plain = import_panel([path]).panel
    (marker,) = plain.marker
    assert isinstance(marker, SmallVariant)
    assert (marker.ref, marker.alt) == ("C", "T")
    compressed = tmp_path / "markers.csv.gz"
    compressed.write_bytes(gzip.compress(content))
    assert import_panel([compressed]).panel == plain


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("chrom pos ref alt", "c 1.5 C T"), "position '1.5' is no whole number"),
        (("chrom pos ref alt", "c  C T"), "position is missing"),
        (("chrom pos ref alt", " 5 C T"), "contig is missing"),
        (("chrom pos ref alt", "c 5 C *"), "may hold only A, C, G and T"),
        (("chrom pos ref alt vaf", "c 5 C T 1.5"), "vaf '1.5' is no share"),
        (("chrom pos ref alt vaf", "c 5 C T inf"), "vaf 'inf' is no share"),
        (("kind chrom pos", "fusion c 5"), "kind 'fusion' is none of"),
        (("name gene", "a b"), "neither ref and alt"),
        (("chrom start end", "c 9 5"), "end 5 lies before start 9"),
        (("sequence join", "ACGTACGT 99"), "join 99 is not inside"),
    ],
)
def test_a_wrong_row_is_named(
    tmp_path: Path, lines: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(FaultList, match="line 2: ") as raised:
        import_panel([table(tmp_path, *lines)])
    assert reason in str(raised.value)


def test_rows_that_repeat_and_names_that_repeat(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "id chrom pos ref alt sample",
        "a chr1 5 C T dx",
        "b chr1 5 C T dx",
        "a chr1 6 C T dx",
        "a chr1 7 C T dx",
        "a chr1 8 C T other",
    )
    imported = import_panel([path], options=ImportOptions(sample="dx"))
    assert [m.id for m in imported.panel.marker] == ["a", "a (2)", "a (3)"]
    assert any("repeats 'a'" in note for note in imported.notes)
    assert imported.panel.patient == "dx"


def test_bedpe_counts_from_zero(tmp_path: Path) -> None:
    columns = "chrom1 start1 end1 chrom2 start2 end2 name score strand1 strand2 insseq"
    path = table(tmp_path, columns, "chr1 99 100 chr2 199 200 sv . + - GA")
    (marker,) = import_panel([path]).panel.marker
    assert isinstance(marker, Breakpoint)
    assert (marker.left.position, marker.right.position) == (100, 200)
    assert marker.inserted == "GA"
    wide = table(tmp_path, columns, "chr1 90 100 chr2 199 200 sv . + - GA")
    with pytest.raises(FaultList, match="spans 10 bases: the join is not exact"):
        import_panel([wide])


GETITD = (
    "sample length start vaf ar coverage counts trailing seq sense external_bp "
    "start_chr13_bp end_chr13_bp"
)


def test_getitd_tandems_are_duplications(tmp_path: Path) -> None:
    """The published example: 21 bases, 69 %, hg19."""
    seq = "TTGATTTCAGAGAATATGAAT"
    row = f"test 21 127 6.90e+01 2.23 1995 1377 False {seq} 1 0 28608281 28608261"
    imported = import_panel([table(tmp_path, GETITD, row)])
    (marker,) = imported.panel.marker
    assert isinstance(marker, Duplication)
    assert (marker.start, marker.end, marker.gene) == (28608261, 28608281, "FLT3")
    assert marker.vaf_at_diagnosis == pytest.approx(0.69)
    assert any("hg19" in note for note in imported.notes)


def test_getitd_rows_that_are_no_certain_duplication(tmp_path: Path) -> None:
    rows = [
        "test 21 1 0.01 0 9 9 False A 1 0 121 101",
        "test 27 1 40 0 9 9 False A 1 6 121 101",
        "test 21 1 40 0 9 9 True A 1 0 121 101",
        "other 21 1 40 0 9 9 False A 1 0 221 201",
        "test 21 1 40 0 9 9 False A 1 0 321 301",
    ]
    path = table(tmp_path, GETITD, *rows)
    options = ImportOptions(sample="test", min_share=0.01)
    with pytest.raises(FaultList) as raised:
        import_panel([path], options=options)
    assert "6 of them external" in str(raised.value)
    assert "no certain length" in str(raised.value)
    imported = import_panel([path], options=options, skip_unusable=True)
    assert len(imported.panel.marker) == 1
    assert any("VAF 0.0001" in note for note in imported.notes)
    broken = table(tmp_path, GETITD, "test x 1 40 0 9 9 True A 1 0 121 101")
    with pytest.raises(FaultList, match="length 'x' is no whole number"):
        import_panel([broken])


ARRIBA = (
    "#gene1 gene2 breakpoint1 breakpoint2 direction1 direction2 "
    "closest_genomic_breakpoint1 closest_genomic_breakpoint2 fusion_transcript"
)
LEFT, RIGHT = "ACGTTGCATTGACCATGACA", "GGCATTCAGGATCCATTACG"


def test_arriba_gives_the_transcript_and_the_genomic_join(tmp_path: Path) -> None:
    transcript = f"GGG...AC___{LEFT}|tg|{RIGHT[:10]}___{RIGHT[10:]}?CC"
    row = "KMT2A AFF1 11:100 4:200 downstream upstream 11:118(18) 4:190(10)"
    imported = import_panel([table(tmp_path, ARRIBA, f"{row} {transcript}")])
    genomic, joined = imported.panel.marker
    assert isinstance(genomic, Breakpoint)
    assert (genomic.left.position, genomic.left.strand) == (118, "+")
    assert (genomic.right.position, genomic.right.strand) == (190, "-")
    assert isinstance(joined, Sequence)
    assert joined.sequence == f"AC{LEFT}TG{RIGHT}"
    assert joined.join == len(LEFT) + 2
    assert joined.gene == "KMT2A::AFF1"


def test_arriba_brackets_and_letters(tmp_path: Path) -> None:
    row = "A B 1:1 2:2 downstream upstream . ."
    path = table(tmp_path, ARRIBA, f"{row} ({LEFT[:5]})[{LEFT[5:]}]|{RIGHT.lower()}")
    (marker,) = import_panel([path]).panel.marker
    assert isinstance(marker, Sequence)
    assert marker.sequence == LEFT + RIGHT


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("A B 1:1 2:2 downstream upstream . . .", "neither a transcript sequence"),
        (f"A B 1:1 2:2 downstream upstream . . {LEFT}|AC", "neither a transcript"),
        (f"A B . 2:2 downstream upstream . . {LEFT}|{RIGHT}", "no breakpoints"),
        (
            f"A B 1:1 2:2 down upstream 1:1(0) 2:2(0) {LEFT}|{RIGHT}",
            "direction1 'down'",
        ),
        (f"A B 1:1 2:2 downstream upstream . . {LEFT}X|{RIGHT}", "unknown letters"),
    ],
)
def test_an_arriba_row_without_a_join(tmp_path: Path, row: str, reason: str) -> None:
    with pytest.raises(FaultList, match=reason):
        import_panel([table(tmp_path, ARRIBA, row)])


STAR = "#FusionName LeftBreakpoint RightBreakpoint"


def test_star_fusion_takes_the_sequence_the_table_has(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        f"{STAR} FusionSeq FUSION_CDS CDS_LEFT_RANGE",
        f"A--B c1:100:+ c2:200:+ {LEFT}{RIGHT.lower()} . .",
        f"A--C c1:100:+ c2:300:+ . {LEFT}{RIGHT} 1-20",
    )
    for marker in import_panel([path]).panel.marker:
        assert isinstance(marker, Sequence)
        assert (marker.sequence, marker.join) == (LEFT + RIGHT, len(LEFT))


@pytest.mark.parametrize("strands", ["++", "+-", "-+", "--"])
def test_star_fusion_reads_exons_off_the_reference(
    tmp_path: Path, reference: InventedReference, strands: str
) -> None:
    fasta = tmp_path / "reference.fa"
    reference.write(fasta)
    path = table(tmp_path, STAR, f"A--B c1:100:{strands[0]} c2:200:{strands[1]}")
    with pytest.raises(FaultList, match="give --reference"):
        import_panel([path])
    with Reference(fasta) as opened:
        imported = import_panel([path], options=ImportOptions(reference=opened))
    (marker,) = imported.panel.marker
    assert isinstance(marker, Sequence)
    before = {
        "+": reference.fetch("c1", 70, 100),
        "-": reverse_complement(reference.fetch("c1", 99, 129)),
    }
    after = {
        "+": reference.fetch("c2", 199, 229),
        "-": reverse_complement(reference.fetch("c2", 170, 200)),
    }
    assert marker.sequence == before[strands[0]] + after[strands[1]]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("A--B c1:100 c2:200:+ . .", "is not contig:position:strand"),
        ("A--B c1:1:+ c2:200:+ . .", "has not 30 known bases"),
        ("A--B . c2:200:+ . .", "no breakpoints"),
        (f"A--B c1:100:+ c2:200:+ {LEFT} 1-99", "does not fit CDS_LEFT_RANGE"),
    ],
)
def test_a_wrong_star_fusion_row(
    tmp_path: Path, reference: InventedReference, row: str, reason: str
) -> None:
    fasta = tmp_path / "reference.fa"
    reference.write(fasta)
    path = table(tmp_path, f"{STAR} FUSION_CDS CDS_LEFT_RANGE", row)
    with (
        Reference(fasta) as opened,
        pytest.raises(FaultList, match=reason),
    ):
        import_panel([path], options=ImportOptions(reference=opened))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b"##only=a comment\n", "none of the known kinds"),
        (b"one column\nvalue\n", "none of the known kinds"),
        (b"chrom\tpos\tref\talt\n", "no marker was found"),
        (b"chrom\tpos\tpos\talt\n", "column 'pos' stands twice"),
        (b"chrom\tpos\n\xff\xfe\n", "not UTF-8"),
        (b"\x1f\x8b\x08\0\0\0", "damaged"),
    ],
)
def test_a_file_that_is_no_table(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "markers.tsv"
    path.write_bytes(content)
    with pytest.raises(PanelError, match=reason):
        import_panel([path])


def test_a_table_of_comments_alone(tmp_path: Path) -> None:
    path = tmp_path / "markers.tsv"
    path.write_bytes(b"##only=a comment\n")
    with pytest.raises(PanelError, match="the file is empty; name a file"):
        import_panel([path], kind="table")


def test_a_sample_name_beyond_reason(tmp_path: Path) -> None:
    path = table(tmp_path, "chrom pos ref alt", "chr1 5 C T")
    facts = PanelFacts(patient="P" * 1001)
    with pytest.raises(PanelError, match=r"1001 characters.*--patient"):
        import_panel([path], facts=facts)


def test_a_line_with_more_cells_than_columns(tmp_path: Path) -> None:
    path = table(tmp_path, "chrom pos ref alt", "chr1 5 C T left over")
    with pytest.raises(PanelError, match=":2: the line has 6 cells for 4"):
        import_panel([path])


def test_markers_without_a_name_are_named(tmp_path: Path) -> None:
    path = table(tmp_path, "chrom start end sequence", "chr1 10 40 ", "   ACGTACGTAC")
    names = [marker.id for marker in import_panel([path]).panel.marker]
    assert names == ["chr1:10-40 dup", "sequence ACGTACGTAC"]


def test_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(PanelError, match="this is a folder"):
        import_panel([tmp_path])
    with pytest.raises(FileNotFoundError):
        import_panel([tmp_path / "absent.tsv"])


def test_a_table_larger_than_any_panel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mrdtrack.panel.importers.tables.MAX_BYTES", 30)
    path = table(tmp_path, "chrom pos ref alt", *["chr1 5 C T"] * 9)
    with pytest.raises(PanelError, match="larger than 30 bytes"):
        import_panel([path])


def test_a_cell_larger_than_any_allele(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mrdtrack.panel.importers.tables.MAX_FIELD", 30)
    path = table(tmp_path, "chrom pos ref alt", f"chr1 5 C {'T' * 99}")
    with pytest.raises(PanelError, match="cannot be split into cells"):
        import_panel([path])


def test_proposals_rank_by_share_and_background(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "id chrom pos ref alt gene vaf role",
        "transition chr1 5 C T IDH2 0.4 ",
        "transversion chr1 6 C A IDH1 0.4 ",
        "insertion chr1 7 C CTCTG NPM1 0.4 ",
        "mnv chr1 8 CA TG X 0.4 ",
        f"itd chr1 9 C C{'ACGT' * 9} FLT3 0.4 ",
        "subclone chr1 10 C A NRAS 0.02 ",
        "small chr1 11 C A KRAS 0.07 ",
        "unknown chr1 12 C A TP53  ",
        "ch chr1 13 C A TET2 0.4 ",
        "told chr1 14 C A WT1 0.4 report_only",
    )
    proposals = {p.marker: p for p in import_panel([path]).proposals}
    assert [m for m, p in sorted(proposals.items(), key=lambda i: i[1].rank or 99)][
        :7
    ] == ["itd", "mnv", "insertion", "transversion", "unknown", "transition", "small"]
    assert "small clone (0.02" in proposals["subclone"].reason
    assert "clonal haematopoiesis" in proposals["ch"].reason
    assert "reported only" in proposals["told"].reason


def test_kinds_are_told_by_content(tmp_path: Path) -> None:
    headers = {
        "airr": "sequence_id v_call j_call",
        "immunoseq": "nucleotide vIndex",
        "getitd": GETITD,
        "arriba": ARRIBA,
        "star-fusion": STAR,
        "bedpe": "chrom1 start1 end1 chrom2 start2 end2",
        "table": "a b",
    }
    for kind, header in headers.items():
        assert detect_kind(table(tmp_path, header)) == kind


def test_files_of_several_kinds_make_one_panel(tmp_path: Path) -> None:
    first = table(tmp_path, "chrom pos ref alt", "chr1 5 C T")
    second = tmp_path / "fusions.tsv"
    row = f"A B 1:1 2:2 downstream upstream . . {LEFT}|{RIGHT}"
    second.write_text(f"{ARRIBA}\n{row}\n".replace(" ", "\t"), encoding="utf-8")
    panel = import_panel([first, second]).panel
    assert [m.kind for m in panel.marker] == ["small_variant", "sequence"]


def test_what_is_left_out_is_told_up_to_a_length(tmp_path: Path) -> None:
    rows = [f"test 21 1 0.01 0 9 9 False A 1 0 {n + 21} {n + 1}" for n in range(60)]
    rows.append("test 21 1 40 0 9 9 False A 1 0 921 901")
    path = table(tmp_path, GETITD, *rows)
    notes = import_panel([path], options=ImportOptions(min_share=0.01)).notes
    assert any("11 more records left out" in note for note in notes)
