"""Made-up packages: they exist only for one MRE. Their TOML is shaped as packse's scenarios are."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from uvmre.core.text.toml_checks import Keys, Mistake, Path, boolean, check_table, inner_path, line_of_text, list_of

ANY = ("py3-none-any",)
TAG = re.compile(r"\A[a-z0-9_.]+-[a-z0-9_.]+-[a-z0-9_.]+\Z")
EXTRA = re.compile(r"\A[a-z0-9]([a-z0-9._-]*[a-z0-9])?\Z", re.IGNORECASE)
"""A name that `a[x]` can ask for (PEP 508)."""


@dataclass(frozen=True)
class SyntheticPackage:
    """One version of a made-up package."""

    name: str
    version: str
    requires: tuple[str, ...] = ()
    """Requirements, as PEP 508 has them."""
    requires_python: str | None = None
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Each extra's requirements."""
    wheel: bool = True
    wheel_tags: tuple[str, ...] = ANY
    """One wheel for each."""
    sdist: bool = True
    build_backend: str = ""
    """What builds the sdist, as hatchling; where empty a backend of its own, which needs nothing."""
    yanked: bool | str = False
    """Whether, or why."""
    uploaded: datetime | None = None
    description: str = ""
    file: str = ""
    """A wheel or sdist in the MRE's folder that is served as it is: then it alone, and nothing is made."""


def check_packages(table: Any, path: Path) -> Iterator[Mistake]:
    """Find every mistake of a `packages` table."""
    if not isinstance(table, dict):
        yield path, f'must be a table: write [{path[0]}.packages.NAME.versions."1.0.0"]'
    elif table:
        yield from _packages(table, path)


def _packages(table: dict[str, Any], path: Path) -> Iterator[Mistake]:
    # packaging takes 20 ms to import, which a manifest without packages does not pay.
    from packaging.utils import InvalidName, canonicalize_name

    taken: dict[str, str] = {}
    for name, package in table.items():
        here = (*path, name)
        try:
            canonical = canonicalize_name(name, validate=True)
        except InvalidName:
            yield here, "is not the name of a package: take letters and digits, with - _ . between them (PEP 508)"
            continue
        if canonical in taken:
            yield here, f"is the same package as {taken[canonical]} (PEP 503): put its versions there"
        taken.setdefault(canonical, name)
        if not isinstance(package, dict):
            yield here, 'must be a table: write [….versions."1.0.0"] below it'
            continue
        yield from check_table(package, {}, here, ("versions",))
        versions = package.get("versions", {})
        if isinstance(versions, dict) and versions:
            yield from _versions(canonical, versions, (*here, "versions"))
        else:
            yield (*here, "versions"), 'is missing: add a table, as versions."1.0.0"'


def _versions(project: str, versions: dict[str, Any], path: Path) -> Iterator[Mistake]:
    from packaging.version import InvalidVersion, Version

    taken: dict[Version, str] = {}
    for text, made in versions.items():
        here = (*path, text)
        try:
            version = Version(text)
        except InvalidVersion:
            yield here, 'is not a version, as "1.0.0" or "2.0b1.post1+local" (PEP 440)'
            continue
        if version in taken:
            yield here, f"is the same version as {taken[version]} (PEP 440): keep one"
        taken.setdefault(version, text)
        if not isinstance(made, dict):
            yield here, "must be a table; an empty one makes a wheel and an sdist without requirements"
        elif "file" in made:
            yield from _served(project, version, made, here)
        else:
            yield from check_table(made, VERSION, here, ("extras",))
            yield from _extras(made.get("extras", {}), (*here, "extras"))
            if made.get("wheel") is False and made.get("sdist") is False:
                yield here, "has neither a wheel nor an sdist: leave one of them true, or remove the version"
            if made.get("wheel") is False and "wheel-tags" in made:
                yield (*here, "wheel-tags"), "are those of a wheel, and there is none: remove them, or `wheel = false`"


def _served(project: str, version: Any, made: dict[str, Any], path: Path) -> Iterator[Mistake]:
    """Check a version that is a file of the folder, which itself says all that is not the index's to say."""
    said = [key for key in made if key in VERSION and key not in SERVED]
    yield from check_table(made, SERVED, path, [*said, "extras"])
    for key in [*said, *(["extras"] if "extras" in made else [])]:
        yield (*path, key), "is what the file itself says: remove it, or `file`"
    if not inner_path(made["file"]):
        from uvmre.core.network.simple_page import parse_filename

        filename = made["file"].rpartition("/")[2]
        if parse_filename(filename) != (project, version):
            wanted = f"{project.replace('-', '_')}-{version}"
            yield (
                (*path, "file"),
                f"is not named as a file of this version: {filename!r} must be as {wanted}-py3-none-any.whl"
                f" or {wanted}.tar.gz",
            )


def _extras(extras: Any, path: Path) -> Iterator[Mistake]:
    if not isinstance(extras, dict):
        yield path, 'must be a table, as { x = ["b>=1"] }'
        return
    taken: dict[str, str] = {}
    for name, requires in extras.items():
        if not EXTRA.match(name):
            yield (*path, name), "is not the name of an extra: take letters and digits, with - _ . between them"
        canonical = re.sub(r"[-_.]+", "-", name).lower()
        if canonical in taken:
            yield (*path, name), f"is the same extra as {taken[canonical]} (PEP 685): keep one"
        taken.setdefault(canonical, name)
        if mistake := list_of(requirement)(requires):
            yield (*path, name), mistake


def requirement(value: Any) -> str:
    """Ask for a requirement, as PEP 508 has it."""
    if mistake := line_of_text(value):
        return mistake
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(value)
    except InvalidRequirement as error:
        why = str(error).partition("\n")[0]
        return f"is not a requirement, as \"b>=1; sys_platform == 'win32'\" (PEP 508): {value!r}: {why}"
    return ""


def specifier(value: Any) -> str:
    """Ask for a range of versions, as PEP 440 has it."""
    if mistake := line_of_text(value):
        return mistake
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        SpecifierSet(value)
    except InvalidSpecifier:
        return f'is not a range of versions, as ">=3.8,<4" (PEP 440): {value!r}'
    return ""


def _tag(value: Any) -> str:
    # Tags that no interpreter has, as foo-none-any, are what some MREs are about.
    fine = isinstance(value, str) and TAG.match(value)
    return "" if fine else f'is not a tag of a wheel, as "cp39-abi3-linux_x86_64" (PEP 425): {value!r}'


def _tags(value: Any) -> str:
    if mistake := list_of(_tag)(value):
        return mistake
    if not value:
        return "must have one tag at least"
    return "" if len(set(value)) == len(value) else "has a tag twice: there would be two wheels of one name"


def _yanked(value: Any) -> str:
    fine = isinstance(value, bool) or not line_of_text(value)
    return "" if fine else f"must be true, false or a reason of one line, not {value!r}"


def _moment(value: Any) -> str:
    fine = isinstance(value, datetime) and value.tzinfo is not None
    return "" if fine else f"must be a moment with its zone, as 2024-01-01T00:00:00Z without quotes, not {value!r}"


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
    """Read a `packages` table that has no mistakes."""
    return tuple(
        SyntheticPackage(
            name,
            version,
            requires=tuple(made.get("requires", ())),
            requires_python=made.get("requires-python"),
            extras={extra: tuple(requires) for extra, requires in made.get("extras", {}).items()},
            wheel=made.get("wheel", True),
            wheel_tags=tuple(made.get("wheel-tags", ANY)),
            sdist=made.get("sdist", True),
            build_backend=made.get("build-backend", ""),
            yanked=made.get("yanked", False),
            uploaded=made.get("upload-time"),
            description=made.get("description", ""),
            file=made.get("file", ""),
        )
        for name, package in table.items()
        for version, made in package["versions"].items()
    )


def dump_packages(packages: tuple[SyntheticPackage, ...]) -> dict[str, Any]:
    """Write packages as the table that `read_packages` reads back. What is at its default is left out."""
    table: dict[str, Any] = {}
    for made in packages:
        table.setdefault(made.name, {"versions": {}})["versions"][made.version] = _dump(made)
    return table


def _dump(made: SyntheticPackage) -> dict[str, Any]:
    given = {
        "requires": list(made.requires),
        "requires-python": made.requires_python,
        "extras": {extra: list(requires) for extra, requires in made.extras.items()},
        "build-backend": made.build_backend,
        "yanked": made.yanked,
        "upload-time": made.uploaded,
        "description": made.description,
        "file": made.file,
    }
    return {
        **{key: value for key, value in given.items() if value},
        **({} if made.wheel else {"wheel": False}),
        **({} if made.wheel_tags == ANY else {"wheel-tags": list(made.wheel_tags)}),
        **({} if made.sdist else {"sdist": False}),
    }
