"""Bytes changed anywhere: an error, or the very records that are there."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from mrdtrack.counting.reads_file import Region, open_reads
from mrdtrack.errors import AlignmentsError
from tests.counting_door.made_reads import (
    EOF,
    block,
    inflate_all,
    random_reads,
    raw_records,
    split_records,
    write_bam,
)

REGIONS = [Region(0, 20_000, 20_500), Region(1, 0, 90_000)]
EXTREMES = [
    b"\0",
    b"\xff",
    b"\x80",
    b"\x7f",
    struct.pack("<i", -1),
    b"\xff\xff\xff\x7f",
]


def outcome(path: Path, regions: list[Region] | None) -> list[bytes] | None:
    """Read; None for a refusal."""
    records: list[bytes] = []
    try:
        for chunk in open_reads(path, None).chunks(regions, 1):
            records += split_records(chunk.tobytes())
    except AlignmentsError:
        return None
    return records


def mutate(data: bytes, pick: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(pick.choice((1, 1, 2, 5))):
        at = pick.randrange(len(changed))
        value = pick.choice([*EXTREMES, bytes([pick.randrange(256)])])
        changed[at : at + len(value)] = value
    if pick.random() < 0.1:
        del changed[pick.randrange(len(changed)) :]
    return bytes(changed)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return write_bam(tmp_path / "a.bam", random_reads(1, 150))


def test_changed_compressed_bytes(made: Path) -> None:
    pick = random.Random(1)  # noqa: S311 - test data, no secret
    data, whole = made.read_bytes(), raw_records(made)
    refused = 0
    for _ in range(400):
        made.write_bytes(mutate(data, pick))
        for regions in (None, REGIONS):
            records = outcome(made, regions)
            refused += records is None
            assert records is None or set(records) <= set(whole)
            assert records is None or regions or records == whole
    assert refused > 600


def test_changed_inflated_bytes(made: Path) -> None:
    pick = random.Random(2)  # noqa: S311 - test data, no secret
    made.with_suffix(".bam.bai").unlink()
    data = inflate_all(made)
    head = len(data) - sum(map(len, raw_records(made)))
    read = 0
    for trial in range(600):
        changed = mutate(data if trial % 3 else data[: head + 2000], pick)
        made.write_bytes(
            b"".join(
                block(changed[at : at + 50_000])
                for at in range(0, len(changed), 50_000)
            )
            + EOF
        )
        read += outcome(made, None) is not None
    assert 30 < read < 570


@pytest.mark.parametrize("kind", ["bai", "csi"])
def test_changed_indexes(tmp_path: Path, kind: str) -> None:
    pick = random.Random(3)  # noqa: S311 - test data, no secret
    path = write_bam(tmp_path / "a.bam", random_reads(1, 1500), index=kind)
    index = path.with_suffix(f".bam.{kind}")
    data = index.read_bytes() if kind == "bai" else inflate_all(index)
    whole = set(raw_records(path))
    refused = 0
    for _ in range(600):
        changed = mutate(data, pick)
        packed = changed if kind == "bai" else block(changed) + EOF
        index.write_bytes(packed)
        records = outcome(path, REGIONS)
        refused += records is None
        assert records is None or set(records) <= whole
    assert refused > 50
