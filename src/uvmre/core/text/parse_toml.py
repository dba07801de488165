"""Parse TOML that a stranger wrote: what would exhaust the parser or the stack is no valid TOML."""

import re
import tomllib
from typing import Any

MAX_SIZE = 1_000_000
MAX_DEPTH = 64
"""Nested arrays and tables, and parts of a dotted key, for which tomllib's time is quadratic."""
TOKENS = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"{3,5}|\Z)|' + r"'''.*?(?:'{3,5}|\Z)"
    r'|"(?:\\.|[^"\\\n])*"?' + r"|'[^'\n]*'?|#[^\n]*|(?P<open>[\[{])|(?P<close>[\]}])|(?P<dot>\.)|(?P<end>[=,\n])",
    re.DOTALL,
)


def parse_toml(text: str) -> dict[str, Any]:
    """Return the data of a TOML text.

    Raises:
        ValueError: when it is invalid, or nested too deeply.
    """
    if len(text) > MAX_SIZE:
        raise ValueError(f"It is longer than {MAX_SIZE} characters")
    depth = dots = 0
    for token in TOKENS.finditer(text):
        depth += (token.lastgroup == "open") - (token.lastgroup == "close")
        dots = 0 if token.lastgroup == "end" else dots + (token.lastgroup == "dot")
        if max(depth, dots) > MAX_DEPTH:
            line = text.count("\n", 0, token.start()) + 1
            raise ValueError(f"Nested more than {MAX_DEPTH} levels deep (at line {line})")
    return tomllib.loads(text)
