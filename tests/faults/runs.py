"""Run a command in a process of its own, under whatever hardship a test wants."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from fuzzing.kills import finish
from mrdtrack.cli import main

REPOSITORY = Path(__file__).resolve().parents[2]


class Ended(NamedTuple):
    """How a run ended: exit code (negative: a signal), and its two streams."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The only line on standard error."""
        (line,) = self.err.splitlines()
        assert "Traceback" not in line
        return line


class Running:
    """A forked run; it starts at once with everything imported."""

    def __init__(
        self,
        folder: Path,
        arguments: Sequence[object],
        setup: Callable[[], object] = lambda: None,
    ) -> None:
        number = time.monotonic_ns()
        self._streams = [folder / f"{number}.out", folder / f"{number}.err"]
        self.process = os.fork()
        if self.process == 0:
            self._be_child([str(argument) for argument in arguments], setup)

    def _be_child(self, arguments: list[str], setup: Callable[[], object]) -> None:
        try:
            for number, path in enumerate(self._streams, start=1):
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
                os.dup2(descriptor, number)
            sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False))
            sys.stderr = io.TextIOWrapper(os.fdopen(2, "wb", 0, closefd=False))
            sys.stderr.reconfigure(write_through=True)
            setup()
            main(arguments, "mrdtrack")
        except SystemExit as ended:
            sys.stdout.flush()
            os._exit(int(ended.code or 0))
        except BaseException as error:  # a bug: to be seen by the test
            sys.stderr.write(f"Traceback: {error!r}\n")
        finally:
            os._exit(70)

    def ended(self) -> Ended:
        """Wait for its end."""
        code = finish(self.process)
        out, err = (path.read_text() for path in self._streams)
        for path in self._streams:
            path.unlink()
        return Ended(code, out, err)


def run(
    folder: Path,
    *arguments: object,
    setup: Callable[[], object] = lambda: None,
) -> Ended:
    """Run a command to its end; `folder` takes its streams meanwhile."""
    return Running(folder, arguments, setup).ended()


def run_anew(
    *arguments: object,
    redirect: str = "",
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """Run a command in an interpreter of its own, its streams redirected in sh."""
    command = [sys.executable, "-m", "mrdtrack", *map(str, arguments)]
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirect}', "sh", *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
        env=None if environment is None else dict(environment),
        timeout=300,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
