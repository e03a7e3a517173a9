"""The files that the benchmarks of speed read: reads and panels, made when needed."""

from __future__ import annotations

from pathlib import Path

from benchmarks.made_files import (
    LETTERS,
    Bytes,
    Recipe,
    amplicon_starts,
    even_starts,
    make_bam,
    make_reference,
    panel_starts,
)

PANEL_LENGTH = 2_000_000
WGS_LENGTH = 100_000_000
AMPLICON_READS = 1_200_000
"""Ten amplicons of 60,000 fragments each."""
SMALL_READS = 10_000


def write_panel(
    path: Path, bases: Bytes, sites: list[int], n_sequences: int = 0
) -> Path:
    """Write a panel of SNVs at 0-based sites, and of sequences cut from the contig."""
    lines = ['schema = "mrdtrack-panel/1"', 'patient = "P"', 'disease = "AML"']
    letters = LETTERS[bases].tobytes().decode()
    for site in sites:
        ref = letters[site]
        alt = "ACGT"[("ACGT".index(ref) + 1) % 4]
        lines += [
            "[[marker]]",
            f'id = "m{site}"',
            'kind = "small_variant"\ncontig = "chr1"',
            f'position = {site + 1}\nref = "{ref}"\nalt = "{alt}"',
        ]
    for number in range(n_sequences):
        at = (number * 7919 + 13) % (len(letters) - 200)
        sequence = letters[at : at + 30] + letters[at + 120 : at + 150]
        lines += [
            "[[marker]]",
            f'id = "s{number}"\nkind = "sequence"\nsequence = "{sequence}"',
        ]
    path.write_text("\n".join(lines) + "\n")
    bed = path.with_suffix(".bed")
    bed.write_text("".join(f"chr1\t{max(s - 1, 0)}\t{s + 2}\n" for s in sites))
    return path


def panel_sites(n_sites: int, n_regions: int = 20) -> list[int]:
    """Spread sites over the panel's regions."""
    return sorted(
        {
            (2 * (n % n_regions) + 1) * PANEL_LENGTH // (2 * n_regions)
            - 60
            + (n // n_regions) * max(1, 120 * n_regions // n_sites)
            for n in range(n_sites)
        }
    )


def even_sites(n_sites: int, length: int) -> list[int]:
    """Spread sites evenly over a contig."""
    return [(2 * n + 1) * length // (2 * n_sites) for n in range(n_sites)]


class Files:
    """The files of the benchmarks, each made when first asked for."""

    def __init__(self, work: Path, n_reads: int) -> None:
        """Make files in `work`, of `n_reads` reads where nothing else is said."""
        self.work = work
        self.n_reads = n_reads
        self.reference = work / "panel.fa"
        self.bases = make_reference(self.reference, PANEL_LENGTH)
        self.genome = work / "wgs.fa"

    def panel(self, name: str, *, binned: bool = True, n_umis: int = 0) -> Path:
        """Make reads at 20 regions."""
        recipe = Recipe(
            name=name,
            n_reads=SMALL_READS if name == "small" else self.n_reads,
            length=PANEL_LENGTH,
            starts=panel_starts(PANEL_LENGTH),
            binned=binned,
            n_umis=n_umis,
        )
        return make_bam(self.work, recipe, self.bases)

    def amplicon(self) -> Path:
        """Make reads of ten amplicons."""
        recipe = Recipe(
            name="amplicon",
            n_reads=AMPLICON_READS,
            length=PANEL_LENGTH,
            starts=amplicon_starts(PANEL_LENGTH),
        )
        return make_bam(self.work, recipe, self.bases)

    def wgs(self) -> Path:
        """Make reads spread over 100 Mb."""
        recipe = Recipe(
            name="wgs",
            n_reads=2 * self.n_reads,
            length=WGS_LENGTH,
            starts=even_starts(WGS_LENGTH),
        )
        return make_bam(self.work, recipe, make_reference(self.genome, WGS_LENGTH))

    def markers(self, n_markers: int, n_sequences: int = 0) -> Path:
        """Write a panel of so many markers over the 20 regions."""
        path = self.work / f"markers{n_markers}.sequences{n_sequences}.toml"
        return write_panel(path, self.bases, panel_sites(n_markers), n_sequences)

    def wgs_markers(self) -> Path:
        """Write a panel of 100 markers over 100 Mb."""
        genome = make_reference(self.genome, WGS_LENGTH)
        return write_panel(self.work / "wgs.toml", genome, even_sites(100, WGS_LENGTH))

    def amplicon_markers(self) -> Path:
        """Write a panel of one marker in each amplicon."""
        sites = even_sites(10, PANEL_LENGTH)
        return write_panel(self.work / "ten.toml", self.bases, sites)
