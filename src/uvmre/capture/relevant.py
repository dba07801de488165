"""Which files of a project matter to uv: configuration whole, modules as empty files, nothing else."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from uvmre.core.mre.model import LEFT_OUT
from uvmre.core.text.parse_toml import parse_toml

SKIPPED = LEFT_OUT | {"node_modules", ".tox", ".nox", ".eggs", "dist", "htmlcov", ".hypothesis", ".idea", ".vscode"}
"""Folders that no build reads."""
CONFIGURATION = re.compile(
    r"(?:pyproject|uv)\.toml|uv\.lock|pylock(?:\..+)?\.toml|\.python-versions?|(?:setup|hatch_build)\.py|setup\.cfg|MANIFEST\.in"
    r"|(?:.+\.)?(?:Docker|Container)file(?:\..+)?|(?:.+\.)?\.dockerignore|[\w.-]*(?:requirements|constraints|overrides?)[\w.-]*\.(?:txt|in)"
    r"|Cargo\.toml|meson\.build|CMakeLists\.txt"
)
"""Names of files that are read for themselves."""
DOCKERFILE = re.compile(r"(?:.+\.)?(?:Docker|Container)file(?:\..+)?")
INCLUDED = re.compile(r"(?m)^\s*(?:-r|-c|--requirements?|--constraints?)[ =]?\s*(?P<path>[^\s#]+)")
SCRIPT_TABLE = re.compile(r"(?m)^# /// script\s*$")
VERSION_LINE = re.compile(r"(?m)^\s*_{0,2}(?:version|VERSION)_{0,2}(?:\s*:\s*\w+)?\s*=.*$")
WORD = re.compile(r"[^\s'\"=,;:&|<>()]+")
MODULE_ROOTS = ("", "src/")

Read = Callable[[str], str]


@dataclass(frozen=True)
class Selection:
    """The files of a project that matter, by path."""

    whole: tuple[str, ...]
    """With their content."""
    empty: tuple[str, ...]
    """Only so that a build finds them."""
    versions: tuple[str, ...]
    """Of which a build reads the version."""


def select(paths: Iterable[str], commands: Iterable[str], read: Read) -> Selection:
    """Return which files of a project matter.

    Args:
        paths: all its files, relative to its root, without those in SKIPPED folders.
        commands: the commands that are run.
        read: returns the text of a file.
    """
    known = set(paths)
    whole = {path for path in known if CONFIGURATION.fullmatch(PurePosixPath(path).name)}
    whole |= {path for command in commands for path in _named(command, known)}
    pending = [path for path in whole if path.endswith((".txt", ".in"))]
    while pending:  # requirement files include others
        path = pending.pop()
        parent = PurePosixPath(path).parent
        included = {_normal(f"{parent}/{match['path']}") for match in INCLUDED.finditer(read(path))} & known
        pending += included - whole
        whole |= included
    empty: set[str] = set()
    versions: set[str] = set()
    for path in sorted(whole):
        if PurePosixPath(path).name == "pyproject.toml":
            folder = str(PurePosixPath(path).parent)
            named, dynamic = _named_by_build(_parsed(read(path)))
            empty |= {_normal(f"{folder}/{each}") for each in named} & known
            versions |= {_normal(f"{folder}/{each}") for each in dynamic} & known
            empty |= set(_modules(folder, known))
    for path in sorted(whole):
        if DOCKERFILE.fullmatch(PurePosixPath(path).name):  # what COPY names must exist
            empty |= set(_copied(read(path), known, whole))
    return Selection(tuple(sorted(whole)), tuple(sorted(empty - whole - versions)), tuple(sorted(versions - whole)))


def version_lines(text: str) -> str:
    """Return the lines of a module that set its version."""
    return "".join(f"{match[0]}\n" for match in VERSION_LINE.finditer(text))


def _copied(dockerfile: str, known: set[str], whole: set[str]) -> Iterator[str]:
    """Yield the files that a Dockerfile names, and one of each folder of which nothing is kept."""
    for word in WORD.findall(dockerfile):
        name = _normal(word)
        below = sorted(each for each in known if each.startswith(f"{name}/"))
        if name in known:
            yield name
        elif below and not set(below) & whole:
            yield below[0]


def _named(command: str, known: set[str]) -> Iterator[str]:
    """Yield the files that a command names."""
    for word in WORD.findall(command):
        for spelling in (word, word.removeprefix("@")):
            if (path := _normal(spelling)) in known:
                yield path


def _normal(path: str) -> str:
    """Return a relative path without `.` and `..`."""
    parts: list[str] = []
    for part in PurePosixPath(path).parts:
        if part == ".." and parts:
            parts.pop()
        elif part not in (".", "/"):
            parts.append(part)
    return "/".join(parts)


def _parsed(text: str) -> dict[str, Any]:
    try:
        return parse_toml(text)
    except ValueError:  # which may be the bug
        return {}


def _named_by_build(data: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the files that a build needs to exist, and those from which it reads the version."""
    project, tool = _table(data, "project"), _table(data, "tool")
    readme = project.get("readme")
    named = [readme["file"] if isinstance(readme, dict) and "file" in readme else readme]
    licence = project.get("license")
    named += [licence.get("file")] if isinstance(licence, dict) else []
    named += [each for each in project.get("license-files", ()) if isinstance(each, str)]
    hatch = _table(tool, "hatch")
    dynamic = [_table(hatch, "version").get("path"), _table(hatch, "build", "hooks", "vcs").get("version-file")]
    attribute = _table(tool, "setuptools", "dynamic", "version")
    dynamic += [attribute.get("file")]
    if isinstance(attribute.get("attr"), str):
        module = attribute["attr"].rpartition(".")[0].replace(".", "/")
        dynamic += [f"{root}{module}{end}" for root in MODULE_ROOTS for end in (".py", "/__init__.py")]
    dynamic += [_table(tool, "pdm", "version").get("path")]
    unnamed = not any(dynamic) and "version" in project.get("dynamic", ())
    if unnamed and isinstance(project.get("name"), str):  # flit, and hatch's default
        module = re.sub(r"[-.]", "_", project["name"])
        dynamic += [f"{root}{module}{end}" for root in MODULE_ROOTS for end in (".py", "/__init__.py", "/__about__.py")]
    return [each for each in named if isinstance(each, str)], [each for each in dynamic if isinstance(each, str)]


def _table(data: dict[str, Any], *keys: str) -> dict[str, Any]:
    for key in keys:
        inner = data.get(key)
        data = inner if isinstance(inner, dict) else {}
    return data


def _modules(folder: str, known: set[str]) -> Iterator[str]:
    """Yield the files that make a package's modules: the first `__init__.py` on each path below the folder."""
    prefix = "" if folder == "." else f"{folder}/"
    for root in MODULE_ROOTS:
        base = f"{prefix}{root}"
        for path in (each for each in known if each.startswith(base) and each.endswith(".py")):
            rest = path.removeprefix(base)
            if (rest.endswith("/__init__.py") and rest.count("/") <= 2) or (root and "/" not in rest):
                yield path
