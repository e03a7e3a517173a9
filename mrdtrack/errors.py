"""What a user can get wrong, said in one sentence: where, what, what to do."""

from __future__ import annotations

from collections.abc import Sequence


def one_line(text: str) -> str:
    """Make line breaks and control characters visible, so that a line stays one."""
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1]
        for character in text
    )


class MrdtrackError(Exception):
    """A mistake of input or environment, told to the user without a traceback."""


class InputError(MrdtrackError):
    """Something in a file (or option) is wrong.

    Args:
        where: the file, with line or key where known.
        problem: what is wrong.
        remedy: what to do about it.
    """

    def __init__(self, where: str, problem: str, remedy: str) -> None:
        self.where = where
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{where}: {problem}; {remedy}")


class PanelError(InputError):
    """A panel file is wrong."""


class ReferenceMismatch(InputError):
    """The reference FASTA is wrong, or does not fit the panel or the reads."""


class AlignmentsError(InputError):
    """A file of reads cannot be used."""


class CountsError(InputError):
    """A counts table is wrong."""


class ResultError(InputError):
    """A visit result or timeline input is wrong."""


class ProtocolError(InputError):
    """A protocol file is wrong."""


class OutputError(InputError):
    """An output cannot be written."""


class FaultList(MrdtrackError):
    """Several faults of one file, all told at once, on one line."""

    def __init__(self, where: str, faults: Sequence[str], remedy: str) -> None:
        self.where = where
        self.faults = tuple(faults)
        self.remedy = remedy
        listed = "; ".join(self.faults)
        super().__init__(f"{where}: {listed}; {remedy}")
