"""The only module that prints: results to stdout, messages to stderr."""

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from uvmre import files
from uvmre.cli import streams
from uvmre.core.text.visible import escape_hiding, visible
from uvmre.errors import UsageError

if TYPE_CHECKING:
    from uvmre.core.outcome.result import Result

COLORS = {
    "shows": "red",
    "absent": "green",
    "different": "yellow",
    "broken": "yellow",
    "reproducible": "red",
    "explained": "green",
    "not_reproducible": "green",
}


MEGABYTE = 1_000_000
HANGING_INDENT = "    "
MOST_MISSES = 2
_PAINT = chr(0xF0000 + int.from_bytes(os.urandom(2), "big") % 0xFFF0)
"""Stands for the ESC of our own colours until the text is cleaned; no stranger knows which character it is."""


def print_text(text: str) -> None:
    """Print a result on stdout, wrapped to the width of a terminal."""
    _write(sys.stdout, text, wrapped=sys.stdout.isatty())


def print_document(text: str) -> None:
    """Print a text on stdout that is to be pasted or run elsewhere, unwrapped."""
    _write(sys.stdout, text)


def print_bytes(content: bytes) -> None:
    """Write what is not text to stdout.

    Raises:
        UsageError: when that is a terminal.
    """
    if sys.stdout.isatty():
        raise UsageError("stdout is a terminal, and this is not text", "write it to a file with `--output`")
    sys.stdout.buffer.write(content)
    sys.stdout.flush()


def print_json(data: Any) -> None:
    """Print one JSON object on stdout."""
    text = format_json(data)
    print_document(text if streams.encodable(text) else json.dumps(json.loads(text)))


def format_json(data: Any) -> str:
    """Return JSON in one line, whose strings cannot control a terminal."""
    return escape_hiding(json.dumps(data, ensure_ascii=False))


def print_message(text: str) -> None:
    """Print a message on stderr, without secrets."""
    from uvmre.core.secrets.redact import redact

    _write(sys.stderr, redact(text), wrapped=sys.stderr.isatty())


def _write(stream: TextIO, text: str, *, wrapped: bool = False) -> None:
    """Write a text without the control characters of strangers: whoever reads it may be at a terminal later."""
    shown = visible(text).replace(_PAINT, "\x1b")
    stream.write(f"{wrap(shown) if wrapped else shown}\n")
    stream.flush()


def print_warning(text: str) -> None:
    """Print a warning on stderr."""
    print_message(paint("warning: ", "yellow", err=True) + text)


def terminal_width() -> int:
    """Return the width of the terminal in columns."""
    return shutil.get_terminal_size().columns


def wrap(text: str) -> str:
    """Wrap a text to the width of the terminal; a longer word stays whole, so that it can be copied."""
    import textwrap

    width, lines = terminal_width(), []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        # Escape sequences of colours count as characters, so a coloured line may wrap early.
        wrapper = textwrap.TextWrapper(
            width=width,
            subsequent_indent=indent + HANGING_INDENT,
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
            expand_tabs=False,
        )
        lines += wrapper.wrap(line) or [""]
    return "\n".join(lines)


def print_error(message: str, hint: str = "", faults: Sequence[str] = (), *, cause: str = "") -> None:
    """Print what failed, why, and what to do next."""
    print_message(paint("error: ", "red", err=True) + message)
    for fault in faults:
        print_message(f"  {fault}")
    if cause:
        print_message(paint("cause: ", "red", err=True) + cause)
    if hint:
        print_message(paint("hint: ", "cyan", err=True) + hint)


def paint(text: str, color: str, *, err: bool = False) -> str:
    """Colour a text, unless the stream is no terminal or `NO_COLOR` is set (https://no-color.org)."""
    if not is_terminal(err=err) or os.environ.get("NO_COLOR"):
        return text
    return click.style(visible(text), fg=color).replace("\x1b", _PAINT)


def is_terminal(*, err: bool) -> bool:
    """Return whether a stream is a terminal that supports escape sequences."""
    return os.environ.get("TERM") not in ("dumb", "unknown") and (sys.stderr if err else sys.stdout).isatty()


def is_interactive() -> bool:
    """Return whether questions can be asked on a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def cache() -> Path:
    """Return the folder of the cache."""
    import platformdirs

    return platformdirs.user_cache_path("uvmre")


def read_stdin() -> bytes:
    """Read standard input, up to one byte more than the limit of a file.

    Raises:
        UsageError: when it cannot be read.
    """
    try:
        return sys.stdin.buffer.read(files.LIMIT + 1)
    except OSError as error:
        cause = (error.strerror or str(error)).lower()
        raise UsageError("failed to read standard input", "name a file, or pipe one in", cause=cause) from None


def format_size(size: int) -> str:
    """Return a number of bytes as it is printed."""
    if size >= 1000 * MEGABYTE:
        return f"{size / MEGABYTE / 1000:.1f} GB"
    return f"{size / MEGABYTE:.1f} MB" if size >= MEGABYTE / 10 else f"{size} bytes"


def render_result(result: "Result") -> str:
    """Return what was run, a table of the variants with their outcomes and steps, and the verdict."""
    rows = []
    for variant in result.variants:
        steps = "  ".join(f"{step.title} ({step.exit}, {step.seconds:.1f} s)" for step in variant.observation.steps)
        rows.append((variant.name, variant.outcome.word, steps))
    widths = [max(len(row[i]) for row in rows) for i in (0, 1)]
    word = result.verdict.word
    return "\n".join(
        [
            f"uv {result.uv}, Python {result.python}, {result.backend}",
            *(
                f"  {name:<{widths[0]}}  {paint(f'{outcome:<{widths[1]}}', COLORS[outcome])}  {steps}"
                for name, outcome, steps in rows
            ),
            f"{paint(word, COLORS.get(word, 'yellow'))}: {' '.join(result.verdict.reason.split())}",
            *_feedback_lines(result.feedback),
        ]
    )


def _feedback_lines(feedback: Mapping[str, Any]) -> list[str]:
    """Return the lines closest to the first texts of the symptom that were missed, and what to change next."""
    edit = feedback.get("next_edit", "")
    misses = [each for each in feedback.get("near_miss", ()) if 0 < each["similarity"] < 1 and each["line"] not in edit]
    lines = [f"  “{each['text']}”: {each['similarity']:.0%} like “{each['line']}”" for each in misses[:MOST_MISSES]]
    edit = edit.replace("\n", f"\n{HANGING_INDENT}")
    return [*lines, *[f"{paint('next edit', 'cyan')}: {edit}"] * bool(edit)]
