"""The door: where a user's mistake becomes one line, and nothing else does.

Every command hangs in a `Door`. A `MrdtrackError`, an `OSError` or a wrong command line
becomes `mrdtrack COMMAND: error: WHERE: what is wrong; what to do`. Any other exception
is a bug and shows its traceback.
"""

from __future__ import annotations

import atexit
import errno
import gc
import io
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import IO, Any

import click

from mrdtrack.errors import MrdtrackError, one_line

PROGRAM = "mrdtrack"
DEBUG = "mrdtrack.debug"
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

INPUT_ERROR, USAGE_ERROR, GATE_MET, INTERRUPTED = 1, 2, 3, 130

REMEDIES = {
    errno.EBADF: "leave it open, or ask for no data on it",
    errno.ENOENT: "check the path",
    errno.EACCES: "check who may read and write it",
    errno.EPERM: "check who may read and write it",
    errno.EISDIR: "name a file, not a folder",
    errno.ENOTDIR: "name a folder, not a file",
    errno.EEXIST: "name another, or use --force",
    errno.ENOSPC: "free some space on the disk",
    errno.EDQUOT: "free some space on the disk",
    errno.EROFS: "name a folder that can be written",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


class Stopped(SystemExit):
    """The system or the user ended the run; what was begun is cleared away."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.name = signal.Signals(number).name


class ClosedStream(io.StringIO):
    """Stands for standard output or error where the caller has closed it."""

    def __init__(self, name: str, *, wanted: bool) -> None:
        """Take words for the stream `name`; `wanted` ones must not be lost."""
        super().__init__()
        self._name = name
        self._wanted = wanted

    def flush(self) -> None:
        """Say that data cannot get out.

        Raises:
            OSError: something was written that is wanted.
        """
        if self._wanted and self.getvalue():
            self.truncate(0)
            raise OSError(errno.EBADF, "it is closed", self._name)


class Refusal(click.ClickException):
    """One line on stderr about an input."""

    exit_code = INPUT_ERROR

    def __init__(self, command: str, sentence: str) -> None:
        super().__init__(sentence)
        self.command = command

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the line."""
        click.echo(f"{self.command}: error: {one_line(self.message)}", file, err=True)


class UsageRefusal(Refusal):
    """One line on stderr about the command line."""

    exit_code = USAGE_ERROR


def _collect_rarely() -> None:
    """Look for garbage in cycles rarely, and not in what is left at the end.

    Nearly all that a run makes lives as long as it does: to look through the modules
    again and again took a quarter of a small run.
    """
    gc.set_threshold(500_000, 50, 100)
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)


class Command(click.Command):
    """A command that also takes --debug."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.context_settings = {**SETTINGS, **self.context_settings}
        self.params.append(debug_option())


class Door(click.Group):
    """A group that turns mistakes into lines; its commands stand as they were added."""

    command_class = Command
    group_class = type  # a group below is a Door too

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.context_settings = {**SETTINGS, **self.context_settings}

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run as a program, whatever streams it was given and however it is ended."""
        _collect_rarely()
        with _open_streams(), _stopping():
            return super().main(*args, **extra)

    def list_commands(self, _: click.Context) -> list[str]:
        """List the commands in the order a user needs them."""
        return list(self.commands)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Parse the group's own options."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            raise refuse_usage(error, info_name or PROGRAM) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and say in one line what the user can mend."""
        try:
            value = super().invoke(ctx)
            sys.stdout.flush()
        except click.UsageError as error:
            raise refuse_usage(error, ctx.command_path) from error
        except BrokenPipeError:
            raise
        except (MrdtrackError, OSError) as error:
            if ctx.find_root().meta.get(DEBUG):
                traceback.print_exc()
            raise Refusal(running(ctx), say(error)) from error
        except KeyboardInterrupt:
            click.echo(f"{running(ctx)}: interrupted", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None
        except Stopped as stopped:
            click.echo(f"{running(ctx)}: ended by {stopped.name}", err=True)
            raise
        return value


@contextmanager
def _open_streams() -> Iterator[None]:
    """Let something stand where standard output or error is closed."""
    closed = [name for name in ("stdout", "stderr") if getattr(sys, name) is None]
    if "stdout" in closed:
        sys.stdout = ClosedStream("standard output", wanted=True)
    if "stderr" in closed:
        sys.stderr = ClosedStream("standard error", wanted=False)
    try:
        yield
    finally:  # where a reader has left, click puts a silent stream: that must stay
        for name in closed:
            setattr(sys, name, None)


@contextmanager
def _stopping() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind the run, unless they are ignored.

    Handlers can be set in the main thread alone; elsewhere this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Stopped(number)

    before = {
        number: signal.signal(number, stop)
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) == signal.SIG_DFL
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def debug_option() -> click.Option:
    """Build the option that shows the traceback of an error, for any command."""

    def remember(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            ctx.find_root().meta[DEBUG] = True

    return click.Option(
        ["--debug"],
        is_flag=True,
        expose_value=False,
        callback=remember,
        help="Show the traceback of an error.",
    )


def running(ctx: click.Context) -> str:
    """Name the command that runs, from the group it hangs in."""
    return " ".join(filter(None, (ctx.command_path, ctx.invoked_subcommand)))


def refuse_usage(error: click.UsageError, command: str) -> click.ClickException:
    """Put a wrong command line into one line; a bare group shows its help instead."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error
    if error.ctx is not None:
        command = error.ctx.command_path
    sentence = error.format_message().rstrip(".")
    return UsageRefusal(command, f"{sentence}; see `{command} --help`")


def say(error: MrdtrackError | OSError) -> str:
    """Tell where, what is wrong and what to do."""
    if isinstance(error, MrdtrackError):
        return str(error)
    where = "input or output" if error.filename is None else str(error.filename)
    problem = (error.strerror or str(error) or type(error).__name__).rstrip(".")
    problem = problem[:1].lower() + problem[1:]
    remedy = REMEDIES.get(error.errno or 0, "run again with --debug to see where")
    return f"{where}: {problem}; {remedy}"
