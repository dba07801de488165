"""Small changes to TOML texts, which keep all else as it is written."""

import re
import tomllib


def with_line(text: str, table: str, line: str) -> str:
    """Return a TOML text with one line more in a table; empty where that would not be TOML any more.

    Args:
        text: valid TOML.
        table: as its header has it, `tool.uv`; made where there is none.
        line: `key = value`.
    """
    header = re.compile(rf"^[ \t]*\[[ \t]*{re.escape(table)}[ \t]*\][ \t]*(#.*)?$", re.MULTILINE)
    if match := header.search(text):
        changed = f"{text[: match.end()]}\n{line}{text[match.end() :]}"
    else:
        changed = f"{text.rstrip()}\n\n[{table}]\n{line}\n"
    try:
        tomllib.loads(changed)
    except tomllib.TOMLDecodeError:
        return ""
    return changed


def with_first_in_entry(text: str, array: str, entry: int, line: str) -> str:
    """Return a TOML text with one line more at the start of one `[[array]]` table; empty where there is no such.

    Args:
        text: valid TOML.
        array: as its header has it.
        entry: which of them, from 0.
        line: `key = value`.
    """
    header = re.compile(rf"^[ \t]*\[\[[ \t]*{re.escape(array)}[ \t]*\]\][ \t]*(#.*)?$", re.MULTILINE)
    matches = list(header.finditer(text))
    if entry >= len(matches):
        return ""
    at = matches[entry].end()
    return f"{text[:at]}\n{line}{text[at:]}"
