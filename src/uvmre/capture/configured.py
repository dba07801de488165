"""The package indexes that a project and its user have configured, with their credentials."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from uvmre.capture.project import UserProject
from uvmre.core.network.request import OPEN_HOSTS
from uvmre.core.shell.uv_calls import parse_calls
from uvmre.core.text.parse_toml import parse_toml

OPTIONS = ("--index", "--default-index", "--index-url", "-i", "--extra-index-url")
IN_REQUIREMENTS = re.compile(r"(?m)^\s*(?:-i|--index-url|--extra-index-url)[ =]\s*(?P<url>\S+)")
IN_VARIABLES = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL")
NAMED = re.compile(r"(?P<name>[\w.-]+)=(?P<url>https?://.+)", re.DOTALL)
SCRIPT = re.compile(r"(?ms)^# /// script\s*$(?P<table>.*?)^# ///\s*$")
VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class ConfiguredIndex:
    """One index, without credentials in its URL."""

    url: str
    name: str = ""
    username: str = ""
    password: str = ""
    default: bool = False

    @property
    def host(self) -> str:
        """Return the host, with its port."""
        return urlsplit(self.url).netloc


def configured_indexes(project: UserProject) -> tuple[ConfiguredIndex, ...]:
    """Return every index but PyPI that is configured, each URL once, with the credentials that uv would send."""
    found: dict[str, ConfiguredIndex] = {}
    for url, name, default in _urls(project):
        expanded = VARIABLE.sub(lambda match: project.variables.get(match[1], match[0]), url)
        index = _index(expanded, name, default=default)
        if index is None or index.host.partition(":")[0] in OPEN_HOSTS:
            continue
        key = index.url.rstrip("/")
        known = found.get(key, index)
        found[key] = replace(
            known,
            name=known.name or index.name,
            username=known.username or index.username,
            password=known.password or index.password,
            default=known.default or index.default,
        )
    return tuple(_with_credentials(each, project) for each in found.values())


def _urls(project: UserProject) -> Iterator[tuple[str, str, bool]]:
    """Yield the URL of each index as it is written, its name, and whether it replaces PyPI."""
    for table in _tables(project):
        yield from _in_settings(table)
        yield from _in_settings(_table(table, "pip"))
    for file in project.files:
        if file.path.endswith((".txt", ".in")):
            text = file.content.decode(errors="replace")
            yield from ((match["url"], "", "--index-url" in match[0]) for match in IN_REQUIREMENTS.finditer(text))
    for variable in IN_VARIABLES:
        for word in project.variables.get(variable, "").split():
            yield *_named(word), variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL")
    for call in (call for command in project.commands for call in parse_calls(command)):
        yield from ((*_named(value), False) for value in call.values(*OPTIONS))
    for package in _list(_parsed(project.text("uv.lock")), "package"):
        if isinstance(package, dict) and isinstance(url := _table(package, "source").get("registry"), str):
            yield url, "", False


def _in_settings(table: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
    for index in _list(table, "index"):
        if isinstance(index, dict) and isinstance(index.get("url"), str):
            yield index["url"], str(index.get("name", "")), index.get("default") is True
    if isinstance(table.get("index-url"), str):
        yield table["index-url"], "", True
    yield from ((str(url), "", False) for url in _list(table, "extra-index-url"))


def _tables(project: UserProject) -> Iterator[dict[str, Any]]:
    """Yield the tables of uv's settings."""
    for file in (*project.files, *project.home):
        name = file.path.rpartition("/")[2]
        text = file.content.decode(errors="replace")
        if name == "pyproject.toml":
            yield _table(_table(_parsed(text), "tool"), "uv")
        elif name == "uv.toml":
            yield _parsed(text)
        elif name.endswith(".py"):
            yield _table(_table(_parsed(script_table(text)), "tool"), "uv")


def script_table(text: str) -> str:
    """Return the TOML in a script (PEP 723); empty if it has none."""
    script = SCRIPT.search(text)
    lines = script["table"].split("\n") if script else ()
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines)


def _parsed(text: str) -> dict[str, Any]:
    try:
        return parse_toml(text)
    except ValueError:  # which may be the bug
        return {}


def _table(data: dict[str, Any], key: str) -> dict[str, Any]:
    inner = data.get(key)
    return inner if isinstance(inner, dict) else {}


def _list(data: dict[str, Any], key: str) -> list[Any]:
    inner = data.get(key)
    return inner if isinstance(inner, list) else []


def _named(word: str) -> tuple[str, str]:
    """Return the URL and the name of an index on a command line, as `NAME=URL`."""
    match = NAMED.fullmatch(word)
    return (match["url"], match["name"]) if match else (word, "")


def _index(url: str, name: str, *, default: bool) -> ConfiguredIndex | None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        netloc = f"{host}:{parts.port}" if parts.port else host
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    bare = urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))
    return ConfiguredIndex(bare, name, unquote(parts.username or ""), unquote(parts.password or ""), default)


def _with_credentials(index: ConfiguredIndex, project: UserProject) -> ConfiguredIndex:
    """Add the credentials of the environment, of `.netrc` or of `uv auth`, in uv's order."""
    if index.name and not index.password:
        variable = f"UV_INDEX_{re.sub(r'[^A-Za-z0-9]', '_', index.name).upper()}"
        username = project.variables.get(f"{variable}_USERNAME", index.username)
        index = replace(index, username=username, password=project.variables.get(f"{variable}_PASSWORD", ""))
    for file in () if index.password else project.home:
        text = file.content.decode(errors="replace")
        known = _netrc(text) if file.path.endswith("netrc") else _stored(text)
        for host, (username, password) in known.items():
            if host == index.host.partition(":")[0] and index.username in ("", username) and not index.password:
                index = replace(index, username=username, password=password)
    return index


def _netrc(text: str) -> dict[str, tuple[str, str]]:
    """Return the credentials of a netrc file, by host."""
    words = shlex.split(text, comments=True)
    found: dict[str, dict[str, str]] = {}
    host = ""
    for key, value in pairwise(words):
        if key == "machine":
            host = value
            found[host] = {}
        elif host and key in ("login", "password"):
            found[host][key] = value
    return {host: (each.get("login", ""), each.get("password", "")) for host, each in found.items()}


def _stored(text: str) -> dict[str, tuple[str, str]]:
    """Return the credentials that `uv auth login` stored, by host."""
    return {
        urlsplit(str(each.get("service"))).hostname or "": (
            str(each.get("username", "")),
            str(each.get("password", "")),
        )
        for each in _list(_parsed(text), "credential")
        if isinstance(each, dict)
    }
