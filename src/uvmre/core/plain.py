"""Bring text to a plain form in which layout does not count, so that one symptom matches many releases.

uv draws one error in boxes wrapped at the terminal's width (0.1 … 0.11) or as unwrapped `cause:` lines (0.12 on).
Both come to the same here, and so does a report's text that was wrapped a third way.
"""

import re
from bisect import bisect_right

ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")
BOXES = re.compile(r"^[\s│┃|├╰└╭╮╯┌─━▶►×✖✗·]+", re.MULTILINE)
LINKS = re.compile(r"\b(?:error|caused\s+by|cause|hint|help|warning):", re.IGNORECASE)
"""The words that say which link of the chain it is; which of them stands there changed between releases."""
QUOTES = re.compile("[`'\"‘’“”]")
WILDCARD = re.compile(r"…|\.\.\.")
REACH = 1000
"""How many plain characters a `…` may stand for: a sentence or two, not a whole log."""


def readable(text: str) -> str:
    """Return the text as a terminal would leave it: no escape codes, and of an overwritten line the last state."""
    lines = ANSI.sub("", text).replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def plain(text: str) -> str:
    """Return only what is said: no boxes, link words, quotes or white space, all in lower case.

    White space goes altogether because a wrap may fall anywhere, inside a hyphenated word too.
    """
    said = LINKS.sub("", BOXES.sub("", readable(text)))
    return QUOTES.sub("", re.sub(r"\s+", "", said)).casefold()


def find(pattern: str, text: str, start: int = 0) -> int | None:
    """Return where in plain text the first match of a pattern ends, from `start` on; None where there is none.

    Args:
        pattern: as a person writes it; `…` or `...` stands for anything, up to REACH characters.
        text: already plain.
        start: where in it to begin.
    """
    ends: list[int] | None = None
    for piece in filter(None, map(plain, WILDCARD.split(pattern))):
        starts = _occurrences(piece, text, start)
        if ends is not None:
            starts = [at for at in starts if (i := bisect_right(ends, at)) and at - ends[i - 1] <= REACH]
        if not starts:
            return None
        ends = [at + len(piece) for at in starts]
    return ends[0] if ends else start


def _occurrences(piece: str, text: str, start: int) -> list[int]:
    found = []
    while (start := text.find(piece, start)) >= 0:
        found.append(start)
        start += 1
    return found
