"""The only thing that prints: answers to stdout, talk to stderr."""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from uvmre import files
from uvmre.cli import streams
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


HANGING = "    "
"""Before what continues a line."""


def answer(text: str) -> None:
    """Print what was asked for; at a terminal, lines that are too long are broken between words."""
    document(_wrapped(text) if sys.stdout.isatty() else text)


def document(text: str) -> None:
    """Print a text that is to be pasted or run elsewhere, as it is."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def answer_json(data: Any) -> None:
    """Print one JSON object, which is then all that stdout carries."""
    text = json.dumps(data, ensure_ascii=False)
    # JSON has its own way to say what an encoding has no character for.
    document(text if streams.encodable(text) else json.dumps(json.loads(text)))


def say(text: str) -> None:
    """Print talk."""
    sys.stderr.write(f"{_wrapped(text) if sys.stderr.isatty() else text}\n")
    sys.stderr.flush()


def columns() -> int:
    """Return how wide the terminal is."""
    return shutil.get_terminal_size().columns


def _wrapped(text: str) -> str:
    """Return a text in lines that fit the terminal; a longer word is left whole, so that it can be copied."""
    import textwrap

    width, lines = columns(), []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        # Colours count as characters here, which only breaks a line early.
        wrapper = textwrap.TextWrapper(
            width=width,
            subsequent_indent=indent + HANGING,
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
            expand_tabs=False,
        )
        lines += wrapper.wrap(line) or [""]
    return "\n".join(lines)


def complain(message: str, hint: str = "", faults: Sequence[str] = (), *, cause: str = "") -> None:
    """Print what failed, why, and what to do next."""
    say(paint("error: ", "red", err=True) + message)
    for fault in faults:
        say(f"  {fault}")
    if cause:
        say(paint("cause: ", "red", err=True) + cause)
    if hint:
        say(paint("hint: ", "cyan", err=True) + hint)


def paint(text: str, color: str, *, err: bool = False) -> str:
    """Colour text for a terminal; NO_COLOR and pipes get it plain."""
    return click.style(text, fg=color) if colored(err=err) else text


def colored(*, err: bool) -> bool:
    """Tell whether a stream takes colours (https://no-color.org)."""
    return not os.environ.get("NO_COLOR") and terminal(err=err)


def terminal(*, err: bool) -> bool:
    """Tell whether a stream is a terminal that knows more than text."""
    return os.environ.get("TERM") not in ("dumb", "unknown") and (sys.stderr if err else sys.stdout).isatty()


def somebody_there() -> bool:
    """Tell whether there is somebody at a terminal to ask."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def cache() -> Path:
    """Return the folder in which uvmre keeps what it fetched."""
    import platformdirs

    return platformdirs.user_cache_path("uvmre")


def stdin() -> bytes:
    """Return what standard input has, up to more than anybody takes.

    Raises:
        UsageError: when it cannot be read.
    """
    try:
        return sys.stdin.buffer.read(files.LIMIT + 1)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UsageError(f"Standard input cannot be read: {why}.", "Name a file, or pipe one in.") from None


def table(result: "Result") -> str:
    """Return the variants with their steps, times and outcomes."""
    rows = []
    for variant in result.variants:
        steps = "  ".join(f"{step.title} ({step.exit}, {step.seconds:.1f} s)" for step in variant.observation.steps)
        rows.append((variant.name, variant.outcome.word, steps))
    widths = [max(len(row[i]) for row in rows) for i in (0, 1)]
    lines = [
        f"  {name:<{widths[0]}}  {paint(f'{word:<{widths[1]}}', COLORS[word])}  {steps}" for name, word, steps in rows
    ]
    return "\n".join(lines)


def verdict(result: "Result") -> str:
    """Return the verdict and its reason."""
    word = result.verdict.word
    return f"{paint(word, COLORS.get(word, 'yellow'))}: {result.verdict.reason}"
