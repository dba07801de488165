"""The keys of every table of `mre.toml`, each with its check, and whether it is required."""

import re
import signal
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from uvmre.core.mre.model import SCHEMA
from uvmre.core.network.index import OUTAGES
from uvmre.core.text.normalize import WILDCARD, normalize
from uvmre.core.text.toml_checks import (
    Keys,
    boolean,
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


RELEASE_OR_DAY = re.compile(rf"{RELEASE.pattern}|latest|@\d{{4}}-\d\d-\d\d")
_version = matching(RELEASE, 'a release, such as "0.5.21"')
_reported = matching(RELEASE_OR_DAY, 'a release, such as "0.5.21", "latest", or a day, such as "@2026-07-01"')
_need = matching(
    re.compile(r"uvx?( [\w@.,:/=+-]+)+|(?!uvx?$)[\w.-]+"),
    'a command, as "uv audit --fix", or the name of a setting or a variable',
)
python_version = matching(r"3\.\d+(\.\d+)?", 'a Python version, such as "3.12"')
_date = require(
    lambda v: isinstance(v, date) and (not isinstance(v, datetime) or v.tzinfo is not None),
    "a date, such as 2025-01-23 without quotes, or a time with its offset, such as 2025-01-23T14:00:00Z",
)
_exit = require(
    lambda v: (
        v in ("failure", "success", "timeout")
        or (type(v) is int and 0 <= v <= 255)
        or (isinstance(v, str) and v in signal.Signals.__members__)
    ),
    'an exit code from 0 to 255, "failure", "success", "timeout", or a signal, such as "SIGSEGV"',
)
_schema = require(lambda v: v == SCHEMA and type(v) is int, f"{SCHEMA}, the only version that this uvmre supports")
host = matching(r"(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?", 'a host name, such as "example.com" or "*.example.com"')


def url(value: Any) -> str:
    """Require the URL of an index or a repository."""
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


_platform = matching(
    r"(macosx-\d+\.\d+|win|linux|[a-z]+-\d[\w.]*)-[a-z0-9_]+",
    'a platform, such as "macosx-14.0-arm64" or "netbsd-10.0-amd64"',
)
_ref = matching(r"[A-Za-z0-9][A-Za-z0-9._/-]*", 'a name of git, such as "main"')
_raw = require(lambda v: isinstance(v, str) and v and "\0" not in v, "a non-empty string")


def _headers(value: Any) -> str:
    if mistake := table_of(matching(r"[A-Za-z0-9-]+", "the name of a header"))(value):
        return mistake
    framing = {"connection", "content-length", "transfer-encoding", "date"} & {name.lower() for name in value}
    if framing:
        return f"must not set `{min(framing)}`, which the gateway sends"
    fine = all(text.isprintable() and max(text, default=" ") <= "\xff" for text in value.values())
    return "" if fine else "must have values in one line of Latin-1"


def _place(value: Any) -> str:
    return inner_path(value.removeprefix("~/")) if isinstance(value, str) else text(value)


def _registry(value: Any) -> str:
    from uvmre.core.network.registries import PROFILES  # imported late: most manifests name none

    return one_of(*PROFILES)(value)


def url_pattern(value: Any) -> str:
    """Require a URL in which `*` matches anything."""
    fine = isinstance(value, str) and re.match(r"https?://[^/\s]+", value)
    return line_of_text(value) or (
        "" if fine else f'must be a URL, with `*` for anything, such as "https://pypi.org/simple/*", not {value!r}'
    )


STEP: Keys = {
    "run": (text, True),
    "role": (one_of("setup", "observe"), False),
    "name": (line_of_text, False),
    "timeout": (number(1, 86_400), False),
    "idle-timeout": (number(1, 86_400), False),
}
SETUP: Keys = {key: STEP[key] for key in ("run", "name", "timeout")}
ENVIRONMENT: Keys = {
    "uv": (_reported, True),
    "python": (python_version, False),
    "pythons": (list_of(python_version), False),
    "python-downloads": (boolean, False),
    "platform": (_platform, False),
    "reported-platform": (line_of_text, False),
    "exclude-newer": (_date, False),
    "clock": (boolean, False),
    "env-file": (inner_path, False),
    "home": (inner_path, False),
    "path": (list_of(inner_path), False),
    "allow-hosts": (list_of(host), False),
    "variables": (table_of(variable), False),
}
SYMPTOM: Keys = {
    "exit": (_exit, False),
    "output": (list_of(_pattern), False),
    "step": (line_of_text, False),
    "adjacent": (boolean, False),
    "any": (list_of(_pattern), False),
    "absent": (list_of(_pattern), False),
    "raw": (list_of(_raw), False),
    "differs-from": (line_of_text, False),
    "slower-than": (line_of_text, False),
    "factor": (number(1, 1000, whole=False), False),
    "guess": (boolean, False),
}
FILE: Keys = {
    "path": (_place, True),
    "contains": (_pattern, False),
    "absent": (_pattern, False),
    "raw": (_raw, False),
    "ends-with": (_raw, False),
    "exists": (boolean, False),
    "unchanged": (boolean, False),
    "links-to": (text, False),
}
EVIDENCE = {"output", "any", "raw", "differs-from", "slower-than"}
"""What makes a symptom more than an exit code, besides files and counts."""
COUNT: Keys = {
    "requests": (url_pattern, False),
    "lines": (_pattern, False),
    "least": (number(0, 1_000_000), False),
    "most": (number(0, 1_000_000), False),
}
CONTROL: Keys = {
    "name": (line_of_text, True),
    "expect": (one_of("absent", "present", "different"), False),
    "why": (line_of_text, False),
    "explains": (text, False),
    "uv": (_version, False),
    "python": (python_version, False),
    "without-uv": (boolean, False),
    "variables": (table_of(variable), False),
    "unset": (list_of(variable), False),
    "files": (table_of(inner_path), False),
    "replace": (table_of(line_of_text), False),
    "faults": (boolean, False),
}
SERVICE: Keys = {
    "name": (matching(r"[a-z][a-z0-9-]*", 'a name in lower case, such as "server"'), True),
    "run": (text, True),
    "ready": (matching(r"/\S*", 'a path, such as "/health"'), False),
    "timeout": (number(1, 3600), False),
}
DEVIATION: Keys = {
    "from": (text, True),
    "to": (text, True),
    "why": (text, False),
    "decides": (boolean, False),
}
ANSWER: Keys = {
    "url": (url_pattern, True),
    "method": (matching(r"[A-Z]+", 'a method, such as "GET"'), False),
    "credentials": (matching(r"any|none|[^:]+:.*", '"any", "none" or "user:password"'), False),
    "header": (matching(r"[A-Za-z0-9-]+: .*", 'a name and a pattern, such as "accept: *json*"'), False),
    "times": (number(1, 1_000_000), False),
    "status": (number(200, 599), False),
    "headers": (_headers, False),
    "redirect": (line_of_text, False),
    "body": (require(lambda v: isinstance(v, str), "a string"), False),
    "file": (inner_path, False),
}
GIT: Keys = {"url": (url, True), "username": (line_of_text, False), "password": (line_of_text, False)}
COMMIT: Keys = {
    "folder": (inner_path, True),
    "branch": (_ref, False),
    "tag": (_ref, False),
    "message": (text, False),
    "submodules": (table_of(inner_path), False),
}
INDEX: Keys = {
    "url": (url, True),
    "registry": (_registry, False),
    "username": (line_of_text, False),
    "password": (line_of_text, False),
    "publish-url": (url, False),
    "publish-token": (line_of_text, False),
    "trusted-publisher": (matching(r"[\w.-]+(/[\w.-]+)+", 'a repository, such as "org/repo"'), False),
    "synthetic": (one_of("override", "merge", "replace"), False),
    "headers": (_headers, False),
}
FAULT: Keys = {
    "url": (url_pattern, True),
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
    "untrusted-issuer": (boolean, False),
    "redirect-loop": (boolean, False),
    **dict.fromkeys(OUTAGES, (boolean, False)),
}
EFFECTS = FAULT.keys() - {"url", "times", "times-each", "seed", "retry-after"}
TOP: Keys = {
    "schema": (_schema, False),
    "title": (line_of_text, True),
    "issue": (line_of_text, False),
    "private": (boolean, False),
    "needs": (list_of(_need), False),
}
TABLES = (
    *("environment", "symptom", "expected", "setup", "step", "control"),
    *("service", "index", "answer", "git", "fault", "deviation"),
)
