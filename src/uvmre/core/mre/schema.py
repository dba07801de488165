"""What may stand in `mre.toml`: every table's keys, the check of each, and all the mistakes of a parsed text."""

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
    number,
    one_of,
    table_of,
    text,
    variable,
)

RELEASE = re.compile(r"\A\d+\.\d+\.\d+((a|b|rc)\d+)?\Z")
LEAST = 4
"""How many plain characters a text of the symptom must have: with fewer it is met by chance."""


def _pattern(value: Any) -> str:
    short = isinstance(value, str) and len(normalize(WILDCARD.sub("", value))) < LEAST
    return f"says too little ({value!r}): almost any output would meet it" if short else text(value)


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


def host(value: Any) -> str:
    """Ask for the name of a host, or a pattern of names."""
    fine = isinstance(value, str) and re.fullmatch(r"(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?", value)
    return "" if fine else f'must be the name of a host, as "example.com" or "*.example.com", not {value!r}'


def _url(value: Any) -> str:
    if mistake := line_of_text(value):
        return mistake
    try:
        parts = urlsplit(value)
        named, _ = parts.hostname, parts.port
    except ValueError:
        named = None
    if not named or parts.scheme not in ("http", "https"):
        return f'must be an address, as "https://private.example.com/simple", not {value!r}'
    if parts.username or parts.password:
        return "must be an address alone: credentials have keys of their own"
    return "must be an address alone, with no `?` or `#`" if parts.query or parts.fragment else ""


def _registry(value: Any) -> str:
    from uvmre.core.network.registries import PROFILES  # most manifests name none, and every run would wait for it

    return one_of(*PROFILES)(value)


def _url_pattern(value: Any) -> str:
    fine = isinstance(value, str) and re.match(r"https?://[^/\s]+", value)
    return line_of_text(value) or (
        "" if fine else f'must be a URL, with `*` for anything, as "https://pypi.org/simple/*", not {value!r}'
    )


STEP: Keys = {
    "run": (text, True),
    "role": (one_of("setup", "observe"), False),
    "name": (text, False),
    "timeout": (_seconds, False),
}
ENVIRONMENT: Keys = {
    "uv": (_version, True),
    "python": (_python, False),
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
    "name": (text, True),
    "expect": (one_of("absent", "present"), True),
    "why": (text, False),
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
WRONG = FAULT.keys() - {"url", "times", "times-each", "seed", "retry-after"}
TOP: Keys = {"schema": (_schema, True), "title": (line_of_text, True), "issue": (text, False)}


def mistakes(data: dict[str, Any], *, dockerfile: bool = False) -> Iterator[Mistake]:
    """Find every mistake of a parsed manifest: where it stands, and what is wrong.

    With a Dockerfile it may name no steps.
    """
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
            yield (
                ("symptom",),
                "would be met by any failure: say what stands in the output, or in a file",
            )
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
        yield (*path, "step", len(steps) - 1), 'nothing is observed: give one step role = "observe"'


def _names(data: dict[str, Any]) -> Iterator[Mistake]:
    """Names tell outcomes and folders apart, so they must differ in their letters and digits."""
    taken = {slug(BASE)}
    for i, control in enumerate(dicts(data.get("control"))):
        name = control.get("name")
        if isinstance(name, str):
            if slug(name) in taken:
                yield ("control", i, "name"), f"is taken ({name!r}): outcomes are told by it, so give another"
            taken.add(slug(name))


def _indexes(data: dict[str, Any]) -> Iterator[Mistake]:
    yield from check_array(data, "index", INDEX, (), ("packages",))
    taken: set[tuple[str, str]] = set()
    for i, index in enumerate(dicts(data.get("index"))):
        if "packages" in index:
            from uvmre.core.network.synthetic import check_packages

            yield from check_packages(index["packages"], ("index", i, "packages"))
        if index.get("username") and not index.get("password"):
            yield ("index", i, "username"), "has no password beside it: add `password = …`"
        if "url" not in index or _url(index["url"]):
            continue
        parts = urlsplit(index["url"])
        address = ((parts.hostname or "").lower(), parts.path.rstrip("/"))
        if address in taken:
            yield ("index", i, "url"), f"is taken ({index['url']!r}): one index answers there"
        taken.add(address)
        for key in ("registry", "username", "password"):
            if key in index and address[0] in OPEN_HOSTS:
                yield ("index", i, key), f"is not to be had at {address[0]}, which behaves as it does"


def _faults(data: dict[str, Any]) -> Iterator[Mistake]:
    yield from check_array(data, "fault", FAULT, ())
    for i, fault in enumerate(dicts(data.get("fault"))):
        if not any(value is not False and (key, value) != ("delay", 0) for key, value in fault.items() if key in WRONG):
            yield ("fault", i), f"says nothing that goes wrong: add one of {', '.join(sorted(WRONG))}"
        if "retry-after" in fault and "status" not in fault:
            yield ("fault", i, "retry-after"), "is sent along with a status: add `status = 429`"
        outages = [key for key in OUTAGES if fault.get(key) is True]
        for key in sorted(fault.keys() & WRONG - {*outages[:1]}) if outages else ():
            if fault[key] is not False:
                yield ("fault", i, key), f"cannot stand beside `{outages[0]}`: nothing comes from such a host"
        if outages[:1] == ["unresolvable"]:
            yield from _unresolvable(fault, ("fault", i))


def _unresolvable(fault: dict[str, Any], path: Path) -> Iterator[Mistake]:
    """A resolver knows nothing but names, and is asked for them by programs that nobody counts."""
    for key in ("times", "times-each"):
        if key in fault:
            yield (*path, key), "cannot be counted for a name that does not resolve: take `refused = true`"
    url = fault.get("url")
    host = Fault(url).host if isinstance(url, str) and not _url_pattern(url) else ""
    if host and not re.fullmatch(r"\*|(\*\.)?([a-z0-9][a-z0-9_-]{0,62}\.){0,20}[a-z][a-z0-9-]{0,62}", host):
        expected = 'must have a host with a name, as "https://example.com/*" or "https://*.example.com/*"'
        yield (*path, "url"), f"{expected}, for only a name can be unresolvable, not {url!r}"
