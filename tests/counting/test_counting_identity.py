"""Germline alleles: counted where the panel says, and found where the reads show."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from mrdtrack.counting import identity
from mrdtrack.counting.background import Stretches
from mrdtrack.counts import IdentityCounts, SampleCounts
from mrdtrack.kernels.background import BackgroundCounts
from mrdtrack.kernels.stretches import StretchArrays
from tests.counting.builders import (
    GENOME,
    Read,
    count,
    make_panel,
    snv,
    unlike,
    wild,
)

ONE = GENOME["chr1"]
AT = 300
GERMLINE = 320
FAR = 900
RARE = 330


def pile(n: int, changes: dict[int, tuple[str, int]], start: int = 250) -> list[Read]:
    """Make `n` reads; a change (base, k) is in every k-th of them."""
    reads = []
    for i in range(n):
        own = {at: base for at, (base, k) in changes.items() if i % k == 0}
        reads.append(wild(f"{start}.{i}", start, start + 100, own))
    return reads


def place(at: int, alt: str | None = None) -> dict[str, object]:
    ref = ONE[at]
    return {"contig": "chr1", "position": at + 1, "ref": ref, "alt": alt or unlike(ref)}


def only(counts: SampleCounts, source: str) -> list[IdentityCounts]:
    return [held for held in counts.identity if held.source == source]


def test_positions_of_the_panel_are_counted_base_by_base(tmp_path: Path) -> None:
    ref, alt = ONE[FAR], unlike(ONE[FAR])
    third = unlike(ref, alt)
    reads = pile(40, {FAR: (alt, 2)}, FAR - 50) + pile(5, {FAR: (third, 1)}, FAR - 60)
    panel = make_panel(snv(AT), identity=[place(FAR), place(FAR + 500)])
    found, empty = only(count(tmp_path, reads, panel), "panel")
    assert (found.ref_molecules, found.alt_molecules, found.other_molecules) == (
        20,
        20,
        5,
    )
    assert (empty.ref_molecules, empty.alt_molecules, empty.other_molecules) == (
        0,
        0,
        0,
    )


def test_molecules_are_those_of_a_plain_count(tmp_path: Path) -> None:
    """Mates that overlap are one, differing ones none, poor bases say nothing."""
    alt = unlike(ONE[FAR])
    rng = np.random.default_rng(4)
    reads: list[Read] = []
    wanted: Counter[str] = Counter()
    for i in range(60):
        shown = [alt if rng.random() < 0.4 else ONE[FAR] for _ in range(2)]
        quality = [37 if rng.random() < 0.8 else 5 for _ in range(2)]
        for mate, flag in enumerate((99, 147)):
            start = FAR - 40 - 10 * mate
            read = wild(
                f"p{i}",
                start,
                start + 80,
                {FAR: shown[mate]},
                flag=flag,
                quality=quality[mate],
                mate=("chr1", FAR - 40),
            )
            reads.append(read)
        heard = {b for b, q in zip(shown, quality, strict=True) if q >= 20}
        if len(heard) == 1:
            wanted[heard.pop()] += 1
    (held,) = only(
        count(tmp_path, reads, make_panel(snv(AT), identity=[place(FAR)])), "panel"
    )
    assert held.alt_molecules == wanted[alt]
    assert held.ref_molecules == wanted[ONE[FAR]]


def test_common_alleles_are_found_in_the_reads(tmp_path: Path) -> None:
    common, hom = unlike(ONE[GERMLINE]), unlike(ONE[RARE - 3])
    reads = pile(
        40,
        {GERMLINE: (common, 2), RARE: (unlike(ONE[RARE]), 20), RARE - 3: (hom, 1)},
    )
    counts = count(tmp_path, reads, make_panel(snv(AT)))
    found = only(counts, "reads")
    assert [(h.position, h.alt, h.ref_molecules, h.alt_molecules) for h in found] == [
        (GERMLINE + 1, common, 20, 20),
        (RARE - 2, hom, 0, 40),
    ]
    assert all(h.genotype is None for h in found)


def test_markers_and_thin_places_are_not_germline(tmp_path: Path) -> None:
    reads = pile(40, {AT: (unlike(ONE[AT]), 2)})
    assert only(count(tmp_path, reads, make_panel(snv(AT))), "reads") == []
    thin = pile(19, {GERMLINE: (unlike(ONE[GERMLINE]), 2)})
    counts = count(tmp_path, thin, make_panel(snv(AT)), name="thin.bam")
    assert only(counts, "reads") == []
    assert counts.searched == ()


def test_what_was_searched_is_told(tmp_path: Path) -> None:
    counts = count(tmp_path, pile(30, {}), make_panel(snv(AT)))
    runs = [(run.start, run.end, run.molecules) for run in counts.searched]
    assert runs == [(AT - 49, AT, 30), (AT + 2, AT + 50, 30)] or runs == [
        (251, AT, 30),
        (AT + 2, 350, 30),
    ]


def test_no_more_positions_are_kept_than_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {at: (unlike(ONE[at]), 2) for at in range(302, 340, 4)}
    panel = make_panel(snv(AT))
    whole = count(tmp_path, pile(30, changes), panel)
    monkeypatch.setattr(identity, "MOST_FOUND", 4)
    kept = count(tmp_path, pile(30, changes), panel, name="again.bam")
    less = {at: change for at, change in changes.items() if at != 302}
    others = count(tmp_path, pile(30, less), panel, name="less.bam")
    assert len(only(whole, "reads")) == 10
    assert len(only(kept, "reads")) == 4
    assert kept.searched == ()
    shared = {h.position for h in only(kept, "reads")}
    assert len(shared & {h.position for h in only(others, "reads")}) >= 3


@pytest.mark.parametrize("seed", range(6))
def test_runs_and_alleles_are_those_of_plain_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 30, 8)
    first = np.concatenate(([0], np.cumsum(sizes)))
    low = np.concatenate((np.arange(4), np.arange(4))) * 100
    n = int(first[-1])
    expected = rng.integers(0, 5, n).astype(np.uint8)
    bases = rng.integers(0, 30, (n, 4)) * rng.integers(0, 2, (n, 4))
    of_marker = rng.random(n) < 0.1
    stretches = Stretches(
        arrays=StretchArrays(
            contig=np.repeat([0, 1], 4),
            low=low,
            high=low + sizes,
            first=first,
            expected=expected,
        ),
        contigs=("a",) * 4 + ("b",) * 4,
        bases=("",) * 8,
        of_marker=of_marker,
        indel_sizes=(),
    )
    counts = BackgroundCounts(bases, np.zeros((n, 20), np.int64))
    told = identity.germline_alleles((), stretches, counts)
    runs, found = [], []
    for s in range(8):
        run: list[tuple[int, int]] = []
        for p in range(int(first[s]), int(first[s + 1])):
            at = int(low[s] + p - first[s]) + 1
            depth = int(bases[p].sum())
            if depth < identity.LEAST_MOLECULES or of_marker[p]:
                runs.append((s // 4, run))
                run = []
                continue
            run.append((at, depth))
            others = [int(b) for i, b in enumerate(bases[p]) if i != expected[p]]
            if expected[p] < 4 and max(others) >= identity.COMMON_SHARE * depth:
                found.append((s // 4, at, max(others)))
        runs.append((s // 4, run))
    assert [(x.contig, x.start, x.end, x.molecules) for x in told.searched] == [
        ("ab"[c], r[0][0], r[-1][0], min(d for _, d in r)) for c, r in runs if r
    ]
    assert [(h.contig, h.position, h.alt_molecules) for h in told.identity] == [
        ("ab"[c], at, molecules) for c, at, molecules in found
    ]


def test_the_first_base_of_a_contig_has_no_context(tmp_path: Path) -> None:
    reads = [wild(f"r{i}", 0, 80) for i in range(30)]
    panel = make_panel(snv(AT), identity=[place(0)])
    (held,) = only(count(tmp_path, reads, panel), "panel")
    assert (held.ref_molecules, held.alt_molecules) == (0, 0)


def test_without_reads_nothing_is_claimed(tmp_path: Path) -> None:
    counts = count(tmp_path, [], make_panel(snv(AT), identity=[place(FAR)]))
    (held,) = counts.identity
    assert held.ref_molecules == held.alt_molecules == 0
    assert counts.searched == ()
