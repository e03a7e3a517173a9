"""Files of one command, written whole or not at all.

A run that is killed leaves no file that is half written under its name, and no name
without its file: new contents are renamed over old ones. Runs that write into one
folder take turns at renaming, so that their files are not mixed, and clear away what
killed runs have left there.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from mrdtrack.errors import OutputError

MAX_NAME = 120
_UNSAFE = re.compile(r"[^A-Za-z0-9._+=,@-]")
_EXIT_ON_SIGTERM = 128 + signal.SIGTERM


def safe_name(text: str) -> str:
    """Turn a sample or patient name into the first part of a file name.

    A name of at most 120 ASCII letters, digits and ``._+=,@-`` that does not begin with
    a dot or a dash stays as it is. In any other, each odd character becomes ``_``, and
    ``~`` with ten hexadecimal digits of the name's SHA-256 is put behind: two names
    never share a file, since ``~`` is itself odd.
    """
    odd = _UNSAFE.search(text) or text[:1] in {"", ".", "-"} or len(text) > MAX_NAME
    if not odd:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    kept = _UNSAFE.sub("_", text[: MAX_NAME - 11])
    if kept[:1] in {"", ".", "-"}:
        kept = "_" + kept[1:]
    return f"{kept}~{digest}"


def write_files(folder: Path, files: Mapping[str, bytes], *, force: bool) -> list[Path]:
    """Write all files into the folder, or none.

    Each goes to a hidden temporary name first and is renamed when all are on the disk.
    Without `force` an existing file is an error before anything is written. On any
    error or interruption the folder is as it was before, and a folder made for the
    files is removed again. The permissions are those the umask gives.

    Raises:
        OutputError: a file exists, or the folder cannot be written.
    """
    targets = {folder / name: content for name, content in files.items()}
    if any(path.parent != folder or path.name in {"", ".."} for path in targets):
        raise ValueError("a file name may not lead out of its folder")
    _refuse_existing(folder, list(targets), force=force)
    with _exit_on_sigterm(), _as_output_error(folder):
        made = _make_folder(folder)
        try:
            _write_all(folder, targets, force=force)
        except BaseException:
            _remove_folders(made)
            raise
    return sorted(targets)


def _refuse_existing(folder: Path, paths: list[Path], *, force: bool) -> None:
    if os.path.lexists(folder) and not folder.is_dir():
        raise OutputError(str(folder), "it is not a folder", "give another --output")
    for path in paths:
        if path.is_dir():
            raise OutputError(
                str(path), "a folder has this name", "give another --output"
            )
        if not force and os.path.lexists(path):
            raise OutputError(
                str(path), "the file exists already", "add --force to replace it"
            )


@contextmanager
def _as_output_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise OutputError(
            str(folder),
            f"cannot be written ({fault.strerror or fault})",
            "see to its permissions and free space, or give another --output",
        ) from fault


@contextmanager
def _exit_on_sigterm() -> Iterator[None]:
    """Let SIGTERM raise SystemExit, so that what was begun is cleared away.

    Handlers can be set in the main thread alone; elsewhere this does nothing, nor does
    it where a handler is set already.
    """
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return

    def leave(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(_EXIT_ON_SIGTERM)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _make_folder(folder: Path) -> list[Path]:
    """Make the folder with its parents; return those made, the innermost first."""
    missing = []
    for path in (folder, *folder.parents):
        if path.exists():
            break
        missing.append(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        _remove_folders(missing)
        raise
    return missing


def _remove_folders(folders: list[Path]) -> None:
    for path in folders:
        with suppress(OSError):
            path.rmdir()


def _write_all(folder: Path, targets: Mapping[Path, bytes], *, force: bool) -> None:
    token = secrets.token_hex(6)
    parts = {
        path: folder / f".mrdtrack-{token}-{number}.part"
        for number, path in enumerate(targets)
    }
    try:
        with _sign_of_life(folder, token):
            for path, part in parts.items():
                _write_one(part, targets[path])
            with _turn(folder):
                _refuse_existing(folder, list(targets), force=force)
                _rename_all(parts)
            _sync_folder(folder)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """Wait for one's turn in a folder; where it cannot be locked, do not wait."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _sign_of_life(folder: Path, token: str) -> Iterator[None]:
    """Hold a lock that ends with this run, however it ends; clear away dead runs'."""
    path = folder / f".mrdtrack-{token}.alive"
    with _turn(folder):
        _clear_dead_runs(folder)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _clear_dead_runs(folder: Path) -> None:
    """Remove the hidden files of runs whose lock has ended with them."""
    for sign in folder.glob(".mrdtrack-*.alive"):
        with suppress(OSError), sign.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for left in folder.glob(f"{sign.stem}-*"):
                left.unlink()
            sign.unlink()


def _write_one(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def _rename_all(parts: Mapping[Path, Path]) -> None:
    """Rename all; where one fails, put back what the others replaced."""
    kept: dict[Path, Path] = {}
    try:
        for path, part in parts.items():
            if os.path.lexists(path):
                kept[path] = part.with_suffix(".before")
                _keep(path, kept[path])
            part.rename(path)
    except BaseException:
        for path, part in parts.items():
            if not part.exists():
                path.unlink(missing_ok=True)
        for path, old in kept.items():
            if os.path.lexists(old):
                old.rename(path)
                old.unlink(missing_ok=True)  # two names of one file stay two
        raise
    for old in kept.values():
        old.unlink(missing_ok=True)


def _keep(path: Path, name: Path) -> None:
    """Give a file a second name; its only one where the disk allows no more."""
    try:
        os.link(path, name, follow_symlinks=False)
    except OSError:
        path.rename(name)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
