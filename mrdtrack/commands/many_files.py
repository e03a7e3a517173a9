"""Very many files of one command, written one by one and named all at the end."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from mrdtrack.errors import OutputError


class ManyFiles:
    """Writes into a hidden folder beside the final names; renames all on success.

    For outputs too large to hold in memory: a sample at a time is written. On any
    error nothing is left under a final name.
    """

    def __init__(self, folder: Path, *, force: bool) -> None:
        self._folder = folder
        self._force = force
        self._hidden = folder / f".mrdtrack-{secrets.token_hex(6)}.parts"
        self._names: list[str] = []
        self._made = not folder.exists()

    def __enter__(self) -> ManyFiles:
        try:
            self._hidden.mkdir(parents=True)
        except OSError as fault:
            raise _cannot_write(self._folder, fault) from fault
        return self

    def add(self, name: str, content: bytes) -> None:
        """Write one file under its hidden name.

        Raises:
            OutputError: the final name exists and `force` is not given.
        """
        target = self._folder / name
        if target.is_dir() or (not self._force and os.path.lexists(target)):
            raise OutputError(
                str(target), "the file exists already", "add --force to replace it"
            )
        try:
            (self._hidden / name).write_bytes(content)
        except OSError as fault:
            raise _cannot_write(self._folder, fault) from fault
        self._names.append(name)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                for name in self._names:
                    (self._hidden / name).replace(self._folder / name)
        except OSError as error:
            raise _cannot_write(self._folder, error) from error
        finally:
            shutil.rmtree(self._hidden, ignore_errors=True)
            if kind is not None and self._made:
                with suppress(OSError):  # another run may have written there since
                    self._folder.rmdir()


def _cannot_write(folder: Path, fault: OSError) -> OutputError:
    return OutputError(
        str(folder),
        f"cannot be written ({fault.strerror or fault})",
        "see to its permissions and free space, or give another --output",
    )
