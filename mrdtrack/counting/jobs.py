"""Jobs that are done in their order, while the caller goes on reading."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self


class Jobs:
    """Does one job at a time; at most one is left undone when the next is handed in.

    With one thread each job is done at once.
    """

    def __init__(self, threads: int) -> None:
        """Take the number of threads that the run may use."""
        self._pool = ThreadPoolExecutor(1) if threads > 1 else None
        self._last: Future[None] | None = None

    def do(self, job: Callable[[], None]) -> None:
        """Hand in a job, and wait for the one before it.

        Raises:
            Exception: whatever an earlier job raised.
        """
        self.wait()
        if self._pool is None:
            job()
        else:
            self._last = self._pool.submit(job)

    def wait(self) -> None:
        """Wait until all jobs are done.

        Raises:
            Exception: whatever a job raised.
        """
        last, self._last = self._last, None
        if last is not None:
            last.result()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the thread, when the job at hand is done."""
        if self._pool is not None:
            self._pool.shutdown()
