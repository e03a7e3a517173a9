"""One sample in every format and by any way of reading: the same counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mrdtrack.counting.count import count_reads
from mrdtrack.counting.plan import plan_counting
from mrdtrack.counting.reads_file import open_reads
from mrdtrack.counting.settings import CountingSettings, build_read_filter
from mrdtrack.counting.targets import encode_bases
from mrdtrack.errors import AlignmentsError, FaultList, PanelError, ReferenceMismatch
from mrdtrack.panel.reference import Reference
from tests.counting.builders import (
    GENOME,
    Read,
    bases,
    breakpoint_of,
    classes,
    count,
    duplication,
    make_panel,
    snv,
    unlike,
    variant,
    wild,
    write_reads,
    write_reference,
)

AT = 300
ALT = unlike(GENOME["chr1"][AT])
BREAK = breakpoint_of(("chr1", 1200, "+"), ("chr2", 401, "-"))
JOINED = bases("chr1", 1150, 1200) + bases("chr2", 400, 450)
PANEL = make_panel(snv(AT), BREAK, duplication(800, 821))
READS = [
    *(wild(f"snv{i}", 220 + i, 320 + i, {AT: ALT}) for i in range(3)),
    *(wild(f"ref{i}", 220 + i, 320 + i, flag=16 * (i % 2)) for i in range(9)),
    Read(name="join", bases=JOINED, start=1150, cigar="50M50S"),
    wild("one", 1150, 1250),
    wild("two", 350, 450, contig="chr2"),
    wild("beside", 190, 290),
    *(wild(f"dup{i}", 770 + i, 850 + i) for i in range(4)),
    Read(
        name="lost",
        bases=JOINED,
        start=1100,
        flag=1 | 4 | 128,
        mapping_quality=0,
        mate=("chr1", 1100),
    ),
    wild("lost", 1100, 1180, flag=1 | 8 | 64, mate=("chr1", 1100)),
    Read(name="loose", bases="ACGT" * 20, contig=None, flag=4, mapping_quality=0),
]


@pytest.mark.parametrize(
    ("name", "indexed", "settings"),
    [
        ("sample.bam", False, {}),
        ("sample.sam", False, {}),
        ("sample.bam", True, {"scan": True}),
        ("sample.bam", True, {"threads": 2}),
        ("sample.bam", False, {"threads": 2}),
        ("sample.cram", True, {}),
    ],
)
def test_the_file_and_the_way_it_is_read_change_nothing(
    tmp_path: Path, name: str, indexed: bool, settings: dict[str, Any]
) -> None:
    plain = count(tmp_path, READS, PANEL)
    assert [classes(row)[:2] for row in plain.markers] == [(3, 9), (2, 2), (0, 4)]
    assert plain.sample == "sample"
    again = count(tmp_path, READS, PANEL, name=name, indexed=indexed, **settings)
    assert [classes(row) for row in again.markers] == [
        classes(row) for row in plain.markers
    ]
    assert again.background == plain.background
    assert [row.denominator for row in again.markers] == [
        row.denominator for row in plain.markers
    ]


def test_read_groups_name_the_sample(tmp_path: Path) -> None:
    one = ["@RG\tID:a\tSM:P1-day29", "@RG\tID:b\tSM:P1-day29"]
    assert count(tmp_path, READS, PANEL, lines=one).sample == "P1-day29"


def test_rows_stand_in_the_order_of_the_panel(tmp_path: Path) -> None:
    clone = {"kind": "sequence", "sequence": bases("chr1", 230, 270)}
    panel = make_panel(clone, snv(AT), {**clone, "id": "again"}, BREAK)
    counts = count(tmp_path, READS, panel)
    assert [row.marker for row in counts.markers] == ["m1", "m2", "again", "m4"]
    assert [row.kind for row in counts.markers[:2]] == ["sequence", "small_variant"]


@pytest.mark.parametrize("with_marker", [True, False])
def test_germline_positions_are_counted(tmp_path: Path, with_marker: bool) -> None:
    ref = GENOME["chr1"][AT]
    place = {"contig": "chr1", "position": AT + 1, "ref": ref, "alt": ALT}
    marker = snv(700) if with_marker else {"kind": "sequence", "sequence": "ACGTT" * 8}
    panel = make_panel(marker, identity=[{**place, "genotype": "0/1"}])
    (held,) = count(tmp_path, READS, panel).identity
    assert (held.ref_molecules, held.alt_molecules) == (9, 3)
    assert (held.position, held.genotype) == (AT + 1, "0/1")


def plan_with(folder: Path, panel: Any, contigs: dict[str, int]) -> Any:
    fasta = write_reference(folder / "reference.fa")
    path = write_reads(folder / "s.bam", [], contigs=contigs)
    with Reference(fasta) as reference:
        return plan_counting(panel, open_reads(path, None), reference)


def test_contigs_named_otherwise_are_told(tmp_path: Path) -> None:
    with pytest.raises(AlignmentsError, match="it is called '1' there"):
        plan_with(tmp_path, PANEL, {"1": 2000, "2": 1000})
    with pytest.raises(AlignmentsError, match="of one assembly"):
        plan_with(tmp_path, PANEL, {"chr1": 2000, "chrX": 1000})


def test_contigs_of_another_length_are_told(tmp_path: Path) -> None:
    with pytest.raises(
        AlignmentsError, match=r"'chr1' has 1990 bases in the reads and 2000 in"
    ):
        plan_with(tmp_path, PANEL, {"chr1": 1990, "chr2": 1000})
    plan = plan_with(tmp_path, make_panel(snv(AT)), {"chr1": 2000, "chr2": 900})
    assert len(plan.located) == 1


def test_a_reference_that_is_an_extract_is_told(tmp_path: Path) -> None:
    panel = make_panel(snv(AT))
    plan = plan_with(tmp_path, panel, {"chr1": 248_956_422, "chr2": 1000})
    (finding,) = plan.findings
    assert finding.code == "REFERENCE_EXTRACT"
    assert "only a part of chr1:" in finding.message
    assert plan_with(tmp_path, panel, {"chr1": 2000, "chr2": 5000}).findings == ()


def test_regions_are_merged_and_reach_further_for_junctions(tmp_path: Path) -> None:
    near = make_panel(snv(AT), snv(AT + 1), snv(900))
    regions = plan_with(tmp_path, near, {"chr1": 2000, "chr2": 1000}).regions
    assert [(r.contig_index, r.start, r.end) for r in regions] == [
        (0, 250, 352),
        (0, 850, 951),
    ]
    wide = plan_with(tmp_path, make_panel(BREAK), {"chr1": 2000, "chr2": 1000}).regions
    assert [r.contig_index for r in wide] == [0, 1]
    assert wide[0].start <= 1200 - 500
    assert wide[0].end >= 1200 + 500


def test_markers_with_a_position_need_a_reference(tmp_path: Path) -> None:
    path = write_reads(tmp_path / "s.bam", [])
    with pytest.raises(ReferenceMismatch, match=r"marker 'm1': .*need the reference"):
        count_reads(path, PANEL, None, CountingSettings())


def test_all_markers_that_do_not_fit_are_told_at_once(tmp_path: Path) -> None:
    wrong = variant(AT, ALT, GENOME["chr1"][AT])
    beyond = duplication(1900, 2400)
    with pytest.raises(FaultList) as caught:
        count(tmp_path, [], make_panel(wrong, snv(AT), beyond))
    assert caught.value.where == "2 markers"
    first, second = caught.value.faults
    assert first.startswith("marker 'm1' at chr1:301: REF is")
    assert second.startswith("marker 'm3': position 2400 lies beyond")
    with pytest.raises(PanelError, match="marker 'm1' at chr1:301"):
        count(tmp_path, [], make_panel(wrong, snv(AT)))


def test_reads_of_another_sequence_are_refused(tmp_path: Path) -> None:
    other = {p: unlike(GENOME["chr1"][p]) for p in range(250, 350, 3)}
    reads = [wild(f"r{i}", 250, 350, other) for i in range(8)]
    with pytest.raises(AlignmentsError, match=r"3\d% of the bases around the markers"):
        count(tmp_path, reads, make_panel(snv(AT)))
    few = count(tmp_path, reads[:1], make_panel(snv(AT)))
    assert few.markers[0].molecules == 1


def test_a_panel_of_sequences_reads_no_region(tmp_path: Path) -> None:
    path = write_reads(tmp_path / "s.bam", READS)
    panel = make_panel({"kind": "sequence", "sequence": JOINED[25:75]})
    counts = count_reads(path, panel, None, CountingSettings())
    assert counts.markers[0].alt == 2
    assert len(counts.background) == 0


def test_unaligned_reads_say_why_a_marker_is_not_assessed(tmp_path: Path) -> None:
    path = write_reads(
        tmp_path / "u.bam",
        [Read(name="u", bases=JOINED, contig=None, flag=4, mapping_quality=0)],
        indexed=False,
        contigs={},
    )
    clone = {"kind": "sequence", "sequence": JOINED[25:75]}
    located, held = count_reads(
        path, make_panel(snv(AT), clone), None, CountingSettings()
    ).markers
    assert not located.assessable
    assert located.reason.startswith("the reads are not aligned")
    assert (located.alt, located.denominator) == (None, None)
    assert (held.alt, held.denominator) == (1, 1)


def test_qualities_become_phred() -> None:
    found = build_read_filter(CountingSettings(min_base_quality=20, umi_tag="BX"))
    assert found.match_phred[19] == found.mismatch_phred[19] == 0
    assert found.match_phred[20] == pytest.approx(5.977, abs=1e-3)
    assert found.mismatch_phred[30] == pytest.approx(-28.751, abs=1e-3)
    assert found.mismatch_phred[93] == found.mismatch_phred[60]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (CountingSettings(), ["cD", "MI", "RX"]),
        (CountingSettings(umi_tag="BX"), ["cD", "BX"]),
        (CountingSettings(molecules="umi"), ["cD", "MI", "RX"]),
        (CountingSettings(molecules="fragments", umi_tag="BX"), []),
        (CountingSettings(molecules="consensus"), []),
    ],
)
def test_only_tags_that_molecules_depend_on_are_read(
    settings: CountingSettings, expected: list[str]
) -> None:
    found = build_read_filter(settings)
    letters = [chr(tag & 255) + chr(tag >> 8) for tag in found.tags.tolist()]
    assert letters == expected
    assert found.n_tags == len(expected)


def test_bases_are_coded() -> None:
    assert encode_bases("ACGTNa").tolist() == [0, 1, 2, 3, 4, 4]
