"""Synthetic packages, which exist only for one MRE; their TOML has the shape of packse's scenarios."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from uvmre.core.network.simple_page import normalize_name, parse_filename
from uvmre.core.text.toml_checks import (
    Keys,
    Mistake,
    Path,
    boolean,
    check_table,
    inner_path,
    line_of_text,
    list_of,
    matching,
    require,
)

ANY = ("py3-none-any",)
EXTRA = re.compile(r"\A[a-z0-9]([a-z0-9._-]*[a-z0-9])?\Z", re.IGNORECASE)
"""The name of an extra (PEP 508)."""


@dataclass(frozen=True)
class SyntheticPackage:
    """One version of a synthetic package."""

    name: str
    version: str
    requires: tuple[str, ...] = ()
    """Requirements, as PEP 508 has them."""
    requires_python: str | None = None
    """The versions of Python that it supports, as ">=3.8"."""
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Each extra's requirements."""
    wheel: bool = True
    """Whether it has wheels."""
    wheel_tags: tuple[str, ...] = ANY
    """One wheel for each."""
    sdist: bool = True
    """Whether it has an sdist."""
    build_backend: str = ""
    """The build backend of the sdist, such as hatchling; by default one without dependencies."""
    yanked: bool | str = False
    """Whether, or why."""
    uploaded: datetime | None = None
    """When it was uploaded; the cutoff date applies to it."""
    description: str = ""
    """Its summary."""
    file: str = ""
    """A wheel or sdist in the MRE's folder, served as it is instead of a generated one."""


def check_packages(table: Any, path: Path) -> Iterator[Mistake]:
    """Yield every mistake of a `packages` table."""
    if not isinstance(table, dict):
        yield path, f'must be a table: write [{path[0]}.packages.NAME.versions."1.0.0"]'
    elif table:
        yield from _packages(table, path)


def _packages(table: dict[str, Any], path: Path) -> Iterator[Mistake]:
    # Imported late: packaging takes 20 ms.
    from packaging.utils import InvalidName, canonicalize_name

    used: dict[str, str] = {}
    for name, package in table.items():
        here = (*path, name)
        try:
            canonical = canonicalize_name(name, validate=True)
        except InvalidName:
            yield here, "is not a valid package name: use letters and digits, with - _ . between them (PEP 508)"
            continue
        if canonical in used:
            yield here, f"is the same package as {used[canonical]} (PEP 503): merge their versions"
        used.setdefault(canonical, name)
        if not isinstance(package, dict):
            yield here, 'must be a table: write [….versions."1.0.0"] below it'
            continue
        yield from check_table(package, {}, here, ("versions",))
        versions = package.get("versions", {})
        if isinstance(versions, dict) and versions:
            yield from _versions(canonical, versions, (*here, "versions"))
        else:
            yield (*here, "versions"), 'is missing: add a table, such as versions."1.0.0"'


def _versions(project: str, versions: dict[str, Any], path: Path) -> Iterator[Mistake]:
    from packaging.version import InvalidVersion, Version

    used: dict[Version, str] = {}
    for text, table in versions.items():
        here = (*path, text)
        try:
            version = Version(text)
        except InvalidVersion:
            yield here, 'is not a valid version, such as "1.0.0" or "2.0b1.post1+local" (PEP 440)'
            continue
        if version in used:
            yield here, f"is the same version as {used[version]} (PEP 440): keep one"
        used.setdefault(version, text)
        if not isinstance(table, dict):
            yield here, "must be a table: an empty one makes a wheel and an sdist without requirements"
        elif "file" in table:
            yield from _served(project, version, table, here)
        else:
            yield from check_table(table, VERSION, here, ("extras",))
            yield from _extras(table.get("extras", {}), (*here, "extras"))
            if table.get("wheel") is False and table.get("sdist") is False:
                yield here, "has neither a wheel nor an sdist: enable one of them, or remove the version"
            if table.get("wheel") is False and "wheel-tags" in table:
                yield (*here, "wheel-tags"), "need a wheel: remove them, or `wheel = false`"


def _served(project: str, version: Any, table: dict[str, Any], path: Path) -> Iterator[Mistake]:
    """Check a version that is a file of the folder: the file defines all but the index's own metadata."""
    defined = [key for key in table if key in VERSION and key not in SERVED]
    yield from check_table(table, SERVED, path, [*defined, "extras"])
    for key in [*defined, *(["extras"] if "extras" in table else [])]:
        yield (*path, key), "is defined by the file itself: remove it, or `file`"
    if not inner_path(table["file"]):
        filename = table["file"].rpartition("/")[2]
        if parse_filename(filename) != (project, version):
            expected = f"{project.replace('-', '_')}-{version}"
            yield (
                (*path, "file"),
                f"does not match the version: {filename!r} must be {expected}-py3-none-any.whl or {expected}.tar.gz",
            )


def _extras(extras: Any, path: Path) -> Iterator[Mistake]:
    if not isinstance(extras, dict):
        yield path, 'must be a table, such as { x = ["b>=1"] }'
        return
    used: dict[str, str] = {}
    for name, requires in extras.items():
        if not EXTRA.match(name):
            yield (*path, name), "is not a valid extra name: use letters and digits, with - _ . between them"
        canonical = normalize_name(name)
        if canonical in used:
            yield (*path, name), f"is the same extra as {used[canonical]} (PEP 685): keep one"
        used.setdefault(canonical, name)
        if mistake := list_of(requirement)(requires):
            yield (*path, name), mistake


def requirement(value: Any) -> str:
    """Require a requirement (PEP 508)."""
    if mistake := line_of_text(value):
        return mistake
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(value)
    except InvalidRequirement as error:
        why = str(error).partition("\n")[0]
        return f"is not a valid requirement, such as \"b>=1; sys_platform == 'win32'\" (PEP 508): {value!r}: {why}"
    return ""


def specifier(value: Any) -> str:
    """Require a version specifier (PEP 440)."""
    if mistake := line_of_text(value):
        return mistake
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        SpecifierSet(value)
    except InvalidSpecifier:
        return f'is not a valid version specifier, such as ">=3.8,<4" (PEP 440): {value!r}'
    return ""


# Some MREs are about tags that no interpreter has, such as foo-none-any.
_tag = matching(r"[a-z0-9_.]+-[a-z0-9_.]+-[a-z0-9_.]+", 'a wheel tag, such as "cp39-abi3-linux_x86_64" (PEP 425)')


def _tags(value: Any) -> str:
    if mistake := list_of(_tag)(value):
        return mistake
    if not value:
        return "must have at least one tag"
    return "" if len(set(value)) == len(value) else "has a duplicate tag"


_yanked = require(lambda v: isinstance(v, bool) or not line_of_text(v), "true, false or a one-line reason")
_moment = require(
    lambda v: isinstance(v, datetime) and v.tzinfo is not None,
    "a date and time with its zone, such as 2024-01-01T00:00:00Z without quotes",
)

SERVED: Keys = {"file": (inner_path, True), "yanked": (_yanked, False), "upload-time": (_moment, False)}
VERSION: Keys = {
    "requires": (list_of(requirement), False),
    "requires-python": (specifier, False),
    "wheel": (boolean, False),
    "wheel-tags": (_tags, False),
    "sdist": (boolean, False),
    "build-backend": (requirement, False),
    "yanked": (_yanked, False),
    "upload-time": (_moment, False),
    "description": (line_of_text, False),
    "file": (inner_path, False),
}


def read_packages(table: Mapping[str, Any]) -> tuple[SyntheticPackage, ...]:
    """Read a valid `packages` table."""
    return tuple(
        SyntheticPackage(
            name,
            version,
            requires=tuple(package.get("requires", ())),
            requires_python=package.get("requires-python"),
            extras={extra: tuple(requires) for extra, requires in package.get("extras", {}).items()},
            wheel=package.get("wheel", True),
            wheel_tags=tuple(package.get("wheel-tags", ANY)),
            sdist=package.get("sdist", True),
            build_backend=package.get("build-backend", ""),
            yanked=package.get("yanked", False),
            uploaded=package.get("upload-time"),
            description=package.get("description", ""),
            file=package.get("file", ""),
        )
        for name, versions in table.items()
        for version, package in versions["versions"].items()
    )


def dump_packages(packages: tuple[SyntheticPackage, ...]) -> dict[str, Any]:
    """Return packages as the table that `read_packages` reads, without default values."""
    table: dict[str, Any] = {}
    for package in packages:
        table.setdefault(package.name, {"versions": {}})["versions"][package.version] = _dump(package)
    return table


def _dump(package: SyntheticPackage) -> dict[str, Any]:
    values = {
        "requires": list(package.requires),
        "requires-python": package.requires_python,
        "extras": {extra: list(requires) for extra, requires in package.extras.items()},
        "build-backend": package.build_backend,
        "yanked": package.yanked,
        "upload-time": package.uploaded,
        "description": package.description,
        "file": package.file,
    }
    return {
        **{key: value for key, value in values.items() if value},
        **({} if package.wheel else {"wheel": False}),
        **({} if package.wheel_tags == ANY else {"wheel-tags": list(package.wheel_tags)}),
        **({} if package.sdist else {"sdist": False}),
    }
