"""The background: wrong alleles that were planted are found where they stand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mrdtrack.counting.background import lay_stretches
from mrdtrack.counting.background_sites import (
    background_sites,
    share_unlike_reference,
)
from mrdtrack.counting.plan import plan_counting
from mrdtrack.counting.reads_file import open_reads
from mrdtrack.counting.settings import CountingSettings
from mrdtrack.counts import BackgroundSite, BackgroundSites, SampleCounts
from mrdtrack.panel.reference import Reference
from tests.counting.builders import (
    GENOME,
    RUN,
    Read,
    bases,
    breakpoint_of,
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

ONE = GENOME["chr1"]
AT = 300
ERROR = 320
WRONG = unlike(ONE[ERROR])


def site(counts: SampleCounts, start: int, alt: str) -> BackgroundSite:
    """Find the site of a wrong allele; `start` is 0-based."""
    (found,) = [s for s in counts.background if (s.position, s.alt) == (start + 1, alt)]
    return found


def positions(counts: SampleCounts, contig: str = "chr1") -> set[int]:
    """Give the 0-based positions that have a site."""
    return {s.position - 1 for s in counts.background if s.contig == contig}


def test_planted_errors_are_counted_in_their_context(tmp_path: Path) -> None:
    reads = [wild(f"e{i}", 250, 350, {ERROR: WRONG}) for i in range(2)]
    reads += [wild(f"r{i}", 250 + i, 350 + i) for i in range(8)]
    reads += [wild("poor", 250, 350, {ERROR: WRONG}, quality=10)]
    counts = count(tmp_path, reads, make_panel(snv(AT)))
    found = site(counts, ERROR, WRONG)
    assert (found.alt_molecules, found.molecules) == (2, 10)
    context = ONE[ERROR - 1 : ERROR + 2]
    assert found.error_class == f"{context[0]}[{context[1]}>{WRONG}]{context[2]}"
    assert (found.contig, found.ref) == ("chr1", ONE[ERROR])
    wrong = [s for s in counts.background if s.alt_molecules]
    assert wrong == [found]


def test_marker_and_germline_positions_are_left_out(tmp_path: Path) -> None:
    reads = [wild(f"r{i}", 240 + i, 360 + i) for i in range(5)]
    place = {
        "contig": "chr1",
        "position": 331,
        "ref": ONE[330],
        "alt": unlike(ONE[330]),
    }
    panel = make_panel(snv(AT), snv(310), identity=[place])
    found = positions(count(tmp_path, reads, panel))
    assert found == set(range(250, 361)) - {AT, 310, 330}


def test_an_indel_marker_keeps_its_surroundings_out(tmp_path: Path) -> None:
    low, high = RUN
    reads = [wild(f"r{i}", 540 + i, 670 + i) for i in range(5)]
    panel = make_panel(variant(high - 2, "AA", "A"))
    found = positions(count(tmp_path, reads, panel))
    assert not found & set(range(low - 2, high + 2))
    assert {low - 3, high + 2} <= found


def test_indels_have_classes_by_size_and_run(tmp_path: Path) -> None:
    low, high = RUN
    held = bases("chr1", 560, low) + bases("chr1", low + 1, 660)
    more = bases("chr1", 560, low) + "A" + bases("chr1", low, 660)
    reads = [
        Read(name="del", bases=held, start=560, cigar=f"{low - 560}M1D{659 - low}M"),
        Read(name="ins", bases=more, start=560, cigar=f"{low - 560}M1I{660 - low}M"),
        *(wild(f"r{i}", 560, 660) for i in range(6)),
    ]
    counts = count(tmp_path, reads, make_panel(snv(630), snv(570)))
    lost, gained = site(counts, low - 1, "-1"), site(counts, low - 1, "+1")
    run = high - low
    assert (lost.alt_molecules, lost.error_class) == (1, f"del1:h{run}")
    assert gained.alt_molecules == 1
    assert gained.error_class.startswith("ins1:h")
    assert lost.molecules == gained.molecules == 8
    assert lost.ref == ONE[low - 1]
    inside = [s for s in counts.background if low <= s.position - 1 < high - 1]
    assert not [s for s in inside if s.alt in {"-1", "+1"}]


def test_the_sizes_of_the_panels_own_indels_are_asked_for(tmp_path: Path) -> None:
    base = ONE[AT - 1]
    reads = [wild(f"r{i}", 240 + i, 360 + i) for i in range(3)]
    counts = count(tmp_path, reads, make_panel(variant(AT - 1, base, base + "TCTG")))
    assert {"+1", "-1", "+4"} == {s.alt for s in counts.background if len(s.alt) == 2}


def test_mates_are_one_molecule_here_too(tmp_path: Path) -> None:
    reads = [
        wild("pair", 230, 340, {ERROR: WRONG}, flag=99, mate=("chr1", 260)),
        wild("pair", 260, 370, {ERROR: WRONG}, flag=147, mate=("chr1", 230)),
        wild("r", 250, 350, flag=1 | 8 | 64),
        wild("copy", 250, 350, {ERROR: WRONG}, flag=1 | 8 | 64 | 1024),
    ]
    panel = make_panel(snv(AT))
    found = site(count(tmp_path, reads, panel), ERROR, WRONG)
    assert (found.alt_molecules, found.molecules) == (1, 2)
    found = site(count(tmp_path, reads, panel, molecules="reads"), ERROR, WRONG)
    assert (found.alt_molecules, found.molecules) == (2, 3)


def test_an_error_of_one_copy_is_outvoted_by_its_family(tmp_path: Path) -> None:
    def tagged(name: str, umi: str, *, wrong: bool) -> Read:
        change = {ERROR: WRONG} if wrong else {}
        return wild(name, 250, 350, change, tags={"RX": umi})

    reads = [
        *(tagged(f"a{i}", "ACGTACGT", wrong=i == 0) for i in range(4)),
        *(tagged(f"b{i}", "GGTTCCAA", wrong=True) for i in range(3)),
        tagged("c", "TTTTAAAA", wrong=True),
    ]
    panel = make_panel(snv(AT))
    found = site(count(tmp_path, reads, panel), ERROR, WRONG)
    assert (found.alt_molecules, found.molecules) == (2, 3)
    found = site(count(tmp_path, reads, panel, min_family_size=2), ERROR, WRONG)
    assert (found.alt_molecules, found.molecules) == (1, 2)


def test_both_sides_of_a_breakpoint_have_a_background(tmp_path: Path) -> None:
    reads = [
        wild("one", 1100, 1300),
        wild("two", 300, 500, contig="chr2"),
    ]
    marker = breakpoint_of(("chr1", 1200, "+"), ("chr2", 401, "-"))
    counts = count(tmp_path, reads, make_panel(marker))
    assert {1155, 1245} <= positions(counts)
    assert 1200 not in positions(counts)
    assert {355, 445} <= positions(counts, "chr2")


def test_a_duplication_is_a_place_of_its_own(tmp_path: Path) -> None:
    counts = count(tmp_path, [wild("r", 700, 900)], make_panel(duplication(800, 821)))
    assert not positions(counts) & set(range(800, 821))
    assert {760, 850} <= positions(counts)


def test_unknown_bases_and_the_ends_of_a_contig_are_left_out(tmp_path: Path) -> None:
    genome = {**GENOME, "chr1": ONE[:30] + "N" + ONE[31:]}
    fasta = write_reference(tmp_path / "n.fa", genome)
    path = write_reads(tmp_path / "s.bam", [wild("r", 0, 100), wild("e", 1900, 2000)])
    panel = make_panel(snv(20), snv(1990))
    with Reference(fasta) as reference:
        reads = open_reads(path, None)
        stretches = lay_stretches(plan_counting(panel, reads, reference), reference)
    assert stretches.arrays.low.tolist() == [1, 1940]
    assert stretches.arrays.high.tolist() == [71, 1999]
    assert "N" in stretches.bases[0]
    from mrdtrack.counting.count import count_reads

    with Reference(fasta) as reference:
        counts = count_reads(path, panel, reference, CountingSettings())
    assert not positions(counts) & {29, 30, 31}
    assert {28, 32, 1998} <= positions(counts)
    assert 0 not in positions(counts)


def test_without_records_there_is_no_background(tmp_path: Path) -> None:
    fasta = write_reference(tmp_path / "r.fa")
    path = write_reads(tmp_path / "s.bam", [])
    with Reference(fasta) as reference:
        plan = plan_counting(make_panel(snv(AT)), open_reads(path, None), reference)
        stretches = lay_stretches(plan, reference)
    assert np.count_nonzero(stretches.of_marker) == 1
    assert len(background_sites(stretches, None)) == 0
    asked = count(tmp_path, [], make_panel(snv(AT)), molecules="umi")
    assert len(asked.background) == 0


def test_the_share_unlike_the_reference_needs_enough_bases() -> None:
    def made(alt: str, wrong: int, depth: int) -> BackgroundSite:
        return BackgroundSite(
            contig="c",
            position=1,
            ref="A",
            alt=alt,
            error_class="x",
            alt_molecules=wrong,
            molecules=depth,
        )

    def share(sites: list[BackgroundSite]) -> float:
        return share_unlike_reference(BackgroundSites.of(sites))

    sites = [made("C", 30, 100), made("G", 10, 100), made("T", 0, 100)]
    assert share(sites) == 0
    assert share(sites * 2) == 0.4
    assert share([*sites * 2, made("-1", 100, 100)]) == 0.4
    assert share([]) == 0
