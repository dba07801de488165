"""The errors that end a verb early, each with its exit code.

A message says what failed, in lower case and without a full stop; `cause` says why, where that is known, and `hint`
what to do next. `cli.console` prints them as `error:`, `cause:` and `hint:` lines, as uv does.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from os import PathLike

WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")


class UvmreError(Exception):
    """An error that ends a verb on purpose."""

    exit_code = 125

    def __init__(self, message: str, hint: str = "", *, cause: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.cause = cause

    @property
    def summary(self) -> str:
        """Return the message and the cause in one line."""
        return f"{self.message.rstrip('.')}: {self.cause}" if self.cause else self.message.rstrip(".")


class UsageError(UvmreError):
    """The command line, an answer or a folder is invalid."""

    exit_code = 2


class InputError(UsageError):
    """An input with faults, all of which are reported at once."""

    def __init__(self, message: str, faults: Sequence[str], hint: str = "") -> None:
        super().__init__(message, hint)
        self.faults = tuple(faults)


class CannotTell(UvmreError):
    """Something that a run needs is unavailable (network, disk, platform, interpreter), so the bug cannot be judged."""


class Interrupted(UvmreError):
    """SIGINT or SIGTERM was received."""

    exit_code = 130


def cause(error: BaseException) -> str:
    """Return why something failed: many errors of the network have no text, only a class and a cause."""
    current: BaseException | None = error
    while current is not None:
        if text := str(current).strip():
            return text
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return " ".join(WORDS.findall(type(error).__name__)).lower()


@contextlib.contextmanager
def naming_path(path: "PathLike[str]") -> Iterator[None]:
    """Add a path to an `OSError` that has none: the error of a full disk does not name it."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise
