"""What may stand in `mre.toml`: every table's keys, the check of each, and all the faults of a parsed text."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any

from uvmre.core.mre import BASE, SCHEMA, slug
from uvmre.core.plain import WILDCARD, plain

Path = tuple[str | int, ...]
"""Where something stands: `("step", 1, "run")` is the key `run` of the second `[[step]]`."""
Fault = tuple[Path, str]
Check = Callable[[Any], str]
"""Says what is wrong with a value, as the end of a sentence that starts with its key; empty when nothing is."""

RELEASE = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?\Z")
LEAST = 4
"""How many plain characters a text of the symptom must have: with fewer it is met by chance."""
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def _text(value: Any) -> str:
    if isinstance(value, str) and "\0" in value:
        return "holds a NUL, which no process can be given"
    return "" if isinstance(value, str) and value.strip() else "must be a text that is not empty"


def _line_of_text(value: Any) -> str:
    return _text(value) or ("must be one line" if len(value.splitlines()) > 1 else "")


def _pattern(value: Any) -> str:
    short = isinstance(value, str) and len(plain(WILDCARD.sub("", value))) < LEAST
    return f"says too little ({value!r}): almost any output would meet it" if short else _text(value)


def _path(value: Any) -> str:
    if _text(value):
        return _text(value)
    parts = PurePosixPath(value).parts
    if value.startswith("/") or ".." in parts or "\\" in value or not parts:
        return f"leaves the folder ({value!r}): give a path inside it, with `/`"
    whole = "/".join(parts)
    return "" if value.rstrip("/") == whole else f"is written another way ({value!r}): write it as {whole!r}"


def _version(value: Any) -> str:
    fine = isinstance(value, str) and RELEASE.match(value)
    return "" if fine else f'must be one release, as "0.5.21", not {value!r}'


def _python(value: Any) -> str:
    fine = isinstance(value, str) and re.fullmatch(r"3\.\d+(\.\d+)?", value)
    return "" if fine else f'must be an interpreter\'s version, as "3.11", not {value!r}'


def _date(value: Any) -> str:
    fine = isinstance(value, date) and not isinstance(value, datetime)
    return "" if fine else f"must be a date, as 2025-01-23 without quotes, not {value!r}"


def _exit(value: Any) -> str:
    fine = value == "failure" or (type(value) is int and 0 <= value <= 255)
    return "" if fine else f'must be an exit code from 0 to 255, or "failure", not {value!r}'


def _seconds(value: Any) -> str:
    return "" if type(value) is int and 0 < value <= 86_400 else "must be whole seconds, from 1 to 86400"


def _schema(value: Any) -> str:
    return "" if value == SCHEMA and type(value) is int else f"must be {SCHEMA}, the only one that this uvmre reads"


def _one_of(*words: str) -> Check:
    allowed = " or ".join(f'"{word}"' for word in words)
    return lambda value: "" if value in words else f"must be {allowed}, not {value!r}"


def _list_of(check: Check) -> Check:
    def inner(value: Any) -> str:
        if not isinstance(value, list):
            return "must be a list"
        return "; ".join(f"item {i}: {fault}" for i, item in enumerate(value, 1) if (fault := check(item)))

    return inner


def _variable(value: Any) -> str:
    fine = isinstance(value, str) and VARIABLE.match(value)
    return "" if fine else f"is not the name of a variable: {value!r}"


def _plain(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


def _table_of(key: Check) -> Check:
    def inner(value: Any) -> str:
        if not isinstance(value, dict):
            return "must be a table"
        faults = [key(name) for name in value]
        faults += [
            f"{name} must be a text (in quotes), not {item!r}" for name, item in value.items() if not _plain(item)
        ]
        return "; ".join(filter(None, faults))

    return inner


Keys = Mapping[str, tuple[Check, bool]]
"""Each key's check, and whether it must be there."""

STEP: Keys = {
    "run": (_text, True),
    "role": (_one_of("setup", "observe"), False),
    "name": (_text, False),
    "timeout": (_seconds, False),
}
ENVIRONMENT: Keys = {
    "uv": (_version, True),
    "python": (_python, False),
    "variables": (_table_of(_variable), False),
    "env-file": (_path, False),
    "date": (_date, False),
    "home": (_path, False),
    "path": (_list_of(_path), False),
}
SYMPTOM: Keys = {"exit": (_exit, False), "output": (_list_of(_pattern), False)}
FILE_PATTERN: Keys = {"path": (_path, True), "contains": (_pattern, True)}
CONTROL: Keys = {
    "name": (_text, True),
    "expect": (_one_of("absent", "present"), True),
    "why": (_text, False),
    "variables": (_table_of(_variable), False),
    "unset": (_list_of(_variable), False),
    "files": (_table_of(_path), False),
    "explains": (_text, False),
}
TOP: Keys = {"schema": (_schema, True), "title": (_line_of_text, True), "issue": (_text, False)}


def faults(data: dict[str, Any]) -> Iterator[Fault]:
    """Find every fault of a parsed manifest: where it stands, and what is wrong."""
    tables = ("environment", "symptom", "step", "control")
    yield from _table(data, TOP, (), tables)
    yield from _subtable(data, "environment", ENVIRONMENT)
    yield from _subtable(data, "symptom", SYMPTOM, ("file",))
    yield from _steps(data, ())
    if data.get("step", []) == []:
        yield ("step",), "is missing: add a [[step]] with `run` and `role`"
    symptom = data.get("symptom")
    if isinstance(symptom, dict):
        yield from _array(symptom, "file", FILE_PATTERN, ("symptom",))
        if type(symptom.get("exit")) is not int and not symptom.get("output") and not symptom.get("file"):
            yield (
                ("symptom",),
                "would be met by any failure: say what stands in the output, or in a file",
            )
    yield from _array(data, "control", CONTROL, (), ("step",))
    for i, control in enumerate(_dicts(data.get("control"))):
        yield from _steps(control, ("control", i))
    yield from _names(data)


def _subtable(data: dict[str, Any], key: str, keys: Keys, others: Sequence[str] = ()) -> Iterator[Fault]:
    if key not in data:
        yield (key,), f"is missing: add a [{key}] table"
    elif not isinstance(data[key], dict):
        yield (key,), f"must be a table: write [{key}]"
    else:
        yield from _table(data[key], keys, (key,), others)


def _table(table: dict[str, Any], keys: Keys, path: Path, others: Sequence[str] = ()) -> Iterator[Fault]:
    for key, value in table.items():
        if key in keys:
            if fault := keys[key][0](value):
                yield (*path, key), fault
        elif key not in others:
            yield (*path, key), f"is not a key here: take one of {', '.join([*keys, *others])}"
    for key, (_, required) in keys.items():
        if required and key not in table:
            yield (*path, key), f"is missing: add `{key} = …`"


def _array(data: dict[str, Any], key: str, keys: Keys, path: Path, others: Sequence[str] = ()) -> Iterator[Fault]:
    tables = data.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        yield (*path, key), f"must be tables: write [[{'.'.join([*map(str, path[:1]), key])}]]"
        return
    for i, table in enumerate(tables):
        yield from _table(table, keys, (*path, key, i), others)


def _steps(data: dict[str, Any], path: Path) -> Iterator[Fault]:
    yield from _array(data, "step", STEP, path)
    steps = _dicts(data.get("step"))
    if steps and not any(step.get("role") == "observe" for step in steps):
        yield (*path, "step", len(steps) - 1), 'nothing is observed: give one step role = "observe"'


def _names(data: dict[str, Any]) -> Iterator[Fault]:
    """Names tell outcomes and folders apart, so they must differ in their letters and digits."""
    taken = {slug(BASE)}
    for i, control in enumerate(_dicts(data.get("control"))):
        name = control.get("name")
        if isinstance(name, str):
            if slug(name) in taken:
                yield ("control", i, "name"), f"is taken ({name!r}): outcomes are told by it, so give another"
            taken.add(slug(name))


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
