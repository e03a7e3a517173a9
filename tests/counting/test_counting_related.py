"""Related clonotypes: the stem of a sequence after another V, in a count of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mrdtrack.counting.sequence_index import build_sequence_index
from mrdtrack.counts import MarkerCounts
from mrdtrack.errors import PanelError
from mrdtrack.panel.model import Panel
from mrdtrack.panel.model import Sequence as SequenceMarker
from tests.counting.builders import Read, classes, count, make_panel, turned

RNG = np.random.default_rng(5)


def invented(length: int) -> str:
    return "".join("ACGT"[code] for code in RNG.integers(0, 4, length))


V, NEW_V, OTHER_V = invented(60), invented(60), invented(60)
STEM, AFTER = invented(28), invented(30)
CLONE = V[-24:] + STEM
EVOLVED = OTHER_V[-24:] + STEM
FIRST, LAST = 4 | 1 | 8 | 64, 4 | 1 | 8 | 128


def clone(sequence: str = CLONE, stem: int | None = 28, **more: Any) -> dict[str, Any]:
    told = {} if stem is None else {"stem": stem}
    return {"kind": "sequence", "sequence": sequence, **told, **more}


def loose(name: str, letters: str, **more: Any) -> Read:
    given = {"flag": 4, "mapping_quality": 0, **more}
    return Read(name=name, bases=letters, contig=None, **given)


def rows_of(
    folder: Path, reads: Sequence[Read], panel: Panel, **settings: Any
) -> tuple[MarkerCounts, ...]:
    return count(folder, reads, panel, indexed=False, **settings).markers


def with_errors(letters: str, rate: float) -> str:
    wrong = RNG.random(len(letters)) < rate
    return "".join(
        "ACGT"[("ACGT".index(base) + 1 + int(RNG.integers(3))) % 4] if bad else base
        for base, bad in zip(letters, wrong, strict=True)
    )


def test_related_molecules_of_simulated_reads_are_the_truth(tmp_path: Path) -> None:
    reads = []
    for n in range(1200):
        v = (V, NEW_V, invented(60))[n % 3]
        cut = int(RNG.integers(0, 20))
        letters = with_errors((v + STEM + AFTER)[cut:], 0.002)
        letters = turned(letters) if n % 2 else letters
        reads.append(loose(f"r{n}", letters))
    (row,) = rows_of(tmp_path, reads, make_panel(clone()))
    assert row.alt is not None
    assert row.related is not None
    assert 392 <= row.alt <= 400
    assert 792 <= row.related <= 800
    assert row.molecules == row.alt
    (bare,) = rows_of(tmp_path, reads, make_panel(clone(stem=None)))
    assert bare.related is None
    assert bare == row.model_copy(update={"related": None})


def test_poor_copies_of_the_clone_are_not_related(tmp_path: Path) -> None:
    reads = [loose(f"r{n}", with_errors(V + STEM, 0.01)) for n in range(3000)]
    (row,) = rows_of(tmp_path, reads, make_panel(clone()))
    assert row.alt is not None
    assert row.alt < 3000
    assert row.related == 0


def test_cut_reads_tell_where_they_reach_beyond_the_stem(tmp_path: Path) -> None:
    for reach, found in ((0, 0), (11, 0), (16, 50), (40, 50)):
        reads = [
            loose(f"r{n}", invented(60)[60 - reach :] + STEM + AFTER) for n in range(50)
        ]
        (row,) = rows_of(tmp_path, reads, make_panel(clone()))
        assert row.alt == 0
        assert abs((row.related or 0) - found) <= 1


def test_another_clone_of_the_panel_is_no_relative(tmp_path: Path) -> None:
    reads = [
        loose("own", V + STEM),
        loose("evolved", OTHER_V + STEM),
        loose("new", NEW_V + STEM),
    ]
    (alone,) = rows_of(tmp_path, reads, make_panel(clone()))
    assert (alone.alt, alone.related) == (1, 2)
    both = rows_of(tmp_path, reads, make_panel(clone(), clone(EVOLVED)))
    assert [(row.alt, row.related) for row in both] == [(1, 1), (1, 1)]


def test_a_stem_as_a_marker_does_not_take_the_relatives(tmp_path: Path) -> None:
    reads = [loose("own", V + STEM), loose("new", NEW_V + STEM + AFTER)]
    panel = make_panel(clone(), clone(STEM, stem=None))
    rows = rows_of(tmp_path, reads, panel)
    assert [(row.alt, row.related) for row in rows] == [(1, 1), (2, None)]


def test_a_read_between_two_stems_belongs_to_neither(tmp_path: Path) -> None:
    first, second, read = (STEM[:14] + base + STEM[15:] for base in "ACG")
    panel = make_panel(clone(V[-24:] + first), clone(OTHER_V[-24:] + second))
    reads = [loose("tie", NEW_V + read), loose("first", NEW_V + first)]
    rows = rows_of(tmp_path, reads, panel)
    assert [(row.alt, row.related) for row in rows] == [(0, 1), (0, 0)]


def test_mates_are_one_molecule_and_the_clone_comes_first(tmp_path: Path) -> None:
    reads = [
        loose("both", NEW_V + STEM, flag=FIRST),
        loose("both", turned(NEW_V[20:] + STEM + AFTER), flag=LAST),
        loose("one", NEW_V + STEM, flag=FIRST),
        loose("one", turned(STEM[4:] + AFTER), flag=LAST),
        loose("clone", V + STEM, flag=FIRST),
        loose("clone", turned(NEW_V + STEM), flag=LAST),
    ]
    (row,) = rows_of(tmp_path, reads, make_panel(clone()))
    assert (classes(row), row.related) == ((1, 0, 0, 0), 2)


def test_a_family_is_the_clone_or_related_by_most_of_its_reads(tmp_path: Path) -> None:
    def family(umi: str, n_own: int, n_new: int) -> list[Read]:
        return [
            loose(f"{umi}{n}", (V if n < n_own else NEW_V) + STEM, tags={"RX": umi})
            for n in range(n_own + n_new)
        ]

    reads = [
        *family("ACGTACGTACGT", 5, 1),
        *family("GGTTGGTTGGTT", 1, 5),
        *family("CATCATCATCAT", 0, 3),
        *family("TTTTACACACAC", 1, 1),
    ]
    (row,) = rows_of(tmp_path, reads, make_panel(clone()), molecules="umi")
    assert (row.alt, row.related) == (3, 2)
    (bare,) = rows_of(tmp_path, reads, make_panel(clone(stem=None)), molecules="umi")
    assert bare == row.model_copy(update={"related": None})


def test_duplicates_are_left_out(tmp_path: Path) -> None:
    reads = [
        loose("one", NEW_V + STEM),
        loose("again", NEW_V + STEM, flag=4 | 1024),
        loose("other", V + STEM),
    ]
    (row,) = rows_of(tmp_path, reads, make_panel(clone()))
    assert row.related == 1


def test_a_stem_too_short_for_its_edits_is_refused() -> None:
    marker = make_panel(clone(stem=10)).marker[0]
    assert isinstance(marker, SequenceMarker)
    with pytest.raises(PanelError, match="the stem of marker 'm1': its sequence of 10"):
        build_sequence_index([marker])
