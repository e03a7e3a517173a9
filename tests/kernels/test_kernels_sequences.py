"""The scan finds what full dynamic programming finds, on both strands."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mrdtrack.counting.sequence_index import JOIN_ANCHOR, build_sequence_index, kin_of
from mrdtrack.counting.settings import CountingSettings, build_read_filter
from mrdtrack.counting.targets import encode_bases
from mrdtrack.kernels.arrays import Bytes
from mrdtrack.kernels.sequence_matches import BAD_EDITS, edits_along
from mrdtrack.kernels.sequences import (
    MATCHED_PHRED,
    RELATED_PHRED,
    ScanResult,
    scan_sequences,
    settle_rivals,
)
from mrdtrack.panel.model import Sequence
from tests import naive
from tests.naive import Read

FILTER = build_read_filter(CountingSettings())


def chunk_of(reads: list[Read]) -> Bytes:
    data = bytearray(b"".join(naive.pack_record(read) for read in reads))
    return np.frombuffer(data, np.uint8)


def scan(
    reads: list[Read],
    sequences: list[str],
    edits: int | None,
    join: int | None = None,
) -> ScanResult:
    markers = [
        Sequence(kind="sequence", id=f"s{i}", sequence=s, max_edits=edits, join=join)
        for i, s in enumerate(sequences)
    ]
    chunk, index = chunk_of(reads), build_sequence_index(markers)
    found, joins = scan_sequences(chunk, index, FILTER)
    plain, _ = scan_sequences.py_func(chunk, index, FILTER)
    assert len(joins.record) == 0
    for column, other in zip(found.observations, plain.observations, strict=True):
        assert column.tolist() == other.tolist()
    assert found.umis.tolist() == plain.umis.tolist()
    assert found.n_fragments == plain.n_fragments == len(found.umis)
    return found


def unaligned(bases: str, name: str = "r", flag: int = 4, umi: str = "") -> Read:
    return Read(bases, (), -1, name, flag, -1, umi=umi)


def changed(bases: str, changes: list[tuple[int, str]]) -> str:
    for place, change in changes:
        at = place % len(bases)
        if change == "delete":
            bases = bases[:at] + bases[at + 1 :]
        elif change.startswith("+"):
            bases = bases[:at] + change[1:] + bases[at:]
        else:
            bases = bases[:at] + change + bases[at + 1 :]
    return bases


changes_of = st.lists(
    st.tuples(st.integers(0, 79), st.sampled_from([*"ACNR", "delete", "+G"])),
    max_size=4,
)
flank, cut = st.text("ACGTN", max_size=20), st.integers(0, 3)


@given(
    st.lists(st.text("ACGT", min_size=18, max_size=76), min_size=1, max_size=2),
    changes_of,
    st.tuples(flank, flank, cut, cut),
    st.sampled_from([None, 0, 1, 2]),
    st.booleans(),
)
def test_scan_is_lossless(
    sequences: list[str],
    changes: list[tuple[int, str]],
    ends: tuple[str, str, int, int],
    edits: int | None,
    reverse: bool,
) -> None:
    before, after, first, last = ends
    read = before + changed(sequences[0], changes) + after
    read = read[first : len(read) - last]
    read = naive.reverse_complement(read) if reverse else read
    allowed = 1 if edits is None else edits
    needed = [
        min(naive.fewest_edits(strand, read) for strand in naive.strands(sequence))
        for sequence in sequences
    ]
    held = [i for i, n in enumerate(needed) if n <= allowed]
    found = scan([unaligned(read)], sequences, edits).observations
    assert found.marker.tolist() == held
    assert found.evidence.tolist() == [MATCHED_PHRED - needed[i] for i in held]


@given(
    st.text("ACGT", min_size=36, max_size=70),
    changes_of,
    st.tuples(st.integers(0, 30), st.integers(0, 30)),
    st.tuples(st.floats(0, 1), st.integers(0, 2)),
    st.booleans(),
)
def test_scan_over_a_join_is_lossless(
    sequence: str,
    changes: list[tuple[int, str]],
    cuts: tuple[int, int],
    rule: tuple[float, int],
    reverse: bool,
) -> None:
    place, edits = rule
    join = 1 + round(place * (len(sequence) - 2))
    read = changed(sequence, changes)[cuts[0] :]
    read = read[: max(len(read) - cuts[1], 0)]
    read = naive.reverse_complement(read) if reverse else read
    forward, turned = naive.strands(sequence)
    held = any(
        naive.fewest_edits(strand, read) <= edits
        or naive.holds_join(strand, at, read, JOIN_ANCHOR, edits)
        for strand, at in ((forward, join), (turned, len(sequence) - join))
    )
    found = scan([unaligned(read)], [sequence], edits, join).observations
    assert len(found.marker) == held


matches_of = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.sampled_from([998, 999, 1000])),
    max_size=12,
).map(sorted)
pairs_of = st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3)))


@given(matches_of, pairs_of)
def test_rivals_are_settled_as_by_plain_rules(
    matches: list[tuple[int, int, int]], pairs: set[tuple[int, int]]
) -> None:
    kin = np.eye(4, dtype=np.uint8)
    for i, j in pairs:
        kin[i, j] = kin[j, i] = 1
    name, marker, evidence = (
        np.array([match[at] for match in matches], np.int64) for at in range(3)
    )
    left = settle_rivals(name, marker, evidence.astype(np.float64), kin.ravel(), 4)
    assert left.tolist() == naive.settle_rivals(matches, kin.tolist())


cuts_of = st.lists(
    st.tuples(st.integers(0, 60), st.integers(8, 40), st.booleans(), st.text("AC")),
    min_size=1,
    max_size=6,
)


@given(st.text("ACG", min_size=68, max_size=100), cuts_of)
def test_kin_are_told_pair_by_pair(
    whole: str, cuts: list[tuple[int, int, bool, str]]
) -> None:
    pieces = [whole[at : at + size] + end for at, size, _, end in cuts]
    pieces = [
        naive.reverse_complement(piece) if turned else piece
        for piece, (_, _, turned, _) in zip(pieces, cuts, strict=True)
    ]
    markers = [
        Sequence(kind="sequence", id=f"s{i}", sequence=piece)
        for i, piece in enumerate(pieces)
    ]
    expected = [naive.are_kin(one, other) for one in pieces for other in pieces]
    assert kin_of(markers).tolist() == expected


JOINED = "ACGTTGCAAGCTTCGGATCCATTGCCGATAGGCTTACGATCA"


def test_read_over_a_join_without_the_ends_is_found() -> None:
    part = JOINED[6:36]
    for bases in (part, naive.reverse_complement(part)):
        assert len(scan([unaligned(bases)], [JOINED], 1, 20).observations.marker) == 1
        assert len(scan([unaligned(bases)], [JOINED], 1).observations.marker) == 0


def test_read_beside_a_join_is_not_found() -> None:
    for part in (JOINED[12:], JOINED[:28]):
        assert len(scan([unaligned(part)], [JOINED], 1, 20).observations.marker) == 0


def test_join_with_too_many_mismatches_is_not_found() -> None:
    part = changed(JOINED[6:36], [(0, "T"), (1, "T"), (29, "A")])
    assert len(scan([unaligned(part)], [JOINED], 1, 20).observations.marker) == 0


def test_fragments_are_counted_once_at_their_first_primary_record() -> None:
    flags = [0x4, 0x4D, 0x8D, 0x404, 0x204, 0x100, 0x800]
    reads = [unaligned(JOINED, f"r{flag}", flag, "ACG") for flag in flags]
    found = scan(reads, [JOINED], 1)
    assert len(found.umis) == 2
    assert (found.umis != 0).all()
    assert len(found.observations.marker) == 5


def test_umis_are_not_read_where_molecules_do_not_depend_on_them() -> None:
    reads = [unaligned(JOINED, f"r{i}", umi="ACG") for i in range(3)]
    listen = build_read_filter(CountingSettings(molecules="fragments"))
    index = build_sequence_index([Sequence(kind="sequence", id="s", sequence=JOINED)])
    for run in (scan_sequences, scan_sequences.py_func):
        found, _ = run(chunk_of(reads), index, listen)
        assert (found.n_fragments, len(found.umis)) == (3, 0)
        assert found.observations.umi.tolist() == [0, 0, 0]


def test_more_reads_than_a_buffer_holds() -> None:
    reads = [unaligned(JOINED[:24], f"r{i}") for i in range(1100)]
    found = scan(reads, [JOINED[:24]], 0)
    assert len(found.observations.marker) == len(found.umis) == 1100


codes_of = st.text("ACG", max_size=14)


@given(
    st.text("ACG", min_size=1, max_size=10),
    codes_of,
    st.integers(0, 14),
    st.integers(0, 2),
    st.integers(0, 4),
)
def test_edits_along_a_read_are_those_of_the_best_stretch(
    bases: str, read: str, origin: int, slack: int, limit: int
) -> None:
    origin = min(origin, len(read))
    expected = naive.edits_along(bases, read, origin, slack)
    expected = expected if expected <= limit else BAD_EDITS
    row = np.empty(2 * (slack + limit) + 1, np.int64)
    wanted, size = encode_bases("T" + bases), len(bases)
    given_ways = [
        (encode_bases(read), origin, 1),
        (encode_bases(read[::-1]), len(read) - 1 - origin, -1),
    ]
    for codes, start, step in given_ways:
        for run in (edits_along, edits_along.py_func):
            found = run(
                *(codes, len(read), wanted, 1, size, start, step, slack, limit, row)
            )
            assert found == expected


HELD, ELSE = "TGTGCGAGAGACCCTTATTATCATG", "ACTGATTACCAGCAACGGTTCAGGC"
STEM = "ATAGTAACTATGACCTCCACCACTGGT"


def related(read: str, *, quality: int = 37) -> list[tuple[int, float]]:
    marker = Sequence(kind="sequence", id="s", sequence=HELD + STEM, stem=len(STEM))
    chunk = chunk_of([unaligned(read)._replace(quality=quality)])
    index = build_sequence_index([marker])
    said = [
        [*zip(found.marker.tolist(), found.evidence.tolist(), strict=True)]
        for run in (scan_sequences, scan_sequences.py_func)
        for found in [run(chunk, index, FILTER)[0].observations]
    ]
    assert said[0] == said[1]
    return said[0]


def test_a_stem_after_other_bases_is_told_on_both_strands() -> None:
    read = ELSE + STEM + "GGCC"
    for bases in (read, naive.reverse_complement(read)):
        assert related(bases) == [(1, float(RELATED_PHRED))]
    assert related(ELSE + changed(STEM, [(9, "delete")])) == [(1, RELATED_PHRED - 1.0)]


def test_the_sequence_itself_is_not_related_to_itself() -> None:
    assert related("AC" + HELD + STEM) == [(0, float(MATCHED_PHRED))]
    poor = [(3, "T"), (9, "delete"), (20, "A")]
    assert related(changed(HELD, poor) + STEM) == []


def test_a_read_that_ends_in_or_near_a_stem_cannot_tell() -> None:
    for bases in (STEM, ELSE[-11:] + STEM, STEM[3:]):
        assert related(bases) == []
        assert related(naive.reverse_complement(bases)) == []
    assert len(related(ELSE[-16:] + STEM)) == 1


def test_bases_of_low_quality_do_not_make_another_v() -> None:
    assert related(ELSE + STEM, quality=19) == []
    assert len(related(ELSE + STEM, quality=20)) == 1
    assert related("N" * 25 + STEM, quality=2) == []
