"""Markdown that shows what strangers wrote, as nothing but text, code spans and fenced blocks."""

import re

from uvmre.core.text.visible import visible

MAX_PROSE = 2000
"""Characters of a text outside of blocks: a report is never cut inside one."""
SPECIAL = re.compile(r"([\\`*\[\]~|])|(?<!\w)_|_(?!\w)")
REFERENCES = re.compile(
    r"(?<=[@#])(?=\w)|(?<=\bGH-)(?=\d)|(?<=://)|(?<=\bwww)(?=\.)|\A(?=[#>+=-]|\d+[.)](?:\s|\Z))",
    re.IGNORECASE,
)
"""Where GitHub would see a mention, an issue, a link, or the start of another block."""
COMMIT = re.compile(r"\b[0-9a-f]{7,64}\b", re.IGNORECASE)


def fence(text: str, language: str = "") -> list[str]:
    """Return a fenced block that its text cannot end (CommonMark 0.31, 4.5)."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    ticks = "`" * (longest + 1)
    return [f"{ticks}{language}", text, ticks] if text else [f"{ticks}{language}", ticks]


def prose(text: str) -> str:
    """Return one line in which only code spans are Markdown: no HTML, link, mention, or reference to an issue."""
    parts = re.split(r"(`+)", cut(" ".join(visible(text).split()), MAX_PROSE).replace("\n", " "))
    shown, at = "", 0
    while at < len(parts):
        end = next((i for i in range(at + 2, len(parts), 2) if parts[i] == parts[at]), 0) if at % 2 else 0
        shown += "".join(parts[at : end + 1]) if end else _escape(parts[at])
        at = max(at, end) + 1
    return shown


def code(text: str) -> str:
    """Return a code span that its text cannot end (CommonMark 0.31, 6.1)."""
    text = " ".join(visible(text).split())
    ticks = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    space = " " * ("`" in text)
    return f"{ticks}{space}{text}{space}{ticks}"


def _escape(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    text = REFERENCES.sub("\u200b", SPECIAL.sub(lambda match: f"\\{match[0]}", text))
    return COMMIT.sub(r"`\g<0>`", text)


def cut(text: str, size: int) -> str:
    """Return a text, without its middle where it is too long."""
    if len(text) <= size:
        return text
    half = size // 2
    return f"{text[:half]}\n[… {len(text) - size} characters left out …]\n{text[-half:]}"
