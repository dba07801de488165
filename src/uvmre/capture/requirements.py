"""The packages that a project names, and those that it consists of."""

import re
from collections.abc import Iterator
from typing import Any

from uvmre.capture.configured import script_table
from uvmre.capture.project import UserProject
from uvmre.core.network.simple_page import normalize_name
from uvmre.core.shell.uv_calls import parse_calls
from uvmre.core.text.parse_toml import parse_toml

NAME = re.compile(r"\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?=[\[<>=!~;@,\s]|$)")
LINE = re.compile(r"(?m)^[^\S\n]*(?P<line>[A-Za-z0-9][^\n#]*)")
LISTS = (
    ("project", "dependencies"),
    ("build-system", "requires"),
    ("tool", "uv", "dev-dependencies"),
    ("tool", "uv", "constraint-dependencies"),
    ("tool", "uv", "override-dependencies"),
    ("tool", "uv", "build-constraint-dependencies"),
    ("dependencies",),  # of a script
)
TABLES_OF_LISTS = (("project", "optional-dependencies"), ("dependency-groups",))
WITH_REQUIREMENTS = ("add", "pip install", "tool install", "tool run")
WITH_OPTION = ("--with", "--from")


def named_packages(project: UserProject) -> tuple[frozenset[str], dict[str, str]]:
    """Return the normalized names of all required packages, and the name of the index of those that have one."""
    found: set[str] = set()
    pinned: dict[str, str] = {}
    for file in project.files:
        text = file.content.decode(errors="replace")
        if file.path.endswith((".txt", ".in")):
            found |= set(_names(match["line"] for match in LINE.finditer(text)))
        for data in _data(file.path, text):
            for keys in LISTS:
                found |= set(_names(_strings(_inside(data, keys))))
            for keys in TABLES_OF_LISTS:
                table = _inside(data, keys)
                for each in table.values() if isinstance(table, dict) else ():
                    found |= set(_names(_strings(each)))
            sources = _inside(data, ("tool", "uv", "sources"))
            for name, source in sources.items() if isinstance(sources, dict) else ():
                found.add(normalize_name(name))
                for each in source if isinstance(source, list) else [source]:
                    if isinstance(each, dict) and isinstance(each.get("index"), str):
                        pinned[normalize_name(name)] = each["index"]
    for call in (call for command in project.commands for call in parse_calls(command)):
        arguments = call.arguments if call.verb in WITH_REQUIREMENTS else []
        found |= set(_names([*arguments, *call.values(*WITH_OPTION)]))
    return frozenset(found), pinned


def own_packages(project: UserProject) -> frozenset[str]:
    """Return the normalized names of the project's own packages."""
    names = (
        _inside(data, ("project", "name")) for file in project.files for data in _pyproject(file.path, file.content)
    )
    return frozenset(normalize_name(name) for name in names if isinstance(name, str))


def _pyproject(path: str, content: bytes) -> Iterator[dict[str, Any]]:
    if path.rpartition("/")[2] == "pyproject.toml":
        yield from _data(path, content.decode(errors="replace"))


def _data(path: str, text: str) -> Iterator[dict[str, Any]]:
    if path.endswith(".py"):
        text = script_table(text)
    elif path.rpartition("/")[2] != "pyproject.toml":
        return
    try:
        yield parse_toml(text)
    except ValueError:
        return


def _inside(data: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _strings(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _names(requirements: Any) -> Iterator[str]:
    for each in requirements:
        if match := NAME.match(each):
            yield normalize_name(match["name"])
