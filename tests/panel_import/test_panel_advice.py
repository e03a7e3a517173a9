"""Advice on markers before follow-up: each finding where it belongs only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.errors import PanelError
from mrdtrack.lab.simulate_reference import InventedReference
from mrdtrack.panel.adjacency import reverse_complement
from mrdtrack.panel.advice import (
    Advice,
    ReadsFacts,
    advise,
    denominator_of,
    marker_windows,
)
from mrdtrack.panel.advice_places import tandem_repeat
from mrdtrack.panel.advice_sequences import edits_between
from mrdtrack.panel.common_variants import CommonVariant, Window, read_common_variants
from mrdtrack.panel.model import SCHEMA, Panel
from mrdtrack.panel.reference import Reference

JUNCTION = "TGTGCGAGAGACCCTTATTATCATGATAGTAACTATGACCTCCACCACTGG"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Reference]:
    """A reference with a repeat at 500 and 1500, and a run of eight at 1000."""
    invented = InventedReference({"c1": 3000}, seed=21)
    invented.place("c1", 999, "GAAAAAAAAC")
    invented.place("c1", 1500, invented.fetch("c1", 440, 560))
    invented.write(tmp_path / "r.fa")
    with Reference(tmp_path / "r.fa") as reference:
        yield reference


def panel_of(*markers: dict[str, Any]) -> Panel:
    return Panel.model_validate(
        {"schema": SCHEMA, "patient": "P", "marker": list(markers)}
    )


def sequence(name: str, bases: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "kind": "sequence", "sequence": bases, **more}


def snv(name: str, position: int, ref: str, **more: Any) -> dict[str, Any]:
    alt = {"A": "C", "C": "G", "G": "T", "T": "A"}[ref]
    place = {"contig": "c1", "position": position, "ref": ref, "alt": alt}
    return {"id": name, "kind": "small_variant", **place, **more}


def itd(name: str, start: int, end: int) -> dict[str, Any]:
    place = {"contig": "c1", "start": start, "end": end}
    return {"id": name, "kind": "duplication", **place}


def codes(*args: Any, **kwargs: Any) -> set[str]:
    found = {advice.code for advice in advise(*args, **kwargs)}
    return found - {"background_class", "denominator"}


def test_a_sound_marker_is_only_described(opened: Reference) -> None:
    panel = panel_of(snv("a", 2500, opened.fetch("c1", 2499, 2500)))
    assert codes(panel, opened, ReadsFacts(150)) == set()
    assert codes(panel) == set()
    told = {advice.code: advice.message for advice in advise(panel)}
    assert "molecules_at_locus" in told["denominator"]
    assert "class trans" in told["background_class"]


def test_repeats_runs_and_common_variants(opened: Reference) -> None:
    repeated = panel_of(snv("a", 500, opened.fetch("c1", 499, 500)))
    assert codes(repeated, opened) == {"repetitive"}
    run = snv("a", 1004, opened.fetch("c1", 1003, 1004))
    assert codes(panel_of(run), opened) == set()
    assert codes(panel_of({**run, "alt": "AA"}), opened) == {"homopolymer"}


def test_a_copy_on_the_other_strand_of_another_contig(tmp_path: Path) -> None:
    invented = InventedReference({"c1": 900, "c2": 900}, seed=22)
    invented.place("c2", 300, reverse_complement(invented.fetch("c1", 440, 560)))
    invented.write(tmp_path / "turned.fa")
    with Reference(tmp_path / "turned.fa") as reference:
        panel = panel_of(snv("a", 500, reference.fetch("c1", 499, 500)))
        found = {one.code: one.message for one in advise(panel, reference)}
    assert "stands 2 times in the reference" in found["repetitive"]


@pytest.mark.parametrize(
    ("probe", "found"),
    [
        ("GATTCAGCCT" + "AC" * 6 + "GGATCATGAC", ("AC", 6)),
        ("GATTC" + "CAG" * 4 + "TTACCATGACGGTTATCGC", None),
        ("GATTCATCTT" + "CAG" * 4 + "TTACCATGAC", ("CAG", 4)),
        ("GATTCAGCCTAACGTGCATTGACCTGAATG", None),
    ],
)
def test_short_units_repeated_over_the_middle(
    probe: str, found: tuple[str, int] | None
) -> None:
    assert tandem_repeat(probe) == found


def test_an_indel_in_a_short_repeat(tmp_path: Path) -> None:
    invented = InventedReference({"c1": 900}, seed=23)
    invented.place("c1", 490, "CA" * 10)
    invented.write(tmp_path / "repeat.fa")
    with Reference(tmp_path / "repeat.fa") as reference:
        base = reference.fetch("c1", 489, 490)
        indel = {**snv("a", 490, base), "alt": f"{base}CA"}
        found = {one.code: one.message for one in advise(panel_of(indel), reference)}
    assert "tandem_repeat" in found
    assert "times in a row" in found["tandem_repeat"]


def variants(*positions: int, frequency: float | None = 0.1) -> list[CommonVariant]:
    return [CommonVariant(place, "A", ("T",), frequency) for place in positions]


def test_common_variants_near_a_marker_and_the_marker_itself(opened: Reference) -> None:
    plain = panel_of(snv("a", 2500, opened.fetch("c1", 2499, 2500)))
    assert codes(plain, opened, None, {"c1": variants(100, 2530)}) == set()
    assert codes(plain, None, None, {"c2": variants(2500)}) == set()
    for place in (2475, 2499, 2500, 2525):
        found = codes(plain, opened, None, {"c1": variants(100, place)})
        assert found == {"near_common_variant"}, place
    own = snv("a", 100, "A", alt="T")
    advice = advise(panel_of(own), None, None, {"c1": variants(100, 110)})
    told = {one.code: one.message for one in advice}
    assert "itself a common variant, 0.1 of chromosomes" in told["is_common_variant"]
    assert "c1:110, 0.1 of chromosomes" in told["near_common_variant"]
    far = itd("itd", 1000, 2000)
    assert codes(panel_of(far), None, None, {"c1": variants(1500)}) == set()
    assert codes(panel_of(far), None, None, {"c1": variants(2010, frequency=None)}) == {
        "near_common_variant"
    }
    ends = {
        "left": {"contig": "c1", "position": 50, "strand": "+"},
        "right": {"contig": "c2", "position": 900, "strand": "-"},
    }
    fusion = panel_of({"id": "b", "kind": "breakpoint", **ends})
    assert codes(fusion, None, None, {"c2": variants(905)}) == {"near_common_variant"}
    assert list(marker_windows(fusion)) == [
        Window("c1", 24, 75), Window("c2", 874, 925),
    ]  # fmt: skip


VCF = """\
##fileformat=VCFv4.2
##contig=<ID=c1,length=3000>
##INFO=<ID=AF,Number=A,Type=Float,Description="frequency">
##INFO=<ID=CAF,Number=R,Type=Float,Description="dbSNP">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO
c1\t90\t.\tA\tT\t.\t.\tAF=0.2
c1\t100\t.\tA\tT,G\t.\t.\tAF=0.001,0.02
c1\t110\t.\tA\tT\t.\t.\tAF=0.001
c1\t120\t.\tA\tT\t.\t.\t.
c1\t121\t.\tA\tT\t.\t.\tCAF=0.9,0.1
c1\t122\t.\tA\tT\t.\t.\tCAF=0.999,0.001
c1\t400\t.\tA\tT\t.\t.\tAF=0.2
"""


@pytest.mark.parametrize("indexed", [False, True])
def test_common_variants_are_read_near_the_markers(
    tmp_path: Path, indexed: bool
) -> None:
    path = tmp_path / "common.vcf"
    path.write_text(VCF, "utf-8")
    if indexed:
        pysam.tabix_index(str(path), preset="vcf", force=True)
        path = tmp_path / "common.vcf.gz"
    found = read_common_variants(path, [Window("c1", 95, 130), Window("c9", 0, 5)])
    assert [(one.position, one.frequency) for one in found["c1"]] == [
        (100, pytest.approx(0.02)),
        (120, None),
        (121, pytest.approx(0.1)),
    ]
    assert set(found) == {"c1"}


def test_common_variants_of_another_naming_or_no_vcf(tmp_path: Path) -> None:
    path = tmp_path / "common.vcf"
    path.write_text(VCF, "utf-8")
    with pytest.raises(PanelError, match="it is called 'c1' there"):
        read_common_variants(path, [Window("chrc1", 95, 130)])
    path.write_text("nothing\n", "utf-8")
    with pytest.raises(PanelError, match="cannot be read as VCF"):
        read_common_variants(path, [Window("c1", 95, 130)])


def test_a_marker_at_the_end_of_its_contig_is_judged(opened: Reference) -> None:
    panel = panel_of(snv("a", 3000, opened.fetch("c1", 2999, 3000)))
    assert codes(panel, opened) == set()


def test_a_join_in_a_long_repeat_has_homology(opened: Reference) -> None:
    """The copy of 440-560 stands at 1500: joining both ends leaves 60 bases alike."""
    ends = {
        "left": {"contig": "c1", "position": 500, "strand": "+"},
        "right": {"contig": "c1", "position": 1561, "strand": "-"},
    }
    panel = panel_of({"id": "b", "kind": "breakpoint", **ends})
    assert "long_homology" in codes(panel, opened)


def amplicon(read_length: int) -> ReadsFacts:
    return ReadsFacts(read_length, is_amplicon=True)


def test_reads_that_cannot_carry_or_span(opened: Reference) -> None:
    panel = panel_of(itd("itd", 2000, 2149), sequence("igh", JUNCTION, locus="IGH"))
    assert codes(panel, opened, ReadsFacts(150)) == set()
    assert codes(panel, opened, amplicon(250)) == set()
    assert codes(panel, opened, amplicon(150)) == {"duplication_too_long_to_span"}
    assert codes(panel, opened, amplicon(40)) == {
        "duplication_too_long_to_span",
        "reads_too_short",
    }
    long_insertion = {**snv("i", 2500, opened.fetch("c1", 2499, 2500))}
    long_insertion["alt"] = long_insertion["ref"] + "GATTACAGCA" * 20
    assert "reads_too_short" not in codes(panel_of(long_insertion), None, amplicon(60))
    joined = panel_of(sequence("fusion", JUNCTION, join=20))
    assert codes(joined, opened, ReadsFacts(40)) == set()
    tiny = panel_of(snv("a", 2500, opened.fetch("c1", 2499, 2500)))
    assert codes(tiny, opened, ReadsFacts(20)) == {"reads_too_short"}


def test_denominators(opened: Reference) -> None:
    panel = panel_of(
        itd("itd", 2000, 2149),
        sequence("igh", JUNCTION, locus="IGH"),
        sequence("fusion", JUNCTION),
        snv("a", 2500, "A"),
    )
    for facts, first in (
        (ReadsFacts(), "flank"),
        (ReadsFacts(250), "flank"),
        (amplicon(250), "molecules_at_locus"),
        (amplicon(150), "flank"),
    ):
        kinds = [denominator_of(marker, facts) for marker in panel.marker]
        assert kinds == [first, "locus_reads", "locus_reads", "molecules_at_locus"]
    base, tandem = opened.fetch("c1", 1999, 2000), opened.fetch("c1", 2000, 2060)
    insertion = {**snv("i", 2000, base), "alt": base + tandem}
    told = {one.code: one.message for one in advise(panel_of(insertion), opened)}
    assert "flank" in told["denominator"]


def warnings(panel: Panel) -> list[Advice]:
    return [one for one in advise(panel) if one.severity == "warning"]


def test_sequences_that_another_person_can_hold() -> None:
    found = warnings(
        panel_of(
            sequence("none", JUNCTION, untemplated=0),
            sequence("one", JUNCTION[::-1], untemplated=1),
            sequence("two", JUNCTION[5:] + "GATTA", untemplated=2),
            sequence("many", JUNCTION[::-1][7:] + "CCATGAC", untemplated=3),
            sequence("simple", "ACACACACACACACACACACACACACACACACAC"),
        )
    )
    assert [(one.marker, one.code) for one in found] == [
        ("none", "not_unique"),
        ("one", "hardly_unique"),
        ("two", "hardly_unique"),
        ("simple", "simple_sequence"),
    ]
    assert "1 untemplated base only" in found[1].message


@pytest.mark.parametrize(
    ("stem", "few", "is_told"),
    [(20, 3, False), (19, 3, True), (20, 2, True), (20, 0, True), (20, None, True)],
)
def test_a_stem_that_others_may_share_is_told(
    stem: int, few: int | None, is_told: bool
) -> None:
    (marker,) = panel_of(sequence("a", JUNCTION)).marker
    told = marker.model_copy(update={"stem": stem, "stem_untemplated": few})
    found = warnings(panel_of(told.model_dump()))
    assert [one.code for one in found] == ["stem_hardly_unique"] * is_told
    if is_told:
        known = "an unknown number of" if few is None else str(few)
        assert f"its stem is {stem} bases with {known} untemplated" in found[0].message


def test_sequences_that_hold_each_other_on_either_strand() -> None:
    turned = reverse_complement(JUNCTION)
    found = warnings(
        panel_of(
            sequence("a", JUNCTION),
            sequence("b", turned[1:]),
            sequence("c", turned[8:]),
        )
    )
    assert [(one.marker, one.code) for one in found] == [
        ("b", "near_another_clonotype"),
        ("c", "within_another_sequence"),
        ("c", "within_another_sequence"),
    ]


def test_clonotypes_that_are_short_or_near_each_other() -> None:
    near = JUNCTION[:20] + JUNCTION[21:]
    panel = panel_of(
        sequence("a", JUNCTION), sequence("b", near), sequence("c", "ACGTACGTTGCA")
    )
    found = [advice for advice in advise(panel) if advice.severity == "warning"]
    assert [(advice.marker, advice.code) for advice in found] == [
        ("c", "short_sequence"),
        ("b", "near_another_clonotype"),
    ]
    assert "1 edit from 'a'" in found[1].message


def test_windows_are_those_of_a_markers_ends() -> None:
    panel = panel_of(
        snv("a", 100, "A"), itd("itd", 1000, 2000), sequence("igh", JUNCTION)
    )
    assert list(marker_windows(panel)) == [
        Window("c1", 74, 125), Window("c1", 974, 1024), Window("c1", 1975, 2025),
    ]  # fmt: skip


def test_unknown_bases_beside_a_marker(tmp_path: Path) -> None:
    invented = InventedReference({"c1": 900}, seed=24)
    bases = invented.fetch("c1", 0, 900)
    text = f">c1\n{bases[:510]}{'N' * 20}{bases[530:]}\n"
    (tmp_path / "n.fa").write_text(text, "utf-8")
    with Reference(tmp_path / "n.fa") as reference:
        near = panel_of(snv("a", 500, bases[499]))
        far = panel_of(snv("a", 300, bases[299]))
        assert codes(near, reference) == {"reference_unknown"}
        assert codes(far, reference) == set()


def test_a_long_insertion_is_a_duplication_only_beside_its_like(
    opened: Reference,
) -> None:
    base, tandem = opened.fetch("c1", 1999, 2000), opened.fetch("c1", 2000, 2060)
    insertion = {**snv("i", 2000, base), "alt": base + tandem}
    for facts, kind in (
        (amplicon(250), "molecules_at_locus"),
        (ReadsFacts(250), "flank"),
    ):
        told = {one.code: one for one in advise(panel_of(insertion), opened, facts)}
        assert kind in told["denominator"].message


def test_neighbours_without_a_group() -> None:
    apart = {**snv("b", 180, "A"), "contig": "c2"}
    assert codes(panel_of(snv("a", 100, "A"), apart)) == set()
    alleles = panel_of(snv("a", 100, "A"), {**snv("b", 100, "A"), "alt": "G"})
    assert codes(alleles) == set()
    many = panel_of(*(snv(f"m{n}", 100 + 5 * n, "A") for n in range(6)))
    (last,) = [
        one for one in advise(many) if one.marker == "m5" and "together" in one.message
    ]
    assert "'m0', 'm1', 'm2' and 2 more" in last.message
    alone = panel_of(snv("a", 100, "A"), snv("b", 180, "A"), snv("c", 400, "A"))
    assert codes(alone) == {"not_independent"}
    assert codes(alone, None, ReadsFacts(50)) == set()
    group = panel_of(snv("a", 100, "A", group="g"), snv("b", 180, "A", group="g"))
    assert codes(group) == set()


@given(st.text("ACGT", max_size=12), st.text("ACGT", max_size=12))
def test_edits_are_those_of_the_plain_recursion(first: str, second: str) -> None:
    def slow(a: str, b: str) -> int:
        if not a or not b:
            return len(a) + len(b)
        if a[0] == b[0]:
            return slow(a[1:], b[1:])
        return 1 + min(slow(a[1:], b), slow(a, b[1:]), slow(a[1:], b[1:]))

    first, second = first[:6], second[:6]
    distance = slow(first, second)
    expected = distance if distance <= 2 else None
    assert edits_between(first, second, most=2) == expected
