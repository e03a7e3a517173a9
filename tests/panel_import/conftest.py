"""An invented reference, and a way to write VCF in one line a record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mrdtrack.lab.simulate_reference import InventedReference

VCF_HEADER = """\
##fileformat=VCFv4.3
##FILTER=<ID=LowQual,Description="low">
##INFO=<ID=END,Number=1,Type=Integer,Description="end">
##INFO=<ID=SVLEN,Number=.,Type=Integer,Description="length">
##INFO=<ID=SVTYPE,Number=1,Type=String,Description="type">
##INFO=<ID=SEQ,Number=1,Type=String,Description="sequence">
##INFO=<ID=SVINSSEQ,Number=.,Type=String,Description="inserted">
##INFO=<ID=HOMSEQ,Number=.,Type=String,Description="homology">
##INFO=<ID=HOMLEN,Number=.,Type=Integer,Description="homology">
##INFO=<ID=INV3,Number=0,Type=Flag,Description="first join only">
##INFO=<ID=INV5,Number=0,Type=Flag,Description="second join only">
##INFO=<ID=AF,Number=A,Type=Float,Description="share">
##INFO=<ID=GENE,Number=1,Type=String,Description="gene">
##INFO=<ID=CDS,Number=1,Type=String,Description="coding change">
##INFO=<ID=ANN,Number=.,Type=String,Description="Functional annotations">
##INFO=<ID=CSQ,Number=.,Type=String,Description="From VEP. Format: Allele|SYMBOL|HGVSc|PICK">
##FORMAT=<ID=GT,Number=1,Type=String,Description="genotype">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="depths">
##FORMAT=<ID=AF,Number=A,Type=Float,Description="share">
##FORMAT=<ID=FREQ,Number=1,Type=String,Description="percent">
##FORMAT=<ID=PR,Number=.,Type=Integer,Description="pairs">
##FORMAT=<ID=SR,Number=.,Type=Integer,Description="split reads">
##contig=<ID=c1,length=6000>
##contig=<ID=c2,length=6000>
"""  # noqa: E501 - a header line of VEP is this long


@pytest.fixture(scope="session")
def reference() -> InventedReference:
    """Two contigs of invented bases."""
    return InventedReference({"c1": 6000, "c2": 6000}, seed=7)


@pytest.fixture
def write_vcf(tmp_path: Path) -> Callable[..., Path]:
    """Write records (cells separated by blanks) with a header that fits them."""

    def write(*records: str, samples: tuple[str, ...] = ()) -> Path:
        columns = "#CHROM POS ID REF ALT QUAL FILTER INFO"
        if samples:
            columns += " FORMAT " + " ".join(samples)
        lines = [columns, *records]
        body = "\n".join("\t".join(line.split(" ")) for line in lines)
        path = tmp_path / "diagnosis.vcf"
        path.write_text(f"{VCF_HEADER}{body}\n", encoding="utf-8")
        return path

    return write
