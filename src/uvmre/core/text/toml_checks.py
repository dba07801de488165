"""How the tables of a TOML file are checked: what is asked of a value, which keys a table has, all mistakes at once."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

Path = tuple[str | int, ...]
"""Where something stands: `("step", 1, "run")` is the key `run` of the second `[[step]]`."""
Mistake = tuple[Path, str]
Check = Callable[[Any], str]
"""Says what is wrong with a value, as the end of a sentence that starts with its key; empty when nothing is."""
Keys = Mapping[str, tuple[Check, bool]]
"""Each key's check, and whether it must be there."""

VARIABLE = re.compile(r"\A[A-Za-z_][A-Za-z0-9_]*\Z")


def text(value: Any) -> str:
    """Ask for a text that says something."""
    if isinstance(value, str) and "\0" in value:
        return "holds a NUL, which no process can be given"
    return "" if isinstance(value, str) and value.strip() else "must be a text that is not empty"


def line_of_text(value: Any) -> str:
    """Ask for a text of one line."""
    return text(value) or ("must be one line" if len(value.splitlines()) > 1 else "")


def inner_path(value: Any) -> str:
    """Ask for a path inside the folder."""
    if text(value):
        return text(value)
    parts = PurePosixPath(value).parts
    if value.startswith("/") or ".." in parts or "\\" in value or not parts:
        return f"leaves the folder ({value!r}): give a path inside it, with `/`"
    whole = "/".join(parts)
    return "" if value.rstrip("/") == whole else f"is written another way ({value!r}): write it as {whole!r}"


def boolean(value: Any) -> str:
    """Ask for true or false."""
    return "" if isinstance(value, bool) else f"must be true or false, not {value!r}"


def number(least: float, most: float, *, whole: bool = True) -> Check:
    """Ask for a number in a range."""

    def inner(value: Any) -> str:
        fine = type(value) is int or (type(value) is float and not whole)
        kind = "a whole number" if whole else "a number"
        return "" if fine and least <= value <= most else f"must be {kind} from {least} to {most}, not {value!r}"

    return inner


def one_of(*words: str) -> Check:
    """Ask for one of some words."""
    allowed = " or ".join(f'"{word}"' for word in words)
    return lambda value: "" if value in words else f"must be {allowed}, not {value!r}"


def list_of(check: Check) -> Check:
    """Ask for a list whose items pass a check."""

    def inner(value: Any) -> str:
        if not isinstance(value, list):
            return "must be a list"
        return "; ".join(f"item {i}: {mistake}" for i, item in enumerate(value, 1) if (mistake := check(item)))

    return inner


def variable(value: Any) -> str:
    """Ask for the name of a variable."""
    fine = isinstance(value, str) and VARIABLE.match(value)
    return "" if fine else f"is not the name of a variable: {value!r}"


def table_of(key: Check) -> Check:
    """Ask for a table of texts whose keys pass a check."""

    def inner(value: Any) -> str:
        if not isinstance(value, dict):
            return "must be a table"
        mistakes = [key(name) for name in value]
        mistakes += [
            f"{name} must be a text (in quotes), not {item!r}"
            for name, item in value.items()
            if not isinstance(item, str) or "\0" in item
        ]
        return "; ".join(filter(None, mistakes))

    return inner


def check_subtable(data: dict[str, Any], key: str, keys: Keys, others: Sequence[str] = ()) -> Iterator[Mistake]:
    """Find the mistakes of a table that must be there."""
    if key not in data:
        yield (key,), f"is missing: add a [{key}] table"
    elif not isinstance(data[key], dict):
        yield (key,), f"must be a table: write [{key}]"
    else:
        yield from check_table(data[key], keys, (key,), others)


def check_table(table: dict[str, Any], keys: Keys, path: Path, others: Sequence[str] = ()) -> Iterator[Mistake]:
    """Find the mistakes of a table; `others` are keys of it that somebody else checks."""
    for key, value in table.items():
        if key in keys:
            if mistake := keys[key][0](value):
                yield (*path, key), mistake
        elif key not in others:
            yield (*path, key), f"is not a key here: take one of {', '.join([*keys, *others])}"
    for key, (_, required) in keys.items():
        if required and key not in table:
            yield (*path, key), f"is missing: add `{key} = …`"


def check_array(
    data: dict[str, Any], key: str, keys: Keys, path: Path, others: Sequence[str] = ()
) -> Iterator[Mistake]:
    """Find the mistakes of an array of tables."""
    tables = data.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        yield (*path, key), f"must be tables: write [[{'.'.join([*map(str, path[:1]), key])}]]"
        return
    for i, table in enumerate(tables):
        yield from check_table(table, keys, (*path, key, i), others)


def dicts(value: Any) -> list[dict[str, Any]]:
    """Return the tables of a list, whatever else it holds."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
