"""What is known of the packages of a project: which are public, and what the private ones require."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from uvmre.capture.build import KnownIndex
from uvmre.capture.configured import ConfiguredIndex, configured_indexes
from uvmre.capture.packages import LockedPackage, locked_packages
from uvmre.capture.project import UserProject
from uvmre.capture.requirements import named_packages, own_packages
from uvmre.core.network.simple_page import normalize_name
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.core.progress import Progress
from uvmre.core.text.parse_toml import parse_toml
from uvmre.project.index_metadata import on_pypi, read_index
from uvmre.project.uv_cache import cached_packages

PYPI_INDEX = "https://pypi.org/simple"


@dataclass(frozen=True)
class PackageFacts:
    """What is known of the packages that a project names."""

    indexes: tuple[KnownIndex, ...]
    locked: tuple[LockedPackage, ...]
    public: frozenset[str]
    """The normalized names of those that PyPI has."""
    hashes: Mapping[str, str]
    """The SHA-256 of files at their own index, by filename."""
    notes: tuple[str, ...]
    """What could not be reached."""


def package_facts(project: UserProject, progress: Progress) -> PackageFacts:
    """Ask PyPI and the project's own indexes; where they cannot be reached, the lock file and uv's cache."""
    locked = _locked(project)
    named, pinned = named_packages(project)
    own = own_packages(project) | {each.name for each in locked if each.kind != "registry"}
    from_pypi = {each.name for each in locked if each.kind == "registry" and each.source.startswith("https://pypi.org")}
    progress.detail("asking PyPI which packages are public")
    versions = on_pypi((named | {each.name for each in locked if each.kind == "registry"}) - own - from_pypi)
    notes = [] if versions is not None else ["PyPI cannot be reached: the lock file is taken for what it has"]
    public = _public(versions or {}, locked) | from_pypi
    private = {each.name for each in locked if each.kind == "registry"} | named | set(pinned)
    private -= public | own
    known, hashes = [], dict[str, str]()
    for index in configured_indexes(project):
        names = {name for name in private if pinned.get(name, index.name) == index.name}
        facts, found = _known_index(index, locked, names, public, progress)
        known.append(facts)
        hashes |= found
        if not facts.packages and private and not facts.has_pypi:
            notes.append("an index cannot be reached, and neither the lock file nor uv's cache has its packages")
    if versions is None and from_pypi:
        known.append(_pypi_of_lock(locked, from_pypi))
    return PackageFacts(tuple(known), locked, frozenset(public), hashes, tuple(dict.fromkeys(notes)))


def _locked(project: UserProject) -> tuple[LockedPackage, ...]:
    found: tuple[LockedPackage, ...] = ()
    for file in project.files:
        if file.path.rpartition("/")[2] == "uv.lock":
            try:
                found += locked_packages(parse_toml(file.content.decode(errors="replace")))
            except (ValueError, TypeError, AttributeError, KeyError):  # a lock file that is damaged may be the bug
                continue
    return found


def _public(versions: Mapping[str, frozenset[str]], locked: Sequence[LockedPackage]) -> set[str]:
    """Return the packages of PyPI, without those of which it lacks the locked version: they only share a name."""
    others = {each.name for each in locked if each.kind == "registry" and not _has(versions, each)}
    return set(versions) - others


def _has(versions: Mapping[str, frozenset[str]], package: LockedPackage) -> bool:
    from packaging.version import Version

    return str(Version(package.version).public) in versions.get(package.name, frozenset())


def _known_index(
    index: ConfiguredIndex,
    locked: Sequence[LockedPackage],
    names: set[str],
    public: set[str],
    progress: Progress,
) -> tuple[KnownIndex, Mapping[str, str]]:
    """Return what is known of one index, and the hashes of its files; `names` may be there."""
    here = [each for each in locked if each.kind == "registry" and each.source.rstrip("/") == index.url.rstrip("/")]
    needed = {name: frozenset(each.version for each in here if each.name == name) for name in names}
    facts = read_index(index, needed, frozenset(public), progress)
    packages = {name: list(each) for name, each in facts.packages.items()}
    if not facts.reachable or facts.denied:
        packages = cached_packages(_uv_cache(), names)
        for each in here:
            if each.name in names and all(p.version != each.version for p in packages.get(each.name, ())):
                packages.setdefault(each.name, []).append(each.package)
    mirrored = facts.mirrors_pypi if facts.reachable and not facts.denied else any(e.name in public for e in here)
    found: tuple[SyntheticPackage, ...] = tuple(each for name in sorted(packages) for each in packages[name])
    return KnownIndex(index, found, facts.denied, mirrored or index.default), facts.hashes


def _pypi_of_lock(locked: Sequence[LockedPackage], names: set[str]) -> KnownIndex:
    """Return PyPI as far as the lock file and uv's cache know it."""
    cached = cached_packages(_uv_cache(), names)
    found = []
    for each in (each for each in locked if normalize_name(each.name) in names):
        found.append(next((p for p in cached.get(each.name, ()) if p.version == each.version), each.package))
    return KnownIndex(ConfiguredIndex(PYPI_INDEX), tuple(found))


def _uv_cache() -> Path:
    named = os.environ.get("UV_CACHE_DIR")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv"
