"""VCF and BCF become markers, or a sentence a record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mrdtrack.errors import FaultList, PanelError
from mrdtrack.lab.simulate_reference import InventedReference
from mrdtrack.panel.haplotypes import build_haplotypes
from mrdtrack.panel.importers import import_panel
from mrdtrack.panel.importers.adjacency_text import (
    Adjacency,
    End,
    breakend,
    reverse_complement,
)
from mrdtrack.panel.importers.outcome import Fault, ImportOptions
from mrdtrack.panel.model import Breakpoint, Duplication, Marker, SmallVariant

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


def test_names_come_from_snpeff_and_vep(write_vcf: WriteVcf) -> None:
    ann = "T|missense|MODERATE|IDH2|E1|transcript|T1|pc|4/11|c.419G>A|p.Arg140Gln"
    snpeff = one(write_vcf(f"c1 101 . C T . PASS ANN=G|x|LOW|OTHER,{ann}"))
    assert (snpeff.gene, snpeff.hgvs) == ("IDH2", "c.419G>A")
    csq = "CSQ=T|WRONG|c.1A>T|,T|IDH2|N1:c.419G>A|1"
    vep = one(write_vcf(f"c1 101 . C T . PASS {csq}"))
    assert (vep.gene, vep.hgvs) == ("IDH2", "N1:c.419G>A")


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
