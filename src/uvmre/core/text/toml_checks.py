"""Check the tables of a TOML file: the value of each key, unknown and missing keys, all mistakes at once."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import Any

Path = tuple[str | int, ...]
"""The path of a key: `("step", 1, "run")` is the key `run` of the second `[[step]]`."""
Mistake = tuple[Path, str]
Check = Callable[[Any], str]
"""Returns what is wrong with a value, to follow its key in a sentence; empty if it is valid."""
Keys = Mapping[str, tuple[Check, bool]]
"""Each key's check, and whether the key is required."""

MAX_TABLES = 1000
"""In an array, most of which are compared with each other."""
NAME_LIMIT = 255
"""Bytes of a name, on all common file systems."""
VARIABLE = re.compile(r"\A[A-Za-z_][A-Za-z0-9_]*\Z")


def require(test: Callable[[Any], object], expected: str) -> Check:
    """Return a check that a value passes a test; `expected` describes what passes."""
    return lambda value: "" if test(value) else f"must be {expected}, not {value!r}"


def matching(pattern: str | re.Pattern[str], expected: str) -> Check:
    """Return a check that a value is a string that matches a pattern as a whole."""
    return require(lambda value: isinstance(value, str) and re.fullmatch(pattern, value), expected)


def text(value: Any) -> str:
    """Require a non-empty string."""
    if isinstance(value, str) and "\0" in value:
        return "contains a NUL byte"
    return "" if isinstance(value, str) and value.strip() else "must be a non-empty string"


def line_of_text(value: Any) -> str:
    """Require a non-empty string of one line."""
    return text(value) or ("must be a single line" if len(value.splitlines()) > 1 else "")


def inner_path(value: Any) -> str:
    """Require a relative path inside the folder."""
    if text(value):
        return text(value)
    parts = PurePosixPath(value).parts
    if value.startswith("/") or ".." in parts or "\\" in value or not parts:
        return f"is outside the folder ({value!r}): use a relative path with `/`"
    if max(len(part.encode()) for part in parts) > NAME_LIMIT:
        return f"has a name of more than {NAME_LIMIT} bytes"
    whole = "/".join(parts)
    return "" if value.rstrip("/") == whole else f"is not normalized ({value!r}): use {whole!r}"


boolean = require(lambda value: isinstance(value, bool), "true or false")
variable = matching(VARIABLE, "a variable name")


def number(least: float, most: float, *, whole: bool = True) -> Check:
    """Require a number in a range."""
    types, kind = ((int,), "a whole number") if whole else ((int, float), "a number")
    return require(lambda v: type(v) in types and least <= v <= most, f"{kind} from {least} to {most}")


def one_of(*words: str) -> Check:
    """Require one of some strings."""
    return require(lambda value: value in words, " or ".join(f'"{word}"' for word in words))


def list_of(check: Check) -> Check:
    """Require a list whose items pass a check."""

    def inner(value: Any) -> str:
        if not isinstance(value, list):
            return "must be a list"
        return "; ".join(f"item {i}: {mistake}" for i, item in enumerate(value, 1) if (mistake := check(item)))

    return inner


def table_of(key: Check) -> Check:
    """Require a table of strings whose keys pass a check."""

    def inner(value: Any) -> str:
        if not isinstance(value, dict):
            return "must be a table"
        mistakes = [key(name) for name in value]
        mistakes += [
            f"{name} must be a string (in quotes)"  # its value may be a secret
            for name, item in value.items()
            if not isinstance(item, str) or "\0" in item
        ]
        return "; ".join(filter(None, mistakes))

    return inner


def check_subtable(
    data: dict[str, Any], key: str, keys: Keys, others: Sequence[str] = (), path: Path = ()
) -> Iterator[Mistake]:
    """Yield the mistakes of a required table."""
    if key not in data:
        yield (*path, key), f"is missing: add a [{key}] table"
    elif not isinstance(data[key], dict):
        yield (*path, key), f"must be a table: write [{key}]"
    else:
        yield from check_table(data[key], keys, (*path, key), others)


def check_table(table: dict[str, Any], keys: Keys, path: Path, others: Sequence[str] = ()) -> Iterator[Mistake]:
    """Yield the mistakes of a table; `others` are keys that are checked elsewhere."""
    for key, value in table.items():
        if key in keys:
            if mistake := keys[key][0](value):
                yield (*path, key), mistake
        elif key not in others:
            known = [*keys, *others]
            close = get_close_matches(key, known, 1)
            hint = f"did you mean `{close[0]}`?" if close else f"use one of {', '.join(known)}"
            yield (*path, key), f"is not a known key: {hint}"
    for key, (_, required) in keys.items():
        if required and key not in table:
            yield (*path, key), f"is missing: add `{key} = …`"


def check_array(
    data: dict[str, Any], key: str, keys: Keys, path: Path, others: Sequence[str] = ()
) -> Iterator[Mistake]:
    """Yield the mistakes of an array of tables."""
    tables = data.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        yield (*path, key), f"must be an array of tables: write [[{'.'.join([*map(str, path[:1]), key])}]]"
        return
    if len(tables) > MAX_TABLES:
        yield (*path, key), f"has more than {MAX_TABLES} tables"
        return
    for i, table in enumerate(tables):
        yield from check_table(table, keys, (*path, key, i), others)


def dicts(value: Any) -> list[dict[str, Any]]:
    """Return the tables of a list, without its other items."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
