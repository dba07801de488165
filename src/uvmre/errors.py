"""Every way in which a verb ends early; each class knows its exit code.

A message says what failed and why that usually is; the hint says what to do next. One sentence each.
"""

import contextlib
from collections.abc import Iterator, Sequence
from os import PathLike


class UvmreError(Exception):
    """Anything that stops a verb on purpose."""

    exit_code = 125

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(UvmreError):
    """The command line, an answer or a folder is not what the verb takes."""

    exit_code = 2


class InputError(UsageError):
    """One input with faults, all of them told at once."""

    def __init__(self, message: str, faults: Sequence[str], hint: str = "") -> None:
        super().__init__(message, hint)
        self.faults = tuple(faults)


class CannotTell(UvmreError):
    """What a run needs cannot be had here (network, disk, platform, interpreter), so it says nothing about the bug."""


class Interrupted(UvmreError):
    """Somebody pressed ^C, or the process was asked to end."""

    exit_code = 130


@contextlib.contextmanager
def at(path: "PathLike[str]") -> Iterator[None]:
    """Name the place in an error of the system that names none: a full disk does not say where it is."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise
