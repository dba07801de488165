"""Every way in which a verb ends early; each class knows its exit code.

A message says what failed, in lower case and without a full stop; `cause` says why, where that is known, and `hint`
what to do next. `cli.console` prints them as `error:`, `cause:` and `hint:` lines, as uv does.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from os import PathLike

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")


class UvmreError(Exception):
    """Anything that stops a verb on purpose."""

    exit_code = 125

    def __init__(self, message: str, hint: str = "", *, cause: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.cause = cause


class UsageError(UvmreError):
    """The command line, an answer or a folder is not what the verb takes."""

    exit_code = 2


class InputError(UsageError):
    """One input with faults, all of them reported at once."""

    def __init__(self, message: str, faults: Sequence[str], hint: str = "") -> None:
        super().__init__(message, hint)
        self.faults = tuple(faults)


class CannotTell(UvmreError):
    """What a run needs cannot be had here (network, disk, platform, interpreter), so it says nothing about the bug."""


class Interrupted(UvmreError):
    """Somebody pressed ^C, or the process was asked to end."""

    exit_code = 130


def cause(error: BaseException) -> str:
    """Return why something failed, in words: many errors of the network have no text, only a class and a cause."""
    told: BaseException | None = error
    while told is not None:
        if text := str(told).strip():
            return text
        told = told.__cause__ or (None if told.__suppress_context__ else told.__context__)
    return " ".join(WORD.findall(type(error).__name__)).lower()


@contextlib.contextmanager
def at(path: "PathLike[str]") -> Iterator[None]:
    """Name the place in an error of the system that names none: a full disk does not say where it is."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise
