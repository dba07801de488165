"""Standard streams that are closed, full, without a reader, or in a narrow encoding.

`prepare` comes before anything else is opened: a file that is opened while a standard descriptor is closed takes its
number.
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
"""ASCII for the characters of our own messages."""

_stdout_faults: list[str] = []


def prepare() -> None:
    """Open closed streams, and wrap stdout and stderr so that they never raise an unexpected error."""
    for number in (0, STDOUT, STDERR):
        try:
            flags = fcntl.fcntl(number, fcntl.F_GETFL)
        except OSError:
            # The lowest free number is taken, and those below are open by now.
            opened = os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)
            os.set_inheritable(opened, True)
            fault = "it is closed"
        else:
            fault = "it is open for reading only" if flags & os.O_ACCMODE == os.O_RDONLY else ""
        if fault and number == STDOUT:
            _stdout_faults.append(fault)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    codecs.register_error(FALLBACK, _ascii)
    sys.stdout = _Text(_Raw(STDOUT), sys.stdout.encoding if sys.stdout else "utf-8")
    sys.stderr = _Text(_Raw(STDERR), sys.stderr.encoding if sys.stderr else "utf-8")


def check() -> None:
    """Raise when stdout is unusable, before any work is done."""
    if _stdout_faults:
        raise UsageError(
            "failed to write to stdout", "redirect it to `/dev/null` to discard it", cause=_stdout_faults[0]
        )


def encodable(text: str) -> bool:
    """Return whether the encoding of stdout has all characters of a text."""
    try:
        text.encode(getattr(sys.stdout, "declared", None) or sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


class _Raw(io.FileIO):
    """A descriptor that drops what is written after its reader closed the pipe."""

    def __init__(self, number: int) -> None:
        super().__init__(number, "w", closefd=False)

    def write(self, data: Any, /) -> int:
        try:
            # The pipe may be non-blocking.
            while (written := super().write(data)) is None:
                select.select([], [self], [])
        except OSError as error:
            # Later writes do not fail again, which would hide the first error.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            # The reader may have closed the pipe (`| head`), and an error of stderr cannot be printed.
            if self.fileno() == STDERR or isinstance(error, BrokenPipeError):
                return memoryview(data).nbytes
            raise CannotTell(
                "failed to write to stdout",
                "free some space, or redirect it elsewhere",
                cause=(error.strerror or str(error)).lower(),
            ) from None
        return written


class _Text(io.TextIOWrapper):
    """A text stream that replaces characters that its encoding does not have by ASCII."""

    def __init__(self, raw: _Raw, encoding: str) -> None:
        self.declared = encoding
        # click takes an ASCII stream for a misconfigured one, and would write UTF-8 past it.
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
    # A byte of a file name that is not UTF-8 is a lone surrogate.
    byte = ord(char) - 0xDC00
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else char.encode("ascii", "backslashreplace").decode()


def flush() -> None:
    """Flush both streams, ignoring errors, which were reported before."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, CannotTell):
            stream.flush()
