"""A file as lines of a text, and back: as it is where a reader can see all of it, or else in base64."""

import base64
from collections.abc import Sequence
from typing import Literal

from uvmre.core.text.visible import visible

Kind = Literal["text", "cut", "base64"]
"""Lines that all end with a newline; lines of which the last one does not; or neither of them."""
WIDTH = 76


def embed(content: bytes, *, encoding: str = "utf-8", forbidden: str = "\r") -> tuple[Kind, list[str]]:
    """Return how a file is written, and its lines.

    Not as text is what `encoding` lacks, and what has a line that begins with `forbidden`.
    """
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = "\r"
    starts = any(line.lstrip().startswith(forbidden) for line in text.split("\n"))
    if "\r" in text or starts or visible(text) != text:
        encoded = base64.b64encode(content).decode()
        return "base64", [encoded[at : at + WIDTH] for at in range(0, len(encoded), WIDTH)]
    lines = text.split("\n")
    return ("cut", lines) if lines[-1] else ("text", lines[:-1])


def extract(kind: str, lines: Sequence[str]) -> bytes:
    """Return the content of a file.

    Raises:
        ValueError: when it is not base64.
    """
    if kind == "base64":
        return base64.b64decode("".join(lines), validate=True)
    return ("\n".join(lines) if kind == "cut" else "".join(f"{line}\n" for line in lines)).encode()


def delimiter(lines: Sequence[str], word: str = "EOF") -> str:
    """Return a word that is none of the lines."""
    while word in lines:
        word += "F"
    return word
