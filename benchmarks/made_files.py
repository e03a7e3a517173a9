"""Files of reads for the benchmarks, made from a seed: nothing is downloaded.

Every record is real enough to be worked on: paired reads of 150 bases with overlapping
mates, errors, UMI and the usual tags. Whole batches are laid out with numpy.
"""

from __future__ import annotations

import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pysam
from numpy.typing import NDArray

READ = 150
INSERT = 240
BATCH = 100_000
BLOCK = 65280
EOF_MARKER = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
CODES = np.array([1, 2, 4, 8], dtype=np.uint8)
LETTERS = np.frombuffer(b"ACGT", dtype=np.uint8)
Bytes = NDArray[np.uint8]
Starts = Callable[[np.random.Generator, int, int, int], NDArray[np.int64]]
"""Draws the sorted starts of a batch: its number, that of all, pairs in it."""

RECORD: list[tuple[Any, ...]] = [
    ("size", "<i4"),
    ("contig", "<i4"),
    ("position", "<i4"),
    ("name_length", "u1"),
    ("mapq", "u1"),
    ("bin", "<u2"),
    ("n_cigar", "<u2"),
    ("flag", "<u2"),
    ("n_bases", "<i4"),
    ("mate_contig", "<i4"),
    ("mate_position", "<i4"),
    ("template", "<i4"),
    ("name", "u1", 32),
    ("cigar", "<u4"),
    ("bases", "u1", READ // 2),
    ("qualities", "u1", READ),
    ("tags", "u1", 4 + 7 + 4 + 4 + 5 + 8),
    ("umi", "u1", 12),
]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a file holds.

    `starts` draws sorted fragment starts for a batch; `binned` means four quality
    values instead of forty; `n_umis` is the number of UMIs (0: one for each fragment).
    """

    name: str
    n_reads: int
    length: int
    starts: Starts
    binned: bool = True
    n_umis: int = 0

    @property
    def batch(self) -> int:
        """Reads laid out at once."""
        return min(BATCH, self.n_reads)


def panel_starts(length: int, n_regions: int = 20) -> Starts:
    """Draw starts around so many sites; each region is a share of the file."""

    def draw(
        generator: np.random.Generator, batch: int, n_batches: int, n_pairs: int
    ) -> NDArray[np.int64]:
        first = batch * n_regions // n_batches
        site = (2 * first + 1) * length // (2 * n_regions)
        share = n_batches / n_regions
        low = (batch - first * share) / share * INSERT
        spread = generator.uniform(low, low + INSERT / share, n_pairs)
        return np.sort((site - INSERT + spread).astype(np.int64))

    return draw


def even_starts(
    length: int,
) -> Starts:
    """Draw starts evenly over the contig."""

    def draw(
        generator: np.random.Generator, batch: int, n_batches: int, n_pairs: int
    ) -> NDArray[np.int64]:
        usable = length - 2 * INSERT
        low, high = batch * usable // n_batches, (batch + 1) * usable // n_batches
        return np.sort(generator.integers(low, max(high, low + 1), n_pairs))

    return draw


def amplicon_starts(length: int, n_sites: int = 10) -> Starts:
    """Start every fragment of a site at the same position."""

    def draw(
        _generator: np.random.Generator, batch: int, n_batches: int, n_pairs: int
    ) -> NDArray[np.int64]:
        site = (2 * (batch * n_sites // n_batches) + 1) * length // (2 * n_sites)
        return np.full(n_pairs, site - INSERT // 2, dtype=np.int64)

    return draw


def make_reference(path: Path, length: int) -> Bytes:
    """Write a random contig as FASTA with its index; give its bases as 0 to 3."""
    bases = np.random.default_rng(1).integers(0, 4, length, dtype=np.uint8)
    if not path.exists():
        letters = LETTERS[bases].tobytes()
        lines = [letters[at : at + 60] for at in range(0, length, 60)]
        path.write_bytes(b">chr1\n" + b"\n".join(lines) + b"\n")
        Path(f"{path}.fai").write_text(f"chr1\t{length}\t6\t60\t61\n")
    return bases


def _qualities(generator: np.random.Generator, n: int, *, binned: bool) -> Bytes:
    if binned:
        values = np.array([37] * 17 + [25, 25, 11], dtype=np.uint8)
        runs = values[generator.integers(0, 20, (n, READ // 2))]
        return np.repeat(runs, 2, axis=1)
    noise = generator.normal(34, 5, (n, READ)) - np.linspace(0, 6, READ)
    return np.clip(noise, 2, 41).astype(np.uint8)


def _digits(numbers: NDArray[np.int64], width: int) -> Bytes:
    powers = 10 ** np.arange(width - 1, -1, -1)
    return (48 + numbers[:, None] // powers % 10).astype(np.uint8)


def _names(numbers: NDArray[np.int64]) -> Bytes:
    names = np.zeros((len(numbers), 32), dtype=np.uint8)
    names[:, :31] = np.frombuffer(b"A00123:45:HXXXXXXX:1:2101:00000", dtype=np.uint8)
    names[:, 22:31] = _digits(numbers * 7919 % 1_000_000_007, 9)
    return names


def _records(
    recipe: Recipe, bases: Bytes, batch: int, n_batches: int
) -> NDArray[np.void]:
    """Lay out one batch of records, sorted by position."""
    generator = np.random.default_rng((len(recipe.name), batch))
    starts = recipe.starts(generator, batch, n_batches, recipe.batch // 2)
    n_pairs = len(starts)
    records = np.zeros(2 * n_pairs, dtype=RECORD)
    pair = np.tile(np.arange(n_pairs), 2)
    second = np.repeat([0, 1], n_pairs)
    position = starts[pair] + second * (INSERT - READ)
    order = np.argsort(position, kind="stable")
    pair, second, position = pair[order], second[order], position[order]
    records["size"] = records.dtype.itemsize - 4
    records["position"] = position
    records["mate_position"] = starts[pair] + (1 - second) * (INSERT - READ)
    records["template"] = np.where(second == 1, -INSERT, INSERT)
    records["flag"] = np.where(second == 1, 147, 99)
    records["name_length"], records["mapq"], records["n_cigar"] = 32, 60, 1
    records["bin"] = 4681 + (position >> 14)
    records["n_bases"], records["cigar"] = READ, READ << 4
    records["name"] = _names(batch * n_pairs + pair)
    read = bases[position[:, None] + np.arange(READ)]
    wrong = generator.random(read.shape, dtype=np.float32) < 0.002
    read = CODES[np.where(wrong, (read + 1) & 3, read)]
    records["bases"] = read[:, ::2] << 4 | read[:, 1::2]
    records["qualities"] = _qualities(generator, len(read), binned=recipe.binned)
    tags = b"NMC\x01MDZ150\0ASC\x96XSC\x13RGZA\0MCZ150M\0"
    records["tags"] = np.frombuffer(tags, dtype=np.uint8)
    codes = generator.integers(0, recipe.n_umis or 65536, n_pairs)[pair]
    letters = LETTERS[codes[:, None] >> np.arange(0, 16, 2) & 3]
    records["umi"][:, :3] = np.frombuffer(b"RXZ", dtype=np.uint8)
    records["umi"][:, 3:11] = letters
    return records


def _block(data: bytes) -> bytes:
    squeezer = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = squeezer.compress(data) + squeezer.flush()
    head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0"
    tail = struct.pack("<II", zlib.crc32(data), len(data))
    return head + struct.pack("<H", len(body) + 25) + body + tail


def _pieces(recipe: Recipe, bases: Bytes) -> Iterator[bytes]:
    """Give a file's inflated bytes, one block at a time."""
    text = f"@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:chr1\tLN:{recipe.length}\n"
    text += "@RG\tID:A\tSM:S1\tLB:L1\n"
    pending = b"BAM\x01" + struct.pack("<i", len(text)) + text.encode()
    pending += struct.pack("<ii", 1, 5) + b"chr1\0" + struct.pack("<i", recipe.length)
    n_batches = recipe.n_reads // recipe.batch
    held = np.zeros(0, dtype=RECORD)
    for batch in range(n_batches):
        records = np.concatenate((held, _records(recipe, bases, batch, n_batches)))
        records = records[np.argsort(records["position"], kind="stable")]
        last_start = records["position"][records["flag"] == 99].max()
        settled = np.searchsorted(records["position"], last_start, side="right")
        if batch == n_batches - 1:
            settled = len(records)
        held = records[settled:]
        pending += records[:settled].tobytes()
        whole = len(pending) // BLOCK * BLOCK
        for at in range(0, whole, BLOCK):
            yield pending[at : at + BLOCK]
        pending = pending[whole:]
    yield pending


def _in_order(pool: ThreadPoolExecutor, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Compress pieces in the pool, in order, a few ahead."""
    waiting: deque[Future[bytes]] = deque()
    for piece in pieces:
        waiting.append(pool.submit(_block, piece))
        if len(waiting) > 16:
            yield waiting.popleft().result()
    for future in waiting:
        yield future.result()


def make_bam(folder: Path, recipe: Recipe, bases: Bytes) -> Path:
    """Write a sorted BAM file with its index, unless it is there."""
    path = folder / f"{recipe.name}.{recipe.n_reads}.bam"
    if Path(f"{path}.bai").exists():
        return path
    with path.open("wb") as file, ThreadPoolExecutor(2) as pool:
        for block in _in_order(pool, _pieces(recipe, bases)):
            file.write(block)
        file.write(EOF_MARKER)
    pysam.index(str(path))
    return path


def make_cram(bam: Path, reference: Path) -> Path:
    """Write a BAM file as CRAM with its index, unless it is there."""
    path = bam.with_suffix(".cram")
    if not Path(f"{path}.crai").exists():
        pysam.view(
            "-C", "-T", str(reference), "-o", str(path), str(bam), catch_stdout=False
        )
        pysam.index(str(path))
    return path
