"""Fenced blocks and truncated texts."""

import re


def fence(text: str, language: str = "") -> list[str]:
    """Return a fenced block that its text cannot end (CommonMark 0.31, 4.5)."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    ticks = "`" * (longest + 1)
    return [f"{ticks}{language}", text, ticks] if text else [f"{ticks}{language}", ticks]


def cut(text: str, size: int) -> str:
    """Return a text, without its middle where it is too long."""
    if len(text) <= size:
        return text
    half = size // 2
    return f"{text[:half]}\n[… {len(text) - size} characters left out …]\n{text[-half:]}"
