"""An invented reference: bases from a seed, as FASTA with its index."""

from __future__ import annotations

from pathlib import Path

import numpy as np

LINE = 60
_LETTERS = np.frombuffer(b"ACGT", dtype=np.uint8)
MAX_RUN = 6


class InventedReference:
    """Bases drawn from a seed; gives them as a FASTA would."""

    def __init__(self, lengths: dict[str, int], seed: int) -> None:
        rng = np.random.Generator(np.random.PCG64(seed))
        self.contigs = {
            name: _invented(length, rng) for name, length in lengths.items()
        }

    @property
    def lengths(self) -> dict[str, int]:
        """The length of every contig."""
        return {name: len(bases) for name, bases in self.contigs.items()}

    def fetch(self, contig: str, start: int, end: int) -> str:
        """Give the bases of [start, end), 0-based; cut at the ends of the contig."""
        return self.contigs[contig][max(start, 0) : max(end, 0)]

    def length(self, contig: str) -> int:
        """Give the length of a contig."""
        return len(self.contigs[contig])

    def place(self, contig: str, start: int, bases: str) -> None:
        """Write given bases over the invented ones, from `start` (0-based) on."""
        old = self.contigs[contig]
        self.contigs[contig] = old[:start] + bases + old[start + len(bases) :]

    def write(self, path: Path) -> None:
        """Write the FASTA and its `.fai`."""
        write_fasta(path, self.contigs)


def write_fasta(path: Path, contigs: dict[str, str]) -> None:
    """Write contigs as FASTA with the index beside (`samtools faidx` layout)."""
    text, index = [], []
    offset = 0
    for name, bases in contigs.items():
        head = f">{name}\n"
        lines = [bases[first : first + LINE] for first in range(0, len(bases), LINE)]
        body = "".join(f"{line}\n" for line in lines)
        start = offset + len(head)
        width = min(len(bases), LINE)
        index.append(f"{name}\t{len(bases)}\t{start}\t{width}\t{width + 1}\n")
        text += [head, body]
        offset = start + len(body)
    path.write_text("".join(text), encoding="ascii")
    path.with_name(f"{path.name}.fai").write_text("".join(index), encoding="ascii")


def _invented(length: int, rng: np.random.Generator) -> str:
    """Draw bases, with no run longer than `MAX_RUN`."""
    codes = rng.integers(0, 4, length, dtype=np.uint8)
    run = 1
    for place in range(1, length):
        run = run + 1 if codes[place] == codes[place - 1] else 1
        if run > MAX_RUN:
            codes[place] = (codes[place] + 1) % 4
            run = 1
    return _LETTERS[codes].tobytes().decode("ascii")
