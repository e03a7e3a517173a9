"""Items that threads work on: each by one thread, in turn where their order matters.

An item that goes from thread to thread is fetched anew from the other core's memory
every time, which cost a third of the work.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import islice
from threading import Condition
from typing import NoReturn, TypeVar

Item = TypeVar("Item")
Prepared = TypeVar("Prepared")
Taken = TypeVar("Taken")
Result = TypeVar("Result")


class Abandoned(Exception):
    """An earlier item failed, or nobody waits for results any more."""


class Turns:
    """Lets threads pass one by one, in the order of their numbers from 0 on."""

    def __init__(self) -> None:
        """Let number 0 pass first."""
        self._changed = Condition()
        self._next = 0
        self._stopped = False

    @contextmanager
    def turn(self, number: int) -> Iterator[None]:
        """Wait for a turn, and end it; one that fails is the last.

        Raises:
            Abandoned: an earlier one failed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._next == number)
            if self._stopped:
                raise Abandoned
        try:
            yield
        except BaseException:
            self.stop()
            raise
        with self._changed:
            self._next += 1
            self._changed.notify_all()

    def stop(self) -> None:
        """Let nobody pass any more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()


def relay(
    items: Iterator[Item],
    prepare: Callable[[Item], Prepared],
    take: Callable[[Prepared], Taken | None],
    work: Callable[[Taken], Result],
    threads: int,
) -> Iterator[Result]:
    """Work on items in threads, and give the results in the order of the items.

    Args:
        items: come from the caller's own thread.
        prepare: is done at any time.
        take: is done in turn; None leaves the item out.
        work: is done at any time.
        threads: that prepare, take and work; with one it is the caller's own.

    Raises:
        Exception: whatever the first item that fails raises, after the results of those
            before it.
    """
    if threads == 1:
        for item in items:
            taken = take(prepare(item))
            if taken is not None:
                yield work(taken)
        return
    turns = Turns()

    def run(number: int, item: Callable[[], Item]) -> Result | None:
        ready = _tried(lambda: prepare(item()))
        with turns.turn(number):
            taken = take(ready())
        return None if taken is None else work(taken)

    coming = enumerate(_all_tried(items))
    waiting: deque[Future[Result | None]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            while True:
                for number, tried in islice(coming, 3 * threads // 2 - len(waiting)):
                    waiting.append(pool.submit(run, number, tried))
                if not waiting:
                    return
                result = waiting.popleft().result()
                if result is not None:
                    yield result
        finally:
            turns.stop()
            for future in waiting:
                future.cancel()


def _tried(make: Callable[[], Result]) -> Callable[[], Result]:
    """Do something now, and give what gives or raises what came of it."""
    try:
        made = make()
    except Exception as error:
        return partial(_fail, error)
    return lambda: made


def _fail(error: Exception) -> NoReturn:
    raise error


def _all_tried(items: Iterator[Item]) -> Iterator[Callable[[], Item]]:
    """Give items; where there should be one and cannot, what raises the reason."""
    while True:
        try:
            item = next(items)
        except StopIteration:
            return
        except Exception as error:
            yield partial(_fail, error)
            return
        yield partial(_given, item)


def _given(item: Item) -> Item:
    return item
