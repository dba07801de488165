"""The projects of an MRE: its pyproject.toml files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from packaging.utils import canonicalize_name

from uvmre.lint.subject import Subject, package_name


@dataclass(frozen=True)
class Project:
    """One pyproject.toml."""

    path: str
    data: Mapping[str, Any]
    modules: tuple[str, ...]
    """The importable modules and packages in its folder."""

    @property
    def folder(self) -> str:
        """Return its folder; `.` for the MRE's own."""
        return str(PurePosixPath(self.path).parent)

    @property
    def table(self) -> Mapping[str, Any]:
        """Return `[project]`."""
        return table_of(self.data, "project")

    @property
    def uv(self) -> Mapping[str, Any]:
        """Return `[tool.uv]`."""
        return table_of(table_of(self.data, "tool"), "uv")

    @property
    def name(self) -> str:
        """Return its normalised name; empty where it has none."""
        name = self.table.get("name")
        return canonicalize_name(name) if isinstance(name, str) else ""

    @property
    def built(self) -> bool:
        """Return whether uv builds and installs it: https://docs.astral.sh/uv/concepts/projects/config/#build-systems."""
        return bool(self.uv.get("package", "build-system" in self.data))

    @cached_property
    def dependencies(self) -> tuple[str, ...]:
        """Return the names of its dependencies, without extras and groups."""
        return _names(self.table.get("dependencies"))

    @cached_property
    def extras(self) -> Mapping[str, tuple[str, ...]]:
        """Return its extras by normalised name."""
        found = table_of(self.table, "optional-dependencies")
        return {canonicalize_name(extra): _names(needed) for extra, needed in found.items()}

    @cached_property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Return its dependency groups by normalised name; `tool.uv.dev-dependencies` belongs to `dev`."""
        groups = table_of(self.data, "dependency-groups")
        found: dict[str, tuple[str, ...]] = {canonicalize_name(name): _names(needed) for name, needed in groups.items()}
        old = self.uv.get("dev-dependencies")
        return {**found, "dev": (*found.get("dev", ()), *_names(old))} if old else found

    @property
    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        """Return `[tool.uv.sources]` by normalised name, without those with markers."""
        found = table_of(self.uv, "sources")
        return {canonicalize_name(name): source for name, source in found.items() if isinstance(source, dict)}


def projects(subject: Subject) -> tuple[Project, ...]:
    """Return every project of an MRE."""
    return tuple(
        Project(path, data, tuple(dict.fromkeys(_find_modules(subject, PurePosixPath(path).parent))))
        for path, data in subject.projects.items()
    )


def root_of(found: Sequence[Project]) -> Project | None:
    """Return the root of the one workspace; None where there is none, or more than one."""
    roots = [project for project in found if "workspace" in project.uv]
    return roots[0] if len(roots) == 1 else None


def members_of(root: Project, found: Sequence[Project]) -> tuple[Project, ...]:
    """Return the members of a workspace, without its root."""
    patterns = [each for each in list_of(table_of(root.uv, "workspace"), "members") if isinstance(each, str)]
    base = PurePosixPath(root.folder)
    return tuple(
        project
        for project in found
        if project is not root
        and PurePosixPath(project.folder).is_relative_to(base)
        and any(_matches(PurePosixPath(project.folder).relative_to(base), pattern) for pattern in patterns)
    )


def reachable(start: Project, among: Sequence[Project]) -> frozenset[str]:
    """Return the names of a project's dependencies, direct and through other projects of the MRE."""
    by_name = {project.name: project for project in among if project.name}
    found: set[str] = set()
    names = list(start.dependencies)
    while names:
        name = names.pop()
        if name not in found:
            found.add(name)
            names += by_name[name].dependencies if name in by_name else ()
    return frozenset(found)


def _matches(folder: PurePosixPath, pattern: str) -> bool:
    path = PurePosixPath(pattern.rstrip("/"))
    return len(path.parts) == len(folder.parts) and folder.match(str(path))


def _find_modules(subject: Subject, folder: PurePosixPath) -> Iterator[str]:
    for file in subject.mre.files:
        each = PurePosixPath(file.path)
        for base in (folder / "src", folder):
            if each.suffix == ".py" and each.is_relative_to(base):
                parts = each.relative_to(base).parts
                if len(parts) == 1 and parts[0] not in ("setup.py", "conftest.py", "__init__.py"):
                    yield each.stem
                elif len(parts) == 2 and parts[1] == "__init__.py" and parts[0] != "src":
                    yield parts[0]


def table_of(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a table of a table; empty where there is none."""
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def list_of(data: Mapping[str, Any], key: str) -> list[Any]:
    """Return a list of a table; empty where there is none."""
    value = data.get(key)
    return value if isinstance(value, list) else []


def _names(requirements: object) -> tuple[str, ...]:
    found = requirements if isinstance(requirements, list) else []
    return tuple(name for each in found if isinstance(each, str) and (name := package_name(each)))
