"""A short campaign of `make fuzz`, and that it would notice what it looks for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fuzzing.bam_parts import compress, join_bam, split_bam
from fuzzing.campaign import LONGEST, Settings, run_campaign
from fuzzing.cases import Case, Draw, Given, Kind, Value
from fuzzing.changes import seeded
from fuzzing.cram_parts import join_cram, split_cram
from fuzzing.index_parts import join_index, split_index
from fuzzing.kinds import KINDS
from fuzzing.seeds import Seeds, make_seeds
from fuzzing.summary import summary_text
from fuzzing.trial import EQUAL, EXPLAINED, FAULT, REFUSED
from mrdtrack.errors import InputError, MrdtrackError


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Seeds:
    return make_seeds(tmp_path_factory.mktemp("fuzz") / "seeds")


def test_a_short_campaign_finds_nothing(seeds: Seeds, tmp_path: Path) -> None:
    log = run_campaign(
        Settings(n_inputs=250, n_workers=1, first=7_000_000), seeds, tmp_path
    )
    assert len(log.trials) == 250
    assert [trial for trial in log.trials if trial.outcome == FAULT] == []
    outcomes = {trial.outcome for trial in log.trials}
    assert outcomes == {REFUSED, EQUAL, EXPLAINED}
    assert max(log.peaks) < 500_000_000
    assert max(trial.seconds for trial in log.trials) < LONGEST
    assert "| all | 250 |" in summary_text(log)


def test_files_are_put_together_as_they_were(seeds: Seeds) -> None:
    bam = (seeds.folder / "plain.bam").read_bytes()
    parts = split_bam(bam)
    assert split_bam(join_bam(parts, 999)) == parts
    for ending in ("bai", "csi"):
        data = (seeds.folder / f"plain.bam.{ending}").read_bytes()
        if ending == "csi":
            data = split_bam_free(data)
        assert join_index(split_index(data)) == data
    cram = (seeds.folder / "plain.cram").read_bytes()
    assert join_cram(*split_cram(cram)) == cram


def split_bam_free(data: bytes) -> bytes:
    from fuzzing.bam_parts import inflate

    inflated = inflate(data)
    assert inflate(compress(inflated)) == inflated
    return inflated


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_changes_are_drawn_again_by_their_number(seeds: Seeds, kind: Kind) -> None:
    for number in range(12):
        one, two = (kind.change(Draw(seeds, seeded(number), [])) for _ in range(2))
        assert one == two


def made_kind(read: Callable[[Given], Value], allowance: int | None = 0) -> Kind:
    def change(draw: Draw) -> Case:
        return Case(files={"a": b"x"}, main="a", seed="plain bam", allowance=allowance)

    return Kind("made", 1, change, read)


def raised(error: BaseException) -> Callable[[Given], Value]:
    def read(given: Given) -> Value:
        if given.folder.name == "right":
            return ("reads", False, 3)
        raise error

    return read


def leave_behind(given: Given) -> Value:
    if given.folder.name != "right":
        (given.folder / "tmp" / "scratch").write_text("forgotten")
        raise InputError("a", "is wrong", "mend it")
    return ("reads", False, 3)


def die(given: Given) -> Value:
    if given.folder.name != "right":
        os._exit(11)
    return ("reads", False, 3)


def count_less(given: Given) -> Value:
    return ("reads", False, 3 if given.folder.name == "right" else 1)


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (raised(ZeroDivisionError("planted")), "ZeroDivisionError"),
        (raised(MemoryError()), "MemoryError"),
        (raised(MrdtrackError("oh")), "without a remedy"),
        (raised(InputError("a", "wrong", "")), "without place, problem or remedy"),
        (leave_behind, "left behind: tmp/scratch"),
        (die, "the process ended with 11"),
        (count_less, "silently another result"),
    ],
)
def test_a_fault_is_noticed_and_kept(
    seeds: Seeds,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    read: Callable[[Given], Value],
    words: str,
) -> None:
    monkeypatch.setattr("fuzzing.campaign._right_files", lambda *_: {})
    found = tmp_path / "found"
    settings = Settings(
        n_inputs=2, n_workers=1, kinds=[made_kind(read)], findings=found
    )
    log = run_campaign(settings, seeds, tmp_path / "work")
    assert [trial.outcome for trial in log.trials] == [FAULT, FAULT]
    assert words in log.trials[0].detail
    assert words in summary_text(log) or "Faults:" in summary_text(log)
    assert words in (found / "0" / "finding.txt").read_text()


def test_counts_may_move_as_far_as_the_change_explains(
    seeds: Seeds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fuzzing.campaign._right_files", lambda *_: {})
    for allowance, outcome in ((2, EXPLAINED), (1, FAULT), (None, EXPLAINED)):
        kind = made_kind(count_less, allowance)
        settings = Settings(n_inputs=1, n_workers=1, kinds=[kind])
        log = run_campaign(settings, seeds, tmp_path)
        assert [trial.outcome for trial in log.trials] == [outcome]


def test_memory_is_what_reading_took(
    seeds: Seeds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fuzzing.campaign._right_files", lambda *_: {})
    of_the_parent = b"x" * 300_000_000

    def take(given: Given) -> Value:
        taken = b"x" * (100_000_000 if given.folder.name != "right" else 1)
        return ("reads", False, len(taken) and 3)

    settings = Settings(n_inputs=1, n_workers=1, kinds=[made_kind(take)])
    log = run_campaign(settings, seeds, tmp_path)
    assert 90_000_000 < max(log.peaks) < len(of_the_parent)


def test_a_hang_is_ended(
    seeds: Seeds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fuzzing.campaign._right_files", lambda *_: {})
    monkeypatch.setattr("fuzzing.campaign.LONGEST", 0.5)

    def hang(given: Given) -> Value:
        if given.folder.name != "right":
            time.sleep(60)
        return ("reads", False, 3)

    settings = Settings(n_inputs=1, n_workers=1, kinds=[made_kind(hang)])
    log = run_campaign(settings, seeds, tmp_path)
    assert [trial.detail for trial in log.trials] == ["it hangs"]
