"""Lines as callers write them: each marker rebuilds the caller's own junction.

The junctions are put together here from the reference and from what each program's
documentation says of its coordinates; the lines are invented, their form is not.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from mrdtrack.errors import FaultList
from mrdtrack.lab.simulate_reference import InventedReference
from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.haplotypes import build_haplotypes
from mrdtrack.panel.importers import import_panel
from mrdtrack.panel.importers.outcome import ImportOptions
from mrdtrack.panel.model import Breakpoint, Marker, Sequence
from mrdtrack.panel.reference import Reference

WriteVcf = Callable[..., Path]
FIRST, SECOND = 2000, 3000
ARM = 60
ORIENTATIONS = ("++", "+-", "-+", "--")


class Joined(NamedTuple):
    """A join of c1 at `first` with c2 at `second`, as the strands of a BEDPE say."""

    first: int
    second: int
    strands: str
    inserted: str = ""

    def bases(self, reference: InventedReference) -> str:
        """Put the junction together: the first end is read towards the join."""
        left = kept(reference, "c1", self.first, self.strands[0])
        right = kept(reference, "c2", self.second, self.strands[1])
        return left + self.inserted + reverse_complement(right)


def kept(reference: InventedReference, contig: str, position: int, strand: str) -> str:
    """Give the bases that end at the join: `+` those up to position, `-` from it on."""
    if strand == "+":
        return reference.fetch(contig, position - ARM, position)
    return reverse_complement(reference.fetch(contig, position - 1, position - 1 + ARM))


def alt_of(own: str, other: str, partner: str, base: str, inserted: str) -> str:
    """Spell a breakend after VCF 4.3, section 5.4; `inserted` on the own strand."""
    bracket = "]" if other == "+" else "["
    place = f"{bracket}{partner}{bracket}"
    return f"{base}{inserted}{place}" if own == "+" else f"{place}{inserted}{base}"


def mates(
    reference: InventedReference,
    join: Joined,
    *,
    info: tuple[str, str] = (".", "."),
    names: tuple[str, str] = ("m:1", "m:2"),
    written: bool = True,
) -> list[str]:
    """Write both breakends; inserted bases in ALT only where the caller does so."""
    one, two = join.strands[0], join.strands[1]
    inserted = join.inserted if written else ""
    # Read from the first end: on its own strand where it is `+`, else turned.
    first = inserted if one == "+" else reverse_complement(inserted)
    second = reverse_complement(inserted) if two == "+" else inserted
    base1 = reference.fetch("c1", join.first - 1, join.first)
    base2 = reference.fetch("c2", join.second - 1, join.second)
    alt1 = alt_of(one, two, f"c2:{join.second}", base1, first)
    alt2 = alt_of(two, one, f"c1:{join.first}", base2, second)
    return [
        f"c1 {join.first} {names[0]} {base1} {alt1} . PASS {info[0]}",
        f"c2 {join.second} {names[1]} {base2} {alt2} . PASS {info[1]}",
    ]


def as_breakpoint(marker: Marker) -> Breakpoint:
    assert isinstance(marker, Breakpoint)
    return marker


def rebuilt(path: Path, reference: InventedReference) -> list[str]:
    markers = import_panel([path]).panel.marker
    return [build_haplotypes(as_breakpoint(m), reference).alt.bases for m in markers]


def holds(haplotype: str, junction: str) -> bool:
    return junction in haplotype or reverse_complement(junction) in haplotype


@pytest.mark.parametrize("inserted", ["", "GATTC"])
@pytest.mark.parametrize("strands", ORIENTATIONS)
def test_manta_and_gridss_in_all_orientations(
    write_vcf: WriteVcf, reference: InventedReference, strands: str, inserted: str
) -> None:
    """Both write inserted bases into ALT; both records are one marker."""
    join = Joined(FIRST, SECOND, strands, inserted)
    info = ("SVTYPE=BND;MATEID=m:2", "SVTYPE=BND;MATEID=m:1")
    records = mates(reference, join, info=info)
    for chosen in (records, records[:1], records[1:]):
        (haplotype,) = rebuilt(write_vcf(*chosen), reference)
        assert holds(haplotype, join.bases(reference))


@pytest.mark.parametrize("strands", ORIENTATIONS)
def test_mates_of_a_join_with_homology_are_one_marker(
    write_vcf: WriteVcf, strands: str
) -> None:
    """Manta puts each record leftmost: where both sides face one way, ends differ."""
    invented = InventedReference({"c1": 6000, "c2": 6000}, seed=7)
    step = {"+": 1, "-": -1}
    homology = "ACGG"
    turned = reverse_complement(homology)
    # The first end goes on, in the wild type, with what the second begins with.
    place, after = (FIRST, homology) if strands[0] == "+" else (FIRST - 5, turned)
    invented.place("c1", place, after)
    plus = strands[1] == "+"
    place, before = (SECOND - 4, turned) if plus else (SECOND - 1, homology)
    invented.place("c2", place, before)
    given = Joined(FIRST, SECOND, strands)
    moved = Joined(FIRST + 4 * step[strands[0]], SECOND - 4 * step[strands[1]], strands)
    assert given.bases(invented)[4:] == moved.bases(invented)[:-4]
    info = ("SVTYPE=BND;HOMLEN=4;HOMSEQ=ACGG",) * 2
    records = [
        mates(invented, given, info=info)[0],
        mates(invented, moved, info=info)[1],
    ]
    imported = import_panel([write_vcf(*records)])
    (marker,) = imported.panel.marker
    haplotype = build_haplotypes(as_breakpoint(marker), invented).alt.bases
    assert holds(haplotype, given.bases(invented))
    assert any("mate" in note for note in imported.notes)
    # A second join that is not within the homology stays one of its own.
    beyond = Joined(
        FIRST + 6 * step[strands[0]], SECOND - 6 * step[strands[1]], strands
    )
    records[1] = mates(invented, beyond, info=info)[1]
    assert len(import_panel([write_vcf(*records)]).panel.marker) == 2


@pytest.mark.parametrize("inserted", ["", "GATTC"])
@pytest.mark.parametrize("strands", ORIENTATIONS)
def test_svaba_tells_inserted_bases_beside_the_allele(
    write_vcf: WriteVcf, reference: InventedReference, strands: str, inserted: str
) -> None:
    """Version 2 spells INSERTION on the forward strand of the record `ID:1`."""
    join = Joined(FIRST, SECOND, strands, inserted)
    spelt = inserted if strands[0] == "+" else reverse_complement(inserted)
    info = f"SVTYPE=BND;INSERTION={spelt}" if inserted else "SVTYPE=BND"
    records = mates(reference, join, info=(info, info), written=False)
    path = write_vcf(*records)
    if inserted:
        with pytest.raises(FaultList, match="not told by versions of SvABA before 2"):
            import_panel([path])
    for chosen in (records, records[1:]):
        path = write_vcf(*chosen)
        text = path.read_text("utf-8")
        head = "##fileformat=VCFv4.3\n"
        path.write_text(text.replace(head, f"{head}##source=svabaV2.0.1\n"), "utf-8")
        (haplotype,) = rebuilt(path, reference)
        assert holds(haplotype, join.bases(reference))


CONNECTIONS = {"+-": "3to5", "-+": "5to3", "++": "3to3", "--": "5to5"}
DELLY = (
    '##INFO=<ID=CHR2,Number=1,Type=String,Description="x">\n'
    '##INFO=<ID=POS2,Number=1,Type=Integer,Description="x">\n'
    '##INFO=<ID=END2,Number=1,Type=Integer,Description="x">\n'
    '##INFO=<ID=CT,Number=1,Type=String,Description="x">\n'
    '##INFO=<ID=STRANDS,Number=1,Type=String,Description="x">\n'
    '##INFO=<ID=INSLEN,Number=1,Type=Integer,Description="x">\n'
    '##INFO=<ID=NTLEN,Number=1,Type=Integer,Description="x">\n'
    '##INFO=<ID=PRECISE,Number=0,Type=Flag,Description="x">\n'
    '##INFO=<ID=IMPRECISE,Number=0,Type=Flag,Description="x">\n'
)


@pytest.fixture
def write_delly(write_vcf: WriteVcf) -> WriteVcf:
    """Write records with the INFO lines of DELLY, GATK-SV and Pindel."""

    def write(*records: str) -> Path:
        path = write_vcf(*records)
        head = "##fileformat=VCFv4.3\n"
        text = path.read_text("utf-8").replace(head, head + DELLY)
        path.write_text(text, "utf-8")
        return path

    return write


@pytest.mark.parametrize("strands", ORIENTATIONS)
def test_delly_and_gatk_sv_in_all_orientations(
    write_delly: WriteVcf, reference: InventedReference, strands: str
) -> None:
    join = Joined(FIRST, SECOND, strands)
    base = reference.fetch("c1", FIRST - 1, FIRST)
    ct = CONNECTIONS[strands]
    bnd = mates(reference, join, info=(f"PRECISE;CT={ct};INSLEN=0", "."))[0]
    for record in (
        bnd,
        f"c1 {FIRST} a {base} <TRA> . PASS CHR2=c2;END={SECOND};CT={ct}",
        f"c1 {FIRST} a {base} <TRA> . PASS CHR2=c2;POS2={SECOND};END={FIRST};CT={ct}",
        f"c1 {FIRST} a N <BND> . PASS CHR2=c2;END2={SECOND};STRANDS={strands}",
    ):
        (haplotype,) = rebuilt(write_delly(record), reference)
        assert holds(haplotype, join.bases(reference)), record


@pytest.mark.parametrize(("ct", "flag"), [("3to3", "INV3"), ("5to5", "INV5")])
def test_an_inversion_of_one_join(
    write_delly: WriteVcf, reference: InventedReference, ct: str, flag: str
) -> None:
    """DELLY's CT says what Manta's INV3 and INV5 say."""
    base = reference.fetch("c1", 999, 1000)
    text = f"c1 1000 . {base} <INV> . PASS END=2000;"
    (by_delly,) = rebuilt(write_delly(f"{text}CT={ct}"), reference)
    (by_manta,) = rebuilt(write_delly(f"{text}{flag}"), reference)
    assert by_delly == by_manta


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("c1 2000 a A A[c2:3000[ . PASS PRECISE;INSLEN=3", "3 bases are inserted"),
        ("c1 2000 a A <DUP:TANDEM> . PASS END=2060;NTLEN=5", "5 bases are inserted"),
        ("c1 2000 a A <DEL> . PASS END=2300;SVINSLEN=2", "2 bases are inserted"),
        ("c1 2000 a A <DEL> . PASS IMPRECISE;END=2300", "not known to the base"),
        ("c1 2000 a A A]c2:3000] . PASS IMPRECISE", "not known to the base"),
        ("c1 2000 a A <TRA> . PASS CHR2=c2;END=3000", "which bases are joined"),
        ("c1 2000 a A <BND> . PASS STRANDS=+-", "which bases are joined"),
        ("c1 2000 a A <CPX> . PASS END=3000", "which bases are joined"),
        ("c1 2000 a A <INS> . PASS SVLEN=300", "does not give the inserted sequence"),
        ("c1 2000 a A <INS:ME:ALU> . PASS SVLEN=280", "does not give the inserted"),
        ("c1 2000 a A <INS> . PASS LEFT_SVINSSEQ=ACGTAC", "gives only an end of"),
    ],
)
def test_what_callers_do_not_tell_is_never_made_up(
    write_delly: WriteVcf, record: str, reason: str
) -> None:
    """A filler that is missing would make another allele, and a silent zero."""
    with pytest.raises(FaultList, match=f"record 1 .*{reason}"):
        import_panel([write_delly(record)])


def test_sniffles_writes_an_unknown_ref(
    write_vcf: WriteVcf, reference: InventedReference
) -> None:
    inserted = "GATTCAGGCTAAC"
    expected = reference.fetch("c1", 940, 1000) + inserted
    expected += reference.fetch("c1", 1000, 1060)
    for alt in (inserted, f"N{inserted}"):
        (haplotype,) = rebuilt(write_vcf(f"c1 1000 s N {alt} . PASS ."), reference)
        assert expected in haplotype


@pytest.mark.parametrize("strands", ORIENTATIONS)
def test_arriba_names_genomic_ends_by_direction(
    tmp_path: Path, reference: InventedReference, strands: str
) -> None:
    """`downstream`: the partner lies beyond the end, so the bases up to it are kept."""
    words = {"+": "downstream", "-": "upstream"}
    columns = (
        "#gene1 gene2 breakpoint1 breakpoint2 closest_genomic_breakpoint1 "
        "closest_genomic_breakpoint2 direction1 direction2 fusion_transcript"
    )
    row = (
        f"A B c1:1990 c2:3010 c1:{FIRST}(10) c2:{SECOND}(10) {words[strands[0]]} "
        f"{words[strands[1]]} ."
    )
    path = tmp_path / "fusions.tsv"
    path.write_text(f"{columns}\n{row}\n".replace(" ", "\t"), "utf-8")
    (haplotype,) = rebuilt(path, reference)
    assert holds(haplotype, Joined(FIRST, SECOND, strands).bases(reference))


@pytest.mark.parametrize("strands", ORIENTATIONS)
def test_star_fusion_reads_both_arms_on_their_strands(
    tmp_path: Path, reference: InventedReference, strands: str
) -> None:
    """Breakpoints are the last base of the left exon and the first of the right."""
    path = tmp_path / "fusions.tsv"
    path.write_text(
        "#FusionName\tLeftBreakpoint\tRightBreakpoint\n"
        f"A--B\tc1:{FIRST}:{strands[0]}\tc2:{SECOND}:{strands[1]}\n",
        "utf-8",
    )
    left = kept(reference, "c1", FIRST, strands[0])[-30:]
    turned = {"+": "-", "-": "+"}[strands[1]]
    right = reverse_complement(kept(reference, "c2", SECOND, turned))[:30]
    fasta = tmp_path / "r.fa"
    reference.write(fasta)
    with Reference(fasta) as opened:
        options = ImportOptions(reference=opened)
        (marker,) = import_panel([path], options=options).panel.marker
    assert isinstance(marker, Sequence)
    assert marker.sequence == left + right
    assert marker.join == 30
