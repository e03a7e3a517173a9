"""Real cases from a caller's own files: imported, counted, and as the case says."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping
from pathlib import Path

import pytest

from mrdtrack.counting.count import count_reads
from mrdtrack.counting.settings import CountingSettings
from mrdtrack.counts import MarkerCounts
from mrdtrack.panel.file import read_panel
from mrdtrack.panel.importers import import_panel
from mrdtrack.panel.importers.outcome import ImportOptions
from mrdtrack.panel.model import Panel, Sequence
from mrdtrack.panel.reference import Reference

pytestmark = pytest.mark.whole_samples

MARKER_TABLES = (
    "s01_ctdna_lymphoma_series",
    "s02_seracare_access_duplex",
    "s03_simsen_umi_pik3ca",
    "s11_igh_clonotypes_miseq",
    "s15_cram_chrM_na12878",
)
_SPELT = {"position", "contig", "ref", "alt", "sequence", "locus"}


def spelt(panel: Panel) -> list[dict[str, object]]:
    return [marker.model_dump(include=_SPELT) for marker in panel.marker]


def counted(
    case: Path, panel: Panel, reads: str, settings: CountingSettings | None = None
) -> Mapping[str, MarkerCounts]:
    """Count a panel in a case's reads; the reference where the panel needs one."""
    settings = settings or CountingSettings()
    if all(isinstance(marker, Sequence) for marker in panel.marker):
        counts = count_reads(case / reads, panel, None, settings)
    else:
        with Reference(case / "ref.fa.gz") as reference:
            counts = count_reads(case / reads, panel, reference, settings)
    return {row.marker: row for row in counts.markers}


@pytest.mark.parametrize("name", MARKER_TABLES)
def test_the_table_of_a_case_imports_as_its_panel(
    shared_cases: Path, name: str
) -> None:
    case = shared_cases / name
    given = read_panel(case / "panel.toml")
    table = spelt(import_panel([case / "markers.tsv"]).panel)
    for marker in spelt(given):
        assert marker in table


def test_trust4s_clones_are_counted_in_their_own_reads(shared_cases: Path) -> None:
    """Counts of the importer's markers are those of the case, clone by clone."""
    case = shared_cases / "s11_igh_clonotypes_miseq"
    imported = import_panel(
        [case / "trust4_report_top.tsv"], options=ImportOptions(min_share=0.005)
    )
    assert len(imported.panel.marker) >= 10
    with (case / "expected_counts.tsv").open(encoding="utf-8") as file:
        expected = {row["name"]: row for row in csv.DictReader(file, delimiter="\t")}
    of_case = {
        marker.sequence: marker.id
        for marker in read_panel(case / "panel.toml").marker
        if isinstance(marker, Sequence)
    }
    rows = counted(case, imported.panel, "reads.fastq.gz")
    n_compared = 0
    for marker in imported.panel.marker:
        assert isinstance(marker, Sequence)
        row = expected.get(of_case.get(marker.sequence, ""))
        if row is None:
            continue
        n_compared += 1
        found = rows[marker.id].alt
        assert found is not None
        assert 0.97 * int(row["exact_full_frags"]) <= found
        assert found <= int(row["mm2_full_reads"]) + 2
    assert n_compared >= 8


BREAK, PARTNER = 29223741, 42299749


def breakpoint_files(folder: Path) -> dict[str, Path]:
    """The breakpoint of the case as callers write it, from either end."""
    head = (
        "##fileformat=VCFv4.2\n##contig=<ID=chr2>\n"
        '##INFO=<ID=SVTYPE,Number=1,Type=String,Description="x">\n'
        '##INFO=<ID=HOMLEN,Number=1,Type=Integer,Description="x">\n'
        '##INFO=<ID=CT,Number=1,Type=String,Description="x">\n'
        '##INFO=<ID=CHR2,Number=1,Type=String,Description="x">\n'
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    )
    manta = "SVTYPE=BND;HOMLEN=1"
    lines = {
        "manta": (
            f"chr2\t{BREAK}\ta\tN\tN]chr2:{PARTNER}]\t.\tPASS\t{manta}\n"
            f"chr2\t{PARTNER - 1}\tb\tN\tN]chr2:{BREAK + 1}]\t.\tPASS\t{manta}\n"
        ),
        "gridss": (
            f"chr2\t{BREAK}\to\tN\tN]chr2:{PARTNER}]\t.\tPASS\tSVTYPE=BND\n"
            f"chr2\t{PARTNER}\th\tN\tN]chr2:{BREAK}]\t.\tPASS\tSVTYPE=BND\n"
        ),
        "delly": f"chr2\t{BREAK}\ti\tN\t<INV>\t.\tPASS\tEND={PARTNER};CT=3to3\n",
    }
    found = {}
    for name, text in lines.items():
        found[name] = folder / f"{name}.vcf"
        found[name].write_text(head + text, encoding="utf-8")
    found["packed"] = folder / "packed.vcf.gz"
    found["packed"].write_bytes(gzip.compress((head + lines["gridss"]).encode()))
    arriba = [
        "#gene1\tgene2\tbreakpoint1\tbreakpoint2\tclosest_genomic_breakpoint1\t"
        "closest_genomic_breakpoint2\tdirection1\tdirection2\tfusion_transcript",
        f"EML4\tALK\tchr2:42295516\tchr2:29223528\tchr2:{PARTNER}(4233)\t"
        f"chr2:{BREAK}(213)\tdownstream\tdownstream\t.",
    ]
    found["arriba"] = folder / "fusions.tsv"
    found["arriba"].write_text("\n".join(arriba) + "\n", encoding="utf-8")
    bedpe = [
        "chrom1\tstart1\tend1\tchrom2\tstart2\tend2\tname\tscore\tstrand1\tstrand2",
        f"chr2\t{BREAK - 1}\t{BREAK}\tchr2\t{PARTNER - 1}\t{PARTNER}\tb\t.\t+\t+",
    ]
    found["bedpe"] = folder / "breakpoints.bedpe"
    found["bedpe"].write_text("\n".join(bedpe) + "\n", encoding="utf-8")
    return found


def test_a_real_breakpoint_counts_alike_from_every_callers_file(
    shared_cases: Path, tmp_path: Path
) -> None:
    """H3122 shows the join, HCC827 does not, whichever file the marker came from."""
    case = shared_cases / "s09_eml4_alk_h3122"
    given = read_panel(case / "panel.toml")
    (name,) = (marker.id for marker in given.marker)
    expected = {
        reads: counted(case, given, reads)[name]
        for reads in ("H3122.bam", "HCC827.bam")
    }
    assert 62 <= (expected["H3122.bam"].alt or 0) <= 127
    assert expected["HCC827.bam"].alt == 0
    named = {"marker": "", "gene": None}
    for caller, path in breakpoint_files(tmp_path).items():
        panel = import_panel([path]).panel
        (marker,) = panel.marker
        for reads, row in expected.items():
            found = counted(case, panel, reads)[marker.id]
            assert found.model_copy(update=named) == row.model_copy(update=named), (
                caller
            )


def test_a_real_itd_counts_alike_from_every_callers_file(
    shared_cases: Path, tmp_path: Path
) -> None:
    """As VCF insertion, `<DUP>`, getITD's row and table: 0.66 to 0.72, never 0.41."""
    case = shared_cases / "s05_flt3_itd_amplicon"
    given = read_panel(case / "panel.toml")
    settings = CountingSettings(molecules="fragments")
    (row,) = counted(case, given, "reads.bam", settings).values()
    assert row.alt is not None
    assert row.denominator is not None
    assert 0.66 <= row.alt / row.denominator <= 0.72
    start, end = 28034124, 28034144
    vcf = tmp_path / "itd.vcf"
    vcf.write_text(
        "##fileformat=VCFv4.1\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        f"chr13\t{start - 1}\td\tT\t<DUP:TANDEM>\t.\tPASS\tEND={end}\n",
        encoding="utf-8",
    )
    getitd = tmp_path / "itds.tsv"
    getitd.write_text(
        "sample\tlength\tstart\tvaf\tstart_chr13_bp\tend_chr13_bp\ttrailing\n"
        f"s\t21\t70\t6.90e+01\t{end}\t{start}\tFalse\n",
        encoding="utf-8",
    )
    for path in (vcf, getitd, case / "markers.tsv"):
        panel = import_panel([path]).panel
        (found,) = counted(case, panel, "reads.bam", settings).values()
        named = {"marker": "", "kind": "duplication", "gene": None}
        assert found.model_copy(update=named) == row.model_copy(update=named), path.name
