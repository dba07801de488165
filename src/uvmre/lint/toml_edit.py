"""Small changes to TOML texts that preserve the rest."""

import re

from uvmre.core.text.parse_toml import parse_toml


def with_line(text: str, table: str, line: str) -> str:
    """Return a TOML text with a line added to a table; empty where the result would be invalid.

    Args:
        text: valid TOML.
        table: the name in its header, such as `tool.uv`; created where there is none.
        line: `key = value`.
    """
    header = re.compile(rf"^[ \t]*\[[ \t]*{re.escape(table)}[ \t]*\][ \t]*(#.*)?$", re.MULTILINE)
    if match := header.search(text):
        changed = f"{text[: match.end()]}\n{line}{text[match.end() :]}"
    else:
        changed = f"{text.rstrip()}\n\n[{table}]\n{line}\n"
    try:
        parse_toml(changed)
    except ValueError:
        return ""
    return changed


def with_first_in_entry(text: str, array: str, entry: int, line: str) -> str:
    """Return a TOML text with a line added to one table of an array; empty where there is none.

    Args:
        text: valid TOML.
        array: the name in its header.
        entry: its index.
        line: `key = value`.
    """
    header = re.compile(rf"^[ \t]*\[\[[ \t]*{re.escape(array)}[ \t]*\]\][ \t]*(#.*)?$", re.MULTILINE)
    matches = list(header.finditer(text))
    if entry >= len(matches):
        return ""
    at = matches[entry].end()
    return f"{text[:at]}\n{line}{text[at:]}"
