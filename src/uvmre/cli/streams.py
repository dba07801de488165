"""Standard input, output and error as this process got them: closed, full, read by nobody, or in a narrow encoding.

Prepared once, before anything else is opened: what is opened while a standard descriptor is closed takes its number.
"""

import codecs
import contextlib
import fcntl
import io
import os
import select
import sys
from typing import Any

from uvmre.errors import CannotTell, UsageError

STDOUT, STDERR = 1, 2
FALLBACK = "uvmre-ascii"
PLAIN = {
    "│": "|",
    "…": "...",
    "→": "->",
    "×": "x",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "–": "-",
    "—": "-",
    "✓": "ok",
    "\N{NO-BREAK SPACE}": " ",
}
"""What stands for the characters of our own messages where the encoding of a stream has none for them."""

_lost: list[str] = []
"""Why stdout cannot be written; empty when it can."""


def prepare() -> None:
    """Open what is closed, and make stdout and stderr streams whose faults end in a message or in nothing."""
    for number in (0, STDOUT, STDERR):
        try:
            flags = fcntl.fcntl(number, fcntl.F_GETFL)
        except OSError:
            # The lowest free number is taken, and those below are open by now.
            opened = os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)
            os.set_inheritable(opened, True)
            why = "it is closed"
        else:
            why = "it is open for reading only" if flags & os.O_ACCMODE == os.O_RDONLY else ""
        if why and number == STDOUT:
            _lost.append(why)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    codecs.register_error(FALLBACK, _ascii)
    sys.stdout = _Text(_Raw(STDOUT), sys.stdout.encoding if sys.stdout else "utf-8")
    sys.stderr = _Text(_Raw(STDERR), sys.stderr.encoding if sys.stderr else "utf-8")


def check() -> None:
    """Raise where the answer has nowhere to go, before any work is done for it."""
    if _lost:
        raise UsageError(
            f"Standard output cannot be written: {_lost[0]}.", "Redirect it to `/dev/null` where it is not wanted."
        )


def encodable(text: str) -> bool:
    """Tell whether stdout can carry a text as it is."""
    try:
        text.encode(getattr(sys.stdout, "declared", None) or sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


class _Raw(io.FileIO):
    """A descriptor whose reader may go away at any time: what is written then is dropped."""

    def __init__(self, number: int) -> None:
        super().__init__(number, "w", closefd=False)

    def write(self, data: Any, /) -> int:
        try:
            # Whoever gave us this end of a pipe may have made it one that does not wait.
            while (written := super().write(data)) is None:
                select.select([], [self], [])
        except OSError as error:
            # Nothing that is written later can meet the same fault, nor bury the first one.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            # Who reads may have enough (`| head`), and of stderr there is nobody left to tell: the exit code stays.
            if self.fileno() == STDERR or isinstance(error, BrokenPipeError):
                return memoryview(data).nbytes
            raise CannotTell(
                f"The answer could not be written to standard output: {error.strerror}.",
                "Make room, or write it elsewhere.",
            ) from None
        return written


class _Text(io.TextIOWrapper):
    """A text stream that writes what it can in its encoding, and an ASCII stand-in for the rest."""

    def __init__(self, raw: _Raw, encoding: str) -> None:
        self.declared = encoding
        # click takes a stream in ASCII for a misconfigured one, and would write UTF-8 past it.
        narrow = codecs.lookup(encoding).name == "ascii"
        super().__init__(
            io.BufferedWriter(raw), encoding="utf-8" if narrow else encoding, errors=FALLBACK, line_buffering=True
        )
        self._narrow = narrow

    def write(self, text: str) -> int:
        return super().write(text.encode("ascii", FALLBACK).decode() if self._narrow else text)


def _ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    end = error.end
    return "".join(PLAIN.get(char) or _escaped(char) for char in error.object[error.start : end]), end


def _escaped(char: str) -> str:
    # What a name has that is not UTF-8 is carried as a lone surrogate.
    byte = ord(char) - 0xDC00
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else char.encode("ascii", "backslashreplace").decode()


def flush() -> None:
    """Write what is still held back; whatever is wrong with the streams was told before."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, CannotTell):
            stream.flush()
