"""The schema of `mre.toml`: the keys of every table, their checks, and all mistakes of a parsed manifest."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from uvmre.core.mre.model import BASE, SCHEMA, slug
from uvmre.core.network.index import OUTAGES, Fault
from uvmre.core.network.request import OPEN_HOSTS
from uvmre.core.text.normalize import WILDCARD, normalize
from uvmre.core.text.toml_checks import (
    Keys,
    Mistake,
    Path,
    boolean,
    check_array,
    check_subtable,
    check_table,
    dicts,
    inner_path,
    line_of_text,
    list_of,
    matching,
    number,
    one_of,
    require,
    table_of,
    text,
    variable,
)

RELEASE = re.compile(r"\A\d+\.\d+\.\d+((a|b|rc)\d+)?\Z")
LEAST = 4
"""Normalized characters that a text of the symptom needs at least: shorter ones match by chance."""


def _pattern(value: Any) -> str:
    short = isinstance(value, str) and len(normalize(WILDCARD.sub("", value))) < LEAST
    return f"is too short ({value!r}): almost any output would match it" if short else text(value)


_version = matching(RELEASE, 'a release, such as "0.5.21"')
python_version = matching(r"3\.\d+(\.\d+)?", 'a Python version, such as "3.12"')
_date = require(
    lambda v: isinstance(v, date) and not isinstance(v, datetime), "a date, such as 2025-01-23 without quotes"
)
_exit = require(
    lambda v: v == "failure" or (type(v) is int and 0 <= v <= 255), 'an exit code from 0 to 255, or "failure"'
)
_schema = require(lambda v: v == SCHEMA and type(v) is int, f"{SCHEMA}, the only version that this uvmre supports")
host = matching(r"(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?", 'a host name, such as "example.com" or "*.example.com"')


def _url(value: Any) -> str:
    if mistake := line_of_text(value):
        return mistake
    try:
        parts = urlsplit(value)
        hostname, _ = parts.hostname, parts.port
    except ValueError:
        hostname = None
    if not hostname or parts.scheme not in ("http", "https"):
        return f'must be a URL, such as "https://private.example.com/simple", not {value!r}'
    if parts.username or parts.password:
        return "must not contain credentials: use `username` and `password`"
    return "must not contain `?` or `#`" if parts.query or parts.fragment else ""


def _registry(value: Any) -> str:
    from uvmre.core.network.registries import PROFILES  # imported late: most manifests name none

    return one_of(*PROFILES)(value)


def _url_pattern(value: Any) -> str:
    fine = isinstance(value, str) and re.match(r"https?://[^/\s]+", value)
    return line_of_text(value) or (
        "" if fine else f'must be a URL, with `*` for anything, such as "https://pypi.org/simple/*", not {value!r}'
    )


STEP: Keys = {
    "run": (text, True),
    "role": (one_of("setup", "observe"), False),
    "name": (line_of_text, False),
    "timeout": (number(1, 86_400), False),
}
ENVIRONMENT: Keys = {
    "uv": (_version, True),
    "python": (python_version, False),
    "variables": (table_of(variable), False),
    "env-file": (inner_path, False),
    "exclude-newer": (_date, False),
    "home": (inner_path, False),
    "path": (list_of(inner_path), False),
    "allow-hosts": (list_of(host), False),
}
SYMPTOM: Keys = {"exit": (_exit, False), "output": (list_of(_pattern), False), "expected": (list_of(text), False)}
FILE_PATTERN: Keys = {"path": (inner_path, True), "contains": (_pattern, True)}
CONTROL: Keys = {
    "name": (line_of_text, True),
    "expect": (one_of("absent", "present"), True),
    "why": (line_of_text, False),
    "variables": (table_of(variable), False),
    "unset": (list_of(variable), False),
    "files": (table_of(inner_path), False),
    "explains": (text, False),
    "faults": (boolean, False),
}
INDEX: Keys = {
    "url": (_url, True),
    "registry": (_registry, False),
    "username": (line_of_text, False),
    "password": (line_of_text, False),
    "synthetic": (one_of("override", "merge", "replace"), False),
}
FAULT: Keys = {
    "url": (_url_pattern, True),
    "times": (number(1, 1_000_000), False),
    "times-each": (number(1, 1_000_000), False),
    "seed": (number(0, 2**53), False),
    "status": (number(200, 599), False),
    "retry-after": (number(0, 86_400), False),
    "delay": (number(0, 3600, whole=False), False),
    "drip": (number(1, 1_000_000_000), False),
    "cut": (number(0, 1_000_000_000), False),
    "truncate": (number(0, 1_000_000_000), False),
    "corrupt": (number(1, 1_000_000), False),
    "wrong-hash": (boolean, False),
    "missing-metadata": (boolean, False),
    "expired-certificate": (boolean, False),
    "redirect-loop": (boolean, False),
    **dict.fromkeys(OUTAGES, (boolean, False)),
}
EFFECTS = FAULT.keys() - {"url", "times", "times-each", "seed", "retry-after"}
TOP: Keys = {"schema": (_schema, True), "title": (line_of_text, True), "issue": (line_of_text, False)}


def mistakes(data: dict[str, Any], *, dockerfile: bool = False) -> Iterator[Mistake]:
    """Yield every mistake of a parsed manifest; with a Dockerfile beside it, steps are optional."""
    tables = ("environment", "symptom", "step", "control", "index", "fault")
    yield from check_table(data, TOP, (), tables)
    yield from check_subtable(data, "environment", ENVIRONMENT)
    yield from check_subtable(data, "symptom", SYMPTOM, ("file",))
    yield from _steps(data, ())
    if data.get("step", []) == [] and not dockerfile:
        yield ("step",), "is missing: add a [[step]] with `run` and `role`, or a Dockerfile"
    symptom = data.get("symptom")
    if isinstance(symptom, dict):
        yield from check_array(symptom, "file", FILE_PATTERN, ("symptom",))
        if type(symptom.get("exit")) is not int and not symptom.get("output") and not symptom.get("file"):
            yield ("symptom",), "matches any failure: add text of the output, or of a file"
    yield from check_array(data, "control", CONTROL, (), ("step",))
    for i, control in enumerate(dicts(data.get("control"))):
        yield from _steps(control, ("control", i))
    yield from _names(data)
    yield from _indexes(data)
    yield from _faults(data)


def _steps(data: dict[str, Any], path: Path) -> Iterator[Mistake]:
    yield from check_array(data, "step", STEP, path)
    steps = dicts(data.get("step"))
    if steps and not any(step.get("role") == "observe" for step in steps):
        yield (*path, "step", len(steps) - 1), 'no step is observed: set `role = "observe"` on one'


def _names(data: dict[str, Any]) -> Iterator[Mistake]:
    """Outcomes and folders are named after controls, so the names must differ in letters and digits."""
    used = {slug(BASE)}
    for i, control in enumerate(dicts(data.get("control"))):
        name = control.get("name")
        if isinstance(name, str):
            if slug(name) in used:
                yield ("control", i, "name"), f"is already used ({name!r}): choose another"
            used.add(slug(name))


def _indexes(data: dict[str, Any]) -> Iterator[Mistake]:
    yield from check_array(data, "index", INDEX, (), ("packages",))
    used: set[tuple[str, str]] = set()
    for i, index in enumerate(dicts(data.get("index"))):
        if "packages" in index:
            from uvmre.core.network.synthetic import check_packages

            yield from check_packages(index["packages"], ("index", i, "packages"))
        if index.get("username") and not index.get("password"):
            yield ("index", i, "username"), "needs a password: add `password = …`"
        if "url" not in index or _url(index["url"]):
            continue
        parts = urlsplit(index["url"])
        address = ((parts.hostname or "").lower(), parts.path.rstrip("/"))
        if address in used:
            yield ("index", i, "url"), f"is already used ({index['url']!r}): an address has one index"
        used.add(address)
        for key in ("registry", "username", "password"):
            if key in index and address[0] in OPEN_HOSTS:
                yield ("index", i, key), f"cannot be set for {address[0]}"


def _faults(data: dict[str, Any]) -> Iterator[Mistake]:
    yield from check_array(data, "fault", FAULT, ())
    for i, fault in enumerate(dicts(data.get("fault"))):
        if not any(
            value is not False and (key, value) != ("delay", 0) for key, value in fault.items() if key in EFFECTS
        ):
            yield ("fault", i), f"describes no failure: add one of {', '.join(sorted(EFFECTS))}"
        if "retry-after" in fault and "status" not in fault:
            yield ("fault", i, "retry-after"), "needs a status: add `status = 429`"
        outages = [key for key in OUTAGES if fault.get(key) is True]
        for key in sorted(fault.keys() & EFFECTS - {*outages[:1]}) if outages else ():
            if fault[key] is not False:
                yield ("fault", i, key), f"cannot be combined with `{outages[0]}`: the host never responds"
        if outages[:1] == ["unresolvable"]:
            yield from _unresolvable(fault, ("fault", i))


def _unresolvable(fault: dict[str, Any], path: Path) -> Iterator[Mistake]:
    """A resolver knows only names, and its lookups are not counted."""
    for key in ("times", "times-each"):
        if key in fault:
            yield (*path, key), "cannot be combined with `unresolvable`: use `refused = true`"
    url = fault.get("url")
    host = Fault(url).host if isinstance(url, str) and not _url_pattern(url) else ""
    if host and not re.fullmatch(r"\*|(\*\.)?([a-z0-9][a-z0-9_-]{0,62}\.){0,20}[a-z][a-z0-9-]{0,62}", host):
        expected = 'must have a host name, such as "https://example.com/*" or "https://*.example.com/*"'
        yield (*path, "url"), f"{expected}, because only a name can be unresolvable, not {url!r}"
