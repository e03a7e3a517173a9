"""VCF and BCF become markers, or a sentence a record."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mrdtrack.errors import FaultList, PanelError
from mrdtrack.lab.simulate_reference import InventedReference
from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.haplotypes import build_haplotypes
from mrdtrack.panel.importers import import_panel
from mrdtrack.panel.importers.adjacency_text import (
    Adjacency,
    End,
    breakend,
)
from mrdtrack.panel.importers.outcome import Fault, ImportOptions
from mrdtrack.panel.model import Breakpoint, Duplication, Marker, SmallVariant
from mrdtrack.panel.reference import Reference

WriteVcf = Callable[..., Path]


def only(path: Path, options: ImportOptions | None = None) -> Marker:
    markers = import_panel([path], options=options).panel.marker
    assert len(markers) == 1
    return markers[0]


def one(path: Path) -> SmallVariant:
    marker = only(path)
    assert isinstance(marker, SmallVariant)
    return marker


def test_a_small_variant_keeps_its_spelling_and_its_names(write_vcf: WriteVcf) -> None:
    path = write_vcf(
        "c1 101 . C CTCTG . PASS GENE=NPM1;CDS=c.860_863dup GT:AD 0/1:70,30",
        samples=("dx",),
    )
    marker = one(path)
    assert (marker.position, marker.ref, marker.alt) == (101, "C", "CTCTG")
    assert (marker.gene, marker.hgvs) == ("NPM1", "c.860_863dup")
    assert marker.vaf_at_diagnosis == pytest.approx(0.3)
    assert import_panel([path]).panel.patient == "dx"


def test_several_alleles_of_one_record_become_markers(write_vcf: WriteVcf) -> None:
    path = write_vcf("c1 101 rs1 C T,G . PASS . GT:AD 1/2:60,30,10", samples=("dx",))
    first, second = import_panel([path]).panel.marker
    assert (first.id, second.id) == ("rs1:1", "rs1:2")
    assert first.vaf_at_diagnosis == pytest.approx(0.3)
    assert second.vaf_at_diagnosis == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("record", "share"),
    [
        ("c1 101 . C T . PASS . GT:AF 0/1:0.25", 0.25),
        ("c1 101 . C T . PASS . GT:FREQ 0/1:12.5%", 0.125),
        ("c1 101 . C T . PASS . GT:PR:SR 0/1:40,10:40,10", 0.2),
        ("c1 101 . C T . PASS AF=0.4 GT 0/1", 0.4),
        ("c1 101 . C T . PASS . GT 0/1", None),
    ],
)
def test_the_share_is_read_wherever_callers_write_it(
    write_vcf: WriteVcf, record: str, share: float | None
) -> None:
    found = one(write_vcf(record, samples=("dx",))).vaf_at_diagnosis
    assert found == (share if share is None else pytest.approx(share))


MORE_FORMATS = """\
##FORMAT=<ID=RO,Number=1,Type=Integer,Description="freebayes">
##FORMAT=<ID=AO,Number=A,Type=Integer,Description="freebayes">
##FORMAT=<ID=CU,Number=2,Type=Integer,Description="strelka">
##FORMAT=<ID=TU,Number=2,Type=Integer,Description="strelka">
##FORMAT=<ID=TAR,Number=2,Type=Integer,Description="strelka">
##FORMAT=<ID=TIR,Number=2,Type=Integer,Description="strelka">
##FORMAT=<ID=VF,Number=1,Type=Integer,Description="gridss">
##FORMAT=<ID=REF,Number=1,Type=Integer,Description="gridss">
##FORMAT=<ID=REFPAIR,Number=1,Type=Integer,Description="gridss">
##FORMAT=<ID=DR,Number=1,Type=Integer,Description="delly">
##FORMAT=<ID=DV,Number=1,Type=Integer,Description="delly">
##FORMAT=<ID=RR,Number=1,Type=Integer,Description="delly">
##FORMAT=<ID=RV,Number=1,Type=Integer,Description="delly">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="depth">
##INFO=<ID=AN,Number=1,Type=Integer,Description="genotyped">
"""


@pytest.mark.parametrize(
    ("record", "share"),
    [
        ("C T . . AF=0.5 GT:RO:AO 0/1:70:30", 0.3),
        ("C T,G . . AF=0.5,0.5 GT:RO:AO 0/1:70:20,10", 0.2),
        ("C T . . . CU:TU 60,61:40,42", 0.4),
        ("C CAT . . . TAR:TIR 75,70:25,30", 0.25),
        ("C C[c2:50[ . . . VF:REF:REFPAIR 51:60:44", 51 / 155),
        ("C C[c1:350[ . . . VF:REF:REFPAIR 36:66:82", 36 / 102),
        ("C C[c1:3500[ . . . VF:REF:REFPAIR 10:20:10", 0.25),
        ("C C[c2:50[ . . . DR:DV:RR:RV 10:90:60:20", 0.25),
        ("C C[c2:50[ . . . DR:DV:RR:RV 30:10:0:0", 0.25),
        ("C C[c2:50[ . . . GT:AD:DP 0/1:12:60", 0.2),
        ("C T . . AF=0.5;AN=2 GT 0/1", None),
        ("C T . . AF=0.5 GT:VF 0/1:3", 0.5),
    ],
)
def test_the_share_of_each_callers_own_counts(
    write_vcf: WriteVcf, record: str, share: float | None
) -> None:
    """FreeBayes' AF is that of genotypes; GRIDSS's pairs lie across short events."""
    path = write_vcf(f"c1 101 . {record}", samples=("dx",))
    head = "##fileformat=VCFv4.3\n"
    path.write_text(path.read_text("utf-8").replace(head, head + MORE_FORMATS), "utf-8")
    if "AD:DP" in record:  # SvABA's AD is that of the allele alone
        text = path.read_text("utf-8")
        path.write_text(text.replace("ID=AD,Number=R", "ID=AD,Number=1"), "utf-8")
    found = import_panel([path]).panel.marker[0].vaf_at_diagnosis
    assert found == (share if share is None else pytest.approx(share, rel=1e-5))


def test_a_normal_sample_speaks_against_a_marker(write_vcf: WriteVcf) -> None:
    path = write_vcf(
        "c1 101 . C T . PASS . GT:AD 0/1:50,50 0/1:48,52",
        "c1 201 . G A . PASS . GT:AD 0/1:50,50 0/0:95,5",
        "c1 301 . G T . PASS . GT:AD 0/1:50,50 0/0:90,0",
        samples=("tumour", "normal"),
    )
    found = import_panel([path], options=ImportOptions(sample="tumour")).proposals
    assert [proposal.rank for proposal in found] == [None, 2, 1]
    assert "normal shows it too (0.52): it is germline" in found[0].reason
    assert "normal shows it at 0.05" in found[1].reason
    assert "normal" not in found[2].reason


def test_the_tumour_that_the_header_names_is_hinted_at(write_vcf: WriteVcf) -> None:
    path = write_vcf("c1 101 . C T . PASS . GT 0/1 0/0", samples=("T1", "N1"))
    head = "##fileformat=VCFv4.3\n"
    text = path.read_text("utf-8").replace(head, f"{head}##tumor_sample=T1\n")
    path.write_text(text, "utf-8")
    with pytest.raises(PanelError, match="the header names 'T1' as the tumour"):
        import_panel([path])


def test_names_come_from_snpeff_and_vep(write_vcf: WriteVcf) -> None:
    ann = "T|missense|MODERATE|IDH2|E1|transcript|T1|pc|4/11|c.419G>A|p.Arg140Gln"
    snpeff = one(write_vcf(f"c1 101 . C T . PASS ANN=G|x|LOW|OTHER,{ann}"))
    assert (snpeff.gene, snpeff.hgvs) == ("IDH2", "c.419G>A")
    csq = "CSQ=T|WRONG|c.1A>T|,T|IDH2|N1:c.419G>A|1"
    vep = one(write_vcf(f"c1 101 . C T . PASS {csq}"))
    assert (vep.gene, vep.hgvs) == ("IDH2", "N1:c.419G>A")
    deleted = one(write_vcf("c1 101 . CA C . PASS CSQ=A|OTHER|x|,-|NPM1|c.2del|"))
    assert (deleted.gene, deleted.hgvs) == ("NPM1", "c.2del")
    path = write_vcf("c1 101 . CAA C,CA . PASS CSQ=-|A1|x|1,-|B1|y|2")
    text = path.read_text("utf-8").replace("HGVSc|PICK", "HGVSc|ALLELE_NUM")
    path.write_text(text, "utf-8")
    genes = [marker.gene for marker in import_panel([path]).panel.marker]
    assert genes == ["A1", "B1"]


def test_a_sample_has_to_be_chosen_and_has_to_carry_the_allele(
    write_vcf: WriteVcf,
) -> None:
    path = write_vcf(
        "c1 101 . C T . PASS . GT:AD 0/1:50,50 0/0:90,0",
        "c1 201 . G A . PASS . GT:AD 0/0:80,0 0/1:50,50",
        samples=("tumour", "normal"),
    )
    with pytest.raises(PanelError, match="samples 'tumour', 'normal'"):
        import_panel([path])
    with pytest.raises(PanelError, match="'other' is not in it; choose one of"):
        import_panel([path], options=ImportOptions(sample="other"))
    imported = import_panel([path], options=ImportOptions(sample="tumour"))
    (marker,) = imported.panel.marker
    assert isinstance(marker, SmallVariant)
    assert marker.position == 101
    assert any("not carried" in note for note in imported.notes)


def test_filters_and_shares_select_only_when_asked(write_vcf: WriteVcf) -> None:
    path = write_vcf(
        "c1 101 . C T . LowQual AF=0.4",
        "c1 201 . C T . PASS AF=0.02",
        "c1 301 . C T . PASS AF=0.3",
    )
    assert len(import_panel([path]).panel.marker) == 3
    passed = import_panel([path], options=ImportOptions(pass_only=True))
    assert len(passed.panel.marker) == 2
    assert any("FILTER LowQual" in note for note in passed.notes)
    large = import_panel([path], options=ImportOptions(min_share=0.1))
    assert len(large.panel.marker) == 2
    assert any("VAF 0.02 < 0.1" in note for note in large.notes)


def test_alleles_that_are_none_are_told_and_left_out(write_vcf: WriteVcf) -> None:
    path = write_vcf(
        "c1 101 . C T,<NON_REF> . PASS .",
        "c1 201 . C * . PASS .",
        "c1 301 . C . . PASS .",
    )
    imported = import_panel([path])
    assert len(imported.panel.marker) == 1
    assert sum("left out" in note for note in imported.notes) == 3


def test_symbolic_alleles(write_vcf: WriteVcf, reference: InventedReference) -> None:
    base = reference.fetch("c1", 999, 1000)
    duplicated = only(write_vcf(f"c1 1000 . {base} <DUP:TANDEM> . PASS END=1066"))
    assert isinstance(duplicated, Duplication)
    assert (duplicated.start, duplicated.end) == (1001, 1066)
    by_length = only(write_vcf(f"c1 1000 . {base} <DUP> . PASS SVLEN=66"))
    assert isinstance(by_length, Duplication)
    assert by_length.end == 1066
    deleted = only(write_vcf(f"c1 1000 . {base} <DEL> . PASS END=1300;SVINSSEQ=GA"))
    assert isinstance(deleted, Breakpoint)
    left, right = deleted.left, deleted.right
    assert (left.position, left.strand, right.position, right.strand) == (
        1000, "+", 1301, "-",
    )  # fmt: skip
    assert deleted.inserted == "GA"
    inserted = only(write_vcf(f"c1 1000 . {base} <INS> . PASS SEQ=ACGTACGT"))
    assert isinstance(inserted, SmallVariant)
    assert inserted.alt == f"{base}ACGTACGT"
    unknown_ref = only(write_vcf("c1 1000 . N <INS> . PASS SEQ=ACGTACGT"))
    assert isinstance(unknown_ref, Breakpoint)
    spelled = build_haplotypes(inserted, reference)
    assert build_haplotypes(unknown_ref, reference).alt.bases == spelled.alt.bases


def test_an_inversion_has_two_joins(
    write_vcf: WriteVcf, reference: InventedReference
) -> None:
    base = reference.fetch("c1", 999, 1000)
    path = write_vcf(f"c1 1000 . {base} <INV> . PASS END=2000")
    inverted = (
        reference.fetch("c1", 900, 1000)
        + reverse_complement(reference.fetch("c1", 1000, 2000))
        + reference.fetch("c1", 2000, 2100)
    )
    for marker in import_panel([path]).panel.marker:
        assert isinstance(marker, Breakpoint)
        bases = build_haplotypes(marker, reference).alt.bases
        assert bases in inverted or reverse_complement(bases) in inverted
    first = only(write_vcf(f"c1 1000 . {base} <INV> . PASS END=2000;INV3"))
    second = only(write_vcf(f"c1 1000 . {base} <INV> . PASS END=2000;INV5"))
    assert isinstance(first, Breakpoint)
    assert isinstance(second, Breakpoint)
    assert (first.left.strand, second.left.strand) == ("+", "-")


@pytest.mark.parametrize("inserted", ["", "GATTC"])
@pytest.mark.parametrize(
    ("alt", "parts"),
    [
        ("{ref}{ins}[c2:{p}[", ("before", "from_on")),
        ("{ref}{ins}]c2:{p}]", ("before", "up_to reversed")),
        ("]c2:{p}]{ins}{ref}", ("up_to", "after")),
        ("[c2:{p}[{ins}{ref}", ("from_on reversed", "after")),
    ],
)
def test_breakends_rebuild_the_callers_junction(
    write_vcf: WriteVcf,
    reference: InventedReference,
    alt: str,
    parts: tuple[str, str],
    inserted: str,
) -> None:
    """Each form is put together here from what the VCF specification says in words."""
    position, partner = 2000, 3000
    ref = reference.fetch("c1", position - 1, position)
    up_to = reference.fetch("c2", partner - 60, partner)
    from_on = reference.fetch("c2", partner - 1, partner + 59)
    pieces = {
        "before": reference.fetch("c1", position - 60, position),
        "after": reference.fetch("c1", position - 1, position + 59),
        "up_to": up_to,
        "from_on": from_on,
        "up_to reversed": reverse_complement(up_to),
        "from_on reversed": reverse_complement(from_on),
    }
    junction = pieces[parts[0]] + inserted + pieces[parts[1]]
    text = alt.format(ref=ref, ins=inserted, p=partner)
    marker = only(write_vcf(f"c1 {position} bnd {ref} {text} . PASS SVTYPE=BND"))
    assert isinstance(marker, Breakpoint)
    bases = build_haplotypes(marker, reference).alt.bases
    assert junction in bases or reverse_complement(junction) in bases


def test_mates_of_one_breakend_are_one_marker(write_vcf: WriteVcf) -> None:
    imported = import_panel(
        [
            write_vcf(
                "c1 2000 a A AGA[c2:3000[ . PASS SVTYPE=BND;HOMSEQ=TT",
                "c2 3000 b C ]c1:2000]GAC . PASS SVTYPE=BND",
            )
        ]
    )
    (marker,) = imported.panel.marker
    assert marker.note == "homology at the join: TT"
    assert any("mate" in note for note in imported.notes)
    alone = only(write_vcf("c1 2000 a A A[c2:3000[ . PASS HOMLEN=3"))
    assert alone.note == "homology at the join: 3 bases"


ends = st.builds(
    End,
    contig=st.sampled_from(["c1", "c2", "HLA-A*01:01"]),
    position=st.integers(1, 5000),
    strand=st.sampled_from("+-"),
)


@given(
    st.builds(Adjacency, left=ends, right=ends, inserted=st.text("ACGT", max_size=9))
)
def test_an_adjacency_read_from_both_strands_has_one_key(adjacency: Adjacency) -> None:
    assert adjacency.mirrored().mirrored() == adjacency
    assert adjacency.mirrored().key() == adjacency.key()


@pytest.mark.parametrize(
    "alt", ["A[c2:100", "A[c2:100]", "A[c2:100[T", "[c2:100[", "A[c2:x[", "[[c2:1["]
)
def test_a_broken_breakend_is_refused(alt: str) -> None:
    with pytest.raises(Fault, match="none of the four breakend forms"):
        breakend("c1", 5, alt)


def test_a_deletion_of_more_than_an_allele_may_hold_is_a_breakpoint(
    write_vcf: WriteVcf,
) -> None:
    marker = only(write_vcf(f"c1 101 . A{'CGTC' * 2501} A . PASS ."))
    assert isinstance(marker, Breakpoint)
    assert (marker.left.position, marker.right.position) == (101, 102 + 4 * 2501)


def test_every_broken_record_is_named_at_once(write_vcf: WriteVcf) -> None:
    path = write_vcf(
        "c1 abc . C T . PASS .",
        "c1 0 . C T . PASS .",
        "c1 3000000000 . C T . PASS .",
        "c1 101 . Q T . PASS .",
        "c1 101 . C T, . PASS .",
        "c1 101 . C",
    )
    with pytest.raises(FaultList) as raised:
        import_panel([path])
    faults = "\n".join(raised.value.faults)
    assert len(raised.value.faults) == 6
    for reason in (
        "POS 'abc' is no whole number",
        "POS 0 lies before",
        "beyond any contig",
        "REF 'Q'",
        "ALT has an empty allele",
        "this line 4",
    ):
        assert reason in faults


def test_records_without_a_marker_are_refused_unless_they_may_be_left_out(
    write_vcf: WriteVcf,
) -> None:
    path = write_vcf(
        "c1 101 . C T . PASS .",
        "c1 201 . C <INS> . PASS .",
        "c1 301 . C <CNV> . PASS END=400",
        "c1 401 . C .CTT . PASS .",
    )
    with pytest.raises(FaultList) as raised:
        import_panel([path])
    assert len(raised.value.faults) == 3
    assert "--skip-unusable" in str(raised.value)
    imported = import_panel([path], skip_unusable=True)
    assert len(imported.panel.marker) == 1
    assert any("single breakend" in note for note in imported.notes)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("c1 101 . C <DEL> . PASS .", "neither END nor SVLEN"),
        ("c1 101 . N T . PASS .", "REF 'N' holds more"),
        ("c1 101 . C A[c2 . PASS .", "breakend forms"),
        ("c1 101 . C C . PASS .", "ref and alt are the same"),
    ],
)
def test_what_cannot_be_understood_is_refused(
    write_vcf: WriteVcf, record: str, reason: str
) -> None:
    with pytest.raises(FaultList, match=reason):
        import_panel([write_vcf(record)])


def test_an_inversion_with_inserted_bases_is_unusable(write_vcf: WriteVcf) -> None:
    with pytest.raises(FaultList, match="two joins"):
        import_panel([write_vcf("c1 10 . C <INV> . PASS END=99;SVINSSEQ=AC")])


@pytest.mark.parametrize(
    ("ref", "alt", "name"),
    [
        ("C", "CTCTG", "c1:101 C>CTCTG"),
        ("C", "C" + "ACGT" * 15, "c1:101 ins 60 bp"),
        ("C" + "ACGT" * 15, "C", "c1:101 del 60 bp"),
        ("C" + "ACGT" * 15, "GTTA", "c1:101 61 bp>4 bp"),
    ],
)
def test_long_alleles_are_named_by_their_length(
    write_vcf: WriteVcf, ref: str, alt: str, name: str
) -> None:
    assert one(write_vcf(f"c1 101 . {ref} {alt} . PASS .")).id == name


def test_fields_that_hold_nothing_are_passed_over(write_vcf: WriteVcf) -> None:
    path = write_vcf(
        "c1 101 . C T . PASS GENE=. GT:AD:AF 0/1:30,.:.",
        "c1 201 . C T . PASS . GT:AD 0/1:.",
        "c1 301 . C T . PASS . GT:PR 0/1:7",
        samples=("dx",),
    )
    found = import_panel([path]).panel.marker
    assert [marker.vaf_at_diagnosis for marker in found] == [None, None, None]
    assert [marker.gene for marker in found] == [None, None, None]


def test_a_length_that_is_no_number_is_none(write_vcf: WriteVcf) -> None:
    path = write_vcf("c1 101 . C <DUP> . PASS SVLEN=.")
    text = path.read_text("utf-8")
    path.write_text(
        text.replace("ID=SVLEN,Number=.,Type=Integer", "ID=SVLEN,Number=1,Type=String"),
        "utf-8",
    )
    with pytest.raises(FaultList, match="neither END nor SVLEN"):
        import_panel([path])
    text = path.read_text("utf-8")
    path.write_text(text.replace("SVLEN=.", "SVLEN=long"), "utf-8")
    with pytest.raises(FaultList, match="neither END nor SVLEN"):
        import_panel([path])


def test_a_file_cut_short_is_one_sentence(write_vcf: WriteVcf, tmp_path: Path) -> None:
    path = write_vcf(*(f"c1 {n} . C T . PASS GENE=NPM1" for n in range(1, 4000)))
    binary = tmp_path / "diagnosis.bcf"
    with (
        pysam.VariantFile(str(path)) as source,
        pysam.VariantFile(str(binary), "wb", header=source.header) as target,
    ):
        for record in source:
            target.write(record)
    whole = binary.read_bytes()
    binary.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(PanelError, match="cannot be read as VCF or BCF"):
        import_panel([binary])


def test_bcf_reads_as_vcf(write_vcf: WriteVcf, tmp_path: Path) -> None:
    path = write_vcf("c1 101 . C CTCTG . PASS GENE=NPM1")
    binary = tmp_path / "diagnosis.bcf"
    with (
        pysam.VariantFile(str(path)) as source,
        pysam.VariantFile(str(binary), "wb", header=source.header) as target,
    ):
        for record in source:
            target.write(record)
    assert import_panel([binary]).panel.marker == import_panel([path]).panel.marker


@pytest.mark.parametrize("version", ["4.0", "4.1", "4.2", "4.3", "4.4", "4.5"])
def test_files_of_every_version_with_little_of_a_header(
    tmp_path: Path, version: str
) -> None:
    """Neither contigs nor INFO need be declared; line ends may be those of Windows."""
    text = (
        f"##fileformat=VCFv{version}\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        "5\t101\t.\tc\tctctg\t.\t.\tGENE=NPM1;SOMATIC\n"
        "5\t201\t.\tC\t<DUP:TANDEM>\t.\tPASS\tSVLEN=-30\n"
        "5\t301\t.\tC\tT,*,<*>,<NON_REF>\t.\t.\t.\n"
    )
    plain, windows = tmp_path / "a.vcf", tmp_path / "b.vcf"
    plain.write_text(text, "utf-8")
    windows.write_bytes(text.replace("\n", "\r\n").encode())
    packed, blocked = tmp_path / "c.vcf.gz", tmp_path / "d.vcf.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    pysam.tabix_compress(str(plain), str(blocked))
    expected = import_panel([plain]).panel.marker
    assert [marker.kind for marker in expected] == [
        "small_variant", "duplication", "small_variant",
    ]  # fmt: skip
    assert isinstance(expected[1], Duplication)
    assert (expected[1].start, expected[1].end) == (202, 231)
    for path in (windows, packed, blocked):
        assert import_panel([path]).panel.marker == expected


def test_every_allele_of_a_record_has_its_own_length(write_vcf: WriteVcf) -> None:
    path = write_vcf("c1 1000 a A <DUP>,<DEL> . PASS SVLEN=60,-300;END=1300")
    first, second = import_panel([path]).panel.marker
    assert isinstance(first, Duplication)
    assert isinstance(second, Breakpoint)
    assert (first.end, second.right.position) == (1060, 1301)


def test_spellings_of_one_event_are_one_marker_where_a_reference_is_given(
    write_vcf: WriteVcf, reference: InventedReference, tmp_path: Path
) -> None:
    """A tandem as `<DUP>` of one caller and as an insertion of another."""
    tandem = reference.fetch("c1", 1000, 1066)
    before, last = reference.fetch("c1", 999, 1000), tandem[-1]
    path = write_vcf(
        f"c1 1000 pindel {before} <DUP:TANDEM> . PASS END=1066",
        f"c1 1000 mutect {before} {before}{tandem} . PASS .",
        f"c1 1066 vardict {last} {last}{tandem} . PASS .",
    )
    assert len(import_panel([path]).panel.marker) == 3
    reference.write(tmp_path / "r.fa")
    with Reference(tmp_path / "r.fa") as opened:
        imported = import_panel([path], options=ImportOptions(reference=opened))
        assert [marker.id for marker in imported.panel.marker] == ["pindel"]
        assert sum("repeats 'pindel'" in note for note in imported.notes) == 2
        wrong = write_vcf(
            "c1 1000 . CCCCC C . PASS .", "c3 5 . A C . PASS .", "c1 7000 . A C . . ."
        )
        with pytest.raises(FaultList) as raised:
            import_panel([wrong], options=ImportOptions(reference=opened))
    assert len(raised.value.faults) == 3
    assert "record 2 (c3:5): contig 'c3' is not in the reference" in str(raised.value)


def test_no_vcf_and_a_damaged_one_are_one_sentence(tmp_path: Path) -> None:
    headless = tmp_path / "headless.vcf"
    headless.write_text("##fileformat=VCFv4.3\nc1\t1\n", encoding="utf-8")
    with pytest.raises(FaultList, match="no #CHROM header line"):
        import_panel([headless])
    damaged = tmp_path / "damaged.bcf"
    damaged.write_bytes(b"BCF\2\2" + b"\0" * 40)
    with pytest.raises(PanelError, match="cannot be read as VCF or BCF"):
        import_panel([damaged])


def test_many_faults_are_cut_short(write_vcf: WriteVcf) -> None:
    path = write_vcf(*["c1 0 . C T . PASS ."] * 1200)
    with pytest.raises(FaultList, match="and 951 more"):
        import_panel([path])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_no_bytes_make_a_traceback(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any"
    path.write_bytes(content)
    with pytest.raises((PanelError, FaultList)):
        import_panel([path])
