"""Rust's literals, and the layout that rustfmt gives them."""

import re

from uvmre.core.text.visible import visible

CHAIN_WIDTH = 60
"""The longest chain of calls that rustfmt leaves on one line."""
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}


def string(text: str) -> str:
    """Return a string literal on one line."""
    escaped = "".join(
        ESCAPES.get(each) or (each if each == visible(each) else f"\\u{{{ord(each):x}}}") for each in text
    )
    return f'"{escaped}"'


def raw(text: str) -> str:
    """Return a string literal of several lines, raw where a plain one would need escapes."""
    if not re.search(r'["\\]', text):
        return f'"{text}"'
    hashes = "#" * (1 + max((len(found) for found in re.findall(r'"(#*)', text)), default=-1))
    return f'r{hashes}"{text}"{hashes}'


def indoc(text: str) -> str:
    """Return a call of `indoc!` that gives a text, indented as in a statement of a function."""
    lines = text.split("\n")
    # rustfmt takes `\\` for an escape in a raw string too, and would move some lines.
    odd = '\\"' in text or ("\\" in text and not text.endswith("\n"))
    plain = not odd and "\r" not in text and visible(text) == text
    if not plain or len(lines) < 2 or not any(line[:1].strip() for line in lines):
        literal = string(text)
        return f"indoc! {{{literal}}}" if len(literal) < CHAIN_WIDTH // 2 else f"indoc! {{\n        {literal}\n    }}"
    shown = [f"        {line}" if line else "" for line in lines]
    if text.endswith("\n"):
        shown[-1] = "    "
    return f"indoc! {{{raw(chr(10).join(['', *shown]))}}}"


def chain(first: str, *calls: str) -> str:
    """Return a chain of calls as a statement of a function has it."""
    one_line = "".join([first, *calls])
    return one_line if len(one_line) <= CHAIN_WIDTH else "\n        ".join([first, *calls])
