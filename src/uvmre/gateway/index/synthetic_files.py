"""The universe of an index: its made-up packages as pages and files, made when they are asked for and then kept."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from email.parser import BytesHeaderParser
from functools import cache, partial
from hashlib import sha256
from typing import Any

from uvmre.core.network.simple_page import Page
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.gateway.index.distributions import metadata, normalized, read_metadata, sdist, stem, version, wheel

FILES = "https://files.pythonhosted.org/packages/made/up"
METADATA = ".metadata"
WHEEL = ".whl"

BuildFile = Callable[[], bytes]


class SyntheticIndex:
    """The made-up packages of one index."""

    def __init__(self, packages: tuple[SyntheticPackage, ...], files: Mapping[str, bytes], where: str = FILES) -> None:
        """Take the packages.

        Args:
            packages: as the manifest has them.
            files: the contents of those that are served as they are, by their paths.
            where: the address below which pages say that the files are.
        """
        self._where = where
        self._projects: dict[str, list[tuple[SyntheticPackage, dict[str, BuildFile]]]] = {}
        self._files: dict[str, tuple[SyntheticPackage, BuildFile]] = {}
        for made in packages:
            own: dict[str, BuildFile] = {name: cache(make) for name, make in _distributions(made, files)}
            self._projects.setdefault(normalized(made.name), []).append((made, own))
            self._files |= {name: (made, make) for name, make in own.items()}

    def projects(self) -> list[str]:
        """Return the projects, by their normalized names."""
        return list(self._projects)

    def page(self, project: str) -> Page | None:
        """Return a project's page; None where it has none."""
        versions = self._projects.get(normalized(project))
        if versions is None:
            return None
        entries = [self._entry(made, make, name) for made, own in versions for name, make in own.items()]
        return Page(
            {
                "meta": {"api-version": "1.1"},
                "name": normalized(project),
                "versions": [version(made) for made, _ in versions],
                "files": entries,
            }
        )

    def file(self, filename: str) -> bytes | None:
        """Return a file's bytes, or those of its metadata; None where there is no such file."""
        if found := self._files.get(filename):
            return found[1]()
        wheel_name = filename.removesuffix(METADATA)
        found = self._files.get(wheel_name) if wheel_name.endswith(WHEEL) else None
        return _metadata(*found, wheel_name) if found and wheel_name != filename else None

    def _entry(self, made: SyntheticPackage, make: BuildFile, filename: str) -> dict[str, Any]:
        content = make()
        entry: dict[str, Any] = {
            "filename": filename,
            "url": f"{self._where}/{filename}",
            "hashes": {"sha256": sha256(content).hexdigest()},
            "size": len(content),
            "yanked": made.yanked,
        }
        inside = _metadata(made, make, filename)
        if inside and filename.endswith(WHEEL):
            entry["core-metadata"] = {"sha256": sha256(inside).hexdigest()}
        if requires_python := _requires_python(inside) if made.file else made.requires_python:
            entry["requires-python"] = requires_python
        if made.uploaded:
            entry["upload-time"] = made.uploaded.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return entry


def _distributions(made: SyntheticPackage, files: Mapping[str, bytes]) -> Iterator[tuple[str, BuildFile]]:
    """Yield the name of each file of a version, and what makes it."""
    if made.file:
        yield made.file.rpartition("/")[2], partial(files.__getitem__, made.file)
        return
    if made.wheel:
        for tag in made.wheel_tags:
            yield f"{stem(made)}-{tag}{WHEEL}", partial(wheel, made, tag)
    if made.sdist:
        yield f"{stem(made)}.tar.gz", partial(sdist, made)


def _metadata(made: SyntheticPackage, make: BuildFile, filename: str) -> bytes | None:
    """Return what a file says of itself; None where it is broken, as it may be on purpose."""
    return read_metadata(filename, make()) if made.file else metadata(made)


def _requires_python(inside: bytes | None) -> str | None:
    return BytesHeaderParser().parsebytes(inside)["Requires-Python"] if inside else None
