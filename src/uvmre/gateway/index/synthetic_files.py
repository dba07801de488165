"""The synthetic packages of an index as pages and files, which are built when first requested."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from email.parser import BytesHeaderParser
from functools import cache, partial
from hashlib import sha256
from typing import Any

from uvmre.core.network.simple_page import Page, normalize_name
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.gateway.index.distributions import metadata, read_metadata, sdist, stem, version, wheel
from uvmre.gateway.index.pypi_proxy import SYNTHETIC_FILES

METADATA = ".metadata"
WHEEL = ".whl"

Build = Callable[[], bytes]


class SyntheticIndex:
    """The synthetic packages of one index."""

    def __init__(
        self, packages: tuple[SyntheticPackage, ...], files: Mapping[str, bytes], files_url: str = SYNTHETIC_FILES
    ) -> None:
        """Prepare; `files` are the contents of those packages that are served unchanged, by path."""
        self._files_url = files_url
        self._projects: dict[str, list[tuple[SyntheticPackage, dict[str, Build]]]] = {}
        self._files: dict[str, tuple[SyntheticPackage, Build]] = {}
        for package in packages:
            self.add(package, files)

    def add(self, package: SyntheticPackage, files: Mapping[str, bytes]) -> None:
        """Add a version, or another file of one."""
        builds: dict[str, Build] = {name: cache(build) for name, build in _distributions(package, files)}
        self._projects.setdefault(normalize_name(package.name), []).append((package, builds))
        self._files |= {name: (package, build) for name, build in builds.items()}

    def projects(self) -> list[str]:
        """Return the normalized names of the projects."""
        return list(self._projects)

    def page(self, project: str) -> Page | None:
        """Return a project's page; None where it has none."""
        versions = self._projects.get(normalize_name(project))
        if versions is None:
            return None
        entries = [self._entry(package, build, name) for package, builds in versions for name, build in builds.items()]
        return Page(
            {
                "meta": {"api-version": "1.1"},
                "name": normalize_name(project),
                "versions": list(dict.fromkeys(version(package) for package, _ in versions)),
                "files": entries,
            }
        )

    def file(self, filename: str) -> bytes | None:
        """Return a file, or the metadata of a wheel; None where there is no such file."""
        if found := self._files.get(filename):
            return found[1]()
        wheel_name = filename.removesuffix(METADATA)
        found = self._files.get(wheel_name) if wheel_name.endswith(WHEEL) else None
        return _metadata(*found, wheel_name) if found and wheel_name != filename else None

    def _entry(self, package: SyntheticPackage, build: Build, filename: str) -> dict[str, Any]:
        content = build()
        entry: dict[str, Any] = {
            "filename": filename,
            "url": f"{self._files_url}/{filename}",
            "hashes": {"sha256": sha256(content).hexdigest()},
            "size": len(content),
            "yanked": package.yanked,
        }
        inside = _metadata(package, build, filename)
        if inside and filename.endswith(WHEEL):
            entry["core-metadata"] = {"sha256": sha256(inside).hexdigest()}
        if requires_python := _requires_python(inside) if package.file else package.requires_python:
            entry["requires-python"] = requires_python
        if package.uploaded:
            entry["upload-time"] = package.uploaded.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return entry


def _distributions(package: SyntheticPackage, files: Mapping[str, bytes]) -> Iterator[tuple[str, Build]]:
    """Yield the name of each file of a version, and what builds it."""
    if package.file:
        yield package.file.rpartition("/")[2], partial(files.__getitem__, package.file)
        return
    if package.wheel:
        for tag in package.wheel_tags:
            yield f"{stem(package)}-{tag}{WHEEL}", partial(wheel, package, tag)
    if package.sdist:
        yield f"{stem(package)}.tar.gz", partial(sdist, package)


def _metadata(package: SyntheticPackage, build: Build, filename: str) -> bytes | None:
    """Return the metadata of a file; None where a served file is broken, which may be intended."""
    return read_metadata(filename, build()) if package.file else metadata(package)


def _requires_python(inside: bytes | None) -> str | None:
    return BytesHeaderParser().parsebytes(inside)["Requires-Python"] if inside else None
