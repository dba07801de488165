"""`mre.toml` ⇄ its value. Read strictly: every fault of a text is told at once, with its line and a remedy."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any, Literal, cast

from uvmre.core.mre import (
    BASE,
    DEFAULT_TIMEOUT,
    MANIFEST,
    SCHEMA,
    Control,
    Environment,
    Expectation,
    FilePattern,
    Mre,
    Step,
    Symptom,
    slug,
)
from uvmre.core.observation import Role
from uvmre.core.plain import WILDCARD, plain
from uvmre.errors import InputError

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
    return "" if isinstance(value, str) and value.strip() else "must be a text that is not empty"


def _pattern(value: Any) -> str:
    short = isinstance(value, str) and len(plain(WILDCARD.sub("", value))) < LEAST
    return f"says too little ({value!r}): almost any output would meet it" if short else _text(value)


def _path(value: Any) -> str:
    if _text(value):
        return _text(value)
    parts = PurePosixPath(value).parts
    leaves = value.startswith("/") or ".." in parts or "\\" in value or "\0" in value or not parts
    return f"leaves the folder ({value!r}): give a path inside it, with `/`" if leaves else ""


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
        return next((f"item {i}: {fault}" for i, item in enumerate(value, 1) if (fault := check(item))), "")

    return inner


def _variable(value: Any) -> str:
    fine = isinstance(value, str) and VARIABLE.match(value)
    return "" if fine else f"is not the name of a variable: {value!r}"


def _table_of(key: Check) -> Check:
    def inner(value: Any) -> str:
        if not isinstance(value, dict):
            return "must be a table"
        for name, item in value.items():
            if fault := key(name):
                return fault
            if not isinstance(item, str):
                return f"{name} must be a text (in quotes), not {item!r}"
        return ""

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
TOP: Keys = {"schema": (_schema, True), "title": (_text, True), "issue": (_text, False)}


def parse(text: str, *, source: str = MANIFEST) -> Mre:
    """Read a manifest; the folder's files are not its business and are empty in what it returns.

    Raises:
        InputError: with all the faults, each with its line and what to write instead.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source} is not TOML, so nothing in it could be read.", [str(error)]) from None
    if found := list(_faults(data)):
        from uvmre.core.toml_lines import lines

        known = lines(text)
        told = sorted((_line(known, path), f"{_dotted(path)} {fault}".strip()) for path, fault in found)
        faults = [f"line {line}: {fault}" for line, fault in told]
        raise InputError(
            f"{source} has {len(faults)} fault{'s' * (len(faults) > 1)}.", faults, "Mend them and run it again."
        )
    return _mre(data)


def _faults(data: dict[str, Any]) -> Iterator[Fault]:
    tables = ("environment", "symptom", "step", "control")
    yield from _table(data, TOP, (), tables)
    yield from _subtable(data, "environment", ENVIRONMENT)
    yield from _subtable(data, "symptom", SYMPTOM, ("file",))
    yield from _steps(data, ())
    if "step" not in data:
        yield ("step",), "is missing: add a [[step]] with `run` and `role`"
    symptom = data.get("symptom")
    if isinstance(symptom, dict):
        yield from _array(symptom, "file", FILE_PATTERN, ("symptom",))
        if not {"exit", "output", "file"} & symptom.keys() or symptom == {"exit": "failure"}:
            yield ("symptom",), "would be met by any failure: say what stands in the output, or in a file"
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


def _line(known: Mapping[Path, int], path: Path) -> int:
    """Return the line of what is at fault, or of the nearest table around it."""
    while path and path not in known:
        path = path[:-1]
    return known.get(path, 1)


def _dotted(path: Path) -> str:
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def _mre(data: dict[str, Any]) -> Mre:
    environment, symptom = data["environment"], data["symptom"]
    return Mre(
        title=data["title"],
        issue=data.get("issue", ""),
        environment=Environment(
            uv=environment["uv"],
            python=environment.get("python", ""),
            variables=environment.get("variables", {}),
            env_file=environment.get("env-file", ""),
            date=environment.get("date"),
            home=environment.get("home", ""),
            path=tuple(environment.get("path", ())),
        ),
        steps=_read_steps(data),
        symptom=Symptom(
            exit=cast("int | Literal['failure'] | None", symptom.get("exit")),
            output=tuple(symptom.get("output", ())),
            files=tuple(FilePattern(file["path"], file["contains"]) for file in symptom.get("file", ())),
        ),
        controls=tuple(
            Control(
                name=control["name"],
                expect=cast("Expectation", control["expect"]),
                why=control.get("why", ""),
                variables=control.get("variables", {}),
                unset=tuple(control.get("unset", ())),
                files=control.get("files", {}),
                steps=_read_steps(control),
                explains=control.get("explains", ""),
            )
            for control in data.get("control", ())
        ),
    )


def _read_steps(data: dict[str, Any]) -> tuple[Step, ...]:
    return tuple(
        Step(
            run=step["run"],
            role=cast("Role", step.get("role", "setup")),
            name=step.get("name", ""),
            timeout=step.get("timeout", DEFAULT_TIMEOUT),
        )
        for step in data.get("step", ())
    )


def dump(mre: Mre) -> str:
    """Write the manifest of an MRE; `parse` reads the same value back. What is at its default is left out."""
    import tomli_w

    environment, symptom = mre.environment, mre.symptom
    files = [{"path": file.path, "contains": file.contains} for file in symptom.files]
    data = {
        "schema": SCHEMA,
        "title": mre.title,
        **_given(issue=mre.issue),
        "environment": {
            "uv": environment.uv,
            **_given(
                python=environment.python, date=environment.date, home=environment.home, path=list(environment.path)
            ),
            **({"env-file": environment.env_file} if environment.env_file else {}),
            **_given(variables=dict(environment.variables)),
        },
        "step": [_step(step) for step in mre.steps],
        "symptom": {
            **({} if symptom.exit is None else {"exit": symptom.exit}),
            **_given(output=list(symptom.output), file=files),
        },
        **_given(control=[_control(control) for control in mre.controls]),
    }
    return tomli_w.dumps(data, multiline_strings=True)


def _step(step: Step) -> dict[str, Any]:
    timeout = {} if step.timeout == DEFAULT_TIMEOUT else {"timeout": step.timeout}
    return {**_given(name=step.name), "role": step.role, "run": step.run, **timeout}


def _control(control: Control) -> dict[str, Any]:
    return {
        "name": control.name,
        "expect": control.expect,
        **_given(why=control.why, explains=control.explains, unset=list(control.unset)),
        **_given(variables=dict(control.variables), files=dict(control.files)),
        **_given(step=[_step(step) for step in control.steps]),
    }


def _given(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}
