"""Which files of a project matter to uv: configuration whole, modules as empty files, nothing else."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from uvmre.core.mre.model import LEFT_OUT
from uvmre.core.text.parse_toml import parse_toml

SKIPPED = LEFT_OUT | {"node_modules", ".tox", ".nox", ".eggs", "dist", "htmlcov", ".hypothesis", ".idea", ".vscode"}
"""Folders that no build reads."""
CONFIGURATION = re.compile(
    r"(?:pyproject|uv)\.toml|uv\.lock|pylock(?:\..+)?\.toml|\.python-versions?|(?:setup|hatch_build)\.py|setup\.cfg|MANIFEST\.in"
    r"|(?:.+\.)?(?:Docker|Container)file(?:\..+)?|(?:.+\.)?\.dockerignore|[\w.-]*(?:requirements|constraints|overrides?)[\w.-]*\.(?:txt|in)"
    r"|PKG-INFO|Cargo\.toml|meson\.build|CMakeLists\.txt"
)
"""Names of files that are read for themselves."""
DOCKERFILE = re.compile(r"(?:.+\.)?(?:Docker|Container)file(?:\..+)?")
INCLUDED = re.compile(r"(?m)^\s*(?:-r|-c|--requirements?|--constraints?)[ =]?\s*(?P<path>[^\s#]+)")
WORD = re.compile(r"[^\s'\"=,;:&|<>()]+")
MODULE_ROOTS = ("", "src/")

Read = Callable[[str], str]


def select(paths: Iterable[str], commands: Iterable[str], read: Read) -> tuple[str, ...]:
    """Return which files of a project matter: what uv and a build read, and what must only exist for them.

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
    others: set[str] = set()
    for path in sorted(whole):
        if PurePosixPath(path).name == "pyproject.toml":
            folder = str(PurePosixPath(path).parent)
            others |= {_normal(f"{folder}/{each}") for each in _named_by_build(_parsed(read(path)))} & known
            others |= set(_modules(folder, known))
    for path in sorted(whole):
        if DOCKERFILE.fullmatch(PurePosixPath(path).name):  # what COPY names must exist
            others |= set(_copied(read(path), known, whole))
    return tuple(sorted(whole | others))


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


def _named_by_build(data: dict[str, Any]) -> list[str]:
    """Return the files that a build needs to exist, or from which it reads the version."""
    project, tool = _table(data, "project"), _table(data, "tool")
    readme, licence = project.get("readme"), project.get("license")
    named = [readme.get("file") if isinstance(readme, dict) else readme, *project.get("license-files", ())]
    named += [licence.get("file")] if isinstance(licence, dict) else []
    hatch, attribute = _table(tool, "hatch"), _table(tool, "setuptools", "dynamic", "version")
    named += [_table(hatch, "version").get("path"), _table(hatch, "build", "hooks", "vcs").get("version-file")]
    named += [attribute.get("file"), _table(tool, "pdm", "version").get("path")]
    modules = [attribute["attr"].rpartition(".")[0]] if isinstance(attribute.get("attr"), str) else []
    if isinstance(project.get("name"), str):  # flit, and hatch's default
        modules.append(re.sub(r"[-.]", "_", project["name"]))
    ends = (".py", "/__init__.py", "/__about__.py")
    named += [f"{root}{module.replace('.', '/')}{end}" for module in modules for root in MODULE_ROOTS for end in ends]
    return [each for each in named if isinstance(each, str)]


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
