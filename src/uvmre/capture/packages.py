"""Synthetic packages with the versions and requirements of private ones, from a lock file or their metadata."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import Any

from uvmre.core.network.simple_page import normalize_name, parse_filename
from uvmre.core.network.synthetic import ANY, SyntheticPackage, requirement, specifier


@dataclass(frozen=True)
class LockedPackage:
    """One package of a `uv.lock`."""

    name: str
    version: str
    kind: str
    """The kind of its source: `registry`, `git`, `editable`, `virtual`, `directory`, `path` or `url`."""
    source: str
    package: SyntheticPackage


def locked_packages(lock: Mapping[str, Any]) -> tuple[LockedPackage, ...]:
    """Return the packages of a lock file; a dependency has no specifier there, only its marker."""
    found = []
    for entry in lock.get("package", ()):
        if not isinstance(entry, dict) or not isinstance(entry.get("source"), dict) or "name" not in entry:
            continue
        kind, source = next(iter(entry["source"].items()), ("", ""))
        version = str(entry.get("version", "0"))
        names = [str(each.get("url", each.get("filename", ""))).rpartition("/")[2] for each in entry.get("wheels", ())]
        package = SyntheticPackage(
            entry["name"],
            version,
            requires=_requires(entry.get("dependencies", ())),
            extras={extra: _requires(each) for extra, each in entry.get("optional-dependencies", {}).items()},
            **_files([*names, *([f"{entry['name']}-{version}.tar.gz"] if "sdist" in entry else [])]),
        )
        found.append(LockedPackage(entry["name"], version, kind, str(source), package))
    return tuple(found)


def _requires(dependencies: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    found = []
    for each in dependencies:
        extras = f"[{','.join(each['extra'])}]" if each.get("extra") else ""
        marker = f" ; {each['marker']}" if each.get("marker") else ""
        found.append(f"{each['name']}{extras}{marker}")
    return tuple(text for text in dict.fromkeys(found) if not requirement(text))


def from_metadata(text: str, filenames: Sequence[str], *, yanked: bool | str = False) -> SyntheticPackage | None:
    """Return the synthetic package of a METADATA or PKG-INFO; None if it has no name or version."""
    headers = HeaderParser().parsestr(text)
    name, version = headers["Name"], headers["Version"]
    if not (name and version):
        return None
    python = (headers["Requires-Python"] or "").strip()
    requires = tuple(each for each in headers.get_all("Requires-Dist") or () if not requirement(each))
    return SyntheticPackage(
        normalize_name(name),
        version,
        requires=tuple(" ".join(each.split()) for each in requires),
        requires_python=python if python and not specifier(python) else None,
        extras=dict.fromkeys(headers.get_all("Provides-Extra") or (), ()),
        yanked=yanked,
        **_files(filenames),
    )


def _files(filenames: Sequence[str]) -> dict[str, Any]:
    """Return which wheels and sdist a version has."""
    wheels = [name.removesuffix(".whl") for name in filenames if name.endswith(".whl")]
    tags = tuple(dict.fromkeys("-".join(name.split("-")[-3:]) for name in wheels))
    sdist = any(not name.endswith(".whl") for name in filenames)
    if not wheels and not sdist:
        return {}
    return {"wheel": bool(wheels), "wheel_tags": tags or ANY, "sdist": sdist}


def by_version(files: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the files of a project's page by version, the newest first."""
    found: dict[Any, list[Mapping[str, Any]]] = {}
    for file in files:
        if known := parse_filename(file["filename"]):
            found.setdefault(known[1], []).append(file)
    return {str(version): found[version] for version in sorted(found, reverse=True)}
