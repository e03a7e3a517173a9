"""Slow, obvious twins of the kernels: strings, dictionaries and lists only."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

CIGAR_LETTERS = "MIDNSHP=X"
NIBBLES = "=ACMGRSVTWYHKDBN"
COMPLEMENT = {"A": "T", "C": "G", "G": "C", "T": "A", "N": "N", "R": "Y"}


class Read(NamedTuple):
    """One record: say only what a test cares about."""

    bases: str
    cigar: tuple[tuple[str, int], ...]
    position: int = 0
    name: str = "r"
    flag: int = 0
    contig: int = 0
    quality: int = 30
    mapping_quality: int = 60
    umi: str = ""


class Stretch(NamedTuple):
    """A score and the part of a read that has it."""

    score: float
    begin: int
    end: int


class Row(NamedTuple):
    """One record or fragment as it goes into a merge."""

    marker: int
    name: int
    evidence: float
    neither: bool = False
    umi: int = 0
    start: int = 0


def pack_record(read: Read) -> bytes:
    """Write a record as BAM does (SAM specification, section 4.2)."""
    codes = [NIBBLES.index(base) for base in read.bases]
    codes += [0] * (len(codes) % 2)
    packed = bytes(
        high << 4 | low for high, low in zip(codes[::2], codes[1::2], strict=True)
    )
    name = read.name.encode() + b"\0"
    words = [size << 4 | CIGAR_LETTERS.index(letter) for letter, size in read.cigar]
    body = struct.pack(
        "<iiBBHHHiiii",
        read.contig,
        read.position,
        len(name),
        read.mapping_quality,
        0,
        len(words),
        read.flag,
        len(read.bases),
        -1,
        -1,
        0,
    )
    body += name + struct.pack(f"<{len(words)}I", *words) + packed
    body += bytes([read.quality]) * len(read.bases)
    if read.umi:
        body += b"RXZ" + read.umi.encode() + b"\0"
    return struct.pack("<i", len(body)) + body


def reverse_complement(bases: str) -> str:
    """Read the other strand."""
    return "".join(COMPLEMENT[base] for base in reversed(bases))


def strands(bases: str) -> tuple[str, str]:
    """Give a sequence as it is written, and as the other strand has it."""
    return bases, reverse_complement(bases)


def aligned_pairs(read: Read) -> Iterator[tuple[int | None, int | None]]:
    """Walk a CIGAR base by base: (read base, reference position)."""
    query, position = 0, read.position
    for letter, size in read.cigar:
        for _ in range(size):
            if letter in "M=X":
                yield query, position
            elif letter in "IS":
                yield query, None
            elif letter == "D":
                yield None, position
            query += letter in "M=XIS"
            position += letter in "M=XDN"


def read_place(read: Read, reference: int) -> int:
    """Give the read base at a reference position; -1 none, -2 deleted."""
    for query, position in aligned_pairs(read):
        if position == reference:
            return -2 if query is None else query
    return -1


def best_stretch(
    read: str, haplotype: str, shift: int, *, fits: float, fails: float, clip: float
) -> Stretch:
    """Try every stretch [begin, end) of a diagonal."""
    low, high = max(0, -shift), min(len(read), len(haplotype) - shift)
    best = Stretch(0.0, low, low)
    for begin in range(low, high):
        for end in range(begin + 1, high + 1):
            score = stretch_score(
                read, haplotype, shift, (begin, end), fits=fits, fails=fails
            )
            score -= clip * ((begin > low) + (end < high))
            if score > best.score + 1e-9:
                best = Stretch(score, begin, end)
    return best


def stretch_score(
    read: str,
    haplotype: str,
    shift: int,
    span: tuple[int, int],
    *,
    fits: float,
    fails: float,
) -> float:
    """Add up the bases of one stretch; N says nothing."""
    score = 0.0
    for i in range(*span):
        pair = read[i], haplotype[i + shift]
        if "N" not in pair:
            score += fits if pair[0] == pair[1] else fails
    return score


def gapped_score(
    scores: Sequence[Sequence[float]], clip: float, opening: float, extend: float
) -> float:
    """Score the best alignment with gaps; `scores[i][j]` is of base `i` on base `j`.

    Every gap is tried at its whole length. Ending inside both costs `clip`.
    """
    n, size = len(scores), len(scores[0])
    ending: dict[tuple[int, int], float] = {}
    best = 0.0
    for i in range(n):
        for j in range(size):
            ways = [0.0 if i == 0 or j == 0 else -clip]
            ways.append(ending.get((i - 1, j - 1), -1e9))
            for k in range(1, max(n, size)):
                price = opening + extend * (k - 1)
                ways.append(ending.get((i - 1 - k, j - 1), -1e9) - price)
                ways.append(ending.get((i - 1, j - 1 - k), -1e9) - price)
            ending[i, j] = scores[i][j] + max(ways)
            inside = i < n - 1 and j < size - 1
            best = max(best, ending[i, j] - (clip if inside else 0.0))
    return best


def diagonals(
    read: Read, anchors: Sequence[tuple[int, int, int, int, bool]]
) -> set[tuple[int, int]]:
    """List (shift, strand); an anchor is contig, low, high, offset, reverse."""
    found = set()
    for query, position in aligned_pairs(read):
        for contig, low, high, offset, reverse in anchors:
            if query is None or position is None or contig != read.contig:
                continue
            if low <= position < high and reverse:
                place = offset + high - 1 - position
                found.add((place - (len(read.bases) - 1 - query), 1))
            elif low <= position < high:
                found.add((offset + position - low - query, 0))
    return found


def settle_rivals(
    matches: Sequence[tuple[int, int, float]], kin: Sequence[Sequence[int]]
) -> list[float]:
    """Settle matches (name, sequence, evidence) one by one, from the rule's words."""
    settled = []
    for name, sequence, evidence in matches:
        same = [m for m in matches if m[0] == name]
        own = max(e for _, other, e in same if other == sequence)
        rivals = [e for _, other, e in same if not kin[sequence][other]]
        if evidence < own or any(rival > own for rival in rivals):
            settled.append(-1.0)
        else:
            settled.append(0.0 if own in rivals else float(evidence))
    return settled


def are_kin(one: str, other: str) -> bool:
    """Tell whether a sequence goes on inside another, or holds it, on either strand."""
    for first in (one, reverse_complement(one)):
        for second in (other, reverse_complement(other)):
            for a, b in ((first, second), (second, first)):
                rest = a[a.find(b[:12]) :] if b[:12] in a else ""
                if rest and (rest.startswith(b) or b.startswith(rest)):
                    return True
    return False


def edits_along(bases: str, read: str, origin: int, slack: int) -> int:
    """Try every stretch of the read that begins up to `slack` bases off `origin`."""
    return min(
        distance(bases, read[begin:end])
        for begin in range(origin - slack, origin + slack + 1)
        for end in range(max(begin, 0), len(read) + 1)
        if 0 <= begin <= len(read)
    )


def distance(one: str, other: str) -> int:
    """Give the edits between two texts, from the definition."""
    row = list(range(len(other) + 1))
    for i, wanted in enumerate(one, start=1):
        last, row[0] = row[0], i
        for j, base in enumerate(other, start=1):
            last, row[j] = (
                row[j],
                min(row[j] + 1, row[j - 1] + 1, last + (base != wanted)),
            )
    return row[-1]


def fewest_edits(pattern: str, read: str) -> int:
    """Align a pattern whole to any part of a read: full dynamic programming."""
    row = [0] * (len(read) + 1)
    for i, wanted in enumerate(pattern, start=1):
        above, row = row, [i] + [0] * len(read)
        for j, got in enumerate(read, start=1):
            row[j] = min(above[j - 1] + (wanted != got), above[j] + 1, row[j - 1] + 1)
    return min(row)


def holds_join(sequence: str, join: int, read: str, anchor: int, allowed: int) -> bool:
    """Lay a sequence along a read base by base, at every place over its join."""
    for begin in range(-len(sequence), len(read)):
        low, high = max(0, -begin), min(len(sequence), len(read) - begin)
        if low <= join - anchor and high >= join + anchor:
            pairs = zip(sequence[low:high], read[begin + low :], strict=False)
            if sum(a != b for a, b in pairs) <= allowed:
                return True
    return False


def umi_bases(text: str) -> str | None:
    """Give the bases of a UMI; None when it must be compared as a whole."""
    kept = text.split("/", maxsplit=1)[0].upper()
    for separator in "-+_:":
        kept = kept.replace(separator, "")
    plain = 0 < len(kept) <= 28 and set(kept) <= set("ACGT")
    return kept if plain else None


def one_base_apart(first: str, second: str) -> bool:
    """Compare two UMIs letter by letter."""
    if len(first) != len(second):
        return False
    return sum(a != b for a, b in zip(first, second, strict=True)) == 1


def directional_roots(counts: dict[str, int]) -> dict[str, str]:
    """Join UMIs by the directional rule (doi:10.1101/gr.209601.116).

    Where another molecule is likelier to have a neighbour of a UMI than a copy with an
    error (1e-3 a base), it keeps no neighbours. `counts` is in the order of the packed
    words, which settles ties.
    """
    root: dict[str, str] = {}
    for start in sorted(counts, key=lambda word: -counts[word]):
        if start in root:
            continue
        root[start] = start
        grown = True
        while grown:
            joined = [
                other
                for node in counts
                if root.get(node) == start
                and counts[node] * (1e-3 / 3.0) >= len(counts) / 4 ** len(node)
                for other in counts
                if other not in root
                and one_base_apart(node, other)
                and counts[node] >= 2 * counts[other] - 1
            ]
            root.update(dict.fromkeys(joined, start))
            grown = bool(joined)
    return root


def merge_fragment(rows: Sequence[Row], limit: float, small: bool) -> str:
    """Name the class of a fragment: alt, ref, ambiguous or other."""
    alt = any(row.evidence >= limit for row in rows)
    ref = any(row.evidence <= -limit for row in rows)
    neither = any(row.neither for row in rows)
    if alt and ref:
        return "ambiguous"
    if alt or ref:
        if neither and small:
            return "ambiguous"
        return "alt" if alt else "ref"
    return "other" if neither else "ambiguous"


def vote(kinds: Sequence[str]) -> str:
    """Let a family's fragments vote: two thirds of the clear ones must agree."""
    clear = [kind for kind in kinds if kind != "ambiguous"]
    for kind in ("alt", "ref", "other"):
        if clear and 3 * clear.count(kind) >= 2 * len(clear):
            return kind
    return "ambiguous"


def background_bases(
    reads: Sequence[Read], low: int, high: int
) -> dict[tuple[int, str], int]:
    """Count fragments by position and base; mates that disagree say nothing."""
    shown: dict[tuple[str, int], set[str]] = {}
    for read in reads:
        for query, position in aligned_pairs(read):
            if query is not None and position is not None and low <= position < high:
                shown.setdefault((read.name, position), set()).add(read.bases[query])
    counts: dict[tuple[int, str], int] = {}
    for (_, position), bases in shown.items():
        bases.discard("N")
        if len(bases) == 1:
            key = position, bases.pop()
            counts[key] = counts.get(key, 0) + 1
    return counts
