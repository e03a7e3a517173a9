"""Samples of one table judged by several processes, in the order of the table."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context

from mrdtrack.commands.table_judge import JudgedSample, LevelsRequest, TableJudge

BLOCK = 40
"""Samples handed to a process at once."""
BLOCKS_AHEAD = 4
"""Blocks for each process that may wait to be written, so that memory is bounded."""


def judged_in_order(judge: TableJudge, *, keep: bool) -> Iterator[JudgedSample]:
    """Yield every judged sample; with more than one thread, processes share the work.

    `keep`: hand on the whole result too.
    """
    processes = min(judge.request.threads, len(judge) // BLOCK + 1)
    if processes < 2:
        for number in range(len(judge)):
            yield judge.judged(number, keep=keep)
        return
    starts = iter(range(0, len(judge), BLOCK))
    waiting: deque[Future[list[JudgedSample]]] = deque()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for start in starts:
            waiting.append(pool.submit(judged_block, judge.request, start, keep=keep))
            if len(waiting) >= BLOCKS_AHEAD * processes:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def judged_block(
    request: LevelsRequest, start: int, *, keep: bool
) -> list[JudgedSample]:
    """Judge a block of samples in a process of its own, which reads the tables once."""
    judge = _own_judge(request)
    numbers = range(start, min(start + BLOCK, len(judge)))
    return [judge.judged(number, keep=keep) for number in numbers]


@lru_cache(maxsize=1)
def _own_judge(request: LevelsRequest) -> TableJudge:
    return TableJudge(request)
