"""Work on items in threads: the order, turns, failures, and threads that end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from threading import active_count, get_ident

import pytest

from mrdtrack.counting.jobs import Jobs
from mrdtrack.counting.relay import relay

THREADS = [1, 2, 3, 5]


def slowly(item: int) -> int:
    time.sleep(0.002 * (item % 3))
    return item


def kept(item: int) -> int | None:
    return item


@pytest.mark.parametrize("threads", THREADS)
def test_results_and_turns_are_in_the_order_of_the_items(threads: int) -> None:
    turns = []

    def take(item: int) -> int | None:
        turns.append(item)
        return None if item % 5 == 4 else item

    found = list(relay(iter(range(23)), slowly, take, slowly, threads))
    assert turns == list(range(23))
    assert found == [item for item in range(23) if item % 5 != 4]


def test_an_item_stays_with_its_thread() -> None:
    def prepare(item: int) -> list[int]:
        return [slowly(item), get_ident()]

    def take(told: list[int]) -> list[int] | None:
        return [*told, get_ident()]

    def work(told: list[int]) -> list[int]:
        return [*told, get_ident()]

    for number, prepared, taken, worked in relay(
        iter(range(20)), prepare, take, work, 3
    ):
        assert prepared == taken == worked != get_ident()
        assert number < 20


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("stage", ["item", "prepare", "take", "work"])
def test_the_first_failure_comes_after_the_results_before_it(
    threads: int, stage: str
) -> None:
    def failing(at: str, item: int) -> int:
        if at == stage and item in {7, 8}:
            raise ValueError(item)
        return slowly(item)

    def items() -> Iterator[int]:
        for item in range(20):
            yield failing("item", item)

    before = active_count()
    found: list[int] = []
    prepare, take, work = (partial(failing, n) for n in ("prepare", "take", "work"))
    with pytest.raises(ValueError, match="7"):
        found.extend(relay(items(), prepare, take, work, threads))
    assert found == list(range(7))
    assert active_count() == before


@pytest.mark.parametrize("threads", THREADS)
def test_a_relay_that_is_given_up_ends_its_threads(threads: int) -> None:
    before = active_count()
    results = relay(iter(range(1000)), slowly, kept, slowly, threads)
    assert next(results) == 0
    del results
    assert active_count() == before


@pytest.mark.parametrize("threads", [1, 2])
def test_jobs_are_done_in_their_order(threads: int) -> None:
    done: list[int] = []
    with Jobs(threads) as jobs:
        for number in range(5):
            jobs.do(partial(done.append, number))
        jobs.wait()
        assert done == list(range(5))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_job_that_fails_says_so(threads: int) -> None:
    def fail() -> None:
        raise ValueError("this one")

    def run() -> None:
        with Jobs(threads) as jobs:
            jobs.do(fail)
            jobs.wait()

    before = active_count()
    with pytest.raises(ValueError, match="this one"):
        run()
    assert active_count() == before
