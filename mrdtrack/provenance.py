"""Where a result came from: command, versions, inputs and when.

These facts differ between equal runs, so they go into a file of their own and never
into a result.
"""

from __future__ import annotations

import hashlib
import os
import platform
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from threading import Thread
from typing import Literal

from pydantic import ConfigDict, Field

from mrdtrack import __version__
from mrdtrack.errors import InputError
from mrdtrack.models import FileModel

SCHEMA: Literal["mrdtrack-provenance/1"] = "mrdtrack-provenance/1"

# The libraries that numbers depend on.
LIBRARIES = ("numpy", "scipy", "numba", "pysam")


class InputFile(FileModel):
    """One input, by content.

    `size` is in bytes. A stream (standard input, a pipe) cannot be read twice, so it
    has neither size nor checksum. `sha256` is None too where none was asked for.
    """

    path: str
    size: int | None
    sha256: str | None


class Provenance(FileModel):
    """What made a result: `SAMPLE.provenance.json` and its like.

    `time` is UTC in ISO 8601. `libraries` maps names to versions.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True
    )

    schema_: Literal["mrdtrack-provenance/1"] = Field(default=SCHEMA, alias="schema")
    command: tuple[str, ...]
    folder: str
    time: str
    host: str
    platform: str
    mrdtrack: str
    python: str
    libraries: dict[str, str]
    inputs: tuple[InputFile, ...]


def describe_run(
    command: Sequence[str],
    inputs: Sequence[InputFile],
    *,
    libraries: Mapping[str, str] | None = None,
) -> Provenance:
    """Gather the facts of this run.

    Args:
        command: the command line, program name first (`sys.argv`).
        inputs: what was read, in the order of the command line (`describe_input`).
        libraries: versions that only the caller knows (htslib, which pysam carries).
    """
    return Provenance(
        command=tuple(command),
        folder=folder_of_run(),
        time=time_of_run().isoformat(),
        host=socket.gethostname(),
        platform=platform.platform(),
        mrdtrack=__version__,
        python=platform.python_version(),
        libraries=dict(sorted({**installed_versions(), **(libraries or {})}.items())),
        inputs=tuple(inputs),
    )


def describe_input(path: Path, *, checksum: bool = True) -> InputFile:
    """Measure one input; its content is streamed, never held."""
    if not path.is_file():
        return InputFile(path=str(path), size=None, sha256=None)
    if not checksum:
        return InputFile(path=str(path), size=path.stat().st_size, sha256=None)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return InputFile(path=str(path), size=file.tell(), sha256=digest)


def describe_meanwhile(paths: Sequence[Path]) -> Callable[[], list[InputFile]]:
    """Measure inputs in a thread; return what waits for them.

    A checksum gives up Python's lock, so it costs no time of other threads where a core
    is free. A run that fails does not wait for it.
    """
    told: Future[list[InputFile]] = Future()

    def measure() -> None:
        try:
            told.set_result([describe_input(path) for path in paths])
        except BaseException as fault:
            told.set_exception(fault)

    Thread(target=measure, daemon=True).start()
    return told.result


def installed_versions() -> dict[str, str]:
    """Look up the versions of the libraries that numbers depend on.

    Read from the installed metadata, so that nothing is imported for it.
    """
    return {name: metadata.version(name) for name in LIBRARIES}


def folder_of_run() -> str:
    """Name the folder the command runs in; empty where it has been removed."""
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return ""


def time_of_run() -> datetime:
    """Tell the time in whole seconds (UTC), or what SOURCE_DATE_EPOCH says it is."""
    told = os.environ.get("SOURCE_DATE_EPOCH")
    if not told:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        return datetime.fromtimestamp(int(told), UTC)
    except (ValueError, OverflowError, OSError):
        raise InputError(
            "SOURCE_DATE_EPOCH",
            f"{told!r} is no whole number of seconds since 1970",
            "set it to one, or unset it",
        ) from None
