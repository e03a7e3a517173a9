"""A file of several samples: refused, unless one of them is chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.counting.count import count_reads
from mrdtrack.counting.settings import CountingSettings
from mrdtrack.counts import SampleCounts
from mrdtrack.errors import AlignmentsError
from mrdtrack.kernels.read_groups import records_of_groups
from mrdtrack.panel.reference import Reference
from tests.counting.builders import (
    GENOME,
    make_panel,
    snv,
    unlike,
    wild,
    write_reads,
    write_reference,
)

AT = 300
ALT = unlike(GENOME["chr1"][AT])
LINES = ["@RG\tID:a\tSM:X", "@RG\tID:b\tSM:Y", "@RG\tID:bb\tSM:Y", "@RG\tID:0\tLB:l"]
READS = [
    *(wild(f"x{i}", 250 + i, 330, {AT: ALT}, tags={"RG": "a"}) for i in range(5)),
    *(wild(f"y{i}", 250 + i, 330, tags={"RG": "b"}) for i in range(7)),
    wild("more", 250, 330, {AT: ALT}, tags={"RG": "bb"}),
    wild("none", 250, 330),
    wild("number", 250, 330, tags={"RG": 7}),
]


def counted(
    folder: Path,
    sample: str | None = None,
    *,
    lines: list[str] = LINES,
    **settings: Any,
) -> SampleCounts:
    fasta = write_reference(folder / "reference.fa")
    path = write_reads(folder / "pool.bam", READS, lines=lines)
    with Reference(fasta) as reference:
        return count_reads(
            path, make_panel(snv(AT)), reference, CountingSettings(**settings), sample
        )


def test_several_samples_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AlignmentsError) as told:
        counted(tmp_path)
    assert told.value.problem == "its read groups are of 2 samples (X, Y)"
    assert "--sample NAME" in told.value.remedy


@pytest.mark.parametrize(
    ("sample", "groups", "wanted"),
    [
        ("X", (), ("X", 5, 0)),
        ("Y", (), ("Y", 1, 7)),
        (None, ("b",), ("Y", 0, 7)),
        (None, ("bb", "b", "b"), ("Y", 1, 7)),
        ("mine", ("a",), ("mine", 5, 0)),
        (None, ("0",), ("pool", 0, 0)),
    ],
)
def test_one_sample_is_chosen(
    tmp_path: Path,
    sample: str | None,
    groups: tuple[str, ...],
    wanted: tuple[str, int, int],
) -> None:
    counts = counted(tmp_path, sample, read_groups=groups)
    (row,) = counts.markers
    assert (counts.sample, row.alt, row.ref) == wanted
    assert "MIXED_SAMPLES" not in {found.code for found in counts.quality}


@pytest.mark.parametrize(
    ("sample", "groups", "ref"), [("pooled", (), 9), (None, ("a", "b"), 7)]
)
def test_a_mixture_that_was_asked_for_is_told(
    tmp_path: Path, sample: str | None, groups: tuple[str, ...], ref: int
) -> None:
    counts = counted(tmp_path, sample, read_groups=groups)
    assert counts.sample == (sample or "pool")
    assert counts.markers[0].ref == ref
    (found,) = [f for f in counts.quality if f.code == "MIXED_SAMPLES"]
    assert "name 2 samples (X, Y)" in found.message


@pytest.mark.parametrize(
    ("lines", "told"),
    [(LINES, "it has 0, a, b, bb: name one"), ([], "it has none: name one")],
)
def test_an_unknown_group_is_refused(
    tmp_path: Path, lines: list[str], told: str
) -> None:
    with pytest.raises(AlignmentsError, match="no read group 'c'") as error:
        counted(tmp_path, read_groups=("c",), lines=lines)
    assert error.value.remedy == told


def test_many_samples_are_not_all_listed(tmp_path: Path) -> None:
    lines = [f"@RG\tID:{i}\tSM:S{i}" for i in range(9)]
    with pytest.raises(AlignmentsError, match="9 samples"):
        counted(tmp_path, lines=lines)


@given(st.lists(st.sampled_from(["a", "b", "bb", "", None]), max_size=8))
def test_records_of_a_group_are_those_of_the_plain_way(groups: list[Any]) -> None:
    records = [record(i, group) for i, group in enumerate(groups)]
    data = np.frombuffer(bytearray(b"".join(records)), np.uint8)
    names = np.frombuffer(bytearray(b"abb"), np.uint8)
    start = np.array([0, 1, 3], np.int64)
    wanted = [r for r, g in zip(records, groups, strict=True) if g in ("a", "bb")]
    for run in (records_of_groups, records_of_groups.py_func):
        assert run(data, names, start).tobytes() == b"".join(wanted)


def record(number: int, group: str | None) -> bytes:
    """Write a record without bases, as the BAM specification lays it out."""
    name = f"r{number}".encode() + b"\0"
    tag = b"" if group is None else b"RGZ" + group.encode() + b"\0"
    fixed = [(-1, 4), (-1, 4), (len(name), 1), (0, 1), (4680, 2), (0, 2), (4, 2)]
    fixed += [(0, 4), (-1, 4), (-1, 4), (0, 4)]
    body = b"".join(v.to_bytes(size, "little", signed=v < 0) for v, size in fixed)
    body += name + b"XXi\1\0\0\0" + tag
    return len(body).to_bytes(4, "little") + body
